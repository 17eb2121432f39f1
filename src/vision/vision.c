#include "vision/vision.h"

#include "vision/trainer.h"

#include <stdlib.h>
#include <string.h>

#define LAST_STATISTICS 256 /* blocks */

/* What a run owns besides its trainer. */
struct work {
    const struct images *images;
    const struct vision_options *options;
    struct vision_result *result;
    struct train_options shared; /* of the session */
    struct session session;
    struct pool *pool;
    struct sketch sketch;
    struct feed *feed;
    struct trainer *trainer;
};

static bool make_sketch(struct work *work, struct error *err)
{
    const struct images *images = work->images;
    const struct vision_options *o = work->options;
    struct sketch_data data = {.image = {images->rows, images->columns, images->channels},
                               .classes = images->class_count,
                               .place = o->net_place ? o->net_place : "--net"};
    const char *text = o->net;
    if (!text) {
        sketch_default(&data.image, data.classes, work->result->net);
        text = work->result->net;
    }
    return sketch_parse(&work->sketch, text, strlen(text), &data, err);
}

static bool check_images(const struct images *images, struct error *err)
{
    if (!images->labels || images->class_count < 2) {
        return fail(err, "%s: training needs labels of at least two classes", images->source);
    }
    return true;
}

static void start_session(struct work *work)
{
    const struct vision_options *o = work->options;
    work->shared = (struct train_options){.seconds = o->seconds,
                                          .seed = o->seed,
                                          .checkpoint = o->checkpoint,
                                          .resume = o->resume,
                                          .progress = o->progress,
                                          .progress_context = o->progress_context,
                                          .stop = o->stop};
    work->session = session_new(&work->shared, work->images->hash);
}

static bool prepare(struct work *work, struct error *err)
{
    if (!check_images(work->images, err) || !make_sketch(work, err)) {
        return false;
    }
    start_session(work);
    work->pool = pool_new(work->options->threads);
    if (!work->pool) {
        return fail_memory(err);
    }
    session_progress(&work->session, 0, "pictures", "");
    work->feed = feed_new(work->images, &work->sketch, work->options, work->pool, err);
    if (!work->feed) {
        return false;
    }
    work->trainer = trainer_new(work->feed, &work->sketch, &work->session, work->pool, err);
    return work->trainer != NULL;
}

/* The float phase, the crossing, the integer phase. */
static bool train(struct work *work, struct error *err)
{
    struct trainer *t = work->trainer;
    uint32_t crossing = (uint32_t)t->float_epochs;
    t->stage = "float";
    if (!trainer_run(t, crossing, err)) {
        return false;
    }
    trainer_statistics(t, LAST_STATISTICS);
    work->result->float_accuracy = trainer_score(t);
    if (!trainer_fold(t, err)) {
        return false;
    }
    t->stage = "integers";
    if (!trainer_run(t, crossing + (uint32_t)t->integer_epochs, err)) {
        return false;
    }
    trainer_statistics(t, LAST_STATISTICS);
    work->result->integer_accuracy = trainer_score(t);
    return true;
}

static void fill_result(struct work *work)
{
    struct vision_result *result = work->result;
    result->training_images = (int64_t)work->feed->train.count;
    result->validation_images = (int64_t)work->feed->validation.count;
    result->weight_bytes = sketch_weight_bytes(&work->sketch);
    result->stopped = work->session.stopped;
    result->teacher_accuracy = -1;
}

struct net *vision_train(const struct images *images, const struct vision_options *options,
                         struct vision_result *result, struct error *err)
{
    struct net *net = NULL;
    struct work *work = calloc(1, sizeof *work);
    memset(result, 0, sizeof *result);
    if (!work) {
        (void)fail_memory(err);
        return NULL;
    }
    work->images = images;
    work->options = options;
    work->result = result;
    if (prepare(work, err) && train(work, err)) {
        fill_result(work);
        net = trainer_net(work->trainer, err);
    }
    trainer_free(work->trainer);
    feed_free(work->feed);
    pool_free(work->pool);
    free(work);
    return net;
}
