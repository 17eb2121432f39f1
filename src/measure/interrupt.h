/* Ctrl-C while other programs run: they are ended, the work folder goes, and only then the
 * program dies of the signal as asked. */
#ifndef MOTE_MEASURE_INTERRUPT_H
#define MOTE_MEASURE_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM and SIGHUP are only noted, where nobody else handles or ignores
 * them.  Several threads may hold them at a time. */
void interrupt_hold(void);

/* The last that holds them: as before interrupt_hold(); a signal that was noted comes now. */
void interrupt_release(void);

/* Was a signal noted since they are held? */
bool interrupt_noted(void);

#endif
