/* The float network: a chain of dense layers with an optional linear skip, in double.
 *
 * Values are in Q15 (1.0 = 32768 codes); hidden activations are the real-valued twins of SPEC 5,
 * saturations included.  Parameters lie in one flat array: for each layer its weights (row-major)
 * then its biases, and behind the last layer the skip's weights (outputs x inputs).
 */
#ifndef MOTE_TRAIN_MODEL_H
#define MOTE_TRAIN_MODEL_H

#include "base/rng.h"
#include "quant/fixed.h"
#include "train/topology.h"

struct model {
    struct topology topology;
    enum activation activation; /* of the hidden layers */
    bool has_skip;
    size_t count;      /* parameters */
    double *parameter; /* count; owned by the arena given to model_new() */
};

bool model_new(struct model *model, struct arena *arena, const struct topology *topology,
               enum activation activation, bool has_skip);

/* Offsets into `parameter`. */
size_t model_weights(const struct model *model, int layer);
size_t model_biases(const struct model *model, int layer);
size_t model_skip(const struct model *model);

/* Uniform weights such that pre-activations have about `gain` times the spread of full-scale
 * inputs; output layer and skip zero. */
void model_init(struct model *model, double gain, struct rng *rng);

/* Value and derivative of an activation; *slope may be NULL. */
double model_activate(enum activation activation, double z, double *slope);

/* Sum of a[i] b[i] in index order: the one order that all parts of training agree on. */
double model_dot(const double *a, const double *b, int n);

/* y = outputs of x; `scratch` has model_scratch() elements. */
void model_forward(const struct model *model, const double *x, double *y, double *scratch);
size_t model_scratch(const struct model *model);

/* Bias of a row for the integer net: makes up for what the integer activations before it lose on
 * average by flooring. */
double model_row_bias(const struct model *model, int layer, int row);

/* Round to nearest at per-row power-of-two scales (weights of `bits`), output step `extra`.
 * `fixed` has the same shape. */
void model_round(const struct model *model, int bits, enum type out_type, struct fixed *fixed);

#endif
