/* The reference interpreter's ops on maps, in the order of SPEC.md.  Slow and plain: each output
 * element finds its input elements by the definition. */
#include "run/state.h"

/* One output element of a layer on maps: where it is. */
struct spot {
    int y;
    int x;
    int c;
};

static struct spot spot_of(const struct shape *shape, int element)
{
    int position = element / shape->channels;
    return (struct spot){position / shape->columns, position % shape->columns,
                         element % shape->channels};
}

static const struct shape *shape_of(const struct run *run, int tensor)
{
    return &run->net->tensors[tensor].shape;
}

static int width_of(const struct run *run, int tensor)
{
    return run->net->tensors[tensor].width;
}

static bool inside(const struct shape *shape, int64_t y, int64_t x)
{
    return y >= 0 && y < shape->rows && x >= 0 && x < shape->columns;
}

/* 2.2: element (y, x, c) of the layer's input, which has it. */
static int64_t element(const struct run *run, int index, int64_t y, int64_t x, int64_t c)
{
    int tensor = run->net->layers[index].inputs[0];
    const struct shape *shape = shape_of(run, tensor);
    return run->values[tensor][(y * shape->columns + x) * shape->channels + c];
}

/* 2.3: m and s of mean(S, n). */
static int64_t mean(const struct run *run, int index, int at, int64_t sum, int64_t n)
{
    enum type type = run->net->tensors[run->net->layers[index].inputs[0]].type;
    int64_t low = -(int64_t)type_low(type);
    int64_t largest = low > type_high(type) ? low : type_high(type);
    int64_t m = 0;
    int s = 31;
    do {
        s--;
        m = (((int64_t)1 << (s + 1)) + n) / (2 * n);
    } while (largest * n * m + ((int64_t)1 << s) / 2 > INT32_MAX);
    for (; m % 2 == 0 && s > 0; s--) {
        m /= 2;
    }
    int64_t product = run_is_i32(run, index, at, run_is_i32(run, index, at, sum) * m);
    int64_t rounded = run_is_i32(run, index, at, product + ((int64_t)1 << s) / 2);
    return run_clamp(run_shift_right(rounded, s), type_low(type), type_high(type));
}

/* ---- 8. conv ---- */

/* One more product; every partial sum keeps the bound of 4.2. */
static int64_t accumulate(const struct run *run, int index, int row, int64_t acc, int64_t product)
{
    int64_t bound = run_is_i32(run, index, row, run->bounds[index][row]);
    acc += product;
    if (acc < -bound || acc > bound) {
        run_broken(run->net->name, index, row, acc);
    }
    return acc;
}

/* The products of kernel element (ky, kx) with the input's position (y, x). */
static int64_t add_position(const struct run *run, int index, int row, int64_t acc, int tap,
                            const int64_t at[2])
{
    const struct layer *layer = &run->net->layers[index];
    int own = shape_of(run, layer->inputs[0])->channels / layer->groups;
    int first = row / (layer->weights.rows / layer->groups) * own;
    const int16_t *w = layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
    for (int c = 0; c < own; c++) {
        int64_t a = element(run, index, at[0], at[1], first + c);
        acc = accumulate(run, index, row, acc, w[tap * own + c] * a);
    }
    return acc;
}

static void finish(struct run *run, int index, int at, int row, int64_t acc)
{
    int64_t z = run_shift_right(acc, run->net->layers[index].shift[row]);
    run->before[index][at] = z;
    run_store(run, index, at, run_activate(run, index, at, z));
}

static int64_t conv_element(const struct run *run, int index, struct spot spot)
{
    const struct layer *layer = &run->net->layers[index];
    const struct window *w = &layer->window;
    int64_t acc = layer->bias[spot.c];
    for (int tap = 0; tap < w->rows * w->columns; tap++) {
        int64_t at[2] = {
            (int64_t)spot.y * w->row_stride - w->top + tap / w->columns * w->row_dilation,
            (int64_t)spot.x * w->column_stride - w->left + tap % w->columns * w->column_dilation};
        if (inside(shape_of(run, layer->inputs[0]), at[0], at[1])) {
            acc = add_position(run, index, spot.c, acc, tap, at);
        }
    }
    return acc;
}

