/* Packed pairs of rows: a word holds two weights, low + high * 2^16, and one multiplication does
 * the work of two (pack.c says why that is exact).
 *
 * Activations that ReLU made of two rows stay in the halves of one word.  Its reader multiplies
 * first with the whole word, x0 + x1 * 2^16, and then with x1 alone: the weights of x1 are made
 * less by what the first product has put into the high half. */
#include "emit/thumb.h"

#include <stdlib.h>
#include <string.h>

#define PASS_PAIRS 8
#define WORD_REGS  4 /* r1 .. r4 take weights, r5 the input */
#define REG_X      5
#define ONES       0x00010001U

/* A row that fits half a word. */
struct half {
    int row;
    int shift;
    int64_t offset;        /* in units of 2^shift, added behind the shift */
    struct interval range; /* of the sum */
    int order;             /* rows alike stand together: simple ones first */
};

struct pack {
    struct thumb *t;
    int index;
    const struct layer *layer;
    struct ending ending;
    struct half *halves; /* pairs are 2 p and 2 p + 1 */
    int pairs;           /* of the pass */
    bool ended[PASS_PAIRS];
    int pointer;   /* register with the address of in[]; 0: none is needed */
    unsigned mask; /* what r2 holds, for the pairs of ReLU; 0: nothing */
    bool ones;     /* does r1 hold ONES? */
};

/* ---- which rows ---- */

/* Offsets, in units of 2^shift, that move every sum into half a word. */
static struct interval offsets_of(struct interval sum, int shift)
{
    int64_t unit = (int64_t)1 << shift;
    return (struct interval){floor_shift(sum.high - (PACK_VALUES - 1) + unit - 1, shift),
                             floor_shift(sum.low, shift)};
}

static bool is_relu(const struct pack *pack)
{
    return pack->ending.activation == ACTIVATION_RELU &&
           pack->ending.to != pack->t->plan->net->output && pack->ending.term_count == 0;
}

/* Does 2^15 in front of the sum make its highest bit the sign? */
static bool is_simple(struct interval sum)
{
    return sum.low >= INT16_MIN && sum.high <= INT16_MAX;
}

static int64_t high_of(const struct pack *pack)
{
    return type_high(pack->t->plan->net->tensors[pack->ending.to].type);
}

/* The half of a row; false where it does not fit. */
static bool make_half(const struct pack *pack, int row, struct half *half)
{
    const struct plan *plan = pack->t->plan;
    struct interval sum = net_row_range(pack->layer, row, plan->ranges[pack->layer->inputs[0]]);
    int shift = pack->layer->shift[row];
    struct interval offsets = offsets_of(sum, shift);
    bool cuts = floor_shift(sum.high, shift) > high_of(pack);
    if (offsets.low > offsets.high || shift > 15 || !plan_row_used(pack->layer, row)) {
        return false;
    }
    *half = (struct half){.row = row, .shift = shift, .range = sum};
    half->offset = offsets.low > 0 ? offsets.low : offsets.high < 0 ? offsets.high : 0;
    half->order = shift * 4 + (is_simple(sum) ? 0 : 2) + (cuts ? 1 : 0);
    if (is_relu(pack) && is_simple(sum)) {
        half->offset = -((int64_t)INT16_MAX + 1) >> shift;
    }
    return true;
}

static int by_order(const void *a, const void *b)
{
    const struct half *x = a;
    const struct half *y = b;
    return x->order != y->order ? x->order - y->order : x->row - y->row;
}

/* ---- words ---- */

static uint32_t half_bias(const struct pack *pack, const struct half *half)
{
    int64_t unit = (int64_t)1 << half->shift;
    return thumb_bias(pack->t, pack->layer, half->row) - (uint32_t)(half->offset * unit);
}

static uint32_t bias_word(const struct pack *pack, int pair)
{
    return half_bias(pack, &pack->halves[2 * pair]) +
           (half_bias(pack, &pack->halves[2 * pair + 1]) << 16);
}

static uint32_t weight_word(const struct pack *pack, int pair, int column)
{
    const struct half *halves = &pack->halves[2 * pair];
    int64_t low = thumb_weight(pack->t, pack->layer, halves[0].row, column);
    int64_t high = thumb_weight(pack->t, pack->layer, halves[1].row, column);
    return (uint32_t)low + ((uint32_t)high << 16);
}

/* ---- sums ---- */

/* Up to six pairs in the high registers, else r6 and r7 too. */
static int accumulator(const struct pack *pack, int pair)
{
    static const int order[] = {6, 7, 8, 9, 10, 11, 12, REG_LR};
    return order[pack->pairs > 6 ? pair : pair + 2];
}

/* Is a pair's sum in r6 or r7?  It starts with its bias; the others get theirs at the end. */
static bool is_low(const struct pack *pack, int pair)
{
    return accumulator(pack, pair) < 8;
}

