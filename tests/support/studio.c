#include "support/studio.h"

#include "base/rng.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void draw(struct images *images, int index, struct rng *rng)
{
    size_t size = images_size(images);
    uint8_t *pixels = images->pixels + (size_t)index * size;
    int label = (int)rng_below(rng, (uint64_t)images->class_count);
    images->labels[index] = (uint16_t)label;
    for (size_t i = 0; i < size; i++) {
        uint64_t pattern = rng_at((uint64_t)label + 1, i / 3) % 4;
        uint64_t noise = rng_below(rng, 180);
        pixels[i] = (uint8_t)(pattern == 0 ? 75 + noise : noise / 2);
    }
}

struct images *pictures_new(struct volume size, int classes, int count, uint64_t seed)
{
    struct arena *arena = arena_new();
    struct images *images = arena ? calloc(1, sizeof *images) : NULL;
    assert_non_null(images);
    *images = (struct images){.arena = arena,
                              .source = "pictures",
                              .count = count,
                              .rows = size.rows,
                              .columns = size.columns,
                              .channels = size.channels,
                              .class_count = classes,
                              .hash = seed,
                              .note = ""};
    const char **names = arena_alloc(arena, (size_t)classes, sizeof *names);
    images->pixels = malloc((size_t)count * images_size(images));
    images->labels = malloc((size_t)count * sizeof *images->labels);
    assert_non_null(names);
    assert_non_null(images->pixels);
    assert_non_null(images->labels);
    for (int c = 0; c < classes; c++) {
        char name[20];
        (void)snprintf(name, sizeof name, "%d", c);
        names[c] = arena_string(arena, name);
    }
    images->classes = names;
    struct rng rng = rng_new(seed, 7);
    for (int i = 0; i < count; i++) {
        draw(images, i, &rng);
    }
    return images;
}

struct studio *studio_new(const char *text, struct volume size, int classes,
                          const struct vision_options *options)
{
    return studio_with(FEWER(1500), text, size, classes, options);
}

struct studio *studio_with(int images, const char *text, struct volume size, int classes,
                           const struct vision_options *options)
{
    struct error err = {0};
    struct studio *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->options = options ? *options : (struct vision_options){0};
    s->options.seed = s->options.seed ? s->options.seed : 3;
    s->images = pictures_new(size, classes, images, 5);
    struct sketch_data data = {size, classes, "--net"};
    s->session = session_new(&s->shared, 0);
    if (!sketch_parse(&s->sketch, text, strlen(text), &data, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    s->feed = feed_new(s->images, &s->sketch, &s->options, 0, NULL, &err);
    s->trainer = s->feed ? trainer_new(s->feed, &s->sketch, &s->session, NULL, &err) : NULL;
    if (!s->trainer) {
        fail_msg("%s", err.message);
    }
    return s;
}

void studio_free(struct studio *s)
{
    trainer_free(s->trainer);
    feed_free(s->feed);
    images_free(s->images);
    free(s);
}
