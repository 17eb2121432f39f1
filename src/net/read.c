/* The .mote reader (SPEC 15): JSON, then every key by hand.  Nothing is guessed:
 * unknown, missing and doubled keys, reals and numbers out of range are refused with their path.
 * Sizes are compared with what the file holds before anything is allocated. */
#include "base/file.h"
#include "net/node.h"

#include <stdlib.h>
#include <string.h>

static void *take(struct reader *r, size_t count, size_t size)
{
    void *memory = arena_alloc(r->scratch, count, size);
    if (!memory) {
        fail_memory(r->err);
    }
    return memory;
}

/* ---- tensors ---- */

/* [rows, columns, channels] of a map. */
static bool read_map(struct reader *r, struct node node, enum type type)
{
    struct shape shape = {0};
    int *const sides[] = {&shape.rows, &shape.columns, &shape.channels};
    if (!node_exactly(r, &node, 3)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!node_int(r, node_element(&node, i), 1, NET_WIDTH_MAX, sides[i])) {
            return false;
        }
    }
    int index = net_add_map(r->net, type, shape);
    if (index < 0) {
        return fail_memory(r->err);
    }
    return r->net->tensors[index].width > 0 ||
           node_refuse(r, &node, "more than %d elements", NET_WIDTH_MAX);
}

static bool read_tensor(struct reader *r, struct node node)
{
    const char *name = "";
    enum type type = TYPE_I8;
    int width = 0;
    if (!node_exactly(r, &node, 2)) {
        return false;
    }
    struct node type_node = node_element(&node, 0);
    if (!node_string(r, type_node, &name)) {
        return false;
    }
    if (!type_parse(name, &type)) {
        return node_refuse(r, &type_node, "unknown type \"%.60s\"", name);
    }
    struct node size = node_element(&node, 1);
    if (size.json && size.json->kind == KIND_ARRAY) {
        return read_map(r, size, type);
    }
    return node_int(r, size, 1, NET_WIDTH_MAX, &width) &&
           (net_add_tensor(r->net, type, width) >= 0 || fail_memory(r->err));
}

static bool read_tensors(struct reader *r, const struct node *root)
{
    struct node node = node_member(root, "tensors");
    int count = 0;
    if (!node_array(r, &node, 1, NET_TENSORS_MAX, &count)) {
        return false;
    }
    for (int t = 0; t < count; t++) {
        if (!read_tensor(r, node_element(&node, (size_t)t))) {
            return false;
        }
    }
    return node_int(r, node_member(root, "input"), 0, count - 1, &r->net->input) &&
           node_int(r, node_member(root, "output"), 0, count - 1, &r->net->output);
}

/* ---- layers ---- */

static bool read_numbers(struct reader *r, struct node node, int count, int32_t limit,
                         const int32_t **values)
{
    int32_t *list = NULL;
    if (!node_exactly(r, &node, count) || !(list = take(r, (size_t)count, sizeof *list))) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        int value;
        if (!node_int(r, node_element(&node, (size_t)i), -limit, limit, &value)) {
            return false;
        }
        list[i] = value;
    }
    *values = list;
    return true;
}

static bool read_shifts(struct reader *r, struct node node, int count, int most,
                        const uint8_t **values)
{
    uint8_t *list = NULL;
    if (!node_exactly(r, &node, count) || !(list = take(r, (size_t)count, sizeof *list))) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        int value;
        if (!node_int(r, node_element(&node, (size_t)i), 0, most, &value)) {
            return false;
        }
        list[i] = (uint8_t)value;
    }
    *values = list;
    return true;
}

static bool read_row(struct reader *r, struct node node, const struct weights *weights,
                     int16_t *row)
{
    int limit = weights_limit(weights);
    if (!node_exactly(r, &node, weights->columns)) {
        return false;
    }
    for (int j = 0; j < weights->columns; j++) {
        int value;
        struct node element = node_element(&node, (size_t)j);
        if (!node_int(r, element, -limit, limit, &value)) {
            return false;
        }
        if (weights->odd && value % 2 == 0) {
            return node_refuse(r, &element, "%d is not odd", value);
        }
        row[j] = (int16_t)value;
    }
    return true;
}

static bool read_weights(struct reader *r, struct node node, struct weights *weights)
{
    size_t rows = (size_t)weights->rows;
    size_t columns = (size_t)weights->columns;
    if (rows * columns > NET_WEIGHTS_MAX) {
        return node_refuse(r, &node, "more than %zu weights", NET_WEIGHTS_MAX);
    }
    if (!node_exactly(r, &node, weights->rows)) {
        return false;
    }
    struct node first =
        node_element(&node, 0); /* before an allocation that relies on the columns */
    if (!node_exactly(r, &first, weights->columns)) {
        return false;
    }
    int16_t *values = take(r, rows * columns, sizeof *values);
    for (size_t i = 0; values && i < rows; i++) {
        if (!read_row(r, node_element(&node, i), weights, values + i * columns)) {
            return false;
        }
    }
    weights->values = values;
    return values != NULL;
}

