/* The network as integers: the IR between training or import and everything behind it.
 *
 * Tensors and layers are arrays linked by index; layers stand in execution order, so that every
 * pass is one loop.  Graphs are DAGs: a tensor may be read by several layers.  A net owns all it
 * points to through its arena.  Once net_check() has passed, later stages may assert.
 */
#ifndef MOTE_NET_NET_H
#define MOTE_NET_NET_H

#include "base/arena.h"
#include "base/decimal.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_VERSION 1 /* of the .mote format */

/* Limits that every reader may rely on. */
#define NET_FILE_MAX       ((size_t)64 << 20) /* bytes of a .mote file */
#define NET_TENSORS_MAX    256
#define NET_LAYERS_MAX     256
#define NET_WIDTH_MAX      65536              /* elements of one tensor */
#define NET_ELEMENTS_MAX   ((int64_t)1 << 20) /* elements of all tensors */
#define NET_LAYER_MACS_MAX ((int64_t)1 << 28) /* multiply-accumulates of one layer */
#define NET_WEIGHTS_MAX    ((size_t)1 << 26)  /* weights of one layer */
#define NET_NAME_MAX       200                /* bytes of a name or unit */
#define NET_TEXT_MAX       4096               /* bytes of the provenance's options */
#define NET_ROWS_MAX       ((int64_t)1 << 53) /* rows of a score */
#define NET_LAYER_INPUTS   4
#define NET_SPREAD_MAX     16    /* stride of a deconv */
#define NET_SHIFT_MAX      30    /* right shift of a row */
#define NET_ZERO_MAX       65536 /* |zero| of a raw reading */
#define NET_ZERO_SHIFT_MAX 14    /* left shift of a raw reading */
#define NET_SCALE_MAX      65535 /* multiplier of a softmax */
#define NET_SCALE_SHIFT    21    /* its right shift, at most */
#define NET_SOFTMAX_MAX    32767 /* its channels */

enum type { TYPE_I8, TYPE_U8, TYPE_I16, TYPE_U16, TYPE_I32, TYPE_U4 };

enum op {
#define OP(NAME, text, least, most) OP_##NAME,
#include "net/ops.def"
#undef OP
};

/* For a switch that has nothing to do for ops on maps. */
#define CASES_OF_MAPS                                                                              \
    case OP_CONV:                                                                                  \
    case OP_DECONV:                                                                                \
    case OP_MAXPOOL:                                                                               \
    case OP_AVGPOOL:                                                                               \
    case OP_RESIZE:                                                                                \
    case OP_UPSAMPLE:                                                                              \
    case OP_SHUFFLE:                                                                               \
    case OP_PAD:                                                                                   \
    case OP_RESHAPE:                                                                               \
    case OP_ARGMAX:                                                                                \
    case OP_SOFTMAX

enum activation {
#define ACTIVATION(NAME, text) ACTIVATION_##NAME,
#include "net/activations.def"
#undef ACTIVATION
};

enum task { TASK_REGRESSION, TASK_CLASSIFICATION };

/* Height, width and channels of a map; a vector is 1 x 1 x width. */
struct shape {
    int rows;
    int columns;
    int channels;
};

/* `width` elements; element (y, x, c) of a map is number (y * columns + x) * channels + c. */
struct tensor {
    enum type type;
    int width; /* rows * columns * channels */
    struct shape shape;
};

/* What an op on maps looks at or moves by, in elements of its input map.  0 where it has none. */
struct window {
    int rows; /* of the kernel; resize: of what is cut out; upsample, shuffle: the factor */
    int columns;
    int row_stride; /* conv, deconv, pools */
    int column_stride;
    int row_dilation; /* conv, deconv */
    int column_dilation;
    int top; /* padding; resize: the corner of what is cut out */
    int left;
    int bottom;
    int right;
    int drop; /* resize: low bits that its means lose, 4..7; 0: none */
};

/* Weights of a layer: rows x columns, row-major, each -(2^(bits-1)-1) .. 2^(bits-1)-1 for bits
 * 3..16; bits 2 means -1, 0, 1 (ternary).  The lowest two's complement value is not used.
 * With `odd`, the odd integers of -(2^bits-1) .. 2^bits-1 for bits 1..4; 1 is -1 and 1 (binary).
 *
 * conv, deconv: a row is an output channel; column (ky * window.columns + kx) * n + c is its
 * weight for the kernel's element (ky, kx) and channel c of the n channels of its group. */
struct weights {
    int bits;
    int rows;
    int columns;
    const int16_t *values;
    bool odd;
};

/* softmax: distances times multiplier / 2^shift count octaves by 32. */
struct scale {
    int multiplier;
    int shift;
};

