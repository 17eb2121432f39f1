/* Images under construction: memory grows with what is really read, whatever a header claims.
 *
 * A reader calls gather_shape() once it knows the size of an image, then gather_room() and
 * gather_commit() for pixels; labels come in any order before or after, one gather_label() each in
 * the order of the images. */
#ifndef MOTE_DATA_GATHER_H
#define MOTE_DATA_GATHER_H

#include "data/images.h"
#include "data/labels.h"
#include "data/npy.h"

struct gather {
    struct images *images;
    const struct images_options *options;
    struct labels labels;
    size_t label_count; /* labels so far */
    size_t room;        /* bytes that images->pixels can hold */
    size_t label_room;  /* entries that images->labels can hold */
    size_t limit;       /* images to read at most */
    size_t stated;      /* images that the file has, those beyond `limit` included */
};

/* All images have this size; `name` is the file that says so.  Fails where the options expect
 * another one, or it is none that an image can have. */
bool gather_shape(struct gather *gather, const size_t shape[3], const char *name,
                  struct error *err);

/* `count` images of that size are there: few enough?  Sets `stated`. */
bool gather_count(struct gather *gather, uint64_t count, const char *name, struct error *err);

/* Where the next bytes of pixels go, room for one image; then they are there. */
uint8_t *gather_room(struct gather *gather, struct error *err);
void gather_commit(struct gather *gather);

/* Read `gather->stated` images, or `limit`, from a source of nothing but their pixels; then
 * nothing may follow. */
bool gather_pixels(struct gather *gather, const struct source *source, struct error *err);

/* The next image's label; `place` is the file or "file: label 17". */
bool gather_label(struct gather *gather, const char *text, const char *place, struct error *err);

/* ---- readers ---- */

bool idx_known(const unsigned char *bytes, size_t size);
bool idx_images(struct gather *gather, const struct source *source, struct error *err);
bool idx_labels(struct gather *gather, const struct source *source, struct error *err);

bool arrays_images(struct gather *gather, const struct source *source, struct error *err);
bool arrays_labels(struct gather *gather, const struct source *source, struct error *err);

/* Of an archive: images, and where `labels` is set the labels beside them if there are any. */
bool arrays_archive(struct gather *gather, const char *path, bool labels, struct error *err);
/* Is what an archive's images would be read from an array of three or more dimensions? */
bool arrays_archive_known(const char *path, struct error *err);
bool arrays_archive_labels(struct gather *gather, const char *path, struct error *err);

/* A folder of pictures, or of folders of pictures, which are the classes. */
bool folder_images(struct gather *gather, const char *path, struct error *err);

/* One picture. */
bool picture_images(struct gather *gather, const struct source *source, struct error *err);

/* The labels of options->labels, or of the file beside `path` that its name leads to. */
bool labels_beside(struct gather *gather, const char *path, struct error *err);

#endif
