/* Whole files: read with a bound, written atomically. */
#ifndef MOTE_BASE_FILE_H
#define MOTE_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Read `path` ("-": standard input) into malloc'd memory owned by the caller; one zero byte
 * follows the content.  Refuses more than `limit` bytes.  NULL on failure. */
unsigned char *file_read(const char *path, size_t limit, size_t *size, struct error *err);

/* Replace `path` ("-": standard output): write a temporary file beside it, fsync, rename.  On any
 * failure the old file is intact and the temporary file is gone. */
bool file_write(const char *path, const void *data, size_t size, struct error *err);

/* Could `path` be written, as far as can be told before?  It is no folder itself, and the one
 * that it is in exists and is writable. */
bool file_writable(const char *path, struct error *err);

/* Can `path` ("-": standard input) be read? */
bool file_readable(const char *path, struct error *err);

#endif
