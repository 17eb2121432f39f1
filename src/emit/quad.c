/* Two packed words at once: an activation is loaded once for four rows.  What a word holds, and
 * when a row fits, is pack.c's. */
#include "emit/kernel.h"

#include <stdio.h>

/* Columns that are written behind each other. */
#define QUAD_COLUMNS 32

static bool fits(const struct plan *plan, int index, int row)
{
    return kernel_packed.fits(plan, index, row);
}

static bool prepare(struct plan *plan, int index)
{
    return kernel_packed.prepare(plan, index);
}

static struct helper quad_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->views[layer->inputs[0]].type;
    return (struct helper){HELPER_QUAD, ACTIVATION_NONE, type, type, layer->weights.columns};
}

/* ---- tables ---- */

/* Biases and weights of four rows, column by column. */
static void print_quad_row(struct printer *p, int index, int row)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    size_t columns = (size_t)layer->weights.columns;
    const int16_t *weights = layer->weights.values + (size_t)row * columns;
    size_t at = 0;
    text_add(p->out, "        {");
    pack_print(p, pack_bias(plan, index, row), pack_bias(plan, index, row + 1), &at);
    pack_print(p, pack_bias(plan, index, row + 2), pack_bias(plan, index, row + 3), &at);
    for (size_t j = 0; j < columns; j++) {
        pack_print(p, weights[j], weights[columns + j], &at);
        pack_print(p, weights[2 * columns + j], weights[3 * columns + j], &at);
    }
    text_add(p->out, "},\n");
}

static void tables(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct choice *choice = plan_choice(plan, index);
    text_printf(p->out, "    static const uint32_t q%d[%d][2 + (2 * %d)] %s_FLASH = {\n",
                plan->steps[index].number, plan_rows_of(plan, index, &kernel_quad) / 4,
                plan->net->layers[index].weights.columns, plan->upper);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        for (int row = 0; span->kernel == &kernel_quad && row < span->rows; row += 4) {
            print_quad_row(p, index, span->first + row);
        }
    }
    text_add(p->out, "    };\n");
}

/* ---- the helper ---- */

/* Columns that are written behind each other: all, or the largest part that divides them. */
static int unrolled(int columns)
{
    int part = columns < QUAD_COLUMNS ? columns : QUAD_COLUMNS;
    while (columns % part != 0) {
        part--;
    }
    return part;
}

void print_quad_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name)
{
    int part = unrolled(helper.columns);
    bool loops = part < helper.columns;
    const char *indent = loops ? "        " : "    ";
    text_printf(
        out,
        "/* Four rows of a layer at once, modulo 2^32: two in the halves of the sum that is "
        "returned, two in\n * those of *other.  w: their biases, then their weights. */\n"
        "static uint32_t %s(const %s *a, const uint32_t *w, uint32_t *other)\n{\n"
        "    uint32_t s = %s_U32(w, 0);\n"
        "    uint32_t t = %s_U32(w, 1);\n",
        name, c_type(helper.a), plan->upper, plan->upper);
    const char *x = loops ? "x" : "a";
    const char *v = loops ? "v" : "w";
    if (loops) {
        text_printf(out,
                    "    const %s *x = a;\n    const uint32_t *v = w;\n"
                    "    for (%s i = 0; i < %d; i++) {\n",
                    c_type(helper.a), plan->index, helper.columns / part);
    }
    for (int j = 0; j < part; j++) {
        text_printf(out, "%ss += (uint32_t)%s[%d] * %s_U32(%s, %d);\n", indent, x, j, plan->upper,
                    v, 2 * j + 2);
        text_printf(out, "%st += (uint32_t)%s[%d] * %s_U32(%s, %d);\n", indent, x, j, plan->upper,
                    v, 2 * j + 3);
    }
    if (loops) {
        text_printf(out, "        x = &x[%d];\n        v = &v[%d];\n    }\n", part, 2 * part);
    }
    text_add(out, "    *other = t;\n    return s;\n}\n\n");
}

/* ---- statements ---- */

/* "7", or "(4 * i) + 7" in a loop. */
static void row_text(const struct span *span, int row, char text[ELEMENT_MAX])
{
    if (span->rows == 4) {
        (void)snprintf(text, ELEMENT_MAX, "%d", row);
    } else {
        (void)snprintf(text, ELEMENT_MAX, row ? "(4 * i) + %d" : "4 * i", row);
    }
}

static void print_word(struct printer *p, int index, const struct span *span, int which)
{
    char low[ELEMENT_MAX];
    char high[ELEMENT_MAX];
    const struct pack_word word = {.name = which ? "other" : "s",
                                   .suffix = which ? "2" : "",
                                   .rows = {low, high},
                                   .first = span->first + 2 * which,
                                   .end = span->first + span->rows,
                                   .stride = 4};
    row_text(span, word.first, low);
    row_text(span, word.first + 1, high);
    text_add(p->out, "        {\n");
    pack_print_word(p, index, &word);
    text_add(p->out, "        }\n");
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char at[ELEMENT_MAX] = "i";
    if (span->rows == 4) {
        text_add(p->out, "    {\n        ");
        (void)snprintf(at, sizeof at, "%d", span->before / 4);
    } else {
        print_loop(p, span->rows / 4);
        (void)snprintf(at, sizeof at, span->before ? "i + %d" : "i", span->before / 4);
    }
    text_printf(p->out, "uint32_t other;\n        const uint32_t s = %s(%s, q%d[%s], &other);\n",
                helper_name(plan, p->helpers, quad_helper(plan, index), name),
                address(plan, layer->inputs[0], in), plan->steps[index].number, at);
    print_word(p, index, span, 0);
    print_word(p, index, span, 1);
    text_add(p->out, "    }\n");
}

/* ---- the kernel ---- */

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    int columns = layer->weights.columns;
    int64_t quads = span->rows / 4;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = quads;
    features->count[FEATURE_LOAD] = unrolled(columns);
    features->count[FEATURE_WEIGHT] = quads * columns;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_ONE] = span->rows * (!step->shift.uniform + !step->offset.uniform);
    features->count[FEATURE_POWER] = unrolled(columns) < columns ? quads * columns : 0;
    features->count[FEATURE_BYTE] =
        quads * 8 * (1 + columns) + series_bytes(&step->shift) + series_bytes(&step->offset);
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    helpers_need(helpers, quad_helper(plan, index));
    helpers->pairs = true;
}

const struct kernel kernel_quad = {
    .kind = KERNEL_QUAD,
    .what = "two packed words at once",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 4,
    .smaller = &kernel_packed,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .words = true,
    .bytes = true,
    .clamps = true,
    .fits = fits,
    .prepare = prepare,
    .count = count,
    .need = need,
    .tables = tables,
    .span = span_statements,
};
