/* How rows of weights move over maps: a dense layer is a window as large as its input, a deconv one
 * convolution for each phase of its output. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* Taps that touch each other are one; `each` elements are in one of the array. */
static void merge_taps(struct pass *pass, int each)
{
    for (int axis = 1; axis >= 0; axis--) {
        int *step = axis ? &pass->tap_column : &pass->tap_row;
        bool inner = axis == 1 || pass->taps[1] == 1;
        if (inner && (pass->taps[axis] == 1 || *step * each == pass->length)) {
            pass->length *= pass->taps[axis];
            pass->taps[axis] = 1;
        }
    }
}

static void conv_pass(const struct plan *plan, const struct layer *layer, struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    int index = (int)(layer - plan->net->layers);
    bool pooled = plan->maps->rows[index].pooled;
    const struct shape *out = &plan->net->tensors[map_output(plan, index)].shape;
    const struct window *w = &layer->window;
    *pass = (struct pass){.rows = out->rows,
                          .columns = out->columns * (pooled ? layer[1].window.columns : 1),
                          .out_row_step = 1,
                          .out_column_step = 1,
                          .in_offset = (in->kept ? 0 : -w->top * in->row) - w->left * in->column,
                          .in_row_step = in->kept ? 0 : map_stride(plan, index) * in->row,
                          .in_column_step = w->column_stride * in->column,
                          .taps = {w->rows, w->columns},
                          .tap_row = w->row_dilation * in->row,
                          .tap_column = w->column_dilation * in->column,
                          .length = layer->weights.columns / (w->rows * w->columns),
                          .values = layer->weights.values};
}

/* A dense layer is a window as large as its input. */
static void dense_pass(const struct plan *plan, const struct layer *layer, struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    const struct shape *shape = &plan->net->tensors[layer->inputs[0]].shape;
    *pass = (struct pass){.rows = 1,
                          .columns = 1,
                          .out_row_step = 1,
                          .out_column_step = 1,
                          .taps = {shape->rows, shape->columns},
                          .tap_row = in->row,
                          .tap_column = in->column,
                          .length = shape->channels,
                          .values = layer->weights.values};
}

/* Along one axis of a deconv: the output positions of a phase, and the kernel's elements that meet
 * them, from the last to the first, so that the input's go up. */
struct phase {
    int out_first;
    int outs;
    int tap_last;
    int tap_step;
    int taps;
    int in_first; /* input coordinate of tap_last at out_first */
    int in_step;  /* from tap to tap */
};

static struct phase phase_of(int phase, int out, const int axis[4])
{
    int stride = axis[1];
    int dilation = axis[2];
    int common = net_divisor(stride, dilation);
    struct phase p = {.tap_step = stride / common, .in_step = dilation / common};
    p.out_first = ((phase - axis[3]) % stride + stride) % stride;
    p.outs = p.out_first < out ? (out - p.out_first - 1) / stride + 1 : 0;
    p.tap_last = -1;
    for (int tap = 0; tap < axis[0]; tap++) {
        if ((tap * dilation - phase) % stride == 0) {
            p.tap_last = tap;
            p.taps++;
        }
    }
    if (p.taps > 0) {
        p.in_first = (p.out_first + axis[3] - p.tap_last * dilation) / stride;
    }
    return p;
}

/* The weights of a phase, in the order in which it meets them.  NULL: no memory. */
static const int16_t *phase_values(const struct plan *plan, const struct layer *layer,
                                   const struct phase *y, const struct phase *x)
{
    int own = layer->weights.columns / (layer->window.rows * layer->window.columns);
    size_t count = (size_t)layer->weights.rows * (size_t)(y->taps * x->taps * own);
    int16_t *values = arena_alloc(plan->arena, count + 1, sizeof *values);
    int16_t *to = values;
    for (int row = 0; values && row < layer->weights.rows; row++) {
        const int16_t *from = layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
        for (int i = 0; i < y->taps * x->taps; i++) {
            int ky = y->tap_last - i / x->taps * y->tap_step;
            int kx = x->tap_last - i % x->taps * x->tap_step;
            memcpy(to, from + (size_t)(ky * layer->window.columns + kx) * (size_t)own,
                   (size_t)own * sizeof *to);
            to += own;
        }
    }
    return values;
}

static bool deconv_pass(const struct plan *plan, const struct layer *layer, const int phases[2],
                        struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    const struct window *w = &layer->window;
    const int rows[4] = {w->rows, w->row_stride, w->row_dilation, w->top};
    const int columns[4] = {w->columns, w->column_stride, w->column_dilation, w->left};
    struct phase y = phase_of(phases[0], out->rows, rows);
    struct phase x = phase_of(phases[1], out->columns, columns);
    bool none = y.taps == 0 || x.taps == 0;
    *pass = (struct pass){.rows = y.outs,
                          .columns = x.outs,
                          .out_row = y.out_first,
                          .out_column = x.out_first,
                          .out_row_step = w->row_stride,
                          .out_column_step = w->column_stride,
                          .in_offset = none ? 0 : y.in_first * in->row + x.in_first * in->column,
                          .in_row_step = none ? 0 : in->row,
                          .in_column_step = none ? 0 : in->column,
                          .taps = {y.taps, x.taps},
                          .tap_row = y.in_step * in->row,
                          .tap_column = x.in_step * in->column,
                          .length = layer->weights.columns / (w->rows * w->columns)};
    pass->values = phase_values(plan, layer, &y, &x);
    return pass->values != NULL;
}

static bool deconv_passes(const struct plan *plan, const struct layer *layer, struct map_rows *rows)
{
    int phase[2];
    for (phase[0] = 0; phase[0] < layer->window.row_stride; phase[0]++) {
        for (phase[1] = 0; phase[1] < layer->window.column_stride; phase[1]++) {
            struct pass *pass = &rows->passes[rows->pass_count];
            if (!deconv_pass(plan, layer, phase, pass)) {
                return false;
            }
            rows->pass_count += pass->rows > 0 && pass->columns > 0;
        }
    }
    return true;
}

bool map_plan_passes(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct map_rows *rows = &plan->maps->rows[index];
    int most = layer->op == OP_DECONV ? layer->window.row_stride * layer->window.column_stride : 1;
    rows->passes = arena_alloc(plan->arena, (size_t)most, sizeof *rows->passes);
    if (!rows->passes) {
        return false;
    }
    rows->coding = map_coding(&layer->weights);
    rows->group_rows = layer->groups > 1 ? layer->weights.rows / layer->groups : 0;
    rows->group_columns =
        layer->groups > 1 ? plan->net->tensors[layer->inputs[0]].shape.channels / layer->groups : 0;
    rows->pass_count = 1;
    if (layer->op == OP_CONV) {
        conv_pass(plan, layer, &rows->passes[0]);
    } else if (layer->op == OP_DENSE) {
        dense_pass(plan, layer, &rows->passes[0]);
    } else {
        rows->pass_count = 0;
        if (!deconv_passes(plan, layer, rows)) {
            return false;
        }
    }
    for (int i = 0; i < rows->pass_count; i++) {
        struct pass *pass = &rows->passes[i];
        merge_taps(pass, plan->maps->views[layer->inputs[0]].packed ? 2 : 1);
        (void)snprintf(pass->name, sizeof pass->name, rows->pass_count > 1 ? "%d_%d" : "%d",
                       plan->steps[index].number, i);
    }
    return true;
}
