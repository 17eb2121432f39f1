/* The gradient route: a float warm start with Adam, then quantisation-aware training whose forward
 * pass is the integer program itself (SPEC 3 to 6), to the bit.
 *
 * Numbers.  The first layer and the skip see standardised inputs x~ = (x - mean) / deviation, so
 * that every weight moves at one pace; their weights are kept as W~ = W deviation and their biases
 * as b~ = b + W mean.  An output code is worth `unit`: 2^gain over the full scale of its type; gain
 * is 0 for regression, and for classes spreads logits over the output type.
 *
 * One net trains on one thread; threads run nets beside each other.  All results are a function of
 * data, options and seed: not of the instruction set, the compiler or the number of threads.
 */
#ifndef MOTE_TRAIN_GRADIENT_H
#define MOTE_TRAIN_GRADIENT_H

#include "base/bytes.h"
#include "base/pool.h"
#include "base/text.h"
#include "quant/fixed.h"
#include "train/kernel.h"
#include "train/model.h"
#include "train/problem.h"
#include "train/session.h"

#define GRADIENT_GROUPS   16                               /* groups of a block */
#define GRADIENT_BLOCK    (GRADIENT_GROUPS * KERNEL_LANES) /* samples of a block: 256 */
#define GRADIENT_DENSE    (TRAIN_LAYERS_MAX + 1)           /* layers, and the skip */
#define GRADIENT_GAIN_MAX 11

/* Samples as training reads them, row-major. */
struct packed {
    size_t count;
    int pairs;        /* words of a row of `codes`: even(inputs) / 2 */
    int fraction;     /* of the codes: 1.0 = 2^fraction */
    int target_count; /* floats of a row of `targets`: outputs, or 1 (the class index) */
    int32_t *codes;   /* two codes a word, the first one low */
    float *targets;   /* in units of the output's full scale; classes: see packed_new() */
};

/* The given rows of the data, with the targets that `loss` wants; owned by `arena`.  False when out
 * of memory. */
bool packed_new(struct packed *samples, struct arena *arena, const struct problem *problem,
                enum loss loss, const uint32_t *rows, size_t count);

/* Input statistics: mean, and 1 / deviation (0 for constant inputs), in units of 1. */
void packed_statistics(const struct packed *samples, int inputs, double *mean, double *inverse);

/* What to train. */
struct gradient_shape {
    struct topology topology;
    enum activation activation;
    bool has_skip;
    enum loss loss; /* not LOSS_AUTO */
    int weight_bits;
    enum type dense_type, hidden_type, out_type; /* as in struct problem */
    bool packed; /* sums of 8-bit activations shall fit half a word */
    bool classes;
};

/* How to train.  All fields must be set; gradient_settings() gives the defaults. */
struct gradient_settings {
    int batch;
    int float_epochs, integer_epochs;
    double rate;         /* Adam's, at the top of the float schedule */
    double integer_rate; /* the same for the integer phase */
    double decay;        /* decoupled weight decay per unit of rate */
    double skip_decay;   /* the same of the skip */
    double delta;        /* of LOSS_HUBER, in shares of the full scale */
    uint64_t seed;       /* initial weights and shuffling */
};

/* Everything that a resumed run needs: saved and restored word by word. */
struct gradient_state {
    uint32_t epoch;    /* epochs done: float ones, then integer ones */
    uint32_t crossing; /* the first integer epoch */
    uint32_t steps;    /* optimiser steps since the phase began */
    uint32_t gain;     /* see above */
    uint32_t has_best;
    double power1, power2; /* beta^steps */
    double best_score;     /* lower is better */
    size_t word_count;     /* of `words`, all that follows in one block */
    float *words;
    float *parameters; /* `count`: weights, then biases */
    float *first;      /* `count`: Adam's moments */
    float *second;     /* `count` */
    float *free;       /* `weight_count`: 1 free, 0 frozen on its level */
    float *step;       /* `rows`: -log2 of the learned step of each row (LSQ) */
    float *step_first; /* `rows`: moments of the same */
    float *step_second;
    float *scale;      /* `rows`: exponent k in use; the step is 2^-k */
    float *best;       /* `count`: parameters of the best epoch */
    float *best_scale; /* `rows` */
    float *reals;      /* `count`: the float net, once the integer phase has begun */
};

