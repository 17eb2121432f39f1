/* Everything but the dense layers: activations, losses, Adam, fake quantisation.  Compiled once
 * per instruction set, see kernel.h. */
#ifndef MOTE_TRAIN_KERNEL_POINT_H
#define MOTE_TRAIN_KERNEL_POINT_H

#include "train/kernel.h"
#include "train/kernel_dense.h"
#include "train/lanes.h"

/* ---- activations: the real-valued twins of SPEC 5, codes / 2^15 ---- */

LANES_INLINE lanes clamp_lanes(lanes z, float low, float high)
{
    return lanes_min(lanes_max(z, lanes_set(low)), lanes_set(high));
}

LANES_INLINE lanes size_of(lanes a)
{
    return ints_as_lanes(ints_and(lanes_as_ints(a), ints_set(INT32_MAX)));
}

LANES_INLINE lanes value_of(lanes z, enum activation activation)
{
    lanes v = clamp_lanes(z, -1.0F, 1.0F);
    lanes zero = lanes_set(0.0F);
    switch (activation) {
    case ACTIVATION_NONE: return z;
    case ACTIVATION_CUBIC:
        return lanes_mul(v, lanes_fma(lanes_mul(v, v), lanes_set(-0.5F), lanes_set(1.5F)));
    case ACTIVATION_PSIG: return lanes_mul(v, lanes_sub(lanes_set(2.0F), size_of(v)));
    case ACTIVATION_RELU: return lanes_max(v, zero);
    case ACTIVATION_ABS: return size_of(v);
    case ACTIVATION_LEAKY: return lanes_max(v, lanes_mul(v, lanes_set(0.125F)));
    case ACTIVATION_CLIP: return v;
    }
    return z;
}

LANES_INLINE lanes slope_of(lanes z, enum activation activation)
{
    lanes zero = lanes_set(0.0F);
    lanes one = lanes_set(1.0F);
    lanes size = size_of(z);
    lanes v = lanes_min(size, one);
    lanes inside = lanes_greater(one, size, one, zero);
    switch (activation) {
    case ACTIVATION_NONE: return one;
    case ACTIVATION_CUBIC: return lanes_fma(lanes_mul(v, v), lanes_set(-1.5F), lanes_set(1.5F));
    case ACTIVATION_PSIG: return lanes_fma(v, lanes_set(-2.0F), lanes_set(2.0F));
    case ACTIVATION_RELU: return lanes_greater(z, zero, inside, zero);
    case ACTIVATION_ABS: return lanes_greater(z, zero, inside, lanes_sub(zero, inside));
    case ACTIVATION_LEAKY:
        return lanes_greater(z, zero, inside, lanes_mul(inside, lanes_set(0.125F)));
    case ACTIVATION_CLIP: return inside;
    }
    return one;
}

/* SPEC 5, for types whose largest code is `top`; cubic and psig: i16. */
LANES_INLINE ints code_of(ints z, enum activation activation, int32_t top)
{
    ints v = ints_min(ints_max(z, ints_set(-top)), ints_set(top));
    ints zero = ints_set(0);
    switch (activation) {
    case ACTIVATION_NONE: return ints_min(ints_max(z, ints_set(-top - 1)), ints_set(top));
    case ACTIVATION_CUBIC: {
        ints t = ints_right(ints_mul(v, v), 15);
        return ints_right(ints_mul(v, ints_right(ints_sub(ints_set(98304), t), 1)), 15);
    }
    case ACTIVATION_PSIG: {
        ints size = ints_max(v, ints_sub(zero, v));
        return ints_right(ints_mul(v, ints_sub(ints_set(65536), size)), 15);
    }
    case ACTIVATION_RELU: return ints_max(v, zero);
    case ACTIVATION_ABS: return ints_max(v, ints_sub(zero, v));
    case ACTIVATION_LEAKY: return ints_max(v, ints_right(v, 3));
    case ACTIVATION_CLIP: return v;
    }
    return v;
}

