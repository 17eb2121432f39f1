/* SPEC 14.2 for ops that join, look at or move the elements of maps. */
#include "net/check.h"

static bool same_shape(struct shape a, struct shape b)
{
    return a.rows == b.rows && a.columns == b.columns && a.channels == b.channels;
}

bool check_map_shape(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    struct shape in = c->net->tensors[layer->inputs[0]].shape;
    struct shape out = c->net->tensors[layer->output].shape;
    struct shape made;
    const char *why = "";
    if (!net_map_shape(c->net, layer, &made, &why)) {
        return fail(c->err, LAYER ": %s; its input is %d x %d x %d", LAYER_OF(c, i), why, in.rows,
                    in.columns, in.channels);
    }
    return same_shape(made, out) ||
           fail(c->err, LAYER ": makes %d x %d x %d, its output is %d x %d x %d", LAYER_OF(c, i),
                made.rows, made.columns, made.channels, out.rows, out.columns, out.channels);
}

/* All inputs of one type: i32, or what activations write. */
bool check_add(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    enum type out = c->net->tensors[layer->output].type;
    enum type first = c->net->tensors[layer->inputs[0]].type;
    for (int k = 0; k < layer->input_count; k++) {
        enum type in = c->net->tensors[layer->inputs[k]].type;
        if (in != first || (in != TYPE_I32 && !check_activation_type(in))) {
            return check_wrong_type(c, i, "input", in);
        }
        if (!check_same_shape(c, i, k)) {
            return false;
        }
    }
    if (out == TYPE_U16) {
        return check_wrong_type(c, i, "output", out);
    }
    return check_no_weights(c, i) && check_no_convert(c, i, false);
}

bool check_concat(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    const struct tensor *out = &c->net->tensors[layer->output];
    int width = 0;
    for (int k = 0; k < layer->input_count; k++) {
        const struct tensor *in = &c->net->tensors[layer->inputs[k]];
        if (in->type != out->type) {
            return fail(c->err, LAYER ": input %d is %s, the output %s", LAYER_OF(c, i), k,
                        type_name(in->type), type_name(out->type));
        }
        if (in->shape.rows != out->shape.rows || in->shape.columns != out->shape.columns) {
            return fail(c->err, LAYER ": input %d has %d x %d positions, the output %d x %d",
                        LAYER_OF(c, i), k, in->shape.rows, in->shape.columns, out->shape.rows,
                        out->shape.columns);
        }
        width += in->width;
    }
    if (width != out->width) {
        return fail(c->err, LAYER ": the inputs have %d elements, the output %d", LAYER_OF(c, i),
                    width, out->width);
    }
    return check_no_weights(c, i) && check_no_convert(c, i, false);
}

/* A mean of SPEC 2.3 that has a multiplier. */
static bool check_mean(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    enum type type = c->net->tensors[layer->inputs[0]].type;
    bool fits = net_mean(net_mean_count(c->net, layer), type_magnitude(type)).multiplier > 0;
    return fits || fail(c->err, LAYER ": averages more elements than 32 bits hold", LAYER_OF(c, i));
}

/* A resize of bytes whose means lose bits makes u4; everything else keeps its type. */
static bool check_kept_type(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    enum type in = c->net->tensors[layer->inputs[0]].type;
    enum type out = c->net->tensors[layer->output].type;
    int drop = layer->window.drop;
    if (drop == 0) {
        return in == out || check_wrong_type(c, i, "output", out);
    }
    if (in != TYPE_U8) {
        return check_wrong_type(c, i, "input", in);
    }
    if (out != TYPE_U4) {
        return check_wrong_type(c, i, "output", out);
    }
    return (drop >= 4 && drop <= 7) ||
           fail(c->err, LAYER ": drops %d bits, not 4 to 7", LAYER_OF(c, i), drop);
}

bool check_moved(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    const struct tensor *in = &c->net->tensors[layer->inputs[0]];
    const struct tensor *out = &c->net->tensors[layer->output];
    bool averages = layer->op == OP_AVGPOOL || layer->op == OP_RESIZE;
    if (in->type == TYPE_U16 || (averages && in->type == TYPE_I32)) {
        return check_wrong_type(c, i, "input", in->type);
    }
    if (!check_kept_type(c, i)) {
        return false;
    }
    if (layer->op == OP_RESHAPE && in->width != out->width) {
        return fail(c->err, LAYER ": %d elements become %d", LAYER_OF(c, i), in->width, out->width);
    }
    return check_no_weights(c, i) && check_no_convert(c, i, false) && check_map_shape(c, i) &&
           (!averages || check_mean(c, i));
}

bool check_chosen(struct check *c, int i)
{
    const struct layer *layer = &c->net->layers[i];
    const struct tensor *in = &c->net->tensors[layer->inputs[0]];
    enum type type = c->net->tensors[layer->output].type;
    bool index = layer->op == OP_ARGMAX;
    int most = index ? NET_WIDTH_MAX : NET_SOFTMAX_MAX;
    if (in->type == TYPE_U16) {
        return check_wrong_type(c, i, "input", in->type);
    }
    if (index ? type == TYPE_U16 || type == TYPE_U4 || in->shape.channels - 1 > type_high(type)
              : type != TYPE_U8 && type != TYPE_I16) {
        return check_wrong_type(c, i, "output", type);
    }
    if (in->shape.channels > most) {
        return fail(c->err, LAYER ": more than %d channels", LAYER_OF(c, i), most);
    }
    if (!index && (!within(layer->scale.multiplier, 1, NET_SCALE_MAX) ||
                   !within(layer->scale.shift, 0, NET_SCALE_SHIFT))) {
        return fail(c->err, LAYER ": its scale is out of range", LAYER_OF(c, i));
    }
    return check_no_weights(c, i) && check_no_convert(c, i, false) && check_map_shape(c, i);
}

bool check_distances(struct check *c, int i, struct interval *const *ranges)
{
    int input = c->net->layers[i].inputs[0];
    struct interval all = ranges[input][0];
    for (int j = 1; j < c->net->tensors[input].width; j++) {
        all.low = ranges[input][j].low < all.low ? ranges[input][j].low : all.low;
        all.high = ranges[input][j].high > all.high ? ranges[input][j].high : all.high;
    }
    return all.high - all.low <= INT32_MAX ||
           fail(c->err, LAYER ": inputs %lld..%lld lie too far apart", LAYER_OF(c, i),
                (long long)all.low, (long long)all.high);
}
