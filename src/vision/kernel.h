/* Kernels of image networks: the inner loops of training, sixteen samples in the lanes.
 *
 * A map is [group][position][channel][16]: `groups` groups of 16 samples, one sample per lane;
 * positions are rows x columns.  "Element" means 16 floats.  Integers travel as floats too: they
 * are exact as long as no sum reaches 2^24, which whoever calls has proved.
 *
 * Written once over train/lanes.h and vec_*.h, and compiled for AVX-512, AVX2 and any machine; all
 * three give the same bits, since every sum has its own accumulator and runs over its terms in one
 * order.
 */
#ifndef MOTE_VISION_KERNEL_H
#define MOTE_VISION_KERNEL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VISION_LANES  16
#define VISION_GROUPS 4 /* of 16 samples: what one thread works on at a time */

#define VISION_SPAN 64 /* positions whose slopes are worked on together */
#define VISION_SCRATCH(columns)                                                                    \
    ((4 * ((size_t)(columns) + VISION_SPAN) + VISION_LANES) * VISION_LANES)

/* A convolution as lists of elements: position p of the output, at out_at[p], is a weighted sum of
 * the input's elements in_at[p] + column_at[j].  Padding is part of the input. */
struct conv {
    int rows, channels;       /* output and input channels of one channel group */
    int taps, columns;        /* columns = taps x channels */
    int channel_groups;       /* channel group g: rows g * rows.., input channels g * channels.. */
    int positions;            /* of all groups of samples */
    int chunk;                /* positions that are worked on together: whole groups of samples */
    const int32_t *tap_at;    /* taps: first element of each tap, from in_at */
    const int32_t *column_at; /* columns */
    const int32_t *in_at;     /* positions, ascending by group of samples */
    const int32_t *out_at;
};

/* Elementwise work on a map: per-channel numbers a, b, c and sums. */
struct pixels {
    int positions; /* of all groups */
    int channels;
    const float *z;             /* the layer's sums */
    float *y;                   /* out, or in and out */
    const float *scale, *shift; /* channels */
    const float *extra;         /* channels */
    float top, bottom;          /* largest and least code */
    float *sums, *products;     /* out: channels; of y, and of y z */
    bool squares;               /* moments: the sums of z^2 are wanted, too */
    float *scratch;             /* 2 * (channels + 16) * 16 floats */
};

/* One channel group of a convolution with its data, as the tiles see it. */
struct conv_call {
    const struct conv *conv;
    const float *weights; /* rows x columns */
    const float *bias;    /* rows; NULL: none */
    const float *in;      /* map of inputs */
    const uint8_t
        *bytes; /* convolve: the same by pack_codes(), with `words`; NULL: it takes `in` */
    const int32_t *words; /* the weights, four neighbouring columns to a word, the first lowest */
    float *out;
    float *scratch;
    float *gradient;
    int first_row;                /* of the channel group, among all rows */
    int begin, end;               /* convolve_range(): positions */
    int base;                     /* the element of the map that `out` begins with */
    const struct pixels *moments; /* convolve: those of `out` are wanted; NULL: they are not */
    const struct pixels *blend;   /* correlate: `out` is its y and waits for blend(); NULL: no */
    bool keep;                    /* correlate: `out` gets what was blended */
};

/* Windows over a map: maxima and means. */
struct pool_plan {
    int channels;
    int positions;        /* of the output, all groups */
    const int32_t *first; /* positions + 1: where each one's inputs begin in `from` */
    const int32_t *from;  /* elements of channel 0 of each input position */
    int32_t multiplier;   /* integers: mean = (S multiplier + (2^shift >> 1)) >> shift, within */
    int shift;
    float top, bottom; /* these */
    float share;       /* reals: mean = S share; and each input's part of the slope */
    bool integer;
    /* Of maxima over windows side by side, which are worked on a few rows of windows at a time: */
    struct {
        int positions, windows; /* the inputs and outputs of one row of windows */
        int rows;               /* of windows, at a time */
        int group, group_rows;  /* positions of a group's input, rows of windows */
        bool gaps;              /* some inputs are in no window */
    } band;
};

