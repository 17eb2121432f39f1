/* Sizes of WebAssembly modules: by section, and of what is cut off. */
#include "support/unit.h"

#include "measure/wasm.h"

#include <string.h>

/* Type, function, code, data and two custom sections; the length of the data has two bytes. */
static const unsigned char module[] = {
    0,  'a',  's', 'm',  1, 0,    0, 0,          /* head */
    1,  4,    1,   0x60, 0, 0,                   /* type: 6 bytes */
    0,  3,    1,   'x',  9,                      /* custom: 5 */
    3,  2,    1,   0,                            /* function: 4 */
    10, 4,    1,   2,    0, 0x0b,                /* code: 6 */
    11, 0x87, 0,   1,    0, 0x41, 0, 0x0b, 1, 7, /* data: 10 */
    0,  1,    0,                                 /* custom: 3 */
};

static void test_sections(void **state)
{
    (void)state;
    int64_t code;
    int64_t constants;
    assert_true(wasm_is_module(module, sizeof module));
    assert_true(wasm_sizes(module, sizeof module, &code, &constants));
    assert_int_equal(code, 8 + 6 + 4 + 6);
    assert_int_equal(constants, 10);
}

/* Only where a section ends may the file end. */
static void test_cut_modules(void **state)
{
    (void)state;
    static const size_t ends[] = {8, 14, 19, 23, 29, 39, 42};
    size_t next = 0;
    for (size_t size = 0; size <= sizeof module; size++) {
        int64_t code;
        int64_t constants;
        bool whole = next < sizeof ends / sizeof *ends && size == ends[next];
        assert_int_equal(wasm_is_module(module, size), size >= 8);
        if (size >= 8) {
            assert_int_equal(wasm_sizes(module, size, &code, &constants), whole);
        }
        next += whole;
    }
    assert_int_equal(next, sizeof ends / sizeof *ends);
}

static void test_lengths(void **state)
{
    (void)state;
    int64_t code;
    int64_t constants;
    unsigned char bytes[16] = {0,  'a',  's',  'm',  1,    0,    0, 0,
                               10, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0};
    assert_false(wasm_sizes(bytes, 15, &code, &constants)); /* more than 35 bits */
    memset(bytes + 9, 0xff, 4);
    bytes[13] = 0x0f;
    assert_false(wasm_sizes(bytes, 16, &code, &constants)); /* 2^32 - 1 bytes */
    bytes[0] = 1;
    assert_false(wasm_is_module(bytes, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_cut_modules),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
