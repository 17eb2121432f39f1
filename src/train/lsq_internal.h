/* Shared by the files of the least-squares route only. */
#ifndef MOTE_TRAIN_LSQ_INTERNAL_H
#define MOTE_TRAIN_LSQ_INTERNAL_H

#include "train/damped.h"
#include "train/lsq.h"

/* What a checkpoint holds. */
struct lsq_state {
    int restart;      /* starts done */
    int window;       /* windows done */
    int since_best;   /* windows since the best */
    bool settled;     /* the search is over: round */
    bool still;       /* the last window saw all rows and gained nothing */
    double decay;     /* in use when the best was found; its rounding goes on with it */
    double best_loss; /* on the validation part */
};

struct lsq {
    struct lsq_job *job;
    struct arena *arena;
    struct normal normal;
    struct damped damped;
    struct model best; /* the best so far by validation */
    struct lsq_state state;
    struct sample_set work; /* the window being trained on */
    struct sample_set validation;
    uint32_t *order; /* training rows, shuffled */
    bool *held;      /* rounding: parameters on their grid */
    double *step;    /* rounding: grid of each parameter, 0 for biases */
    double *limit;
    double fraction; /* of the whole job, for progress */
};

/* Window `number` of `count` samples: the next stretch of the shuffled training rows. */
void lsq_window(struct lsq *lsq, size_t number, size_t count);

void lsq_report(struct lsq *lsq, const char *stage);

/* Share of the job's work that searching takes; rounding takes the rest. */
#define LSQ_SEARCH_SHARE 0.65

bool lsq_round(struct lsq *lsq, struct error *err);

#endif
