/* What the verbs share: the verb table's entry, options, messages, exit codes.
 *
 * A verb parses its options into a settings struct of its own (all zero: the defaults), calls the
 * stages, and prints.  Messages go to stderr and begin with "mote: ".
 */
#ifndef MOTE_CLI_CLI_H
#define MOTE_CLI_CLI_H

#include "base/error.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/images.h"
#include "measure/measure.h"
#include "net/net.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exit_code { EXIT_FINE, EXIT_INPUT, EXIT_USAGE, EXIT_BUDGET };

/* ---- options (options.c, values.c) ---- */

enum option_kind {
    OPTION_SET,    /* no argument; stores `low` in an int */
    OPTION_TEXT,   /* const char * */
    OPTION_WHOLE,  /* int64_t, low..high */
    OPTION_PARSED, /* whatever `parse` stores */
    OPTION_LIST    /* whatever `parse_list` stores */
};

struct option {
    const char *name;     /* "--seed"; "-o" is the only short one beside -h */
    const char *argument; /* "N" in the help; NULL: takes none */
    const char *help;     /* lines after the first are indented by the printer; NULL: not shown */
    enum option_kind kind;
    size_t offset; /* of the value in the verb's settings */
    int64_t low, high;
    bool (*parse)(const char *text, void *value); /* OPTION_PARSED; false: not acceptable */
    const char *expects;                          /* completes "'x' is not ...", for PARSED */
    /* OPTION_LIST; what is wrong goes into `err` */
    bool (*parse_list)(const char *text, void *value, struct error *err);
    bool recorded; /* it belongs to what reproduces a net */
};

#define OPTIONS_MAX     64
#define POSITIONALS_MAX 2

struct verb {
    const char *name;
    const char *summary;          /* for the list of verbs */
    const char *usage;            /* "DATA -o NET [OPTIONS]" */
    const char *text;             /* what it does, in lines of at most 80 characters */
    const char *example;          /* lines to type */
    const struct option *options; /* ended by an entry without a name */
    int positionals;              /* so many ... */
    int optional;                 /* ... and up to so many more ... */
    bool many;                    /* ... and any number behind them */
    enum exit_code (*run)(const struct verb *verb, int count, char **words);
};

/* The command line of one verb, taken apart. */
struct arguments {
    const char *positional[POSITIONALS_MAX];
    char *const *more; /* behind them, where there may be many */
    int more_count;
    const char *given[OPTIONS_MAX]; /* per option: its argument ("" for flags), NULL: not given */
};

/* Fills `settings` and `arguments`.  True: go on.  False: the verb ends with *code; help or the
 * message is printed. */
bool options_parse(const struct verb *verb, int count, char **words, void *settings,
                   struct arguments *arguments, enum exit_code *code);

/* Was the option of that name on the command line? */
bool option_given(const struct verb *verb, const struct arguments *arguments, const char *name);

/* The recorded options that were given, in the table's order: "--net 6-16-16-6 --seed 1".
 * Arguments with other characters than [A-Za-z0-9._,:+-] are quoted as a shell needs it. */
void options_print(const struct verb *verb, const struct arguments *arguments, struct text *out);

/* The entry of `names` (count of them) nearest to `word`; NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, int count);

/* A whole decimal number low..high and nothing else. */
bool parse_whole(const char *text, int64_t low, int64_t high, int64_t *value);

bool parse_seconds(const char *text, void *seconds);       /* double; "60", "60s", "1.5m", "2h" */
bool parse_bytes(const char *text, void *bytes);           /* int64_t; "900", "32k" */
bool parse_decimal(const char *text, void *decimal);       /* struct decimal > 0; "0.0005" */
bool parse_weights(const char *text, void *bits);          /* int; "2".."9", "ternary" */
bool parse_activation(const char *text, void *activation); /* enum activation, not none */
bool parse_method(const char *text, void *method);         /* enum method */
bool parse_loss(const char *text, void *loss);             /* enum loss */
bool parse_in_type(const char *text, void *name);          /* const char *: u8 i8 u16 i16 */
bool parse_hidden_type(const char *text, void *name);      /* const char *: i8 u8 i16 */
bool parse_train_kernel(const char *text, void *packed);   /* bool; "any", "packed" */
bool parse_out_type(const char *text, void *name);         /* const char *: i8 i16 i32 */
bool parse_optimise(const char *text, void *optimise);     /* enum optimise */
bool parse_kernel(const char *text, void *name);           /* const char *: of kernels.def */
bool parse_layers(const char *text, void *layers);         /* struct layer_goals */

