#include "vision/graph.h"

#include "net/net.h"

#include <string.h>

#define BAND_ELEMENTS   4096 /* of 16 samples: a quarter of a MiB */
#define BRIEF_COLUMNS   27
#define CHUNK_POSITIONS 24 /* enough to fill tiles, few enough to stay in the cache */

struct making {
    struct arena *arena;
    struct graph *graph;
    bool failed; /* out of memory */
};

static int32_t *new_list(struct making *making, size_t count)
{
    int32_t *list = arena_alloc(making->arena, count, sizeof *list);
    making->failed = making->failed || !list;
    return list;
}

static size_t rounded(size_t count)
{
    return (count + VISION_LANES - 1) / VISION_LANES * VISION_LANES;
}

/* ---- convolutions ---- */

/* The small side has one position per output of a conv, per input of a deconv; the big side is the
 * padded map. */
static void list_positions(struct making *making, struct node *node, struct volume small)
{
    const struct sketch_window *w = &node->layer->window;
    struct conv *conv = &node->conv;
    int each = small.rows * small.columns;
    int groups = making->graph->groups;
    conv->positions = each * groups;
    conv->chunk = each >= CHUNK_POSITIONS ? each : each * (CHUNK_POSITIONS / each);
    int32_t *in_at = new_list(making, (size_t)conv->positions);
    int32_t *out_at = new_list(making, (size_t)conv->positions);
    if (making->failed) {
        return;
    }
    int padded = (int)volume_size(node->padded);
    for (int i = 0; i < conv->positions; i++) {
        int group = i / each;
        int y = i % each / small.columns * w->stride[0];
        int x = i % small.columns * w->stride[1];
        in_at[i] = group * padded + (y * node->padded.columns + x) * node->padded.channels;
        out_at[i] = i * small.channels;
    }
    conv->in_at = in_at;
    conv->out_at = out_at;
}

static void list_taps(struct making *making, struct node *node)
{
    const struct sketch_window *w = &node->layer->window;
    struct conv *conv = &node->conv;
    int32_t *tap_at = new_list(making, (size_t)conv->taps);
    int32_t *column_at = new_list(making, (size_t)conv->columns);
    for (int tap = 0; tap < conv->taps && !making->failed; tap++) {
        int y = tap / w->kernel[1] * w->dilation[0];
        int x = tap % w->kernel[1] * w->dilation[1];
        tap_at[tap] = (y * node->padded.columns + x) * node->padded.channels;
        for (int c = 0; c < conv->channels; c++) {
            column_at[tap * conv->channels + c] = tap_at[tap] + c;
        }
    }
    conv->tap_at = tap_at;
    conv->column_at = column_at;
}

static void make_conv(struct making *making, struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    const struct sketch_window *w = &layer->window;
    struct conv *conv = &node->conv;
    bool turned = layer->op == SKETCH_DECONV;
    struct volume small = turned ? layer->in : layer->out;
    struct volume big = turned ? layer->out : layer->in;
    big.rows += w->pad[0] + w->pad[2];
    big.columns += w->pad[1] + w->pad[3];
    node->pads = w->pad[0] + w->pad[1] + w->pad[2] + w->pad[3] > 0;
    node->padded = big;
    conv->channel_groups = layer->groups;
    conv->rows = small.channels / layer->groups;
    conv->channels = big.channels / layer->groups;
    conv->taps = w->kernel[0] * w->kernel[1];
    conv->columns = conv->taps * conv->channels;
    list_positions(making, node, small);
    list_taps(making, node);
}

/* ---- pooling ---- */

/* Ends of a node's codes: of its activation, of its inputs where it has none, of an image. */
static void set_codes(const struct graph *graph, struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int input = layer->inputs[0];
    node->bottom = 0;
    if (node->averaged) {
        node->top = 32767;
        node->bottom = -32768;
    } else if (layer->linear) {
        node->top = 127;
        node->bottom = -128;
    } else if (node->weighted || layer->relu) {
        node->top = layer->relu == 4 ? 15 : layer->narrow ? 127 : 255;
    } else if (input < 0) {
        node->top = sketch_top(graph->sketch);
    } else {
        node->top = graph->nodes[input].top;
        for (int k = 0; k < layer->input_count; k++) {
            int bottom = graph->nodes[layer->inputs[k]].bottom;
            node->bottom = bottom < node->bottom ? bottom : node->bottom;
        }
    }
}

