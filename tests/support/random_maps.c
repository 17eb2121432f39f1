#include "support/random_maps.h"

#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>

#define WIDTH_MOST 700 /* elements of a map */

struct maker {
    struct net *net;
    struct rng rng;
    uint64_t seed;
    bool digits; /* random_digits_net() */
    bool dense;  /* random_dense_net() */
    bool pools;  /* random_pools_net(): the same with max pools */
};

static void give_up(const struct maker *m, const char *why)
{
    (void)fprintf(stderr, "random_map_net(%llu): %s\n", (unsigned long long)m->seed, why);
    abort();
}

/* low..high, both included. */
static int pick(struct maker *m, int low, int high)
{
    return low + (int)rng_below(&m->rng, (uint64_t)(high - low) + 1);
}

static bool chance(struct maker *m, int percent)
{
    return pick(m, 0, 99) < percent;
}

static const struct tensor *tensor_of(const struct maker *m, int tensor)
{
    return &m->net->tensors[tensor];
}

static void *take(struct maker *m, size_t count, size_t size)
{
    void *memory = arena_alloc(m->net->arena, count, size);
    if (!memory) {
        give_up(m, "out of memory");
    }
    return memory;
}

static int new_map(struct maker *m, enum type type, struct shape shape)
{
    int tensor = net_add_map(m->net, type, shape);
    if (tensor < 0) {
        give_up(m, "too many tensors");
    }
    return tensor;
}

/* ---- weights ---- */

static int16_t pick_weight(struct maker *m, const struct weights *weights)
{
    int limit = weights_limit(weights);
    int value = pick(m, -limit, limit);
    if (weights->odd) {
        return (int16_t)(value % 2 ? value : value < 0 ? value - 1 : value + 1);
    }
    return (int16_t)(chance(m, 25) ? 0 : value);
}

/* Few bits over 16-bit activations, so that every sum fits. */
static void pick_weights(struct maker *m, struct weights *weights, enum type in)
{
    static const int bits[] = {4, 3, 2, 2, 2, 4, 8, 8, 12};
    weights->odd = chance(m, 25);
    weights->bits = weights->odd ? pick(m, 1, 4) : bits[pick(m, 0, in == TYPE_I16 ? 5 : 8)];
    if (m->digits) {
        weights->odd = in != TYPE_U4 && chance(m, 20);
        weights->bits = in == TYPE_U4 && chance(m, 80) ? 2 : pick(m, 2, 4);
    }
    if (m->dense) {
        weights->odd = false;
        weights->bits = chance(m, 80) ? 4 : 3;
    }
    bool largest = m->dense && chance(m, 20);
    size_t count = (size_t)weights->rows * (size_t)weights->columns;
    int16_t *values = take(m, count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = largest ? (int16_t)weights_limit(weights) : pick_weight(m, weights);
    }
    weights->values = values;
}

static enum activation pick_activation(struct maker *m, enum type type)
{
    static const enum activation wide[] = {ACTIVATION_NONE, ACTIVATION_RELU,  ACTIVATION_ABS,
                                           ACTIVATION_CLIP, ACTIVATION_LEAKY, ACTIVATION_CUBIC};
    if (type == TYPE_I32) {
        return ACTIVATION_NONE;
    }
    if (type == TYPE_U4 || type == TYPE_U8) {
        return chance(m, 80) ? ACTIVATION_RELU : wide[pick(m, 0, 2)];
    }
    return wide[pick(m, 0, type == TYPE_I16 ? 5 : 4)];
}

/* Biases and shifts that use the output's range, from the sums' range. */
static void pick_rows(struct maker *m, struct layer *layer)
{
    size_t rows = (size_t)layer->weights.rows;
    int32_t *bias = take(m, rows, sizeof *bias);
    uint8_t *shift = take(m, rows, sizeof *shift);
    const struct tensor *in = tensor_of(m, layer->inputs[0]);
    int64_t out = type_high(tensor_of(m, layer->output)->type);
    bool uniform = chance(m, 40);
    for (size_t i = 0; i < rows; i++) {
        int64_t bound = 1;
        for (int j = 0; j < layer->weights.columns; j++) {
            bound += llabs(layer->weights.values[i * (size_t)layer->weights.columns + (size_t)j]) *
                     type_magnitude(in->type);
        }
        int k = 0;
        while (k < 24 && bound >> k > 2 * out) {
            k++;
        }
        k += k > 0 && chance(m, 30) ? -1 : 0;
        shift[i] = uniform && i > 0 ? shift[0] : (uint8_t)k;
        bias[i] = pick(m, -(int)(bound / 4), (int)(bound / 4));
    }
    layer->bias = bias;
    layer->shift = shift;
}

