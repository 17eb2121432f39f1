#include "vision/feed.h"

#include "base/rng.h"
#include "data/dataset.h"
#include "data/resize.h"

#include <stdlib.h>
#include <string.h>

#define STREAM_PICTURES UINT64_C(0x70696374757265) /* "picture": which copy a sample is */
#define COPIES          12
#define COPIES_MOST     1000
#define COPY_MEMORY     ((size_t)1 << 29)
#define CHUNK           256 /* images of one job */

/* ---- which images ---- */

static bool new_part(struct feed *feed, struct feed_part *part, enum part which)
{
    size_t count = (size_t)feed->images->count;
    part->images = arena_alloc(feed->arena, count, sizeof *part->images);
    if (!part->images) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enum part at = data_part(feed->options->seed, i);
        at = at == PART_TEST && feed->options->test_apart ? PART_TRAIN : at;
        bool both = feed->options->whole && which == PART_TRAIN && at == PART_VALIDATION;
        if (at == which || both) {
            part->images[part->count++] = (uint32_t)i;
        }
    }
    return true;
}

static bool check_classes(const struct feed *feed, struct error *err)
{
    const struct images *images = feed->images;
    size_t *counts = calloc((size_t)images->class_count, sizeof *counts);
    int missing = -1;
    for (size_t i = 0; counts && i < feed->train.count; i++) {
        counts[images->labels[feed->train.images[i]]]++;
    }
    for (int c = images->class_count - 1; counts && c >= 0; c--) {
        missing = counts[c] == 0 ? c : missing;
    }
    for (int c = 0; counts && missing < 0 && c < images->class_count; c++) {
        double even = (double)feed->train.count / images->class_count;
        feed->weights[c] = feed->options->balance ? (float)(even / (double)counts[c]) : 1.0F;
    }
    bool known = counts != NULL;
    free(counts);
    if (!known) {
        return fail_memory(err);
    }
    return missing < 0 || fail(err,
                               "%s: no image of class '%s' is in the part that is trained on; give "
                               "more images of it",
                               images->source, images->classes[missing]);
}

/* ---- pictures ---- */

struct preparing {
    struct feed *feed;
    struct resize resize;
    bool whole;          /* the image is what the net reads */
    _Atomic bool failed; /* out of memory */
    size_t train_chunks, check_chunks;
};

static void store(const struct preparing *work, const uint8_t *image, uint8_t *to)
{
    if (work->whole) {
        memcpy(to, image, work->feed->size);
    } else {
        resize_image(&work->resize, image, to);
    }
}

static void prepare_picture(const struct preparing *work, size_t at, int copy, uint8_t *changed)
{
    const struct feed *feed = work->feed;
    const struct images *images = feed->images;
    uint32_t index = feed->train.images[at];
    const uint8_t *image = images_pixels(images, index);
    uint8_t *to = feed->pictures + ((size_t)copy * feed->train.count + at) * feed->size;
    if (copy > 0) {
        struct augment_key key = {feed->options->seed, (uint64_t)copy, index};
        struct image_shape shape = {images->rows, images->columns, images->channels};
        augment_image(&feed->options->augment, &key, &shape, image, changed);
        image = changed;
    }
    store(work, image, to);
}

/* Jobs: chunks of every copy, then chunks of the validation part. */
static void prepare_chunk(void *context, int job)
{
    struct preparing *work = context;
    const struct feed *feed = work->feed;
    size_t chunk = (size_t)job;
    size_t train_jobs = work->train_chunks * (size_t)(feed->copies + 1);
    bool checks = chunk >= train_jobs;
    size_t first = (checks ? chunk - train_jobs : chunk % work->train_chunks) * CHUNK;
    size_t count = checks ? feed->validation.count : feed->train.count;
    uint8_t *changed = malloc(images_size(feed->images));
    if (!changed) {
        work->failed = true;
        return;
    }
    for (size_t i = first; i < count && i < first + CHUNK; i++) {
        if (checks) {
            const uint8_t *image = images_pixels(feed->images, feed->validation.images[i]);
            store(work, image, feed->checks + i * feed->size);
        } else {
            prepare_picture(work, i, (int)(chunk / work->train_chunks), changed);
        }
    }
    free(changed);
}

