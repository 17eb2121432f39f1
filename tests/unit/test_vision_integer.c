/* The integer pass of image networks is the program that the interpreter runs, to the bit, in every
 * tensor; and training gives the same bytes with every instruction set and number of threads. */
#include "support/unit.h"

#include "base/text.h"
#include "run/state.h"
#include "support/folder.h"
#include "support/studio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPOCHS 2

/* ---- every tensor ---- */

struct comparing {
    struct trainer *trainer;
    struct run *run;
    int32_t *in, *out;
    size_t compared;
};

/* Values of the layer that gives logits are codes / 2^this; 0 of all others. */
static int logit_shift(const struct trainer *t, const struct node *node)
{
    const struct node *logits = &t->graph->nodes[t->graph->logits];
    bool last = node->index == t->graph->node_count - 1;
    return last ? t->learner.shift[logits->row] - logits->down : 0;
}

/* The tensor of a node's codes: those of an add may be clamped by a layer of their own. */
static int next_tensor(const struct net *net, int *layer)
{
    const struct layer *next = &net->layers[*layer + 1];
    bool last = *layer + 1 == net->layer_count;
    *layer += net->layers[*layer].op == OP_ADD && !last && next->op == OP_CONVERT ? 1 : 0;
    return net->layers[(*layer)++].output;
}

static void compare_sample(struct comparing *c, const struct pass *pass, size_t sample)
{
    const struct graph *graph = pass->graph;
    const struct net *net = c->run->net;
    int layer = net->layers[0].op == OP_RESIZE;
    size_t group = sample / VISION_LANES;
    size_t lane = sample % VISION_LANES;
    for (int n = 0; n < graph->node_count; n++) {
        const struct node *node = &graph->nodes[n];
        int tensor = next_tensor(net, &layer);
        for (size_t e = 0; e < node->size; e++) {
            double value = (double)pass->values[n][(group * node->size + e) * VISION_LANES + lane];
            double code = value * ldexp(1, logit_shift(c->trainer, node));
            if (code != (double)c->run->values[tensor][e]) {
                fail_msg("layer %d, element %zu: %.9g, the interpreter says %lld", n, e, code,
                         (long long)c->run->values[tensor][e]);
            }
            c->compared++;
        }
    }
}

static void compare_block(void *context, const struct pass *pass, size_t first)
{
    struct comparing *c = context;
    const struct feed *feed = c->trainer->feed;
    const struct images *images = feed->images;
    for (size_t i = 0; i < 20 && first + i < feed->validation.count; i++) {
        const uint8_t *pixels = images_pixels(images, feed->validation.images[first + i]);
        for (size_t e = 0; e < images_size(images); e++) {
            c->in[e] = pixels[e];
        }
        run_predict(c->run, c->in, c->out);
        compare_sample(c, pass, i);
    }
}

/* Images far from what it was trained on: ends of all ranges.  Those that are resized stay as they
 * are, since the feed holds them resized. */
static void coarse_pictures(struct feed *feed, const struct sketch *sketch)
{
    if (sketch_prepares(sketch)) {
        return;
    }
    for (size_t i = 0; i < feed->validation.count; i++) {
        uint8_t *pixels = feed->images->pixels + (size_t)feed->validation.images[i] * feed->size;
        for (size_t e = 0; e < feed->size && i % 3; e++) {
            pixels[e] = pixels[e] > 60 ? 255 : 0;
        }
        memcpy(feed->checks + i * feed->size, pixels, feed->size);
    }
}

/* Steps are about to change, some to either side. */
static void unsettle_steps(struct trainer *t)
{
    for (size_t row = 0; row < t->graph->row_count; row++) {
        t->state.step[row] += row % 3 == 0 ? 0.755 : row % 3 == 1 ? -0.755 : 0;
    }
}

static void equals_interpreter(const char *text, struct volume size)
{
    struct error err = {0};
    struct vision_options options = {.smoothing = 0.05, .learned_steps = true};
    struct studio *studio = studio_new(text, size, 3, &options);
    struct trainer *t = studio->trainer;
    t->float_epochs = t->integer_epochs = EPOCHS;
    assert_true(trainer_run(t, EPOCHS, 1, &err));
    assert_true(trainer_fold(t, &err));
    unsettle_steps(t);
    assert_true(trainer_run(t, 2 * EPOCHS, 1, &err));
    trainer_statistics(t, 4);
    struct net *net = trainer_net(t, "trained", &err);
    if (!net) {
        fail_msg("%s", err.message);
    }
    struct comparing c = {.trainer = t, .run = run_new(net)};
    c.in = calloc(images_size(studio->images), sizeof *c.in);
    c.out = calloc(3, sizeof *c.out);
    assert_non_null(c.run);
    assert_non_null(c.in);
    assert_non_null(c.out);
    coarse_pictures(studio->feed, t->graph->sketch);
    trainer_each(t, PART_VALIDATION, studio->feed->validation.count, compare_block, &c);
    assert_true(c.compared > 100);
    run_free(c.run);
    free(c.in);
    free(c.out);
    net_free(net);
    studio_free(studio);
}

