#include "vision/pass.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

static float *new_map(struct pass *pass, size_t elements)
{
    size_t lanes = (size_t)pass->graph->groups * VISION_LANES;
    return arena_alloc(pass->arena, elements * lanes, sizeof(float));
}

static bool new_nodes(struct pass *pass, bool train)
{
    const struct graph *graph = pass->graph;
    size_t count = (size_t)graph->node_count;
    pass->values = arena_alloc(pass->arena, count, sizeof *pass->values);
    pass->slopes = arena_alloc(pass->arena, count, sizeof *pass->slopes);
    pass->sums = arena_alloc(pass->arena, count, sizeof *pass->sums);
    bool good = pass->values && pass->slopes && pass->sums;
    for (size_t i = 0; good && i < count; i++) {
        const struct node *node = &graph->nodes[i];
        pass->values[i] = new_map(pass, node->size);
        pass->sums[i] = new_map(pass, node->weighted ? node->size : 0);
        pass->slopes[i] = new_map(pass, train ? node->size : 0);
        good = pass->values[i] && pass->sums[i] && pass->slopes[i];
    }
    return good;
}

static bool new_rest(struct pass *pass, bool train)
{
    const struct graph *graph = pass->graph;
    size_t rows = graph->row_count;
    size_t wide = graph->widest + VISION_LANES;
    pass->image = new_map(pass, graph->image_size);
    pass->padded = new_map(pass, graph->padded_size);
    pass->bytes = arena_alloc(pass->arena, graph->byte_size * (size_t)graph->groups, VISION_LANES);
    pass->band =
        arena_alloc(pass->arena, train ? graph->band_size * VISION_LANES : 0, sizeof(float));
    pass->targets = new_map(pass, (size_t)graph->classes);
    pass->soft = new_map(pass, (size_t)graph->classes);
    pass->warm = new_map(pass, (size_t)graph->classes);
    pass->scratch = arena_alloc(pass->arena, VISION_SCRATCH(wide), sizeof(float));
    pass->row = arena_alloc(pass->arena, 8 * wide, sizeof(float));
    pass->mean = arena_alloc(pass->arena, rows, sizeof(double));
    pass->variance = arena_alloc(pass->arena, rows, sizeof(double));
    pass->gradient = arena_alloc(pass->arena, train ? graph->count : 0, sizeof(float));
    pass->turned = arena_alloc(pass->arena, graph->turned_count + VISION_LANES, sizeof(float));
    pass->spare = new_map(pass, train ? graph->turned_size : 0);
    return pass->image && pass->padded && pass->bytes && pass->band && pass->targets &&
           pass->soft && pass->warm && pass->scratch && pass->row && pass->mean && pass->variance &&
           pass->gradient && pass->turned && pass->spare;
}

struct pass *pass_new(const struct graph *graph, bool train)
{
    struct arena *arena = arena_new();
    struct pass *pass = arena ? arena_alloc(arena, 1, sizeof *pass) : NULL;
    if (!pass) {
        arena_free(arena);
        return NULL;
    }
    pass->arena = arena;
    pass->graph = graph;
    if (new_nodes(pass, train) && new_rest(pass, train)) {
        return pass;
    }
    arena_free(arena);
    return NULL;
}

void pass_free(struct pass *pass)
{
    if (pass) {
        arena_free(pass->arena);
    }
}

/* ---- padding ---- */

/* Rows of the inner map inside of the padded one; copies or adds, outwards or inwards. */
enum padding { PAD_OUT, PAD_IN, PAD_IN_ADD };

static void add_floats(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] += from[i];
    }
}

static void copy_inner(const struct node *node, float *padded, float *inner, enum padding way)
{
    const struct volume *big = &node->padded;
    const struct sketch_layer *layer = node->layer;
    struct volume small = layer->op == SKETCH_DECONV ? layer->out : layer->in;
    size_t length = (size_t)small.columns * (size_t)small.channels * VISION_LANES;
    for (int y = 0; y < small.rows; y++) {
        int line = (y + layer->window.pad[0]) * big->columns + layer->window.pad[1];
        float *outer = padded + (size_t)line * (size_t)big->channels * VISION_LANES;
        float *row = inner + (size_t)y * length;
        if (way == PAD_OUT) {
            memcpy(outer, row, length * sizeof *row);
        } else if (way == PAD_IN) {
            memcpy(row, outer, length * sizeof *row);
        } else {
            add_floats(row, outer, length);
        }
    }
}

