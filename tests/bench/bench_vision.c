/* How fast image networks train: images per second of CPU time through whole steps (drawing,
 * forward, loss, backward, Adam, rounding), in both phases, beside the multiply-adds that they need
 * and the core's peak. */
#include "vision/trainer.h"

#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IMAGES 2560

static const struct shape_of_net {
    const char *name, *net;
    int side;
} nets[] = {
    {"digits 1.1 kB, 16x16",
     "conv3x8:4 relu:4 conv3x12s2:t relu:4 conv3x16:t relu:4 conv3x16:t relu:4 dense10:t", 16},
    {"digits 7.3 kB, 16x16",
     "conv3x8:4 relu:4 conv3x32s2:t relu:4 conv3x46:t relu:4 conv3x46:t relu:4 dense10:t", 16},
    {"CNN of 20 k parameters, 28x28", "conv3x16p:4 relu:8 pool2 conv3x32p:4 relu:8 pool2 dense10:4",
     28},
    {"dense 256-64-64-64-10", "dense64:8 relu dense64:8 relu dense64:8 relu dense10:8", 16},
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Multiply-adds per second of bare fused operations on 256-bit vectors, on the core as it is now;
 * what compilers make of the loop without them is of no interest. */
#ifdef __x86_64__
#include <immintrin.h>
__attribute__((target("avx2,fma"))) static double peak(void)
{
    double best = 0;
    __m256 sums[10];
    __m256 factor = _mm256_set1_ps(0.999F);
    for (int turn = 0; turn < 5; turn++) {
        double start = now();
        for (int i = 0; i < 10; i++) {
            sums[i] = factor;
        }
        for (int step = 0; step < 4000000; step++) {
            for (int i = 0; i < 10; i++) {
                sums[i] = _mm256_fmadd_ps(sums[i], factor, factor);
                __asm__ volatile("" : "+x"(sums[i]));
            }
        }
        double rate = 4e6 * 10 * 8 / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}
#else
static double peak(void)
{
    return 0;
}
#endif

static double best_peak; /* of the program's run; load on the machine makes single ones small */

static struct images *random_images(int side)
{
    struct arena *arena = arena_new();
    struct images *images = calloc(1, sizeof *images);
    const char **names = arena ? arena_alloc(arena, 10, sizeof *names) : NULL;
    if (!images || !names) {
        exit(1);
    }
    *images = (struct images){.arena = arena,
                              .source = "random",
                              .count = IMAGES,
                              .rows = side,
                              .columns = side,
                              .channels = 1,
                              .class_count = 10,
                              .note = ""};
    images->pixels = calloc(IMAGES, (size_t)side * (size_t)side);
    images->labels = calloc(IMAGES, sizeof *images->labels);
    if (!images->pixels || !images->labels) {
        exit(1);
    }
    struct rng rng = rng_new(1, 1);
    for (size_t i = 0; i < (size_t)IMAGES * (size_t)(side * side); i++) {
        images->pixels[i] = (uint8_t)(rng_below(&rng, 3) ? 0 : rng_below(&rng, 256));
    }
    for (int i = 0; i < IMAGES; i++) {
        images->labels[i] = (uint16_t)(i / 7 % 10);
    }
    for (int c = 0; c < 10; c++) {
        names[c] = "class";
    }
    images->classes = names;
    return images;
}

static int64_t macs_of(const struct graph *graph)
{
    int64_t macs = 0;
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        int64_t forward =
            (int64_t)node->conv.positions / graph->groups * (int64_t)node->weight_count;
        macs += node->weighted ? forward * (node->reads_image ? 2 : 3) : 0;
    }
    return macs;
}

/* Images per second of epochs from..until; the best of them. */
static double speed(struct trainer *t, uint32_t from, uint32_t until, struct error *err)
{
    double best = 0;
    for (uint32_t epoch = from; epoch < until; epoch++) {
        double start = now();
        (void)trainer_run(t, epoch + 1, 1, err);
        double rate = (double)(t->feed->train.count / 128 * 128) / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static void bench(const struct shape_of_net *shape)
{
    struct error err = {0};
    struct vision_options options = {.test_apart = true};
    struct train_options shared = {0};
    struct images *images = random_images(shape->side);
    struct sketch_data data = {{shape->side, shape->side, 1}, 10, shape->name};
    static struct sketch sketch;
    struct session session = session_new(&shared, 0);
    struct trainer *t = NULL;
    struct feed *feed = NULL;
    if (sketch_parse(&sketch, shape->net, strlen(shape->net), &data, &err)) {
        feed = feed_new(images, &sketch, &options, 0, NULL, &err);
        t = feed ? trainer_new(feed, &sketch, &session, NULL, &err) : NULL;
    }
    if (!t) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    t->float_epochs = t->integer_epochs = 4;
    double reals = speed(t, 0, 4, &err);
    (void)trainer_fold(t, &err);
    double integers = speed(t, 4, 8, &err);
    double macs = (double)macs_of(t->graph);
    double now_peak = peak();
    best_peak = now_peak > best_peak ? now_peak : best_peak;
    (void)printf("%-32s float %8.0f/s (%5.1f GMAC/s)  integers %8.0f/s (%5.1f GMAC/s)\n",
                 shape->name, reals, reals * macs * 1e-9, integers, integers * macs * 1e-9);
    trainer_free(t);
    feed_free(feed);
    images_free(images);
}

int main(void)
{
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        bench(&nets[i]);
    }
    (void)printf("%-32s %.1f GMAC/s at best\n", "peak of 256-bit vectors", best_peak * 1e-9);
    return 0;
}
