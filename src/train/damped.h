/* Levenberg-Marquardt on a subset of a model's parameters. */
#ifndef MOTE_TRAIN_DAMPED_H
#define MOTE_TRAIN_DAMPED_H

#include "train/normal.h"

struct damped {
    struct normal *normal;
    struct model *model; /* moved downhill, in place */
    const bool *held;    /* parameters that must not move; NULL: all are free */
    double decay;        /* L2 on weights, against the mean over samples of the squared error */
    double damping;      /* lambda, relative to the diagonal; adapted by every step */
    double *system;      /* stride x stride */
    double *step;        /* count */
    double *kept;        /* count: parameters before the step */
    size_t *free_index;  /* count: indices of the free parameters */
    size_t free_count;
    bool *is_weight; /* count: false for biases, which are not decayed */
};

/* Allocated in `arena`; damping starts at 1e-2. */
bool damped_new(struct damped *damped, struct arena *arena, struct normal *normal,
                struct model *model);

/* One iteration: normal equations, then steps with growing damping until one is downhill.  Returns
 * the mean squared error after it, decay excluded; *moved tells whether a step was taken. */
double damped_iterate(struct damped *damped, const struct sample_set *samples, bool *moved);

/* The share of the decay that the evidence asks for (MacKay 1992; Foresee, Hagan 1997), from the
 * normal equations of the last iteration and its mean squared error. */
double damped_evidence(struct damped *damped, const struct sample_set *samples, double mean);

/* Gauss-Newton matrix of the free parameters plus decay and `ridge` (relative to the mean of its
 * diagonal), per sample, into `system`; fills free_index and free_count. */
void damped_system(struct damped *damped, const struct sample_set *samples, double ridge);

#endif
