/* PNG and IDX files made byte by byte, valid or not. */
#ifndef MOTE_SUPPORT_PICTURES_H
#define MOTE_SUPPORT_PICTURES_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

/* A PNG as libpng writes it: samples are in the file's own form, rows padded to bytes. */
struct png_form {
    int rows, columns;
    int colour; /* PNG_COLOR_TYPE_... */
    int depth;  /* bits of a sample */
    int interlaced;
    const uint8_t *samples;
    const uint8_t *palette; /* red, green, blue of each entry */
    int palette_count;
    const uint8_t *alpha; /* of the palette's entries; NULL: none */
};
void png_make(struct text *file, const struct png_form *form);

/* A grey picture of 8 bits. */
void png_grey(struct text *file, int rows, int columns, const uint8_t *samples);

/* An IDX header of `count` lengths: 3 or 4 for images, 1 for labels. */
void idx_start(struct text *file, const uint32_t *lengths, int count);

#endif
