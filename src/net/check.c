/* SPEC 14: every invariant of a net, in one place. */
#include "net/check.h"
#include "base/utf8.h"

#include <string.h>

static const struct {
    int least;
    int most;
} op_inputs[] = {
#define OP(NAME, text, least, most) {least, most},
#include "net/ops.def"
#undef OP
};

/* ---- 14.1: counts, widths, indices, the order of writing and reading ---- */

static bool check_tensors(struct check *c)
{
    const struct net *net = c->net;
    int64_t elements = 0;
    if (!within(net->tensor_count, 1, NET_TENSORS_MAX)) {
        return fail(c->err, "%s: %d tensors, 1 to %d are allowed", c->file, net->tensor_count,
                    NET_TENSORS_MAX);
    }
    if (!within(net->layer_count, 1, NET_LAYERS_MAX)) {
        return fail(c->err, "%s: %d layers, 1 to %d are allowed", c->file, net->layer_count,
                    NET_LAYERS_MAX);
    }
    for (int t = 0; t < net->tensor_count; t++) {
        if (!within((int)net->tensors[t].type, TYPE_I8, TYPE_U4)) {
            return fail(c->err, "%s: tensor %d: unknown type", c->file, t);
        }
        if (!within(net->tensors[t].width, 1, NET_WIDTH_MAX)) {
            return fail(c->err, "%s: tensor %d: width %d, 1 to %d are allowed", c->file, t,
                        net->tensors[t].width, NET_WIDTH_MAX);
        }
        elements += net->tensors[t].width;
    }
    return elements <= NET_ELEMENTS_MAX ||
           fail(c->err, "%s: %lld elements in all tensors, %lld are allowed", c->file,
                (long long)elements, (long long)NET_ELEMENTS_MAX);
}

/* 14.4, after the indices. */
static bool check_ends(struct check *c)
{
    const struct net *net = c->net;
    if (!within(net->input, 0, net->tensor_count - 1) ||
        !within(net->output, 0, net->tensor_count - 1)) {
        return fail(c->err, "%s: the %s is tensor %d, there are %d tensors", c->file,
                    within(net->input, 0, net->tensor_count - 1) ? "output" : "input",
                    within(net->input, 0, net->tensor_count - 1) ? net->output : net->input,
                    net->tensor_count);
    }
    if (net->input == net->output) {
        return fail(c->err, "%s: tensor %d is both input and output", c->file, net->input);
    }
    enum type in = net->tensors[net->input].type;
    enum type out = net->tensors[net->output].type;
    if (in == TYPE_I32 || in == TYPE_U4) {
        return fail(c->err, "%s: the input cannot be %s", c->file, type_name(in));
    }
    if (out == TYPE_U16 || out == TYPE_U4) {
        return fail(c->err, "%s: the output cannot be %s", c->file, type_name(out));
    }
    return true;
}

static bool check_indices(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    int last = c->net->tensor_count - 1;
    if (!within((int)layer->op, OP_CONVERT, OP_SOFTMAX)) {
        return fail(c->err, "%s: layer %d: unknown op", c->file, i);
    }
    int least = op_inputs[layer->op].least;
    int most = op_inputs[layer->op].most;
    if (!within(layer->input_count, least, most)) {
        return least == most ? fail(c->err, LAYER ": %d inputs, it takes %d", LAYER_OF(c, i),
                                    layer->input_count, least)
                             : fail(c->err, LAYER ": %d inputs, it takes %d to %d", LAYER_OF(c, i),
                                    layer->input_count, least, most);
    }
    for (int k = 0; k < layer->input_count; k++) {
        if (!within(layer->inputs[k], 0, last)) {
            return fail(c->err, LAYER ": input %d is tensor %d, there are %d tensors",
                        LAYER_OF(c, i), k, layer->inputs[k], last + 1);
        }
    }
    if (!within(layer->output, 0, last)) {
        return fail(c->err, LAYER ": the output is tensor %d, there are %d tensors", LAYER_OF(c, i),
                    layer->output, last + 1);
    }
    return true;
}

/* Which tensors have been written and read so far. */
struct flow {
    bool written[NET_TENSORS_MAX];
    bool read[NET_TENSORS_MAX];
};

