/* What a prover sees of a layer decides the code behind it: kernels, clamps (src/emit/known.c), and
 * where activations stand. */
#include "support/unit.h"

#include "base/text.h"
#include "emit/kernel.h"

#include <string.h>

enum { COLUMNS = 6, ROWS = 4 };

/* int8[6] -> int8[4], of which no element is larger than 2 -> `type`[1]: four times `weight` of
 * them, and `bias`, behind `shift`. */
static struct net *two_layers(enum type type, int weight, int32_t bias, int shift)
{
    struct net *net = net_new("two");
    int16_t first[ROWS * COLUMNS];
    int16_t second[ROWS];
    int32_t zeros[ROWS] = {0};
    uint8_t shifts[ROWS];
    uint8_t last = (uint8_t)shift;
    struct channel channels[COLUMNS];
    struct error err = {0};
    assert_non_null(net);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        first[i] = 1;
        channels[i % COLUMNS] = (struct channel){"", "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    for (int i = 0; i < ROWS; i++) {
        second[i] = (int16_t)weight;
        shifts[i] = 8; /* 6 * 127 / 256 */
    }
    net->input = net_add_tensor(net, TYPE_I8, COLUMNS);
    int hidden = net_add_tensor(net, TYPE_I8, ROWS);
    net->output = net_add_tensor(net, type, 1);
    struct layer a = {.op = OP_DENSE,
                      .input_count = 1,
                      .output = hidden,
                      .activation = ACTIVATION_RELU,
                      .weights = {8, ROWS, COLUMNS, first, false},
                      .bias = zeros,
                      .shift = shifts};
    struct layer b = {.op = OP_DENSE,
                      .inputs = {hidden},
                      .input_count = 1,
                      .output = net->output,
                      .weights = {8, 1, ROWS, second, false},
                      .bias = &bias,
                      .shift = &last};
    assert_true(net_add_layer(net, &a) && net_add_layer(net, &b));
    assert_true(net_set_channels(net, channels, channels));
    assert_true(net_check(net, "two", &err));
    return net;
}

/* Rows of the first layer that the named kernel takes; *clamps: of the second layer. */
static int rows_taken(const struct net *net, const char *kernel, bool *clamps)
{
    struct emit_options options = {.kernel = kernel};
    enum kernel_kind kind;
    assert_true(kernel_parse(kernel, &kind));
    struct plan *plan = plan_new(net, &options);
    assert_non_null(plan);
    int rows = plan_rows_of(plan, 0, kernel_at(kind));
    *clamps = plan->steps[1].clamps;
    plan_free(plan);
    return rows;
}

/* Sums modulo 2^n may be 0 .. 127 behind ReLU, where the plan knows 0 .. 2. */
static void test_no_wrap_in_front_of_the_edge(void **state)
{
    static const char *const kernels[] = {"dsp", "bits", "packed"};
    (void)state;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        bool clamps;
        struct net *far = two_layers(TYPE_I32, 100, INT32_MAX - 4 * 100 * 127, 0);
        struct net *near = two_layers(TYPE_I32, 100, INT32_MAX - 4 * 100 * 127 + 1, 0);
        assert_int_equal(rows_taken(far, kernels[i], &clamps), ROWS);
        assert_int_equal(rows_taken(near, kernels[i], &clamps), 0);
        net_free(far);
        net_free(near);
    }
}

static void test_clamps_what_may_be_seen(void **state)
{
    (void)state;
    bool clamps;
    struct net *far = two_layers(TYPE_I16, 64, INT16_MAX - 4 * 64 * 127, 0);
    struct net *near = two_layers(TYPE_I16, 64, INT16_MAX - 4 * 64 * 127 + 1, 0);
    assert_int_equal(rows_taken(far, "packed", &clamps), ROWS);
    assert_false(clamps);
    assert_int_equal(rows_taken(near, "packed", &clamps), ROWS);
    assert_true(clamps);
    assert_int_equal(rows_taken(near, "line", &clamps), ROWS); /* exact: no clamp */
    assert_false(clamps);
    net_free(far);
    net_free(near);
}

/* Activations in a straight line: a loop of their own, or, where compilers inline, row by row. */
static void test_activations_inline(void **state)
{
    (void)state;
    struct net *net = two_layers(TYPE_I16, 1, 0, 0);
    struct machine machine = *machine_default();
    struct emit_options options = {
        .kernel = "line", .machine = &machine, .optimise = OPTIMISE_SPEED};
    struct error err = {0};
    for (int inlines = 0; inlines < 2; inlines++) {
        struct text text = {0};
        machine.inlines = inlines == 1;
        assert_true(emit_c(net, &options, &text, NULL, &err));
        assert_int_equal(strstr(text.data, "two_relu_all(") == NULL, inlines);
        text_free(&text);
    }
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_wrap_in_front_of_the_edge),
        cmocka_unit_test(test_clamps_what_may_be_seen),
        cmocka_unit_test(test_activations_inline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
