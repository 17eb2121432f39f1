#include "vision/trainer.h"

#include "base/rng.h"
#include "train/gradient_epoch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_WEIGHTS UINT64_C(0x77656967687473) /* "weights" */
#define STREAM_ORDER   UINT64_C(0x6f72646572)     /* "order": of epoch 0, the next ones follow */
#define BATCH          128
#define RATE           0.01
#define INTEGER_RATE   0.015
#define ROW_RATE       2.5  /* of betas, in their units, against weights in codes */
#define SETTLE         0.25 /* of the integer phase */
#define SETTLE_BLOCKS  128
#define EPSILON        1e-8F

/* ---- memory ---- */

static bool new_learner(struct trainer *t)
{
    struct learner *learner = &t->learner;
    const struct graph *graph = t->graph;
    learner->graph = graph;
    learner->parameters = arena_alloc(t->arena, graph->count, sizeof(float));
    learner->weights = arena_alloc(t->arena, graph->weight_count, sizeof(float));
    learner->words = arena_alloc(t->arena, graph->weight_count / 4, sizeof *learner->words);
    learner->turned = arena_alloc(t->arena, graph->weight_count, sizeof(float));
    learner->mean = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->variance = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->unit = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->shift = arena_alloc(t->arena, graph->row_count, sizeof(int));
    return learner->parameters && learner->weights && learner->words && learner->turned &&
           learner->mean && learner->variance && learner->unit && learner->shift;
}

static bool new_state(struct trainer *t)
{
    size_t count = t->graph->count;
    t->state.first = arena_alloc(t->arena, count, sizeof(float));
    t->state.second = arena_alloc(t->arena, count, sizeof(float));
    t->state.average = arena_alloc(t->arena, count, sizeof(float));
    t->state.power1 = t->state.power2 = 1;
    t->state.step = arena_alloc(t->arena, t->graph->row_count, sizeof(double));
    t->state.step_first = arena_alloc(t->arena, t->graph->row_count, sizeof(double));
    t->decay = arena_alloc(t->arena, count, sizeof(float));
    t->mask = arena_alloc(t->arena, count, sizeof(float));
    t->gradient = arena_alloc(t->arena, count, sizeof(float));
    t->distances = arena_alloc(t->arena, t->graph->weight_count, sizeof *t->distances);
    t->order = arena_alloc(t->arena, t->feed->train.count, sizeof *t->order);
    return t->state.first && t->state.second && t->state.average && t->state.step &&
           t->state.step_first && t->decay && t->mask && t->gradient && t->order && t->distances;
}

static bool new_passes(struct trainer *t)
{
    int batch = t->options->batch > 0 ? t->options->batch : BATCH;
    size_t blocks = ((size_t)batch + VISION_BLOCK - 1) / VISION_BLOCK;
    size_t most = TRAINER_BATCH_MOST / VISION_BLOCK;
    blocks = blocks < most ? blocks : most;
    for (size_t i = 0; i < blocks; i++) {
        t->passes[i] = pass_new(t->graph, true);
        if (!t->passes[i]) {
            return false;
        }
        t->pass_count = (int)i + 1;
    }
    return true;
}

/* Uniform weights whose sums have variance 2 (He et al. 2015), 1 for the last layer. */
static void random_weights(struct trainer *t)
{
    struct rng rng = rng_new(t->options->seed, STREAM_WEIGHTS);
    const struct graph *graph = t->graph;
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        if (!node->weighted) {
            continue;
        }
        double columns = (double)sketch_columns(node->layer);
        double most = sqrt((node->last ? 3 : 6) / columns);
        for (size_t w = 0; w < node->weight_count; w++) {
            t->learner.parameters[node->weight + w] = (float)rng_uniform(&rng, -most, most);
            t->decay[node->weight + w] = (float)t->options->decay;
        }
    }
    for (size_t row = 0; row < graph->row_count; row++) {
        graph_gammas(graph, t->learner.parameters)[row] = 1;
    }
    for (size_t i = 0; i < graph->count; i++) {
        t->mask[i] = 1;
    }
}

/* What net_check() refuses is told before training: a net of weights that are 0, or the least odd
 * ones, has all its sizes. */
static bool check_sizes(struct trainer *t, struct error *err)
{
    const char *place = t->options->net_place;
    t->learner.integer = true;
    learner_refresh(&t->learner);
    struct net *net = trainer_net(t, place ? place : "--net", err);
    t->learner.integer = false;
    net_free(net);
    return net != NULL;
}

