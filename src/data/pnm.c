/* Portable graymaps and pixmaps (netpbm's pgm(5) and ppm(5)): P2, P3 as text, P5, P6 as bytes. */
#include "data/picture.h"

#include "base/bytes.h"

#define VALUE_MAX 65535

bool pnm_known(const unsigned char *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           (bytes[2] <= ' ' || bytes[2] == '#');
}

static bool is_blank(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next byte without stepping over it; -1 at the end. */
static int peek(const struct bytes *bytes)
{
    return bytes_left(bytes) > 0 ? bytes->data[bytes->at] : -1;
}

static void skip_blanks(struct bytes *bytes)
{
    for (int c = peek(bytes); is_blank(c) || c == '#'; c = peek(bytes)) {
        while (c == '#' && peek(bytes) != '\n' && peek(bytes) >= 0) {
            bytes->at++;
        }
        bytes->at += peek(bytes) >= 0;
    }
}

/* A whole number 0..limit behind blanks and comments; -1: there is none. */
static int take_number(struct bytes *bytes, int limit)
{
    int value = -1;
    skip_blanks(bytes);
    for (int c = peek(bytes); c >= '0' && c <= '9'; c = peek(bytes)) {
        value = (value < 0 ? 0 : value) * 10 + (c - '0');
        if (value > limit) {
            return -1;
        }
        bytes->at++;
    }
    return value;
}

/* The same fraction of 255, rounded half up. */
static uint8_t scale(int value, int most)
{
    return (uint8_t)((2 * 255 * value + most) / (2 * most));
}

static int take_sample(struct bytes *bytes, bool text, int most)
{
    if (text) {
        return take_number(bytes, most);
    }
    int value = bytes_u8(bytes);
    if (most > 255) {
        value = value << 8 | bytes_u8(bytes);
    }
    return bytes->bad || value > most ? -1 : value;
}

static bool read_samples(struct picture *picture, struct bytes *bytes, int most,
                         const struct picture_file *file, struct error *err)
{
    size_t count = (size_t)picture->rows * (size_t)picture->columns * (size_t)picture->channels;
    bool text = file->bytes[1] < '4';
    for (size_t i = 0; i < count; i++) {
        int value = take_sample(bytes, text, most);
        if (value < 0) {
            size_t row = i / ((size_t)picture->columns * (size_t)picture->channels);
            return fail(err, "%s: truncated, or a sample over %d, in row %zu of %d", file->name,
                        most, row + 1, picture->rows);
        }
        picture->pixels[i] = scale(value, most);
    }
    return true;
}

bool pnm_read(struct picture *picture, const struct picture_file *file, struct error *err)
{
    struct bytes bytes = bytes_of(file->bytes, file->size);
    int kind = file->bytes[1];
    bytes.at = 2;
    if (kind == '1' || kind == '4') {
        return fail(err, "%s: a bitmap (P%c): save it as PGM or PNG", file->name, kind);
    }
    picture->channels = kind == '3' || kind == '6' ? 3 : 1;
    picture->columns = take_number(&bytes, 1 << 24);
    picture->rows = take_number(&bytes, 1 << 24);
    int most = take_number(&bytes, VALUE_MAX);
    if (picture->columns < 0 || picture->rows < 0 || most < 1 || !is_blank(peek(&bytes))) {
        return fail(err, "%s: damaged PGM or PPM: no width, height and largest value of 1 to 65535",
                    file->name);
    }
    bytes.at++; /* one blank before the samples */
    return picture_start(picture, file->name, err) &&
           read_samples(picture, &bytes, most, file, err);
}
