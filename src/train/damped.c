#include "train/damped.h"

#include "base/cholesky.h"

#include <string.h>

#define DAMPING_LEAST 1e-12
#define DAMPING_MOST  1e8

bool damped_new(struct damped *d, struct arena *arena, struct normal *normal, struct model *model)
{
    size_t n = model->count;
    d->normal = normal;
    d->model = model;
    d->damping = 1e-2;
    d->system = arena_alloc(arena, normal->stride * normal->stride, sizeof *d->system);
    d->step = arena_alloc(arena, n, sizeof *d->step);
    d->kept = arena_alloc(arena, n, sizeof *d->kept);
    d->free_index = arena_alloc(arena, n, sizeof *d->free_index);
    d->is_weight = arena_alloc(arena, n, sizeof *d->is_weight);
    if (!d->system || !d->step || !d->kept || !d->free_index || !d->is_weight) {
        return false;
    }
    memset(d->is_weight, 1, n * sizeof *d->is_weight);
    for (int layer = 0; layer < model->topology.layer_count; layer++) {
        size_t biases = model_biases(model, layer);
        size_t rows = (size_t)model->topology.widths[layer + 1];
        memset(d->is_weight + biases, 0, rows * sizeof *d->is_weight);
    }
    return true;
}

static void find_free(struct damped *d)
{
    d->free_count = 0;
    for (size_t i = 0; i < d->model->count; i++) {
        if (!d->held || !d->held[i]) {
            d->free_index[d->free_count++] = i;
        }
    }
}

static double decay_of(const struct damped *d, size_t parameter)
{
    return d->is_weight[parameter] ? d->decay : 0;
}

/* Upper triangle of the free part of J^T J / samples, decay on its diagonal. */
static void gather(struct damped *d, size_t samples)
{
    size_t stride = d->normal->stride;
    double share = 1 / (double)samples;
    for (size_t i = 0; i < d->free_count; i++) {
        const double *from = d->normal->matrix + d->free_index[i] * stride;
        double *to = d->system + i * stride;
        for (size_t j = i; j < d->free_count; j++) {
            to[j] = from[d->free_index[j]] * share;
        }
        to[i] += decay_of(d, d->free_index[i]);
    }
}

void damped_system(struct damped *d, const struct sample_set *samples, double ridge)
{
    find_free(d);
    gather(d, samples->count);
    double trace = 0;
    for (size_t i = 0; i < d->free_count; i++) {
        trace += d->system[i * d->normal->stride + i];
    }
    for (size_t i = 0; i < d->free_count; i++) {
        d->system[i * d->normal->stride + i] += ridge * trace / (double)d->free_count;
    }
}

/* -gradient of the objective, free parameters. */
static void gather_gradient(struct damped *d, size_t samples)
{
    const struct normal *n = d->normal;
    for (size_t i = 0; i < d->free_count; i++) {
        size_t p = d->free_index[i];
        double slope = n->matrix[p * n->stride + n->count] / (double)samples;
        d->step[i] = -slope - decay_of(d, p) * d->model->parameter[p];
    }
}

static double decay_term(const struct damped *d)
{
    double sum = 0;
    for (size_t i = 0; i < d->model->count; i++) {
        sum += decay_of(d, i) * d->model->parameter[i] * d->model->parameter[i];
    }
    return sum;
}

/* Solve with the present damping and move; false where the system is not positive definite. */
static bool try_step(struct damped *d, size_t samples)
{
    size_t stride = d->normal->stride;
    gather(d, samples);
    gather_gradient(d, samples);
    for (size_t i = 0; i < d->free_count; i++) {
        d->system[i * stride + i] *= 1 + d->damping;
        d->system[i * stride + i] += 1e-14;
    }
    if (!cholesky_factor(d->system, d->free_count, stride)) {
        return false;
    }
    cholesky_solve(d->system, d->free_count, stride, d->step);
    for (size_t i = 0; i < d->free_count; i++) {
        d->model->parameter[d->free_index[i]] += d->step[i];
    }
    return true;
}

double damped_iterate(struct damped *d, const struct sample_set *samples, bool *moved)
{
    size_t bytes = d->model->count * sizeof *d->kept;
    double count = (double)samples->count;
    normal_sum(d->normal, d->model, samples);
    find_free(d);
    const struct normal *n = d->normal;
    double mean = n->matrix[n->count * n->stride + n->count] / count;
    double before = mean + decay_term(d);
    memcpy(d->kept, d->model->parameter, bytes);
    *moved = false;
    while (d->damping <= DAMPING_MOST && d->free_count > 0) {
        if (try_step(d, samples->count)) {
            double after = normal_loss(d->normal, d->model, samples) / count;
            if (after + decay_term(d) < before) {
                d->damping = d->damping > 4 * DAMPING_LEAST ? d->damping / 4 : DAMPING_LEAST;
                *moved = true;
                return after;
            }
        }
        memcpy(d->model->parameter, d->kept, bytes);
        d->damping *= 5;
    }
    d->damping = 1e-2;
    return mean;
}

double damped_evidence(struct damped *d, const struct sample_set *samples, double mean)
{
    size_t stride = d->normal->stride;
    double rows = (double)samples->count;
    double weights = 0;
    double square = 0;
    damped_system(d, samples, 1e-13);
    if (!cholesky_factor(d->system, d->free_count, stride)) {
        return d->decay;
    }
    /* The inverse goes over the normal equations, which the next iteration makes anew. */
    double *inverse = d->normal->matrix;
    cholesky_inverse(d->system, d->free_count, stride, inverse);
    double trace = 0;
    for (size_t i = 0; i < d->free_count; i++) {
        if (d->is_weight[d->free_index[i]]) {
            double w = d->model->parameter[d->free_index[i]];
            trace += inverse[i * stride + i];
            weights += 1;
            square += w * w;
        }
    }
    double used = weights - d->decay * trace; /* the effective number of parameters */
    int last = d->model->topology.layer_count;
    double residuals = rows * d->model->topology.widths[last];
    if (!(square > 0) || !(used > 0) || residuals <= used) {
        return d->decay;
    }
    return used * mean / ((residuals - used) * square);
}
