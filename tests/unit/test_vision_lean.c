/* Steps of image networks do not store what only a pool reads, and take codes of 8 bits as bytes
 * where the machine can: the gradient is the one that passes with every map give, to the bit. */
#include "support/unit.h"

#include "support/studio.h"

#include <stdlib.h>
#include <string.h>

static void fill(struct trainer *t, struct pass *pass)
{
    struct feed_sample samples[VISION_BLOCK];
    for (uint32_t i = 0; i < VISION_BLOCK; i++) {
        samples[i] = feed_draw(t->feed, 0, i, i);
    }
    feed_block(t->feed, samples, trainer_pixel(t), pass);
}

static void run_pass(struct trainer *t, struct pass *pass, bool lean)
{
    fill(t, pass);
    pass->lean = lean;
    pass_forward(pass, &t->learner);
    pass_loss(pass, &t->learner, 1);
    pass_backward(pass, &t->learner);
}

/* +0 and -0 are the same. */
static void assert_equal(const float *a, const float *b, size_t count, const char *net)
{
    for (size_t i = 0; i < count; i++) {
        if (!(a[i] <= b[i] && a[i] >= b[i])) {
            fail_msg("%s: %zu: %.9g, in a lean pass %.9g", net, i, (double)a[i], (double)b[i]);
        }
    }
}

static void compare_passes(struct trainer *t, const char *net)
{
    struct pass *whole = t->passes[0];
    struct pass *lean = t->passes[1];
    run_pass(t, whole, false);
    run_pass(t, lean, true);
    for (int i = 0; i < t->graph->node_count; i++) {
        const struct node *node = &t->graph->nodes[i];
        size_t count = node->size * (size_t)t->graph->groups * VISION_LANES;
        if (node->pooled_by < 0) {
            assert_equal(whole->values[i], lean->values[i], count, net);
        }
    }
    assert_equal(whole->gradient, lean->gradient, t->graph->count, net);
}

/* Reals, integers with the block's means, integers with fixed ones. */
static void compare_phases(const char *net, struct volume size, const char *isa, int pooled)
{
    struct error err = {0};
    struct vision_options options = {.isa = isa, .smoothing = 0.05};
    struct studio *studio = studio_new(net, size, 3, &options);
    struct trainer *t = studio->trainer;
    t->float_epochs = t->integer_epochs = 2;
    for (int i = 0; i < t->graph->node_count; i++) {
        pooled -= t->graph->nodes[i].pooled_by >= 0;
    }
    assert_int_equal(pooled, 0);
    assert_true(trainer_run(t, 2, 1, &err));
    compare_passes(t, net);
    assert_true(trainer_fold(t, &err));
    compare_passes(t, net);
    assert_true(trainer_run(t, 3, 1, &err));
    compare_passes(t, net);
    trainer_statistics(t, 4);
    compare_passes(t, net);
    studio_free(studio);
}

static void compare_nets(const char *isa)
{
    compare_phases("conv3x5p:4 relu:4 pool2 conv3x8p:t relu:8 pool2 dense3:4",
                   (struct volume){8, 12, 1}, isa, 2);
    /* what no window reads, large windows, many columns, groups, odd levels */
    compare_phases("conv2x8:4 relu pool3 conv3x12g2p:3 relu:4 pool2 conv1x5:o2 relu gmax dense3:4",
                   (struct volume){15, 17, 4}, isa, 3);
    /* overlapping or padded pools, several readers, linear layers: as they are */
    compare_phases("conv3x4p:4 relu pool3s2 conv3x4p:4 relu=a pool2s2p1 pw4 linear pool2 dense3:4",
                   (struct volume){12, 12, 1}, isa, 0);
    compare_phases("conv3x4p:4 relu=a pool2 up2 add(a) dw3p:4 relu pool2 dense3:4",
                   (struct volume){12, 12, 1}, isa, 1);
    compare_phases("conv3x4p:4 relu pool2=a conv3x4p:4 relu conv3x4p:4 add(a) relu=b conv3x4p:4 "
                   "add(b) relu pool2 dense3:4",
                   (struct volume){12, 12, 1}, isa, 1);
}

static void test_lean_passes(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", NULL};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct error err = {0};
        if (vision_kernels_pick(isas[i], &err)) {
            compare_nets(isas[i]);
        }
    }
}

/* ---- bytes ---- */

static void test_words_are_codes(void **state)
{
    const struct vision_kernels *kernels = vision_kernels_pick(NULL, NULL);
    static float map[8 * VISION_LANES];
    static uint8_t bytes[8 * VISION_LANES];
    (void)state;
    if (!kernels->pack_codes) {
        skip();
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        map[i] = (float)(i * 37 % 256);
    }
    kernels->pack_codes(map, bytes, 2);
    for (size_t i = 0; i < sizeof bytes; i++) {
        size_t channel = i / 64 * 4 + i % 4;
        assert_int_equal(bytes[i], (int)map[channel * VISION_LANES + i / 4 % VISION_LANES]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lean_passes),
        cmocka_unit_test(test_words_are_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