static bool make_resize(struct preparing *work, const struct sketch *sketch, struct error *err)
{
    work->resize = (struct resize){.rows = sketch->image.rows,
                                   .columns = sketch->image.columns,
                                   .channels = sketch->image.channels,
                                   .top = sketch->top,
                                   .left = sketch->left,
                                   .crop_rows = sketch->crop.rows,
                                   .crop_columns = sketch->crop.columns,
                                   .out_rows = sketch->input.rows,
                                   .out_columns = sketch->input.columns,
                                   .drop = sketch->drop};
    work->whole = !sketch_prepares(sketch);
    return work->whole || resize_make(&work->resize) ||
           fail(err, "images of %dx%d pixels cannot be resized to %dx%d", sketch->crop.rows,
                sketch->crop.columns, sketch->input.rows, sketch->input.columns);
}

/* Copies are made once: as many as asked for and as the memory holds. */
static int copy_count(const struct feed *feed, size_t largest)
{
    const struct vision_options *o = feed->options;
    if (!augment_any(&o->augment) || feed->train.count == 0) {
        return 0;
    }
    size_t memory = o->copy_memory > 0 ? o->copy_memory : COPY_MEMORY;
    size_t room = memory / largest / feed->train.count;
    size_t wanted = o->copies > 0 && o->copies <= COPIES_MOST ? (size_t)o->copies : COPIES;
    return (int)(wanted < room ? wanted : room > 0 ? room : 1);
}

static bool prepare(struct feed *feed, const struct sketch *sketch, size_t largest,
                    struct pool *pool, struct error *err)
{
    struct preparing work = {.feed = feed};
    if (!make_resize(&work, sketch, err)) {
        return false;
    }
    feed->copies = copy_count(feed, largest > feed->size ? largest : feed->size);
    size_t pictures = (size_t)(feed->copies + 1) * feed->train.count;
    feed->pictures = arena_alloc(feed->arena, pictures, feed->size);
    feed->checks = arena_alloc(feed->arena, feed->validation.count, feed->size);
    if (!feed->pictures || !feed->checks) {
        return fail_memory(err);
    }
    work.train_chunks = (feed->train.count + CHUNK - 1) / CHUNK;
    work.check_chunks = (feed->validation.count + CHUNK - 1) / CHUNK;
    size_t jobs = work.train_chunks * (size_t)(feed->copies + 1) + work.check_chunks;
    pool_run(pool, (int)jobs, prepare_chunk, &work);
    return !work.failed || fail_memory(err);
}

struct feed *feed_new(const struct images *images, const struct sketch *sketch,
                      const struct vision_options *options, size_t largest, struct pool *pool,
                      struct error *err)
{
    struct arena *arena = arena_new();
    struct feed *feed = arena ? arena_alloc(arena, 1, sizeof *feed) : NULL;
    if (!feed) {
        arena_free(arena);
        (void)fail_memory(err);
        return NULL;
    }
    *feed = (struct feed){
        .arena = arena, .images = images, .options = options, .size = volume_size(sketch->input)};
    feed->weights = arena_alloc(arena, (size_t)images->class_count, sizeof(float));
    bool memory = feed->weights && new_part(feed, &feed->train, PART_TRAIN) &&
                  new_part(feed, &feed->validation, PART_VALIDATION);
    if ((memory || fail_memory(err)) && check_classes(feed, err) &&
        prepare(feed, sketch, largest, pool, err)) {
        return feed;
    }
    arena_free(arena);
    return NULL;
}

void feed_free(struct feed *feed)
{
    if (feed) {
        arena_free(feed->arena);
    }
}

/* ---- samples ---- */

static uint32_t draw_picture(const struct feed *feed, struct rng *rng)
{
    double original = feed->options->original;
    original = original > 0 ? original : original < 0 ? 0 : 0.25;
    bool copy = rng_uniform(rng, 0, 1) >= original && feed->copies > 0;
    uint64_t picture = rng_below(rng, feed->copies > 0 ? (uint64_t)feed->copies : 1);
    return copy ? (uint32_t)picture + 1 : 0;
}

