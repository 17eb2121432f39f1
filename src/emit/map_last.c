/* Ops that choose among the channels of a position: argmax and softmax (SPEC 13). */
#include "emit/map.h"

#include <stdio.h>

/* Where things are written: loops over the positions, unless there is only one. */
struct spot {
    bool alone;
    const char *indent; /* of the statements for a position */
};

static struct spot open_spots(struct printer *p, const struct shape *shape)
{
    const char *index = p->plan->index;
    if (shape->rows * shape->columns == 1) {
        text_add(p->out, "    {\n");
        return (struct spot){true, "        "};
    }
    text_printf(p->out,
                "    for (%s y = 0; y < %d; y++) {\n"
                "        for (%s x = 0; x < %d; x++) {\n",
                index, shape->rows, index, shape->columns);
    return (struct spot){false, "            "};
}

static void close_spots(struct printer *p, struct spot spot)
{
    text_add(p->out, spot.alone ? "    }\n" : "        }\n    }\n");
}

/* Channel `c`, C text, of a tensor at the position at hand. */
static void print_channel(struct printer *p, struct spot spot, int tensor, const char *c)
{
    int offset = p->plan->maps->views[tensor].offset;
    const char *array = map_array(p->plan, tensor);
    if (spot.alone && offset > 0) {
        text_printf(p->out, "%s[%d + %s]", array, offset, c);
    } else if (spot.alone) {
        text_printf(p->out, "%s[%s]", array, c);
    } else {
        map_print_at(p, tensor, "y", "x", c);
    }
}

/* The head of a loop over the channels from `first` on, where `e` is the one at hand. */
static void open_channels(struct printer *p, struct spot spot, int tensor, int first)
{
    text_printf(p->out, "%sfor (%s c = %d; c < %d; c++) {\n%s    const int32_t e = ", spot.indent,
                p->plan->index, first, p->plan->net->tensors[tensor].shape.channels, spot.indent);
    print_channel(p, spot, tensor, "c");
    text_add(p->out, ";\n");
}

/* int32_t top = the largest channel; with `index`, best = where it is. */
static void print_search(struct printer *p, struct spot spot, int tensor, bool index)
{
    text_printf(p->out, "%sint32_t top = ", spot.indent);
    print_channel(p, spot, tensor, "0");
    text_add(p->out, ";\n");
    open_channels(p, spot, tensor, 1);
    if (index) {
        text_printf(p->out, "%s    best = (e > top) ? c : best;\n", spot.indent);
    }
    text_printf(p->out, "%s    top = (e > top) ? e : top;\n%s}\n", spot.indent, spot.indent);
}

static void print_argmax(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    const struct tensor *out = &p->plan->net->tensors[layer->output];
    struct spot spot = open_spots(p, &out->shape);
    text_printf(p->out, "%s%s best = 0;\n", spot.indent, p->plan->index);
    print_search(p, spot, layer->inputs[0], true);
    text_add(p->out, spot.indent);
    print_channel(p, spot, layer->output, "0");
    text_printf(p->out, " = (%s)best;\n", c_type(out->type));
    close_spots(p, spot);
}

static void print_softmax(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct tensor *out = &plan->net->tensors[layer->output];
    struct spot spot = open_spots(p, &out->shape);
    const char *indent = spot.indent;
    text_printf(p->out, "%suint32_t sum = 0;\n", indent);
    print_search(p, spot, layer->inputs[0], false);
    open_channels(p, spot, layer->inputs[0], 0);
    text_printf(p->out, "%s    sum += %s_power%d(top - e);\n", indent, plan->name, index);
    text_printf(p->out, "%s}\n", indent);
    open_channels(p, spot, layer->inputs[0], 0);
    text_printf(p->out, "%s    const uint32_t part = %s_power%d(top - e);\n%s    ", indent,
                plan->name, index, indent);
    print_channel(p, spot, layer->output, "c");
    text_printf(p->out, " = (%s)%s_share%d(part, sum);\n%s}\n", c_type(out->type), plan->name,
                index, indent);
    close_spots(p, spot);
}

void map_print_chosen(struct printer *p, int index)
{
    if (p->plan->net->layers[index].op == OP_ARGMAX) {
        print_argmax(p, index);
    } else {
        print_softmax(p, index);
    }
}

/* ---- functions of a softmax ---- */

static void print_power_table(struct printer *p)
{
    text_printf(p->out, "    static const uint16_t t[%d] %s_FLASH = {", NET_POWERS, p->plan->upper);
    for (int k = 0; k < NET_POWERS; k++) {
        text_printf(p->out, "%s%d%s", k % 8 ? " " : "\n        ", net_powers[k],
                    k + 1 < NET_POWERS ? "," : "");
    }
    text_add(p->out, "};\n");
}

void map_print_powers(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    struct scale scale = layer->scale;
    int bits = plan->net->tensors[layer->output].type == TYPE_U8 ? 8 : 15;
    int64_t far = (((int64_t)512 << scale.shift) + scale.multiplier - 1) / scale.multiplier;
    int64_t half = (int64_t)1 << scale.shift >> 1;
    char shift[16] = "";
    if (scale.shift > 0) {
        (void)snprintf(shift, sizeof shift, " >> %d", scale.shift);
    }
    text_printf(p->out,
                "/* 2^15 e^-x of what lies d codes below the largest, in steps of 2^(-1/%d). */\n"
                "static uint32_t %s_power%d(int32_t d)\n{\n",
                NET_POWERS, plan->name, index);
    print_power_table(p);
    text_printf(p->out,
                "    uint32_t power = 0;\n\n"
                "    if ((d >= 0) && (d < %lld)) {\n"
                "        const uint32_t u = (((uint32_t)d * %dU) + %lldU)%s;\n"
                "        power = (uint32_t)%s_U16(t, u & %dU) >> (u >> 5);\n"
                "    }\n"
                "    return power;\n"
                "}\n\n",
                (long long)far, scale.multiplier, (long long)half, shift, plan->upper,
                NET_POWERS - 1);
    text_printf(
        p->out,
        "/* 2^%d part / sum, rounded down; of the whole sum one less. */\n"
        "static uint32_t %s_share%d(uint32_t part, uint32_t sum)\n{\n"
        "    uint32_t left = part;\n"
        "    uint32_t share = 0;\n\n"
        "    for (uint8_t bit = 0; bit < %dU; bit++) {\n"
        "        const uint32_t twice = (left << 1) & 0x7FFFFFFFU; /* left <= sum < 2^30 */\n"
        "        const int32_t rest = (int32_t)twice - (int32_t)sum;\n"
        "        left = (rest < 0) ? twice : (uint32_t)rest;\n"
        "        share = (share << 1) | ((rest < 0) ? 0U : 1U);\n"
        "    }\n"
        "    return share & %dU;\n"
        "}\n\n",
        bits, plan->name, index, bits, (1 << bits) - 1);
}
