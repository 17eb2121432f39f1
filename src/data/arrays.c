/* Images and labels from NumPy arrays, alone or in an archive. */
#include "data/gather.h"
#include "data/zip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

/* ---- images ---- */

static bool check_type(const struct npy_header *header, const char *name, struct error *err)
{
    if (header->type.kind != 'u' || header->type.size != 1) {
        return fail(err,
                    "%s: images need dtype uint8, raw codes 0 to 255: convert with "
                    "(x * 255).astype('uint8') or alike",
                    name);
    }
    if (header->fortran) {
        return fail(err, "%s: Fortran order: save numpy.ascontiguousarray(x) instead", name);
    }
    if (header->dimensions < 3 || header->dimensions > 4) {
        return fail(err,
                    "%s: an array of %d dimensions; images are (count, rows, columns) or "
                    "(count, rows, columns, channels)",
                    name, header->dimensions);
    }
    return true;
}

bool arrays_images(struct gather *gather, const struct source *source, struct error *err)
{
    struct npy_header header;
    if (!npy_header_read(&header, source, err) || !check_type(&header, source->name, err)) {
        return false;
    }
    size_t shape[3] = {header.lengths[1], header.lengths[2],
                       header.dimensions == 4 ? header.lengths[3] : 1};
    return gather_shape(gather, shape, source->name, err) &&
           gather_count(gather, header.lengths[0], source->name, err) &&
           gather_pixels(gather, source, err);
}

/* ---- labels ---- */

static bool take_label(struct gather *gather, double value, const char *place, struct error *err)
{
    char text[32];
    if (!(fabs(value) <= EXACT_MAX)) {
        return fail(err, "%s: not a number that a label can be", place);
    }
    (void)snprintf(text, sizeof text, floor(value) == value ? "%.0f" : "%.9g", value + 0.0);
    return gather_label(gather, text, place, err);
}

static bool check_labels(const struct gather *gather, const struct npy *npy, struct error *err)
{
    const struct npy_header *header = &npy->header;
    if (header->columns != 1) {
        return fail(err, "%s: labels need one column, but there are %zu", npy->source.name,
                    header->columns);
    }
    return header->rows == gather->stated ||
           fail(err, "%s: %zu labels, but %s has %zu images", npy->source.name, header->rows,
                gather->images->source, gather->stated);
}

static bool read_labels(struct gather *gather, struct npy *npy, struct error *err)
{
    char place[400];
    double value;
    size_t count = (size_t)gather->images->count;
    if (!check_labels(gather, npy, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(place, sizeof place, "%.300s: label %zu", npy->source.name, i + 1);
        if (!npy_row(npy, &value, err) || !take_label(gather, value, place, err)) {
            return false;
        }
    }
    return count < gather->stated || npy_end(npy, err);
}

bool arrays_labels(struct gather *gather, const struct source *source, struct error *err)
{
    struct npy npy;
    bool read = npy_open(&npy, source, (size_t)gather->images->count, err) &&
                read_labels(gather, &npy, err);
    npy_close(&npy);
    return read;
}

/* ---- archives ---- */

/* The usual names of images and their labels. */
static const char *const pairs[][2] = {
    {"x.npy", "y.npy"},
    {"X.npy", "y.npy"},
    {"X.npy", "Y.npy"},
    {"images.npy", "labels.npy"},
    {"x_train.npy", "y_train.npy"}, /* Keras */
    {"train_images.npy", "train_labels.npy"},
    {"arr_0.npy", "arr_1.npy"},
};
#define PAIRS ((int)(sizeof pairs / sizeof *pairs))

static struct zip_member *find(const struct zip *zip, const char *name)
{
    for (int i = 0; i < zip->member_count; i++) {
        if (strcmp(zip->members[i].name, name) == 0) {
            return &zip->members[i];
        }
    }
    return NULL;
}

/* The images (which 0) or labels (1) of the first pair that has images, else the only member. */
static struct zip_member *choose(const struct zip *zip, int which)
{
    for (int i = 0; i < PAIRS; i++) {
        if (find(zip, pairs[i][0])) {
            return find(zip, pairs[i][which]);
        }
    }
    return zip->member_count == 1 ? &zip->members[0] : NULL;
}

typedef bool member_reader(struct gather *gather, const struct source *source, struct error *err);

static bool read_member(struct gather *gather, const struct zip *zip, struct zip_member *member,
                        member_reader *read, struct error *err)
{
    char name[400];
    (void)snprintf(name, sizeof name, "%.300s: %s", zip->source, member->name);
    struct zip_reader *reader = zip_reader_new(zip, member, err);
    struct source source = {zip_read, reader, name};
    bool good = reader && read(gather, &source, err);
    zip_reader_free(reader);
    return good;
}

static bool read_archive(struct gather *gather, const struct zip *zip, bool labels,
                         struct error *err)
{
    struct zip_member *images = choose(zip, 0);
    struct zip_member *beside = labels ? choose(zip, 1) : NULL;
    if (!images) {
        return fail(err, "%s: no x.npy or images.npy among %d members", zip->source,
                    zip->member_count);
    }
    return read_member(gather, zip, images, arrays_images, err) &&
           (!beside || beside == images || read_member(gather, zip, beside, arrays_labels, err));
}

bool arrays_archive(struct gather *gather, const char *path, bool labels, struct error *err)
{
    struct zip zip;
    bool read = zip_open(&zip, path, err) && read_archive(gather, &zip, labels, err);
    zip_close(&zip);
    return read;
}

bool arrays_archive_labels(struct gather *gather, const char *path, struct error *err)
{
    struct zip zip;
    bool read = zip_open(&zip, path, err);
    if (read) {
        struct zip_member *member = choose(&zip, 1);
        member = member ? member : find(&zip, "y.npy");
        read = member ? read_member(gather, &zip, member, arrays_labels, err)
                      : fail(err, "%s: no y.npy or labels.npy", path);
    }
    zip_close(&zip);
    return read;
}

/* Into gather->stated, for want of images. */
static bool note_dimensions(struct gather *gather, const struct source *source, struct error *err)
{
    struct npy_header header;
    bool read = npy_header_read(&header, source, err);
    gather->stated = read ? (size_t)header.dimensions : 0;
    return read;
}

bool arrays_archive_known(const char *path, struct error *err)
{
    struct zip zip;
    struct gather gather = {.stated = 0};
    bool read = zip_open(&zip, path, err);
    struct zip_member *images = read ? choose(&zip, 0) : NULL;
    read = images && read_member(&gather, &zip, images, note_dimensions, err);
    zip_close(&zip);
    return read && gather.stated > 2;
}
