/* Normal equations of a model on a set of samples: the Gauss-Newton matrix J^T J and the gradient
 * J^T r, with residuals in shares of each output's range. */
#ifndef MOTE_TRAIN_NORMAL_H
#define MOTE_TRAIN_NORMAL_H

#include "base/pool.h"
#include "train/model.h"
#include "train/tile.h"

/* Samples in double; rows of `inputs` and `outputs` of the model. */
struct sample_set {
    size_t count;
    double *x;
    double *t;
};

/* Memory and threads for one model's shape. */
struct normal {
    struct pool *pool;
    tile_kernel *kernel;
    const double *weight; /* outputs: factor of each residual */
    size_t count;         /* parameters of the model */
    size_t stride;        /* row length of `matrix`, a multiple of the tile's 24 */
    double *matrix;       /* (count + 1) rows used: upper triangle of [J r]^T [J r] */
    double *panels;       /* one chunk of J, in panels; its rows are ordered by output */
    int *first, *last;    /* panels: the outputs that its parameters act on; J is zero elsewhere */
    double *scratch;      /* threads' working memory, one slice a job */
    size_t slice;         /* doubles of a slice */
    double *sums;         /* partial losses */
    size_t sum_count;
};

#define NORMAL_JOBS 16 /* samples of a chunk are cut into this many jobs */

/* Allocated in `arena`.  `isa`: "avx512", "avx2", "scalar" or NULL for the best.  False when out of
 * memory, or when the machine has no such instructions. */
bool normal_new(struct normal *normal, struct arena *arena, const struct model *model,
                const char *isa, struct error *err);

/* Fill `matrix` with sums over the samples (not divided by their count). */
void normal_sum(struct normal *normal, const struct model *model, const struct sample_set *samples);

/* Sum of squared weighted residuals. */
double normal_loss(struct normal *normal, const struct model *model,
                   const struct sample_set *samples);

#endif
