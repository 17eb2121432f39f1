/* Rounding the whole network: a share of the weights at a time, the costliest first, the others
 * making up for it through the Gauss-Newton Hessian, then refitting what is still free. */
#include "base/cholesky.h"
#include "quant/compensate.h"
#include "train/lsq_internal.h"

#include <math.h>
#include <string.h>

#define LAST_REFITS 10 /* of the biases alone */

/* Ridges of the Hessian, relative to the mean of its diagonal: smooth nets want the small ones,
 * kinked ones the large. */
static const double ridges[] = {1e-11, 1e-6, 1e-3};
#define RIDGES ((int)(sizeof ridges / sizeof ridges[0]))

/* How carefully one candidate is made. */
struct effort {
    int stages;
    int refits;  /* iterations behind each stage, on the samples of its Hessian */
    int samples; /* in shares of the plan's round_samples: 1 / samples of them */
};
static const struct effort quick = {8, 4, 2};
static const struct effort careful = {16, 5, 1}; /* for the best ridge, once more */

struct rounding {
    struct lsq *lsq;
    struct fixed_memory memory;
    struct fixed candidate;
    double best; /* integer validation loss of the best candidate */
    int best_ridge;
    double *value, *step, *limit; /* of the free parameters */
    bool *rounded;
};

/* Grid of every weight: the scale that model_round() gives its row. */
static void set_grid(struct lsq *lsq, const struct fixed *shape)
{
    const struct model *m = lsq->job->model;
    memset(lsq->step, 0, m->count * sizeof *lsq->step);
    for (int layer = 0; layer <= m->topology.layer_count; layer++) {
        bool skip = layer == m->topology.layer_count;
        if (skip && !m->has_skip) {
            break;
        }
        const struct fixed_dense *dense = skip ? &shape->skip : &shape->layers[layer];
        int extra = layer + 1 >= m->topology.layer_count ? fixed_extra(shape->out_type) : 0;
        size_t at = model_weights(m, layer);
        for (int i = 0; i < dense->rows * dense->columns; i++, at++) {
            lsq->step[at] = ldexp(1, extra - dense->shift[i / dense->columns]);
            lsq->limit[at] = lsq->step[at] * weight_limit(dense->bits);
        }
    }
}

/* The grid is fixed: rows go into integers exactly as they are. */
static void take_rows(const struct model *m, struct fixed *fixed)
{
    for (int layer = 0; layer <= m->topology.layer_count; layer++) {
        bool skip = layer == m->topology.layer_count;
        if (skip && !m->has_skip) {
            break;
        }
        struct fixed_dense *dense = skip ? &fixed->skip : &fixed->layers[layer];
        int extra = layer + 1 >= m->topology.layer_count ? fixed_extra(fixed->out_type) : 0;
        for (int i = 0; i < dense->rows; i++) {
            const double *w = m->parameter + model_weights(m, layer) + i * dense->columns;
            double b = skip ? 0 : model_row_bias(m, layer, i);
            fixed_set_row(dense, i, w, b, dense->shift[i] - extra, extra);
        }
    }
}

static size_t weights_left(const struct lsq *lsq)
{
    size_t left = 0;
    for (size_t i = 0; i < lsq->best.count; i++) {
        left += lsq->step[i] > 0 && !lsq->held[i];
    }
    return left;
}

/* Put `count` more weights on their grid.  False where the Hessian cannot be inverted. */
static bool round_some(struct rounding *r, double ridge, size_t count)
{
    struct lsq *lsq = r->lsq;
    struct damped *d = &lsq->damped;
    double *parameter = lsq->job->model->parameter;
    damped_system(d, &lsq->work, ridge);
    if (!cholesky_factor(d->system, d->free_count, lsq->normal.stride)) {
        return false;
    }
    double *inverse = lsq->normal.matrix; /* the next iteration makes it anew */
    cholesky_inverse(d->system, d->free_count, lsq->normal.stride, inverse);
    for (size_t i = 0; i < d->free_count; i++) {
        size_t p = d->free_index[i];
        r->value[i] = parameter[p];
        r->step[i] = lsq->step[p];
        r->limit[i] = lsq->limit[p];
        r->rounded[i] = false;
    }
    struct compensation c = {d->free_count, lsq->normal.stride, inverse,   r->value,
                             r->step,       r->limit,           r->rounded};
    compensate_round(&c, count);
    for (size_t i = 0; i < d->free_count; i++) {
        parameter[d->free_index[i]] = r->value[i];
        lsq->held[d->free_index[i]] = r->rounded[i];
    }
    return true;
}

