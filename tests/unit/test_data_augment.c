/* Changed copies: nothing asked is nothing done, the same bytes always, and no more than asked. */
#include "support/unit.h"

#include "base/hash.h"
#include "base/rng.h"
#include "data/augment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE   28
#define PIXELS (SIDE * SIDE)

static const struct augment everything = {.rotate = 12,
                                          .shift = 2,
                                          .scale = 0.15F,
                                          .shear = 0.2F,
                                          .elastic = 1.5F,
                                          .noise = 20,
                                          .cutout = 5};

static const struct image_shape square = {SIDE, SIDE, 1};

/* A bright bar from the middle to the right, on black. */
static void draw_bar(uint8_t *in)
{
    memset(in, 0, PIXELS);
    for (int row = 12; row < 16; row++) {
        memset(in + row * SIDE + 10, 200, 12);
    }
}

static void test_nothing(void **state)
{
    struct rng rng = rng_new(2, 2);
    const struct augment none = {0};
    const struct augment_key key = {1, 2, 3};
    uint8_t in[PIXELS];
    uint8_t out[PIXELS];
    (void)state;
    for (int i = 0; i < PIXELS; i++) {
        in[i] = (uint8_t)rng_below(&rng, 256);
    }
    augment_image(&none, &key, &square, in, out);
    assert_memory_equal(in, out, PIXELS);
    assert_false(augment_any(&none));
    assert_true(augment_any(&everything));
}

/* Bytes that no machine and no compiler may change. */
static void test_golden(void **state)
{
    uint8_t in[PIXELS];
    uint8_t out[PIXELS];
    uint64_t hash = HASH_START;
    (void)state;
    draw_bar(in);
    for (uint64_t sample = 0; sample < 500; sample++) {
        const struct augment_key key = {7, 3, sample};
        augment_image(&everything, &key, &square, in, out);
        hash = hash_bytes(hash, out, sizeof out);
    }
    if (hash != UINT64_C(0xbdb5d5c7af80b8b1)) {
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    }
}

/* A line of pixels has no other line to move to. */
static void test_line(void **state)
{
    const struct augment shift = {.shift = 4};
    const struct image_shape shapes[] = {{1, SIDE, 1}, {SIDE, 1, 1}};
    uint8_t in[SIDE] = {[12] = 100, [13] = 100, [14] = 100};
    uint8_t out[SIDE];
    (void)state;
    for (uint64_t sample = 0; sample < 100; sample++) {
        const struct augment_key key = {1, 1, sample};
        int sum = 0;
        augment_image(&shift, &key, &shapes[sample % 2], in, out);
        for (int i = 0; i < SIDE; i++) {
            sum += out[i];
        }
        assert_in_range(sum, 298, 302);
    }
}

/* Each part of the key matters, and nothing else. */
static void test_key(void **state)
{
    uint8_t in[PIXELS];
    uint8_t first[PIXELS];
    uint8_t out[PIXELS];
    static const struct augment_key keys[] = {{1, 1, 1}, {2, 1, 1}, {1, 2, 1}, {1, 1, 2}};
    (void)state;
    draw_bar(in);
    augment_image(&everything, &keys[0], &square, in, first);
    for (int i = 0; i < 4; i++) {
        augment_image(&everything, &keys[i], &square, in, out);
        assert_int_equal(memcmp(first, out, PIXELS) == 0, i == 0);
    }
}

/* No byte beside the copy is touched, whatever the shape and the options. */
static void test_bounds(void **state)
{
    struct rng rng = rng_new(3, 3);
    static uint8_t in[70 * 70 * 3];
    static uint8_t out[70 * 70 * 3 + 16];
    (void)state;
    memset(in, 255, sizeof in);
    for (uint64_t trial = 0; trial < 2000; trial++) {
        const struct image_shape shape = {1 + (int)rng_below(&rng, trial % 2 ? 5 : 70),
                                          1 + (int)rng_below(&rng, trial % 3 ? 5 : 70),
                                          1 + (int)rng_below(&rng, 3)};
        struct augment augment = everything;
        augment.rotate = (float)rng_uniform(&rng, 0, 180);
        augment.shift = (float)rng_uniform(&rng, 0, 100);
        augment.scale = (float)rng_uniform(&rng, 0, 0.9);
        augment.elastic = (float)rng_uniform(&rng, 0, 50);
        augment.cutout = (int)rng_below(&rng, 20);
        const struct augment_key key = {4, 4, trial};
        size_t size = (size_t)(shape.rows * shape.columns * shape.channels);
        memset(out, 0xa5, sizeof out);
        augment_image(&augment, &key, &shape, in, out + 8);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal(out[i], 0xa5);
            assert_int_equal(out[8 + size + i], 0xa5);
        }
    }
}

