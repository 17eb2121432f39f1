/* Evaluation and calibration of image networks. */
#include "support/unit.h"

#include "base/rng.h"
#include "report/calibrate.h"
#include "report/evaluate_images.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 30000

/* 1 x 2 pixels; the outputs are +-(left - right). */
static struct net *sides_net(void)
{
    static const int16_t weights[] = {1, -1, -1, 1};
    static const int32_t bias[2] = {0, 0};
    static const uint8_t shift[2] = {0, 0};
    static const char *const classes[] = {"left", "right"};
    const struct channel channel = {.name = "", .unit = "", .lsb = {1, 0}};
    const struct channel outputs[2] = {channel, channel};
    const struct layer layer = {.op = OP_DENSE,
                                .inputs = {0},
                                .input_count = 1,
                                .output = 1,
                                .weights = {.bits = 8, .rows = 2, .columns = 2, .values = weights},
                                .bias = bias,
                                .shift = shift};
    struct error err = {0};
    struct net *net = net_new("sides");
    assert_non_null(net);
    assert_int_equal(net_add_map(net, TYPE_U8, (struct shape){1, 2, 1}), 0);
    assert_int_equal(net_add_tensor(net, TYPE_I16, 2), 1);
    assert_true(net_add_layer(net, &layer));
    net->output = 1;
    assert_true(net_set_channels(net, &channel, outputs));
    assert_true(net_set_classes(net, classes, ""));
    if (!net_check(net, "sides", &err)) {
        fail_msg("%s", err.message);
    }
    return net;
}

/* Leads of -100..100; a lead of d is labelled left with 1 / (1 + e^(-0.06 d)). */
static void make_images(struct images *images)
{
    static uint8_t pixels[2 * COUNT];
    static uint16_t labels[COUNT];
    static const char *const classes[] = {"left", "right"};
    struct rng rng = rng_new(9, 9);
    for (int i = 0; i < COUNT; i++) {
        int lead = (int)rng_below(&rng, 201) - 100;
        pixels[2 * i] = (uint8_t)(lead > 0 ? lead : 0);
        pixels[2 * i + 1] = (uint8_t)(lead < 0 ? -lead : 0);
        labels[i] = rng_uniform(&rng, 0, 1) > 1 / (1 + exp(-0.06 * lead));
    }
    *images = (struct images){.source = "made",
                              .count = COUNT,
                              .rows = 1,
                              .columns = 2,
                              .channels = 1,
                              .pixels = pixels,
                              .labels = labels,
                              .class_count = 2,
                              .classes = classes,
                              .note = ""};
}

static void test_exp(void **state)
{
    (void)state;
    for (double x = 0; x > -700; x -= 0.37) {
        assert_true(fabs(falling_exp(x) - exp(x)) <= 4e-16 * exp(x) * (2 - x));
    }
    assert_true(falling_exp(0) == 1);
    assert_true(falling_exp(-1e9) == 0);
}

/* The outputs' difference is twice the lead, so the best step is 0.03. */
static void test_calibrate(void **state)
{
    struct net *net = sides_net();
    struct images images;
    (void)state;
    make_images(&images);
    assert_true(calibrate_outputs(net, &images, 0, 1));
    double step = decimal_value(net->outputs[0].lsb);
    if (step < 0.028 || step > 0.032) {
        fail_msg("step %g", step);
    }
    assert_true(net->outputs[1].lsb.digits == net->outputs[0].lsb.digits);
    struct net *other = sides_net();
    assert_true(calibrate_outputs(other, &images, 0, 3));
    assert_true(decimal_value(other->outputs[0].lsb) == step);
    net_free(other);
    net_free(net);
}

/* All right, all alike: a step that stays finite. */
static void test_all_right(void **state)
{
    struct net *net = sides_net();
    struct images images;
    (void)state;
    make_images(&images);
    for (int i = 0; i < COUNT; i++) {
        images.labels[i] = images.pixels[2 * i] < images.pixels[2 * i + 1];
    }
    assert_true(calibrate_outputs(net, &images, 0, 1));
    double step = decimal_value(net->outputs[0].lsb);
    assert_true(step > 0.05 && step < 4);
    memset(images.pixels, 7, 2 * COUNT); /* nothing to tell: any step does */
    assert_true(calibrate_outputs(net, &images, 0, 1));
    assert_true(decimal_value(net->outputs[0].lsb) > 0);
    net_free(net);
}

static void evaluate(const struct net *net, const struct images *images, int threads,
                     struct arena *arena, struct image_evaluation *evaluation)
{
    struct error err = {0};
    struct image_set set = {.images = images, .threads = threads};
    if (!evaluate_images(net, &set, arena, evaluation, &err)) {
        fail_msg("%s", err.message);
    }
}

static void test_evaluate(void **state)
{
    struct net *net = sides_net();
    struct arena *arena = arena_new();
    struct images images;
    struct image_evaluation before, after, again;
    (void)state;
    make_images(&images);
    evaluate(net, &images, 1, arena, &before);
    assert_true(calibrate_outputs(net, &images, 0, 1));
    evaluate(net, &images, 1, arena, &after);
    evaluate(net, &images, 3, arena, &again);
    assert_memory_equal(&after.calibration, &again.calibration, sizeof after.calibration);
    assert_true(before.figures.accuracy == after.figures.accuracy);
    assert_true(before.calibration.error > 0.1 && after.calibration.error < 0.03);
    int64_t rows = 0;
    int64_t hits = 0;
    for (int bin = 0; bin < CALIBRATION_BINS; bin++) {
        rows += after.calibration.rows[bin];
        hits += after.calibration.hits[bin];
        assert_true(bin >= 4 || after.calibration.rows[bin] == 0); /* of two, never below a half */
    }
    assert_int_equal(rows, COUNT);
    assert_int_equal(hits, after.figures.confusion[0] + after.figures.confusion[3]);
    arena_free(arena);
    net_free(net);
}

static void test_refused(void **state)
{
    struct net *net = sides_net();
    struct arena *arena = arena_new();
    struct images images;
    struct image_evaluation evaluation;
    struct image_set set = {.images = &images, .threads = 1};
    struct error err = {0};
    (void)state;
    make_images(&images);
    images.class_count = 3;
    assert_false(evaluate_images(net, &set, arena, &evaluation, &err));
    assert_string_equal(err.message, "made: 3 classes of 2 codes, but the net has 2 of 2");
    err = (struct error){0};
    images.labels = NULL;
    assert_false(evaluate_images(net, &set, arena, &evaluation, &err));
    assert_string_equal(err.message, "made: no labels: --labels FILE, or a folder for each class");
    arena_free(arena);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),       cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_all_right), cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