static void test_every_tensor(void **state)
{
    (void)state;
    equals_interpreter("conv3x5:4 relu:4 conv2x3x4s2x1p1:t relu:4 conv3x6d2p:b relu dense3:t",
                       (struct volume){7, 8, 2});
    equals_interpreter("crop9x10 resize7x8 conv3x6p:o2 relu:4 conv3x4g2s2:3 relu:4 dw3pm2:4 relu "
                       "pw3:8 relu dense3:o3",
                       (struct volume){11, 12, 2});
    equals_interpreter("resize6x7:4 conv3x6:4 relu:4 conv2x5:t relu dense3:3",
                       (struct volume){11, 12, 2});
    equals_interpreter("resize8:2 dense9:4 relu:4 dense3:4", (struct volume){8, 8, 1});
    equals_interpreter("deconv3x3s2p1:t relu conv3x4s2:8 relu deconv2x3x4s1x2g2d2x1:o4 relu gap "
                       "dense3:16",
                       (struct volume){4, 4, 2});
    equals_interpreter("conv3x4 relu=a pw4 relu add(a) shuffle2 pad1 up2 avg2=b conv3x2p:5 relu "
                       "concat(b) avg3s2p1 pool2 flatten dense3:4",
                       (struct volume){5, 6, 2});
    equals_interpreter(
        "conv3x5:t linear conv3x4p:3 relu pw3 linear=a pw7:t relu:4 pw3:4 linear add(a) "
        "pool2 shuffle1 avg2s1 conv1x3:8 gap",
        (struct volume){9, 10, 2});
    equals_interpreter("dw3 linear=a avg3s1p1 deconv3x4p1:4 linear concat(a) conv3x3:8 gap",
                       (struct volume){13, 14, 2});
    equals_interpreter("conv3x6:4 pool2 relu dw3p pw5=a pool1 conv1x5 add(a) conv1x3 gap",
                       (struct volume){9, 10, 2});
    /* residual blocks: of relus, of both, of what a block gave, through a pool, and of 4 bits */
    equals_interpreter("conv3x5p relu=a conv3x5p linear add(a) relu pool2 dense3",
                       (struct volume){8, 9, 1});
    equals_interpreter(
        "conv3x5p relu pool2=a conv3x5p relu conv3x5p add(a) relu=b conv3x5p:4 relu "
        "conv3x5p add(b) pool1 relu=c conv1x5:t concat(b,c) pw4=d pool1=e pw4 add(d,e) "
        "avg2 dense3",
        (struct volume){8, 9, 1});
    equals_interpreter("conv3x5p relu:4=a conv3x5p:t relu:4 add(a) relu=b conv3x5p add(b) relu:4 "
                       "shuffle1 conv2x3 relu dense3",
                       (struct volume){8, 9, 1});
    equals_interpreter("dense9 relu=a dense9 add(a) relu=b dense9 relu dense9 add(b,a) dense3",
                       (struct volume){5, 5, 2});
    equals_interpreter("dense40:8 relu:4 dense8:b relu:8 dense3:2", (struct volume){10, 10, 1});
    equals_interpreter("dense30:16 relu dense9:16 relu dense3:16", (struct volume){28, 28, 1});
}

/* ---- the same bytes ---- */

static const char same_net[] = "conv3x5:4 relu:4 pool2 conv2x7s1p1:t relu:4 dw2:3 relu:4 dense3:t";

