/* Folders of pictures; folders in them are classes. */
#include "data/gather.h"
#include "data/picture.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MAX 10000000

/* Names in a folder, sorted by bytes; hidden ones left out. */
struct listing {
    char **names;
    size_t count;
    size_t room;
};

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool add(struct listing *listing, const char *name)
{
    if (listing->count == listing->room) {
        size_t room = 2 * listing->room + 64;
        char **names = realloc(listing->names, room * sizeof *names);
        if (!names) {
            return false;
        }
        listing->names = names;
        listing->room = room;
    }
    listing->names[listing->count] = strdup(name);
    return listing->names[listing->count] && ++listing->count <= ENTRIES_MAX;
}

static void listing_free(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->names[i]);
    }
    free(listing->names);
}

static bool list(struct listing *listing, const char *path, struct error *err)
{
    *listing = (struct listing){0};
    DIR *folder = opendir(path);
    if (!folder) {
        return fail(err, "%s: %s", path, strerror(errno));
    }
    bool room = true;
    errno = 0;
    for (struct dirent *entry; room && (entry = readdir(folder)) != NULL;) {
        room = entry->d_name[0] == '.' || add(listing, entry->d_name);
    }
    int kept = errno;
    (void)closedir(folder);
    if (!room) {
        return fail_memory(err);
    }
    if (kept != 0) {
        return fail(err, "%s: %s", path, strerror(kept));
    }
    if (listing->count > 1) {
        qsort(listing->names, listing->count, sizeof *listing->names, by_bytes);
    }
    return true;
}

