/* Decimal numbers are read as exactly as strtod reads them. */
#include "support/unit.h"

#include "base/rng.h"
#include "base/text.h"
#include "data/number.h"
#include "support/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_exact(const char *text)
{
    double value = 0;
    const char *stop = number_parse(text, &value);
    double expected = strtod(text, NULL);
    if (!stop || *stop || memcmp(&value, &expected, sizeof value) != 0) {
        print_error("%s: %.17g, not %.17g\n", text, value, expected);
    }
    assert_true(stop && !*stop);
    assert_memory_equal(&value, &expected, sizeof value);
}

static void test_forms(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "+0.0",
        ".5",
        "5.",
        "-.5e1",
        "1e0",
        "1E+2",
        "00012",
        "1e-0",
        "0e999",
        "0.000e-999",
        "9007199254740992",
        "9007199254740993",
        "123456789012345678",
        "12345678901234567890123",
        "0.1",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "8.5e22",
        "1e308",
        "1e309",
        "-1e999",
        "1e-400",
        "4.9e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0.00000000000000000000000000000001",
        "179769313486231580793e289",
        "0.500000000000000166533453693773481063544750213623046875",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_exact(texts[i]);
    }
}

static void test_not_numbers(void **state)
{
    static const char *const texts[] = {"",    "-",   "+", ".",  "-.", "e5",
                                        "nan", "inf", "x", " 1", "--1"};
    static const char *const parts[] = {"1x", "1e", "1e+", "0x1p3", "1.2.3", "1,5", "1 2", "1e5e"};
    static const size_t used[] = {1, 1, 1, 1, 3, 1, 1, 3};
    double value;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_null(number_parse(texts[i], &value));
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_ptr_equal(number_parse(parts[i], &value), parts[i] + used[i]);
    }
}

/* Many digits before and behind the point: neither count may overflow. */
static void test_long_numbers(void **state)
{
    static char text[200100];
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        memset(text, kind & 1 ? '0' : '7', sizeof text - 1);
        text[kind & 2 ? 1 : 150000] = '.';
        text[sizeof text - 2] = '3';
        text[sizeof text - 1] = 0;
        assert_exact(text);
    }
}

/* Random digits, points and exponents, near the limits of the fast path. */
static void test_random_texts(void **state)
{
    struct rng rng = rng_new(3, 0);
    (void)state;
    for (int n = 0; n < 200000; n++) {
        char text[64];
        size_t length = 0;
        size_t digits = 1 + (size_t)rng_below(&rng, 21);
        size_t point = (size_t)rng_below(&rng, 24);
        for (size_t i = 0; i < digits; i++) {
            if (i == point) {
                text[length++] = '.';
            }
            text[length++] = (char)('0' + rng_below(&rng, 10));
        }
        text[length] = 0;
        if (rng_bits(&rng) & 1) {
            (void)snprintf(text + length, sizeof text - length, "e%d",
                           (int)rng_below(&rng, 60) - 30);
        }
        assert_exact(text);
    }
}

/* Any float, through %.9g and a CSV file, is the same float. */
static void test_floats_return(void **state)
{
    enum { COUNT = 60000 };
    static float values[COUNT];
    struct rng rng = rng_new(4, 0);
    struct text csv = {0};
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        do {
            uint32_t bits = (uint32_t)rng_bits(&rng);
            memcpy(&values[i], &bits, sizeof bits);
        } while (!(fabsf(values[i]) <= 3.40282347e38f));
        text_printf(&csv, "%.9g%s", (double)values[i], i % 6 == 5 ? "\n" : ",");
    }
    struct data_options options = {.inputs_only = true};
    struct error err = {0};
    struct dataset *data = load_text(csv.data, &options, &err);
    assert_non_null(data);
    for (size_t i = 0; i < COUNT; i++) {
        assert_memory_equal(&data_row(data, i / 6)[i % 6], &values[i], sizeof values[i]);
    }
    data_free(data);
    text_free(&csv);
}

static void test_float_range(void **state)
{
    (void)state;
    assert_true(number_fits(3.40282347e38));
    assert_true(number_fits(-3.4028235e38));
    assert_false(number_fits(3.4028236e38));
    assert_false(number_fits(HUGE_VAL));
    assert_false(number_fits((double)NAN));
    assert_true(number_fits(1e-60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),         cmocka_unit_test(test_not_numbers),
        cmocka_unit_test(test_long_numbers),  cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_floats_return), cmocka_unit_test(test_float_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
