/* The reference interpreter, in the order of SPEC.md.
 *
 * Values are 64 bits wide here, and every one that SPEC calls an i32 is compared with its bound:
 * net_check() has proved that none fails, so a failure is a bug in the proof and stops the
 * program in release builds too. */
#include "run/state.h"

#include <stdio.h>
#include <stdlib.h>

void run_broken(const char *name, int layer, int row, int64_t value)
{
    (void)fprintf(stderr, "mote: internal error: %s: layer %d, element %d: %lld breaks its bound\n",
                  name, layer, row, (long long)value);
    abort();
}

/* ---- 1. Notation ---- */

/* 1.1: floor(a / 2^k). */
int64_t run_shift_right(int64_t a, int k)
{
    int64_t divisor = (int64_t)1 << k;
    int64_t quotient = a / divisor;
    return quotient * divisor > a ? quotient - 1 : quotient;
}

/* 1.2 */
int64_t run_clamp(int64_t a, int64_t l, int64_t h)
{
    return a < l ? l : a > h ? h : a;
}

/* 1.4 */
int64_t run_is_i32(const struct run *run, int layer, int row, int64_t a)
{
    if (a < INT32_MIN || a > INT32_MAX) {
        run_broken(run->net->name, layer, row, a);
    }
    return a;
}

/* ---- 2. Tensors ---- */

/* 2.1: store an element; its range is what bounds behind it rely on. */
void run_store(struct run *run, int layer, int element, int64_t value)
{
    int tensor = run->net->layers[layer].output;
    struct interval range = run->ranges[tensor][element];
    if (value < range.low || value > range.high) {
        run_broken(run->net->name, layer, element, value);
    }
    run->values[tensor][element] = value;
}

static int width_of(const struct run *run, int tensor)
{
    return run->net->tensors[tensor].width;
}

static enum type type_of(const struct run *run, int tensor)
{
    return run->net->tensors[tensor].type;
}

/* ---- 3. convert ---- */

static void run_convert(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    enum type type = type_of(run, layer->output);
    const int64_t *u = run->values[layer->inputs[0]];
    for (int j = 0; j < width_of(run, layer->output); j++) {
        int64_t moved = run_is_i32(run, index, j, u[j] - layer->zero[j]);
        int64_t scaled = run_is_i32(run, index, j, moved * ((int64_t)1 << layer->shift[j]));
        run->before[index][j] = scaled;
        run_store(run, index, j, run_clamp(scaled, type_low(type), type_high(type)));
    }
}

/* ---- 4. dense ---- */

/* 4.1, with every partial sum below the bound of 4.2. */
static int64_t accumulate(const struct run *run, int index, int row)
{
    const struct layer *layer = &run->net->layers[index];
    const int64_t *a = run->values[layer->inputs[0]];
    const int16_t *w = layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
    int64_t bound = run_is_i32(run, index, row, run->bounds[index][row]);
    int64_t acc = layer->bias[row];
    for (int j = 0; j < layer->weights.columns; j++) {
        acc += w[j] * a[j];
        if (acc < -bound || acc > bound) {
            run_broken(run->net->name, index, row, acc);
        }
    }
    return acc;
}

/* ---- 5. Activations ---- */

static int64_t cubic(const struct run *run, int index, int row, int64_t z)
{
    int64_t v = run_clamp(z, -32767, 32767);
    int64_t t = run_is_i32(run, index, row, v * v) >> 15;
    return run_shift_right(run_is_i32(run, index, row, v * ((98304 - t) >> 1)), 15);
}

static int64_t psig(const struct run *run, int index, int row, int64_t z)
{
    int64_t v = run_clamp(z, -32767, 32767);
    return run_shift_right(run_is_i32(run, index, row, v * (65536 - llabs(v))), 15);
}

static int64_t leaky(int64_t z, int64_t high)
{
    int64_t v = run_clamp(z, -high, high);
    return v >= 0 ? v : run_shift_right(v, 3);
}

int64_t run_activate(const struct run *run, int index, int row, int64_t z)
{
    const struct layer *layer = &run->net->layers[index];
    enum type type = type_of(run, layer->output);
    int64_t high = type_high(type);
    switch (layer->activation) {
    case ACTIVATION_NONE: return run_clamp(z, type_low(type), high);
    case ACTIVATION_RELU: return run_clamp(z, 0, high);
    case ACTIVATION_CLIP: return run_clamp(z, -high, high);
    case ACTIVATION_ABS: return llabs(run_clamp(z, -high, high));
    case ACTIVATION_LEAKY: return leaky(z, high);
    case ACTIVATION_CUBIC: return cubic(run, index, row, z);
    case ACTIVATION_PSIG: return psig(run, index, row, z);
    }
    abort();
}

