/* The JSON reader: what it takes, what it refuses and where. */
#include "support/unit.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

static const struct json *read_text(const char *text, struct arena *arena, struct error *err)
{
    struct json_source source = {.file = "f", .text = text, .size = strlen(text)};
    return json_read(&source, arena, err);
}

static void test_values(void **state)
{
    static const struct {
        const char *text;
        enum json_kind kind;
        int64_t integer;
    } cases[] = {{"null", KIND_NULL, 0},
                 {" true\n", KIND_BOOLEAN, 1},
                 {"false", KIND_BOOLEAN, 0},
                 {"0", KIND_INTEGER, 0},
                 {"-0", KIND_INTEGER, 0},
                 {"\t-17\r\n", KIND_INTEGER, -17},
                 {"9223372036854775807", KIND_INTEGER, INT64_MAX},
                 {"-9223372036854775808", KIND_INTEGER, INT64_MIN},
                 {"1.0", KIND_REAL, 0},
                 {"-0.5e-3", KIND_REAL, 0},
                 {"1E+9", KIND_REAL, 0},
                 {"1e999", KIND_REAL, 0},
                 {"99999999999999999999.0", KIND_REAL, 0},
                 {"\"\"", KIND_STRING, 0},
                 {"[]", KIND_ARRAY, 0},
                 {"{ }", KIND_OBJECT, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        const struct json *value = read_text(cases[i].text, arena, &err);
        assert_string_equal(err.message, "");
        assert_non_null(value);
        assert_int_equal(value->kind, cases[i].kind);
        assert_true(value->integer == cases[i].integer);
        assert_int_equal(value->count, 0);
        arena_free(arena);
    }
}

static void test_strings(void **state)
{
    static const struct {
        const char *text;
        const char *string;
    } cases[] = {{"\"a b\"", "a b"},
                 {"\"\\\"\\\\\\/\"", "\"\\/"},
                 {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
                 {"\"\\uD83C\\uDF21\"", "\xf0\x9f\x8c\xa1"},
                 {"\"\\uffff\\u00a0\"", "\xef\xbf\xbf\xc2\xa0"},
                 {"\"\xc3\xa9\xf0\x9f\x8c\xa1\"", "\xc3\xa9\xf0\x9f\x8c\xa1"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        const struct json *value = read_text(cases[i].text, arena, &err);
        assert_string_equal(err.message, "");
        assert_string_equal(value->string, cases[i].string);
        arena_free(arena);
    }
}

static void test_nesting(void **state)
{
    struct arena *arena = arena_new();
    struct error err = {0};
    const struct json *root =
        read_text("{\"a\": [1, [2, 3], {}],\n \"b\": {\"c\": \"d\"}, \"\": null}", arena, &err);
    (void)state;
    assert_non_null(root);
    assert_int_equal(root->count, 3);
    const struct json *a = json_member(root, "a");
    assert_int_equal(a->count, 3);
    assert_int_equal(a->offset, 6);
    assert_int_equal(a->items[0].integer, 1);
    assert_int_equal(a->items[1].count, 2);
    assert_int_equal(a->items[1].items[1].integer, 3);
    assert_int_equal(a->items[2].kind, KIND_OBJECT);
    assert_string_equal(json_member(json_member(root, "b"), "c")->string, "d");
    assert_int_equal(json_member(root, "")->kind, KIND_NULL);
    assert_null(json_member(root, "c"));
    assert_null(json_member(a, "a"));
    arena_free(arena);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "f:1:1: the file ends in the middle"},
        {" \n ", "f:2:2: the file ends in the middle"},
        {"x", "f:1:1: expected a JSON value"},
        {"nul", "f:1:1: expected a JSON value"},
        {"nulls", "f:1:5: expected the end of the file"},
        {"1 2", "f:1:3: expected the end of the file"},
        {"01", "f:1:1: a number cannot start with 0"},
        {"-", "f:1:2: the file ends in the middle"},
        {"-a", "f:1:2: expected a digit"},
        {"+1", "f:1:1: expected a JSON value"},
        {".5", "f:1:1: expected a JSON value"},
        {"1.", "f:1:3: the file ends in the middle"},
        {"1.e5", "f:1:3: expected a digit"},
        {"1e+ ", "f:1:4: expected a digit"},
        {"9223372036854775808", "f:1:1: the integer is too large"},
        {"-9223372036854775809", "f:1:1: the integer is too large"},
        {"99999999999999999999999999999", "f:1:1: the integer is too large"},
        {"[1,]", "f:1:4: expected a JSON value"},
        {"[1 2]", "f:1:4: expected ',' or ']'"},
        {"[1}", "f:1:3: expected ',' or ']'"},
        {"[", "f:1:2: the file ends in the middle"},
        {"{\"a\" 1}", "f:1:6: expected ':'"},
        {"{\"a\": 1,}", "f:1:9: expected a string"},
        {"{a: 1}", "f:1:2: expected a string"},
        {"{\"a\": 1]", "f:1:8: expected ',' or '}'"},
        {"{\"a\": 1,\n\"b\": 2, \"a\": 3}", "f:2:9: the key is there twice"},
        {"{\"a\": 1, \"\\u0061\": 3}", "f:1:10: the key is there twice"},
        {"\"a", "f:1:3: the file ends in the middle"},
        {"\"a\\", "f:1:4: the file ends in the middle"},
        {"\"\\x\"", "f:1:3: not an escape"},
        {"\"\\u12\"", "f:1:2: not a character"},
        {"\"\\ud800\"", "f:1:2: not a character"},
        {"\"\\udc00\"", "f:1:2: not a character"},
        {"\"\\ud800\\u0041\"", "f:1:2: not a character"},
        {"\"\\u0000\"", "f:1:2: a control character in a string"},
        {"\"\\n\"", "f:1:2: a control character in a string"},
        {"\"a\nb\"", "f:1:3: a control character in a string"},
        {"\"\xc3\xa9\xff\"", "f:1:3: not UTF-8"},
        {"\xef\xbb\xbf{}", "f:1:1: expected a JSON value"},
        {"[/**/]", "f:1:2: expected a JSON value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        assert_null(read_text(cases[i].text, arena, &err));
        assert_string_equal(err.message, cases[i].message);
        arena_free(arena);
    }
}

/* Depth and keys at their limits, and one beyond. */
static void test_limits(void **state)
{
    char text[2000];
    (void)state;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        assert_true((read_text(text, arena, &err) != NULL) == (depth == JSON_DEPTH_MAX));
        assert_true(!err.failed || strcmp(err.message, "f:1:65: nested too deeply") == 0);
        arena_free(arena);
    }
    for (int keys = JSON_KEYS_MAX; keys <= JSON_KEYS_MAX + 1; keys++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        size_t used = 0;
        for (int k = 0; k < keys; k++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%c\"%d\": 1",
                                     k > 0 ? ',' : '{', k);
        }
        (void)snprintf(text + used, sizeof text - used, "}");
        assert_true((read_text(text, arena, &err) != NULL) == (keys == JSON_KEYS_MAX));
        assert_true(!err.failed || strstr(err.message, ": too many keys"));
        arena_free(arena);
    }
}

/* A NUL in the text is no end of it, and the text need not be terminated. */
static void test_size_counts(void **state)
{
    struct arena *arena = arena_new();
    struct error err = {0};
    struct json_source nul = {.file = "f", .text = "[1]\0", .size = 4};
    struct json_source cut = {.file = "f", .text = "123456", .size = 3};
    (void)state;
    assert_int_equal(json_read(&cut, arena, &err)->integer, 123);
    assert_null(json_read(&nul, arena, &err));
    assert_string_equal(err.message, "f:1:4: expected the end of the file");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nesting), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_size_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