static void copy_padded(struct pass *pass, const struct node *node, float *inner, enum padding way)
{
    const struct sketch_layer *layer = node->layer;
    size_t big = volume_size(node->padded) * VISION_LANES;
    size_t small = volume_size(layer->op == SKETCH_DECONV ? layer->out : layer->in) * VISION_LANES;
    for (int group = 0; group < pass->graph->groups; group++) {
        float *outer = pass->padded + (size_t)group * big;
        if (way == PAD_OUT) {
            memset(outer, 0, big * sizeof *outer);
        }
        copy_inner(node, outer, inner + (size_t)group * small, way);
    }
}

static void clear_padded(struct pass *pass, const struct node *node)
{
    size_t size = volume_size(node->padded) * (size_t)pass->graph->groups;
    memset(pass->padded, 0, size * VISION_LANES * sizeof *pass->padded);
}

/* ---- convolutions ---- */

static float *input_of(struct pass *pass, const struct node *node, int k)
{
    int input = node->layer->inputs[k];
    return input < 0 ? pass->image : pass->values[input];
}

/* The input as the convolution reads it. */
static const float *padded_input(struct pass *pass, const struct node *node)
{
    float *input = input_of(pass, node, 0);
    if (!node->pads) {
        return input;
    }
    copy_padded(pass, node, input, PAD_OUT);
    return pass->padded;
}

/* The same as bytes. */
static const uint8_t *padded_bytes(struct pass *pass, const struct learner *learner,
                                   const struct node *node)
{
    const struct volume *big = &node->padded;
    const struct volume *small = &node->layer->in;
    const float *from = input_of(pass, node, 0);
    size_t length = (size_t)small->columns * (size_t)small->channels;
    if (node->pads) {
        memset(pass->bytes, 0, volume_size(*big) * (size_t)pass->graph->groups * VISION_LANES);
    }
    for (int y = 0; y < small->rows * pass->graph->groups; y++, from += length * VISION_LANES) {
        int line = y / small->rows * big->rows + y % small->rows + node->layer->window.pad[0];
        size_t at = ((size_t)line * (size_t)big->columns + (size_t)node->layer->window.pad[1]) *
                    (size_t)big->channels;
        learner->kernels->pack_codes(from, pass->bytes + at * VISION_LANES, length / 4);
    }
    return pass->bytes;
}

static void conv_forward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    bool brief = pass_is_brief(pass, learner, node);
    struct conv_call call = {.conv = &node->conv,
                             .weights = learner->weights + node->weight,
                             .words = learner->words + node->weight / 4,
                             .out = brief ? pass->band : pass->sums[node->index]};
    if (learner->integer && node->bytes && learner->kernels->pack_codes) {
        call.bytes = padded_bytes(pass, learner, node);
    } else {
        call.in = padded_input(pass, node);
    }
    struct pixels moments = pass_moments(pass, learner, node);
    call.moments = pass_has_moments(learner, node) ? &moments : NULL;
    if (learner->integer && pass_pools(pass, node)) {
        struct pool_plan plan = pass_pool(learner, &pass->graph->nodes[node->pooled_by]);
        learner->kernels->convolve_pool(&call, &plan, brief, pass->values[node->pooled_by]);
    } else {
        learner->kernels->convolve(&call);
    }
}

static void deconv_forward(struct pass *pass, const struct learner *learner,
                           const struct node *node)
{
    struct conv_call call = {.conv = &node->conv,
                             .weights = learner->turned + node->weight,
                             .in = input_of(pass, node, 0),
                             .out = pass->padded};
    clear_padded(pass, node);
    learner->kernels->spread(&call);
    copy_padded(pass, node, pass->sums[node->index], PAD_IN);
    struct pixels moments = pass_moments(pass, learner, node);
    if (pass_has_moments(learner, node)) {
        learner->kernels->moments(&moments);
    }
}

