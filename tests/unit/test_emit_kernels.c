/* What kernels promise beside exact outputs (test_emit_equal.c): which rows they take, and how
 * small their tables are. */
#include "support/unit.h"

#include "base/text.h"
#include "emit/kernel.h"
#include "support/emitted.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, COLUMNS = 41 };

/* One layer, int8 to int16, whose weights `at` gives; shift 4 and the bias for all rows. */
static struct net *dense(int bits, int32_t bias, int16_t (*at)(int row, int column))
{
    struct net *net = net_new("dense");
    int16_t weights[ROWS * COLUMNS];
    int32_t biases[ROWS];
    uint8_t shift[ROWS];
    struct channel inputs[COLUMNS];
    struct error err = {0};
    assert_non_null(net);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        weights[i] = at(i / COLUMNS, i % COLUMNS);
    }
    for (int i = 0; i < COLUMNS; i++) {
        inputs[i] = (struct channel){"", "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    for (int i = 0; i < ROWS; i++) {
        biases[i] = bias + i;
        shift[i] = 4;
    }
    net->input = net_add_tensor(net, TYPE_I8, COLUMNS);
    net->output = net_add_tensor(net, TYPE_I16, ROWS);
    struct layer layer = {.op = OP_DENSE,
                          .input_count = 1,
                          .output = net->output,
                          .weights = {bits, ROWS, COLUMNS, weights, false},
                          .bias = biases,
                          .shift = shift};
    assert_true(net_add_layer(net, &layer) && net_set_channels(net, inputs, inputs));
    assert_true(net_check(net, "dense", &err));
    return net;
}

/* Rows that a kernel takes where the options name it. */
static int rows_taken(const struct net *net, const char *kernel)
{
    struct emit_options options = {.kernel = kernel};
    enum kernel_kind kind;
    assert_true(kernel_parse(kernel, &kind));
    struct plan *plan = plan_new(net, &options);
    assert_non_null(plan);
    int rows = plan_rows_of(plan, 0, kernel_at(kind));
    plan_free(plan);
    return rows;
}

/* Row i has the weight i - 2, and 2 - i: -2 .. 2. */
static int16_t small_weight(int row, int column)
{
    return (int16_t)(column % 2 ? row - 2 : 0);
}

/* Row i has the weight 3 i - 8 among ones: -8, -5, -2, 1, 4. */
static int16_t nibble_weight(int row, int column)
{
    return (int16_t)(column == 3 ? 3 * row - 8 : 1);
}

static int16_t wide_weight(int row, int column)
{
    return (int16_t)(column == 40 ? 8 + row : -8);
}

static void test_low_rows(void **state)
{
    (void)state;
    struct net *small = dense(8, 0, small_weight);
    struct net *nibble = dense(8, 0, nibble_weight);
    struct net *wide = dense(8, 0, wide_weight);
    assert_int_equal(rows_taken(small, "ternary"), 3);
    assert_int_equal(rows_taken(small, "loop2"), 4);
    assert_int_equal(rows_taken(small, "loop4"), 5);
    assert_int_equal(rows_taken(nibble, "ternary"), 1);
    assert_int_equal(rows_taken(nibble, "loop2"), 2);
    assert_int_equal(rows_taken(nibble, "loop4"), 5);
    assert_int_equal(rows_taken(wide, "loop4"), 0);
    net_free(small);
    net_free(nibble);
    net_free(wide);
}

static int16_t ternary_weight(int row, int column)
{
    return (int16_t)((row * 7 + column * 5) % 3 - 1);
}

/* Five, four and two weights to a byte, and nothing beside them that grows with the weights. */
static void test_low_tables(void **state)
{
    static const struct {
        const char *kernel, *table;
    } packings[] = {
        {"ternary", "static const uint8_t q1[5][9] "},
        {"loop2", "static const uint8_t q1[5][11] "},
        {"loop4", "static const uint8_t q1[5][21] "},
        {"loop", "static const int8_t w1[5][41] "},
    };
    (void)state;
    struct net *net = dense(2, 0, ternary_weight);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        struct emit_options options = {.kernel = packings[i].kernel};
        struct text header = {0};
        struct error err = {0};
        assert_true(emit_c(net, &options, &header, NULL, &err));
        const char *table = strstr(header.data, packings[i].table);
        assert_non_null(table);
        const char *next = strstr(table + 1, "_FLASH = {");
        assert_non_null(next);
        next = strstr(next + 1, "_FLASH = {"); /* the biases, but no second table of weights */
        assert_true(!next || !strstr(next + 1, "_FLASH = {"));
        text_free(&header);
    }
    net_free(net);
}