static void refit(struct lsq *lsq, int iterations)
{
    lsq->damped.damping = 1e-3;
    for (int i = 0; i < iterations; i++) {
        bool moved = false;
        (void)damped_iterate(&lsq->damped, &lsq->work, &moved);
        if (!moved) {
            break;
        }
    }
}

/* One candidate, from the best float model to integers. */
static bool round_all(struct rounding *r, double ridge, struct effort effort, double share)
{
    struct lsq *lsq = r->lsq;
    struct model *m = lsq->job->model;
    size_t samples = lsq->job->plan.round_samples / (size_t)effort.samples;
    memcpy(m->parameter, lsq->best.parameter, m->count * sizeof *m->parameter);
    memset(lsq->held, 0, m->count * sizeof *lsq->held);
    lsq->damped.held = lsq->held;
    for (int stage = 0; stage < effort.stages; stage++) {
        size_t stages_left = (size_t)(effort.stages - stage);
        lsq_window(lsq, (size_t)stage, samples);
        normal_sum(&lsq->normal, m, &lsq->work);
        if (!round_some(r, ridge, (weights_left(lsq) + stages_left - 1) / stages_left)) {
            return false;
        }
        refit(lsq, stages_left > 1 ? effort.refits : 0);
        lsq->fraction += share / effort.stages;
        lsq_report(lsq, "round");
    }
    lsq_window(lsq, 0, samples);
    refit(lsq, LAST_REFITS);
    take_rows(m, &r->candidate);
    return true;
}

static void keep_if_best(struct rounding *r, int ridge)
{
    struct lsq *lsq = r->lsq;
    double loss =
        sample_set_fixed_loss(&lsq->validation, lsq->job->problem, &r->candidate, &r->memory);
    if (loss < r->best) {
        r->best = loss;
        r->best_ridge = ridge;
        fixed_copy(lsq->job->fixed, &r->candidate);
    }
}

static bool rounding_new(struct rounding *r, struct lsq *lsq)
{
    const struct model *m = lsq->job->model;
    struct arena *arena = lsq->arena;
    *r = (struct rounding){.lsq = lsq, .best = HUGE_VAL};
    r->value = arena_alloc(arena, m->count, sizeof *r->value);
    r->step = arena_alloc(arena, m->count, sizeof *r->step);
    r->limit = arena_alloc(arena, m->count, sizeof *r->limit);
    r->rounded = arena_alloc(arena, m->count, sizeof *r->rounded);
    return r->value && r->step && r->limit && r->rounded &&
           fixed_new(&r->candidate, arena, m->topology.widths, m->topology.layer_count,
                     m->has_skip) &&
           fixed_memory_new(&r->memory, arena, &r->candidate);
}

bool lsq_round(struct lsq *lsq, struct error *err)
{
    struct rounding r;
    if (!rounding_new(&r, lsq)) {
        return fail_memory(err);
    }
    struct lsq_job *job = lsq->job;
    model_round(&lsq->best, job->bits, job->problem->out_type, &r.candidate);
    set_grid(lsq, &r.candidate);
    keep_if_best(&r, 0); /* rounding to nearest is the candidate to beat */
    double share = (1 - LSQ_SEARCH_SHARE) / (RIDGES + 4); /* a careful one takes as long as four */
    for (int i = 0; i < RIDGES && (i == 0 || !session_stop(job->session, 1.0)); i++) {
        if (round_all(&r, ridges[i], quick, share)) {
            keep_if_best(&r, i);
        }
    }
    if (!session_stop(job->session, 1.0) &&
        round_all(&r, ridges[r.best_ridge], careful, 4 * share)) {
        keep_if_best(&r, r.best_ridge);
    }
    lsq->damped.held = NULL;
    return true;
}