/* --layers: what each layer with weights of a network on images is made for; count 0: not given. */
struct layer_goals {
    int count;
    enum optimise of[NET_LAYERS_MAX];
};

/* Do goals and a kernel (NULL: not given) go with the net?  Then the note of what a budget chose,
 * in the arena; NULL: no memory. */
bool choice_check(const struct layer_goals *layers, const char *kernel, const struct net *net,
                  struct error *err);
const char *layers_note(const enum optimise *layers, int count, struct arena *arena);

/* A settings struct's entry for an option that many verbs have. */
#define OPTION_JSON(settings)                                                                      \
    {                                                                                              \
        .name = "--json", .help = "print the result as JSON on standard output",                   \
        .kind = OPTION_SET, .offset = offsetof(struct settings, json), .low = 1                    \
    }

#define OPTION_OPTIMISE(settings)                                                                  \
    {                                                                                              \
        .name = "--optimise", .argument = "size|speed|balanced", .kind = OPTION_PARSED,            \
        .offset = offsetof(struct settings, optimise), .parse = parse_optimise,                    \
        .expects = "'size', 'speed' or 'balanced'",                                                \
        .help =                                                                                    \
            "kernels of least flash (default), of least time, or of the\nleast product of both"    \
    }

#define OPTION_LAYERS(settings)                                                                    \
    {                                                                                              \
        .name = "--layers", .argument = "LIST", .kind = OPTION_PARSED,                             \
        .offset = offsetof(struct settings, layers), .parse = parse_layers,                        \
        .expects = "a list of 'size', 'speed' and 'balanced', such as speed,size",                 \
        .help = "images: such a goal for each layer with weights, as in\n"                         \
                "speed,size,balanced; chosen by measuring where there is a budget"                 \
    }

/* Limits: kernels are chosen for them where they are, and what is measured is checked. */
#define OPTION_FLASH(settings)                                                                     \
    {                                                                                              \
        .name = "--flash", .argument = "BYTES", .kind = OPTION_PARSED,                             \
        .offset = offsetof(struct settings, budget.flash), .parse = parse_bytes,                   \
        .expects = "a number of bytes such as 900 or 32k",                                         \
        .help = "exit with 3 where code and constants take more"                                   \
    }

#define OPTION_RAM(settings)                                                                       \
    {                                                                                              \
        .name = "--ram", .argument = "BYTES", .kind = OPTION_PARSED,                               \
        .offset = offsetof(struct settings, budget.ram), .parse = parse_bytes,                     \
        .expects = "a number of bytes such as 200 or 2k",                                          \
        .help = "exit with 3 where static RAM and stack take more"                                 \
    }

#define OPTION_CYCLES(settings)                                                                    \
    {                                                                                              \
        .name = "--cycles", .argument = "N", .kind = OPTION_WHOLE,                                 \
        .offset = offsetof(struct settings, budget.cycles), .low = 1,                              \
        .high = INT64_C(1000000000000), .help = "exit with 3 where one prediction takes more"      \
    }

/* "one of loop line packed ..." */
extern const char kernel_choice[];

#define OPTION_KERNEL(settings)                                                                    \
    {                                                                                              \
        .name = "--kernel", .argument = "NAME", .kind = OPTION_PARSED,                             \
        .offset = offsetof(struct settings, kernel), .parse = parse_kernel,                        \
        .expects = kernel_choice,                                                                  \
        .help = "this kernel wherever its proof allows it, not the best one; networks\n"           \
                "on vectors"                                                                       \
    }

