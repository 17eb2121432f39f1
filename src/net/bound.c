/* Ranges and worst-case accumulators (SPEC 4.2, 5.1, 6).
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

/* Range of an activation on z in `z`, stored as `type` (SPEC 5.1). */
static struct interval activation_range(enum activation activation, enum type type,
                                        struct interval z)
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

static void dense_ranges(const struct net *net, const struct layer *layer,
                         struct interval *const *ranges)
{
    for (int i = 0; i < layer->weights.rows; i++) {
        struct interval z = net_row_range(layer, i, ranges[layer->inputs[0]]);
        z.low = shift_down(z.low, layer->shift[i]);
        z.high = shift_down(z.high, layer->shift[i]);
        ranges[layer->output][i] =
            activation_range(layer->activation, net->tensors[layer->output].type, z);
    }
}

static void add_ranges(const struct net *net, const struct layer *layer,
                       struct interval *const *ranges)
{
    enum type type = net->tensors[layer->output].type;
    for (int j = 0; j < net->tensors[layer->output].width; j++) {
        struct interval sum = {0, 0};
        for (int i = 0; i < layer->input_count; i++) {
            sum.low += ranges[layer->inputs[i]][j].low;
            sum.high += ranges[layer->inputs[i]][j].high;
        }
        ranges[layer->output][j] = clamp_range(sum, type_low(type), type_high(type));
    }
}

static void concat_ranges(const struct net *net, const struct layer *layer,
                          struct interval *const *ranges)
{
    struct interval *out = ranges[layer->output];
    for (int i = 0; i < layer->input_count; i++) {
        for (int j = 0; j < net->tensors[layer->inputs[i]].width; j++) {
            *out++ = ranges[layer->inputs[i]][j];
        }
    }
}

static void layer_ranges(const struct net *net, const struct layer *layer,
                         struct interval *const *ranges)
{
    switch (layer->op) {
    case OP_CONVERT: convert_ranges(net, layer, ranges); break;
    case OP_DENSE: dense_ranges(net, layer, ranges); break;
    case OP_ADD: add_ranges(net, layer, ranges); break;
    case OP_CONCAT: concat_ranges(net, layer, ranges); break;
    }
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
        layer_ranges(net, &net->layers[i], intervals);
    }
    return true;
}
