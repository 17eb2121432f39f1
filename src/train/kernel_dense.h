/* Dense layers over lanes.h: compiled once per instruction set, see kernel.h.
 *
 * Every function works in tiles of `rows` x `groups` accumulators that stay in registers; both are
 * constants after inlining. */
#ifndef MOTE_TRAIN_KERNEL_DENSE_H
#define MOTE_TRAIN_KERNEL_DENSE_H

#include "train/kernel.h"
#include "train/lanes.h"

#include <string.h>

#define TILE_MAX 4

/* Calls tile(..., first, size) until `count` is covered: whole tiles, then 2, then 1. */
#define COVER(count, whole, first, tile, ...)                                                      \
    do {                                                                                           \
        int first = 0;                                                                             \
        for (; first + (whole) <= (count); first += (whole)) {                                     \
            tile(__VA_ARGS__, (whole));                                                            \
        }                                                                                          \
        for (; (whole) > 2 && first + 2 <= (count); first += 2) {                                  \
            tile(__VA_ARGS__, 2);                                                                  \
        }                                                                                          \
        for (; first < (count); first++) {                                                         \
            tile(__VA_ARGS__, 1);                                                                  \
        }                                                                                          \
    } while (0)

/* ---- z = W x + b ---- */

LANES_INLINE void forward_tile(const struct dense *d, const float *x, float *z, int row, int groups,
                               int rows)
{
    int stride = kernel_even(d->rows);
    lanes sum[TILE_MAX][TILE_MAX];
    const float *w = d->weights + (size_t)row * (size_t)d->columns;
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            sum[r][g] = d->adds ? lanes_load(z + (g * stride + row + r) * KERNEL_LANES)
                                : lanes_set(d->bias[row + r]);
        }
    }
    for (int j = 0; j < d->columns; j++) {
        lanes a[TILE_MAX];
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            a[g] = lanes_load(x + (g * d->columns + j) * KERNEL_LANES);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            lanes weight = lanes_set(w[r * d->columns + j]);
            LANES_UNROLL for (int g = 0; g < groups; g++)
            {
                sum[r][g] = lanes_fma(weight, a[g], sum[r][g]);
            }
        }
    }
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            lanes_store(z + (g * stride + row + r) * KERNEL_LANES, sum[r][g]);
        }
    }
}

LANES_INLINE void forward_groups(const struct dense *d, const float *x, float *z, int group,
                                 int groups)
{
    x += (size_t)group * (size_t)d->columns * KERNEL_LANES;
    z += (size_t)group * (size_t)kernel_even(d->rows) * KERNEL_LANES;
    COVER(d->rows, LANES_TILE_ROWS, row, forward_tile, d, x, z, row, groups);
}

static void forward_float(const struct dense *d, int groups, const float *x, float *z)
{
    COVER(groups, LANES_TILE_GROUPS, group, forward_groups, d, x, z, group);
}

/* ---- z = (W a + b) >> shift, in integers ---- */

static inline int32_t pair_at(const int16_t *codes)
{
    int32_t pair;
    memcpy(&pair, codes, sizeof(pair));
    return pair;
}

LANES_INLINE void codes_tile(const struct dense *d, const int32_t *a, int32_t *z, int row,
                             int groups, int rows)
{
    int stride = kernel_even(d->rows);
    int pairs = d->columns / 2;
    ints sum[TILE_MAX][TILE_MAX];
    const int16_t *w = d->codes + (size_t)row * (size_t)d->columns;
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            sum[r][g] = ints_set(d->bias_codes[row + r]);
        }
    }
    for (int p = 0; p < pairs; p++) {
        ints in[TILE_MAX];
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            in[g] = ints_load(a + (g * pairs + p) * KERNEL_LANES);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            ints weight = ints_set(pair_at(w + r * d->columns + 2 * p));
            LANES_UNROLL for (int g = 0; g < groups; g++)
            {
                sum[r][g] = ints_add(sum[r][g], ints_pairs(weight, in[g]));
            }
        }
    }
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            int32_t *out = z + (g * stride + row + r) * KERNEL_LANES;
            ints shifted = ints_right(sum[r][g], d->shift[row + r]);
            ints_store(out, d->adds ? ints_add(shifted, ints_load(out)) : shifted);
        }
    }
}

LANES_INLINE void codes_groups(const struct dense *d, const int32_t *a, int32_t *z, int group,
                               int groups)
{
    a += (size_t)group * (size_t)(d->columns / 2) * KERNEL_LANES;
    z += (size_t)group * (size_t)kernel_even(d->rows) * KERNEL_LANES;
    COVER(d->rows, LANES_TILE_ROWS, row, codes_tile, d, a, z, row, groups);
}

static void forward_int(const struct dense *d, int groups, const int32_t *pairs, int32_t *z)
{
    COVER(groups, LANES_TILE_GROUPS, group, codes_groups, d, pairs, z, group);
}

/* ---- dx = W^T dz, times the slope of the activation that made x ---- */