/* Centre of the light, and its sum. */
struct light {
    double row, column, sum;
};

static struct light find_light(const uint8_t *codes)
{
    struct light light = {0, 0, 0};
    for (int i = 0; i < PIXELS; i++) {
        light.row += codes[i] * (double)(i / SIDE);
        light.column += codes[i] * (double)(i % SIDE);
        light.sum += codes[i];
    }
    light.row /= light.sum;
    light.column /= light.sum;
    return light;
}

/* The largest and the mean change of the centre and the sum over many copies. */
static void measure(const struct augment *augment, struct light *mean, struct light *most)
{
    uint8_t in[PIXELS];
    uint8_t out[PIXELS];
    const int count = 2000;
    draw_bar(in);
    struct light before = find_light(in);
    *mean = *most = (struct light){0, 0, 0};
    for (int i = 0; i < count; i++) {
        const struct augment_key key = {5, 5, (uint64_t)i};
        augment_image(augment, &key, &square, in, out);
        struct light now = find_light(out);
        double row = now.row - before.row;
        double column = now.column - before.column;
        double part = now.sum / before.sum - 1;
        mean->row += row / count;
        mean->column += column / count;
        mean->sum += part / count;
        most->row = fmax(most->row, fabs(row));
        most->column = fmax(most->column, fabs(column));
        most->sum = fmax(most->sum, fabs(part));
    }
}

static void test_shift(void **state)
{
    struct light mean, most;
    const struct augment augment = {.shift = 2};
    (void)state;
    measure(&augment, &mean, &most);
    assert_true(fabs(mean.row) < 0.1 && fabs(mean.column) < 0.1);
    assert_true(most.row > 1.9 && most.row < 2.01 && most.column > 1.9 && most.column < 2.01);
    assert_true(most.sum < 0.01);
}

/* The bar's centre is 2 columns from the image's: at 30 degrees it rises by 2 sin(30). */
static void test_rotate(void **state)
{
    struct light mean, most;
    const struct augment augment = {.rotate = 30};
    (void)state;
    measure(&augment, &mean, &most);
    assert_true(fabs(mean.row) < 0.1);
    assert_true(most.row > 0.95 && most.row < 1.05);
    assert_true(most.column < 2 * (1 - cos(30 * 3.14159265 / 180)) + 0.05);
    assert_true(most.sum < 0.03);
}

/* Twice 10 % larger is 21 % more light. */
static void test_scale(void **state)
{
    struct light mean, most;
    const struct augment augment = {.scale = 0.1F};
    (void)state;
    measure(&augment, &mean, &most);
    assert_true(most.sum > 0.18 && most.sum < 0.23);
    assert_true(most.column < 0.25);
}

static void test_elastic(void **state)
{
    struct light mean, most;
    const struct augment augment = {.elastic = 1};
    (void)state;
    measure(&augment, &mean, &most);
    assert_true(fabs(mean.row) < 0.05 && fabs(mean.column) < 0.05);
    assert_true(most.row > 0.5 && most.row < 1.8);
}

/* Black stays black, and no code moves further than asked. */
static void test_noise(void **state)
{
    uint8_t in[PIXELS];
    uint8_t out[PIXELS];
    const struct augment augment = {.noise = 30};
    int low = 255;
    int high = 0;
    (void)state;
    draw_bar(in);
    for (uint64_t i = 0; i < 50; i++) {
        const struct augment_key key = {6, 6, i};
        augment_image(&augment, &key, &square, in, out);
        for (int k = 0; k < PIXELS; k++) {
            assert_true(in[k] || !out[k]);
            low = in[k] && out[k] < low ? out[k] : low;
            high = out[k] > high ? out[k] : high;
        }
    }
    assert_int_equal(low, 170);
    assert_int_equal(high, 230);
}

static void test_cutout(void **state)
{
    uint8_t in[PIXELS];
    uint8_t out[PIXELS];
    const struct augment augment = {.cutout = 6};
    int most = 0;
    (void)state;
    memset(in, 9, sizeof in);
    for (uint64_t i = 0; i < 200; i++) {
        const struct augment_key key = {6, 6, i};
        int holes = 0;
        augment_image(&augment, &key, &square, in, out);
        for (int k = 0; k < PIXELS; k++) {
            assert_true(out[k] == 0 || out[k] == 9);
            holes += out[k] == 0;
        }
        assert_true(holes >= 9 && holes <= 36);
        most = holes > most ? holes : most;
    }
    assert_int_equal(most, 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_line),    cmocka_unit_test(test_key),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_shift),
        cmocka_unit_test(test_rotate),  cmocka_unit_test(test_scale),
        cmocka_unit_test(test_elastic), cmocka_unit_test(test_noise),
        cmocka_unit_test(test_cutout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
