/* Vector variants (x86-64 as it always is, with AVX2 or with AVX-512 VNNI; AArch64): a whole net in
 * registers, one output of a layer in each 32-bit lane.
 *
 * Tensors of up to 16 bits are kept packed, in whatever order packing leaves their elements: each
 * register has a map from its slots to elements, and the tables of weights are laid out to suit
 * it.  Nothing is stored and loaded again between two layers. */
#ifndef MOTE_EMIT_SIMD_H
#define MOTE_EMIT_SIMD_H

#include "emit/print.h"

#define SIMD_SLOTS   64 /* bytes of the widest register */
#define SIMD_ROWS    64 /* widest layer */
#define SIMD_COLUMNS 256
#define SIMD_WEIGHTS                                                                               \
    8192 /* of a net: each is a lane of some multiplication that is written out                    \
          */
#define SIMD_NAME 48

/* A register of packed elements. */
struct packed {
    char name[SIMD_NAME];
    int map[SIMD_SLOTS]; /* element of each slot; -1: whatever, no weight meets it */
};

/* A tensor in registers: `packed`, or `words` registers zT_0 ... of 32-bit elements in order. */
struct value {
    struct packed *packed;
    int count;
    int words;
    bool bytes; /* a slot is a byte, unsigned; else 16 bits, signed */
    int offset; /* what a slot holds beyond its element: 0, or 128 */
};

/* What may be known of 16 bits: the range in which all of a register's slots are. */
struct limits {
    int64_t low;
    int64_t high;
};

/* One printed function. */
struct simd {
    struct text *out;
    const struct plan *plan;
    struct value *values; /* of each tensor */
    bool vnni;            /* x86: dot products that accumulate, of bytes too */
    bool sse2;            /* x86: no instruction beyond SSE2, 128 bits */
    int bits;             /* x86: of a register, 128 to 512 */
    int lanes;            /* 32-bit lanes of a register */
    int number;           /* of the current dense layer, from 1 */
    unsigned used;        /* helpers that the body calls */
};

/* May this net be written out?  The same for all machines. */
bool simd_fits(const struct plan *plan);

/* The tensors as values without registers; false when out of memory. */
bool simd_start(struct simd *simd, struct text *out, const struct plan *plan);

/* A value's next register with its name and an empty map; NULL when out of memory. */
struct packed *simd_packed(struct simd *simd, int tensor);

/* A concat is its inputs' registers behind each other. */
void simd_concat(struct simd *simd, const struct layer *layer);

/* Registers that hold `rows` 32-bit elements. */
int simd_words(const struct simd *simd, int rows);

/* Range of all rows of a dense layer behind their shift, or of all sums of an add. */
struct limits simd_range(const struct plan *plan, const struct layer *layer);

/* What remains of a range once it is saturated to 16 bits. */
struct limits simd_saturated(struct limits range);

/* The range that an activation keeps before it bends it (SPEC 5). */
struct limits simd_kept(enum activation activation, enum type type);

/* static const TYPE NAME[rows][columns] of 16-bit numbers, or NAME[columns] where rows is 0. */
void simd_table(struct simd *simd, const char *type, const char *name, int rows, int columns,
                struct numbers numbers);

/* Biases and, where they differ, shifts of a dense layer, zeros up to whole registers. */
void simd_biases(struct simd *simd, const struct layer *layer, int sign);

/* Is the shift of a dense layer one number for all rows, and which?  Where lanes cannot be shifted
 * by numbers of their own (SSE2), it is the largest: rows with a smaller one are lifted by what is
 * missing, weights and bias alike, so that all of them are as they were behind it. */
bool simd_uniform_shift(const struct simd *simd, const struct layer *layer);
int simd_shift(const struct layer *layer);
int simd_lift(const struct simd *simd, const struct layer *layer, int row);

/* "layer 1: 6 -> 16, cubic; |acc| <= ..." as a comment. */
void simd_note(struct simd *simd, int layer);

#endif
