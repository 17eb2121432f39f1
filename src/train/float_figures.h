/* Error figures of the float network. */
#ifndef MOTE_TRAIN_FLOAT_FIGURES_H
#define MOTE_TRAIN_FLOAT_FIGURES_H

#include "train/model.h"
#include "train/problem.h"

/* Which rows of the problem's data; rows NULL: the first `count` ones. */
struct row_choice {
    const uint32_t *rows;
    size_t count;
};

/* Arrays are owned by `arena`.  False when out of memory. */
bool float_figures(const struct problem *problem, const struct model *model,
                   struct row_choice choice, struct arena *arena, struct figures *figures);

#endif