/* Whether slopes of a node are first written by the one that reads it, which has a padded map. */
static bool is_copied(const struct pass *pass, int index)
{
    const struct graph *graph = pass->graph;
    const struct node *node = &graph->nodes[index];
    for (int i = index + 1; node->readers == 1 && i < graph->node_count; i++) {
        const struct node *reader = &graph->nodes[i];
        if (reader->layer->inputs[0] == index) {
            return reader->layer->op == SKETCH_CONV && reader->pads;
        }
    }
    return false;
}

static void conv_backward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    int input = node->layer->inputs[0];
    struct conv_call call = {.conv = &node->conv,
                             .weights = learner->weights + node->weight,
                             .in = padded_input(pass, node),
                             .out = pass->band};
    struct pixels blend;
    bool brief = pass_is_brief(pass, learner, node);
    bool blends = pass_activate_back(pass, learner, node, &blend, brief ? &call : NULL);
    if (learner->integer) {
        blend.z = NULL;
    }
    call.out = pass->slopes[node->index];
    call.scratch = pass->scratch;
    call.gradient = pass->gradient + node->weight;
    call.blend = blends ? &blend : NULL;
    call.keep = input >= 0;
    learner->kernels->correlate(&call);
    if (input < 0) {
        return;
    }
    call = (struct conv_call){.conv = &node->conv,
                              .weights = learner->weights + node->weight,
                              .in = pass->slopes[node->index],
                              .out = node->pads ? pass->padded : pass->slopes[input]};
    if (node->pads) {
        clear_padded(pass, node);
    }
    learner->kernels->spread(&call);
    if (node->pads) {
        copy_padded(pass, node, pass->slopes[input], is_copied(pass, input) ? PAD_IN : PAD_IN_ADD);
    }
}

static void deconv_backward(struct pass *pass, const struct learner *learner,
                            const struct node *node)
{
    int input = node->layer->inputs[0];
    struct pixels blend;
    if (pass_activate_back(pass, learner, node, &blend, NULL)) {
        learner->kernels->blend(&blend);
    }
    copy_padded(pass, node, pass->slopes[node->index], PAD_OUT);
    struct conv_call call = {.conv = &node->conv,
                             .in = pass->padded,
                             .out = input_of(pass, node, 0),
                             .scratch = pass->scratch,
                             .gradient = pass->turned};
    learner->kernels->correlate(&call);
    pass_turn(node, pass->turned, pass->gradient + node->weight, true);
    if (input < 0) {
        return;
    }
    call = (struct conv_call){.conv = &node->conv,
                              .weights = learner->turned + node->weight,
                              .in = pass->padded,
                              .out = pass->spare};
    learner->kernels->convolve(&call);
    size_t size = volume_size(node->layer->in) * (size_t)pass->graph->groups;
    add_floats(pass->slopes[input], pass->spare, size * VISION_LANES);
}

/* ---- what moves or joins ---- */

static void move_forward(struct pass *pass, const struct node *node, int k)
{
    const struct graph *graph = pass->graph;
    int input = node->layer->inputs[k];
    size_t size = input < 0 ? graph->image_size : graph->nodes[input].size;
    const float *from = input_of(pass, node, k);
    float *to = pass->values[node->index];
    for (int group = 0; group < graph->groups; group++, to += node->size * VISION_LANES) {
        for (size_t i = 0; i < size; i++, from += VISION_LANES) {
            float *out = to + (size_t)node->moves[k][i] * VISION_LANES;
            memcpy(out, from, VISION_LANES * sizeof *out);
        }
    }
}

