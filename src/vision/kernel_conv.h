/* Convolutions over vec_*.h, in tiles of rows x positions whose sums stay in registers: compiled
 * once per instruction set, see kernel.h. */
#ifndef MOTE_VISION_KERNEL_CONV_H
#define MOTE_VISION_KERNEL_CONV_H

#include "train/lanes.h"
#include "vision/kernel.h"

#include VEC_HEADER

#include <string.h>

#define TILE_ROWS      4
#define TILE_POSITIONS 8

/* Calls tile(..., first, size) until begin .. end - 1 is covered: whole tiles, then 2, then 1. */
#define COVER_RANGE(begin, end, whole, first, tile, ...)                                           \
    do {                                                                                           \
        int first = (begin);                                                                       \
        for (; first + (whole) <= (end); first += (whole)) {                                       \
            tile(__VA_ARGS__, (whole));                                                            \
        }                                                                                          \
        for (; (whole) > 2 && first + 2 <= (end); first += 2) {                                    \
            tile(__VA_ARGS__, 2);                                                                  \
        }                                                                                          \
        for (; first < (end); first++) {                                                           \
            tile(__VA_ARGS__, 1);                                                                  \
        }                                                                                          \
    } while (0)

/* Begin and end of the positions that one pass covers. */
struct span {
    int begin, end;
};

LANES_INLINE const float *element(const float *map, int32_t at)
{
    return map + (ptrdiff_t)at * VISION_LANES;
}

/* Totals of `count` vectors of scratch memory, which ends in room for 16 more. */
static void lane_totals(const float *scratch, size_t count, float *sums)
{
    size_t whole = count / VISION_LANES * VISION_LANES;
    for (size_t i = 0; i < whole; i += VISION_LANES) {
        lanes_store(sums + i, lanes_sums(scratch + i * VISION_LANES));
    }
    if (whole < count) {
        float tail[VISION_LANES];
        lanes_store(tail, lanes_sums(scratch + whole * VISION_LANES));
        memcpy(sums + whole, tail, (count - whole) * sizeof *sums);
    }
}

/* ---- sums over all positions of a channel ---- */

struct pair_of_sums {
    lanes sum, product;
};

static float *products_of(const struct pixels *p)
{
    return p->scratch + (ptrdiff_t)(p->channels + VISION_LANES) * VISION_LANES;
}

static void start_sums(const struct pixels *p)
{
    size_t size = (size_t)p->channels * VISION_LANES * sizeof *p->scratch;
    memset(p->scratch, 0, size);
    memset(products_of(p), 0, size);
}

static void finish_sums(const struct pixels *p)
{
    lane_totals(p->scratch, (size_t)p->channels, p->sums);
    lane_totals(products_of(p), (size_t)p->channels, p->products);
}

LANES_INLINE struct pair_of_sums load_sums(const struct pixels *p, int channel)
{
    ptrdiff_t at = (ptrdiff_t)channel * VISION_LANES;
    return (struct pair_of_sums){lanes_load(p->scratch + at), lanes_load(products_of(p) + at)};
}

LANES_INLINE void store_sums(const struct pixels *p, int channel, struct pair_of_sums sums)
{
    ptrdiff_t at = (ptrdiff_t)channel * VISION_LANES;
    lanes_store(p->scratch + at, sums.sum);
    lanes_store(products_of(p) + at, sums.product);
}

/* ---- out = W in + bias ---- */

/* Positions in order, as moments() takes them. */
LANES_INLINE void add_moments(const struct conv_call *k, int row, int part, int positions,
                              const vec z[TILE_POSITIONS])
{
    const struct pixels *p = k->moments;
    ptrdiff_t at = (ptrdiff_t)(k->first_row + row) * VISION_LANES + part;
    vec sum = vec_load(p->scratch + at);
    LANES_UNROLL for (int i = 0; i < positions; i++)
    {
        sum = vec_add(sum, z[i]);
    }
    vec_store(p->scratch + at, sum);
    if (p->squares) {
        vec square = vec_load(products_of(p) + at);
        LANES_UNROLL for (int i = 0; i < positions; i++)
        {
            square = vec_fma(z[i], z[i], square);
        }
        vec_store(products_of(p) + at, square);
    }
}

/* A tile's first position and row, and the first of its lanes. */
struct tile_place {
    int at, row, part;
};