/* A pool's outputs and their slopes. */
struct pooled {
    const float *values, *slopes;
};

/* Loss of a block: cross-entropy with given probabilities. */
struct softmax_plan {
    int groups, classes;
    const float *logits;  /* [group][class][16] */
    const float *targets; /* the same: probabilities, sums may differ from 1 */
    float *gradient;      /* out: may be the logits */
    float scale;          /* of the gradient, not of the loss */
};

/* Weights to levels. */
struct levels {
    size_t count; /* a multiple of 16 */
    float limit;  /* largest level */
    bool odd;     /* odd levels only */
};

struct vision_kernels {
    const char *name;
    /* out = W in + bias; then, where they are wanted, moments() of out */
    void (*convolve)(const struct conv_call *call);
    /* `words` times 4 elements of codes 0..255 to bytes: [4 elements][16][4].  NULL: there is no
     * use for them. */
    void (*pack_codes)(const float *from, uint8_t *to, size_t words);
    /* out += W^T in, where `in` is laid out as the convolution's output and `out` as its input */
    void (*spread)(const struct conv_call *call);
    /* gradient = sum over positions of out in^T, behind blend() where that is asked for; rows x
     * columns floats of every channel group.  scratch: VISION_SCRATCH(columns) floats */
    void (*correlate)(const struct conv_call *call);

    /* sums, products: of z and, where they are wanted, z^2 */
    void (*moments)(const struct pixels *pixels);
    /* y = max(0, scale z + shift) */
    void (*normalise)(const struct pixels *pixels);
    /* y = 0 where scale z + shift <= 0; then sums of y and y z */
    void (*normalise_back)(const struct pixels *pixels);
    /* y = scale y + extra z + shift */
    void (*blend)(const struct pixels *pixels);
    /* y = clamp(floor((z + shift) scale), bottom, top) */
    void (*requantise)(const struct pixels *pixels);
    /* y = y scale where the code is not clamped, else 0; then sums of y */
    void (*requantise_back)(const struct pixels *pixels);

    void (*max_pool)(const struct pool_plan *plan, const float *in, float *out);
    void (*max_pool_back)(const struct pool_plan *plan, const float *in, const float *out,
                          const float *slopes, float *result);
    /* convolve() and max_pool() of its sums, a band at a time.  Where `brief` is set, call->out
     * has room for a band alone (graph.h) and the sums are not kept. */
    void (*convolve_pool)(const struct conv_call *call, const struct pool_plan *plan, bool brief,
                          float *out);
    /* max_pool() of normalise(), whose values are not stored. */
    void (*normalise_pool)(const struct pixels *pixels, const struct pool_plan *plan, float *out);
    /* max_pool_back() of nothing, then normalise_back() or requantise_back(), into y; sums that
     * were not kept are made `again`, which is the call that made them, or NULL. */
    void (*pool_activate_back)(const struct pixels *pixels, const struct pool_plan *plan,
                               const struct pooled *pooled, const struct conv_call *again);
    void (*mean_pool)(const struct pool_plan *plan, const float *in, float *out);
    void (*mean_pool_back)(const struct pool_plan *plan, const float *slopes, float *result);

    /* Sums of lanes' losses into loss[16]; fills the gradient. */
    void (*softmax)(const struct softmax_plan *plan, float *loss);
    void (*quantise)(const struct levels *levels, const float *weights, float *codes);
};

extern const struct vision_kernels vision_scalar;
#ifdef __x86_64__
extern const struct vision_kernels vision_avx2;
extern const struct vision_kernels vision_avx512;
extern const struct vision_kernels vision_vnni; /* the same with pack_codes() */
#endif

/* The kernels called `isa` ("avx512", "avx2", "scalar"; NULL: the best that this machine runs);
 * NULL when the name is unknown or the machine lacks it. */
const struct vision_kernels *vision_kernels_pick(const char *isa, struct error *err);

#endif
