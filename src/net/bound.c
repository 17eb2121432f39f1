/* Ranges and worst-case accumulators (SPEC 4.2, 5.1, 6 to 12).
 *
 * 64 bits hold every intermediate value: |w| < 2^15, |a| <= 2^16 and at most 2^16 columns give
 * sums below 2^47. */
#include "net/net.h"

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static int64_t largest_magnitude(struct interval range)
{
    int64_t low = magnitude(range.low);
    int64_t high = magnitude(range.high);
    return low > high ? low : high;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static struct interval clamp_range(struct interval range, int64_t low, int64_t high)
{
    return (struct interval){clamp(range.low, low, high), clamp(range.high, low, high)};
}

/* floor(value / 2^shift), whatever the compiler's >> does to negative values. */
static int64_t shift_down(int64_t value, int shift)
{
    return value < 0 ? -1 - ((-1 - value) >> shift) : value >> shift;
}

static const int16_t *row_weights(const struct layer *layer, int row)
{
    return layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
}

int64_t net_row_bound(const struct layer *layer, int row, const struct interval *in)
{
    const int16_t *weights = row_weights(layer, row);
    int64_t bound = magnitude(layer->bias[row]);
    for (int j = 0; j < layer->weights.columns; j++) {
        bound += magnitude(weights[j]) * largest_magnitude(in[j]);
    }
    return bound;
}

struct interval net_row_range(const struct layer *layer, int row, const struct interval *in)
{
    const int16_t *weights = row_weights(layer, row);
    struct interval sum = {layer->bias[row], layer->bias[row]};
    for (int j = 0; j < layer->weights.columns; j++) {
        int64_t weight = weights[j];
        sum.low += weight * (weight < 0 ? in[j].high : in[j].low);
        sum.high += weight * (weight < 0 ? in[j].low : in[j].high);
    }
    return sum;
}

struct interval net_activation_range(enum activation activation, enum type type, struct interval z)
{
    int64_t high = type_high(type);
    switch (activation) {
    case ACTIVATION_NONE: return clamp_range(z, type_low(type), high);
    case ACTIVATION_RELU: return clamp_range(z, 0, high);
    case ACTIVATION_CLIP: return clamp_range(z, -high, high);
    case ACTIVATION_ABS: return (struct interval){0, high};
    case ACTIVATION_LEAKY: return (struct interval){-((high + 8) >> 3), high};
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return (struct interval){INT16_MIN, INT16_MAX};
    }
    return (struct interval){type_low(type), high};
}

static struct interval hull(struct interval a, struct interval b)
{
    return (struct interval){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

/* ---- rows of weights, wherever on a map ---- */

/* The range of each channel of a map over all positions; with `zero`, 0 lies in it. */
static struct interval *channel_hulls(struct arena *arena, const struct tensor *map,
                                      const struct interval *elements, bool zero)
{
    int channels = map->shape.channels;
    struct interval *hulls = arena_alloc(arena, (size_t)channels, sizeof *hulls);
    for (int i = 0; hulls && i < map->width; i++) {
        struct interval before = zero ? (struct interval){0, 0} : elements[i];
        hulls[i % channels] = hull(i < channels ? before : hulls[i % channels], elements[i]);
    }
    return hulls;
}

/* Whether the kernel's element at `tap` meets output positions that are `phase` modulo `stride`. */
static bool in_phase(int tap, int dilation, int stride, int phase)
{
    return ((int64_t)tap * dilation - phase) % stride == 0;
}

/* What row `row` sees in its columns; a deconv sees only the elements in `phase` (y, x). */
static void row_inputs(const struct layer *layer, const struct interval *hulls, int channels,
                       int row, const int phase[2], struct interval *columns)
{
    const struct window *w = &layer->window;
    int own = channels / layer->groups;
    int first = row / (layer->weights.rows / layer->groups) * own;
    for (int j = 0; j < layer->weights.columns; j++) {
        int tap = j / own;
        bool meets = layer->op != OP_DECONV ||
                     (in_phase(tap / w->columns, w->row_dilation, w->row_stride, phase[0]) &&
                      in_phase(tap % w->columns, w->column_dilation, w->column_stride, phase[1]));
        columns[j] = meets ? hulls[first + j % own] : (struct interval){0, 0};
    }
}

/* What is known of a row: its bound, and the range of its sum. */
struct row_facts {
    int64_t bound;
    struct interval range;
};

/* One row over all phases of its positions; `columns` is room for what it sees. */
static struct row_facts map_row(const struct layer *layer, const struct interval *hulls,
                                int channels, int row, struct interval *columns)
{
    bool phased = layer->op == OP_DECONV;
    struct row_facts facts = {-1, {0, 0}};
    int phase[2];
    for (phase[0] = 0; phase[0] < (phased ? layer->window.row_stride : 1); phase[0]++) {
        for (phase[1] = 0; phase[1] < (phased ? layer->window.column_stride : 1); phase[1]++) {
            row_inputs(layer, hulls, channels, row, phase, columns);
            struct interval here = net_row_range(layer, row, columns);
            int64_t bound = net_row_bound(layer, row, columns);
            facts.range = facts.bound < 0 ? here : hull(facts.range, here);
            facts.bound = bound > facts.bound ? bound : facts.bound;
        }
    }
    return facts;
}

static bool padded(const struct window *w)
{
    return w->top || w->left || w->bottom || w->right;
}

static bool map_rows(struct arena *arena, const struct net *net, const struct layer *layer,
                     const struct interval *in, int64_t *bounds, struct interval *ranges)
{
    const struct tensor *map = &net->tensors[layer->inputs[0]];
    bool zero = layer->op == OP_DECONV || padded(&layer->window);
    struct interval *hulls = channel_hulls(arena, map, in, zero);
    struct interval *columns = arena_alloc(arena, (size_t)layer->weights.columns, sizeof *columns);
    for (int row = 0; hulls && columns && row < layer->weights.rows; row++) {
        struct row_facts facts = map_row(layer, hulls, map->shape.channels, row, columns);
        if (bounds) {
            bounds[row] = facts.bound;
        }
        if (ranges) {
            ranges[row] = facts.range;
        }
    }
    return hulls && columns;
}

bool net_rows(const struct net *net, const struct layer *layer, const struct interval *in,
              int64_t *bounds, struct interval *ranges)
{
    if (layer->op != OP_DENSE) {
        struct arena *arena = arena_new();
        bool done = arena && map_rows(arena, net, layer, in, bounds, ranges);
        arena_free(arena);
        return done;
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        if (bounds) {
            bounds[row] = net_row_bound(layer, row, in);
        }
        if (ranges) {
            ranges[row] = net_row_range(layer, row, in);
        }
    }
    return true;
}

/* ---- ranges of the elements that each op writes ---- */

static void convert_ranges(const struct net *net, const struct layer *layer,
                           struct interval *const *ranges)
{
    enum type type = net->tensors[layer->output].type;
    for (int j = 0; j < net->tensors[layer->output].width; j++) {
        struct interval in = ranges[layer->inputs[0]][j];
        int64_t scale = (int64_t)1 << layer->shift[j];
        struct interval out = {(in.low - layer->zero[j]) * scale,
                               (in.high - layer->zero[j]) * scale};
        ranges[layer->output][j] = clamp_range(out, type_low(type), type_high(type));
    }
}

/* dense, conv, deconv: the range of a row holds at all of its positions. */
static bool rows_ranges(const struct net *net, const struct layer *layer,
                        struct interval *const *ranges)
{
    const struct tensor *out = &net->tensors[layer->output];
    int rows = layer->weights.rows;
    if (!net_rows(net, layer, ranges[layer->inputs[0]], NULL, ranges[layer->output])) {
        return false;
    }
    for (int i = 0; i < rows; i++) {
        struct interval z = ranges[layer->output][i];
        z.low = shift_down(z.low, layer->shift[i]);
        z.high = shift_down(z.high, layer->shift[i]);
        ranges[layer->output][i] = net_activation_range(layer->activation, out->type, z);
    }
    for (int i = rows; i < out->width; i++) {
        ranges[layer->output][i] = ranges[layer->output][i - rows];
    }
    return true;
}

struct interval net_sum_range(const struct layer *add, struct interval *const *ranges, int j)
{
    struct interval sum = {0, 0};
    for (int i = 0; i < add->input_count; i++) {
        sum.low += ranges[add->inputs[i]][j].low;
        sum.high += ranges[add->inputs[i]][j].high;
    }
    return sum;
}

static void add_ranges(const struct net *net, const struct layer *layer,
                       struct interval *const *ranges)
{
    enum type type = net->tensors[layer->output].type;
    for (int j = 0; j < net->tensors[layer->output].width; j++) {
        ranges[layer->output][j] =
            clamp_range(net_sum_range(layer, ranges, j), type_low(type), type_high(type));
    }
}

static void concat_ranges(const struct net *net, const struct layer *layer,
                          struct interval *const *ranges)
{
    const struct tensor *out = &net->tensors[layer->output];
    struct interval *to = ranges[layer->output];
    for (int at = 0; at < out->width / out->shape.channels; at++) {
        for (int i = 0; i < layer->input_count; i++) {
            int channels = net->tensors[layer->inputs[i]].shape.channels;
            for (int c = 0; c < channels; c++) {
                *to++ = ranges[layer->inputs[i]][at * channels + c];
            }
        }
    }
}

/* A mean of `count` elements in `in`, as SPEC 2.3 rounds it. */
static struct interval mean_range(struct interval in, int64_t count, enum type type)
{
    struct mean mean = net_mean(count, type_magnitude(type));
    int64_t half = (int64_t)1 << mean.shift >> 1;
    struct interval out = {shift_down(in.low * count * mean.multiplier + half, mean.shift),
                           shift_down(in.high * count * mean.multiplier + half, mean.shift)};
    return clamp_range(out, type_low(type), type_high(type));
}

/* Codes of a mean without its low bits (SPEC 11). */
static struct interval drop_range(struct interval mean, int drop)
{
    int64_t half = (int64_t)1 << (drop - 1);
    struct interval out = {shift_down(mean.low + half, drop), shift_down(mean.high + half, drop)};
    return clamp_range(out, type_low(TYPE_U4), type_high(TYPE_U4));
}

/* pools, resize, upsample, pad: each channel keeps its own. */
static bool channel_ranges(const struct net *net, const struct layer *layer,
                           struct interval *const *ranges)
{
    const struct tensor *in = &net->tensors[layer->inputs[0]];
    const struct tensor *out = &net->tensors[layer->output];
    bool zero = (layer->op == OP_PAD || layer->op == OP_AVGPOOL) && padded(&layer->window);
    bool mean = layer->op == OP_AVGPOOL || layer->op == OP_RESIZE;
    int drop = layer->window.drop;
    struct arena *arena = arena_new();
    struct interval *hulls =
        arena ? channel_hulls(arena, in, ranges[layer->inputs[0]], zero) : NULL;
    for (int i = 0; hulls && i < out->width; i++) {
        struct interval range = hulls[i % in->shape.channels];
        range = mean ? mean_range(range, net_mean_count(net, layer), in->type) : range;
        ranges[layer->output][i] = drop > 0 ? drop_range(range, drop) : range;
    }
    arena_free(arena);
    return hulls != NULL;
}

/* shuffle, reshape: any element may be any other. */
static void mixed_ranges(const struct net *net, const struct layer *layer,
                         struct interval *const *ranges)
{
    const struct interval *in = ranges[layer->inputs[0]];
    struct interval all = in[0];
    for (int i = 1; i < net->tensors[layer->inputs[0]].width; i++) {
        all = hull(all, in[i]);
    }
    for (int i = 0; i < net->tensors[layer->output].width; i++) {
        ranges[layer->output][i] = layer->op == OP_RESHAPE ? in[i] : all;
    }
}

/* argmax, softmax: whatever the input. */
static void chosen_ranges(const struct net *net, const struct layer *layer,
                          struct interval *const *ranges)
{
    const struct tensor *out = &net->tensors[layer->output];
    int channels = net->tensors[layer->inputs[0]].shape.channels;
    struct interval range = {0, layer->op == OP_ARGMAX ? channels - 1 : type_high(out->type)};
    for (int i = 0; i < out->width; i++) {
        ranges[layer->output][i] = range;
    }
}

bool net_layer_ranges(const struct net *net, const struct layer *layer,
                      struct interval *const *ranges)
{
    switch (layer->op) {
    case OP_CONVERT: convert_ranges(net, layer, ranges); return true;
    case OP_DENSE:
    case OP_CONV:
    case OP_DECONV: return rows_ranges(net, layer, ranges);
    case OP_ADD: add_ranges(net, layer, ranges); return true;
    case OP_CONCAT: concat_ranges(net, layer, ranges); return true;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
    case OP_RESIZE:
    case OP_UPSAMPLE:
    case OP_PAD: return channel_ranges(net, layer, ranges);
    case OP_SHUFFLE:
    case OP_RESHAPE: mixed_ranges(net, layer, ranges); return true;
    case OP_ARGMAX:
    case OP_SOFTMAX: chosen_ranges(net, layer, ranges); return true;
    }
    return false;
}

bool net_ranges(const struct net *net, struct arena *arena, struct interval **intervals)
{
    for (int t = 0; t < net->tensor_count; t++) {
        intervals[t] = arena_alloc(arena, (size_t)net->tensors[t].width, sizeof **intervals);
        if (!intervals[t]) {
            return false;
        }
    }
    const struct tensor *input = &net->tensors[net->input];
    for (int j = 0; j < input->width; j++) {
        intervals[net->input][j] = (struct interval){type_low(input->type), type_high(input->type)};
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (!net_layer_ranges(net, &net->layers[i], intervals)) {
            return false;
        }
    }
    return true;
}
