/* From an accumulator to an element: terms of an add, activation, clamp, store. */
#include "emit/thumb.h"

#include <stdio.h>

/* ---- where a layer's rows go ---- */

/* The add that is the only reader of a layer's sums; -1: none. */
static int only_add(const struct net *net, const struct layer *layer)
{
    int reader = -1;
    bool sums = net->tensors[layer->output].type == TYPE_I32 && layer->output != net->output;
    if (sums && plan_readers(net, layer->output, &reader) == 1 &&
        net->layers[reader].op == OP_ADD) {
        return reader;
    }
    return -1;
}

bool thumb_ending(struct thumb *t, int index, struct ending *ending)
{
    const struct net *net = t->plan->net;
    const struct layer *layer = &net->layers[index];
    int add = only_add(net, layer);
    *ending = (struct ending){.layer = index, .activation = layer->activation, .to = layer->output};
    bool last = add >= 0;
    for (int k = 0; last && k < net->layers[add].input_count; k++) {
        int term = net->layers[add].inputs[k];
        if (term != layer->output) {
            last = t->elements[term] != NULL;
            ending->terms[ending->term_count++] = term;
        }
    }
    if (last) {
        ending->to = net->layers[add].output;
    } else {
        ending->term_count = 0;
    }
    int reader = 0;
    bool known =
        net->tensors[layer->output].type != TYPE_I32 || layer->output == net->output || add >= 0;
    return known && (ending->to != net->output || plan_readers(net, ending->to, &reader) == 0);
}

struct interval thumb_sum_range(const struct thumb *t, const struct ending *ending, int row)
{
    const struct plan *plan = t->plan;
    const struct layer *layer = &plan->net->layers[ending->layer];
    struct interval z = net_row_range(layer, row, plan->ranges[layer->inputs[0]]);
    z.low = floor_shift(z.low, layer->shift[row]);
    z.high = floor_shift(z.high, layer->shift[row]);
    for (int k = 0; k < ending->term_count; k++) {
        z.low += plan->ranges[ending->terms[k]][row].low;
        z.high += plan->ranges[ending->terms[k]][row].high;
    }
    return z;
}

/* ---- clamps ---- */

static void hold_second(struct thumb *t, struct ending *ending, int32_t value)
{
    if (ending->second != value) {
        thumb_set(t, 2, (uint32_t)value);
        ending->second = value;
    }
}

static void hold_third(struct thumb *t, struct ending *ending, int32_t value)
{
    if (ending->third != value) {
        thumb_set(t, 3, (uint32_t)value);
        ending->third = value;
    }
}

/* Zero where negative. */
static void zero_negative(struct thumb *t, int reg)
{
    thumb_op(t, 1, "asrs r1, r%d, #31", reg);
    thumb_op(t, 1, "bics r%d, r1", reg);
}

/* `high` where larger. */
static void cut_high(struct thumb *t, struct ending *ending, int reg, int64_t high)
{
    char block[64];
    hold_second(t, ending, (int32_t)high);
    if (t->plan->options->constant_time) {
        thumb_op(t, 1, "subs r%d, r2, r%d", reg, reg);
        zero_negative(t, reg);
        thumb_op(t, 1, "subs r%d, r2, r%d", reg, reg);
        return;
    }
    thumb_op(t, 1, "cmp r%d, r2", reg);
    (void)snprintf(block, sizeof block, "movs r%d, r2", reg);
    thumb_late(t, "gt", block, 1);
}

/* The ends of a two's complement type of `bits`, where outside of it; rarely so. */
static void cut_type(struct thumb *t, int reg, int bits)
{
    char block[128];
    thumb_op(t, 1, "%s r1, r%d", bits == 8 ? "sxtb" : "sxth", reg);
    thumb_op(t, 1, "cmp r1, r%d", reg);
    (void)snprintf(block, sizeof block,
                   "asrs r%d, r%d, #31; movs r1, #1; lsls r1, r1, #%d; subs r1, #1; eors r%d, r1",
                   reg, reg, bits - 1, reg);
    thumb_late(t, "ne", block, 5);
}

