/* The gradient route: several nets beside each other, the best one wins. */
#include "train/gradient_epoch.h"

#include <stdlib.h>
#include <time.h>

#define RUNS   6   /* nets */
#define ROUNDS 100 /* pauses for progress, checkpoints and Ctrl-C */

struct trainer {
    const struct problem *problem;
    const struct train_options *options;
    struct gradient_io *io;
    struct arena *arena;
    struct pool *pool;
    struct gradient_shape shape;
    struct gradient_settings settings;
    struct samples training, validation;
    struct fixed fixed[RUNS];
    struct gradient_run runs[RUNS];
    double started; /* seconds on the monotonic clock */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum loss loss_for(const struct problem *p, enum loss loss)
{
    if (loss != LOSS_AUTO) {
        return loss;
    }
    return p->task == TASK_CLASSIFICATION ? LOSS_CROSS_ENTROPY : LOSS_MSE;
}

/* Enough steps for small data, enough epochs for large data. */
struct gradient_settings gradient_settings(const struct problem *p, uint64_t seed)
{
    size_t count = p->counts[PART_TRAIN];
    struct gradient_settings s = {.rate = 0.005, .integer_rate = 0.002, .seed = seed, .delta = 0.1};
    s.batch = count < 4096 ? 32 : count < 65536 ? 64 : 256;
    double per_epoch = (double)count / s.batch;
    double epochs = 20000 / (per_epoch < 1 ? 1 : per_epoch);
    s.float_epochs = epochs < 20 ? 20 : epochs > 400 ? 400 : (int)epochs;
    s.integer_epochs = s.float_epochs;
    return s;
}

static bool shape_allowed(const struct trainer *t, struct error *err)
{
    bool classes = t->problem->task == TASK_CLASSIFICATION;
    if (t->shape.loss == LOSS_CROSS_ENTROPY && !classes) {
        return fail(err, "the cross-entropy loss is for classes, not for regression");
    }
    return true;
}

/* The runs differ in their first weights and in weight decay: how much of it a problem wants
 * depends on its noise, and the validation part tells.  A skip that decays faster than the net
 * leaves the linear share to the net, which on noisy data generalises better (kin32fm: 0.0018 to
 * 0.0023). */
static void vary(struct gradient_settings *s, int index, bool classes)
{
    static const double regression[RUNS][2] = {{0, 0},    {1, 10}, {0.1, 0},
                                               {0.3, 10}, {0, 0},  {1, 3}};
    static const double decay[RUNS] = {0, 0.03, 0.01, 0.1, 0, 0.03};
    s->seed += (uint64_t)index * UINT64_C(0x9e3779b97f4a7c15);
    s->decay = classes ? decay[index] : regression[index][0];
    s->skip_decay = classes ? decay[index] : regression[index][1];
}

static bool run_new(struct trainer *t, int index, const struct kernels *kernels,
                    const struct model *model)
{
    struct gradient_run *run = &t->runs[index];
    struct gradient *g = &run->net;
    g->kernels = kernels;
    g->settings = t->settings;
    vary(&g->settings, index, t->shape.classes);
    run->training = &t->training;
    run->validation = &t->validation;
    run->fixed = &t->fixed[index];
    run->order = arena_alloc(t->arena, t->training.count, sizeof *run->order);
    const double *weight = t->shape.classes ? NULL : t->problem->weight;
    if (!run->order || !gradient_new(g, t->arena, &t->shape, &t->training, weight) ||
        !fixed_new(run->fixed, t->arena, t->shape.topology.widths, t->shape.topology.layer_count,
                   t->shape.has_skip)) {
        return false;
    }
    if (t->io->warm && index == 0) {
        gradient_from_model(g, model);
    } else {
        gradient_init(g, &t->training);
    }
    return true;
}

static bool trainer_new(struct trainer *t, const struct model *model, struct error *err)
{
    const struct problem *p = t->problem;
    const struct train_options *o = t->options;
    const struct kernels *kernels = kernels_pick(o->isa, err);
    t->shape = (struct gradient_shape){.topology = model->topology,
                                       .activation = model->activation,
                                       .has_skip = model->has_skip,
                                       .loss = loss_for(p, o->loss),
                                       .weight_bits = o->weight_bits ? o->weight_bits : 8,
                                       .out_type = p->out_type,
                                       .classes = p->task == TASK_CLASSIFICATION};
    t->settings = gradient_settings(p, o->seed);
    t->arena = arena_new();
    t->pool = pool_new(o->threads);
    if (!kernels || !shape_allowed(t, err)) {
        return false;
    }
    if (!t->arena || !t->pool ||
        !samples_new(&t->training, t->arena, p, t->shape.loss, p->rows[PART_TRAIN],
                     p->counts[PART_TRAIN]) ||
        !samples_new(&t->validation, t->arena, p, t->shape.loss, p->rows[PART_VALIDATION],
                     p->counts[PART_VALIDATION])) {
        return fail_memory(err);
    }
    for (int i = 0; i < RUNS; i++) {
        if (!run_new(t, i, kernels, model)) {
            return fail_memory(err);
        }
    }
    return true;
}

static void epochs_of(void *context, int index)
{
    gradient_epochs(&((struct trainer *)context)->runs[index]);
}

static void finish_of(void *context, int index)
{
    gradient_finish(&((struct trainer *)context)->runs[index]);
}

static bool wants_stop(const struct trainer *t)
{
    return (t->options->stop && *t->options->stop) ||
           (t->options->seconds > 0 && now() - t->started > t->options->seconds);
}

static void tell(const struct trainer *t, double fraction)
{
    const struct train_options *o = t->options;
    if (!o->progress) {
        return;
    }
    double elapsed = now() - t->started;
    double eta = fraction > 0.02 ? elapsed * (1 - fraction) / fraction : -1;
    if (o->seconds > 0 && eta > o->seconds - elapsed) {
        eta = o->seconds - elapsed;
    }
    bool integer = t->runs[0].net.integer;
    o->progress(o->progress_context, fraction, eta, integer ? "integers" : "float", "");
}

/* All runs, behind one another: what `resume` reads. */
static bool save_all(const struct trainer *t, struct error *err)
{
    struct text out = {0};
    if (!t->io->save) {
        return true;
    }
    for (int i = 0; i < RUNS; i++) {
        gradient_save(&t->runs[i].net, &out);
    }
    if (out.failed) {
        text_free(&out);
        return fail_memory(err);
    }
    bool fine = t->io->save(t->io->save_context, &out);
    text_free(&out);
    return fine || fail(err, "the checkpoint cannot be written");
}

static bool restore_all(struct trainer *t, struct error *err)
{
    if (!t->io->resume) {
        return true;
    }
    struct bytes in = *t->io->resume;
    for (int i = 0; i < RUNS; i++) {
        if (!gradient_restore(&t->runs[i].net, &in)) {
            return fail(err, "the checkpoint is damaged or of another training");
        }
    }
    return true;
}

/* Under a time budget the float phase gets two fifths of it. */
static void mind_budget(struct trainer *t)
{
    bool integer = t->runs[0].net.integer;
    if (t->options->seconds > 0 && !integer && now() - t->started > 0.4 * t->options->seconds) {
        for (int i = 0; i < RUNS; i++) {
            t->runs[i].net.settings.float_epochs = (int)t->runs[i].net.state.epoch;
        }
    }
}

static bool train_all(struct trainer *t, struct error *err)
{
    uint32_t total = (uint32_t)(t->settings.float_epochs + t->settings.integer_epochs);
    uint32_t round = (total + ROUNDS - 1) / ROUNDS;
    while (t->runs[0].net.state.epoch < total) {
        tell(t, (double)t->runs[0].net.state.epoch / total);
        if (wants_stop(t)) {
            t->io->stopped = true;
            return true;
        }
        mind_budget(t);
        for (int i = 0; i < RUNS; i++) {
            uint32_t until = t->runs[i].net.state.epoch + round;
            t->runs[i].until = until < total ? until : total;
        }
        pool_run(t->pool, RUNS, epochs_of, t);
        for (int i = 0; i < RUNS; i++) {
            if (t->runs[i].failed) {
                return fail_memory(err);
            }
        }
        if (!save_all(t, err)) {
            return false;
        }
    }
    return true;
}

/* The run whose integer net is best on the validation part, the first of equals. */
static void choose(struct trainer *t, struct model *model, struct fixed *fixed)
{
    pool_run(t->pool, RUNS, finish_of, t);
    int best = 0;
    for (int i = 1; i < RUNS; i++) {
        best = t->runs[i].score.loss < t->runs[best].score.loss ? i : best;
    }
    const struct gradient_run *run = &t->runs[best];
    fixed_copy(fixed, run->fixed);
    gradient_to_model(&run->net, model);
    t->io->validation_loss = run->score.loss;
    t->io->validation_wrong = run->score.wrong;
    t->io->float_loss = run->float_score.loss;
    t->io->float_wrong = run->float_score.wrong;
}

bool gradient_train(const struct problem *problem, const struct train_options *options,
                    struct model *model, struct fixed *fixed, struct gradient_io *io,
                    struct error *err)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (!t) {
        return fail_memory(err);
    }
    t->problem = problem;
    t->options = options;
    t->io = io;
    t->started = now();
    bool fine = trainer_new(t, model, err) && restore_all(t, err) && train_all(t, err);
    if (fine) {
        choose(t, model, fixed);
    }
    pool_free(t->pool);
    arena_free(t->arena);
    free(t);
    return fine;
}
