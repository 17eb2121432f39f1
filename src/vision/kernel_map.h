/* Everything but convolutions and pools: normalisation, activations, the loss, levels.  Compiled
 * once per instruction set, see kernel.h. */
#ifndef MOTE_VISION_KERNEL_MAP_H
#define MOTE_VISION_KERNEL_MAP_H

#include "train/lanes.h"
#include "vision/kernel.h"
#include "vision/kernel_conv.h"
#include "vision/kernel_pool.h"

/* ---- channel by channel, in strips of positions that stay in the cache ---- */

#define STRIP_ELEMENTS 256

LANES_INLINE int strip_length(const struct pixels *p)
{
    return p->channels < STRIP_ELEMENTS ? STRIP_ELEMENTS / p->channels : 1;
}

/* Where a channel's elements of a strip begin, and how many there are. */
struct strip {
    ptrdiff_t at, stride;
    int channel, count;
};

/* body(p, strip) for every channel of every strip: a channel's positions come in order. */
#define EACH_STRIP(p, body)                                                                        \
    do {                                                                                           \
        int length = strip_length(p);                                                              \
        for (int first = 0; first < (p)->positions; first += length) {                             \
            int left = (p)->positions - first;                                                     \
            struct strip strip = {.stride = (ptrdiff_t)(p)->channels * VISION_LANES,               \
                                  .count = left < length ? left : length};                         \
            for (int c = 0; c < (p)->channels; c++) {                                              \
                strip.channel = c;                                                                 \
                strip.at = first * strip.stride + (ptrdiff_t)c * VISION_LANES;                     \
                body(p, strip);                                                                    \
            }                                                                                      \
        }                                                                                          \
    } while (0)

LANES_INLINE void moments_strip(const struct pixels *p, struct strip strip)
{
    struct pair_of_sums s = load_sums(p, strip.channel);
    const float *z = p->z + strip.at;
    for (int i = 0; i < strip.count; i++, z += strip.stride) {
        lanes value = lanes_load(z);
        s.sum = lanes_add(s.sum, value);
        s.product = p->squares ? lanes_fma(value, value, s.product) : s.product;
    }
    store_sums(p, strip.channel, s);
}

static void moments(const struct pixels *p)
{
    start_sums(p);
    EACH_STRIP(p, moments_strip);
    finish_sums(p);
}

/* ---- activations ---- */

LANES_INLINE void normalise_strip(const struct pixels *p, struct strip strip)
{
    lanes scale = lanes_set(p->scale[strip.channel]);
    lanes shift = lanes_set(p->shift[strip.channel]);
    ptrdiff_t at = strip.at;
    for (int i = 0; i < strip.count; i++, at += strip.stride) {
        lanes value = lanes_fma(scale, lanes_load(p->z + at), shift);
        lanes_store(p->y + at, lanes_max(value, lanes_set(0.0F)));
    }
}

static void normalise(const struct pixels *p)
{
    EACH_STRIP(p, normalise_strip);
}

LANES_INLINE void normalise_back_strip(const struct pixels *p, struct strip strip)
{
    lanes zero = lanes_set(0.0F);
    lanes scale = lanes_set(p->scale[strip.channel]);
    lanes shift = lanes_set(p->shift[strip.channel]);
    struct pair_of_sums s = load_sums(p, strip.channel);
    ptrdiff_t at = strip.at;
    for (int i = 0; i < strip.count; i++, at += strip.stride) {
        lanes z = lanes_load(p->z + at);
        lanes y = lanes_load(p->y + at);
        y = lanes_greater(lanes_fma(scale, z, shift), zero, y, zero);
        lanes_store(p->y + at, y);
        s.sum = lanes_add(s.sum, y);
        s.product = lanes_fma(y, z, s.product);
    }
    store_sums(p, strip.channel, s);
}

static void normalise_back(const struct pixels *p)
{
    start_sums(p);
    EACH_STRIP(p, normalise_back_strip);
    finish_sums(p);
}

LANES_INLINE void blend_strip(const struct pixels *p, struct strip strip)
{
    lanes scale = lanes_set(p->scale[strip.channel]);
    lanes extra = lanes_set(p->extra[strip.channel]);
    lanes shift = lanes_set(p->shift[strip.channel]);
    ptrdiff_t at = strip.at;
    for (int i = 0; i < strip.count; i++, at += strip.stride) {
        lanes value = lanes_fma(extra, lanes_load(p->z + at), shift);
        lanes_store(p->y + at, lanes_fma(scale, lanes_load(p->y + at), value));
    }
}

static void blend(const struct pixels *p)
{
    EACH_STRIP(p, blend_strip);
}

LANES_INLINE void requantise_strip(const struct pixels *p, struct strip strip)
{
    lanes scale = lanes_set(p->scale[strip.channel]);
    lanes shift = lanes_set(p->shift[strip.channel]);
    ptrdiff_t at = strip.at;
    for (int i = 0; i < strip.count; i++, at += strip.stride) {
        lanes value = lanes_mul(lanes_add(lanes_load(p->z + at), shift), scale);
        lanes_store(p->y + at, clamp_codes(lanes_floor(value), p->bottom, p->top));
    }
}

