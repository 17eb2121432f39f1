/* Images from every format: pixels, labels, classes, and what is expected of both. */
#include "support/unit.h"

#include "data/images.h"
#include "data/picture.h"
#include "support/arrays.h"
#include "support/folder.h"
#include "support/load.h"
#include "support/pictures.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static const struct images_options nothing = {0};

static struct images *load_or_stop(const char *path, const struct images_options *options)
{
    struct error err = {0};
    struct images *images = images_load(path, options, &err);
    if (!images) {
        fail_msg("%s", err.message);
    }
    return images;
}

static void expect_error(const char *path, const struct images_options *options,
                         const char *message)
{
    struct error err = {0};
    struct images *images = images_load(path, options, &err);
    assert_null(images);
    assert_string_equal(base_message(&err), message);
}

static const char *write_text(const char *name, struct text *text)
{
    const char *path = scratch_path(name);
    assert_false(text->failed);
    scratch_write(path, text->data, text->length);
    text_free(text);
    return path;
}

/* Bytes 0, 1, 2 ... */
static void add_ramp(struct text *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char byte = (char)(unsigned char)i;
        text_bytes(text, &byte, 1);
    }
}

static void write_idx(const char *images, const char *labels)
{
    struct text text = {0};
    static const uint32_t lengths[] = {3, 2, 4};
    static const uint32_t count[] = {3};
    idx_start(&text, lengths, 3);
    add_ramp(&text, 24);
    (void)write_text(images, &text);
    idx_start(&text, count, 1);
    text_bytes(&text, "\12\2\12", 3);
    (void)write_text(labels, &text);
}

static void check_ramp(const struct images *images)
{
    assert_int_equal(images->count, 3);
    assert_int_equal(images->rows, 2);
    assert_int_equal(images->columns, 4);
    assert_int_equal(images->channels, 1);
    for (int i = 0; i < 24; i++) {
        assert_int_equal(images->pixels[i], i);
    }
    assert_ptr_equal(images_pixels(images, 2), images->pixels + 16);
}

/* Labels 10, 2, 10: sorted by value, not by bytes. */
static void check_labels(const struct images *images)
{
    assert_int_equal(images->class_count, 2);
    assert_string_equal(images->classes[0], "2");
    assert_string_equal(images->classes[1], "10");
    assert_int_equal(images->labels[0], 1);
    assert_int_equal(images->labels[1], 0);
    assert_int_equal(images->labels[2], 1);
}

static void test_idx(void **state)
{
    (void)state;
    write_idx("a-images-idx3-ubyte", "a-labels-idx1-ubyte");
    struct images *images = load_or_stop(scratch_path("a-images-idx3-ubyte"), &nothing);
    check_ramp(images);
    check_labels(images);
    assert_true(images_at(scratch_path("a-images-idx3-ubyte"), &(struct error){0}));
    images_free(images);
}

static const char *write_gzip(const char *name, const char *packed_name)
{
    unsigned char bytes[4096];
    size_t size = 0;
    FILE *file = fopen(scratch_path(name), "rb");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    size_t packed = 0;
    unsigned char *data = gzip_bytes(bytes, size, &packed);
    const char *path = scratch_path(packed_name);
    scratch_write(path, data, packed);
    free(data);
    return path;
}

/* Packed images find plain labels, and the other way round. */
static void test_idx_gzip(void **state)
{
    (void)state;
    write_idx("b-images-idx3-ubyte", "b-labels-idx1-ubyte");
    const char *path = write_gzip("b-images-idx3-ubyte", "b-images-idx3-ubyte.gz");
    struct images *images = load_or_stop(path, &nothing);
    check_ramp(images);
    check_labels(images);
    images_free(images);
    write_idx("c-images.idx3-ubyte", "c-plain");
    (void)write_gzip("c-plain", "c-labels.idx1-ubyte.gz");
    images = load_or_stop(scratch_path("c-images.idx3-ubyte"), &nothing);
    check_labels(images);
    images_free(images);
}

