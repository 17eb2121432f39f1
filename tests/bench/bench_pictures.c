/* How many images a second are augmented and resized, on one core; and read, from files given. */
#include "data/augment.h"
#include "data/images.h"
#include "data/resize.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void bench_load(const char *path)
{
    const struct images_options options = {0};
    struct error err = {0};
    double start = now();
    struct images *images = images_load(path, &options, &err);
    if (!images) {
        printf("%s\n", err.message);
        return;
    }
    printf("load %d images of %zu bytes: %.0f images/s\n", images->count, images_size(images),
           images->count / (now() - start));
    images_free(images);
}

int main(int word_count, char **words)
{
    const struct image_shape shape = {28, 28, 1};
    const struct augment augment = {.rotate = 10,
                                    .shift = 2,
                                    .scale = 0.1F,
                                    .shear = 0.1F,
                                    .elastic = 1.5F,
                                    .noise = 10,
                                    .cutout = 4};
    struct resize resize = {.rows = 28,
                            .columns = 28,
                            .channels = 1,
                            .top = 2,
                            .left = 2,
                            .crop_rows = 24,
                            .crop_columns = 24,
                            .out_rows = 16,
                            .out_columns = 16};
    static uint8_t in[784];
    static uint8_t out[784];
    static uint8_t small[256];
    const unsigned count = 100000;
    unsigned sum = 0;
    for (int i = 0; i < 784; i++) {
        in[i] = (uint8_t)(i * 7);
    }
    double start = now();
    for (unsigned i = 0; i < count; i++) {
        struct augment_key key = {1, 0, i};
        augment_image(&augment, &key, &shape, in, out);
        sum += out[i % 784];
    }
    double middle = now();
    if (!resize_make(&resize)) {
        return 1;
    }
    for (unsigned i = 0; i < count; i++) {
        in[i % 784]++;
        resize_image(&resize, in, small);
        sum += small[i % 256];
    }
    double end = now();
    printf("augment 28x28: %.0f images/s; resize 24x24 to 16x16: %.0f images/s (%u)\n",
           count / (middle - start), count / (end - middle), sum & 1);
    for (int i = 1; i < word_count; i++) {
        bench_load(words[i]);
    }
    return 0;
}
