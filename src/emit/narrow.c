/* Two kernels whose sums have 16 bits, for machines whose int does: loops over tables, and a
 * straight line.  Sums are made in `unsigned`, modulo 2^16 there; an offset in the bias, taken back
 * behind the shift, keeps every final sum within 0..65535 (pack.c), so what happens on the way does
 * not matter. Activations and weights of 8 bits each multiply in one instruction of an AVR. */
#include "emit/kernel.h"

#include <stdio.h>
#include <string.h>

/* A row without a shift keeps its sum a non-negative int16_t. */
static int64_t narrow_values(const struct layer *layer)
{
    int64_t values = PACK_VALUES;
    for (int row = 0; row < layer->weights.rows; row++) {
        values = layer->shift[row] == 0 ? PACK_VALUES / 2 : values;
    }
    return values;
}

/* Do bytes make the row's sum, is there an offset, and is what is left an int16_t?  Rows that their
 * clamp leaves one value are constants, and none of these. */
static bool fits(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval acc = plan->steps[index].sums[row];
    struct interval offsets = pack_offsets(plan, index, row, narrow_values(layer));
    enum type in = plan->net->tensors[layer->inputs[0]].type;
    bool bytes = layer->weights.bits <= 8 && (in == TYPE_I8 || in == TYPE_U8);
    int64_t low = floor_shift(acc.low, layer->shift[row]);
    int64_t high = floor_shift(acc.high, layer->shift[row]);
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    bool varies = high > kept.low && low < kept.high;
    return bytes && varies && offsets.low <= offsets.high && low >= INT16_MIN &&
           high <= INT16_MAX && offsets.high >= INT16_MIN && offsets.high <= INT16_MAX &&
           layer->weights.columns <= 255;
}

static bool prepare(struct plan *plan, int index)
{
    return pack_prepare(plan, index, narrow_values(&plan->net->layers[index]));
}

/* Modulo 2^16. */
static unsigned narrow_bias(const struct plan *plan, int index, int row)
{
    return (unsigned)pack_bias(plan, index, row) & 0xFFFFU;
}

/* ---- loops ---- */

static struct helper narrow_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return (struct helper){HELPER_NARROW, ACTIVATION_NONE, plan->views[layer->inputs[0]].type,
                           TYPE_I8, 0};
}

void print_narrow_helper(struct text *out, const struct plan *plan, struct helper helper,
                         const char *name)
{
    bool bytes = dot_helps(plan, helper.a) && (helper.a == TYPE_I8 || helper.a == TYPE_U8);
    text_printf(out,
                "/* One row of a layer, modulo 2^16. */\n"
                "static unsigned %s(const %s *a, const int8_t *w, uint8_t n, unsigned bias)\n"
                "{\n"
                "    unsigned acc = bias;\n",
                name, c_type(helper.a));
    if (bytes) {
        text_add(out, AVR_LOOPS);
        avr_print_short_dot(out, helper.a);
        text_add(out, "#else\n");
    }
    text_printf(out,
                "    const %s *x = a;\n"
                "    const int8_t *v = w;\n"
                "    uint8_t left = n;\n"
                "    do {\n"
                "        acc += (unsigned)%s_I8(v, 0) * (unsigned)*x;\n"
                "        v = &v[1];\n"
                "        x = &x[1];\n"
                "        left--;\n"
                "    } while (left > 0U);\n%s"
                "    return acc;\n"
                "}\n\n",
                c_type(helper.a), plan->upper, bytes ? "#endif\n" : "");
}

/* The weights and the biases of this kernel's rows. */
static void tables(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct step *step = &plan->steps[index];
    const struct choice *choice = plan_choice(plan, index);
    int rows = plan_rows_of(plan, index, &kernel_narrow);
    int done = 0;
    print_weight_rows(p, index, 'm', &kernel_narrow);
    text_printf(p->out, "    static const uint16_t n%d[%d] %s_FLASH = {\n        ", step->number,
                rows, plan->upper);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        for (int row = 0; span->kernel == &kernel_narrow && row < span->rows; row++, done++) {
            text_printf(p->out,
                        done == 0   ? "%u"
                        : done % 12 ? ", %u"
                                    : ",\n        %u",
                        narrow_bias(plan, index, span->first + row));
        }
    }
    text_add(p->out, "\n    };\n");
}

/* "i", "i + 4" from element `first` on. */
static const char *index_text(int first, char text[ELEMENT_MAX])
{
    (void)snprintf(text, ELEMENT_MAX, first ? "i + %d" : "i", first);
    return text;
}