LANES_INLINE void activate_all(enum activation activation, size_t count, const float *z, float *a,
                               float *slope)
{
    for (size_t i = 0; i < count; i += KERNEL_LANES) {
        lanes in = lanes_load(z + i);
        lanes_store(slope + i, slope_of(in, activation));
        lanes_store(a + i, value_of(in, activation));
    }
}

static void activate_float(enum activation activation, int groups, int rows, const float *z,
                           float *a, float *slope)
{
    size_t count = (size_t)groups * (size_t)kernel_even(rows) * KERNEL_LANES;
    switch (activation) {
    case ACTIVATION_NONE: activate_all(ACTIVATION_NONE, count, z, a, slope); break;
    case ACTIVATION_CUBIC: activate_all(ACTIVATION_CUBIC, count, z, a, slope); break;
    case ACTIVATION_PSIG: activate_all(ACTIVATION_PSIG, count, z, a, slope); break;
    case ACTIVATION_RELU: activate_all(ACTIVATION_RELU, count, z, a, slope); break;
    case ACTIVATION_ABS: activate_all(ACTIVATION_ABS, count, z, a, slope); break;
    case ACTIVATION_LEAKY: activate_all(ACTIVATION_LEAKY, count, z, a, slope); break;
    case ACTIVATION_CLIP: activate_all(ACTIVATION_CLIP, count, z, a, slope); break;
    }
}

LANES_INLINE ints activate_row(const struct activate_step *s, enum activation activation, size_t at)
{
    lanes unit = lanes_set(1.0F / (float)(1 << s->fraction));
    ints in = ints_load(s->z + at);
    ints code = code_of(in, activation, (1 << s->fraction) - 1);
    lanes_store(s->slope + at, slope_of(lanes_mul(lanes_from_ints(in), unit), activation));
    lanes_store(s->a + at, lanes_mul(lanes_from_ints(code), unit));
    return code;
}

LANES_INLINE void activate_pairs(const struct activate_step *step, enum activation activation)
{
    const struct activate_step s = *step; /* a copy, so that nothing is loaded again */
    size_t count = (size_t)s.groups * (size_t)(kernel_even(s.rows) / 2);
    for (size_t i = 0; i < count; i++) {
        ints even = activate_row(&s, activation, 2 * i * KERNEL_LANES);
        ints odd = activate_row(&s, activation, (2 * i + 1) * KERNEL_LANES);
        ints pair = ints_or(ints_and(even, ints_set(0xffff)), ints_left(odd, 16));
        ints_store(s.pairs + i * KERNEL_LANES, pair);
    }
}

static void activate_int(const struct activate_step *step)
{
    switch (step->activation) {
    case ACTIVATION_NONE: activate_pairs(step, ACTIVATION_NONE); break;
    case ACTIVATION_CUBIC: activate_pairs(step, ACTIVATION_CUBIC); break;
    case ACTIVATION_PSIG: activate_pairs(step, ACTIVATION_PSIG); break;
    case ACTIVATION_RELU: activate_pairs(step, ACTIVATION_RELU); break;
    case ACTIVATION_ABS: activate_pairs(step, ACTIVATION_ABS); break;
    case ACTIVATION_LEAKY: activate_pairs(step, ACTIVATION_LEAKY); break;
    case ACTIVATION_CLIP: activate_pairs(step, ACTIVATION_CLIP); break;
    }
}

/* ---- both ends of a net ---- */

static void output_values(int groups, int rows, const int32_t *z, const int32_t range[2],
                          const float *unit, float *y)
{
    int stride = kernel_even(rows);
    ints low = ints_set(range[0]);
    ints high = ints_set(range[1]);
    for (int g = 0; g < groups; g++) {
        for (int r = 0; r < rows; r++) {
            size_t at = (size_t)(g * stride + r) * KERNEL_LANES;
            ints code = ints_min(ints_max(ints_load(z + at), low), high);
            lanes_store(y + at, lanes_mul(lanes_from_ints(code), lanes_set(unit[r])));
        }
    }
}

