/* The inner kernels of the normal equations, for each instruction set.
 *
 * A panel holds TILE_WIDTH columns, TILE_ROWS rows of them, row-major.  Sums run in row order (or
 * output order), each a chain of its own, so all variants give the same bits.
 */
#ifndef MOTE_TRAIN_TILE_H
#define MOTE_TRAIN_TILE_H

#include <stddef.h>

#define TILE_WIDTH 8
#define TILE_ROWS  128                              /* allocated rows of a panel */
#define TILE_PANEL ((size_t)TILE_ROWS * TILE_WIDTH) /* doubles of a panel */

/* C of one call: TILE_WIDTH rows, `stride` apart. */
struct tile {
    double *c;
    size_t stride;
    size_t rows; /* of A and B in use */
};

struct tile_kernels {
    /* C += (d A)^T B, fused multiply-adds.  a: one panel; d: a factor for each of its rows; b:
     * `count` panels behind each other, for as many times TILE_WIDTH columns of C. */
    void (*multiply)(const double *a, const double *d, const double *b, size_t count,
                     struct tile tile);
    /* d[s] = sum over o of u[o * stride + s] v[o * stride + s], o < outputs, s < TILE_ROWS. */
    void (*products)(const double *u, const double *v, size_t stride, size_t outputs, double *d);
};

extern const struct tile_kernels tile_scalar;
extern const struct tile_kernels tile_avx2;   /* x86-64 only */
extern const struct tile_kernels tile_avx512; /* x86-64 only */

#endif
