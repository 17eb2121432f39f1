/* Training of one image network: optimiser, epochs, statistics, scores, checkpoints. */
#ifndef MOTE_VISION_TRAINER_H
#define MOTE_VISION_TRAINER_H

#include "data/dataset.h"
#include "train/kernel.h"
#include "train/session.h"
#include "vision/feed.h"

#define TRAINER_BATCH_MOST 1024
#define PIXEL_UNIT         (1.0F / 255.0F) /* of an image's code in the float phase */

/* What a checkpoint holds. */
struct trainer_state {
    uint32_t epoch; /* of both phases together */
    uint64_t steps; /* of Adam, in this phase */
    double power1, power2;
    float *first, *second; /* Adam's moments */
    float *average;        /* of the parameters (EMA) */
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
    struct pass *passes[TRAINER_BATCH_MOST / VISION_BLOCK];
    int pass_count; /* blocks of a batch */
    uint32_t *order;
    int float_epochs, integer_epochs;
    /* the step that is being made */
    uint64_t at; /* its first sample in the epoch */
    bool forward_only;
    const char *stage; /* for progress */
};

/* Random weights; NULL on failure.  `feed` is borrowed. */
struct trainer *trainer_new(const struct feed *feed, const struct sketch *sketch,
                            struct session *session, struct pool *pool, struct error *err);
void trainer_free(struct trainer *trainer);

/* Epochs up to `until`, with checkpoints where `session` wants them. */
bool trainer_run(struct trainer *trainer, uint32_t until, struct error *err);

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

/* ---- fold.c ---- */

/* From reals to integers: fold, equalise, one power of two per row; resets the optimiser. */
bool trainer_fold(struct trainer *trainer, struct error *err);

/* ---- assemble.c ---- */

/* The integer net, once statistics are fixed; it has passed net_check().  NULL on failure. */
struct net *trainer_net(const struct trainer *trainer, struct error *err);

#endif
