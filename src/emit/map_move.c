/* Ops on maps without weights: pools, resize, sums, and what moves elements. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

static const struct shape *shape_of(const struct plan *plan, int tensor)
{
    return &plan->net->tensors[tensor].shape;
}

static const char *array_c_type(const struct plan *plan, int tensor)
{
    return c_type(plan->net->tensors[tensor].type);
}

static void open_row(struct printer *p, const struct shape *shape)
{
    const char *index = p->plan->index;
    text_printf(p->out,
                "        for (%s x = 0; x < %d; x++) {\n"
                "            for (%s c = 0; c < %d; c++) {\n",
                index, shape->columns, index, shape->channels);
}

/* Loops over all elements of a map; they end with close_loops(). */
static void open_loops(struct printer *p, const struct shape *shape)
{
    text_printf(p->out, "    for (%s y = 0; y < %d; y++) {\n", p->plan->index, shape->rows);
    open_row(p, shape);
}

/* Loops over the output of a layer: in a stream over a row of it. */
static void open_output(struct printer *p, int layer)
{
    const struct shape *shape = shape_of(p->plan, p->plan->net->layers[layer].output);
    if (map_in_stream(p->plan, layer)) {
        text_add(p->out, "    {\n");
        open_row(p, shape);
    } else {
        open_loops(p, shape);
    }
}

static void close_loops(struct printer *p)
{
    text_add(p->out, "            }\n        }\n    }\n");
}

void map_print_at(struct printer *p, int tensor, const char *y, const char *x, const char *c)
{
    const struct map_view *view = &p->plan->maps->views[tensor];
    char row[96];
    char column[96];
    map_scaled(row, sizeof row, y, view->row, view->offset);
    map_scaled(column, sizeof column, x, view->column, 0);
    text_printf(p->out, "%s[%s + %s", map_array(p->plan, tensor), row, column);
    text_printf(p->out, strcmp(c, "0") == 0 ? "%.0s]" : " + %s]", c);
}

/* ---- pools ---- */

/* const int NAME0, NAME1: the window's ends along an axis, cut at the map's where some position
 * may reach beyond. */
static void print_ends(struct printer *p, char name, const int axis[5])
{
    int size = axis[0];
    int kernel = axis[1];
    int stride = axis[2];
    int pad = axis[3];
    const char *index = p->plan->index;
    const char letter[2] = {name, 0};
    char at[48];
    char end[64];
    map_scaled(at, sizeof at, letter, stride, 0);
    map_scaled(end, sizeof end, letter, stride, kernel - pad);
    text_printf(p->out, "                const %s %c0 = ", index, name);
    if (pad == 0) {
        text_printf(p->out, "%s;\n", at);
    } else if ((axis[4] - 1) * stride <= pad) {
        text_add(p->out, "0;\n");
    } else {
        text_printf(p->out, "(%s < %d) ? 0 : (%s - %d);\n", at, pad, at, pad);
    }
    text_printf(p->out, "                const %s %c1 = ", index, name);
    if ((axis[4] - 1) * stride + kernel - pad > size) {
        text_printf(p->out, "((%s) > %d) ? %d : (%s);\n", end, size, size, end);
    } else {
        text_printf(p->out, "%s;\n", end);
    }
}

/* The same of rows in a stream, where the first one of the window is the first one kept. */
static void print_kept_ends(struct printer *p, int rows)
{
    text_printf(p->out,
                "                const %s y0 = 0;\n"
                "                const %s y1 = %d;\n",
                p->plan->index, p->plan->index, rows);
}

/* floor((sum m + half) / 2^s), in unsigned numbers; `low` is what m sum + half may be at least. */
static void print_mean(struct printer *p, int layer)
{
    const struct net *net = p->plan->net;
    enum type type = net->tensors[net->layers[layer].inputs[0]].type;
    struct mean mean = net_mean(net_mean_count(net, &net->layers[layer]), type_magnitude(type));
    int32_t half = (int32_t)((int64_t)1 << mean.shift >> 1);
    char scaled[48];
    char shift[16] = "";
    if (mean.shift > 0) {
        (void)snprintf(shift, sizeof shift, " >> %d", mean.shift);
    }
    map_scaled(scaled, sizeof scaled, "s", mean.multiplier, half);
    text_printf(p->out, "                const int32_t m = %s;\n", scaled);
    if (type_low(type) < 0) {
        text_printf(
            p->out,
            "                const int32_t size = (m < 0) ? -(m + 1) : m;\n"
            "                const uint32_t part = (uint32_t)size%s;\n"
            "                const int32_t z = (m < 0) ? (-1 - (int32_t)part) : (int32_t)part;\n",
            shift);
        text_printf(p->out,
                    "                const int32_t v = (z > %d) ? %d : ((z < %d) ? %d : z);\n",
                    type_high(type), type_high(type), type_low(type), type_low(type));
        return;
    }
    text_printf(p->out, "                const uint32_t z = (uint32_t)m%s;\n", shift);
    text_printf(p->out, "                const uint32_t v = (z > %dU) ? %dU : z;\n",
                type_high(type), type_high(type));
}

