#include "base/file.h"
#include "base/text.h"
#include "emit/machine.h"
#include "measure/measure.h"
#include "measure/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGET_FILE_MAX ((size_t)1 << 16)
#define NAME_MAX_LENGTH 60
#define SUFFIX          ".target"
#define COSTS_SUFFIX    ".costs"

/* ---- keys ---- */

struct key {
    const char *name;
    size_t offset; /* in struct target */
    bool number;
    bool required;
};

#define TEXT(name, field, required)                                                                \
    {                                                                                              \
        name, offsetof(struct target, field), false, required                                      \
    }
#define NUMBER(name, field)                                                                        \
    {                                                                                              \
        name, offsetof(struct target, field), true, false                                          \
    }

static const struct key keys[] = {
    TEXT("title", title, true),
    TEXT("description", description, true),
    TEXT("packages", packages, false),
    TEXT("tools", tools, false),
    NUMBER("flash", flash),
    NUMBER("ram", ram),
    NUMBER("clock", clock),
    TEXT("compiler", compiler, true),
    TEXT("optimise-size", optimise_size, false),
    TEXT("optimise-speed", optimise_speed, false),
    TEXT("costs", costs, false),
    TEXT("variants", variants, false),
    TEXT("support", support, false),
    TEXT("link", link, false),
    TEXT("execute", execute, false),
    TEXT("count", count, false),
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

/* ---- parsing ---- */

struct parser {
    struct target *target;
    struct place place;
    size_t seen[KEY_COUNT]; /* line of each key; 0: none */
    struct error *err;
};

struct slice {
    const char *data;
    size_t length;
};

static struct slice trim(struct slice text)
{
    while (text.length > 0 && strchr(" \t\r", text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && strchr(" \t\r", text.data[text.length - 1])) {
        text.length--;
    }
    return text;
}

static bool equals(struct slice text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.data, string, text.length) == 0;
}

static bool set_number(struct parser *parser, const struct key *key, struct slice value)
{
    int64_t number = 0;
    for (size_t i = 0; i < value.length; i++) {
        unsigned char digit = (unsigned char)value.data[i];
        if (digit < '0' || digit > '9' || number > INT64_C(100000000000)) {
            return fail_at(parser->err, parser->place, "%s: '%.*s' is not a number", key->name,
                           (int)(value.length < 60 ? value.length : 60), value.data);
        }
        number = 10 * number + (digit - '0');
    }
    memcpy((char *)parser->target + key->offset, &number, sizeof number);
    return true;
}

static bool set_text(struct parser *parser, const struct key *key, struct slice value)
{
    const char *text = arena_text(parser->target->arena, value.data, value.length);
    if (!text) {
        return fail_memory(parser->err);
    }
    memcpy((char *)parser->target + key->offset, &text, sizeof text);
    return true;
}

static bool set_value(struct parser *parser, struct slice name, struct slice value)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        if (!equals(name, key->name)) {
            continue;
        }
        if (parser->seen[i]) {
            return fail_at(parser->err, parser->place, "%s: already on line %zu", key->name,
                           parser->seen[i]);
        }
        parser->seen[i] = parser->place.line;
        if (value.length == 0) {
            return fail_at(parser->err, parser->place, "%s: no value", key->name);
        }
        return key->number ? set_number(parser, key, value) : set_text(parser, key, value);
    }
    return fail_at(parser->err, parser->place, "unknown key '%.*s'",
                   (int)(name.length < 60 ? name.length : 60), name.data);
}

static bool parse_line(struct parser *parser, struct slice line)
{
    line = trim(line);
    if (line.length == 0 || line.data[0] == '#') {
        return true;
    }
    const char *sign = memchr(line.data, '=', line.length);
    if (memchr(line.data, 0, line.length) || !sign) {
        return fail_at(parser->err, parser->place, "not 'key = value'");
    }
    size_t split = (size_t)(sign - line.data);
    struct slice name = trim((struct slice){line.data, split});
    struct slice value = trim((struct slice){sign + 1, line.length - split - 1});
    if (!set_value(parser, name, value)) {
        error_excerpt(parser->err, line.data, line.length, 1);
        return false;
    }
    return true;
}

/* Line of a key that was given; 0: it was not. */
static size_t line_of(const struct parser *parser, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return parser->seen[i];
        }
    }
    return 0;
}

static bool check_variants(struct parser *parser)
{
    unsigned kinds;
    parser->place.line = line_of(parser, "variants");
    return emit_variants_parse(parser->target->variants, &kinds) ||
           fail_at(parser->err, parser->place, "variants: '%.60s' has a name that none of them has",
                   parser->target->variants);
}

static bool parse(struct parser *parser, const char *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(data + at, '\n', size - at);
        size_t length = end ? (size_t)(end - data) - at : size - at;
        parser->place.line++;
        if (!parse_line(parser, (struct slice){data + at, length})) {
            return false;
        }
        at += length + 1;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].required && !parser->seen[i]) {
            parser->place.line = 0;
            return fail_at(parser->err, parser->place, "no '%s'", keys[i].name);
        }
    }
    return check_variants(parser);
}

/* ---- names ---- */

static bool valid_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
        if (!letter && name[i] != '-') {
            return false;
        }
    }
    return length > 0 && length <= NAME_MAX_LENGTH;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Length of the name in a file name; 0: no .target file. */