static void load_low_biases(struct pack *pack)
{
    if (is_low(pack, 0)) {
        thumb_constant(pack->t, bias_word(pack, 0));
        thumb_constant(pack->t, bias_word(pack, 1));
        thumb_load(pack->t, 1U << 6 | 1U << 7);
    }
}

/* The registers for weights: r1 .. r4, and r6, r7 where they are free. */
static int word_register(int number)
{
    return number < WORD_REGS ? 1 + number : number + 2;
}

/* How many there are; the last one may hold the address of in[]. */
static int word_registers(const struct pack *pack)
{
    return (is_low(pack, 0) ? WORD_REGS : WORD_REGS + 2) - (pack->pointer > 0 ? 1 : 0);
}

/* A column of `count` pairs from `first` on: constants for the words; `before`: the column whose
 * product lies in the high halves already, or -1. */
static unsigned column_words(struct pack *pack, int first, int count, int column, int before,
                             int reg)
{
    unsigned mask = 0;
    for (int i = 0; i < count; i++) {
        uint32_t done = before >= 0 ? weight_word(pack, first + i, before) << 16 : 0;
        thumb_constant(pack->t, weight_word(pack, first + i, column) - done);
        mask |= 1U << word_register(reg + i);
    }
    return mask;
}

static void multiply_words(struct pack *pack, int count, int reg)
{
    for (int i = 0; i < count; i++) {
        thumb_op(pack->t, 1, "muls r%d, r%d", word_register(reg + i), REG_X);
    }
}

/* The first column's products are where the sums in high registers begin. */
static void add_words(struct pack *pack, int first, int count, int reg, bool begin)
{
    for (int i = 0; i < count; i++) {
        bool move = begin && !is_low(pack, first + i);
        thumb_op(pack->t, 1, "%s %s, r%d", move ? "mov" : "add",
                 thumb_reg(accumulator(pack, first + i)), word_register(reg + i));
    }
}

/* All pairs: sum += word * x. */
static void add_column(struct pack *pack, int column, int before, bool begin)
{
    int group = word_registers(pack);
    for (int first = 0; first < pack->pairs; first += group) {
        int count = pack->pairs - first < group ? pack->pairs - first : group;
        thumb_load(pack->t, column_words(pack, first, count, column, before, 0));
        multiply_words(pack, count, 0);
        add_words(pack, first, count, 0, begin);
    }
}

/* Both elements of the word in REG_X. */
static void add_both_columns(struct pack *pack, int low, int high, bool begin)
{
    struct thumb *t = pack->t;
    int pairs = pack->pairs;
    if (2 * pairs > word_registers(pack)) {
        add_column(pack, low, -1, begin);
        thumb_line_end(t);
        thumb_op(t, 1, "lsrs r%d, r%d, #16", REG_X, REG_X);
        add_column(pack, high, low, false);
        return;
    }
    unsigned mask = column_words(pack, 0, pairs, low, -1, 0);
    thumb_load(t, mask | column_words(pack, 0, pairs, high, low, pairs));
    multiply_words(pack, pairs, 0);
    thumb_op(t, 1, "lsrs r%d, r%d, #16", REG_X, REG_X);
    multiply_words(pack, pairs, pairs);
    add_words(pack, 0, pairs, 0, begin);
    add_words(pack, 0, pairs, pairs, false);
}

/* The column whose element is the high half of this one's word; -1: none. */
static int other_half(const struct pack *pack, int column)
{
    const struct element *elements = pack->t->elements[pack->layer->inputs[0]];
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        if (elements[column].kind == PLACE_LOW && elements[j].kind == PLACE_HIGH &&
            elements[j].index == elements[column].index) {
            return j;
        }
    }
    return -1;
}

static void add_columns(struct pack *pack)
{
    struct thumb *t = pack->t;
    const struct element *elements = t->elements[pack->layer->inputs[0]];
    bool begin = true;
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        int high = other_half(pack, j);
        if (elements[j].kind == PLACE_HIGH) {
            continue; /* with its low half */
        }
        thumb_line_end(t);
        if (high < 0) {
            thumb_element(t, REG_X, &elements[j], pack->pointer, true);
            add_column(pack, j, -1, begin);
        } else {
            thumb_op(t, 2, "ldr r%d, [sp, #%d]", REG_X, thumb_offset(t, elements[j].index));
            add_both_columns(pack, j, high, begin);
        }
        begin = false;
    }
    thumb_line_end(t);
}

/* The address of in[] takes the last register for words, where a column is there. */
static void hold_pointer(struct pack *pack)
{
    const struct element *elements = pack->t->elements[pack->layer->inputs[0]];
    bool raw = false;
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        raw = raw || elements[j].kind == PLACE_RAW;
    }
    pack->pointer = 0;
    if (raw) {
        pack->pointer = word_register(word_registers(pack) - 1);
        thumb_op(pack->t, 2, "ldr r%d, [sp, #%d]", pack->pointer, thumb_offset(pack->t, SLOT_IN));
    }
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

