/* The bounded ELF reader, on this test's own executable: whole, cut off and damaged. */
#include "base/elf.h"
#include "base/file.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const char elf_landmark[24];
const char elf_landmark[24] = "a symbol of known size";

struct file {
    unsigned char *data;
    size_t size;
};

static int load(void **state)
{
    static struct file file;
    struct error err = {0};
    file.data = file_read("/proc/self/exe", ELF_FILE_MAX, &file.size, &err);
    *state = &file;
    return file.data ? 0 : 1;
}

static int unload(void **state)
{
    struct file *file = *state;
    free(file->data);
    return 0;
}

static void test_finds_symbol_section_and_segment(void **state)
{
    struct file *file = *state;
    struct error err = {0};
    struct elf elf;
    assert_true(elf_open(&elf, file->data, file->size, "self", &err));
    struct elf_symbol symbol;
    assert_true(elf_symbol(&elf, "elf_landmark", &symbol, &err));
    assert_int_equal(symbol.size, sizeof elf_landmark);
    int text = 0;
    for (unsigned i = 0; i < elf.section_count; i++) {
        struct elf_section section;
        assert_true(elf_section(&elf, i, &section, &err));
        if (strcmp(section.name, ".text") == 0) {
            assert_int_equal(section.flags, ELF_ALLOC | ELF_EXECUTE);
            text++;
        }
    }
    assert_int_equal(text, 1);
    int found = 0;
    for (unsigned i = 0; i < elf.segment_count; i++) {
        struct elf_segment segment;
        assert_true(elf_segment(&elf, i, &segment, &err));
        if (segment.type == ELF_SEGMENT_LOAD && symbol.value >= segment.address &&
            symbol.value - segment.address < segment.file_size) {
            const unsigned char *at =
                file->data + segment.offset + (symbol.value - segment.address);
            assert_memory_equal(at, elf_landmark, sizeof elf_landmark);
            found++;
        }
    }
    assert_int_equal(found, 1);
}

/* Turn around the number of `size` bytes at `at`. */
static void turn(unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        unsigned char byte = at[i];
        at[i] = at[size - 1 - i];
        at[size - 1 - i] = byte;
    }
}

/* Turn around the numbers of `count` records; sizes[] ends with 0. */
static void turn_records(unsigned char *at, size_t count, const int *sizes)
{
    for (size_t i = 0; i < count; i++) {
        for (const int *size = sizes; *size; size++) {
            turn(at, (size_t)*size);
            at += *size;
        }
    }
}

/* The same file with every number in the other byte order reads the same. */
static void test_big_endian(void **state)
{
    static const int head[] = {2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2, 0};
    static const int section_sizes[] = {4, 4, 8, 8, 8, 8, 4, 4, 8, 8, 0};
    static const int segment_sizes[] = {4, 4, 8, 8, 8, 8, 8, 8, 0};
    static const int symbol_sizes[] = {4, 1, 1, 2, 8, 8, 0};
    struct file *file = *state;
    struct error err = {0};
    struct elf elf;
    struct elf turned;
    unsigned char *copy = malloc(file->size);
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    assert_true(elf_open(&elf, file->data, file->size, "self", &err));
    for (unsigned i = 0; i < elf.section_count; i++) {
        struct elf_section section;
        assert_true(elf_section(&elf, i, &section, &err));
        if (section.type == ELF_SECTION_SYMBOLS) {
            turn_records(copy + section.offset, (size_t)section.size / 24, symbol_sizes);
        }
    }
    turn_records(copy + elf.sections_at, elf.section_count, section_sizes);
    turn_records(copy + elf.segments_at, elf.segment_count, segment_sizes);
    turn_records(copy + 16, 1, head);
    copy[5] = 2;
    assert_true(elf_open(&turned, copy, file->size, "turned", &err));
    assert_true(turned.big && !elf.big);
    assert_int_equal(turned.machine, elf.machine);
    assert_int_equal(turned.section_count, elf.section_count);
    assert_int_equal(turned.segment_count, elf.segment_count);
    struct elf_symbol symbol;
    struct elf_symbol same;
    assert_true(elf_symbol(&elf, "elf_landmark", &symbol, &err));
    assert_true(elf_symbol(&turned, "elf_landmark", &same, &err));
    assert_memory_equal(&symbol, &same, sizeof same);
    for (unsigned i = 0; i < elf.segment_count; i++) {
        struct elf_segment left;
        struct elf_segment right;
        assert_true(elf_segment(&elf, i, &left, &err) && elf_segment(&turned, i, &right, &err));
        assert_memory_equal(&left, &right, sizeof left);
    }
    free(copy);
}

