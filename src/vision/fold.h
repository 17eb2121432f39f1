/* Which channels have to share one step, and how rows become levels. */
#ifndef MOTE_VISION_FOLD_H
#define MOTE_VISION_FOLD_H

#include "vision/trainer.h"

/* Channels of all outputs are numbered through; what passes them on without weights (pooling, add,
 * concat ...) ties them, and a tie has one step. */
struct ties {
    int *first;    /* of each node's output, and of the image behind them: number of channel 0 */
    int *parent;   /* channel: another one of its tie, or itself */
    int *sources;  /* root: rows that write into the tie */
    double *step;  /* root: real value of a code; 0: not known yet */
    double *reach; /* root: what a code stands for where none of its channels leaves its codes */
    int count;
};

bool ties_new(struct ties *ties, struct arena *arena, const struct graph *graph);
int ties_root(struct ties *ties, int channel);

/* Weights at full scale, in codes of the output per code of the input. */
struct fit_problem {
    const double *weights;
    size_t count;
    double sum;  /* of magnitudes, of the row that has most */
    double most; /* what that may become in levels */
    const struct sketch_layer *layer;
    const double *gains; /* candidates */
    int gain_count;
};

/* The gain and the shift that lose least (least squares). */
struct fitted {
    double gain;
    int shift;
    double error; /* sum of squares */
};
struct fitted fold_fit(const struct fit_problem *problem);

#endif
