/* The comment at the top: what the file is, what goes in and comes out, what is proved. */
#include "base/version.h"
#include "emit/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_MOST   40 /* characters of one name or unit */
#define GROUPS_MOST 32 /* lines of channels of input or output */

static bool same_decimal(struct decimal a, struct decimal b)
{
    return a.digits == b.digits && a.exponent == b.exponent;
}

/* Do two channels mean the same but for their names? */
static bool same_meaning(const struct channel *a, const struct channel *b)
{
    return strcmp(a->unit, b->unit) == 0 && same_decimal(a->lsb, b->lsb) &&
           same_decimal(a->offset, b->offset);
}

/* "leg0 leg1 leg2", or "leg0 .. leg783" where they are many. */
static void print_names(struct text *out, const struct channel *channels, int first, int count)
{
    if (count > 6) {
        print_safe(out, channels[first].name, NAME_MOST);
        text_add(out, " .. ");
        print_safe(out, channels[first + count - 1].name, NAME_MOST);
        return;
    }
    for (int i = 0; i < count; i++) {
        text_add(out, i ? " " : "");
        print_safe(out, channels[first + i].name, NAME_MOST);
    }
}

static void print_value(struct text *out, struct decimal value, const char *unit)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_print(value, text);
    text_add(out, text);
    if (*unit) {
        text_add(out, " ");
        print_safe(out, unit, NAME_MOST);
    }
}

/* "1 = 0.002 mm, 0 = 5 mm, -20 .. 20 mm" */
static void print_meaning(struct text *out, const struct channel *channels, int first, int count)
{
    const struct channel *channel = &channels[first];
    struct decimal low = channel->low;
    struct decimal high = channel->high;
    char text[DECIMAL_TEXT_MAX];
    for (int i = 1; i < count; i++) {
        const struct channel *other = &channels[first + i];
        low = decimal_value(other->low) < decimal_value(low) ? other->low : low;
        high = decimal_value(other->high) > decimal_value(high) ? other->high : high;
    }
    if (same_decimal(channel->lsb, (struct decimal){1, 0}) && !*channel->unit &&
        channel->offset.digits == 0) {
        text_add(out, "as read");
    } else {
        text_add(out, "1 = ");
        print_value(out, channel->lsb, channel->unit);
    }
    if (channel->offset.digits != 0) {
        text_add(out, ", 0 = ");
        print_value(out, channel->offset, channel->unit);
    }
    if (low.digits != 0 || high.digits != 0) {
        decimal_print(low, text);
        text_printf(out, ", %s .. ", text);
        print_value(out, high, channel->unit);
    }
}

static void print_channels(struct text *out, const char *end, enum type type,
                           const struct channel *channels, int width)
{
    int groups = 0;
    text_printf(out, " *   %-5s %s[%d]\n", end, c_type(type), width);
    for (int first = 0; first < width;) {
        int count = 1;
        while (first + count < width && same_meaning(&channels[first], &channels[first + count])) {
            count++;
        }
        if (groups++ == GROUPS_MOST) {
            text_printf(out, " *           and %d more\n", width - first);
            return;
        }
        text_add(out, " *           ");
        print_names(out, channels, first, count);
        text_add(out, "   ");
        print_meaning(out, channels, first, count);
        text_add(out, "\n");
        first += count;
    }
}

static void print_classes(struct text *out, const struct net *net)
{
    int count = net->tensors[net->output].width;
    if (net->task != TASK_CLASSIFICATION) {
        return;
    }
    text_add(out, " *   class");
    for (int i = 0; i < count && i < 256; i++) {
        text_printf(out, i % 6 == 0 && i ? "\n *         %d " : " %d ", i);
        print_safe(out, net->classes[i], 24);
        text_add(out, i + 1 < count ? "," : "");
    }
    text_add(out, "\n");
}

/* ---- the net ---- */

/* Widths along the longest-lived path: the input, then every dense layer that is not summed. */
static void print_shape(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    text_printf(out, "%d", net->tensors[net->input].width);
    int summed = 0;
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op == OP_DENSE) {
            bool side = net->tensors[net->layers[i].output].type == TYPE_I32 &&
                        net->layers[i].output != net->output;
            summed += side;
            if (!side || summed == 1) {
                text_printf(out, "-%d", net->layers[i].weights.rows);
            }
        }
    }
}

