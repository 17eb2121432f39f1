/* A budget chooses the net: shape, bits of the weights, kernel. */
#ifndef MOTE_CLI_FIT_H
#define MOTE_CLI_FIT_H

#include "cli/cli.h"
#include "train/train.h"

struct fit_job {
    const struct dataset *data;
    const struct train_options *how; /* its topology is for the search to choose */
    const struct target_list *list;  /* the budget must hold on all of them */
    const struct budget *budget;
    struct arena *arena;
    bool any_optimise;          /* may `optimise` be chosen too? */
    enum optimise optimise;     /* in; out: of the net below */
    struct net *net;            /* out */
    struct train_result result; /* out */
};

/* Nets of a list of shapes, as the options say, with weights of 4 bits, and with rows for the
 * packed kernel, as far as options leave these open.  Shapes whose untrained nets measure over the
 * budget are passed over; of each kind the largest of the others that fits when trained is a
 * candidate, and the best on the validation part stays.  Where none fits, the smallest net.  The
 * same data and options give the same net.  False: see err. */
bool fit_train(struct fit_job *job, struct error *err);

#endif
