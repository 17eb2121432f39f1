/* From sums to activations: statistics, numbers per row, and the way back. */
#include "vision/pass.h"

#include <math.h>

#define VARIANCE_LEAST 1e-5

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

struct pixels pass_moments(struct pass *pass, const struct learner *learner,
                           const struct node *node)
{
    struct pixels pixels = pixels_of(pass, node, NULL);
    pixels.squares = !learner->integer;
    return pixels;
}

bool pass_has_moments(const struct learner *learner, const struct node *node)
{
    return !learner->fixed && !node->last;
}

/* Mean and variance of a node's sums: the block's, whose moments are there, or the fixed ones. */
static void take_statistics(struct pass *pass, const struct learner *learner,
                            const struct node *node)
{
    struct pixels pixels = pixels_of(pass, node, NULL);
    double count = sample_count(&pixels);
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

/* Reals: y = scale z + shift, without relu. */
static void normalise_linear(struct pass *pass, const struct learner *learner,
                             const struct node *node, const struct pixels *pixels)
{
    for (int r = 0; r < node->rows; r++) {
        row_of(pass, ROW_EXTRA)[r] = row_of(pass, ROW_SCALE)[r];
        row_of(pass, ROW_SCALE)[r] = 0;
    }
    learner->kernels->blend(pixels);
}

bool pass_pools(const struct pass *pass, const struct node *node)
{
    return pass->lean && node->pooled_by >= 0;
}

bool pass_is_brief(const struct pass *pass, const struct learner *learner, const struct node *node)
{
    return node->brief && learner->integer && pass_pools(pass, node);
}

/* Shift and clamp keep order: the code of the largest sum is the largest code. */
static void activate_pool(struct pass *pass, const struct learner *learner, const struct node *node,
                          const struct pixels *pixels)
{
    const struct node *pool = &pass->graph->nodes[node->pooled_by];
    struct pool_plan plan = pass_pool(learner, pool);
    if (learner->integer) {
        struct pixels of_pool = *pixels;
        of_pool.positions = plan.positions;
        of_pool.y = pass->values[pool->index];
        of_pool.z = of_pool.y;
        learner->kernels->requantise(&of_pool);
    } else {
        learner->kernels->normalise_pool(pixels, &plan, pass->values[pool->index]);
    }
}

/* Behind the statistics. */
static void activate(struct pass *pass, const struct learner *learner, const struct node *node,
                     const struct pixels *pixels)
{
    if (pass_pools(pass, node)) {
        activate_pool(pass, learner, node, pixels);
    } else if (learner->integer) {
        learner->kernels->requantise(pixels);
    } else if (node->layer->linear) {
        normalise_linear(pass, learner, node, pixels);
    } else {
        learner->kernels->normalise(pixels);
    }
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
    } else {
        fill_real(pass, learner, node);
    }
    activate(pass, learner, node, &pixels);
}

/* ---- and back ---- */

/* Slopes of a pool's outputs to those of its inputs' sums. */
static void pool_back(struct pass *pass, const struct learner *learner, const struct node *node,
                      const struct pixels *pixels, const struct conv_call *again)
{
    struct pool_plan plan = pass_pool(learner, &pass->graph->nodes[node->pooled_by]);
    struct pooled pooled = {pass->values[node->pooled_by], pass->slopes[node->pooled_by]};
    learner->kernels->pool_activate_back(pixels, &plan, &pooled, again);
}

/* The slopes where the activation lets them through, and their sums. */
static void normalise_back(struct pass *pass, const struct learner *learner,
                           const struct node *node, const struct pixels *pixels)
{
    struct pixels all = *pixels;
    if (pass_pools(pass, node)) {
        pool_back(pass, learner, node, pixels, NULL);
        return;
    }
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
}

static void integer_back(struct pass *pass, const struct learner *learner, const struct node *node,
                         struct pixels *pixels, const struct conv_call *again)
{
    double count = sample_count(pixels);
    fill_integer(pass, learner, node);
    if (pass_pools(pass, node)) {
        pool_back(pass, learner, node, pixels, again);
    } else {
        learner->kernels->requantise_back(pixels);
    }
    for (int r = 0; r < node->rows; r++) {
        int row = node->row + r;
        double sum = (double)pixels->sums[r];
        graph_betas(learner->graph, pass->gradient)[row] = (float)ldexp(sum, learner->shift[row]);
        graph_gammas(learner->graph, pass->gradient)[row] = 0;
        row_of(pass, ROW_SCALE)[r] = 1;
        row_of(pass, ROW_EXTRA)[r] = 0;
        row_of(pass, ROW_SHIFT)[r] = (float)(-sum / count);
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

bool pass_activate_back(struct pass *pass, const struct learner *learner, const struct node *node,
                        struct pixels *blend, const struct conv_call *again)
{
    struct pixels pixels = pixels_of(pass, node, pass->slopes[node->index]);
    if (node->averaged && learner->integer) {
        averaged_back(pass, learner, node, &pixels);
        return false;
    }
    if (node->last) {
        logits_back(pass, learner, node, &pixels);
        return false;
    }
    if (learner->integer) {
        integer_back(pass, learner, node, &pixels, again);
    } else {
        real_back(pass, learner, node, &pixels);
    }
    *blend = pixels;
    return !learner->integer || !learner->fixed;
}