/* Activations that occur, once each, in the order of their first layer. */
static void print_activations(struct text *out, const struct net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        enum activation activation = net->layers[i].activation;
        bool seen = activation == ACTIVATION_NONE;
        for (int k = 0; k < i; k++) {
            seen = seen || net->layers[k].activation == activation;
        }
        if (!seen) {
            text_printf(out, ", %s", activation_name(activation));
        }
    }
}

static bool has_op(const struct net *net, enum op op)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op == op) {
            return true;
        }
    }
    return false;
}

static void print_net(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    int least = 16;
    int most = 0;
    char weights[GROUPED_MAX];
    for (int i = 0; i < net->layer_count; i++) {
        int bits = net->layers[i].weights.bits;
        if (net->layers[i].op == OP_DENSE) {
            least = bits < least ? bits : least;
            most = bits > most ? bits : most;
        }
    }
    text_add(out, " *   net   ");
    print_shape(out, plan);
    print_activations(out, net);
    text_add(out, has_op(net, OP_ADD) ? ", sums of layers" : "");
    text_add(out, has_op(net, OP_CONCAT) ? ", joined layers" : "");
    text_printf(out, "; %s weights of ", grouped(net_macs(net), weights));
    if (least < most) {
        text_printf(out, "%d to ", least);
    }
    text_printf(out, "%d bits, shifts only\n", most);
}

static void print_score(struct text *out, const struct net *net)
{
    const struct score *score = &net->provenance.score;
    char value[DECIMAL_TEXT_MAX];
    char rows[GROUPED_MAX];
    if (score->known) {
        decimal_print(score->value, value);
        text_printf(out, " *   score %s %% %s on %s rows unseen in training, this code\n", value,
                    net->task == TASK_CLASSIFICATION ? "right" : "of range (RMS)",
                    grouped(score->rows, rows));
    }
}

static void print_cost_part(struct text *out, int64_t value, const char *unit, const char **gap)
{
    char text[GROUPED_MAX];
    if (value >= 0) {
        text_printf(out, "%s%s %s", *gap, grouped(value, text), unit);
        *gap = ", ";
    }
}

static void print_costs(struct text *out, const struct emit_options *options)
{
    for (int i = 0; i < options->cost_count; i++) {
        const struct emit_cost *cost = &options->costs[i];
        const char *gap = ": ";
        text_add(out, " *   cost  ");
        print_safe(out, cost->target, NAME_MOST);
        print_cost_part(out, cost->flash_code, "B code", &gap);
        print_cost_part(out, cost->flash_const, "B constants", &gap);
        print_cost_part(out, cost->ram, "B RAM", &gap);
        print_cost_part(out, cost->stack, "B stack", &gap);
        print_cost_part(out, cost->cycles, "cycles", &gap);
        text_add(out, "\n");
    }
}

static void print_bound(struct text *out, const struct plan *plan)
{
    char bound[GROUPED_MAX];
    if (plan->worst_layer >= 0) {
        const struct step *step = &plan->steps[plan->worst_layer];
        text_printf(out, " *   bound |acc| <= %s < 2^31 for every input (layer %d, row %d)\n",
                    grouped(step->bounds[step->worst], bound), step->number, step->worst);
    }
}

void print_head(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    text_printf(out, "/* %s.h: ", plan->name);
    print_safe(out, net->name, NAME_MOST);
    text_add(out, ".  Written by mote " MOTE_VERSION_TEXT "; it is yours.\n *\n");
    print_channels(out, "in", in->type, net->inputs, in->width);
    print_channels(out, "out", result->type, net->outputs, result->width);
    print_classes(out, net);
    text_printf(out, " *   use   %s out[%d]; %s_predict(in, out);\n *\n", c_type(result->type),
                result->width, plan->name);
    print_net(out, plan);
    print_score(out, net);
    print_costs(out, plan->options);
    print_bound(out, plan);
    text_add(out, " */\n");
}
