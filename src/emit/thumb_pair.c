/* The packed kernel's ends: from two sums in a word to activations.
 *
 * ReLU on rows alike works on two halves of a word, or on four bytes, at once.  A power of two in
 * front of the sum (an offset in its bias) makes one bit tell its sign: that bit, times a mask, is
 * what remains of the value.  Such activations stay together in a word. */
#include "emit/thumb_pack.h"

#include <string.h>

#define ONES      0x00010001U
#define BYTES     0x00ff00ffU
#define BYTE_ONES 0x01010101U

/* The value's maximum in its type. */
static int64_t high_of(const struct pack *pack)
{
    return type_high(pack->t->plan->net->tensors[pack->ending.to].type);
}

/* ---- both halves at once ---- */

/* r1 = ONES, r2 = mask. */
static void hold_masks(struct pack *pack, unsigned mask)
{
    struct thumb *t = pack->t;
    bool byte = mask <= 255;
    if (!pack->ones || (pack->mask != mask && !byte)) {
        unsigned load = (pack->ones ? 0U : 1U << 1) | (pack->mask != mask && !byte ? 1U << 2 : 0U);
        if (load & 1U << 1) {
            thumb_constant(t, ONES);
        }
        if (load & 1U << 2) {
            thumb_constant(t, mask);
        }
        thumb_load(t, load);
    }
    if (pack->mask != mask && byte) {
        thumb_op(t, 1, "movs r2, #%u", mask);
    }
    pack->ones = true;
    pack->mask = mask;
    pack->ending.second = 0;
    pack->ending.third = 0;
}

/* Two sums in register v, bit `sign` of a half is its sign. */
static void relu_simple(struct pack *pack, int v, int sign, int shift)
{
    struct thumb *t = pack->t;
    hold_masks(pack, (1U << (sign - shift)) - 1);
    thumb_op(t, 1, "lsrs r4, r%d, #%d", v, sign);
    thumb_op(t, 1, "ands r4, r1");
    thumb_op(t, 1, "muls r4, r2");
    if (shift > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", v, v, shift);
    }
    thumb_op(t, 1, "ands r%d, r4", v);
}

/* Two sums with offsets of their own: both are taken back with 2^15 in front. */
static void relu_offset(struct pack *pack, int v, const struct half *halves)
{
    struct thumb *t = pack->t;
    uint32_t low = (uint32_t)(0x8000 + halves[0].offset);
    uint32_t high = (uint32_t)(0x8000 + halves[1].offset);
    hold_masks(pack, 0x7fff);
    thumb_constant(t, low + (high << 16));
    thumb_constant(t, (uint32_t)((PACK_VALUES >> halves[0].shift) - 1) * ONES);
    thumb_load(t, 1U << 4 | 1U << 5);
    if (halves[0].shift > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", v, v, halves[0].shift);
        thumb_op(t, 1, "ands r%d, r5", v);
    }
    thumb_op(t, 1, "adds r%d, r%d, r4", v, v);
    thumb_op(t, 1, "lsrs r4, r%d, #15", v);
    thumb_op(t, 1, "ands r4, r1");
    thumb_op(t, 1, "muls r4, r2");
    thumb_op(t, 1, "ands r%d, r4", v);
}

/* min(half, 2^bits - 1) of values below 2^(bits + 1). */
static void cut_halves(struct thumb *t, int v, int bits)
{
    thumb_op(t, 1, "movs r5, #%d", (1 << bits) - 1);
    thumb_op(t, 1, "lsrs r4, r%d, #%d", v, bits);
    thumb_op(t, 1, "ands r4, r1");
    thumb_op(t, 1, "muls r4, r5");
    thumb_op(t, 1, "orrs r%d, r4", v);
    thumb_op(t, 1, "muls r5, r1");
    thumb_op(t, 1, "ands r%d, r5", v);
}

/* Can both rows of a pair end at once? */
static bool alike(const struct pack *pack, const struct half *halves)
{
    int64_t high = high_of(pack);
    bool good = pack_is_relu(pack) && halves[0].shift == halves[1].shift;
    for (int i = 0; i < 2; i++) {
        struct interval z = {floor_shift(halves[i].range.low, halves[i].shift),
                             floor_shift(halves[i].range.high, halves[i].shift)};
        bool cuts = z.high > high;
        good = good && z.low >= INT16_MIN && z.high <= INT16_MAX &&
               (!cuts || (high <= 255 && z.high <= 2 * high + 1));
    }
    return good;
}

