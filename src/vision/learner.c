#include "net/net.h"
#include "vision/pass.h"

#include <math.h>
#include <string.h>

#define SHRINK_TRIES 100        /* 0.9^100 leaves nothing */
#define EXACT        16777216.0 /* floats hold all integers up to here */
#define BIAS_MOST    4194304.0  /* with sums below 2^23 it stays below that */

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

/* ---- biases ---- */

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

static void pack_words(const struct node *node, struct learner *learner)
{
    const float *codes = learner->weights + node->weight;
    int32_t *words = learner->words + node->weight / 4;
    for (size_t i = 0; i < node->weight_count; i += 4) {
        uint32_t word = 0;
        for (size_t b = 0; b < 4; b++) {
            word |= (uint32_t)(uint8_t)(int8_t)codes[i + b] << 8 * b;
        }
        words[i / 4] = (int32_t)word;
    }
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
            if (node->bytes) {
                pack_words(node, learner);
            }
        }
        if (node->layer->op == SKETCH_DECONV) {
            pass_turn(node, learner->weights + node->weight, learner->turned + node->weight, false);
        }
    }
}
