/* One picture in memory, PNG or portable graymap or pixmap, to 8 bits a channel. */
#ifndef MOTE_DATA_PICTURE_H
#define MOTE_DATA_PICTURE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_FILE_MAX ((size_t)1 << 26) /* bytes of a file */

struct picture {
    int rows, columns;
    int channels;    /* 1 grey, 3 RGB */
    uint8_t *pixels; /* HWC; malloc'd, owned by the caller */
};

/* A file in memory, and its name for messages. */
struct picture_file {
    const unsigned char *bytes;
    size_t size;
    const char *name;
};

/* Do these bytes begin a picture? */
bool picture_known(const unsigned char *bytes, size_t size);

/* Decode one.  Transparent pixels lie over black, 16 bits become the nearest of 8, palettes the
 * colours they stand for, samples of fewer bits the same fraction of 255.  Gamma and profiles are
 * not looked at.  Sizes are checked before pixels are allocated. */
bool picture_read(struct picture *picture, const struct picture_file *file, struct error *err);

/* Grey (1) from RGB by luma, (77 R + 150 G + 29 B + 128) >> 8, or RGB (3) from grey.  False: no
 * memory. */
bool picture_convert(struct picture *picture, int channels);

void picture_free(struct picture *picture);

/* ---- the formats (png.c, pnm.c) ---- */

bool png_known(const unsigned char *bytes, size_t size);
bool png_read(struct picture *picture, const struct picture_file *file, struct error *err);

bool pnm_known(const unsigned char *bytes, size_t size);
bool pnm_read(struct picture *picture, const struct picture_file *file, struct error *err);

/* Check the size and allocate the pixels. */
bool picture_start(struct picture *picture, const char *name, struct error *err);

#endif