/* SPEC 2.3, and its real twin. */
static void set_mean(struct pool_plan *pool, const struct sketch_layer *layer)
{
    bool averages = layer->op == SKETCH_AVGPOOL;
    int count = averages ? layer->window.kernel[0] * layer->window.kernel[1] : 1;
    float most = -pool->bottom > pool->top ? -pool->bottom : pool->top;
    struct mean mean = net_mean(count, (int64_t)most);
    pool->multiplier = mean.multiplier;
    pool->shift = mean.shift;
    pool->share = 1.0F / (float)count;
}

struct cell {
    int rows[2], columns[2]; /* begin and end, inside of the input */
};

static void clip_window(const struct sketch_layer *layer, int at, int axis, int span[2])
{
    const struct sketch_window *w = &layer->window;
    int side = axis == 0 ? layer->in.rows : layer->in.columns;
    int begin = at * w->stride[axis] - w->pad[axis];
    int end = begin + w->kernel[axis];
    span[0] = begin > 0 ? begin : 0;
    span[1] = end < side ? end : side;
}

static struct cell pool_cell(const struct sketch_layer *layer, int at)
{
    struct cell cell;
    if (layer->op == SKETCH_UPSAMPLE) { /* a mean of one */
        cell.rows[0] = at / layer->out.columns / layer->window.kernel[0];
        cell.columns[0] = at % layer->out.columns / layer->window.kernel[1];
        cell.rows[1] = cell.rows[0] + 1;
        cell.columns[1] = cell.columns[0] + 1;
        return cell;
    }
    clip_window(layer, at / layer->out.columns, 0, cell.rows);
    clip_window(layer, at % layer->out.columns, 1, cell.columns);
    return cell;
}

static int cell_size(const struct cell *cell)
{
    return (cell->rows[1] - cell->rows[0]) * (cell->columns[1] - cell->columns[0]);
}

static int32_t *list_cell(const struct sketch_layer *layer, int group, int at, int32_t *from)
{
    const struct volume *in = &layer->in;
    struct cell cell = pool_cell(layer, at);
    for (int y = cell.rows[0]; y < cell.rows[1]; y++) {
        for (int x = cell.columns[0]; x < cell.columns[1]; x++) {
            *from++ = ((group * in->rows + y) * in->columns + x) * in->channels;
        }
    }
    return from;
}

/* Windows that do not overlap, without padding. */
static bool side_by_side(const struct sketch_layer *layer)
{
    const struct sketch_window *w = &layer->window;
    return layer->op == SKETCH_MAXPOOL && w->kernel[0] == w->stride[0] &&
           w->kernel[1] == w->stride[1] && w->pad[0] + w->pad[1] + w->pad[2] + w->pad[3] == 0;
}

/* Gives the elements of the largest band, the last one. */
static size_t set_bands(struct pool_plan *pool, const struct sketch_layer *layer)
{
    const struct volume *in = &layer->in;
    const struct volume *out = &layer->out;
    const struct sketch_window *w = &layer->window;
    pool->band.positions = w->kernel[0] * in->columns;
    pool->band.windows = out->columns;
    pool->band.group = in->rows * in->columns;
    pool->band.group_rows = out->rows;
    int row = pool->band.positions * in->channels;
    pool->band.rows = row < BAND_ELEMENTS ? BAND_ELEMENTS / row : 1;
    pool->band.gaps =
        out->rows * w->kernel[0] != in->rows || out->columns * w->kernel[1] != in->columns;
    int rest = in->rows - out->rows * w->kernel[0];
    return (size_t)(pool->band.rows * pool->band.positions + rest * in->columns) *
           (size_t)in->channels;
}

