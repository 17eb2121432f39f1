#include "train/tile_common.h"

#include <math.h>

static void multiply(const double *a, const double *d, const double *b, size_t count,
                     struct tile tile)
{
    double scaled[TILE_PANEL];
    scale_rows(a, d, tile.rows, scaled);
    for (size_t panel = 0; panel < count; panel++) {
        const double *columns = b + panel * TILE_PANEL;
        for (size_t i = 0; i < TILE_WIDTH; i++) {
            double *out = tile.c + i * tile.stride + panel * TILE_WIDTH;
            for (size_t r = 0; r < tile.rows; r++) {
                for (size_t j = 0; j < TILE_WIDTH; j++) {
                    out[j] = fma(scaled[r * TILE_WIDTH + i], columns[r * TILE_WIDTH + j], out[j]);
                }
            }
        }
    }
}

const struct tile_kernels tile_scalar = {multiply, products};
