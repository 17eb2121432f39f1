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
#define ROW_RATE       2.5 /* of betas, in their units, against weights in codes */
#define BETA1          0.9
#define BETA2          0.999
#define EPSILON        1e-8F

/* ---- memory ---- */

static bool new_learner(struct trainer *t)
{
    struct learner *learner = &t->learner;
    const struct graph *graph = t->graph;
    learner->graph = graph;
    learner->parameters = arena_alloc(t->arena, graph->count, sizeof(float));
    learner->weights = arena_alloc(t->arena, graph->weight_count, sizeof(float));
    learner->turned = arena_alloc(t->arena, graph->weight_count, sizeof(float));
    learner->mean = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->variance = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->unit = arena_alloc(t->arena, graph->row_count, sizeof(double));
    learner->shift = arena_alloc(t->arena, graph->row_count, sizeof(int));
    return learner->parameters && learner->weights && learner->turned && learner->mean &&
           learner->variance && learner->unit && learner->shift;
}

static bool new_state(struct trainer *t)
{
    size_t count = t->graph->count;
    t->state.first = arena_alloc(t->arena, count, sizeof(float));
    t->state.second = arena_alloc(t->arena, count, sizeof(float));
    t->state.average = arena_alloc(t->arena, count, sizeof(float));
    t->state.power1 = t->state.power2 = 1;
    t->decay = arena_alloc(t->arena, count, sizeof(float));
    t->mask = arena_alloc(t->arena, count, sizeof(float));
    t->gradient = arena_alloc(t->arena, count, sizeof(float));
    t->order = arena_alloc(t->arena, t->feed->train.count, sizeof *t->order);
    return t->state.first && t->state.second && t->state.average && t->decay && t->mask &&
           t->gradient && t->order;
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
    t->float_epochs = o->float_epochs > 0 ? o->float_epochs : 6;
    t->integer_epochs = o->integer_epochs > 0 ? o->integer_epochs : 20;
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

static size_t batch_size(const struct trainer *t)
{
    return (size_t)t->pass_count * VISION_BLOCK;
}

/* Reals see pixels of 0..1, integers their codes. */
static float pixel_unit(const struct trainer *t)
{
    return t->learner.integer ? 1.0F : PIXEL_UNIT;
}

/* Block `index` of the batch: its samples, forward, backward. */
static void run_block(void *context, int index)
{
    struct trainer *t = context;
    struct pass *pass = t->passes[index];
    struct feed_sample samples[VISION_BLOCK];
    size_t count = t->feed->train.count;
    for (size_t i = 0; i < VISION_BLOCK; i++) {
        uint64_t at = t->at + (uint64_t)index * VISION_BLOCK + i;
        samples[i] = feed_draw(t->feed, t->state.epoch, at, t->order[at % count]);
    }
    feed_block(t->feed, samples, pixel_unit(t), pass);
    pass_forward(pass, &t->learner);
    if (!t->forward_only) {
        pass_loss(pass, &t->learner, 1.0 / (double)batch_size(t));
        pass_backward(pass, &t->learner);
    }
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
                             .beta1 = (float)BETA1,
                             .beta2 = (float)BETA2,
                             .epsilon = EPSILON,
                             .correction1 = (float)(1 / (1 - s->power1)),
                             .correction2 = (float)(1 / (1 - s->power2))};
    t->adam->adam(&step);
}

static void average_parameters(struct trainer *t)
{
    float keep = (float)t->options->average;
    for (size_t i = 0; i < t->graph->count && keep > 0; i++) {
        float *mean = &t->state.average[i];
        *mean = keep * *mean + (1.0F - keep) * t->learner.parameters[i];
    }
}

static void train_step(struct trainer *t, double rate)
{
    struct trainer_state *s = &t->state;
    const struct graph *graph = t->graph;
    pool_run(t->pool, t->pass_count, run_block, t);
    sum_gradients(t);
    s->steps++;
    s->power1 *= BETA1;
    s->power2 *= BETA2;
    adam_part(t, 0, graph->weight_count, rate);
    adam_part(t, graph->weight_count, 2 * graph->row_count,
              t->learner.integer ? rate * ROW_RATE : rate);
    learner_refresh(&t->learner);
    average_parameters(t);
}

/* ---- epochs ---- */