static bool trainer_make(struct trainer *t, const struct sketch *sketch, struct error *err)
{
    t->graph = graph_new(t->arena, sketch, VISION_GROUPS);
    if (!t->graph || !new_learner(t) || !new_state(t) || !new_passes(t)) {
        return fail_memory(err);
    }
    t->learner.kernels = vision_kernels_pick(t->options->isa, err);
    t->adam = kernels_pick(t->options->isa, err);
    if (!t->learner.kernels || !t->adam) {
        return false;
    }
    if (!check_sizes(t, err)) {
        return false;
    }
    random_weights(t);
    learner_refresh(&t->learner);
    return true;
}

struct trainer *trainer_new(const struct feed *feed, const struct sketch *sketch,
                            struct session *session, struct pool *pool, struct error *err)
{
    struct arena *arena = arena_new();
    struct trainer *t = arena ? arena_alloc(arena, 1, sizeof *t) : NULL;
    if (!t) {
        arena_free(arena);
        (void)fail_memory(err);
        return NULL;
    }
    const struct vision_options *o = feed->options;
    t->arena = arena;
    t->options = o;
    t->feed = feed;
    t->session = session;
    t->pool = pool;
    t->share = 1;
    if (trainer_make(t, sketch, err)) {
        return t;
    }
    trainer_free(t);
    return NULL;
}

void trainer_free(struct trainer *t)
{
    if (t) {
        for (int i = 0; i < t->pass_count; i++) {
            pass_free(t->passes[i]);
        }
        arena_free(t->arena);
    }
}

/* ---- a step ---- */

size_t trainer_batch(const struct trainer *t)
{
    return (size_t)t->pass_count * VISION_BLOCK;
}

float trainer_pixel_unit(const struct sketch *sketch)
{
    return (float)(1 << sketch->drop) / 255.0F;
}

float trainer_pixel(const struct trainer *t)
{
    return t->learner.integer ? 1.0F : trainer_pixel_unit(t->graph->sketch);
}

/* Block `index` of the batch: its samples, forward, backward. */
void trainer_block(void *context, int index)
{
    struct trainer *t = context;
    struct pass *pass = t->passes[index];
    struct feed_sample samples[VISION_BLOCK];
    size_t count = t->feed->train.count;
    for (size_t i = 0; i < VISION_BLOCK; i++) {
        uint64_t at = t->at + (uint64_t)index * VISION_BLOCK + i;
        samples[i] = feed_draw(t->feed, t->state.epoch, at, t->order[at % count]);
    }
    feed_block(t->feed, samples, trainer_pixel(t), pass);
    pass->lean = !t->forward_only;
    pass_forward(pass, &t->learner);
    if (!t->forward_only) {
        pass_loss(pass, &t->learner, 1.0 / (double)trainer_batch(t));
        pass_backward(pass, &t->learner);
    }
}

/* Rate at time 0..1 of a phase. */
static double rate_at(const struct trainer *t, double time)
{
    const struct vision_options *o = t->options;
    if (!t->learner.integer) {
        return (o->rate > 0 ? o->rate : RATE) * gradient_schedule(time);
    }
    double turns = time * (o->restarts + 1);
    double turn = floor(turns);
    double top = o->integer_rate > 0 ? o->integer_rate : INTEGER_RATE;
    return top * gradient_schedule(turns - turn) / (1 + turn);
}

static void sum_gradients(struct trainer *t)
{
    memcpy(t->gradient, t->passes[0]->gradient, t->graph->count * sizeof *t->gradient);
    for (int p = 1; p < t->pass_count; p++) {
        const float *more = t->passes[p]->gradient;
        for (size_t i = 0; i < t->graph->count; i++) {
            t->gradient[i] += more[i];
        }
    }
}

static void adam_part(struct trainer *t, size_t first, size_t count, double rate)
{
    struct trainer_state *s = &t->state;
    struct adam_step step = {.count = count,
                             .weights = t->learner.parameters + first,
                             .first = s->first + first,
                             .second = s->second + first,
                             .gradient = t->gradient + first,
                             .mask = t->mask + first,
                             .decay = t->decay + first,
                             .rate = (float)rate,
                             .beta1 = (float)TRAINER_BETA1,
                             .beta2 = (float)TRAINER_BETA2,
                             .epsilon = EPSILON,
                             .correction1 = (float)(1 / (1 - s->power1)),
                             .correction2 = (float)(1 / (1 - s->power2))};
    t->adam->adam(&step);
}

void trainer_start_average(struct trainer *t)
{
    memcpy(t->state.average, t->learner.parameters, t->graph->count * sizeof(float));
    t->state.averaged = 0;
}

/* A young average forgets faster, so that short runs are not held where they began. */
static void average_parameters(struct trainer *t)
{
    double decay = t->options->average;
    double count = (double)t->state.averaged++;
    double young = (1 + count) / (10 + count);
    float keep = (float)(decay < young ? decay : young);
    for (size_t i = 0; i < t->graph->count && decay > 0; i++) {
        float *mean = &t->state.average[i];
        *mean = keep * *mean + (1.0F - keep) * t->learner.parameters[i];
    }
}

