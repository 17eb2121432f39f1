/* One net on its way through the gradient route, epoch by epoch. */
#ifndef MOTE_TRAIN_GRADIENT_EPOCH_H
#define MOTE_TRAIN_GRADIENT_EPOCH_H

#include "train/gradient.h"

/* A net with what it needs to train beside others on its own thread. */
struct gradient_run {
    struct gradient net;
    const struct packed *training;
    const struct packed *validation;
    uint32_t *order;                          /* training->count indices */
    uint32_t until;                           /* gradient_epochs() runs up to this epoch */
    struct fixed *fixed;                      /* gradient_finish() puts the integer net here */
    struct gradient_score score, float_score; /* of the integer and the float net, validation */
};

/* Run epochs up to run->until; crosses from the float to the integer phase where that is due. */
void gradient_epochs(struct gradient_run *run);

/* The best epoch's integer net into run->fixed; then run->net is the float net. */
void gradient_finish(struct gradient_run *run);

/* Is the left score the better one?  A training that diverged (NaN) never is. */
bool gradient_better(struct gradient_score left, struct gradient_score right);

/* Share of the top rate at time t in 0..1 of a phase: linear warm-up, then half a cosine. */
double gradient_schedule(double t);

#endif
