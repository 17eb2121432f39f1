/* Every bad image file of tests/bad/images is refused with exactly the message beside it. */
#include "support/unit.h"

#include "data/images.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    "tests/bad/images/"
#define NAMES_MAX 8
#define CASES_MIN 45 /* fewer means that the folder was not found whole */

/* Options as a fixture gives them, and the memory behind them. */
struct request {
    struct images_options options;
    const char *classes[NAMES_MAX];
    char labels[300];
};

static void take_classes(struct request *request, char *list)
{
    int count = 0;
    for (char *at = list; at && count < NAMES_MAX;) {
        request->classes[count++] = at;
        at = strchr(at, ',');
        if (at) {
            *at++ = 0;
        }
    }
    request->options.known_classes = request->classes;
    request->options.known_class_count = count;
}

/* One word: size=28x28x1, labels=FILE, classes=a,b. */
static void take_word(struct request *request, char *word)
{
    struct images_options *options = &request->options;
    if (strncmp(word, "classes=", 8) == 0) {
        take_classes(request, word + 8);
    } else if (strncmp(word, "labels=", 7) == 0) {
        (void)snprintf(request->labels, sizeof request->labels, FOLDER "%.200s", word + 7);
        options->labels = request->labels;
    } else if (sscanf(word, "size=%dx%dx%d", &options->rows, &options->columns, /* NOLINT */
                      &options->channels) != 3) {
        fail_msg("unknown word '%s'", word);
    }
}

/* Take the folder out of a message wherever it stands. */
static void strip(char *message)
{
    size_t length = strlen(FOLDER);
    for (char *at = strstr(message, FOLDER); at; at = strstr(at, FOLDER)) {
        memmove(at, at + length, strlen(at + length) + 1);
    }
}

/* The message that `name` expects, and the words behind it. */
static void read_expected(const char *name, char message[500], char words[300])
{
    char path[400];
    (void)snprintf(path, sizeof path, FOLDER "%.250s.expected", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(message, 500, file));
    words[0] = 0;
    if (!fgets(words, 300, file)) {
        words[0] = 0;
    }
    (void)fclose(file);
    message[strcspn(message, "\n")] = 0;
    words[strcspn(words, "\n")] = 0;
}

/* 1 where the file gives its message. */
static int check(const char *name)
{
    char path[400];
    char message[500];
    char words[300];
    struct request request = {.labels = ""};
    struct error err = {0};
    read_expected(name, message, words);
    if (words[0]) {
        take_word(&request, words);
    }
    (void)snprintf(path, sizeof path, FOLDER "%.250s", name);
    struct images *images = images_load(path, &request.options, &err);
    strip(err.message);
    int good = !images && strcmp(err.message, message) == 0;
    if (!good) {
        print_error("%s\n  is      %s\n  expects %s\n", name, images ? "read" : err.message,
                    message);
    }
    images_free(images);
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
        char *dot = strrchr(entry->d_name, '.');
        if (dot && strcmp(dot, ".expected") == 0) {
            *dot = 0;
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
    struct images_options options = {0};
    struct error err = {0};
    (void)state;
    assert_null(images_load("no/such/folder", &options, &err));
    assert_string_equal(err.message, "no/such/folder: No such file or directory");
    assert_false(images_at("no/such/folder", &(struct error){0}));
    assert_false(images_at("tests/bad/data/nan.npy", &(struct error){0}));
    assert_false(images_at("tests/bad/data/nan.csv", &(struct error){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