static void move_backward(struct pass *pass, const struct node *node, int k)
{
    const struct graph *graph = pass->graph;
    int input = node->layer->inputs[k];
    if (input < 0) {
        return;
    }
    size_t size = graph->nodes[input].size;
    float *to = pass->slopes[input];
    const float *from = pass->slopes[node->index];
    for (int group = 0; group < graph->groups; group++, from += node->size * VISION_LANES) {
        for (size_t i = 0; i < size; i++, to += VISION_LANES) {
            add_floats(to, from + (size_t)node->moves[k][i] * VISION_LANES, VISION_LANES);
        }
    }
}

/* Least sum that an add leaves as it is. */
static float add_bottom(const struct learner *learner, const struct node *node)
{
    bool signs = learner->integer && node->bottom < 0;
    return node->layer->relu ? 0 : signs ? (float)node->bottom : -INFINITY;
}

/* Sums of codes are clamped; the slope is let through where they were not. */
static void add_forward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    size_t count = node->size * (size_t)pass->graph->groups * VISION_LANES;
    float *to = pass->values[node->index];
    float top = learner->integer ? (float)node->top : INFINITY;
    float bottom = add_bottom(learner, node);
    memcpy(to, input_of(pass, node, 0), count * sizeof *to);
    for (int k = 1; k < node->layer->input_count; k++) {
        add_floats(to, input_of(pass, node, k), count);
    }
    for (size_t i = 0; i < count; i++) {
        to[i] = to[i] > top ? top : to[i] < bottom ? bottom : to[i];
    }
}

static void add_backward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    size_t count = node->size * (size_t)pass->graph->groups * VISION_LANES;
    const float *value = pass->values[node->index];
    float *slope = pass->slopes[node->index];
    float top = learner->integer ? (float)node->top : INFINITY;
    float bottom = add_bottom(learner, node);
    for (size_t i = 0; i < count; i++) {
        slope[i] = value[i] < top && value[i] > bottom ? slope[i] : 0.0F;
    }
    for (int k = 0; k < node->layer->input_count; k++) {
        int input = node->layer->inputs[k];
        if (input >= 0) {
            add_floats(pass->slopes[input], slope, count);
        }
    }
}

/* ---- all layers ---- */

struct pool_plan pass_pool(const struct learner *learner, const struct node *node)
{
    struct pool_plan plan = node->pool;
    plan.integer = learner->integer;
    return plan;
}

/* Behind the mean of codes that stand for logits, and before it on the way back: from codes to
 * logits. */
static void scale_logits(const struct learner *learner, const struct node *node, float *map)
{
    const struct graph *graph = learner->graph;
    const struct node *logits = &graph->nodes[graph->logits];
    size_t count = node->size * (size_t)graph->groups * VISION_LANES;
    if (!learner->integer || !logits->averaged || node->layer->inputs[0] != logits->index) {
        return;
    }
    float scale = (float)ldexp(1, logits->down - learner->shift[logits->row]);
    for (size_t i = 0; i < count; i++) {
        map[i] *= scale;
    }
}

static void node_forward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    struct pool_plan plan = pass_pool(learner, node);
    int input = node->layer->inputs[0];
    float *out = pass->values[node->index];
    switch (node->layer->op) {
    case SKETCH_CONV: conv_forward(pass, learner, node); break;
    case SKETCH_DECONV: deconv_forward(pass, learner, node); break;
    case SKETCH_MAXPOOL:
        if (input < 0 || !pass_pools(pass, &pass->graph->nodes[input])) {
            learner->kernels->max_pool(&plan, input_of(pass, node, 0), out);
        }
        return;
    case SKETCH_AVGPOOL:
    case SKETCH_UPSAMPLE:
        learner->kernels->mean_pool(&plan, input_of(pass, node, 0), out);
        scale_logits(learner, node, out);
        return;
    case SKETCH_ADD: add_forward(pass, learner, node); return;
    case SKETCH_PAD:
    case SKETCH_SHUFFLE:
    case SKETCH_RESHAPE:
    case SKETCH_CONCAT:
        for (int k = 0; k < node->layer->input_count; k++) {
            move_forward(pass, node, k);
        }
        return;
    }
    pass_activate(pass, learner, node);
}

