/* Inside src/emit: what the printers share. */
#ifndef MOTE_EMIT_PRINT_H
#define MOTE_EMIT_PRINT_H

#include "emit/plan.h"

/* ---- safe.c: nothing of the user's reaches the file but through these ---- */

/* `utf8` with every byte from an allow-list that can end no comment and form no trigraph, line
 * splice or control sequence; at most `most` characters, the rest cut with "..".  A text with
 * tokens of C in it that no name has (comment ends, braces, backslashes) becomes "_" as a whole. */
void print_safe(struct text *out, const char *utf8, int most);

/* ---- number.c ---- */

#define GROUPED_MAX 32
/* 26412113 as "26 412 113". */
const char *grouped(int64_t value, char text[GROUPED_MAX]);

/* A C constant of type int32_t that needs no wider type anywhere. */
const char *literal(int64_t value, char text[GROUPED_MAX]);

/* "int16_t" ... */
const char *c_type(enum type type);

/* floor(value / 2^shift). */
int64_t floor_shift(int64_t value, int shift);

int32_t number_at(struct numbers numbers, size_t index);

/* ---- table.c: constant tables and how they are read ---- */

struct series series_of(char letter, int number, struct numbers numbers, int count);

/* static const T NAME[count] = {...}; nothing for uniform series. */
void print_series(struct text *out, const struct plan *plan, const struct series *series);

/* `count` numbers from `first` on, separated by ", ", wrapped behind `indent` spaces. */
void print_numbers(struct text *out, struct numbers numbers, size_t first, int count, int indent);

/* Element `index` of a series as C, e.g. "POSE_U8(k1, i)". */
#define ELEMENT_MAX 96
const char *series_at(const struct plan *plan, const struct series *series, const char *index,
                      char text[ELEMENT_MAX]);

/* ---- helper.c: the functions that NAME_predict() calls, each printed once if needed ---- */

enum helper_kind {
    HELPER_FLOOR,   /* requantise: floor(acc / 2^k) */
    HELPER_ROW,     /* sum of a row: a = element type, b = weight type */
    HELPER_PAIR,    /* sums of two packed rows: a = b = element type */
    HELPER_BITS,    /* sums of `columns` words, bit by bit: a = element, b = table type */
    HELPER_NARROW,  /* sum of a row in 16 bits: a = element type, b = weight type */
    HELPER_FOUR,    /* sum of a row: a = element type, weights of 4 bits */
    HELPER_TWO,     /* the same of 2 bits */
    HELPER_TERNARY, /* the same of five to a byte */
    HELPER_TIMES,   /* product of two variables by shifts */
    HELPER_QUAD,    /* sums of four packed rows: a = b = element type */
    HELPER_DUAL,    /* two products in one instruction */
    HELPER_DSP,     /* sums of `columns` rows of paired numbers */
    HELPER_COPY,    /* copy elements of type a */
    HELPER_ELEMENT, /* activation to type a, returned as type b */
    HELPER_ALL      /* the same on an int32_t array in place */
};

struct helper {
    enum helper_kind kind;
    enum activation activation; /* elements: NONE saturates */
    enum type a;
    enum type b;
    int columns; /* HELPER_PAIR; HELPER_BITS: words; else 0 */
};

#define HELPERS_MAX (96 + NET_LAYERS_MAX)
struct helpers {
    struct helper list[HELPERS_MAX];
    int count;
    bool reads[TYPE_I32 + 1]; /* element types that are read from tables */
    bool pairs;               /* are packed words written and read? */
    bool words;               /* only read? */
};

/* For kernels: note a helper, or what a table is read with, once. */
void helpers_need(struct helpers *helpers, struct helper helper);
void helpers_need_series(struct helpers *helpers, const struct series *series);

void helpers_collect(const struct plan *plan, struct helpers *helpers);
/* Its C name: NAME_row, or NAME_row_i8_i16 where there are several rows. */
#define HELPER_NAME_MAX 80
const char *helper_name(const struct plan *plan, const struct helpers *helpers,
                        struct helper helper, char name[HELPER_NAME_MAX]);
void print_macros(struct text *out, const struct plan *plan, const struct helpers *helpers);
void print_helpers(struct text *out, const struct plan *plan, const struct helpers *helpers);

/* ---- head.c, predict.c, line.c, selftest.c ---- */

void print_head(struct text *out, const struct plan *plan);

/* "void pose_predict(const uint16_t in[6], int16_t out[6])" */
void print_prototype(struct text *out, const struct plan *plan);

/* What printing the body of NAME_predict() needs. */
struct printer {
    struct text *out;
    const struct plan *plan;
    const struct helpers *helpers;
};

/* Tables, locals and statements. */
void print_body(struct printer *p);

/* Element `index` of a tensor, e.g. "a[16 + i]". */
const char *element(const struct plan *plan, int tensor, const char *index, char text[ELEMENT_MAX]);
/* Its first element as an address, e.g. "a + 16". */
const char *address(const struct plan *plan, int tensor, char text[ELEMENT_MAX]);

/* The head of a loop over `width` elements. */
void print_loop(struct printer *p, int width);

/* Row `row` of a dense layer, requantised, as a C expression; `before` is its place in tables. */
void print_row(struct printer *p, int layer, const struct kernel *kernel, const char *row,
               const char *before);

/* Its value's frame: "a[i] = f(", "a[i] = (int16_t)(" or "a[i] = "; what must follow the value. */
const char *print_target(struct printer *p, int layer, const char *index, bool acts);

/* The sum of two packed rows, as a function. */
void print_pair_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name);

