/* From trained integers to the net that everything behind training reads. */
#include "vision/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct assembling {
    const struct trainer *trainer;
    struct net *net;
    struct arena *arena; /* for what net_add_layer() copies */
    int *tensors;        /* of each node's output; the image's behind them */
};

static struct shape shape_of(struct volume v)
{
    return (struct shape){v.rows, v.columns, v.channels};
}

static bool add_image(struct assembling *a)
{
    const struct sketch *sketch = a->trainer->graph->sketch;
    int *image = &a->tensors[a->trainer->graph->node_count];
    *image = a->net->input = net_add_map(a->net, TYPE_U8, shape_of(sketch->image));
    if (*image < 0 || !sketch_prepares(sketch)) {
        return *image >= 0;
    }
    int to = net_add_map(a->net, sketch->drop ? TYPE_U4 : TYPE_U8, shape_of(sketch->input));
    struct layer layer = {.op = OP_RESIZE,
                          .inputs = {*image},
                          .input_count = 1,
                          .output = to,
                          .window = {.rows = sketch->crop.rows,
                                     .columns = sketch->crop.columns,
                                     .top = sketch->top,
                                     .left = sketch->left,
                                     .drop = sketch->drop}};
    *image = to;
    return to >= 0 && net_add_layer(a->net, &layer);
}

/* ---- rows ---- */

static bool fill_weights(struct assembling *a, const struct node *node, struct layer *layer)
{
    const float *codes = a->trainer->learner.weights + node->weight;
    int16_t *values = arena_alloc(a->arena, node->weight_count, sizeof *values);
    for (size_t i = 0; values && i < node->weight_count; i++) {
        values[i] = (int16_t)codes[i];
    }
    layer->weights = (struct weights){.bits = node->layer->bits,
                                      .odd = node->layer->odd,
                                      .rows = node->rows,
                                      .columns = sketch_columns(node->layer),
                                      .values = values};
    return values != NULL;
}

/* Biases with their rounding constants, and shifts; the last layer's sums are the output, or its
 * codes of 16 bits have a mean that is. */
static bool fill_rows(struct assembling *a, const struct node *node, struct layer *layer)
{
    const struct learner *learner = &a->trainer->learner;
    int32_t *bias = arena_alloc(a->arena, (size_t)node->rows, sizeof *bias);
    uint8_t *shift = arena_alloc(a->arena, (size_t)node->rows, sizeof *shift);
    for (int r = 0; bias && shift && r < node->rows; r++) {
        int row = node->row + r;
        int right = node->last ? node->down : learner->shift[row];
        double half = right > 0 ? ldexp(0.5, right) : 0;
        double mean = node->last ? 0 : learner->mean[row];
        shift[r] = (uint8_t)right;
        bias[r] = (int32_t)(learner_bias(learner, row, mean) + half);
    }
    layer->bias = bias;
    layer->shift = shift;
    return bias && shift && fill_weights(a, node, layer);
}

/* ---- layers ---- */

static enum op op_of(const struct sketch_layer *layer)
{
    switch (layer->op) {
    case SKETCH_CONV: return layer->dense ? OP_DENSE : OP_CONV;
    case SKETCH_DECONV: return OP_DECONV;
    case SKETCH_MAXPOOL: return OP_MAXPOOL;
    case SKETCH_AVGPOOL: return OP_AVGPOOL;
    case SKETCH_UPSAMPLE: return OP_UPSAMPLE;
    case SKETCH_SHUFFLE: return OP_SHUFFLE;
    case SKETCH_PAD: return OP_PAD;
    case SKETCH_RESHAPE: return OP_RESHAPE;
    case SKETCH_ADD: return OP_ADD;
    case SKETCH_CONCAT: break;
    }
    return OP_CONCAT;
}

/* The numbers that the op has (SPEC 15), the others 0. */
static struct window window_of(const struct sketch_layer *layer)
{
    const struct sketch_window *w = &layer->window;
    struct window all = {w->kernel[0],
                         w->kernel[1],
                         w->stride[0],
                         w->stride[1],
                         w->dilation[0],
                         w->dilation[1],
                         w->pad[0],
                         w->pad[1],
                         w->pad[2],
                         w->pad[3],
                         0};
    switch (op_of(layer)) {
    case OP_CONV:
    case OP_DECONV: return all;
    case OP_MAXPOOL:
    case OP_AVGPOOL: all.row_dilation = all.column_dilation = 0; return all;
    case OP_UPSAMPLE:
    case OP_SHUFFLE: return (struct window){.rows = all.rows, .columns = all.columns};
    case OP_PAD:
        return (struct window){
            .top = all.top, .left = all.left, .bottom = all.bottom, .right = all.right};
    case OP_CONVERT:
    case OP_DENSE:
    case OP_ADD:
    case OP_CONCAT:
    case OP_RESIZE:
    case OP_RESHAPE:
    case OP_ARGMAX:
    case OP_SOFTMAX: break;
    }
    return (struct window){0};
}

