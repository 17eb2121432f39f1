/* Quantisation-aware training: the codes behind the weights.
 *
 * Each row has one power-of-two step 2^-k.  Steps are learned as in LSQ (Esser et al. 2020), on
 * their logarithm and rounded to whole k in every forward pass, straight through; as such steps
 * oscillate, they are settled early, and then the weights are frozen on their levels, those nearest
 * first, while the others make up for it. */
#include "train/gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COARSER 3 /* see coarser_by() */

/* 2^exponent, |exponent| <= 1000: ldexp() would be a call for each row of each step. */
static inline double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* floor() of |value| < 2^62, for the same reason. */
static inline double whole_below(double value)
{
    double whole = (double)(int64_t)value;
    return whole > value ? whole - 1 : whole;
}

static int largest_scale(const struct gradient_layer *layer)
{
    return NET_SHIFT_MAX - layer->extra;
}

static int least_scale(const struct gradient_layer *layer)
{
    return layer->extra < 0 ? -layer->extra : 0;
}

static bool sees_inputs(const struct gradient *g, int index)
{
    return index == 0 || index == g->layer_count;
}

/* Fill the level arrays of one row for its scale. */
static void set_levels(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    int k = (int)g->state.scale[layer->row + (size_t)row];
    size_t at = layer->weight + (size_t)(row * layer->dense.columns);
    for (int j = 0; j < layer->inputs; j++) {
        double inverse = sees_inputs(g, index) ? g->inverse[j] : 1;
        g->level_scale[at + (size_t)j] = (float)(inverse * power_of_two(k));
        g->level_inverse[at + (size_t)j] = (float)power_of_two(-k);
        g->level_step[at + (size_t)j] = inverse > 0 ? (float)(power_of_two(-k) / inverse) : 0;
    }
    g->shift[layer->row + (size_t)row] = k + layer->extra;
}

static void set_all_levels(struct gradient *g)
{
    for (int i = 0; i < g->dense_count; i++) {
        for (int r = 0; r < g->layers[i].dense.rows; r++) {
            set_levels(g, i, r);
        }
    }
}

static void round_weights(struct gradient *g)
{
    struct quantise_step step = {.count = g->weight_count,
                                 .weights = g->state.parameters,
                                 .scale = g->level_scale,
                                 .inverse = g->level_inverse,
                                 .limit = (float)weight_limit(g->shape.weight_bits),
                                 .codes = g->codes,
                                 .effective = g->effective};
    g->kernels->quantise(&step);
}

/* What is left of 2^31 for the bias of a row (SPEC 4.2 and 6), its rounding constant taken off. */
static double bias_room(const struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    const int16_t *codes = layer->dense.codes + (size_t)row * (size_t)layer->dense.columns;
    int32_t sum = 0;
    for (int j = 0; j < layer->dense.columns; j++) {
        sum += abs(codes[j]);
    }
    int shift = g->shift[layer->row + (size_t)row];
    /* Unshifted, the net's and the skip's sums get half of 2^31 each, so that theirs fits. */
    bool halved = shift == 0 && g->shape.has_skip && index + 1 >= g->layer_count;
    return (halved ? 0x1p30 : 0x1p31) - 1 - (double)sum * power_of_two(layer->fraction) -
           power_of_two(shift > 0 ? shift - 1 : 0);
}

/* The real bias of a row: that of the standardised inputs, less what their means contribute; the
 * last layer's also takes over the skip's share. */
static double real_bias(const struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    double bias = (double)g->state.parameters[g->weight_count + layer->row + (size_t)row];
    int first = index == 0 ? 0 : g->layer_count;
    int end = index + 1 == g->layer_count ? g->dense_count : index + 1;
    for (int i = first; i < end; i += g->layer_count) {
        const struct gradient_layer *from = &g->layers[i];
        const float *w = g->effective + from->weight + (size_t)row * (size_t)from->dense.columns;
        for (int j = 0; j < from->inputs; j++) {
            bias -= (double)w[j] * g->mean[j];
        }
    }
    return bias;
}

/* NaN, from a training that diverged, becomes -limit. */
static double clamp_real(double value, double limit)
{
    return value > limit ? limit : value >= -limit ? value : -limit;
}