static void print_store(struct printer *p, int tensor, const char *value)
{
    char row[16];
    text_add(p->out, "                ");
    map_print_at(p, tensor, map_row_to(p->plan, tensor, row), "x", "c");
    text_printf(p->out, " = (%s)%s;\n", array_c_type(p->plan, tensor), value);
}

static void print_pool(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    const struct window *w = &layer->window;
    const struct shape *in = shape_of(p->plan, layer->inputs[0]);
    bool average = layer->op == OP_AVGPOOL;
    open_output(p, index);
    const struct shape *to = shape_of(p->plan, layer->output);
    if (p->plan->maps->views[layer->inputs[0]].kept) {
        print_kept_ends(p, w->rows);
    } else {
        print_ends(p, 'y', (const int[]){in->rows, w->rows, w->row_stride, w->top, to->rows});
    }
    print_ends(p, 'x',
               (const int[]){in->columns, w->columns, w->column_stride, w->left, to->columns});
    text_add(p->out, "                int32_t s = ");
    if (average) {
        text_add(p->out, "0");
    } else {
        map_print_at(p, layer->inputs[0], "y0", "x0", "c");
    }
    text_printf(p->out,
                ";\n                for (%s v = y0; v < y1; v++) {\n"
                "                    for (%s u = x0; u < x1; u++) {\n"
                "                        const int32_t e = ",
                p->plan->index, p->plan->index);
    map_print_at(p, layer->inputs[0], "v", "u", "c");
    text_add(p->out, average ? ";\n                        s += e;\n"
                             : ";\n                        s = (e > s) ? e : s;\n");
    text_add(p->out, "                    }\n                }\n");
    if (average) {
        text_add(p->out, "                {\n");
        print_mean(p, index);
        print_store(p, layer->output, "v");
        text_add(p->out, "                }\n");
    } else {
        print_store(p, layer->output, "s");
    }
    close_loops(p);
}

/* ---- resize ---- */

/* Elements that an output element covers at most. */
static int overlap_most(int from, int to)
{
    struct overlap overlap = net_overlap(from, to);
    int most = 0;
    for (int at = 0; at < to; at++) {
        int count = net_overlap_last(overlap, at) - net_overlap_first(overlap, at) + 1;
        most = count > most ? count : most;
    }
    return most;
}

/* Per output element: the first input element, and what of `most` of them from there it covers. */
static void print_area(struct printer *p, const char *name, int from, int to)
{
    struct overlap overlap = net_overlap(from, to);
    int most = overlap_most(from, to);
    text_printf(p->out, "    static const uint16_t %s[%d][%d] %s_FLASH = {\n", name, to, most + 1,
                p->plan->upper);
    for (int at = 0; at < to; at++) {
        int first = net_overlap_first(overlap, at);
        first = first > from - most ? from - most : first;
        text_printf(p->out, "        {%d", first);
        for (int i = first; i < first + most; i++) {
            text_printf(p->out, ", %d", net_overlap_length(overlap, at, i));
        }
        text_add(p->out, "},\n");
    }
    text_add(p->out, "    };\n");
}

void map_print_areas(struct printer *p)
{
    char name[24];
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        const struct layer *layer = &p->plan->net->layers[i];
        if (layer->op == OP_RESIZE && !map_resize_blocks(p->plan, i)) {
            const struct shape *out = shape_of(p->plan, layer->output);
            (void)snprintf(name, sizeof name, "r%d", i);
            print_area(p, name, layer->window.rows, out->rows);
            (void)snprintf(name, sizeof name, "q%d", i);
            print_area(p, name, layer->window.columns, out->columns);
        }
    }
}

