#include "train/gradient.h"

#include <math.h>
#include <string.h>

/* ---- layout ---- */

static size_t round_up(size_t count)
{
    return (count + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

static void set_layer(struct gradient *g, int index, int inputs, int outputs)
{
    struct gradient_layer *layer = &g->layers[index];
    bool last = index >= g->layer_count - 1;
    layer->inputs = inputs;
    layer->dense.rows = outputs;
    layer->dense.columns = kernel_even(inputs);
    layer->dense.adds = index == g->layer_count;
    layer->weight = g->weight_count;
    layer->row = g->rows;
    bool first = index == 0 || index == g->layer_count;
    layer->fraction = fixed_fraction(first ? g->shape.dense_type : g->shape.hidden_type);
    layer->extra =
        layer->fraction - fixed_fraction(last ? g->shape.out_type : g->shape.hidden_type);
    g->weight_count += (size_t)outputs * (size_t)layer->dense.columns;
    g->rows += (size_t)outputs;
}

static void set_layout(struct gradient *g)
{
    const struct topology *t = &g->shape.topology;
    g->layer_count = t->layer_count;
    for (int i = 0; i < t->layer_count; i++) {
        set_layer(g, i, t->widths[i], t->widths[i + 1]);
    }
    g->dense_count = g->layer_count;
    if (g->shape.has_skip) {
        set_layer(g, g->dense_count++, t->widths[0], t->widths[t->layer_count]);
    }
    g->weight_count = round_up(g->weight_count);
    g->rows = round_up(g->rows);
    g->count = g->weight_count + g->rows;
}

static bool floats_new(struct arena *arena, size_t count, float **floats)
{
    *floats = arena_alloc(arena, count, sizeof **floats);
    return *floats != NULL;
}

static bool state_new(struct gradient *g, struct arena *arena)
{
    struct gradient_state *s = &g->state;
    *s = (struct gradient_state){.power1 = 1, .power2 = 1};
    s->crossing = (uint32_t)g->settings.float_epochs;
    s->word_count = 5 * g->count + g->weight_count + 5 * g->rows;
    if (!floats_new(arena, s->word_count, &s->words)) {
        return false;
    }
    s->parameters = s->words;
    s->first = s->parameters + g->count;
    s->second = s->first + g->count;
    s->best = s->second + g->count;
    s->free = s->best + g->count;
    s->step = s->free + g->weight_count;
    s->step_first = s->step + g->rows;
    s->step_second = s->step_first + g->rows;
    s->scale = s->step_second + g->rows;
    s->best_scale = s->scale + g->rows;
    s->reals = s->best_scale + g->rows;
    return true;
}

/* Columns of the widest layer. */
static int widest(const struct gradient *g)
{
    int columns = 0;
    for (int i = 0; i < g->dense_count; i++) {
        columns = g->layers[i].dense.columns > columns ? g->layers[i].dense.columns : columns;
    }
    return columns;
}

static bool arrays_new(struct gradient *g, struct arena *arena)
{
    size_t inputs = (size_t)g->layers[0].dense.columns;
    size_t outputs = (size_t)g->layers[g->layer_count - 1].dense.rows;
    g->places = arena_alloc(arena, (size_t)widest(g), sizeof *g->places);
    g->mean = arena_alloc(arena, inputs, sizeof *g->mean);
    g->inverse = arena_alloc(arena, inputs, sizeof *g->inverse);
    g->codes = arena_alloc(arena, g->weight_count, sizeof *g->codes);
    g->bias_codes = arena_alloc(arena, g->rows, sizeof *g->bias_codes);
    g->shift = arena_alloc(arena, g->rows, sizeof *g->shift);
    g->candidates = arena_alloc(arena, g->weight_count, sizeof *g->candidates);
    return g->places && g->mean && g->inverse && g->candidates && g->codes && g->bias_codes &&
           g->shift && floats_new(arena, inputs, &g->unpack_scale) &&
           floats_new(arena, inputs, &g->unpack_offset) &&
           floats_new(arena, g->count, &g->gradient) && floats_new(arena, g->count, &g->decay) &&
           floats_new(arena, g->weight_count, &g->level_scale) &&
           floats_new(arena, g->weight_count, &g->level_inverse) &&
           floats_new(arena, g->weight_count, &g->level_step) &&
           floats_new(arena, g->weight_count, &g->product) &&
           floats_new(arena, g->weight_count, &g->effective) &&
           floats_new(arena, outputs, &g->unit) && floats_new(arena, outputs, &g->loss_weight);
}

static bool block_new(struct gradient *g, struct arena *arena)
{
    struct gradient_block *b = &g->block;
    size_t inputs = (size_t)g->layers[0].dense.columns;
    bool fine = true;
    for (int i = 0; i < g->layer_count; i++) {
        size_t size = (size_t)kernel_even(g->layers[i].dense.rows) * GRADIENT_BLOCK;
        b->codes[i] = arena_alloc(arena, size, sizeof *b->codes[i]);
        b->out_pairs[i] = arena_alloc(arena, size / 2, sizeof *b->out_pairs[i]);
        fine = fine && b->codes[i] && b->out_pairs[i] && floats_new(arena, size, &b->z[i]) &&
               floats_new(arena, size, &b->a[i]) && floats_new(arena, size, &b->delta[i]);
    }
    int outputs = g->layers[g->layer_count - 1].dense.rows;
    b->pairs = arena_alloc(arena, inputs / 2 * GRADIENT_BLOCK, sizeof *b->pairs);
    return fine && b->pairs && floats_new(arena, inputs * GRADIENT_BLOCK, &b->x) &&
           floats_new(arena, (size_t)kernel_even(outputs) * GRADIENT_BLOCK, &b->targets) &&
           floats_new(arena, GRADIENT_BLOCK, &b->mask) &&
           floats_new(arena, kernel_scratch(widest(g)), &b->scratch);
}

static void point_layers(struct gradient *g)
{
    for (int i = 0; i < g->dense_count; i++) {
        struct gradient_layer *layer = &g->layers[i];
        layer->dense.weights = g->state.parameters + layer->weight;
        layer->dense.bias = g->state.parameters + g->weight_count + layer->row;
        layer->dense.codes = g->codes + layer->weight;
        layer->dense.bias_codes = g->bias_codes + layer->row;
        layer->dense.shift = g->shift + layer->row;
    }
}

static void set_inputs(struct gradient *g, const struct packed *samples)
{
    int inputs = g->layers[0].inputs;
    packed_statistics(samples, inputs, g->mean, g->inverse);
    for (int j = 0; j < inputs; j++) {
        g->unpack_scale[j] = (float)ldexp(g->inverse[j], -samples->fraction);
        g->unpack_offset[j] = (float)(-g->mean[j] * g->inverse[j]);
    }
}

bool gradient_new(struct gradient *g, struct arena *arena, const struct gradient_shape *shape,
                  const struct packed *samples, const double *weight)
{
    const struct kernels *kernels = g->kernels;
    struct gradient_settings settings = g->settings;
    *g = (struct gradient){.kernels = kernels, .shape = *shape, .settings = settings};
    set_layout(g);
    if (!state_new(g, arena) || !arrays_new(g, arena) || !block_new(g, arena)) {
        return false;
    }
    point_layers(g);
    set_inputs(g, samples);
    gradient_set_gain(g, 0);
    g->range[0] = type_low(shape->out_type);
    g->range[1] = type_high(shape->out_type);
    size_t decaying = shape->has_skip ? g->layers[g->layer_count].weight : g->weight_count;
    for (size_t i = 0; i < g->weight_count; i++) {
        g->decay[i] = i < decaying ? (float)settings.decay : (float)settings.skip_decay;
        g->state.free[i] = 1.0F;
    }
    for (int i = 0; i < g->layers[g->layer_count - 1].dense.rows; i++) {
        g->loss_weight[i] = (float)(weight ? weight[i] * weight[i] : 1);
    }
    return true;
}

void gradient_set_gain(struct gradient *g, int gain)
{
    int rows = g->layers[g->layer_count - 1].dense.rows;
    int fraction = fixed_fraction(g->shape.out_type) - gain;
    g->state.gain = (uint32_t)gain;
    for (int i = 0; i < rows; i++) {
        g->unit[i] = (float)ldexp(1, -fraction);
    }
    for (int i = g->layer_count - 1; i < g->dense_count; i++) {
        g->layers[i].extra = g->layers[i].fraction - fraction;
    }
}

/* ---- first weights ---- */

static void random_weights(struct gradient *g, int index, struct rng *rng)
{
    const struct gradient_layer *layer = &g->layers[index];
    bool hidden = index + 1 < g->layer_count;
    double reach = (hidden ? 1.0 : 0.25) * sqrt(3.0 / layer->inputs);
    for (int i = 0; i < layer->dense.rows; i++) {
        float *row = g->state.parameters + layer->weight + (size_t)(i * layer->dense.columns);
        for (int j = 0; j < layer->inputs; j++) {
            row[j] = (float)rng_uniform(rng, -reach, reach);
        }
    }
}

/* Mean and deviation of one row of a buffer over `count` samples. */
static void row_statistics(const float *z, int stride, size_t count, double *mean,
                           double *deviation)
{
    double sum = 0;
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        size_t group = i / KERNEL_LANES;
        double v = (double)z[group * (size_t)stride * KERNEL_LANES + i % KERNEL_LANES];
        sum += v;
        square += v * v;
    }
    *mean = sum / (double)count;
    double variance = square / (double)count - *mean * *mean;
    *deviation = variance > 0 ? sqrt(variance) : 0;
}

/* Bring the pre-activations of a layer to deviation 1/2 and means within +-0.3. */
static void spread_rows(struct gradient *g, int index, size_t count, struct rng *rng)
{
    const struct gradient_layer *layer = &g->layers[index];
    const struct dense *d = &layer->dense;
    for (int i = 0; i < d->rows; i++) {
        double mean;
        double deviation;
        row_statistics(g->block.z[index] + (size_t)i * KERNEL_LANES, kernel_even(d->rows), count,
                       &mean, &deviation);
        double factor = deviation > 1e-6 ? 0.5 / deviation : 1;
        float *row = g->state.parameters + layer->weight + (size_t)(i * d->columns);
        for (int j = 0; j < layer->inputs; j++) {
            row[j] = (float)((double)row[j] * factor);
        }
        float *bias = g->state.parameters + g->weight_count + layer->row + (size_t)i;
        *bias = (float)(rng_uniform(rng, -0.3, 0.3) - mean * factor);
    }
}

void gradient_init(struct gradient *g, const struct packed *samples)
{
    struct rng rng = rng_new(g->settings.seed, 1);
    size_t count = samples->count < GRADIENT_BLOCK ? samples->count : GRADIENT_BLOCK;
    memset(g->state.parameters, 0, g->count * sizeof *g->state.parameters);
    for (int i = 0; i < g->layer_count; i++) {
        random_weights(g, i, &rng);
    }
    int groups = gradient_gather(g, samples, NULL, 0, count);
    for (int i = 0; i + 1 < g->layer_count; i++) {
        gradient_forward(g, groups);
        spread_rows(g, i, count, &rng);
    }
}

/* ---- the float model ---- */

static size_t model_offset(const struct gradient *g, const struct model *model, int index)
{
    return index == g->layer_count ? model_skip(model) : model_weights(model, index);
}

/* Layers that see the inputs: theirs are standardised. */
static bool sees_inputs(const struct gradient *g, int index)
{
    return index == 0 || index == g->layer_count;
}

void gradient_to_model(const struct gradient *g, struct model *model)
{
    for (int i = 0; i < g->dense_count; i++) {
        const struct gradient_layer *layer = &g->layers[i];
        double unit = i + 1 >= g->layer_count ? ldexp(1, -(int)g->state.gain) : 1;
        double *w = model->parameter + model_offset(g, model, i);
        int target = i < g->layer_count ? i : g->layer_count - 1;
        double *b = model->parameter + model_biases(model, target);
        for (int r = 0; r < layer->dense.rows; r++, w += layer->inputs) {
            const float *row = g->state.parameters + layer->weight + r * layer->dense.columns;
            bool skip = i == g->layer_count; /* it has no biases of its own */
            double bias =
                skip ? 0 : (double)g->state.parameters[g->weight_count + layer->row + (size_t)r];
            for (int j = 0; j < layer->inputs; j++) {
                double inverse = sees_inputs(g, i) ? g->inverse[j] : 1;
                w[j] = (double)row[j] * inverse * unit;
                bias -= sees_inputs(g, i) ? (double)row[j] * inverse * g->mean[j] : 0;
            }
            b[r] = bias * unit + (skip ? b[r] : 0);
        }
    }
}
