/* What an emitted file says of itself: names, types and widths, read strictly.  Files are hostile:
 * one that includes anything else, or tells the prover what to believe, is refused. */
#ifndef MOTE_PROVE_SHAPE_H
#define MOTE_PROVE_SHAPE_H

#include "prove/prove.h"

#define SHAPE_NAME_MAX   64
#define SHAPE_CURVES_MAX 8

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
    bool times;  /* has NAME_times(), the product of two numbers by shifts */
    bool wraps;  /* says that something is modulo 2^16 or 2^32: sums of packed rows, by design */
    int halving; /* loops that end since they halve a number each turn until it is zero */
    struct curve curves[SHAPE_CURVES_MAX]; /* smooth activations: functions of one int32_t */
    int curve_count;
};

bool shape_read(const struct page *page, struct shape *shape, struct error *err);

/* scan.c: nothing but the includes of an emitted file, and no annotation that assumes. */
bool scan_page(const char *text, const char *prefix, const char *name, struct error *err);

#endif
