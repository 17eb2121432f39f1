/* Small labelled images for tests: each class has a pattern of its own, under noise. */
#ifndef MOTE_SUPPORT_STUDIO_H
#define MOTE_SUPPORT_STUDIO_H

#include "vision/sketch.h"
#include "vision/trainer.h"

/* Fails the test when out of memory; free with images_free(). */
struct images *pictures_new(struct volume size, int classes, int count, uint64_t seed);

/* A trainer on them, with what it borrows; free with studio_free(). */
struct studio {
    struct images *images;
    struct vision_options options;
    struct train_options shared;
    struct session session;
    struct sketch sketch;
    struct feed *feed;
    struct trainer *trainer;
};

/* `options` may be NULL; the net is `text`.  Fails the test when it cannot. */
struct studio *studio_new(const char *text, struct volume size, int classes,
                          const struct vision_options *options);

/* The same with so many images: for what must be learned well. */
struct studio *studio_with(int images, const char *text, struct volume size, int classes,
                           const struct vision_options *options);
void studio_free(struct studio *studio);

#endif