#define OPTION_ASM(settings)                                                                       \
    {                                                                                              \
        .name = "--asm",                                                                           \
        .help = "also assembly or intrinsics behind #if, for the targets that have them",          \
        .kind = OPTION_SET, .offset = offsetof(struct settings, assembly), .low = 1                \
    }

#define OPTION_CONSTANT(settings)                                                                  \
    {                                                                                              \
        .name = "--constant-time",                                                                 \
        .help = "code without a branch or an address that depends on data", .kind = OPTION_SET,    \
        .offset = offsetof(struct settings, constant), .low = 1                                    \
    }

/* ---- messages (message.c) ---- */

/* "mote: SENTENCE" and, for text inputs, the line with a caret; always EXIT_INPUT. */
enum exit_code report_error(const struct error *err);

/* "mote VERB: SENTENCE"; always EXIT_USAGE. */
enum exit_code report_usage(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Remarks, a line each: "mote: note: LINE".  Nothing for "". */
void report_note(const char *lines);

/* Print text on standard output and free it: EXIT_FINE, or EXIT_INPUT with a message. */
enum exit_code print_result(struct text *out);

/* Print a JSON value (NULL: out of memory) on standard output, taking over the reference. */
struct json_t;
enum exit_code print_json(struct json_t *value);

/* A path as JSON text; null where it is no clean UTF-8. */
struct json_t *json_path(const char *path);

/* The help of a verb, as `mote VERB --help` prints it. */
void help_print(const struct verb *verb, struct text *out);

/* Help on `name` where it is no verb (topics.c); false: there is none. */
bool topic_print(const char *name, struct text *out);

/* ---- what several verbs do (shared.c) ---- */

/* Read data to evaluate a net on, its columns found by match_options(): for classes with the label
 * column (`label`, else the net's own) or one-hot outputs.  At most `samples` rows, 0: all.  Notes
 * go to stderr.  NULL on failure. */
struct dataset *load_for_net(const struct net *net, const char *path, const char *label,
                             size_t samples, struct error *err);

/* Does `path` hold images for this net, rather than a table?  Standard input does where the net
 * takes images.  False with `err` filled where it cannot be told. */
bool images_for_net(const struct net *net, const char *path, struct error *err);

/* Read images of the net's size, with its classes; `labels` NULL: found by name.  Notes go to
 * stderr.  NULL on failure. */
struct images *load_images_for_net(const struct net *net, const char *path, const char *labels,
                                   size_t samples, struct error *err);

/* A note where input values had to be clamped. */
void note_clamped(int64_t count);

/* Targets, loaded and known to be installed. */
struct target_list {
    struct target **targets;
    int64_t *clocks;
    int count;
};

/* `names` is "a,b,c"; NULL or "all": every installed one, with a note for each that lacks a
 * program. A target that is unknown or not installed by name is an error.  Free with
 * targets_free(), after a failure too. */
bool targets_load(const char *names, struct arena *arena, struct target_list *list,
                  struct error *err);
void targets_free(struct target_list *list);

/* Measure on each target, two at a time where the speed of this machine does not matter; costs has
 * room for all.  What failed first in the list is told. */
bool targets_measure(const struct net *net, const struct target_list *list,
                     const struct measure_options *options, struct cost *costs, struct error *err);
/* The same with an error for each that failed; false when out of memory, which all errors say. */
bool targets_try(const struct net *net, const struct target_list *list,
                 const struct measure_options *options, struct cost *costs, struct error *errors);

bool has_budget(const struct budget *budget);

/* EXIT_FINE, or EXIT_BUDGET with a line per broken limit on stderr. */
enum exit_code check_budget(const struct budget *budget, const struct cost *costs, int count);

/* ---- the verbs, one file each ---- */

extern const struct verb verb_train, verb_eval, verb_run, verb_emit, verb_measure, verb_prove,
    verb_show, verb_targets;

#endif
