/* A budget chooses the widths of an image network. */
#include "cli/fit.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH_MOST  128
#define FACTOR_MOST 64 /* in front of "?" */
#define VECTORS     8

bool widths_open(const char *net)
{
    return net && strchr(net, '?');
}

/* The digits that end at `at`, which begin where they are a factor. */
static const char *factor_start(const char *text, const char *at)
{
    while (at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return at;
}

const char *widths_filled(const char *open, int width, struct arena *arena)
{
    struct text text = {0};
    text_add(&text, "");
    for (const char *mark = strchr(open, '?'); mark; mark = strchr(open, '?')) {
        const char *start = factor_start(open, mark);
        long factor = start < mark ? strtol(start, NULL, 10) : 1;
        factor = factor < FACTOR_MOST ? factor : FACTOR_MOST;
        text_printf(&text, "%.*s%ld", (int)(start - open), open, factor * width);
        open = mark + 1;
    }
    text_add(&text, open);
    const char *filled = text.failed ? NULL : arena_string(arena, text.data);
    text_free(&text);
    return filled;
}

/* Would a trained net of this width fit? */
static bool may_fit(struct width_job *job, int width, bool *good, struct error *err)
{
    struct vision_options how = *job->how;
    struct vision_result result;
    how.net = widths_filled(job->open, width, job->fit.arena);
    how.untrained = true;
    how.teacher = NULL;
    how.augment = (struct augment){0};
    how.progress = NULL;
    how.checkpoint = NULL;
    if (!how.net) {
        return fail_memory(err);
    }
    struct net *net = vision_train(job->images, &how, &result, err);
    bool done = net && vision_append_head(net, &result, err) &&
                fit_within(&job->fit, net, VECTORS, 0, good, err);
    net_free(net);
    return done;
}

/* What is no network at the least width is refused; wider ones may leave its limits. */
bool widths_search(struct width_job *job, struct error *err)
{
    bool good = false;
    int low = 1;
    int high = WIDTH_MOST + 1;
    if (!may_fit(job, 1, &good, err)) {
        return false;
    }
    high = good ? high : 2;
    while (high - low > 1) {
        struct error limit = {0};
        int middle = (low + high) / 2;
        bool fits = may_fit(job, middle, &good, &limit) && good;
        low = fits ? middle : low;
        high = fits ? high : middle;
    }
    job->width = low;
    return true;
}