static void make_pool(struct making *making, struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int each = layer->out.rows * layer->out.columns;
    struct pool_plan *pool = &node->pool;
    size_t total = 0;
    for (int at = 0; at < each; at++) {
        struct cell cell = pool_cell(layer, at);
        total += (size_t)cell_size(&cell);
    }
    pool->channels = layer->out.channels;
    pool->positions = each * making->graph->groups;
    int32_t *first = new_list(making, (size_t)pool->positions + 1);
    int32_t *from = new_list(making, total * (size_t)making->graph->groups);
    int32_t *next = from;
    for (int i = 0; i < pool->positions && !making->failed; i++) {
        next = list_cell(layer, i / each, i % each, next);
        first[i + 1] = (int32_t)(next - from);
    }
    pool->first = first;
    pool->from = from;
    pool->top = (float)node->top;
    pool->bottom = (float)node->bottom;
    set_mean(pool, layer);
    if (side_by_side(layer)) {
        size_t size = set_bands(pool, layer);
        making->graph->band_size =
            size > making->graph->band_size ? size : making->graph->band_size;
    }
}

/* ---- what moves elements ---- */

/* Where element (y, x, c) of input `k` goes. */
static size_t moved_to(const struct sketch_layer *layer, struct volume from, size_t at, int base)
{
    struct volume to = layer->out;
    size_t c = at % (size_t)from.channels;
    size_t x = at / (size_t)from.channels % (size_t)from.columns;
    size_t y = at / (size_t)from.channels / (size_t)from.columns;
    size_t columns = (size_t)to.columns;
    size_t channels = (size_t)to.channels;
    if (layer->op == SKETCH_PAD) {
        y += (size_t)layer->window.pad[0];
        x += (size_t)layer->window.pad[1];
    } else if (layer->op == SKETCH_SHUFFLE) {
        size_t factor = (size_t)layer->window.kernel[0];
        size_t cell = c / channels;
        y = y * factor + cell / factor;
        x = x * factor + cell % factor;
        c %= channels;
    } else if (layer->op == SKETCH_RESHAPE) {
        return at;
    }
    return (y * columns + x) * channels + c + (size_t)base;
}

static void make_moves(struct making *making, struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int base = 0;
    for (int k = 0; k < layer->input_count; k++) {
        int input = layer->inputs[k];
        const struct sketch *sketch = making->graph->sketch;
        struct volume from = input < 0 ? sketch->input : sketch->layers[input].out;
        size_t size = volume_size(from);
        int32_t *list = new_list(making, size);
        for (size_t i = 0; i < size && list; i++) {
            list[i] = (int32_t)moved_to(layer, from, i, base);
        }
        node->moves[k] = list;
        base += layer->op == SKETCH_CONCAT ? from.channels : 0;
    }
}

/* ---- the graph ---- */

/* Without its bias. */
static int64_t largest_sum(const struct graph *graph, const struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int64_t sum = (int64_t)sketch_columns(layer) * sketch_limit(layer);
    return sum * (int64_t)graph_largest(graph, layer->inputs[0]);
}

int graph_largest(const struct graph *graph, int input)
{
    const struct node *node = &graph->nodes[input < 0 ? 0 : input];
    int top = input < 0 ? sketch_top(graph->sketch) : node->top;
    return input >= 0 && -node->bottom > top ? -node->bottom : top;
}

static bool takes_bytes(const struct graph *graph, const struct node *node)
{
    const struct sketch_layer *layer = node->layer;
    int input = layer->inputs[0];
    return layer->op == SKETCH_CONV && node->conv.channels % 4 == 0 && sketch_limit(layer) <= 127 &&
           graph_largest(graph, input) <= 255 && (input < 0 || graph->nodes[input].bottom >= 0);
}