/* The file that training makes; NULL where this machine lacks the instructions. */
static char *trained(const char *isa, int threads, bool learned_steps)
{
    struct error err = {0};
    struct text text = {0};
    struct vision_result result;
    struct images *images = pictures_new((struct volume){8, 9, 1}, 3, 700, 9);
    struct vision_options options = {.net = same_net,
                                     .float_epochs = 2,
                                     .integer_epochs = 2,
                                     .seed = 4,
                                     .isa = isa,
                                     .threads = threads,
                                     .learned_steps = learned_steps,
                                     .mixup = 0.3,
                                     .smoothing = 0.1,
                                     .augment = {.shift = 1, .rotate = 5}};
    struct net *net = vision_train(images, &options, &result, &err);
    images_free(images);
    if (!net) {
        assert_non_null(strstr(err.message, "no training kernels"));
        return NULL;
    }
    assert_true(net_print(net, &text));
    assert_int_equal(result.weight_bytes, 5 * 5 + 7 * 4 + 7 * 2 + 3 * 13); /* rows by bytes */
    net_free(net);
    return text.data;
}

static void test_same_bytes(void **state)
{
    static const char *const isas[] = {"avx2", "avx512", NULL};
    char *expected = NULL;
    (void)state;
    for (int run = 0; run < 6; run++) {
        bool learned_steps = run >= 3;
        if (run % 3 == 0) {
            free(expected);
            expected = trained("scalar", 1, learned_steps);
        }
        char *file = trained(isas[run % 3], run % 3 == 2 ? 2 : 1, learned_steps);
        assert_non_null(expected);
        if (file) {
            assert_string_equal(file, expected);
        }
        free(file);
    }
    free(expected);
}

/* ---- resuming ---- */

static const struct vision_options resumed = {.float_epochs = 3,
                                              .integer_epochs = 4,
                                              .average = 0.9,
                                              .freeze = true,
                                              .learned_steps = true,
                                              .restarts = 1,
                                              .settle = 0.5,
                                              .mixup = 0.2};

/* Epochs up to `until`, over the crossing. */
static void run_to(struct trainer *t, uint32_t until)
{
    struct error err = {0};
    uint32_t crossing = (uint32_t)t->float_epochs;
    if (!t->learner.integer) {
        assert_true(trainer_run(t, until < crossing ? until : crossing, 1, &err));
    }
    if (t->state.epoch == crossing && until > crossing && !t->learner.integer) {
        assert_true(trainer_fold(t, &err));
    }
    assert_true(trainer_run(t, until, 1, &err));
}

static struct studio *resuming_studio(void)
{
    struct studio *s = studio_new(same_net, (struct volume){8, 9, 1}, 3, &resumed);
    s->trainer->float_epochs = resumed.float_epochs;
    s->trainer->integer_epochs = resumed.integer_epochs;
    return s;
}

static void test_resume(void **state)
{
    struct studio *whole = resuming_studio();
    struct text expected = {0};
    (void)state;
    run_to(whole->trainer, 7);
    trainer_put(whole->trainer, &expected);
    for (uint32_t cut = 1; cut < 7; cut++) {
        struct text middle = {0};
        struct text end = {0};
        struct studio *first = resuming_studio();
        struct studio *second = resuming_studio();
        run_to(first->trainer, cut);
        trainer_put(first->trainer, &middle);
        struct bytes in = bytes_of(middle.data, middle.length);
        assert_true(trainer_take(second->trainer, &in));
        run_to(second->trainer, 7);
        trainer_put(second->trainer, &end);
        assert_int_equal(end.length, expected.length);
        assert_memory_equal(end.data, expected.data, end.length);
        in = bytes_of(middle.data, middle.length - 1);
        assert_false(trainer_take(second->trainer, &in));
        text_free(&middle);
        text_free(&end);
        studio_free(first);
        studio_free(second);
    }
    text_free(&expected);
    studio_free(whole);
}

/* The average begins at the fold and where means are fixed, in the middle of four epochs here. */
static void test_average(void **state)
{
    struct studio *s = resuming_studio();
    const struct trainer_state *t = &s->trainer->state;
    (void)state;
    run_to(s->trainer, 5);
    assert_int_equal(t->averaged, t->steps);
    assert_false(t->settled);
    run_to(s->trainer, 6);
    assert_true(t->settled);
    assert_int_equal(t->averaged, t->steps / 3);
    studio_free(s);
}

