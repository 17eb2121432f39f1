/* The interpreter over random nets: what bound.c proves holds. */
#include "support/unit.h"

#include "run/run.h"
#include "support/random_net.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold),
        cmocka_unit_test(test_generator_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
