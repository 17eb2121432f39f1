/* The gradient route: its gradient against finite differences in double precision, and its integer
 * forward pass against the reference interpreter. */
#include "support/unit.h"

#include "run/run.h"
#include "support/gradient_nets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const enum activation all_activations[] = {ACTIVATION_CUBIC, ACTIVATION_PSIG,
                                                  ACTIVATION_RELU,  ACTIVATION_ABS,
                                                  ACTIVATION_LEAKY, ACTIVATION_CLIP};
enum { ACTIVATIONS = sizeof all_activations / sizeof all_activations[0] };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        fail_msg("%.9g, expected %.9g within %.1g", value, expected, tolerance);
    }
}

/* ---- an independent loss: model_forward() and libm in double ---- */

static double one_loss(const struct gradient *g, const double *y, const float *target)
{
    int outputs = g->shape.topology.widths[g->layer_count];
    double sum = 0;
    double powers = 0;
    for (int i = 0; i < outputs; i++) {
        double t = g->shape.loss == LOSS_CROSS_ENTROPY ? 0 : (double)target[i];
        double e = fabs(y[i] - t);
        powers += exp(y[i]);
        switch (g->shape.loss) {
        case LOSS_AUTO:
        case LOSS_MSE: sum += e * e; break;
        case LOSS_HUBER: {
            double d = g->settings.delta;
            sum += e <= d ? e * e : d * (2 * e - d);
            break;
        }
        case LOSS_LOG: sum += log(1 + exp(y[i])) - y[i] * t; break;
        case LOSS_CROSS_ENTROPY: break;
        }
    }
    return g->shape.loss == LOSS_CROSS_ENTROPY ? log(powers) - y[(int)target[0]] : sum;
}

static double slow_loss(const struct gradient *g, const struct made *made, struct model *model,
                        size_t count)
{
    double x[16];
    double y[16];
    double scratch[64];
    double sum = 0;
    gradient_to_model(g, model);
    for (size_t i = 0; i < count; i++) {
        const int32_t *words = made->packed.codes + i * (size_t)made->packed.pairs;
        for (int j = 0; j < made->problem.inputs; j++) {
            int16_t code = (int16_t)(j % 2 ? words[j / 2] >> 16 : words[j / 2] & 0xffff);
            x[j] = ldexp(code, -made->packed.fraction);
        }
        model_forward(model, x, y, scratch);
        sum += one_loss(g, y, made->packed.targets + i * (size_t)made->packed.target_count);
    }
    return sum;
}

/* Central difference of the slow loss; *smooth tells whether there is no kink near. */
static double difference(struct gradient *g, const struct made *made, struct model *model,
                         size_t parameter, bool *smooth)
{
    float *p = &g->state.parameters[parameter];
    float old = *p;
    double slopes[2];
    for (int i = 0; i < 2; i++) {
        float step = i ? 0x1p-11F : 0x1p-10F;
        *p = old + step;
        double up = slow_loss(g, made, model, 40);
        *p = old - step;
        double down = slow_loss(g, made, model, 40);
        *p = old;
        slopes[i] = (up - down) / (2 * (double)step);
    }
    *smooth = fabs(slopes[0] - slopes[1]) < 1e-3 * (1 + fabs(slopes[1]));
    return slopes[1];
}

static void compare_gradient(struct gradient *g, const struct made *made)
{
    struct model model;
    size_t smooth_count = 0;
    size_t checked = 0;
    assert_true(
        model_new(&model, made->arena, &g->shape.topology, g->shape.activation, g->shape.has_skip));
    int groups = gradient_gather(g, &made->packed, NULL, 0, 40);
    gradient_forward(g, groups);
    double loss = gradient_loss(g, groups, 1.0);
    gradient_backward(g, groups, false);
    assert_near(loss, slow_loss(g, made, &model, 40), 1e-4 * (1 + fabs(loss)));
    for (size_t i = 0; i < g->count; i++) {
        bool smooth;
        double expected = difference(g, made, &model, i, &smooth);
        checked++;
        if (smooth) {
            smooth_count++;
            assert_near((double)g->gradient[i], expected, 3e-3 * (1 + fabs(expected)));
        }
    }
    assert_true(smooth_count * 4 > checked * 3);
}

static void gradient_is_right(enum activation activation, enum loss loss, bool skip)
{
    static const int hidden[] = {5, 4, 0};
    struct made made;
    struct gradient g;
    bool classes = loss == LOSS_CROSS_ENTROPY;
    made_new(&made, 3, classes ? 1 : 3, classes ? 3 : 0, 120);
    made_net(&made, &g,
             (struct gradient_shape){.activation = activation,
                                     .has_skip = skip,
                                     .loss = loss,
                                     .weight_bits = 8,
                                     .out_type = TYPE_I16,
                                     .classes = classes},
             hidden, NULL);
    struct rng rng = rng_new(11, 1);
    for (size_t i = 0; i < g.count; i++) {
        if (g.state.parameters[i] != 0 || (i >= g.weight_count && i < g.weight_count + 12)) {
            g.state.parameters[i] += (float)rng_uniform(&rng, -0.3, 0.3);
        }
    }
    compare_gradient(&g, &made);
    made_free(&made);
}

