/* One pass of a block of samples through a graph, forward and backward, and what it needs.
 *
 * Batch statistics are those of the block (64 samples; Hoffer et al. 2017 call it ghost batch
 * normalisation), so that threads never wait for each other inside of a step. */
#ifndef MOTE_VISION_PASS_H
#define MOTE_VISION_PASS_H

#include "vision/graph.h"

#define VISION_BLOCK      ((size_t)VISION_GROUPS * VISION_LANES) /* samples of a block */
#define VISION_SHIFT_MOST 24 /* right shift of a row; floats hold no larger sums */

/* What all blocks share, read only during a pass.  Arrays are laid out as graph.h says. */
struct learner {
    const struct graph *graph;
    const struct vision_kernels *kernels;
    bool integer;        /* the integer program (SPEC), else reals with batch normalisation */
    double teacher_part; /* of the loss; 0: no teacher */
    double temperature;
    bool fixed;        /* statistics are `mean` and `variance`, else the block's own */
    float *parameters; /* weights, betas, gammas; integer: weights in codes, before rounding */
    float *weights;    /* that the pass uses: parameters, or codes as floats */
    int32_t *words;    /* codes, four to a word, where kernels pack codes */
    float *turned;     /* the same for transposed convolutions: [group][input][tap][output] */
    double *mean, *variance; /* rows, of the sums; integer: the mean alone */
    double *unit;            /* rows, integer: what a beta of 1 is, in codes or logits */
    int *shift; /* rows, integer: right shift; of the last layer: logit = sum / 2^shift */
};

struct pass {
    struct arena *arena;
    const struct graph *graph;
    float *image;             /* [group][image_size][16] */
    float **values, **slopes; /* of each node's output: [group][size][16] */
    float **sums;             /* of weighted nodes: before normalisation */
    float *padded;            /* [group][padded_size][16] */
    uint8_t *bytes;           /* [group][byte_size][16] */
    float *band;              /* [band_size][16]: sums that are not kept */
    float *targets;           /* [group][class][16] */
    float *soft;              /* the same: a teacher's probabilities */
    float *warm;              /* the same: logits at its temperature */
    float *scratch;
    float *row;              /* 8 * (widest + 16) floats: numbers per channel */
    double *mean, *variance; /* rows: the block's statistics */
    float *gradient;         /* laid out as parameters */
    float *turned;           /* gradient of a transposed convolution's turned weights */
    float *spare;            /* slopes of its input */
    double loss;             /* sum over the block's samples */
    bool lean; /* for steps: values that only a pool reads are not stored, nor slopes of its inputs
                  before their sums */
};

/* In a new arena; NULL when out of memory. */
struct pass *pass_new(const struct graph *graph, bool train);
void pass_free(struct pass *pass);

/* The image is filled in. */
void pass_forward(struct pass *pass, const struct learner *learner);

/* Behind it: loss against the targets, and `scale` times its slopes by the logits. */
void pass_loss(struct pass *pass, const struct learner *learner, double scale);

/* Behind both: the gradient. */
void pass_backward(struct pass *pass, const struct learner *learner);

/* A pool as kernels take it. */
struct pool_plan pass_pool(const struct learner *learner, const struct node *node);

/* ---- activate.c: from sums to activations ---- */

/* Moments of a node's sums, where it has some, are taken by what makes the sums. */
bool pass_has_moments(const struct learner *learner, const struct node *node);
struct pixels pass_moments(struct pass *pass, const struct learner *learner,
                           const struct node *node);

/* Sums of a weighted node, whose moments are there, to its values, or to those of its pool. */
void pass_activate(struct pass *pass, const struct learner *learner, const struct node *node);

/* And back: slopes of values to slopes of sums, with the gradients of betas and gammas.  True: it
 * is done but for blend(), which `*blend` is filled for; of integers that adds `shift` alone.
 * `again` makes the sums of a brief node; NULL: they were kept. */
bool pass_activate_back(struct pass *pass, const struct learner *learner, const struct node *node,
                        struct pixels *blend, const struct conv_call *again);

/* A node whose values are not stored, but those of the pool that alone reads them: of integers the
 * largest sums, which become its codes.  A brief one's sums are not kept either. */
bool pass_pools(const struct pass *pass, const struct node *node);
bool pass_is_brief(const struct pass *pass, const struct learner *learner, const struct node *node);

/* ---- learner.c: biases, levels ---- */

/* Behind a change of parameters: what passes use of them.  Integer: weights are clipped to their
 * levels, and rows whose sums might reach 2^24 are made smaller. */
void learner_refresh(struct learner *learner);

/* What the integer program adds to the sums of a row whose mean is known: without the rounding
 * constant, an integer. */
double learner_bias(const struct learner *learner, int row, double mean);

/* Whether a shift of one more would leave it unclamped, at the mean that is fixed. */
bool learner_bias_has_room(const struct learner *learner, int row);

/* A row's sums stay below 2^23, which floats hold exactly, where its codes' magnitudes add up to
 * less than this. */
double learner_largest_sum(const struct learner *learner, const struct node *node);

/* Weights of a transposed convolution, [output][tap][input], to those of its transpose,
 * [group][input][tap][output]; or back. */
void pass_turn(const struct node *node, const float *from, float *to, bool back);

#endif