/* 4.1, 4.3 and 5 of every row. */
static void run_dense(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    for (int row = 0; row < layer->weights.rows; row++) {
        int64_t z = run_shift_right(accumulate(run, index, row), layer->shift[row]);
        run->before[index][row] = z;
        run_store(run, index, row, run_activate(run, index, row, z));
    }
}

/* ---- 6. add ---- */

static void run_add(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    enum type type = type_of(run, layer->output);
    for (int j = 0; j < width_of(run, layer->output); j++) {
        int64_t sum = 0;
        for (int k = 0; k < layer->input_count; k++) {
            sum = run_is_i32(run, index, j, sum + run->values[layer->inputs[k]][j]);
        }
        run->before[index][j] = sum;
        run_store(run, index, j, run_clamp(sum, type_low(type), type_high(type)));
    }
}

/* ---- 7. concat ---- */

/* A vector is a map of one position. */
static void run_concat(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    const struct shape *shape = &run->net->tensors[layer->output].shape;
    int element = 0;
    for (int at = 0; at < shape->rows * shape->columns; at++) {
        for (int k = 0; k < layer->input_count; k++) {
            int channels = run->net->tensors[layer->inputs[k]].shape.channels;
            for (int c = 0; c < channels; c++) {
                run_store(run, index, element++, run->values[layer->inputs[k]][at * channels + c]);
            }
        }
    }
}

/* 8 to 13 are in maps.c. */

/* ---- 14. Invariants: the net has passed net_check() ---- */

/* 14.3: the bounds to compare with. */
static bool prepare_bounds(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    if (!op_has_rows(layer->op)) {
        return true;
    }
    size_t rows = (size_t)layer->weights.rows;
    run->bounds[index] = arena_alloc(run->arena, rows, sizeof *run->bounds[index]);
    return run->bounds[index] &&
           net_rows(run->net, layer, run->ranges[layer->inputs[0]], run->bounds[index], NULL);
}

static bool prepare(struct run *run)
{
    const struct net *net = run->net;
    run->arena = arena_new();
    if (!run->arena || !net_ranges(net, run->arena, run->ranges)) {
        return false;
    }
    for (int t = 0; t < net->tensor_count; t++) {
        size_t width = (size_t)net->tensors[t].width;
        run->values[t] = arena_alloc(run->arena, width, sizeof *run->values[t]);
        if (!run->values[t]) {
            return false;
        }
    }
    for (int i = 0; i < net->layer_count; i++) {
        size_t width = (size_t)net->tensors[net->layers[i].output].width;
        run->before[i] = arena_alloc(run->arena, width, sizeof *run->before[i]);
        if (!run->before[i] || !prepare_bounds(run, i)) {
            return false;
        }
    }
    return true;
}

struct run *run_new(const struct net *net)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        return NULL;
    }
    run->net = net;
    if (!prepare(run)) {
        run_free(run);
        return NULL;
    }
    return run;
}

void run_free(struct run *run)
{
    if (run) {
        arena_free(run->arena);
        free(run);
    }
}

static void run_layer(struct run *run, int index)
{
    switch (run->net->layers[index].op) {
    case OP_CONVERT: run_convert(run, index); break;
    case OP_DENSE: run_dense(run, index); break;
    case OP_ADD: run_add(run, index); break;
    case OP_CONCAT: run_concat(run, index); break;
    case OP_CONV: run_conv(run, index); break;
    case OP_DECONV: run_deconv(run, index); break;
    case OP_MAXPOOL: run_maxpool(run, index); break;
    case OP_AVGPOOL: run_avgpool(run, index); break;
    case OP_RESIZE: run_resize(run, index); break;
    case OP_UPSAMPLE: run_upsample(run, index); break;
    case OP_SHUFFLE: run_shuffle(run, index); break;
    case OP_PAD: run_pad(run, index); break;
    case OP_RESHAPE: run_reshape(run, index); break;
    case OP_ARGMAX: run_argmax(run, index); break;
    case OP_SOFTMAX: run_softmax(run, index); break;
    }
}

void run_predict(struct run *run, const int32_t *in, int32_t *out)
{
    const struct net *net = run->net;
    for (int j = 0; j < width_of(run, net->input); j++) {
        struct interval range = run->ranges[net->input][j];
        if (in[j] < range.low || in[j] > range.high) {
            run_broken(net->name, -1, j, in[j]);
        }
        run->values[net->input][j] = in[j];
    }
    for (int i = 0; i < net->layer_count; i++) {
        run_layer(run, i);
    }
    for (int j = 0; j < width_of(run, net->output); j++) {
        out[j] = (int32_t)run->values[net->output][j];
    }
}

int64_t run_before(const struct run *run, int layer, int element)
{
    return run->before[layer][element];
}

/* 14.6 */
int run_class(const struct net *net, const int32_t *out)
{
    int best = 0;
    if (net_gives_class(net)) {
        return out[0];
    }
    for (int i = 1; i < net->tensors[net->output].width; i++) {
        best = out[i] > out[best] ? i : best;
    }
    return best;
}
