/* Summing the normal equations unit pair by unit pair. */
#include "train/normal.h"

#include <string.h>

/* Up to TILE_ROWS samples that are worked on together. */
struct chunk {
    struct normal *normal;
    const struct model *model;
    const struct sample_set *samples;
    size_t first;
    size_t count;
};

/* ---- forward and backward of one sample ---- */

struct pass {
    const struct model *model;
    double *a[TRAIN_LAYERS_MAX + 1]; /* activations; a[0] is the input, the last one the output */
    double *slope;                   /* derivatives, layers behind each other */
    double *delta;                   /* of the layer being worked on */
    double *before;                  /* of the layer before it */
};

static struct pass pass_new(const struct model *model, double *memory)
{
    struct pass pass = {.model = model};
    const struct topology *t = &model->topology;
    size_t width = 0;
    for (int i = 0; i <= t->layer_count; i++) {
        pass.a[i] = memory + width;
        width += (size_t)t->widths[i];
    }
    pass.slope = memory + width;
    pass.delta = memory + 2 * width;
    pass.before = memory + 3 * width;
    return pass;
}

/* Activations and slopes of all layers. */
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
            double z = b[i] + model_dot(w, pass->a[layer], t->widths[layer]);
            pass->a[layer + 1][i] =
                model_activate(last ? ACTIVATION_NONE : model->activation, z, slope++);
        }
    }
    const double *w = model->parameter + model_skip(model);
    for (int i = 0; model->has_skip && i < t->widths[t->layer_count]; i++, w += t->widths[0]) {
        pass->a[t->layer_count][i] += model_dot(w, pass->a[0], t->widths[0]);
    }
}

/* before = W^T delta: columns in the inner loop, so every vector width agrees. */
static void backward(const double *w, const double *delta, int rows, int columns, double *before)
{
    memset(before, 0, (size_t)columns * sizeof *before);
    for (int i = 0; i < rows; i++, w += columns) {
        for (int j = 0; j < columns; j++) {
            before[j] += delta[i] * w[j];
        }
    }
}

/* delta_ou of all hidden units for one output; `to` is delta[o][0][sample], units TILE_ROWS apart.
 */
static void hidden_deltas(struct pass *pass, int o, double weight, double *to)
{
    const struct model *model = pass->model;
    const struct topology *t = &model->topology;
    const double *slope = pass->slope;
    size_t unit = 0;
    for (int layer = 0; layer + 1 < t->layer_count; layer++) {
        slope += t->widths[layer + 1];
        unit += (size_t)t->widths[layer + 1];
    }
    memset(pass->delta, 0, (size_t)t->widths[t->layer_count] * sizeof *pass->delta);
    pass->delta[o] = weight;
    for (int layer = t->layer_count - 1; layer > 0; layer--) {
        int width = t->widths[layer];
        backward(model->parameter + model_weights(model, layer), pass->delta, t->widths[layer + 1],
                 width, pass->before);
        slope -= width;
        unit -= (size_t)width;
        for (int i = 0; i < width; i++) {
            pass->before[i] *= slope[i];
            to[(unit + (size_t)i) * TILE_ROWS] = pass->before[i];
        }
        double *kept = pass->delta;
        pass->delta = pass->before;
        pass->before = kept;
    }
}

/* Row `s` of every layer's panels: its input, then 1. */
static void put_inputs(const struct normal *n, const struct pass *pass, size_t s)
{
    const struct topology *t = &pass->model->topology;
    for (int layer = 0; layer < t->layer_count; layer++) {
        size_t width = (size_t)t->widths[layer];
        for (size_t j = 0; j <= width; j++) {
            n->inputs[layer][j / TILE_WIDTH * TILE_PANEL + s * TILE_WIDTH + j % TILE_WIDTH] =
                j < width ? pass->a[layer][j] : 1;
        }
    }
}

/* Activations and deltas of every NORMAL_JOBS-th sample of the chunk. */
static void fill(void *context, int job)
{
    const struct chunk *chunk = context;
    const struct normal *n = chunk->normal;
    const struct topology *t = &chunk->model->topology;
    size_t inputs = (size_t)t->widths[0];
    size_t outputs = (size_t)t->widths[t->layer_count];
    struct pass pass = pass_new(chunk->model, n->scratch + (size_t)job * n->slice);
    for (size_t s = (size_t)job; s < chunk->count; s += NORMAL_JOBS) {
        size_t sample = chunk->first + s;
        memcpy(pass.a[0], chunk->samples->x + sample * inputs, inputs * sizeof(double));
        forward(&pass);
        put_inputs(n, &pass, s);
        for (size_t o = 0; o < outputs; o++) {
            double *delta = n->delta + o * n->unit_count * TILE_ROWS + s;
            double r = pass.a[t->layer_count][o] - chunk->samples->t[sample * outputs + o];
            hidden_deltas(&pass, (int)o, n->weight[o], delta);
            for (size_t u = 0; u + 1 < n->unit_count; u++) {
                if (n->units[u].output == (int)o) {
                    delta[u * TILE_ROWS] = n->weight[o];
                }
            }
            delta[(n->unit_count - 1) * TILE_ROWS] = r * n->weight[o];
        }
    }
}

