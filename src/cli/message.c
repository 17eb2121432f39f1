#include "base/file.h"
#include "base/utf8.h"
#include "cli/cli.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Two blanks as in front of the excerpt, then one per character before its column. */
static void print_caret(const char *excerpt, int column)
{
    (void)fputs("  ", stderr);
    for (int i = 0; i < column - 1 && excerpt[i]; i++) {
        if (((unsigned char)excerpt[i] & 0xc0) != 0x80) {
            (void)fputc(' ', stderr);
        }
    }
    (void)fputs("^\n", stderr);
}

enum exit_code report_error(const struct error *err)
{
    (void)fprintf(stderr, "mote: %s\n", err->message);
    if (err->excerpt[0]) {
        (void)fprintf(stderr, "  %s\n", err->excerpt);
        if (err->excerpt_column > 0) {
            print_caret(err->excerpt, err->excerpt_column);
        }
    }
    return EXIT_INPUT;
}

enum exit_code report_usage(const char *verb, const char *format, ...)
{
    char message[400];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    struct error clean = {0}; /* replaces control characters of the user's words */
    fail(&clean, "%s", message);
    (void)fprintf(stderr, "mote%s%s: %s\n", verb[0] ? " " : "", verb, clean.message);
    return EXIT_USAGE;
}

void report_note(const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        (void)fprintf(stderr, "mote: note: %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

enum exit_code print_result(struct text *out)
{
    struct error err = {0};
    if (out->failed) {
        fail_memory(&err);
    } else {
        file_write("-", out->data ? out->data : "", out->length, &err);
    }
    text_free(out);
    return err.failed ? report_error(&err) : EXIT_FINE;
}

enum exit_code print_json(struct json_t *value)
{
    struct text out = {0};
    if (!json_text(value, &out)) {
        out.failed = true;
    }
    return print_result(&out);
}

struct json_t *json_path(const char *path)
{
    return utf8_clean(path, strlen(path)) ? json_string(path) : json_null();
}

/* Further lines of an option's help stand below its first. */
static void print_option(const struct option *option, struct text *out)
{
    char left[48];
    (void)snprintf(left, sizeof left, "  %s%s%s", option->name, option->argument ? " " : "",
                   option->argument ? option->argument : "");
    const char *line = option->help;
    for (bool first = true; *line; first = false) {
        size_t length = strcspn(line, "\n");
        text_printf(out, "%-24s  %.*s\n", first ? left : "", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void help_print(const struct verb *verb, struct text *out)
{
    text_printf(out, "usage: mote %s %s\n\n%s\n", verb->name, verb->usage, verb->text);
    text_add(out, "\noptions:\n");
    for (int i = 0; verb->options[i].name; i++) {
        if (verb->options[i].help) {
            print_option(&verb->options[i], out);
        }
    }
    text_add(out, "  -h, --help              print this help\n");
    text_printf(out, "\nexample:\n%s\n", verb->example);
}
