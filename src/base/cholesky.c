#include "base/cholesky.h"

#include <math.h>
#include <string.h>

/* y -= factor * x: elementwise, so every vector width gives the same bits. */
static void subtract(double *restrict y, const double *restrict x, double factor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] -= factor * x[i];
    }
}

/* Row k of U needs the rows above it (the gaxpy form: Golub, Van Loan, Matrix Computations). */
bool cholesky_factor(double *a, size_t n, size_t stride)
{
    for (size_t k = 0; k < n; k++) {
        double *row = a + k * stride;
        for (size_t m = 0; m < k; m++) {
            const double *above = a + m * stride;
            subtract(row + k, above + k, above[k], n - k);
        }
        if (!(row[k] > 0)) {
            return false;
        }
        double scale = 1 / sqrt(row[k]);
        for (size_t j = k; j < n; j++) {
            row[j] *= scale;
        }
    }
    return true;
}

void cholesky_solve(const double *u, size_t n, size_t stride, double *x)
{
    for (size_t k = 0; k < n; k++) {
        x[k] /= u[k * stride + k];
        subtract(x + k + 1, u + k * stride + k + 1, x[k], n - k - 1);
    }
    for (size_t k = n; k-- > 0;) {
        double sum = x[k];
        for (size_t j = k + 1; j < n; j++) {
            sum -= u[k * stride + j] * x[j];
        }
        x[k] = sum / u[k * stride + k];
    }
}

/* V = U^-1 row by row from the last: row k of V = (e_k - sum_{j>k} u_kj V_j) / u_kk. */
static void invert_upper(const double *u, size_t n, size_t stride, double *v)
{
    for (size_t k = n; k-- > 0;) {
        double *row = v + k * stride;
        memset(row, 0, n * sizeof *row);
        row[k] = 1;
        for (size_t j = k + 1; j < n; j++) {
            subtract(row + j, v + j * stride + j, u[k * stride + j], n - j);
        }
        double scale = 1 / u[k * stride + k];
        for (size_t j = k; j < n; j++) {
            row[j] *= scale;
        }
    }
}

/* (U^T U)^-1 = V V^T; entry (i, j), i <= j, sums over columns from j on.  Row i of the result
 * only needs rows of V from i on, so it may overwrite row i. */
void cholesky_inverse(const double *u, size_t n, size_t stride, double *inverse)
{
    invert_upper(u, n, stride, inverse);
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * stride;
        for (size_t j = i; j < n; j++) {
            const double *other = inverse + j * stride;
            double sum[4] = {0};
            size_t c = j;
            for (; c + 4 <= n; c += 4) {
                sum[0] += row[c] * other[c];
                sum[1] += row[c + 1] * other[c + 1];
                sum[2] += row[c + 2] * other[c + 2];
                sum[3] += row[c + 3] * other[c + 3];
            }
            for (; c < n; c++) {
                sum[0] += row[c] * other[c];
            }
            row[j] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            inverse[i * stride + j] = inverse[j * stride + i];
        }
    }
}