static size_t name_length(const char *file)
{
    size_t length = strlen(file);
    size_t suffix = strlen(SUFFIX);
    if (length <= suffix || strcmp(file + length - suffix, SUFFIX) != 0 ||
        !valid_name(file, length - suffix)) {
        return 0;
    }
    return length - suffix;
}

static bool list_names(struct arena *arena, DIR *folder, const char ***names, int *count)
{
    enum { NAMES_MAX = 256 };
    const char **list = arena_alloc(arena, NAMES_MAX, sizeof *list);
    *names = list;
    for (const struct dirent *entry; list && *count < NAMES_MAX && (entry = readdir(folder));) {
        size_t length = name_length(entry->d_name);
        if (length > 0) {
            list[*count] = arena_text(arena, entry->d_name, length);
            if (!list[(*count)++]) {
                return false;
            }
        }
    }
    return list != NULL;
}

bool target_names(struct arena *arena, const char ***names, int *count, struct error *err)
{
    *count = 0;
    const char *path = place_targets(arena, err);
    if (!path) {
        return false;
    }
    DIR *folder = opendir(path);
    if (!folder) {
        return fail(err, "%s: %s", path, strerror(errno));
    }
    bool done = list_names(arena, folder, names, count);
    (void)closedir(folder);
    if (!done) {
        return fail_memory(err);
    }
    qsort(*names, (size_t)*count, sizeof **names, compare_names);
    return true;
}

/* ---- loading ---- */

static bool fail_unknown(struct target *target, const char *name, struct error *err)
{
    const char **names;
    int count;
    struct text known = {0};
    if (target_names(target->arena, &names, &count, err)) {
        for (int i = 0; i < count; i++) {
            text_printf(&known, "%s%s", i ? ", " : "", names[i]);
        }
        fail(err, "unknown target '%.60s' (known: %s)", name, known.data ? known.data : "none");
    }
    text_free(&known);
    return false;
}

static bool parse_file(struct target *target, const char *path, struct error *err)
{
    size_t size;
    unsigned char *data = file_read(path, TARGET_FILE_MAX, &size, err);
    if (!data) {
        return false;
    }
    struct parser parser = {.target = target, .place = {.file = path}, .err = err};
    bool done = parse(&parser, (const char *)data, size);
    free(data);
    return done;
}

/* What kernels cost there, from the file that the key `costs` names. */
static bool read_costs(struct target *target, struct error *err)
{
    size_t size;
    struct text path = {0};
    struct machine *machine = arena_alloc(target->arena, 1, sizeof *machine);
    text_printf(&path, "%s/%s" COSTS_SUFFIX, target->folder, target->costs);
    if (path.failed || !machine) {
        text_free(&path);
        return fail_memory(err);
    }
    if (!valid_name(target->costs, strlen(target->costs))) {
        text_free(&path);
        return fail(err, "%s: costs: '%.60s' is no name of a file of costs", target->name,
                    target->costs);
    }
    unsigned char *data = file_read(path.data, TARGET_FILE_MAX, &size, err);
    bool done = data && machine_parse((const char *)data, size, path.data, machine, err);
    (void)snprintf(machine->title, sizeof machine->title, "%.39s", target->costs);
    target->machine = machine;
    free(data);
    text_free(&path);
    return done;
}

static bool read_target(struct target *target, const char *name, struct error *err)
{
    target->folder = place_targets(target->arena, err);
    if (!target->folder) {
        return false;
    }
    if (!valid_name(name, strlen(name))) {
        return fail_unknown(target, name, err);
    }
    struct text path = {0};
    text_printf(&path, "%s/%s" SUFFIX, target->folder, name);
    bool done = false;
    if (path.failed) {
        fail_memory(err);
    } else if (access(path.data, F_OK) != 0) {
        fail_unknown(target, name, err);
    } else {
        done = parse_file(target, path.data, err) && (!target->costs[0] || read_costs(target, err));
    }
    text_free(&path);
    return done;
}

struct target *target_load(const char *name, struct error *err)
{
    struct arena *arena = arena_new();
    struct target *target = arena ? arena_alloc(arena, 1, sizeof *target) : NULL;
    if (!target) {
        arena_free(arena);
        fail_memory(err);
        return NULL;
    }
    target->arena = arena;
    target->name = arena_string(arena, name);
    target->packages = target->tools = target->optimise_size = target->optimise_speed = "";
    target->costs = target->variants = target->support = target->link = target->execute =
        target->count = "";
    if (!target->name || !read_target(target, name, err)) {
        fail_memory(err);
        target_free(target);
        return NULL;
    }
    return target;
}

void target_free(struct target *target)
{
    if (target) {
        arena_free(target->arena);
    }
}

/* ---- what it needs ---- */

/* The first `length` bytes of `text` name a program. */
static bool has_program(const struct target *target, const char *text, size_t length,
                        const char **missing)
{
    const char *word = arena_text(target->arena, text, length);
    *missing = word ? word : "memory";
    return length == 0 || (word && place_program(target->arena, word));
}

bool target_installed(const struct target *target, const char **missing)
{
    const char *const commands[] = {target->compiler, target->execute, target->count};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!has_program(target, commands[i], strcspn(commands[i], " "), missing)) {
            return false;
        }
    }
    for (const char *at = target->tools; *at;) {
        size_t length = strcspn(at, " ");
        if (!has_program(target, at, length, missing)) {
            return false;
        }
        at += length + strspn(at + length, " ");
    }
    *missing = NULL;
    return true;
}
