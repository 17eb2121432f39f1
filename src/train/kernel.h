/* Training kernels: the inner loops of the gradient route.
 *
 * A block holds up to `groups` groups of 16 samples, one sample per lane.  Buffers are
 * [group][row][16]; `row` counts outputs or inputs of a layer, padded to an even number with a row
 * of zeros.  Integer activations are also kept as pairs: [group][row / 2][16] words that hold row
 * 2 p in their low and row 2 p + 1 in their high half.
 *
 * The kernels are written once (kernel_dense.h, kernel_point.h) over lanes.h and compiled for
 * AVX-512, AVX2 and any machine; all three give the same bits.
 */
#ifndef MOTE_TRAIN_KERNEL_H
#define MOTE_TRAIN_KERNEL_H

#include "base/error.h"
#include "net/net.h"
#include "train/train.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_LANES 16

/* Rows of a padded buffer. */
static inline int kernel_even(int rows)
{
    return rows + (rows & 1);
}

/* One dense layer.  Float: z = weights x + bias.  Integer (SPEC 4): z = (codes a + bias) >> shift,
 * where `weights` are the reals that the codes stand for. */
struct dense {
    int rows;                  /* outputs */
    int columns;               /* inputs, even; the weights of a padding column are 0 */
    bool adds;                 /* z += instead of z = (the linear skip) */
    const float *weights;      /* rows x columns */
    const float *bias;         /* rows */
    const int16_t *codes;      /* rows x columns */
    const int32_t *bias_codes; /* rows, with their rounding constants */
    const int32_t *shift;      /* rows, 0..30 */
};

/* Gradient of a dense layer's weights and biases over a block: dW = dz x^T, db = sum dz. */
struct outer {
    int rows;
    int columns; /* even */
    int groups;
    bool add;             /* add to the gradients instead of setting them */
    const float *dz;      /* [group][even(rows)][16] */
    const float *x;       /* [group][columns][16] */
    float *scratch;       /* kernel_scratch(columns) floats */
    float *gradient;      /* rows x columns */
    float *bias_gradient; /* rows; NULL: a layer without biases */
};

/* Partial sums of 16 rows, and one vector of slack. */
static inline size_t kernel_scratch(int columns)
{
    return ((size_t)columns + 1) * KERNEL_LANES * KERNEL_LANES;
}

/* Loss of a block and its gradient with respect to the outputs. */
struct loss_block {
    enum loss loss; /* never LOSS_AUTO */
    int groups;
    int outputs;
    const float *y;       /* outputs, [group][even(outputs)][16] */
    float *dy;            /* out: gradient; may be y itself */
    const float *targets; /* like y; LOSS_CROSS_ENTROPY: class index, [group][16] */
    const float *weight;  /* outputs: factor of each one's loss; not for LOSS_CROSS_ENTROPY */
    const float *mask;    /* weight of each sample, [group][16]; 0: padding */
    float scale;          /* factor of the gradient, not of the loss */
    float delta;          /* LOSS_HUBER: where it turns linear, > 0 */
};

/* One step of Adam (Kingma, Ba 2015) with decoupled decay (Loshchilov, Hutter 2019). */
struct adam_step {
    size_t count;          /* a multiple of 16 */
    float *weights;        /* updated: w -= rate mask (m c1 / (sqrt(v c2) + eps) + decay w) */
    float *first, *second; /* moments m, v, updated */
    const float *gradient;
    const float *mask;  /* 0: frozen, 1: free; NULL: all free */
    const float *decay; /* per weight */
    float rate, beta1, beta2, epsilon;
    float correction1, correction2; /* c = 1 / (1 - beta^t) */
};

/* Fake quantisation: code = clamp(round(w scale), +-limit), effective = code inverse. */
struct quantise_step {
    size_t count; /* a multiple of 16 */
    const float *weights;
    const float *scale;   /* per weight */
    const float *inverse; /* per weight, 1 / scale */
    float limit;
    int16_t *codes;
    float *effective;
};

/* Activations of a block in integers (SPEC 5): codes of `fraction` bits, 1.0 = 2^fraction. */
struct activate_step {
    enum activation activation;
    int groups, rows;
    int fraction;     /* 15 for i16, 8 for u8, 7 for i8 */
    const int32_t *z; /* shifted sums */
    int32_t *pairs;   /* out: the codes */
    float *a;         /* out: codes / 2^fraction */
    float *slope;     /* out: the real twin's derivative at z */
};

struct kernels {
    const char *name;

    void (*forward_float)(const struct dense *dense, int groups, const float *x, float *z);
    void (*forward_int)(const struct dense *dense, int groups, const int32_t *pairs, int32_t *z);
    /* slope[][column] *= sum over rows of weights[row][column] * dz[][row] */
    void (*backward_input)(const struct dense *dense, int groups, const float *dz, float *slope);
    void (*backward_weights)(const struct outer *outer);

    /* a = f(z), slope = f'(z), with values in units of 1 */
    void (*activate_float)(enum activation activation, int groups, int rows, const float *z,
                           float *a, float *slope);
    void (*activate_int)(const struct activate_step *step);
    /* y = clamp(z, low, high) * unit[row] */
    void (*output_values)(int groups, int rows, const int32_t *z, const int32_t range[2],
                          const float *unit, float *y);
    /* x = code * scale[row] + offset[row] from pairs; rows is even */
    void (*unpack)(int groups, int rows, const int32_t *pairs, const float *scale,
                   const float *offset, float *x);
    /* Sum of mask * loss over the block; fills dy. */
    float (*loss)(const struct loss_block *block);
    void (*adam)(const struct adam_step *step);
    void (*quantise)(const struct quantise_step *step);
};

extern const struct kernels kernels_scalar;
#ifdef __x86_64__
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512;
#endif

/* The kernels called `isa` ("avx512", "avx2", "scalar"; NULL: the best that this machine runs);
 * NULL when the name is unknown or the machine lacks it. */
const struct kernels *kernels_pick(const char *isa, struct error *err);

#endif