static void requantise(const struct pixels *p)
{
    EACH_STRIP(p, requantise_strip);
}

LANES_INLINE void requantise_back_strip(const struct pixels *p, struct strip strip)
{
    lanes zero = lanes_set(0.0F);
    lanes bottom = lanes_set(p->bottom);
    lanes top = lanes_set(p->top + 1.0F);
    lanes scale = lanes_set(p->scale[strip.channel]);
    lanes shift = lanes_set(p->shift[strip.channel]);
    struct pair_of_sums s = load_sums(p, strip.channel);
    ptrdiff_t at = strip.at;
    for (int i = 0; i < strip.count; i++, at += strip.stride) {
        lanes value = lanes_mul(lanes_add(lanes_load(p->z + at), shift), scale);
        lanes y = lanes_mul(lanes_load(p->y + at), scale);
        y = lanes_greater(value, bottom, lanes_greater(top, value, y, zero), zero);
        lanes_store(p->y + at, y);
        s.sum = lanes_add(s.sum, y);
    }
    store_sums(p, strip.channel, s);
}

static void requantise_back(const struct pixels *p)
{
    start_sums(p);
    EACH_STRIP(p, requantise_back_strip);
    finish_sums(p);
}

/* ---- the loss: -sum t log p, with p = softmax of the logits ---- */

static lanes softmax_group(const struct softmax_plan *plan, ptrdiff_t at)
{
    const float *logits = plan->logits + at;
    const float *targets = plan->targets + at;
    lanes most = lanes_load(logits);
    lanes total = lanes_set(0.0F);
    lanes mass = lanes_set(0.0F);
    lanes inner = lanes_set(0.0F);
    for (int c = 1; c < plan->classes; c++) {
        most = lanes_max(most, lanes_load(logits + c * VISION_LANES));
    }
    for (int c = 0; c < plan->classes; c++) {
        lanes z = lanes_sub(lanes_load(logits + c * VISION_LANES), most);
        lanes t = lanes_load(targets + c * VISION_LANES);
        total = lanes_add(total, lanes_exp(z));
        mass = lanes_add(mass, t);
        inner = lanes_fma(t, z, inner);
    }
    lanes share = lanes_div(mass, total);
    lanes scale = lanes_set(plan->scale);
    for (int c = 0; c < plan->classes; c++) {
        lanes power = lanes_exp(lanes_sub(lanes_load(logits + c * VISION_LANES), most));
        lanes t = lanes_load(targets + c * VISION_LANES);
        lanes slope = lanes_sub(lanes_mul(power, share), t);
        lanes_store(plan->gradient + at + c * VISION_LANES, lanes_mul(slope, scale));
    }
    return lanes_sub(lanes_mul(mass, lanes_log(total)), inner);
}

static void softmax(const struct softmax_plan *plan, float *loss)
{
    lanes sum = lanes_set(0.0F);
    for (int group = 0; group < plan->groups; group++) {
        ptrdiff_t at = (ptrdiff_t)group * plan->classes * VISION_LANES;
        sum = lanes_add(sum, softmax_group(plan, at));
    }
    lanes_store(loss, sum);
}

/* ---- levels ---- */

static void quantise(const struct levels *levels, const float *weights, float *codes)
{
    for (size_t i = 0; i < levels->count; i += VISION_LANES) {
        lanes w = lanes_load(weights + i);
        if (levels->odd) { /* 2 round((w - 1) / 2) + 1 */
            lanes half = lanes_mul(lanes_sub(w, lanes_set(1.0F)), lanes_set(0.5F));
            lanes near = lanes_from_ints(ints_from_lanes(half));
            w = lanes_fma(near, lanes_set(2.0F), lanes_set(1.0F));
        } else {
            w = lanes_from_ints(ints_from_lanes(w));
        }
        lanes_store(codes + i, clamp_codes(w, -levels->limit, levels->limit));
    }
}

/* ---- the table ---- */

#define VISION_NAMED(isa, packs)                                                                   \
    {                                                                                              \
        .name = (isa), .pack_codes = (packs), .convolve = convolve, .spread = spread,              \
        .correlate = correlate, .moments = moments, .normalise = normalise,                        \
        .normalise_back = normalise_back, .blend = blend, .requantise = requantise,                \
        .requantise_back = requantise_back, .max_pool = max_pool, .max_pool_back = max_pool_back,  \
        .convolve_pool = convolve_pool, .normalise_pool = normalise_pool,                          \
        .pool_activate_back = pool_activate_back, .mean_pool = mean_pool,                          \
        .mean_pool_back = mean_pool_back, .softmax = softmax, .quantise = quantise,                \
    }

#endif