/* ---- blocks ---- */

static size_t panels(const struct normal_unit *unit)
{
    return ((size_t)unit->columns + TILE_WIDTH) / TILE_WIDTH;
}

/* d[s] = sum over outputs of delta_ou delta_ov; false where the units share no output. */
static bool products(const struct chunk *chunk, size_t u, size_t v, double *d)
{
    const struct normal *n = chunk->normal;
    const struct topology *t = &chunk->model->topology;
    int of_u = n->units[u].output;
    int of_v = n->units[v].output;
    if (of_u >= 0 && of_v >= 0 && of_u != of_v) {
        return false;
    }
    int only = of_u >= 0 ? of_u : of_v;
    size_t stride = n->unit_count * TILE_ROWS;
    const double *delta = n->delta + (only >= 0 ? (size_t)only * stride : 0);
    size_t outputs = only >= 0 ? 1 : (size_t)t->widths[t->layer_count];
    n->kernels->products(delta + u * TILE_ROWS, delta + v * TILE_ROWS, stride, outputs, d);
    return true;
}

static const double *inputs_of(const struct normal *n, const struct normal_unit *unit,
                               const double *ones)
{
    return unit->input < 0 ? ones : n->inputs[unit->input];
}

/* All blocks in which unit `u` is the row: columns are the units from it on. */
static void add_blocks(const struct chunk *chunk, size_t u, double *d, const double *ones)
{
    struct normal *n = chunk->normal;
    const struct normal_unit *row = &n->units[u];
    for (size_t v = u; v < n->unit_count; v++) {
        const struct normal_unit *column = &n->units[v];
        if (!products(chunk, u, v, d)) {
            continue;
        }
        for (size_t panel = 0; panel < panels(row); panel++) {
            size_t at = (row->at + panel * TILE_WIDTH) * n->padded_stride + column->at;
            n->kernels->multiply(inputs_of(n, row, ones) + panel * TILE_PANEL, d,
                                 inputs_of(n, column, ones), panels(column),
                                 (struct tile){n->padded + at, n->padded_stride, chunk->count});
        }
    }
}

static void add_rows(void *context, int job)
{
    const struct chunk *chunk = context;
    const struct normal *n = chunk->normal;
    double ones[TILE_PANEL] = {0};
    for (size_t s = 0; s < TILE_ROWS; s++) {
        ones[s * TILE_WIDTH] = 1;
    }
    double *d = n->scratch + (size_t)job * n->slice;
    for (size_t u = (size_t)job; u < n->unit_count; u += NORMAL_JOBS) {
        add_blocks(chunk, u, d, ones);
    }
}

/* ---- from padded blocks to the parameters' order ---- */

static size_t parameter(const struct normal_unit *unit, size_t column)
{
    return column < (size_t)unit->columns ? unit->weights + column : unit->bias;
}

static void scatter(struct normal *n, const struct normal_unit *row,
                    const struct normal_unit *column)
{
    for (size_t i = 0; i <= (size_t)row->columns; i++) {
        for (size_t j = 0; j <= (size_t)column->columns; j++) {
            size_t p = parameter(row, i);
            size_t q = parameter(column, j);
            if (p != NORMAL_NO_BIAS && q != NORMAL_NO_BIAS) {
                n->matrix[(p < q ? p : q) * n->stride + (p < q ? q : p)] =
                    n->padded[(row->at + i) * n->padded_stride + column->at + j];
            }
        }
    }
}

void normal_sum(struct normal *n, const struct model *model, const struct sample_set *samples)
{
    memset(n->padded, 0, n->padded_stride * n->padded_stride * sizeof *n->padded);
    for (size_t first = 0; first < samples->count; first += TILE_ROWS) {
        size_t left = samples->count - first;
        struct chunk chunk = {n, model, samples, first, left < TILE_ROWS ? left : TILE_ROWS};
        pool_run(n->pool, NORMAL_JOBS, fill, &chunk);
        pool_run(n->pool, NORMAL_JOBS, add_rows, &chunk);
    }
    for (size_t u = 0; u < n->unit_count; u++) {
        for (size_t v = u; v < n->unit_count; v++) {
            scatter(n, &n->units[u], &n->units[v]);
        }
    }
}