struct feed_sample feed_draw(const struct feed *feed, uint64_t epoch, uint64_t at, uint32_t image)
{
    struct rng rng = rng_new(feed->options->seed, STREAM_PICTURES + epoch);
    rng.counter = at * 8;
    struct feed_sample sample = {.image = image, .share = 1};
    sample.picture = draw_picture(feed, &rng);
    if (feed->options->mixup > 0 && rng_uniform(&rng, 0, 1) < feed->options->mixup) {
        sample.share = (float)rng_uniform(&rng, 0.5, 1);
        sample.other = (uint32_t)rng_below(&rng, feed->train.count);
        sample.other_picture = draw_picture(feed, &rng);
    }
    return sample;
}

static const uint8_t *picture(const struct feed *feed, uint32_t image, uint32_t copy)
{
    return feed->pictures + ((size_t)copy * feed->train.count + image) * feed->size;
}

/* Blended pixels stay codes. */
static void put_pixels(const struct feed *feed, const struct feed_sample *sample, float unit,
                       float *to)
{
    const uint8_t *one = picture(feed, sample->image, sample->picture);
    if (sample->share >= 1) {
        for (size_t i = 0; i < feed->size; i++) {
            to[i * VISION_LANES] = (float)one[i] * unit;
        }
        return;
    }
    const uint8_t *two = picture(feed, sample->other, sample->other_picture);
    int32_t share = (int32_t)(sample->share * 256.0F);
    for (size_t i = 0; i < feed->size; i++) {
        int32_t value = (one[i] * share + two[i] * (256 - share) + 128) >> 8;
        to[i * VISION_LANES] = (float)value * unit;
    }
}

static void put_class(const struct feed *feed, uint32_t image, float share, float *to)
{
    int label = feed->images->labels[feed->train.images[image]];
    int classes = feed->images->class_count;
    float weight = share * feed->weights[label];
    float smooth = (float)feed->options->smoothing * weight / (float)classes;
    for (int c = 0; c < classes; c++) {
        to[c * VISION_LANES] += smooth;
    }
    to[label * VISION_LANES] += weight - (float)feed->options->smoothing * weight;
}

/* A teacher's probabilities of a picture. */
static void put_soft(const struct feed *feed, uint32_t image, uint32_t copy, float share, float *to)
{
    size_t classes = (size_t)feed->images->class_count;
    const float *soft = feed->soft + ((size_t)copy * feed->train.count + image) * classes;
    for (size_t c = 0; c < classes; c++) {
        to[c * VISION_LANES] += share * soft[c];
    }
}

static void put_targets(const struct feed *feed, const struct feed_sample *s, float *to,
                        float *soft)
{
    put_class(feed, s->image, s->share, to);
    if (s->share < 1) {
        put_class(feed, s->other, 1 - s->share, to);
    }
    if (feed->soft) {
        put_soft(feed, s->image, s->picture, s->share, soft);
        if (s->share < 1) {
            put_soft(feed, s->other, s->other_picture, 1 - s->share, soft);
        }
    }
}

void feed_block(const struct feed *feed, const struct feed_sample *samples, float unit,
                struct pass *pass)
{
    size_t classes = (size_t)feed->images->class_count;
    memset(pass->targets, 0, classes * VISION_BLOCK * sizeof(float));
    memset(pass->soft, 0, classes * VISION_BLOCK * sizeof(float));
    for (size_t i = 0; i < VISION_BLOCK; i++) {
        const struct feed_sample *sample = &samples[i];
        size_t group = i / VISION_LANES;
        size_t lane = i % VISION_LANES;
        size_t at = group * classes * VISION_LANES + lane;
        put_pixels(feed, sample, unit, pass->image + group * feed->size * VISION_LANES + lane);
        put_targets(feed, sample, pass->targets + at, pass->soft + at);
    }
}

void feed_checks(const struct feed *feed, size_t first, float unit, struct pass *pass)
{
    for (size_t i = 0; i < VISION_BLOCK; i++) {
        size_t last = feed->validation.count - 1;
        size_t at = first + i < last ? first + i : last;
        float *to = pass->image + (i / VISION_LANES) * feed->size * VISION_LANES + i % VISION_LANES;
        for (size_t e = 0; e < feed->size; e++) {
            to[e * VISION_LANES] = (float)feed->checks[at * feed->size + e] * unit;
        }
    }
}