/* Readings and activations of 8 bits: the float net that they start from. */
static void test_bytes(void **state)
{
    (void)state;
    static const int hidden[] = {5, 4, 0};
    struct made made;
    struct gradient g;
    made_new(&made, 3, 3, 0, 120);
    made.options.in_type = "i8";
    made.options.hidden_type = "i8";
    made_problem(&made);
    struct gradient_shape shape = {
        .activation = ACTIVATION_RELU, .loss = LOSS_MSE, .weight_bits = 8, .out_type = TYPE_I16};
    made_net(&made, &g, shape, hidden, NULL);
    assert_int_equal(made.packed.fraction, 7);
    compare_gradient(&g, &made);
    made_free(&made);
}

static void test_activations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        gradient_is_right(all_activations[i], LOSS_MSE, false);
    }
}

static void test_losses(void **state)
{
    (void)state;
    gradient_is_right(ACTIVATION_CUBIC, LOSS_MSE, false);
    gradient_is_right(ACTIVATION_CUBIC, LOSS_HUBER, false);
    gradient_is_right(ACTIVATION_CUBIC, LOSS_LOG, false);
    gradient_is_right(ACTIVATION_CUBIC, LOSS_CROSS_ENTROPY, false);
}

static void test_skip(void **state)
{
    (void)state;
    gradient_is_right(ACTIVATION_PSIG, LOSS_MSE, true);
    gradient_is_right(ACTIVATION_RELU, LOSS_CROSS_ENTROPY, true);
}

/* ---- the integer forward pass is the integer program ---- */

static void compare_forward(struct gradient *g, const struct made *made)
{
    struct error err = {0};
    struct fixed fixed;
    const struct topology *t = &g->shape.topology;
    assert_true(fixed_new(&fixed, made->arena, t->widths, t->layer_count, g->shape.has_skip));
    qat_fixed(g, &fixed);
    struct net *net = problem_net(&made->problem, &fixed, &made->options, "gradient", &err);
    if (!net) {
        fail_msg("%s", err.message);
    }
    struct run *run = run_new(net);
    size_t count = made->packed.count < GRADIENT_BLOCK ? made->packed.count : GRADIENT_BLOCK;
    int outputs = made->problem.outputs;
    gradient_forward(g, gradient_gather(g, &made->packed, NULL, 0, count));
    for (size_t i = 0; i < count; i++) {
        int32_t in[64];
        int32_t out[16];
        const float *row = data_row(made->data, made->problem.rows[PART_TRAIN][i]);
        bool clamped = false;
        for (int j = 0; j < made->problem.inputs; j++) {
            in[j] =
                channel_encode(&net->inputs[j], made->problem.in_type, (double)row[j], &clamped);
        }
        run_predict(run, in, out);
        for (int j = 0; j < outputs; j++) {
            size_t at = ((i / 16) * (size_t)kernel_even(outputs) + (size_t)j) * 16 + i % 16;
            float y = g->block.z[g->layer_count - 1][at];
            assert_int_equal((int32_t)lrintf(y / g->unit[j]), out[j]);
        }
    }
    run_free(run);
    net_free(net);
}

/* From tame to saturating weights, then a few steps: the same outputs as the interpreter. */
static void forward_is_right(struct made *made, struct gradient_shape shape, const int *hidden,
                             float spread)
{
    struct gradient g;
    shape.out_type = made->problem.out_type;
    made_net(made, &g, shape, hidden, NULL);
    for (size_t i = 0; i < g.count; i++) {
        g.state.parameters[i] *= spread;
    }
    qat_begin(&g, &made->packed);
    compare_forward(&g, made);
    g.step_rate = 0.05;
    for (int i = 0; i < 5; i++) {
        gradient_step(&g, &made->packed, NULL, 64, 0.05);
    }
    qat_freeze(&g, 0.5);
    gradient_step(&g, &made->packed, NULL, 64, 0.05);
    compare_forward(&g, made);
}

static void random_forward(struct rng *rng, int round, const char *hidden_type)
{
    static const enum activation narrow[] = {ACTIVATION_RELU, ACTIVATION_ABS, ACTIVATION_LEAKY,
                                             ACTIVATION_CLIP};
    int hidden[3] = {1 + (int)rng_below(rng, 20), (int)rng_below(rng, 20), 0};
    bool classes = round % 4 == 3;
    struct made made;
    made_new(&made, 1 + (int)rng_below(rng, 9), classes ? 1 : 1 + (int)rng_below(rng, 7),
             classes ? 2 + (int)rng_below(rng, 5) : 0, 300);
    int kinds = strcmp(hidden_type, "u8") == 0 ? 2 : 4;
    bool wide = strcmp(hidden_type, "i16") == 0;
    struct gradient_shape shape = {.activation = wide ? all_activations[round % ACTIVATIONS]
                                                      : narrow[round / 2 % kinds],
                                   .has_skip = round % 2 == 0,
                                   .loss = classes ? LOSS_CROSS_ENTROPY : LOSS_MSE,
                                   .weight_bits = 2 + (int)rng_below(rng, 8),
                                   .classes = classes};
    made.options.in_type = round % 3 == 1 ? "i8" : NULL;
    made.options.hidden_type = hidden_type;
    made.options.out_type = round % 5 == 4 ? "i8" : "i16";
    made_problem(&made);
    forward_is_right(&made, shape, hidden, (float)rng_uniform(rng, 0.1, 8));
    made_free(&made);
}

/* Random shapes and types. */
static void test_forward(void **state)
{
    (void)state;
    static const char *const types[] = {"i16", "i8", "u8"};
    struct rng rng = rng_new(5, 9);
    for (int type = 0; type < 3; type++) {
        for (int round = 0; round < 60; round++) {
            random_forward(&rng, round, types[type]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations), cmocka_unit_test(test_losses),
        cmocka_unit_test(test_skip),        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
