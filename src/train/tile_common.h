/* Parts of the kernels that are plain loops: compiled with each file's own instructions. */
#ifndef MOTE_TRAIN_TILE_COMMON_H
#define MOTE_TRAIN_TILE_COMMON_H

#include "train/tile.h"

static void products(const double *u, const double *v, size_t stride, size_t outputs, double *d)
{
    for (size_t s = 0; s < TILE_ROWS; s++) {
        d[s] = u[s] * v[s];
    }
    for (size_t o = 1; o < outputs; o++) {
        const double *restrict uo = u + o * stride;
        const double *restrict vo = v + o * stride;
        for (size_t s = 0; s < TILE_ROWS; s++) {
            d[s] += uo[s] * vo[s];
        }
    }
}

static void scale_rows(const double *restrict a, const double *restrict d, size_t rows,
                       double *restrict scaled)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < TILE_WIDTH; i++) {
            scaled[r * TILE_WIDTH + i] = d[r] * a[r * TILE_WIDTH + i];
        }
    }
}

#endif