static void make_weighted(struct making *making, struct node *node)
{
    struct graph *graph = making->graph;
    const struct sketch_layer *layer = node->layer;
    node->rows = sketch_rows(layer);
    node->row = (int)graph->row_count;
    node->weight = graph->weight_count;
    node->weight_count = (size_t)node->rows * (size_t)sketch_columns(layer);
    graph->weight_count += rounded(node->weight_count);
    graph->row_count += (size_t)node->rows;
    make_conv(making, node);
    while (node->averaged && largest_sum(graph, node) >> node->down > node->top) {
        node->down++;
    }
    size_t padded = volume_size(node->padded);
    node->bytes = takes_bytes(graph, node);
    if (node->bytes && padded > graph->byte_size) {
        graph->byte_size = padded;
    }
    graph->padded_size = padded > graph->padded_size ? padded : graph->padded_size;
    if (layer->op == SKETCH_DECONV) {
        size_t size = volume_size(layer->in);
        graph->turned_size = size > graph->turned_size ? size : graph->turned_size;
        graph->turned_count =
            node->weight_count > graph->turned_count ? node->weight_count : graph->turned_count;
    }
    size_t columns = (size_t)node->conv.columns;
    graph->widest = columns > graph->widest ? columns : graph->widest;
}

static void make_node(struct making *making, int index)
{
    struct graph *graph = making->graph;
    struct node *node = &graph->nodes[index];
    const struct sketch_layer *layer = &graph->sketch->layers[index];
    node->layer = layer;
    node->index = index;
    node->pooled_by = -1;
    node->size = volume_size(layer->out);
    node->last = index == graph->logits;
    node->averaged = node->last && index < graph->node_count - 1;
    node->reads_image = layer->inputs[0] < 0;
    node->weighted = sketch_weighted(layer);
    set_codes(graph, node);
    switch (layer->op) {
    case SKETCH_CONV:
    case SKETCH_DECONV: make_weighted(making, node); break;
    case SKETCH_MAXPOOL:
    case SKETCH_AVGPOOL:
    case SKETCH_UPSAMPLE: make_pool(making, node); break;
    case SKETCH_SHUFFLE:
    case SKETCH_PAD:
    case SKETCH_RESHAPE:
    case SKETCH_CONCAT: make_moves(making, node); break;
    case SKETCH_ADD: break;
    }
    size_t channels = (size_t)layer->out.channels;
    graph->widest = channels > graph->widest ? channels : graph->widest;
}

/* Who reads whom, and which maxima may be taken as a convolution's sums become codes. */
static void find_readers(struct graph *graph)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct sketch_layer *layer = graph->nodes[i].layer;
        for (int k = 0; k < layer->input_count; k++) {
            if (layer->inputs[k] >= 0) {
                graph->nodes[layer->inputs[k]].readers++;
            }
        }
    }
    for (int i = 0; i < graph->node_count; i++) {
        const struct sketch_layer *layer = graph->nodes[i].layer;
        struct node *from = layer->inputs[0] < 0 ? NULL : &graph->nodes[layer->inputs[0]];
        bool fits = from && from->readers == 1 && side_by_side(layer) && !from->last &&
                    from->layer->op == SKETCH_CONV && !from->layer->linear;
        if (fits) {
            from->pooled_by = i;
            from->brief = from->conv.columns <= BRIEF_COLUMNS;
        }
    }
}

double graph_work(const struct graph *graph)
{
    double work = 0;
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        work += (double)node->weight_count * node->conv.positions / graph->groups;
    }
    return work;
}

struct graph *graph_new(struct arena *arena, const struct sketch *sketch, int groups)
{
    struct graph *graph = arena_alloc(arena, 1, sizeof *graph);
    struct node *nodes = arena_alloc(arena, (size_t)sketch->layer_count, sizeof *nodes);
    if (!graph || !nodes) {
        return NULL;
    }
    *graph = (struct graph){.sketch = sketch,
                            .groups = groups,
                            .nodes = nodes,
                            .node_count = sketch->layer_count,
                            .logits = sketch_logits(sketch),
                            .image_size = volume_size(sketch->input)};
    struct making making = {arena, graph, false};
    for (int i = 0; i < graph->node_count && !making.failed; i++) {
        make_node(&making, i);
    }
    if (!making.failed) {
        find_readers(graph);
    }
    graph->row_count = rounded(graph->row_count);
    graph->count = graph->weight_count + 2 * graph->row_count;
    graph->classes = nodes[graph->logits].rows;
    return making.failed ? NULL : graph;
}
