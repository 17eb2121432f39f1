#include "train/lsq.h"

#include "train/checkpoint.h"
#include "train/lsq_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALIDATION_MOST 8192
#define BETTER          0.999 /* a validation loss below this share of the best is progress */

enum stream { STREAM_ORDER = 1, STREAM_START = 16 };

struct lsq_plan lsq_plan_full(size_t parameters)
{
    double share = 600 / (double)parameters;
    int windows = share < 1 ? (int)(60 * share * share) : 60;
    return (struct lsq_plan){.restarts = 4,
                             .start_iterations = 40,
                             .start_samples = 3000,
                             .windows = windows < 12 ? 12 : windows,
                             .window_iterations = 12,
                             .samples = 4000,
                             .round_samples = 16000,
                             .patience = 12};
}

struct lsq_plan lsq_plan_probe(void)
{
    return (struct lsq_plan){.restarts = 1,
                             .start_iterations = 30,
                             .start_samples = 3000,
                             .windows = 4,
                             .window_iterations = 8,
                             .samples = 4000,
                             .round_samples = 1,
                             .patience = 4};
}

void lsq_window(struct lsq *lsq, size_t number, size_t count)
{
    const struct problem *p = lsq->job->problem;
    size_t rows = p->counts[PART_TRAIN];
    sample_set_fill(&lsq->work, p, lsq->order, rows, number * count % rows, count);
}

void lsq_report(struct lsq *lsq, const char *stage)
{
    char detail[80] = "";
    int outputs = lsq->job->problem->outputs;
    double share = sqrt(lsq->state.best_loss / outputs);
    if (isfinite(share)) { /* not before the first start has ended */
        (void)snprintf(detail, sizeof detail, "validation %.4f %% of range", 100 * share);
    }
    session_progress(lsq->job->session, lsq->fraction, stage, detail);
}

/* ---- state ---- */

static bool memory_new(struct lsq *lsq, struct error *err)
{
    struct lsq_job *job = lsq->job;
    const struct problem *p = job->problem;
    const struct lsq_plan *plan = &job->plan;
    size_t most = plan->round_samples > plan->samples ? plan->round_samples : plan->samples;
    most = most > plan->start_samples ? most : plan->start_samples;
    most = most < p->counts[PART_TRAIN] ? most : p->counts[PART_TRAIN];
    size_t valid =
        p->counts[PART_VALIDATION] < VALIDATION_MOST ? p->counts[PART_VALIDATION] : VALIDATION_MOST;
    struct model *m = job->model;
    lsq->order = arena_alloc(lsq->arena, p->counts[PART_TRAIN], sizeof *lsq->order);
    lsq->held = arena_alloc(lsq->arena, m->count, sizeof *lsq->held);
    lsq->step = arena_alloc(lsq->arena, m->count, sizeof *lsq->step);
    lsq->limit = arena_alloc(lsq->arena, m->count, sizeof *lsq->limit);
    if (!lsq->order || !lsq->held || !lsq->step || !lsq->limit ||
        !sample_set_new(&lsq->work, lsq->arena, p, most) ||
        !sample_set_new(&lsq->validation, lsq->arena, p, valid) ||
        !model_new(&lsq->best, lsq->arena, &m->topology, m->activation, m->has_skip)) {
        return fail_memory(err);
    }
    if (!normal_new(&lsq->normal, lsq->arena, m, job->session->options->isa, err)) {
        return false;
    }
    lsq->normal.pool = job->pool;
    lsq->normal.weight = p->weight;
    return damped_new(&lsq->damped, lsq->arena, &lsq->normal, m) || fail_memory(err);
}

static void fill_fixed_sets(struct lsq *lsq)
{
    const struct problem *p = lsq->job->problem;
    size_t rows = p->counts[PART_TRAIN];
    memcpy(lsq->order, p->rows[PART_TRAIN], rows * sizeof *lsq->order);
    struct rng rng = rng_new(lsq->job->session->options->seed, STREAM_ORDER);
    rng_shuffle(&rng, lsq->order, rows);
    sample_set_fill(&lsq->validation, p, p->rows[PART_VALIDATION], p->counts[PART_VALIDATION], 0,
                    VALIDATION_MOST);
    lsq->state.best_loss = HUGE_VAL;
}

