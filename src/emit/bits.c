/* The bit kernel: no multiplication, for cores without a multiplier.
 *
 * A column's weights are added for each bit of its activation that is set, and double from bit to
 * bit until none is left; below zero they change their sign first.  The sums of up to BITS_WORDS
 * words stay in registers meanwhile.  A word holds two rows where all rows of the layer fit half a
 * word each (pack.c), otherwise one; either way an offset keeps every final sum from being
 * negative, and what happens on the way is modulo 2^32. */
#include "emit/kernel.h"

#include <stdio.h>

/* Sums at once: what RV32E holds beside the loop's own numbers. */
#define BITS_WORDS 4
/* What a word holds of one row, so that it is a non-negative int32_t behind a shift of zero. */
#define BITS_VALUES ((int64_t)1 << 31)

/* How a layer is cut. */
struct cut {
    bool packed; /* two rows in each word */
    int words;   /* of one pass */
    int passes;
    int bits;  /* of an activation, the sign included */
    bool sign; /* may one be negative? */
};

/* Bits that any activation of the layer may have set. */
static void cut_bits(const struct plan *plan, const struct layer *layer, struct cut *cut)
{
    const struct interval *in = plan->ranges[layer->inputs[0]];
    int64_t most = 1;
    for (int j = 0; j < layer->weights.columns; j++) {
        int64_t size = in[j].low < 0 && -1 - in[j].low > in[j].high ? -1 - in[j].low : in[j].high;
        most = size > most ? size : most;
        cut->sign = cut->sign || in[j].low < 0;
    }
    cut->bits = cut->sign;
    while (most >> (cut->bits - cut->sign) != 0) {
        cut->bits++;
    }
}

static struct cut cut_of(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    int rows = layer->weights.rows;
    struct cut cut = {.packed = rows > 1};
    for (int row = 0; cut.packed && row < rows; row++) {
        struct interval offsets = pack_offsets(plan, index, row, PACK_VALUES);
        cut.packed = offsets.low <= offsets.high;
    }
    int words = cut.packed ? (rows + 1) / 2 : rows;
    cut.passes = (words + BITS_WORDS - 1) / BITS_WORDS;
    cut.words = (words + cut.passes - 1) / cut.passes;
    cut_bits(plan, layer, &cut);
    return cut;
}

/* Is there an offset that keeps the row's sums within a word? */
static bool fits(const struct plan *plan, int index, int row)
{
    struct interval offsets = pack_offsets(plan, index, row, BITS_VALUES);
    return offsets.low <= offsets.high && mask_fits(plan, index, row);
}

static bool prepare(struct plan *plan, int index)
{
    return cut_of(plan, index).packed ? pack_prepare_words(plan, index)
                                      : pack_prepare(plan, index, BITS_VALUES);
}

/* ---- tables ---- */

/* Of the table's elements: TYPE_I32 stands for packed words. */
static enum type table_type(const struct plan *plan, int index)
{
    return cut_of(plan, index).packed ? TYPE_I32 : plan_weight_type(&plan->net->layers[index]);
}

/* Weight of a row, 0 for the rows that fill the last word. */
static int weight_at(const struct layer *layer, int row, int column)
{
    size_t at = (size_t)row * (size_t)layer->weights.columns + (size_t)column;
    return row < layer->weights.rows ? layer->weights.values[at] : 0;
}

static int32_t bias_at(const struct plan *plan, int index, int row)
{
    return row < plan->net->layers[index].weights.rows ? pack_bias(plan, index, row) : 0;
}

/* The words of one column, `column` < 0: of the biases. */
static void print_pairs(struct printer *p, int index, int first, int column)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct cut cut = cut_of(p->plan, index);
    size_t at = 0;
    text_add(p->out, "        {");
    for (int row = first; row < first + 2 * cut.words; row += 2) {
        if (column < 0) {
            pack_print(p, bias_at(p->plan, index, row), bias_at(p->plan, index, row + 1), &at);
        } else {
            pack_print(p, weight_at(layer, row, column), weight_at(layer, row + 1, column), &at);
        }
    }
    text_add(p->out, "},\n");
}

/* Column by column, behind them the biases; pass after pass. */
static void packed_table(struct printer *p, int index)
{
    struct cut cut = cut_of(p->plan, index);
    int columns = p->plan->net->layers[index].weights.columns;
    text_printf(p->out, "    static const uint32_t t%d[%d][%d] %s_FLASH = {\n",
                p->plan->steps[index].number, cut.passes * (columns + 1), cut.words,
                p->plan->upper);
    for (int pass = 0; pass < cut.passes; pass++) {
        for (int j = -1; j < columns; j++) {
            print_pairs(p, index, 2 * pass * cut.words, j);
        }
    }
    text_add(p->out, "    };\n");
}