static bool flow_layer(struct check *c, int i, struct flow *flow)
{
    const struct layer *layer = &c->net->layers[i];
    for (int k = 0; k < layer->input_count; k++) {
        if (!flow->written[layer->inputs[k]]) {
            return fail(c->err, LAYER ": reads tensor %d before it is written", LAYER_OF(c, i),
                        layer->inputs[k]);
        }
        flow->read[layer->inputs[k]] = true;
    }
    if (layer->output == c->net->input) {
        return fail(c->err, LAYER ": writes tensor %d, which is the input", LAYER_OF(c, i),
                    layer->output);
    }
    if (flow->written[layer->output]) {
        return fail(c->err, LAYER ": writes tensor %d, which an earlier layer wrote",
                    LAYER_OF(c, i), layer->output);
    }
    flow->written[layer->output] = true;
    return true;
}

static bool check_flow(struct check *c)
{
    struct flow flow = {0};
    flow.written[c->net->input] = true;
    for (int i = 0; i < c->net->layer_count; i++) {
        if (!check_indices(c, i) || !flow_layer(c, i, &flow)) {
            return false;
        }
    }
    for (int t = 0; t < c->net->tensor_count; t++) {
        if (!flow.written[t]) {
            return fail(c->err, "%s: tensor %d is never written", c->file, t);
        }
        if (!flow.read[t] && t != c->net->output) {
            return fail(c->err, "%s: tensor %d is never read", c->file, t);
        }
    }
    return true;
}

/* ---- 14.2: types, widths and parameters of each op ---- */

bool check_activation_type(enum type type)
{
    return type == TYPE_I8 || type == TYPE_U8 || type == TYPE_I16 || type == TYPE_U4;
}

bool check_wrong_type(struct check *c, int i, const char *end, enum type type)
{
    return fail(c->err, LAYER ": its %s cannot be %s", LAYER_OF(c, i), end, type_name(type));
}

bool check_same_shape(struct check *c, int i, int k)
{
    const struct layer *layer = &c->net->layers[i];
    const struct tensor *in = &c->net->tensors[layer->inputs[k]];
    const struct tensor *out = &c->net->tensors[layer->output];
    if (in->width != out->width) {
        return fail(c->err, LAYER ": input %d has %d elements, the output %d", LAYER_OF(c, i), k,
                    in->width, out->width);
    }
    bool same = in->shape.rows == out->shape.rows && in->shape.columns == out->shape.columns;
    return same || fail(c->err, LAYER ": input %d is %d x %d x %d, the output %d x %d x %d",
                        LAYER_OF(c, i), k, in->shape.rows, in->shape.columns, in->shape.channels,
                        out->shape.rows, out->shape.columns, out->shape.channels);
}

/* No parameters where the op has none: a printer could not write them. */
bool check_no_weights(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    bool none = layer->activation == ACTIVATION_NONE && !layer->weights.values && !layer->bias &&
                layer->weights.rows == 0 && layer->weights.columns == 0 && layer->groups == 0;
    return none || fail(c->err, LAYER ": has the weights, bias or activation of a dense layer",
                        LAYER_OF(c, i));
}

bool check_no_convert(struct check *c, int i, bool may_shift)
{
    const struct layer *layer = &c->net->layers[i];
    return (!layer->zero && (may_shift || !layer->shift)) ||
           fail(c->err, LAYER ": has parameters of another op", LAYER_OF(c, i));
}

static bool check_no_window(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    const struct window none = {0};
    bool empty = memcmp(&layer->window, &none, sizeof none) == 0 && layer->groups == 0;
    return empty || fail(c->err, LAYER ": has the window of an op on maps", LAYER_OF(c, i));
}

static bool check_convert(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    enum type in = c->net->tensors[layer->inputs[0]].type;
    const struct tensor *out = &c->net->tensors[layer->output];
    if (in == TYPE_I32 || !check_activation_type(out->type)) {
        return in == TYPE_I32 ? check_wrong_type(c, i, "input", in)
                              : check_wrong_type(c, i, "output", out->type);
    }
    if (!check_same_shape(c, i, 0) || !check_no_weights(c, i)) {
        return false;
    }
    if (!layer->zero || !layer->shift) {
        return fail(c->err, LAYER ": without zero or shift", LAYER_OF(c, i));
    }
    for (int j = 0; j < out->width; j++) {
        if (layer->shift[j] > NET_ZERO_SHIFT_MAX) {
            return fail(c->err, LAYER ", element %d: shift %d, 0 to %d are allowed", LAYER_OF(c, i),
                        j, layer->shift[j], NET_ZERO_SHIFT_MAX);
        }
        if (!within(layer->zero[j], -NET_ZERO_MAX, NET_ZERO_MAX)) {
            return fail(c->err, LAYER ", element %d: zero %d, %d to %d are allowed", LAYER_OF(c, i),
                        j, layer->zero[j], -NET_ZERO_MAX, NET_ZERO_MAX);
        }
    }
    return true;
}