static void node_backward(struct pass *pass, const struct learner *learner, const struct node *node)
{
    int input = node->layer->inputs[0];
    float *to = input < 0 ? NULL : pass->slopes[input];
    float *slopes = pass->slopes[node->index];
    struct pool_plan plan = pass_pool(learner, node);
    switch (node->layer->op) {
    case SKETCH_CONV: conv_backward(pass, learner, node); return;
    case SKETCH_DECONV: deconv_backward(pass, learner, node); return;
    case SKETCH_MAXPOOL:
        if (to && !pass_pools(pass, &pass->graph->nodes[input])) {
            learner->kernels->max_pool_back(&plan, pass->values[input], pass->values[node->index],
                                            slopes, to);
        }
        return;
    case SKETCH_AVGPOOL:
    case SKETCH_UPSAMPLE:
        scale_logits(learner, node, slopes);
        if (to) {
            learner->kernels->mean_pool_back(&plan, slopes, to);
        }
        return;
    case SKETCH_ADD: add_backward(pass, learner, node); return;
    case SKETCH_PAD:
    case SKETCH_SHUFFLE:
    case SKETCH_RESHAPE:
    case SKETCH_CONCAT:
        for (int k = 0; k < node->layer->input_count; k++) {
            move_backward(pass, node, k);
        }
        return;
    }
}

void pass_forward(struct pass *pass, const struct learner *learner)
{
    for (int i = 0; i < pass->graph->node_count; i++) {
        node_forward(pass, learner, &pass->graph->nodes[i]);
    }
}

static double softmax_loss(const struct learner *learner, const struct softmax_plan *plan)
{
    float lanes[VISION_LANES];
    double loss = 0;
    learner->kernels->softmax(plan, lanes);
    for (int l = 0; l < VISION_LANES; l++) {
        loss += (double)lanes[l];
    }
    return loss;
}

/* A teacher's part of the loss: the same at temperature T, times T^2 (Hinton et al. 2015). */
static double teacher_loss(struct pass *pass, const struct learner *learner, double scale)
{
    const struct graph *graph = pass->graph;
    int last = graph->node_count - 1;
    size_t count = (size_t)graph->classes * (size_t)graph->groups * VISION_LANES;
    float cool = (float)(1 / learner->temperature);
    for (size_t i = 0; i < count; i++) {
        pass->warm[i] = pass->values[last][i] * cool;
    }
    struct softmax_plan plan = {.groups = graph->groups,
                                .classes = graph->classes,
                                .logits = pass->warm,
                                .targets = pass->soft,
                                .gradient = pass->warm,
                                .scale = (float)(scale * learner->temperature)};
    double loss = softmax_loss(learner, &plan);
    add_floats(pass->slopes[last], pass->warm, count);
    return loss * learner->temperature * learner->temperature;
}

void pass_loss(struct pass *pass, const struct learner *learner, double scale)
{
    const struct graph *graph = pass->graph;
    int last = graph->node_count - 1;
    double part = learner->teacher_part;
    struct softmax_plan plan = {.groups = graph->groups,
                                .classes = graph->classes,
                                .logits = pass->values[last],
                                .targets = pass->targets,
                                .gradient = pass->slopes[last],
                                .scale = (float)(scale * (1 - part))};
    pass->loss = softmax_loss(learner, &plan) * (1 - part);
    if (part > 0) {
        pass->loss += part * teacher_loss(pass, learner, scale * part);
    }
}

void pass_backward(struct pass *pass, const struct learner *learner)
{
    const struct graph *graph = pass->graph;
    for (int i = 0; i < graph->node_count - 1; i++) {
        size_t count = graph->nodes[i].size * (size_t)graph->groups * VISION_LANES;
        if (!pass_pools(pass, &graph->nodes[i]) && !is_copied(pass, i)) {
            memset(pass->slopes[i], 0, count * sizeof(float));
        }
    }
    for (int i = graph->node_count - 1; i >= 0; i--) {
        node_backward(pass, learner, &graph->nodes[i]);
    }
}