/* Set the bias code of a row; false if the weights alone break the bound. */
static bool round_bias(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    size_t at = layer->row + (size_t)row;
    double room = bias_room(g, index, row);
    if (room < 0) {
        return false;
    }
    double code = 0;
    if (index < g->layer_count) {
        int k = (int)g->state.scale[at];
        double place =
            clamp_real(real_bias(g, index, row) * power_of_two(k + layer->fraction), 0x1p31);
        code = clamp_real(whole_below(place + 0.5), room);
    }
    int32_t half = g->shift[at] > 0 ? (int32_t)1 << (g->shift[at] - 1) : 0;
    g->bias_codes[at] = (int32_t)code + half;
    return true;
}

/* Halve the codes of a row: by its scale, or by its weights where that has come to its end. */
static void coarsen(struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    size_t at = layer->row + (size_t)row;
    if (g->state.scale[at] > (float)least_scale(layer)) {
        g->state.scale[at] -= 1;
        g->state.step[at] = g->state.scale[at];
        set_levels(g, index, row);
        return;
    }
    for (int j = 0; j < layer->inputs; j++) {
        g->state.parameters[layer->weight + (size_t)(row * layer->dense.columns + j)] *= 0.5F;
    }
}

void qat_round(struct gradient *g)
{
    bool coarser = true;
    while (coarser) {
        coarser = false;
        round_weights(g);
        for (int i = 0; i < g->dense_count; i++) {
            for (int r = 0; r < g->layers[i].dense.rows; r++) {
                if (qat_packs(g, i)) {
                    qat_pack(g, i, r);
                }
                if (!round_bias(g, i, r)) {
                    coarsen(g, i, r);
                    coarser = true;
                }
            }
        }
    }
}

/* ---- scales ---- */

/* Sum of squared errors of a row at scale k, by rounding and by what makes it fit the packed
 * kernel, in units of the master weights. */
static double row_error(const struct gradient *g, int index, int row, int k)
{
    const struct gradient_layer *layer = &g->layers[index];
    const float *w = g->state.parameters + layer->weight + row * layer->dense.columns;
    double limit = weight_limit(g->shape.weight_bits);
    double threshold = qat_packs(g, index) ? qat_pack_threshold(g, index, row, k) : 0;
    double error = 0;
    for (int j = 0; j < layer->inputs; j++) {
        double scale = power_of_two(k) * (sees_inputs(g, index) ? g->inverse[j] : 1);
        if (scale > 0) {
            double place = clamp_real((double)w[j] * scale, limit);
            place -= clamp_real(place, threshold);
            double level = nearbyint(place) / scale;
            error += ((double)w[j] - level) * ((double)w[j] - level);
        }
    }
    return error;
}

/* The scale at which nothing is clipped and the accumulator's bound holds. */
static int safe_scale(const struct gradient *g, int index, int row)
{
    const struct gradient_layer *layer = &g->layers[index];
    const float *w = g->state.parameters + layer->weight + row * layer->dense.columns;
    struct fixed_demand demand = {.columns = layer->inputs,
                                  .bits = g->shape.weight_bits,
                                  .extra = layer->extra,
                                  .fraction = layer->fraction};
    for (int j = 0; j < layer->inputs; j++) {
        double size = fabs((double)w[j]) * (sees_inputs(g, index) ? g->inverse[j] : 1);
        demand.sum += size;
        demand.largest = size > demand.largest ? size : demand.largest;
    }
    if (index < g->layer_count) {
        demand.bias = fabs((double)g->state.parameters[g->weight_count + layer->row + (size_t)row]);
        demand.bias += index == 0 ? demand.sum : 0; /* the means' share */
    }
    return fixed_scale(&demand);
}

static int best_scale(const struct gradient *g, int index, int row)
{
    int safe = safe_scale(g, index, row);
    int best = safe;
    double least = row_error(g, index, row, safe);
    for (int k = safe + 1; k <= safe + 3 && k <= largest_scale(&g->layers[index]); k++) {
        double error = row_error(g, index, row, k);
        if (error < least) {
            least = error;
            best = k;
        }
    }
    return best;
}

