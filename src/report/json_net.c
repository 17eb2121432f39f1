#include "report/report.h"

#include <jansson.h>

/* Decimals as text: what people wrote, exact in every reader. */
static json_t *json_decimal(struct decimal decimal)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_print(decimal, text);
    return json_string(text);
}

static bool put_channel(json_t *list, const struct channel *channel)
{
    json_t *object = json_object();
    bool good = json_put(object, "name", json_string(channel->name));
    good = good && json_put(object, "unit", json_string(channel->unit));
    good = good && json_put(object, "lsb", json_decimal(channel->lsb));
    good = good && json_put(object, "offset", json_decimal(channel->offset));
    good = good && json_put(object, "low", json_decimal(channel->low));
    good = good && json_put(object, "high", json_decimal(channel->high));
    if (!good) {
        json_decref(object);
        return false;
    }
    return json_array_append_new(list, object) == 0;
}

static bool put_channels(json_t *object, const char *key, const struct channel *channels, int count)
{
    json_t *list = json_array();
    if (!json_put(object, key, list)) {
        return false;
    }
    bool good = true;
    for (int i = 0; good && i < count; i++) {
        good = put_channel(list, &channels[i]);
    }
    return good;
}

/* The largest bound of the layer's rows (SPEC 4.2). */
static int64_t layer_bound(const struct layer *layer, struct interval *const *ranges)
{
    int64_t worst = 0;
    for (int row = 0; row < layer->weights.rows; row++) {
        int64_t bound = net_row_bound(layer, row, ranges[layer->inputs[0]]);
        worst = bound > worst ? bound : worst;
    }
    return worst;
}

static json_t *json_layer(const struct net *net, const struct layer *layer,
                          struct interval *const *ranges)
{
    json_t *object = json_object();
    const struct tensor *output = &net->tensors[layer->output];
    bool good = json_put(object, "op", json_string(op_name(layer->op)));
    good = good && json_put(object, "type", json_string(type_name(output->type)));
    good = good && json_put(object, "width", json_integer(output->width));
    if (layer->op == OP_DENSE) {
        const struct weights *weights = &layer->weights;
        good = good && json_put(object, "columns", json_integer(weights->columns));
        good =
            good && json_put(object, "activation", json_string(activation_name(layer->activation)));
        good = good && json_put(object, "bits", json_integer(weights->bits));
        good = good && json_put(object, "bound", json_integer(layer_bound(layer, ranges)));
    }
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool put_layers(json_t *object, const struct net *net)
{
    json_t *list = json_array();
    struct arena *arena = arena_new();
    struct interval **ranges =
        arena ? arena_alloc(arena, (size_t)net->tensor_count, sizeof(struct interval *)) : NULL;
    bool good = json_put(object, "layers", list) && ranges && net_ranges(net, arena, ranges);
    for (int i = 0; good && i < net->layer_count; i++) {
        good = json_array_append_new(list, json_layer(net, &net->layers[i], ranges)) == 0;
    }
    arena_free(arena);
    return good;
}

static bool put_score(json_t *object, const struct score *score)
{
    if (!score->known) {
        return json_put(object, "score", json_null());
    }
    json_t *inner = json_object();
    return json_put(object, "score", inner) &&
           json_put(inner, "value", json_decimal(score->value)) &&
           json_put(inner, "rows", json_integer(score->rows));
}

static bool put_provenance(json_t *object, const struct net *net)
{
    const struct provenance *provenance = &net->provenance;
    return json_put(object, "options", json_string(provenance->options)) &&
           json_put(object, "data", json_string(provenance->data_hash)) &&
           json_put(object, "method", json_string(provenance->method)) &&
           put_score(object, &provenance->score);
}

static bool put_classes(json_t *object, const struct net *net)
{
    json_t *list = json_array();
    bool good = json_put(object, "classes", list);
    for (int i = 0; good && i < net_class_count(net); i++) {
        good = json_array_append_new(list, json_string(net->classes[i])) == 0;
    }
    return good;
}

json_t *json_net(const struct net *net)
{
    bool classes = net->task == TASK_CLASSIFICATION;
    json_t *object = json_object();
    bool good = json_put(object, "name", json_string(net->name)) &&
                json_put(object, "task", json_string(classes ? "classification" : "regression")) &&
                json_put(object, "macs", json_integer(net_macs(net))) &&
                put_channels(object, "inputs", net->inputs, net->tensors[net->input].width) &&
                put_channels(object, "outputs", net->outputs, net->tensors[net->output].width) &&
                (!classes || put_classes(object, net)) && put_layers(object, net) &&
                put_provenance(object, net);
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}
