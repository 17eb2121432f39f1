/* What the head comment says of nets on maps. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

#define LINE_MOST 88 /* characters of the net's line before it is wrapped */

/* "8" or "8x4" */
static void add_pair(char *text, size_t size, int a, int b)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, size - used, a == b ? "%d" : "%dx%d", a, b);
}

/* A layer as --net writes it: "conv3x8s2:2", "pool2", "dense10". */
void map_layer_word(const struct net *net, const struct layer *layer, char *text, size_t size)
{
    const struct window *w = &layer->window;
    const struct shape *out = &net->tensors[layer->output].shape;
    bool pool = layer->op == OP_MAXPOOL || layer->op == OP_AVGPOOL;
    (void)snprintf(text, size, "%s",
                   pool ? layer->op == OP_MAXPOOL ? "pool" : "avg" : op_name(layer->op));
    if (layer->op == OP_RESIZE) {
        add_pair(text, size, out->rows, out->columns);
    } else if (w->rows > 0) {
        add_pair(text, size, w->rows, w->columns);
    }
    size_t used = strlen(text);
    if (op_has_rows(layer->op)) {
        (void)snprintf(text + used, size - used, layer->op == OP_DENSE ? "%d" : "x%d",
                       layer->weights.rows);
        used = strlen(text);
    }
    if (w->drop > 0) {
        (void)snprintf(text + used, size - used, ":%d", 8 - w->drop);
        used = strlen(text);
    }
    if (w->row_stride > 1 && !(pool && w->row_stride == w->rows)) {
        (void)snprintf(text + used, size - used, "s%d", w->row_stride);
    }
}

/* Words behind each other, wrapped below the first. */
static void print_words(struct text *out, const struct net *net)
{
    const struct shape *in = &net->tensors[net->input].shape;
    char word[64];
    int column = 11 + snprintf(word, sizeof word, "%dx%dx%d", in->rows, in->columns, in->channels);
    text_add(out, word);
    for (int i = 0; i < net->layer_count; i++) {
        map_layer_word(net, &net->layers[i], word, sizeof word);
        int length = (int)strlen(word);
        bool wraps = column + 1 + length > LINE_MOST;
        text_add(out, wraps ? "\n *         " : " ");
        text_add(out, word);
        column = wraps ? 11 + length : column + 1 + length;
    }
}

static int64_t weight_count(const struct net *net)
{
    int64_t count = 0;
    for (int i = 0; i < net->layer_count; i++) {
        count += (int64_t)net->layers[i].weights.rows * net->layers[i].weights.columns;
    }
    return count;
}

int64_t map_weight_bytes(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct weights *weights = &plan->net->layers[index].weights;
    int64_t bytes = rows->lanes ? map_lanes_bytes(rows->lanes) : 0;
    for (int k = 0; rows->passes && !rows->lanes && k < rows->pass_count; k++) {
        bytes += (int64_t)weights->rows *
                 net_row_bytes(weights->bits, weights->odd, map_pass_columns(&rows->passes[k]));
    }
    return bytes;
}

/* Of the whole net. */
static int64_t weight_bytes(const struct plan *plan)
{
    int64_t bytes = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        bytes += map_weight_bytes(plan, i);
    }
    return bytes;
}

void map_print_net(struct text *out, const struct plan *plan)
{
    char macs[GROUPED_MAX];
    char count[GROUPED_MAX];
    char bytes[GROUPED_MAX];
    text_add(out, " *   net   ");
    print_words(out, plan->net);
    text_printf(out, "\n *         %s weights in %s B, %s multiply-adds, shifts only\n",
                grouped(weight_count(plan->net), count), grouped(weight_bytes(plan), bytes),
                grouped(net_macs(plan->net), macs));
}
