/* The DSP kernel: two products of 16 bits in one instruction (SMLAD of Cortex-M4, M7 and M33), sums
 * of 32 bits.  Other machines compile the same sum in plain C.  Activations are paired into words
 * once per layer, weights are paired in the table, and up to DSP_ROWS rows share what is loaded. */
#include "emit/kernel.h"

#include <stdio.h>

#define DSP_ROWS 4
/* An offset makes sums non-negative for the shift; so many values are an int32_t behind any. */
#define DSP_VALUES ((int64_t)1 << 31)

/* Rows at a time, and how often; the last time may have rows of zeros. */
struct turns {
    int rows;
    int count;
};

static struct turns turns_of(const struct layer *layer)
{
    int count = (layer->weights.rows + DSP_ROWS - 1) / DSP_ROWS;
    return (struct turns){(layer->weights.rows + count - 1) / count, count};
}

static int words_of(const struct layer *layer)
{
    return (layer->weights.columns + 1) / 2;
}

/* Are the activations 16 bits wide, sign included, and is there an offset? */
static bool fits(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval *in = plan->ranges[layer->inputs[0]];
    struct interval offsets = pack_offsets(plan, index, row, DSP_VALUES);
    bool narrow = offsets.low <= offsets.high && mask_fits(plan, index, row);
    for (int j = 0; narrow && j < layer->weights.columns; j++) {
        narrow = in[j].low >= INT16_MIN && in[j].high <= INT16_MAX;
    }
    return narrow;
}

static bool prepare(struct plan *plan, int index)
{
    return pack_prepare(plan, index, DSP_VALUES);
}

/* ---- tables ---- */

/* Weight of a row; 0 beyond the last row and column. */
static int weight_at(const struct layer *layer, int row, int column)
{
    size_t at = (size_t)row * (size_t)layer->weights.columns + (size_t)column;
    bool inside = row < layer->weights.rows && column < layer->weights.columns;
    return inside ? layer->weights.values[at] : 0;
}

/* Two weights of a row as a word: halves apart, the low one first. */
static unsigned word_at(const struct layer *layer, int row, int column)
{
    return ((unsigned)weight_at(layer, row, column) & 0xFFFFU) |
           ((unsigned)weight_at(layer, row, column + 1) & 0xFFFFU) << 16;
}

/* Biases, then pair of columns by pair of columns, of all rows of a turn. */
static void print_turn(struct printer *p, int index, int first, int rows)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int words = words_of(layer);
    text_add(p->out, "        {");
    for (int i = 0; i < (1 + words) * rows; i++) {
        int row = first + i % rows;
        unsigned bias = row < layer->weights.rows ? (unsigned)pack_bias(p->plan, index, row) : 0U;
        text_printf(p->out,
                    i == 0  ? "0x%XU"
                    : i % 8 ? ", 0x%XU"
                            : ",\n         0x%XU",
                    i < rows ? bias : word_at(layer, row, (i / rows - 1) * 2));
    }
    text_add(p->out, "},\n");
}

static void tables(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    struct turns turns = turns_of(layer);
    text_printf(p->out, "    static const uint32_t d%d[%d][%d] %s_FLASH = {\n",
                plan->steps[index].number, turns.count, (1 + words_of(layer)) * turns.rows,
                plan->upper);
    for (int turn = 0; turn < turns.count; turn++) {
        print_turn(p, index, turn * turns.rows, turns.rows);
    }
    text_add(p->out, "    };\n");
}

/* ---- the helpers ---- */

static struct helper dsp_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return (struct helper){HELPER_DSP, ACTIVATION_NONE, TYPE_I32, TYPE_I32, turns_of(layer).rows};
}

void print_dual_helper(struct text *out, const char *name)
{
    text_printf(out,
                "/* sum + the product of the low halves + that of the high halves, all signed;\n"
                " * modulo 2^32. */\n"
                "#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)\n"
                "static inline uint32_t %s(uint32_t x, uint32_t w, uint32_t sum)\n"
                "{\n"
                "    const uint32_t left = x;\n"
                "    const uint32_t right = w;\n"
                "    uint32_t result = sum;\n"
                "    __asm__(\"smlad %%0, %%1, %%2, %%0\" : \"+r\"(result) : \"r\"(left), "
                "\"r\"(right));\n"
                "    return result;\n"
                "}\n"
                "#else\n"
                "static inline uint32_t %s(uint32_t x, uint32_t w, uint32_t sum)\n"
                "{\n"
                "    const uint32_t xl = (x & 0xFFFFU) ^ 0x8000U;\n"
                "    const uint32_t wl = (w & 0xFFFFU) ^ 0x8000U;\n"
                "    const uint32_t xh = (x >> 16) ^ 0x8000U;\n"
                "    const uint32_t wh = (w >> 16) ^ 0x8000U;\n"
                "    const int32_t low = ((int32_t)xl - 32768) * ((int32_t)wl - 32768);\n"
                "    const int32_t high = ((int32_t)xh - 32768) * ((int32_t)wh - 32768);\n"
                "    return sum + (uint32_t)low + (uint32_t)high;\n"
                "}\n"
                "#endif\n\n",
                name, name);
}

