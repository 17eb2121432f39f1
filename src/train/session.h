/* What both routes share while they run: time, progress, stopping, checkpoints. */
#ifndef MOTE_TRAIN_SESSION_H
#define MOTE_TRAIN_SESSION_H

#include "base/text.h"
#include "train/train.h"

struct session {
    const struct train_options *options;
    uint64_t identity; /* of the run, for its checkpoint */
    double started;    /* seconds of the monotonic clock */
    double shown;      /* when progress was last reported */
    double saved;      /* when the checkpoint was last written */
    double share;      /* of the time budget, for what runs now: 1, less while shapes are tried */
    bool stopped;      /* by --time or by the user */
};

struct session session_new(const struct train_options *options, uint64_t identity);

double session_seconds(const struct session *session); /* since the start */

/* Should this phase stop?  `share` of the time budget is what may be used up to here; a later phase
 * with a larger share may still go on. */
bool session_stop(struct session *session, double share);

/* Has the user asked to stop? */
bool session_interrupted(const struct session *session);

/* Report progress, at most four times a second; the ETA follows from the fraction. */
void session_progress(struct session *session, double fraction, const char *stage,
                      const char *detail);

/* Is a checkpoint wanted now?  At most five a second. */
bool session_save_due(struct session *session);

#endif
