#include "quant/fixed.h"

#include <math.h>
#include <string.h>

static bool dense_new(struct fixed_dense *dense, struct arena *arena, int rows, int columns)
{
    size_t r = (size_t)rows;
    dense->rows = rows;
    dense->columns = columns;
    dense->weights = arena_alloc(arena, r * (size_t)columns, sizeof *dense->weights);
    dense->bias = arena_alloc(arena, r, sizeof *dense->bias);
    dense->shift = arena_alloc(arena, r, sizeof *dense->shift);
    return dense->weights && dense->bias && dense->shift;
}

bool fixed_new(struct fixed *fixed, struct arena *arena, const int *widths, int layer_count,
               bool has_skip)
{
    *fixed = (struct fixed){.layer_count = layer_count, .has_skip = has_skip, .out_type = TYPE_I16};
    for (int i = 0; i < layer_count; i++) {
        if (!dense_new(&fixed->layers[i], arena, widths[i + 1], widths[i])) {
            return false;
        }
    }
    return !has_skip || dense_new(&fixed->skip, arena, widths[layer_count], widths[0]);
}

static void dense_copy(struct fixed_dense *to, const struct fixed_dense *from)
{
    size_t rows = (size_t)from->rows;
    to->bits = from->bits;
    to->activation = from->activation;
    memcpy(to->weights, from->weights, rows * (size_t)from->columns * sizeof *to->weights);
    memcpy(to->bias, from->bias, rows * sizeof *to->bias);
    memcpy(to->shift, from->shift, rows * sizeof *to->shift);
}

void fixed_copy(struct fixed *to, const struct fixed *from)
{
    for (int i = 0; i < from->layer_count; i++) {
        dense_copy(&to->layers[i], &from->layers[i]);
    }
    if (from->has_skip) {
        dense_copy(&to->skip, &from->skip);
    }
    to->out_type = from->out_type;
}

int fixed_fraction(enum type type)
{
    return type == TYPE_I8 ? 7 : type == TYPE_U8 ? 8 : 15;
}

int fixed_extra(enum type out_type)
{
    return 15 - fixed_fraction(out_type);
}

int fixed_scale(const struct fixed_demand *d)
{
    double limit = weight_limit(d->bits);
    /* Half a step a weight, half a code of bias. */
    double rounding = 0.5 * d->columns * ldexp(1, d->fraction) + 1;
    int least = d->extra < 0 ? -d->extra : 0;
    int k = NET_SHIFT_MAX - d->extra;
    while (k > least) {
        double bound = (d->sum + fabs(d->bias)) * ldexp(1, k + d->fraction) + rounding;
        if (d->largest * ldexp(1, k) <= limit && bound + ldexp(1, k + d->extra - 1) < 0x1p31) {
            break;
        }
        k--;
    }
    return k;
}

static double clamp_real(double value, double limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

void fixed_set_row(struct fixed_dense *dense, int row, const double *weights, double bias, int k,
                   int extra)
{
    double limit = weight_limit(dense->bits);
    int64_t sum = 0;
    for (int j = 0; j < dense->columns; j++) {
        double code = clamp_real(floor(weights[j] * ldexp(1, k) + 0.5), limit);
        dense->weights[row * dense->columns + j] = (int16_t)code;
        sum += (int64_t)fabs(code);
    }
    int64_t half = k + extra > 0 ? (int64_t)1 << (k + extra - 1) : 0;
    /* Whatever the weights are, the bias never breaks the bound of SPEC 4.2. */
    double room = (double)(INT32_MAX - sum * 32768 - half);
    double code = clamp_real(floor(bias * ldexp(1, k + 15) + 0.5), room > 0 ? room : 0);
    dense->bias[row] = (int32_t)((int64_t)code + half);
    dense->shift[row] = (uint8_t)(k + extra);
}

/* Floor of a / 2^k without relying on >> of negative values. */
static int32_t shift_right(int32_t a, int k)
{
    return a >= 0 ? a >> k : ~(~a >> k);
}

static int32_t clamp_code(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* SPEC 5 for i16. */
static int32_t activate(enum activation activation, int32_t z)
{
    int32_t v = clamp_code(z, -32767, 32767);
    switch (activation) {
    case ACTIVATION_NONE: return z;
    case ACTIVATION_CUBIC: return shift_right(v * ((98304 - (v * v >> 15)) >> 1), 15);
    case ACTIVATION_PSIG: return shift_right(v * (65536 - (v < 0 ? -v : v)), 15);
    case ACTIVATION_RELU: return v < 0 ? 0 : v;
    case ACTIVATION_ABS: return v < 0 ? -v : v;
    case ACTIVATION_LEAKY: return v < 0 ? shift_right(v, 3) : v;
    case ACTIVATION_CLIP: return v;
    }
    return z;
}

/* The sums stay below 2^31 in any order by SPEC 4.2. */
static void dense_forward(const struct fixed_dense *dense, const int32_t *a, int32_t *y)
{
    const int16_t *w = dense->weights;
    for (int i = 0; i < dense->rows; i++) {
        int32_t acc = dense->bias[i];
        for (int j = 0; j < dense->columns; j++) {
            acc += w[j] * a[j];
        }
        w += dense->columns;
        y[i] = activate(dense->activation, shift_right(acc, dense->shift[i]));
    }
}

static size_t widest(const struct fixed *fixed)
{
    int width = fixed->layers[0].columns;
    for (int i = 0; i < fixed->layer_count; i++) {
        width = fixed->layers[i].rows > width ? fixed->layers[i].rows : width;
    }
    return (size_t)width;
}

size_t fixed_scratch(const struct fixed *fixed)
{
    return widest(fixed) * 3;
}

void fixed_forward(const struct fixed *fixed, const int16_t *x, int32_t *y, int32_t *scratch)
{
    size_t width = widest(fixed);
    int32_t *input = scratch;
    int32_t *buffers[2] = {scratch + width, scratch + 2 * width};
    for (int j = 0; j < fixed->layers[0].columns; j++) {
        input[j] = x[j];
    }
    const int32_t *from = input;
    for (int i = 0; i < fixed->layer_count; i++) {
        dense_forward(&fixed->layers[i], from, buffers[i % 2]);
        from = buffers[i % 2];
    }
    int32_t *skip = buffers[fixed->layer_count % 2];
    if (fixed->has_skip) {
        dense_forward(&fixed->skip, input, skip);
    }
    for (int i = 0; i < fixed->layers[fixed->layer_count - 1].rows; i++) {
        y[i] = clamp_code(from[i] + (fixed->has_skip ? skip[i] : 0), type_low(fixed->out_type),
                          type_high(fixed->out_type));
    }
}