static enum type type_of(const struct node *node)
{
    if (node->last && !node->averaged) {
        return TYPE_I32;
    }
    if (node->bottom < 0) {
        return node->top > 127 ? TYPE_I16 : TYPE_I8;
    }
    return node->top == 15 ? TYPE_U4 : node->top == 127 ? TYPE_I8 : TYPE_U8;
}

/* Sums below 0 become 0 in a type without a sign; codes that join others with one are clamped to
 * that behind it. */
static bool add_narrow(struct assembling *a, const struct node *node, struct layer *sum)
{
    struct layer layer = {.op = OP_CONVERT, .input_count = 1, .output = sum->output};
    layer.inputs[0] = sum->output = net_add_map(a->net, TYPE_U8, shape_of(node->layer->out));
    layer.zero = arena_alloc(a->arena, node->size, sizeof *layer.zero);
    layer.shift = arena_alloc(a->arena, node->size, sizeof *layer.shift);
    return sum->output >= 0 && layer.zero && layer.shift && net_add_layer(a->net, sum) &&
           net_add_layer(a->net, &layer);
}

static bool add_node(struct assembling *a, const struct node *node)
{
    const struct sketch_layer *from = node->layer;
    int to = net_add_map(a->net, type_of(node), shape_of(from->out));
    struct layer layer = {.op = op_of(from),
                          .input_count = from->input_count,
                          .output = to,
                          .window = window_of(from)};
    for (int k = 0; k < from->input_count; k++) {
        int input = from->inputs[k];
        layer.inputs[k] = a->tensors[input < 0 ? a->trainer->graph->node_count : input];
    }
    if (node->weighted) {
        layer.activation = node->last || from->linear ? ACTIVATION_NONE : ACTIVATION_RELU;
        layer.groups = layer.op == OP_DENSE ? 0 : from->groups;
        if (!fill_rows(a, node, &layer)) {
            return false;
        }
    }
    a->tensors[node->index] = to;
    bool narrow = from->op == SKETCH_ADD && from->narrow;
    return to >= 0 && (narrow ? add_narrow(a, node, &layer) : net_add_layer(a->net, &layer));
}

/* ---- what the numbers mean ---- */

static bool set_channels(struct assembling *a)
{
    const struct graph *graph = a->trainer->graph;
    struct decimal one = {1, 0};
    struct channel empty = {.name = "", .unit = "", .lsb = one};
    int inputs = graph->sketch->image.channels;
    struct channel *in = arena_alloc(a->arena, (size_t)inputs, sizeof *in);
    struct channel *out = arena_alloc(a->arena, (size_t)graph->classes, sizeof *out);
    for (int i = 0; in && i < inputs; i++) {
        in[i] = empty;
        in[i].high.digits = 255;
    }
    for (int i = 0; out && i < graph->classes; i++) {
        out[i] = empty;
        out[i].high = one;
    }
    return in && out && net_set_channels(a->net, in, out);
}

static bool set_origin(struct assembling *a)
{
    char hash[17];
    const struct trainer *t = a->trainer;
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, t->feed->images->hash);
    const char *options = t->options->options_text;
    struct provenance provenance = {
        .options = options ? options : "", .data_hash = hash, .method = "gradient"};
    return net_set_provenance(a->net, &provenance);
}

static bool assemble(struct assembling *a)
{
    const struct trainer *t = a->trainer;
    size_t count = (size_t)t->graph->node_count + 1;
    a->arena = arena_new();
    a->tensors = a->arena ? arena_alloc(a->arena, count, sizeof *a->tensors) : NULL;
    bool good = a->net && a->tensors && add_image(a);
    for (int i = 0; good && i < t->graph->node_count; i++) {
        good = add_node(a, &t->graph->nodes[i]);
    }
    if (good) {
        a->net->output = a->tensors[t->graph->node_count - 1];
        const char *label = t->options->label ? t->options->label : "";
        good = set_channels(a) && set_origin(a) &&
               net_set_classes(a->net, t->feed->images->classes, label);
    }
    arena_free(a->arena);
    return good;
}

struct net *trainer_net(const struct trainer *t, const char *file, struct error *err)
{
    const char *name = t->options->name ? t->options->name : "net";
    struct assembling a = {.trainer = t, .net = net_new(name)};
    if (!assemble(&a)) {
        (void)fail_memory(err);
    } else if (net_check(a.net, file, err)) {
        return a.net;
    }
    net_free(a.net);
    return NULL;
}
