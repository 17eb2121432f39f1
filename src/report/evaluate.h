/* The score of the integer program: a net on rows of a dataset, by the reference interpreter. */
#ifndef MOTE_REPORT_EVALUATE_H
#define MOTE_REPORT_EVALUATE_H

#include "data/dataset.h"
#include "net/net.h"
#include "train/train.h"

/* Rows of a dataset; index NULL: all of them. */
struct row_set {
    const uint32_t *index;
    size_t count;
};

struct evaluation {
    struct figures figures; /* arrays owned by the arena given */
    int64_t clamped;        /* input values outside of what the input type can hold */
};

/* `data` holds the net's inputs, then its outputs (all of them may be the dataset's inputs), or the
 * class.  Errors are in the outputs' units; rms_percent is relative to the range low..high of the
 * net's outputs (the training data's), outputs without a range left out.  Fails where the data does
 * not have the net's inputs, outputs and classes, and when out of memory. */
bool evaluate_net(const struct net *net, const struct dataset *data, struct row_set rows,
                  struct arena *arena, struct evaluation *evaluation, struct error *err);

/* The figures become the net's score: rms_percent, or the accuracy in percent, of 4 digits.
 * False: out of memory. */
bool set_score(struct net *net, const struct figures *figures);

/* Evaluate on the test part of the data that the net was trained on, and set the score. */
bool score_net(struct net *net, const struct dataset *data, uint64_t seed, struct arena *arena,
               struct evaluation *evaluation, struct error *err);

/* Have data_load() pick the net's inputs, and with `outputs` its outputs behind them, as the inputs
 * of the dataset: by name where the file has a header and the net distinct names, else by position.
 * Sets input_names and input_count; the list is owned by the arena. */
bool match_options(const struct net *net, bool outputs, struct arena *arena,
                   struct data_options *options, struct error *err);

/* Are the columns that were picked in the net's units, where both say one? */
bool match_units(const struct net *net, const struct dataset *data, struct error *err);

#endif
