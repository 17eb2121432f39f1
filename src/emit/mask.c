/* Rows' results from sums that are modulo 2^16 or 2^32.
 *
 * The plan knows that such a sum, with its offset, fits its word; a prover does not, for whom it
 * may be anything.  Where that would leave the type of what is stored, the sum is masked to the
 * bits that it needs: one instruction, where a clamp takes four. */
#include "emit/kernel.h"

#include <stdio.h>

#define FULL_WORD ((int64_t)UINT32_MAX)

static int row_shift(const struct plan *plan, int index, int row)
{
    return plan->net->layers[index].shift[row];
}

static int64_t row_offset(const struct plan *plan, int index, int row)
{
    return number_at(plan->steps[index].offset.numbers, (size_t)row);
}

/* All ones, as many as the rows' sums need. */
static int64_t needed_bits(const struct plan *plan, int index, const struct masked *m)
{
    int64_t most = 0;
    int64_t bits = 1;
    for (int row = m->first; row < m->end; row++) {
        int64_t unit = (int64_t)1 << row_shift(plan, index, row);
        int64_t high = plan->steps[index].sums[row].high - row_offset(plan, index, row) * unit;
        most = high > most ? high : most;
    }
    while (bits < most) {
        bits += bits + 1;
    }
    return bits;
}

struct interval mask_seen(const struct plan *plan, int index, int row)
{
    const struct masked all = {.end = plan->net->layers[index].weights.rows};
    int64_t bits = needed_bits(plan, index, &all);
    int64_t offset = row_offset(plan, index, row);
    bits = bits > PACK_VALUES - 1 ? bits : PACK_VALUES - 1;
    return (struct interval){offset, offset + (bits >> row_shift(plan, index, row))};
}

bool mask_fits(const struct plan *plan, int index, int row)
{
    struct interval acc = plan->steps[index].sums[row];
    int shift = row_shift(plan, index, row);
    int64_t low = floor_shift(acc.low, shift);
    int64_t bits = PACK_VALUES - 1;
    while (bits < acc.high - low * ((int64_t)1 << shift)) {
        bits += bits + 1;
    }
    return low + (bits >> shift) <= INT32_MAX;
}

/* What z and the sum behind its shift may be where the sum may be 0 .. bits. */
static struct interval masked_range(const struct plan *plan, int index, const struct masked *m,
                                    int64_t bits, int64_t *part)
{
    struct interval range = {INT32_MAX, INT32_MIN};
    *part = 0;
    for (int row = m->first; row < m->end; row++) {
        int64_t low = row_offset(plan, index, row);
        int64_t most = bits >> row_shift(plan, index, row);
        range.low = low < range.low ? low : range.low;
        range.high = low + most > range.high ? low + most : range.high;
        *part = most > *part ? most : *part;
    }
    return range;
}

static bool is_within(struct interval range, int64_t part, int64_t most)
{
    return range.low >= -1 - most && range.high <= most && part <= most;
}

static bool clamps_inside(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return plan_clamps_only(layer->activation) &&
           plan->net->tensors[layer->output].type != TYPE_I32;
}

/* Would unknown sums be stored by the same statements as the plan's? */
static bool serves(const struct plan *plan, int index, const struct masked *m, int64_t bits)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct interval kept = plan_kept(layer->activation, type);
    struct interval known = plan->steps[index].range;
    int64_t part = 0;
    struct interval range = masked_range(plan, index, m, bits, &part);
    bool alike = (range.low >= kept.low || known.low < kept.low) &&
                 (range.high <= kept.high || known.high > kept.high);
    return is_within(range, part, m->narrow ? INT16_MAX : INT32_MAX) && type != TYPE_I32 &&
           (alike || !clamps_inside(plan, index));
}

/* "(s[i] & 0xFFFFU)", "u0" */
static void print_part(struct printer *p, int index, const struct masked *m, int64_t bits)
{
    const struct series *shift = &p->plan->steps[index].shift;
    bool shifts = !shift->uniform || shift->value != 0;
    bool bytes = true;
    char text[ELEMENT_MAX];
    for (int row = m->first; row < m->end; row++) {
        bytes = bytes && m->narrow && row_shift(p->plan, index, row) >= 8;
    }
    if (bits == FULL_WORD) {
        text_add(p->out, m->sum);
    } else {
        text_printf(p->out, shifts ? "(%s & 0x%llXU)" : "%s & 0x%llXU", m->sum,
                    (unsigned long long)bits);
    }
    if (bytes && !shift->uniform) {
        text_printf(p->out, " >> 8 >> ((unsigned)%s - 8U)",
                    series_at(p->plan, shift, m->row, text));
    } else if (shifts) {
        text_printf(p->out, " >> %s", series_at(p->plan, shift, m->row, text));
    }
}

/* " + 3", " - o1[i]": the offset taken back. */
static void print_offset(struct printer *p, int index, const char *row)
{
    const struct series *offset = &p->plan->steps[index].offset;
    char text[ELEMENT_MAX];
    if (!offset->uniform || offset->value > 0) {
        text_printf(p->out, " + %s", series_at(p->plan, offset, row, text));
    } else if (offset->value < 0) {
        text_printf(p->out, " - %s", literal(-(int64_t)offset->value, text));
    }
}

/* The value of a row that its clamp leaves no other; false where there are more. */
static bool is_constant(const struct plan *plan, int index, const struct masked *m, int64_t *value)
{
    const struct layer *layer = &plan->net->layers[index];
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    struct interval sums = plan->steps[index].sums[m->first];
    int shift = row_shift(plan, index, m->first);
    bool high = floor_shift(sums.low, shift) >= kept.high;
    bool low = floor_shift(sums.high, shift) <= kept.low;
    *value = high ? kept.high : kept.low;
    return clamps_inside(plan, index) && m->end - m->first == 1 && (high || low);
}

void mask_print(struct printer *p, int index, const struct masked *m)
{
    int64_t full = m->halves ? PACK_VALUES - 1 : FULL_WORD;
    int64_t bits = serves(p->plan, index, m, full) ? full : needed_bits(p->plan, index, m);
    int64_t part = 0;
    char z[16];
    if (is_constant(p->plan, index, m, &part)) {
        text_add(p->out, "        ");
        const char *end = print_target(p, index, m->row, false);
        text_printf(p->out, "%d%s", (int)part, end);
        return;
    }
    struct interval range = masked_range(p->plan, index, m, bits, &part);
    bool narrow = m->narrow && is_within(range, part, INT16_MAX);
    text_printf(p->out, "        const %s part%s = ", m->narrow ? "unsigned" : "uint32_t",
                m->suffix);
    print_part(p, index, m, bits);
    text_printf(p->out, ";\n        const %s z%s = (%s)part%s", narrow ? "int" : "int32_t",
                m->suffix, narrow ? "int" : "int32_t", m->suffix);
    print_offset(p, index, m->row);
    text_add(p->out, ";\n");
    (void)snprintf(z, sizeof z, "z%s", m->suffix);
    pack_print_within(p, index, m->row, range, z);
}

unsigned mask_ones(int64_t value)
{
    unsigned mask = 0;
    while (mask < value) {
        mask = 2 * mask + 1;
    }
    return mask;
}

void mask_print_constant(struct printer *p, int index, int row)
{
    int value = plan_constant(p->plan, index, row);
    char at[GROUPED_MAX];
    char text[GROUPED_MAX];
    (void)snprintf(at, sizeof at, "%d", row);
    pack_print_within(p, index, at, (struct interval){value, value}, literal(value, text));
}