/* One row's numbers behind those of the others, and its biases in a table of their own. */
static void single_table(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    struct cut cut = cut_of(plan, index);
    int columns = layer->weights.columns;
    text_printf(p->out, "    static const %s t%d[%d][%d] %s_FLASH = {\n",
                c_type(plan_weight_type(layer)), step->number, cut.passes * columns, cut.words,
                plan->upper);
    for (int i = 0; i < cut.passes * columns; i++) {
        text_add(p->out, "        {");
        for (int k = 0; k < cut.words; k++) {
            int row = i / columns * cut.words + k;
            text_printf(p->out, k ? ", %d" : "%d", weight_at(layer, row, i % columns));
        }
        text_add(p->out, "},\n");
    }
    text_add(p->out, "    };\n");
    print_biases(p, index);
}

static void tables(struct printer *p, int index)
{
    cut_of(p->plan, index).packed ? packed_table(p, index) : single_table(p, index);
}

/* ---- the helper ---- */

static struct helper bits_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return (struct helper){HELPER_BITS, ACTIVATION_NONE, plan->views[layer->inputs[0]].type,
                           table_type(plan, index), cut_of(plan, index).words};
}

/* Has any layer of this kernel activations below zero? */
static bool any_sign(const struct plan *plan)
{
    bool sign = false;
    for (int i = 0; i < plan->net->layer_count; i++) {
        bool bits = plan->net->layers[i].op == OP_DENSE && plan_rows_of(plan, i, &kernel_bits) > 0;
        sign = sign || (bits && cut_of(plan, i).sign);
    }
    return sign;
}

/* "s0 += w0;" of each sum, for "s" and " += w". */
static void each_sum(struct text *out, int words, const char *left, const char *right)
{
    for (int k = 0; k < words; k++) {
        text_printf(out, "%s%d%s%d;\n", left, k, right, k);
    }
}

/* Element k of the words at `at`. */
static void print_word(struct text *out, const struct plan *plan, enum type type, int k)
{
    static const char *const macros[] = {"I8", "U8", "I16"};
    if (type == TYPE_I32) {
        text_printf(out, "%s_U32(at, %d)", plan->upper, k);
    } else {
        text_printf(out, "(uint32_t)%s_%s(at, %d)", plan->upper, macros[type], k);
    }
}

/* What one column adds: its weights double from bit to bit. */
static void print_column(struct text *out, const struct plan *plan, struct helper helper)
{
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out, "            uint32_t w%d = ", k);
        print_word(out, plan, helper.b, k);
        text_add(out, ";\n");
    }
    if (type_low(helper.a) < 0 && any_sign(plan)) {
        text_add(out, "            if (a[i] < 0) {\n                x = 0U - x;\n");
        each_sum(out, helper.columns, "                w", " = 0U - w");
        text_add(out, "            }\n");
    }
    text_add(out, "            for (;;) {\n                if ((x & 1U) != 0U) {\n");
    each_sum(out, helper.columns, "                    s", " += w");
    text_add(out, "                }\n                x >>= 1;\n"
                  "                if (x == 0U) {\n                    break;\n"
                  "                }\n");
    each_sum(out, helper.columns, "                w", " += w");
    text_add(out, "            }\n");
}

void print_bits_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name)
{
    bool packed = helper.b == TYPE_I32;
    const char *type = packed ? "uint32_t" : c_type(helper.b);
    text_printf(out,
                "/* %d sums at once without a multiplication, modulo 2^32: for each bit of an "
                "activation that is\n * set, the column's weights times that bit.  w: %scolumn by "
                "column. */\n"
                "static void %s(const %s *a, const %s *w, %s n, uint32_t *s)\n{\n"
                "    const %s *at = w;\n",
                helper.columns, packed ? "the biases, then " : "", name, c_type(helper.a), type,
                plan->index, type);
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out,
                    packed ? "    uint32_t s%d = %s_U32(w, %d);\n" : "    uint32_t s%d = 0U;\n", k,
                    plan->upper, k);
    }
    text_printf(out, "    for (%s i = 0; i < n; i++) {\n        uint32_t x = (uint32_t)a[i];\n",
                plan->index);
    if (packed) {
        text_printf(out, "        at = &at[%d];\n", helper.columns);
    }
    text_add(out, "        if (x != 0U) {\n");
    print_column(out, plan, helper);
    text_add(out, "        }\n");
    if (!packed) {
        text_printf(out, "        at = &at[%d];\n", helper.columns);
    }
    text_add(out, "    }\n");
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out, "    s[%d] = s%d;\n", k, k);
    }
    text_add(out, "}\n\n");
}