/* The bits of weights, and whether they are odd. */
static bool read_levels(struct reader *r, const struct node *node, struct weights *weights)
{
    struct node levels = node_member(node, "levels");
    const char *name = "";
    if (levels.json && (!node_string(r, levels, &name) || strcmp(name, "odd") != 0)) {
        return node_refuse(r, &levels, "only \"odd\" is known");
    }
    weights->odd = levels.json != NULL;
    return node_int(r, node_member(node, "bits"), weights->odd ? 1 : 2, weights->odd ? 4 : 16,
                    &weights->bits);
}

/* The size of the weights: rows of maps are their output's channels. */
static bool size_weights(struct reader *r, const struct node *node, struct layer *layer)
{
    const struct tensor *in = &r->net->tensors[layer->inputs[0]];
    const struct tensor *out = &r->net->tensors[layer->output];
    if (layer->op == OP_DENSE) {
        layer->weights.rows = out->width;
        layer->weights.columns = in->width;
        return true;
    }
    struct node groups = node_member(node, "groups");
    if (!node_int(r, groups, 1, in->shape.channels, &layer->groups)) {
        return false;
    }
    int64_t columns =
        (int64_t)layer->window.rows * layer->window.columns * (in->shape.channels / layer->groups);
    if (columns > (int64_t)NET_WEIGHTS_MAX) {
        return node_refuse(r, node, "more than %zu weights", NET_WEIGHTS_MAX);
    }
    layer->weights.rows = out->shape.channels;
    layer->weights.columns = (int)columns;
    return true;
}

/* dense, conv, deconv */
static bool read_rows(struct reader *r, const struct node *node, struct layer *layer)
{
    const char *name = "";
    struct node activation = node_member(node, "activation");
    if (!size_weights(r, node, layer) || !node_string(r, activation, &name)) {
        return false;
    }
    if (!activation_parse(name, &layer->activation)) {
        return node_refuse(r, &activation, "unknown activation \"%.60s\"", name);
    }
    int rows = layer->weights.rows;
    return read_levels(r, node, &layer->weights) &&
           read_weights(r, node_member(node, "weights"), &layer->weights) &&
           read_numbers(r, node_member(node, "bias"), rows, INT32_MAX, &layer->bias) &&
           read_shifts(r, node_member(node, "shift"), rows, NET_SHIFT_MAX, &layer->shift);
}