static void unpack(int groups, int rows, const int32_t *pairs, const float *scale,
                   const float *offset, float *x)
{
    for (int g = 0; g < groups; g++) {
        for (int r = 0; r < rows; r += 2, pairs += KERNEL_LANES, x += 2 * KERNEL_LANES) {
            ints pair = ints_load(pairs);
            lanes even = lanes_from_ints(ints_right(ints_left(pair, 16), 16));
            lanes odd = lanes_from_ints(ints_right(pair, 16));
            lanes_store(x, lanes_fma(even, lanes_set(scale[r]), lanes_set(offset[r])));
            lanes_store(x + KERNEL_LANES,
                        lanes_fma(odd, lanes_set(scale[r + 1]), lanes_set(offset[r + 1])));
        }
    }
}

/* ---- losses: one element's or one sample's loss, and its gradient ---- */

LANES_INLINE lanes squared_error(lanes y, lanes t, float delta, lanes *dy)
{
    (void)delta;
    lanes error = lanes_sub(y, t);
    *dy = lanes_add(error, error);
    return lanes_mul(error, error);
}

/* Huber, scaled so that it is the squared error inside: e^2, outside delta (2 |e| - delta). */
LANES_INLINE lanes huber_error(lanes y, lanes t, float delta, lanes *dy)
{
    lanes error = lanes_sub(y, t);
    lanes cut = clamp_lanes(error, -delta, delta);
    *dy = lanes_add(cut, cut);
    return lanes_mul(cut, lanes_sub(lanes_add(error, error), cut));
}

/* Of the logistic function of y against t in 0..1: max(y, 0) - y t + ln(1 + e^-|y|). */
LANES_INLINE lanes log_error(lanes y, lanes t, float delta, lanes *dy)
{
    (void)delta;
    lanes one = lanes_set(1.0F);
    lanes zero = lanes_set(0.0F);
    lanes power = lanes_exp(lanes_sub(zero, size_of(y)));
    lanes denominator = lanes_add(one, power);
    lanes p = lanes_div(lanes_greater(y, zero, one, power), denominator);
    *dy = lanes_sub(p, t);
    lanes base = lanes_fma(lanes_sub(zero, y), t, lanes_max(y, zero));
    return lanes_add(base, lanes_log(denominator));
}

typedef lanes element_loss(lanes y, lanes t, float delta, lanes *dy);

LANES_INLINE lanes element_losses(const struct loss_block *b, element_loss *loss)
{
    int stride = kernel_even(b->outputs);
    lanes total = lanes_set(0.0F);
    for (int g = 0; g < b->groups; g++) {
        lanes mask = lanes_load(b->mask + g * KERNEL_LANES);
        lanes scale = lanes_mul(mask, lanes_set(b->scale));
        for (int r = 0; r < b->outputs; r++) {
            size_t at = (size_t)(g * stride + r) * KERNEL_LANES;
            lanes dy;
            lanes value = loss(lanes_load(b->y + at), lanes_load(b->targets + at), b->delta, &dy);
            lanes weight = lanes_set(b->weight[r]);
            lanes_store(b->dy + at, lanes_mul(dy, lanes_mul(scale, weight)));
            total = lanes_fma(lanes_mul(mask, weight), value, total);
        }
    }
    return total;
}

/* ln sum e^y - y_class of one group of samples. */
LANES_INLINE lanes softmax_group(const struct loss_block *b, const float *y, float *dy, int group)
{
    lanes mask = lanes_load(b->mask + group * KERNEL_LANES);
    lanes class = lanes_load(b->targets + group * KERNEL_LANES);
    lanes zero = lanes_set(0.0F);
    lanes top = lanes_load(y);
    for (int r = 1; r < b->outputs; r++) {
        top = lanes_max(top, lanes_load(y + r * KERNEL_LANES));
    }
    lanes sum = zero;
    lanes chosen = zero;
    for (int r = 0; r < b->outputs; r++) {
        lanes v = lanes_sub(lanes_load(y + r * KERNEL_LANES), top);
        lanes power = lanes_exp(v);
        chosen = lanes_equal(class, lanes_set((float)r), v, chosen);
        sum = lanes_add(sum, power);
        lanes_store(dy + r * KERNEL_LANES, power);
    }
    lanes inverse = lanes_div(lanes_set(1.0F), sum);
    lanes scale = lanes_mul(mask, lanes_set(b->scale));
    for (int r = 0; r < b->outputs; r++) {
        lanes hit = lanes_equal(class, lanes_set((float)r), lanes_set(1.0F), zero);
        lanes p = lanes_mul(lanes_load(dy + r * KERNEL_LANES), inverse);
        lanes_store(dy + r * KERNEL_LANES, lanes_mul(lanes_sub(p, hit), scale));
    }
    return lanes_mul(mask, lanes_sub(lanes_log(sum), chosen));
}

