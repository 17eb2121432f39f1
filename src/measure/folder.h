/* Work folders for other programs: made below $TMPDIR, flat, and removed with all they hold. */
#ifndef MOTE_MEASURE_FOLDER_H
#define MOTE_MEASURE_FOLDER_H

#include "base/arena.h"
#include "base/error.h"

/* A new, empty folder "NAME.XXXXXX" below $TMPDIR, or /tmp; its path is in the arena.  NULL on
 * failure. */
const char *folder_open(const char *name, struct arena *arena, struct error *err);

/* The path of a file in a folder, in the arena; NULL when out of memory. */
const char *folder_path(const char *folder, const char *file, struct arena *arena);

/* Remove a folder and its files.  `names`, ended by NULL, are files of ours: they go even where
 * memory for looking around has run out. */
void folder_remove(const char *folder, const char *const *names);

#endif
