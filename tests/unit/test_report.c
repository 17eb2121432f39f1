/* Figures, tables, budgets and JSON of src/report. */
#include "support/unit.h"

#include "report/evaluate.h"
#include "report/report.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* y = a + 2 b in steps of 0.5, from two bytes; the outputs' range is 0..high. */
static struct net *sum_net(int64_t high)
{
    static const int16_t weights[] = {1, 2};
    static const int32_t bias[] = {0};
    static const uint8_t shift[] = {0};
    const struct decimal one = {1, 0}, zero = {0, 0};
    const struct channel inputs[] = {{"a", "V", one, zero, zero, {255, 0}},
                                     {"b", "V", one, zero, zero, {255, 0}}};
    const struct channel outputs[] = {{"y", "mm", {5, -1}, zero, zero, {high, 0}}};
    struct net *net = net_new("sum");
    assert_non_null(net);
    net->input = net_add_tensor(net, TYPE_U8, 2);
    net->output = net_add_tensor(net, TYPE_I16, 1);
    const struct layer layer = {.op = OP_DENSE,
                                .inputs = {net->input},
                                .input_count = 1,
                                .output = net->output,
                                .weights = {8, 1, 2, weights, false},
                                .bias = bias,
                                .shift = shift};
    const struct provenance provenance = {"", "0123456789abcdef", "by hand", {0}};
    assert_true(net_add_layer(net, &layer));
    assert_true(net_set_channels(net, inputs, outputs));
    assert_true(net_set_provenance(net, &provenance));
    struct error err = {0};
    assert_true(net_check(net, "sum", &err));
    return net;
}

static void errors_in_units(void **state)
{
    (void)state;
    /* codes 1 + 2*2 = 5 -> 2.5; 30 + 2*10 = 50 -> 25; 300 is clamped to 255 -> 127.5 */
    static const float rows[] = {1, 2, 2.5F, 30, 10, 28, 300, 0, 123.5F};
    struct error err = {0};
    struct dataset *data = data_from_rows(rows, 3, 2, 1, &err);
    struct arena *arena = arena_new();
    struct net *net = sum_net(100);
    struct evaluation evaluation;
    assert_true(evaluate_net(net, data, (struct row_set){0}, arena, &evaluation, &err));
    const struct figures *figures = &evaluation.figures;
    assert_int_equal(figures->rows, 3);
    assert_int_equal(evaluation.clamped, 1);
    assert_true(fabs(figures->mse - 25.0 / 3) < 1e-12); /* errors 0, 3, 4 */
    assert_true(fabs(figures->outputs[0].rms - sqrt(25.0 / 3)) < 1e-12);
    assert_true(fabs(figures->outputs[0].worst - 4) < 1e-12);
    assert_true(fabs(figures->rms_percent - sqrt(25.0 / 3)) < 1e-12);
    assert_true(figures->accuracy < 0);

    static const uint32_t some[] = {1};
    assert_true(evaluate_net(net, data, (struct row_set){some, 1}, arena, &evaluation, &err));
    assert_int_equal(evaluation.figures.rows, 1);
    assert_true(fabs(evaluation.figures.mse - 9) < 1e-12);
    assert_true(set_score(net, &evaluation.figures));
    assert_true(net->provenance.score.known);
    assert_int_equal(net->provenance.score.value.digits, 3);
    assert_int_equal(net->provenance.score.value.exponent, 0);
    net_free(net);
    data_free(data);
    arena_free(arena);
}

static void constant_output_has_no_percentage(void **state)
{
    (void)state;
    static const float rows[] = {1, 2, 2.5F};
    struct error err = {0};
    struct dataset *data = data_from_rows(rows, 1, 2, 1, &err);
    struct arena *arena = arena_new();
    struct net *net = sum_net(0);
    struct evaluation evaluation;
    assert_true(evaluate_net(net, data, (struct row_set){0}, arena, &evaluation, &err));
    assert_true(evaluation.figures.rms_percent == 0);
    net_free(net);
    data_free(data);
    arena_free(arena);
}

static void shapes_that_do_not_fit(void **state)
{
    (void)state;
    static const float rows[] = {1, 2, 2.5F, 7};
    struct error err = {0};
    struct dataset *data = data_from_rows(rows, 1, 3, 1, &err);
    struct arena *arena = arena_new();
    struct net *net = sum_net(100);
    struct evaluation evaluation;
    assert_false(evaluate_net(net, data, (struct row_set){0}, arena, &evaluation, &err));
    assert_string_equal(err.message, "the rows: 4 columns, but the net has 2 inputs and 1 outputs");
    net_free(net);
    data_free(data);
    arena_free(arena);
}

static void rows_must_be_finite(void **state)
{
    (void)state;
    const float rows[] = {1, 2, 3, NAN};
    struct error err = {0};
    assert_null(data_from_rows(rows, 2, 1, 1, &err));
    assert_string_equal(err.message, "row 2, column 2: not a finite number");
    err = (struct error){0};
    assert_null(data_from_rows(rows, 2, 0, 2, &err));
    assert_true(err.failed);
}