struct layer {
    enum op op;
    int inputs[NET_LAYER_INPUTS]; /* tensor indices; all were written by earlier layers */
    int input_count;
    int output;                 /* tensor index, written by this layer only */
    enum activation activation; /* dense, conv, deconv; else ACTIVATION_NONE */
    struct weights weights;     /* dense, conv, deconv */
    struct window window;       /* ops on maps */
    struct scale scale;         /* softmax; else zeros */
    int groups;                 /* conv, deconv: of channels that see only each other; else 0 */
    const int32_t *bias;        /* per row of weights; includes 1 << (shift - 1) where shift > 0 */
    const uint8_t *shift;       /* right shift of each row; convert: left shift, per element */
    const int32_t *zero;        /* convert: subtracted from each element before its left shift */
    struct place origin;        /* where it came from; file NULL: made here */
};

/* What one element of the input or output means: value = offset + lsb * code. */
struct channel {
    const char *name;   /* UTF-8 from the user, "" if none: never to be emitted unescaped */
    const char *unit;   /* the same */
    struct decimal lsb; /* > 0 */
    struct decimal offset;
    struct decimal low; /* range of the values in the training data, for people to read */
    struct decimal high;
};

/* The score of the integer program on data that training never saw. */
struct score {
    bool known;
    struct decimal
        value;    /* regression: mean RMS in % of each output's range; classes: accuracy in % */
    int64_t rows; /* rows it was measured on */
};

/* Where a net came from.  All text; options hold what reproduces it, in a fixed order. */
struct provenance {
    const char *options;   /* e.g. "--net 6-16-16-6 --activation cubic --seed 1" */
    const char *data_hash; /* 16 hex digits */
    const char *method;    /* "least squares", "gradient" ... */
    struct score score;
};

struct net {
    struct arena *arena;
    const char *name;
    enum task task;
    struct tensor *tensors;
    int tensor_count;
    struct layer *layers;
    int layer_count;
    int input;                     /* tensor index; the only tensor that no layer writes */
    int output;                    /* tensor index */
    const struct channel *inputs;  /* one per element of the input tensor */
    const struct channel *outputs; /* one per element of the output tensor */
    const char *const *classes;    /* classification: net_class_count() names; else NULL */
    const char *label;             /* classification: name of the label column, or "" */
    struct provenance provenance;
};

/* ---- names and ranges ---- */

const char *type_name(enum type type);
bool type_parse(const char *text, enum type *type);
int32_t type_low(enum type type);
int32_t type_high(enum type type);
int64_t type_magnitude(enum type type); /* the larger of -low and high */

const char *op_name(enum op op);
bool op_parse(const char *text, enum op *op);

const char *activation_name(enum activation activation);
bool activation_parse(const char *text, enum activation *activation);

/* Largest |weight| of `bits` (2..16): 1, 3, 7, ... */
int32_t weight_limit(int bits);

/* The same of weights that may be odd; and the bits of the least symmetric type that holds them. */
int32_t weights_limit(const struct weights *weights);
int weights_bits(const struct weights *weights);

/* Ops whose rows are weights with bias, shift and activation: dense, conv, deconv. */
bool op_has_rows(enum op op);

/* ---- building (build.c): everything is copied into the net's arena ---- */

/* A net without tensors or layers; NULL when out of memory.  Free with net_free(). */
struct net *net_new(const char *name);
void net_free(struct net *net);

/* Index of a new tensor; -1 when out of memory or over NET_TENSORS_MAX. */
int net_add_tensor(struct net *net, enum type type, int width);
/* The same of a map; its width is 0 where the product of its sides is over NET_WIDTH_MAX. */
int net_add_map(struct net *net, enum type type, struct shape shape);

/* Append a layer; pointers in `layer` are copied by the sizes that op, weights and tensors give.
 * The tensors must exist.  False when out of memory or full. */
bool net_add_layer(struct net *net, const struct layer *layer);

/* Set the channels of input and output: one per channel of the tensor's shape, which is one per
 * element of a vector.  The net keeps one per element.  Strings are copied. */
bool net_set_channels(struct net *net, const struct channel *inputs, const struct channel *outputs);
bool net_set_classes(struct net *net, const char *const *classes, const char *label);
bool net_set_provenance(struct net *net, const struct provenance *provenance);

/* ---- ends that choose (last.c) ---- */

/* The layer that writes the output; NULL: none does. */
const struct layer *net_last(const struct net *net);

/* Is the only output the class itself, by an argmax? */
bool net_gives_class(const struct net *net);

/* Classes that it tells apart, where it does: output elements, or channels of that argmax. */
int net_class_count(const struct net *net);

/* Append to a classifier what makes its class of its output codes, or their probabilities by the
 * step of its outputs: OP_ARGMAX or OP_SOFTMAX.  False: no memory or no room. */
bool net_append(struct net *net, enum op op);

/* SPEC 13.2: the scale whose softmax is that of codes times `step`. */
struct scale net_scale(double step);
#define NET_POWERS 32
extern const uint16_t net_powers[NET_POWERS]; /* T */

/* ---- invariants and bounds (check.c, bound.c) ---- */

/* Every invariant of SPEC 14.  `file` names the net in messages. */
bool net_check(const struct net *net, const char *file, struct error *err);

/* An interval that holds for every input. */
struct interval {
    int64_t low;
    int64_t high;
};

/* Range of each element of every tensor: intervals[t] has net->tensors[t].width entries, owned by
 * `arena`.  False when out of memory.  Only called on nets whose structure is checked. */
