/* Inside the vector variants for x86-64. */
#ifndef MOTE_EMIT_SIMD_X86_H
#define MOTE_EMIT_SIMD_X86_H

#include "emit/simd.h"

/* Helpers of the printed function: bits of simd->used. */
enum {
    USED_DOT = 1,
    USED_DOT8 = 2,
    USED_WORD = 4,
    USED_HALF = 8,
    USED_PUT2 = 16,
    USED_PUT4 = 32,
    USED_CUBIC = 64,      /* on whole registers */
    USED_CUBIC_OUT = 128, /* on the 128 bits of an output */
    USED_PSIG = 256,
    USED_PSIG_OUT = 512
};

/* "_mm", "_mm256", "_mm512" */
const char *x86_prefix(int bits);

/* ---- simd_forms.c ---- */

/* A register, turned: its 128-bit lanes by `turn`, then the 32-bit words of each by `word`, or one
 * word in all places of its lane. */
struct operand {
    const struct packed *packed;
    char name[SIMD_NAME];
    char turned[SIMD_NAME]; /* its name before the words are turned */
    bool turns;             /* is it the first with this turn? */
    int turn;
    int word;
    bool broadcast;
    int slots;               /* in each word */
    int columns[SIMD_SLOTS]; /* what each slot multiplies; -1: no weight */
};

struct operands {
    struct operand *list;
    int count;
};

/* Forms of a dense layer's input in which every lane with a row meets every element once.  False
 * when out of memory. */
bool x86_find_forms(struct simd *simd, const struct layer *layer, struct operands *forms);

/* Declares the form's register, unless it is as it was. */
void x86_print_form(struct simd *simd, const struct operand *form);

/* ---- simd_edges.c: what goes in, between layers, and out ---- */

/* Which tensors are kept as bytes: those that only products of bytes read. */
void x86_choose_bytes(struct simd *simd);
void x86_print_input(struct simd *simd);
void x86_print_convert(struct simd *simd, const struct layer *layer);

/* A dense or add layer's 32-bit rows BASE_0 ... to where its output is read from. */
void x86_print_result(struct simd *simd, const struct layer *layer, const char *base);

/* ---- simd_help.c ---- */

/* The include and the helpers that simd->used names. */
void x86_print_helpers(const struct simd *simd, struct text *out);

/* Clamps and bends the 16-bit elements of `name`, of a register of `bits`, as the layer's
 * activation says; `packs` where packing to bytes behind it saturates to the type. */
void x86_print_activation(struct simd *simd, const struct layer *layer, const char *name, int bits,
                          bool packs);

#endif
