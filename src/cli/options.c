#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Levenshtein distance, up to words of 31 characters; longer ones are far from everything. */
static int distance(const char *a, const char *b)
{
    int rows[32];
    size_t m = strlen(a), n = strlen(b);
    if (m > 31 || n > 31) {
        return 99;
    }
    for (size_t j = 0; j <= n; j++) {
        rows[j] = (int)j;
    }
    for (size_t i = 1; i <= m; i++) {
        int corner = rows[0];
        rows[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int change = corner + (a[i - 1] != b[j - 1]);
            int step = (rows[j] < rows[j - 1] ? rows[j] : rows[j - 1]) + 1;
            corner = rows[j];
            rows[j] = change < step ? change : step;
        }
    }
    return rows[n];
}

const char *nearest_name(const char *word, const char *const *names, int count)
{
    const char *best = NULL;
    int least = 4; /* farther away than three edits is no typing error */
    for (int i = 0; i < count; i++) {
        int edits = distance(word, names[i]);
        if (edits < least && edits < (int)strlen(names[i]) - 1) {
            least = edits;
            best = names[i];
        }
    }
    return best;
}

/* "--name" or "--name=value": the option's index, -1 where there is none. */
static int find_option(const struct verb *verb, const char *word)
{
    size_t length = strcspn(word, "=");
    for (int i = 0; verb->options[i].name; i++) {
        const char *name = verb->options[i].name;
        if (strlen(name) == length && strncmp(name, word, length) == 0) {
            return i;
        }
    }
    return -1;
}

/* With the nearest one there is: most are typing errors. */
static enum exit_code unknown_option(const struct verb *verb, const char *word)
{
    const char *names[OPTIONS_MAX + 1];
    int count = 0;
    for (; verb->options[count].name; count++) {
        names[count] = verb->options[count].name;
    }
    names[count++] = "--help";
    char name[32] = "";
    size_t length = strcspn(word, "=");
    memcpy(name, word, length < 31 ? length : 31);
    const char *near = length < 31 ? nearest_name(name, names, count) : NULL;
    if (near) {
        return report_usage(verb->name, "unknown option '%s'; did you mean '%s'?", word, near);
    }
    return report_usage(verb->name, "unknown option '%s'; see 'mote %s --help'", word, verb->name);
}

/* Put an option's value into the settings; false where it is not acceptable, and lists tell why. */
static bool store(const struct option *option, const char *argument, void *settings,
                  struct error *err)
{
    void *value = (char *)settings + option->offset;
    switch (option->kind) {
    case OPTION_SET: *(int *)value = (int)option->low; return true;
    case OPTION_TEXT: *(const char **)value = argument; return argument[0] != 0;
    case OPTION_WHOLE: return parse_whole(argument, option->low, option->high, value);
    case OPTION_PARSED: return option->parse(argument, value);
    case OPTION_LIST: return option->parse_list(argument, value, err);
    }
    return false;
}

/* Say what the option would have taken. */
static enum exit_code bad_value(const struct verb *verb, const struct option *option,
                                const char *argument, const struct error *err)
{
    if (err->failed) {
        return report_usage(verb->name, "%s: %s", option->name, err->message);
    }
    if (option->kind == OPTION_WHOLE) {
        return report_usage(verb->name, "%s: '%s' is not a whole number from %lld to %lld",
                            option->name, argument, (long long)option->low,
                            (long long)option->high);
    }
    if (option->kind == OPTION_PARSED) {
        return report_usage(verb->name, "%s: '%s' is not %s", option->name, argument,
                            option->expects);
    }
    return report_usage(verb->name, "%s: its argument is empty", option->name);
}

/* One option word and, where it has one, its argument; *at is the word's index and moves on. */
static enum exit_code take_option(const struct verb *verb, char **words, int *at, void *settings,
                                  struct arguments *arguments)
{
    const char *word = words[*at];
    int index = find_option(verb, word);
    if (index < 0) {
        return unknown_option(verb, word);
    }
    const struct option *option = &verb->options[index];
    const char *argument = strchr(word, '=');
    argument = argument ? argument + 1 : NULL;
    if (!option->argument && argument) {
        return report_usage(verb->name, "%s takes no argument", option->name);
    }
    if (option->argument && !argument) {
        argument = words[*at + 1];
        if (!argument) {
            return report_usage(verb->name, "%s needs an argument (%s)", option->name,
                                option->argument);
        }
        ++*at;
    }
    for (int i = 0; verb->options[i].name; i++) { /* the last of --skip and --no-skip counts */
        if (verb->options[i].offset == option->offset) {
            arguments->given[i] = NULL;
        }
    }
    argument = argument ? argument : "";
    arguments->given[index] = argument;
    struct error err = {0};
    return store(option, argument, settings, &err) ? EXIT_FINE
                                                   : bad_value(verb, option, argument, &err);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Help is given wherever it is asked for, also beside mistakes. */
static bool wants_help(int count, char **words)
{
    for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
        if (is_help(words[i])) {
            return true;
        }
    }
    return false;
}

/* Options and positional arguments in any order; after "--" all are positional. */
static enum exit_code take_words(const struct verb *verb, int count, char **words, void *settings,
                                 struct arguments *arguments)
{
    int positionals = 0;
    bool options = true;
    for (int i = 0; i < count; i++) {
        if (options && strcmp(words[i], "--") == 0) {
            options = false;
        } else if (options && words[i][0] == '-' && words[i][1]) {
            enum exit_code code = take_option(verb, words, &i, settings, arguments);
            if (code != EXIT_FINE) {
                return code;
            }
        } else if (positionals < verb->positionals + verb->optional) {
            arguments->positional[positionals++] = words[i];
        } else if (verb->many) {
            words[arguments->more_count++] = words[i]; /* over words that are done */
        } else {
            return report_usage(verb->name, "unexpected argument '%s'", words[i]);
        }
    }
    if (positionals < verb->positionals) {
        return report_usage(verb->name, "too few arguments; usage: mote %s %s", verb->name,
                            verb->usage);
    }
    return EXIT_FINE;
}

bool options_parse(const struct verb *verb, int count, char **words, void *settings,
                   struct arguments *arguments, enum exit_code *code)
{
    *arguments = (struct arguments){.more = words};
    if (wants_help(count, words)) {
        struct text help = {0};
        help_print(verb, &help);
        *code = print_result(&help);
        return false;
    }
    *code = take_words(verb, count, words, settings, arguments);
    return *code == EXIT_FINE;
}

/* A word as a shell reads it back. */
static void print_word(struct text *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._,:+-";
    if (word[strspn(word, plain)] == 0) {
        text_add(out, word);
        return;
    }
    text_add(out, "'");
    for (; *word; word++) {
        if (*word == '\'') {
            text_add(out, "'\\''");
        } else {
            text_bytes(out, word, 1);
        }
    }
    text_add(out, "'");
}

bool option_given(const struct verb *verb, const struct arguments *arguments, const char *name)
{
    for (int i = 0; verb->options[i].name; i++) {
        if (strcmp(verb->options[i].name, name) == 0) {
            return arguments->given[i] != NULL;
        }
    }
    return false;
}

void options_print(const struct verb *verb, const struct arguments *arguments, struct text *out)
{
    for (int i = 0; verb->options[i].name; i++) {
        const struct option *option = &verb->options[i];
        if (!option->recorded || !arguments->given[i]) {
            continue;
        }
        text_add(out, out->length ? " " : "");
        text_add(out, option->name);
        if (option->argument) {
            text_add(out, " ");
            print_word(out, arguments->given[i]);
        }
    }
    text_add(out, "");
}
