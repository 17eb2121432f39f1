/* What the checks of SPEC 14 share: check.c, and check_map.c for ops on maps. */
#ifndef MOTE_NET_CHECK_H
#define MOTE_NET_CHECK_H

#include "net/net.h"

struct check {
    const struct net *net;
    const char *file;
    struct error *err;
};

/* "pose.mote: layer 3 (dense)": the place in front of every message about a layer. */
#define LAYER          "%s: layer %d (%s)"
#define LAYER_OF(c, i) (c)->file, (i), op_name((c)->net->layers[i].op)

static inline bool within(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

/* Types that rows of weights read and activations write. */
bool check_activation_type(enum type type);

/* Refuse `type` at an end ("input", "output") of layer i; always false. */
bool check_wrong_type(struct check *c, int i, const char *end, enum type type);

/* Input k of layer i has the output's shape. */
bool check_same_shape(struct check *c, int i, int k);

/* Layer i has no weights, bias, activation or groups; no zero, and no shift unless it may. */
bool check_no_weights(struct check *c, int i);
bool check_no_convert(struct check *c, int i, bool may_shift);

/* check_map.c: window, groups and weights give the output's shape; whole layers. */
bool check_map_shape(struct check *c, int i);
bool check_add(struct check *c, int i);
bool check_concat(struct check *c, int i);
bool check_moved(struct check *c, int i);  /* pools, resize, upsample, shuffle, pad, reshape */
bool check_chosen(struct check *c, int i); /* argmax, softmax */

/* Distances between the inputs of softmax i are i32. */
bool check_distances(struct check *c, int i, struct interval *const *ranges);

#endif