static lanes softmax_losses(const struct loss_block *b)
{
    size_t stride = (size_t)kernel_even(b->outputs) * KERNEL_LANES;
    lanes total = lanes_set(0.0F);
    for (int g = 0; g < b->groups; g++) {
        size_t at = (size_t)g * stride;
        total = lanes_add(total, softmax_group(b, b->y + at, b->dy + at, g));
    }
    return total;
}

static lanes loss_lanes(const struct loss_block *b)
{
    switch (b->loss) {
    case LOSS_HUBER: return element_losses(b, huber_error);
    case LOSS_LOG: return element_losses(b, log_error);
    case LOSS_CROSS_ENTROPY: return softmax_losses(b);
    case LOSS_AUTO:
    case LOSS_MSE: break;
    }
    return element_losses(b, squared_error);
}

static float loss(const struct loss_block *b)
{
    float partial[KERNEL_LANES * KERNEL_LANES] = {0};
    float sums[KERNEL_LANES];
    lanes_store(partial, loss_lanes(b));
    lanes_store(sums, lanes_sums(partial));
    return sums[0];
}

/* ---- the optimiser ---- */

static void adam(const struct adam_step *s)
{
    lanes keep1 = lanes_set(s->beta1);
    lanes keep2 = lanes_set(s->beta2);
    for (size_t i = 0; i < s->count; i += KERNEL_LANES) {
        lanes g = lanes_load(s->gradient + i);
        lanes w = lanes_load(s->weights + i);
        lanes m = lanes_fma(keep1, lanes_sub(lanes_load(s->first + i), g), g);
        lanes square = lanes_mul(g, g);
        lanes v = lanes_fma(keep2, lanes_sub(lanes_load(s->second + i), square), square);
        lanes_store(s->first + i, m);
        lanes_store(s->second + i, v);
        lanes spread = lanes_sqrt(lanes_mul(v, lanes_set(s->correction2)));
        lanes move = lanes_div(lanes_mul(m, lanes_set(s->correction1)),
                               lanes_add(spread, lanes_set(s->epsilon)));
        move = lanes_fma(lanes_load(s->decay + i), w, move);
        lanes rate = lanes_set(s->rate);
        if (s->mask) {
            rate = lanes_mul(rate, lanes_load(s->mask + i));
        }
        lanes_store(s->weights + i, lanes_sub(w, lanes_mul(rate, move)));
    }
}

static void quantise(const struct quantise_step *s)
{
    for (size_t i = 0; i < s->count; i += KERNEL_LANES) {
        lanes w = lanes_mul(lanes_load(s->weights + i), lanes_load(s->scale + i));
        ints code = ints_from_lanes(clamp_lanes(w, -s->limit, s->limit));
        ints_store_short(s->codes + i, code);
        lanes effective = lanes_mul(lanes_from_ints(code), lanes_load(s->inverse + i));
        lanes_store(s->effective + i, effective);
    }
}

/* ---- the table ---- */

#define KERNELS_NAMED(isa)                                                                         \
    {                                                                                              \
        .name = (isa), .forward_float = forward_float, .forward_int = forward_int,                 \
        .backward_input = backward_input, .backward_weights = backward_weights,                    \
        .activate_float = activate_float, .activate_int = activate_int,                            \
        .output_values = output_values, .unpack = unpack, .loss = loss, .adam = adam,              \
        .quantise = quantise,                                                                      \
    }

#endif