/* RISC-V files have a segment of attributes that takes bytes of the file and none of memory. */
static void test_only_loaded_segments_have_room(void **state)
{
    struct file *file = *state;
    struct error err = {0};
    struct elf elf;
    assert_true(elf_open(&elf, file->data, file->size, "self", &err));
    for (unsigned i = 0; i < elf.segment_count; i++) {
        struct elf_segment segment;
        assert_true(elf_segment(&elf, i, &segment, &err));
        if (segment.file_size == 0) {
            continue;
        }
        unsigned char *room = file->data + elf.segments_at + (size_t)i * elf.segment_size + 40;
        unsigned char before[8];
        memcpy(before, room, sizeof before);
        memset(room, 0, sizeof before);
        struct error none = {0};
        assert_int_equal(elf_segment(&elf, i, &segment, &none), segment.type != ELF_SEGMENT_LOAD);
        memcpy(room, before, sizeof before);
    }
}

static void test_missing_symbol_is_an_error(void **state)
{
    struct file *file = *state;
    struct error err = {0};
    struct elf elf;
    struct elf_symbol symbol;
    assert_true(elf_open(&elf, file->data, file->size, "self", &err));
    assert_false(elf_symbol(&elf, "no_such_symbol", &symbol, &err));
    assert_string_equal(err.message, "self: no symbol 'no_such_symbol'");
}

/* Everything a user of the reader does; only has to end without a fault. */
static void walk(const unsigned char *data, size_t size)
{
    struct error err = {0};
    struct elf elf;
    if (!elf_open(&elf, data, size, "cut", &err)) {
        assert_true(err.failed);
        return;
    }
    unsigned long sum = 0;
    for (unsigned i = 0; i < elf.section_count; i++) {
        struct elf_section section;
        sum += elf_section(&elf, i, &section, &err) ? strlen(section.name) : 0;
    }
    for (unsigned i = 0; i < elf.segment_count; i++) {
        struct elf_segment segment;
        if (elf_segment(&elf, i, &segment, &err) && segment.file_size > 0) {
            sum += data[segment.offset] + data[segment.offset + segment.file_size - 1];
        }
    }
    struct elf_symbol symbol = {0};
    sum += elf_symbol(&elf, "elf_landmark", &symbol, &err);
    assert_true(sum < (unsigned long)-1);
}

/* Cut copies end where the allocation ends, so that address sanitizer and valgrind see a read
 * past it. */
static void test_cut_off_files_are_refused_or_bounded(void **state)
{
    struct file *file = *state;
    for (size_t i = 0; i < 400; i++) {
        size_t size = i < 200 ? i : file->size * (i - 200) / 200;
        unsigned char *copy = malloc(size + (size == 0));
        assert_non_null(copy);
        memcpy(copy, file->data, size);
        walk(copy, size);
        free(copy);
    }
}

static void test_damaged_files_are_refused_or_bounded(void **state)
{
    struct file *file = *state;
    struct rng rng = rng_new(1, 1);
    unsigned char head[64];
    memcpy(head, file->data, sizeof head);
    for (int i = 0; i < 2000; i++) {
        for (int k = 0; k < 3; k++) {
            file->data[4 + rng_below(&rng, 60)] = (unsigned char)rng_bits(&rng);
        }
        walk(file->data, file->size);
        memcpy(file->data, head, sizeof head);
    }
}

static void test_wrong_magic_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct elf elf;
    assert_false(elf_open(&elf, "MZ34567890123456", 16, "x", &err));
    assert_string_equal(err.message, "x: not a usable ELF file: wrong magic bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_symbol_section_and_segment),
        cmocka_unit_test(test_big_endian),
        cmocka_unit_test(test_only_loaded_segments_have_room),
        cmocka_unit_test(test_missing_symbol_is_an_error),
        cmocka_unit_test(test_cut_off_files_are_refused_or_bounded),
        cmocka_unit_test(test_damaged_files_are_refused_or_bounded),
        cmocka_unit_test(test_wrong_magic_is_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
