/* argmax and softmax behind a classifier: how near to probabilities the integers come. */
#include "support/unit.h"

#include "base/rng.h"
#include "run/run.h"

#include <math.h>

#define CLASSES 12

/* Codes to a softmax of `type` with their step. */
static struct net *softmax_net(double step, enum type type)
{
    static struct channel channels[CLASSES];
    static const char *classes[CLASSES];
    struct net *net = net_new("last");
    assert_non_null(net);
    for (int i = 0; i < CLASSES; i++) {
        channels[i] = (struct channel){.name = "", .unit = "", .lsb = decimal_round(step, 6)};
        classes[i] = "c";
    }
    struct layer layer = {.op = OP_SOFTMAX, .inputs = {0}, .input_count = 1, .output = 1};
    layer.scale = net_scale(decimal_value(channels[0].lsb));
    net->input = net_add_tensor(net, TYPE_I16, CLASSES);
    net->output = net_add_tensor(net, type, CLASSES);
    assert_true(net_add_layer(net, &layer));
    assert_true(net_set_channels(net, channels, channels));
    assert_true(net_set_classes(net, classes, ""));
    return net;
}

/* The largest distance from softmax with the scale's own step, over random codes. */
static double worst_of(const struct net *net, struct rng *rng)
{
    struct scale scale = net->layers[0].scale;
    double step = ldexp(log(2) * scale.multiplier, -scale.shift - 5);
    double whole = net->tensors[1].type == TYPE_U8 ? 256 : 32768;
    struct run *run = run_new(net);
    double worst = 0;
    assert_non_null(run);
    for (int trial = 0; trial < 2000; trial++) {
        int32_t in[CLASSES], out[CLASSES];
        double sum = 0;
        double spread = 0.1 + (double)(trial % 60) / 4;
        for (int i = 0; i < CLASSES; i++) {
            double value = floor(rng_uniform(rng, -spread, spread) / step);
            in[i] = value < -32768 ? -32768 : value > 32767 ? 32767 : (int32_t)value;
            sum += exp(in[i] * step);
        }
        run_predict(run, in, out);
        for (int i = 0; i < CLASSES; i++) {
            double miss = fabs(out[i] / whole - exp(in[i] * step) / sum);
            worst = miss > worst ? miss : worst;
        }
    }
    run_free(run);
    return worst;
}

/* SPEC 13.2 states the bound; it is no far one. */
static void test_near_softmax(void **state)
{
    struct rng rng = rng_new(1, 2);
    (void)state;
    for (double step = 0.0005; step < 2; step *= 1.7) {
        struct net *coarse = softmax_net(step, TYPE_U8);
        struct net *fine = softmax_net(step, TYPE_I16);
        double bound = 0.0056 + CLASSES / 16384.0;
        double worst = worst_of(fine, &rng);
        assert_true(worst_of(coarse, &rng) <= bound + 1.0 / 256);
        assert_true(worst <= bound + 1.0 / 32768);
        assert_true(worst > 0.0001);
        net_free(coarse);
        net_free(fine);
    }
}

/* 8 bits of the multiplier are within a half of a hundred and twenty-eighth. */
static void test_scale(void **state)
{
    (void)state;
    for (double step = 1e-5; step < 300; step *= 1.1) {
        struct scale scale = net_scale(step);
        double got = ldexp(log(2) * scale.multiplier, -scale.shift - 5);
        assert_true(scale.multiplier >= 1 && scale.multiplier <= NET_SCALE_MAX);
        assert_true(scale.shift >= 0 && scale.shift <= NET_SCALE_SHIFT);
        assert_true(fabs(got / step - 1) < 0.004 || step < 2e-4);
        assert_true(scale.multiplier % 2 == 1 || scale.shift == 0);
    }
    assert_int_equal(net_scale(1e-9).multiplier, 1); /* a step of nothing: all alike */
    assert_int_equal(net_scale(1e-9).shift, NET_SCALE_SHIFT);
    assert_int_equal(net_scale(1e9).multiplier, NET_SCALE_MAX);
}

static void test_append(void **state)
{
    struct error err = {0};
    (void)state;
    struct net *net = softmax_net(0.1, TYPE_I16);
    assert_false(net_gives_class(net));
    assert_int_equal(net_class_count(net), CLASSES);
    assert_true(net_append(net, OP_ARGMAX));
    assert_true(net_check(net, "net", &err));
    assert_true(net_gives_class(net));
    assert_int_equal(net_class_count(net), CLASSES);
    assert_int_equal(net->tensors[net->output].width, 1);
    assert_int_equal(net->tensors[net->output].type, TYPE_U8);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_softmax),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