LANES_INLINE void input_tile(const struct dense *d, const float *dz, float *slope, int column,
                             int groups, int columns)
{
    int stride = kernel_even(d->rows);
    lanes sum[TILE_MAX][TILE_MAX];
    LANES_UNROLL for (int c = 0; c < columns; c++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            sum[c][g] = lanes_set(0.0F);
        }
    }
    for (int i = 0; i < d->rows; i++) {
        lanes in[TILE_MAX];
        const float *w = d->weights + (size_t)i * (size_t)d->columns + column;
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            in[g] = lanes_load(dz + (g * stride + i) * KERNEL_LANES);
        }
        LANES_UNROLL for (int c = 0; c < columns; c++)
        {
            lanes weight = lanes_set(w[c]);
            LANES_UNROLL for (int g = 0; g < groups; g++)
            {
                sum[c][g] = lanes_fma(weight, in[g], sum[c][g]);
            }
        }
    }
    LANES_UNROLL for (int c = 0; c < columns; c++)
    {
        LANES_UNROLL for (int g = 0; g < groups; g++)
        {
            float *out = slope + (g * d->columns + column + c) * KERNEL_LANES;
            lanes_store(out, lanes_mul(sum[c][g], lanes_load(out)));
        }
    }
}

LANES_INLINE void input_groups(const struct dense *d, const float *dz, float *slope, int group,
                               int groups)
{
    dz += (size_t)group * (size_t)kernel_even(d->rows) * KERNEL_LANES;
    slope += (size_t)group * (size_t)d->columns * KERNEL_LANES;
    COVER(d->columns, LANES_TILE_ROWS, column, input_tile, d, dz, slope, column, groups);
}

static void backward_input(const struct dense *d, int groups, const float *dz, float *slope)
{
    COVER(groups, LANES_TILE_GROUPS, group, input_groups, d, dz, slope, group);
}

/* ---- dW = dz x^T: one vector of 16 partial sums per weight, then their totals ---- */

LANES_INLINE void outer_tile(const struct outer *o, int first, int row, int column, int rows,
                             int columns)
{
    int stride = kernel_even(o->rows);
    lanes sum[TILE_MAX][TILE_MAX];
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int c = 0; c < columns; c++)
        {
            sum[r][c] = lanes_set(0.0F);
        }
    }
    for (int g = 0; g < o->groups; g++) {
        const float *dz = o->dz + (size_t)(g * stride + first + row) * KERNEL_LANES;
        const float *x = o->x + (size_t)(g * o->columns + column) * KERNEL_LANES;
        lanes in[TILE_MAX];
        LANES_UNROLL for (int c = 0; c < columns; c++)
        {
            in[c] = lanes_load(x + c * KERNEL_LANES);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            lanes delta = lanes_load(dz + r * KERNEL_LANES);
            LANES_UNROLL for (int c = 0; c < columns; c++)
            {
                sum[r][c] = lanes_fma(delta, in[c], sum[r][c]);
            }
        }
    }
    float *out = o->scratch + (size_t)(row * o->columns + column) * KERNEL_LANES;
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int c = 0; c < columns; c++)
        {
            lanes_store(out + (r * o->columns + c) * KERNEL_LANES, sum[r][c]);
        }
    }
}

LANES_INLINE void outer_columns(const struct outer *o, int first, int row, int rows)
{
    COVER(o->columns, LANES_OUTER, column, outer_tile, o, first, row, column, rows);
}

static void outer_bias(const struct outer *o, int first, int rows)
{
    int stride = kernel_even(o->rows);
    for (int r = 0; r < rows; r++) {
        lanes sum = lanes_set(0.0F);
        for (int g = 0; g < o->groups; g++) {
            const float *dz = o->dz + (size_t)(g * stride + first + r) * KERNEL_LANES;
            sum = lanes_add(sum, lanes_load(dz));
        }
        lanes_store(o->scratch + r * KERNEL_LANES, sum);
    }
}

/* Totals of the first `count` vectors of the scratch memory; it ends in room for 16 more, which
 * may hold anything. */
static void totals(const struct outer *o, size_t count, float *sums)
{
    for (size_t i = 0; i < count; i += KERNEL_LANES) {
        size_t size = count - i < KERNEL_LANES ? count - i : KERNEL_LANES;
        float tail[KERNEL_LANES] = {0};
        float *out = size < KERNEL_LANES ? tail : sums + i;
        lanes sum = lanes_sums(o->scratch + i * KERNEL_LANES);
        if (size < KERNEL_LANES) {
            memcpy(tail, sums + i, size * sizeof(float));
        }
        lanes_store(out, o->add ? lanes_add(lanes_load(out), sum) : sum);
        if (size < KERNEL_LANES) {
            memcpy(sums + i, tail, size * sizeof(float));
        }
    }
}

static void backward_weights(const struct outer *o)
{
    for (int first = 0; first < o->rows; first += KERNEL_LANES) {
        int rows = o->rows - first < KERNEL_LANES ? o->rows - first : KERNEL_LANES;
        COVER(rows, LANES_OUTER, row, outer_columns, o, first, row);
        size_t at = (size_t)first * (size_t)o->columns;
        totals(o, (size_t)rows * (size_t)o->columns, o->gradient + at);
        if (o->bias_gradient) {
            outer_bias(o, first, rows);
            totals(o, (size_t)rows, o->bias_gradient + first);
        }
    }
}

#endif
