/* Sixteen virtual lanes as one 512-bit register; meaning of every operation: lanes.h. */
#ifndef MOTE_TRAIN_LANES_AVX512_H
#define MOTE_TRAIN_LANES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

typedef __m512 lanes;
typedef __m512i ints;

#define LANES_TILE_ROWS   4
#define LANES_TILE_GROUPS 4
#define LANES_OUTER       4

#define lanes_load(p)             _mm512_loadu_ps(p)
#define lanes_store(p, a)         _mm512_storeu_ps(p, a)
#define lanes_set(x)              _mm512_set1_ps(x)
#define lanes_add(a, b)           _mm512_add_ps(a, b)
#define lanes_sub(a, b)           _mm512_sub_ps(a, b)
#define lanes_mul(a, b)           _mm512_mul_ps(a, b)
#define lanes_div(a, b)           _mm512_div_ps(a, b)
#define lanes_sqrt(a)             _mm512_sqrt_ps(a)
#define lanes_fma(a, b, c)        _mm512_fmadd_ps(a, b, c)
#define lanes_min(a, b)           _mm512_min_ps(a, b)
#define lanes_max(a, b)           _mm512_max_ps(a, b)
#define lanes_greater(a, b, x, y) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x)
#define lanes_equal(a, b, x, y)   _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x)

#define ints_load(p)     _mm512_loadu_si512(p)
#define ints_store(p, a) _mm512_storeu_si512(p, a)
#define ints_set(x)      _mm512_set1_epi32(x)
#define ints_add(a, b)   _mm512_add_epi32(a, b)
#define ints_sub(a, b)   _mm512_sub_epi32(a, b)
#define ints_mul(a, b)   _mm512_mullo_epi32(a, b)
#define ints_min(a, b)   _mm512_min_epi32(a, b)
#define ints_max(a, b)   _mm512_max_epi32(a, b)
#define ints_and(a, b)   _mm512_and_si512(a, b)
#define ints_or(a, b)    _mm512_or_si512(a, b)
#define ints_left(a, n)  _mm512_sll_epi32(a, _mm_cvtsi32_si128(n))
#define ints_right(a, n) _mm512_sra_epi32(a, _mm_cvtsi32_si128(n))
#define ints_pairs(a, b) _mm512_madd_epi16(a, b)

#define lanes_from_ints(a) _mm512_cvtepi32_ps(a)
#define ints_from_lanes(a) _mm512_cvtps_epi32(a)
#define lanes_as_ints(a)   _mm512_castps_si512(a)
#define ints_as_lanes(a)   _mm512_castsi512_ps(a)

static inline void ints_store_short(int16_t *p, ints a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(a));
}

/* Lanes l and l+8 of a, then of b: the first level of the tree for two vectors at once. */
static inline lanes lanes_halves(lanes a, lanes b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
}

/* The first two levels for vectors first, +4, +8 and +12: four partial sums of each. */
static inline lanes lanes_quarters(const float *p)
{
    lanes a = lanes_halves(lanes_load(p), lanes_load(p + 4 * 16));
    lanes b = lanes_halves(lanes_load(p + 8 * 16), lanes_load(p + 12 * 16));
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}

static inline lanes lanes_eighths(lanes a, lanes b)
{
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
}

static inline lanes lanes_sums(const float *p)
{
    lanes a = lanes_eighths(lanes_quarters(p), lanes_quarters(p + 16));
    lanes b = lanes_eighths(lanes_quarters(p + 32), lanes_quarters(p + 48));
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xDD));
}

#endif
