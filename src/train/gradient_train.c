/* The gradient route: several nets beside each other, the best one wins. */
#include "train/checkpoint.h"
#include "train/gradient_epoch.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS   6   /* nets at most */
#define ROUNDS 100 /* pauses for progress, checkpoints and Ctrl-C */

struct trainer {
    struct gradient_job *job;
    struct arena *arena;
    struct gradient_shape shape;
    struct gradient_settings settings;
    struct packed training, validation;
    int count; /* nets */
    struct fixed fixed[RUNS];
    struct gradient_run runs[RUNS];
};

static enum loss loss_for(const struct problem *p, enum loss loss)
{
    if (loss != LOSS_AUTO) {
        return loss;
    }
    return p->task == TASK_CLASSIFICATION ? LOSS_CROSS_ENTROPY : LOSS_MSE;
}

/* Enough steps for small data, enough epochs for large data.  The integer phase is slow on purpose:
 * at higher rates it leaves the float optimum and comes back with another net, a few per cent
 * better or worse (kin32fm: 0.89-1.05 of the float error at 0.002, 0.97-1.03 at 0.0004). */
struct gradient_settings gradient_settings(const struct problem *p, uint64_t seed)
{
    size_t count = p->counts[PART_TRAIN];
    struct gradient_settings s = {
        .rate = 0.005, .integer_rate = 0.0004, .seed = seed, .delta = 0.1};
    s.batch = count < 4096 ? 32 : count < 65536 ? 64 : 256;
    double per_epoch = (double)count / s.batch;
    double epochs = 20000 / (per_epoch < 1 ? 1 : per_epoch);
    s.float_epochs = epochs < 20 ? 20 : epochs > 400 ? 400 : (int)epochs;
    s.integer_epochs = s.float_epochs;
    if (fixed_fraction(p->hidden_type) < 15) {
        /* Coarse activations: many more weights have to find another level. */
        s.float_epochs *= 3;
        s.integer_epochs *= 3;
        s.integer_rate = 0.002;
    }
    return s;
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

static bool run_new(struct trainer *t, int index, const struct kernels *kernels)
{
    struct gradient_run *run = &t->runs[index];
    struct gradient *g = &run->net;
    const struct topology *topology = &t->shape.topology;
    g->kernels = kernels;
    g->settings = t->settings;
    vary(&g->settings, index, t->shape.classes);
    run->training = &t->training;
    run->validation = &t->validation;
    run->fixed = &t->fixed[index];
    run->order = arena_alloc(t->arena, t->training.count, sizeof *run->order);
    const double *weight = t->shape.classes ? NULL : t->job->problem->weight;
    if (!run->order || !gradient_new(g, t->arena, &t->shape, &t->training, weight) ||
        !fixed_new(run->fixed, t->arena, topology->widths, topology->layer_count,
                   t->shape.has_skip)) {
        return false;
    }
    gradient_init(g, &t->training);
    return true;
}

static bool set_shape(struct trainer *t, struct error *err)
{
    const struct gradient_job *job = t->job;
    bool classes = job->problem->task == TASK_CLASSIFICATION;
    t->shape = (struct gradient_shape){.topology = job->model->topology,
                                       .activation = job->model->activation,
                                       .has_skip = job->model->has_skip,
                                       .loss = loss_for(job->problem, job->session->options->loss),
                                       .weight_bits = job->bits,
                                       .dense_type = job->problem->dense_type,
                                       .hidden_type = job->problem->hidden_type,
                                       .out_type = job->problem->out_type,
                                       .packed = job->session->options->packed,
                                       .classes = classes};
    if (!classes && (t->shape.loss == LOSS_CROSS_ENTROPY || t->shape.loss == LOSS_LOG)) {
        return fail(err, "--loss %s is for classes, not for regression",
                    t->shape.loss == LOSS_LOG ? "log" : "cross-entropy");
    }
    return true;
}

/* Large nets have less to gain from another start, and cost memory. */
static int runs_for(const struct topology *topology)
{
    size_t parameters = topology_parameters(topology);
    return parameters <= 20000 ? RUNS : parameters <= 200000 ? 2 : 1;
}

static void set_settings(struct trainer *t)
{
    t->settings = gradient_settings(t->job->problem, t->job->session->options->seed);
    t->count = runs_for(&t->shape.topology);
    if (t->job->session->options->untrained) {
        t->count = 1;
        t->settings.float_epochs = 0;
        t->settings.integer_epochs = 0;
    } else if (t->job->probe) {
        t->count = (t->count + 1) / 2;
        t->settings.float_epochs = (t->settings.float_epochs + 3) / 4;
        t->settings.integer_epochs = (t->settings.integer_epochs + 3) / 4;
    }
}

static bool part_new(struct trainer *t, enum part part, struct packed *packed)
{
    const struct problem *p = t->job->problem;
    return packed_new(packed, t->arena, p, t->shape.loss, p->rows[part], p->counts[part]);
}

static bool trainer_new(struct trainer *t, struct error *err)
{
    const struct kernels *kernels = kernels_pick(t->job->session->options->isa, err);
    if (!kernels || !set_shape(t, err)) {
        return false;
    }
    set_settings(t);
    t->arena = arena_new();
    if (!t->arena || !part_new(t, PART_TRAIN, &t->training) ||
        !part_new(t, PART_VALIDATION, &t->validation)) {
        return fail_memory(err);
    }
    for (int i = 0; i < t->count; i++) {
        if (!run_new(t, i, kernels)) {
            return fail_memory(err);
        }
    }
    return true;
}

/* ---- checkpoints: all nets, behind one another ---- */

static bool save_all(const struct trainer *t, struct error *err)
{
    const struct session *session = t->job->session;
    struct text out = {0};
    for (int i = 0; i < t->count; i++) {
        gradient_save(&t->runs[i].net, &out);
    }
    bool done = out.failed
                    ? fail_memory(err)
                    : checkpoint_write(session->options->checkpoint, session->identity, &out, err);
    text_free(&out);
    return done;
}

static bool restore_all(struct trainer *t, struct error *err)
{
    const struct session *session = t->job->session;
    const char *path = session->options->checkpoint;
    unsigned char *memory = NULL;
    struct bytes in;
    if (t->job->probe || !session->options->resume || !path) {
        return true;
    }
    if (!checkpoint_read(path, session->identity, &memory, &in, err) || !memory) {
        return !err->failed;
    }
    bool whole = true;
    for (int i = 0; i < t->count && whole; i++) {
        whole = gradient_restore(&t->runs[i].net, &in);
    }
    whole = whole && !in.bad && bytes_left(&in) == 0;
    free(memory);
    return whole || fail(err, "%s: the checkpoint has another shape", path);
}

/* ---- the loop ---- */

static void epochs_of(void *context, int index)
{
    gradient_epochs(&((struct trainer *)context)->runs[index]);
}

static void finish_of(void *context, int index)
{
    gradient_finish(&((struct trainer *)context)->runs[index]);
}

/* Under a time budget the float phase gets two fifths of it. */
static void mind_budget(struct trainer *t)
{
    double seconds = t->job->session->options->seconds;
    if (seconds <= 0 || t->runs[0].net.integer ||
        session_seconds(t->job->session) < 0.4 * seconds) {
        return;
    }
    for (int i = 0; i < t->count; i++) {
        t->runs[i].net.state.crossing = t->runs[i].net.state.epoch;
    }
}

static uint32_t last_epoch(const struct trainer *t)
{
    const struct gradient *g = &t->runs[0].net;
    return g->state.crossing + (uint32_t)g->settings.integer_epochs;
}

/* Epochs up to the next pause, on all nets. */
static void train_round(struct trainer *t)
{
    uint32_t end = last_epoch(t);
    uint32_t until = t->runs[0].net.state.epoch + (end + ROUNDS - 1) / ROUNDS;
    for (int i = 0; i < t->count; i++) {
        t->runs[i].until = until < end ? until : end;
    }
    pool_run(t->job->pool, t->count, epochs_of, t);
}

static bool train_all(struct trainer *t, struct error *err)
{
    struct session *session = t->job->session;
    bool keep = session->options->checkpoint && !t->job->probe;
    while (t->runs[0].net.state.epoch < last_epoch(t) && !session_stop(session, 1.0)) {
        const struct gradient *g = &t->runs[0].net;
        char detail[40];
        (void)snprintf(detail, sizeof detail, "epoch %u of %u", g->state.epoch, last_epoch(t));
        session_progress(session, (double)g->state.epoch / last_epoch(t),
                         g->integer ? "integers" : "float", detail);
        mind_budget(t);
        train_round(t);
        if (keep && session_save_due(session) && !save_all(t, err)) {
            return false;
        }
    }
    return !keep || save_all(t, err);
}

/* The net whose integer form is best on the validation part, the first of equals. */
static void choose(struct trainer *t)
{
    struct gradient_job *job = t->job;
    pool_run(job->pool, t->count, finish_of, t);
    int best = 0;
    for (int i = 1; i < t->count; i++) {
        best = gradient_better(t->runs[i].score, t->runs[best].score) ? i : best;
    }
    const struct gradient_run *run = &t->runs[best];
    if (job->fixed) {
        fixed_copy(job->fixed, run->fixed);
    }
    gradient_to_model(&run->net, job->model);
    job->loss = run->score.loss;
    job->wrong = run->score.wrong;
    job->float_loss = run->float_score.loss;
    job->float_wrong = run->float_score.wrong;
}

bool gradient_train(struct gradient_job *job, struct error *err)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (!t) {
        return fail_memory(err);
    }
    t->job = job;
    bool done = trainer_new(t, err) && restore_all(t, err) && train_all(t, err);
    if (done) {
        choose(t);
    }
    arena_free(t->arena);
    free(t);
    return done;
}
