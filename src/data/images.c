/* From a path to images: the format is told by the first bytes. */
#include "data/images.h"

#include "base/hash.h"
#include "data/gather.h"
#include "data/picture.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- which format ---- */

enum format { FORMAT_OTHER, FORMAT_IDX, FORMAT_ARRAY, FORMAT_ARCHIVE, FORMAT_PICTURE };

static enum format find_format(const unsigned char *start, size_t size)
{
    if (idx_known(start, size)) {
        return FORMAT_IDX;
    }
    if (size >= 6 && memcmp(start, "\x93NUMPY", 6) == 0) {
        return FORMAT_ARRAY;
    }
    if (size >= 4 && memcmp(start, "PK\3\4", 4) == 0) {
        return FORMAT_ARCHIVE;
    }
    return picture_known(start, size) ? FORMAT_PICTURE : FORMAT_OTHER;
}

static bool read_stream(void *context, void *to, size_t want, size_t *got, struct error *err)
{
    return stream_read(context, to, want, got, err);
}

/* The first bytes; a file may be shorter. */
static bool peek(struct stream *stream, struct error *err)
{
    while (stream->end < 8 && !stream->ended) {
        if (!stream_more(stream, err)) {
            return false;
        }
    }
    return stream->end > 0 || fail(err, "%s: empty", stream->source);
}

static bool read_images(struct gather *gather, struct stream *stream, const char *path,
                        struct error *err)
{
    struct source source = {read_stream, stream, stream->source};
    bool archived = !gather->options->no_labels && !gather->options->labels;
    if (!peek(stream, err)) {
        return false;
    }
    switch (find_format((const unsigned char *)stream->data, stream->end)) {
    case FORMAT_IDX: return idx_images(gather, &source, err);
    case FORMAT_ARRAY: return arrays_images(gather, &source, err);
    case FORMAT_ARCHIVE:
        return stream_plain(stream)
                   ? arrays_archive(gather, path, archived, err)
                   : fail(err, "%s: a zip archive inside of gzip: unpack it first", path);
    case FORMAT_PICTURE: return picture_images(gather, &source, err);
    case FORMAT_OTHER: break;
    }
    return fail(err, "%s: no images: IDX, .npy, .npz, PNG, PGM, PPM and folders are read",
                stream->source);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- is it one? ---- */

/* What is wrong with a file its reader will tell; but lack of memory is no answer. */
static bool keep_memory(const struct error *found, struct error *err)
{
    struct error memory = {0};
    fail_memory(&memory);
    return found->failed && strcmp(found->message, memory.message) == 0 && fail_memory(err);
}

/* An array of images, and not a table. */
static bool array_of_images(const struct source *source, struct error *err)
{
    struct npy_header header;
    struct error own = {0};
    return (npy_header_read(&header, source, &own) && header.dimensions > 2) ||
           keep_memory(&own, err);
}

static bool archive_of_images(const char *path, struct error *err)
{
    struct error own = {0};
    return arrays_archive_known(path, &own) || keep_memory(&own, err);
}

static bool stream_of_images(struct stream *stream, const char *path, struct error *err)
{
    struct source source = {read_stream, stream, stream->source};
    if (!peek(stream, err)) {
        return false;
    }
    switch (find_format((const unsigned char *)stream->data, stream->end)) {
    case FORMAT_IDX:
    case FORMAT_PICTURE: return true;
    case FORMAT_ARRAY: return array_of_images(&source, err);
    case FORMAT_ARCHIVE: return archive_of_images(path, err);
    case FORMAT_OTHER: break;
    }
    return false;
}

bool images_at(const char *path, struct error *err)
{
    struct stat status;
    struct stream stream;
    if (strcmp(path, "-") == 0 || stat(path, &status) != 0) {
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        return true;
    }
    if (!S_ISREG(status.st_mode)) {
        return false;
    }
    bool found = stream_open(&stream, path, err) && stream_of_images(&stream, path, err);
    stream_close(&stream);
    return found;
}

static bool stream_is_flat(struct stream *stream, struct error *err)
{
    struct npy_header header;
    struct source source = {read_stream, stream, stream->source};
    return peek(stream, err) &&
           find_format((const unsigned char *)stream->data, stream->end) == FORMAT_ARRAY &&
           npy_header_read(&header, &source, err) && header.dimensions == 2 &&
           header.type.kind == 'u' && header.type.size == 1;
}

bool images_flat(const char *path)
{
    struct stat status;
    struct stream stream;
    struct error err = {0};
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    bool flat = stream_open(&stream, path, &err) && stream_is_flat(&stream, &err);
    stream_close(&stream);
    return flat;
}

/* ---- loading ---- */

/* Classes in their order, at least two of them. */
static bool finish_labels(struct gather *gather, struct error *err)
{
    struct images *images = gather->images;
    if (gather->label_count == 0) {
        return true;
    }
    if (!gather->labels.known) {
        const int32_t *order = labels_sort(&gather->labels);
        if (!order) {
            return fail_memory(err);
        }
        for (int i = 0; i < images->count; i++) {
            images->labels[i] = (uint16_t)order[images->labels[i]];
        }
    }
    images->classes = gather->labels.names;
    images->class_count = gather->labels.count;
    return images->class_count > 1 || fail(err, "%s: the labels have only one class, '%s'",
                                           images->source, images->classes[0]);
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> 8 * i);
    }
    return hash_bytes(hash, bytes, sizeof bytes);
}

