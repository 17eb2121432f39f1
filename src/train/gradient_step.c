/* One optimiser step: gather, forward, loss, backward, Adam. */
#include "train/gradient.h"

#define BETA1       0.9
#define BETA2       0.999
#define EPSILON     1e-8F
#define STEPS_EVERY 4 /* optimiser steps between two moves of the learned steps */

/* out[word][lane] = word `word` of row from[row[lane]]; constant lanes, so that it unrolls. */
static void gather_words(int32_t *restrict out, const int32_t *restrict from, int words,
                         const size_t rows[KERNEL_LANES])
{
    size_t at[KERNEL_LANES];
    for (int l = 0; l < KERNEL_LANES; l++) {
        at[l] = rows[l] * (size_t)words;
    }
    for (int w = 0; w < words; w++, from++, out += KERNEL_LANES) {
        for (int l = 0; l < KERNEL_LANES; l++) {
            out[l] = from[at[l]];
        }
    }
}

static void gather_floats(float *restrict out, const float *restrict from, int words,
                          const size_t rows[KERNEL_LANES])
{
    size_t at[KERNEL_LANES];
    for (int l = 0; l < KERNEL_LANES; l++) {
        at[l] = rows[l] * (size_t)words;
    }
    for (int w = 0; w < words; w++, from++, out += KERNEL_LANES) {
        for (int l = 0; l < KERNEL_LANES; l++) {
            out[l] = from[at[l]];
        }
    }
}

int gradient_gather(struct gradient *g, const struct packed *s, const uint32_t *rows, size_t first,
                    size_t count)
{
    struct gradient_block *b = &g->block;
    int groups = (int)((count + KERNEL_LANES - 1) / KERNEL_LANES);
    /* LOSS_CROSS_ENTROPY reads one target a sample, the others as many as there are outputs. */
    int stride = g->shape.loss == LOSS_CROSS_ENTROPY ? 1 : kernel_even(s->target_count);
    for (int group = 0; group < groups; group++) {
        size_t at[KERNEL_LANES];
        size_t start = (size_t)group * KERNEL_LANES;
        size_t real = count - start < KERNEL_LANES ? count - start : KERNEL_LANES;
        for (size_t l = 0; l < KERNEL_LANES; l++) {
            size_t i = l < real ? start + l : 0; /* padding repeats a sample, with weight 0 */
            at[l] = rows ? rows[i] : first + i;
            b->mask[start + l] = l < real ? 1.0F : 0.0F;
        }
        gather_words(b->pairs + group * s->pairs * KERNEL_LANES, s->codes, s->pairs, at);
        gather_floats(b->targets + group * stride * KERNEL_LANES, s->targets, s->target_count, at);
    }
    g->kernels->unpack(groups, 2 * s->pairs, b->pairs, g->unpack_scale, g->unpack_offset, b->x);
    return groups;
}

static void forward_reals(struct gradient *g, int groups)
{
    struct gradient_block *b = &g->block;
    const struct kernels *k = g->kernels;
    int last = g->layer_count - 1;
    const float *x = b->x;
    for (int i = 0; i <= last; i++) {
        const struct dense *dense = &g->layers[i].dense;
        k->forward_float(dense, groups, x, b->z[i]);
        if (i < last) {
            k->activate_float(g->shape.activation, groups, dense->rows, b->z[i], b->a[i],
                              b->delta[i]);
        }
        x = b->a[i];
    }
    if (g->shape.has_skip) {
        k->forward_float(&g->layers[g->layer_count].dense, groups, b->x, b->z[last]);
    }
}

static void forward_codes(struct gradient *g, int groups)
{
    struct gradient_block *b = &g->block;
    const struct kernels *k = g->kernels;
    int last = g->layer_count - 1;
    const int32_t *pairs = b->pairs;
    for (int i = 0; i <= last; i++) {
        const struct dense *dense = &g->layers[i].dense;
        k->forward_int(dense, groups, pairs, b->codes[i]);
        if (i < last) {
            struct activate_step step = {.activation = g->shape.activation,
                                         .groups = groups,
                                         .rows = dense->rows,
                                         .fraction = fixed_fraction(g->shape.hidden_type),
                                         .z = b->codes[i],
                                         .pairs = b->out_pairs[i],
                                         .a = b->a[i],
                                         .slope = b->delta[i]};
            k->activate_int(&step);
        }
        pairs = b->out_pairs[i];
    }
    if (g->shape.has_skip) {
        k->forward_int(&g->layers[g->layer_count].dense, groups, b->pairs, b->codes[last]);
    }
    k->output_values(groups, g->layers[last].dense.rows, b->codes[last], g->range, g->unit,
                     b->z[last]);
}

void gradient_forward(struct gradient *g, int groups)
{
    if (g->integer) {
        forward_codes(g, groups);
    } else {
        forward_reals(g, groups);
    }
}

