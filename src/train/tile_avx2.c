#include "train/tile_common.h"

#ifdef __AVX2__
#include <immintrin.h>

/* Four rows of C by eight columns: eight accumulators, four broadcasts, two loads a step. */
static void quarter(const double *a, const double *b, size_t rows, double *c, size_t stride)
{
    __m256d sum[4][2];
    for (size_t i = 0; i < 4; i++) {
        sum[i][0] = _mm256_loadu_pd(c + i * stride);
        sum[i][1] = _mm256_loadu_pd(c + i * stride + 4);
    }
    for (size_t r = 0; r < rows; r++) {
        __m256d low = _mm256_loadu_pd(b + r * TILE_WIDTH);
        __m256d high = _mm256_loadu_pd(b + r * TILE_WIDTH + 4);
        for (size_t i = 0; i < 4; i++) {
            __m256d factor = _mm256_broadcast_sd(a + r * TILE_WIDTH + i);
            sum[i][0] = _mm256_fmadd_pd(factor, low, sum[i][0]);
            sum[i][1] = _mm256_fmadd_pd(factor, high, sum[i][1]);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        _mm256_storeu_pd(c + i * stride, sum[i][0]);
        _mm256_storeu_pd(c + i * stride + 4, sum[i][1]);
    }
}

static void multiply(const double *a, const double *d, const double *b, size_t count,
                     struct tile tile)
{
    double scaled[TILE_PANEL];
    scale_rows(a, d, tile.rows, scaled);
    for (size_t panel = 0; panel < count; panel++) {
        const double *columns = b + panel * TILE_PANEL;
        double *out = tile.c + panel * TILE_WIDTH;
        quarter(scaled, columns, tile.rows, out, tile.stride);
        quarter(scaled + 4, columns, tile.rows, out + 4 * tile.stride, tile.stride);
    }
}
const struct tile_kernels tile_avx2 = {multiply, products};
#else
typedef int tile_avx2_is_not_built_here;
#endif
