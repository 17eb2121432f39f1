/* Every bad table of tests/bad/data is refused with exactly the message beside it. */
#include "support/unit.h"

#include "data/dataset.h"
#include "support/folder.h"
#include "support/load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    "tests/bad/data"
#define NAMES_MAX 8
#define CASES_MIN 90 /* fewer means that the folder was not found whole */

/* Options as a fixture gives them, and the memory behind them. */
struct request {
    struct data_options options;
    const char *inputs[NAMES_MAX];
    const char *classes[NAMES_MAX];
};

/* Cut "a,b" into names; how many. */
static int cut(char *list, const char *names[NAMES_MAX])
{
    int count = 0;
    for (char *at = list; at && count < NAMES_MAX; count++) {
        names[count] = at;
        at = strchr(at, ',');
        if (at) {
            *at++ = 0;
        }
    }
    return count;
}

static void take_word(struct request *request, char *word)
{
    struct data_options *options = &request->options;
    char *value = strchr(word, '=');
    value = value ? value + 1 : NULL;
    if (strcmp(word, "inputs") == 0) {
        options->inputs_only = true;
    } else if (strcmp(word, "one-hot") == 0) {
        options->one_hot = true;
    } else if (strncmp(word, "count=", 6) == 0) {
        options->input_count = atoi(value);
    } else if (strncmp(word, "label=", 6) == 0) {
        options->label = value;
    } else if (strncmp(word, "inputs=", 7) == 0) {
        options->input_count = cut(value, request->inputs);
        options->input_names = request->inputs;
    } else if (strncmp(word, "classes=", 8) == 0) {
        options->known_class_count = cut(value, request->classes);
        options->known_classes = request->classes;
    } else if (strncmp(word, "outputs=", 8) == 0) {
        options->outputs = atoi(value);
        options->output_names = options->outputs ? NULL : value;
    } else {
        print_error("unknown word '%s'\n", word);
        assert_null(word);
    }
}

static void parse_words(struct request *request, char *line)
{
    for (char *at = line; *at;) {
        size_t length = strcspn(at, " ");
        char *next = at + length + (at[length] == ' ');
        at[length] = 0;
        if (length > 0) {
            take_word(request, at);
        }
        at = next;
    }
}

/* 1 where the file gives its message. */
static int check(const char *name)
{
    char path[300];
    char message[500] = "";
    char words[300] = "";
    struct request request = {{0}, {NULL}, {NULL}};
    struct error err = {0};
    (void)snprintf(path, sizeof path, FOLDER "/%.200s.expected", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(message, sizeof message, file));
    if (fgets(words, sizeof words, file)) {
        words[strcspn(words, "\n")] = 0;
    }
    (void)fclose(file);
    message[strcspn(message, "\n")] = 0;
    parse_words(&request, words);
    (void)snprintf(path, sizeof path, FOLDER "/%.200s", name);
    struct dataset *data = data_load(path, &request.options, &err);
    int good = !data && strcmp(base_message(&err), message) == 0;
    if (!good) {
        print_error("%s\n  is      %s\n  expects %s\n", name, data ? "read" : base_message(&err),
                    message);
    }
    data_free(data);
    return good;
}

static void test_fixtures(void **state)
{
    int checked = 0;
    int bad = 0;
    (void)state;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (entry->d_name[0] != '.' && dot && strcmp(dot, ".expected") != 0) {
            bad += !check(entry->d_name);
            checked++;
        }
    }
    (void)closedir(folder);
    assert_int_equal(bad, 0);
    assert_true(checked >= CASES_MIN);
}

static void test_unreadable(void **state)
{
    struct data_options options = {.outputs = 1};
    struct error err = {0};
    (void)state;
    assert_null(data_load("no/such/file.csv", &options, &err));
    assert_string_equal(err.message, "no/such/file.csv: No such file or directory");
    err = (struct error){0};
    assert_null(data_load("tests", &options, &err));
    assert_string_equal(err.message, "tests: Is a directory");
}

/* The line, and the column to point at. */
static void test_excerpts(void **state)
{
    struct data_options options = {.outputs = 1};
    struct error err = {0};
    (void)state;
    assert_null(load_text("a,b\n1,2\n  3, NaN\n", &options, &err));
    assert_string_equal(err.excerpt, "  3, NaN");
    assert_int_equal(err.excerpt_column, 6);
    err = (struct error){0};
    assert_null(load_text("a,b\n1,2\n1,2,3\n", &options, &err));
    assert_string_equal(err.excerpt, "1,2,3");
    assert_int_equal(err.excerpt_column, 0);
}

/* A row of `count` fields, `width` bytes each with the comma. */
static char *wide_row(size_t count, size_t width)
{
    char *text = malloc(count * width + 1);
    assert_non_null(text);
    memset(text, '1', count * width);
    for (size_t i = 1; i <= count; i++) {
        text[i * width - 1] = i < count ? ',' : '\n';
    }
    text[count * width] = 0;
    return text;
}

static void test_too_wide(void **state)
{
    static const size_t widths[] = {2, 11, 20};
    struct data_options options = {.outputs = 1};
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct error err = {0};
        char *text = wide_row(1000000, widths[i]);
        assert_null(load_text(text, &options, &err));
        assert_string_equal(base_message(&err), "t.csv:1: more than 100000 columns");
        free(text);
    }
    struct error err = {0};
    char *text = wide_row(1, 9000000);
    assert_null(load_text(text, &options, &err));
    assert_string_equal(base_message(&err), "t.csv:1: the line is longer than 8 MB");
    free(text);
}

static void test_widest(void **state)
{
    struct data_options options = {.outputs = 1};
    struct error err = {0};
    (void)state;
    char *text = wide_row(DATA_COLUMNS_MAX, 9);
    struct dataset *data = load_text(text, &options, &err);
    assert_non_null(data);
    assert_int_equal(data->input_count, DATA_COLUMNS_MAX - 1);
    data_free(data);
    free(text);
}

/* A quote that never closes does not swallow memory without end. */
static void test_open_quote(void **state)
{
    struct data_options options = {.outputs = 1};
    struct error err = {0};
    (void)state;
    char *text = wide_row(3000000, 4);
    text[0] = '"';
    assert_null(load_text(text, &options, &err));
    assert_string_equal(base_message(&err), "t.csv:1:1: a quoted field starts here and has no end");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures), cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_excerpts), cmocka_unit_test(test_too_wide),
        cmocka_unit_test(test_widest),   cmocka_unit_test(test_open_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
