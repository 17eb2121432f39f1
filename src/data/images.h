/* Images with labels: what training and evaluation of image networks read.
 *
 * Pixels are 8 bits, in the order rows, columns, channels (HWC).  Formats are told by content,
 * never by name: IDX (also gzip'd), .npy and .npz of uint8, PNG, PGM and PPM, and folders of those.
 */
#ifndef MOTE_DATA_IMAGES_H
#define MOTE_DATA_IMAGES_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SIDE_MAX     16384               /* rows or columns of an image */
#define IMAGE_CHANNELS_MAX 64                  /* of an array; pictures have 1 (grey) or 3 (RGB) */
#define IMAGE_BYTES_MAX    ((size_t)1 << 24)   /* rows * columns * channels */
#define IMAGES_BYTES_MAX   ((uint64_t)1 << 31) /* of all images together */

/* Owns everything: texts in its arena, pixels and labels beside it.  Free with images_free(). */
struct images {
    struct arena *arena;
    const char *source; /* for messages: the path, or "<stdin>" */
    int count;          /* at least 1 */
    int rows, columns, channels;
    uint8_t *pixels;            /* count x rows x columns x channels, 8 bits */
    uint16_t *labels;           /* class index of each image; NULL: none are known */
    int class_count;            /* 0 without labels */
    const char *const *classes; /* their names, sorted as classes of tables are: numbers by value,
                                   else by bytes; the known classes in their own order */
    uint64_t hash;              /* of sizes, pixels, labels and names */
    const char *note;           /* remarks for the user, lines without the last newline; "" */
};

struct images_options {
    const char *labels; /* label file; NULL: found by the image file's name, or by folders */
    int rows, columns, channels; /* expected; 0: any.  Pictures become grey or RGB as expected */
    const char *const *known_classes; /* evaluation: map labels to these, others are errors */
    int known_class_count;
    size_t samples; /* stop after so many images; 0: all */
    bool no_labels; /* read the pixels alone */
};

/* Does `path` hold images rather than a table?  True for folders, IDX, arrays of three or four
 * dimensions, PNG, PGM and PPM.  False for what is not there or cannot be looked into twice (a
 * pipe), and with `err` filled for what cannot be read or when out of memory. */
bool images_at(const char *path, struct error *err);

/* Is `path` an array of bytes of two dimensions, a table that may be images lying flat? */
bool images_flat(const char *path);

/* Read images ("-": standard input).  Labels, where there are any, are of at least two classes,
 * unless classes are known.  NULL on failure. */
struct images *images_load(const char *path, const struct images_options *options,
                           struct error *err);
void images_free(struct images *images);

/* Bytes of one image, and the first of image `index`. */
size_t images_size(const struct images *images);
const uint8_t *images_pixels(const struct images *images, size_t index);

#endif
