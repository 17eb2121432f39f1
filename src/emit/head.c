/* The comment at the top: what the file is, what goes in and comes out, what is proved. */
#include "base/version.h"
#include "emit/map.h"

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

/* Channels of one meaning that stand behind each other. */
struct group {
    int first;
    int count;
};

/* The name of a channel, or its place if it has none. */
static void print_name(struct text *out, const struct channel *channels, int index)
{
    if (*channels[index].name) {
        print_safe(out, channels[index].name, NAME_MOST);
    } else {
        text_printf(out, "[%d]", index);
    }
}

/* "leg0 leg1 leg2", or "leg0 .. leg783" where they are many. */
static void print_names(struct text *out, const struct channel *channels, struct group group)
{
    bool many = group.count > 6;
    for (int i = 0; i < group.count; i += many ? group.count - 1 : 1) {
        text_add(out, i == 0 ? "" : many ? " .. " : " ");
        print_name(out, channels, group.first + i);
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

/* "1 = 0.002 mm, 0 = 5 mm" */
static void print_step_size(struct text *out, const struct channel *channel)
{
    bool raw = same_decimal(channel->lsb, (struct decimal){1, 0}) && !*channel->unit;
    if (raw && channel->offset.digits == 0) {
        text_add(out, "raw");
        return;
    }
    text_add(out, "1 = ");
    print_value(out, channel->lsb, channel->unit);
    if (channel->offset.digits != 0) {
        text_add(out, ", 0 = ");
        print_value(out, channel->offset, channel->unit);
    }
}

/* "-20 .. 20 mm": the range of the values in the training data, over the group. */
static void print_range(struct text *out, const struct channel *channels, struct group group)
{
    struct decimal low = channels[group.first].low;
    struct decimal high = channels[group.first].high;
    char text[DECIMAL_TEXT_MAX];
    for (int i = group.first + 1; i < group.first + group.count; i++) {
        low = decimal_value(channels[i].low) < decimal_value(low) ? channels[i].low : low;
        high = decimal_value(channels[i].high) > decimal_value(high) ? channels[i].high : high;
    }
    if (low.digits != 0 || high.digits != 0) {
        decimal_print(low, text);
        text_printf(out, "%s .. ", text);
        print_value(out, high, channels[group.first].unit);
    }
}

/* The next group from `first` on. */
static struct group group_at(const struct channel *channels, int first, int width)
{
    struct group group = {.first = first, .count = 1};
    while (first + group.count < width &&
           same_meaning(&channels[first], &channels[first + group.count])) {
        group.count++;
    }
    return group;
}

/* Three columns: names, step, range.  `widths` are those of the first two, and grow if too
 * small. */
static void print_group(struct text *out, const struct channel *channels, struct group group,
                        size_t widths[2])
{
    struct text names = {0};
    struct text step = {0};
    struct text range = {0};
    text_add(&names, "");
    text_add(&step, "");
    text_add(&range, "");
    print_names(&names, channels, group);
    print_step_size(&step, &channels[group.first]);
    print_range(&range, channels, group);
    widths[0] = names.length > widths[0] ? names.length : widths[0];
    widths[1] = step.length > widths[1] ? step.length : widths[1];
    if (names.failed || step.failed || range.failed) {
        out->failed = true;
    } else if (range.length > 0) {
        text_printf(out, "%-*s   %-*s   %s\n", (int)widths[0], names.data, (int)widths[1],
                    step.data, range.data);
    } else {
        text_printf(out, "%-*s   %s\n", (int)widths[0], names.data, step.data);
    }
    text_free(&names);
    text_free(&step);
    text_free(&range);
}

static void print_groups(struct text *out, const struct channel *channels, int width,
                         size_t widths[2])
{
    int groups = 0;
    for (int first = 0; first < width;) {
        struct group group = group_at(channels, first, width);
        if (first > 0) {
            text_printf(out, " *   %21s", "");
        }
        if (groups++ == GROUPS_MOST) {
            text_printf(out, "and %d more\n", width - first);
            return;
        }
        print_group(out, channels, group, widths);
        first += group.count;
    }
}

/* Of a map its size, and a line per channel. */
static void print_channels(struct text *out, const char *end, const struct tensor *tensor,
                           const struct channel *channels)
{
    char array[32];
    size_t widths[2] = {0, 0};
    struct text measured = {0};
    const struct shape *shape = &tensor->shape;
    print_groups(&measured, channels, shape->channels, widths);
    out->failed = out->failed || measured.failed;
    text_free(&measured);
    (void)snprintf(array, sizeof array, "%s[%d]", c_type(tensor->type), tensor->width);
    text_printf(out, " *   %-5s %-15s", end, array);
    if (shape->channels != tensor->width) {
        text_printf(out, "%d rows of %d columns of %d channel%s\n *   %21s", shape->rows,
                    shape->columns, shape->channels, shape->channels == 1 ? "" : "s", "");
    }
    print_groups(out, channels, shape->channels, widths);
}

/* Class indices and their names, six on a line. */
static void print_classes(struct text *out, const struct net *net)
{
    int count = net_class_count(net);
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

/* The layer that writes `tensor`; NULL for the input. */
static const struct layer *writer(const struct net *net, int tensor)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].output == tensor) {
            return &net->layers[i];
        }
    }
    return NULL;
}

