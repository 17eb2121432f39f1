/* Ctrl-C while other programs run: they are ended, the work folder goes, and only then the
 * program dies of the signal as asked. */
#ifndef MOTE_MEASURE_INTERRUPT_H
#define MOTE_MEASURE_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

#define INTERRUPT_SIGNALS 3

struct interrupt {
    struct sigaction before[INTERRUPT_SIGNALS];
};

/* From here on SIGINT, SIGTERM and SIGHUP are only noted, where nobody else handles or ignores
 * them. */
void interrupt_hold(struct interrupt *interrupt);

/* As before interrupt_hold(); a signal that was noted comes now. */
void interrupt_release(struct interrupt *interrupt);

/* Was a signal noted since interrupt_hold()? */
bool interrupt_noted(void);

#endif
