/* Sixteen virtual lanes as two 256-bit registers; meaning of every operation: lanes.h. */
#ifndef MOTE_TRAIN_LANES_AVX2_H
#define MOTE_TRAIN_LANES_AVX2_H

#include <immintrin.h>
#include <stdint.h>

typedef struct {
    __m256 low, high;
} lanes;
typedef struct {
    __m256i low, high;
} ints;

#define LANES_TILE_ROWS   4
#define LANES_TILE_GROUPS 1
#define LANES_OUTER       2

#define LANES_UNARY(name, operation)                                                               \
    static inline lanes name(lanes a)                                                              \
    {                                                                                              \
        return (lanes){operation(a.low), operation(a.high)};                                       \
    }
#define LANES_BINARY(type, name, operation)                                                        \
    static inline type name(type a, type b)                                                        \
    {                                                                                              \
        return (type){operation(a.low, b.low), operation(a.high, b.high)};                         \
    }

LANES_UNARY(lanes_sqrt, _mm256_sqrt_ps)
LANES_BINARY(lanes, lanes_add, _mm256_add_ps)
LANES_BINARY(lanes, lanes_sub, _mm256_sub_ps)
LANES_BINARY(lanes, lanes_mul, _mm256_mul_ps)
LANES_BINARY(lanes, lanes_div, _mm256_div_ps)
LANES_BINARY(lanes, lanes_min, _mm256_min_ps)
LANES_BINARY(lanes, lanes_max, _mm256_max_ps)
LANES_BINARY(ints, ints_add, _mm256_add_epi32)
LANES_BINARY(ints, ints_sub, _mm256_sub_epi32)
LANES_BINARY(ints, ints_mul, _mm256_mullo_epi32)
LANES_BINARY(ints, ints_min, _mm256_min_epi32)
LANES_BINARY(ints, ints_max, _mm256_max_epi32)
LANES_BINARY(ints, ints_and, _mm256_and_si256)
LANES_BINARY(ints, ints_or, _mm256_or_si256)
LANES_BINARY(ints, ints_pairs, _mm256_madd_epi16)

static inline lanes lanes_load(const float *p)
{
    return (lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static inline void lanes_store(float *p, lanes a)
{
    _mm256_storeu_ps(p, a.low);
    _mm256_storeu_ps(p + 8, a.high);
}

static inline lanes lanes_set(float x)
{
    return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

static inline lanes lanes_greater(lanes a, lanes b, lanes x, lanes y)
{
    __m256 low = _mm256_cmp_ps(a.low, b.low, _CMP_GT_OQ);
    __m256 high = _mm256_cmp_ps(a.high, b.high, _CMP_GT_OQ);
    return (lanes){_mm256_blendv_ps(y.low, x.low, low), _mm256_blendv_ps(y.high, x.high, high)};
}

static inline lanes lanes_equal(lanes a, lanes b, lanes x, lanes y)
{
    __m256 low = _mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ);
    __m256 high = _mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ);
    return (lanes){_mm256_blendv_ps(y.low, x.low, low), _mm256_blendv_ps(y.high, x.high, high)};
}

static inline ints ints_load(const int32_t *p)
{
    return (ints){_mm256_loadu_si256((const __m256i *)(const void *)p),
                  _mm256_loadu_si256((const __m256i *)(const void *)(p + 8))};
}

static inline void ints_store(int32_t *p, ints a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, a.low);
    _mm256_storeu_si256((__m256i *)(void *)(p + 8), a.high);
}

static inline ints ints_set(int32_t x)
{
    return (ints){_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
}

static inline ints ints_left(ints a, int n)
{
    __m128i count = _mm_cvtsi32_si128(n);
    return (ints){_mm256_sll_epi32(a.low, count), _mm256_sll_epi32(a.high, count)};
}

static inline ints ints_right(ints a, int n)
{
    __m128i count = _mm_cvtsi32_si128(n);
    return (ints){_mm256_sra_epi32(a.low, count), _mm256_sra_epi32(a.high, count)};
}

static inline lanes lanes_from_ints(ints a)
{
    return (lanes){_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)};
}

static inline ints ints_from_lanes(lanes a)
{
    return (ints){_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high)};
}

static inline ints lanes_as_ints(lanes a)
{
    return (ints){_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)};
}

static inline lanes ints_as_lanes(ints a)
{
    return (lanes){_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high)};
}

static inline void ints_store_short(int16_t *p, ints a)
{
    /* The pack works in 128-bit halves; the permutation puts the quarters back in order. */
    __m256i packed = _mm256_packs_epi32(a.low, a.high);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_permute4x64_epi64(packed, 0xD8));
}

/* The first two levels of the tree for vectors p and p + 4 * 16: four partial sums of each. */
static inline __m256 lanes_quarters(const float *p)
{
    __m256 a = _mm256_add_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
    __m256 b = _mm256_add_ps(_mm256_loadu_ps(p + 64), _mm256_loadu_ps(p + 72));
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

static inline __m256 lanes_eighths(__m256 a, __m256 b)
{
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xEE));
}

static inline __m256 lanes_eight_sums(const float *p)
{
    __m256 a = lanes_eighths(lanes_quarters(p), lanes_quarters(p + 16));
    __m256 b = lanes_eighths(lanes_quarters(p + 32), lanes_quarters(p + 48));
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xDD));
}

static inline lanes lanes_sums(const float *p)
{
    return (lanes){lanes_eight_sums(p), lanes_eight_sums(p + 8 * 16)};
}

#endif