static enum type pick_type(struct maker *m)
{
    static const enum type types[] = {TYPE_U4, TYPE_U4, TYPE_U8, TYPE_U8, TYPE_I8, TYPE_I16};
    return m->digits && chance(m, 85) ? TYPE_U4 : types[pick(m, 0, 5)];
}

/* ---- layers: each gives the new tensor, or -1 where the draw does not fit ---- */

static void pick_window(struct maker *m, struct window *w, struct shape in)
{
    w->rows = pick(m, 1, in.rows < 4 ? in.rows : 4);
    w->columns = pick(m, 1, in.columns < 4 ? in.columns : 4);
    w->row_stride = chance(m, 60) ? 1 : pick(m, 1, 3);
    w->column_stride = chance(m, 60) ? w->row_stride : pick(m, 1, 3);
    if (chance(m, 40)) {
        w->top = pick(m, 0, w->rows - 1);
        w->left = pick(m, 0, w->columns - 1);
        w->bottom = pick(m, 0, w->rows - 1);
        w->right = pick(m, 0, w->columns - 1);
    }
}

static int finish(struct maker *m, struct layer *layer, enum type type)
{
    struct shape shape;
    const char *why;
    layer->output = layer->inputs[0];
    if (!net_map_shape(m->net, layer, &shape, &why) ||
        shape.rows * shape.columns * shape.channels > WIDTH_MOST) {
        return -1;
    }
    layer->output = new_map(m, type, shape);
    if (op_has_rows(layer->op)) {
        pick_weights(m, &layer->weights, tensor_of(m, layer->inputs[0])->type);
        layer->activation = pick_activation(m, type);
        pick_rows(m, layer);
    }
    if (!net_add_layer(m->net, layer)) {
        give_up(m, "out of memory");
    }
    return layer->output;
}

static int add_conv(struct maker *m, int from, enum op op)
{
    struct shape in = tensor_of(m, from)->shape;
    struct layer layer = {.op = op, .inputs = {from}, .input_count = 1, .groups = 1};
    pick_window(m, &layer.window, in);
    layer.window.row_dilation = chance(m, 80) ? 1 : pick(m, 1, 3);
    layer.window.column_dilation = chance(m, 80) ? 1 : pick(m, 1, 3);
    layer.weights.rows = pick(m, 1, 9);
    if (m->digits) {
        layer.weights.rows = pick(m, 1, 12);
    } else if (chance(m, 25)) {
        layer.groups = in.channels;
        layer.weights.rows = in.channels * pick(m, 1, 2);
    } else if (in.channels % 2 == 0 && chance(m, 20)) {
        layer.groups = 2;
        layer.weights.rows = 2 * pick(m, 1, 4);
    }
    layer.weights.columns = layer.window.rows * layer.window.columns * (in.channels / layer.groups);
    return finish(m, &layer, pick_type(m));
}

static int add_moved(struct maker *m, int from)
{
    static const enum op ops[] = {OP_MAXPOOL,  OP_MAXPOOL, OP_AVGPOOL,
                                  OP_UPSAMPLE, OP_SHUFFLE, OP_PAD};
    struct shape in = tensor_of(m, from)->shape;
    struct layer layer = {.op = ops[pick(m, 0, 5)], .inputs = {from}, .input_count = 1};
    pick_window(m, &layer.window, in);
    if (layer.op == OP_UPSAMPLE || layer.op == OP_SHUFFLE) {
        layer.window = (struct window){.rows = pick(m, 1, 2), .columns = pick(m, 1, 3)};
    } else if (layer.op == OP_PAD) {
        layer.window = (struct window){.top = pick(m, 0, 2), .right = pick(m, 0, 2)};
    }
    return finish(m, &layer, tensor_of(m, from)->type);
}