/* Does any row of a pair leave the type at the top? */
static bool cuts(const struct pack *pack, const struct half *halves)
{
    int64_t high = high_of(pack);
    return floor_shift(halves[0].range.high, halves[0].shift) > high ||
           floor_shift(halves[1].range.high, halves[1].shift) > high;
}

/* Is r4 all that ReLU needs?  Else r5, too. */
static bool only_signs(const struct pack *pack, const struct half *halves)
{
    return halves[0].sign > 0 && halves[0].sign == halves[1].sign && !cuts(pack, halves);
}

static void end_both(struct pack *pack, int v, const struct half *halves)
{
    if (halves[0].sign > 0 && halves[0].sign == halves[1].sign) {
        relu_simple(pack, v, halves[0].sign, halves[0].shift);
    } else {
        relu_offset(pack, v, halves);
    }
    if (cuts(pack, halves)) {
        cut_halves(pack->t, v, high_of(pack) == UINT8_MAX ? 8 : 7);
    }
}

/* ---- one half after the other ---- */

/* Does the store drop everything above the value's bits? */
static bool only_byte(const struct pack *pack, const struct half *half)
{
    const struct net *net = pack->t->plan->net;
    enum type type = net->tensors[pack->ending.to].type;
    struct interval z = {floor_shift(half->range.low, half->shift),
                         floor_shift(half->range.high, half->shift)};
    bool keeps = pack->ending.activation == ACTIVATION_NONE && pack->ending.term_count == 0 &&
                 pack->ending.to == net->output && (type == TYPE_I8 || type == TYPE_U8);
    return keeps && z.low >= type_low(type) && z.high <= type_high(type) && half->shift <= 8;
}

/* r4 += offset, through r1. */
static void add_offset(struct thumb *t, int64_t offset)
{
    int64_t size = offset < 0 ? -offset : offset;
    if (size > 255) {
        thumb_set(t, 1, (uint32_t)size);
        thumb_op(t, 1, "%s r4, r4, r1", offset < 0 ? "subs" : "adds");
    } else if (size > 0) {
        thumb_op(t, 1, "%s r4, #%d", offset < 0 ? "subs" : "adds", (int)size);
    }
}

/* A row's value into r4, out of a half of low register `reg`. */
static void end_half(struct pack *pack, int reg, const struct half *half, bool high)
{
    struct thumb *t = pack->t;
    bool byte = only_byte(pack, half);
    int down = half->shift + (high ? 16 : 0);
    int64_t offset = byte ? half->offset % 256 : half->offset;
    int from = high || byte ? reg : 4;
    if (from != reg) {
        thumb_op(t, 1, "uxth r4, r%d", reg);
    }
    if (down > 0) {
        thumb_op(t, 1, "lsrs r4, r%d, #%d", from, down);
    } else if (from != 4) {
        thumb_op(t, 1, "movs r4, r%d", from);
    }
    add_offset(t, offset);
    thumb_end_row(t, &pack->ending, half->row, 4);
    pack->ones = false;
    pack->mask = 0;
}

/* ---- all pairs of a pass ---- */

/* How a pair ends. */
enum end {
    END_HALVES, /* one row after the other */
    END_BYTES,  /* four rows at once, two pairs of bytes */
    END_BOTH    /* two rows at once */
};

/* Pairs that end together, and the low registers with their sums. */
struct batch {
    int count;
    int pair[4];
    int reg[4];
    unsigned mask;
};

/* Is every value of the pair a byte, its sign bit 7 behind the shift? */
static bool is_bytes(const struct half *halves)
{
    return halves[0].sign > 0 && halves[0].sign == halves[0].shift + 7 &&
           halves[1].sign == halves[1].shift + 7 && halves[0].shift == halves[1].shift;
}

