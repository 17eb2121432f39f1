#include "emit/simd.h"

#include <stdio.h>
#include <string.h>

/* ---- which nets ---- */

static bool narrow(enum type type)
{
    return type == TYPE_I8 || type == TYPE_U8 || type == TYPE_I16;
}

/* Converts read memory, concats join packed registers; both could be more, and are not needed. */
static bool layer_fits(const struct net *net, const struct layer *layer)
{
    const struct tensor *in = &net->tensors[layer->inputs[0]];
    const struct tensor *out = &net->tensors[layer->output];
    switch (layer->op) {
    case OP_CONVERT: return layer->inputs[0] == net->input && in->width <= SIMD_COLUMNS;
    case OP_DENSE: return in->width <= SIMD_COLUMNS && out->width <= SIMD_ROWS;
    case OP_ADD: return out->width <= SIMD_ROWS;
    case OP_CONCAT:
        return layer->output != net->output && narrow(out->type);
    CASES_OF_MAPS:
        return false;
    }
    return false;
}

bool simd_fits(const struct plan *plan)
{
    const struct net *net = plan->net;
    int64_t weights = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (!layer_fits(net, layer)) {
            return false;
        }
        if (layer->op == OP_DENSE) {
            weights += (int64_t)layer->weights.rows * layer->weights.columns;
        }
    }
    return weights <= SIMD_WEIGHTS;
}

/* ---- values ---- */

bool simd_start(struct simd *simd, struct text *out, const struct plan *plan)
{
    simd->out = out;
    simd->plan = plan;
    simd->values = arena_alloc(plan->arena, (size_t)plan->net->tensor_count, sizeof *simd->values);
    out->failed = out->failed || !simd->values;
    return !out->failed;
}

/* Registers that a tensor may need: two elements in each at the worst. */
static size_t packed_most(const struct simd *simd, int tensor)
{
    return (size_t)simd->plan->net->tensors[tensor].width;
}

struct packed *simd_packed(struct simd *simd, int tensor)
{
    struct value *value = &simd->values[tensor];
    if (!value->packed) {
        value->packed =
            arena_alloc(simd->plan->arena, packed_most(simd, tensor), sizeof *value->packed);
        if (!value->packed) {
            simd->out->failed = true;
            return NULL;
        }
    }
    struct packed *packed = &value->packed[value->count];
    for (int i = 0; i < SIMD_SLOTS; i++) {
        packed->map[i] = -1;
    }
    (void)snprintf(packed->name, sizeof packed->name, "x%d_%d", tensor, value->count);
    value->count++;
    return packed;
}

/* One input's registers, `first` elements further on. */
static void concat_one(struct simd *simd, int from, int to, int first)
{
    const struct value *value = &simd->values[from];
    for (int i = 0; i < value->count; i++) {
        struct packed *packed = simd_packed(simd, to);
        if (!packed) {
            return;
        }
        *packed = value->packed[i];
        for (int k = 0; k < SIMD_SLOTS; k++) {
            packed->map[k] += packed->map[k] >= 0 ? first : 0;
        }
    }
}

void simd_concat(struct simd *simd, const struct layer *layer)
{
    int first = 0;
    for (int k = 0; k < layer->input_count; k++) {
        concat_one(simd, layer->inputs[k], layer->output, first);
        first += simd->plan->net->tensors[layer->inputs[k]].width;
    }
}

int simd_words(const struct simd *simd, int rows)
{
    return (rows + simd->lanes - 1) / simd->lanes;
}

/* ---- ranges ---- */

static void widen(struct limits *all, struct limits one, bool first)
{
    all->low = first || one.low < all->low ? one.low : all->low;
    all->high = first || one.high > all->high ? one.high : all->high;
}

struct limits simd_range(const struct plan *plan, const struct layer *layer)
{
    struct limits all = {0, 0};
    for (int i = 0; i < plan->net->tensors[layer->output].width; i++) {
        struct limits one;
        if (layer->op == OP_DENSE) {
            struct interval row = net_row_range(layer, i, plan->ranges[layer->inputs[0]]);
            one.low = floor_shift(row.low, layer->shift[i]);
            one.high = floor_shift(row.high, layer->shift[i]);
        } else {
            struct interval sum = net_sum_range(layer, plan->ranges, i);
            one = (struct limits){sum.low, sum.high};
        }
        widen(&all, one, i == 0);
    }
    return all;
}

