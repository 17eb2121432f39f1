/* Inside src/emit: NAME_predict() as ARMv6-M assembly (Cortex-M0, M0+).
 *
 * One naked function computes the whole net.  Its registers: r0 .. r3 work (r0 also points into the
 * stream of constants), r4 .. r7, r8 .. r12 and lr accumulate.  Activations are words of its frame.
 * Constants that no immediate holds lie in one table in the order in which the code reads them. */
#ifndef MOTE_EMIT_THUMB_H
#define MOTE_EMIT_THUMB_H

#include "emit/kernel.h"

/* Words of the frame: what loads relative to sp reach. */
#define THUMB_SLOTS 255
/* The first words of the frame. */
#define SLOT_IN     0 /* the address of in[] */
#define SLOT_OUT    1 /* of out[] */
#define SLOT_STREAM 2 /* of the next constant, while r0 is used otherwise */
#define SLOT_FIRST  3
/* Weights of a net: about 30 kB of code. */
#define THUMB_WEIGHTS_MAX 6000
/* Elements of a tensor. */
#define THUMB_WIDTH_MAX 200
#define REG_LR          14
/* Characters of the blocks that wait for their place. */
#define THUMB_LATE 4096

enum place_kind {
    PLACE_NONE,
    PLACE_RAW,  /* element `index` of in[] */
    PLACE_WORD, /* a word of the frame */
    PLACE_PART  /* `bits` bits of a word of the frame, unsigned */
};

/* Where an element is; it stands for (value there - zero) * 2^shift, or minus that. */
struct element {
    enum place_kind kind;
    int index;    /* of in[], or the frame's word */
    int at, bits; /* of a part: its lowest bit; 8 or 16 */
    int shift;
    int32_t zero;
    bool negative;
};

struct memo;

struct thumb {
    const struct plan *plan;
    struct arena *arena;
    struct text code; /* lines of strings, "    "ldr r0, [sp]; ..."\n" */
    size_t column;    /* of the line that is being written; 0: none is */
    int64_t cycles;   /* on a Cortex-M0, saturated values aside */
    int64_t bytes;    /* of the instructions */
    uint32_t *stream; /* constants in the order of their use */
    size_t stream_count;
    size_t stream_total; /* what the pass before counted */
    bool stream_held;    /* does r0 point at the next constant?  Else the frame does. */
    struct memo **memos; /* thumb_search.c */
    int trials;          /* of a search */
    bool unfit;          /* something that these files cannot do, or no memory */
    bool no_memory;
    bool packed[NET_LAYERS_MAX]; /* dense: the kernel that the first pass chose */
    struct element *elements[NET_TENSORS_MAX];
    bool taken[THUMB_SLOTS];
    int slots;             /* words of the frame */
    int pushed;            /* words below it */
    int label;             /* the next free one */
    char late[THUMB_LATE]; /* blocks that are branched to and come back */
    size_t late_length;
    int64_t late_first; /* where the first branch to one of them is; -1: none waits */
    int64_t late_bytes;
};

/* ---- thumb_asm.c: instructions ----
 *
 * But for thumb_reg() it knows no machine: map_lanes_riscv.c writes its lines with it, too. */

