/* Codes and values. */
#include "support/unit.h"

#include "base/rng.h"
#include "net/net.h"

#include <math.h>

static void check_encode(struct channel channel, enum type type, double value, int32_t code,
                         bool clamps)
{
    bool clamped = false;
    assert_int_equal(channel_encode(&channel, type, value, &clamped), code);
    assert_true(clamped == clamps);
}

static void test_encode(void **state)
{
    struct channel half = {.lsb = {5, -1}};
    struct channel moved = {.lsb = {1, 0}, .offset = {100, 0}};
    (void)state;
    check_encode(half, TYPE_I8, 0, 0, false);
    check_encode(half, TYPE_I8, 0.25, 1, false); /* half up */
    check_encode(half, TYPE_I8, -0.25, 0, false);
    check_encode(half, TYPE_I8, -0.26, -1, false);
    check_encode(half, TYPE_I8, 63.5, 127, false);
    check_encode(half, TYPE_I8, 63.75, 127, true);
    check_encode(half, TYPE_I8, -64.25, -128, false);
    check_encode(half, TYPE_I8, -64.26, -128, true);
    check_encode(moved, TYPE_U8, 100, 0, false);
    check_encode(moved, TYPE_U8, 99, 0, true);
    check_encode(moved, TYPE_U8, 355, 255, false);
    check_encode(moved, TYPE_I32, 1e300, INT32_MAX, true);
    check_encode(moved, TYPE_I32, (double)-INFINITY, INT32_MIN, true);
    check_encode(moved, TYPE_I16, (double)NAN, INT16_MIN, true);
}

/* The flag is for a whole column: later values that fit do not clear it. */
static void test_flag_stays(void **state)
{
    struct channel channel = {.lsb = {1, 0}};
    bool clamped = false;
    (void)state;
    (void)channel_encode(&channel, TYPE_I8, 1000, &clamped);
    (void)channel_encode(&channel, TYPE_I8, 1, &clamped);
    assert_true(clamped);
}

static void test_decode(void **state)
{
    struct channel channel = {.lsb = {2, -3}, .offset = {-15, -1}};
    (void)state;
    assert_true(fabs(channel_decode(&channel, 0) + 1.5) < 1e-12);
    assert_true(fabs(channel_decode(&channel, 750)) < 1e-12);
    assert_true(fabs(channel_decode(&channel, -750) + 3) < 1e-12);
}

/* Every code survives the way to its value and back. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        static const int64_t steps[] = {1, 2, 5};
        struct rng rng = rng_new(seed, 3);
        struct channel channel = {.lsb = {steps[seed % 3], (int)rng_below(&rng, 20) - 10}};
        channel.offset.digits = (int64_t)rng_below(&rng, 2000) - 1000;
        channel.offset.exponent = channel.lsb.exponent + (int)rng_below(&rng, 3);
        for (int32_t code = INT16_MIN; code <= INT16_MAX; code += 7) {
            bool clamped = false;
            double value = channel_decode(&channel, code);
            assert_int_equal(channel_encode(&channel, TYPE_I16, value, &clamped), code);
            assert_false(clamped);
        }
    }
}

static void check_range(double low, double high, enum type type, struct decimal lsb,
                        struct decimal offset)
{
    struct channel channel = channel_for_range(low, high, type, 1.0);
    assert_int_equal(channel.lsb.digits, lsb.digits);
    assert_int_equal(channel.lsb.exponent, lsb.exponent);
    assert_int_equal(channel.offset.digits, offset.digits);
    assert_int_equal(channel.offset.exponent, offset.exponent);
}

static void test_for_range(void **state)
{
    const struct decimal zero = {0, 0};
    (void)state;
    check_range(-30, 30, TYPE_I16, (struct decimal){1, -3}, zero);
    check_range(-40, 40, TYPE_I16, (struct decimal){2, -3}, zero);
    check_range(0, 65535, TYPE_U16, (struct decimal){1, 0}, zero);
    check_range(0, 65536, TYPE_U16, (struct decimal){2, 0}, zero);
    check_range(-128, 127, TYPE_I8, (struct decimal){1, 0}, zero);
    check_range(-129, 127, TYPE_I8, (struct decimal){2, 0}, zero);
    check_range(0, 100, TYPE_U8, (struct decimal){5, -1}, zero);
    check_range(0, 0, TYPE_I16, (struct decimal){1, 0}, zero);
    /* far from zero an offset saves bits: 1000..1001 in i16 */
    check_range(1000, 1001, TYPE_I16, (struct decimal){2, -5}, (struct decimal){10005, -1});
    /* swapped ends are the same range */
    check_range(40, -40, TYPE_I16, (struct decimal){2, -3}, zero);
}

