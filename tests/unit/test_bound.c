/* Bounds and ranges are not only safe but exact: brute force over corners reaches them. */
#include "support/unit.h"

#include "base/rng.h"
#include "net/net.h"
#include "run/run.h"
#include "support/random_net.h"

#include <stdlib.h>

#define COLUMNS 10

/* One random row over random input ranges. */
struct sample {
    int16_t weights[COLUMNS];
    int32_t bias;
    struct interval in[COLUMNS];
    int columns;
};

static struct layer layer_of(const struct sample *sample)
{
    return (struct layer){.op = OP_DENSE,
                          .weights = {16, 1, sample->columns, sample->weights, false},
                          .bias = &sample->bias};
}

static struct sample sample_of(uint64_t seed)
{
    struct rng rng = rng_new(seed, 1);
    struct sample sample = {.columns = 1 + (int)rng_below(&rng, COLUMNS)};
    sample.bias = (int32_t)(rng_bits(&rng) & 0xffffffff);
    for (int j = 0; j < sample.columns; j++) {
        int64_t a = (int64_t)rng_below(&rng, 131072) - 65536;
        int64_t b = (int64_t)rng_below(&rng, 131072) - 65536;
        sample.weights[j] = (int16_t)((int)rng_below(&rng, 65535) - 32767);
        sample.in[j] = (struct interval){a < b ? a : b, a < b ? b : a};
    }
    return sample;
}

/* Smallest and largest sum over all corners of the input box. */
static struct interval brute_range(const struct sample *sample)
{
    struct interval range = {INT64_MAX, INT64_MIN};
    for (unsigned corner = 0; corner < 1u << sample->columns; corner++) {
        int64_t sum = sample->bias;
        for (int j = 0; j < sample->columns; j++) {
            bool high = corner >> j & 1;
            sum += sample->weights[j] * (high ? sample->in[j].high : sample->in[j].low);
        }
        range.low = sum < range.low ? sum : range.low;
        range.high = sum > range.high ? sum : range.high;
    }
    return range;
}

/* Largest |partial sum| over corners of the symmetric box, in the order that makes it largest. */
static int64_t brute_bound(const struct sample *sample)
{
    int64_t worst = 0;
    for (unsigned corner = 0; corner < 1u << sample->columns; corner++) {
        int64_t positive = sample->bias > 0 ? sample->bias : 0;
        int64_t negative = sample->bias < 0 ? -(int64_t)sample->bias : 0;
        for (int j = 0; j < sample->columns; j++) {
            int64_t low = llabs(sample->in[j].low);
            int64_t high = llabs(sample->in[j].high);
            int64_t most = low > high ? low : high;
            int64_t term = sample->weights[j] * (corner >> j & 1 ? most : -most);
            positive += term > 0 ? term : 0;
            negative += term < 0 ? -term : 0;
        }
        worst = positive > worst ? positive : worst;
        worst = negative > worst ? negative : worst;
    }
    return worst;
}

static void test_row_is_exact(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct sample sample = sample_of(seed);
        struct layer layer = layer_of(&sample);
        struct interval expected = brute_range(&sample);
        struct interval range = net_row_range(&layer, 0, sample.in);
        assert_true(range.low == expected.low && range.high == expected.high);
        assert_true(net_row_bound(&layer, 0, sample.in) == brute_bound(&sample));
    }
}

/* The activations' ranges against every z in reach: one input, weight 1, each bias and shift. */
static void check_activation(enum activation activation, enum type type, int shift, int32_t bias)
{
    static struct channel channel = {.name = "", .unit = "", .lsb = {1, 0}};
    struct error err = {0};
    struct interval *ranges[2];
    struct interval seen = {INT64_MAX, INT64_MIN};
    struct net *net = net_new("net");
    net->input = net_add_tensor(net, TYPE_I16, 1);
    net->output = net_add_tensor(net, type, 1);
    struct layer layer = {.op = OP_DENSE, .input_count = 1, .output = 1, .activation = activation};
    layer.weights = (struct weights){4, 1, 1, (const int16_t[]){3}, false};
    layer.bias = &bias;
    layer.shift = (const uint8_t[]){(uint8_t)shift};
    assert_true(net_add_layer(net, &layer) && net_set_channels(net, &channel, &channel));
    assert_true(net_check(net, "net", &err));
    assert_true(net_ranges(net, net->arena, ranges));
    struct run *run = run_new(net);
    for (int32_t in = INT16_MIN; in <= INT16_MAX; in++) {
        int32_t out;
        run_predict(run, &in, &out);
        seen.low = out < seen.low ? out : seen.low;
        seen.high = out > seen.high ? out : seen.high;
    }
    assert_true(seen.low >= ranges[1][0].low && seen.high <= ranges[1][0].high);
    bool exact = activation == ACTIVATION_NONE || activation == ACTIVATION_RELU ||
                 activation == ACTIVATION_CLIP || (shift == 0 && bias == 0);
    if (exact) { /* SPEC 5.1 narrows these, and the others where z reaches both ends */
        assert_true(seen.low == ranges[1][0].low && seen.high == ranges[1][0].high);
    }
    run_free(run);
    net_free(net);
}

