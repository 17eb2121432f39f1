/* Reading .target files: values, and every fault with its line. */
#include "support/unit.h"

#include "measure/measure.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRED "title = T\ndescription = a board\ncompiler = cc -x\n"

/* The board "b" of a folder that holds only this file. */
static struct target *load(const char *text, size_t size, struct error *err)
{
    const char *path = scratch_path("b.target");
    char folder[300];
    scratch_write(path, text, size);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(setenv("MOTE_TARGETS", folder, 1), 0);
    struct target *target = target_load("b", err);
    assert_int_equal(setenv("MOTE_TARGETS", "targets", 1), 0);
    return target;
}

static void test_values(void **state)
{
    (void)state;
    struct error err = {0};
    const char text[] =
        "# a board\r\n\r\n" REQUIRED
        "support = {targets}/s.c\n  flash=32768  \nram =\t16384\nclock = 48000000\n"
        "optimise-size = -Os\noptimise-speed = -O2 -g\nlink = -T x\n"
        "execute = run -a=b {image}\ncount = mote-count_x\ntools = t u\npackages = p q";
    struct target *target = load(text, strlen(text), &err);
    assert_string_equal(err.message, "");
    assert_non_null(target);
    assert_string_equal(target->name, "b");
    assert_string_equal(target->title, "T");
    assert_string_equal(target->description, "a board");
    assert_string_equal(target->compiler, "cc -x");
    assert_string_equal(target->support, "{targets}/s.c");
    assert_string_equal(target->optimise_size, "-Os");
    assert_string_equal(target->optimise_speed, "-O2 -g");
    assert_string_equal(target->link, "-T x");
    assert_string_equal(target->execute, "run -a=b {image}");
    assert_string_equal(target->count, "mote-count_x");
    assert_string_equal(target->tools, "t u");
    assert_string_equal(target->packages, "p q");
    assert_int_equal(target->flash, 32768);
    assert_int_equal(target->ram, 16384);
    assert_int_equal(target->clock, 48000000);
    assert_int_equal(target->folder[0], '/');
    target_free(target);
}

static void test_optional_values_are_empty(void **state)
{
    (void)state;
    struct error err = {0};
    struct target *target = load(REQUIRED, strlen(REQUIRED), &err);
    assert_non_null(target);
    assert_string_equal(target->support, "");
    assert_string_equal(target->execute, "");
    assert_string_equal(target->count, "");
    assert_string_equal(target->link, "");
    assert_string_equal(target->packages, "");
    assert_int_equal(target->flash, 0);
    target_free(target);
}

static void check_fault(const char *text, size_t size, const char *wanted)
{
    struct error err = {0};
    assert_null(load(text, size, &err));
    const char *file = strstr(err.message, "b.target");
    assert_non_null(file);
    assert_string_equal(file, wanted);
}

#define FAULT(text, wanted) check_fault(text, sizeof(text) - 1, wanted)

static void test_faults(void **state)
{
    (void)state;
    FAULT("", "b.target: no 'title'");
    FAULT("title = T\ndescription = d\nsupport = s\n", "b.target: no 'compiler'");
    FAULT("# x\ntitle\n", "b.target:2: not 'key = value'");
    FAULT("title = a\0b\n", "b.target:1: not 'key = value'");
    FAULT("\n\ncolour = red\n", "b.target:3: unknown key 'colour'");
    FAULT("= red\n", "b.target:1: unknown key ''");
    FAULT("title = T\ntitle = U\n", "b.target:2: title: already on line 1");
    FAULT("title =   \n", "b.target:1: title: no value");
    FAULT("flash = 32k\n", "b.target:1: flash: '32k' is not a number");
    FAULT("flash = -1\n", "b.target:1: flash: '-1' is not a number");
    FAULT("clock = 99999999999999999999\n",
          "b.target:1: clock: '99999999999999999999' is not a number");
}

static void test_large_files_are_refused(void **state)
{
    (void)state;
    static char text[70000];
    struct error err = {0};
    memset(text, '#', sizeof text);
    assert_null(load(text, sizeof text, &err));
    assert_non_null(strstr(err.message, "larger than 65536 bytes"));
}

static void check_unknown(const char *name)
{
    struct error err = {0};
    char wanted[200];
    assert_null(target_load(name, &err));
    (void)snprintf(wanted, sizeof wanted, "unknown target '%s' (known: aarch64, armeb", name);
    assert_memory_equal(err.message, wanted, strlen(wanted));
}

static void test_unknown_names(void **state)
{
    (void)state;
    check_unknown("cortex-m9");
    check_unknown("");
    check_unknown("../targets/host");
    check_unknown("HOST");
}

/* Every board of ours reads, and its support files are there. */
static void test_own_targets(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct error err = {0};
    const char **names;
    int count;
    bool host = false;
    assert_true(target_names(arena, &names, &count, &err));
    assert_true(count >= 3);
    for (int i = 0; i < count; i++) {
        struct target *target = target_load(names[i], &err);
        assert_string_equal(err.message, "");
        assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
        host = host || strcmp(names[i], "host") == 0;
        target_free(target);
    }
    assert_true(host);
    arena_free(arena);
}

static void test_missing_folder(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(setenv("MOTE_TARGETS", "/no/such/folder", 1), 0);
    assert_null(target_load("host", &err));
    assert_string_equal(err.message, "no folder of targets: /no/such/folder");
    assert_int_equal(setenv("MOTE_TARGETS", "targets", 1), 0);
}

static void test_missing_programs(void **state)
{
    (void)state;
    struct error err = {0};
    const char *missing;
    static const char none[] = "title = T\ndescription = d\nsupport = s\ncompiler = no-cc -O2\n";
    static const char count[] = REQUIRED "count = mote-count_nothing --core x\n";
    static const char tools[] = REQUIRED "tools = sh no-tool cat\n";
    struct target *target = load(none, strlen(none), &err);
    assert_false(target_installed(target, &missing));
    assert_string_equal(missing, "no-cc");
    target_free(target);
    target = load(count, strlen(count), &err);
    assert_false(target_installed(target, &missing));
    assert_string_equal(missing, "mote-count_nothing");
    target_free(target);
    target = load(tools, strlen(tools), &err);
    assert_false(target_installed(target, &missing));
    assert_string_equal(missing, "no-tool");
    target_free(target);
    target = load(REQUIRED, strlen(REQUIRED), &err);
    assert_true(target_installed(target, &missing));
    assert_null(missing);
    target_free(target);
}

static int use_own_targets(void **state)
{
    (void)state;
    return setenv("MOTE_TARGETS", "targets", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_optional_values_are_empty),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_large_files_are_refused),
        cmocka_unit_test(test_unknown_names),  cmocka_unit_test(test_own_targets),
        cmocka_unit_test(test_missing_folder), cmocka_unit_test(test_missing_programs),
    };
    return cmocka_run_group_tests(tests, use_own_targets, NULL);
}