static bool read_window(struct reader *r, const struct node *node, struct layer *layer)
{
    for (const struct window_key *key = op_window_keys(layer->op); key->name; key++) {
        struct node list = node_member(node, key->name);
        if (key->optional && !list.json) {
            continue;
        }
        if (!node_exactly(r, &list, key->count)) {
            return false;
        }
        for (int i = 0; i < key->count; i++) {
            int *field = (int *)(void *)((char *)&layer->window + key->fields[i]);
            if (!node_int(r, node_element(&list, (size_t)i), 0, NET_WIDTH_MAX, field)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_convert(struct reader *r, const struct node *node, struct layer *layer)
{
    int width = r->net->tensors[layer->output].width;
    return read_numbers(r, node_member(node, "zero"), width, NET_ZERO_MAX, &layer->zero) &&
           read_shifts(r, node_member(node, "shift"), width, NET_ZERO_SHIFT_MAX, &layer->shift);
}

static bool read_scale(struct reader *r, const struct node *node, struct layer *layer)
{
    struct node list = node_member(node, "scale");
    return node_exactly(r, &list, 2) &&
           node_int(r, node_element(&list, 0), 1, NET_SCALE_MAX, &layer->scale.multiplier) &&
           node_int(r, node_element(&list, 1), 0, NET_SCALE_SHIFT, &layer->scale.shift);
}

static bool read_ends(struct reader *r, const struct node *node, struct layer *layer)
{
    struct node in = node_member(node, "in");
    int last = r->net->tensor_count - 1;
    if (!node_array(r, &in, 1, NET_LAYER_INPUTS, &layer->input_count)) {
        return false;
    }
    for (int k = 0; k < layer->input_count; k++) {
        if (!node_int(r, node_element(&in, (size_t)k), 0, last, &layer->inputs[k])) {
            return false;
        }
    }
    return node_int(r, node_member(node, "out"), 0, last, &layer->output);
}

static bool read_op(struct reader *r, const struct node *node, enum op *op)
{
    const char *name = "";
    struct node op_node = node_member(node, "op");
    if (!node_expect(r, node, KIND_OBJECT)) {
        return false;
    }
    if (!op_node.json) {
        return node_refuse(r, node, "missing key \"op\"");
    }
    return node_string(r, op_node, &name) &&
           (op_parse(name, op) || node_refuse(r, &op_node, "unknown op \"%.60s\"", name));
}

static bool op_keys(struct reader *r, const struct node *node, enum op op)
{
    static const char *const none[] = {NULL};
    static const char *const convert[] = {"zero", "shift", NULL};
    static const char *const softmax[] = {"scale", NULL};
    static const char *const rows[] = {"activation", "bits", "weights", "bias", "shift", NULL};
    const char *required[16] = {"op", "in", "out"};
    size_t count = 3;
    const char *optional[4] = {op_has_rows(op) ? "levels" : NULL};
    size_t may = op_has_rows(op) ? 1 : 0;
    for (const struct window_key *key = op_window_keys(op); key->name; key++) {
        *(key->optional ? &optional[may++] : &required[count++]) = key->name;
    }
    const char *const *own = op_has_rows(op)    ? rows
                             : op == OP_CONVERT ? convert
                             : op == OP_SOFTMAX ? softmax
                                                : none;
    while (*own) {
        required[count++] = *own++;
    }
    if (op == OP_CONV || op == OP_DECONV) {
        required[count] = "groups";
    }
    return node_has_keys(r, node, required, optional);
}

/* The line of a value; values come in the order of the text, so that each line is counted once. */
static size_t line_of(struct reader *r, const struct json *json)
{
    for (; r->seen < json->offset; r->seen++) {
        r->line += r->source->text[r->seen] == '\n';
    }
    return r->line + 1;
}

static bool read_layer(struct reader *r, struct node node)
{
    struct layer layer = {.origin = {.file = r->source->file, .line = line_of(r, node.json)}};
    if (!read_op(r, &node, &layer.op) || !op_keys(r, &node, layer.op) ||
        !read_ends(r, &node, &layer)) {
        return false;
    }
    if (!read_window(r, &node, &layer)) {
        return false;
    }
    if (op_has_rows(layer.op) && !read_rows(r, &node, &layer)) {
        return false;
    }
    if ((layer.op == OP_CONVERT && !read_convert(r, &node, &layer)) ||
        (layer.op == OP_SOFTMAX && !read_scale(r, &node, &layer))) {
        return false;
    }
    return net_add_layer(r->net, &layer) || fail_memory(r->err);
}

static bool read_layers(struct reader *r, const struct node *root)
{
    struct node node = node_member(root, "layers");
    int count = 0;
    if (!node_array(r, &node, 1, NET_LAYERS_MAX, &count)) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!read_layer(r, node_element(&node, (size_t)i))) {
            return false;
        }
    }
    return true;
}

/* ---- what the codes mean ---- */

static bool read_channel(struct reader *r, struct node node, struct channel *channel)
{
    static const char *const keys[] = {"name", "unit", "lsb", "offset", "low", "high", NULL};
    return node_has_keys(r, &node, keys, keys) &&
           node_string(r, node_member(&node, "name"), &channel->name) &&
           node_string(r, node_member(&node, "unit"), &channel->unit) &&
           node_decimal(r, node_member(&node, "lsb"), &channel->lsb) &&
           node_decimal(r, node_member(&node, "offset"), &channel->offset) &&
           node_decimal(r, node_member(&node, "low"), &channel->low) &&
           node_decimal(r, node_member(&node, "high"), &channel->high);
}

/* One channel per channel of `tensor`; NULL on failure. */
static struct channel *read_channels(struct reader *r, struct node node, int tensor)
{
    int count = r->net->tensors[tensor].shape.channels;
    struct channel *channels = NULL;
    if (!node_exactly(r, &node, count) || !(channels = take(r, (size_t)count, sizeof *channels))) {
        return NULL;
    }
    for (int j = 0; j < count; j++) {
        if (!read_channel(r, node_element(&node, (size_t)j), &channels[j])) {
            return NULL;
        }
    }
    return channels;
}

static bool read_meaning(struct reader *r, const struct node *root)
{
    const struct channel *inputs = read_channels(r, node_member(root, "inputs"), r->net->input);
    const struct channel *outputs =
        inputs ? read_channels(r, node_member(root, "outputs"), r->net->output) : NULL;
    return outputs && (net_set_channels(r->net, inputs, outputs) || fail_memory(r->err));
}

static bool read_classes(struct reader *r, const struct node *root)
{
    struct node node = node_member(root, "classes");
    int count = net_class_count(r->net);
    const char **classes = NULL;
    const char *label = "";
    if (!node_exactly(r, &node, count) || !(classes = take(r, (size_t)count, sizeof *classes))) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!node_string(r, node_element(&node, (size_t)i), &classes[i])) {
            return false;
        }
    }
    return node_string(r, node_member(root, "label"), &label) &&
           (net_set_classes(r->net, classes, label) || fail_memory(r->err));
}

