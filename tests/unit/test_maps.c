/* Random nets on maps: bounds hold, files keep them, and every op is there. */
#include "support/unit.h"

#include "base/text.h"
#include "run/run.h"
#include "support/random_maps.h"
#include "support/random_net.h"

#include <string.h>

enum { NETS = 600, VECTORS = 6, WIDTH_MOST = 700 };

/* The interpreter stops the program where a proved range or bound does not hold. */
static void test_bounds_hold(void **state)
{
    static int32_t in[VECTORS * WIDTH_MOST];
    static int32_t out[WIDTH_MOST];
    (void)state;
    for (uint64_t seed = 0; seed < NETS; seed++) {
        struct net *net = random_map_net(seed);
        struct run *run = run_new(net);
        assert_non_null(run);
        random_inputs(net, seed, VECTORS, in);
        for (int v = 0; v < VECTORS; v++) {
            run_predict(run, in + v * net->tensors[net->input].width, out);
        }
        run_free(run);
        net_free(net);
    }
}

/* What is written, read and written again is the same text. */
static void test_files(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < NETS / 4; seed++) {
        struct error err = {0};
        struct text first = {0};
        struct text second = {0};
        struct net *net = random_map_net(seed);
        assert_true(net_print(net, &first));
        struct net *again = net_parse(first.data, first.length, "net", &err);
        if (!again) {
            fail_msg("seed %d: %s", (int)seed, err.message);
        }
        assert_true(net_print(again, &second));
        assert_string_equal(first.data, second.data);
        text_free(&first);
        text_free(&second);
        net_free(net);
        net_free(again);
    }
}

/* How often the generator makes what. */
struct census {
    int ops[OP_SOFTMAX + 1];
    int types[TYPE_U4 + 1];
    int odd;
    int groups;
    int dilated;
    int padded;
};

static void count_net(struct census *census, const struct net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        census->ops[layer->op]++;
        census->types[net->tensors[layer->output].type]++;
        census->odd += layer->weights.odd;
        census->groups += layer->groups > 1;
        census->dilated += layer->window.row_dilation > 1;
        census->padded += layer->window.top > 0;
    }
}

static void test_census(void **state)
{
    struct census census = {0};
    (void)state;
    for (uint64_t seed = 0; seed < NETS; seed++) {
        struct net *net = random_map_net(seed);
        count_net(&census, net);
        net_free(net);
    }
    for (int op = OP_DENSE; op <= OP_SOFTMAX; op++) {
        assert_true(census.ops[op] >= 20);
    }
    for (int type = 0; type <= TYPE_U4; type++) {
        assert_true(type == TYPE_U16 || census.types[type] >= 50);
    }
    assert_true(census.odd > 50 && census.groups > 50 && census.dilated > 50);
    assert_true(census.padded > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_census),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
