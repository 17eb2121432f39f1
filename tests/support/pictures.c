#include "support/pictures.h"

#include <png.h>
#include <stdlib.h>

static void put(png_structp png, png_bytep bytes, size_t count)
{
    text_bytes(png_get_io_ptr(png), (const char *)bytes, count);
}

static void flush(png_structp png)
{
    (void)png;
}

static void put_palette(png_structp png, png_infop info, const struct png_form *form)
{
    png_color colours[256];
    for (int i = 0; i < form->palette_count; i++) {
        const uint8_t *rgb = form->palette + 3 * i;
        colours[i] = (png_color){rgb[0], rgb[1], rgb[2]};
    }
    if (form->palette_count > 0) {
        png_set_PLTE(png, info, colours, form->palette_count);
    }
    if (form->alpha) {
        png_set_tRNS(png, info, form->alpha, form->palette_count, NULL);
    }
}

void png_make(struct text *file, const struct png_form *form)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *lines = malloc((size_t)form->rows * sizeof *lines);
    if (!info || !lines) {
        abort();
    }
    png_set_write_fn(png, file, put, flush);
    png_set_IHDR(png, info, (png_uint_32)form->columns, (png_uint_32)form->rows, form->depth,
                 form->colour, form->interlaced, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    put_palette(png, info, form);
    png_write_info(png, info);
    size_t size = png_get_rowbytes(png, info);
    for (int i = 0; i < form->rows; i++) {
        lines[i] = (png_bytep)(uintptr_t)(form->samples + (size_t)i * size);
    }
    png_write_image(png, lines);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    free(lines);
}

void png_grey(struct text *file, int rows, int columns, const uint8_t *samples)
{
    struct png_form form = {.rows = rows,
                            .columns = columns,
                            .colour = PNG_COLOR_TYPE_GRAY,
                            .depth = 8,
                            .samples = samples};
    png_make(file, &form);
}

void idx_start(struct text *file, const uint32_t *lengths, int count)
{
    const char magic[4] = {0, 0, 8, (char)count};
    text_bytes(file, magic, sizeof magic);
    for (int i = 0; i < count; i++) {
        const char bytes[4] = {(char)(lengths[i] >> 24), (char)(lengths[i] >> 16),
                               (char)(lengths[i] >> 8), (char)lengths[i]};
        text_bytes(file, bytes, sizeof bytes);
    }
}