static void shuffle(struct trainer *t)
{
    size_t count = t->feed->train.count;
    for (size_t i = 0; i < count; i++) {
        t->order[i] = (uint32_t)i;
    }
    struct rng rng = rng_new(t->options->seed, STREAM_ORDER + t->state.epoch);
    rng_shuffle(&rng, t->order, count);
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

static void train_epoch(struct trainer *t)
{
    size_t steps = t->feed->train.count / batch_size(t);
    steps = steps > 0 ? steps : 1;
    uint32_t begin = t->learner.integer ? (uint32_t)t->float_epochs : 0;
    int epochs = t->learner.integer ? t->integer_epochs : t->float_epochs;
    shuffle(t);
    for (size_t i = 0; i < steps; i++) {
        double epoch = (double)(t->state.epoch - begin) + (double)i / (double)steps;
        t->at = i * batch_size(t);
        train_step(t, rate_at(t, epoch / epochs));
    }
    t->state.epoch++;
}

static void report(struct trainer *t)
{
    char detail[60];
    int all = t->float_epochs + t->integer_epochs;
    (void)snprintf(detail, sizeof detail, "epoch %u of %d", t->state.epoch, all);
    session_progress(t->session, (double)t->state.epoch / all, t->stage, detail);
}

bool trainer_run(struct trainer *t, uint32_t until, struct error *err)
{
    t->learner.fixed = false;
    t->forward_only = false;
    while (t->state.epoch < until && !session_stop(t->session, 1)) {
        report(t);
        train_epoch(t);
    }
    return !err->failed;
}

/* ---- statistics and scores ---- */

void trainer_statistics(struct trainer *t, int blocks)
{
    struct learner *learner = &t->learner;
    size_t rows = t->graph->row_count;
    int rounds = (blocks + t->pass_count - 1) / t->pass_count;
    double share = 1.0 / ((double)rounds * t->pass_count);
    t->forward_only = true;
    learner->fixed = false;
    shuffle(t);
    memset(learner->mean, 0, rows * sizeof(double));
    memset(learner->variance, 0, rows * sizeof(double));
    for (int round = 0; round < rounds; round++) {
        t->at = (uint64_t)round * batch_size(t);
        pool_run(t->pool, t->pass_count, run_block, t);
        for (int p = 0; p < t->pass_count; p++) {
            for (size_t row = 0; row < rows; row++) {
                learner->mean[row] += t->passes[p]->mean[row] * share;
                learner->variance[row] += t->passes[p]->variance[row] * share;
            }
        }
    }
    t->forward_only = false;
    learner->fixed = true;
}

/* Block `index` of the validation images from t->at on. */
static void check_block(void *context, int index)
{
    struct trainer *t = context;
    struct pass *pass = t->passes[index];
    feed_checks(t->feed, t->at + (size_t)index * VISION_BLOCK, pixel_unit(t), pass);
    pass_forward(pass, &t->learner);
}

void trainer_each(struct trainer *t, enum part part, size_t count,
                  void (*body)(void *context, const struct pass *pass, size_t first), void *context)
{
    t->forward_only = true;
    for (size_t first = 0; first < count; first += batch_size(t)) {
        size_t left = (count - first + VISION_BLOCK - 1) / VISION_BLOCK;
        int blocks = left < (size_t)t->pass_count ? (int)left : t->pass_count;
        t->at = first;
        pool_run(t->pool, blocks, part == PART_TRAIN ? run_block : check_block, t);
        for (int p = 0; p < blocks; p++) {
            body(context, t->passes[p], first + (size_t)p * VISION_BLOCK);
        }
    }
    t->forward_only = false;
}

struct counting {
    const struct feed *feed;
    size_t right;
};

static void count_right(void *context, const struct pass *pass, size_t first)
{
    struct counting *counting = context;
    const struct feed *feed = counting->feed;
    const struct graph *graph = pass->graph;
    for (size_t i = 0; i < VISION_BLOCK && first + i < feed->validation.count; i++) {
        size_t group = i / VISION_LANES * (size_t)graph->classes * VISION_LANES;
        const float *y = pass->values[graph->node_count - 1] + group + i % VISION_LANES;
        int best = 0;
        for (int c = 1; c < graph->classes; c++) {
            best = y[c * VISION_LANES] > y[best * VISION_LANES] ? c : best;
        }
        counting->right += feed->images->labels[feed->validation.images[first + i]] == best;
    }
}

double trainer_score(struct trainer *t)
{
    struct counting counting = {t->feed, 0};
    size_t count = t->feed->validation.count;
    trainer_each(t, PART_VALIDATION, count, count_right, &counting);
    return count > 0 ? (double)counting.right / (double)count : 0;
}
