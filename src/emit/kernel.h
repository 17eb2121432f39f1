/* The kernels of a dense layer: what each may compute, what it costs, how it is printed.
 *
 * A new kernel is a file with one `struct kernel`, a row in kernels.def and in kernel.c, and costs
 * in targets/NAME.costs (CONTRIBUTING.md, "Add a kernel"). */
#ifndef MOTE_EMIT_KERNEL_H
#define MOTE_EMIT_KERNEL_H

#include "emit/print.h"

/* What a kernel prints, and so what may stand around it. */
enum kernel_shape {
    SHAPE_ROW,  /* one row is one expression, inside a loop over rows */
    SHAPE_TILE, /* statements that leave up to LINE_TILE rows' sums in s0, s1 ... */
    SHAPE_SPAN  /* statements for all rows of a span, results stored */
};

/* Numbers per row that a kernel reads from tables, which several kernels of a layer share. */
enum { SERIES_BIAS = 1, SERIES_SHIFT = 2, SERIES_OFFSET = 4 };

struct features {
    int64_t count[FEATURE_COUNT];
};

struct kernel {
    enum kernel_kind kind;
    const char *what; /* for people: one line */
    enum kernel_shape shape;
    int group; /* rows that it takes at a time; 1 for most */
    /* Takes what such groups leave; every row that fits this one fits it.  NULL: none. */
    const struct kernel *smaller;
    bool words;   /* reads activations fastest from 32-bit elements */
    bool bytes;   /* reads them as fast from unsigned bytes */
    bool shorts;  /* it reads them fastest from 16-bit elements */
    int series;   /* of SERIES_...: what it reads per row */
    bool flat;    /* its code grows with the weights: only for small layers */
    bool clamps;  /* it writes out activations that only clamp, and needs no helper for them */
    bool whole;   /* takes all rows of a layer, or none */
    bool sums;    /* SHAPE_SPAN: may store the 32-bit sums that an add reads */
    bool uneven;  /* its time depends on the activations */
    bool powers;  /* it multiplies by powers of two alone, which 16-bit compilers may make calls */
    bool adds;    /* it multiplies nothing */
    bool bitwise; /* without a multiplier it adds along the bits of weights of 8 bits */
    bool narrow;  /* its products have 16 bits */
    bool wraps;   /* its sums are modulo 2^n: a prover knows nothing of them */

    /* May it compute this row?  A proof from the plan's ranges; NULL: every row. */
    bool (*fits)(const struct plan *plan, int layer, int row);

    /* Does a prover who knows no more than intervals see that all of a span fits?  NULL: wherever
     * it does fit. */
    bool (*proved)(const struct plan *plan, int layer, const struct span *span);

    /* Once, before the plan is used; false when out of memory.  NULL: nothing to prepare. */
    bool (*prepare)(struct plan *plan, int layer);

    void (*count)(const struct plan *plan, int layer, const struct span *span,
                  struct features *features);

    /* Note the helpers, and what its tables' elements are; NULL: none. */
    void (*need)(const struct plan *plan, int layer, struct helpers *helpers);

    /* Tables of weights, for all its spans of the layer; NULL: none. */
    void (*tables)(struct printer *p, int layer);

    /* SHAPE_ROW: its rows end with their shifts where plan->shifts_in_rows. */
    bool shifts;

    /* SHAPE_ROW: the sum of row `before` of its table, row `row` of the layer; before the shift, or
     * behind it (plan_row_shifts). */
    void (*row)(struct printer *p, int layer, const char *row, const char *before);

    /* SHAPE_TILE: the sums of `rows` rows, statements for s0, s1 ... */
    void (*tile)(struct printer *p, int layer, int first, int rows);

    /* SHAPE_SPAN: all of a span; `floors`: it shifts sums by NAME_floor(), or a straight line that
     * does so only where step.lift cannot be. */
    bool floors;
    void (*span)(struct printer *p, int layer, const struct span *span);
};

/* By kind. */
const struct kernel *kernel_at(enum kernel_kind kind);

extern const struct kernel kernel_loop, kernel_line, kernel_packed, kernel_bits, kernel_narrow,
    kernel_narrow_line, kernel_loop4, kernel_loop2, kernel_ternary, kernel_quad, kernel_dsp,
    kernel_shifts, kernel_vector, kernel_vector16;

/* What a span costs on the machine. */
struct estimate estimate_span(const struct plan *plan, int layer, const struct span *span);

/* fit.c: other choices where the options' budgets want them; those that cannot be kept are broken
 * by as little as may be. */