/* One scale for all rows of a layer for the packed kernel, which then needs no table of shifts. */
static int common_scale(const struct gradient *g, int index)
{
    const struct gradient_layer *layer = &g->layers[index];
    int best = least_scale(layer);
    double least = HUGE_VAL;
    for (int k = best; k <= largest_scale(layer); k++) {
        double error = 0;
        for (int r = 0; r < layer->dense.rows; r++) {
            error += row_error(g, index, r, k);
        }
        if (error < least) {
            least = error;
            best = k;
        }
    }
    return best;
}

void qat_refit(struct gradient *g)
{
    for (int i = 0; i < g->dense_count; i++) {
        const struct gradient_layer *layer = &g->layers[i];
        int common = qat_packs(g, i) ? common_scale(g, i) : -1;
        for (int r = 0; r < layer->dense.rows; r++) {
            float k = (float)(common >= 0 ? common : best_scale(g, i, r));
            g->state.scale[layer->row + (size_t)r] = k;
            g->state.step[layer->row + (size_t)r] = k;
        }
    }
    set_all_levels(g);
    qat_round(g);
}

/* Per weight, gradient times d level / d ln step, straight through the rounding: level - weight
 * inside the range, level where clipped. */
static void step_products(struct gradient *g)
{
    float limit = (float)weight_limit(g->shape.weight_bits);
    const float *weights = g->state.parameters;
    for (size_t j = 0; j < g->weight_count; j++) {
        float code = (float)g->codes[j];
        float place = weights[j] * g->level_scale[j];
        float inside = fabsf(place) <= limit ? place : 0.0F;
        g->product[j] = g->gradient[j] * (code - inside) * g->level_step[j];
    }
}

/* Gradient of the loss with respect to k = -log2 step of a row, after step_products(). */
static double step_gradient(const struct gradient *g, const struct gradient_layer *layer, int row)
{
    const float *product = g->product + layer->weight + (size_t)(row * layer->dense.columns);
    double even = 0;
    double odd = 0;
    for (int j = 0; j < layer->dense.columns; j += 2) {
        even += (double)product[j];
        odd += (double)product[j + 1];
    }
    return -0.693147180559945 * (even + odd);
}

void qat_learn_steps(struct gradient *g, double rate)
{
    struct gradient_state *s = &g->state;
    step_products(g);
    for (int i = 0; i < g->dense_count; i++) {
        const struct gradient_layer *layer = &g->layers[i];
        int rows = qat_packs(g, i) ? 0 : layer->dense.rows; /* these have one common scale */
        for (int r = 0; r < rows; r++) {
            size_t at = layer->row + (size_t)r;
            float slope = (float)step_gradient(g, layer, r);
            s->step_first[at] += 0.1F * (slope - s->step_first[at]);
            s->step_second[at] += 0.01F * (slope * slope - s->step_second[at]);
            float spread = sqrtf(s->step_second[at]) + 1e-12F;
            s->step[at] -= (float)rate * s->step_first[at] / spread;
            float top = (float)largest_scale(layer);
            float least = (float)least_scale(layer);
            s->step[at] = s->step[at] > top ? top : s->step[at] >= least ? s->step[at] : least;
            float k = rintf(s->step[at]);
            if (k != s->scale[at]) {
                s->scale[at] = k;
                set_levels(g, i, r);
            }
        }
    }
}

/* ---- phases ---- */

/* The power of two that spreads the largest output of the float net over the output type. */
static int gain_for(struct gradient *g, const struct packed *samples)
{
    int last = g->layer_count - 1;
    int rows = g->layers[last].dense.rows;
    float top = 1.0F;
    for (size_t at = 0; at < samples->count; at += GRADIENT_BLOCK) {
        size_t left = samples->count - at;
        int groups =
            gradient_gather(g, samples, NULL, at, left < GRADIENT_BLOCK ? left : GRADIENT_BLOCK);
        gradient_forward(g, groups);
        for (int i = 0; i < groups * kernel_even(rows) * KERNEL_LANES; i++) {
            float size = fabsf(g->block.z[last][i]);
            top = size > top ? size : top;
        }
    }
    int gain = 0;
    while (gain < GRADIENT_GAIN_MAX - COARSER && power_of_two(gain) < (double)top) {
        gain++;
    }
    return gain;
}

/* Logits of more bits than the codes that they are summed from: like the results of a regression,
 * their steps are eight times as coarse, so that the last layer's weights may be large. */
