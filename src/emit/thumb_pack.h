/* Inside src/emit: the packed kernel of thumb_pack.c and the ends of its pairs, thumb_pair.c. */
#ifndef MOTE_EMIT_THUMB_PACK_H
#define MOTE_EMIT_THUMB_PACK_H

#include "emit/thumb.h"

#define PASS_PAIRS 8

/* A row that fits half a word. */
struct half {
    int row;
    int shift;
    int64_t offset;        /* in units of 2^shift, added behind the shift */
    struct interval range; /* of the sum */
    int sign;              /* the bit of the half that is set where the value is not below the
                              lowest one of the result; 0: none is */
    int over;              /* bits above the result's that are set where it is beyond the highest */
    int order;             /* rows alike stand together: simple ones first */
};

struct pack {
    struct thumb *t;
    const struct layer *layer;
    struct ending ending;
    struct half *halves; /* pairs are 2 p and 2 p + 1 */
    int pairs;           /* of the pass */
    bool clamps;         /* bytes for out[]: may any row leave them? */
    bool ended[PASS_PAIRS];
    int pointer;   /* register with the address of in[]; 0: none is needed */
    bool ones;     /* does r1 hold the lowest bits of both halves, for ReLU? */
    unsigned mask; /* what r2 holds for ReLU; 0: nothing */
};

/* Registers r6, r7 for two sums where there are more than six pairs; r8 .. r12, lr. */
int pack_accumulator(const struct pack *pack, int pair);

/* Is a pair's sum in r6 or r7?  It starts with its bias; the others get theirs at the end. */
bool pack_is_low(const struct pack *pack, int pair);

/* The biases of a pair's rows. */
uint32_t pack_bias(const struct pack *pack, int pair);

/* ReLU of rows that other layers read: their activations share words. */
bool pack_is_relu(const struct pack *pack);

/* Bits of the results: 7 or 8 where the type has bytes, else 15. */
int pack_bits(const struct pack *pack);

/* From all sums of a pass to elements. */
void pack_end(struct pack *pack);

/* ---- thumb_lane.c: several results at once ---- */

/* Let r1 = 2^16 + 1 and r2 = mask. */
void lane_masks(struct pack *pack, unsigned mask);

/* Two sums in register v become two results, their signs and excess bits as `halves` say; r1, r2 as
 * above, with the result's bits; uses r4, and r5 where `over` > 1. */
void lane_pair(struct thumb *t, int v, int shift, int sign, int bits, int over);

/* ReLU of a pair; uses r4, and r5 where it is not plain. */
void lane_relu(struct pack *pack, int v, const struct half *halves);
bool lane_plain(const struct half *halves);

/* Bytes for out[], clamped; uses r3 .. r5. */
void lane_out(struct pack *pack, int v, const struct half *halves);

/* r1, r2, r4 for what follows. */
void lane_byte_masks(struct pack *pack);

/* ReLU of two pairs, in registers a and b, to four bytes in a: bytes 0, 2 of the first pair and 1,
 * 3 of the second.  All values are bytes before. */
void lane_bytes(struct thumb *t, int a, int b, int shift_a, int shift_b);

/* The same of sums with 2^15 in front, cut to 127; `over` excess bits.  Uses registers c and d. */
void lane_cut_bytes(struct thumb *t, const int regs[4], int shift, int over);

#endif
