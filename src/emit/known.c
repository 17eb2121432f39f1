/* What a prover who knows an interval of each number sees of the tensors, once kernels are chosen.
 *
 * A sum modulo 2^n (struct kernel: wraps) may be anything to it; what it knows of such a row is
 * what the mask or the clamp behind the sum leaves, which is more than the row can be.  Sums of
 * that are wider than the plan's own.  Where they only leave a type, they are clamped; where they
 * leave 32 bits, the layer in front takes a kernel with exact sums.  Trained nets hardly ever need
 * either. */
#include "emit/kernel.h"

#include <string.h>

/* ---- rows ---- */

/* Which kernel computes the row; NULL before one is chosen. */
static const struct kernel *kernel_of(const struct plan *plan, int index, int row)
{
    const struct choice *choice = plan_choice(plan, index);
    for (int i = 0; plan->steps[index].choice_count > 0 && i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        if (row >= span->first && row < span->first + span->rows) {
            return span->kernel;
        }
    }
    return NULL;
}

bool known_wraps(const struct plan *plan, int index, int row)
{
    const struct kernel *kernel = kernel_of(plan, index, row);
    return kernel && kernel->wraps;
}

/* Where nothing lifts its sum, NAME_floor() shifts a row's magnitude, and then its sign is unknown.
 */
static bool loses_sign(const struct plan *plan, int index, int row)
{
    const struct kernel *kernel = kernel_of(plan, index, row);
    bool lifts = plan->based || (kernel->shape == SHAPE_TILE && plan->steps[index].lift >= 0);
    return !kernel->wraps && kernel != &kernel_shifts && !lifts &&
           plan->net->layers[index].shift[row] > 0;
}

/* Does any row of the layer? */
static bool any_wraps(const struct plan *plan, int index)
{
    bool wraps = false;
    for (int i = 0; i < plan->net->layers[index].weights.rows; i++) {
        wraps = wraps || known_wraps(plan, index, i);
    }
    return wraps;
}

/* ---- tensors ---- */

/* A dense layer's row behind its shift, in front of the activation. */
static struct interval see_row(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    struct interval sum = net_row_range(layer, row, plan->known[layer->inputs[0]]);
    int shift = layer->shift[row];
    if (known_wraps(plan, index, row)) {
        bool words = plan->net->tensors[layer->output].type == TYPE_I32;
        return words ? mask_seen(plan, index, row) : (struct interval){INT32_MIN, INT32_MAX};
    }
    if (loses_sign(plan, index, row)) {
        int64_t size = sum.high > -1 - sum.low ? sum.high : -1 - sum.low;
        return (struct interval){-1 - (size >> shift), size >> shift};
    }
    return (struct interval){floor_shift(sum.low, shift), floor_shift(sum.high, shift)};
}

/* What a layer leaves, from what is known of its inputs.  False when out of memory. */
static bool see(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    if (layer->op != OP_DENSE) {
        return net_layer_ranges(plan->net, layer, plan->known);
    }
    for (int i = 0; i < layer->weights.rows; i++) {
        plan->known[layer->output][i] =
            net_activation_range(layer->activation, type, see_row(plan, index, i));
    }
    return true;
}

/* Do sums stay within 32 bits, for all that a prover knows? */
static bool holds(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    bool hold = true;
    for (int i = 0; layer->op == OP_DENSE && i < layer->weights.rows; i++) {
        hold = hold && (known_wraps(plan, index, i) ||
                        net_row_bound(layer, i, plan->known[layer->inputs[0]]) <= INT32_MAX);
    }
    for (int j = 0; layer->op == OP_ADD && j < plan->net->tensors[layer->output].width; j++) {
        struct interval sum = net_sum_range(layer, plan->known, j);
        hold = hold && sum.low >= INT32_MIN && sum.high <= INT32_MAX;
    }
    return hold;
}

static bool proved(const struct plan *plan, int index)
{
    return plan->steps[index].choice_count == 0 ||
           plan_proved(plan, index, plan_choice(plan, index));
}

/* ---- all of it ---- */

bool known_first(struct plan *plan)
{
    const struct net *net = plan->net;
    for (int t = 0; t < net->tensor_count; t++) {
        size_t width = (size_t)net->tensors[t].width;
        plan->known[t] = arena_alloc(plan->arena, width, sizeof **plan->known);
        if (!plan->known[t]) {
            return false;
        }
        memcpy(plan->known[t], plan->ranges[t], width * sizeof **plan->known);
    }
    return true;
}

/* The layer nearest in front of `index` whose sums are modulo 2^n and which it depends on; -1:
 * there is none. */
static int source(const struct plan *plan, int index)
{
    bool feeds[NET_TENSORS_MAX] = {false};
    feeds[plan->net->layers[index].output] = true;
    for (int i = index; i >= 0; i--) {
        const struct layer *layer = &plan->net->layers[i];
        if (!feeds[layer->output]) {
            continue;
        }
        if (i < index && any_wraps(plan, i)) {
            return i;
        }
        for (int k = 0; k < layer->input_count; k++) {
            feeds[layer->inputs[k]] = true;
        }
    }
    return -1;
}

/* The layer that has to take another kernel so that all that a prover knows fits; -1: none, or none
 * can help. */
static int culprit(const struct plan *plan)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (!proved(plan, i)) {
            return i;
        }
        int found = holds(plan, i) ? -1 : source(plan, i);
        if (found >= 0) {
            return found;
        }
    }
    return -1;
}

bool known_last(struct plan *plan)
{
    int layer = 0;
    while (layer >= 0) {
        for (int i = 0; i < plan->net->layer_count; i++) {
            if (!see(plan, i)) {
                return false;
            }
        }
        layer = culprit(plan);
        if (layer >= 0 &&
            !plan_choose_again(plan, layer,
                               "a prover knows too little of it, or of what is in front")) {
            return false;
        }
    }
    return true;
}