/* One dense layer in the flat arrays. */
struct gradient_layer {
    struct dense dense; /* as kernels see it; `weights` are the reals in use */
    size_t weight;      /* offset of its weights */
    size_t row;         /* offset of its rows among all rows; biases lie in the same order */
    int inputs;         /* without padding */
    int fraction;       /* of the codes that it reads */
    int extra;          /* right shift of a row at scale 0 */
};

/* Buffers of one block, see kernel.h; index 0..layer_count-1 is the layer that writes it. */
struct gradient_block {
    int32_t *pairs; /* inputs */
    float *x;       /* standardised inputs */
    float *targets;
    float *mask;
    int32_t *codes[TRAIN_LAYERS_MAX];     /* z as integers */
    float *z[TRAIN_LAYERS_MAX];           /* z as reals; of the last layer: y */
    int32_t *out_pairs[TRAIN_LAYERS_MAX]; /* activations as pairs of codes */
    float *a[TRAIN_LAYERS_MAX];
    float *delta[TRAIN_LAYERS_MAX]; /* the activation's slope, then the gradient of z */
    float *scratch;
};

/* A weight and how far it is from its level, in steps. */
struct gradient_candidate {
    float distance;
    uint32_t weight;
};

struct gradient {
    const struct kernels *kernels;
    struct gradient_shape shape;
    struct gradient_settings settings;
    double step_rate; /* of the learned steps; 0: they rest */
    bool integer;     /* the forward pass is the integer program */
    int layer_count;
    int dense_count; /* layer_count, and one if there is a skip: it is the last */
    struct gradient_layer layers[GRADIENT_DENSE];
    size_t weight_count; /* multiple of 16 */
    size_t count;        /* parameters: weight_count, biases, padding */
    size_t rows;         /* of all layers, multiple of 16 */
    double *mean;        /* inputs */
    double *inverse;     /* inputs: 1 / deviation */
    float *unpack_scale, *unpack_offset;
    float *gradient;                    /* `count` */
    float *decay;                       /* `count` */
    float *level_scale, *level_inverse; /* `weight_count`: see struct quantise_step */
    float *level_step;                  /* `weight_count`: 1 / level_scale, 0 for constant inputs */
    float *product;                     /* `weight_count`: working memory of qat_learn_steps() */
    struct gradient_candidate *candidates; /* `weight_count`: those of qat_freeze() */
    int16_t *codes;                        /* `weight_count` */
    float *effective;                      /* `weight_count` */
    int32_t *bias_codes, *shift;           /* `rows` */
    double *places;                        /* widest layer's inputs: memory of qat_pack.c */
    float *unit;                           /* outputs: y of one code */
    float *loss_weight;                    /* outputs */
    int32_t range[2];                      /* of output codes */
    struct gradient_state state;
    struct gradient_block block;
};

/* ---- the net (gradient_net.c) ---- */

/* Allocate all of it; `samples` give the input statistics, `weight` (outputs; NULL: all 1) the
 * factor of each output's loss.  False when out of memory. */
bool gradient_new(struct gradient *g, struct arena *arena, const struct gradient_shape *shape,
                  const struct packed *samples, const double *weight);

/* Outputs are worth 2^gain; see above. */
void gradient_set_gain(struct gradient *g, int gain);

/* Random weights; pre-activations of `samples` get a spread of about one half. */
void gradient_init(struct gradient *g, const struct packed *samples);

/* The float model (model.h) of the parameters in use; classes: its logits are those of training
 * divided by 2^gain, which brings them to the output's full scale. */
