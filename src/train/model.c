#include "train/model.h"

#include <math.h>

size_t model_weights(const struct model *model, int layer)
{
    size_t at = 0;
    for (int i = 0; i < layer; i++) {
        at += ((size_t)model->topology.widths[i] + 1) * (size_t)model->topology.widths[i + 1];
    }
    return at;
}

size_t model_biases(const struct model *model, int layer)
{
    const int *widths = model->topology.widths;
    return model_weights(model, layer) + (size_t)widths[layer] * (size_t)widths[layer + 1];
}

size_t model_skip(const struct model *model)
{
    return model_weights(model, model->topology.layer_count);
}

bool model_new(struct model *model, struct arena *arena, const struct topology *topology,
               enum activation activation, bool has_skip)
{
    size_t inputs = (size_t)topology->widths[0];
    size_t outputs = (size_t)topology->widths[topology->layer_count];
    *model = (struct model){.topology = *topology, .activation = activation, .has_skip = has_skip};
    model->count = topology_parameters(topology) + (has_skip ? inputs * outputs : 0);
    model->parameter = arena_alloc(arena, model->count, sizeof *model->parameter);
    return model->parameter != NULL;
}

void model_init(struct model *model, double gain, struct rng *rng)
{
    const struct topology *t = &model->topology;
    for (size_t i = 0; i < model->count; i++) {
        model->parameter[i] = 0;
    }
    for (int layer = 0; layer + 1 < t->layer_count; layer++) {
        /* A uniform in -r..r has variance r^2 / 3. */
        double reach = gain * sqrt(3.0 / t->widths[layer]);
        size_t biases = model_biases(model, layer);
        for (size_t i = model_weights(model, layer); i < biases; i++) {
            model->parameter[i] = rng_uniform(rng, -reach, reach);
        }
        for (int i = 0; i < t->widths[layer + 1]; i++) {
            model->parameter[biases + (size_t)i] = rng_uniform(rng, -0.3, 0.3);
        }
    }
}

double model_activate(enum activation activation, double z, double *slope)
{
    double v = z > 1 ? 1 : z < -1 ? -1 : z;
    double inside = v == z ? 1 : 0;
    double unused;
    double *d = slope ? slope : &unused;
    switch (activation) {
    case ACTIVATION_NONE: *d = 1; return z;
    case ACTIVATION_CUBIC: *d = inside * (1.5 - 1.5 * v * v); return (1.5 - 0.5 * v * v) * v;
    case ACTIVATION_PSIG: *d = inside * (2 - 2 * fabs(v)); return v * (2 - fabs(v));
    case ACTIVATION_RELU: *d = v > 0 ? inside : 0; return v > 0 ? v : 0;
    case ACTIVATION_ABS: *d = v > 0 ? inside : -inside; return fabs(v);
    case ACTIVATION_LEAKY: *d = v > 0 ? inside : inside / 8; return v > 0 ? v : v / 8;
    case ACTIVATION_CLIP: *d = inside; return v;
    }
    return z;
}

size_t model_scratch(const struct model *model)
{
    int width = 1;
    for (int i = 0; i <= model->topology.layer_count; i++) {
        width = model->topology.widths[i] > width ? model->topology.widths[i] : width;
    }
    return 2 * (size_t)width;
}

double model_dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

void model_forward(const struct model *model, const double *x, double *y, double *scratch)
{
    const struct topology *t = &model->topology;
    size_t width = model_scratch(model) / 2;
    const double *from = x;
    for (int layer = 0; layer < t->layer_count; layer++) {
        bool last = layer + 1 == t->layer_count;
        double *to = last ? y : scratch + (layer % 2 ? width : 0);
        const double *w = model->parameter + model_weights(model, layer);
        const double *b = model->parameter + model_biases(model, layer);
        for (int i = 0; i < t->widths[layer + 1]; i++, w += t->widths[layer]) {
            double z = b[i] + model_dot(w, from, t->widths[layer]);
            to[i] = model_activate(last ? ACTIVATION_NONE : model->activation, z, NULL);
        }
        from = to;
    }
    if (model->has_skip) {
        const double *w = model->parameter + model_skip(model);
        for (int i = 0; i < t->widths[t->layer_count]; i++, w += t->widths[0]) {
            y[i] += model_dot(w, x, t->widths[0]);
        }
    }
}

/* How much the integer activation falls short of the real one on average, in Q15: its last step
 * floors (SPEC 5). */
static double floor_mean(enum activation activation)
{
    switch (activation) {
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return 0.5 / 32768;
    case ACTIVATION_LEAKY: /* the floor is on the negative side only: eighths 0..7, half the time */
        return 0.5 * 3.5 / 8 / 32768;
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_ABS:
    case ACTIVATION_CLIP: return 0;
    }
    return 0;
}

double model_row_bias(const struct model *model, int layer, int row)
{
    int columns = model->topology.widths[layer];
    const double *w = model->parameter + model_weights(model, layer) + row * columns;
    double sum = 0;
    for (int j = 0; j < columns && layer > 0; j++) {
        sum += w[j];
    }
    return model->parameter[model_biases(model, layer) + (size_t)row] +
           sum * floor_mean(model->activation);
}

static struct fixed_demand demand_of(const double *w, int columns, double bias, int bits, int extra)
{
    struct fixed_demand d = {
        .bias = bias, .columns = columns, .bits = bits, .extra = extra, .fraction = 15};
    for (int j = 0; j < columns; j++) {
        double size = fabs(w[j]);
        d.sum += size;
        d.largest = size > d.largest ? size : d.largest;
    }
    return d;
}

void model_round(const struct model *model, int bits, enum type out_type, struct fixed *fixed)
{
    const struct topology *t = &model->topology;
    int extra = fixed_extra(out_type);
    fixed->out_type = out_type;
    for (int layer = 0; layer <= t->layer_count; layer++) {
        bool skip = layer == t->layer_count;
        bool last = layer + 1 >= t->layer_count;
        if (skip && !model->has_skip) {
            break;
        }
        struct fixed_dense *dense = skip ? &fixed->skip : &fixed->layers[layer];
        dense->bits = bits;
        dense->activation = last ? ACTIVATION_NONE : model->activation;
        for (int i = 0; i < dense->rows; i++) {
            const double *w = model->parameter + model_weights(model, layer) + i * dense->columns;
            double b = skip ? 0 : model_row_bias(model, layer, i);
            struct fixed_demand d = demand_of(w, dense->columns, b, bits, last ? extra : 0);
            fixed_set_row(dense, i, w, b, fixed_scale(&d), d.extra);
        }
    }
}
