#include "train/normal.h"

#include <string.h>

#define GROUP        ((size_t)TILE_COUNT * TILE_WIDTH) /* columns of one kernel call */
#define LOSS_SAMPLES 64                                /* samples of one partial loss */

static tile_kernel *choose_kernel(const char *isa, struct error *err)
{
    if (isa && strcmp(isa, "scalar") == 0) {
        return tile_scalar;
    }
#if defined(__x86_64__)
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    bool narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (wide && (!isa || strcmp(isa, "avx512") == 0)) {
        return tile_avx512;
    }
    if (narrow && (!isa || strcmp(isa, "avx2") == 0)) {
        return tile_avx2;
    }
#endif
    if (!isa) {
        return tile_scalar;
    }
    fail(err, "this machine has no '%.20s' instructions", isa);
    return NULL;
}

/* Widen the range of outputs of the panels that hold parameters at .. at + count - 1. */
static void act_on(struct normal *n, size_t at, size_t count, int first, int last)
{
    for (size_t p = at; p < at + count; p++) {
        size_t panel = p / TILE_WIDTH;
        n->first[panel] = first < n->first[panel] ? first : n->first[panel];
        n->last[panel] = last > n->last[panel] ? last : n->last[panel];
    }
}

/* A row of the last layer or of the skip acts on one output, all else on all of them. */
static void find_outputs(struct normal *n, const struct model *model)
{
    const struct topology *t = &model->topology;
    int layer = t->layer_count - 1;
    int outputs = t->widths[t->layer_count];
    size_t columns = (size_t)t->widths[layer];
    size_t inputs = (size_t)t->widths[0];
    for (size_t panel = 0; panel < n->stride / TILE_WIDTH; panel++) {
        n->first[panel] = outputs;
        n->last[panel] = -1;
    }
    act_on(n, 0, model_weights(model, layer), 0, outputs - 1);
    act_on(n, n->count, 1, 0, outputs - 1); /* the residual */
    for (int o = 0; o < outputs; o++) {
        size_t row = (size_t)o;
        act_on(n, model_weights(model, layer) + row * columns, columns, o, o);
        act_on(n, model_biases(model, layer) + row, 1, o, o);
        if (model->has_skip) {
            act_on(n, model_skip(model) + row * inputs, inputs, o, o);
        }
    }
}

bool normal_new(struct normal *n, struct arena *arena, const struct model *model, const char *isa,
                struct error *err)
{
    n->kernel = choose_kernel(isa, err);
    if (!n->kernel) {
        return false;
    }
    size_t hidden = 0;
    for (int i = 0; i <= model->topology.layer_count; i++) {
        hidden += (size_t)model->topology.widths[i];
    }
    n->count = model->count;
    n->stride = (model->count + 1 + GROUP - 1) / GROUP * GROUP;
    n->slice = n->stride + 4 * hidden + model_scratch(model);
    n->matrix = arena_alloc(arena, n->stride * n->stride, sizeof *n->matrix);
    n->panels = arena_alloc(arena, n->stride * TILE_ROWS, sizeof *n->panels);
    n->scratch = arena_alloc(arena, n->slice * NORMAL_JOBS, sizeof *n->scratch);
    n->sum_count = 4096;
    n->sums = arena_alloc(arena, n->sum_count, sizeof *n->sums);
    n->first = arena_alloc(arena, n->stride / TILE_WIDTH, sizeof *n->first);
    n->last = arena_alloc(arena, n->stride / TILE_WIDTH, sizeof *n->last);
    if (!n->matrix || !n->panels || !n->scratch || !n->sums || !n->first || !n->last) {
        return fail_memory(err);
    }
    find_outputs(n, model);
    return true;
}

/* ---- one sample's rows of J ---- */