/* A max pool whose windows lie side by side. */
static int add_tiles(struct maker *m, int from)
{
    struct shape in = tensor_of(m, from)->shape;
    struct layer layer = {.op = OP_MAXPOOL, .inputs = {from}, .input_count = 1};
    layer.window.rows = pick(m, 1, in.rows < 3 ? in.rows : 3);
    layer.window.columns = pick(m, 1, in.columns < 3 ? in.columns : 3);
    layer.window.row_stride = layer.window.rows;
    layer.window.column_stride = layer.window.columns;
    return finish(m, &layer, tensor_of(m, from)->type);
}

static int add_resize(struct maker *m, int from)
{
    struct shape in = tensor_of(m, from)->shape;
    struct layer layer = {.op = OP_RESIZE, .inputs = {from}, .input_count = 1};
    layer.window =
        (struct window){.top = pick(m, 0, in.rows - 1), .left = pick(m, 0, in.columns - 1)};
    layer.window.rows = pick(m, 1, in.rows - layer.window.top);
    layer.window.columns = pick(m, 1, in.columns - layer.window.left);
    struct shape out = {pick(m, 1, in.rows), pick(m, 1, in.columns), in.channels};
    layer.window.drop = tensor_of(m, from)->type == TYPE_U8 && chance(m, 50) ? pick(m, 4, 7) : 0;
    layer.output = new_map(m, layer.window.drop ? TYPE_U4 : tensor_of(m, from)->type, out);
    if (!net_add_layer(m->net, &layer)) {
        give_up(m, "out of memory");
    }
    return layer.output;
}

/* With itself, or with what it was made from if that has its shape. */
static int add_join(struct maker *m, int from, int before)
{
    const struct tensor *a = tensor_of(m, from);
    const struct tensor *b = tensor_of(m, before);
    bool sum = chance(m, 50);
    bool fits = a->type == b->type && a->shape.rows == b->shape.rows &&
                a->shape.columns == b->shape.columns &&
                (!sum || a->shape.channels == b->shape.channels);
    struct layer layer = {.op = sum ? OP_ADD : OP_CONCAT, .input_count = 2};
    layer.inputs[0] = from;
    layer.inputs[1] = fits ? before : from;
    struct shape shape = a->shape;
    shape.channels += sum ? 0 : tensor_of(m, layer.inputs[1])->shape.channels;
    if (shape.rows * shape.columns * shape.channels > WIDTH_MOST) {
        return -1;
    }
    layer.output = new_map(m, sum ? pick_type(m) : a->type, shape);
    if (!net_add_layer(m->net, &layer)) {
        give_up(m, "out of memory");
    }
    return layer.output;
}

static int add_reshape(struct maker *m, int from)
{
    struct shape in = tensor_of(m, from)->shape;
    struct layer layer = {.op = OP_RESHAPE, .inputs = {from}, .input_count = 1};
    struct shape out = chance(m, 50) ? (struct shape){in.columns, in.rows, in.channels}
                                     : (struct shape){in.rows, in.columns * in.channels, 1};
    layer.output = new_map(m, tensor_of(m, from)->type, out);
    if (!net_add_layer(m->net, &layer)) {
        give_up(m, "out of memory");
    }
    return layer.output;
}

static int add_dense(struct maker *m, int from, int rows, enum type type)
{
    struct layer layer = {.op = OP_DENSE, .inputs = {from}, .input_count = 1};
    layer.weights.rows = rows;
    layer.weights.columns = tensor_of(m, from)->width;
    layer.output = new_map(m, type, (struct shape){1, 1, layer.weights.rows});
    pick_weights(m, &layer.weights, tensor_of(m, from)->type);
    layer.activation = pick_activation(m, type);
    pick_rows(m, &layer);
    if (!net_add_layer(m->net, &layer)) {
        give_up(m, "out of memory");
    }
    return layer.output;
}

static int add_any(struct maker *m, int from, int before)
{
    switch (pick(m, 0, 9)) {
    case 0: return add_conv(m, from, OP_DECONV);
    case 1:
    case 2:
    case 3: return add_moved(m, from);
    case 4: return add_resize(m, from);
    case 5: return add_join(m, from, before);
    case 6: return add_reshape(m, from);
    default: return add_conv(m, from, OP_CONV);
    }
}