/* Pairs of bytes end in twos; an odd one, the last, alone. */
static enum end end_of(const struct pack *pack, int pair)
{
    int count = 0;
    int number = 0;
    for (int i = 0; i < pack->pairs; i++) {
        bool bytes = is_bytes(&pack->halves[2 * i]);
        number += bytes && i < pair;
        count += bytes;
    }
    if (is_bytes(&pack->halves[2 * pair]) && (number < (count & ~1))) {
        return END_BYTES;
    }
    return alike(pack, &pack->halves[2 * pair]) ? END_BOTH : END_HALVES;
}

/* Does r6 or r7 hold a sum that has not ended? */
static bool is_busy(const struct pack *pack, int reg)
{
    return pack_is_low(pack, 0) && reg >= 6 && !pack->ended[reg - 6];
}

/* The lowest free register of `pool`; 0: none. */
static int free_register(const struct pack *pack, const struct batch *batch, unsigned pool)
{
    for (int reg = 1; reg < 8; reg++) {
        if ((pool >> reg & 1U) && !(batch->mask >> reg & 1U) && !is_busy(pack, reg)) {
            return reg;
        }
    }
    return 0;
}

/* At most `most` pairs that end in one way. */
static struct batch next_batch(const struct pack *pack, enum end end, int most, unsigned pool)
{
    struct batch batch = {0};
    for (int i = 0; i < pack->pairs && batch.count < most; i++) {
        if (pack->ended[i] || end_of(pack, i) != end) {
            continue;
        }
        int reg =
            pack_is_low(pack, i) ? pack_accumulator(pack, i) : free_register(pack, &batch, pool);
        if (reg == 0) {
            break;
        }
        batch.pair[batch.count] = i;
        batch.reg[batch.count++] = reg;
        batch.mask |= 1U << reg;
    }
    return batch;
}

/* Biases of the sums in high registers, and the sums on top of them. */
static void add_biases(struct pack *pack, const struct batch *batch)
{
    unsigned mask = 0;
    for (int reg = 1; reg < 8; reg++) {
        for (int i = 0; i < batch->count; i++) {
            if (batch->reg[i] == reg && !pack_is_low(pack, batch->pair[i])) {
                thumb_constant(pack->t, pack_bias(pack, batch->pair[i]));
                mask |= 1U << reg;
            }
        }
    }
    if (mask) {
        thumb_load(pack->t, mask);
    }
    for (int i = 0; i < batch->count; i++) {
        if (!pack_is_low(pack, batch->pair[i])) {
            thumb_op(pack->t, 1, "add r%d, %s", batch->reg[i],
                     thumb_reg(pack_accumulator(pack, batch->pair[i])));
        }
    }
}

static struct element part(int slot, int bits, int number)
{
    return (struct element){.kind = PLACE_PART, .index = slot, .at = bits * number, .bits = bits};
}

/* Their words go to the stack, the lowest register's last. */
static void push_batch(struct pack *pack, const struct batch *batch)
{
    struct element *elements = pack->t->elements[pack->ending.to];
    int slot = thumb_push(pack->t, batch->mask);
    for (int i = 0; i < batch->count; i++) {
        const struct half *halves = &pack->halves[2 * batch->pair[i]];
        int below = 0;
        for (int k = 0; k < batch->count; k++) {
            below += batch->reg[k] < batch->reg[i];
        }
        elements[halves[0].row] = part(slot - below, 16, 0);
        elements[halves[1].row] = part(slot - below, 16, 1);
    }
}

static void end_batch(struct pack *pack, const struct batch *batch, bool both)
{
    add_biases(pack, batch);
    for (int i = 0; i < batch->count; i++) {
        const struct half *halves = &pack->halves[2 * batch->pair[i]];
        pack->ended[batch->pair[i]] = true;
        if (both) {
            end_both(pack, batch->reg[i], halves);
        } else {
            end_half(pack, batch->reg[i], &halves[0], false);
            end_half(pack, batch->reg[i], &halves[1], true);
        }
    }
    if (both) {
        push_batch(pack, batch);
    }
    thumb_line_end(pack->t);
}

static void end_batches(struct pack *pack, enum end end, unsigned pool)
{
    for (;;) {
        struct batch batch = next_batch(pack, end, 4, pool);
        if (batch.count == 0) {
            return;
        }
        end_batch(pack, &batch, end == END_BOTH);
    }
}

/* ---- bytes ---- */