void gradient_to_model(const struct gradient *g, struct model *model);

/* ---- one step (gradient_step.c) ---- */

/* Fill the block with samples rows[0..count-1] (rows NULL: first .. first+count-1);
 * count <= GRADIENT_BLOCK.  Returns the groups in use. */
int gradient_gather(struct gradient *g, const struct packed *samples, const uint32_t *rows,
                    size_t first, size_t count);

/* Outputs of the block into block.z[last]; float or integer as g->integer says. */
void gradient_forward(struct gradient *g, int groups);

/* Loss of the block after gradient_forward(); its gradient, times `scale`, into block.delta[last].
 */
double gradient_loss(struct gradient *g, int groups, double scale);

/* g->gradient = (add: +=) the gradient of the parameters, after gradient_loss(). */
void gradient_backward(struct gradient *g, int groups, bool add);

/* One optimiser step on `count` samples; returns the sum of their losses. */
double gradient_step(struct gradient *g, const struct packed *samples, const uint32_t *rows,
                     size_t count, double rate);

/* Mean loss per sample and output, and number of wrong classes (regression: not counted). */
struct gradient_score {
    double loss;
    size_t wrong;
};
struct gradient_score gradient_evaluate(struct gradient *g, const struct packed *samples);

/* ---- quantisation (qat.c) ---- */

/* Begin the integer phase: scales from the weights, moments cleared. */
void qat_begin(struct gradient *g, const struct packed *samples);

/* The integer program is the forward pass from now on; its scales are in the state.  False if they
 * are out of range. */
bool qat_integer(struct gradient *g);

/* Round the weights and biases to the codes in use; after every change of parameters. */
void qat_round(struct gradient *g);

/* Move the learned steps by their gradient, after gradient_backward(). */
void qat_learn_steps(struct gradient *g, double rate);

/* Choose the scale of each row anew, by the smallest error of its weights. */
void qat_refit(struct gradient *g);

/* Freeze `share` of all weights, those nearest their level first. */
void qat_freeze(struct gradient *g, double share);

/* Back to the float net that the integer phase began with. */
void qat_reals(struct gradient *g);

/* The codes in use as the integer net. */
void qat_fixed(const struct gradient *g, struct fixed *fixed);

/* ---- rows for the packed kernel (qat_pack.c) ---- */

/* Must the rows of this layer fit it? */
bool qat_packs(const struct gradient *g, int layer);

/* What the projection of a row at scale k takes off each of its weights, in codes; 0: it fits. */
double qat_pack_threshold(const struct gradient *g, int layer, int row, int k);

/* After rounding: make the row fit, by projection of its weights and then of their codes.  A second
 * call changes nothing. */
void qat_pack(struct gradient *g, int layer, int row);

/* ---- saving (gradient_state.c) ---- */

/* Append the state; `out` latches failures. */
void gradient_save(const struct gradient *g, struct text *out);

/* Restore into a net made with the same shape; false if the bytes are of another. */
bool gradient_restore(struct gradient *g, struct bytes *in);

/* ---- the whole route (gradient_train.c) ---- */

/* The defaults for a problem. */
struct gradient_settings gradient_settings(const struct problem *problem, uint64_t seed);

/* A training run: several nets beside each other; the validation part chooses. */
struct gradient_job {
    const struct problem *problem;
    struct session *session; /* its options give loss, kernels, seed and checkpoint */
    struct pool *pool;
    int bits;
    bool probe;          /* a short try, to compare shapes: no checkpoint */
    struct model *model; /* in: the shape; out: the float net */
    struct fixed *fixed; /* out: the integer net, of the same shape; NULL for a probe */
    double loss;         /* out: of the integer net on the validation part */
    size_t wrong;        /* out: classes it gets wrong there */
    double float_loss;   /* out: the same two of the float net */
    size_t float_wrong;
};

/* Stopped early (session), it is still complete: the best so far. */
bool gradient_train(struct gradient_job *job, struct error *err);

#endif
