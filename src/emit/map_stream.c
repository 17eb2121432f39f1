/* Streams: chains of layers, row by row, for size.
 *
 * One loop serves a chain.  In each turn a layer computes a row of its output if it is its turn:
 * row y in turn start + y * period, which is when the last row that it reads was computed, be it in
 * the same turn.  So of a map between two layers there are only the rows that the second one
 * looks at; they move up by one before the next is written. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* ---- the plan ---- */

/* Does each row of the output need the same rows of the input, from its first one on? */
static bool steady(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    bool pools = layer->op == OP_MAXPOOL || layer->op == OP_AVGPOOL;
    return layer->op == OP_CONV ? layer->window.top < map_reach(plan, index)
                                : pools && map_whole_windows(plan->net, layer);
}

int map_rows_at_once(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    int rows = plan->net->tensors[layer->output].shape.rows;
    return layer->op == OP_RESIZE && map_resize_blocks(plan, index)
               ? net_overlap(layer->window.rows, rows).unit_in
               : 1;
}

/* May the layer behind a layer, or behind its pool, read their output row by row? */
static bool may_link(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    int next = map_next(plan, index);
    int output = map_output(plan, index);
    int last = 0;
    bool rows = net->layers[index].op == OP_RESIZE || steady(plan, index);
    return next < net->layer_count && rows && !map_is_pooled(plan, index) &&
           net->layers[next].inputs[0] == output && plan_readers(net, output, &last) == 1 &&
           output != net->output && steady(plan, next) &&
           map_reach(plan, next) - 1 + map_rows_at_once(plan, index) <
               net->tensors[output].shape.rows;
}

/* Rows of zeros below the map that a linked layer writes, as its reader wants them. */
static int zeros_below(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    int next = map_next(plan, index);
    int end = (net->tensors[map_output(plan, next)].shape.rows - 1) * map_stride(plan, next) -
              net->layers[next].window.top + map_reach(plan, next);
    int rows = net->tensors[map_output(plan, index)].shape.rows;
    return end > rows ? end - rows : 0;
}

/* When the reader of a linked layer has its turns. */
static void follow(const struct plan *plan, int index)
{
    int next = map_next(plan, index);
    struct stream *stream = &plan->maps->streams[index];
    struct stream *reader = &plan->maps->streams[next];
    int wait = map_reach(plan, next) - 1 - plan->net->layers[next].window.top;
    stream->rows += zeros_below(plan, index);
    reader->first = stream->first;
    reader->period = stream->period * map_stride(plan, next);
    reader->start = stream->start + wait * stream->period;
}

void map_link(struct plan *plan, const bool links[NET_LAYERS_MAX])
{
    const struct net *net = plan->net;
    struct stream *streams = plan->maps->streams;
    for (int i = 0; i < net->layer_count; i++) {
        streams[i] = (struct stream){.first = i,
                                     .last = i,
                                     .period = 1,
                                     .rows = net->tensors[map_output(plan, i)].shape.rows};
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (links[i]) {
            follow(plan, i);
        }
    }
    for (int i = 1; i < net->layer_count; i++) {
        bool alone = streams[i - 1].first == i - 1 && !links[i - 1];
        if (map_is_pooled(plan, i) && !alone) {
            streams[i] = streams[i - 1];
            streams[i].last = i;
        }
    }
    for (int i = net->layer_count - 1; i > 0; i--) {
        if (streams[i].first < i) {
            streams[i - 1].last = streams[i].last;
        }
    }
    for (int i = 0; i < net->layer_count; i++) {
        const struct stream *end = &streams[streams[i].last];
        streams[i].turns = end->start + (end->rows - 1) * end->period + 1;
    }
}

/* Takes away the links without which the maps need no more room.  True if there was one. */
static bool drop_link(struct plan *plan, bool links[NET_LAYERS_MAX], int64_t *bytes)
{
    int best = -1;
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (links[i]) {
            links[i] = false;
            int64_t without = map_lay_out(plan, links);
            best = without <= *bytes ? i : best;
            *bytes = without <= *bytes ? without : *bytes;
            links[i] = true;
        }
    }
    if (best >= 0) {
        links[best] = false;
    }
    return best >= 0;
}

