/* Learned steps of image networks: bad ones become better, shifts and weights keep together, and
 * nothing leaves its bounds. */
#include "support/unit.h"

#include "support/studio.h"

#include <math.h>
#include <string.h>

#define FLOATS   4
#define INTEGERS 300

static const struct volume size = {8, 9, 1};

static struct studio *folded(const char *net, bool learned)
{
    struct error err = {0};
    struct vision_options options = {
        .learned_steps = learned, .smoothing = 0.1, .integer_rate = 0.04, .average = 0.9};
    struct studio *studio = studio_with(1500, net, size, 3, &options);
    struct trainer *t = studio->trainer;
    t->float_epochs = FLOATS;
    t->integer_epochs = INTEGERS;
    assert_true(trainer_run(t, FLOATS, 1, &err));
    assert_true(trainer_fold(t, &err));
    return studio;
}

/* Steps of the first layer `bits` bits finer, at the same function but for rounding and clipping;
 * below 0: coarser. */
static void spoil(struct trainer *t, int bits)
{
    const struct node *node = &t->graph->nodes[0];
    for (size_t j = 0; j < node->weight_count; j++) {
        t->learner.parameters[node->weight + j] *= (float)ldexp(1, bits);
    }
    for (int r = 0; r < node->rows; r++) {
        assert_true(t->learner.shift[node->row + r] >= -bits);
        t->learner.shift[node->row + r] += bits;
    }
    trainer_start_steps(t);
    learner_refresh(&t->learner);
}

/* Mean shift of the first layer. */
static double mean_shift(const struct trainer *t)
{
    const struct node *node = &t->graph->nodes[0];
    double sum = 0;
    for (int r = 0; r < node->rows; r++) {
        sum += t->learner.shift[node->row + r];
    }
    return sum / node->rows;
}

/* The loss of the last block of a training that begins with spoiled steps; how far they moved. */
static double trained_loss(const char *net, int bits, bool learned, double *moved)
{
    struct error err = {0};
    struct studio *studio = folded(net, learned);
    struct trainer *t = studio->trainer;
    spoil(t, bits);
    double before = mean_shift(t);
    assert_true(trainer_run(t, FLOATS + INTEGERS, 1, &err));
    *moved = mean_shift(t) - before;
    double loss = t->passes[0]->loss;
    studio_free(studio);
    return loss;
}

/* Three bits too fine, nearly all weights are clipped to the largest level. */
static void test_fine_steps_become_better(void **state)
{
    static const char *const nets[] = {"conv3x2:4 relu:4 pool2 dense3:4",
                                       "conv3x2:t relu:4 pool2 dense3:t",
                                       "dense4:4 relu:4 dense3:4"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        double moved;
        double fixed = trained_loss(nets[i], 3, false, &moved);
        assert_true(moved >= 0 && moved <= 0);
        double learned = trained_loss(nets[i], 3, true, &moved);
        if (learned > 0.8 * fixed || moved > -1) {
            fail_msg("%s: loss %g, fixed %g, moved by %g", nets[i], learned, fixed, moved);
        }
    }
}

/* Three bits too coarse, nearly all weights are 0. */
static void test_coarse_steps_become_better(void **state)
{
    static const char net[] = "conv3x6:4 relu:4 pool2 conv2x7:4 relu:4 dense3:4";
    double moved;
    double fixed = trained_loss(net, -3, false, &moved);
    double learned = trained_loss(net, -3, true, &moved);
    (void)state;
    assert_true(moved >= 0.5);
    assert_true(learned < fixed);
}

/* ---- one move ---- */

/* The first layer's first row of weights, their average and shift. */
struct row {
    float weights[9], average[9];
    int shift;
};

static struct row row_of(const struct trainer *t)
{
    struct row row = {.shift = t->learner.shift[0]};
    memcpy(row.weights, t->learner.parameters, sizeof row.weights);
    memcpy(row.average, t->state.average, sizeof row.average);
    return row;
}

/* Half a bit and a quarter are not enough; then weights go with the step, and once more as far is
 * not back. */
static void test_shifts_are_slow(void **state)
{
    struct studio *studio = folded("conv3x2:8 relu pool2 dense3:4", true);
    struct trainer *t = studio->trainer;
    struct row old = row_of(t);
    (void)state;
    t->state.step[0] = old.shift - 0.74;
    trainer_take_steps(t);
    struct row same = row_of(t);
    assert_memory_equal(&same, &old, sizeof same);
    t->state.step[0] = old.shift - 0.76;
    trainer_take_steps(t);
    struct row half = row_of(t);
    assert_int_equal(half.shift, old.shift - 1);
    for (int j = 0; j < 9; j++) {
        assert_true(half.weights[j] * 2 - old.weights[j] == 0);
        assert_true(half.average[j] * 2 - old.average[j] == 0);
    }
    t->state.step[0] = old.shift - 0.3;
    trainer_take_steps(t);
    assert_int_equal(t->learner.shift[0], old.shift - 1);
    t->state.step[0] = old.shift - 0.2;
    trainer_take_steps(t);
    struct row back = row_of(t);
    assert_memory_equal(&back, &old, sizeof back);
    studio_free(studio);
}

/* Rows of the last layer share one step. */
static void test_last_layer_has_one_step(void **state)
{
    struct studio *studio = folded("conv3x2:8 relu pool2 dense3:8", true);
    struct trainer *t = studio->trainer;
    const struct node *last = &t->graph->nodes[t->graph->logits];
    int shift = t->learner.shift[last->row];
    (void)state;
    assert_true(shift > 0);
    t->state.step[last->row] = shift - 1;
    trainer_take_steps(t);
    for (int r = 0; r < last->rows; r++) {
        assert_int_equal(t->learner.shift[last->row + r], shift - 1);
    }
    studio_free(studio);
}

/* ---- bounds ---- */

static void wish(struct trainer *t, double by)
{
    for (size_t row = 0; row < t->graph->row_count; row++) {
        t->state.step[row] = t->learner.shift[row] + by;
    }
    trainer_take_steps(t);
    learner_refresh(&t->learner);
}

/* Whatever steps want, shifts stay in range and sums below what floats hold. */
static void test_bounds_hold(void **state)
{
    struct studio *studio = folded("dense40:16 relu dense9:8 relu:4 dense3:4", true);
    struct trainer *t = studio->trainer;
    (void)state;
    for (int i = 0; i < 60; i++) {
        wish(t, i < 30 ? 1 : -1);
        for (int n = 0; n < t->graph->node_count; n++) {
            const struct node *node = &t->graph->nodes[n];
            for (int r = 0; node->weighted && r < node->rows; r++) {
                size_t columns = (size_t)sketch_columns(node->layer);
                const float *codes = t->learner.weights + node->weight + (size_t)r * columns;
                double sum = 0;
                for (size_t j = 0; j < columns; j++) {
                    sum += fabs((double)codes[j]);
                }
                int shift = t->learner.shift[node->row + r];
                assert_true(sum < learner_largest_sum(&t->learner, node));
                assert_true(shift >= 0 && shift <= VISION_SHIFT_MOST);
            }
        }
    }
    assert_int_equal(t->learner.shift[0], 0);
    studio_free(studio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine_steps_become_better),
        cmocka_unit_test(test_coarse_steps_become_better),
        cmocka_unit_test(test_shifts_are_slow),
        cmocka_unit_test(test_last_layer_has_one_step),
        cmocka_unit_test(test_bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
