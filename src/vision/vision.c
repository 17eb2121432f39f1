#include "vision/vision.h"

#include "base/hash.h"
#include "vision/sketch_read.h"
#include "vision/trainer.h"

#include <stdlib.h>
#include <string.h>

#define LAST_STATISTICS 256 /* blocks */
#define FEW_STATISTICS  16
#define TEACHER_EPOCHS  12
#define TEACHER_PART    0.5
#define TEMPERATURE     3.0
#define ODD_SUM_MOST    32896 /* times 255 it is below 2^23 */
#define TEACHER_SHARE   0.3   /* of a time budget */
#define FLOAT_SHARE     0.3   /* of what is left of it */

/* One net with its pictures: the student, or its teacher. */
struct pupil {
    struct sketch sketch;
    struct feed *feed;
    struct trainer *trainer;
};

/* What a run owns. */
struct work {
    const struct images *images;
    const struct vision_options *options;
    struct vision_result *result;
    struct train_options shared; /* of the session */
    struct session session;
    struct pool *pool;
    struct pupil student, teacher;
};

/* ---- descriptions and pictures ---- */

static bool read_sketch(struct work *work, struct sketch *sketch, const char *text,
                        const char *place, struct error *err)
{
    const struct images *images = work->images;
    struct sketch_data data = {.image = {images->rows, images->columns, images->channels},
                               .classes = images->class_count,
                               .place = place};
    return sketch_parse(sketch, text, strlen(text), &data, err);
}

static const char *net_text(const struct work *work)
{
    return work->options->net ? work->options->net : work->result->net;
}

static const char *net_place(const struct work *work)
{
    return work->options->net_place ? work->options->net_place : "--net";
}

static bool read_sketches(struct work *work, struct error *err)
{
    const struct vision_options *o = work->options;
    const struct images *images = work->images;
    if (!o->net) {
        struct volume size = {images->rows, images->columns, images->channels};
        sketch_default(&size, images->class_count, false, work->result->net);
    }
    return read_sketch(work, &work->student.sketch, net_text(work), net_place(work), err) &&
           (!o->teacher || read_sketch(work, &work->teacher.sketch, o->teacher, "--teacher", err));
}

static bool check_images(const struct images *images, struct error *err)
{
    if (!images->labels || images->class_count < 2) {
        return fail(err, "%s: training needs labels of at least two classes", images->source);
    }
    return true;
}

/* Odd weights are never 0, so that wide rows of them can leave what floats hold exactly. */
static bool check_rows(const struct work *work, struct error *err)
{
    const struct sketch *sketch = &work->student.sketch;
    const char *text = net_text(work);
    struct sketch_data data = {.place = net_place(work)};
    struct sketch_reader in = sketch_start(text, strlen(text), &data, err);
    for (int i = 0; i < sketch->layer_count; i++) {
        const struct sketch_layer *layer = &sketch->layers[i];
        int64_t most = layer->odd ? ODD_SUM_MOST / sketch_limit(layer) : INT64_MAX;
        if (sketch_weighted(layer) && sketch_columns(layer) > most) {
            sketch_point(&in, layer->line, layer->column);
            return sketch_fail_token(&in, "odd weights have at most %d inputs here", (int)most);
        }
    }
    return true;
}

static bool make_pupil(struct work *work, struct pupil *pupil, size_t largest, struct error *err)
{
    pupil->feed = feed_new(work->images, &pupil->sketch, work->options, largest, work->pool, err);
    pupil->trainer = pupil->feed
                         ? trainer_new(pupil->feed, &pupil->sketch, &work->session, work->pool, err)
                         : NULL;
    return pupil->trainer != NULL;
}

static void set_epochs(struct work *work)
{
    const struct vision_options *o = work->options;
    struct trainer *student = work->student.trainer;
    student->float_epochs = o->float_epochs > 0 ? o->float_epochs : VISION_FLOAT_EPOCHS;
    student->integer_epochs = o->integer_epochs > 0 ? o->integer_epochs : VISION_INTEGER_EPOCHS;
    if (o->teacher) {
        struct trainer *teacher = work->teacher.trainer;
        struct learner *learner = &student->learner;
        teacher->float_epochs = o->teacher_epochs > 0 ? o->teacher_epochs : TEACHER_EPOCHS;
        learner->teacher_part = o->teacher_part > 0 ? o->teacher_part : TEACHER_PART;
        learner->temperature = o->temperature > 0 ? o->temperature : TEMPERATURE;
        work->student.feed->temperature = learner->temperature;
    }
}