/* low .. high around zero, without a branch; high - z must fit 32 bits. */
static void cut_both(struct thumb *t, struct ending *ending, int reg, struct interval range,
                     struct interval kept)
{
    bool twos = kept.low != -kept.high;
    t->unfit = t->unfit || kept.high - range.low > INT32_MAX;
    hold_third(t, ending, (int32_t)kept.high);
    thumb_op(t, 1, "subs r%d, r3, r%d", reg, reg);
    zero_negative(t, reg);
    thumb_op(t, 1, "subs r%d, r3, r%d", reg, reg);
    thumb_op(t, 1, "adds r%d, r%d, r3", reg, reg);
    if (twos) {
        thumb_op(t, 1, "adds r%d, #1", reg);
    }
    zero_negative(t, reg);
    thumb_op(t, 1, "subs r%d, r%d, r3", reg, reg);
    if (twos) {
        thumb_op(t, 1, "subs r%d, #1", reg);
    }
}

/* z in `range` to the ends of `kept`.  `wraps`: -32768 is as good as -32767. */
static void clamp_to(struct thumb *t, struct ending *ending, int reg, struct interval range,
                     struct interval kept, bool wraps)
{
    bool below = range.low < kept.low;
    bool above = range.high > kept.high;
    bool twos = kept.low == -kept.high - 1 || wraps;
    bool types = twos && (kept.high == INT8_MAX || kept.high == INT16_MAX);
    if (!below && !above) {
        return;
    }
    if (kept.low >= 0) {
        if (below) {
            zero_negative(t, reg);
        }
        if (above) {
            cut_high(t, ending, reg, kept.high);
        }
    } else if (types && !t->plan->options->constant_time) {
        cut_type(t, reg, kept.high == INT8_MAX ? 8 : 16);
    } else {
        cut_both(t, ending, reg, range, kept);
    }
}

/* ---- activations on v, which is clamped (SPEC 5) ---- */

static void absolute(struct thumb *t, int reg)
{
    thumb_op(t, 1, "asrs r1, r%d, #31", reg);
    thumb_op(t, 1, "adds r%d, r%d, r1", reg, reg);
    thumb_op(t, 1, "eors r%d, r1", reg);
}

/* v - n + (n >> 3), where n is v's negative part. */
static void leaky(struct thumb *t, int reg)
{
    thumb_op(t, 1, "asrs r1, r%d, #31", reg);
    thumb_op(t, 1, "ands r1, r%d", reg);
    thumb_op(t, 1, "subs r%d, r%d, r1", reg, reg);
    thumb_op(t, 1, "asrs r1, r1, #3");
    thumb_op(t, 1, "adds r%d, r%d, r1", reg, reg);
}

static void cubic(struct thumb *t, struct ending *ending, int reg)
{
    hold_second(t, ending, 98304);
    thumb_op(t, 1, "movs r1, r%d", reg);
    thumb_op(t, 1, "muls r1, r1");
    thumb_op(t, 1, "lsrs r1, r1, #15");
    thumb_op(t, 1, "subs r1, r2, r1");
    thumb_op(t, 1, "lsrs r1, r1, #1");
    thumb_op(t, 1, "muls r%d, r1", reg);
    thumb_op(t, 1, "asrs r%d, r%d, #15", reg, reg);
}

static void psig(struct thumb *t, struct ending *ending, int reg)
{
    hold_second(t, ending, 65536);
    thumb_op(t, 1, "asrs r1, r%d, #31", reg);
    thumb_op(t, 1, "adds r3, r%d, r1", reg);
    thumb_op(t, 1, "eors r3, r1");
    thumb_op(t, 1, "subs r3, r2, r3");
    thumb_op(t, 1, "muls r%d, r3", reg);
    thumb_op(t, 1, "asrs r%d, r%d, #15", reg, reg);
    ending->third = 0;
}

