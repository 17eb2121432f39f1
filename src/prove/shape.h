/* What an emitted file says of itself: names, types and widths, read strictly.  Files are hostile:
 * one that includes anything else, or tells the prover what to believe, is refused. */
#ifndef MOTE_PROVE_SHAPE_H
#define MOTE_PROVE_SHAPE_H

#include "prove/prove.h"

#define SHAPE_NAME_MAX   64
#define SHAPE_CURVES_MAX 8
#define SHAPE_CLAMPS_MAX 16

/* A function of one int32_t in the page. */
struct curve {
    char name[SHAPE_NAME_MAX]; /* "pose_cubic" */
    const char *result;        /* "int16_t" */
    const char *text;          /* of the whole function, in the page */
    size_t length;
    int line; /* of its beginning */
};

struct shape {
    char prefix[SHAPE_NAME_MAX]; /* "pose" */
    const char *in_type;
    const char *out_type;
    int in_width;
    int out_width;
    bool classify; /* has NAME_classify(), NAME_selftest() */
    bool selftest;
    bool words; /* has NAME_word(), the bits of a signed number, NAME_lift(), 2^31 more */
    bool lifts;
    bool times;  /* has NAME_times(), the product of two numbers by shifts */
    bool wraps;  /* has sums modulo 2^16 or 2^32, of packed rows, by design */
    int halving; /* loops that end since they halve a number each turn until it is zero */
    struct curve curves[SHAPE_CURVES_MAX]; /* smooth activations: functions of one int32_t */
    int curve_count;
    struct curve clamps[SHAPE_CLAMPS_MAX]; /* NAME_clamp_...(), which curves call */
    int clamp_count;
    int apart; /* functions that curves alone call: of those, NAME_hide() */
    bool near; /* clamps take no more than -2^30 .. 2^30 - 1 */
    /* The empty line behind the one body of NAME_predict(), in the page; NULL: there is none. */
    const char *behind;
};

/* The line that hides a mask from compilers; what it does to the mask is nothing. */
#define SHAPE_HIDES "    __asm__(\"\" : \"+r\"(hidden));\n"

bool shape_read(const struct page *page, struct shape *shape, struct error *err);

/* scan.c: nothing but the includes of an emitted file, no annotation that assumes, and no variable
 * that outlives a call. */
bool scan_page(const char *text, const char *prefix, const char *name, struct error *err);

#endif
