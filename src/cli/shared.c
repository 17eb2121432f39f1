#include "base/arena.h"
#include "base/pool.h"
#include "base/starve.h"
#include "cli/cli.h"
#include "report/evaluate_images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note_missing(const struct target *target, const char *missing)
{
    bool own = strncmp(missing, "mote-", 5) == 0;
    (void)fprintf(stderr, "mote: note: target %s: %s is not installed; %s%s\n", target->name,
                  missing,
                  own ? "`make` builds it" : "Debian packages: ", own ? "" : target->packages);
}

/* A target asked for by name must be usable; of all there are, the usable ones are taken. */
static bool add_target(struct target_list *list, const char *name, bool asked, struct error *err)
{
    struct target *target = target_load(name, err);
    if (!target) {
        return false;
    }
    const char *missing = NULL;
    if (target_installed(target, &missing)) {
        list->clocks[list->count] = target->clock;
        list->targets[list->count++] = target;
        return true;
    }
    if (asked) {
        fail(err, "target %s: %s is not installed; Debian packages: %s", name, missing,
             target->packages);
    } else {
        note_missing(target, missing);
    }
    target_free(target);
    return !asked;
}

/* Room for `count` targets. */
static bool make_room(struct target_list *list, struct arena *arena, size_t count)
{
    list->targets = arena_alloc(arena, count, sizeof(struct target *));
    list->clocks = arena_alloc(arena, count, sizeof *list->clocks);
    return list->targets && list->clocks;
}

/* Every target that is installed. */
static bool load_all(struct arena *arena, struct target_list *list, struct error *err)
{
    const char **names = NULL;
    int count = 0;
    if (!target_names(arena, &names, &count, err)) {
        return false;
    }
    if (!make_room(list, arena, (size_t)count)) {
        return fail_memory(err);
    }
    for (int i = 0; i < count; i++) {
        if (!add_target(list, names[i], false, err)) {
            return false;
        }
    }
    return list->count > 0 || fail(err, "no target is installed; see 'mote targets'");
}

bool targets_load(const char *names, struct arena *arena, struct target_list *list,
                  struct error *err)
{
    *list = (struct target_list){0};
    if (!names || strcmp(names, "all") == 0) {
        return load_all(arena, list, err);
    }
    if (!make_room(list, arena, strlen(names) + 1)) {
        return fail_memory(err);
    }
    for (const char *at = names;; at++) {
        size_t length = strcspn(at, ",");
        char *name = arena_text(arena, at, length);
        if (!name) {
            return fail_memory(err);
        }
        if (!add_target(list, name, true, err)) {
            return false;
        }
        at += length;
        if (!*at) {
            return true;
        }
    }
}

void targets_free(struct target_list *list)
{
    for (int i = 0; i < list->count; i++) {
        target_free(list->targets[i]);
    }
    list->count = 0;
}

/* One measurement of several, for a thread. */
struct job {
    const struct net *net;
    const struct target *target;
    const struct measure_options *options;
    struct cost *cost;
    struct error error;
};

struct batch {
    struct job *jobs;
    int *order; /* indices of jobs */
};

static void do_job(void *context, int index)
{
    struct batch *batch = context;
    struct job *job = &batch->jobs[batch->order[index]];
    (void)measure_net(job->net, job->target, job->options, job->cost, &job->error);
}

/* Those with a counting program; the others, which may tell the time, run alone behind them. */
static int order_jobs(struct batch *batch, int count)
{
    int together = 0;
    for (int i = 0; i < count; i++) {
        if (batch->jobs[i].target->count[0]) {
            batch->order[together++] = i;
        }
    }
    for (int i = 0, next = together; i < count; i++) {
        if (!batch->jobs[i].target->count[0]) {
            batch->order[next++] = i;
        }
    }
    return together;
}

static void run_jobs(struct batch *batch, int count)
{
    int together = order_jobs(batch, count);
    struct pool *pool = together > 1 ? pool_new(2) : NULL;
    starve_watch(); /* before there are threads */
    pool_run(pool, together, do_job, batch);
    pool_free(pool);
    for (int i = together; i < count; i++) {
        do_job(batch, i);
    }
}