/* Sums of a tile to the map and to the moments. */
LANES_INLINE void finish_tile(const struct conv_call *k, struct tile_place place, int positions,
                              int rows, vec sum[TILE_ROWS][TILE_POSITIONS])
{
    LANES_UNROLL for (int p = 0; p < positions; p++)
    {
        ptrdiff_t to = (ptrdiff_t)k->conv->out_at[place.at + p] - k->base + place.row;
        float *out = k->out + to * VISION_LANES + place.part;
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            vec_store(out + r * VISION_LANES, sum[r][p]);
        }
    }
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        if (k->moments) {
            add_moments(k, place.row + r, place.part, positions, sum[r]);
        }
    }
}

LANES_INLINE void convolve_part(const struct conv_call *k, int at, int row, int part, int positions,
                                int rows)
{
    const struct conv *c = k->conv;
    int columns = c->columns;
    vec sum[TILE_ROWS][TILE_POSITIONS];
    const float *x[TILE_POSITIONS];
    const float *w = k->weights + (ptrdiff_t)row * columns;
    LANES_UNROLL for (int p = 0; p < positions; p++)
    {
        x[p] = element(k->in, c->in_at[at + p]) + part;
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            sum[r][p] = vec_set(k->bias ? k->bias[row + r] : 0.0F);
        }
    }
    for (int j = 0; j < columns; j++) {
        ptrdiff_t offset = (ptrdiff_t)c->column_at[j] * VISION_LANES;
        vec in[TILE_POSITIONS];
        LANES_UNROLL for (int p = 0; p < positions; p++)
        {
            in[p] = vec_load(x[p] + offset);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            vec weight = vec_set(w[r * columns + j]);
            LANES_UNROLL for (int p = 0; p < positions; p++)
            {
                sum[r][p] = vec_fma(weight, in[p], sum[r][p]);
            }
        }
    }
    finish_tile(k, (struct tile_place){at, row, part}, positions, rows, sum);
}

LANES_INLINE void convolve_tile(const struct conv_call *k, int at, int positions, int row, int rows)
{
    for (int part = 0; part < VISION_LANES; part += VEC_WIDTH) {
        convolve_part(k, at, row, part, positions, rows);
    }
}

LANES_INLINE void convolve_rows(const struct conv_call *k, int at, int positions)
{
    COVER_RANGE(0, k->conv->rows, VEC_ROWS, row, convolve_tile, k, at, positions, row);
}

LANES_INLINE void convolve_single(const struct conv_call *k, int at, int positions)
{
    convolve_tile(k, at, positions, 0, 1);
}

/* The call for one channel group. */
static struct conv_call channel_group(const struct conv_call *call, int group)
{
    const struct conv *c = call->conv;
    struct conv_call k = *call;
    ptrdiff_t weights = (ptrdiff_t)group * c->rows * c->columns;
    k.weights = call->weights ? call->weights + weights : NULL;
    k.gradient = call->gradient ? call->gradient + weights : NULL;
    k.bias = call->bias ? call->bias + group * c->rows : NULL;
    k.words = call->words ? call->words + weights / 4 : NULL;
    k.first_row = group * c->rows;
    return k;
}

#include "vision/kernel_bytes.h"

/* Positions begin .. end - 1. */
static void convolve_range(const struct conv_call *call)
{
    const struct conv *c = call->conv;
    for (int group = 0; group < c->channel_groups; group++) {
        struct conv_call k = channel_group(call, group);
        k.in += (ptrdiff_t)group * c->channels * VISION_LANES;
        k.out += (ptrdiff_t)group * c->rows * VISION_LANES;
        if (k.bytes) {
            k.bytes += (ptrdiff_t)group * c->channels * VISION_LANES;
            bytes_range(&k);
        } else if (c->rows == 1) {
            COVER_RANGE(k.begin, k.end, VEC_SINGLE, at, convolve_single, &k, at);
        } else {
            COVER_RANGE(k.begin, k.end, VEC_POSITIONS, at, convolve_rows, &k, at);
        }
    }
}

static void convolve(const struct conv_call *call)
{
    struct conv_call k = *call;
    k.begin = k.base = 0;
    k.end = call->conv->positions;
    if (k.moments) {
        start_sums(k.moments);
    }
    convolve_range(&k);
    if (k.moments) {
        finish_sums(k.moments);
    }
}

/* ---- out += W^T in: for every tap, the weighted slopes of all positions ---- */

struct spread_place {
    int tap, channel;
};

