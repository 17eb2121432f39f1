/* Rows that fit the packed kernel, by constraint.
 *
 * Two rows share a 32-bit word where the exact sums of each take at most 2^16 values.  An input
 * whose codes lie in an interval of length `width` adds |w| width to the length of the sum's,
 * whatever the bias; the offset that moves the sums to 0 .. 65535 is a multiple of 2^shift, which
 * costs up to 2^shift - 1 more.  So every row with
 *
 *     sum_j |w_j| <= (2^16 - 2^shift) / width
 *
 * fits: a ball in the L1 norm.  Weights are projected onto it after every step (Duchi et al. 2008;
 * for accumulators: Colbert et al. 2023), and the codes that they are rounded to once more. */
#include "train/gradient.h"

#include <math.h>
#include <stdlib.h>

#define HALF_WORD 65536
/* Weights are projected to a hair inside the ball, so that a second projection changes nothing. */
#define INSIDE 0.9999

bool qat_packs(const struct gradient *g, int index)
{
    const struct gradient_shape *s = &g->shape;
    enum type type = index == 0 ? s->dense_type : s->hidden_type;
    return s->packed && !s->has_skip && type != TYPE_I16;
}

/* Length of the interval of an input's codes (SPEC 5.1). */
static int input_width(const struct gradient *g, int index)
{
    if (index == 0) {
        return type_high(g->shape.dense_type) - type_low(g->shape.dense_type);
    }
    int high = type_high(g->shape.hidden_type);
    switch (g->shape.activation) {
    case ACTIVATION_RELU:
    case ACTIVATION_ABS: return high;
    case ACTIVATION_CLIP: return 2 * high;
    case ACTIVATION_LEAKY: return high + ((high + 8) >> 3);
    case ACTIVATION_NONE:
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: break;
    }
    return HALF_WORD; /* none of 8 bits */
}

/* The ball's radius at scale k, in codes. */
static int32_t radius(const struct gradient *g, int index, int k)
{
    int shift = k + g->layers[index].extra;
    return shift >= 16 ? 0 : (HALF_WORD - (1 << shift)) / input_width(g, index);
}

/* Fill g->places with the |w| of a row at scale k, in codes and clipped to the weight type.
 * Returns their sum. */
static double fill_places(const struct gradient *g, int index, int row, int k)
{
    const struct gradient_layer *layer = &g->layers[index];
    const float *w = g->state.parameters + layer->weight + row * layer->dense.columns;
    double limit = weight_limit(g->shape.weight_bits);
    double sum = 0;
    for (int j = 0; j < layer->inputs; j++) {
        double place = ldexp(fabs((double)w[j]) * (index == 0 ? g->inverse[j] : 1), k);
        g->places[j] = place < limit ? place : limit; /* also where it is no number */
        sum += g->places[j];
    }
    return sum;
}

/* The threshold t at which sum max(place - t, 0) of the free weights and the frozen ones come to
 * `radius`; the projection onto the ball takes it off every free weight. */
static double threshold_of(const struct gradient *g, int index, int row, double room)
{
    const struct gradient_layer *layer = &g->layers[index];
    const float *open = g->state.free + layer->weight + row * layer->dense.columns;
    double threshold = 0;
    int before = 0;
    int count = -1;
    while (count != before) {
        double sum = 0;
        before = count;
        count = 0;
        for (int j = 0; j < layer->inputs; j++) {
            bool moves = open[j] > 0 && g->places[j] > threshold;
            sum += moves ? g->places[j] : open[j] > 0 ? 0 : g->places[j];
            count += moves;
        }
        threshold = count > 0 && sum > room ? (sum - room) / count : threshold;
    }
    return threshold;
}

double qat_pack_threshold(const struct gradient *g, int index, int row, int k)
{
    double room = radius(g, index, k);
    return fill_places(g, index, row, k) <= room ? 0 : threshold_of(g, index, row, INSIDE * room);
}

/* Project the weights of a row, and round them as the kernel does. */
static void project(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    size_t at = layer->weight + (size_t)(row * layer->dense.columns);
    int k = (int)g->state.scale[layer->row + (size_t)row];
    float limit = (float)weight_limit(g->shape.weight_bits);
    double threshold = qat_pack_threshold(g, index, row, k);
    for (int j = 0; j < layer->inputs; j++) {
        float *w = &g->state.parameters[at + (size_t)j];
        float scale = g->level_scale[at + (size_t)j];
        if (threshold > 0 && g->state.free[at + (size_t)j] > 0 && scale > 0) {
            double left = g->places[j] > threshold ? g->places[j] - threshold : 0;
            *w = (float)copysign(left / (double)scale, (double)*w);
        }
        float place = *w * scale;
        float clipped = place > limit ? limit : place >= -limit ? place : -limit;
        g->codes[at + (size_t)j] = (int16_t)lrintf(clipped);
    }
    (void)fill_places(g, index, row, k);
}

/* Of the codes that rounding made larger, the one that grew most, a step back. */
static void step_back(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    int16_t *codes = g->codes + layer->weight + row * layer->dense.columns;
    int most = -1;
    double growth = 0;
    for (int j = 0; j < layer->inputs; j++) {
        double grown = abs(codes[j]) - g->places[j];
        if (codes[j] != 0 && (most < 0 || grown > growth)) {
            most = j;
            growth = grown;
        }
    }
    codes[most] = (int16_t)(codes[most] > 0 ? codes[most] - 1 : codes[most] + 1);
}

static int32_t code_sum(const struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    const int16_t *codes = g->codes + layer->weight + row * layer->dense.columns;
    int32_t sum = 0;
    for (int j = 0; j < layer->inputs; j++) {
        sum += abs(codes[j]);
    }
    return sum;
}

void qat_pack(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    size_t at = layer->weight + (size_t)(row * layer->dense.columns);
    int32_t most = radius(g, index, (int)g->state.scale[layer->row + (size_t)row]);
    if (code_sum(g, index, row) <= most) {
        return;
    }
    project(g, index, row);
    for (int32_t sum = code_sum(g, index, row); sum > most; sum--) {
        step_back(g, index, row);
    }
    for (size_t j = at; j < at + (size_t)layer->inputs; j++) {
        g->effective[j] = (float)g->codes[j] * g->level_inverse[j];
    }
}