void run_conv(struct run *run, int index)
{
    int out = run->net->layers[index].output;
    for (int i = 0; i < width_of(run, out); i++) {
        struct spot spot = spot_of(shape_of(run, out), i);
        finish(run, index, i, spot.c, conv_element(run, index, spot));
    }
}

/* ---- 9. deconv ---- */

/* The input coordinate that kernel element `tap` moves to output coordinate `to`; -1: none. */
static int64_t source(int64_t to, int64_t tap, int stride)
{
    int64_t from = to - tap;
    return from < 0 || from % stride != 0 ? -1 : from / stride;
}

static int64_t deconv_element(const struct run *run, int index, struct spot spot)
{
    const struct layer *layer = &run->net->layers[index];
    const struct window *w = &layer->window;
    int64_t acc = layer->bias[spot.c];
    for (int tap = 0; tap < w->rows * w->columns; tap++) {
        int64_t at[2] = {source((int64_t)spot.y + w->top,
                                (int64_t)(tap / w->columns) * w->row_dilation, w->row_stride),
                         source((int64_t)spot.x + w->left,
                                (int64_t)(tap % w->columns) * w->column_dilation,
                                w->column_stride)};
        if (inside(shape_of(run, layer->inputs[0]), at[0], at[1])) {
            acc = add_position(run, index, spot.c, acc, tap, at);
        }
    }
    return acc;
}

void run_deconv(struct run *run, int index)
{
    int out = run->net->layers[index].output;
    for (int i = 0; i < width_of(run, out); i++) {
        struct spot spot = spot_of(shape_of(run, out), i);
        finish(run, index, i, spot.c, deconv_element(run, index, spot));
    }
}

/* ---- 10. maxpool and avgpool ---- */

/* Largest element, and sum, of what of the window lies inside of the input. */
static void pool(const struct run *run, int index, struct spot spot, int64_t *most, int64_t *sum)
{
    const struct layer *layer = &run->net->layers[index];
    const struct window *w = &layer->window;
    bool first = true;
    *sum = 0;
    *most = 0;
    for (int tap = 0; tap < w->rows * w->columns; tap++) {
        int64_t y = (int64_t)spot.y * w->row_stride - w->top + tap / w->columns;
        int64_t x = (int64_t)spot.x * w->column_stride - w->left + tap % w->columns;
        if (inside(shape_of(run, layer->inputs[0]), y, x)) {
            int64_t a = element(run, index, y, x, spot.c);
            *most = first || a > *most ? a : *most;
            *sum += a;
            first = false;
        }
    }
}

static void run_pool(struct run *run, int index, bool average)
{
    const struct layer *layer = &run->net->layers[index];
    int64_t count = (int64_t)layer->window.rows * layer->window.columns;
    for (int i = 0; i < width_of(run, layer->output); i++) {
        int64_t most;
        int64_t sum;
        pool(run, index, spot_of(shape_of(run, layer->output), i), &most, &sum);
        run_store(run, index, i, average ? mean(run, index, i, sum, count) : most);
    }
}

void run_maxpool(struct run *run, int index)
{
    run_pool(run, index, false);
}

void run_avgpool(struct run *run, int index)
{
    run_pool(run, index, true);
}

/* ---- 11. resize ---- */

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : greatest_divisor(b, a % b);
}

/* The length of [to * long, (to + 1) * long) cut with [from * short, (from + 1) * short). */
static int64_t overlap(int64_t to, int64_t out_length, int64_t from, int64_t in_length)
{
    int64_t low = to * out_length > from * in_length ? to * out_length : from * in_length;
    int64_t out_end = (to + 1) * out_length;
    int64_t in_end = (from + 1) * in_length;
    int64_t high = out_end < in_end ? out_end : in_end;
    return high > low ? high - low : 0;
}

