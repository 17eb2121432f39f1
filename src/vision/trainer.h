/* Training of one image network: optimiser, epochs, statistics, scores, checkpoints. */
#ifndef MOTE_VISION_TRAINER_H
#define MOTE_VISION_TRAINER_H

#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/kernel.h"
#include "train/session.h"
#include "vision/feed.h"

#define TRAINER_BATCH_MOST 1024
#define TRAINER_BETA1      0.9 /* of Adam's moments */
#define TRAINER_BETA2      0.999

/* What a checkpoint holds. */
struct trainer_state {
    uint32_t epoch; /* of both phases together */
    bool settled;   /* the means are fixed for good */
    uint64_t steps; /* of Adam, in this phase */
    double power1, power2;
    float *first, *second; /* Adam's moments */
    float *average;        /* of the parameters (EMA) */
    uint64_t averaged;     /* its updates since it began */
    double *step;          /* rows: -log2 of the step, before rounding; of the last layer row 0's */
    double *step_first;    /* rows: first moment of its slope */
};

/* How far a weight is from its level. */
struct level_distance {
    float value;
    uint32_t at;
};

struct trainer {
    struct arena *arena;
    const struct vision_options *options;
    const struct feed *feed;
    struct graph *graph;
    struct pool *pool;
    struct session *session;
    const struct kernels *adam; /* the kernels that have it */
    struct learner learner;
    struct trainer_state state;
    float *decay, *mask; /* per parameter */
    float *gradient;
    struct level_distance *distances; /* working memory of freezing, for the largest layer */
    struct pass *passes[TRAINER_BATCH_MOST / VISION_BLOCK];
    int pass_count; /* blocks of a batch */
    uint32_t *order;
    int float_epochs, integer_epochs; /* set by the caller */
    /* the step that is being made */
    uint64_t at; /* its first sample in the epoch */
    bool forward_only;
    double step_rate;              /* of learned steps */
    const char *stage;             /* for progress */
    double done, share;            /* of the run's progress: before this trainer, and its part */
    double phase_start, phase_end; /* seconds of the session, under a time budget */
    /* Writes a checkpoint; NULL: none. */
    bool (*save)(void *context, struct error *err);
    void *save_context;
};

/* Random weights; NULL on failure.  `feed` is borrowed. */
struct trainer *trainer_new(const struct feed *feed, const struct sketch *sketch,
                            struct session *session, struct pool *pool, struct error *err);
void trainer_free(struct trainer *trainer);

/* Epochs up to `until`, with checkpoints where the session wants them; under a time budget no
 * longer than `share` of it, counted from its beginning. */
bool trainer_run(struct trainer *trainer, uint32_t until, double share, struct error *err);

/* Parts of it that others need: images of a batch; what a code of the image is worth (reals see
 * 0..1, integers the codes); the order of the epoch; block `index` of the batch from trainer->at
 * on, as a loop body of pool_run(). */
size_t trainer_batch(const struct trainer *trainer);
/* The step of the first layer's input in the float phase: 1/255 of a pixel of 8 bits. */
float trainer_pixel_unit(const struct sketch *sketch);
float trainer_pixel(const struct trainer *trainer);
void trainer_shuffle(struct trainer *trainer);
void trainer_block(void *trainer, int index);

/* The moving average begins at the parameters as they are. */
void trainer_start_average(struct trainer *trainer);

/* The moving average takes the place of the parameters. */
void trainer_use_average(struct trainer *trainer);

/* ---- state.c: freezing and checkpoints ---- */

/* Fix weights on their levels, the nearest first, as time 0..1 of the integer phase asks for. */
void trainer_freeze(struct trainer *trainer, double time);

/* Everything that a run needs to go on with the same bits; false where it has another shape. */
void trainer_put(const struct trainer *trainer, struct text *out);
bool trainer_take(struct trainer *trainer, struct bytes *in);

/* ---- score.c ---- */

/* Fix the statistics: means over `blocks` blocks of training samples. */
void trainer_statistics(struct trainer *trainer, int blocks);

/* Behind it: share of the validation part that is right, 0..1. */
double trainer_score(struct trainer *trainer);

/* Run body(context, pass, first) for one block of images of a part after another, in order, behind
 * a forward pass with fixed statistics; `first` counts images.  Training images as they are drawn
 * for an epoch, validation images in their order. */
void trainer_each(struct trainer *trainer, enum part part, size_t count,
                  void (*body)(void *context, const struct pass *pass, size_t first),
                  void *context);

/* ---- steps.c: learned steps of weights ---- */

/* Whether steps move at time 0..1 of the phase: they are learned, and not at rest yet. */
bool trainer_steps_learn(const struct trainer *trainer, double time);

/* Behind folding: every step is what its shift says. */
void trainer_start_steps(struct trainer *trainer);

/* With the gradient of a batch, before the weights move: move the steps' logarithms; `rate` is that
 * of the weights, in levels. */
void trainer_move_steps(struct trainer *trainer, double rate);

/* Behind the weights' move, before they are rounded: shifts follow steps that are far from them. */
void trainer_take_steps(struct trainer *trainer);

/* ---- teach.c ---- */

/* The probabilities that a float net with fixed statistics gives to every picture of the training
 * part, into the student's feed, whose pictures are the same at another size. */
bool trainer_teach(struct trainer *teacher, struct feed *student, struct error *err);

/* ---- fold.c ---- */

/* From reals to integers: fold, equalise, one power of two per row; resets the optimiser. */
bool trainer_fold(struct trainer *trainer, struct error *err);

/* ---- assemble.c ---- */

/* The integer net, once statistics are fixed; it has passed net_check(), to whose messages `file`
 * gives a place.  NULL on failure. */
struct net *trainer_net(const struct trainer *trainer, const char *file, struct error *err);

#endif