/* ---- statements ---- */

/* All sums of the layer, into s. */
static void print_sums(struct printer *p, int index, const struct cut *cut)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    int columns = layer->weights.columns;
    text_printf(p->out, "    {\n        uint32_t s[%d];\n", cut->words * cut->passes);
    if (cut->passes > 1) {
        text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n    ", plan->index,
                    cut->passes);
    }
    text_printf(p->out, "        %s(%s, t%d[",
                helper_name(plan, p->helpers, bits_helper(plan, index), name),
                address(plan, layer->inputs[0], in), plan->steps[index].number);
    text_printf(p->out, cut->passes > 1 ? "i * %d" : "0", columns + cut->packed);
    text_printf(p->out, "], %d, ", columns);
    text_printf(p->out, cut->passes > 1 ? "&s[i * %d]);\n        }\n" : "s);\n", cut->words);
}

/* Rows two by two from the halves of their words. */
static void print_pairs_stored(struct printer *p, int index, const struct span *span)
{
    const struct pack_word word = {.name = "s[i]",
                                   .suffix = "",
                                   .rows = {"2 * i", "(2 * i) + 1"},
                                   .first = span->first,
                                   .end = span->first + span->rows / 2 * 2,
                                   .stride = 2};
    pack_print_word(p, index, &word);
}

/* The last of an odd number of rows. */
static void print_last(struct printer *p, int index, const struct span *span)
{
    char half[ELEMENT_MAX];
    char row[GROUPED_MAX];
    (void)snprintf(half, sizeof half, "s[%d]", span->rows / 2);
    (void)snprintf(row, sizeof row, "%d", span->rows - 1);
    const struct masked masked = {.sum = half,
                                  .row = row,
                                  .suffix = "",
                                  .first = span->rows - 1,
                                  .end = span->rows,
                                  .halves = true};
    text_add(p->out, "        {\n");
    mask_print(p, index, &masked);
    text_add(p->out, "        }\n");
}

/* A row from its word and its bias. */
static void print_single(struct printer *p, int index, const struct span *span)
{
    const struct masked masked = {
        .sum = "sum", .row = "i", .suffix = "", .first = 0, .end = span->rows};
    text_printf(p->out, "        const uint32_t sum = s[i] + (uint32_t)%s_I32(b%d, i);\n",
                p->plan->upper, p->plan->steps[index].number);
    mask_print(p, index, &masked);
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    struct cut cut = cut_of(p->plan, index);
    int loops = cut.packed ? span->rows / 2 : span->rows;
    print_sums(p, index, &cut);
    text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n", p->plan->index, loops);
    if (cut.packed) {
        print_pairs_stored(p, index, span);
    } else {
        print_single(p, index, span);
    }
    text_add(p->out, "        }\n");
    if (cut.packed && span->rows % 2) {
        print_last(p, index, span);
    }
    text_add(p->out, "    }\n");
}

/* ---- the kernel ---- */

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    struct cut cut = cut_of(plan, index);
    int columns = layer->weights.columns;
    int64_t words = (int64_t)cut.passes * cut.words;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_LOAD] = (int64_t)cut.passes * columns * cut.bits;
    features->count[FEATURE_WEIGHT] = words * columns * cut.bits;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    int64_t weights = words * (cut.packed                ? 4 * (columns + 1)
                               : layer->weights.bits > 8 ? 2 * columns
                                                         : columns);
    features->count[FEATURE_BYTE] = weights + series_bytes(&step->shift) +
                                    series_bytes(&step->offset) +
                                    (cut.packed ? 0 : 4 * (int64_t)span->rows);
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    enum type type = table_type(plan, index);
    helpers_need(helpers, bits_helper(plan, index));
    if (type == TYPE_I32) {
        helpers->pairs = true;
    } else {
        helpers->reads[type] = true;
        helpers->reads[TYPE_I32] = true;
    }
}

const struct kernel kernel_bits = {
    .kind = KERNEL_BITS,
    .what = "bit by bit of the activations, no multiplication",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 1,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .clamps = true,
    .sums = true,
    .whole = true,
    .uneven = true,
    .fits = fits,
    .prepare = prepare,
    .count = count,
    .need = need,
    .tables = tables,
    .span = span_statements,
};