struct pass {
    const struct model *model;
    const double *x;
    double *a[TRAIN_LAYERS_MAX + 1]; /* activations; a[0] is x */
    double *slope;                   /* derivatives, layers behind each other */
    double *delta;                   /* of the layer being worked on */
    double *before;                  /* of the layer before it */
    double *y;
};

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Activations and slopes of all layers; y is the output. */
static void forward(struct pass *pass)
{
    const struct model *model = pass->model;
    const struct topology *t = &model->topology;
    double *slope = pass->slope;
    for (int layer = 0; layer < t->layer_count; layer++) {
        bool last = layer + 1 == t->layer_count;
        const double *w = model->parameter + model_weights(model, layer);
        const double *b = model->parameter + model_biases(model, layer);
        for (int i = 0; i < t->widths[layer + 1]; i++, w += t->widths[layer]) {
            double z = b[i] + dot(w, pass->a[layer], t->widths[layer]);
            pass->a[layer + 1][i] =
                model_activate(last ? ACTIVATION_NONE : model->activation, z, slope++);
        }
    }
    const double *w = model->parameter + model_skip(model);
    for (int i = 0; model->has_skip && i < t->widths[t->layer_count]; i++, w += t->widths[0]) {
        pass->y[i] += dot(w, pass->x, t->widths[0]);
    }
}

/* before = W^T delta * slope: columns in the inner loop, so every vector width agrees. */
static void backward(const double *w, const double *delta, int rows, int columns, double *before)
{
    memset(before, 0, (size_t)columns * sizeof *before);
    for (int i = 0; i < rows; i++, w += columns) {
        for (int j = 0; j < columns; j++) {
            before[j] += delta[i] * w[j];
        }
    }
}

/* Row of J for output `o`: derivatives of y_o by every parameter, times `weight`. */
static void jacobian_row(struct pass *pass, int o, double weight, double *row)
{
    const struct model *model = pass->model;
    const struct topology *t = &model->topology;
    int outputs = t->widths[t->layer_count];
    memset(row, 0, model->count * sizeof *row);
    memset(pass->delta, 0, (size_t)outputs * sizeof *pass->delta);
    pass->delta[o] = weight;
    const double *slope = pass->slope;
    for (int layer = 0; layer < t->layer_count; layer++) {
        slope += t->widths[layer + 1];
    }
    for (int layer = t->layer_count - 1; layer >= 0; layer--) {
        int rows = t->widths[layer + 1];
        int columns = t->widths[layer];
        slope -= rows;
        double *w = row + model_weights(model, layer);
        double *b = row + model_biases(model, layer);
        for (int i = 0; i < rows; i++, w += columns) {
            pass->delta[i] *= slope[i];
            b[i] = pass->delta[i];
            for (int j = 0; j < columns && b[i] != 0; j++) {
                w[j] = pass->delta[i] * pass->a[layer][j];
            }
        }
        if (layer > 0) {
            backward(model->parameter + model_weights(model, layer), pass->delta, rows, columns,
                     pass->before);
            double *kept = pass->delta;
            pass->delta = pass->before;
            pass->before = kept;
        }
    }
    for (int j = 0; model->has_skip && j < t->widths[0]; j++) {
        row[model_skip(model) + (size_t)(o * t->widths[0] + j)] = weight * pass->x[j];
    }
}

static struct pass pass_new(const struct model *model, double *memory)
{
    struct pass pass = {.model = model};
    const struct topology *t = &model->topology;
    size_t hidden = 0;
    for (int i = 0; i <= t->layer_count; i++) {
        pass.a[i] = memory + hidden;
        hidden += (size_t)t->widths[i];
    }
    pass.y = pass.a[t->layer_count];
    pass.slope = memory + hidden;
    pass.delta = memory + 2 * hidden;
    pass.before = memory + 3 * hidden;
    return pass;
}

/* ---- chunks ---- */

struct chunk {
    struct normal *normal;
    const struct model *model;
    const struct sample_set *samples;
    size_t first; /* sample */
    size_t count; /* samples; its rows of J are output * count + sample */
};