/* The output types of SPEC 5's table. */
static bool activation_fits(enum activation activation, enum type type)
{
    switch (activation) {
    case ACTIVATION_NONE: return check_activation_type(type) || type == TYPE_I32;
    case ACTIVATION_RELU:
    case ACTIVATION_ABS: return check_activation_type(type);
    case ACTIVATION_CLIP:
    case ACTIVATION_LEAKY: return type == TYPE_I8 || type == TYPE_I16;
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return type == TYPE_I16;
    }
    return false;
}

static bool check_row_types(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    enum type in = c->net->tensors[layer->inputs[0]].type;
    enum type out = c->net->tensors[layer->output].type;
    if (!check_activation_type(in)) {
        return check_wrong_type(c, i, "input", in);
    }
    if (!within((int)layer->activation, ACTIVATION_NONE, ACTIVATION_CLIP)) {
        return fail(c->err, LAYER ": unknown activation", LAYER_OF(c, i));
    }
    return activation_fits(layer->activation, out) ||
           fail(c->err, LAYER ": activation %s cannot write %s", LAYER_OF(c, i),
                activation_name(layer->activation), type_name(out));
}

static bool check_dense_shape(struct check *c, int i)
{
    const struct weights *weights = &c->net->layers[i].weights;
    const struct tensor *out = &c->net->tensors[c->net->layers[i].output];
    int columns = c->net->tensors[c->net->layers[i].inputs[0]].width;
    if (weights->rows != out->width || weights->columns != columns) {
        return fail(c->err, LAYER ": %d x %d weights between %d inputs and %d outputs",
                    LAYER_OF(c, i), weights->rows, weights->columns, columns, out->width);
    }
    return out->shape.channels == out->width ||
           fail(c->err, LAYER ": its output is a map", LAYER_OF(c, i));
}

static bool check_weights_size(struct check *c, int i)
{
    const struct weights *weights = &c->net->layers[i].weights;
    if ((size_t)weights->rows * (size_t)weights->columns > NET_WEIGHTS_MAX) {
        return fail(c->err, LAYER ": more than %zu weights", LAYER_OF(c, i), NET_WEIGHTS_MAX);
    }
    if (weights->odd ? !within(weights->bits, 1, 4) : !within(weights->bits, 2, 16)) {
        return fail(c->err, LAYER ": %sweights of %d bits, %s are allowed", LAYER_OF(c, i),
                    weights->odd ? "odd " : "", weights->bits, weights->odd ? "1 to 4" : "2 to 16");
    }
    return layer_macs(c->net, &c->net->layers[i]) <= NET_LAYER_MACS_MAX ||
           fail(c->err, LAYER ": more than %lld multiply-accumulates", LAYER_OF(c, i),
                (long long)NET_LAYER_MACS_MAX);
}

static bool check_row(struct check *c, int i, int row)
{
    const struct layer *layer = &c->net->layers[i];
    int32_t limit = weights_limit(&layer->weights);
    size_t first = (size_t)row * (size_t)layer->weights.columns;
    for (int j = 0; j < layer->weights.columns; j++) {
        int16_t weight = layer->weights.values[first + (size_t)j];
        if (!within(weight, -limit, limit)) {
            return fail(c->err, LAYER ", row %d: weight %d in column %d does not fit %d bits",
                        LAYER_OF(c, i), row, weight, j, layer->weights.bits);
        }
        if (layer->weights.odd && weight % 2 == 0) {
            return fail(c->err, LAYER ", row %d: weight %d in column %d is not odd", LAYER_OF(c, i),
                        row, weight, j);
        }
    }
    return layer->shift[row] <= NET_SHIFT_MAX ||
           fail(c->err, LAYER ", row %d: shift %d, 0 to %d are allowed", LAYER_OF(c, i), row,
                layer->shift[row], NET_SHIFT_MAX);
}

