/* fit_images FOLDER NET [KEY=VALUE ...]: train an image network on the four IDX files of FOLDER and
 * say how good its integers are, on the validation part and on the test set.  Keys are numbers of
 * struct vision_options: seed threads float integer rate integer-rate batch copies original
 * smoothing mixup average decay restarts rotate shift scale shear elastic noise cutout; test=0
 * leaves the test set alone; teacher=NET. */
#include "run/run.h"
#include "vision/vision.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct settings {
    struct vision_options options;
    double seed, threads, test;
};

enum kind { KIND_INT, KIND_DOUBLE, KIND_FLOAT, KIND_BOOL };

#define OPTION(field) offsetof(struct settings, options.field)

static const struct key {
    const char *name;
    enum kind kind;
    size_t at;
} keys[] = {
    {"seed", KIND_DOUBLE, offsetof(struct settings, seed)},
    {"threads", KIND_INT, OPTION(threads)},
    {"test", KIND_DOUBLE, offsetof(struct settings, test)},
    {"float", KIND_INT, OPTION(float_epochs)},
    {"integer", KIND_INT, OPTION(integer_epochs)},
    {"batch", KIND_INT, OPTION(batch)},
    {"rate", KIND_DOUBLE, OPTION(rate)},
    {"integer-rate", KIND_DOUBLE, OPTION(integer_rate)},
    {"copies", KIND_INT, OPTION(copies)},
    {"original", KIND_DOUBLE, OPTION(original)},
    {"smoothing", KIND_DOUBLE, OPTION(smoothing)},
    {"mixup", KIND_DOUBLE, OPTION(mixup)},
    {"average", KIND_DOUBLE, OPTION(average)},
    {"decay", KIND_DOUBLE, OPTION(decay)},
    {"restarts", KIND_INT, OPTION(restarts)},
    {"freeze", KIND_BOOL, OPTION(freeze)},
    {"balance", KIND_BOOL, OPTION(balance)},
    {"whole", KIND_BOOL, OPTION(whole)},
    {"settle", KIND_DOUBLE, OPTION(settle)},
    {"seconds", KIND_DOUBLE, OPTION(seconds)},
    {"teacher-part", KIND_DOUBLE, OPTION(teacher_part)},
    {"teacher-epochs", KIND_INT, OPTION(teacher_epochs)},
    {"temperature", KIND_DOUBLE, OPTION(temperature)},
    {"rotate", KIND_FLOAT, OPTION(augment.rotate)},
    {"shift", KIND_FLOAT, OPTION(augment.shift)},
    {"scale", KIND_FLOAT, OPTION(augment.scale)},
    {"shear", KIND_FLOAT, OPTION(augment.shear)},
    {"elastic", KIND_FLOAT, OPTION(augment.elastic)},
    {"noise", KIND_FLOAT, OPTION(augment.noise)},
    {"cutout", KIND_INT, OPTION(augment.cutout)},
};

static void set_key(struct settings *settings, const struct key *key, double value)
{
    char *at = (char *)settings + key->at;
    switch (key->kind) {
    case KIND_INT: *(int *)(void *)at = (int)value; break;
    case KIND_DOUBLE: *(double *)(void *)at = value; break;
    case KIND_FLOAT: *(float *)(void *)at = (float)value; break;
    case KIND_BOOL: *(bool *)(void *)at = value != 0; break;
    }
}

static bool set_option(struct settings *settings, const char *argument)
{
    const char *equal = strchr(argument, '=');
    if (strncmp(argument, "teacher=", 8) == 0) {
        settings->options.teacher = argument + 8;
        return true;
    }
    for (size_t i = 0; equal && i < sizeof keys / sizeof keys[0]; i++) {
        size_t length = strlen(keys[i].name);
        if (length == (size_t)(equal - argument) && !strncmp(keys[i].name, argument, length)) {
            set_key(settings, &keys[i], strtod(equal + 1, NULL));
            return true;
        }
    }
    return false;
}

static struct images *load(const char *folder, const char *name, struct error *err)
{
    char path[600];
    struct images_options options = {0};
    (void)snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte.gz", folder, name);
    return images_load(path, &options, err);
}

/* Share of the images that the reference interpreter gets right. */
static double accuracy(const struct net *net, const struct images *images)
{
    struct run *run = run_new(net);
    size_t size = images_size(images);
    int32_t *in = calloc(size, sizeof *in);
    int32_t *out = calloc((size_t)images->class_count, sizeof *out);
    size_t right = 0;
    for (int i = 0; run && in && out && i < images->count; i++) {
        for (size_t e = 0; e < size; e++) {
            in[e] = images_pixels(images, (size_t)i)[e];
        }
        run_predict(run, in, out);
        right += run_class(net, out) == images->labels[i];
    }
    run_free(run);
    free(in);
    free(out);
    return (double)right / images->count;
}

static void progress(void *context, double fraction, double eta, const char *stage,
                     const char *detail)
{
    (void)context;
    (void)fprintf(stderr, "\r%5.1f %% %6.0f s  %s %s   ", 100 * fraction, eta, stage, detail);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool fit(const char *folder, struct settings *settings, struct error *err)
{
    struct vision_result result;
    struct images *train = load(folder, "train", err);
    struct net *net = train ? vision_train(train, &settings->options, &result, err) : NULL;
    if (!net) {
        images_free(train);
        return false;
    }
    double seconds = now();
    (void)printf("%zu B  float %.2f  integers %.2f  ", result.weight_bytes,
                 100 * result.float_accuracy, 100 * result.integer_accuracy);
    struct images *test = settings->test != 0 ? load(folder, "t10k", err) : NULL;
    if (test) {
        (void)printf("test %.2f  ", 100 * accuracy(net, test));
    }
    (void)printf("%.0f CPU s\n", seconds);
    images_free(test);
    images_free(train);
    net_free(net);
    return !err->failed;
}

int main(int count, char **arguments)
{
    struct settings settings = {.test = 1};
    struct error err = {0};
    settings.options.test_apart = true;
    settings.options.threads = 1;
    settings.options.progress = progress;
    if (count < 3) {
        (void)fprintf(stderr, "usage: fit_images FOLDER NET [KEY=VALUE ...]\n");
        return 2;
    }
    settings.options.net = arguments[2];
    for (int i = 3; i < count; i++) {
        if (!set_option(&settings, arguments[i])) {
            (void)fprintf(stderr, "fit_images: what is '%s'?\n", arguments[i]);
            return 2;
        }
    }
    settings.options.seed = (uint64_t)settings.seed;
    if (!fit(arguments[1], &settings, &err)) {
        (void)fprintf(stderr, "fit_images: %s\n", err.message);
        return 1;
    }
    return 0;
}
