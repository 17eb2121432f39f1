/* Pools: maxima, also of activations that are not stored, and means.  Compiled once per instruction
 * set, see kernel.h. */
#ifndef MOTE_VISION_KERNEL_POOL_H
#define MOTE_VISION_KERNEL_POOL_H

#include "train/lanes.h"
#include "vision/kernel.h"
#include "vision/kernel_conv.h"

/* The largest integer that is not larger; |a| < 2^31. */
LANES_INLINE lanes lanes_floor(lanes a)
{
    lanes nearest = lanes_from_ints(ints_from_lanes(a));
    return lanes_greater(nearest, a, lanes_sub(nearest, lanes_set(1.0F)), nearest);
}

LANES_INLINE lanes clamp_codes(lanes a, float low, float high)
{
    return lanes_min(lanes_max(a, lanes_set(low)), lanes_set(high));
}

/* ---- maxima ---- */

static void max_pool(const struct pool_plan *plan, const float *in, float *out)
{
    for (int at = 0; at < plan->positions; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, out += VISION_LANES) {
            lanes best = lanes_load(element(in, from[0] + c));
            for (int i = 1; i < count; i++) {
                best = lanes_max(best, lanes_load(element(in, from[i] + c)));
            }
            lanes_store(out, best);
        }
    }
}

/* The first of the largest gets the slope. */
static void max_pool_back(const struct pool_plan *plan, const float *in, const float *out,
                          const float *slopes, float *result)
{
    lanes zero = lanes_set(0.0F);
    for (int at = 0; at < plan->positions; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, out += VISION_LANES, slopes += VISION_LANES) {
            lanes best = lanes_load(out);
            lanes slope = lanes_load(slopes);
            for (int i = 0; i < count; i++) {
                lanes value = lanes_load(element(in, from[i] + c));
                float *to = result + (ptrdiff_t)(from[i] + c) * VISION_LANES;
                lanes share = lanes_equal(value, best, slope, zero);
                lanes_store(to, lanes_add(lanes_load(to), share));
                slope = lanes_equal(value, best, zero, slope);
            }
        }
    }
}

/* ---- maxima of what nothing else reads, a band at a time ---- */

/* Rows of windows that are worked on together, and all positions of a group that belong to them. */
struct band {
    int begin, end;         /* positions */
    int window, window_end; /* outputs */
};

static int band_count(const struct pool_plan *plan)
{
    int groups = plan->positions / (plan->band.windows * plan->band.group_rows);
    return (plan->band.group_rows + plan->band.rows - 1) / plan->band.rows * groups;
}

/* What no window reads of a group belongs to its last band. */
static struct band band_at(const struct pool_plan *plan, int index)
{
    int each = (plan->band.group_rows + plan->band.rows - 1) / plan->band.rows;
    int group = index / each;
    int row = index % each * plan->band.rows;
    int end = row + plan->band.rows;
    bool last = end >= plan->band.group_rows;
    int window = group * plan->band.group_rows;
    int first = group * plan->band.group;
    return (struct band){.begin = first + row * plan->band.positions,
                         .end = first + (last ? plan->band.group : end * plan->band.positions),
                         .window = (window + row) * plan->band.windows,
                         .window_end =
                             (window + (last ? plan->band.group_rows : end)) * plan->band.windows};
}

/* Of windows window .. window_end - 1 of a map whose first element here is `base`. */
static void max_band(const struct pool_plan *plan, struct band band, const float *in, int base,
                     float *out)
{
    out += (ptrdiff_t)band.window * plan->channels * VISION_LANES;
    for (int at = band.window; at < band.window_end; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, out += VISION_LANES) {
            lanes best = lanes_load(element(in, from[0] - base + c));
            for (int i = 1; i < count; i++) {
                best = lanes_max(best, lanes_load(element(in, from[i] - base + c)));
            }
            lanes_store(out, best);
        }
    }
}

static void convolve_band(struct conv_call *k, const struct pool_plan *plan, struct band band,
                          bool brief)
{
    k->begin = band.begin;
    k->end = band.end;
    k->base = brief ? band.begin * plan->channels : 0;
    convolve_range(k);
}

static void convolve_pool(const struct conv_call *call, const struct pool_plan *plan, bool brief,
                          float *out)
{
    struct conv_call k = *call;
    if (k.moments) {
        start_sums(k.moments);
    }
    for (int i = 0; i < band_count(plan); i++) {
        struct band band = band_at(plan, i);
        convolve_band(&k, plan, band, brief);
        max_band(plan, band, k.out, k.base, out);
    }
    if (k.moments) {
        finish_sums(k.moments);
    }
}

/* An activation before its codes are made: what requantise() rounds, what normalise() cuts off. */
LANES_INLINE lanes before_rounding(const struct pixels *p, int channel, lanes z, bool integer)
{
    lanes scale = lanes_set(p->scale[channel]);
    lanes shift = lanes_set(p->shift[channel]);
    return integer ? lanes_mul(lanes_add(z, shift), scale) : lanes_fma(scale, z, shift);
}

LANES_INLINE lanes rounded(const struct pixels *p, lanes value, bool integer)
{
    return integer ? clamp_codes(lanes_floor(value), p->bottom, p->top)
                   : lanes_max(value, lanes_set(0.0F));
}

static void normalise_pool(const struct pixels *p, const struct pool_plan *plan, float *out)
{
    for (int at = 0; at < plan->positions; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, out += VISION_LANES) {
            lanes best = lanes_set(0.0F);
            for (int i = 0; i < count; i++) {
                lanes z = lanes_load(element(p->z, from[i] + c));
                best = lanes_max(best, before_rounding(p, c, z, false));
            }
            lanes_store(out, best);
        }
    }
}