static bool save(struct lsq *lsq, struct error *err)
{
    const struct lsq_state *s = &lsq->state;
    struct text out = {0};
    state_put_u64(&out, (uint64_t)s->restart);
    state_put_u64(&out, (uint64_t)s->window);
    state_put_u64(&out, (uint64_t)s->since_best);
    state_put_u64(&out, s->settled);
    state_put_u64(&out, s->still);
    state_put_double(&out, lsq->damped.damping);
    state_put_double(&out, lsq->damped.decay);
    state_put_double(&out, s->decay);
    state_put_double(&out, s->best_loss);
    state_put_doubles(&out, lsq->job->model->parameter, lsq->best.count);
    state_put_doubles(&out, lsq->best.parameter, lsq->best.count);
    const struct session *session = lsq->job->session;
    bool done = checkpoint_write(session->options->checkpoint, session->identity, &out, err);
    text_free(&out);
    return done;
}

/* Not after Ctrl-C: it cuts a window in two, and --resume has to go on from a whole one. */
static bool save_if_due(struct lsq *lsq, struct error *err)
{
    struct session *session = lsq->job->session;
    return !lsq->job->fixed || session_interrupted(session) || !session_save_due(session) ||
           save(lsq, err);
}

static bool restore(struct lsq *lsq, struct error *err)
{
    const struct session *session = lsq->job->session;
    const struct train_options *o = session->options;
    unsigned char *memory = NULL;
    struct bytes in;
    if (!lsq->job->fixed || !o->resume || !o->checkpoint) {
        return true;
    }
    if (!checkpoint_read(o->checkpoint, session->identity, &memory, &in, err) || !memory) {
        return !err->failed;
    }
    struct lsq_state *s = &lsq->state;
    s->restart = (int)state_u64(&in);
    s->window = (int)state_u64(&in);
    s->since_best = (int)state_u64(&in);
    s->settled = state_u64(&in) != 0;
    s->still = state_u64(&in) != 0;
    lsq->damped.damping = state_double(&in);
    lsq->damped.decay = state_double(&in);
    s->decay = state_double(&in);
    s->best_loss = state_double(&in);
    state_doubles(&in, lsq->job->model->parameter, lsq->best.count);
    state_doubles(&in, lsq->best.parameter, lsq->best.count);
    bool whole = !in.bad && bytes_left(&in) == 0;
    free(memory);
    return whole || fail(err, "%s: the checkpoint has another shape", o->checkpoint);
}

/* ---- search ---- */

static void keep_if_best(struct lsq *lsq)
{
    double loss = normal_loss(&lsq->normal, lsq->job->model, &lsq->validation) /
                  (double)lsq->validation.count;
    lsq->state.since_best++;
    if (loss < lsq->state.best_loss) {
        lsq->state.since_best = loss < BETTER * lsq->state.best_loss ? 0 : lsq->state.since_best;
        lsq->state.best_loss = loss;
        lsq->state.decay = lsq->damped.decay;
        memcpy(lsq->best.parameter, lsq->job->model->parameter,
               lsq->best.count * sizeof *lsq->best.parameter);
    }
}

/* Least decay.  What rounding adds to the error grows with the squares of the weights (activations
 * are rounded to 2^-15 and floored, weights to 8 bits), as decay does.  On the validation part of
 * the pose example 1e-9 leaves the integer net 7 % above its float net; 2e-8 leaves 2 %, but the
 * float net itself is 4 % worse. */
#define LEAST_DECAY 1e-8

/* All training rows are in every window: nothing new will come. */
static bool sees_all(const struct lsq *lsq)
{
    return lsq->work.count == lsq->job->problem->counts[PART_TRAIN];
}

/* A window of the same rows that gains less than this share ends the search. */
#define SETTLED 1e-5

/* `count` iterations on the present window; the decay follows the evidence at its end. */
static void iterate(struct lsq *lsq, int count, const char *stage, double share)
{
    double mean = 0;
    double first = 0;
    for (int i = 0; i < count && !session_stop(lsq->job->session, 0.75); i++) {
        bool moved = false;
        mean = damped_iterate(&lsq->damped, &lsq->work, &moved);
        first = i == 0 ? mean : first;
        lsq->fraction += share / count;
        lsq_report(lsq, stage);
        if (!moved) {
            break;
        }
    }
    lsq->state.still = sees_all(lsq) && first - mean <= SETTLED * first;
    if (mean > 0) {
        double decay = damped_evidence(&lsq->damped, &lsq->work, mean);
        lsq->damped.decay = decay > LEAST_DECAY ? decay : LEAST_DECAY;
    }
}

