/* Running the image: the emulator (or this machine) for function, the counting program for cost;
 * the outputs of both are compared. */
#include "base/starve.h"
#include "measure/place.h"
#include "measure/work.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool target_is_native(const struct target *target)
{
    return target->execute[0] == 0 && target->count[0] == 0;
}

bool target_is_counted(const struct target *target)
{
    return target->execute[0] == 0 && target->count[0] != 0;
}

bool counted_alone(const struct work *work)
{
    return target_is_counted(work->target) ||
           (work->options->counts_only && work->target->count[0] != 0);
}

/* An old out.bin must not pass for a new one. */
static bool remove_outputs(struct work *work)
{
    const char *path = work_path(work, "out.bin");
    if (!path) {
        return fail_memory(work->err);
    }
    (void)unlink(path);
    return true;
}

/* "nanoseconds N" in a native program's output. */
static double read_time(const char *output)
{
    static const char key[] = "nanoseconds ";
    const char *at = output ? strstr(output, key) : NULL;
    return at ? strtod(at + sizeof key - 1, NULL) : -1;
}

bool execute_image(struct work *work)
{
    const struct target *target = work->target;
    const char *image = work_path(work, "image.elf");
    struct command command = work_command(work, image);
    struct outcome outcome;
    if (counted_alone(work)) {
        return true;
    }
    if (target_is_native(target)) {
        command_word(&command, image);
    } else {
        command_add(&command, target->execute);
    }
    if (!remove_outputs(work)) {
        return false;
    }
    bool done = work_run(work, &command, "the test image fails", &outcome);
    work->cost->nanoseconds = done ? read_time(outcome.output.data) : -1;
    outcome_free(&outcome);
    return done && vectors_compare(work, work->count, "the test image");
}

/* ---- counting ---- */

/* `which` is "most", "least" or "total". */
static bool read_count(const json_t *root, const char *key, const char *which, int64_t *value)
{
    const json_t *number = json_object_get(json_object_get(root, key), which);
    *value = json_integer_value(number);
    return json_is_integer(number) && *value >= 0;
}

/* Null: the counting program cannot tell for this core. */
static bool read_cycles(const json_t *root, const char *key, const char *which, int64_t *value)
{
    if (json_is_null(json_object_get(root, key))) {
        *value = COST_UNKNOWN;
        return true;
    }
    return read_count(root, key, which, value);
}

/* Random inputs have no mean that means anything. */
static bool read_mean(const struct work *work, const json_t *root, int64_t calls)
{
    int64_t total = COST_UNKNOWN;
    if (!read_cycles(root, "cycles", "total", &total)) {
        return false;
    }
    if (work->options->in && total != COST_UNKNOWN) {
        work->cost->cycles_mean = (total + calls / 2) / calls;
    }
    return true;
}

/* The counting program's line; *calls: the number of vectors it ran. */
static bool read_counts(struct work *work, const char *line, int64_t *calls)
{
    struct cost *cost = work->cost;
    starve_watch();
    json_t *root = json_loads(line ? line : "", 0, NULL);
    *calls = json_integer_value(json_object_get(root, "calls"));
    bool done = *calls > 0 && read_count(root, "instructions", "most", &cost->instructions) &&
                read_cycles(root, "cycles", "most", &cost->cycles) &&
                read_cycles(root, "cycles", "least", &cost->cycles_least) &&
                read_mean(work, root, *calls) &&
                read_cycles(root, "cycles_1ws", "most", &cost->cycles_1ws) &&
                read_count(root, "stack", "most", &cost->stack);
    json_decref(root);
    if (starve_seen()) {
        return fail_memory(work->err);
    }
    return done || work_fail(work, "the counting program prints no counts");
}

/* The counting program's words, the first of them found beside mote. */
static bool count_command(struct work *work, struct command *command)
{
    command_add(command, work->target->count);
    if (command->failed) {
        return fail_memory(work->err);
    }
    const char *program = place_program(work->arena, command->words[0]);
    if (!program) {
        return work_fail(work, "%s is not there", command->words[0]);
    }
    command->words[0] = program;
    return true;
}

bool execute_count(struct work *work)
{
    if (!work->target->count[0]) {
        return true;
    }
    struct command command = work_command(work, work_path(work, "image.elf"));
    struct outcome outcome;
    int64_t calls = 0;
    if (!remove_outputs(work) || !count_command(work, &command)) {
        return false;
    }
    bool done = work_run(work, &command, "counting fails", &outcome) &&
                read_counts(work, outcome.output.data, &calls);
    outcome_free(&outcome);
    calls = target_is_counted(work->target) ? work->count : calls;
    return done && vectors_compare(work, calls, "the counting program");
}