/* dense, conv, deconv. */
static bool check_rows(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    bool dense = layer->op == OP_DENSE;
    if (!check_row_types(c, i) ||
        !(dense ? check_dense_shape(c, i) && check_no_window(c, i) : check_map_shape(c, i)) ||
        !check_weights_size(c, i) || !check_no_convert(c, i, true)) {
        return false;
    }
    if (!layer->weights.values || !layer->bias || !layer->shift) {
        return fail(c->err, LAYER ": without weights, bias or shift", LAYER_OF(c, i));
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        if (!check_row(c, i, row)) {
            return false;
        }
    }
    return true;
}

static bool check_no_scale(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    bool none = layer->op == OP_SOFTMAX || (!layer->scale.multiplier && !layer->scale.shift);
    return none || fail(c->err, LAYER ": has the scale of a softmax", LAYER_OF(c, i));
}

static bool check_layer(struct check *c, int i)
{
    if (!check_no_scale(c, i)) {
        return false;
    }
    switch (c->net->layers[i].op) {
    case OP_CONVERT: return check_convert(c, i) && check_no_window(c, i);
    case OP_DENSE:
    case OP_CONV:
    case OP_DECONV: return check_rows(c, i);
    case OP_ADD: return check_add(c, i) && check_no_window(c, i);
    case OP_CONCAT: return check_concat(c, i) && check_no_window(c, i);
    case OP_MAXPOOL:
    case OP_AVGPOOL:
    case OP_RESIZE:
    case OP_UPSAMPLE:
    case OP_SHUFFLE:
    case OP_PAD:
    case OP_RESHAPE: return check_moved(c, i);
    case OP_ARGMAX:
    case OP_SOFTMAX: return check_chosen(c, i);
    }
    return false;
}

/* ---- 14.3: nothing overflows ---- */

static bool check_rows_bound(struct check *c, int i, struct interval *const *ranges,
                             struct arena *arena)
{
    const struct layer *layer = &c->net->layers[i];
    int rows = layer->weights.rows;
    int64_t *bounds = arena_alloc(arena, (size_t)rows, sizeof *bounds);
    if (!bounds || !net_rows(c->net, layer, ranges[layer->inputs[0]], bounds, NULL)) {
        return fail_memory(c->err);
    }
    for (int row = 0; row < rows; row++) {
        if (bounds[row] > INT32_MAX) {
            return fail(c->err, LAYER ", row %d: accumulator bound %lld does not fit 31 bits",
                        LAYER_OF(c, i), row, (long long)bounds[row]);
        }
    }
    return true;
}

static bool check_sums_bound(struct check *c, int i, struct interval *const *ranges)
{
    const struct layer *layer = &c->net->layers[i];
    for (int j = 0; j < c->net->tensors[layer->output].width; j++) {
        struct interval sum = {0, 0};
        for (int k = 0; k < layer->input_count; k++) {
            sum.low += ranges[layer->inputs[k]][j].low;
            sum.high += ranges[layer->inputs[k]][j].high;
            if (sum.low < INT32_MIN || sum.high > INT32_MAX) {
                return fail(c->err, LAYER ", element %d: sum %lld..%lld does not fit i32",
                            LAYER_OF(c, i), j, (long long)sum.low, (long long)sum.high);
            }
        }
    }
    return true;
}

static bool check_bounds(struct check *c, struct arena *arena)
{
    struct interval *ranges[NET_TENSORS_MAX];
    if (!net_ranges(c->net, arena, ranges)) {
        return fail_memory(c->err);
    }
    for (int i = 0; i < c->net->layer_count; i++) {
        enum op op = c->net->layers[i].op;
        if ((op == OP_ADD && !check_sums_bound(c, i, ranges)) ||
            (op == OP_SOFTMAX && !check_distances(c, i, ranges)) ||
            (op_has_rows(op) && !check_rows_bound(c, i, ranges, arena))) {
            return false;
        }
    }
    return true;
}

/* ---- 14.5, 14.6: what the codes mean ---- */

