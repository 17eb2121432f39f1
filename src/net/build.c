#include "net/net.h"

#include <stdlib.h>
#include <string.h>

struct net *net_new(const char *name)
{
    struct arena *arena = arena_new();
    struct net *net = arena ? arena_alloc(arena, 1, sizeof *net) : NULL;
    if (net) {
        net->arena = arena;
        net->name = arena_string(arena, name);
        net->label = arena_string(arena, "");
        net->provenance = (struct provenance){
            .options = net->label, .data_hash = net->label, .method = net->label};
        net->tensors = arena_alloc(arena, NET_TENSORS_MAX, sizeof *net->tensors);
        net->layers = arena_alloc(arena, NET_LAYERS_MAX, sizeof *net->layers);
    }
    if (!net || !net->name || !net->label || !net->tensors || !net->layers) {
        arena_free(arena);
        return NULL;
    }
    return net;
}

void net_free(struct net *net)
{
    if (net) {
        arena_free(net->arena);
    }
}

int net_add_tensor(struct net *net, enum type type, int width)
{
    int index = net_add_map(net, type, (struct shape){1, 1, width});
    if (index >= 0) {
        net->tensors[index].width = width;
    }
    return index;
}

/* The sides' product; 0 where it is over NET_WIDTH_MAX or a side is not positive. */
static int shape_width(struct shape shape)
{
    if (shape.rows < 1 || shape.columns < 1 || shape.channels < 1) {
        return 0;
    }
    bool fits = shape.rows <= NET_WIDTH_MAX / shape.columns &&
                shape.rows * shape.columns <= NET_WIDTH_MAX / shape.channels;
    return fits ? shape.rows * shape.columns * shape.channels : 0;
}

int net_add_map(struct net *net, enum type type, struct shape shape)
{
    if (net->tensor_count == NET_TENSORS_MAX) {
        return -1;
    }
    net->tensors[net->tensor_count] =
        (struct tensor){.type = type, .width = shape_width(shape), .shape = shape};
    return net->tensor_count++;
}

/* A copy of `count` objects in the net's arena; NULL stays NULL and is no failure. */
static bool keep(struct net *net, const void **field, size_t count, size_t size)
{
    if (!*field) {
        return true;
    }
    void *copy = arena_alloc(net->arena, count, size);
    if (copy) {
        memcpy(copy, *field, count * size);
    }
    *field = copy;
    return copy != NULL;
}

#define KEEP(net, field, count)                                                                    \
    keep((net), (const void **)(void *)&(field), (size_t)(count), sizeof *(field))

bool net_add_layer(struct net *net, const struct layer *layer)
{
    if (net->layer_count == NET_LAYERS_MAX) {
        return false;
    }
    struct layer copy = *layer;
    size_t rows = layer->op == OP_CONVERT ? (size_t)net->tensors[layer->output].width
                                          : (size_t)layer->weights.rows;
    size_t weights = (size_t)layer->weights.rows * (size_t)layer->weights.columns;
    if (copy.origin.file) {
        copy.origin.file = arena_string(net->arena, copy.origin.file);
    }
    if (!KEEP(net, copy.weights.values, weights) || !KEEP(net, copy.bias, rows) ||
        !KEEP(net, copy.shift, rows) || !KEEP(net, copy.zero, rows)) {
        return false;
    }
    net->layers[net->layer_count++] = copy;
    return true;
}

static bool keep_string(struct net *net, const char **string)
{
    *string = arena_string(net->arena, *string ? *string : "");
    return *string != NULL;
}

static const struct channel *keep_channels(struct net *net, const struct channel *channels,
                                           const struct tensor *tensor)
{
    int count = tensor->shape.channels;
    struct channel *copy = arena_alloc(net->arena, (size_t)tensor->width, sizeof *copy);
    for (int i = 0; copy && i < count; i++) {
        copy[i] = channels[i];
        if (!keep_string(net, &copy[i].name) || !keep_string(net, &copy[i].unit)) {
            return NULL;
        }
    }
    for (int i = count; copy && i < tensor->width; i++) {
        copy[i] = copy[i - count];
    }
    return copy;
}

bool net_set_channels(struct net *net, const struct channel *inputs, const struct channel *outputs)
{
    net->inputs = keep_channels(net, inputs, &net->tensors[net->input]);
    net->outputs = keep_channels(net, outputs, &net->tensors[net->output]);
    return net->inputs && net->outputs;
}

bool net_set_classes(struct net *net, const char *const *classes, const char *label)
{
    int count = net_class_count(net);
    const char **copy = arena_alloc(net->arena, (size_t)count, sizeof *copy);
    for (int i = 0; copy && i < count; i++) {
        copy[i] = classes[i];
        if (!keep_string(net, &copy[i])) {
            return false;
        }
    }
    net->classes = copy;
    net->task = TASK_CLASSIFICATION;
    net->label = label;
    return copy && keep_string(net, &net->label);
}

bool net_set_provenance(struct net *net, const struct provenance *provenance)
{
    net->provenance = *provenance;
    return keep_string(net, &net->provenance.options) &&
           keep_string(net, &net->provenance.data_hash) &&
           keep_string(net, &net->provenance.method);
}

int64_t layer_macs(const struct net *net, const struct layer *layer)
{
    int map = layer->op == OP_DECONV ? layer->inputs[0] : layer->output;
    struct shape shape = net->tensors[map].shape;
    int64_t positions = layer->op == OP_DENSE ? 1 : (int64_t)shape.rows * shape.columns;
    return positions * layer->weights.rows * layer->weights.columns;
}

int64_t net_macs(const struct net *net)
{
    int64_t macs = 0;
    for (int i = 0; i < net->layer_count; i++) {
        macs += layer_macs(net, &net->layers[i]);
    }
    return macs;
}
