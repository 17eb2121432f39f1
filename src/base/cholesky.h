/* Dense symmetric positive definite systems, in double, with one fixed order of operations. */
#ifndef MOTE_BASE_CHOLESKY_H
#define MOTE_BASE_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* In place: the upper triangle of the n x n row-major `a` (rows `stride` apart) becomes U with
 * a = U^T U.  False where a pivot is not positive: `a` is then half done. */
bool cholesky_factor(double *a, size_t n, size_t stride);

/* Solve U^T U x = b in place. */
void cholesky_solve(const double *u, size_t n, size_t stride, double *x);

/* The full symmetric inverse of U^T U; `inverse` has the same stride and may not alias `u`. */
void cholesky_inverse(const double *u, size_t n, size_t stride, double *inverse);

#endif
