/* The packed kernel's ends: from two sums in a word to elements.  Rows alike end together. */
#include "emit/thumb_pack.h"

#include <string.h>

/* Registers for sums that end: all low ones but r0, the masks, and r4. */
#define POOL (1U << 3 | 1U << 5 | 1U << 6 | 1U << 7)

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
    END_OUT,    /* two bytes for out[] */
    END_CUT,    /* four bytes, two pairs that are cut to bytes */
    END_BYTES,  /* four bytes, two pairs of bytes */
    END_BOTH    /* two rows at once */
};

/* Pairs that end together, and the low registers with their sums. */
struct batch {
    int count;
    int pair[4];
    int reg[4];
    unsigned mask;
};

/* Can both rows of a pair end at once? */
static bool alike(const struct pack *pack, const struct half *halves)
{
    bool good = pack_is_relu(pack) && halves[0].shift == halves[1].shift;
    for (int i = 0; i < 2; i++) {
        struct interval z = {floor_shift(halves[i].range.low, halves[i].shift),
                             floor_shift(halves[i].range.high, halves[i].shift)};
        good = good && z.low >= INT16_MIN && z.high <= INT16_MAX;
    }
    return good;
}

/* How a pair could end, were there another one like it. */
static enum end wish_of(const struct pack *pack, const struct half *halves)
{
    int shift = halves[0].shift;
    bool same = halves[0].sign > 0 && halves[0].sign == halves[1].sign && shift == halves[1].shift;
    if (!pack_is_relu(pack)) {
        return same ? END_OUT : END_HALVES;
    }
    if (same && halves[0].sign == shift + 7) {
        return END_BYTES;
    }
    if (same && pack_bits(pack) == 7 && shift > 0 && shift < 8) {
        return END_CUT;
    }
    return alike(pack, halves) ? END_BOTH : END_HALVES;
}

/* Bytes are made of two pairs with one shift; those left over end alone. */
static enum end end_of(const struct pack *pack, int pair)
{
    enum end wish = wish_of(pack, &pack->halves[2 * pair]);
    int count = 0;
    int number = 0;
    for (int i = 0; i < pack->pairs; i++) {
        const struct half *halves = &pack->halves[2 * i];
        bool like = wish_of(pack, halves) == wish &&
                    (wish != END_CUT || halves[0].shift == pack->halves[2 * pair].shift);
        number += like && i < pair;
        count += like;
    }
    bool twos = wish == END_CUT || wish == END_BYTES;
    return twos && number >= (count & ~1) ? END_BOTH : wish;
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

static void end_pair(struct pack *pack, enum end end, int reg, const struct half *halves)
{
    if (end == END_BOTH) {
        lane_relu(pack, reg, halves);
    } else if (end == END_OUT) {
        lane_out(pack, reg, halves);
    } else {
        end_half(pack, reg, &halves[0], false);
        end_half(pack, reg, &halves[1], true);
    }
}

static void end_batches(struct pack *pack, enum end end, unsigned pool)
{
    for (;;) {
        struct batch batch = next_batch(pack, end, 4, pool);
        if (batch.count == 0) {
            return;
        }
        add_biases(pack, &batch);
        for (int i = 0; i < batch.count; i++) {
            pack->ended[batch.pair[i]] = true;
            end_pair(pack, end, batch.reg[i], &pack->halves[2 * batch.pair[i]]);
        }
        if (end == END_BOTH) {
            push_batch(pack, &batch);
        }
        thumb_line_end(pack->t);
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

/* The next two pairs of bytes; false where none is left, or no register is free. */
static bool end_two_pairs(struct pack *pack, struct waiting *waiting)
{
    struct batch batch = next_batch(pack, END_BYTES, 2, POOL & ~waiting->mask);
    if (batch.count < 2) {
        return false;
    }
    const struct half *first = &pack->halves[2 * batch.pair[0]];
    const struct half *second = &pack->halves[2 * batch.pair[1]];
    add_biases(pack, &batch);
    lane_bytes(pack->t, batch.reg[0], batch.reg[1], first->shift, second->shift);
    pack->ended[batch.pair[0]] = true;
    pack->ended[batch.pair[1]] = true;
    waiting->mask |= 1U << batch.reg[0];
    waiting->halves[batch.reg[0]][0] = first;
    waiting->halves[batch.reg[0]][1] = second;
    thumb_line_end(pack->t);
    return true;
}

static void end_bytes(struct pack *pack)
{
    struct waiting waiting = {0};
    do {
        while (end_two_pairs(pack, &waiting)) {
        }
        push_waiting(pack, &waiting);
    } while (end_two_pairs(pack, &waiting));
    push_waiting(pack, &waiting);
}

/* The registers of a batch of two, and two more; false where r6 or r7 is still in use. */
static bool four_registers(const struct pack *pack, const struct batch *batch, int regs[4])
{
    struct batch all = *batch;
    regs[0] = batch->reg[0];
    regs[1] = batch->reg[1];
    for (int i = 2; i < 4; i++) {
        regs[i] = free_register(pack, &all, POOL);
        all.mask |= 1U << regs[i];
    }
    return regs[2] > 0 && regs[3] > 0;
}

/* Two pairs that are cut to bytes; false where none is left. */
static bool cut_two_pairs(struct pack *pack)
{
    struct waiting waiting = {0};
    struct batch batch = next_batch(pack, END_CUT, 2, POOL);
    int regs[4];
    if (batch.count < 2) {
        return false;
    }
    const struct half *halves[2] = {&pack->halves[2 * batch.pair[0]],
                                    &pack->halves[2 * batch.pair[1]]};
    int over = 0;
    for (int i = 0; i < 4; i++) {
        int own = halves[i / 2][i % 2].over;
        over = own > over ? own : over;
    }
    add_biases(pack, &batch);
    pack->t->unfit = pack->t->unfit || !four_registers(pack, &batch, regs);
    lane_cut_bytes(pack->t, regs, halves[0]->shift, over);
    pack->ended[batch.pair[0]] = true;
    pack->ended[batch.pair[1]] = true;
    waiting.mask = 1U << regs[0];
    waiting.halves[regs[0]][0] = halves[0];
    waiting.halves[regs[0]][1] = halves[1];
    push_waiting(pack, &waiting);
    thumb_line_end(pack->t);
    return true;
}

/* Is there a pair with this end? */
static bool has_end(const struct pack *pack, enum end end)
{
    return next_batch(pack, end, 1, 1U << 3).count > 0;
}

void pack_end(struct pack *pack)
{
    unsigned pool = POOL;
    memset(pack->ended, 0, sizeof pack->ended);
    pack->mask = 0;
    pack->ones = false;
    end_batches(pack, END_HALVES, POOL & ~(1U << 3));
    end_batches(pack, END_OUT, 1U << 6 | 1U << 7);
    if (has_end(pack, END_CUT) || has_end(pack, END_BYTES)) {
        lane_byte_masks(pack);
    }
    while (cut_two_pairs(pack)) {
    }
    end_bytes(pack);
    for (int i = 0; i < pack->pairs; i++) {
        bool plain = lane_plain(&pack->halves[2 * i]);
        pool &= end_of(pack, i) == END_BOTH && !plain ? ~(1U << 5) : ~0U;
    }
    end_batches(pack, END_BOTH, pool);
}
