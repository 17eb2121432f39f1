#include "report/run_images.h"

#include "base/pool.h"
#include "run/run.h"

#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK 64 /* images of one job */

struct work {
    const struct image_job *job;
    _Atomic bool failed; /* out of memory */
};

size_t image_of(struct row_set rows, size_t row)
{
    return rows.index ? rows.index[row] : row;
}

static void run_row(const struct image_job *job, struct run *run, size_t row, int32_t *codes)
{
    size_t size = images_size(job->set.images);
    const uint8_t *pixels = images_pixels(job->set.images, image_of(job->set.rows, row));
    for (size_t i = 0; i < size; i++) {
        codes[i] = pixels[i];
    }
    run_predict(run, codes, codes + size);
    job->take(job->context, row, codes + size);
}

static void run_chunk(void *context, int chunk)
{
    struct work *work = context;
    const struct image_job *job = work->job;
    size_t outputs = (size_t)job->net->tensors[job->net->output].width;
    struct run *run = run_new(job->net);
    int32_t *codes = calloc(images_size(job->set.images) + outputs, sizeof *codes);
    size_t first = (size_t)chunk * CHUNK;
    if (!run || !codes) {
        work->failed = true;
    }
    for (size_t i = first; run && codes && i < first + CHUNK && i < job->set.rows.count; i++) {
        run_row(job, run, i, codes);
    }
    free(codes);
    run_free(run);
}

bool run_images(const struct image_job *job)
{
    struct work work = {.job = job};
    struct pool *pool = pool_new(job->set.threads);
    if (!pool) {
        return false;
    }
    pool_run(pool, (int)((job->set.rows.count + CHUNK - 1) / CHUNK), run_chunk, &work);
    pool_free(pool);
    return !work.failed;
}

uint32_t *images_part(const struct images *images, uint64_t seed, enum part part, size_t *count)
{
    uint32_t *rows = malloc((size_t)images->count * sizeof *rows);
    *count = 0;
    for (size_t i = 0; rows && i < (size_t)images->count; i++) {
        if (data_part(seed, i) == part) {
            rows[(*count)++] = (uint32_t)i;
        }
    }
    return rows;
}