static bool holds(const struct channel *channel, enum type type, double value)
{
    bool clamped = false;
    (void)channel_encode(channel, type, value, &clamped);
    return !clamped;
}

/* Whatever the range: the channel is valid, holds it with its headroom, and the next finer step of
 * a quarter of it would not (an offset of 0 may cost less than two bits). */
static void test_for_any_range(void **state)
{
    static const enum type types[] = {TYPE_I8, TYPE_U8, TYPE_I16, TYPE_U16, TYPE_I32};
    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct rng rng = rng_new(seed, 4);
        enum type type = types[seed % 5];
        double scale = pow(10, rng_uniform(&rng, -8, 8));
        double centre = scale * rng_uniform(&rng, -1, 1) *
                        (seed % 3 == 0 ? 0 : pow(10, rng_uniform(&rng, 0, 3)));
        double low = centre - scale;
        double high = centre + scale;
        double headroom = seed % 2 ? 1.25 : 1.0;
        struct channel channel = channel_for_range(low, high, type, headroom);
        double step = decimal_value(channel.lsb);
        double codes = (double)type_high(type) - (double)type_low(type);
        assert_true(decimal_valid(channel.lsb.digits, channel.lsb.exponent));
        assert_true(decimal_valid(channel.offset.digits, channel.offset.exponent));
        assert_true(holds(&channel, type, low) && holds(&channel, type, high));
        assert_true(holds(&channel, type, centre + scale * headroom * 0.999999));
        assert_true(holds(&channel, type, centre - scale * headroom * 0.999999));
        assert_true(step <= 4 * 2.5 * 2 * scale * headroom / codes * 1.000001 ||
                    step <= 4 * fmax(fabs(low), fabs(high)) * 0x1p-46 * 2.5);
    }
}

/* Constant columns, tiny spans on large values, values out of every range: still valid. */
static void test_for_odd_ranges(void **state)
{
    static const double odd[][2] = {{5, 5},           {-5, -5},        {1e9, 1e9 + 1e-7},
                                    {1e-29, 2e-29},   {-1e30, 1e30},   {1e31, 2e31},
                                    {1e-300, 2e-300}, {-3, -2.9999999}};
    static const enum type types[] = {TYPE_I8, TYPE_U8, TYPE_I16, TYPE_U16, TYPE_I32};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        for (int t = 0; t < 5; t++) {
            struct channel channel = channel_for_range(odd[i][0], odd[i][1], types[t], 1.25);
            assert_true(channel.lsb.digits > 0);
            assert_true(decimal_valid(channel.lsb.digits, channel.lsb.exponent));
            assert_true(decimal_valid(channel.offset.digits, channel.offset.exponent));
            assert_true(decimal_valid(channel.low.digits, channel.low.exponent));
            bool sane = fabs(odd[i][0]) <= 1e30 && fabs(odd[i][0]) > 1e-28;
            assert_true(!sane || holds(&channel, types[t], odd[i][0]));
            assert_true(!sane || holds(&channel, types[t], odd[i][1]));
        }
    }
    struct channel none = channel_for_range((double)NAN, 1, TYPE_I16, 1);
    assert_true(none.lsb.digits == 1 && none.lsb.exponent == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),         cmocka_unit_test(test_flag_stays),
        cmocka_unit_test(test_decode),         cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_for_range),      cmocka_unit_test(test_for_any_range),
        cmocka_unit_test(test_for_odd_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
