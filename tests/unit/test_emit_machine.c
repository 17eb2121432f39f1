/* Costs of kernels: the file's reader, and the built-in ones. */
#include "support/unit.h"

#include "base/file.h"
#include "emit/machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* The message for a text; NULL where it is read. */
static const char *refused(const char *text, struct error *err)
{
    struct machine machine;
    *err = (struct error){0};
    return machine_parse(text, strlen(text), "m.costs", &machine, err) ? NULL : err->message;
}

static void test_reads(void **state)
{
    static const char text[] = "# remark\nunit instructions\nmultiply no\nword 16\r\n\ninline yes\n"
                               "loop layer 60 30.5 weight 0 13\nline\trow 10 16.25\n";
    struct machine machine;
    struct error err = {0};
    (void)state;
    assert_true(machine_parse(text, sizeof text - 1, "m.costs", &machine, &err));
    assert_string_equal(machine.unit, "instructions");
    assert_int_equal(machine.word, 16);
    assert_true(machine.no_multiplier && !machine_default()->no_multiplier);
    assert_true(machine.inlines && !machine_default()->inlines);
    assert_true(machine.has[KERNEL_LOOP] && machine.has[KERNEL_LINE]);
    assert_false(machine.has[KERNEL_PACKED]);
    assert_int_equal(machine.rates[KERNEL_LOOP][FEATURE_LAYER].bytes, 6000);
    assert_int_equal(machine.rates[KERNEL_LOOP][FEATURE_LAYER].cycles, 3050);
    assert_int_equal(machine.rates[KERNEL_LINE][FEATURE_ROW].cycles, 1625);
}

static void test_refuses(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "m.costs: no costs of 'loop' and 'line', which every machine needs"},
        {"loop row 1 1\n", "m.costs: no costs of 'loop' and 'line', which every machine needs"},
        {"swirl row 1 1\n", "m.costs:1: 'swirl' is no kernel"},
        {"\nloop row 1\n", "m.costs:2: loop: wants FEATURE BYTES TIME ..."},
        {"loop\n", "m.costs:1: loop: wants FEATURE BYTES TIME ..."},
        {"loop rows 1 1\n", "m.costs:1: 'rows' is no feature"},
        {"loop row 1 1\nloop row 1 1\n", "m.costs:2: loop: there are costs already"},
        {"loop row -1 1\n", "m.costs:1: '-1' is no rate such as 12.25, at most 10000"},
        {"loop row 1 1.234\n", "m.costs:1: '1.234' is no rate such as 12.25, at most 10000"},
        {"loop row 1 10001\n", "m.costs:1: '10001' is no rate such as 12.25, at most 10000"},
        {"loop row 1 99999999999999999999\n", NULL},
        {"loop row . 1\n", NULL},
        {"word 24\n", "m.costs:1: word: wants 16 or 32"},
        {"multiply yes\n", "m.costs:1: multiply: wants no"},
        {"inline no\n", "m.costs:1: inline: wants yes"},
        {"unit a b\n", "m.costs:1: unit: wants a word"},
        {"unit abcdefghijklmnopqrst\n", "m.costs:1: unit: wants a word"},
    };
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *message = refused(bad[i].text, &err);
        assert_non_null(message);
        if (bad[i].message) {
            assert_string_equal(message, bad[i].message);
        }
    }
}

/* More words or characters than a line has room for, and a zero byte. */
static void test_long_lines(void **state)
{
    struct machine machine;
    struct error err = {0};
    char text[1000];
    (void)state;
    memset(text, 'a', sizeof text);
    assert_false(machine_parse(text, sizeof text, "m.costs", &machine, &err));
    for (size_t i = 0; i < 398; i++) {
        text[i] = i % 2 ? ' ' : 'a';
    }
    err = (struct error){0};
    assert_false(machine_parse(text, 398, "m.costs", &machine, &err));
    assert_string_equal(err.message, "m.costs:1: too many words");
    err = (struct error){0};
    assert_false(machine_parse("loop\0row", 8, "m.costs", &machine, &err));
}

/* What is taken without a target is what the file says. */
static void test_default(void **state)
{
    struct machine machine;
    struct error err = {0};
    size_t size;
    (void)state;
    unsigned char *data = file_read("targets/cortex-m0.costs", 1 << 16, &size, &err);
    assert_non_null(data);
    assert_true(machine_parse((const char *)data, size, "cortex-m0.costs", &machine, &err));
    assert_memory_equal(machine.rates, machine_default()->rates, sizeof machine.rates);
    assert_memory_equal(machine.has, machine_default()->has, sizeof machine.has);
    assert_int_equal(machine.word, machine_default()->word);
    assert_string_equal(machine.unit, machine_default()->unit);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