/* The last layer and the skip are linear in their parameters: one undamped step solves them. */
static void fit_linear(struct lsq *lsq)
{
    const struct model *m = lsq->job->model;
    size_t linear = model_weights(m, m->topology.layer_count - 1);
    bool moved = false;
    memset(lsq->held, 1, linear * sizeof *lsq->held);
    memset(lsq->held + linear, 0, (m->count - linear) * sizeof *lsq->held);
    lsq->damped.held = lsq->held;
    lsq->damped.damping = 1e-9;
    (void)damped_iterate(&lsq->damped, &lsq->work, &moved);
    lsq->damped.held = NULL;
    lsq->damped.damping = 1e-2;
}

static void start(struct lsq *lsq, int restart, double share)
{
    const struct lsq_plan *plan = &lsq->job->plan;
    struct rng rng = rng_new(lsq->job->session->options->seed, STREAM_START + (uint64_t)restart);
    lsq_window(lsq, 0, plan->start_samples);
    lsq->damped.decay = 0;
    model_init(lsq->job->model, 1.0, &rng);
    fit_linear(lsq);
    for (int done = 0; done < plan->start_iterations; done += 10) {
        int left = plan->start_iterations - done;
        iterate(lsq, left < 10 ? left : 10, "start", share / ((plan->start_iterations + 9) / 10));
        keep_if_best(lsq);
    }
}

static double start_share(const struct lsq_plan *plan)
{
    double starts = (double)plan->restarts * plan->start_iterations * (double)plan->start_samples;
    double windows = (double)plan->windows * plan->window_iterations * (double)plan->samples;
    return LSQ_SEARCH_SHARE * starts / (starts + windows);
}

/* The windows go on from the best start. */
static void take_best_start(struct lsq *lsq)
{
    memcpy(lsq->job->model->parameter, lsq->best.parameter,
           lsq->best.count * sizeof *lsq->best.parameter);
    lsq->state.restart = lsq->job->plan.restarts;
    lsq->state.since_best = 0;
    lsq->state.still = false;
    lsq->damped.damping = 1e-3;
}

static bool starts(struct lsq *lsq, struct error *err)
{
    const struct lsq_plan *plan = &lsq->job->plan;
    double share = start_share(plan) / plan->restarts;
    while (lsq->state.restart < plan->restarts) {
        lsq->fraction = share * lsq->state.restart;
        start(lsq, lsq->state.restart, share);
        lsq->state.restart++;
        if (lsq->state.restart == plan->restarts || session_stop(lsq->job->session, 0.3)) {
            take_best_start(lsq);
        }
        if (!save_if_due(lsq, err)) {
            return false;
        }
    }
    return true;
}

static bool windows(struct lsq *lsq, struct error *err)
{
    const struct lsq_plan *plan = &lsq->job->plan;
    double begin = start_share(plan);
    double share = (LSQ_SEARCH_SHARE - begin) / plan->windows;
    struct lsq_state *s = &lsq->state;
    while (s->window < plan->windows && s->since_best < plan->patience && !s->still &&
           !session_stop(lsq->job->session, 0.75)) {
        lsq->fraction = begin + share * s->window;
        lsq_window(lsq, (size_t)s->window + 1, plan->samples);
        iterate(lsq, plan->window_iterations, "refine", share);
        keep_if_best(lsq);
        s->window++;
        if (!save_if_due(lsq, err)) {
            return false;
        }
    }
    return true;
}

static bool search_and_round(struct lsq *lsq, struct error *err)
{
    fill_fixed_sets(lsq);
    if (!restore(lsq, err)) {
        return false;
    }
    if (!lsq->state.settled && (!starts(lsq, err) || !windows(lsq, err))) {
        return false;
    }
    lsq->state.settled = true;
    lsq->job->loss = lsq->state.best_loss;
    if (lsq->job->fixed && lsq->job->session->options->checkpoint &&
        !session_interrupted(lsq->job->session) && !save(lsq, err)) {
        return false;
    }
    lsq->fraction = LSQ_SEARCH_SHARE;
    lsq->damped.decay = lsq->state.decay;
    bool done = !lsq->job->fixed || lsq_round(lsq, err);
    memcpy(lsq->job->model->parameter, lsq->best.parameter,
           lsq->best.count * sizeof *lsq->best.parameter);
    return done;
}

bool lsq_train(struct lsq_job *job, struct error *err)
{
    struct lsq lsq = {.job = job, .arena = arena_new()};
    if (!lsq.arena) {
        return fail_memory(err);
    }
    bool done = memory_new(&lsq, err) && search_and_round(&lsq, err);
    arena_free(lsq.arena);
    return done;
}
