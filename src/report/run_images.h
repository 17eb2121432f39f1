/* The reference interpreter over many images, on several threads. */
#ifndef MOTE_REPORT_RUN_IMAGES_H
#define MOTE_REPORT_RUN_IMAGES_H

#include "report/evaluate_images.h"

struct image_job {
    const struct net *net;
    struct image_set set; /* index NULL: the first `count` */
    /* The outputs of row `row` of the rows; called from any thread, in any order, once a row. */
    void (*take)(void *context, size_t row, const int32_t *out);
    void *context;
};

/* False: out of memory. */
bool run_images(const struct image_job *job);

/* Which image a row is. */
size_t image_of(struct row_set rows, size_t row);

/* The images of a part, ascending: malloc'd, owned by the caller.  NULL: out of memory. */
uint32_t *images_part(const struct images *images, uint64_t seed, enum part part, size_t *count);

#endif
