/* The shape of a chain of dense layers, from text such as "6-16-16-6". */
#ifndef MOTE_TRAIN_TOPOLOGY_H
#define MOTE_TRAIN_TOPOLOGY_H

#include "base/error.h"
#include "train/train.h"

struct topology {
    int layer_count;                  /* dense layers */
    int widths[TRAIN_LAYERS_MAX + 1]; /* inputs, hidden ..., outputs */
};

/* `text` is the full shape (its ends must be `inputs` and `outputs`), or one or two hidden widths
 * alone.  Not for "auto". */
bool topology_parse(const char *text, int inputs, int outputs, struct topology *topology,
                    struct error *err);

/* Candidate `index` of --net auto, smallest first; false past the last one. */
bool topology_candidate(int index, int inputs, int outputs, struct topology *topology);

/* Weights and biases, without the skip. */
size_t topology_parameters(const struct topology *topology);

#endif
