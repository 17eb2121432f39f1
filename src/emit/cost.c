/* What a dense layer costs in each kernel, as estimated for a Cortex-M0 without wait states.
 *
 * The figures below are all there is to it.  They were fitted to `mote measure --target cortex-m0`
 * on nets of one kernel each.  Packed rows clamp where they are decoded, straight lines in a pass
 * of its own.  Other activations cost about the same everywhere and are left out. */
#include "emit/plan.h"

/* Bytes of code and constants, and cycles. */
static const struct estimate loop_layer = {60, 30}, loop_row = {0, 7}, loop_weight = {0, 13};
static const struct estimate line_column = {2, 2}, line_row = {10, 16};
static const struct estimate line_clamp = {0, 16}; /* a row's part of that pass */
static const struct estimate line_one = {2, 1}, line_power = {4, 2}, line_weight = {6, 3};
static const struct estimate line_wide = {8, 4}; /* more than the 8 bits of an immediate */
static const struct estimate pack_layer = {60, 12}, pack_pair = {4, 25}, pack_column = {4, 6};
static const struct estimate pack_clamp = {4, 4}; /* a row's, where it is decoded */
static const struct estimate pack_table = {2, 7}; /* a pair's shifts or offsets from a table */
static const struct estimate pack_turn = {0, 8};  /* of a loop over columns that are too many */
static const struct estimate pack_helper_column = {6, 0}; /* the sum's function */

static void add(struct estimate *sum, int64_t times, struct estimate cost)
{
    sum->bytes += times * cost.bytes;
    sum->cycles += times * cost.cycles;
}

static struct estimate line_cost(int weight)
{
    int size = weight < 0 ? -weight : weight;
    if (size <= 1) {
        return size ? line_one : (struct estimate){0, 0};
    }
    return (size & (size - 1)) == 0 ? line_power : size < 256 ? line_weight : line_wide;
}

/* Of a table; one value for all is none. */
static int64_t series_bytes(const struct series *series)
{
    int64_t size = series->type == TYPE_I32                               ? 4
                   : series->type == TYPE_I16 || series->type == TYPE_U16 ? 2
                                                                          : 1;
    return series->uniform ? 0 : size * series->count;
}

struct estimate estimate_loop(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct estimate sum = loop_layer;
    int64_t weights = (int64_t)layer->weights.rows * layer->weights.columns;
    add(&sum, layer->weights.rows, loop_row);
    add(&sum, weights, loop_weight);
    sum.bytes += weights * (plan_weight_type(layer) == TYPE_I8 ? 1 : 2);
    sum.bytes += series_bytes(&plan->steps[index].bias) + series_bytes(&plan->steps[index].shift);
    return sum;
}

struct estimate estimate_line(const struct plan *plan, int index, const struct span *span)
{
    const struct layer *layer = &plan->net->layers[index];
    struct estimate sum = {0, 0};
    size_t columns = (size_t)layer->weights.columns;
    int64_t tiles = (span->rows + LINE_TILE - 1) / LINE_TILE;
    add(&sum, tiles * layer->weights.columns, line_column);
    add(&sum, span->rows, line_row);
    if (plan->steps[index].clamps && plan_clamps_only(layer->activation)) {
        add(&sum, span->rows, line_clamp);
    }
    for (int row = span->first; row < span->first + span->rows; row++) {
        for (size_t j = 0; j < columns; j++) {
            add(&sum, 1, line_cost(layer->weights.values[(size_t)row * columns + j]));
        }
    }
    return sum;
}

struct estimate estimate_pack(const struct plan *plan, int index, const struct span *span)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    struct estimate sum = pack_layer;
    int64_t pairs = span->rows / 2;
    add(&sum, pairs, pack_pair);
    add(&sum, pairs * (!step->shift.uniform + !step->offset.uniform), pack_table);
    add(&sum, pairs * layer->weights.columns, pack_column);
    if (step->clamps && plan_clamps_only(layer->activation)) {
        add(&sum, span->rows, pack_clamp);
    }
    int part = plan_pack_part(layer->weights.columns);
    if (part < layer->weights.columns) {
        add(&sum, pairs * (layer->weights.columns / part), pack_turn);
    }
    add(&sum, part, pack_helper_column);
    return sum;
}

struct estimate estimate_spans(const struct plan *plan, int index)
{
    const struct step *step = &plan->steps[index];
    struct estimate sum = {0, 0};
    for (int i = 0; i < step->span_count; i++) {
        const struct span *span = &step->spans[i];
        add(&sum, 1,
            span->packed ? estimate_pack(plan, index, span) : estimate_line(plan, index, span));
    }
    return sum;
}
