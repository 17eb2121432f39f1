/* Resizing by blocks: where `unit_in` output elements cover `unit_out` input elements along an
 * axis, the same few statements serve every block, and no table of overlaps is needed. */
#include "emit/map.h"

#include <stdio.h>

#define BLOCK_MOST 6 /* input elements of a block along an axis */
#define PHASE_MOST 3 /* output elements of it */

/* ---- means in few digits ---- */

static int64_t exact_mean(int64_t sum, struct mean mean, int64_t most)
{
    int64_t value = (sum * mean.multiplier + ((int64_t)1 << mean.shift >> 1)) >> mean.shift;
    return value > most ? most : value;
}

/* Do both give the same for every sum of `count` elements of 0..most? */
static bool same_means(struct mean a, struct mean b, int64_t count, int64_t most)
{
    bool same = true;
    for (int64_t sum = 0; same && sum <= count * most; sum++) {
        same = exact_mean(sum, a, most) == exact_mean(sum, b, INT64_MAX);
    }
    return same;
}

/* The least shift that gives SPEC 2.3's means of `count` elements of 0..most, without a clamp:
 * tried for every sum that there is. */
static struct mean short_mean(int64_t count, int64_t most)
{
    struct mean exact = net_mean(count, most);
    for (int shift = 0; shift < exact.shift; shift++) {
        struct mean mean = {(int32_t)((((int64_t)2 << shift) + count) / (2 * count)), shift};
        if (mean.multiplier > 0 && same_means(exact, mean, count, most)) {
            return mean;
        }
    }
    return exact;
}

/* sum * multiplier as shifts and sums of powers of two, for cores without a multiplier; the largest
 * comes first, so that nothing is below zero on the way. */
static void print_product(struct text *out, int32_t multiplier)
{
    int digits[33] = {0};
    int count = 0;
    for (int32_t left = multiplier; left != 0; count++) {
        digits[count] = left % 2 == 0 ? 0 : left % 4 == 3 ? -1 : 1;
        left = (left - digits[count]) / 2;
    }
    for (int k = count - 1; k >= 0; k--) {
        const char *sign = k == count - 1 ? "" : digits[k] < 0 ? " - " : " + ";
        if (digits[k] != 0) {
            text_printf(out, k == 0 ? "%ss" : "%s(s << %d)", sign, k);
        }
    }
}

/* What the sums of bytes become: codes of 8 bits, or of those that are not dropped, at most 15.
 * Both floors are one: that of the mean, and that of what it loses. */
static void print_mean_helper(struct printer *p, int index, struct mean mean)
{
    const struct plan *plan = p->plan;
    int drop = plan->net->layers[index].window.drop;
    int64_t half =
        ((int64_t)1 << mean.shift >> 1) + ((int64_t)1 << (mean.shift + drop) >> 1) * (drop > 0);
    text_printf(
        p->out,
        "/* The mean of a sum, as a product: rounded half up for every sum that there is%s. */\n"
        "static uint8_t %s_mean%d(uint32_t s)\n{\n    const uint32_t m = ",
        drop ? ", then\n * once more to a code of few bits" : "", plan->name, index);
    if (mean.multiplier == 1) {
        text_add(p->out, "s");
    } else if (plan->machine->no_multiplier) {
        print_product(p->out, mean.multiplier);
    } else {
        text_printf(p->out, "(s * %dU)", mean.multiplier);
    }
    if (drop == 4) {
        text_printf(p->out,
                    " + %ldU;\n    const uint32_t z = m >> %d;\n"
                    "    return (uint8_t)((z > 15U) ? 15U : z);\n}\n\n",
                    (long)half, mean.shift + drop);
    } else if (half > 0) {
        text_printf(p->out, " + %ldU;\n    return (uint8_t)(m >> %d);\n}\n\n", (long)half,
                    mean.shift + drop);
    } else {
        text_add(p->out, ";\n    return (uint8_t)m;\n}\n\n");
    }
}

/* ---- blocks ---- */

static bool axis_fits(struct overlap overlap)
{
    return overlap.unit_out <= BLOCK_MOST && overlap.unit_in <= PHASE_MOST;
}

bool map_resize_blocks(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct tensor *out = &plan->net->tensors[layer->output];
    return type_low(out->type) == 0 && type_high(out->type) <= UINT8_MAX &&
           axis_fits(net_overlap(layer->window.rows, out->shape.rows)) &&
           axis_fits(net_overlap(layer->window.columns, out->shape.columns));
}

static struct overlap rows_of(const struct plan *plan, const struct layer *layer)
{
    return net_overlap(layer->window.rows, plan->net->tensors[layer->output].shape.rows);
}

static struct overlap columns_of(const struct plan *plan, const struct layer *layer)
{
    return net_overlap(layer->window.columns, plan->net->tensors[layer->output].shape.columns);
}