static void activate(struct thumb *t, struct ending *ending, struct interval range, int reg)
{
    struct interval kept = plan_kept(ending->activation, t->plan->net->tensors[ending->to].type);
    switch (ending->activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: clamp_to(t, ending, reg, range, kept, false); break;
    case ACTIVATION_ABS:
        clamp_to(t, ending, reg, range, kept, false);
        absolute(t, reg);
        break;
    case ACTIVATION_LEAKY:
        clamp_to(t, ending, reg, range, kept, false);
        leaky(t, reg);
        break;
    case ACTIVATION_CUBIC:
        clamp_to(t, ending, reg, range, kept, true);
        cubic(t, ending, reg);
        break;
    case ACTIVATION_PSIG:
        clamp_to(t, ending, reg, range, kept, true);
        psig(t, ending, reg);
        break;
    }
}

/* ---- stores ---- */

static int type_bytes(enum type type)
{
    switch (type) {
    case TYPE_I8:
    case TYPE_U8:
    case TYPE_U4: return 1;
    case TYPE_I16:
    case TYPE_U16: return 2;
    case TYPE_I32: return 4;
    }
    return 4;
}

static void store_out(struct thumb *t, struct ending *ending, int row, int reg)
{
    int bytes = type_bytes(t->plan->net->tensors[ending->to].type);
    const char *name = bytes == 1 ? "strb" : bytes == 2 ? "strh" : "str";
    if (ending->third != ENDING_OUT) {
        thumb_op(t, 2, "ldr r3, [sp, #%d]", thumb_offset(t, SLOT_OUT));
        ending->third = ENDING_OUT;
    }
    if (row < 32) {
        thumb_op(t, 2, "%s r%d, [r3, #%d]", name, reg, bytes * row);
        return;
    }
    thumb_set(t, 1, (uint32_t)(bytes * row));
    thumb_op(t, 2, "%s r%d, [r3, r1]", name, reg);
}

void thumb_store(struct thumb *t, struct ending *ending, int row, int reg)
{
    if (ending->to == t->plan->net->output) {
        store_out(t, ending, row, reg);
        return;
    }
    int slot = thumb_slot(t);
    t->elements[ending->to][row] = (struct element){.kind = PLACE_WORD, .index = slot};
    thumb_op(t, 2, "str r%d, [sp, #%d]", reg, thumb_offset(t, slot));
}

/* ReLU that may cut: high - x is kept instead of x.  That is one instruction more than to compare
 * and branch, and takes the same time for all values; the next layer's numbers make up for it. */
static void end_reversed(struct thumb *t, struct ending *ending, struct interval range, int index,
                         int reg)
{
    int32_t high = type_high(t->plan->net->tensors[ending->to].type);
    if (range.low < 0) {
        zero_negative(t, reg);
    }
    hold_second(t, ending, high);
    thumb_op(t, 1, "subs r%d, r2, r%d", reg, reg);
    zero_negative(t, reg);
    thumb_store(t, ending, index, reg);
    t->elements[ending->to][index].zero = high;
    t->elements[ending->to][index].negative = true;
}

void thumb_end_value(struct thumb *t, struct ending *ending, struct interval range, int index,
                     int reg)
{
    bool cuts = range.high > type_high(t->plan->net->tensors[ending->to].type);
    if (ending->activation == ACTIVATION_RELU && cuts && ending->to != t->plan->net->output) {
        end_reversed(t, ending, range, index, reg);
        return;
    }
    activate(t, ending, range, reg);
    thumb_store(t, ending, index, reg);
}

void thumb_end_row(struct thumb *t, struct ending *ending, int row, int reg)
{
    for (int k = 0; k < ending->term_count; k++) {
        thumb_element(t, 1, &t->elements[ending->terms[k]][row], 1, false);
        thumb_op(t, 1, "adds r%d, r%d, r1", reg, reg);
    }
    thumb_end_value(t, ending, thumb_sum_range(t, ending, row), row, reg);
}