LANES_INLINE void spread_part(const struct conv_call *k, struct spread_place place, int at,
                              int part, int channels, int positions)
{
    const struct conv *c = k->conv;
    vec sum[TILE_ROWS][TILE_POSITIONS];
    const float *slope[TILE_POSITIONS];
    const float *w = k->weights + (ptrdiff_t)place.tap * c->channels + place.channel;
    LANES_UNROLL for (int p = 0; p < positions; p++)
    {
        slope[p] = element(k->in, c->out_at[at + p]) + part;
        LANES_UNROLL for (int i = 0; i < channels; i++)
        {
            sum[i][p] = vec_set(0.0F);
        }
    }
    for (int r = 0; r < c->rows; r++, w += c->columns) {
        vec in[TILE_POSITIONS];
        LANES_UNROLL for (int p = 0; p < positions; p++)
        {
            in[p] = vec_load(slope[p] + r * VISION_LANES);
        }
        LANES_UNROLL for (int i = 0; i < channels; i++)
        {
            vec weight = vec_set(w[i]);
            LANES_UNROLL for (int p = 0; p < positions; p++)
            {
                sum[i][p] = vec_fma(weight, in[p], sum[i][p]);
            }
        }
    }
    LANES_UNROLL for (int p = 0; p < positions; p++)
    {
        ptrdiff_t first = (ptrdiff_t)c->in_at[at + p] + c->tap_at[place.tap] + place.channel;
        float *out = k->out + first * VISION_LANES + part;
        LANES_UNROLL for (int i = 0; i < channels; i++)
        {
            vec_store(out + i * VISION_LANES, vec_add(vec_load(out + i * VISION_LANES), sum[i][p]));
        }
    }
}

LANES_INLINE void spread_tile(const struct conv_call *k, struct spread_place place, int channels,
                              int at, int positions)
{
    for (int part = 0; part < VISION_LANES; part += VEC_WIDTH) {
        spread_part(k, place, at, part, channels, positions);
    }
}

LANES_INLINE void spread_channels(const struct conv_call *k, struct span span, int tap, int channel,
                                  int channels)
{
    struct spread_place place = {tap, channel};
    if (channels == 1) {
        COVER_RANGE(span.begin, span.end, VEC_SINGLE, at, spread_tile, k, place, 1, at);
    } else {
        COVER_RANGE(span.begin, span.end, VEC_POSITIONS, at, spread_tile, k, place, channels, at);
    }
}

/* Taps are the outer loop: what an input collects comes in the order of the taps, however positions
 * are cut into tiles. */
static void spread_span(const struct conv_call *k, struct span span)
{
    for (int tap = 0; tap < k->conv->taps; tap++) {
        COVER_RANGE(0, k->conv->channels, VEC_ROWS, channel, spread_channels, k, span, tap,
                    channel);
    }
}

static void spread(const struct conv_call *call)
{
    const struct conv *c = call->conv;
    for (int begin = 0; begin < c->positions; begin += c->chunk) {
        int end = begin + c->chunk < c->positions ? begin + c->chunk : c->positions;
        for (int group = 0; group < c->channel_groups; group++) {
            struct conv_call k = channel_group(call, group);
            k.in += (ptrdiff_t)group * c->rows * VISION_LANES;
            k.out += (ptrdiff_t)group * c->channels * VISION_LANES;
            spread_span(&k, (struct span){begin, end});
        }
    }
}

/* ---- gradient = sum of out in^T: 16 partial sums per weight, then their totals ---- */

/* Slopes of a few rows are packed, since maps of 2^n channels put a row's elements into few sets of
 * the cache. */
struct outer_place {
    int column;
    const float *packed; /* [position of the span][row][16] */
};

LANES_INLINE void outer_part(const struct conv_call *k, struct span span, struct outer_place place,
                             int part, int rows, int columns)
{
    const struct conv *c = k->conv;
    vec sum[TILE_ROWS][TILE_POSITIONS];
    float *total = k->scratch + (ptrdiff_t)place.column * VISION_LANES + part;
    ptrdiff_t stride = (ptrdiff_t)c->columns * VISION_LANES;
    ptrdiff_t offset[TILE_POSITIONS];
    const float *slope = place.packed + part;
    LANES_UNROLL for (int i = 0; i < columns; i++)
    {
        offset[i] = (ptrdiff_t)c->column_at[place.column + i] * VISION_LANES + part;
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            sum[r][i] = vec_load(total + r * stride + i * VISION_LANES);
        }
    }
    for (int at = span.begin; at < span.end; at++, slope += rows * VISION_LANES) {
        const float *x = element(k->in, c->in_at[at]);
        vec in[TILE_POSITIONS];
        LANES_UNROLL for (int i = 0; i < columns; i++)
        {
            in[i] = vec_load(x + offset[i]);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            vec delta = vec_load(slope + r * VISION_LANES);
            LANES_UNROLL for (int i = 0; i < columns; i++)
            {
                sum[r][i] = vec_fma(delta, in[i], sum[r][i]);
            }
        }
    }
    LANES_UNROLL for (int i = 0; i < columns; i++)
    {
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            vec_store(total + r * stride + i * VISION_LANES, sum[r][i]);
        }
    }
}