/* Cut anywhere: an error that names the file, never a shorter set. */
static void test_idx_cut(void **state)
{
    (void)state;
    write_idx("d-images-idx3-ubyte", "d-labels-idx1-ubyte");
    size_t packed = 0;
    unsigned char bytes[40];
    FILE *file = fopen(scratch_path("d-images-idx3-ubyte"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 40);
    (void)fclose(file);
    unsigned char *data = gzip_bytes(bytes, sizeof bytes, &packed);
    for (size_t size = 0; size < packed; size++) {
        struct error err = {0};
        const char *path = scratch_path("d-images-idx3-ubyte");
        scratch_write(path, data, size);
        assert_null(images_load(path, &nothing, &err));
        assert_non_null(strstr(err.message, "d-images-idx3-ubyte: "));
    }
    for (size_t size = 0; size < sizeof bytes; size++) {
        struct error err = {0};
        const char *path = scratch_path("d-images-idx3-ubyte");
        scratch_write(path, bytes, size);
        assert_null(images_load(path, &nothing, &err));
        assert_non_null(strstr(err.message, "d-images-idx3-ubyte: "));
    }
    free(data);
}

/* The same images hash equal, whatever the container; others do not. */
static void test_arrays(void **state)
{
    struct text text = {0};
    static const double labels[] = {10, 2, 10};
    (void)state;
    write_idx("e-images-idx3-ubyte", "e-labels-idx1-ubyte");
    struct images *same = load_or_stop(scratch_path("e-images-idx3-ubyte"), &nothing);
    npy_start(&text, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2, 4), }");
    add_ramp(&text, 24);
    const char *path = write_text("x_train.npy", &text);
    npy_array(&text, "<i4", 0, 3, 1, labels);
    (void)write_text("y_train.npy", &text);
    assert_true(images_at(path, &(struct error){0}));
    struct images *images = load_or_stop(path, &nothing);
    check_ramp(images);
    check_labels(images);
    assert_true(images->hash == same->hash);
    images_free(images);
    images_free(same);
    npy_array(&text, "|u1", 0, 3, 4, (const double[12]){0});
    assert_false(images_at(write_text("table.npy", &text), &(struct error){0}));
}

static void test_archive(void **state)
{
    struct text text = {0};
    struct zip_maker zip = {0};
    static const double labels[] = {10, 2, 10};
    (void)state;
    npy_start(&text, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2, 4, 1), }");
    add_ramp(&text, 24);
    zip_add(&zip, "x.npy", text.data, text.length, 1);
    text_free(&text);
    npy_array(&text, "<f8", 0, 3, 1, labels);
    zip_add(&zip, "y.npy", text.data, text.length, 0);
    text_free(&text);
    zip_end(&zip);
    const char *path = scratch_path("set.npz");
    scratch_write(path, zip.file.data, zip.file.length);
    zip_maker_free(&zip);
    assert_true(images_at(path, &(struct error){0}));
    struct images *images = load_or_stop(path, &nothing);
    check_ramp(images);
    check_labels(images);
    images_free(images);
    images = load_or_stop(path, &(struct images_options){.no_labels = true});
    assert_null(images->labels);
    assert_int_equal(images->class_count, 0);
    images_free(images);
    struct images_options apart = {.labels = path};
    images = load_or_stop(path, &apart);
    check_labels(images);
    images_free(images);
}

/* An archive of tables is none of images; one of floats is, and says what it lacks. */
static void test_archive_kinds(void **state)
{
    struct text text = {0};
    struct zip_maker zip = {0};
    (void)state;
    npy_array(&text, "|u1", 0, 3, 4, (const double[12]){0});
    zip_add(&zip, "x.npy", text.data, text.length, 1);
    zip_end(&zip);
    scratch_write(scratch_path("table.npz"), zip.file.data, zip.file.length);
    zip_maker_free(&zip);
    text_free(&text);
    assert_false(images_at(scratch_path("table.npz"), &(struct error){0}));
    zip = (struct zip_maker){0};
    npy_start(&text, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2), }");
    add_ramp(&text, 8);
    zip_add(&zip, "x_train.npy", text.data, text.length, 0);
    zip_end(&zip);
    const char *path = scratch_path("floats.npz");
    scratch_write(path, zip.file.data, zip.file.length);
    zip_maker_free(&zip);
    text_free(&text);
    assert_true(images_at(path, &(struct error){0}));
    struct error err = {0};
    assert_null(images_load(path, &nothing, &err));
    assert_non_null(strstr(err.message, "floats.npz: x_train.npy: images need dtype uint8"));
}

