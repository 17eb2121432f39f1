/* Sets of rows in the form that the least-squares route works on. */
#ifndef MOTE_TRAIN_SAMPLES_H
#define MOTE_TRAIN_SAMPLES_H

#include "train/normal.h"
#include "train/problem.h"

/* Room for `capacity` samples in `arena`; false when out of memory. */
bool sample_set_new(struct sample_set *samples, struct arena *arena, const struct problem *problem,
                    size_t capacity);

/* Fill with rows rows[first .. first + count - 1] of `row_count`, wrapping around; no more than
 * row_count samples are taken. */
void sample_set_fill(struct sample_set *samples, const struct problem *problem,
                     const uint32_t *rows, size_t row_count, size_t first, size_t count);

/* Mean over samples of the squared weighted error of an integer net, in the same measure as
 * normal_loss() / count.  `scratch`: fixed_scratch() elements; codes and y: inputs and outputs. */
struct fixed_memory {
    int32_t *scratch;
    int32_t *y;
    int16_t *x;
};
bool fixed_memory_new(struct fixed_memory *memory, struct arena *arena, const struct fixed *fixed);
double sample_set_fixed_loss(const struct sample_set *samples, const struct problem *problem,
                             const struct fixed *fixed, const struct fixed_memory *memory);

#endif
