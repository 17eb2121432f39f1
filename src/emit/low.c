/* Loop kernels for weights of few bits, several to a byte: two of 4 bits, four of 2 bits, or five
 * ternary ones.  Least flash where a net was trained for them. */
#include "emit/kernel.h"

#include <stdio.h>

/* How weights lie in a byte. */
struct coding {
    const struct kernel *kernel;
    enum helper_kind helper;
    int low; /* weights from here ... */
    int high;
    int each; /* weights to a byte */
};

static const struct coding four_bits = {&kernel_loop4, HELPER_FOUR, -8, 7, 2};
static const struct coding two_bits = {&kernel_loop2, HELPER_TWO, -2, 1, 4};
static const struct coding ternary = {&kernel_ternary, HELPER_TERNARY, -1, 1, 5};

static const int16_t *row_weights(const struct layer *layer, int row)
{
    return layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
}

static bool row_fits(const struct plan *plan, int index, int row, const struct coding *coding)
{
    const struct layer *layer = &plan->net->layers[index];
    const int16_t *weights = row_weights(layer, row);
    bool fits = true;
    for (int j = 0; fits && j < layer->weights.columns; j++) {
        fits = weights[j] >= coding->low && weights[j] <= coding->high;
    }
    return fits;
}

/* Bytes of a row. */
static int row_bytes(const struct layer *layer, const struct coding *coding)
{
    return (layer->weights.columns + coding->each - 1) / coding->each;
}

/* ---- tables ---- */

/* The weights from `column` on as a byte: fields of bits, the first one lowest; or, ternary, the
 * fraction v / 243 of 256, rounded up, whose digits to the base 3 the loop multiplies out. */
static int byte_at(const struct layer *layer, int row, int column, const struct coding *coding)
{
    const int16_t *weights = row_weights(layer, row);
    bool base3 = coding->helper == HELPER_TERNARY;
    int radix = base3 ? 3 : coding->high - coding->low + 1;
    int value = 0;
    for (int k = 0; k < coding->each; k++) {
        int j = column + (base3 ? k : coding->each - 1 - k);
        int digit = j < layer->weights.columns ? weights[j] - coding->low : 0;
        value = value * radix + digit;
    }
    return base3 ? (value * 256 + 242) / 243 : value;
}

static void print_row_bytes(struct printer *p, int index, int row, const struct coding *coding)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int bytes = row_bytes(layer, coding);
    text_add(p->out, "        {");
    for (int i = 0; i < bytes; i++) {
        text_printf(p->out,
                    i == 0   ? "%d"
                    : i % 16 ? ", %d"
                             : ",\n         %d",
                    byte_at(layer, row, i * coding->each, coding));
    }
    text_add(p->out, "},\n");
}

static void print_table(struct printer *p, int index, const struct coding *coding)
{
    const struct choice *choice = plan_choice(p->plan, index);
    text_printf(p->out, "    static const uint8_t q%d[%d][%d] %s_FLASH = {\n",
                p->plan->steps[index].number, plan_rows_of(p->plan, index, coding->kernel),
                row_bytes(&p->plan->net->layers[index], coding), p->plan->upper);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        for (int row = 0; span->kernel == coding->kernel && row < span->rows; row++) {
            print_row_bytes(p, index, span->first + row, coding);
        }
    }
    text_add(p->out, "    };\n");
}

/* ---- the helpers ---- */

static struct helper low_helper(const struct plan *plan, int index, const struct coding *coding)
{
    return (struct helper){coding->helper, ACTIVATION_NONE,
                           plan->views[plan->net->layers[index].inputs[0]].type, TYPE_U8, 0};
}

static void print_fields(struct text *out, const struct plan *plan, const struct coding *coding,
                         enum type type)
{
    const char *byte = byte_type(plan);
    int bits = 8 / coding->each;
    char weight[ELEMENT_MAX];
    text_printf(out,
                "    %s b = 0U;\n"
                "    for (%s i = 0; i < n; i++) {\n"
                "        %s field;\n"
                "        if (b <= 1U) {\n"
                "            b = (%s)(256U + (%s)%s_U8(at, 0));\n"
                "            at = &at[1];\n"
                "        }\n"
                "        field = (%s)(b & %dU);\n",
                byte, plan->index, byte, byte, byte, plan->upper, byte, (1 << bits) - 1);
    if (mac_helps(plan, type)) {
        (void)snprintf(weight, sizeof weight, "(int8_t)((int16_t)field - %d)", -coding->low);
        print_mac(out, plan, weight, "a[i]", type);
    } else {
        text_printf(out, "        acc += ((int32_t)field - %d) * %sa[i];\n", -coding->low,
                    type_low(type) == 0 ? "(int32_t)" : "");
    }
    text_printf(out, "        b = (%s)(b >> %d);\n    }\n", byte, bits);
}

static void print_digits(struct text *out, const struct plan *plan, const char *cast)
{
    const char *byte = byte_type(plan);
    text_printf(out,
                "    %s b = 0U;\n"
                "    int left = 0;\n"
                "    for (%s i = 0; i < n; i++) {\n"
                "        if (left == 0) {\n"
                "            b = %s_U8(at, 0);\n"
                "            at = &at[1];\n"
                "            left = 5;\n"
                "        }\n"
                "        left--;\n"
                "        b = (%s)((b & 255U) * 3U);\n"
                "        if (b >= 512U) {\n"
                "            acc += %sa[i];\n"
                "        } else if (b < 256U) {\n"
                "            acc -= %sa[i];\n"
                "        } else {\n"
                "            /* zero */\n"
                "        }\n"
                "    }\n",
                byte, plan->index, plan->upper, byte, cast, cast);
}

