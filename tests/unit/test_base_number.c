/* Decimals, random numbers, hashes and the bounded byte reader. */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- decimal ---- */

static void check_round(double value, int significant, int64_t digits, int exponent)
{
    struct decimal decimal = decimal_round(value, significant);
    assert_int_equal(decimal.digits, digits);
    assert_int_equal(decimal.exponent, exponent);
}

static void test_decimal_round(void **state)
{
    (void)state;
    check_round(0, 6, 0, 0);
    check_round(-0.0, 6, 0, 0);
    check_round(1, 6, 1, 0);
    check_round(120, 6, 12, 1);
    check_round(-0.00125, 3, -125, -5);
    check_round(3.14159265358979, 4, 3142, -3);
    check_round(9.9996, 4, 1, 1); /* the carry takes a digit more */
    check_round(65535, 15, 65535, 0);
    check_round(0.1, 15, 1, -1);
    check_round(1e30, 6, 1, 30);
    check_round(1e31, 6, 1, 30);
    check_round((double)-INFINITY, 6, -1, 30);
    check_round((double)NAN, 6, 0, 30);
    check_round(1.24e-29, 6, 12, -30); /* digits below 10^-30 go, the others stay */
    check_round(-1.26e-29, 6, -13, -30);
    check_round(1e-30, 6, 1, -30);
    check_round(4e-31, 6, 0, 0);
    check_round(-6e-31, 6, -1, -30);
    check_round(9.99e-30, 1, 1, -29);
    check_round(1e-300, 15, 0, 0);
}

/* Within half a unit of the last digit, and valid, for any double. */
static void test_decimal_round_any(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct rng rng = rng_new(seed, 1);
        int significant = 1 + (int)rng_below(&rng, 15);
        double value = rng_uniform(&rng, -10, 10) * pow(10, rng_uniform(&rng, -12, 12));
        struct decimal decimal = decimal_round(value, significant);
        double off = fabs(decimal_value(decimal) - value);
        assert_true(decimal_valid(decimal.digits, decimal.exponent));
        assert_true(off <= fabs(value) * pow(10, 1 - significant) * 0.50001);
        assert_true(decimal.digits % 10 != 0 || decimal.digits == 0);
    }
}

static void test_decimal_value(void **state)
{
    (void)state;
    for (int exponent = -22; exponent <= 22; exponent++) { /* exact powers: correctly rounded */
        char text[40];
        struct decimal decimal = {123456789012345, exponent};
        (void)snprintf(text, sizeof text, "123456789012345e%d", exponent);
        assert_true(decimal_value(decimal) == strtod(text, NULL));
    }
    assert_true(decimal_valid(DECIMAL_DIGITS_MAX, 30) && decimal_valid(-DECIMAL_DIGITS_MAX, -30));
    assert_false(decimal_valid(DECIMAL_DIGITS_MAX + 1, 0));
    assert_false(decimal_valid(-DECIMAL_DIGITS_MAX - 1, 0));
    assert_false(decimal_valid(INT64_MIN, 0));
    assert_false(decimal_valid(1, 31) || decimal_valid(1, -31));
}

static void check_print(int64_t digits, int exponent, const char *expected)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_print((struct decimal){digits, exponent}, text);
    assert_string_equal(text, expected);
}

static void test_decimal_print(void **state)
{
    (void)state;
    check_print(0, 0, "0");
    check_print(0, -7, "0");
    check_print(5, -4, "0.0005");
    check_print(12, 0, "12");
    check_print(-12, 1, "-120");
    check_print(1200, -2, "12");
    check_print(-125, -2, "-1.25");
    check_print(1, -6, "0.000001");
    check_print(2, -9, "2e-9");
    check_print(25, -10, "2.5e-9");
    check_print(3, 12, "3e12");
    check_print(123456789, 0, "123456789");
    check_print(1, 9, "1e9");
    check_print(DECIMAL_DIGITS_MAX, 30, "1e45");
    check_print(-123456789012345, -30, "-1.23456789012345e-16");
}

/* What is printed reads back as the same number. */
static void test_decimal_print_any(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct rng rng = rng_new(seed, 2);
        int64_t top = 1;
        for (uint64_t zeros = rng_below(&rng, 16); zeros > 0; zeros--) {
            top *= 10;
        }
        struct decimal decimal = {(int64_t)rng_below(&rng, (uint64_t)top) - top / 2,
                                  (int)rng_below(&rng, 41) - 20};
        char text[DECIMAL_TEXT_MAX];
        decimal_print(decimal, text);
        assert_true(strtod(text, NULL) == decimal_value(decimal));
        assert_true(strlen(text) <= 24);
    }
}

/* ---- rng ---- */

/* Pinned: a change would change every trained network. */
static void test_rng_is_pinned(void **state)
{
    struct rng rng = rng_new(1, 2);
    (void)state;
    uint64_t first = rng_bits(&rng);
    assert_true(first == rng_at(rng_new(1, 2).key, 0));
    assert_true(rng_bits(&rng) == rng_at(rng.key, 1));
    assert_int_equal(rng.counter, 2);
    assert_true(rng_new(1, 2).key != rng_new(2, 1).key);
    assert_true(rng_new(0, 0).key != rng_new(0, 1).key);
    uint64_t hash = HASH_START;
    for (int i = 0; i < 1000; i++) {
        uint64_t bits = rng_bits(&rng);
        unsigned char bytes[8];
        for (int k = 0; k < 8; k++) {
            bytes[k] = (unsigned char)(bits >> (8 * k));
        }
        hash = hash_bytes(hash, bytes, 8);
    }
    assert_int_equal(hash, UINT64_C(0x8677ac97eaff36e8));
}