static void test_text_labels(void **state)
{
    struct text text = {0};
    (void)state;
    write_idx("f-images", "f-unused");
    text_add(&text, "label\ncat\r\ndog\ncat");
    const char *labels = write_text("kinds.txt", &text);
    struct images_options options = {.labels = labels};
    struct images *images = load_or_stop(scratch_path("f-images"), &options);
    assert_string_equal(images->classes[0], "cat");
    assert_int_equal(images->labels[1], 1);
    images_free(images);
    scratch_write(labels, "cat\ndog\n", 8);
    struct error err = {0};
    assert_null(images_load(scratch_path("f-images"), &options, &err));
    assert_non_null(strstr(err.message, "kinds.txt: 2 labels, but "));
    scratch_write(labels, "cat\ndog\ncat\ndog\n", 16);
    err = (struct error){0};
    assert_null(images_load(scratch_path("f-images"), &options, &err));
    assert_non_null(strstr(err.message, "kinds.txt: more than 3 labels, but "));
    scratch_write(labels, "cat\n\ncat\n", 9);
    expect_error(scratch_path("f-images"), &options, "kinds.txt:2: a label is missing here");
}

static void test_samples(void **state)
{
    (void)state;
    write_idx("g-images-idx3-ubyte", "g-labels-idx1-ubyte");
    struct images_options options = {.samples = 2};
    struct images *images = load_or_stop(scratch_path("g-images-idx3-ubyte"), &options);
    assert_int_equal(images->count, 2);
    assert_int_equal(images->labels[0], 1);
    images_free(images);
}

static void test_known_classes(void **state)
{
    static const char *const classes[] = {"10", "3", "2"};
    static const char *const others[] = {"10", "3"};
    (void)state;
    write_idx("h-images-idx3-ubyte", "h-labels-idx1-ubyte");
    const char *path = scratch_path("h-images-idx3-ubyte");
    struct images_options options = {.known_classes = classes, .known_class_count = 3};
    struct images *images = load_or_stop(path, &options);
    assert_int_equal(images->class_count, 3);
    assert_int_equal(images->labels[0], 0);
    assert_int_equal(images->labels[1], 2);
    images_free(images);
    options = (struct images_options){.known_classes = others, .known_class_count = 2};
    expect_error(path, &options,
                 "h-labels-idx1-ubyte: label 2: '2' is not a class of the net; they are 10, 3");
    options = (struct images_options){.rows = 2, .columns = 5};
    expect_error(path, &options,
                 "h-images-idx3-ubyte: 2x4x1 (rows, columns, channels), but the net takes 2x5x1");
}

/* ---- pictures ---- */