/* One instruction of two bytes. */
void thumb_op(struct thumb *t, int cycles, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "r4", "lr". */
const char *thumb_reg(int reg);
/* A branch `condition` to a block that ends with a jump back behind it; the block's instructions
 * separated by "; ", `count` of them. */
void thumb_late(struct thumb *t, const char *condition, const char *block, int count);
/* Put the blocks here; `around` with a jump over them. */
void thumb_place_late(struct thumb *t, bool around);
void thumb_label(struct thumb *t, int label);
/* End the line. */
void thumb_line_end(struct thumb *t);

/* Append a constant to the stream. */
void thumb_constant(struct thumb *t, uint32_t value);
/* Let r0 point at the next constant. */
void thumb_hold_stream(struct thumb *t);
/* Free r0. */
void thumb_free_stream(struct thumb *t);
/* ldmia r0!, {...} for the registers of a mask, lowest first. */
void thumb_load(struct thumb *t, unsigned registers);
/* reg = value, by the fewest instructions; low registers. */
void thumb_set(struct thumb *t, int reg, uint32_t value);
/* reg = element, through `pointer` (which holds the address of in[] or is loaded with it). */
void thumb_element(struct thumb *t, int reg, const struct element *element, int pointer,
                   bool pointer_held);
int thumb_slot(struct thumb *t);
/* Zeroed memory that lives as long as t; NULL, and t is unfit, where there is none. */
void *thumb_alloc(struct thumb *t, size_t count, size_t size);
/* Bytes from sp to a word: a slot of the frame, or THUMB_SLOTS and the number of a pushed word. */
int thumb_offset(struct thumb *t, int slot);
/* Push the low registers of a mask; the number of the lowest one's word, the next one's is one
 * less. */
int thumb_push(struct thumb *t, unsigned registers);

/* ---- thumb_act.c: from an accumulator to an element ---- */

#define ENDING_OUT (-1)

/* How the rows of a layer end. */
struct ending {
    int layer; /* dense or convert */
    enum activation activation;
    int to;                      /* the tensor that is written */
    int terms[NET_LAYER_INPUTS]; /* tensors that are added */
    int term_count;
    int32_t second; /* the constant in r2; 0: none */
    int32_t third;  /* the constant in r3; 0: none; ENDING_OUT: the address of out[] */
};

/* False where a layer's values go nowhere that is known. */
bool thumb_ending(struct thumb *t, int layer, struct ending *ending);
/* Range of a row's value behind the shift and with all terms. */
struct interval thumb_sum_range(const struct thumb *t, const struct ending *ending, int row);
/* Element `index` of tensor ending->to is in low register `reg` (not r1 .. r3), within `range`:
 * clamp, activation, store. */
void thumb_end_value(struct thumb *t, struct ending *ending, struct interval range, int index,
                     int reg);
/* Only the store; the register stays.  Uses r3 for out[], and r1 for rows from 32 on. */
void thumb_store(struct thumb *t, struct ending *ending, int index, int reg);
/* z of `row` is in low register `reg` (not r1 .. r3); activation and store.  Uses r1, r2, r3; what
 * `ending` says about r2 and r3 must be true. */
void thumb_end_row(struct thumb *t, struct ending *ending, int row, int reg);

/* ---- thumb_pack.c, thumb_line.c: the kernels ---- */

/* The layer's weight for the value as it lies in memory, and its bias modulo 2^32. */
int64_t thumb_weight(const struct thumb *t, const struct layer *layer, int row, int column);
uint32_t thumb_bias(const struct thumb *t, const struct layer *layer, int row);

/* All rows that fit in pairs; marks them in `done`. */
void thumb_pack_layer(struct thumb *t, int layer, bool *done);
/* The rows that are not done. */
void thumb_line_layer(struct thumb *t, int layer, const bool *done);

/* ---- thumb_search.c: products of one or two inputs with the weights of a tile ---- */

#define TILE_ROWS 10
#define OPS_MAX   96

/* An instruction of one cycle. */
enum op_kind {
    DO_CONSTANT, /* rd = #value */
    DO_MULTIPLY, /* rd *= ra */
    DO_LEFT,     /* rd = ra << value */
    DO_PLUS,     /* rd = ra + rb */
    DO_MINUS,    /* rd = ra - rb */
    DO_NEGATE,   /* rd = -ra */
    DO_STEP,     /* rd += value */
    DO_OFFSET,   /* rd = ra + value, -7 .. 7 */
    DO_ADD_TO,   /* accumulator of row rd += ra */
    DO_TAKE_FROM /* accumulator of row rd -= ra */
};

struct instruction {
    uint8_t kind; /* enum op_kind */
    uint8_t rd, ra, rb;
    int32_t value;
};

/* Instructions for one column of a tile, or two. */
struct recipe {
    struct instruction ops[OPS_MAX];
    int count;
};

/* What a recipe must do. */
struct demand {
    bool pair; /* acc[i] += (r0 + weights[1][i]) * (r1 + weights[0][i]); else weights[0][i] * r0 */
    int rows;
    int temps;  /* registers above r0 that are free: 2 or 3 */
    int trials; /* of the search */
    int32_t weights[2][TILE_ROWS];
    bool high[TILE_ROWS]; /* accumulators that can only be added to */
};

/* The recipe of a demand that was met before is remembered.  NULL where there is none: a weight is
 * too large, or no memory. */
const struct recipe *search(struct thumb *t, const struct demand *demand);

#endif
