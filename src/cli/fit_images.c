/* A budget chooses the widths of an image network, and the bits of its weights. */
#include "cli/fit.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH_MOST  128
#define FACTOR_MOST 64 /* in front of "?" */
#define VECTORS     8

/* In the order in which they are tried; of those that read as much the first one stays. */
static const char *const bits_tried[] = {"t", "4", "8"};
#define BITS_TRIED (int)(sizeof bits_tried / sizeof *bits_tried)
/* Passes and time of a trial of them, as a part of what is asked for. */
#define TRIAL_PART 5

bool widths_open(const char *net)
{
    return net && strchr(net, '?');
}

bool bits_open(const char *net)
{
    return net && strstr(net, ":?");
}

/* The digits that end at `at`, which begin where they are a factor. */
static const char *factor_start(const char *text, const char *at)
{
    while (at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return at;
}

const char *widths_filled(const char *open, int width, const char *bits, struct arena *arena)
{
    struct text text = {0};
    text_add(&text, "");
    for (const char *mark = strchr(open, '?'); mark; mark = strchr(open, '?')) {
        const char *start = factor_start(open, mark);
        long factor = start < mark ? strtol(start, NULL, 10) : 1;
        factor = factor < FACTOR_MOST ? factor : FACTOR_MOST;
        text_printf(&text, "%.*s", (int)(start - open), open);
        if (start == mark && mark > open && mark[-1] == ':') {
            text_add(&text, bits);
        } else {
            text_printf(&text, "%ld", factor * width);
        }
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
    how.net = widths_filled(job->open, width, job->bits, job->fit.arena);
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

/* Has it a width that is open? */
static bool has_width(const char *open)
{
    bool found = false;
    for (const char *at = open; *at; at++) {
        found = found || (*at == '?' && (at == open || at[-1] != ':'));
    }
    return found;
}

/* Wide networks may leave the limits of networks. */
static bool fits_too(struct width_job *job, int width)
{
    struct error limit = {0};
    bool good = false;
    return may_fit(job, width, &good, &limit) && good;
}

/* What is no network at the least width is refused.  Widths are doubled until one does not fit,
 * then bisected: none is tried that is twice as wide as what fits. */
bool widths_search(struct width_job *job, struct error *err)
{
    int low = 1;
    int high = 2;
    if (!may_fit(job, 1, &job->fits, err)) {
        return false;
    }
    bool open = job->fits && has_width(job->open);
    while (open && high <= WIDTH_MOST && fits_too(job, high)) {
        low = high;
        high = low < WIDTH_MOST ? 2 * low : low + 1;
    }
    while (open && high - low > 1) {
        int middle = (low + high) / 2;
        bool fits = fits_too(job, middle);
        low = fits ? middle : low;
        high = fits ? high : middle;
    }
    job->width = low;
    return true;
}

/* ---- bits ---- */

static int part_of(int count)
{
    return (count + TRIAL_PART - 1) / TRIAL_PART;
}

/* What a short training reads of the validation part. */
static bool try_bits(const struct width_job *job, double *accuracy, struct error *err)
{
    struct vision_options how = *job->how;
    struct vision_result result;
    how.net = widths_filled(job->open, job->width, job->bits, job->fit.arena);
    how.float_epochs = part_of(how.float_epochs);
    how.integer_epochs = part_of(how.integer_epochs);
    how.seconds /= TRIAL_PART;
    how.copies = how.copies > 0 ? part_of(how.copies) : 0;
    how.checkpoint = NULL;
    how.whole = false; /* the validation part tells */
    if (!how.net) {
        return fail_memory(err);
    }
    struct net *net = vision_train(job->images, &how, &result, err);
    *accuracy = net ? result.integer_accuracy : 0;
    net_free(net);
    return net != NULL;
}

bool bits_search(struct width_job *job, struct error *err)
{
    struct width_job best = *job;
    double most = -1;
    for (int i = 0; i < BITS_TRIED; i++) {
        struct width_job trial = *job;
        double accuracy = -1;
        trial.bits = bits_tried[i];
        if (!widths_search(&trial, err) || (trial.fits && !try_bits(&trial, &accuracy, err))) {
            return false;
        }
        if (i == 0 || accuracy > most) {
            best = trial;
            most = accuracy;
        }
    }
    *job = best;
    return true;
}
