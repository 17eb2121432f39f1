/* The interpreter over random nets: what bound.c proves holds. */
#include "support/unit.h"

#include "run/run.h"
#include "support/random_net.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The interpreter stops the program where a proved bound does not hold, so that running corner
 * and random vectors through random nets tests bounds and ranges. */
static void test_bounds_hold(void **state)
{
    enum { NETS = 400, VECTORS = 60 };
    static int32_t in[VECTORS * 24];
    static int32_t out[NET_WIDTH_MAX];
    (void)state;
    for (uint64_t seed = 0; seed < NETS; seed++) {
        struct net *net = random_net(seed);
        struct run *run = run_new(net);
        assert_non_null(run);
        random_inputs(net, seed, VECTORS, in);
        const struct tensor *output = &net->tensors[net->output];
        for (int v = 0; v < VECTORS; v++) {
            run_predict(run, in + v * net->tensors[net->input].width, out);
            for (int j = 0; j < output->width; j++) {
                assert_true(out[j] >= type_low(output->type));
                assert_true(out[j] <= type_high(output->type));
            }
        }
        run_free(run);
        net_free(net);
    }
}

/* How often the generator makes what. */
struct census {
    int ops[4];
    int activations[7];
    int inputs[5];
    int outputs[5];
    int bits[17];
    int rows_at_edge;
    int classifiers;
};

static void count_layer(struct census *census, const struct layer *layer,
                        struct interval *const *ranges)
{
    census->ops[layer->op]++;
    census->activations[layer->activation] += layer->op == OP_DENSE;
    census->bits[layer->weights.bits]++;
    for (int row = 0; row < layer->weights.rows; row++) {
        census->rows_at_edge += net_row_bound(layer, row, ranges[layer->inputs[0]]) == INT32_MAX;
    }
}

static void count_net(struct census *census, uint64_t seed)
{
    struct interval *ranges[NET_TENSORS_MAX];
    struct net *net = random_net(seed);
    assert_true(net_ranges(net, net->arena, ranges));
    census->inputs[net->tensors[net->input].type]++;
    census->outputs[net->tensors[net->output].type]++;
    census->classifiers += net->task == TASK_CLASSIFICATION;
    for (int i = 0; i < net->layer_count; i++) {
        count_layer(census, &net->layers[i], ranges);
    }
    net_free(net);
}

/* The generator must reach what it promises, or property tests test less than they say. */
static void test_generator_covers(void **state)
{
    struct census census = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        count_net(&census, seed);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(census.ops[i] > 20);
        assert_true(census.inputs[i] > 20);
    }
    for (int i = 0; i < 7; i++) {
        assert_true(census.activations[i] > 20);
    }
    for (int i = 2; i <= 16; i++) {
        assert_true(census.bits[i] > 5);
    }
    for (int i = 0; i < 5; i++) {
        assert_true(i == TYPE_U16 ? census.outputs[i] == 0 : census.outputs[i] > 20);
    }
    assert_true(census.rows_at_edge > 100);
    assert_true(census.classifiers > 20);
}

/* Does the interpreter abort on these inputs?  Tried in a child. */
static bool stops(struct run *run, const int32_t *in)
{
    int32_t out[NET_LAYER_INPUTS * 24];
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)fclose(stderr);
        (void)signal(SIGABRT, SIG_DFL);
        run_predict(run, in, out);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* The checks of the interpreter are at work, in release builds too: a code outside of its type and
 * a weight that has grown behind the proof's back stop the program. */
static void test_broken_bounds_stop(void **state)
{
    static int16_t weights[] = {100, -100};
    static struct channel channels[2] = {{.name = "", .unit = "", .lsb = {1, 0}},
                                         {.name = "", .unit = "", .lsb = {1, 0}}};
    const struct layer dense = {.op = OP_DENSE,
                                .input_count = 1,
                                .output = 1,
                                .weights = {8, 1, 2, weights, false},
                                .bias = (const int32_t[]){0},
                                .shift = (const uint8_t[]){7}};
    struct error err = {0};
    struct net *net = net_new("net");
    (void)state;
    net->input = net_add_tensor(net, TYPE_I8, 2);
    net->output = net_add_tensor(net, TYPE_I16, 1);
    assert_true(net_add_layer(net, &dense) && net_set_channels(net, channels, channels));
    assert_true(net_check(net, "net", &err));
    struct run *run = run_new(net);
    assert_non_null(run);
    assert_false(stops(run, (const int32_t[]){127, -128}));
    assert_true(stops(run, (const int32_t[]){128, 0}));
    assert_true(stops(run, (const int32_t[]){0, -129}));
    net->layers[0].weights.values = weights;
    weights[0] = 101;
    assert_false(stops(run, (const int32_t[]){127, 0}));
    assert_true(stops(run, (const int32_t[]){-128, 127}));
    run_free(run);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold),
        cmocka_unit_test(test_generator_covers),
        cmocka_unit_test(test_broken_bounds_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