/* Progress of the whole run: each part by its multiply-adds, an answer being a third of a step. */
static void share_progress(struct work *work)
{
    struct trainer *student = work->student.trainer;
    struct trainer *teacher = work->teacher.trainer;
    if (!teacher) {
        return;
    }
    double learns = graph_work(student->graph) * (student->float_epochs + student->integer_epochs);
    double each = graph_work(teacher->graph);
    double trains = each * teacher->float_epochs;
    double answers = each * (work->student.feed->copies + 1) / 3;
    double all = learns + trains + answers;
    teacher->share = trains / all;
    student->done = (trains + answers) / all;
    student->share = learns / all;
}

/* ---- checkpoints ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void put_numbers(const struct vision_options *o, struct text *out)
{
    const struct augment *a = &o->augment;
    text_printf(out, "%d %d %d %a %a %a %a %a %a", o->float_epochs, o->integer_epochs, o->batch,
                o->rate, o->integer_rate, o->decay, o->smoothing, o->mixup, o->average);
    text_printf(out, " %a %a %d %d %d %d %d %a", o->teacher_part, o->temperature, o->teacher_epochs,
                o->restarts, o->balance, o->freeze, o->copies, o->original);
    text_printf(out, " %a %a %d %d", o->sparse, o->settle, o->whole, o->learned_steps);
    text_printf(out, " %zu %d %a %a %a %a %a %a %d", o->copy_memory, o->test_apart,
                (double)a->rotate, (double)a->shift, (double)a->scale, (double)a->shear,
                (double)a->elastic, (double)a->noise, a->cutout);
}

/* What a checkpoint must have been made from; false when out of memory. */
static bool identify(const struct work *work, uint64_t *identity)
{
    const struct vision_options *o = work->options;
    struct text numbers = {0};
    put_numbers(o, &numbers);
    bool good = !numbers.failed;
    uint64_t hash = hash_bytes(HASH_START, &work->images->hash, sizeof work->images->hash);
    hash = hash_bytes(hash, &o->seed, sizeof o->seed);
    hash = hash_text(hash_text(hash, o->net), o->teacher);
    *identity = good ? hash_text(hash, numbers.data) : 0;
    text_free(&numbers);
    return good;
}

static bool save(void *context, struct error *err)
{
    struct work *work = context;
    const char *path = work->options->checkpoint;
    struct text out = {0};
    state_put_double(&out, work->result->float_accuracy);
    if (work->teacher.trainer) {
        trainer_put(work->teacher.trainer, &out);
    }
    trainer_put(work->student.trainer, &out);
    bool good =
        out.failed ? fail_memory(err) : checkpoint_write(path, work->session.identity, &out, err);
    text_free(&out);
    return good;
}

static bool restore(struct work *work, struct error *err)
{
    const char *path = work->options->checkpoint;
    unsigned char *memory = NULL;
    struct bytes in;
    if (!path || !work->options->resume) {
        return true;
    }
    if (!checkpoint_read(path, work->session.identity, &memory, &in, err) || !memory) {
        return !err->failed;
    }
    work->result->float_accuracy = state_double(&in);
    bool good = (!work->teacher.trainer || trainer_take(work->teacher.trainer, &in)) &&
                trainer_take(work->student.trainer, &in) && !in.bad && bytes_left(&in) == 0;
    free(memory);
    return good || fail(err, "%s: the checkpoint has another shape", path);
}

/* ---- the run ---- */

static bool start_session(struct work *work, struct error *err)
{
    const struct vision_options *o = work->options;
    uint64_t identity;
    if (!identify(work, &identity)) {
        return fail_memory(err);
    }
    work->shared = (struct train_options){.seconds = o->seconds,
                                          .seed = o->seed,
                                          .checkpoint = o->checkpoint,
                                          .resume = o->resume,
                                          .progress = o->progress,
                                          .progress_context = o->progress_context,
                                          .stop = o->stop};
    work->session = session_new(&work->shared, identity);
    work->pool = pool_new(o->threads);
    return work->pool || fail_memory(err);
}

