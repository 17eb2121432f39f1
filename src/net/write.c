/* The .mote file (SPEC 15): the same net gives the same bytes, one row of weights to a line. */
#include "base/file.h"
#include "base/text.h"
#include "net/net.h"

/* A string in JSON's quotes.  A checked net holds no control characters; were one there, it would
 * still come out as JSON. */
static void print_string(struct text *out, const char *string)
{
    text_bytes(out, "\"", 1);
    for (; *string; string++) {
        if (*string == '"' || *string == '\\') {
            text_bytes(out, "\\", 1);
        }
        if ((unsigned char)*string < 0x20) {
            text_printf(out, "\\u%04x", (unsigned)*string);
        } else {
            text_bytes(out, string, 1);
        }
    }
    text_bytes(out, "\"", 1);
}

static void print_key(struct text *out, const char *key, const char *string)
{
    text_printf(out, "\"%s\": ", key);
    print_string(out, string);
}

static const char *comma(int index)
{
    return index > 0 ? ", " : "";
}

static void print_bytes(struct text *out, const char *key, const uint8_t *values, int count)
{
    text_printf(out, ",\n     \"%s\": [", key);
    for (int i = 0; i < count; i++) {
        text_printf(out, "%s%d", comma(i), values[i]);
    }
    text_add(out, "]");
}

static void print_numbers(struct text *out, const char *key, const int32_t *values, int count)
{
    text_printf(out, ",\n     \"%s\": [", key);
    for (int i = 0; i < count; i++) {
        text_printf(out, "%s%ld", comma(i), (long)values[i]);
    }
    text_add(out, "]");
}

static void print_weights(struct text *out, const struct weights *weights)
{
    const int16_t *value = weights->values;
    text_add(out, ",\n     \"weights\": [");
    for (int row = 0; row < weights->rows; row++) {
        text_add(out, row > 0 ? ",\n      [" : "\n      [");
        for (int column = 0; column < weights->columns; column++) {
            text_printf(out, "%s%d", comma(column), *value++);
        }
        text_add(out, "]");
    }
    text_add(out, "]");
}

static int window_number(const struct layer *layer, const struct window_key *key, int i)
{
    const char *window = (const char *)&layer->window;
    return *(const int *)(const void *)(window + key->fields[i]);
}

static void print_window(struct text *out, const struct layer *layer)
{
    for (const struct window_key *key = op_window_keys(layer->op); key->name; key++) {
        if (key->optional && window_number(layer, key, 0) == 0) {
            continue;
        }
        text_printf(out, ", \"%s\": [", key->name);
        for (int i = 0; i < key->count; i++) {
            text_printf(out, "%s%d", comma(i), window_number(layer, key, i));
        }
        text_add(out, "]");
    }
    if (layer->groups > 0) {
        text_printf(out, ", \"groups\": %d", layer->groups);
    }
}

static void print_layer(struct text *out, const struct net *net, const struct layer *layer)
{
    int width = net->tensors[layer->output].width;
    int rows = layer->weights.rows;
    text_printf(out, "    {\"op\": \"%s\", \"in\": [", op_name(layer->op));
    for (int k = 0; k < layer->input_count; k++) {
        text_printf(out, "%s%d", comma(k), layer->inputs[k]);
    }
    text_printf(out, "], \"out\": %d", layer->output);
    print_window(out, layer);
    if (op_has_rows(layer->op)) {
        text_printf(out, ", \"activation\": \"%s\", \"bits\": %d%s",
                    activation_name(layer->activation), layer->weights.bits,
                    layer->weights.odd ? ", \"levels\": \"odd\"" : "");
        print_weights(out, &layer->weights);
        print_numbers(out, "bias", layer->bias, rows);
        print_bytes(out, "shift", layer->shift, rows);
    } else if (layer->op == OP_SOFTMAX) {
        text_printf(out, ", \"scale\": [%d, %d]", layer->scale.multiplier, layer->scale.shift);
    } else if (layer->op == OP_CONVERT) {
        print_numbers(out, "zero", layer->zero, width);
        print_bytes(out, "shift", layer->shift, width);
    }
    text_add(out, "}");
}