static void put_row(const struct normal *n, const double *row, size_t at)
{
    for (size_t panel = 0; panel < n->stride / TILE_WIDTH; panel++) {
        memcpy(n->panels + panel * TILE_PANEL + at * TILE_WIDTH, row + panel * TILE_WIDTH,
               TILE_WIDTH * sizeof *row);
    }
}

/* The rows of J of every NORMAL_JOBS-th sample of the chunk; the residual is column `count`. */
static void fill_rows(void *context, int job)
{
    const struct chunk *chunk = context;
    const struct normal *n = chunk->normal;
    const struct topology *t = &chunk->model->topology;
    size_t inputs = (size_t)t->widths[0];
    size_t outputs = (size_t)t->widths[t->layer_count];
    double *row = n->scratch + (size_t)job * n->slice;
    struct pass pass = pass_new(chunk->model, row + n->stride);
    for (size_t s = (size_t)job; s < chunk->count; s += NORMAL_JOBS) {
        size_t sample = chunk->first + s;
        pass.x = chunk->samples->x + sample * inputs;
        memcpy(pass.a[0], pass.x, inputs * sizeof *pass.x);
        forward(&pass);
        for (size_t o = 0; o < outputs; o++) {
            double residual = pass.y[o] - chunk->samples->t[sample * outputs + o];
            jacobian_row(&pass, (int)o, n->weight[o], row);
            row[n->count] = residual * n->weight[o];
            put_row(n, row, o * chunk->count + s);
        }
    }
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* One row of tiles, from the diagonal on, over the outputs on which both sides act. */
static void add_tiles(void *context, int job)
{
    const struct chunk *chunk = context;
    const struct normal *n = chunk->normal;
    size_t i = (size_t)job;
    for (size_t j = i / TILE_COUNT; j < n->stride / GROUP; j++) {
        const int *first = n->first + j * TILE_COUNT;
        const int *last = n->last + j * TILE_COUNT;
        int low = most(n->first[i], least(first[0], least(first[1], first[2])));
        int high = least(n->last[i], most(last[0], most(last[1], last[2])));
        if (low <= high) {
            size_t skipped = (size_t)low * chunk->count * TILE_WIDTH;
            n->kernel(n->panels + i * TILE_PANEL + skipped,
                      n->panels + j * TILE_COUNT * TILE_PANEL + skipped,
                      (size_t)(high - low + 1) * chunk->count,
                      n->matrix + i * TILE_WIDTH * n->stride + j * GROUP, n->stride);
        }
    }
}

void normal_sum(struct normal *n, const struct model *model, const struct sample_set *samples)
{
    size_t outputs = (size_t)model->topology.widths[model->topology.layer_count];
    size_t room = TILE_ROWS / outputs;
    memset(n->matrix, 0, n->stride * n->stride * sizeof *n->matrix);
    memset(n->scratch, 0, n->slice * NORMAL_JOBS * sizeof *n->scratch);
    for (size_t first = 0; first < samples->count; first += room) {
        size_t left = samples->count - first;
        struct chunk chunk = {n, model, samples, first, left < room ? left : room};
        pool_run(n->pool, NORMAL_JOBS, fill_rows, &chunk);
        pool_run(n->pool, (int)((n->count + TILE_WIDTH) / TILE_WIDTH), add_tiles, &chunk);
    }
}

/* ---- loss ---- */

/* Each job takes every NORMAL_JOBS-th block; partial sums are kept by block. */
static void add_losses(void *context, int job)
{
    const struct chunk *chunk = context;
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
        struct chunk chunk = {n, model, samples, first, left < room ? left : room};
        pool_run(n->pool, NORMAL_JOBS, add_losses, &chunk);
        for (size_t block = 0; block * LOSS_SAMPLES < chunk.count; block++) {
            loss += n->sums[block];
        }
    }
    return loss;
}
