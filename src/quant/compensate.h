/* Rounding with compensation: optimal brain surgeon (Hassibi, Stork 1993) applied to rounding, over
 * all parameters of a network at once. */
#ifndef MOTE_QUANT_COMPENSATE_H
#define MOTE_QUANT_COMPENSATE_H

#include <stdbool.h>
#include <stddef.h>

struct compensation {
    size_t n;            /* free parameters */
    size_t stride;       /* row length of `inverse` */
    double *inverse;     /* inverse Hessian of the loss over them, n x n; destroyed */
    double *value;       /* the parameters; moved to make up for what was rounded */
    const double *step;  /* grid of each parameter; 0: it is never rounded (a bias) */
    const double *limit; /* largest |value| on the grid */
    bool *rounded;       /* set for the parameters that are on their grid; all false before */
};

/* Round `count` of the parameters that have a step, the one with the largest cost
 * (v - q)^2 / H^-1_pp first, each time moving all that are not yet rounded. */
void compensate_round(struct compensation *c, size_t count);

#endif
