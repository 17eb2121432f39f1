#include "prove/eva.h"

#include "measure/process.h"
#include "prove/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that may go wrong counts, also what C defines but nobody means: lossy conversions,
 * shifts of negative numbers ... */
static const char checks[] = "-warn-signed-overflow -warn-signed-downcast "
                             "-warn-right-shift-negative -warn-left-shift-negative "
                             "-warn-invalid-bool";

/* ... and unsigned numbers that wrap.  Packed rows are sums modulo 2^32 by design, of words that
 * hold negative halves; the prover cannot be told where, so that files with packed rows go without
 * these. */
static const char wrap_checks[] = "-warn-unsigned-overflow -warn-unsigned-downcast";

/* The portable C, not what this machine's compiler would take.  Loops are followed turn by turn;
 * inner products of a number with itself in a few parts. */
static const char analysis[] = "-cpp-extra-args=-U__SSE2__ -metrics -eva -eva-auto-loop-unroll "
                               "100000 -eva-subdivide-non-linear 4 "
                               "-eva-no-show-progress -eva-no-results -eva-domains cvalue "
                               "-eva-msg-key=-initial-state,-final-states";

/* Of some thirty plug-ins, those that take part: loading the others takes as long as a small file.
 */
static const char plugins[] =
    "-no-autoload-plugins -load-module inout,callgraph,from,scope,eva,metrics";

/* ---- what it says ---- */

/* In front of the place of a loop. */
static const char line_head[] = "[eva:loop-unroll:auto] ";

/* The number in front of `what` in the log; -1: no such line. */
static int count_before(const char *log, const char *what)
{
    const char *at = strstr(log, what);
    if (!at || at == log) {
        return -1;
    }
    do {
        at--;
    } while (at > log && at[-1] >= '0' && at[-1] <= '9');
    return (int)strtol(at, NULL, 10);
}

/* What the driver asks for (driver.c), in the words of its reader. */
static const struct {
    const char *says, *means;
} demands[] = {{"assertion 'written'", "an output that is not written"},
               {"assertion 'class'", "a class that is no int"},
               {"_taken: precondition", "other memory than NAME_predict() takes"}};

/* "signed overflow": the sentence behind a warning's head, up to its full stop. */
static void alarm_text(const char *at, char *text, size_t room)
{
    at += strspn(at, " \n");
    size_t length = strcspn(at, ".\n");
    (void)snprintf(text, room, "%.*s", (int)length, at);
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        if (strstr(text, demands[i].says)) {
            (void)snprintf(text, room, "%s", demands[i].means);
        }
    }
}

/* Every "[eva:alarm] FILE:LINE: Warning: TEXT". */
static void read_alarms(struct proving *proving, const char *log)
{
    static const char head[] = "[eva:alarm] ";
    struct proof *proof = proving->proof;
    size_t name = strlen(proving->place);
    for (const char *at = log; (at = strstr(at, head)) != NULL;) {
        at += sizeof head - 1;
        struct alarm alarm = {.line = 0};
        if (strncmp(at, proving->place, name) == 0 && at[name] == ':') {
            alarm.line = (int)strtol(at + name + 1, NULL, 10);
        }
        const char *text = strstr(at, "Warning:");
        alarm_text(text ? text + 8 : at, alarm.text, sizeof alarm.text);
        if (proof->alarms < PROOF_ALARMS_MAX) {
            proof->places[proof->alarms] = alarm;
        }
        proof->alarms++;
    }
}

/* Were all functions analysed, but those taken at their types? */
static bool covers(const char *log, int taken)
{
    int analysed = count_before(log, " functions analyzed (out of ");
    if (analysed < 0) {
        analysed = count_before(log, " function analyzed (out of ");
    }
    const char *of = strstr(log, "analyzed (out of ");
    return of && analysed + taken >= (int)strtol(of + 17, NULL, 10);
}