void plan_fit(struct plan *plan);

/* ---- steady.c ---- */

/* Does a layer's choice take the same time for all data on the plan's machine? */
bool steady_choice(const struct plan *plan, int layer, const struct choice *choice);
/* Does all of the plan?  Else fails and says why not. */
bool steady_check(const struct plan *plan, struct error *err);

/* ---- loop.c, line.c ---- */

/* static const int8_t w1[rows][columns] = ...: the weights of the rows of `kernel`, for a `letter`
 * of w. */
void print_weight_rows(struct printer *p, int layer, char letter, const struct kernel *kernel);

/* Tile sizes of `rows` rows, as equal as they can be, `first` being done: 16 -> 6, 5, 5. */
int line_tile_rows(int rows, int first);

/* A row's bias with what keeps its sum from being negative (step.lift), where anything does. */
int32_t lifted_bias(const struct plan *plan, int layer, int row);

/* Statements behind each other on lines of at most 100 columns, each behind a space; `column` is
 * where the line is, new lines start at `indent`. */
void print_statement(struct text *out, const char *statement, int indent, size_t *column);

/* ---- pack.c ---- */

/* What half a word holds. */
#define PACK_VALUES 65536

/* The offsets, in units of 2^shift, that move every sum of a row to 0 .. values - 1; none does
 * where low > high. */
struct interval pack_offsets(const struct plan *plan, int layer, int row, int64_t values);

/* The offset of every row: a common one, or each its own.  False when out of memory. */
bool pack_prepare(struct plan *plan, int layer, int64_t values);

/* The same for rows in the halves of words, which may then be clamped as such. */
bool pack_prepare_words(struct plan *plan, int layer);

/* A row's bias without its offset; modulo 2^32, as the sum is. */
int32_t pack_bias(const struct plan *plan, int layer, int row);

/* static const int32_t b1[rows] = ...: the biases without their offsets. */
void print_biases(struct printer *p, int layer);

/* "POSE_PAIR(-3, 17)" behind each other, wrapped; `column` starts as 0. */
void pack_print(struct printer *p, int64_t low, int64_t high, size_t *column);

/* Of one half of the word: behind the shift, with the offset taken back. */
void pack_print_half(struct printer *p, int layer, const char *row, const char *half);

/* b[2 * i] = f(z), written out where f only clamps. */
void pack_print_result(struct printer *p, int layer, const char *row);

/* The same of `z`, which may be what `range` says. */
void pack_print_within(struct printer *p, int layer, const char *row, struct interval range,
                       const char *z);

/* Two rows whose sums are the halves of a word. */
struct pack_word {
    const char *name;    /* the word's in the emitted file */
    const char *suffix;  /* of what is made from it */
    const char *rows[2]; /* low and high: indices of the rows as C */
    int first;           /* the low row; the high one is the next */
    int end, stride;     /* the same statement serves first + stride ... below end */
};

/* Statements that store both rows of a word. */
void pack_print_word(struct printer *p, int layer, const struct pack_word *word);

/* ---- mask.c ---- */

/* Rows first .. end - 1 of a span, which the same statements serve. */
struct masked {
    const char *sum;    /* of a row, with its offset: an unsigned expression as C */
    const char *row;    /* the row's index as C */
    const char *suffix; /* of what is made from it */
    int first, end;
    bool halves; /* only the sum's low 16 bits are the row's */
    bool narrow; /* the sum is an `unsigned` */
};

/* The least 2^n - 1 that is not below `value`. */
unsigned mask_ones(int64_t value);

/* Is a row behind its shift an int32_t, whatever its bits and those that fill its mask are? */
bool mask_fits(const struct plan *plan, int layer, int row);

/* What a prover sees of a row whose sum is modulo 2^n, masked or half a word, and is stored as 32
 * bits. */
struct interval mask_seen(const struct plan *plan, int layer, int row);

/* Statements that store a row's result. */
void mask_print(struct printer *p, int layer, const struct masked *masked);

/* The same of a row without weights: a number. */
void mask_print_constant(struct printer *p, int layer, int row);

/* ---- more of pack.c ---- */

/* The row whose sums take the most values, those that the offset's rounding adds included: so
 * many. */
int64_t pack_widest(const struct plan *plan, int layer, int *row);

/* ---- for kernels' `count` ---- */

/* Bytes of a series' table; one value for all is none. */
int64_t series_bytes(const struct series *series);
/* Rows of the span that are clamped, where the activation is a clamp alone. */
int64_t span_clamps(const struct plan *plan, int layer, const struct span *span);

#endif
