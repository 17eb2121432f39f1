/* The plan of one emitted file: which kernel runs each layer, where each tensor lives, and what
 * bounds every accumulator.  Made before a line is printed; the printers only follow it. */
#ifndef MOTE_EMIT_PLAN_H
#define MOTE_EMIT_PLAN_H

#include "emit/emit.h"
#include "emit/machine.h"

/* Straight-line code is for layers of at most this many weights that are not zero: it costs 6 to
 * 10 bytes of code for each. */
#define LINE_WEIGHTS_MAX 4096
/* Outputs that are summed at once: what a Cortex-M0 holds in registers beside input and weight. */
#define LINE_TILE 6
/* Element-wise straight-line code up to this width, a loop beyond it. */
#define LINE_WIDTH_MAX 32
/* What row sums are lifted by (plan.based): a multiple of 2^k for every shift k. */
#define BASE ((int64_t)1 << NET_SHIFT_MAX)

/* How a layer's statements are printed. */
enum form {
    FORM_LOOP,  /* loops over elements or rows */
    FORM_LINE,  /* one statement per element or row, or what a dense layer's kernels print */
    FORM_FUSED, /* a dense layer that is printed inside the only add that reads it */
    FORM_VIEW,  /* nothing to do: the output is a view of what is there already */
    FORM_DEAD   /* nothing to do: no output of the net depends on it */
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

struct kernel;
struct map_plan;

/* Rows of a dense layer that one kernel computes. */
struct span {
    const struct kernel *kernel;
    int first;
    int rows;
    int before; /* rows of earlier spans of the same kernel: where its tables go on */
};

struct estimate {
    int64_t bytes;  /* of code and constants */
    int64_t cycles; /* in the unit of the machine's costs */
};

/* A way to compute a dense layer, as --explain tells it. */
struct choice {
    const struct kernel *kernel;
    struct estimate cost;
    struct span *spans; /* all rows in order; those that do not fit are another kernel's */
    int span_count;
    int fitting;     /* rows of the kernel itself */
    const char *why; /* it may not be taken: the reason; else NULL */
};

struct step {
    enum form form;
    struct series bias;                  /* dense: biases; convert: zeros */
    struct series shift;                 /* dense: right shifts; convert: factors, 2^shift */
    struct choice choices[KERNEL_COUNT]; /* dense: one per kernel that the machine has costs for */
    int choice_count;
    int chosen;            /* index into choices */
    struct series offset;  /* packed rows: what is added behind the shift */
    int number;            /* dense and convert: the number in w1, b1, k1; from 1 */
    struct interval *sums; /* dense: each row's range before the shift, bias included */
    int64_t *bounds;       /* dense: proved bound of each row's accumulator */
    int64_t *room;         /* dense: the same of what is known (plan.known) of the inputs */
    struct interval range; /* dense: of all rows behind the shift */
    int worst;             /* dense: the row with the largest */
    bool clamps;           /* may its value leave the range that its activation or type keeps? */
    bool lanes;            /* dense: packed rows are clamped as halves of their words */
    int32_t lift;          /* dense: lift * 2^k in its bias keeps each row's sum from being
                              negative; it is taken back behind the shift.  -1: none can */
};

struct plan {
    struct arena *arena;
    const struct net *net;
    char name[32];  /* C prefix */
    char upper[32]; /* the same in capitals, for macros */
    const struct emit_options *options;
    const struct machine *machine;
    struct interval **ranges; /* of every element of every tensor */
    struct interval **known;  /* the same as a prover sees it (known.c) */
    struct step *steps;       /* one per layer */
    struct view *views;       /* one per tensor */
    struct buffer *buffers;
    int buffer_count;
    bool reads_input;      /* does any output depend on the input at all? */
    bool shifts_in_rows;   /* does a loop's row end with its shift? */
    bool based;            /* do 2^30 keep every row's sum from being negative, and below 2^31? */
    int worst_layer;       /* the dense layer with the largest bound; -1: none */
    struct map_plan *maps; /* nets on maps (emit/map.h); else NULL */
    const char *index;     /* type that counts elements: "int", "int32_t" for very wide tensors */
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

/* Sums, clamps and lifts of every layer, from what is known of its inputs.  False when out of
 * memory. */
bool plan_clamps(struct plan *plan);

/* ---- known.c: what a prover sees ---- */

/* Before kernels are chosen: what the tensors are.  Then with the kernels, of which some become
 * others.  False when out of memory. */
bool known_first(struct plan *plan);
bool known_last(struct plan *plan);

/* Is this row's sum modulo 2^n, once kernels are chosen? */
bool known_wraps(const struct plan *plan, int layer, int row);

/* ---- choose.c ---- */

/* The kernels of every dense layer.  False when out of memory. */
bool plan_choose(struct plan *plan);

/* Another choice for a layer than the present one, for which `why` is the reason.  False when out
 * of memory. */
bool plan_choose_again(struct plan *plan, int layer, const char *why);

/* Does a prover see that a choice's sums stay within their words? */
bool plan_proved(const struct plan *plan, int layer, const struct choice *choice);

/* What is to be least: bytes, time, or their product. */
int64_t plan_score(const struct plan *plan, const struct choice *choice);

/* The chosen spans of a dense layer. */
const struct choice *plan_choice(const struct plan *plan, int layer);

/* Rows that this kernel computes. */
int plan_rows_of(const struct plan *plan, int layer, const struct kernel *kernel);

/* The kernel of all rows, NULL where there are several. */
const struct kernel *plan_kernel(const struct plan *plan, int layer);

/* The series that the layer's kernels read, in a fixed order; returns how many. */
#define SERIES_KINDS 3
int plan_series_read(const struct plan *plan, int layer, const struct series **series);

/* Would a dense layer's sums be taken by an add, so that it is printed there? */
bool plan_feeds_add(const struct plan *plan, int layer);

/* ---- for the printers ---- */

/* Is what a SHAPE_ROW kernel gives behind the shift already? */
bool plan_row_shifts(const struct plan *plan, const struct kernel *kernel);

/* Has this row a weight that is not zero?  Otherwise it is a constant. */
bool plan_row_used(const struct layer *layer, int row);

/* What a row without weights is behind its shift, within what its activation keeps. */
int plan_constant(const struct plan *plan, int layer, int row);

/* Does a convert layer only copy its elements?  Loops that do are printed as a helper that no
 * compiler turns into memcpy. */
bool plan_copies(const struct plan *plan, int layer);

/* Smallest element type of a weight table: int8_t up to 8 bits, else int16_t. */
enum type plan_weight_type(const struct layer *layer);

#endif