/* Does the log name this place in an earlier line? */
static bool named_before(const char *log, const char *line, size_t length)
{
    for (const char *at = strstr(log, line_head); at && at < line; at = strstr(at + 1, line_head)) {
        if (strncmp(at, line, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Was every loop followed turn by turn to its end, but those whose text shows that they have one?
 */
static bool follows(const char *log, int halving)
{
    const char *loops = strstr(log, "Loop = ");
    int followed = halving;
    for (const char *at = strstr(log, line_head); at; at = strstr(at + 1, line_head)) {
        followed += !named_before(log, at, strcspn(at, "\n"));
    }
    return loops && followed >= (int)strtol(loops + 7, NULL, 10);
}

/* The verdict of one run. */
static bool judge(struct proving *proving, const char *log, bool complete, int taken)
{
    int before = proving->proof->alarms;
    int counted = strstr(log, "0 alarms generated by the analysis")
                      ? 0
                      : count_before(log, " alarm generated by the analysis");
    counted = counted < 0 ? count_before(log, " alarms generated by the analysis") : counted;
    read_alarms(proving, log);
    if (counted < 0) {
        return proof_unfinished(proving, "Frama-C ends without a summary");
    }
    if (counted > proving->proof->alarms - before) {
        proving->proof->alarms = before + counted;
    }
    if (proving->proof->alarms > 0) {
        proving->proof->verdict = VERDICT_ALARMS;
    } else if (!strstr(log, DRIVER_END)) {
        return proof_unfinished(proving, "a function does not return");
    } else if (complete && !follows(log, proving->shape->halving)) {
        return proof_unfinished(proving, "a loop may not end");
    } else if (complete && !covers(log, taken)) {
        return proof_unfinished(proving, "a function was not reached");
    }
    return true;
}

/* What Frama-C says when it gives up: the first error, which it prints on standard output. */
static void find_complaint(const struct outcome *outcome, char *text, size_t room)
{
    const char *log = outcome->output.data ? outcome->output.data : "";
    const char *at = strstr(log, "rror:");
    if (!at) {
        (void)snprintf(text, room, "Frama-C ends with status %d", outcome->status);
        return;
    }
    while (at > log && at[-1] != '\n') {
        at--;
    }
    at += strspn(at, " ");
    (void)snprintf(text, room, "Frama-C: %.*s", (int)strcspn(at, "\n"), at);
}

/* ---- running it ---- */

bool proof_unfinished(struct proving *proving, const char *why)
{
    proving->proof->verdict = VERDICT_UNFINISHED;
    (void)snprintf(proving->proof->note, sizeof proving->proof->note, "%.199s", why);
    return true;
}

/* Frama-C in the work folder: it trusts $PWD more than its working directory. */
static void command_frama_c(struct proving *proving, struct command *command)
{
    struct text folder = {0};
    text_printf(&folder, "PWD=%s", proving->folder);
    *command = (struct command){.arena = proving->arena, .targets = ""};
    command_word(command, "env");
    command_word(command, folder.failed ? NULL : arena_string(proving->arena, folder.data));
    command_add(command, proving->proof->model == 16 ? "frama-c -machdep gcc_x86_16"
                                                     : "frama-c -machdep gcc_x86_32");
    text_free(&folder);
}

/* NAME_word() and NAME_lift() are taken by their contracts (shape.c knows their text). */
static void take_conversion(struct proving *proving, struct command *command, bool there,
                            const char *name)
{
    char text[SHAPE_NAME_MAX + 8];
    if (there) {
        (void)snprintf(text, sizeof text, "%.63s_%s", proving->shape->prefix, name);
        command_add(command, "-eva-use-spec");
        command_word(command, arena_string(proving->arena, text));
    }
}

/* How many functions the driver of the whole file takes by their contracts, or does not reach. */
static int count_taken(const struct shape *shape)
{
    return shape->curve_count + shape->words + shape->lifts + shape->apart;
}

/* One run of Frama-C. */
struct eva_run {
    const char *driver;
    bool whole; /* the driver of the whole file */
    bool wraps; /* sums modulo 2^32 are meant */
};

static void command_run(struct proving *proving, const struct eva_run *run, bool few,
                        struct command *command)
{
    command_frama_c(proving, command);
    command_add(command, few ? plugins : "");
    command_add(command, analysis);
    command_add(command, checks);
    command_add(command, run->wraps ? "" : wrap_checks);
    for (int i = 0; run->whole && i < proving->shape->curve_count; i++) {
        command_add(command, "-eva-use-spec");
        command_word(command, proving->shape->curves[i].name);
    }
    take_conversion(proving, command, proving->shape->words, "word");
    take_conversion(proving, command, proving->shape->lifts, "lift");
    command_word(command, run->driver);
}

/* Has this Frama-C other plug-ins, or other options to load them? */
static bool lacks_plugins(const struct outcome *outcome)
{
    const char *log = outcome->output.data ? outcome->output.data : "";
    return outcome->status != 0 &&
           (strstr(log, "' not found\n") != NULL || strstr(log, "' is unknown.\n") != NULL);
}

/* With few plug-ins; where those are not there, with all of them. */
static bool run_frama_c(struct proving *proving, const struct eva_run *run, struct command *command,
                        struct outcome *outcome, struct error *why)
{
    int seconds = proving->options->seconds ? proving->options->seconds : 600;
    command_run(proving, run, true, command);
    bool ran = process_run(command, proving->folder, seconds, outcome, why);
    if (ran && lacks_plugins(outcome)) {
        outcome_free(outcome);
        command_run(proving, run, false, command);
        ran = process_run(command, proving->folder, seconds, outcome, why);
    }
    return ran;
}

/* Frama-C over one driver. */
static bool run_driver(struct proving *proving, const struct eva_run *run)
{
    struct command command;
    struct outcome outcome;
    struct error why = {0};
    char complaint[160];
    if (!run_frama_c(proving, run, &command, &outcome, &why)) {
        outcome_free(&outcome);
        if (why.interrupted || command.failed) {
            *proving->err = why;
            return false;
        }
        return proof_unfinished(proving, why.message);
    }
    const char *log = outcome.output.data ? outcome.output.data : "";
    find_complaint(&outcome, complaint, sizeof complaint);
    bool done = outcome.status == 0
                    ? judge(proving, log, run->whole, run->whole ? count_taken(proving->shape) : 0)
                    : proof_unfinished(proving, complaint);
    outcome_free(&outcome);
    return done;
}

bool eva_prove(struct proving *proving)
{
    struct text text = {0};
    if (proving->shape->curve_count > 0) {
        driver_curves(proving->shape, proving->file, &text);
        if (!driver_write(proving, "curves.c", &text) ||
            !run_driver(proving, &(struct eva_run){"curves.c", false, false})) {
            return false;
        }
    }
    if (proving->proof->verdict == VERDICT_UNFINISHED) {
        return true;
    }
    driver_predict(proving->shape, proving->file, &text);
    return driver_write(proving, "driver.c", &text) &&
           run_driver(proving, &(struct eva_run){"driver.c", true, proving->shape->wraps});
}
