/* Progress of a long run on stderr, and stopping it by Ctrl-C. */
#ifndef MOTE_CLI_PROGRESS_H
#define MOTE_CLI_PROGRESS_H

#include <stdbool.h>

struct progress {
    bool terminal; /* stderr is one: a single line is rewritten */
    bool verbose;  /* otherwise: a line per stage */
    char stage[64];
    bool shown; /* there is a line to clear */
};

struct progress progress_start(bool verbose);

/* In the form that train_options wants; `context` is a struct progress. */
void progress_show(void *context, double fraction, double eta, const char *stage,
                   const char *detail);

/* A line of its own, where progress is shown at all. */
void progress_say(const struct progress *progress, const char *line);

/* Clear the line. */
void progress_end(struct progress *progress);

/* From now on the first Ctrl-C sets the flag that is returned; a second one ends the program. */
const volatile int *stop_on_interrupt(void);

#endif