static int coarser_by(const struct gradient *g)
{
    const struct gradient_shape *s = &g->shape;
    return fixed_fraction(s->out_type) > fixed_fraction(s->hidden_type) ? COARSER : 0;
}

static void use_codes(struct gradient *g)
{
    g->integer = true;
    for (int i = 0; i < g->dense_count; i++) {
        g->layers[i].dense.weights = g->effective + g->layers[i].weight;
    }
}

void qat_begin(struct gradient *g, const struct packed *samples)
{
    struct gradient_state *s = &g->state;
    g->integer = false;
    gradient_set_gain(g, g->shape.classes ? gain_for(g, samples) + coarser_by(g) : 0);
    memset(s->first, 0, g->count * sizeof *s->first);
    memset(s->second, 0, g->count * sizeof *s->second);
    s->steps = 0;
    s->power1 = 1;
    s->power2 = 1;
    s->has_best = 0;
    memcpy(s->reals, s->parameters, g->count * sizeof *s->reals);
    use_codes(g);
    qat_refit(g);
}

bool qat_integer(struct gradient *g)
{
    for (int i = 0; i < g->dense_count; i++) {
        for (int r = 0; r < g->layers[i].dense.rows; r++) {
            float k = g->state.scale[g->layers[i].row + (size_t)r];
            if (!(k >= (float)least_scale(&g->layers[i]) &&
                  k <= (float)largest_scale(&g->layers[i])) ||
                rintf(k) != k) {
                return false;
            }
        }
    }
    use_codes(g);
    set_all_levels(g);
    qat_round(g);
    return true;
}

void qat_reals(struct gradient *g)
{
    g->integer = false;
    memcpy(g->state.parameters, g->state.reals, g->count * sizeof *g->state.reals);
    for (int i = 0; i < g->dense_count; i++) {
        g->layers[i].dense.weights = g->state.parameters + g->layers[i].weight;
    }
}

static int nearer(const void *left, const void *right)
{
    const struct gradient_candidate *a = left;
    const struct gradient_candidate *b = right;
    if (a->distance != b->distance) {
        return a->distance < b->distance ? -1 : 1;
    }
    return a->weight < b->weight ? -1 : 1;
}

static void freeze_one(struct gradient *g, size_t weight)
{
    g->state.free[weight] = 0;
    if (g->level_scale[weight] > 0) {
        g->state.parameters[weight] = (float)g->codes[weight] / g->level_scale[weight];
    }
}

void qat_freeze(struct gradient *g, double share)
{
    size_t total = 0;
    size_t open = 0;
    struct gradient_candidate *list = g->candidates;
    for (int i = 0; i < g->dense_count; i++) {
        const struct gradient_layer *layer = &g->layers[i];
        size_t end = layer->weight + (size_t)(layer->dense.rows * layer->dense.columns);
        total += (size_t)(layer->dense.rows * layer->dense.columns);
        for (size_t j = layer->weight; j < end; j++) {
            float place = g->state.parameters[j] * g->level_scale[j];
            if (g->state.free[j] > 0) {
                list[open++] =
                    (struct gradient_candidate){fabsf(place - (float)g->codes[j]), (uint32_t)j};
            }
        }
    }
    qsort(list, open, sizeof *list, nearer);
    size_t frozen = total - open;
    size_t wanted = (size_t)(share * (double)total);
    for (size_t i = 0; i < open && frozen < wanted; i++, frozen++) {
        freeze_one(g, list[i].weight);
    }
}

void qat_fixed(const struct gradient *g, struct fixed *fixed)
{
    fixed->out_type = g->shape.out_type;
    for (int i = 0; i < g->dense_count; i++) {
        const struct gradient_layer *layer = &g->layers[i];
        struct fixed_dense *out = i == g->layer_count ? &fixed->skip : &fixed->layers[i];
        out->bits = g->shape.weight_bits;
        out->activation = i + 1 < g->layer_count ? g->shape.activation : ACTIVATION_NONE;
        for (int r = 0; r < layer->dense.rows; r++) {
            memcpy(out->weights + r * layer->inputs, layer->dense.codes + r * layer->dense.columns,
                   (size_t)layer->inputs * sizeof *out->weights);
            out->bias[r] = layer->dense.bias_codes[r];
            out->shift[r] = (uint8_t)layer->dense.shift[r];
        }
    }
}
