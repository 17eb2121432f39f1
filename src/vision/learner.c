#include "net/net.h"
#include "vision/pass.h"

#include <math.h>
#include <string.h>

#define SHRINK_TRIES   100 /* 0.9^100 leaves nothing */
#define VARIANCE_LEAST 1e-5
#define EXACT          16777216.0 /* floats hold all integers up to here */
#define BIAS_MOST      4194304.0  /* with sums below 2^23 it stays below that */

/* Weight (group, output, tap, input) of a transposed convolution, or its place when turned. */
void pass_turn(const struct node *node, const float *from, float *to, bool back)
{
    const struct conv *conv = &node->conv; /* rows: inputs, channels: outputs */
    size_t columns = (size_t)conv->taps * (size_t)conv->rows;
    for (size_t i = 0; i < node->weight_count; i++) {
        size_t output = i / columns;
        size_t tap = i % columns / (size_t)conv->rows;
        size_t row = i % (size_t)conv->rows;
        size_t group = output / (size_t)conv->channels;
        size_t channel = output % (size_t)conv->channels;
        size_t there = ((group * (size_t)conv->rows + row) * (size_t)conv->taps + tap) *
                           (size_t)conv->channels +
                       channel;
        to[back ? i : there] = from[back ? there : i];
    }
}

/* ---- statistics ---- */

/* Numbers per channel that kernels read, in the pass's row memory. */
enum row_place { ROW_SCALE, ROW_SHIFT, ROW_EXTRA, ROW_SUMS, ROW_PRODUCTS };

static float *row_of(struct pass *pass, enum row_place place)
{
    return pass->row + (size_t)place * (pass->graph->widest + VISION_LANES);
}

static struct pixels pixels_of(struct pass *pass, const struct node *node, float *y)
{
    const struct volume *out = &node->layer->out;
    return (struct pixels){.positions = out->rows * out->columns * pass->graph->groups,
                           .channels = node->rows,
                           .z = pass->sums[node->index],
                           .y = y,
                           .scale = row_of(pass, ROW_SCALE),
                           .shift = row_of(pass, ROW_SHIFT),
                           .extra = row_of(pass, ROW_EXTRA),
                           .top = (float)node->top,
                           .bottom = (float)node->bottom,
                           .sums = row_of(pass, ROW_SUMS),
                           .products = row_of(pass, ROW_PRODUCTS),
                           .scratch = pass->scratch};
}

static double sample_count(const struct pixels *pixels)
{
    return (double)pixels->positions * VISION_LANES;
}

/* Mean and variance of a node's sums: the block's, or the fixed ones. */
static void take_statistics(struct pass *pass, const struct learner *learner,
                            const struct node *node)
{
    struct pixels pixels = pixels_of(pass, node, NULL);
    double count = sample_count(&pixels);
    if (!learner->fixed) {
        learner->kernels->moments(&pixels);
    }
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        if (learner->fixed) {
            pass->mean[row] = learner->mean[row];
            pass->variance[row] = learner->variance[row];
            continue;
        }
        double mean = (double)pixels.sums[r] / count;
        double variance = (double)pixels.products[r] / count - mean * mean;
        pass->mean[row] = mean;
        pass->variance[row] = variance > 0 ? variance : 0;
    }
}

/* ---- activation ---- */

static double deviation(const struct pass *pass, int row)
{
    return sqrt(pass->variance[row] + VARIANCE_LEAST);
}

double learner_bias(const struct learner *learner, int row, double mean)
{
    const struct graph *graph = learner->graph;
    double beta = (double)graph_betas(graph, learner->parameters)[row] * learner->unit[row];
    double bias = floor(ldexp(beta, learner->shift[row]) - mean + 0.5);
    return bias < -BIAS_MOST ? -BIAS_MOST : bias > BIAS_MOST ? BIAS_MOST : bias;
}

bool learner_bias_has_room(const struct learner *learner, int row)
{
    double beta = (double)graph_betas(learner->graph, learner->parameters)[row];
    return fabs(ldexp(beta * learner->unit[row], learner->shift[row] + 1)) < BIAS_MOST / 2;
}

/* scale and shift of normalise() */
static void fill_real(struct pass *pass, const struct learner *learner, const struct node *node)
{
    const struct graph *graph = learner->graph;
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double beta = (double)graph_betas(graph, learner->parameters)[row];
        double gamma = (double)graph_gammas(graph, learner->parameters)[row];
        double scale = gamma / deviation(pass, row);
        row_of(pass, ROW_SCALE)[r] = (float)scale;
        row_of(pass, ROW_SHIFT)[r] = (float)(beta - pass->mean[row] * scale);
    }
}