/* Two sums with 2^15 in front, in register v: the highest bit of a half is its sign. */
static void relu_simple(struct pack *pack, int v, int shift)
{
    struct thumb *t = pack->t;
    hold_masks(pack, (1U << (15 - shift)) - 1);
    thumb_op(t, 1, "lsrs r4, r%d, #15", v);
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
    bool good = is_relu(pack) && halves[0].shift == halves[1].shift;
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
    return is_simple(halves[0].range) && is_simple(halves[1].range) && !cuts(pack, halves);
}

static void end_both(struct pack *pack, int v, const struct half *halves)
{
    if (is_simple(halves[0].range) && is_simple(halves[1].range)) {
        relu_simple(pack, v, halves[0].shift);
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

/* Pairs that end together, and the low registers with their sums. */
struct batch {
    int count;
    int pair[4];
    int reg[4];
    unsigned mask;
};

/* Does r6 or r7 hold a sum that has not ended? */
static bool is_busy(const struct pack *pack, int reg)
{
    return is_low(pack, 0) && reg >= 6 && !pack->ended[reg - 6];
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

/* Pairs whose rows end at once, or those whose rows do not. */
static struct batch next_batch(const struct pack *pack, bool both, unsigned pool)
{
    struct batch batch = {0};
    for (int i = 0; i < pack->pairs && batch.count < 4; i++) {
        if (pack->ended[i] || alike(pack, &pack->halves[2 * i]) != both) {
            continue;
        }
        int reg = is_low(pack, i) ? accumulator(pack, i) : free_register(pack, &batch, pool);
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
            if (batch->reg[i] == reg && !is_low(pack, batch->pair[i])) {
                thumb_constant(pack->t, bias_word(pack, batch->pair[i]));
                mask |= 1U << reg;
            }
        }
    }
    if (mask) {
        thumb_load(pack->t, mask);
    }
    for (int i = 0; i < batch->count; i++) {
        if (!is_low(pack, batch->pair[i])) {
            thumb_op(pack->t, 1, "add r%d, %s", batch->reg[i],
                     thumb_reg(accumulator(pack, batch->pair[i])));
        }
    }
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
        elements[halves[0].row] = (struct element){.kind = PLACE_LOW, .index = slot - below};
        elements[halves[1].row] = (struct element){.kind = PLACE_HIGH, .index = slot - below};
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

static void end_pairs(struct pack *pack)
{
    unsigned pool = 1U << 3 | 1U << 5 | 1U << 6 | 1U << 7;
    pack->mask = 0;
    pack->ones = false;
    memset(pack->ended, 0, sizeof pack->ended);
    for (int i = 0; i < pack->pairs; i++) {
        const struct half *halves = &pack->halves[2 * i];
        pool &= alike(pack, halves) && !only_signs(pack, halves) ? ~(1U << 5) : ~0U;
    }
    for (int both = 0; both < 2; both++) {
        unsigned from = both ? pool : 1U << 5 | 1U << 6 | 1U << 7;
        struct batch batch;
        while ((batch = next_batch(pack, both, from)).count > 0) {
            end_batch(pack, &batch, both);
        }
    }
}

/* ---- layer ---- */

/* The pairs from `halves` on, at most eight. */
static void print_pass(struct pack *pack)
{
    thumb_hold_stream(pack->t);
    load_low_biases(pack);
    hold_pointer(pack);
    add_columns(pack);
    pack->ending.second = 0;
    pack->ending.third = 0;
    end_pairs(pack);
}

/* Can this kernel read all columns?  The high half of a word only with its low half. */
static bool columns_fit(const struct pack *pack)
{
    const struct element *elements = pack->t->elements[pack->layer->inputs[0]];
    int low = 0;
    int high = 0;
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        low += other_half(pack, j) >= 0;
        high += elements[j].kind == PLACE_HIGH;
    }
    return low == high;
}

void thumb_pack_layer(struct thumb *t, int index, bool *done)
{
    const struct layer *layer = &t->plan->net->layers[index];
    struct pack pack = {.t = t, .index = index, .layer = layer};
    size_t rows = (size_t)layer->weights.rows;
    struct half *halves = arena_alloc(t->arena, rows, sizeof *halves);
    int count = 0;
    if (!halves || !thumb_ending(t, index, &pack.ending)) {
        t->unfit = true;
        return;
    }
    for (int row = 0; columns_fit(&pack) && row < layer->weights.rows; row++) {
        count += make_half(&pack, row, &halves[count]);
    }
    qsort(halves, (size_t)count, sizeof *halves, by_order);
    count &= ~1;
    for (int i = 0; i < count; i += 2 * pack.pairs) {
        int left = (count - i) / 2;
        int passes = (left + PASS_PAIRS - 1) / PASS_PAIRS;
        pack.halves = &halves[i];
        pack.pairs = (left + passes - 1) / passes;
        print_pass(&pack);
    }
    for (int i = 0; i < count; i++) {
        done[halves[i].row] = true;
    }
}
