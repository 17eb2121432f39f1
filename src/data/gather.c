#include "data/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t shape_size(const size_t shape[3])
{
    return shape[0] * shape[1] * shape[2];
}

static bool check_expected(const struct gather *gather, const size_t shape[3], const char *name,
                           struct error *err)
{
    const struct images_options *o = gather->options;
    if ((o->rows && shape[0] != (size_t)o->rows) ||
        (o->columns && shape[1] != (size_t)o->columns) ||
        (o->channels && shape[2] != (size_t)o->channels)) {
        return fail(err, "%s: %zux%zux%zu (rows, columns, channels), but the net takes %dx%dx%d",
                    name, shape[0], shape[1], shape[2], o->rows ? o->rows : (int)shape[0],
                    o->columns ? o->columns : (int)shape[1],
                    o->channels ? o->channels : (int)shape[2]);
    }
    return true;
}

bool gather_shape(struct gather *gather, const size_t shape[3], const char *name, struct error *err)
{
    struct images *images = gather->images;
    if (shape[0] == 0 || shape[1] == 0 || shape[2] == 0) {
        return fail(err, "%s: images without pixels", name);
    }
    if (shape[0] > IMAGE_SIDE_MAX || shape[1] > IMAGE_SIDE_MAX || shape[2] > IMAGE_CHANNELS_MAX ||
        shape_size(shape) > IMAGE_BYTES_MAX) {
        return fail(err,
                    "%s: images of %zux%zux%zu are too large: at most %d a side, %d channels and "
                    "%zu bytes",
                    name, shape[0], shape[1], shape[2], IMAGE_SIDE_MAX, IMAGE_CHANNELS_MAX,
                    IMAGE_BYTES_MAX);
    }
    images->rows = (int)shape[0];
    images->columns = (int)shape[1];
    images->channels = (int)shape[2];
    return check_expected(gather, shape, name, err);
}

bool gather_count(struct gather *gather, uint64_t count, const char *name, struct error *err)
{
    uint64_t size = images_size(gather->images);
    uint64_t wanted = count < gather->limit ? count : gather->limit;
    gather->stated = (size_t)count;
    if (count == 0) {
        return fail(err, "%s: no images", name);
    }
    if (wanted > IMAGES_BYTES_MAX / size) {
        return fail(err,
                    "%s: %llu images of %llu bytes are more than 2 GiB: use --samples to read "
                    "fewer",
                    name, (unsigned long long)count, (unsigned long long)size);
    }
    return true;
}

uint8_t *gather_room(struct gather *gather, struct error *err)
{
    struct images *images = gather->images;
    size_t size = images_size(images);
    size_t used = (size_t)images->count * size;
    if (used + size > IMAGES_BYTES_MAX) {
        fail(err, "%s: images of more than 2 GiB: use --samples to read fewer", images->source);
        return NULL;
    }
    if (used + size > gather->room) {
        size_t room = 2 * gather->room + 16 * size;
        room = room < IMAGES_BYTES_MAX ? room : (size_t)IMAGES_BYTES_MAX;
        uint8_t *pixels = realloc(images->pixels, room);
        if (!pixels) {
            fail_memory(err);
            return NULL;
        }
        images->pixels = pixels;
        gather->room = room;
    }
    return images->pixels + used;
}

void gather_commit(struct gather *gather)
{
    gather->images->count++;
}

bool gather_pixels(struct gather *gather, const struct source *source, struct error *err)
{
    size_t size = images_size(gather->images);
    size_t wanted = gather->stated < gather->limit ? gather->stated : gather->limit;
    size_t got = 0;
    unsigned char byte;
    for (size_t i = 0; i < wanted; i++) {
        uint8_t *to = gather_room(gather, err);
        if (!to || !source->read(source->context, to, size, &got, err)) {
            return false;
        }
        if (got < size) {
            return fail(err, "%s: truncated in image %zu of %zu", source->name, i + 1,
                        gather->stated);
        }
        gather_commit(gather);
    }
    if (wanted < gather->stated) {
        return true;
    }
    return source->read(source->context, &byte, 1, &got, err) &&
           (got == 0 ||
            fail(err, "%s: more bytes follow the %zu images", source->name, gather->stated));
}

static bool label_room(struct gather *gather)
{
    struct images *images = gather->images;
    if (gather->label_count < gather->label_room) {
        return true;
    }
    size_t room = 2 * gather->label_room + 256;
    uint16_t *labels = realloc(images->labels, room * sizeof *labels);
    if (labels) {
        images->labels = labels;
        gather->label_room = room;
    }
    return labels != NULL;
}

bool gather_label(struct gather *gather, const char *text, const char *place, struct error *err)
{
    struct reason reason = {""};
    int index = labels_index(&gather->labels, text, strlen(text), &reason);
    if (index < 0) {
        return reason.text[0] ? fail(err, "%s: %s", place, reason.text) : fail_memory(err);
    }
    if (!label_room(gather)) {
        return fail_memory(err);
    }
    gather->images->labels[gather->label_count++] = (uint16_t)index;
    return true;
}
