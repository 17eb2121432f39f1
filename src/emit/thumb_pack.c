/* Packed pairs of rows: a word holds two weights, low + high * 2^16, and one multiplication does
 * the work of two (pack.c says why that is exact).
 *
 * Activations that ReLU made of two or four rows share a word (thumb_pair.c).  Its reader
 * multiplies first with the whole word, x0 + x1 * 2^16, and then with x1 alone: the weights of x1
 * are made less by what the first product has put there, W0 * 2^16.  All of it is modulo 2^32. */
#include "emit/thumb_pack.h"

#include <stdlib.h>
#include <string.h>

#define WORD_REGS 4 /* r1 .. r4 take weights, r5 the input */
#define REG_X     5

/* ---- which rows ---- */

/* Offsets, in units of 2^shift, that move every sum into half a word. */
static struct interval offsets_of(struct interval sum, int shift)
{
    int64_t unit = (int64_t)1 << shift;
    return (struct interval){floor_shift(sum.high - (PACK_VALUES - 1) + unit - 1, shift),
                             floor_shift(sum.low, shift)};
}

bool pack_is_relu(const struct pack *pack)
{
    return pack->ending.activation == ACTIVATION_RELU &&
           pack->ending.to != pack->t->plan->net->output && pack->ending.term_count == 0;
}

int pack_bits(const struct pack *pack)
{
    enum type type = pack->t->plan->net->tensors[pack->ending.to].type;
    return type == TYPE_I8 ? 7 : type == TYPE_U8 ? 8 : 15;
}

/* Bytes for out[], as they are? */
static bool is_out(const struct pack *pack)
{
    enum type type = pack->t->plan->net->tensors[pack->ending.to].type;
    return pack->ending.activation == ACTIVATION_NONE && pack->ending.term_count == 0 &&
           pack->ending.to == pack->t->plan->net->output && (type == TYPE_I8 || type == TYPE_U8);
}

/* Which bit tells the sign of a sum with a power of two in front; 0: none.  Where it is bit 7
 * behind the shift, the value is a byte. */
static int sign_of(struct interval sum, int shift, int bits)
{
    int64_t byte = (int64_t)1 << (7 + shift);
    if (bits == 7 && shift <= 8 && sum.low >= -byte && sum.high < byte) {
        return 7 + shift;
    }
    return sum.low >= INT16_MIN && sum.high <= INT16_MAX ? 15 : 0;
}

/* Sign and excess bits of results that count from `low` and have `bits`. */
static void find_lanes(struct half *half, int64_t low, int bits)
{
    int64_t unit = (int64_t)1 << half->shift;
    struct interval sum = {half->range.low - low * unit, half->range.high - low * unit};
    half->sign = sign_of(sum, half->shift, bits);
    while (floor_shift(sum.high, half->shift) >> (bits + half->over) > 0) {
        half->over++;
    }
    if (bits == 15 && half->over > 0) {
        half->sign = 0;
    }
    if (half->sign > 0) {
        half->offset = low - ((int64_t)1 << (half->sign - half->shift));
    }
}

/* The half of a row; false where it does not fit. */
static bool make_half(const struct pack *pack, int row, struct half *half)
{
    const struct plan *plan = pack->t->plan;
    struct interval sum = net_row_range(pack->layer, row, plan->ranges[pack->layer->inputs[0]]);
    int shift = pack->layer->shift[row];
    struct interval offsets = offsets_of(sum, shift);
    if (offsets.low > offsets.high || shift > 15 || !plan_row_used(pack->layer, row)) {
        return false;
    }
    *half = (struct half){.row = row, .shift = shift, .range = sum};
    half->offset = offsets.low > 0 ? offsets.low : offsets.high < 0 ? offsets.high : 0;
    if (pack_is_relu(pack)) {
        find_lanes(half, 0, pack_bits(pack));
    } else if (pack->clamps && shift < 8) {
        find_lanes(half, type_low(plan->net->tensors[pack->ending.to].type), 8);
    }
    half->order = (shift * 64 + (half->sign ? half->sign : 63)) * 64 + half->over;
    return true;
}