/* "folder/name", malloc'd. */
static char *join(const char *folder, const char *name, struct error *err)
{
    struct text path = {0};
    size_t length = strlen(folder);
    text_add(&path, folder);
    text_add(&path, length > 0 && folder[length - 1] == '/' ? "" : "/");
    text_add(&path, name);
    if (path.failed) {
        text_free(&path);
        fail_memory(err);
        return NULL;
    }
    return path.data;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- one picture ---- */

/* Where nothing is expected the first picture says how large all are, and whether grey. */
static bool same_shape(struct gather *gather, struct picture *picture, const char *name,
                       struct error *err)
{
    struct images *images = gather->images;
    int wanted = gather->options->channels;
    if ((wanted == 1 || wanted == 3) && !picture_convert(picture, wanted)) {
        return fail_memory(err);
    }
    if (images->count == 0) {
        const size_t shape[3] = {(size_t)picture->rows, (size_t)picture->columns,
                                 (size_t)picture->channels};
        return gather_shape(gather, shape, name, err);
    }
    if (picture->rows != images->rows || picture->columns != images->columns) {
        return fail(err, "%s: %d x %d pixels, but those before have %d x %d", name,
                    picture->columns, picture->rows, images->columns, images->rows);
    }
    return picture->channels == images->channels ||
           fail(err,
                "%s: %s, but those before are %s; a size such as %dx%dx1 in --net makes all grey",
                name, picture->channels == 3 ? "in colours" : "grey",
                images->channels == 3 ? "in colours" : "grey", images->rows, images->columns);
}

static bool take_picture(struct gather *gather, struct picture *picture, const char *name,
                         struct error *err)
{
    if (!same_shape(gather, picture, name, err)) {
        return false;
    }
    uint8_t *to = gather_room(gather, err);
    if (!to) {
        return false;
    }
    memcpy(to, picture->pixels, images_size(gather->images));
    gather_commit(gather);
    return true;
}

static bool read_picture(struct gather *gather, const struct picture_file *file, struct error *err)
{
    struct picture picture;
    bool read =
        picture_read(&picture, file, err) && take_picture(gather, &picture, file->name, err);
    picture_free(&picture);
    return read;
}

/* Not a pipe, whose other end may never come. */
static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

static bool read_file(struct gather *gather, const char *path, struct error *err)
{
    size_t size = 0;
    if (!is_file(path)) {
        return fail(err, "%s: neither a file nor a folder", path);
    }
    unsigned char *bytes = file_read(path, PICTURE_FILE_MAX, &size, err);
    struct picture_file file = {bytes, size, path};
    if (bytes && idx_known(bytes, size)) {
        fail(err, "%s: an IDX file: name it instead of its folder", path);
    }
    bool read = bytes && !err->failed && read_picture(gather, &file, err);
    free(bytes);
    return read;
}

static bool source_bytes(const struct source *source, struct text *bytes, struct error *err)
{
    char piece[4096];
    size_t got = sizeof piece;
    while (got == sizeof piece) {
        if (!source->read(source->context, piece, sizeof piece, &got, err)) {
            return false;
        }
        text_bytes(bytes, piece, got);
        if (bytes->failed) {
            return fail_memory(err);
        }
        if (bytes->length > PICTURE_FILE_MAX) {
            return fail(err, "%s: larger than %zu bytes", source->name, PICTURE_FILE_MAX);
        }
    }
    return true;
}

bool picture_images(struct gather *gather, const struct source *source, struct error *err)
{
    struct text bytes = {0};
    bool read = source_bytes(source, &bytes, err);
    struct picture_file file = {(const unsigned char *)bytes.data, bytes.length, source->name};
    read = read && read_picture(gather, &file, err);
    gather->stated = 1;
    text_free(&bytes);
    return read;
}

/* ---- folders ---- */

/* The pictures of a folder, with its name as their label where it has one. */
static bool read_pictures(struct gather *gather, const char *folder, const struct listing *listing,
                          const char *label, struct error *err)
{
    for (size_t i = 0; i < listing->count; i++) {
        if ((size_t)gather->images->count == gather->limit) {
            return true;
        }
        char *path = join(folder, listing->names[i], err);
        bool read = path && (is_folder(path) ? fail(err, "%s: a folder among pictures", path)
                                             : read_file(gather, path, err));
        read = read && (!label || gather_label(gather, label, path, err));
        free(path);
        if (!read) {
            return false;
        }
    }
    return true;
}

static bool read_class(struct gather *gather, const char *folder, const char *label,
                       struct error *err)
{
    struct listing listing;
    bool keep = !gather->options->no_labels && !gather->options->labels;
    bool read = list(&listing, folder, err) &&
                (listing.count > 0 || fail(err, "%s: a class without images", folder)) &&
                read_pictures(gather, folder, &listing, keep ? label : NULL, err);
    listing_free(&listing);
    return read;
}

static bool read_classes(struct gather *gather, const char *folder, const struct listing *listing,
                         struct error *err)
{
    for (size_t i = 0; i < listing->count; i++) {
        char *path = join(folder, listing->names[i], err);
        bool read = path && read_class(gather, path, listing->names[i], err);
        free(path);
        if (!read) {
            return false;
        }
    }
    return true;
}

/* 1: all entries are folders; 0: none is; -1: failure. */
static int folders_inside(const char *folder, const struct listing *listing, struct error *err)
{
    size_t found = 0;
    for (size_t i = 0; i < listing->count; i++) {
        char *path = join(folder, listing->names[i], err);
        if (!path) {
            return -1;
        }
        bool inside = is_folder(path);
        if (found != (inside ? i : 0)) { /* the one that is no folder */
            fail(err, "%s/%s: a file among folders, each of which is a class", folder,
                 listing->names[inside ? i - 1 : i]);
        }
        found += inside;
        free(path);
        if (err->failed) {
            return -1;
        }
    }
    return found > 0;
}

static bool read_listing(struct gather *gather, const char *path, const struct listing *listing,
                         struct error *err)
{
    int classes = folders_inside(path, listing, err);
    if (classes < 0) {
        return false;
    }
    bool read = classes ? read_classes(gather, path, listing, err)
                        : read_pictures(gather, path, listing, NULL, err);
    gather->stated = (size_t)gather->images->count;
    return read && (gather->stated > 0 || fail(err, "%s: a folder without pictures", path));
}

bool folder_images(struct gather *gather, const char *path, struct error *err)
{
    struct listing listing;
    bool read = list(&listing, path, err) && read_listing(gather, path, &listing, err);
    listing_free(&listing);
    return read;
}