void map_plan_streams(struct plan *plan)
{
    bool links[NET_LAYERS_MAX] = {false};
    for (int i = 0; i < plan->net->layer_count; i++) {
        links[i] =
            map_for_size(plan, i) && may_link(plan, i) && map_for_size(plan, map_next(plan, i));
    }
    int64_t bytes = map_lay_out(plan, links);
    while (drop_link(plan, links, &bytes)) {
    }
    (void)map_lay_out(plan, links);
}

bool map_in_stream(const struct plan *plan, int layer)
{
    const struct stream *stream = &plan->maps->streams[layer];
    return stream->first < stream->last;
}

const char *map_row_to(const struct plan *plan, int tensor, char text[16])
{
    const struct map_view *view = &plan->maps->views[tensor];
    (void)snprintf(text, 16, view->kept ? "%d" : "y", view->fresh);
    return text;
}

/* ---- the loop ---- */

/* Counters of the layers that have no turn each time: turns to wait, and the next row. */
static void print_counters(struct printer *p, int first)
{
    const struct stream *streams = p->plan->maps->streams;
    for (int i = first; i <= streams[first].last; i = map_next(p->plan, i)) {
        int each = map_rows_at_once(p->plan, i);
        if (streams[i].period * each > 1) {
            text_printf(p->out, "int wait%d = %d;\n%s row%d = 0;\n", i, streams[i].start,
                        p->plan->index, i);
        }
    }
}

/* Is the number of its row part of what a layer in a stream does? */
static bool counts_rows(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct map_view *views = plan->maps->views;
    int output = map_output(plan, index);
    return !views[layer->inputs[0]].kept || !views[output].kept ||
           plan->maps->streams[index].rows > plan->net->tensors[output].shape.rows;
}

static void open_later(struct printer *p, int index, int period, int rows)
{
    text_printf(p->out, "if (wait%d > 0) {\nwait%d--;\n} else if (row%d < %d) {\n", index, index,
                index, rows);
    if (counts_rows(p->plan, index)) {
        text_printf(p->out, "const %s y = row%d;\n", p->plan->index, index);
    }
    text_printf(p->out, "wait%d = %d;\nrow%d++;\n", index, period - 1, index);
}

/* Opens the block of a layer's turn, with the row or, of several at a time, their block in y. */
static void open_turn(struct printer *p, int index, int period, int rows)
{
    const struct stream *stream = &p->plan->maps->streams[index];
    int end = stream->start + rows * period;
    if (period > 1) {
        open_later(p, index, period, rows);
        return;
    }
    if (stream->start > 0 && end < stream->turns) {
        text_printf(p->out, "if ((t >= %d) && (t < %d)) {\n", stream->start, end);
    } else if (stream->start > 0) {
        text_printf(p->out, "if (t >= %d) {\n", stream->start);
    } else if (end < stream->turns) {
        text_printf(p->out, "if (t < %d) {\n", end);
    } else {
        text_add(p->out, "{\n");
    }
    if (counts_rows(p->plan, index)) {
        text_printf(p->out, stream->start > 0 ? "const %s y = t - %d;\n" : "const %s y = t;\n",
                    p->plan->index, stream->start);
    }
}

/* The rows that are there go up by one. */
static void print_roll(struct printer *p, int tensor)
{
    const struct map_view *view = &p->plan->maps->views[tensor];
    int first = view->offset - view->border.left * view->column;
    char to[INDEX_MAX] = "i";
    char from[INDEX_MAX] = "i";
    if (view->kept > 1) {
        const char *array = map_array(p->plan, tensor);
        text_printf(p->out, "for (%s i = 0; i < %d; i++) {\n%s[%s] = ", p->plan->index,
                    (view->kept - 1) * view->row, array, map_end_terms(to, first));
        text_printf(p->out, "%s[%s];\n}\n", array, map_end_terms(from, first + view->row));
    }
}