/* Is the output a sum in which one term is a matrix times the readings? */
static bool has_linear_skip(const struct net *net)
{
    const struct layer *add = writer(net, net->output);
    for (int k = 0; add && add->op == OP_ADD && k < add->input_count; k++) {
        const struct layer *term = writer(net, add->inputs[k]);
        if (!term || term->op != OP_DENSE) {
            continue;
        }
        const struct layer *before = writer(net, term->inputs[0]);
        if (!before || before->op == OP_CONVERT) {
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
    if (has_op(net, OP_ADD)) {
        text_add(out, has_linear_skip(net) ? ", linear skip" : ", sums of layers");
    }
    text_add(out, has_op(net, OP_CONCAT) ? ", joined layers" : "");
    if (most > 0) {
        text_printf(out, "; %s weights of ", grouped(net_macs(net), weights));
        if (least < most) {
            text_printf(out, "%d to ", least);
        }
        text_printf(out, "%d bits, shifts only", most);
    }
    text_add(out, "\n");
}

/* The score on data that training never saw. */
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

/* "372 B code", if it is known; *gap goes in front. */
static void print_cost_part(struct text *out, int64_t value, const char *unit, const char **gap)
{
    char text[GROUPED_MAX];
    if (value >= 0) {
        text_printf(out, "%s%s %s", *gap, grouped(value, text), unit);
        *gap = ", ";
    }
}

/* One line for each target that was measured. */
static void print_costs(struct text *out, const struct emit_options *options)
{
    for (int i = 0; i < options->cost_count; i++) {
        const struct emit_cost *cost = &options->costs[i];
        const char *gap = ": ";
        if (cost->flash_code < 0 && cost->flash_const < 0 && cost->ram < 0 && cost->stack < 0 &&
            cost->cycles < 0) {
            continue;
        }
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

/* The largest bound of the net and where it is, to be checked by hand. */
static void print_bound(struct text *out, const struct plan *plan)
{
    char bound[GROUPED_MAX];
    if (plan->worst_layer >= 0) {
        const struct step *step = &plan->steps[plan->worst_layer];
        text_printf(out, " *   bound |acc| <= %s < 2^31 for every input (layer %d, row %d)\n",
                    grouped(step->bounds[step->worst], bound), step->number, step->worst);
    }
}

/* What and whence, on two lines where one would grow too long. */
static void print_title(struct text *out, const struct plan *plan)
{
    struct text name = {0};
    text_add(&name, "");
    print_safe(&name, plan->net->name, NAME_MOST);
    out->failed = out->failed || name.failed;
    bool together = strlen(plan->name) + name.length <= 26;
    if (!name.failed) {
        text_printf(out,
                    "/* %s.h: a neural network in integers.%sWritten by mote " MOTE_VERSION_TEXT
                    " from '%s'; it is yours.\n *\n",
                    plan->name, together ? "  " : "\n * ", name.data);
    }
    text_free(&name);
}

void print_head(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    print_title(out, plan);
    print_channels(out, "in", in, net->inputs);
    print_channels(out, "out", result, net->outputs);
    print_classes(out, net);
    text_printf(out, " *   use   %s out[%d]; %s_predict(in, out);\n", c_type(result->type),
                result->width, plan->name);
    if (net->task == TASK_CLASSIFICATION) {
        text_printf(out, " *         int best = %s_classify(in);\n", plan->name);
    }
    text_add(out, " *\n");
    (plan->maps ? map_print_net : print_net)(out, plan);
    print_score(out, net);
    print_costs(out, plan->options);
    print_bound(out, plan);
    if (plan->options->constant_time) {
        text_add(out, " *   time  constant: no branch and no address depends on data\n");
    }
    text_add(out, " */\n");
}