/* Bytes for out[]: may any row leave them? */
static bool find_clamps(const struct pack *pack)
{
    enum type type = pack->t->plan->net->tensors[pack->ending.to].type;
    bool leaves = false;
    for (int row = 0; is_out(pack) && row < pack->layer->weights.rows; row++) {
        struct interval z = thumb_sum_range(pack->t, &pack->ending, row);
        leaves = leaves || z.low < type_low(type) || z.high > type_high(type);
    }
    return leaves;
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

uint32_t pack_bias(const struct pack *pack, int pair)
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

int pack_accumulator(const struct pack *pack, int pair)
{
    static const int order[] = {6, 7, 8, 9, 10, 11, 12, REG_LR};
    return order[pack->pairs > 6 ? pair : pair + 2];
}

bool pack_is_low(const struct pack *pack, int pair)
{
    return pack_accumulator(pack, pair) < 8;
}

static void load_low_biases(struct pack *pack)
{
    if (pack_is_low(pack, 0)) {
        thumb_constant(pack->t, pack_bias(pack, 0));
        thumb_constant(pack->t, pack_bias(pack, 1));
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
    return (pack_is_low(pack, 0) ? WORD_REGS : WORD_REGS + 2) - (pack->pointer > 0 ? 1 : 0);
}

/* A column, and the one whose product its word's other parts have already met. */
struct reading {
    int column;
    int before; /* -1: none */
    int apart;  /* bits between the two elements */
};

/* Constants for `count` pairs from `first` on, and their registers from number `reg` on. */
static unsigned column_words(struct pack *pack, int first, int count, struct reading reading,
                             int reg)
{
    unsigned mask = 0;
    for (int i = 0; i < count; i++) {
        uint32_t word = weight_word(pack, first + i, reading.column);
        if (reading.before >= 0) {
            word -= weight_word(pack, first + i, reading.before) << reading.apart;
        }
        thumb_constant(pack->t, word);
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
        bool move = begin && !pack_is_low(pack, first + i);
        thumb_op(pack->t, 1, "%s %s, r%d", move ? "mov" : "add",
                 thumb_reg(pack_accumulator(pack, first + i)), word_register(reg + i));
    }
}

/* All pairs: sum += word * x. */
static void add_column(struct pack *pack, struct reading reading, bool begin)
{
    int group = word_registers(pack);
    for (int first = 0; first < pack->pairs; first += group) {
        int count = pack->pairs - first < group ? pack->pairs - first : group;
        thumb_load(pack->t, column_words(pack, first, count, reading, 0));
        multiply_words(pack, count, 0);
        add_words(pack, first, count, 0, begin);
    }
}

static void next_part(struct pack *pack, int apart)
{
    thumb_op(pack->t, 1, "lsrs r%d, r%d, #%d", REG_X, REG_X, apart);
}

/* Two columns with one load. */
static void add_two_columns(struct pack *pack, const struct reading *readings, bool begin)
{
    int pairs = pack->pairs;
    unsigned mask = column_words(pack, 0, pairs, readings[0], 0);
    thumb_load(pack->t, mask | column_words(pack, 0, pairs, readings[1], pairs));
    multiply_words(pack, pairs, 0);
    next_part(pack, readings[1].apart);
    multiply_words(pack, pairs, pairs);
    add_words(pack, 0, pairs, 0, begin);
    add_words(pack, 0, pairs, pairs, false);
}

/* The column that is part `at` of the word at `index`; -1: none, or several. */
static int find_part(const struct pack *pack, int index, int at)
{
    const struct element *elements = pack->t->elements[pack->layer->inputs[0]];
    int found = -1;
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        if (elements[j].kind == PLACE_PART && elements[j].index == index && elements[j].at == at) {
            if (found >= 0) {
                return -1;
            }
            found = j;
        }
    }
    return found;
}

/* All parts of a word, the lowest first. */
static void add_parts(struct pack *pack, const struct element *element, bool begin)
{
    struct reading readings[4];
    int parts = 32 / element->bits;
    for (int i = 0; i < parts; i++) {
        readings[i] = (struct reading){find_part(pack, element->index, i * element->bits),
                                       i > 0 ? readings[i - 1].column : -1, element->bits};
    }
    thumb_op(pack->t, 2, "ldr r%d, [sp, #%d]", REG_X, thumb_offset(pack->t, element->index));
    bool two = 2 * pack->pairs <= word_registers(pack);
    for (int i = 0; i < parts; i += two ? 2 : 1) {
        if (i > 0) {
            thumb_line_end(pack->t);
            next_part(pack, element->bits);
        }
        if (two) {
            add_two_columns(pack, &readings[i], begin && i == 0);
        } else {
            add_column(pack, readings[i], begin && i == 0);
        }
    }
}

static void add_columns(struct pack *pack)
{
    struct thumb *t = pack->t;
    const struct element *elements = t->elements[pack->layer->inputs[0]];
    bool begin = true;
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        if (elements[j].kind == PLACE_PART && elements[j].at > 0) {
            continue; /* with the word's lowest part */
        }
        thumb_line_end(t);
        if (elements[j].kind == PLACE_PART) {
            add_parts(pack, &elements[j], begin);
        } else {
            thumb_element(t, REG_X, &elements[j], pack->pointer, true);
            add_column(pack, (struct reading){j, -1, 0}, begin);
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
    pack_end(pack);
}

/* Can this kernel read all columns?  The parts of a word all together, each once. */
static bool columns_fit(const struct pack *pack)
{
    const struct element *elements = pack->t->elements[pack->layer->inputs[0]];
    for (int j = 0; j < pack->layer->weights.columns; j++) {
        for (int at = 0; elements[j].kind == PLACE_PART && at < 32; at += elements[j].bits) {
            if (find_part(pack, elements[j].index, at) < 0) {
                return false;
            }
        }
    }
    return true;
}

void thumb_pack_layer(struct thumb *t, int index, bool *done)
{
    const struct layer *layer = &t->plan->net->layers[index];
    struct pack pack = {.t = t, .layer = layer};
    size_t rows = (size_t)layer->weights.rows;
    struct half *halves = thumb_alloc(t, rows, sizeof *halves);
    int count = 0;
    if (!halves || !thumb_ending(t, index, &pack.ending)) {
        t->unfit = true;
        return;
    }
    pack.clamps = find_clamps(&pack);
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
