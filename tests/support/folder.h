/* A scratch folder of one test program. */
#ifndef MOTE_SUPPORT_FOLDER_H
#define MOTE_SUPPORT_FOLDER_H

#include <stddef.h>

/* Path of `name` in a fresh folder below $TMPDIR or /tmp, made at the first call and removed with
 * its files at exit.  The result is valid until eight more calls. */
const char *scratch_path(const char *name);

/* Make a folder of that name in it; the same path. */
const char *scratch_folder(const char *name);

/* Write a file; stops the test program where it fails. */
void scratch_write(const char *path, const void *data, size_t size);

/* How many files the scratch folder holds. */
int scratch_count(void);

#endif