static uint64_t hash_images(const struct images *images)
{
    uint64_t hash = hash_number(HASH_START, (uint64_t)images->count);
    hash = hash_number(hash, (uint64_t)images->rows);
    hash = hash_number(hash, (uint64_t)images->columns);
    hash = hash_number(hash, (uint64_t)images->channels);
    hash = hash_bytes(hash, images->pixels, (size_t)images->count * images_size(images));
    for (int i = 0; images->labels && i < images->count; i++) {
        const unsigned char bytes[2] = {(unsigned char)images->labels[i],
                                        (unsigned char)(images->labels[i] >> 8)};
        hash = hash_bytes(hash, bytes, sizeof bytes);
    }
    for (int i = 0; i < images->class_count; i++) {
        hash = hash_bytes(hash, images->classes[i], strlen(images->classes[i]) + 1);
    }
    return hash;
}

static bool read_pixels(struct gather *gather, const char *path, struct error *err)
{
    struct stream stream;
    if (is_folder(path)) {
        return folder_images(gather, path, err);
    }
    bool read = stream_open(&stream, path, err) && read_images(gather, &stream, path, err);
    stream_close(&stream);
    return read;
}

static bool load(struct gather *gather, const char *path, struct error *err)
{
    struct images *images = gather->images;
    const struct images_options *options = gather->options;
    images->source = arena_string(images->arena, strcmp(path, "-") == 0 ? "<stdin>" : path);
    if (!images->source || !labels_start(&gather->labels, images->arena, options->known_classes,
                                         options->known_class_count)) {
        return fail_memory(err);
    }
    if (!read_pixels(gather, path, err)) {
        return false;
    }
    bool have = gather->label_count > 0 || options->no_labels;
    if ((!have && !labels_beside(gather, path, err)) || !finish_labels(gather, err)) {
        return false;
    }
    images->hash = hash_images(images);
    return true;
}

static struct images *images_new(void)
{
    struct images *images = calloc(1, sizeof *images);
    struct arena *arena = images ? arena_new() : NULL;
    if (!arena) {
        free(images);
        return NULL;
    }
    images->arena = arena;
    images->note = "";
    return images;
}

struct images *images_load(const char *path, const struct images_options *options,
                           struct error *err)
{
    struct gather gather = {.images = images_new(),
                            .options = options,
                            .limit = options->samples ? options->samples : INT_MAX};
    if (!gather.images) {
        fail_memory(err);
        return NULL;
    }
    if (!load(&gather, path, err)) {
        images_free(gather.images);
        return NULL;
    }
    return gather.images;
}

void images_free(struct images *images)
{
    if (!images) {
        return;
    }
    free(images->pixels);
    free(images->labels);
    arena_free(images->arena);
    free(images);
}

size_t images_size(const struct images *images)
{
    return (size_t)images->rows * (size_t)images->columns * (size_t)images->channels;
}

const uint8_t *images_pixels(const struct images *images, size_t index)
{
    return images->pixels + index * images_size(images);
}
