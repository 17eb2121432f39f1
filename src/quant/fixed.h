/* A trained chain of dense layers as integers: what both training routes end in.
 *
 * Inputs and hidden activations are codes of their type in units of its full scale: Q15 for i16
 * (code / 2^15), Q7 for i8, Q8 for u8.  `extra` is the output's step: an output code is worth
 * 2^extra in Q15 (0 for i16 and i32, 8 for i8).
 */
#ifndef MOTE_QUANT_FIXED_H
#define MOTE_QUANT_FIXED_H

#include "base/arena.h"
#include "net/net.h"

#define FIXED_LAYERS_MAX 16

struct fixed_dense {
    int rows, columns;
    int bits;
    enum activation activation;
    int16_t *weights; /* rows x columns */
    int32_t *bias;    /* rows; with the rounding constant */
    uint8_t *shift;   /* rows */
};

struct fixed {
    int layer_count;
    struct fixed_dense layers[FIXED_LAYERS_MAX];
    bool has_skip;
    struct fixed_dense skip; /* outputs x inputs; its bias holds the rounding constant alone */
    enum type out_type;
};

/* Zeroed layers of the given widths (layer_count + 1 of them).  False when out of memory. */
bool fixed_new(struct fixed *fixed, struct arena *arena, const int *widths, int layer_count,
               bool has_skip);

/* Copy the numbers of one into another of the same shape. */
void fixed_copy(struct fixed *to, const struct fixed *from);

/* Right shift of the codes of `out_type` against Q15: 0 for i16 and i32, 8 for i8. */
int fixed_extra(enum type out_type);

/* Fraction bits of a type's codes, 1.0 being its full scale: 15 for i16 and i32, 8 u8, 7 i8. */
int fixed_fraction(enum type type);

/* What decides the scale of a row of real weights. */
struct fixed_demand {
    double largest; /* max |w| */
    double sum;     /* sum |w| */
    double bias;
    int columns;
    int bits;
    int extra;    /* right shift of the row at scale 0; negative: the least scale is -extra */
    int fraction; /* fraction bits of its input: 1.0 = 2^fraction in the accumulator at scale 0 */
};

/* The largest scale k, 0 or -extra .. NET_SHIFT_MAX - extra, at which `largest` * 2^k fits the
 * weight type and the accumulator bound of SPEC 4.2 holds whatever the rounding does. */
int fixed_scale(const struct fixed_demand *demand);

/* Set row `row` from real numbers at scale k: weights rounded half up and clamped, bias with its
 * rounding constant.  Real weights that are multiples of 2^-k stay exact. */
void fixed_set_row(struct fixed_dense *dense, int row, const double *weights, double bias, int k,
                   int extra);

/* Integer forward pass with activations of 16 bits, the same bits as SPEC sections 4 to 6: x has
 * layers[0].columns codes,
 * y receives the output codes.  `scratch` has fixed_scratch() elements. */
void fixed_forward(const struct fixed *fixed, const int16_t *x, int32_t *y, int32_t *scratch);
size_t fixed_scratch(const struct fixed *fixed);

#endif