static bool read_score(struct reader *r, struct node node, struct score *score)
{
    static const char *const keys[] = {"value", "rows", NULL};
    score->known = node.json != NULL;
    return !score->known ||
           (node_has_keys(r, &node, keys, keys) &&
            node_decimal(r, node_member(&node, "value"), &score->value) &&
            node_integer(r, node_member(&node, "rows"), 1, NET_ROWS_MAX, &score->rows));
}

static bool read_provenance(struct reader *r, const struct node *root)
{
    static const char *const required[] = {"options", "data", "method", NULL};
    static const char *const optional[] = {"score", NULL};
    struct provenance provenance = {0};
    struct node node = node_member(root, "provenance");
    return node_has_keys(r, &node, required, optional) &&
           node_string(r, node_member(&node, "options"), &provenance.options) &&
           node_string(r, node_member(&node, "data"), &provenance.data_hash) &&
           node_string(r, node_member(&node, "method"), &provenance.method) &&
           read_score(r, node_member(&node, "score"), &provenance.score) &&
           (net_set_provenance(r->net, &provenance) || fail_memory(r->err));
}

/* ---- the whole ---- */

static bool read_version(struct reader *r, const struct node *root)
{
    struct node node = node_member(root, "mote");
    int64_t version = 0;
    if (!node_expect(r, root, KIND_OBJECT)) {
        return false;
    }
    if (!node.json) {
        return node_refuse(r, root, "missing key \"mote\": not a mote network");
    }
    if (!node_integer(r, node, INT64_MIN, INT64_MAX, &version)) {
        return false;
    }
    node.up = NULL; /* the place without the path, which would say "mote: " again */
    if (version > NET_VERSION) {
        return node_refuse(r, &node, "version %lld is from a newer mote; this one reads version %d",
                           (long long)version, NET_VERSION);
    }
    return version == NET_VERSION ||
           node_refuse(r, &node, "version %lld does not exist", (long long)version);
}

static bool read_keys(struct reader *r, const struct node *root, bool *classify)
{
    static const char *const regression[] = {"mote",    "name",       "task",   "tensors",
                                             "input",   "output",     "layers", "inputs",
                                             "outputs", "provenance", NULL};
    static const char *const classes[] = {"classes", "label", NULL};
    static const char *const none[] = {NULL};
    struct node task = node_member(root, "task");
    const char *name = "";
    if (!task.json) {
        return node_refuse(r, root, "missing key \"task\"");
    }
    if (!node_string(r, task, &name)) {
        return false;
    }
    *classify = strcmp(name, "classification") == 0;
    if (!*classify && strcmp(name, "regression") != 0) {
        return node_refuse(r, &task, "unknown task \"%.60s\"", name);
    }
    for (const char *const *key = classes; *classify && *key; key++) {
        if (!json_member(root->json, *key)) {
            return node_refuse(r, root, "missing key \"%s\"", *key);
        }
    }
    return node_has_keys(r, root, regression, *classify ? classes : none);
}

static bool read_net(struct reader *r, const struct node *root)
{
    const char *name = "";
    bool classify = false;
    if (!read_version(r, root) || !read_keys(r, root, &classify) ||
        !node_string(r, node_member(root, "name"), &name)) {
        return false;
    }
    r->net = net_new(name);
    if (!r->net) {
        return fail_memory(r->err);
    }
    return read_tensors(r, root) && read_layers(r, root) && read_meaning(r, root) &&
           (!classify || read_classes(r, root)) && read_provenance(r, root) &&
           net_check(r->net, r->source->file, r->err);
}

struct net *net_parse(const char *data, size_t size, const char *file, struct error *err)
{
    struct json_source source = {.file = file, .text = data, .size = size};
    struct reader r = {.source = &source, .err = err, .scratch = arena_new()};
    bool done = false;
    if (!r.scratch) {
        fail_memory(err);
    } else if (size == 0) {
        fail(err, "%s: empty file", file);
    } else {
        struct node root = {.json = json_read(&source, r.scratch, err)};
        done = root.json && read_net(&r, &root);
    }
    arena_free(r.scratch);
    if (!done) {
        net_free(r.net);
        return NULL;
    }
    return r.net;
}

struct net *net_read(const char *path, struct error *err)
{
    size_t size = 0;
    const char *file = strcmp(path, "-") == 0 ? "standard input" : path;
    unsigned char *data = file_read(path, NET_FILE_MAX, &size, err);
    if (!data) {
        return NULL;
    }
    struct net *net = net_parse((const char *)data, size, file, err);
    free(data);
    return net;
}