/* A checkpoint of a finished run gives its net at once; one of other options is refused. */
static void test_checkpoint_file(void **state)
{
    const char *path = scratch_path("checkpoint");
    struct images *images = pictures_new((struct volume){8, 9, 1}, 3, 700, 9);
    struct vision_options options = {.net = same_net,
                                     .teacher = "conv3x8 relu dense3",
                                     .teacher_epochs = 2,
                                     .float_epochs = 2,
                                     .integer_epochs = 2,
                                     .seed = 4,
                                     .checkpoint = path};
    char *files[2] = {NULL, NULL};
    double accuracy[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct error err = {0};
        struct text text = {0};
        struct vision_result result;
        struct net *net = vision_train(images, &options, &result, &err);
        if (!net) {
            fail_msg("%s", err.message);
        }
        assert_true(result.teacher_accuracy > 0.5);
        assert_true(net_print(net, &text));
        files[i] = text.data;
        accuracy[i] = result.float_accuracy;
        net_free(net);
        options.resume = true;
    }
    assert_string_equal(files[0], files[1]);
    assert_true(accuracy[0] > 0.5 && accuracy[0] == accuracy[1]);
    struct error err = {0};
    struct vision_result result;
    options.seed = 5;
    assert_null(vision_train(images, &options, &result, &err));
    assert_non_null(strstr(err.message, "belongs to a run with other data or options"));
    free(files[0]);
    free(files[1]);
    images_free(images);
}

/* ---- progress ---- */

struct watching {
    double last;
    int calls;
};

static void watch(void *context, double fraction, double eta, const char *stage, const char *detail)
{
    struct watching *w = context;
    if (fraction < w->last || fraction > 1) {
        fail_msg("%s, %s: %.3f behind %.3f, %.1f s left", stage, detail, fraction, w->last, eta);
    }
    w->last = fraction;
    w->calls++;
}

/* Over a teacher's training and its student's, which are long enough to be reported. */
static void test_progress_goes_on(void **state)
{
    struct error err = {0};
    struct vision_result result;
    struct watching watching = {0};
    struct images *images = pictures_new((struct volume){8, 9, 1}, 3, 800, 9);
    struct vision_options options = {.net = "conv3x8 relu dense3",
                                     .teacher = "conv3x24 relu conv3x8 relu dense3",
                                     .teacher_epochs = FEWER(20),
                                     .float_epochs = FEWER(10),
                                     .integer_epochs = FEWER(30),
                                     .threads = 1,
                                     .isa = "scalar",
                                     .progress = watch,
                                     .progress_context = &watching};
    (void)state;
    net_free(vision_train(images, &options, &result, &err));
    print_message("%d reports\n", watching.calls);
    assert_true(watching.calls >= 4);
    assert_true(watching.last > 0.5);
    images_free(images);
}

/* ---- training learns ---- */

static void test_it_learns(void **state)
{
    struct error err = {0};
    struct vision_result result;
    struct images *images = pictures_new((struct volume){10, 10, 1}, 4, 2000, 9);
    struct vision_options options = {.seed = 4, .float_epochs = 3, .integer_epochs = 4};
    struct net *net = vision_train(images, &options, &result, &err);
    (void)state;
    if (!net) {
        fail_msg("%s", err.message);
    }
    assert_true(result.float_accuracy > 0.95);
    assert_true(result.integer_accuracy > 0.95);
    assert_true(result.training_images > 1500 && result.validation_images > 150);
    assert_true(strlen(result.net) > 0);
    net_free(net);
    images_free(images);
}

static void test_missing_class(void **state)
{
    struct error err = {0};
    struct vision_result result;
    struct vision_options options = {.net = "dense4"};
    struct images *images = pictures_new((struct volume){6, 6, 1}, 4, 300, 9);
    (void)state;
    for (int i = 0; i < images->count; i++) {
        images->labels[i] = images->labels[i] == 2 ? 1 : images->labels[i];
    }
    assert_null(vision_train(images, &options, &result, &err));
    assert_string_equal(err.message, "pictures: no image of class '2' is in the part that is "
                                     "trained on; give more images of it");
    images_free(images);
}

/* What the format does not hold is told before training. */
static void test_sizes_are_checked_first(void **state)
{
    struct error err = {0};
    struct vision_result result;
    struct vision_options options = {.net = "deconv2x3s17 relu gap dense4", .float_epochs = 100000};
    struct images *images = pictures_new((struct volume){3, 3, 1}, 4, 300, 9);
    (void)state;
    assert_null(vision_train(images, &options, &result, &err));
    assert_string_equal(err.message,
                        "--net: layer 0 (deconv): its stride is too large; its input is 3 x 3 x 1");
    images_free(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tensor),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_checkpoint_file),
        cmocka_unit_test(test_progress_goes_on),
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_missing_class),
        cmocka_unit_test(test_sizes_are_checked_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
