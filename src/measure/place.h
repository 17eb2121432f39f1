/* Where mote's own files are: beside the program, or where it was installed. */
#ifndef MOTE_MEASURE_PLACE_H
#define MOTE_MEASURE_PLACE_H

#include "base/arena.h"
#include "base/error.h"

/* The absolute folder of the .target files (measure.h). */
const char *place_targets(struct arena *arena, struct error *err);

/* The path of a program: one of mote's own ("mote-...") beside mote, else in $PATH.  NULL where it
 * is not there, or out of memory. */
const char *place_program(struct arena *arena, const char *name);

#endif
