#include "measure/measure.h"

#include "measure/folder.h"
#include "measure/interrupt.h"
#include "measure/work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the work folder ---- */

bool work_fail(struct work *work, const char *format, ...)
{
    char message[300];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return fail(work->err, "%s: %s", work->target->name, message);
}

const char *work_path(struct work *work, const char *file)
{
    return folder_path(work->folder, file, work->arena);
}

struct command work_command(struct work *work, const char *image)
{
    return (struct command){.arena = work->arena, .targets = work->target->folder, .image = image};
}

bool work_run(struct work *work, const struct command *command, const char *what,
              struct outcome *outcome)
{
    struct error why = {0};
    char complaint[240];
    if (!process_run(command, work->folder, RUN_SECONDS, outcome, &why)) {
        work->err->interrupted = why.interrupted;
        return work_fail(work, "%s: %s", what, why.message);
    }
    outcome_complaint(outcome, complaint, sizeof complaint);
    if (outcome->status != 0 && complaint[0]) {
        return work_fail(work, "%s: %s", what, complaint);
    }
    return outcome->status == 0 || work_fail(work, "%s: %.100s ends with status %d", what,
                                             command->words[0], outcome->status);
}

static bool open_folder(struct work *work)
{
    work->folder = folder_open("mote-measure", work->arena, work->err);
    return work->folder != NULL;
}

static void close_folder(struct work *work)
{
    static const char *const names[] = {"in.bin",    "net.h",      "predict.c", "main.c",
                                        "predict.o", "predict.su", "code.elf",  "image.elf",
                                        "out.bin",   NULL};
    if (work->folder && work->options->keep) {
        (void)fprintf(stderr, "%s: kept in %s\n", work->target->name, work->folder);
    } else if (work->folder) {
        folder_remove(work->folder, names);
    }
}

/* ---- the pipeline ---- */

static bool check_tools(struct work *work)
{
    const char *missing;
    if (target_installed(work->target, &missing)) {
        return true;
    }
    if (strncmp(missing, "mote-", 5) == 0) {
        return fail(work->err, "%s needs %s, which `make` builds beside mote", work->target->name,
                    missing);
    }
    return fail(work->err, "%s needs %s: apt-get install %s", work->target->name, missing,
                work->target->packages);
}

static void count_mismatches(struct work *work)
{
    work->cost->vectors = work->count;
    work->cost->mismatches = 0;
    for (int i = 0; i < work->count; i++) {
        work->cost->mismatches += work->differs[i];
    }
}

static bool measure(struct work *work)
{
    bool done = check_tools(work) && open_folder(work) && vectors_make(work) &&
                build_images(work) && size_read(work) && execute_image(work) && execute_count(work);
    if (done) {
        count_mismatches(work);
    }
    close_folder(work);
    return done;
}

bool measure_net(const struct net *net, const struct target *target,
                 const struct measure_options *options, struct cost *cost, struct error *err)
{
    *cost = (struct cost){
        .target = target->name,
        .flash_code = COST_UNKNOWN,
        .flash_const = COST_UNKNOWN,
        .ram = COST_UNKNOWN,
        .stack = COST_UNKNOWN,
        .instructions = COST_UNKNOWN,
        .cycles = COST_UNKNOWN,
        .cycles_least = COST_UNKNOWN,
        .cycles_mean = COST_UNKNOWN,
        .cycles_1ws = COST_UNKNOWN,
        .hash = COST_UNKNOWN,
        .nanoseconds = -1,
    };
    struct work work = {.net = net, .target = target, .options = options, .cost = cost, .err = err};
    work.arena = arena_new();
    if (!work.arena) {
        return fail_memory(err);
    }
    interrupt_hold();
    bool done = measure(&work);
    interrupt_release();
    arena_free(work.arena);
    return done;
}

bool measure_lacks_room(const struct error *err)
{
    return err->failed &&
           (strstr(err->message, "overflow") || strstr(err->message, "will not fit in region"));
}
