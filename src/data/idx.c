/* IDX, the format of MNIST: two zero bytes, the type 8 (uint8), the number of dimensions, each
 * dimension as 32 bits, big-endian, then the bytes. */
#include "data/gather.h"

#include "base/bytes.h"

#include <stdio.h>

#define TYPE_BYTE      8
#define DIMENSIONS_MAX 4

bool idx_known(const unsigned char *bytes, size_t size)
{
    return size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14 &&
           bytes[3] >= 1;
}

struct idx {
    int dimensions;
    uint32_t lengths[DIMENSIONS_MAX];
};

static bool read_header(struct idx *idx, const struct source *source, struct error *err)
{
    unsigned char start[4];
    unsigned char lengths[4 * DIMENSIONS_MAX];
    size_t got = 0;
    if (!source->read(source->context, start, sizeof start, &got, err)) {
        return false;
    }
    if (got < sizeof start || !idx_known(start, sizeof start)) {
        return fail(err, "%s: no IDX file", source->name);
    }
    if (start[2] != TYPE_BYTE) {
        return fail(err, "%s: IDX elements of type 0x%02x; bytes (0x08) are read", source->name,
                    start[2]);
    }
    idx->dimensions = start[3];
    if (idx->dimensions > DIMENSIONS_MAX) {
        return fail(err, "%s: %d dimensions; images have three or four, labels one", source->name,
                    idx->dimensions);
    }
    size_t size = 4 * (size_t)idx->dimensions;
    if (!source->read(source->context, lengths, size, &got, err)) {
        return false;
    }
    struct bytes reader = bytes_of(lengths, got);
    for (int i = 0; i < idx->dimensions; i++) {
        idx->lengths[i] = bytes_u32_big(&reader);
    }
    return !reader.bad || fail(err, "%s: truncated in the header", source->name);
}

bool idx_images(struct gather *gather, const struct source *source, struct error *err)
{
    struct idx idx = {0};
    if (!read_header(&idx, source, err)) {
        return false;
    }
    if (idx.dimensions == 1) {
        return fail(err, "%s: labels (one dimension), not images", source->name);
    }
    if (idx.dimensions == 2) {
        return fail(err, "%s: two dimensions; images have three or four", source->name);
    }
    size_t shape[3] = {idx.lengths[1], idx.lengths[2], idx.dimensions == 4 ? idx.lengths[3] : 1};
    return gather_shape(gather, shape, source->name, err) &&
           gather_count(gather, idx.lengths[0], source->name, err) &&
           gather_pixels(gather, source, err);
}

static bool read_labels(struct gather *gather, const struct source *source, size_t count,
                        struct error *err)
{
    unsigned char buffer[4096];
    char text[8];
    char place[400];
    size_t got = 0;
    size_t done = 0;
    while (done < count) {
        size_t want = count - done < sizeof buffer ? count - done : sizeof buffer;
        if (!source->read(source->context, buffer, want, &got, err)) {
            return false;
        }
        for (size_t i = 0; i < got; i++) {
            (void)snprintf(text, sizeof text, "%u", buffer[i]);
            (void)snprintf(place, sizeof place, "%.300s: label %zu", source->name, done + i + 1);
            if (!gather_label(gather, text, place, err)) {
                return false;
            }
        }
        done += got;
        if (got < want) {
            return fail(err, "%s: truncated behind label %zu of %zu", source->name, done,
                        gather->stated);
        }
    }
    return true;
}

bool idx_labels(struct gather *gather, const struct source *source, struct error *err)
{
    struct idx idx = {0};
    size_t images = (size_t)gather->images->count;
    if (!read_header(&idx, source, err)) {
        return false;
    }
    if (idx.dimensions != 1) {
        return fail(err, "%s: %d dimensions; labels have one", source->name, idx.dimensions);
    }
    if (idx.lengths[0] != gather->stated) {
        return fail(err, "%s: %lu labels, but %s has %zu images", source->name,
                    (unsigned long)idx.lengths[0], gather->images->source, gather->stated);
    }
    unsigned char byte;
    size_t got = 0;
    if (!read_labels(gather, source, images, err)) {
        return false;
    }
    return images < gather->stated ||
           (source->read(source->context, &byte, 1, &got, err) &&
            (got == 0 || fail(err, "%s: more bytes follow the %zu labels", source->name, images)));
}