static int64_t saturate(int64_t value)
{
    return value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value;
}

struct limits simd_saturated(struct limits range)
{
    return (struct limits){saturate(range.low), saturate(range.high)};
}

struct limits simd_kept(enum activation activation, enum type type)
{
    int64_t high = type_high(type);
    switch (activation) {
    case ACTIVATION_NONE: return (struct limits){type_low(type), high};
    case ACTIVATION_RELU: return (struct limits){0, high};
    case ACTIVATION_CLIP:
    case ACTIVATION_ABS:
    case ACTIVATION_LEAKY:
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return (struct limits){-high, high};
    }
    return (struct limits){0, 0};
}

/* ---- tables ---- */

void simd_table(struct simd *simd, const char *type, const char *name, int rows, int columns,
                struct numbers numbers)
{
    text_printf(simd->out, "    static const %s %s", type, name);
    if (rows > 0) {
        text_printf(simd->out, "[%d]", rows);
    }
    text_printf(simd->out, "[%d] __attribute__((aligned(64))) = {\n", columns);
    for (int i = 0; i < (rows > 0 ? rows : 1); i++) {
        text_add(simd->out, rows > 0 ? "        {" : "        ");
        print_numbers(simd->out, numbers, (size_t)i * (size_t)columns, columns, rows > 0 ? 9 : 8);
        text_add(simd->out, rows == 0 ? "\n" : i + 1 < rows ? "},\n" : "}\n");
    }
    text_add(simd->out, "    };\n");
}

int simd_shift(const struct layer *layer)
{
    int most = 0;
    for (int i = 0; i < layer->weights.rows; i++) {
        most = layer->shift[i] > most ? layer->shift[i] : most;
    }
    return most;
}

int simd_lift(const struct simd *simd, const struct layer *layer, int row)
{
    return simd->sse2 ? simd_shift(layer) - layer->shift[row] : 0;
}

bool simd_uniform_shift(const struct simd *simd, const struct layer *layer)
{
    for (int i = 1; i < layer->weights.rows && !simd->sse2; i++) {
        if (layer->shift[i] != layer->shift[0]) {
            return false;
        }
    }
    return true;
}

/* A row's bias without what `offset` on top of each column adds, modulo 2^32. */
static int32_t row_bias(const struct layer *layer, int row, int offset)
{
    size_t columns = (size_t)layer->weights.columns;
    int64_t bias = layer->bias[row];
    for (size_t j = 0; j < columns; j++) {
        bias -= (int64_t)layer->weights.values[(size_t)row * columns + j] * offset;
    }
    uint32_t low = (uint32_t)(bias & UINT32_MAX);
    return low > INT32_MAX ? (int32_t)((int64_t)low - ((int64_t)1 << 32)) : (int32_t)low;
}

void simd_biases(struct simd *simd, const struct layer *layer, int sign)
{
    int32_t numbers[SIMD_ROWS + SIMD_SLOTS] = {0};
    char name[SIMD_NAME];
    int offset = simd->values[layer->inputs[0]].offset;
    int count = simd_words(simd, layer->weights.rows) * simd->lanes;
    for (int i = 0; i < layer->weights.rows; i++) {
        numbers[i] = row_bias(layer, i, offset) * (1 << simd_lift(simd, layer, i));
    }
    (void)snprintf(name, sizeof name, "b%d", simd->number);
    simd_table(simd, "int32_t", name, 0, count, (struct numbers){.i32 = numbers});
    if (simd_uniform_shift(simd, layer)) {
        return;
    }
    for (int i = 0; i < layer->weights.rows; i++) {
        numbers[i] = sign * layer->shift[i];
    }
    (void)snprintf(name, sizeof name, "k%d", simd->number);
    simd_table(simd, "int32_t", name, 0, count, (struct numbers){.i32 = numbers});
}

void simd_note(struct simd *simd, int index)
{
    const struct layer *layer = &simd->plan->net->layers[index];
    const struct step *step = &simd->plan->steps[index];
    char bound[GROUPED_MAX];
    text_printf(simd->out, "    /* layer %d: %d -> %d, %s; |acc| <= %s (row %d) */\n", simd->number,
                layer->weights.columns, layer->weights.rows,
                layer->activation == ACTIVATION_NONE ? "linear"
                                                     : activation_name(layer->activation),
                grouped(step->bounds[step->worst], bound), step->worst);
}