static int64_t resize_element(const struct run *run, int index, int at)
{
    const struct layer *layer = &run->net->layers[index];
    const struct window *w = &layer->window;
    const struct shape *shape = shape_of(run, layer->output);
    struct spot spot = spot_of(shape, at);
    int64_t rows = greatest_divisor(w->rows, shape->rows);
    int64_t columns = greatest_divisor(w->columns, shape->columns);
    int64_t sum = 0;
    for (int i = 0; i < w->rows; i++) {
        int64_t high = overlap(spot.y, w->rows / rows, i, shape->rows / rows);
        for (int j = 0; high > 0 && j < w->columns; j++) {
            int64_t wide = overlap(spot.x, w->columns / columns, j, shape->columns / columns);
            sum +=
                wide > 0 ? high * wide * element(run, index, w->top + i, w->left + j, spot.c) : 0;
        }
    }
    int64_t all = mean(run, index, at, sum, w->rows / rows * (w->columns / columns));
    int64_t half = w->drop > 0 ? (int64_t)1 << (w->drop - 1) : 0;
    return w->drop > 0 ? run_clamp(run_shift_right(all + half, w->drop), 0, 15) : all;
}

void run_resize(struct run *run, int index)
{
    for (int i = 0; i < width_of(run, run->net->layers[index].output); i++) {
        run_store(run, index, i, resize_element(run, index, i));
    }
}

/* ---- 12. upsample, shuffle, pad, reshape ---- */

void run_upsample(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    for (int i = 0; i < width_of(run, layer->output); i++) {
        struct spot spot = spot_of(shape_of(run, layer->output), i);
        run_store(run, index, i,
                  element(run, index, spot.y / layer->window.rows, spot.x / layer->window.columns,
                          spot.c));
    }
}

void run_shuffle(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    const struct window *w = &layer->window;
    const struct shape *shape = shape_of(run, layer->output);
    for (int i = 0; i < width_of(run, layer->output); i++) {
        struct spot spot = spot_of(shape, i);
        int block = spot.y % w->rows * w->columns + spot.x % w->columns;
        run_store(run, index, i,
                  element(run, index, spot.y / w->rows, spot.x / w->columns,
                          block * shape->channels + spot.c));
    }
}

void run_pad(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    for (int i = 0; i < width_of(run, layer->output); i++) {
        struct spot spot = spot_of(shape_of(run, layer->output), i);
        int64_t y = (int64_t)spot.y - layer->window.top;
        int64_t x = (int64_t)spot.x - layer->window.left;
        bool has = inside(shape_of(run, layer->inputs[0]), y, x);
        run_store(run, index, i, has ? element(run, index, y, x, spot.c) : 0);
    }
}

void run_reshape(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    for (int i = 0; i < width_of(run, layer->output); i++) {
        run_store(run, index, i, run->values[layer->inputs[0]][i]);
    }
}

/* ---- 13. argmax and softmax ---- */

/* Of the channels from number `first` on: the largest one's index, the first of equals. */
static int argmax(const struct run *run, int input, int first)
{
    int best = 0;
    for (int c = 1; c < shape_of(run, input)->channels; c++) {
        best = run->values[input][first + c] > run->values[input][first + best] ? c : best;
    }
    return best;
}

void run_argmax(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    int input = layer->inputs[0];
    for (int i = 0; i < width_of(run, layer->output); i++) {
        run_store(run, index, i, argmax(run, input, i * shape_of(run, input)->channels));
    }
}

/* e of a channel that lies `d` below the largest. */
static int64_t power(const struct run *run, int index, int at, int64_t d)
{
    struct scale scale = run->net->layers[index].scale;
    int64_t half = (int64_t)1 << scale.shift >> 1;
    if (d * scale.multiplier >= (int64_t)512 << scale.shift) {
        return 0;
    }
    int64_t product = run_is_i32(run, index, at, d * scale.multiplier + half);
    int64_t u = run_shift_right(product, scale.shift);
    return net_powers[u % NET_POWERS] >> (u / NET_POWERS);
}

void run_softmax(struct run *run, int index)
{
    const struct layer *layer = &run->net->layers[index];
    const int64_t *in = run->values[layer->inputs[0]];
    int channels = shape_of(run, layer->inputs[0])->channels;
    int64_t high = type_high(run->net->tensors[layer->output].type);
    for (int i = 0; i < width_of(run, layer->output); i++) {
        int first = i / channels * channels;
        int64_t most = in[first + argmax(run, layer->inputs[0], first)];
        int64_t sum = 0;
        for (int c = first; c < first + channels; c++) {
            sum = run_is_i32(run, index, i, sum + power(run, index, i, most - in[c]));
        }
        run_store(run, index, i,
                  run_clamp((high + 1) * power(run, index, i, most - in[i]) / sum, 0, high));
    }
}