/* Sums of several words without a multiplication, as a function. */
void print_bits_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name);

/* The sum of a row in 16 bits, as a function. */
void print_narrow_helper(struct text *out, const struct plan *plan, struct helper helper,
                         const char *name);

/* The sum of a row whose weights lie several to a byte, as a function. */
void print_low_helper(struct text *out, const struct plan *plan, struct helper helper,
                      const char *name);

/* ---- weight.c: products of weights and activations ---- */

/* acc += weight * x, each given as C, x of `type`.  Where there is no instruction for a
 * product, the compiler's function goes through 32 bits of a negative factor; here it is the seven
 * or eight of the weight's size, unless that is `wide`.  No sum on the way leaves what bounds all
 * of them. */
void print_weighted(struct text *out, const struct plan *plan, const char *weight, const char *x,
                    enum type type, bool wide);

/* Does a 16-bit compiler make calls of products of a weight of 8 bits and an x of `type`, where
 * NAME_mac_TYPE(acc, weight, x) is a few instructions? */
bool mac_helps(const struct plan *plan, enum type type);

/* acc = NAME_mac_TYPE(acc, weight, x); */
void print_mac(struct text *out, const struct plan *plan, const char *weight, const char *x,
               enum type type);

/* Is NAME_dot_TYPE(acc, a, &w, n), acc + w[0] a[0] + ... of weights of 8 bits, faster than a loop
 * of the compiler's?  Its name. */
bool dot_helps(const struct plan *plan, enum type type);
const char *dot_name(const struct plan *plan, enum type type, char name[HELPER_NAME_MAX]);

/* Those of these functions that `code` calls, and the code, which is freed. */
void print_with_products(struct text *out, const struct plan *plan, struct text *code);

/* What bytes of weights are decoded in. */
const char *byte_type(const struct plan *plan);

/* ---- avr.c ---- */

/* Where their loops over weights in flash are taken: by a multiplier, from where tables lie. */
#define AVR_LOOPS "#if defined(__AVR_HAVE_MUL__) && defined(__AVR_HAVE_LPMX__)\n"

/* What those two do, of acc, w and x or sum, a, w and n; `is_long`: of an n above 255. */
void avr_print_mac(struct text *out, enum type type);
void avr_print_dot(struct text *out, enum type type, bool is_long);
/* acc += the sum of n products of bytes, modulo 2^16, n > 0. */
void avr_print_short_dot(struct text *out, enum type type);
/* Returns floor(acc / 2^k). */
void avr_print_floor(struct text *out);

/* ---- steady.c: constant time ---- */

/* NAME_hide(), which keeps compilers from knowing a mask. */
void print_hide_helper(struct text *out, const struct plan *plan);
/* The nearest value from low to high, as functions NAME_clamp_...(), all that `code` calls; are
 * there any?  And a call. */
bool print_clamp_helpers(struct text *out, const struct plan *plan, const char *code);
void steady_clamp(const struct plan *plan, const char *z, struct interval kept,
                  char text[ELEMENT_MAX]);
/* May a value that is clamped be any int32_t? */
bool steady_wide(const struct plan *plan);
/* NAME_word(), the bits of an int32_t, and NAME_lift(), 2^31 more; the search for the largest of
 * 32-bit outputs needs that one (steady_far).  A prover knows both by their text. */
void print_word_helpers(struct text *out, const struct plan *plan, bool words, bool lifts);
bool steady_far(const struct plan *plan);
/* What NAME_floor() does with sums of any size. */
void print_steady_floor(struct text *out, const struct plan *plan);
/* What an activation to `type` makes its value of, and that value, of v (SPEC 5). */
void print_steady_steps(struct text *out, const struct plan *plan, enum activation activation,
                        enum type type);
const char *steady_value(enum activation activation);
/* Statements for `sign`, a mask, and size = |v|, of a v from -ones to ones = 2^n - 1. */
void print_steady_size(struct text *out, const struct plan *plan, int ones);
/* "const uint32_t take = ...": all bits of a number below 2^31 where `bit` is one. */
void print_steady_mask(struct text *out, const struct plan *plan, const char *indent,
                       const char *take, const char *bit);
/* The body of NAME_classify() behind its array of outputs. */
void print_steady_search(struct text *out, const struct plan *plan);

/* ---- curve.c ---- */

/* Is the activation a product that the machine has no instruction for? */
bool curve_helps(const struct plan *plan, enum activation activation);
void curve_need(struct helpers *helpers);
void print_times_helper(struct text *out, const struct plan *plan, const char *name);
/* What a curve to `type` makes its value of, and that value, of v, clamped. */
void print_curve_steps(struct text *out, const struct plan *plan, enum activation activation,
                       enum type type);
const char *curve_value(const struct plan *plan);

/* The sums of four packed rows, as a function. */
void print_quad_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name);

/* The sums of several rows, by HELPER_DUAL. */
void print_dsp_helper(struct text *out, const struct plan *plan, struct helper helper,
                      const char *name);

/* Two products at once. */
void print_dual_helper(struct text *out, const char *name);

/* Straight-line code. */
void print_line_locals(struct printer *p);
void print_line_convert(struct printer *p, int layer);
void print_line_add(struct printer *p, int layer);
/* All rows of a span whose kernel leaves sums in s0, s1 ... */
void print_tiles(struct printer *p, int layer, const struct span *span, bool acts);

void print_classify(struct text *out, const struct plan *plan, const char *storage);
void print_selftest(struct text *out, const struct plan *plan, const char *storage);

#endif
