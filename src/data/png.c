/* PNG through libpng, from memory. */
#include "data/picture.h"

#include "base/bytes.h"
#include "data/images.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((png_alloc_size_t)1 << 24) /* bytes that libpng may want at once */

/* All that lives across libpng's longjmp(). */
struct decoder {
    png_structp png;
    png_infop info;
    struct bytes bytes;
    uint8_t *wide; /* rows with their alpha channel */
    uint8_t **lines;
    bool memory; /* an allocation failed */
    char why[120];
};

bool png_known(const unsigned char *bytes, size_t size)
{
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

/* ---- what libpng calls ---- */

static void stop(png_structp png, png_const_charp message)
{
    struct decoder *decoder = png_get_error_ptr(png);
    (void)snprintf(decoder->why, sizeof decoder->why, "%s", message);
    png_longjmp(png, 1);
}

/* Warnings pass, but for data behind the last row, which may be any number of bytes. */
static void warn(png_structp png, png_const_charp message)
{
    struct decoder *decoder = png_get_error_ptr(png);
    if (strstr(message, "Too much image data") || strstr(message, "Extra compressed data")) {
        (void)snprintf(decoder->why, sizeof decoder->why,
                       "more data than its %lu x %lu pixels hold",
                       (unsigned long)png_get_image_width(png, decoder->info),
                       (unsigned long)png_get_image_height(png, decoder->info));
        png_longjmp(png, 1);
    }
}

static void take(png_structp png, png_bytep to, size_t count)
{
    struct decoder *decoder = png_get_io_ptr(png);
    const unsigned char *from = bytes_take(&decoder->bytes, count);
    if (!from) {
        png_error(png, "truncated");
    }
    memcpy(to, from, count);
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    struct decoder *decoder = png_get_mem_ptr(png);
    void *memory = size <= MEMORY_MAX ? malloc(size) : NULL;
    decoder->memory = decoder->memory || (!memory && size <= MEMORY_MAX);
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

/* ---- decoding ---- */

/* Every PNG to 8 bits of grey, grey and alpha, RGB, or RGB and alpha. */
static void choose_form(struct decoder *decoder)
{
    png_set_expand(decoder->png);
    png_set_scale_16(decoder->png);
    (void)png_set_interlace_handling(decoder->png);
    png_read_update_info(decoder->png, decoder->info);
}

/* Over black; `channels` without alpha. */
static void blend(const uint8_t *from, uint8_t *to, size_t pixels, int channels)
{
    for (size_t i = 0; i < pixels; i++) {
        unsigned alpha = from[channels];
        for (int c = 0; c < channels; c++) {
            *to++ = (uint8_t)((from[c] * alpha + 127) / 255);
        }
        from += channels + 1;
    }
}

/* Rows to read into: the picture's own, or `wide` where there is alpha. */
static bool make_rows(struct decoder *decoder, struct picture *picture, int channels)
{
    size_t rows = (size_t)picture->rows;
    size_t size = (size_t)picture->columns * (size_t)channels;
    decoder->lines = malloc(rows * sizeof *decoder->lines);
    decoder->wide = channels != picture->channels ? calloc(rows, size) : NULL;
    if (!decoder->lines || (channels != picture->channels && !decoder->wide)) {
        return false;
    }
    uint8_t *base = decoder->wide ? decoder->wide : picture->pixels;
    for (size_t i = 0; i < rows; i++) {
        decoder->lines[i] = base + i * size;
    }
    return true;
}

static bool decode(struct decoder *decoder, struct picture *picture, const char *name,
                   struct error *err)
{
    png_read_info(decoder->png, decoder->info);
    bool colour = png_get_color_type(decoder->png, decoder->info) & PNG_COLOR_MASK_COLOR;
    picture->rows = (int)png_get_image_height(decoder->png, decoder->info);
    picture->columns = (int)png_get_image_width(decoder->png, decoder->info);
    picture->channels = colour ? 3 : 1;
    if (!picture_start(picture, name, err)) {
        return false;
    }
    choose_form(decoder); /* only now: libpng allocates rows */
    int channels = png_get_channels(decoder->png, decoder->info);
    if (!make_rows(decoder, picture, channels)) {
        return fail_memory(err);
    }
    png_read_image(decoder->png, decoder->lines);
    png_read_end(decoder->png, NULL);
    if (decoder->wide) {
        size_t pixels = (size_t)picture->rows * (size_t)picture->columns;
        blend(decoder->wide, picture->pixels, pixels, picture->channels);
    }
    return true;
}

static bool start(struct decoder *decoder)
{
    decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, stop, warn, decoder,
                                            allocate, release);
    decoder->info = decoder->png ? png_create_info_struct(decoder->png) : NULL;
    if (!decoder->info) {
        return false;
    }
    png_set_read_fn(decoder->png, decoder, take);
    png_set_user_limits(decoder->png, PNG_UINT_31_MAX,
                        PNG_UINT_31_MAX); /* picture_start() checks */
    /* Texts, profiles and whatever pixels do not depend on are stepped over. */
    png_set_keep_unknown_chunks(decoder->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    return true;
}

/* setjmp() returns a second time where libpng gives up. */
static bool guard(struct decoder *decoder, struct picture *picture, const char *name,
                  struct error *err)
{
    if (setjmp(png_jmpbuf(decoder->png)) != 0) {
        return decoder->memory ? fail_memory(err)
                               : fail(err, "%s: damaged PNG: %s", name, decoder->why);
    }
    return decode(decoder, picture, name, err);
}

bool png_read(struct picture *picture, const struct picture_file *file, struct error *err)
{
    struct decoder decoder = {.bytes = bytes_of(file->bytes, file->size)};
    bool read = start(&decoder) ? guard(&decoder, picture, file->name, err) : fail_memory(err);
    if (decoder.png) {
        png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
    }
    free(decoder.lines);
    free(decoder.wide);
    return read;
}