static void columns_line_up(void **state)
{
    (void)state;
    struct text out = {0};
    text_align(&out, "name\trms\tworst\n\xc3\xa9\t1.5\t10\n", "lr");
    assert_string_equal(out.data, "name  rms  worst\n"
                                  "\xc3\xa9     1.5     10\n");
    text_free(&out);
}

static void tables_of_costs(void **state)
{
    (void)state;
    const struct cost costs[] = {
        {"cortex-m0", 284, 216, 0, 72, 1667, 2400, 2300, COST_UNKNOWN, 3100, -1, 1000, 0, 0x1a2b},
        {"host", 393, 292, COST_UNKNOWN, COST_UNKNOWN, COST_UNKNOWN, COST_UNKNOWN, COST_UNKNOWN,
         COST_UNKNOWN, COST_UNKNOWN, 213.4, 1000, 2, 0xfedcba98}};
    const int64_t clocks[] = {48000000, 0};
    struct text out = {0};
    text_costs(&out, costs, clocks, 2);
    assert_string_equal(out.data, "target     flash  code  const  ram  stack  instructions  cycles "
                                  "  1ws      us  vectors  mismatches      hash\n"
                                  "cortex-m0    500   284    216    0     72          1667    2400 "
                                  " 3100   50.00     1000           0  00001a2b\n"
                                  "host         685   393    292    -      -             -       - "
                                  "    -  0.2134     1000           2  fedcba98\n");
    text_free(&out);
    json_t *list = json_costs(costs, clocks, 2);
    assert_int_equal(json_array_size(list), 2);
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "cycles")));
    const json_t *first = json_array_get(list, 0);
    assert_int_equal(json_integer_value(json_object_get(first, "stack")), 72);
    assert_int_equal(json_integer_value(json_object_get(first, "cycles_least")), 2300);
    assert_int_equal(json_integer_value(json_object_get(first, "cycles_1ws")), 3100);
    assert_string_equal(json_string_value(json_object_get(first, "hash")), "00001a2b");
    json_decref(list);
}

static void budgets(void **state)
{
    (void)state;
    const struct cost cost = {.target = "m0",
                              .flash_code = 284,
                              .flash_const = 216,
                              .ram = 8,
                              .stack = 72,
                              .cycles = 2400,
                              .nanoseconds = -1};
    const struct cost dark = {.target = "host",
                              .flash_code = 1,
                              .flash_const = 1,
                              .stack = COST_UNKNOWN,
                              .cycles = COST_UNKNOWN,
                              .nanoseconds = 5};
    const struct budget none = {0}, exact = {500, 80, 2400}, tight = {499, 79, 2399};
    struct text why = {0};
    assert_true(budget_met(&none, &dark, &why));
    assert_true(budget_met(&exact, &cost, &why));
    assert_int_equal(why.length, 0);
    assert_false(budget_met(&tight, &cost, &why));
    assert_string_equal(why.data, "m0: flash 500 bytes, over the budget of 499\n"
                                  "m0: RAM and stack 80 bytes, over the budget of 79\n"
                                  "m0: cycles 2400, over the budget of 2399\n");
    why.length = 0;
    assert_false(budget_met(&exact, &dark, &why));
    assert_string_equal(why.data, "host: RAM and stack is unknown, the budget is 80 bytes\n"
                                  "host: cycles is unknown, the budget is 2400\n");
    text_free(&why);
}

static void net_as_json(void **state)
{
    (void)state;
    struct net *net = sum_net(100);
    struct text first = {0}, second = {0};
    assert_true(json_text(json_net(net), &first));
    assert_true(json_text(json_net(net), &second));
    assert_string_equal(first.data, second.data);
    json_error_t error;
    json_t *root = json_loads(first.data, 0, &error);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "macs")), 2);
    const json_t *layer = json_array_get(json_object_get(root, "layers"), 0);
    assert_int_equal(json_integer_value(json_object_get(layer, "bound")), 765);
    json_decref(root);
    text_free(&first);
    text_free(&second);
    net_free(net);
}

static void missing_json_is_a_failure(void **state)
{
    (void)state;
    struct text out = {0};
    assert_false(json_text(NULL, &out));
    json_t *object = json_object();
    assert_false(json_put(object, "key", NULL));
    assert_false(json_put(NULL, "key", json_integer(1)));
    json_decref(object);
    text_free(&out);
}

/* One cycle more for any vector breaks constant time; what is unknown does not. */
static void constant_time(void **state)
{
    (void)state;
    struct error err = {0};
    struct cost cost = {.target = "board", .cycles = 100, .cycles_least = 100};
    assert_true(cost_constant(&cost, &err));
    cost.cycles_least = COST_UNKNOWN;
    assert_true(cost_constant(&cost, &err));
    cost.cycles_least = 99;
    assert_false(cost_constant(&cost, &err));
    assert_string_equal(err.message, "board: time is not constant: 99 to 100 cycles");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_in_units),
        cmocka_unit_test(constant_output_has_no_percentage),
        cmocka_unit_test(shapes_that_do_not_fit),
        cmocka_unit_test(rows_must_be_finite),
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(tables_of_costs),
        cmocka_unit_test(budgets),
        cmocka_unit_test(constant_time),
        cmocka_unit_test(net_as_json),
        cmocka_unit_test(missing_json_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