/* For size, the smallest packing that the weights allow is taken. */
static void test_size_takes_low(void **state)
{
    (void)state;
    struct net *ternary = dense(2, 0, ternary_weight);
    struct net *nibble = dense(8, 0, nibble_weight);
    struct emit_options options = {.optimise = OPTIMISE_SIZE};
    struct plan *plan = plan_new(ternary, &options);
    assert_non_null(plan);
    enum kernel_kind kind = plan_kernel(plan, 0)->kind; /* they differ by a byte or two */
    assert_true(kind == KERNEL_TERNARY || kind == KERNEL_LOOP2);
    plan_free(plan);
    plan = plan_new(nibble, &options);
    assert_non_null(plan);
    assert_int_equal(plan_kernel(plan, 0)->kind, KERNEL_LOOP4);
    plan_free(plan);
    net_free(ternary);
    net_free(nibble);
}

/* The magnitudes of each row sum to 257: with int8 inputs, 65536 sums and no more. */
static int16_t edge_weight(int row, int column)
{
    return (int16_t)(column < 2 ? 100 + row : column == 2 ? 57 - 2 * row : 0);
}

static int16_t over_weight(int row, int column)
{
    return (int16_t)(edge_weight(row, column) + (column == 2));
}

/* The last sums that 16 bits hold, and one more.  The bias adds what keeps the lowest sum of row 0,
 * or of row 1, a multiple of 2^shift, which an offset must be. */
static void test_narrow_rows(void **state)
{
    static const char *const kernels[] = {"narrow", "narrowline"};
    (void)state;
    struct net *edge = dense(8, 128 * 257 % 16, edge_weight);
    struct net *over = dense(8, 128 * 258 % 16, over_weight);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rows_taken(edge, kernels[i]), 1);
        assert_int_equal(rows_taken(over, kernels[i]), 0);
    }
    net_free(edge);
    net_free(over);
}

/* Odd and even ones of up to 7 bits. */
static int16_t any_weight(int row, int column)
{
    return (int16_t)((row * 53 + column * 29) % 255 - 127);
}

/* No call of a multiplication where a chip has none. */
static void test_no_multiplication(void **state)
{
    static const char *const kernels[] = {"bits", "shifts"};
    (void)state;
    if (!have_command("riscv64-unknown-elf-gcc")) {
        skip();
    }
    struct net *net = dense(8, 0, any_weight);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rows_taken(net, kernels[i]), ROWS);
        struct emit_options options = {.kernel = kernels[i], .name = "dense", .separate = true};
        emit_scratch(net, &options);
        assert_int_equal(run_command("cd %s && riscv64-unknown-elf-gcc -march=rv32ec -mabi=ilp32e "
                                     "-std=c99 -ffreestanding -Os -S dense.c && "
                                     "! grep -q mulsi3 dense.s",
                                     scratch_path("")),
                         0);
    }
    net_free(net);
}

static int16_t late_weight(int row, int column)
{
    return (int16_t)(row < 2 ? 0 : any_weight(row, column));
}

static int16_t late_small_weight(int row, int column)
{
    return (int16_t)(row < 2 ? 0 : (row + column) % 3);
}

/* A row without weights is a number, clamped already: a comparison of a constant is what static
 * checks find. */
static void test_constant_rows(void **state)
{
    (void)state;
    struct net *net = dense(8, -16 * 32768 - 17, late_weight); /* i16: -32770 and -32769 as sums */
    struct net *small = dense(8, 17, late_small_weight); /* 17 and 18 as sums, 1 behind the shift */
    const struct {
        const struct net *net;
        const char *kernel, *value;
    } ways[] = {{net, "shifts", "(-32768);"}, {small, "narrowline", "(1);"}};
    for (size_t i = 0; i < 2; i++) {
        struct emit_options options = {.kernel = ways[i].kernel};
        struct text header = {0};
        struct error err = {0};
        char line[60];
        assert_int_equal(rows_taken(ways[i].net, ways[i].kernel), ROWS);
        assert_true(emit_c(ways[i].net, &options, &header, NULL, &err));
        for (int row = 0; row < 2; row++) {
            (void)snprintf(line, sizeof line, "out[%d] = (int16_t)%s", row, ways[i].value);
            assert_non_null(strstr(header.data, line));
        }
        assert_null(strstr(header.data, "u0 "));
        text_free(&header);
    }
    net_free(net);
    net_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_low_rows),          cmocka_unit_test(test_low_tables),
        cmocka_unit_test(test_size_takes_low),    cmocka_unit_test(test_narrow_rows),
        cmocka_unit_test(test_no_multiplication), cmocka_unit_test(test_constant_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
