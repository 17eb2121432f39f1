/* Arenas, growing text, UTF-8 and errors. */
#include "support/unit.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* ---- arena ---- */

static void test_arena(void **state)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 65535, 65536, 65537, 1000000};
    enum { COUNT = 400 };
    unsigned char *blocks[COUNT];
    struct arena *arena = arena_new();
    (void)state;
    assert_non_null(arena);
    for (int i = 0; i < COUNT; i++) {
        size_t size = sizes[i % 10] / (i > 50 ? 8 : 1);
        blocks[i] = arena_alloc(arena, size, 1);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(blocks[i][k], 0);
        }
        memset(blocks[i], i & 0xff, size);
        for (int before = 0; before < i; before++) {
            assert_ptr_not_equal(blocks[before], blocks[i]);
        }
    }
    for (int i = 0; i < COUNT; i++) { /* nobody wrote into another's block */
        size_t size = sizes[i % 10] / (i > 50 ? 8 : 1);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(blocks[i][k], i & 0xff);
        }
    }
    arena_free(arena);
    arena_free(NULL);
}

static void test_arena_overflow(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_null(arena_alloc(arena, SIZE_MAX, 1));
    assert_null(arena_alloc(arena, SIZE_MAX / 2, 4));
    assert_null(arena_alloc(arena, SIZE_MAX / 4 + 1, 1));
    assert_null(arena_alloc(arena, (size_t)1 << 33, (size_t)1 << 33));
    assert_non_null(arena_alloc(arena, SIZE_MAX, 0));
    assert_non_null(arena_alloc(arena, 0, SIZE_MAX));
    assert_string_equal(arena_string(arena, "still there"), "still there");
    arena_free(arena);
}

