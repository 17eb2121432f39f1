/* The shape of an image network, from text such as
 *
 *     28x28x1 crop24 resize16 conv3x8:4 relu conv3x12s2:t relu:4 dense10:t
 *
 * Tokens stand between blanks or on lines; `#` begins a comment.  `mote help net` lists them.
 */
#ifndef MOTE_VISION_SKETCH_H
#define MOTE_VISION_SKETCH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SKETCH_LAYERS_MAX   100
#define SKETCH_SIDE_MAX     16384 /* rows, columns */
#define SKETCH_WIDTH_MAX    65536 /* elements of a layer's input or output */
#define SKETCH_KERNEL_MAX   256
#define SKETCH_CHANNELS_MAX 4096
#define SKETCH_WEIGHTS_MAX  ((size_t)1 << 24) /* of one layer */
#define SKETCH_INPUTS       4
#define SKETCH_NAME_MAX     24
#define SKETCH_TEXT_MAX     ((size_t)1 << 16)

enum sketch_op {
    SKETCH_CONV, /* dense, dw and pw too */
    SKETCH_DECONV,
    SKETCH_MAXPOOL,
    SKETCH_AVGPOOL,
    SKETCH_UPSAMPLE,
    SKETCH_SHUFFLE,
    SKETCH_PAD,
    SKETCH_RESHAPE,
    SKETCH_ADD,
    SKETCH_CONCAT,
};

/* Behind the trained layers: the class instead of logits, or probabilities. */
enum sketch_head {
    SKETCH_LOGITS,
    SKETCH_ARGMAX,
    SKETCH_SOFTMAX,
};

struct volume {
    int rows, columns, channels; /* HWC */
};

struct sketch_window {
    int kernel[2]; /* rows, columns; SKETCH_UPSAMPLE: factors; SKETCH_SHUFFLE: the factor twice */
    int stride[2], dilation[2];
    int pad[4]; /* top, left, bottom, right */
};

struct sketch_layer {
    enum sketch_op op;
    int inputs[SKETCH_INPUTS]; /* layers whose outputs it reads; -1: the image */
    int input_count;
    struct volume in, out; /* `in` of its first input */
    struct sketch_window window;
    int groups;  /* conv, deconv */
    bool dense;  /* a conv over its whole input, written `dense` */
    int bits;    /* of weights: 1..16; 2 is ternary unless `odd`; 1 is binary and odd */
    bool odd;    /* odd levels only */
    int relu;    /* bits of the activation's codes, 4 or 8; 0: none; of an add, too */
    bool narrow; /* relu: codes 0..127 instead of 0..255, since they join codes with a sign */
    bool linear; /* codes of 8 bits with a sign: weights without relu, but the last layer's */
    char name[SKETCH_NAME_MAX + 1];
    size_t line, column; /* of its token, from 1 */
};

struct sketch {
    struct volume image;       /* what the net is given */
    int top, left;             /* the crop */
    struct volume crop, input; /* behind the crop; behind the resize: what the first layer reads */
    bool resized;
    int drop; /* low bits that the resized pixels lose, 4..7; 0: none */
    struct sketch_layer layers[SKETCH_LAYERS_MAX];
    int layer_count;
    enum sketch_head head;
};

/* What the data say: 0 rows: unknown, the text has to begin with the size. */
struct sketch_data {
    struct volume image;
    int classes;       /* outputs of the last layer; 0: any */
    const char *place; /* for messages: "--net", or the file's name */
};

/* Does anything happen to the image in front of the first layer? */
bool sketch_prepares(const struct sketch *sketch);

/* The largest code of the first layer's input. */
int sketch_top(const struct sketch *sketch);

/* False where the text is no network for such data, with the place of what is wrong. */
bool sketch_parse(struct sketch *sketch, const char *text, size_t length,
                  const struct sketch_data *data, struct error *err);

/* A network that suits images of this size, as text of less than 200 bytes.  `open`: with "?" and
 * multiples such as "2?" for its widths. */
void sketch_default(const struct volume *image, int classes, bool open, char text[200]);

/* ---- sizes ---- */

size_t volume_size(struct volume volume);             /* elements */
int sketch_rows(const struct sketch_layer *layer);    /* rows of its weights: output channels */
int sketch_columns(const struct sketch_layer *layer); /* columns of its weights */
int sketch_limit(const struct sketch_layer *layer);   /* largest level of its weights */
bool sketch_weighted(const struct sketch_layer *layer);

/* The layer whose sums are the logits: the last one, or the one whose mean over all positions that
 * takes (gap). */
int sketch_logits(const struct sketch *sketch);

/* Bytes of all weights as they are packed for the smallest flash (net_row_bytes()). */
size_t sketch_weight_bytes(const struct sketch *sketch);

#endif
