/* The inner kernel of the normal equations: C += A^T B over the rows of two panels.
 *
 * A panel holds TILE_WIDTH columns of J, `TILE_ROWS` rows of them, row-major.  Every element of C
 * is one chain of fused multiply-adds in row order, so all variants give the same bits.
 */
#ifndef MOTE_TRAIN_TILE_H
#define MOTE_TRAIN_TILE_H

#include <stddef.h>

#define TILE_WIDTH 8
#define TILE_ROWS  128                              /* allocated rows of a panel */
#define TILE_PANEL ((size_t)TILE_ROWS * TILE_WIDTH) /* doubles of a panel */
#define TILE_COUNT 3                                /* panels of B that one call takes */

/* a: one panel; b: TILE_COUNT panels behind each other; c: TILE_WIDTH rows, `stride` apart, of
 * TILE_COUNT * TILE_WIDTH columns. */
typedef void tile_kernel(const double *a, const double *b, size_t rows, double *c, size_t stride);

tile_kernel tile_scalar;
tile_kernel tile_avx2;   /* x86-64 only */
tile_kernel tile_avx512; /* x86-64 only */

#endif
