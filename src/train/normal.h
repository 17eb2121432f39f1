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

/* Parameters that enter through one pre-activation: a unit's weights and its bias.  The derivative
 * of output o by weight j of unit u is delta_ou * a_j, with a the unit's input, so a block of J^T J
 * is a sum over samples of (sum_o delta_ou delta_ov) a_u a_v^T: no J is ever formed. */
struct normal_unit {
    int input;      /* which activations it reads: 0 the inputs, l the output of layer l - 1 */
    int output;     /* the output it acts on; -1: on all of them */
    int columns;    /* weights */
    size_t weights; /* parameter of its first weight */
    size_t bias;    /* parameter of its bias; NORMAL_NO_BIAS: none */
    size_t at;      /* its row and column in the padded matrix */
};
#define NORMAL_NO_BIAS ((size_t)-1)

/* Memory and threads for one model's shape. */
struct normal {
    struct pool *pool;
    const struct tile_kernels *kernels;
    const double *weight;      /* outputs: factor of each residual */
    size_t count;              /* parameters of the model */
    size_t stride;             /* row length of `matrix` */
    double *matrix;            /* (count + 1) rows used: upper triangle of [J r]^T [J r] */
    struct normal_unit *units; /* hidden ones, outputs, skips; the last one is the residual */
    size_t unit_count;
    double *padded; /* the matrix with every unit's columns padded to whole panels */
    size_t padded_stride;
    double *inputs[TRAIN_LAYERS_MAX]; /* a chunk's activations with a 1 behind them, in panels */
    double *delta;                    /* outputs x units x TILE_ROWS */
    double *scratch;                  /* jobs' working memory, one slice each */
    size_t slice;                     /* doubles of a slice */
    double *sums;                     /* partial losses */
    size_t sum_count;
};

#define NORMAL_JOBS 16 /* samples are cut into this many jobs */

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