static void loop_span(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char row[ELEMENT_MAX];
    char before[ELEMENT_MAX];
    int number = plan->steps[index].number;
    (void)index_text(span->first, row);
    (void)index_text(span->before, before);
    print_loop(p, span->rows);
    text_printf(p->out, "const unsigned s = %s(%s, m%d[%s], %d, %s_U16(n%d, %s));\n",
                helper_name(plan, p->helpers, narrow_helper(plan, index), name),
                address(plan, layer->inputs[0], in), number, before, layer->weights.columns,
                plan->upper, number, before);
    const struct masked masked = {.sum = "s",
                                  .row = row,
                                  .suffix = "",
                                  .first = span->first,
                                  .end = span->first + span->rows,
                                  .halves = true,
                                  .narrow = true};
    mask_print(p, index, &masked);
    text_add(p->out, "    }\n");
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    helpers_need(helpers, narrow_helper(plan, index));
    helpers->reads[TYPE_I8] = true;
    helpers->reads[TYPE_U16] = true;
}

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    int64_t weights = (int64_t)span->rows * layer->weights.columns;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_WEIGHT] = weights;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_BYTE] = weights + 2 * (int64_t)span->rows +
                                    series_bytes(&plan->steps[index].offset) +
                                    series_bytes(&plan->steps[index].shift);
}

const struct kernel kernel_narrow = {
    .kind = KERNEL_NARROW,
    .narrow = true,
    .what = "tables and loops, sums of 16 bits",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 1,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .clamps = true,
    .fits = fits,
    .prepare = prepare,
    .count = count,
    .need = need,
    .tables = tables,
    .span = loop_span,
};

/* ---- straight line ---- */

/* u0 += ux * 13U; for the rows of a tile whose weight is not zero. */
static void print_column(struct printer *p, int index, const struct span *tile, int column)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char number[GROUPED_MAX];
    char text[ELEMENT_MAX];
    size_t at = 7;
    bool loaded = false;
    (void)snprintf(number, sizeof number, "%d", column);
    for (int i = 0; i < tile->rows; i++) {
        size_t row = (size_t)tile->first + (size_t)i;
        int weight = layer->weights.values[row * (size_t)layer->weights.columns + (size_t)column];
        char term[64];
        if (weight == 0) {
            continue;
        }
        if (!loaded) {
            text_printf(p->out, "        ux = (unsigned)%s;",
                        element(p->plan, layer->inputs[0], number, text));
            at += strlen(text) + 20;
            loaded = true;
        }
        (void)snprintf(term, sizeof term,
                       weight == 1 || weight == -1 ? "u%d %c= ux;" : "u%d %c= ux * %dU;", i,
                       weight < 0 ? '-' : '+', weight < 0 ? -weight : weight);
        print_statement(p->out, term, 7, &at);
    }
    text_add(p->out, loaded ? "\n" : "");
}

/* Has any row of the tile weights? */
static bool tile_used(const struct layer *layer, const struct span *tile)
{
    bool used = false;
    for (int i = 0; i < tile->rows; i++) {
        used = used || plan_row_used(layer, tile->first + i);
    }
    return used;
}

static void print_tile(struct printer *p, int index, const struct span *tile)
{
    const struct layer *layer = &p->plan->net->layers[index];
    text_add(p->out, "    { /* modulo 2^16 */\n");
    for (int i = 0; i < tile->rows; i++) {
        if (plan_row_used(layer, tile->first + i)) {
            text_printf(p->out, "        unsigned u%d = %uU;\n", i,
                        narrow_bias(p->plan, index, tile->first + i));
        }
    }
    text_add(p->out, tile_used(layer, tile) ? "        unsigned ux;\n" : "");
    for (int j = 0; j < layer->weights.columns; j++) {
        print_column(p, index, tile, j);
    }
    for (int i = 0; i < tile->rows; i++) {
        char sum[GROUPED_MAX];
        char row[GROUPED_MAX];
        (void)snprintf(sum, sizeof sum, "u%d", i);
        (void)snprintf(row, sizeof row, "%d", tile->first + i);
        const struct masked masked = {.sum = sum,
                                      .row = row,
                                      .suffix = "",
                                      .first = tile->first + i,
                                      .end = tile->first + i + 1,
                                      .halves = true,
                                      .narrow = true};
        if (plan_row_used(layer, tile->first + i)) {
            text_add(p->out, "        {\n");
            mask_print(p, index, &masked);
            text_add(p->out, "        }\n");
        } else {
            mask_print_constant(p, index, tile->first + i);
        }
    }
    text_add(p->out, "    }\n");
}

static void line_span(struct printer *p, int index, const struct span *span)
{
    struct span tile = *span;
    for (int done = 0; done < span->rows; done += tile.rows) {
        tile.first = span->first + done;
        tile.rows = line_tile_rows(span->rows, done);
        print_tile(p, index, &tile);
    }
}

static void line_count(const struct plan *plan, int index, const struct span *span,
                       struct features *features)
{
    kernel_line.count(plan, index, span, features);
    features->count[FEATURE_BYTE] =
        series_bytes(&plan->steps[index].offset) + series_bytes(&plan->steps[index].shift);
}

const struct kernel kernel_narrow_line = {
    .kind = KERNEL_NARROW_LINE,
    .narrow = true,
    .what = "straight line, sums of 16 bits",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 1,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .flat = true,
    .clamps = true,
    .fits = fits,
    .prepare = prepare,
    .count = line_count,
    .span = line_span,
};
