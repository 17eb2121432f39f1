/* Two kernels that compilers for machines with vector registers turn into vector code.
 *
 * The loops run over rows, whose sums stand side by side, and take four columns at a time, so that
 * the sums are loaded and stored seldom.  Counts are constants and weights have 16 bits, like what
 * vector multiplications read.  Sums have 32 bits; or 16, modulo 2^16, where an offset in the bias
 * keeps each final sum within 0..65535 (pack.c): then a register holds twice as many. */
#include "emit/kernel.h"

#include <stdio.h>

enum {
    GROUP = 4, /* columns that one loop over rows takes */
    COLUMNS_FLAT =
        32 /* so many columns are groups behind each other; more are a loop over groups */
};

/* Columns that the loop over groups takes: all full groups of a wide layer. */
static int looped(const struct layer *layer)
{
    int columns = layer->weights.columns;
    return columns > COLUMNS_FLAT ? columns - columns % GROUP : 0;
}

/* Rows with those that are added so that whole registers are left: compilers then need no loop for
 * the rest, and GCC's -O2 vectorises nothing that does. */
static int padded(const struct layer *layer)
{
    enum { FEW = 4, WHOLE = 8 };
    int rows = layer->weights.rows;
    return rows <= FEW ? rows : (rows + WHOLE - 1) / WHOLE * WHOLE;
}

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    int64_t weights = (int64_t)padded(layer) * layer->weights.columns;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_LOAD] = layer->weights.columns;
    features->count[FEATURE_WEIGHT] = weights;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_BYTE] =
        2 * weights + (int64_t)4 * padded(layer) + series_bytes(&plan->steps[index].shift);
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    (void)plan;
    (void)index;
    helpers->reads[TYPE_I16] = true;
    helpers->reads[TYPE_I32] = true;
}

/* Is the layer in the kernel with sums of 16 bits? */
static bool is_half(const struct plan *plan, int index)
{
    return plan_kernel(plan, index) == &kernel_vector16;
}

/* static const int32_t c1[rows] = biases; static const int16_t v1[columns][rows] = weights; */
static void print_tables(struct printer *p, int index, const int32_t *bias, const int16_t *across)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int number = p->plan->steps[index].number;
    int rows = padded(layer);
    int columns = layer->weights.columns;
    text_printf(p->out, "    static const %s c%d[%d] %s_FLASH = {\n        ",
                is_half(p->plan, index) ? "uint16_t" : "int32_t", number, rows, p->plan->upper);
    print_numbers(p->out, (struct numbers){.i32 = bias}, 0, rows, 8);
    text_printf(p->out, "\n    };\n    static const int16_t v%d[%d][%d] %s_FLASH = {\n", number,
                columns, rows, p->plan->upper);
    for (int j = 0; j < columns; j++) {
        text_add(p->out, "        {");
        print_numbers(p->out, (struct numbers){.i16 = across}, (size_t)j * (size_t)rows, rows, 9);
        text_add(p->out, j + 1 < columns ? "},\n" : "}\n");
    }
    text_add(p->out, "    };\n");
}

/* Weights by columns, zeros in the rows that are added. */
static void tables(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    size_t rows = (size_t)padded(layer);
    size_t columns = (size_t)layer->weights.columns;
    int16_t *across = arena_alloc(p->plan->arena, rows * columns, sizeof *across);
    int32_t *bias = arena_alloc(p->plan->arena, rows, sizeof *bias);
    if (!across || !bias) {
        p->out->failed = true;
        return;
    }
    for (size_t i = 0; i < (size_t)layer->weights.rows; i++) {
        bool half = is_half(p->plan, index);
        bias[i] = half ? pack_bias(p->plan, index, (int)i) & 0xFFFF : layer->bias[i];
        for (size_t j = 0; j < columns; j++) {
            across[j * rows + i] = layer->weights.values[i * columns + j];
        }
    }
    print_tables(p, index, bias, across);
}

/* "3", or within the loop over groups "j" and "j + 3". */
static void column_text(const char *over, int number, char column[32])
{
    if (*over && number == 0) {
        (void)snprintf(column, 32, "%s", over);
    } else {
        (void)snprintf(column, 32, "%s%s%d", over, *over ? " + " : "", number);
    }
}

/* "((int32_t)v1[3][i] * (int32_t)a[3]) + ..." for so many columns from the group's `first` on;
 * `over` is the variable of the loop over groups, or "". */
