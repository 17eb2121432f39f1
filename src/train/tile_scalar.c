#include "train/tile.h"

#include <math.h>

void tile_scalar(const double *a, const double *b, size_t rows, double *c, size_t stride)
{
    for (size_t panel = 0; panel < TILE_COUNT; panel++) {
        const double *columns = b + panel * TILE_PANEL;
        for (size_t i = 0; i < TILE_WIDTH; i++) {
            double *out = c + i * stride + panel * TILE_WIDTH;
            for (size_t r = 0; r < rows; r++) {
                for (size_t j = 0; j < TILE_WIDTH; j++) {
                    out[j] = fma(a[r * TILE_WIDTH + i], columns[r * TILE_WIDTH + j], out[j]);
                }
            }
        }
    }
}
