#include "data/picture.h"

#include "data/images.h"

#include <stdlib.h>

bool picture_known(const unsigned char *bytes, size_t size)
{
    return png_known(bytes, size) || pnm_known(bytes, size);
}

bool picture_start(struct picture *picture, const char *name, struct error *err)
{
    if (picture->rows < 1 || picture->columns < 1) {
        return fail(err, "%s: a picture without pixels", name);
    }
    size_t rows = (size_t)picture->rows;
    size_t columns = (size_t)picture->columns;
    size_t channels = (size_t)picture->channels;
    if (rows > IMAGE_SIDE_MAX || columns > IMAGE_SIDE_MAX ||
        rows * columns * channels > IMAGE_BYTES_MAX) {
        return fail(err, "%s: %zu x %zu pixels are too many: at most %d a side and %zu bytes", name,
                    columns, rows, IMAGE_SIDE_MAX, IMAGE_BYTES_MAX);
    }
    picture->pixels = calloc(rows * columns, channels);
    return picture->pixels || fail_memory(err);
}

bool picture_read(struct picture *picture, const struct picture_file *file, struct error *err)
{
    *picture = (struct picture){0};
    bool read = png_known(file->bytes, file->size)   ? png_read(picture, file, err)
                : pnm_known(file->bytes, file->size) ? pnm_read(picture, file, err)
                : file->size == 0
                    ? fail(err, "%s: empty", file->name)
                    : fail(err, "%s: no picture: PNG, PGM and PPM are read", file->name);
    if (!read) {
        picture_free(picture);
    }
    return read;
}

static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
}

bool picture_convert(struct picture *picture, int channels)
{
    if (channels == picture->channels) {
        return true;
    }
    size_t count = (size_t)picture->rows * (size_t)picture->columns;
    uint8_t *pixels = malloc(count * (size_t)channels);
    if (!pixels) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (channels == 1) {
            pixels[i] = luma(picture->pixels + 3 * i);
        } else {
            pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = picture->pixels[i];
        }
    }
    free(picture->pixels);
    picture->pixels = pixels;
    picture->channels = channels;
    return true;
}

void picture_free(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){0};
}