void map_print_mean(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int64_t count = net_mean_count(p->plan->net, layer);
    int64_t most = type_high(p->plan->net->tensors[layer->inputs[0]].type);
    print_mean_helper(p, index, short_mean(count, most));
}

/* " + " between terms, and the factor of an overlap. */
static void print_term(struct text *out, bool first, int overlap, const char *element)
{
    text_add(out, first ? "" : " + ");
    text_printf(out, overlap == 1 ? "%s" : "(%s * %dU)", element, overlap);
}

/* What of row `i` of the block each of its output columns covers: t0_0, t0_1 ... */
static void print_block_row(struct printer *p, const struct layer *layer, int i, int indent)
{
    const struct map_view *in = &p->plan->maps->views[layer->inputs[0]];
    struct overlap overlap = columns_of(p->plan, layer);
    for (int k = 0; k < overlap.unit_in; k++) {
        text_printf(p->out, "%*sconst uint32_t t%d_%d = ", indent, "", i, k);
        bool first = true;
        for (int j = 0; j < overlap.unit_out; j++) {
            int length = net_overlap_length(overlap, k, j);
            char element[48];
            (void)snprintf(element, sizeof element, "(uint32_t)p[%d]",
                           i * in->row + j * in->column);
            if (length > 0) {
                print_term(p->out, first, length, element);
                first = false;
            }
        }
        text_add(p->out, ";\n");
    }
}

static void print_block_mean(struct printer *p, int index, int y, int x, int indent)
{
    const struct layer *layer = &p->plan->net->layers[index];
    const struct map_view *out = &p->plan->maps->views[layer->output];
    struct overlap overlap = rows_of(p->plan, layer);
    bool first = true;
    text_printf(p->out, "%*sto[%d] = %s_mean%d(", indent, "", y * out->row + x * out->column,
                p->plan->name, index);
    for (int i = 0; i < overlap.unit_out; i++) {
        int length = net_overlap_length(overlap, y, i);
        char element[48];
        (void)snprintf(element, sizeof element, "t%d_%d", i, x);
        if (length > 0) {
            print_term(p->out, first, length, element);
            first = false;
        }
    }
    text_add(p->out, ");\n");
}

static void print_block(struct printer *p, int index, int indent)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct overlap rows = rows_of(p->plan, layer);
    struct overlap columns = columns_of(p->plan, layer);
    for (int i = 0; i < rows.unit_out; i++) {
        print_block_row(p, layer, i, indent);
    }
    for (int y = 0; y < rows.unit_in; y++) {
        for (int x = 0; x < columns.unit_in; x++) {
            print_block_mean(p, index, y, x, indent);
        }
    }
}

/* "(y * 84) + (x * 3) + c + 58" */
static void print_start(struct printer *p, int tensor, struct overlap rows, struct overlap columns,
                        int first, bool input)
{
    const struct map_view *view = &p->plan->maps->views[tensor];
    char y[48];
    char x[48];
    map_scaled(y, sizeof y, "y",
               input        ? view->row * rows.unit_out
               : view->kept ? 0
                            : view->row * rows.unit_in,
               view->offset + first);
    map_scaled(x, sizeof x, "x", view->column * (input ? columns.unit_out : columns.unit_in), 0);
    text_printf(p->out, "&%s[%s + %s", map_array(p->plan, tensor), y, x);
    text_add(p->out, p->plan->net->tensors[tensor].shape.channels > 1 ? " + c];\n" : "];\n");
}

void map_print_blocks(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    struct overlap rows = rows_of(plan, layer);
    struct overlap columns = columns_of(plan, layer);
    int first = layer->window.top * in->row + layer->window.left * in->column;
    bool many = out->channels > 1;
    int indent = many ? 16 : 12;
    if (map_in_stream(plan, index)) {
        text_add(p->out, "    {\n");
    } else {
        text_printf(p->out, "    for (%s y = 0; y < %d; y++) {\n", plan->index,
                    out->rows / rows.unit_in);
    }
    text_printf(p->out, "        for (%s x = 0; x < %d; x++) {\n", plan->index,
                out->columns / columns.unit_in);
    if (many) {
        text_printf(p->out, "            for (%s c = 0; c < %d; c++) {\n", plan->index,
                    out->channels);
    }
    text_printf(p->out, "%*sconst uint8_t *p = ", indent, "");
    print_start(p, layer->inputs[0], rows, columns, first, true);
    text_printf(p->out, "%*suint8_t *to = ", indent, "");
    const struct map_view *to = &plan->maps->views[layer->output];
    print_start(p, layer->output, rows, columns, to->fresh * to->row, false);
    print_block(p, index, indent);
    text_add(p->out, many ? "            }\n        }\n    }\n" : "        }\n    }\n");
}