bool net_ranges(const struct net *net, struct arena *arena, struct interval **intervals);

/* The same of what one layer writes, from the ranges of its inputs. */
bool net_layer_ranges(const struct net *net, const struct layer *layer,
                      struct interval *const *ranges);

/* What element `j` of an add is before it is clamped, from the ranges of its inputs. */
struct interval net_sum_range(const struct layer *add, struct interval *const *ranges, int j);

/* Range of an activation on z in `z`, stored as `type` (SPEC 5.1). */
struct interval net_activation_range(enum activation activation, enum type type, struct interval z);

/* Of row `row` of dense layer `layer`: sum |w| * max|a| + |B|, which bounds the accumulator and
 * every partial sum in any order (SPEC 4.2).  `in` are the ranges of its input's elements. */
int64_t net_row_bound(const struct layer *layer, int row, const struct interval *in);

/* Range of that row's final accumulator, before the shift. */
struct interval net_row_range(const struct layer *layer, int row, const struct interval *in);

/* Both of each row of a layer with rows (bounds, ranges: rows of the weights; either may be NULL),
 * wherever on a map.  `in` are the ranges of its input's elements.  False when out of memory. */
bool net_rows(const struct net *net, const struct layer *layer, const struct interval *in,
              int64_t *bounds, struct interval *ranges);

/* ---- maps (map.c) ---- */

/* Is there more in it than vectors of whole bytes: maps, u4, odd weights, sums of activations? */
bool net_has_maps(const struct net *net);

/* How many layers with weights there are. */
int net_row_layers(const struct net *net);

/* Bytes of a row of weights as loops keep it, which begins with a byte of its own: ternary five to
 * a byte, 1 and 2 bits with odd levels eight and four, up to 4 bits two, up to 8 bits one, else two
 * bytes each. */
int net_row_bytes(int bits, bool odd, int columns);

/* The shape that `layer` gives; that of its output tensor where only that can tell.  False, and a
 * reason in *why, where window, groups or weights do not go with the shape of its input. */
bool net_map_shape(const struct net *net, const struct layer *layer, struct shape *out,
                   const char **why);

/* Sums of at most `count` elements of magnitude `largest` become means by
 * (sum * multiplier + (1 << shift >> 1)) >> shift, in 32 bits (SPEC 2.3).  A multiplier of 0: they
 * would not fit. */
struct mean {
    int32_t multiplier;
    int shift;
};
struct mean net_mean(int64_t count, int64_t largest);
int64_t net_mean_count(const struct net *net, const struct layer *layer); /* avgpool, resize */

/* SPEC 11: along one axis `from` elements become `to`.  Output `at` covers elements first .. last,
 * each by its overlap. */
struct overlap {
    int unit_in;  /* length of an input element */
    int unit_out; /* of an output element: the sum of its overlaps */
};
struct overlap net_overlap(int from, int to);
int net_divisor(int a, int b); /* the greatest common one */
int net_overlap_first(struct overlap overlap, int at);
int net_overlap_last(struct overlap overlap, int at);
int net_overlap_length(struct overlap overlap, int at, int i); /* of element i with output `at` */

/* ---- codes and values (channel.c) ---- */

/* What element `element` of the input or output means: maps have a channel per channel of theirs.
 */
const struct channel *net_input_channel(const struct net *net, int element);
const struct channel *net_output_channel(const struct net *net, int element);

/* Value to code: round half up, clamped to the type; *clamped is set (never cleared) if it was. */
int32_t channel_encode(const struct channel *channel, enum type type, double value, bool *clamped);
double channel_decode(const struct channel *channel, int32_t code);

/* A channel for values in low..high on `type`: the smallest lsb of 1, 2 or 5 times a power of
 * ten that leaves `headroom` (1.0: none, 1.25: a quarter), and an offset (0 where that costs
 * less than two bits; of 8: less than one). */
struct channel channel_for_range(double low, double high, enum type type, double headroom);

/* ---- the keys of a layer's window in files (window.c) ---- */

/* "kernel", "stride" ...: the `count` numbers of a window that a key holds, in its order. */
struct window_key {
    const char *name;
    int count;
    size_t fields[4]; /* offsets in struct window */
    bool optional;    /* left out where its numbers are 0 */
};
const struct window_key *op_window_keys(enum op op); /* ended by a NULL name */

/* ---- files (read.c, write.c, show.c) ---- */

/* NULL on failure; what it returns has passed net_check(). */
struct net *net_read(const char *path, struct error *err);
struct net *net_parse(const char *data, size_t size, const char *file, struct error *err);

struct text;
bool net_print(const struct net *net, struct text *out); /* the .mote JSON; false: out of memory */
bool net_write(const struct net *net, const char *path, struct error *err);
bool net_show(const struct net *net, struct text *out); /* for people: `mote show` */

/* Multiply-accumulates, those with padding included: of one layer, and of all. */
int64_t layer_macs(const struct net *net, const struct layer *layer);
int64_t net_macs(const struct net *net);

#endif
