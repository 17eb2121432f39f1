/* Programs run without a shell: words, output, status, time limit, nothing left behind. */
#include "support/unit.h"

#include "measure/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static struct command command_of(struct arena *arena, const char *text)
{
    struct command command = {.arena = arena, .targets = "/the targets", .image = "/an image"};
    command_add(&command, text);
    return command;
}

/* A script as one word for sh -c. */
static struct command script_of(struct arena *arena, const char *script)
{
    struct command command = command_of(arena, "sh -c");
    command_word(&command, script);
    return command;
}

static void assert_no_children(void)
{
    int status;
    assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_words_are_split_at_spaces_only(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = command_of(arena, "  cc -I{targets} '$HOME;ls'  -o {image}x  ");
    assert_false(command.failed);
    assert_int_equal(command.count, 5);
    assert_string_equal(command.words[1], "-I/the targets");
    assert_string_equal(command.words[2], "'$HOME;ls'");
    assert_string_equal(command.words[4], "/an imagex");
    assert_null(command.words[5]);
    arena_free(arena);
}

static void test_too_many_words_are_an_error(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = command_of(arena, "true");
    struct outcome outcome;
    struct error err = {0};
    for (int i = 0; i < COMMAND_WORDS_MAX; i++) {
        command_add(&command, "x");
    }
    assert_true(command.failed);
    assert_false(process_run(&command, "/", 5, &outcome, &err));
    assert_non_null(strstr(err.message, "more than 128 words"));
    arena_free(arena);
}

static void test_output_status_and_folder(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = script_of(arena, "pwd; echo bad >&2; cat; exit 7");
    struct outcome outcome;
    struct error err = {0};
    assert_true(process_run(&command, "/usr", 10, &outcome, &err));
    assert_string_equal(outcome.output.data, "/usr\n");
    assert_string_equal(outcome.errors.data, "bad\n");
    assert_int_equal(outcome.status, 7);
    outcome_free(&outcome);
    assert_no_children();
    arena_free(arena);
}

static void test_signals_are_a_status(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = script_of(arena, "kill -SEGV $$");
    struct outcome outcome;
    struct error err = {0};
    assert_true(process_run(&command, "/", 10, &outcome, &err));
    assert_int_equal(outcome.status, 128 + 11);
    outcome_free(&outcome);
    arena_free(arena);
}

/* Run a script that must be stopped after a second. */
static void check_stopped(const char *script)
{
    struct arena *arena = arena_new();
    struct command command = script_of(arena, script);
    struct outcome outcome;
    struct error err = {0};
    time_t start = time(NULL);
    assert_false(process_run(&command, "/", 1, &outcome, &err));
    assert_string_equal(err.message, "sh: stopped after 1 seconds");
    assert_true(time(NULL) - start < 10);
    outcome_free(&outcome);
    assert_no_children();
    arena_free(arena);
}

static void test_time_limit(void **state)
{
    (void)state;
    check_stopped("while :; do :; done");
    check_stopped("exec >/dev/null 2>&1; while :; do :; done"); /* closed outputs, still there */
    check_stopped("while :; do echo y; done");
}

static void test_long_output_is_cut(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = script_of(arena, "head -c 3000000 /dev/zero; echo end >&2");
    struct outcome outcome;
    struct error err = {0};
    assert_true(process_run(&command, "/", 30, &outcome, &err));
    assert_int_equal(outcome.output.length, 1 << 20);
    assert_string_equal(outcome.errors.data, "end\n");
    assert_int_equal(outcome.status, 0);
    outcome_free(&outcome);
    arena_free(arena);
}

static void test_missing_program_and_folder(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct command command = command_of(arena, "no-such-program-here");
    struct outcome outcome;
    struct error err = {0};
    assert_false(process_run(&command, "/", 5, &outcome, &err));
    assert_string_equal(err.message, "no-such-program-here: No such file or directory");
    struct error again = {0};
    command = command_of(arena, "true");
    assert_false(process_run(&command, "/no/such/folder", 5, &outcome, &again));
    assert_no_children();
    arena_free(arena);
}

static void check_complaint(const char *errors, const char *wanted)
{
    struct outcome outcome = {0};
    char line[40];
    if (errors) {
        text_add(&outcome.errors, errors);
    }
    outcome_complaint(&outcome, line, sizeof line);
    assert_string_equal(line, wanted);
    outcome_free(&outcome);
}

static void test_complaints(void **state)
{
    (void)state;
    check_complaint(NULL, "");
    check_complaint("", "");
    check_complaint("one\n", "one");
    check_complaint("In file\n  a.c:1: error: bad\nmore", "a.c:1: error: bad");
    check_complaint("ld: x\nld: region FLASH overflowed", "ld: region FLASH overflowed");
    check_complaint("0123456789012345678901234567890123456789",
                    "012345678901234567890123456789012345678");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_split_at_spaces_only),
        cmocka_unit_test(test_too_many_words_are_an_error),
        cmocka_unit_test(test_output_status_and_folder),
        cmocka_unit_test(test_signals_are_a_status),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_long_output_is_cut),
        cmocka_unit_test(test_missing_program_and_folder),
        cmocka_unit_test(test_complaints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
