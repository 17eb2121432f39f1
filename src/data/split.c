/* Which rows train, which stop the training, and which are kept for the score. */
#include "base/rng.h"
#include "data/dataset.h"

#include <stdlib.h>

#define STREAM_SPLIT 0x73706c6974 /* "split": the stream of random numbers */
#define GROUP        10           /* rows that hold one validation and one test row */
#define FIRST        3            /* ... which are among the first three of the first group */

enum part data_part(uint64_t seed, size_t row)
{
    struct rng rng = rng_new(seed, STREAM_SPLIT);
    rng.counter = 2 * (uint64_t)(row / GROUP);
    uint64_t places = row < GROUP ? FIRST : GROUP;
    uint64_t validation = rng_below(&rng, places);
    uint64_t test = (validation + 1 + rng_below(&rng, places - 1)) % places;
    uint64_t place = row % GROUP;
    return place == validation ? PART_VALIDATION : place == test ? PART_TEST : PART_TRAIN;
}

uint32_t *data_part_rows(const struct dataset *data, uint64_t seed, enum part part, size_t *count)
{
    size_t found = 0;
    for (size_t row = 0; row < data->row_count; row++) {
        found += data_part(seed, row) == part;
    }
    uint32_t *rows = malloc((found ? found : 1) * sizeof *rows);
    *count = 0;
    for (size_t row = 0; rows && row < data->row_count; row++) {
        if (data_part(seed, row) == part) {
            rows[(*count)++] = (uint32_t)row;
        }
    }
    return rows;
}
