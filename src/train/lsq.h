/* The least-squares route: Levenberg-Marquardt, then rounding of the whole network with
 * compensation.  For regression with up to LSQ_PARAMETERS_MAX parameters. */
#ifndef MOTE_TRAIN_LSQ_H
#define MOTE_TRAIN_LSQ_H

#include "train/problem.h"
#include "train/samples.h"
#include "train/session.h"

#define LSQ_PARAMETERS_MAX 2500
#define LSQ_OUTPUTS_MAX    128

/* What one training run does.  All counts are at least 1. */
struct lsq_plan {
    int restarts;         /* starts from other random weights */
    int start_iterations; /* iterations of each */
    size_t start_samples;
    int windows; /* at most this many windows on the best of them */
    int window_iterations;
    size_t samples;       /* of a window */
    size_t round_samples; /* for the Hessian of the careful rounding */
    int patience;         /* windows without a better validation score before it ends */
};

/* The whole training.  An iteration costs the square of the parameters: above 600 of them there are
 * fewer windows, so that the time grows slower than that. */
struct lsq_plan lsq_plan_full(size_t parameters);
struct lsq_plan lsq_plan_probe(void); /* for --net auto: ranks shapes, rounds nothing */

/* Train `model` (new, of the wanted shape) in place.  Where `fixed` is not NULL it becomes the
 * rounded net.  *loss: mean squared weighted validation error of the float model. */
struct lsq_job {
    const struct problem *problem;
    struct session *session;
    struct pool *pool;
    struct lsq_plan plan;
    struct model *model;
    struct fixed *fixed; /* NULL: float only */
    int bits;
    double loss;
};
bool lsq_train(struct lsq_job *job, struct error *err);

#endif