/* scale and shift of requantise() */
static void fill_integer(struct pass *pass, const struct learner *learner, const struct node *node)
{
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        int shift = learner->shift[row];
        double half = shift > 0 ? ldexp(0.5, shift) : 0;
        row_of(pass, ROW_SCALE)[r] = (float)ldexp(1, -shift);
        row_of(pass, ROW_SHIFT)[r] = (float)(learner_bias(learner, row, pass->mean[row]) + half);
    }
}

/* Codes whose mean is the logits: scale and shift of requantise(), without statistics. */
static void fill_averaged(struct pass *pass, const struct learner *learner, const struct node *node)
{
    double half = node->down > 0 ? ldexp(0.5, node->down) : 0;
    for (int r = 0; r < node->rows; r++) {
        row_of(pass, ROW_SCALE)[r] = (float)ldexp(1, -node->down);
        row_of(pass, ROW_SHIFT)[r] = (float)(learner_bias(learner, node->row + r, 0) + half);
    }
}

/* The last layer: logits = scale (sum + bias), without statistics. */
static void fill_logits(struct pass *pass, const struct learner *learner, const struct node *node)
{
    const float *betas = graph_betas(learner->graph, learner->parameters);
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double scale = learner->integer ? ldexp(1, -learner->shift[row]) : 1;
        double bias = learner->integer ? learner_bias(learner, row, 0) : (double)betas[row];
        row_of(pass, ROW_SCALE)[r] = 0;
        row_of(pass, ROW_EXTRA)[r] = (float)scale;
        row_of(pass, ROW_SHIFT)[r] = (float)(bias * scale);
    }
}

/* Reals: y = scale z + shift, with relu unless the layer is linear. */
static void normalise(struct pass *pass, const struct learner *learner, const struct node *node,
                      const struct pixels *pixels)
{
    if (!node->layer->linear) {
        learner->kernels->normalise(pixels);
        return;
    }
    for (int r = 0; r < node->rows; r++) {
        row_of(pass, ROW_EXTRA)[r] = row_of(pass, ROW_SCALE)[r];
        row_of(pass, ROW_SCALE)[r] = 0;
    }
    learner->kernels->blend(pixels);
}

void pass_activate(struct pass *pass, const struct learner *learner, const struct node *node)
{
    struct pixels pixels = pixels_of(pass, node, pass->values[node->index]);
    if (node->averaged && learner->integer) {
        fill_averaged(pass, learner, node);
        learner->kernels->requantise(&pixels);
        return;
    }
    if (node->last) {
        fill_logits(pass, learner, node);
        learner->kernels->blend(&pixels);
        return;
    }
    take_statistics(pass, learner, node);
    if (learner->integer) {
        fill_integer(pass, learner, node);
        learner->kernels->requantise(&pixels);
    } else {
        fill_real(pass, learner, node);
        normalise(pass, learner, node, &pixels);
    }
}

/* ---- and back ---- */

/* The slopes where the activation lets them through, and their sums. */
static void normalise_back(struct pass *pass, const struct learner *learner,
                           const struct node *node, const struct pixels *pixels)
{
    struct pixels all = *pixels;
    if (node->layer->linear) { /* 0 z + 1 is above 0 everywhere */
        float *scale = row_of(pass, ROW_EXTRA);
        float *shift = row_of(pass, ROW_SHIFT);
        for (int r = 0; r < node->rows; r++) {
            scale[r] = 0;
            shift[r] = 1;
        }
        all.scale = scale;
    }
    learner->kernels->normalise_back(&all);
}

static void real_back(struct pass *pass, const struct learner *learner, const struct node *node,
                      struct pixels *pixels)
{
    const struct graph *graph = learner->graph;
    double count = sample_count(pixels);
    fill_real(pass, learner, node);
    normalise_back(pass, learner, node, pixels);
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double sum = (double)pixels->sums[r];
        double width = deviation(pass, row);
        double slope = ((double)pixels->products[r] - pass->mean[row] * sum) / width;
        double scale = (double)row_of(pass, ROW_SCALE)[r];
        double extra = learner->fixed ? 0 : -scale * slope / (count * width);
        graph_betas(graph, pass->gradient)[row] = (float)sum;
        graph_gammas(graph, pass->gradient)[row] = (float)slope;
        row_of(pass, ROW_EXTRA)[r] = (float)extra;
        row_of(pass, ROW_SHIFT)[r] =
            learner->fixed ? 0.0F : (float)(-scale * sum / count - extra * pass->mean[row]);
    }
    learner->kernels->blend(pixels);
}

