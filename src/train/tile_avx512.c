#include "train/tile.h"

#ifdef __AVX512F__
#include <immintrin.h>

#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

/* 24 accumulators named one by one: they stay in registers with every compiler. */
#define LOAD(i)                                                                                    \
    __m512d p##i = _mm512_loadu_pd(c + i * stride);                                                \
    __m512d q##i = _mm512_loadu_pd(c + i * stride + 8);                                            \
    __m512d s##i = _mm512_loadu_pd(c + i * stride + 16);
#define STEP(i)                                                                                    \
    factor = _mm512_set1_pd(a[r * TILE_WIDTH + i]);                                                \
    p##i = _mm512_fmadd_pd(factor, b0, p##i);                                                      \
    q##i = _mm512_fmadd_pd(factor, b1, q##i);                                                      \
    s##i = _mm512_fmadd_pd(factor, b2, s##i);
#define STORE(i)                                                                                   \
    _mm512_storeu_pd(c + i * stride, p##i);                                                        \
    _mm512_storeu_pd(c + i * stride + 8, q##i);                                                    \
    _mm512_storeu_pd(c + i * stride + 16, s##i);

void tile_avx512(const double *a, const double *b, size_t rows, double *c, size_t stride)
{
    EACH_ROW(LOAD)
    for (size_t r = 0; r < rows; r++) {
        __m512d b0 = _mm512_loadu_pd(b + r * TILE_WIDTH);
        __m512d b1 = _mm512_loadu_pd(b + TILE_PANEL + r * TILE_WIDTH);
        __m512d b2 = _mm512_loadu_pd(b + 2 * TILE_PANEL + r * TILE_WIDTH);
        __m512d factor;
        EACH_ROW(STEP)
    }
    EACH_ROW(STORE)
}
#else
typedef int tile_avx512_is_not_built_here;
#endif