void print_low_helper(struct text *out, const struct plan *plan, struct helper helper,
                      const char *name)
{
    const struct coding *coding = helper.kind == HELPER_FOUR  ? &four_bits
                                  : helper.kind == HELPER_TWO ? &two_bits
                                                              : &ternary;
    text_printf(out,
                "/* One row of a layer on top of the bias.  w: %d weights in each byte%s. */\n"
                "static int32_t %s(const %s *a, const uint8_t *w, %s n, int32_t bias)\n{\n"
                "    int32_t acc = bias;\n"
                "    const uint8_t *at = w;\n",
                coding->each,
                coding == &ternary
                    ? ", as a fraction of 256 whose\n * digits to the base 3 are they"
                    : ", the first one lowest",
                name, c_type(helper.a), plan->index);
    const char *cast = type_low(helper.a) == 0 ? "(int32_t)" : "";
    if (coding == &ternary) {
        print_digits(out, plan, cast);
    } else {
        print_fields(out, plan, coding, helper.a);
    }
    text_add(out, "    return acc;\n}\n\n");
}

/* ---- the kernels ---- */

static void low_row(struct printer *p, int index, const char *at, const char *before,
                    const struct coding *coding)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char bias[ELEMENT_MAX];
    text_printf(p->out, "%s(%s, q%d[%s], %d, %s)",
                helper_name(plan, p->helpers, low_helper(plan, index, coding), name),
                address(plan, layer->inputs[0], in), step->number, before, layer->weights.columns,
                series_at(plan, &step->bias, at, bias));
}

static void low_count(const struct plan *plan, int index, const struct span *span,
                      struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct coding *coding = span->kernel == &kernel_loop4   ? &four_bits
                                  : span->kernel == &kernel_loop2 ? &two_bits
                                                                  : &ternary;
    int64_t bytes = (int64_t)span->rows * row_bytes(layer, coding);
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_WEIGHT] = (int64_t)span->rows * layer->weights.columns;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_BYTE] =
        bytes + series_bytes(&plan->steps[index].bias) + series_bytes(&plan->steps[index].shift);
}

static void low_need(const struct plan *plan, int index, struct helpers *helpers,
                     const struct coding *coding)
{
    helpers_need(helpers, low_helper(plan, index, coding));
    helpers->reads[TYPE_U8] = true;
}

static bool four_fits(const struct plan *plan, int index, int row)
{
    return row_fits(plan, index, row, &four_bits);
}

static bool two_fits(const struct plan *plan, int index, int row)
{
    return row_fits(plan, index, row, &two_bits);
}

static bool ternary_fits(const struct plan *plan, int index, int row)
{
    return row_fits(plan, index, row, &ternary);
}

static void four_need(const struct plan *plan, int index, struct helpers *helpers)
{
    low_need(plan, index, helpers, &four_bits);
}

static void two_need(const struct plan *plan, int index, struct helpers *helpers)
{
    low_need(plan, index, helpers, &two_bits);
}

static void ternary_need(const struct plan *plan, int index, struct helpers *helpers)
{
    low_need(plan, index, helpers, &ternary);
}

static void four_tables(struct printer *p, int index)
{
    print_table(p, index, &four_bits);
}

static void two_tables(struct printer *p, int index)
{
    print_table(p, index, &two_bits);
}

static void ternary_tables(struct printer *p, int index)
{
    print_table(p, index, &ternary);
}

static void four_row(struct printer *p, int index, const char *row, const char *before)
{
    low_row(p, index, row, before, &four_bits);
}

static void two_row(struct printer *p, int index, const char *row, const char *before)
{
    low_row(p, index, row, before, &two_bits);
}

static void ternary_row(struct printer *p, int index, const char *row, const char *before)
{
    low_row(p, index, row, before, &ternary);
}

const struct kernel kernel_loop4 = {
    .kind = KERNEL_LOOP4,
    .what = "loops, two weights of 4 bits to a byte",
    .shape = SHAPE_ROW,
    .group = 1,
    .series = SERIES_BIAS | SERIES_SHIFT,
    .fits = four_fits,
    .count = low_count,
    .need = four_need,
    .tables = four_tables,
    .row = four_row,
};

const struct kernel kernel_loop2 = {
    .kind = KERNEL_LOOP2,
    .what = "loops, four weights of 2 bits to a byte",
    .shape = SHAPE_ROW,
    .group = 1,
    .series = SERIES_BIAS | SERIES_SHIFT,
    .fits = two_fits,
    .count = low_count,
    .need = two_need,
    .tables = two_tables,
    .row = two_row,
};

const struct kernel kernel_ternary = {
    .kind = KERNEL_TERNARY,
    .what = "loops, five ternary weights to a byte, no multiplication",
    .shape = SHAPE_ROW,
    .group = 1,
    .series = SERIES_BIAS | SERIES_SHIFT,
    .adds = true,
    .fits = ternary_fits,
    .count = low_count,
    .need = ternary_need,
    .tables = ternary_tables,
    .row = ternary_row,
};
