/* What the interpreter's two files share: run.c (SPEC 1 to 7) and maps.c (SPEC 8 to 13). */
#ifndef MOTE_RUN_STATE_H
#define MOTE_RUN_STATE_H

#include "run/run.h"

struct run {
    const struct net *net;
    struct arena *arena;
    int64_t *values[NET_TENSORS_MAX];         /* the elements of each tensor */
    struct interval *ranges[NET_TENSORS_MAX]; /* what bound.c says about them */
    int64_t *bounds[NET_LAYERS_MAX];          /* dense, conv, deconv: of each row; else NULL */
    int64_t *before[NET_LAYERS_MAX];          /* what clamps and activations got */
};

/* Say which proof is wrong, and stop the program. */
void run_broken(const char *name, int layer, int row, int64_t value);

int64_t run_shift_right(int64_t a, int k);
int64_t run_clamp(int64_t a, int64_t l, int64_t h);

/* `a`, which SPEC says is an i32. */
int64_t run_is_i32(const struct run *run, int layer, int row, int64_t a);

/* Set an element of layer `layer`'s output; it lies in its range. */
void run_store(struct run *run, int layer, int element, int64_t value);

/* SPEC 5 on z; `element` for messages. */
int64_t run_activate(const struct run *run, int index, int element, int64_t z);

void run_conv(struct run *run, int index);
void run_deconv(struct run *run, int index);
void run_maxpool(struct run *run, int index);
void run_avgpool(struct run *run, int index);
void run_resize(struct run *run, int index);
void run_upsample(struct run *run, int index);
void run_shuffle(struct run *run, int index);
void run_pad(struct run *run, int index);
void run_reshape(struct run *run, int index);
void run_argmax(struct run *run, int index);
void run_softmax(struct run *run, int index);

#endif