static void test_rng_is_uniform(void **state)
{
    enum { DRAWS = 100000, BINS = 16 };
    int bins[BINS] = {0};
    int bits[64] = {0};
    double sum = 0;
    struct rng rng = rng_new(7, 7);
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        double unit = rng_uniform(&rng, 0, 1);
        uint64_t word = rng_bits(&rng);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
        bins[rng_below(&rng, BINS)]++;
        for (int k = 0; k < 64; k++) {
            bits[k] += (int)(word >> k & 1);
        }
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 0.005); /* five standard deviations */
    for (int i = 0; i < BINS; i++) {
        assert_true(abs(bins[i] - DRAWS / BINS) < 400);
    }
    for (int k = 0; k < 64; k++) {
        assert_true(abs(bits[k] - DRAWS / 2) < 800);
    }
}

/* The high half of a product, bit by bit. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
    uint64_t high = 0;
    uint64_t low = 0;
    for (int k = 63; k >= 0; k--) {
        high = high << 1 | low >> 63;
        low <<= 1;
        if (a >> k & 1) {
            low += b;
            high += low < b;
        }
    }
    return high;
}

static void test_rng_below(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct rng rng = rng_new(seed, 3);
        uint64_t bound = rng_bits(&rng) >> (seed % 64);
        uint64_t bits = rng_at(rng.key, rng.counter);
        uint64_t got = rng_below(&rng, bound);
        assert_true(got == high_product(bits, bound));
        assert_true(bound == 0 || got < bound);
    }
}

static void test_rng_shuffle(void **state)
{
    enum { COUNT = 1000 };
    uint32_t indices[COUNT];
    bool seen[COUNT] = {false};
    int moved = 0;
    struct rng rng = rng_new(3, 3);
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        indices[i] = i;
    }
    rng_shuffle(&rng, indices, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(indices[i] < COUNT && !seen[indices[i]]);
        seen[indices[i]] = true;
        moved += indices[i] != i;
    }
    assert_true(moved > 980);
    rng_shuffle(&rng, indices, 0); /* nothing to do is fine */
    rng_shuffle(&rng, indices, 1);
}

/* ---- hash ---- */

/* Test vectors of FNV-1a, 64 bits, by its authors. */
static void test_hash(void **state)
{
    (void)state;
    assert_true(hash_bytes(HASH_START, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_bytes(HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash32_number(HASH32_START, 0x64636261) == 0xce3479bd); /* "abcd" */
    assert_true(hash_bytes(HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    uint64_t part = hash_bytes(HASH_START, "foo", 3);
    assert_true(hash_bytes(part, "bar", 3) == UINT64_C(0x85944171f73967e8));
}

/* ---- bytes ---- */

static void test_bytes(void **state)
{
    static const unsigned char data[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   10,
                                         11, 12, 13, 14, 15, 16, 17, 18, 0xff};
    struct bytes bytes = bytes_of(data, sizeof data);
    (void)state;
    assert_int_equal(bytes_u8(&bytes), 0x01);
    assert_int_equal(bytes_u16_little(&bytes), 0x0302);
    assert_int_equal(bytes_u32_little(&bytes), 0x07060504);
    assert_true(bytes_u64_little(&bytes) == UINT64_C(0x0f0e0d0c0b0a0908));
    assert_int_equal(bytes_left(&bytes), 4);
    assert_int_equal(bytes_u32_big(&bytes), 0x101112ffu);
    assert_int_equal(bytes_left(&bytes), 0);
    assert_false(bytes.bad);
    assert_non_null(bytes_take(&bytes, 0));
    assert_int_equal(bytes_u8(&bytes), 0);
    assert_true(bytes.bad);
}

/* A read past the end gives nothing, and nothing follows it, though bytes were left. */
static void test_bytes_latch(void **state)
{
    struct bytes bytes = bytes_of("\1\2\3", 3);
    (void)state;
    assert_int_equal(bytes_u32_little(&bytes), 0);
    assert_true(bytes.bad);
    assert_int_equal(bytes_left(&bytes), 0);
    assert_int_equal(bytes_u8(&bytes), 0);
    assert_null(bytes_take(&bytes, 0));
    struct bytes huge = bytes_of("\1\2\3", 3);
    assert_null(bytes_take(&huge, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal_round),
        cmocka_unit_test(test_decimal_round_any),
        cmocka_unit_test(test_decimal_value),
        cmocka_unit_test(test_decimal_print),
        cmocka_unit_test(test_decimal_print_any),
        cmocka_unit_test(test_rng_is_pinned),
        cmocka_unit_test(test_rng_is_uniform),
        cmocka_unit_test(test_rng_below),
        cmocka_unit_test(test_rng_shuffle),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bytes_latch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
