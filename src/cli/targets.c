/* mote targets: the boards that `measure` knows. */
#include "base/arena.h"
#include "cli/cli.h"

#include <jansson.h>

struct settings {
    int json;
};

static const struct option options[] = {OPTION_JSON(settings), {0}};

/* A row of the table. */
static void add_line(struct text *cells, const struct target *target)
{
    const char *missing = NULL;
    text_printf(cells, "%s\t", target->name);
    if (target_installed(target, &missing)) {
        text_add(cells, "installed\t");
    } else {
        text_printf(cells, "no %s\t", missing);
    }
    text_printf(cells, "%s\t%s\n", target->packages, target->description);
}

/* The same as an object of the list. */
static bool add_object(json_t *list, const struct target *target)
{
    const char *missing = NULL;
    bool installed = target_installed(target, &missing);
    json_t *object = json_object();
    bool good = json_put(object, "name", json_string(target->name)) &&
                json_put(object, "title", json_string(target->title)) &&
                json_put(object, "description", json_string(target->description)) &&
                json_put(object, "packages", json_string(target->packages)) &&
                json_put(object, "installed", json_boolean(installed)) &&
                json_put(object, "missing", installed ? json_null() : json_string(missing)) &&
                json_put(object, "flash", json_integer(target->flash)) &&
                json_put(object, "ram", json_integer(target->ram)) &&
                json_put(object, "clock", json_integer(target->clock));
    if (!good) {
        json_decref(object);
        return false;
    }
    return json_array_append_new(list, object) == 0;
}

/* Both forms at once; the caller prints the one asked for. */
static bool describe(const char *name, struct text *cells, json_t *list, struct error *err)
{
    struct target *target = target_load(name, err);
    if (!target) {
        return false;
    }
    add_line(cells, target);
    bool good = add_object(list, target);
    target_free(target);
    return good || fail_memory(err);
}

static bool describe_all(struct text *cells, json_t *list, struct error *err)
{
    struct arena *arena = arena_new();
    const char **names = NULL;
    int count = 0;
    bool good = arena ? target_names(arena, &names, &count, err) : fail_memory(err);
    text_add(cells, "target\tstate\tpackages\tdescription\n");
    for (int i = 0; good && i < count; i++) {
        good = describe(names[i], cells, list, err);
    }
    arena_free(arena);
    return good;
}

static enum exit_code print_table(struct text *cells)
{
    struct text out = {.failed = cells->failed};
    if (!cells->failed) {
        text_align(&out, cells->data, "llll");
    }
    return print_result(&out);
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    struct error err = {0};
    struct text cells = {0};
    json_t *list = json_array();
    if (!describe_all(&cells, list, &err)) {
        code = report_error(&err);
    } else if (settings.json) {
        code = print_json(json_incref(list));
    } else {
        code = print_table(&cells);
    }
    json_decref(list);
    text_free(&cells);
    return code;
}

const struct verb verb_targets = {
    .name = "targets",
    .summary = "list the boards that measure knows",
    .usage = "[--json]",
    .text = "Lists the targets, whether what they need is installed, and the Debian packages that\n"
            "they need.  Targets are files; $MOTE_TARGETS names another folder of them.",
    .example = "  mote targets",
    .options = options,
    .positionals = 0,
    .run = run,
};