static void print_resize(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct window *w = &layer->window;
    const struct shape *out = shape_of(plan, layer->output);
    char y[64];
    char x[64];
    if (map_resize_blocks(plan, index)) {
        map_print_blocks(p, index);
        return;
    }
    open_output(p, index);
    (void)snprintf(y, sizeof y, w->top ? "(v + %d)" : "v", w->top);
    (void)snprintf(x, sizeof x, w->left ? "(u + %d)" : "u", w->left);
    text_printf(p->out,
                "                const %s v0 = (%s)%s_U16(r%d[y], 0);\n"
                "                const %s u0 = (%s)%s_U16(q%d[x], 0);\n"
                "                int32_t s = 0;\n"
                "                for (%s i = 0; i < %d; i++) {\n"
                "                    const %s v = v0 + i;\n"
                "                    int32_t part = 0;\n"
                "                    for (%s j = 0; j < %d; j++) {\n"
                "                        const %s u = u0 + j;\n"
                "                        part += (int32_t)%s_U16(q%d[x], j + 1) * (int32_t)",
                plan->index, plan->index, plan->upper, index, plan->index, plan->index, plan->upper,
                index, plan->index, overlap_most(w->rows, out->rows), plan->index, plan->index,
                overlap_most(w->columns, out->columns), plan->index, plan->upper, index);
    map_print_at(p, layer->inputs[0], y, x, "c");
    text_printf(p->out,
                ";\n                    }\n"
                "                    s += (int32_t)%s_U16(r%d[y], i + 1) * part;\n"
                "                }\n                {\n",
                plan->upper, index);
    print_mean(p, index);
    if (w->drop > 0) {
        text_printf(p->out,
                    "                const uint32_t w = ((uint32_t)v + %dU) >> %d;\n"
                    "                const int32_t code = (w > 15U) ? 15 : (int32_t)w;\n",
                    1 << (w->drop - 1), w->drop);
    }
    print_store(p, layer->output, w->drop > 0 ? "code" : "v");
    text_add(p->out, "                }\n");
    close_loops(p);
}

/* ---- sums and moves ---- */

static void print_add(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct helper helper = {HELPER_ELEMENT, ACTIVATION_NONE, type, type, 0};
    char name[HELPER_NAME_MAX];
    open_loops(p, shape_of(plan, layer->output));
    text_add(p->out, "                ");
    map_print_at(p, layer->output, "y", "x", "c");
    if (type == TYPE_I32) {
        text_add(p->out, " = (");
    } else {
        text_printf(p->out, " = %s(", helper_name(plan, p->helpers, helper, name));
    }
    for (int k = 0; k < layer->input_count; k++) {
        text_add(p->out, k ? " + (int32_t)" : "(int32_t)");
        map_print_at(p, layer->inputs[k], "y", "x", "c");
    }
    text_add(p->out, ");\n");
    close_loops(p);
}

static void print_concat(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    int before = 0;
    for (int k = 0; k < layer->input_count; k++) {
        char c[32];
        (void)snprintf(c, sizeof c, before ? "c + %d" : "c", before);
        open_loops(p, shape_of(plan, layer->inputs[k]));
        text_add(p->out, "                ");
        map_print_at(p, layer->output, "y", "x", c);
        text_add(p->out, " = ");
        map_print_at(p, layer->inputs[k], "y", "x", "c");
        text_add(p->out, ";\n");
        close_loops(p);
        before += shape_of(plan, layer->inputs[k])->channels;
    }
}

/* Each input element goes to the positions that its op repeats or moves it to. */
static void print_spread(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct window *w = &layer->window;
    bool up = layer->op == OP_UPSAMPLE;
    struct shape in = *shape_of(plan, layer->inputs[0]);
    int channels = up ? in.channels : in.channels / (w->rows * w->columns);
    char y[64];
    char x[64];
    char c[96];
    char block[32];
    in.channels = channels;
    open_loops(p, &in);
    text_printf(p->out,
                "                for (%s i = 0; i < %d; i++) {\n"
                "                    for (%s j = 0; j < %d; j++) {\n                        ",
                plan->index, w->rows, plan->index, w->columns);
    (void)snprintf(y, sizeof y, w->rows == 1 ? "(y + i)" : "((y * %d) + i)", w->rows);
    (void)snprintf(x, sizeof x, w->columns == 1 ? "(x + j)" : "((x * %d) + j)", w->columns);
    map_scaled(block, sizeof block, "i", w->columns, 0);
    (void)snprintf(c, sizeof c, channels == 1 ? "%s + j + c" : "((%s + j) * %d) + c", block,
                   channels);
    map_print_at(p, layer->output, y, x, "c");
    text_add(p->out, " = ");
    map_print_at(p, layer->inputs[0], "y", "x", up ? "c" : c);
    text_add(p->out, ";\n                    }\n                }\n");
    close_loops(p);
}