LANES_INLINE void outer_tile(const struct conv_call *k, struct span span, const float *packed,
                             int rows, int column, int columns)
{
    struct outer_place place = {column, packed};
    for (int part = 0; part < VISION_LANES; part += VEC_WIDTH) {
        outer_part(k, span, place, part, rows, columns);
    }
}

/* One channel's part of blend(). */
struct blending {
    lanes scale, extra, shift;
};

LANES_INLINE lanes blended(const struct blending *b, const float *z, const float *y)
{
    return lanes_fma(b->scale, lanes_load(y), lanes_fma(b->extra, lanes_load(z), b->shift));
}

/* Rows row .. row + rows - 1 of the slopes of a span, without gaps, behind blend(). */
LANES_INLINE void blend_rows(const struct conv_call *k, struct span span, int row, int rows,
                             float *packed)
{
    const struct pixels *p = k->blend;
    const float *z = p->z ? p->z + (ptrdiff_t)k->first_row * VISION_LANES : NULL;
    struct blending b[TILE_ROWS];
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        int channel = k->first_row + row + r;
        b[r] = (struct blending){lanes_set(p->scale[channel]), lanes_set(p->extra[channel]),
                                 lanes_set(p->shift[channel])};
    }
    for (int at = span.begin; at < span.end; at++) {
        ptrdiff_t place = ((ptrdiff_t)k->conv->out_at[at] + row) * VISION_LANES;
        LANES_UNROLL for (int r = 0; r < rows; r++, place += VISION_LANES, packed += VISION_LANES)
        {
            float *y = k->out + place;
            lanes value = z ? blended(&b[r], z + place, y) : lanes_add(lanes_load(y), b[r].shift);
            lanes_store(packed, value);
            if (k->keep) {
                lanes_store(y, value);
            }
        }
    }
}

/* The same of slopes that are as they shall be. */
LANES_INLINE void pack_rows(const struct conv_call *k, struct span span, int row, int rows,
                            float *packed)
{
    size_t length = (size_t)rows * VISION_LANES;
    for (int at = span.begin; at < span.end; at++, packed += length) {
        memcpy(packed, element(k->out, k->conv->out_at[at] + row), length * sizeof *packed);
    }
}

LANES_INLINE void outer_rows(const struct conv_call *k, int row, int rows)
{
    const struct conv *c = k->conv;
    size_t count = (size_t)rows * (size_t)c->columns;
    float *packed = k->scratch + (TILE_ROWS * (size_t)c->columns + VISION_LANES) * VISION_LANES;
    memset(k->scratch, 0, count * VISION_LANES * sizeof *k->scratch);
    for (int begin = 0; begin < c->positions; begin += VISION_SPAN) {
        int end = begin + VISION_SPAN < c->positions ? begin + VISION_SPAN : c->positions;
        struct span span = {begin, end};
        if (k->blend) {
            blend_rows(k, span, row, rows, packed);
        } else {
            pack_rows(k, span, row, rows, packed);
        }
        COVER_RANGE(0, c->columns, VEC_POSITIONS, column, outer_tile, k, span, packed, rows,
                    column);
    }
    lane_totals(k->scratch, count, k->gradient + (ptrdiff_t)row * c->columns);
}

static void correlate(const struct conv_call *call)
{
    const struct conv *c = call->conv;
    for (int group = 0; group < c->channel_groups; group++) {
        struct conv_call k = channel_group(call, group);
        k.in += (ptrdiff_t)group * c->channels * VISION_LANES;
        k.out += (ptrdiff_t)group * c->rows * VISION_LANES;
        COVER_RANGE(0, c->rows, VEC_ROWS, row, outer_rows, &k, row);
    }
}

#endif