bool targets_try(const struct net *net, const struct target_list *list,
                 const struct measure_options *options, struct cost *costs, struct error *errors)
{
    size_t count = (size_t)list->count;
    struct batch batch = {.jobs = calloc(count, sizeof *batch.jobs),
                          .order = calloc(count, sizeof *batch.order)};
    bool room = count == 0 || (batch.jobs && batch.order);
    for (size_t i = 0; room && i < count; i++) {
        batch.jobs[i] = (struct job){net, list->targets[i], options, &costs[i], {0}};
    }
    if (room) {
        run_jobs(&batch, list->count);
    }
    for (size_t i = 0; i < count; i++) {
        errors[i] = (struct error){0};
        if (room) {
            errors[i] = batch.jobs[i].error;
        } else {
            fail_memory(&errors[i]);
        }
    }
    free(batch.jobs);
    free(batch.order);
    return room;
}

bool targets_measure(const struct net *net, const struct target_list *list,
                     const struct measure_options *options, struct cost *costs, struct error *err)
{
    struct error *errors = calloc((size_t)list->count + 1, sizeof *errors);
    if (!errors) {
        return fail_memory(err);
    }
    (void)targets_try(net, list, options, costs, errors);
    for (int i = 0; i < list->count && !err->failed; i++) {
        *err = errors[i];
    }
    free(errors);
    return !err->failed;
}

bool has_budget(const struct budget *budget)
{
    return budget->flash || budget->ram || budget->cycles;
}

enum exit_code check_budget(const struct budget *budget, const struct cost *costs, int count)
{
    struct text why = {0};
    bool met = true;
    for (int i = 0; i < count; i++) {
        met = budget_met(budget, &costs[i], &why) && met;
    }
    for (const char *line = why.data; line && *line;) {
        size_t length = strcspn(line, "\n");
        (void)fprintf(stderr, "mote: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    text_free(&why);
    return met ? EXIT_FINE : EXIT_BUDGET;
}

/* Which columns, and for classes which labels. */
static bool reading(const struct net *net, const char *label, struct arena *arena,
                    struct data_options *how, struct error *err)
{
    bool classes = net->task == TASK_CLASSIFICATION;
    how->inputs_only = !classes;
    if (classes) {
        how->known_classes = net->classes;
        how->known_class_count = net_class_count(net);
        how->label = label ? label : net->label[0] ? net->label : NULL;
        how->one_hot = !how->label;
        how->outputs = how->label ? 0 : how->known_class_count;
    }
    return match_options(net, !classes, arena, how, err);
}

struct dataset *load_for_net(const struct net *net, const char *path, const char *label,
                             size_t samples, struct error *err)
{
    struct data_options how = {.samples = samples ? samples : UINT32_MAX};
    struct arena *arena = arena_new();
    struct dataset *data = NULL;
    if (!arena) {
        fail_memory(err);
    } else if (reading(net, label, arena, &how, err)) {
        data = data_load(path, &how, err);
    }
    arena_free(arena);
    if (data) {
        report_note(data->note);
    }
    if (data && !match_units(net, data, err)) {
        data_free(data);
        return NULL;
    }
    return data;
}

bool images_for_net(const struct net *net, const char *path, struct error *err)
{
    return images_at(path, err) || (strcmp(path, "-") == 0 && takes_images(net));
}

struct images *load_images_for_net(const struct net *net, const char *path, const char *labels,
                                   size_t samples, struct error *err)
{
    struct images_options how = {.labels = labels, .samples = samples};
    if (!expect_images(net, &how, err)) {
        return NULL;
    }
    struct images *images = images_load(path, &how, err);
    if (images) {
        report_note(images->note);
    }
    return images;
}

void note_clamped(int64_t count)
{
    if (count > 0) {
        (void)fprintf(stderr, "mote: note: %lld %s clamped to the input type's range\n",
                      (long long)count, count == 1 ? "value was" : "values were");
    }
}
