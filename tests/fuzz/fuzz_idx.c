/* Images of any format in one file, which is its own label file in half of the runs. */
#include "table.h"

#include "data/images.h"

/* Images that hold together, or an error with one line. */
static void load(const char *path, const struct images_options *options)
{
    struct error err = {0};
    struct images *images = images_load(path, options, &err);
    if (!images) {
        table_require(err.failed && err.message[0] && !strchr(err.message, '\n'));
        return;
    }
    unsigned sum = 0;
    table_require(!err.failed && images->count > 0 && images_size(images) > 0);
    for (size_t i = 0; i < (size_t)images->count * images_size(images); i++) {
        sum += images->pixels[i];
    }
    for (int i = 0; images->labels && i < images->count; i++) {
        table_require(images->labels[i] < images->class_count);
    }
    table_require(sum <= 255u * (unsigned)images->count * (unsigned)images_size(images));
    images_free(images);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0 && table_large_png(bytes, size)) {
        return 0;
    }
    const char *path = table_file(bytes, size);
    static const struct images_options few = {.samples = 3, .channels = 1};
    struct images_options own = {.labels = path};
    load(path, &few);
    load(path, &own);
    struct error err = {0};
    (void)images_at(path, &err);
    return 0;
}