static void describe(struct maker *m)
{
    static const char *const classes[] = {"a", "*/ b", "c\\", "d", "e", "f"};
    struct net *net = m->net;
    int width = tensor_of(m, net->input)->width;
    size_t most = width > WIDTH_MOST ? (size_t)width : WIDTH_MOST;
    struct channel *channels = take(m, most, sizeof *channels);
    for (size_t i = 0; i < most; i++) {
        channels[i] = (struct channel){.name = "x", .unit = "", .lsb = {1, 0}};
    }
    const struct tensor *out = tensor_of(m, net->output);
    int count = net_class_count(net);
    bool vector = out->shape.rows * out->shape.columns == 1;
    if (!net_set_channels(net, channels, channels) ||
        (vector && count >= 2 && count <= 6 && !net_set_classes(net, classes, ""))) {
        give_up(m, "out of memory");
    }
}

/* Up to `layers` ops, then a dense layer where `flat` or where the type could not be an output. */
static void add_layers(struct maker *m, int now, int layers, bool flat)
{
    int before = now;
    for (int left = layers, draws = 0; left > 0 && draws < 100; draws++) {
        int next = m->digits ? add_conv(m, now, OP_CONV) : add_any(m, now, before);
        next = next >= 0 && m->pools && chance(m, 60) ? add_tiles(m, next) : next;
        if (next >= 0) {
            before = now;
            now = next;
            left--;
        }
    }
    flat = flat || tensor_of(m, now)->type == TYPE_U4;
    if (flat && m->digits && chance(m, 60)) {
        now = add_dense(m, now, pick(m, 7, 20), chance(m, 70) ? TYPE_U8 : TYPE_U4);
    }
    int rows = pick(m, 2, 6);
    enum type type = chance(m, 60) ? TYPE_I32 : chance(m, 50) ? TYPE_I16 : TYPE_U8;
    m->net->output = flat ? add_dense(m, now, rows, type) : now;
}

/* Do distances between elements of a tensor fit 31 bits? */
static bool near_enough(struct maker *m, int tensor)
{
    struct interval *ranges[NET_TENSORS_MAX];
    struct arena *arena = arena_new();
    if (!arena || !net_ranges(m->net, arena, ranges)) {
        give_up(m, "out of memory");
    }
    int64_t low = 0;
    int64_t high = 0;
    for (int i = 0; i < tensor_of(m, tensor)->width; i++) {
        low = ranges[tensor][i].low < low ? ranges[tensor][i].low : low;
        high = ranges[tensor][i].high > high ? ranges[tensor][i].high : high;
    }
    arena_free(arena);
    return high - low <= INT32_MAX;
}

/* Behind the output of every fourth net: an argmax or a softmax. */
static void add_last(struct maker *m)
{
    static const enum type indices[] = {TYPE_U8, TYPE_I16, TYPE_I32};
    m->rng = rng_new(m->seed, 79);
    int from = m->net->output;
    bool index = chance(m, 40) || !near_enough(m, from);
    struct layer layer = {.op = index ? OP_ARGMAX : OP_SOFTMAX, .inputs = {from}, .input_count = 1};
    struct shape shape = tensor_of(m, from)->shape;
    if (!chance(m, 25) || shape.channels > 256) {
        return;
    }
    shape.channels = index ? 1 : shape.channels;
    if (!index) {
        layer.scale = (struct scale){pick(m, 1, chance(m, 80) ? 255 : 65535), pick(m, 0, 21)};
    }
    enum type type = index ? indices[pick(m, 0, 2)] : chance(m, 70) ? TYPE_U8 : TYPE_I16;
    m->net->output = layer.output = new_map(m, type, shape);
    if (!net_add_layer(m->net, &layer)) {
        give_up(m, "out of memory");
    }
}

static struct net *finish_net(struct maker *m)
{
    struct error err = {0};
    describe(m);
    if (!net_check(m->net, "net", &err)) {
        give_up(m, err.message);
    }
    return m->net;
}

struct net *random_map_net(uint64_t seed)
{
    struct maker m = {.net = net_new("maps"), .seed = seed};
    m.rng = rng_new(seed, 77);
    if (!m.net) {
        give_up(&m, "out of memory");
    }
    static const enum type inputs[] = {TYPE_U8, TYPE_U8, TYPE_U8, TYPE_I8, TYPE_I16};
    struct shape shape = {pick(&m, 1, 9), pick(&m, 2, 9), pick(&m, 1, 4)};
    m.net->input = new_map(&m, inputs[pick(&m, 0, 4)], shape);
    add_layers(&m, m.net->input, pick(&m, 1, 6), chance(&m, 60));
    add_last(&m);
    return finish_net(&m);
}