/* Decode a PNG and compare its pixels. */
static void check_png(const struct png_form *form, int channels, const uint8_t *expected)
{
    struct text text = {0};
    struct error err = {0};
    struct picture picture;
    png_make(&text, form);
    struct picture_file file = {(const unsigned char *)text.data, text.length, "t.png"};
    if (!picture_read(&picture, &file, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(picture.rows, form->rows);
    assert_int_equal(picture.columns, form->columns);
    assert_int_equal(picture.channels, channels);
    assert_memory_equal(picture.pixels, expected,
                        (size_t)form->rows * (size_t)form->columns * (size_t)channels);
    picture_free(&picture);
    text_free(&text);
}

static void test_png_grey(void **state)
{
    (void)state;
    const struct png_form bits = {.rows = 2,
                                  .columns = 3,
                                  .colour = PNG_COLOR_TYPE_GRAY,
                                  .depth = 1,
                                  .samples = (const uint8_t[]){0xa0, 0x40}};
    check_png(&bits, 1, (const uint8_t[]){255, 0, 255, 0, 255, 0});
    const struct png_form pairs = {.rows = 1,
                                   .columns = 4,
                                   .colour = PNG_COLOR_TYPE_GRAY,
                                   .depth = 2,
                                   .samples = (const uint8_t[]){0x1b}};
    check_png(&pairs, 1, (const uint8_t[]){0, 85, 170, 255});
    const struct png_form wide = {.rows = 1,
                                  .columns = 3,
                                  .colour = PNG_COLOR_TYPE_GRAY,
                                  .depth = 16,
                                  .samples = (const uint8_t[]){0x12, 0x34, 0x80, 0x80, 0xff, 0x7f}};
    check_png(&wide, 1, (const uint8_t[]){0x12, 0x80, 255}); /* 65407 / 257 = 254.502 */
    const struct png_form half = {.rows = 1,
                                  .columns = 2,
                                  .colour = PNG_COLOR_TYPE_GRAY_ALPHA,
                                  .depth = 8,
                                  .samples = (const uint8_t[]){200, 255, 200, 128}};
    check_png(&half, 1, (const uint8_t[]){200, 100});
}

static void test_png_colour(void **state)
{
    (void)state;
    const struct png_form plain = {.rows = 1,
                                   .columns = 2,
                                   .colour = PNG_COLOR_TYPE_RGB,
                                   .depth = 8,
                                   .samples = (const uint8_t[]){1, 2, 3, 4, 5, 6}};
    check_png(&plain, 3, (const uint8_t[]){1, 2, 3, 4, 5, 6});
    const struct png_form clear = {.rows = 1,
                                   .columns = 2,
                                   .colour = PNG_COLOR_TYPE_RGB_ALPHA,
                                   .depth = 8,
                                   .samples = (const uint8_t[]){10, 20, 30, 0, 100, 150, 250, 51}};
    check_png(&clear, 3, (const uint8_t[]){0, 0, 0, 20, 30, 50});
    const struct png_form palette = {.rows = 1,
                                     .columns = 4,
                                     .colour = PNG_COLOR_TYPE_PALETTE,
                                     .depth = 2,
                                     .samples = (const uint8_t[]){0x18}, /* 0 1 2 0 */
                                     .palette =
                                         (const uint8_t[]){9, 8, 7, 100, 200, 50, 255, 255, 255},
                                     .palette_count = 3,
                                     .alpha = (const uint8_t[]){255, 127, 0}};
    check_png(&palette, 3, (const uint8_t[]){9, 8, 7, 50, 100, 25, 0, 0, 0, 9, 8, 7});
}

static void test_png_interlaced(void **state)
{
    uint8_t samples[9 * 11];
    (void)state;
    for (int i = 0; i < 99; i++) {
        samples[i] = (uint8_t)(2 * i);
    }
    const struct png_form form = {.rows = 9,
                                  .columns = 11,
                                  .colour = PNG_COLOR_TYPE_GRAY,
                                  .depth = 8,
                                  .interlaced = 1,
                                  .samples = samples};
    check_png(&form, 1, samples);
}

/* What says nothing of pixels is stepped over, however damaged or large: here a text whose packed
 * bytes are none. */
static void test_png_text(void **state)
{
    struct text text = {0};
    static const uint8_t sample[1] = {77};
    (void)state;
    png_grey(&text, 1, 1, sample);
    struct text file = {0};
    static const char chunk[] = "\0\0\0\6zTXta\0\0zzz\xd9\xcf\x2f\x2f";
    text_bytes(&file, text.data, 33); /* signature and IHDR */
    text_bytes(&file, chunk, 18);
    text_bytes(&file, text.data + 33, text.length - 33);
    uLong crc = crc32(0, (const Bytef *)file.data + 37, 10);
    for (int i = 0; i < 4; i++) {
        file.data[47 + i] = (char)(crc >> (24 - 8 * i));
    }
    struct error err = {0};
    struct picture picture;
    struct picture_file source = {(const unsigned char *)file.data, file.length, "t.png"};
    if (!picture_read(&picture, &source, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(picture.pixels[0], 77);
    picture_free(&picture);
    text_free(&file);
    text_free(&text);
}

/* Every byte missing at the end is noticed, except of the checksum of the last chunk: there too. */
static void test_png_cut(void **state)
{
    struct text text = {0};
    static const uint8_t samples[12] = {1, 2, 3};
    (void)state;
    png_grey(&text, 3, 4, samples);
    for (size_t size = 0; size < text.length; size++) {
        struct error err = {0};
        struct picture picture;
        struct picture_file file = {(const unsigned char *)text.data, size, "t.png"};
        assert_false(picture_read(&picture, &file, &err));
        assert_true(strncmp(err.message, "t.png: ", 7) == 0);
    }
    text_free(&text);
}

static void check_pnm(const char *text, size_t size, int channels, const char *expected)
{
    struct error err = {0};
    struct picture picture;
    struct picture_file file = {(const unsigned char *)text, size, "t.pgm"};
    char line[400] = "";
    if (picture_read(&picture, &file, &err)) {
        int count = picture.rows * picture.columns * picture.channels;
        assert_int_equal(picture.channels, channels);
        for (int i = 0; i < count; i++) {
            size_t used = strlen(line);
            (void)snprintf(line + used, sizeof line - used, "%d ", picture.pixels[i]);
        }
        picture_free(&picture);
    } else {
        (void)snprintf(line, sizeof line, "%s", err.message);
    }
    assert_string_equal(line, expected);
}

static void test_pnm(void **state)
{
    (void)state;
    check_pnm("P5\n2 2\n255\nabcd", 15, 1, "97 98 99 100 ");
    check_pnm("P5 # note\n2 # two\n1\n15\n\17\10", 26, 1, "255 136 ");
    check_pnm("P2 3 1 3 0 1 3\n", 15, 1, "0 85 255 ");
    check_pnm("P5 1 1 65535 \1\1", 15, 1, "1 ");
    check_pnm("P6 1 1 255 abc", 14, 3, "97 98 99 ");
    check_pnm("P3 1 1 7\n7 0 1", 14, 3, "255 0 36 ");
    check_pnm("P5 2 2 255 abc", 14, 1, "t.pgm: truncated, or a sample over 255, in row 2 of 2");
    check_pnm("P4 1 1 x", 8, 1, "t.pgm: a bitmap (P4): save it as PGM or PNG");
    check_pnm("P5 0 2 255 ", 11, 1, "t.pgm: a picture without pixels");
    check_pnm("P5 16777216 16777216 255 ", 25, 1,
              "t.pgm: 16777216 x 16777216 pixels are too many: at most 16384 a side and 16777216 "
              "bytes");
    check_pnm("P5 16777217 1 255 ", 18, 1,
              "t.pgm: damaged PGM or PPM: no width, height and largest value of 1 to 65535");
    check_pnm("P5 1 1 0 ", 9, 1,
              "t.pgm: damaged PGM or PPM: no width, height and largest value of 1 to 65535");
}

static void write_grey(const char *name, int rows, int columns, const uint8_t *samples)
{
    struct text text = {0};
    png_grey(&text, rows, columns, samples);
    (void)write_text(name, &text);
}

static void test_folder(void **state)
{
    (void)state;
    (void)scratch_folder("set");
    (void)scratch_folder("set/b");
    (void)scratch_folder("set/a");
    write_grey("set/b/2.png", 1, 2, (const uint8_t[]){3, 4});
    write_grey("set/b/1.png", 1, 2, (const uint8_t[]){5, 6});
    write_grey("set/a/x.png", 1, 2, (const uint8_t[]){7, 8});
    scratch_write(scratch_path("set/a/y.pgm"), "P5 2 1 255 ab", 13);
    scratch_write(scratch_path("set/a/.hidden"), "no picture", 10);
    assert_true(images_at(scratch_path("set"), &(struct error){0}));
    struct images *images = load_or_stop(scratch_path("set"), &nothing);
    assert_int_equal(images->count, 4);
    assert_memory_equal(images->pixels, ((const uint8_t[]){7, 8, 97, 98, 5, 6, 3, 4}), 8);
    assert_int_equal(images->class_count, 2);
    assert_string_equal(images->classes[1], "b");
    assert_memory_equal(images->labels, ((const uint16_t[]){0, 0, 1, 1}), 8);
    images_free(images);
    write_grey("set/b/3.png", 2, 1, (const uint8_t[]){3, 4});
    expect_error(scratch_path("set"), &nothing, "3.png: 1 x 2 pixels, but those before have 2 x 1");
}

static void test_folder_flat(void **state)
{
    (void)state;
    (void)scratch_folder("flat");
    write_grey("flat/2.png", 1, 1, (const uint8_t[]){3});
    write_grey("flat/1.png", 1, 1, (const uint8_t[]){5});
    struct images *images = load_or_stop(scratch_path("flat"), &nothing);
    assert_int_equal(images->count, 2);
    assert_memory_equal(images->pixels, ((const uint8_t[]){5, 3}), 2);
    assert_null(images->labels);
    images_free(images);
    scratch_write(scratch_path("flat.txt"), "up\ndown\n", 8);
    struct images_options options = {.labels = scratch_path("flat.txt")};
    images = load_or_stop(scratch_path("flat"), &options);
    assert_memory_equal(images->labels, ((const uint16_t[]){1, 0}), 4);
    images_free(images);
    images = load_or_stop(scratch_path("flat/2.png"), &nothing);
    assert_int_equal(images->count, 1);
    images_free(images);
    images = load_or_stop(scratch_path("flat/2.png"), &(struct images_options){.channels = 3});
    assert_memory_equal(images->pixels, ((const uint8_t[]){3, 3, 3}), 3);
    images_free(images);
}

static void test_folder_bad(void **state)
{
    (void)state;
    (void)scratch_folder("bad");
    expect_error(scratch_path("bad"), &nothing, "bad: a folder without pictures");
    (void)scratch_folder("bad/b");
    expect_error(scratch_path("bad"), &nothing, "b: a class without images");
    write_grey("bad/b/1.png", 1, 1, (const uint8_t[]){5});
    expect_error(scratch_path("bad"), &nothing, "bad: the labels have only one class, 'b'");
    (void)scratch_folder("bad/c");
    scratch_write(scratch_path("bad/c/notes.txt"), "hello", 5);
    expect_error(scratch_path("bad"), &nothing, "notes.txt: no picture: PNG, PGM and PPM are read");
    scratch_write(scratch_path("bad/c/notes.txt"), "\0\0\10\3", 4);
    expect_error(scratch_path("bad"), &nothing,
                 "notes.txt: an IDX file: name it instead of its folder");
    scratch_write(scratch_path("bad/c/notes.txt"), "P6 1 1 255 abc", 14);
    expect_error(scratch_path("bad"), &nothing,
                 "notes.txt: in colours, but those before are grey; a size such as 1x1x1 in --net "
                 "makes all grey");
    struct images *images =
        load_or_stop(scratch_path("bad"), &(struct images_options){.channels = 1});
    assert_int_equal(images->pixels[1], (77 * 97 + 150 * 98 + 29 * 99 + 128) / 256);
    images_free(images);
    scratch_write(scratch_path("bad/loose.png"), "x", 1);
    expect_error(scratch_path("bad"), &nothing,
                 "loose.png: a file among folders, each of which is a class");
    (void)remove(scratch_path("bad/loose.png"));
    scratch_write(scratch_path("bad/README"), "x", 1); /* in front of all folders */
    expect_error(scratch_path("bad"), &nothing,
                 "README: a file among folders, each of which is a class");
    (void)remove(scratch_path("bad/README"));
    assert_int_equal(mkfifo(scratch_path("bad/b/0"), 0600), 0);
    expect_error(scratch_path("bad"), &nothing, "0: neither a file nor a folder");
    (void)remove(scratch_path("bad/b/0"));
    (void)scratch_folder("bad/b/deep");
    expect_error(scratch_path("bad"), &nothing, "deep: a folder among pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx),           cmocka_unit_test(test_idx_gzip),
        cmocka_unit_test(test_idx_cut),       cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_archive),       cmocka_unit_test(test_archive_kinds),
        cmocka_unit_test(test_text_labels),   cmocka_unit_test(test_samples),
        cmocka_unit_test(test_known_classes), cmocka_unit_test(test_png_grey),
        cmocka_unit_test(test_png_colour),    cmocka_unit_test(test_png_interlaced),
        cmocka_unit_test(test_png_cut),       cmocka_unit_test(test_png_text),
        cmocka_unit_test(test_pnm),           cmocka_unit_test(test_folder),
        cmocka_unit_test(test_folder_flat),   cmocka_unit_test(test_folder_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
