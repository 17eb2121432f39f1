/* What stands at the end of a net and chooses: argmax and softmax (SPEC 13). */
#include "net/net.h"

#define LOG2_E 1.44269504088896340736

const uint16_t net_powers[NET_POWERS] = {32768, 32066, 31379, 30706, 30048, 29405, 28774, 28158,
                                         27554, 26964, 26386, 25821, 25268, 24726, 24196, 23678,
                                         23170, 22674, 22188, 21713, 21247, 20792, 20347, 19911,
                                         19484, 19066, 18658, 18258, 17867, 17484, 17109, 16743};

const struct layer *net_last(const struct net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].output == net->output) {
            return &net->layers[i];
        }
    }
    return NULL;
}

bool net_gives_class(const struct net *net)
{
    const struct layer *last = net_last(net);
    return last && last->op == OP_ARGMAX && net->tensors[net->output].width == 1;
}

int net_class_count(const struct net *net)
{
    const struct tensor *tensors = net->tensors;
    return net_gives_class(net) ? tensors[net_last(net)->inputs[0]].width
                                : tensors[net->output].width;
}

/* Of 8 bits, so that compilers without a multiplier add few shifts. */
struct scale net_scale(double step)
{
    double octaves = step * LOG2_E * NET_POWERS;
    struct scale scale = {NET_SCALE_MAX, 0};
    for (int shift = NET_SCALE_SHIFT; shift >= 0; shift--) {
        double multiplier = octaves * (double)((int64_t)1 << shift) + 0.5;
        if (multiplier < (shift > 0 ? 256 : NET_SCALE_MAX)) {
            scale = (struct scale){multiplier < 1 ? 1 : (int)multiplier, shift};
            break;
        }
    }
    while (scale.shift > 0 && scale.multiplier % 2 == 0) {
        scale.multiplier /= 2;
        scale.shift--;
    }
    return scale;
}

/* One channel for all outputs. */
static bool set_output(struct net *net, struct channel channel)
{
    int count = net->tensors[net->output].shape.channels;
    struct channel *outputs = arena_alloc(net->arena, (size_t)count, sizeof *outputs);
    for (int i = 0; outputs && i < count; i++) {
        outputs[i] = channel;
    }
    return outputs && net_set_channels(net, net->inputs, outputs);
}

bool net_append(struct net *net, enum op op)
{
    int from = net->output;
    int count = net->tensors[from].width;
    bool index = op == OP_ARGMAX;
    enum type type = !index || count <= 256 ? TYPE_U8 : TYPE_I32;
    struct layer layer = {.op = op, .inputs = {from}, .input_count = 1};
    struct channel channel = {.name = "", .unit = "", .lsb = {1, 0}, .high = {count - 1, 0}};
    if (!index) {
        layer.scale = net_scale(decimal_value(net->outputs[0].lsb));
        channel.lsb = (struct decimal){390625, -8}; /* 1/256 */
        channel.high = (struct decimal){1, 0};
    }
    layer.output = net_add_tensor(net, type, index ? 1 : count);
    if (layer.output < 0 || !net_add_layer(net, &layer)) {
        return false;
    }
    net->output = layer.output;
    return set_output(net, channel);
}