static void print_graph(struct text *out, const struct net *net)
{
    text_add(out, "  \"tensors\": [");
    for (int t = 0; t < net->tensor_count; t++) {
        const struct tensor *tensor = &net->tensors[t];
        text_printf(out, "%s[\"%s\", ", comma(t), type_name(tensor->type));
        if (tensor->shape.channels == tensor->width) {
            text_printf(out, "%d]", tensor->width);
        } else {
            text_printf(out, "[%d, %d, %d]]", tensor->shape.rows, tensor->shape.columns,
                        tensor->shape.channels);
        }
    }
    text_printf(out, "],\n  \"input\": %d,\n  \"output\": %d,\n  \"layers\": [\n", net->input,
                net->output);
    for (int i = 0; i < net->layer_count; i++) {
        print_layer(out, net, &net->layers[i]);
        text_add(out, i + 1 < net->layer_count ? ",\n" : "\n  ],\n");
    }
}

static void print_decimal(struct text *out, const char *key, struct decimal decimal)
{
    text_printf(out, ", \"%s\": [%lld, %d]", key, (long long)decimal.digits, decimal.exponent);
}

static void print_channels(struct text *out, const char *key, const struct channel *channels,
                           int count)
{
    text_printf(out, "  \"%s\": [\n", key);
    for (int j = 0; j < count; j++) {
        text_add(out, "    {");
        print_key(out, "name", channels[j].name);
        text_add(out, ", ");
        print_key(out, "unit", channels[j].unit);
        print_decimal(out, "lsb", channels[j].lsb);
        print_decimal(out, "offset", channels[j].offset);
        print_decimal(out, "low", channels[j].low);
        print_decimal(out, "high", channels[j].high);
        text_add(out, j + 1 < count ? "},\n" : "}\n  ],\n");
    }
}

static void print_classes(struct text *out, const struct net *net)
{
    if (net->task != TASK_CLASSIFICATION) {
        return;
    }
    text_add(out, "  \"classes\": [");
    for (int i = 0; i < net_class_count(net); i++) {
        text_add(out, comma(i));
        print_string(out, net->classes[i]);
    }
    text_add(out, "],\n  ");
    print_key(out, "label", net->label);
    text_add(out, ",\n");
}

static void print_provenance(struct text *out, const struct provenance *provenance)
{
    text_add(out, "  \"provenance\": {\n    ");
    print_key(out, "options", provenance->options);
    text_add(out, ",\n    ");
    print_key(out, "data", provenance->data_hash);
    text_add(out, ",\n    ");
    print_key(out, "method", provenance->method);
    if (provenance->score.known) {
        text_printf(out, ",\n    \"score\": {\"value\": [%lld, %d], \"rows\": %lld}",
                    (long long)provenance->score.value.digits, provenance->score.value.exponent,
                    (long long)provenance->score.rows);
    }
    text_add(out, "\n  }\n");
}

bool net_print(const struct net *net, struct text *out)
{
    text_printf(out, "{\n  \"mote\": %d,\n  ", NET_VERSION);
    print_key(out, "name", net->name);
    text_printf(out, ",\n  \"task\": \"%s\",\n",
                net->task == TASK_CLASSIFICATION ? "classification" : "regression");
    print_graph(out, net);
    print_channels(out, "inputs", net->inputs, net->tensors[net->input].shape.channels);
    print_channels(out, "outputs", net->outputs, net->tensors[net->output].shape.channels);
    print_classes(out, net);
    print_provenance(out, &net->provenance);
    text_add(out, "}\n");
    return !out->failed;
}

bool net_write(const struct net *net, const char *path, struct error *err)
{
    struct text out = {0};
    bool done =
        net_print(net, &out) ? file_write(path, out.data, out.length, err) : fail_memory(err);
    text_free(&out);
    return done;
}
