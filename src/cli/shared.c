#include "base/arena.h"
#include "cli/cli.h"
#include "report/evaluate.h"

#include <stdio.h>
#include <string.h>

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
    if (!names) {
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

bool targets_measure(const struct net *net, const struct target_list *list,
                     const struct measure_options *options, struct cost *costs, struct error *err)
{
    for (int i = 0; i < list->count; i++) {
        if (!measure_net(net, list->targets[i], options, &costs[i], err)) {
            return false;
        }
    }
    return true;
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
        how->known_class_count = net->tensors[net->output].width;
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

void note_clamped(int64_t count)
{
    if (count > 0) {
        (void)fprintf(stderr, "mote: note: %lld %s clamped to the input type's range\n",
                      (long long)count, count == 1 ? "value was" : "values were");
    }
}
