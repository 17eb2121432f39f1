/* Shapes of maps, windows over them, and means (SPEC 2.3, 8 to 12). */
#include "net/net.h"

#include <string.h>

int net_row_layers(const struct net *net)
{
    int count = 0;
    for (int i = 0; i < net->layer_count; i++) {
        count += op_has_rows(net->layers[i].op);
    }
    return count;
}

int net_row_bytes(int bits, bool odd, int columns)
{
    int each = odd && bits == 1 ? 8 : odd && bits == 2 ? 4 : bits == 2 ? 5 : bits <= 4 ? 2 : 1;
    return (columns + each - 1) / each * (bits > 8 ? 2 : 1);
}

bool net_has_maps(const struct net *net)
{
    bool maps = false;
    for (int t = 0; t < net->tensor_count; t++) {
        const struct tensor *tensor = &net->tensors[t];
        maps = maps || tensor->type == TYPE_U4 || tensor->shape.channels != tensor->width;
    }
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        bool sums = layer->op == OP_ADD && net->tensors[layer->inputs[0]].type != TYPE_I32;
        maps = maps || layer->op > OP_CONCAT || layer->weights.odd || sums;
    }
    return maps;
}

/* ---- shapes ---- */

/* Positions of a window along one axis; below 1 where it does not fit. */
static int64_t positions(int64_t size, int kernel, int stride, int dilation)
{
    int64_t room = size - (int64_t)dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static bool no(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

/* A shape from sides of 64 bits. */
static bool shape_of(int64_t rows, int64_t columns, int64_t channels, struct shape *out,
                     const char **why)
{
    if (rows < 1 || columns < 1) {
        return no(why, "its window is larger than its input");
    }
    if (rows > NET_WIDTH_MAX || columns > NET_WIDTH_MAX || channels > NET_WIDTH_MAX ||
        rows * columns > NET_WIDTH_MAX || rows * columns * channels > NET_WIDTH_MAX) {
        return no(why, "its output is too large");
    }
    *out = (struct shape){(int)rows, (int)columns, (int)channels};
    return true;
}

static bool slide(const struct window *w, struct shape in, int64_t channels, struct shape *out,
                  const char **why)
{
    return shape_of(
        positions((int64_t)in.rows + w->top + w->bottom, w->rows, w->row_stride, w->row_dilation),
        positions((int64_t)in.columns + w->left + w->right, w->columns, w->column_stride,
                  w->column_dilation),
        channels, out, why);
}

static bool spread(const struct window *w, struct shape in, int64_t channels, struct shape *out,
                   const char **why)
{
    int64_t rows = (int64_t)(in.rows - 1) * w->row_stride +
                   (int64_t)w->row_dilation * (w->rows - 1) + 1 - w->top - w->bottom;
    int64_t columns = (int64_t)(in.columns - 1) * w->column_stride +
                      (int64_t)w->column_dilation * (w->columns - 1) + 1 - w->left - w->right;
    return shape_of(rows, columns, channels, out, why);
}

static bool weighted(const struct layer *layer, struct shape in, struct shape *out,
                     const char **why)
{
    const struct weights *weights = &layer->weights;
    if (layer->groups < 1 || in.channels % layer->groups != 0 ||
        weights->rows % layer->groups != 0) {
        return no(why, "its groups do not divide its channels");
    }
    int64_t columns =
        (int64_t)layer->window.rows * layer->window.columns * (in.channels / layer->groups);
    if (columns != weights->columns) {
        return no(why, "its weights do not match kernel, groups and input channels");
    }
    if (layer->op == OP_CONV) {
        return slide(&layer->window, in, weights->rows, out, why);
    }
    if (layer->window.row_stride > NET_SPREAD_MAX || layer->window.column_stride > NET_SPREAD_MAX) {
        return no(why, "its stride is too large");
    }
    return spread(&layer->window, in, weights->rows, out, why);
}

/* A pool whose window may lie in the padding alone would have no largest element. */
static bool pool(const struct window *w, struct shape in, struct shape *out, const char **why)
{
    if (w->top >= w->rows || w->bottom >= w->rows || w->left >= w->columns ||
        w->right >= w->columns) {
        return no(why, "its padding is as large as its window");
    }
    struct window dense = *w;
    dense.row_dilation = 1;
    dense.column_dilation = 1;
    return slide(&dense, in, in.channels, out, why);
}

static bool cut(const struct window *w, struct shape in, const char **why)
{
    return ((int64_t)w->top + w->rows <= in.rows && (int64_t)w->left + w->columns <= in.columns) ||
           no(why, "it cuts out more than its input has");
}

static bool spread_channels(const struct window *w, struct shape in, struct shape *out,
                            const char **why)
{
    if (in.channels % ((int64_t)w->rows * w->columns) != 0) {
        return no(why, "its factors do not divide its input's channels");
    }
    return shape_of((int64_t)in.rows * w->rows, (int64_t)in.columns * w->columns,
                    in.channels / (w->rows * w->columns), out, why);
}

/* Every number of the window that the op has is small enough to multiply, and positive but for
 * padding and corners; those that it has not are 0. */
static bool window_sound(const struct layer *layer, const char **why)
{
    struct window rest = layer->window;
    for (const struct window_key *key = op_window_keys(layer->op); key->name; key++) {
        for (int i = 0; i < key->count; i++) {
            int *field = (int *)(void *)((char *)&rest + key->fields[i]);
            bool may_be_zero =
                key->optional || (key->count == 4 && !(layer->op == OP_RESIZE && i >= 2));
            if (*field < (may_be_zero ? 0 : 1) || *field > NET_WIDTH_MAX) {
                return no(why, "a number of its window is out of range");
            }
            *field = 0;
        }
    }
    const struct window none = {0};
    return memcmp(&rest, &none, sizeof none) == 0 || no(why, "it has numbers of another window");
}

bool net_map_shape(const struct net *net, const struct layer *layer, struct shape *out,
                   const char **why)
{
    struct shape in = net->tensors[layer->inputs[0]].shape;
    const struct window *w = &layer->window;
    *out = net->tensors[layer->output].shape;
    if (!window_sound(layer, why)) {
        return false;
    }
    switch (layer->op) {
    case OP_CONVERT:
    case OP_DENSE:
    case OP_ADD:
    case OP_CONCAT:
    case OP_RESHAPE:
    case OP_SOFTMAX: *out = layer->op == OP_SOFTMAX ? in : *out; return true;
    case OP_ARGMAX: *out = (struct shape){in.rows, in.columns, 1}; return true;
    case OP_CONV:
    case OP_DECONV: return weighted(layer, in, out, why);
    case OP_MAXPOOL:
    case OP_AVGPOOL: return pool(w, in, out, why);
    case OP_RESIZE: out->channels = in.channels; return cut(w, in, why);
    case OP_UPSAMPLE:
        return shape_of((int64_t)in.rows * w->rows, (int64_t)in.columns * w->columns, in.channels,
                        out, why);
    case OP_SHUFFLE: return spread_channels(w, in, out, why);
    case OP_PAD:
        return shape_of((int64_t)in.rows + w->top + w->bottom,
                        (int64_t)in.columns + w->left + w->right, in.channels, out, why);
    }
    return false;
}

/* ---- means ---- */

struct mean net_mean(int64_t count, int64_t largest)
{
    struct mean mean = {0, 0};
    for (int shift = NET_SHIFT_MAX; shift >= 0; shift--) {
        int64_t multiplier = (((int64_t)2 << shift) + count) / (2 * count);
        if (largest * count * multiplier + ((int64_t)1 << shift >> 1) <= INT32_MAX) {
            mean = (struct mean){(int32_t)multiplier, shift};
            break;
        }
    }
    while (mean.shift > 0 && mean.multiplier > 0 && mean.multiplier % 2 == 0) {
        mean.multiplier /= 2;
        mean.shift--;
    }
    return mean;
}

/* ---- areas ---- */

int net_divisor(int a, int b)
{
    while (b > 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

struct overlap net_overlap(int from, int to)
{
    int common = net_divisor(from, to);
    return (struct overlap){.unit_in = to / common, .unit_out = from / common};
}

int net_overlap_first(struct overlap overlap, int at)
{
    return (int)((int64_t)at * overlap.unit_out / overlap.unit_in);
}

int net_overlap_last(struct overlap overlap, int at)
{
    return (int)((((int64_t)at + 1) * overlap.unit_out - 1) / overlap.unit_in);
}

int net_overlap_length(struct overlap overlap, int at, int i)
{
    int64_t low = (int64_t)at * overlap.unit_out;
    int64_t high = low + overlap.unit_out;
    int64_t from = (int64_t)i * overlap.unit_in;
    int64_t to = from + overlap.unit_in;
    low = low > from ? low : from;
    high = high < to ? high : to;
    return high > low ? (int)(high - low) : 0;
}

int64_t net_mean_count(const struct net *net, const struct layer *layer)
{
    const struct window *w = &layer->window;
    const struct shape *out = &net->tensors[layer->output].shape;
    return layer->op == OP_AVGPOOL ? (int64_t)w->rows * w->columns
                                   : (int64_t)net_overlap(w->rows, out->rows).unit_out *
                                         net_overlap(w->columns, out->columns).unit_out;
}