void trainer_use_average(struct trainer *t)
{
    if (t->options->average > 0) {
        memcpy(t->learner.parameters, t->state.average, t->graph->count * sizeof(float));
        learner_refresh(&t->learner);
    }
}

static void adam_all(struct trainer *t, double rate)
{
    struct trainer_state *s = &t->state;
    const struct graph *graph = t->graph;
    s->steps++;
    s->power1 *= TRAINER_BETA1;
    s->power2 *= TRAINER_BETA2;
    adam_part(t, 0, graph->weight_count, rate);
    adam_part(t, graph->weight_count, 2 * graph->row_count,
              t->learner.integer ? rate * ROW_RATE : rate);
}

/* A step at time 0..1 of the phase. */
static void train_step(struct trainer *t, double time)
{
    double rate = rate_at(t, time);
    bool steps = trainer_steps_learn(t, time);
    pool_run(t->pool, t->pass_count, trainer_block, t);
    sum_gradients(t);
    if (steps && t->state.steps > 0) { /* Adam has seen gradients */
        trainer_move_steps(t, rate);
    }
    adam_all(t, rate);
    if (steps) {
        trainer_take_steps(t);
    }
    learner_refresh(&t->learner);
    average_parameters(t);
}

/* ---- epochs ---- */

void trainer_shuffle(struct trainer *t)
{
    size_t count = t->feed->train.count;
    for (size_t i = 0; i < count; i++) {
        t->order[i] = (uint32_t)i;
    }
    struct rng rng = rng_new(t->options->seed, STREAM_ORDER + t->state.epoch);
    rng_shuffle(&rng, t->order, count);
}

/* Time 0..1 of the phase: by epochs, or by the clock where that is ahead. */
static double phase_time(const struct trainer *t, double share)
{
    uint32_t begin = t->learner.integer ? (uint32_t)t->float_epochs : 0;
    int epochs = t->learner.integer ? t->integer_epochs : t->float_epochs;
    double time = ((double)(t->state.epoch - begin) + share) / epochs;
    if (t->options->seconds <= 0) {
        return time;
    }
    double span = t->phase_end - t->phase_start;
    double clock = span > 0 ? (session_seconds(t->session) - t->phase_start) / span : 1;
    clock = clock < 1 ? clock : 1;
    return clock > time ? clock : time;
}

/* What changes towards the end of the integer phase: weights freeze, means are fixed. */
static void mind_end(struct trainer *t, double time)
{
    if (t->options->freeze) {
        trainer_freeze(t, time);
    }
    double settle = t->options->settle != 0 ? t->options->settle : SETTLE;
    if (!t->state.settled && settle > 0 && time >= 1 - settle) {
        trainer_statistics(t, SETTLE_BLOCKS);
        t->state.settled = true;
        trainer_start_average(t); /* biases before that were for other means */
    }
    t->learner.fixed = t->state.settled;
}

/* False where the epoch was not finished. */
static bool train_epoch(struct trainer *t)
{
    size_t steps = t->feed->train.count / trainer_batch(t);
    steps = steps > 0 ? steps : 1;
    if (t->learner.integer) {
        mind_end(t, phase_time(t, 0));
    }
    trainer_shuffle(t);
    for (size_t i = 0; i < steps; i++) {
        double time = phase_time(t, (double)i / (double)steps);
        if (time >= 1 || session_interrupted(t->session)) {
            t->session->stopped = true;
            return false;
        }
        t->at = i * trainer_batch(t);
        train_step(t, time);
    }
    t->state.epoch++;
    return true;
}

static void report(struct trainer *t)
{
    char detail[60];
    int all = t->float_epochs + t->integer_epochs;
    (void)snprintf(detail, sizeof detail, "epoch %u of %d", t->state.epoch + 1, all);
    double part = (double)t->state.epoch / all;
    session_progress(t->session, t->done + t->share * part, t->stage, detail);
}

bool trainer_run(struct trainer *t, uint32_t until, double share, struct error *err)
{
    t->learner.fixed = false;
    t->forward_only = false;
    t->phase_start = session_seconds(t->session);
    t->phase_end = share * t->options->seconds;
    while (t->state.epoch < until && !session_interrupted(t->session)) {
        report(t);
        if (!train_epoch(t)) {
            break;
        }
        if (t->save && session_save_due(t->session) && !t->save(t->save_context, err)) {
            return false;
        }
    }
    t->session->stopped = t->session->stopped || t->state.epoch < until;
    return true;
}