static void print_products(struct printer *p, int index, int first, int columns, const char *over)
{
    const struct plan *plan = p->plan;
    const char *type = is_half(plan, index) ? "uint32_t" : "int32_t";
    for (int j = 0; j < columns; j++) {
        char column[32];
        char in[ELEMENT_MAX];
        column_text(over, first + j, column);
        text_printf(p->out, "%s((%s)%s_I16(v%d[%s], i) * (%s)%s)", j ? " +\n                " : "",
                    type, plan->upper, plan->steps[index].number, column, type,
                    element(plan, plan->net->layers[index].inputs[0], column, in));
    }
}

/* A group's columns in a loop over the rows.  What they add is summed before the sum takes it: a
 * chain of one addition a group. */
static void print_group(struct printer *p, int index, int first, int columns, const char *over)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    bool half = is_half(plan, index);
    bool begins = first == 0 && !*over && looped(layer) == 0;
    text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n            s[i] ", plan->index,
                padded(layer));
    if (begins) {
        text_printf(p->out,
                    half ? "= (uint16_t)((uint32_t)%s_U16(c%d, i) + (" : "= %s_I32(c%d, i) + (",
                    plan->upper, plan->steps[index].number);
    } else {
        text_add(p->out, half ? "= (uint16_t)((uint32_t)s[i] + (" : "+= (");
    }
    print_products(p, index, first, columns, over);
    text_add(p->out, half ? "));\n        }\n" : ");\n        }\n");
}

/* The loop over groups of a wide layer, on top of the biases. */
static void print_groups(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    text_printf(
        p->out,
        "        for (%s i = 0; i < %d; i++) {\n            s[i] = %s_%s(c%d, i);\n        }\n"
        "        for (%s j = 0; j < %d; j += %d) {\n",
        plan->index, padded(layer), plan->upper, is_half(plan, index) ? "U16" : "I32",
        plan->steps[index].number, plan->index, looped(layer), GROUP);
    print_group(p, index, 0, GROUP, "j");
    text_add(p->out, "        }\n");
}

/* All sums, over all columns. */
static void print_sums(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int columns = layer->weights.columns;
    if (looped(layer) > 0) {
        print_groups(p, index);
    }
    for (int j = looped(layer); j < columns; j += GROUP) {
        print_group(p, index, j, columns - j < GROUP ? columns - j : GROUP, "");
    }
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct step *step = &plan->steps[index];
    char shift[ELEMENT_MAX];
    text_printf(p->out, "    {\n        int32_t s[%d];\n", padded(&plan->net->layers[index]));
    print_sums(p, index);
    text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n            ", plan->index,
                span->rows);
    const char *end = print_target(p, index, "i", plan_acts(plan, index));
    if (!step->shift.uniform || step->shift.value != 0) {
        text_printf(p->out, "%s_floor(s[i], %s)", plan->name,
                    series_at(plan, &step->shift, "i", shift));
    } else {
        text_add(p->out, "s[i]");
    }
    text_printf(p->out, "%s        }\n    }\n", end);
}

/* Every row fits, so that its span is the whole layer. */
const struct kernel kernel_vector = {
    .kind = KERNEL_VECTOR,
    .what = "loops over rows, side by side in vector registers",
    .shape = SHAPE_SPAN,
    .group = 1,
    .shorts = true,
    .series = SERIES_SHIFT,
    .floors = true,
    .count = count,
    .need = need,
    .tables = tables,
    .span = span_statements,
};

/* ---- sums of 16 bits ---- */

/* Is there an offset that moves all sums to 0..65535? */
static bool fits16(const struct plan *plan, int index, int row)
{
    struct interval offsets = pack_offsets(plan, index, row, PACK_VALUES);
    return offsets.low <= offsets.high && mask_fits(plan, index, row);
}

static bool prepare16(struct plan *plan, int index)
{
    return pack_prepare(plan, index, PACK_VALUES);
}

static void need16(const struct plan *plan, int index, struct helpers *helpers)
{
    (void)plan;
    (void)index;
    helpers->reads[TYPE_I16] = true;
    helpers->reads[TYPE_U16] = true;
}

static void span16(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct masked masked = {
        .sum = "s[i]", .row = "i", .suffix = "", .first = 0, .end = span->rows, .halves = true};
    text_printf(p->out, "    { /* modulo 2^16 */\n        uint16_t s[%d];\n",
                padded(&plan->net->layers[index]));
    print_sums(p, index);
    text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n", plan->index, span->rows);
    mask_print(p, index, &masked);
    text_add(p->out, "        }\n    }\n");
}

const struct kernel kernel_vector16 = {
    .kind = KERNEL_VECTOR16,
    .what = "the same with sums of 16 bits, twice as many to a register",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 1,
    .shorts = true,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .clamps = true,
    .whole = true,
    .fits = fits16,
    .prepare = prepare16,
    .count = count,
    .need = need16,
    .tables = tables,
    .span = span16,
};