static void test_activations(void **state)
{
    static const enum type types[] = {TYPE_I8, TYPE_U8, TYPE_I16, TYPE_I32};
    static const struct {
        int shift;
        int32_t bias;
    } rows[] = {{0, 0}, {2, 2}, {9, 256}, {12, -40000}, {3, 100000}, {16, 0}};
    (void)state;
    for (int activation = 0; activation <= ACTIVATION_CLIP; activation++) {
        for (int t = 0; t < 4; t++) {
            bool i32 = types[t] == TYPE_I32 && activation != ACTIVATION_NONE;
            bool i16_only = activation == ACTIVATION_CUBIC || activation == ACTIVATION_PSIG;
            bool sign = activation == ACTIVATION_CLIP || activation == ACTIVATION_LEAKY;
            if (i32 || (i16_only && types[t] != TYPE_I16) || (sign && types[t] == TYPE_U8)) {
                continue;
            }
            for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                check_activation((enum activation)activation, types[t], rows[i].shift,
                                 rows[i].bias);
            }
        }
    }
}

/* Ranges of convert, add and concat in one small net, by hand. */
static void test_ranges_by_hand(void **state)
{
    struct interval *ranges[6];
    struct net *net = net_new("net");
    (void)state;
    net->input = net_add_tensor(net, TYPE_U8, 2);
    (void)net_add_tensor(net, TYPE_I8, 2);
    (void)net_add_tensor(net, TYPE_I32, 2);
    (void)net_add_tensor(net, TYPE_I16, 2);
    net->output = net_add_tensor(net, TYPE_I16, 4);
    const struct layer layers[] = {
        {.op = OP_CONVERT,
         .input_count = 1,
         .output = 1,
         .zero = (const int32_t[]){100, 200},
         .shift = (const uint8_t[]){0, 1}},
        {.op = OP_DENSE,
         .inputs = {1},
         .input_count = 1,
         .output = 2,
         .weights = {8, 2, 2, (const int16_t[]){1, -1, 100, 100}, false},
         .bias = (const int32_t[]){1, 0},
         .shift = (const uint8_t[]){1, 0}},
        {.op = OP_ADD, .inputs = {2, 2}, .input_count = 2, .output = 3},
        {.op = OP_CONCAT, .inputs = {3, 3}, .input_count = 2, .output = 4},
    };
    for (int i = 0; i < 4; i++) {
        assert_true(net_add_layer(net, &layers[i]));
    }
    assert_true(net_ranges(net, net->arena, ranges));
    static const struct interval expected[] = {
        {-100, 127},     /* 0 - 100, 255 - 100 clamped */
        {-128, 110},     /* -400 clamped, 55 * 2 */
        {-105, 128},     /* (-100 - 110 + 1) >> 1 = -104.5, (127 + 128 + 1) >> 1 */
        {-22800, 23700}, /* 100 * (-228), 100 * 237 */
        {-210, 256},     /* twice */
        {-32768, 32767}, /* -45600 and 47400, clamped */
    };
    for (int k = 0; k < 6; k++) {
        struct interval range = ranges[1 + k / 2][k % 2];
        assert_true(range.low == expected[k].low && range.high == expected[k].high);
    }
    for (int j = 0; j < 4; j++) {
        assert_true(ranges[4][j].low == ranges[3][j % 2].low);
        assert_true(ranges[4][j].high == ranges[3][j % 2].high);
    }
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_is_exact),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_ranges_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
