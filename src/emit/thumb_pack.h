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
    int sign;              /* ReLU: the bit of the half that is set where z >= 0; 0: none is */
    int order;             /* rows alike stand together: simple ones first */
};

struct pack {
    struct thumb *t;
    const struct layer *layer;
    struct ending ending;
    struct half *halves; /* pairs are 2 p and 2 p + 1 */
    int pairs;           /* of the pass */
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

/* From all sums of a pass to elements. */
void pack_end(struct pack *pack);

#endif