static bool check_text(struct check *c, const char *what, int index, const char *text, size_t most)
{
    size_t length = text ? strlen(text) : 0;
    const char *problem = "is missing";
    if (text && length <= most && utf8_clean(text, length)) {
        return true;
    }
    if (text) {
        problem = length > most ? "is too long" : "is not UTF-8 free of control characters";
    }
    return index < 0 ? fail(c->err, "%s: %s %s", c->file, what, problem)
                     : fail(c->err, "%s: %s %d %s", c->file, what, index, problem);
}

static bool check_channel(struct check *c, const char *end, int index,
                          const struct channel *channel)
{
    const struct decimal *numbers[] = {&channel->lsb, &channel->offset, &channel->low,
                                       &channel->high};
    char what[32] = "name of ";
    (void)strcat(what, end);
    if (!check_text(c, what, index, channel->name, NET_NAME_MAX)) {
        return false;
    }
    memcpy(what, "unit", 4);
    if (!check_text(c, what, index, channel->unit, NET_NAME_MAX)) {
        return false;
    }
    for (int k = 0; k < 4; k++) {
        if (!decimal_valid(numbers[k]->digits, numbers[k]->exponent)) {
            return fail(c->err, "%s: %s %d: a number is out of range", c->file, end, index);
        }
    }
    return channel->lsb.digits > 0 ||
           fail(c->err, "%s: %s %d: lsb must be positive", c->file, end, index);
}

static bool check_channels(struct check *c, const char *end, const struct channel *channels,
                           int count)
{
    if (!channels) {
        return fail(c->err, "%s: %ss are not described", c->file, end);
    }
    for (int j = 0; j < count; j++) {
        if (!check_channel(c, end, j, &channels[j])) {
            return false;
        }
    }
    return true;
}

static bool check_classes(struct check *c)
{
    const struct net *net = c->net;
    int count = net_class_count(net);
    if (net->task == TASK_REGRESSION) {
        return (!net->classes && net->label[0] == 0) ||
               fail(c->err, "%s: a regression net has no classes and no label", c->file);
    }
    if (net->task != TASK_CLASSIFICATION) {
        return fail(c->err, "%s: unknown task", c->file);
    }
    if (count < 2 || !net->classes) {
        return fail(c->err, "%s: classification needs at least two named classes", c->file);
    }
    for (int i = 0; i < count; i++) {
        if (!check_text(c, "name of class", i, net->classes[i], NET_NAME_MAX)) {
            return false;
        }
    }
    return true;
}

static bool is_hash(const char *text)
{
    size_t length = strlen(text);
    return length == 0 || (length == 16 && strspn(text, "0123456789abcdef") == 16);
}

static bool check_provenance(struct check *c)
{
    const struct provenance *p = &c->net->provenance;
    if (!check_text(c, "provenance: options", -1, p->options, NET_TEXT_MAX) ||
        !check_text(c, "provenance: method", -1, p->method, NET_NAME_MAX) ||
        !check_text(c, "provenance: data", -1, p->data_hash, NET_NAME_MAX)) {
        return false;
    }
    if (!is_hash(p->data_hash)) {
        return fail(c->err, "%s: provenance: data is not 16 hexadecimal digits", c->file);
    }
    bool valid =
        !p->score.known || (decimal_valid(p->score.value.digits, p->score.value.exponent) &&
                            within(p->score.rows, 1, NET_ROWS_MAX));
    return valid || fail(c->err, "%s: provenance: the score is out of range", c->file);
}

static bool check_meaning(struct check *c)
{
    const struct net *net = c->net;
    return check_text(c, "the net's name", -1, net->name, NET_NAME_MAX) &&
           check_text(c, "the label", -1, net->label, NET_NAME_MAX) &&
           check_channels(c, "input", net->inputs, net->tensors[net->input].shape.channels) &&
           check_channels(c, "output", net->outputs, net->tensors[net->output].shape.channels) &&
           check_classes(c) && check_provenance(c);
}

bool net_check(const struct net *net, const char *file, struct error *err)
{
    struct check c = {.net = net, .file = file, .err = err};
    if (!check_tensors(&c) || !check_ends(&c) || !check_flow(&c)) {
        return false;
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (!check_layer(&c, i)) {
            return false;
        }
    }
    struct arena *arena = arena_new();
    bool sound = arena ? check_bounds(&c, arena) : fail_memory(err);
    arena_free(arena);
    return sound && check_meaning(&c);
}
