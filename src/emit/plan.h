/* The plan of one emitted file: which kernel runs each layer, where each tensor lives, and what
 * bounds every accumulator.  Made before a line is printed; the printers only follow it. */
#ifndef MOTE_EMIT_PLAN_H
#define MOTE_EMIT_PLAN_H

#include "emit/emit.h"

/* The straight-line kernel is for layers of at most this many weights that are not zero: it
 * costs 6 to 10 bytes of code for each. */
#define LINE_WEIGHTS_MAX 4096
/* Outputs that are summed at once: what a Cortex-M0 holds in registers beside input and weight. */
#define LINE_TILE 6
/* What half a word holds. */
#define PACK_VALUES 65536
/* Columns of the packed kernel that are written behind each other: what the Cortex-M0's loads reach
 * from one pointer. */
#define PACK_COLUMNS 32
/* Element-wise straight-line code up to this width, a loop beyond it. */
#define LINE_WIDTH_MAX 32

enum kernel {
    KERNEL_LOOP,  /* tables and loops */
    KERNEL_LINE,  /* straight line: weights as immediates */
    KERNEL_FUSED, /* a dense layer that is printed inside the only add that reads it */
    KERNEL_VIEW,  /* nothing to do: the output is a view of what is there already */
    KERNEL_DEAD   /* nothing to do: no output of the net depends on it */
};

enum home { HOME_INPUT, HOME_OUTPUT, HOME_BUFFER };

/* Where a tensor's elements are: element 0 is element `offset` of its home. */
struct view {
    enum home home;
    int buffer;     /* HOME_BUFFER: index into buffers */
    int offset;     /* elements */
    enum type type; /* of the array in memory; TYPE_I32 for what straight-line code reads */
};

/* A local array of NAME_predict(). */
struct buffer {
    enum type type;
    int width;
    char name[8];
};

/* Numbers of a net, whatever type holds them; one pointer is set. */
struct numbers {
    const int32_t *i32;
    const int16_t *i16;
    const uint8_t *u8;
};

/* One number per row: a table, or one constant where all are equal. */
struct series {
    char name[16]; /* "b1" */
    bool uniform;
    int32_t value;  /* uniform */
    enum type type; /* of the table's elements */
    struct numbers numbers;
    int count;
};

/* Rows of a dense layer that are computed alike. */
struct span {
    int first;
    int rows;    /* even where packed */
    bool packed; /* two rows in one word (pack.c); else a straight line */
};

struct estimate {
    int64_t bytes; /* of code and constants */
    int64_t cycles;
};

/* A dense layer's alternatives, whichever was taken. */
struct choice {
    struct estimate loop;
    struct estimate line;
    struct estimate packed; /* and the rows that do not fit in a straight line */
    int paired;             /* rows that fit in pairs */
    int widest;             /* the row whose sum takes the most values: so many */
    int64_t values;
    bool line_long; /* too many weights for a straight line */
};

struct step {
    enum kernel kernel;
    struct series bias;  /* dense: biases; convert: zeros */
    struct series shift; /* dense: right shifts; convert: left shifts */
    bool line;           /* dense: straight line, wherever it is printed */
    struct span *spans;  /* line, not fused: all rows, in order */
    int span_count;
    int packed;            /* rows in packed spans */
    struct series offset;  /* packed: what is added behind the shift */
    struct choice choice;  /* dense */
    int number;            /* dense and convert: the number in w1, b1, k1; from 1 */
    int64_t *bounds;       /* dense: proved bound of each row's accumulator */
    struct interval range; /* dense: of all rows behind the shift */
    int worst;             /* dense: the row with the largest */
    bool clamps;           /* may its value leave the range that its activation or type keeps? */
};

struct plan {
    struct arena *arena;
    const struct net *net;
    char name[32];  /* C prefix */
    char upper[32]; /* the same in capitals, for macros */
    const struct emit_options *options;
    struct interval **ranges; /* of every element of every tensor */
    struct step *steps;       /* one per layer */
    struct view *views;       /* one per tensor */
    struct buffer *buffers;
    int buffer_count;
    bool reads_input;  /* does any output depend on the input at all? */
    int worst_layer;   /* the dense layer with the largest bound; -1: none */
    const char *index; /* type that counts elements: "int", "int32_t" for very wide tensors */
};

/* NULL when out of memory; the net must be checked and outlive the plan, as must the options. */
struct plan *plan_new(const struct net *net, const struct emit_options *options);
void plan_free(struct plan *plan);

/* The layer whose statement computes `tensor`'s elements when an add is printed: its fused dense
 * layer, or -1 when it is read from memory. */
int plan_fused(const struct plan *plan, int tensor);

/* Does a dense layer need its activation, or a clamp to its type, as a step of its own? */
bool plan_acts(const struct plan *plan, int layer);

/* What an activation lets through unchanged, before it bends the rest (SPEC 5). */
struct interval plan_kept(enum activation activation, enum type type);

/* Is an activation only a clamp to the range that it keeps? */
bool plan_clamps_only(enum activation activation);

/* Does a dense layer's activation run over its whole output, once all of it is there? */
bool plan_in_place(const struct plan *plan, int layer);

/* ---- between plan.c and memory.c ---- */

/* How often layers read a tensor, and the last layer that does. */
int plan_readers(const struct net *net, int tensor, int *last);

/* Is a convert layer's output its input, in values and type? */
bool plan_identity(const struct net *net, const struct layer *layer);

/* Views and buffers, once the kernels are known. */
void plan_memory(struct plan *plan);

/* ---- between plan.c and pack.c ---- */

/* Spans and offsets of a dense layer, with all pairs that fit.  False when out of memory. */
bool plan_pack(struct plan *plan, int layer);
/* Columns that are written behind each other: all, or the largest part that divides them. */
int plan_pack_part(int columns);
/* One straight line after all. */
void plan_unpack(struct plan *plan, int layer);

/* ---- cost.c: estimates for a Cortex-M0 ---- */

struct estimate estimate_loop(const struct plan *plan, int layer);
struct estimate estimate_line(const struct plan *plan, int layer, const struct span *span);
struct estimate estimate_pack(const struct plan *plan, int layer, const struct span *span);
/* All spans of a layer. */
struct estimate estimate_spans(const struct plan *plan, int layer);

/* ---- for the printers ---- */

/* Has this row a weight that is not zero?  Otherwise it is a constant. */
bool plan_row_used(const struct layer *layer, int row);

/* Does a convert layer only copy its elements?  Loops that do are printed as a helper that no
 * compiler turns into memcpy. */
bool plan_copies(const struct plan *plan, int layer);

/* Smallest element type of a weight table: int8_t up to 8 bits, else int16_t. */
enum type plan_weight_type(const struct layer *layer);

#endif
