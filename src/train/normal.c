/* Memory of the normal equations, and the loss. */
#include "train/normal.h"

#include <string.h>

#define LOSS_SAMPLES 64 /* samples of one partial loss */

static const struct tile_kernels *choose_kernels(const char *isa, struct error *err)
{
    if (isa && strcmp(isa, "scalar") == 0) {
        return &tile_scalar;
    }
#if defined(__x86_64__)
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    bool narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (wide && (!isa || strcmp(isa, "avx512") == 0)) {
        return &tile_avx512;
    }
    if (narrow && (!isa || strcmp(isa, "avx2") == 0)) {
        return &tile_avx2;
    }
#endif
    if (!isa) {
        return &tile_scalar;
    }
    fail(err, "this machine has no '%.20s' instructions", isa);
    return NULL;
}

static size_t panels_of(int columns)
{
    return ((size_t)columns + 1 + TILE_WIDTH - 1) / TILE_WIDTH;
}

static void add_unit(struct normal *n, struct normal_unit unit)
{
    unit.at = n->padded_stride;
    n->padded_stride += panels_of(unit.columns) * TILE_WIDTH;
    n->units[n->unit_count++] = unit;
}

/* Units in the order of the layers, then the skips, then the residual as a unit of one column that
 * is always 1 (its "bias", parameter `count`). */
static void add_units(struct normal *n, const struct model *model)
{
    const struct topology *t = &model->topology;
    for (int layer = 0; layer < t->layer_count; layer++) {
        bool last = layer + 1 == t->layer_count;
        for (int i = 0; i < t->widths[layer + 1]; i++) {
            size_t row = (size_t)i;
            add_unit(n, (struct normal_unit){.input = layer,
                                             .output = last ? i : -1,
                                             .columns = t->widths[layer],
                                             .weights = model_weights(model, layer) +
                                                        row * (size_t)t->widths[layer],
                                             .bias = model_biases(model, layer) + row});
        }
    }
    for (int i = 0; model->has_skip && i < t->widths[t->layer_count]; i++) {
        add_unit(
            n, (struct normal_unit){.output = i,
                                    .columns = t->widths[0],
                                    .weights = model_skip(model) + (size_t)i * (size_t)t->widths[0],
                                    .bias = NORMAL_NO_BIAS});
    }
    add_unit(n, (struct normal_unit){.input = -1, .output = -1, .bias = n->count});
}

static bool memory_new(struct normal *n, struct arena *arena, const struct model *model)
{
    const struct topology *t = &model->topology;
    size_t outputs = (size_t)t->widths[t->layer_count];
    size_t width = 0;
    size_t units = 1 + outputs;
    for (int i = 0; i <= t->layer_count; i++) {
        width += (size_t)t->widths[i];
        units += i > 0 ? (size_t)t->widths[i] : 0;
    }
    n->units = arena_alloc(arena, units, sizeof *n->units);
    if (!n->units) {
        return false;
    }
    add_units(n, model);
    for (int i = 0; i < t->layer_count; i++) {
        n->inputs[i] = arena_alloc(arena, panels_of(t->widths[i]) * TILE_PANEL, sizeof(double));
        if (!n->inputs[i]) {
            return false;
        }
    }
    n->stride = (n->count + TILE_WIDTH) / TILE_WIDTH * TILE_WIDTH;
    size_t forward = 4 * width + model_scratch(model) + outputs;
    n->slice = forward > TILE_ROWS ? forward : TILE_ROWS;
    n->sum_count = 4096;
    n->matrix = arena_alloc(arena, n->stride * n->stride, sizeof *n->matrix);
    n->padded = arena_alloc(arena, n->padded_stride * n->padded_stride, sizeof *n->padded);
    n->delta = arena_alloc(arena, outputs * n->unit_count * TILE_ROWS, sizeof *n->delta);
    n->scratch = arena_alloc(arena, n->slice * NORMAL_JOBS, sizeof *n->scratch);
    n->sums = arena_alloc(arena, n->sum_count, sizeof *n->sums);
    return n->matrix && n->padded && n->delta && n->scratch && n->sums;
}

bool normal_new(struct normal *n, struct arena *arena, const struct model *model, const char *isa,
                struct error *err)
{
    n->kernels = choose_kernels(isa, err);
    n->count = model->count;
    return n->kernels && (memory_new(n, arena, model) || fail_memory(err));
}

/* ---- loss ---- */

/* What the jobs of one loss share. */
struct losses {
    struct normal *normal;
    const struct model *model;
    const struct sample_set *samples;
    size_t first, count;
};

/* Each job takes every NORMAL_JOBS-th block; partial sums are kept by block. */
static void add_losses(void *context, int job)
{
    const struct losses *chunk = context;
    struct normal *n = chunk->normal;
    const struct topology *t = &chunk->model->topology;
    size_t inputs = (size_t)t->widths[0];
    size_t outputs = (size_t)t->widths[t->layer_count];
    double *y = n->scratch + (size_t)job * n->slice;
    for (size_t block = (size_t)job; block * LOSS_SAMPLES < chunk->count; block += NORMAL_JOBS) {
        double sum = 0;
        for (size_t s = block * LOSS_SAMPLES; s < chunk->count && s < (block + 1) * LOSS_SAMPLES;
             s++) {
            size_t sample = chunk->first + s;
            model_forward(chunk->model, chunk->samples->x + sample * inputs, y, y + outputs);
            for (size_t o = 0; o < outputs; o++) {
                double r = n->weight[o] * (y[o] - chunk->samples->t[sample * outputs + o]);
                sum += r * r;
            }
        }
        n->sums[block] = sum;
    }
}

double normal_loss(struct normal *n, const struct model *model, const struct sample_set *samples)
{
    double loss = 0;
    size_t room = n->sum_count * LOSS_SAMPLES;
    for (size_t first = 0; first < samples->count; first += room) {
        size_t left = samples->count - first;
        struct losses chunk = {n, model, samples, first, left < room ? left : room};
        pool_run(n->pool, NORMAL_JOBS, add_losses, &chunk);
        for (size_t block = 0; block * LOSS_SAMPLES < chunk.count; block++) {
            loss += n->sums[block];
        }
    }
    return loss;
}