/* What the activation lets through of a slope. */
LANES_INLINE lanes through(const struct pixels *p, int channel, lanes value, lanes y, bool integer)
{
    lanes zero = lanes_set(0.0F);
    if (!integer) {
        return lanes_greater(value, zero, y, zero);
    }
    y = lanes_mul(y, lanes_set(p->scale[channel]));
    y = lanes_greater(lanes_set(p->top + 1.0F), value, y, zero);
    return lanes_greater(value, lanes_set(p->bottom), y, zero);
}

/* A window's channel; its sums begin with element `base` of the map. */
struct window_place {
    int at, channel, base;
};

/* The first of the largest of a window's channel gets the slope, as in max_pool_back(). */
LANES_INLINE void window_back(const struct pixels *p, const struct pool_plan *plan,
                              struct window_place place, struct pooled pooled, bool integer)
{
    lanes zero = lanes_set(0.0F);
    lanes best = lanes_load(pooled.values);
    lanes slope = lanes_load(pooled.slopes);
    int c = place.channel;
    for (int i = plan->first[place.at]; i < plan->first[place.at + 1]; i++) {
        lanes z = lanes_load(element(p->z, plan->from[i] - place.base + c));
        lanes value = before_rounding(p, c, z, integer);
        lanes code = rounded(p, value, integer);
        lanes share = lanes_equal(code, best, slope, zero);
        slope = lanes_equal(code, best, zero, slope);
        float *y = p->y + (ptrdiff_t)(plan->from[i] + c) * VISION_LANES;
        lanes_store(y, through(p, c, value, share, integer));
    }
}

/* Sums of y and, of reals, y z over a band; a channel's positions come in order. */
LANES_INLINE void sum_band(const struct pixels *p, struct band band, bool integer)
{
    ptrdiff_t stride = (ptrdiff_t)p->channels * VISION_LANES;
    for (int c = 0; c < p->channels; c++) {
        ptrdiff_t at = band.begin * stride + (ptrdiff_t)c * VISION_LANES;
        struct pair_of_sums s = load_sums(p, c);
        for (int i = band.begin; i < band.end; i++, at += stride) {
            lanes y = lanes_load(p->y + at);
            s.sum = lanes_add(s.sum, y);
            s.product = integer ? s.product : lanes_fma(y, lanes_load(p->z + at), s.product);
        }
        store_sums(p, c, s);
    }
}

LANES_INLINE void band_back(const struct pixels *p, const struct pool_plan *plan, struct band band,
                            int base, const struct pooled *pooled, bool integer)
{
    ptrdiff_t place = (ptrdiff_t)band.window * plan->channels * VISION_LANES;
    for (int at = band.window; at < band.window_end; at++) {
        for (int c = 0; c < plan->channels; c++, place += VISION_LANES) {
            struct pooled here = {pooled->values + place, pooled->slopes + place};
            window_back(p, plan, (struct window_place){at, c, base}, here, integer);
        }
    }
    sum_band(p, band, integer);
}

static void pool_activate_back(const struct pixels *pixels, const struct pool_plan *plan,
                               const struct pooled *pooled, const struct conv_call *again)
{
    struct pixels p = *pixels;
    struct conv_call k = again ? *again : (struct conv_call){0};
    start_sums(&p);
    if (plan->band.gaps) {
        size_t size = (size_t)p.positions * (size_t)p.channels * VISION_LANES;
        memset(p.y, 0, size * sizeof *p.y);
    }
    for (int i = 0; i < band_count(plan); i++) {
        struct band band = band_at(plan, i);
        if (again) {
            convolve_band(&k, plan, band, true);
            p.z = k.out;
        }
        if (plan->integer) {
            band_back(&p, plan, band, k.base, pooled, true);
        } else {
            band_back(&p, plan, band, 0, pooled, false);
        }
    }
    finish_sums(&p);
}

/* ---- means ---- */

LANES_INLINE lanes mean_of(const struct pool_plan *plan, lanes sum)
{
    if (!plan->integer) {
        return lanes_mul(sum, lanes_set(plan->share));
    }
    ints product = ints_mul(ints_from_lanes(sum), ints_set(plan->multiplier));
    product = ints_add(product, ints_set((int32_t)((UINT32_C(1) << plan->shift) >> 1)));
    return clamp_codes(lanes_from_ints(ints_right(product, plan->shift)), plan->bottom, plan->top);
}

static void mean_pool(const struct pool_plan *plan, const float *in, float *out)
{
    for (int at = 0; at < plan->positions; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, out += VISION_LANES) {
            lanes sum = lanes_set(0.0F);
            for (int i = 0; i < count; i++) {
                sum = lanes_add(sum, lanes_load(element(in, from[i] + c)));
            }
            lanes_store(out, mean_of(plan, sum));
        }
    }
}

static void mean_pool_back(const struct pool_plan *plan, const float *slopes, float *result)
{
    lanes share = lanes_set(plan->share);
    for (int at = 0; at < plan->positions; at++) {
        const int32_t *from = plan->from + plan->first[at];
        int count = plan->first[at + 1] - plan->first[at];
        for (int c = 0; c < plan->channels; c++, slopes += VISION_LANES) {
            lanes slope = lanes_mul(lanes_load(slopes), share);
            for (int i = 0; i < count; i++) {
                float *to = result + (ptrdiff_t)(from[i] + c) * VISION_LANES;
                lanes_store(to, lanes_add(lanes_load(to), slope));
            }
        }
    }
}

#endif