/* Zeros everywhere, then the input in the middle. */
static void print_pad(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char y[48];
    char x[48];
    (void)snprintf(y, sizeof y, layer->window.top ? "(y + %d)" : "y", layer->window.top);
    (void)snprintf(x, sizeof x, layer->window.left ? "(x + %d)" : "x", layer->window.left);
    open_loops(p, shape_of(plan, layer->output));
    text_add(p->out, "                ");
    map_print_at(p, layer->output, "y", "x", "c");
    text_add(p->out, " = 0;\n");
    close_loops(p);
    open_loops(p, shape_of(plan, layer->inputs[0]));
    text_add(p->out, "                ");
    map_print_at(p, layer->output, y, x, "c");
    text_add(p->out, " = ");
    map_print_at(p, layer->inputs[0], "y", "x", "c");
    text_add(p->out, ";\n");
    close_loops(p);
}

/* Element by element, counted along the output; only where zeros lie around one of both. */
static void print_reshape(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct shape *in = shape_of(plan, layer->inputs[0]);
    const char *type = plan->index;
    if (plan->maps->views[layer->output].reshaped) {
        return;
    }
    text_printf(p->out, "    {\n        %s v = 0;\n        %s u = 0;\n        %s e = 0;\n", type,
                type, type);
    open_loops(p, shape_of(plan, layer->output));
    text_add(p->out, "                ");
    map_print_at(p, layer->output, "y", "x", "c");
    text_add(p->out, " = ");
    map_print_at(p, layer->inputs[0], "v", "u", "e");
    text_printf(p->out,
                ";\n                e++;\n"
                "                if (e == %d) {\n"
                "                    e = 0;\n"
                "                    u++;\n"
                "                }\n"
                "                if (u == %d) {\n"
                "                    u = 0;\n"
                "                    v++;\n"
                "                }\n",
                in->channels, in->columns);
    close_loops(p);
    text_add(p->out, "    }\n");
}

/* SPEC 3, element by element. */
static void print_convert(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    const struct shape *shape = shape_of(plan, layer->output);
    enum type type = plan->net->tensors[layer->output].type;
    struct helper helper = {HELPER_ELEMENT, ACTIVATION_NONE, type, type, 0};
    char name[HELPER_NAME_MAX];
    char zero[ELEMENT_MAX];
    char factor[ELEMENT_MAX];
    char at[64];
    char row[32];
    map_scaled(row, sizeof row, "y", shape->columns, 0);
    (void)snprintf(at, sizeof at, shape->channels == 1 ? "%s + x + c" : "((%s + x) * %d) + c", row,
                   shape->channels);
    open_loops(p, shape);
    text_add(p->out, "                ");
    map_print_at(p, layer->output, "y", "x", "c");
    text_printf(p->out, " = %s(((int32_t)", helper_name(plan, p->helpers, helper, name));
    map_print_at(p, layer->inputs[0], "y", "x", "c");
    text_printf(p->out, " - (int32_t)%s) * (int32_t)%s);\n", series_at(plan, &step->bias, at, zero),
                series_at(plan, &step->shift, at, factor));
    close_loops(p);
}

void map_print_move(struct printer *p, int layer)
{
    if (map_is_pooled(p->plan, layer)) {
        return;
    }
    switch (p->plan->net->layers[layer].op) {
    case OP_CONVERT: print_convert(p, layer); break;
    case OP_ADD: print_add(p, layer); break;
    case OP_CONCAT: print_concat(p, layer); break;
    case OP_MAXPOOL:
    case OP_AVGPOOL: print_pool(p, layer); break;
    case OP_RESIZE: print_resize(p, layer); break;
    case OP_UPSAMPLE:
    case OP_SHUFFLE: print_spread(p, layer); break;
    case OP_PAD: print_pad(p, layer); break;
    case OP_RESHAPE: print_reshape(p, layer); break;
    case OP_ARGMAX:
    case OP_SOFTMAX: map_print_chosen(p, layer); break;
    case OP_DENSE:
    case OP_CONV:
    case OP_DECONV: map_print_rows(p, layer); break;
    }
}
