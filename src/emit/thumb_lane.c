/* Results of two or four rows at once, in the lanes of a word.
 *
 * A power of two in front of a sum (an offset in its bias) makes one bit of its lane tell that it
 * is not negative, and the bits between that one and the result's tell that it is too large.  Such
 * bits, moved to the bottom of their lanes and multiplied with the largest result, are masks: with
 * "or" a result that is too large becomes the largest, with "and" a negative one becomes zero. */
#include "emit/thumb_pack.h"

#define ONES      0x00010001U
#define BYTES     0x00ff00ffU
#define BYTE_ONES 0x01010101U
#define TOP       15 /* of a half */

void lane_masks(struct pack *pack, unsigned mask)
{
    struct thumb *t = pack->t;
    bool byte = mask <= 255;
    unsigned load = (pack->ones ? 0U : 1U << 1) | (pack->mask != mask && !byte ? 1U << 2 : 0U);
    if (load & 1U << 1) {
        thumb_constant(t, ONES);
    }
    if (load & 1U << 2) {
        thumb_constant(t, mask);
    }
    if (load) {
        thumb_load(t, load);
    }
    if (pack->mask != mask && byte) {
        thumb_op(t, 1, "movs r2, #%u", mask);
    }
    pack->ones = true;
    pack->mask = mask;
    pack->ending.second = 0;
}

/* r4 = the mask of lanes in which any of `count` bits from `bit` on is set; through `spare`. */
static void excess(struct thumb *t, int to, int from, int bit, int count, int spare)
{
    thumb_op(t, 1, "lsrs r%d, r%d, #%d", to, from, bit);
    for (int i = 1; i < count; i++) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", spare, from, bit + i);
        thumb_op(t, 1, "orrs r%d, r%d", to, spare);
    }
}

void lane_pair(struct thumb *t, int v, int shift, int sign, int bits, int over)
{
    if (shift > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", v, v, shift);
    }
    if (over > 0) {
        excess(t, 4, v, bits, over, 5);
        thumb_op(t, 1, "ands r4, r1");
        thumb_op(t, 1, "muls r4, r2");
        thumb_op(t, 1, "orrs r%d, r4", v);
    }
    thumb_op(t, 1, "lsrs r4, r%d, #%d", v, sign - shift);
    thumb_op(t, 1, "ands r4, r1");
    thumb_op(t, 1, "muls r4, r2");
    thumb_op(t, 1, "ands r%d, r4", v);
}

static int most_over(const struct half *halves)
{
    return halves[0].over > halves[1].over ? halves[0].over : halves[1].over;
}

bool lane_plain(const struct half *halves)
{
    return halves[0].sign > 0 && halves[0].sign == halves[1].sign && most_over(halves) <= 1;
}

/* Sums with offsets of their own: both are taken back, with 2^15 in front. */
static void take_offsets(struct thumb *t, int v, const struct half *halves)
{
    uint32_t low = (uint32_t)(0x8000 + halves[0].offset);
    uint32_t high = (uint32_t)(0x8000 + halves[1].offset);
    int shift = halves[0].shift;
    thumb_constant(t, low + (high << 16));
    thumb_constant(t, (uint32_t)((PACK_VALUES >> shift) - 1) * ONES);
    thumb_load(t, 1U << 4 | 1U << 5);
    if (shift > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", v, v, shift);
        thumb_op(t, 1, "ands r%d, r5", v);
    }
    thumb_op(t, 1, "adds r%d, r%d, r4", v, v);
}

void lane_relu(struct pack *pack, int v, const struct half *halves)
{
    bool same = halves[0].sign > 0 && halves[0].sign == halves[1].sign;
    int over = most_over(halves);
    int sign = same ? halves[0].sign : TOP;
    int shift = same ? halves[0].shift : 0;
    int bits = over > 0 ? pack_bits(pack) : sign - shift;
    lane_masks(pack, (1U << bits) - 1);
    if (!same) {
        take_offsets(pack->t, v, halves);
    }
    lane_pair(pack->t, v, shift, sign, bits, over);
}

void lane_out(struct pack *pack, int v, const struct half *halves)
{
    struct thumb *t = pack->t;
    bool sign = type_low(t->plan->net->tensors[pack->ending.to].type) < 0;
    lane_masks(pack, 255);
    lane_pair(t, v, halves[0].shift, halves[0].sign, 8, most_over(halves));
    if (sign) { /* the result was counted from -128 */
        thumb_op(t, 1, "lsls r5, r1, #7");
        thumb_op(t, 1, "eors r%d, r5", v);
    }
    thumb_store(t, &pack->ending, halves[0].row, v);
    thumb_op(t, 1, "lsrs r%d, r%d, #16", v, v);
    thumb_store(t, &pack->ending, halves[1].row, v);
    pack->ones = pack->ones && halves[0].row < 32 && halves[1].row < 32; /* else r1 was used */
}

/* ---- four bytes ---- */

void lane_byte_masks(struct pack *pack)
{
    thumb_constant(pack->t, BYTES);
    thumb_constant(pack->t, BYTE_ONES);
    thumb_load(pack->t, 1U << 1 | 1U << 2);
    thumb_op(pack->t, 1, "movs r4, #127");
    pack->ones = false;
    pack->mask = 0;
}

/* reg &= mask of its bytes that have bit 7; through `spare`. */
static void keep_signed(struct thumb *t, int reg, int signs, int spare)
{
    thumb_op(t, 1, "lsrs r%d, r%d, #7", spare, signs);
    thumb_op(t, 1, "ands r%d, r2", spare);
    thumb_op(t, 1, "muls r%d, r4", spare);
    thumb_op(t, 1, "ands r%d, r%d", reg, spare);
}

void lane_bytes(struct thumb *t, int a, int b, int shift_a, int shift_b)
{
    if (shift_a > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", a, a, shift_a);
    }
    thumb_op(t, 1, "ands r%d, r1", a);
    if (shift_b < 8) {
        thumb_op(t, 1, "lsls r%d, r%d, #%d", b, b, 8 - shift_b);
    }
    thumb_op(t, 1, "bics r%d, r1", b);
    thumb_op(t, 1, "orrs r%d, r%d", a, b);
    keep_signed(t, a, a, b);
}

/* The bytes of results stay in a; the highest bytes of the sums, with signs and excess bits, are
 * put together in c. */
void lane_cut_bytes(struct thumb *t, const int regs[4], int shift, int over)
{
    int a = regs[0];
    int b = regs[1];
    int c = regs[2];
    int d = regs[3];
    thumb_op(t, 1, "lsrs r%d, r%d, #8", c, a);
    thumb_op(t, 1, "ands r%d, r1", c);
    thumb_op(t, 1, "lsrs r%d, r%d, #%d", a, a, shift);
    thumb_op(t, 1, "ands r%d, r1", a);
    thumb_op(t, 1, "lsls r%d, r%d, #%d", d, b, 8 - shift);
    thumb_op(t, 1, "bics r%d, r1", d);
    thumb_op(t, 1, "orrs r%d, r%d", a, d);
    thumb_op(t, 1, "bics r%d, r1", b);
    thumb_op(t, 1, "orrs r%d, r%d", c, b);
    if (over > 0) {
        excess(t, b, c, shift - 1, over, d);
        thumb_op(t, 1, "ands r%d, r2", b);
        thumb_op(t, 1, "muls r%d, r4", b);
        thumb_op(t, 1, "orrs r%d, r%d", a, b);
    }
    keep_signed(t, a, c, b);
}
