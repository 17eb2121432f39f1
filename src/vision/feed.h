/* Images as training takes them: cropped, resized, in augmented copies, sixteen to a group. */
#ifndef MOTE_VISION_FEED_H
#define MOTE_VISION_FEED_H

#include "base/pool.h"
#include "vision/pass.h"
#include "vision/vision.h"

struct feed_part {
    uint32_t *images; /* indices, ascending */
    size_t count;
};

struct feed {
    struct arena *arena;
    const struct images *images;
    const struct vision_options *options;
    size_t size; /* bytes of a picture behind crop and resize */
    struct feed_part train, validation;
    int copies;        /* of each training image, beside the original */
    uint8_t *pictures; /* [copies + 1][train.count][size]; the first are the originals */
    uint8_t *checks;   /* [validation.count][size] */
    float *soft; /* of a teacher: [copies + 1][train.count][class] probabilities; NULL: none */
    double temperature; /* of them */
    float *weights;     /* class: factor of its images' loss */
};

/* Prepares all pictures on `pool`; NULL on failure.  `largest`: bytes of the largest picture of all
 * feeds that shall have the same copies; 0: this is the only one. */
struct feed *feed_new(const struct images *images, const struct sketch *sketch,
                      const struct vision_options *options, size_t largest, struct pool *pool,
                      struct error *err);
void feed_free(struct feed *feed);

/* A sample: which image of the training part, and which picture of it (0: the original). */
struct feed_sample {
    uint32_t image, picture;
    uint32_t other, other_picture; /* blended with it (mixup) */
    float share;                   /* of the first, 1: nothing is blended */
};

/* Sample `at` of an epoch, `image` the one that the epoch's order names. */
struct feed_sample feed_draw(const struct feed *feed, uint64_t epoch, uint64_t at, uint32_t image);

/* A block of VISION_BLOCK samples into a pass: pixels in steps of `unit`, and targets. */
void feed_block(const struct feed *feed, const struct feed_sample *samples, float unit,
                struct pass *pass);

/* Images first.. of the validation part, the last one repeated where they end; no targets. */
void feed_checks(const struct feed *feed, size_t first, float unit, struct pass *pass);

#endif