static struct net *digits_net(uint64_t seed, bool pools)
{
    struct maker m = {.net = net_new("digits"), .seed = seed, .digits = true, .pools = pools};
    m.rng = rng_new(seed, 78);
    if (!m.net) {
        give_up(&m, "out of memory");
    }
    struct shape shape = {pick(&m, 1, 12), pick(&m, 4, 12), chance(&m, 70) ? 1 : 2};
    m.net->input = new_map(&m, TYPE_U8, shape);
    add_layers(&m, m.net->input, pick(&m, 1, 4), chance(&m, 80));
    return finish_net(&m);
}

struct net *random_digits_net(uint64_t seed)
{
    return digits_net(seed, false);
}

struct net *random_pools_net(uint64_t seed)
{
    return digits_net(seed, true);
}

/* All plus, all minus, runs of both, or few and far between. */
static int one_sided_weight(int row, int column)
{
    return row % 4 == 0   ? 1
           : row % 4 == 1 ? -1
           : row % 4 == 2 ? (column / 9 % 2 ? -1 : 1)
                          : (column % 37 == 36) - (column % 41 == 40);
}

struct net *one_sided_net(uint64_t seed)
{
    struct maker m = {.net = random_digits_net(seed), .seed = seed};
    for (int i = 0; i < m.net->layer_count; i++) {
        const struct weights *w = &m.net->layers[i].weights;
        int16_t *values = (int16_t *)(uintptr_t)w->values;
        for (int k = 0; w->bits == 2 && !w->odd && k < w->rows * w->columns; k++) {
            values[k] = (int16_t)one_sided_weight(k / w->columns, k % w->columns);
        }
    }
    return finish_net(&m);
}

struct net *random_dense_net(uint64_t seed)
{
    struct maker m = {.net = net_new("dense"), .seed = seed, .dense = true};
    m.rng = rng_new(seed, 79);
    if (!m.net) {
        give_up(&m, "out of memory");
    }
    struct shape shape = {pick(&m, 1, 12), pick(&m, 8, 12), 1};
    m.net->input = new_map(&m, TYPE_U8, shape);
    int now = chance(&m, 80) ? add_resize(&m, m.net->input) : m.net->input;
    for (int left = pick(&m, 0, 2); left > 0; left--) {
        now = add_dense(&m, now, pick(&m, 1, 50), chance(&m, 80) ? TYPE_U4 : TYPE_U8);
    }
    enum type type = chance(&m, 70) ? TYPE_I32 : chance(&m, 50) ? TYPE_I8 : TYPE_U8;
    m.net->output = add_dense(&m, now, pick(&m, 1, 20), type);
    return finish_net(&m);
}

struct net *full_net(int columns)
{
    enum { ROWS = 10, WEIGHT = 7, TURN = 16384 };
    struct maker m = {.net = net_new("full")};
    m.rng = rng_new(0, 80);
    if (!m.net) {
        give_up(&m, "out of memory");
    }
    m.net->input = new_map(&m, TYPE_U8, (struct shape){1, columns, 1});
    struct layer layer = {.op = OP_DENSE, .inputs = {m.net->input}, .input_count = 1};
    layer.weights = (struct weights){.bits = 4, .rows = ROWS, .columns = columns};
    int16_t *values = take(&m, (size_t)ROWS * (size_t)columns, sizeof *values);
    for (int i = 0; i < ROWS * columns; i++) {
        values[i] = (i < columns) == (i % columns < TURN) ? -WEIGHT : WEIGHT;
    }
    layer.weights.values = values;
    layer.output = new_map(&m, TYPE_I32, (struct shape){1, 1, ROWS});
    layer.bias = take(&m, ROWS, sizeof *layer.bias);
    layer.shift = take(&m, ROWS, sizeof *layer.shift);
    if (!net_add_layer(m.net, &layer)) {
        give_up(&m, "out of memory");
    }
    m.net->output = layer.output;
    return finish_net(&m);
}
