/* Checkpoints: the state of a training run in one file, replaced atomically.
 *
 * A file is a magic line, the identity of the run, the state, and a hash over both, so that a
 * damaged file, or one of another run, is refused. */
#ifndef MOTE_TRAIN_CHECKPOINT_H
#define MOTE_TRAIN_CHECKPOINT_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

/* Append a value or array to the state, in little-endian order. */
void state_put_u64(struct text *state, uint64_t value);
void state_put_double(struct text *state, double value);
void state_put_doubles(struct text *state, const double *values, size_t count);

uint64_t state_u64(struct bytes *state);
double state_double(struct bytes *state);
void state_doubles(struct bytes *state, double *values, size_t count);

/* Write the state; `identity` tells runs apart (options, data, shape). */
bool checkpoint_write(const char *path, uint64_t identity, const struct text *state,
                      struct error *err);

/* Read it back: `state` borrows from *memory, malloc'd, to be freed by the caller.  Where there is
 * no file, true with *memory NULL. */
bool checkpoint_read(const char *path, uint64_t identity, unsigned char **memory,
                     struct bytes *state, struct error *err);

#endif