static void integer_back(struct pass *pass, const struct learner *learner, const struct node *node,
                         struct pixels *pixels)
{
    double count = sample_count(pixels);
    fill_integer(pass, learner, node);
    learner->kernels->requantise_back(pixels);
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double sum = (double)pixels->sums[r];
        graph_betas(learner->graph, pass->gradient)[row] = (float)ldexp(sum, learner->shift[row]);
        graph_gammas(learner->graph, pass->gradient)[row] = 0;
        row_of(pass, ROW_SCALE)[r] = 1;
        row_of(pass, ROW_EXTRA)[r] = 0;
        row_of(pass, ROW_SHIFT)[r] = (float)(-sum / count);
    }
    if (!learner->fixed) {
        learner->kernels->blend(pixels);
    }
}

/* Behind the mean's part: nothing but the bias moves with the sums. */
static void averaged_back(struct pass *pass, const struct learner *learner, const struct node *node,
                          struct pixels *pixels)
{
    fill_averaged(pass, learner, node);
    learner->kernels->requantise_back(pixels);
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double unit = ldexp(learner->unit[row], learner->shift[row]);
        graph_betas(learner->graph, pass->gradient)[row] = (float)((double)pixels->sums[r] * unit);
    }
}

static void logits_back(struct pass *pass, const struct learner *learner, const struct node *node,
                        struct pixels *pixels)
{
    pixels->z = pixels->y;
    learner->kernels->moments(pixels);
    fill_logits(pass, learner, node);
    for (int r = 0; r < node->rows; r++) {
        double unit = learner->integer ? learner->unit[node->row + r] : 1;
        graph_betas(learner->graph, pass->gradient)[node->row + r] =
            (float)((double)pixels->sums[r] * unit);
        row_of(pass, ROW_SCALE)[r] = row_of(pass, ROW_EXTRA)[r];
        row_of(pass, ROW_EXTRA)[r] = 0;
        row_of(pass, ROW_SHIFT)[r] = 0;
    }
    learner->kernels->blend(pixels);
}

void pass_activate_back(struct pass *pass, const struct learner *learner, const struct node *node)
{
    struct pixels pixels = pixels_of(pass, node, pass->slopes[node->index]);
    if (node->averaged && learner->integer) {
        averaged_back(pass, learner, node, &pixels);
    } else if (node->last) {
        logits_back(pass, learner, node, &pixels);
    } else if (learner->integer) {
        integer_back(pass, learner, node, &pixels);
    } else {
        real_back(pass, learner, node, &pixels);
    }
}

/* ---- levels ---- */

double learner_largest_sum(const struct learner *learner, const struct node *node)
{
    return EXACT / 2 / graph_largest(learner->graph, node->layer->inputs[0]);
}

static bool row_fits(const float *codes, size_t columns, double most)
{
    double sum = 0;
    for (size_t j = 0; j < columns; j++) {
        sum += fabs((double)codes[j]);
    }
    return sum < most;
}

/* Few layers are wide enough for it: rows that might leave what floats hold are made smaller. */
static bool shrink_rows(struct learner *learner, const struct node *node, const float *codes)
{
    size_t columns = node->weight_count / (size_t)node->rows;
    double most = learner_largest_sum(learner, node);
    bool shrunk = false;
    if ((double)columns * sketch_limit(node->layer) < most) {
        return false;
    }
    for (int r = 0; r < node->rows; r++) {
        size_t at = (size_t)r * columns;
        if (row_fits(codes + at, columns, most)) {
            continue;
        }
        for (size_t j = 0; j < columns; j++) {
            learner->parameters[node->weight + at + j] *= 0.9F;
        }
        shrunk = true;
    }
    return shrunk;
}

static void clip_weights(float *weights, size_t count, float limit)
{
    for (size_t i = 0; i < count; i++) {
        float w = weights[i];
        weights[i] = w > limit ? limit : w < -limit ? -limit : w;
    }
}

static void round_node(struct learner *learner, const struct node *node)
{
    struct levels levels = {.count = (node->weight_count + VISION_LANES - 1) / VISION_LANES *
                                     VISION_LANES,
                            .limit = (float)sketch_limit(node->layer),
                            .odd = node->layer->odd};
    float *weights = learner->parameters + node->weight;
    float *codes = learner->weights + node->weight;
    clip_weights(weights, node->weight_count, levels.limit);
    int tries = SHRINK_TRIES;
    do {
        learner->kernels->quantise(&levels, weights, codes);
    } while (shrink_rows(learner, node, codes) && tries-- > 0);
}

void learner_refresh(struct learner *learner)
{
    const struct graph *graph = learner->graph;
    if (!learner->integer) {
        memcpy(learner->weights, learner->parameters, graph->weight_count * sizeof(float));
    }
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        if (!node->weighted) {
            continue;
        }
        if (learner->integer) {
            round_node(learner, node);
        }
        if (node->layer->op == SKETCH_DECONV) {
            pass_turn(node, learner->weights + node->weight, learner->turned + node->weight, false);
        }
    }
}