void print_dsp_helper(struct text *out, const struct plan *plan, struct helper helper,
                      const char *name)
{
    text_printf(out,
                "/* The sums of %d rows: x and w hold two numbers in each word. */\n"
                "static void %s(const uint32_t *x, const uint32_t *w, %s n, uint32_t *s)\n{\n",
                helper.columns, name, plan->index);
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out, "    uint32_t s%d = %s_U32(w, %d);\n", k, plan->upper, k);
    }
    text_printf(out,
                "    const uint32_t *at = w;\n"
                "    for (%s i = 0; i < n; i++) {\n"
                "        const uint32_t v = x[i];\n"
                "        at = &at[%d];\n",
                plan->index, helper.columns);
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out, "        s%d = %s_dual(v, %s_U32(at, %d), s%d);\n", k, plan->name,
                    plan->upper, k, k);
    }
    text_add(out, "    }\n");
    for (int k = 0; k < helper.columns; k++) {
        text_printf(out, "    s[%d] = s%d;\n", k, k);
    }
    text_add(out, "}\n\n");
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    helpers_need(helpers, (struct helper){HELPER_DUAL, ACTIVATION_NONE, TYPE_I32, TYPE_I32, 0});
    helpers_need(helpers, dsp_helper(plan, index));
    helpers->words = true;
}

/* ---- statements ---- */

/* x = the activations, two to a word. */
static void print_pairs(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    int columns = layer->weights.columns;
    char low[ELEMENT_MAX];
    char high[ELEMENT_MAX];
    if (columns > 1) {
        text_printf(
            p->out,
            "        for (%s i = 0; i < %d; i++) {\n"
            "            x2[i] = ((uint32_t)%s & 0xFFFFU) | (((uint32_t)%s & 0xFFFFU) << 16);\n"
            "        }\n",
            plan->index, columns / 2, element(plan, layer->inputs[0], "2 * i", low),
            element(plan, layer->inputs[0], "(2 * i) + 1", high));
    }
    if (columns % 2) {
        char last[GROUPED_MAX];
        (void)snprintf(last, sizeof last, "%d", columns - 1);
        text_printf(p->out, "        x2[%d] = (uint32_t)%s & 0xFFFFU;\n", columns / 2,
                    element(plan, layer->inputs[0], last, low));
    }
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    struct turns turns = turns_of(layer);
    int number = plan->steps[index].number;
    char name[HELPER_NAME_MAX];
    (void)helper_name(plan, p->helpers, dsp_helper(plan, index), name);
    text_printf(p->out, "    {\n        uint32_t x2[%d];\n        uint32_t s[%d];\n",
                words_of(layer), turns.rows * turns.count);
    print_pairs(p, index);
    if (turns.count == 1) {
        text_printf(p->out, "        %s(x2, d%d[0], %d, s);\n", name, number, words_of(layer));
    } else {
        text_printf(p->out,
                    "        for (%s i = 0; i < %d; i++) {\n"
                    "            %s(x2, d%d[i], %d, &s[i * %d]);\n        }\n",
                    plan->index, turns.count, name, number, words_of(layer), turns.rows);
    }
    const struct masked masked = {
        .sum = "s[i]", .row = "i", .suffix = "", .first = 0, .end = span->rows};
    text_printf(p->out, "        for (%s i = 0; i < %d; i++) {\n", plan->index, span->rows);
    mask_print(p, index, &masked);
    text_add(p->out, "        }\n    }\n");
}

/* ---- the kernel ---- */

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    struct turns turns = turns_of(layer);
    int64_t words = words_of(layer);
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_LOAD] = words * (1 + turns.count);
    features->count[FEATURE_WEIGHT] = words * turns.rows * turns.count;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_ONE] =
        (int64_t)span->rows * (!step->shift.uniform + !step->offset.uniform);
    features->count[FEATURE_BYTE] = 4 * (1 + words) * turns.rows * turns.count +
                                    series_bytes(&step->shift) + series_bytes(&step->offset);
}

const struct kernel kernel_dsp = {
    .kind = KERNEL_DSP,
    .what = "two products of 16 bits in one instruction",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 1,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .clamps = true,
    .whole = true,
    .sums = true,
    .fits = fits,
    .prepare = prepare,
    .count = count,
    .need = need,
    .tables = tables,
    .span = span_statements,
};
