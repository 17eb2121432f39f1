/* Training for the packed kernel: every row of 8-bit inputs has sums of at most 65536 values, by
 * the bounds of the net itself. */
#include "support/unit.h"

#include "run/run.h"
#include "support/gradient_nets.h"
#include "train/gradient_epoch.h"

#include <math.h>
#include <string.h>

static int64_t floor_to(int64_t value, int64_t unit)
{
    int64_t rest = value % unit;
    return value - (rest < 0 ? rest + unit : rest);
}

/* Rows of the net that read 8 bits; each must fit half a word once an offset that is a multiple of
 * 2^shift is taken off. */
static int rows_that_fit(const struct net *net)
{
    struct arena *arena = arena_new();
    struct interval *ranges[NET_TENSORS_MAX];
    int count = 0;
    assert_true(arena && net_ranges(net, arena, ranges));
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        enum type in = net->tensors[layer->inputs[0]].type;
        for (int r = 0; layer->op == OP_DENSE && in != TYPE_I16 && r < layer->weights.rows; r++) {
            struct interval acc = net_row_range(layer, r, ranges[layer->inputs[0]]);
            int64_t low = floor_to(acc.low, (int64_t)1 << layer->shift[r]);
            if (acc.high - low > 65535) {
                fail_msg("layer %d, row %d: sums %lld to %lld, shift %d", i, r, (long long)acc.low,
                         (long long)acc.high, layer->shift[r]);
            }
            count++;
        }
    }
    arena_free(arena);
    return count;
}

static struct net *net_of(const struct made *made, const struct gradient *g)
{
    struct error err = {0};
    struct fixed fixed;
    const struct topology *t = &g->shape.topology;
    assert_true(fixed_new(&fixed, made->arena, t->widths, t->layer_count, false));
    qat_fixed(g, &fixed);
    struct net *net = problem_net(&made->problem, &fixed, &made->options, "gradient", &err);
    if (!net) {
        fail_msg("%s", err.message);
    }
    return net;
}

static void check_fit(const struct made *made, const struct gradient *g, int rows)
{
    struct net *net = net_of(made, g);
    assert_int_equal(rows_that_fit(net), rows);
    net_free(net);
}

/* Rounding again gives the same weights and codes: what resumes and what keeps the best relies on
 * it. */
static void check_settled(const struct made *made, struct gradient *g)
{
    size_t weights = g->count * sizeof *g->state.parameters;
    size_t codes = g->weight_count * sizeof *g->codes;
    float *before = arena_alloc(made->arena, g->count, sizeof *before);
    int16_t *codes_before = arena_alloc(made->arena, g->weight_count, sizeof *codes_before);
    assert_true(before && codes_before);
    memcpy(before, g->state.parameters, weights);
    memcpy(codes_before, g->codes, codes);
    qat_round(g);
    assert_memory_equal(before, g->state.parameters, weights);
    assert_memory_equal(codes_before, g->codes, codes);
}

static struct gradient_shape shape_of(int round, enum type out)
{
    static const enum activation activations[] = {ACTIVATION_RELU, ACTIVATION_ABS, ACTIVATION_LEAKY,
                                                  ACTIVATION_CLIP};
    return (struct gradient_shape){.activation = activations[round % 4],
                                   .loss = LOSS_MSE,
                                   .weight_bits = 2 + round % 8,
                                   .out_type = out,
                                   .packed = true};
}

/* Weights from tame to saturating, some of them no numbers; then steps that push outwards. */
static void one_round(struct rng *rng, int round)
{
    int hidden[3] = {1 + (int)rng_below(rng, 40), (int)rng_below(rng, 40), 0};
    struct made made;
    struct gradient g;
    bool bytes = round % 2 == 0;
    made_new(&made, 1 + (int)rng_below(rng, 9), 1 + (int)rng_below(rng, 7), 0, 300);
    made.options.packed = true;
    made.options.in_type = bytes ? "i8" : NULL;
    made.options.hidden_type = round % 4 < 2 && round % 3 ? "u8" : NULL;
    made.options.out_type = round % 5 ? "i16" : "i8";
    made_problem(&made);
    struct gradient_shape shape = shape_of(round, made.problem.out_type);
    made_net(&made, &g, shape, hidden, NULL);
    int rows = made.problem.outputs + (hidden[1] ? hidden[1] : 0) + (bytes ? hidden[0] : 0);
    float spread = (float)rng_uniform(rng, 0.1, 30);
    for (size_t i = 0; i < g.count; i++) {
        g.state.parameters[i] *= spread;
    }
    if (round % 7 == 6) {
        g.state.parameters[0] = NAN;
    }
    qat_begin(&g, &made.packed);
    check_fit(&made, &g, rows);
    g.step_rate = 0.2;
    for (int i = 0; i < 24; i++) {
        gradient_step(&g, &made.packed, NULL, 64, 0.05);
        check_settled(&made, &g);
        qat_freeze(&g, i / 24.0);
    }
    check_fit(&made, &g, rows);
    made_free(&made);
}

static void test_rows(void **state)
{
    (void)state;
    struct rng rng = rng_new(8, 1);
    for (int round = 0; round < 80; round++) {
        one_round(&rng, round);
    }
}

/* The projection is the nearest point of the ball: all weights lose the same, none its sign, and
 * the sum is what fits. */
static void test_projection(void **state)
{
    (void)state;
    static const int hidden[] = {8, 0};
    static const float given[8] = {0.2F, -0.15F, 0.24F, -0.05F, 0.1F, 0.22F, -0.18F, 0.01F};
    struct made made;
    struct gradient g;
    made_new(&made, 6, 2, 0, 300);
    made.options.packed = true;
    made.options.in_type = "i8";
    made_problem(&made);
    made_net(&made, &g, shape_of(6, TYPE_I16), hidden, NULL); /* leaky, weights of 8 bits */
    memcpy(g.state.parameters + g.layers[1].weight, given, sizeof given);
    /* Scale 9, shift 1: 589 codes, and leaky takes 127 + 16 values. */
    double room = (65536 - 2) / 143;
    double threshold = qat_pack_threshold(&g, 1, 0, 9);
    double sum = 0;
    for (int j = 0; j < 8; j++) {
        sum += fmax(fabs((double)given[j]) * 512 - threshold, 0);
    }
    assert_true(threshold > 0 && sum <= room && sum > room - 0.1);
    assert_true(qat_pack_threshold(&g, 1, 0, 8) <= 0);
    made_free(&made);
}

/* A whole training: each epoch's net, and the net at the end. */
static void test_training(void **state)
{
    (void)state;
    static const int hidden[] = {12, 10, 0};
    struct made made;
    struct error err = {0};
    struct train_result result;
    struct train_options options = {
        .topology = "5-12-10-2", .seed = 3, .packed = true, .in_type = "i8", .out_type = "i8"};
    made_new(&made, 5, 2, 0, 900);
    struct net *net = train_net(made.data, &options, &result, &err);
    if (!net) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(rows_that_fit(net), hidden[0] + hidden[1] + 2);
    net_free(net);
    train_result_free(&result);
    made_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
