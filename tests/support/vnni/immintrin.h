/* Instead of the compiler's <immintrin.h> in tests: the intrinsics that the VNNI variant uses, in
 * plain C, as Intel's Intrinsics Guide describes them.  For machines without AVX-512. */
#ifndef MOTE_SUPPORT_VNNI_IMMINTRIN_H
#define MOTE_SUPPORT_VNNI_IMMINTRIN_H

#include <stdint.h>
#include <string.h>

typedef int _MM_PERM_ENUM;

static inline int32_t saturate(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Addition and subtraction of 32 bits wrap. */
static inline int32_t wrap_add(int32_t a, int32_t b)
{
    uint32_t sum = (uint32_t)(((uint64_t)(uint32_t)a + (uint32_t)b) & UINT32_MAX);
    int32_t result;
    memcpy(&result, &sum, sizeof result);
    return result;
}

static inline int32_t floor_shift32(int32_t value, int shift)
{
    return value < 0 ? -1 - ((-1 - value) >> shift) : value >> shift;
}

static inline int16_t low_half(int32_t value)
{
    uint16_t low = (uint16_t)((uint32_t)value & 0xffffU);
    int16_t result;
    memcpy(&result, &low, sizeof result);
    return result;
}

static inline int8_t low_byte(int32_t value)
{
    uint8_t low = (uint8_t)((uint32_t)value & 0xffU);
    int8_t result;
    memcpy(&result, &low, sizeof result);
    return result;
}

#define BITS     128
#define V        __m128i
#define F(name)  _mm_##name
#define SI(name) _mm_##name##_si128
#include "width.h"
#undef BITS
#undef V
#undef F
#undef SI

#define BITS     256
#define V        __m256i
#define F(name)  _mm256_##name
#define SI(name) _mm256_##name##_si256
#include "width.h"
#undef BITS
#undef V
#undef F
#undef SI

#define BITS     512
#define V        __m512i
#define F(name)  _mm512_##name
#define SI(name) _mm512_##name##_si512
#include "width.h"
#undef BITS
#undef V
#undef F
#undef SI

/* ---- lanes of 128 bits ---- */

static inline __m128i _mm256_castsi256_si128(__m256i a)
{
    __m128i r;
    memcpy(&r, &a, sizeof r);
    return r;
}

static inline __m128i _mm512_castsi512_si128(__m512i a)
{
    __m128i r;
    memcpy(&r, &a, sizeof r);
    return r;
}

static inline __m128i _mm256_extracti128_si256(__m256i a, int part)
{
    __m128i r;
    memcpy(&r, (const char *)&a + 16 * (part & 1), sizeof r);
    return r;
}

static inline __m128i _mm512_extracti32x4_epi32(__m512i a, int part)
{
    __m128i r;
    memcpy(&r, (const char *)&a + 16 * (part & 3), sizeof r);
    return r;
}

static inline __m256i _mm256_broadcastsi128_si256(__m128i a)
{
    __m256i r;
    for (int i = 0; i < 8; i++) {
        r.d[i] = a.d[i % 4];
    }
    return r;
}

static inline __m512i _mm512_broadcast_i32x4(__m128i a)
{
    __m512i r;
    for (int i = 0; i < 16; i++) {
        r.d[i] = a.d[i % 4];
    }
    return r;
}

static inline __m256i _mm256_permute4x64_epi64(__m256i a, int imm)
{
    __m256i r;
    for (int i = 0; i < 4; i++) {
        memcpy(&r.d[2 * i], &a.d[2 * (imm >> 2 * i & 3)], 8);
    }
    return r;
}

/* The lower two lanes from a, the upper two from b. */
static inline __m512i _mm512_shuffle_i32x4(__m512i a, __m512i b, int imm)
{
    __m512i r;
    for (int i = 0; i < 4; i++) {
        const __m512i *from = i < 2 ? &a : &b;
        memcpy(&r.d[4 * i], &from->d[4 * (imm >> 2 * i & 3)], 16);
    }
    return r;
}

/* ---- single elements ---- */

static inline __m256i _mm256_setr_epi32(int a, int b, int c, int d, int e, int f, int g, int h)
{
    __m256i r = {.d = {a, b, c, d, e, f, g, h}};
    return r;
}

static inline int _mm_extract_epi32(__m128i a, int i)
{
    return a.d[i & 3];
}

static inline int _mm_extract_epi16(__m128i a, int i)
{
    return (int)((uint32_t)a.h[i & 7] & 0xffffU);
}

static inline int _mm_extract_epi8(__m128i a, int i)
{
    return (int)((uint32_t)a.b[i & 15] & 0xffU);
}

static inline void _mm_storel_epi64(__m128i *p, __m128i a)
{
    memcpy((void *)p, &a, 8);
}

static inline void _mm_storeu_si128(__m128i *p, __m128i a)
{
    memcpy((void *)p, &a, 16);
}

#endif
