#include "vision/fold.h"

int ties_root(struct ties *ties, int channel)
{
    while (ties->parent[channel] != channel) {
        ties->parent[channel] = ties->parent[ties->parent[channel]];
        channel = ties->parent[channel];
    }
    return channel;
}

static void join(struct ties *ties, int a, int b)
{
    a = ties_root(ties, a);
    b = ties_root(ties, b);
    ties->parent[a > b ? a : b] = a < b ? a : b;
}

static int first_of(const struct ties *ties, const struct graph *graph, int input)
{
    return ties->first[input < 0 ? graph->node_count : input];
}

static int channels_of(const struct graph *graph, int input)
{
    const struct sketch *sketch = graph->sketch;
    return input < 0 ? sketch->input.channels : sketch->layers[input].out.channels;
}

/* Channel of a layer's output that channel `c` of its input `k` goes to; flattening has more. */
static int target_channel(const struct sketch_layer *layer, int base, int c)
{
    return layer->op == SKETCH_SHUFFLE ? c % layer->out.channels : base + c;
}

static void join_input(struct ties *ties, const struct graph *graph, const struct node *node,
                       int input, int base)
{
    const struct sketch_layer *layer = node->layer;
    int from = first_of(ties, graph, input);
    int to = ties->first[node->index];
    int channels = channels_of(graph, input);
    int count = layer->op == SKETCH_RESHAPE ? layer->out.channels : channels;
    for (int c = 0; c < count; c++) {
        int target = layer->op == SKETCH_RESHAPE ? c : target_channel(layer, base, c);
        join(ties, from + c % channels, to + target);
    }
}

static void join_node(struct ties *ties, const struct graph *graph, const struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int base = 0;
    for (int k = 0; k < layer->input_count; k++) {
        join_input(ties, graph, node, layer->inputs[k], base);
        base += layer->op == SKETCH_CONCAT ? channels_of(graph, layer->inputs[k]) : 0;
    }
}

static void count_sources(struct ties *ties, const struct graph *graph)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        for (int c = 0; node->weighted && c < node->rows; c++) {
            ties->sources[ties_root(ties, ties->first[i] + c)]++;
        }
    }
}

bool ties_new(struct ties *ties, struct arena *arena, const struct graph *graph)
{
    size_t nodes = (size_t)graph->node_count;
    ties->first = arena_alloc(arena, nodes + 1, sizeof *ties->first);
    ties->count = 0;
    for (int i = 0; ties->first && i <= graph->node_count; i++) {
        ties->first[i] = ties->count;
        ties->count += channels_of(graph, i < graph->node_count ? i : -1);
    }
    size_t count = (size_t)ties->count;
    ties->parent = arena_alloc(arena, count, sizeof *ties->parent);
    ties->sources = arena_alloc(arena, count, sizeof *ties->sources);
    ties->step = arena_alloc(arena, count, sizeof *ties->step);
    ties->reach = arena_alloc(arena, count, sizeof *ties->reach);
    if (!ties->first || !ties->parent || !ties->sources || !ties->step || !ties->reach) {
        return false;
    }
    for (int i = 0; i < ties->count; i++) {
        ties->parent[i] = i;
    }
    for (int i = 0; i < graph->node_count; i++) {
        if (!graph->nodes[i].weighted) {
            join_node(ties, graph, &graph->nodes[i]);
        }
    }
    count_sources(ties, graph);
    return true;
}
