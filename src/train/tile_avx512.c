#include "train/tile_common.h"

#ifdef __AVX512F__
#include <immintrin.h>

#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

/* Accumulators are named one by one: they stay in registers with every compiler. */
#define LOAD(i, x, column) __m512d x##i = _mm512_loadu_pd(c + i * tile.stride + column);
#define LOAD_0(i)          LOAD(i, p, 0)
#define LOAD_1(i)          LOAD(i, q, 8)
#define LOAD_2(i)          LOAD(i, s, 16)
#define STORE_0(i)         _mm512_storeu_pd(c + i * tile.stride, p##i);
#define STORE_1(i)         _mm512_storeu_pd(c + i * tile.stride + 8, q##i);
#define STORE_2(i)         _mm512_storeu_pd(c + i * tile.stride + 16, s##i);
#define STEP_1(i)                                                                                  \
    factor = _mm512_set1_pd(a[r * TILE_WIDTH + i]);                                                \
    p##i = _mm512_fmadd_pd(factor, b0, p##i);
#define STEP_2(i) STEP_1(i) q##i = _mm512_fmadd_pd(factor, b1, q##i);
#define STEP_3(i) STEP_2(i) s##i = _mm512_fmadd_pd(factor, b2, s##i);

static void one(const double *a, const double *b, struct tile tile)
{
    double *c = tile.c;
    EACH_ROW(LOAD_0)
    for (size_t r = 0; r < tile.rows; r++) {
        __m512d b0 = _mm512_loadu_pd(b + r * TILE_WIDTH);
        __m512d factor;
        EACH_ROW(STEP_1)
    }
    EACH_ROW(STORE_0)
}

static void two(const double *a, const double *b, struct tile tile)
{
    double *c = tile.c;
    EACH_ROW(LOAD_0)
    EACH_ROW(LOAD_1)
    for (size_t r = 0; r < tile.rows; r++) {
        __m512d b0 = _mm512_loadu_pd(b + r * TILE_WIDTH);
        __m512d b1 = _mm512_loadu_pd(b + TILE_PANEL + r * TILE_WIDTH);
        __m512d factor;
        EACH_ROW(STEP_2)
    }
    EACH_ROW(STORE_0)
    EACH_ROW(STORE_1)
}

static void three(const double *a, const double *b, struct tile tile)
{
    double *c = tile.c;
    EACH_ROW(LOAD_0)
    EACH_ROW(LOAD_1)
    EACH_ROW(LOAD_2)
    for (size_t r = 0; r < tile.rows; r++) {
        __m512d b0 = _mm512_loadu_pd(b + r * TILE_WIDTH);
        __m512d b1 = _mm512_loadu_pd(b + TILE_PANEL + r * TILE_WIDTH);
        __m512d b2 = _mm512_loadu_pd(b + 2 * TILE_PANEL + r * TILE_WIDTH);
        __m512d factor;
        EACH_ROW(STEP_3)
    }
    EACH_ROW(STORE_0)
    EACH_ROW(STORE_1)
    EACH_ROW(STORE_2)
}

static void multiply(const double *a, const double *d, const double *b, size_t count,
                     struct tile tile)
{
    double scaled[TILE_PANEL];
    scale_rows(a, d, tile.rows, scaled);
    while (count > 0) {
        size_t taken = count > 4 ? 3 : count == 4 ? 2 : count;
        if (taken == 3) {
            three(scaled, b, tile);
        } else if (taken == 2) {
            two(scaled, b, tile);
        } else {
            one(scaled, b, tile);
        }
        count -= taken;
        b += taken * TILE_PANEL;
        tile.c += taken * TILE_WIDTH;
    }
}
const struct tile_kernels tile_avx512 = {multiply, products};
#else
typedef int tile_avx512_is_not_built_here;
#endif