/* Rows of zeros below a map. */
static void print_zeros(struct printer *p, int tensor)
{
    const struct map_view *view = &p->plan->maps->views[tensor];
    const struct shape *shape = &p->plan->net->tensors[tensor].shape;
    char at[INDEX_MAX] = "i";
    text_printf(p->out, "for (%s i = 0; i < %d; i++) {\n%s[%s] = 0;\n}\n", p->plan->index,
                (view->kept - view->fresh - 1) * view->row + shape->columns * view->column,
                map_array(p->plan, tensor),
                map_end_terms(at, view->offset + view->fresh * view->row));
}

/* A resize by blocks computes several rows in one turn and none in the next ones. */
static void print_turn(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct stream *stream = &plan->maps->streams[index];
    int output = map_output(plan, index);
    int own = plan->net->tensors[output].shape.rows;
    int each = map_rows_at_once(plan, index);
    bool below = stream->rows > own;
    if (each > 1) {
        print_roll(p, output);
        open_turn(p, index, each, (stream->rows + each - 1) / each);
    } else {
        open_turn(p, index, stream->period, stream->rows);
        print_roll(p, output);
    }
    if (below) {
        text_printf(p->out, "if (y < %d) {\n", own / each);
    }
    map_print_move(p, index);
    if (below) {
        text_add(p->out, "} else {\n");
        print_zeros(p, output);
        text_add(p->out, "}\n");
    }
    bool waits = stream->period * each > 1;
    text_add(p->out, waits ? "} else {\n/* all rows are there */\n}\n" : "}\n");
}

/* Adds to first..end the elements of maps of the chain that begin with zeros, too, and lie beside
 * them; they are `done` then. */
static void add_beside(const struct plan *plan, int layer, bool *done, int *first, int *end)
{
    const struct layer *layers = plan->net->layers;
    const struct stream *stream = &plan->maps->streams[layer];
    for (int k = stream->first; k <= stream->last; k++) {
        const struct map_view *view = &plan->maps->views[layers[k].output];
        int at = map_first_element(view);
        if (view->zeros && !done[k] && (at == *end || at + view->size == *first) &&
            strcmp(map_array(plan, layers[layer].output), map_array(plan, layers[k].output)) == 0) {
            *first = at < *first ? at : *first;
            *end = at + view->size > *end ? at + view->size : *end;
            done[k] = true;
            k = stream->first - 1;
        }
    }
}

/* The maps that begin with zeros. */
static void print_all_zeros(struct printer *p, int first)
{
    const struct plan *plan = p->plan;
    bool done[NET_LAYERS_MAX] = {false};
    for (int i = first; i <= plan->maps->streams[first].last; i++) {
        const struct map_view *view = &plan->maps->views[plan->net->layers[i].output];
        int from = map_first_element(view);
        int end = from + view->size;
        if (view->zeros && !done[i] && !map_finds_zeros(plan, plan->net->layers[i].output)) {
            done[i] = true;
            add_beside(plan, i, done, &from, &end);
            map_print_zeros(p, plan->net->layers[i].output, from, end);
        }
    }
}

static void print_layers(struct printer *p, int first)
{
    const struct stream *stream = &p->plan->maps->streams[first];
    print_all_zeros(p, first);
    text_add(p->out, "{\n");
    print_counters(p, first);
    text_printf(p->out, "for (%s t = 0; t < %d; t++) {\n", p->plan->index, stream->turns);
    for (int i = first; i <= stream->last; i++) {
        map_print_note(p, i);
        if (!map_is_pooled(p->plan, i)) {
            print_turn(p, i);
        }
    }
    text_add(p->out, "}\n}\n");
}

void map_print_stream(struct printer *p, int first)
{
    struct text body = {0};
    struct printer inner = {.out = &body, .plan = p->plan, .helpers = p->helpers};
    text_add(p->out, "    /* Row by row: a layer computes one as soon as those that it reads are "
                     "there. */\n");
    print_layers(&inner, first);
    map_add_indented(p->out, &body);
    text_free(&body);
}