/* Words of bytes that wait in registers to be pushed together. */
struct waiting {
    unsigned mask;
    const struct half *halves[8][2]; /* by register: those of both pairs */
};

static void push_waiting(struct pack *pack, struct waiting *waiting)
{
    struct element *elements = pack->t->elements[pack->ending.to];
    int slot = waiting->mask ? thumb_push(pack->t, waiting->mask) : 0;
    for (int reg = 0; reg < 8; reg++) {
        if (!(waiting->mask >> reg & 1U)) {
            continue;
        }
        for (int k = 0; k < 2; k++) {
            elements[waiting->halves[reg][k][0].row] = part(slot, 8, k);
            elements[waiting->halves[reg][k][1].row] = part(slot, 8, k + 2);
        }
        slot--;
    }
    waiting->mask = 0;
}

/* Bytes of pair a to bytes 0 and 2, those of pair b to bytes 1 and 3, ReLU on all.  r1 = BYTES,
 * r2 = BYTE_ONES, r4 = 127. */
static void end_bytes(struct pack *pack, int a, int b, int shift_a, int shift_b)
{
    struct thumb *t = pack->t;
    if (shift_a > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", a, a, shift_a);
    }
    thumb_op(t, 1, "ands r%d, r1", a);
    if (shift_b < 8) {
        thumb_op(t, 1, "lsls r%d, r%d, #%d", b, b, 8 - shift_b);
    }
    thumb_op(t, 1, "bics r%d, r1", b);
    thumb_op(t, 1, "orrs r%d, r%d", a, b);
    thumb_op(t, 1, "lsrs r%d, r%d, #7", b, a);
    thumb_op(t, 1, "ands r%d, r2", b);
    thumb_op(t, 1, "muls r%d, r4", b);
    thumb_op(t, 1, "ands r%d, r%d", a, b);
}

static void hold_byte_masks(struct pack *pack)
{
    thumb_constant(pack->t, BYTES);
    thumb_constant(pack->t, BYTE_ONES);
    thumb_load(pack->t, 1U << 1 | 1U << 2);
    thumb_op(pack->t, 1, "movs r4, #127");
}

/* The next two pairs of bytes; false where none is left, or no register is free. */
static bool end_two_pairs(struct pack *pack, struct waiting *waiting)
{
    unsigned pool = 1U << 3 | 1U << 5 | 1U << 6 | 1U << 7;
    struct batch batch = next_batch(pack, END_BYTES, 2, pool & ~waiting->mask);
    if (batch.count < 2) {
        return false;
    }
    const struct half *first = &pack->halves[2 * batch.pair[0]];
    const struct half *second = &pack->halves[2 * batch.pair[1]];
    add_biases(pack, &batch);
    end_bytes(pack, batch.reg[0], batch.reg[1], first->shift, second->shift);
    pack->ended[batch.pair[0]] = true;
    pack->ended[batch.pair[1]] = true;
    waiting->mask |= 1U << batch.reg[0];
    waiting->halves[batch.reg[0]][0] = first;
    waiting->halves[batch.reg[0]][1] = second;
    thumb_line_end(pack->t);
    return true;
}

static void end_all_bytes(struct pack *pack)
{
    struct waiting waiting = {0};
    if (next_batch(pack, END_BYTES, 1, 1U << 3).count == 0) {
        return;
    }
    hold_byte_masks(pack);
    do {
        while (end_two_pairs(pack, &waiting)) {
        }
        push_waiting(pack, &waiting);
    } while (end_two_pairs(pack, &waiting));
    push_waiting(pack, &waiting);
}

void pack_end(struct pack *pack)
{
    unsigned pool = 1U << 3 | 1U << 5 | 1U << 6 | 1U << 7;
    memset(pack->ended, 0, sizeof pack->ended);
    end_batches(pack, END_HALVES, pool & ~(1U << 3));
    end_all_bytes(pack);
    pack->mask = 0;
    pack->ones = false;
    for (int i = 0; i < pack->pairs; i++) {
        const struct half *halves = &pack->halves[2 * i];
        bool more = end_of(pack, i) == END_BOTH && !only_signs(pack, halves);
        pool &= more ? ~(1U << 5) : ~0U;
    }
    end_batches(pack, END_BOTH, pool);
}
