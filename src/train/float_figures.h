/* Error figures of the float network on the test part. */
#ifndef MOTE_TRAIN_FLOAT_FIGURES_H
#define MOTE_TRAIN_FLOAT_FIGURES_H

#include "train/model.h"
#include "train/problem.h"

/* Arrays are owned by `arena`.  False when out of memory. */
bool float_figures(const struct problem *problem, const struct model *model, struct arena *arena,
                   struct figures *figures);

#endif