double gradient_loss(struct gradient *g, int groups, double scale)
{
    int last = g->layer_count - 1;
    struct loss_block block = {.loss = g->shape.loss,
                               .groups = groups,
                               .outputs = g->layers[last].dense.rows,
                               .y = g->block.z[last],
                               .dy = g->block.delta[last],
                               .targets = g->block.targets,
                               .weight = g->loss_weight,
                               .mask = g->block.mask,
                               .scale = (float)scale,
                               .delta = (float)g->settings.delta};
    return (double)g->kernels->loss(&block);
}

static void backward_layer(struct gradient *g, int index, int groups, bool add)
{
    struct gradient_block *b = &g->block;
    const struct gradient_layer *layer = &g->layers[index];
    bool skip = index == g->layer_count;
    struct outer outer = {.rows = layer->dense.rows,
                          .columns = layer->dense.columns,
                          .groups = groups,
                          .add = add,
                          .dz = b->delta[skip ? index - 1 : index],
                          .x = index == 0 || skip ? b->x : b->a[index - 1],
                          .scratch = b->scratch,
                          .gradient = g->gradient + layer->weight,
                          .bias_gradient = g->gradient + g->weight_count + layer->row};
    if (skip) {
        outer.bias_gradient = NULL;
    }
    g->kernels->backward_weights(&outer);
    if (index > 0 && !skip) {
        g->kernels->backward_input(&layer->dense, groups, outer.dz, b->delta[index - 1]);
    }
}

void gradient_backward(struct gradient *g, int groups, bool add)
{
    for (int i = g->dense_count - 1; i >= 0; i--) {
        backward_layer(g, i, groups, add);
    }
}

static void adam_step(struct gradient *g, double rate)
{
    struct gradient_state *s = &g->state;
    s->steps++;
    s->power1 *= BETA1;
    s->power2 *= BETA2;
    struct adam_step step = {.count = g->weight_count,
                             .weights = s->parameters,
                             .first = s->first,
                             .second = s->second,
                             .gradient = g->gradient,
                             .mask = g->integer ? s->free : NULL,
                             .decay = g->decay,
                             .rate = (float)rate,
                             .beta1 = (float)BETA1,
                             .beta2 = (float)BETA2,
                             .epsilon = EPSILON,
                             .correction1 = (float)(1 / (1 - s->power1)),
                             .correction2 = (float)(1 / (1 - s->power2))};
    g->kernels->adam(&step);
    step.count = g->count - g->weight_count;
    step.weights += g->weight_count;
    step.first += g->weight_count;
    step.second += g->weight_count;
    step.gradient += g->weight_count;
    step.decay += g->weight_count;
    step.mask = NULL;
    g->kernels->adam(&step);
}

double gradient_step(struct gradient *g, const struct packed *samples, const uint32_t *rows,
                     size_t count, double rate)
{
    double scale = 1 / ((double)count * (double)g->layers[g->layer_count - 1].dense.rows);
    double total = 0;
    for (size_t at = 0; at < count; at += GRADIENT_BLOCK) {
        size_t size = count - at < GRADIENT_BLOCK ? count - at : GRADIENT_BLOCK;
        int groups = gradient_gather(g, samples, rows ? rows + at : NULL, at, size);
        gradient_forward(g, groups);
        total += gradient_loss(g, groups, scale);
        gradient_backward(g, groups, at > 0);
    }
    if (g->integer && g->step_rate > 0 && g->state.steps % STEPS_EVERY == 0) {
        qat_learn_steps(g, g->step_rate);
    }
    adam_step(g, rate);
    if (g->integer) {
        qat_round(g);
    }
    return total;
}

/* The first of the largest of `rows` values, KERNEL_LANES apart. */
static int largest(const float *y, int rows)
{
    int best = 0;
    for (int r = 1; r < rows; r++) {
        best = y[r * KERNEL_LANES] > y[best * KERNEL_LANES] ? r : best;
    }
    return best;
}

static size_t wrong_classes(const struct gradient *g, int groups)
{
    int rows = g->layers[g->layer_count - 1].dense.rows;
    size_t wrong = 0;
    for (int i = 0; i < groups * KERNEL_LANES; i++) {
        int at = (i / KERNEL_LANES) * kernel_even(rows) * KERNEL_LANES + i % KERNEL_LANES;
        int class = g->shape.loss == LOSS_CROSS_ENTROPY ? (int)g->block.targets[i]
                                                        : largest(g->block.targets + at, rows);
        wrong +=
            g->block.mask[i] > 0 && class != largest(g->block.z[g->layer_count - 1] + at, rows);
    }
    return wrong;
}

struct gradient_score gradient_evaluate(struct gradient *g, const struct packed *samples)
{
    struct gradient_score score = {0, 0};
    for (size_t at = 0; at < samples->count; at += GRADIENT_BLOCK) {
        size_t left = samples->count - at;
        int groups =
            gradient_gather(g, samples, NULL, at, left < GRADIENT_BLOCK ? left : GRADIENT_BLOCK);
        gradient_forward(g, groups);
        score.loss += gradient_loss(g, groups, 1.0);
        if (g->shape.classes) {
            score.wrong += wrong_classes(g, groups);
        }
    }
    score.loss /= (double)samples->count * g->layers[g->layer_count - 1].dense.rows;
    return score;
}
