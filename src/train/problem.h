/* A dataset in training's own units.
 *
 * Inputs are the codes that the first dense layer reads, behind `convert`: i16 in Q15 (32768 =
 * 1.0), or i8 in Q7 where readings and activations have 8 bits.
 * Targets are in units of the output's full scale (1.0 = 2^15 codes for i16 and i32, 2^7 for i8).
 */
#ifndef MOTE_TRAIN_PROBLEM_H
#define MOTE_TRAIN_PROBLEM_H

#include "data/dataset.h"
#include "net/net.h"
#include "quant/fixed.h"
#include "train/train.h"

struct problem {
    struct arena *arena;
    const struct dataset *data; /* borrowed */
    enum task task;
    int inputs;
    int outputs; /* of the net: targets, or classes */
    enum type in_type;
    enum type out_type;
    enum type dense_type;         /* of what the first layer reads: i16 or i8 */
    enum type hidden_type;        /* of the activations: i16, i8 or u8 */
    double input_unit;            /* value of one code of dense_type */
    int extra;                    /* fixed_extra(out_type) */
    struct channel *in_channels;  /* inputs */
    struct channel *out_channels; /* outputs */
    bool converts;                /* the net begins with a `convert` layer */
    int32_t *zero;                /* inputs; of `convert` */
    uint8_t *shift;               /* inputs */
    uint32_t *rows[3];            /* row numbers by enum part; malloc'd */
    size_t counts[3];
    double *weight; /* outputs: 1 / range of the target, so that weighted errors are shares of it */
};

/* `problem` must be freed with problem_free() also after a failure. */
bool problem_new(struct problem *problem, const struct dataset *data,
                 const struct train_options *options, struct error *err);
void problem_free(struct problem *problem);

/* Inputs of a data row as codes of dense_type: encoded by the channel, then converted as SPEC 3
 * says. */
void problem_input(const struct problem *problem, size_t row, int16_t *x);

/* Regression targets of a data row. */
void problem_target(const struct problem *problem, size_t row, double *target);

/* Class of a data row. */
int problem_class(const struct problem *problem, size_t row);

/* The net of a trained chain: convert, dense layers, skip and its sum, channels, classes.
 * It has passed net_check(). */
struct net *problem_net(const struct problem *problem, const struct fixed *fixed,
                        const struct train_options *options, const char *method, struct error *err);

#endif
