/* The kernels of a dense layer: what each may compute, what it costs, how it is printed.
 *
 * A new kernel is a file with one `struct kernel`, a row in kernels.def and in kernel.c, and costs
 * in targets/NAME.costs (CONTRIBUTING.md, "Add a kernel"). */
#ifndef MOTE_EMIT_KERNEL_H
#define MOTE_EMIT_KERNEL_H

#include "emit/print.h"

/* What a kernel prints, and so what may stand around it. */
enum shape {
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
    enum shape shape;
    int group;  /* rows that it takes at a time; 1 for most */
    bool words; /* reads activations fastest from 32-bit elements */
    int series; /* of SERIES_...: what it reads per row */
    bool flat;  /* its code grows with the weights: only for small layers */

    /* May it compute this row?  A proof from the plan's ranges; NULL: every row. */
    bool (*fits)(const struct plan *plan, int layer, int row);

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

    /* SHAPE_SPAN: all of a span; `floors`: it shifts sums by NAME_floor(). */
    bool floors;
    void (*span)(struct printer *p, int layer, const struct span *span);
};

/* By kind. */
const struct kernel *kernel_at(enum kernel_kind kind);

extern const struct kernel kernel_loop, kernel_line, kernel_packed, kernel_vector;

/* What a span costs on the machine. */
struct estimate estimate_span(const struct plan *plan, int layer, const struct span *span);

/* fit.c: other choices where the options' budgets want them; those that cannot be kept are broken
 * by as little as may be. */
void plan_fit(struct plan *plan);

/* ---- pack.c ---- */

/* What half a word holds. */
#define PACK_VALUES 65536

/* The row whose sums take the most values, those that the offset's rounding adds included: so
 * many. */
int64_t pack_widest(const struct plan *plan, int layer, int *row);

/* ---- for kernels' `count` ---- */

/* Bytes of a series' table; one value for all is none. */
int64_t series_bytes(const struct series *series);
/* Rows of the span that are clamped, where the activation is a clamp alone. */
int64_t span_clamps(const struct plan *plan, int layer, const struct span *span);

#endif