static void test_arena_text(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_string_equal(arena_text(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_text(arena, "", 0), "");
    assert_memory_equal(arena_text(arena, "a\0b", 3), "a\0b", 4);
    arena_free(arena);
}

/* ---- text ---- */

static void test_text(void **state)
{
    struct text text = {0};
    (void)state;
    text_add(&text, "");
    assert_non_null(text.data);
    assert_string_equal(text.data, "");
    text_add(&text, "one ");
    text_bytes(&text, "two!!", 3);
    text_printf(&text, " %d %s", 3, "four");
    assert_string_equal(text.data, "one two 3 four");
    assert_int_equal(text.length, 14);
    text_free(&text);
    assert_null(text.data);
    assert_int_equal(text.length + text.capacity, 0);
}

static void test_text_grows(void **state)
{
    struct text text = {0};
    (void)state;
    for (int i = 0; i < 100000; i++) {
        text_printf(&text, "%06d\n", i);
        assert_true(text.capacity > text.length);
    }
    assert_int_equal(text.length, 700000);
    for (int i = 0; i < 100000; i += 997) {
        char line[16];
        (void)snprintf(line, sizeof line, "%06d\n", i);
        assert_memory_equal(text.data + (size_t)i * 7, line, 7);
    }
    assert_false(text.failed);
    text_free(&text);
}

/* A failure is kept: later calls do nothing, and what was there stays. */
static void test_text_latch(void **state)
{
    struct text text = {0};
    (void)state;
    text_add(&text, "kept");
    text_bytes(&text, "", SIZE_MAX - 3);
    assert_true(text.failed);
    text_add(&text, "lost");
    text_printf(&text, "%s", "lost");
    assert_true(text.failed);
    assert_string_equal(text.data, "kept");
    text_free(&text);
}

/* ---- UTF-8 ---- */

static bool clean(const char *text)
{
    return utf8_clean(text, strlen(text));
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(clean("") && clean(" ~") && clean("\xc2\xa0") && clean("\xdf\xbf"));
    assert_true(clean("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    assert_true(clean("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    assert_false(clean("\x1f") || clean("\x7f") || clean("\n") || clean("\xc2\x80"));
    assert_false(clean("\xc2\x9f"));                      /* C1 */
    assert_false(clean("\xc0\xaf") || clean("\xc1\xbf")); /* overlong */
    assert_false(clean("\xe0\x9f\xbf") || clean("\xf0\x8f\xbf\xbf"));
    assert_false(clean("\xed\xa0\x80") || clean("\xed\xbf\xbf")); /* surrogates */
    assert_false(clean("\xf4\x90\x80\x80") || clean("\xf5\x80\x80\x80"));
    assert_false(clean("\x80") || clean("\xbf") || clean("\xff") || clean("\xfe"));
    assert_false(clean("\xc3") || clean("\xe2\x82") || clean("\xf0\x9f\x8c"));
    assert_false(clean("\xc3(") || clean("\xe2(\xa1") || clean("\xe2\x82("));
    assert_false(utf8_clean("a\0b", 3));
}

/* Every code point, encoded by the plain rule: clean if and only if it is a scalar value and no
 * control character. */
static void test_utf8_all(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x110100; point++) {
        char bytes[4];
        size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const unsigned leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = size - 1; i > 0; i--) {
            bytes[i] = (char)(0x80 | (point >> (6 * (size - 1 - i)) & 0x3f));
        }
        bytes[0] = (char)(leads[size] | point >> (6 * (size - 1)));
        bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
        bool scalar = point < 0x110000 && (point < 0xd800 || point > 0xdfff);
        assert_true(utf8_clean(bytes, size) == (scalar && !control));
        assert_true(utf8_step(bytes, size) == (scalar && !control ? size : 0));
        assert_true(size == 1 || utf8_step(bytes, size - 1) == 0);
    }
}

/* ---- error ---- */

static void test_first_failure_wins(void **state)
{
    struct error err = {0};
    (void)state;
    assert_false(fail(&err, "first %d", 1));
    assert_false(fail(&err, "second"));
    assert_false(fail_at(&err, (struct place){"f", 1, 1}, "third"));
    assert_false(fail_memory(&err));
    assert_true(err.failed);
    assert_string_equal(err.message, "first 1");
}

static void test_places(void **state)
{
    static const struct {
        struct place place;
        const char *message;
    } cases[] = {{{"a.csv", 17, 4}, "a.csv:17:4: no"},
                 {{"a.csv", 17, 0}, "a.csv:17: no"},
                 {{"a.csv", 0, 0}, "a.csv: no"},
                 {{"a.csv", 0, 4}, "a.csv: no"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_false(fail_at(&err, cases[i].place, "no"));
        assert_string_equal(err.message, cases[i].message);
    }
}

/* Messages are one line of text whatever they quote, and end in time. */
static void test_hostile_messages(void **state)
{
    static char longest[2000];
    struct error err = {0};
    struct error cut = {0};
    struct error wide = {0};
    (void)state;
    fail(&err, "'%s'", "a\nb\x1b[2J\x7f\xff\xc2\x9b\xc3\xa9");
    assert_string_equal(err.message, "'a?b?[2J?\x3f\x3f?\xc3\xa9'");
    memset(longest, 'x', sizeof longest - 1);
    fail_at(&cut, (struct place){longest, 1, 1}, "%s", longest);
    assert_int_equal(strlen(cut.message), sizeof cut.message - 1);
    for (size_t i = 0; i + 1 < sizeof longest; i++) {
        longest[i] = i % 2 ? '\xa9' : '\xc3';
    }
    fail(&wide, "%s", longest); /* 399 bytes: the last character is cut in two */
    assert_true(utf8_clean(wide.message, strlen(wide.message)));
}

static void test_excerpt(void **state)
{
    struct error err = {0};
    struct error far = {0};
    struct error beyond = {0};
    char line[1000];
    (void)state;
    error_excerpt(&err, "1,2,x\ty", 7, 5);
    assert_string_equal(err.excerpt, "1,2,x y");
    assert_int_equal(err.excerpt_column, 5);
    error_excerpt(&err, "other", 5, 1);
    assert_string_equal(err.excerpt, "1,2,x y");
    memset(line, '.', sizeof line);
    line[599] = '#';
    error_excerpt(&far, line, sizeof line, 600);
    assert_int_equal(strlen(far.excerpt), 160);
    assert_int_equal(far.excerpt[far.excerpt_column - 1], '#');
    error_excerpt(&beyond, "ab", 2, 500);
    assert_int_equal(beyond.excerpt_column, 0);
    error_excerpt(&(struct error){0}, "", 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_overflow),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_latch),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_all),
        cmocka_unit_test(test_first_failure_wins),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_hostile_messages),
        cmocka_unit_test(test_excerpt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