static bool prepare(struct work *work, struct error *err)
{
    if (!check_images(work->images, err) || !read_sketches(work, err) || !check_rows(work, err) ||
        !start_session(work, err)) {
        return false;
    }
    bool teaches = work->options->teacher != NULL;
    size_t student = volume_size(work->student.sketch.input);
    size_t teacher = teaches ? volume_size(work->teacher.sketch.input) : 0;
    size_t largest = student > teacher ? student : teacher;
    session_progress(&work->session, 0, "pictures", "");
    if (!make_pupil(work, &work->student, largest, err) ||
        (teaches && !make_pupil(work, &work->teacher, largest, err))) {
        return false;
    }
    set_epochs(work);
    share_progress(work);
    if (work->options->checkpoint) {
        work->student.trainer->save = save;
        work->student.trainer->save_context = work;
    }
    if (work->options->checkpoint && teaches) {
        work->teacher.trainer->save = save;
        work->teacher.trainer->save_context = work;
    }
    return restore(work, err);
}

/* The float phase of the teacher, and its answers. */
static bool teach(struct work *work, struct error *err)
{
    struct trainer *t = work->teacher.trainer;
    work->result->teacher_accuracy = -1;
    if (!t) {
        return true;
    }
    t->stage = "teacher";
    if (!trainer_run(t, (uint32_t)t->float_epochs, TEACHER_SHARE, err)) {
        return false;
    }
    trainer_statistics(t, LAST_STATISTICS);
    work->result->teacher_accuracy = trainer_score(t);
    return trainer_teach(t, work->student.feed, err);
}

static bool run_floats(struct work *work, double share, struct error *err)
{
    struct trainer *t = work->student.trainer;
    t->stage = "float";
    if (t->learner.integer) { /* resumed behind it */
        return true;
    }
    if (!trainer_run(t, (uint32_t)t->float_epochs, share, err)) {
        return false;
    }
    t->state.epoch = (uint32_t)t->float_epochs;
    trainer_statistics(t, LAST_STATISTICS);
    work->result->float_accuracy = trainer_score(t);
    return trainer_fold(t, err);
}

/* Random weights as integers. */
static bool cast(struct trainer *t, struct error *err)
{
    if (!trainer_fold(t, err)) {
        return false;
    }
    trainer_statistics(t, FEW_STATISTICS);
    return true;
}

static bool train(struct work *work, struct error *err)
{
    struct trainer *t = work->student.trainer;
    if (work->options->untrained) {
        return cast(t, err);
    }
    double used = work->teacher.trainer ? TEACHER_SHARE : 0;
    if (!teach(work, err) || !run_floats(work, used + (1 - used) * FLOAT_SHARE, err)) {
        return false;
    }
    t->stage = "integers";
    if (!trainer_run(t, (uint32_t)(t->float_epochs + t->integer_epochs), 1, err)) {
        return false;
    }
    trainer_use_average(t);
    if (!t->state.settled) {
        trainer_statistics(t, LAST_STATISTICS);
    }
    t->learner.fixed = true;
    work->result->integer_accuracy = trainer_score(t);
    return true;
}

static void fill_result(struct work *work)
{
    struct vision_result *result = work->result;
    const struct feed *feed = work->student.feed;
    result->training_images = (int64_t)feed->train.count;
    result->validation_images = (int64_t)feed->validation.count;
    result->weight_bytes = sketch_weight_bytes(&work->student.sketch);
    result->stopped = work->session.stopped;
    result->head = work->student.sketch.head;
}

static void work_free(struct work *work)
{
    trainer_free(work->teacher.trainer);
    feed_free(work->teacher.feed);
    trainer_free(work->student.trainer);
    feed_free(work->student.feed);
    pool_free(work->pool);
    free(work);
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
        net = trainer_net(work->student.trainer, "the trained net", err);
    }
    work_free(work);
    return net;
}

bool vision_append_head(struct net *net, const struct vision_result *result, struct error *err)
{
    if (result->head == SKETCH_LOGITS) {
        return true;
    }
    return (net_append(net, result->head == SKETCH_ARGMAX ? OP_ARGMAX : OP_SOFTMAX) ||
            fail_memory(err)) &&
           net_check(net, "the trained net", err);
}
