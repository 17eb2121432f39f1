#include "quant/compensate.h"

#include <math.h>

static double on_grid(double value, double step, double limit)
{
    double q = floor(value / step + 0.5) * step;
    return q > limit ? limit : q < -limit ? -limit : q;
}

/* The parameter whose rounding costs most now; n where none is left. */
static size_t costliest(const struct compensation *c)
{
    size_t best = c->n;
    double best_cost = -1;
    for (size_t p = 0; p < c->n; p++) {
        if (c->rounded[p] || c->step[p] == 0) {
            continue;
        }
        double error = c->value[p] - on_grid(c->value[p], c->step[p], c->limit[p]);
        double cost = error * error / c->inverse[p * c->stride + p];
        if (cost > best_cost) {
            best_cost = cost;
            best = p;
        }
    }
    return best;
}

/* Take parameter p out of the inverse: H^-1 -= H^-1[:,p] H^-1[p,:] / H^-1_pp. */
static void eliminate(struct compensation *c, size_t p)
{
    const double *row = c->inverse + p * c->stride;
    double pivot = 1 / row[p];
    for (size_t i = 0; i < c->n; i++) {
        if (i == p || c->rounded[i]) {
            continue;
        }
        double *restrict other = c->inverse + i * c->stride;
        double factor = other[p] * pivot;
        for (size_t j = 0; j < c->n; j++) {
            other[j] -= factor * row[j];
        }
    }
}

void compensate_round(struct compensation *c, size_t count)
{
    for (size_t done = 0; done < count; done++) {
        size_t p = costliest(c);
        if (p == c->n) {
            return;
        }
        const double *row = c->inverse + p * c->stride;
        double q = on_grid(c->value[p], c->step[p], c->limit[p]);
        double factor = (c->value[p] - q) / row[p];
        for (size_t j = 0; j < c->n; j++) {
            if (!c->rounded[j]) {
                c->value[j] -= factor * row[j];
            }
        }
        c->value[p] = q;
        c->rounded[p] = true;
        eliminate(c, p);
    }
}
