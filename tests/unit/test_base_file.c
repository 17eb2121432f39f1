/* Whole files: bounded reads, atomic writes. */
#include "support/unit.h"

#include "base/file.h"
#include "support/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_content(const char *path, const char *expected)
{
    struct error err = {0};
    size_t size;
    unsigned char *data = file_read(path, 1 << 20, &size, &err);
    assert_non_null(data);
    assert_int_equal(size, strlen(expected));
    assert_string_equal((char *)data, expected); /* a zero byte follows */
    free(data);
}

static void check_refused(const char *path, size_t limit, const char *ending)
{
    struct error err = {0};
    size_t size;
    assert_null(file_read(path, limit, &size, &err));
    assert_true(err.failed);
    assert_memory_equal(err.message, path, strlen(path));
    assert_string_equal(err.message + strlen(path), ending);
}

static void test_read(void **state)
{
    const char *path = scratch_path("read");
    (void)state;
    scratch_write(path, "hello", 5);
    check_content(path, "hello");
    check_refused(path, 4, ": larger than 4 bytes");
    scratch_write(path, "", 0);
    check_content(path, "");
    check_refused(scratch_path("absent"), 10, ": No such file or directory");
    check_refused("/", 10, ": Is a directory");
}

/* Larger than the first buffer, exactly at the limit, and one beyond; an endless file stops. */
static void test_read_limits(void **state)
{
    enum { SIZE = 300000 };
    static unsigned char bytes[SIZE];
    const char *path = scratch_path("large");
    struct error err = {0};
    size_t size;
    (void)state;
    for (int i = 0; i < SIZE; i++) {
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    }
    scratch_write(path, bytes, SIZE);
    unsigned char *data = file_read(path, SIZE, &size, &err);
    assert_non_null(data);
    assert_int_equal(size, SIZE);
    assert_memory_equal(data, bytes, SIZE);
    free(data);
    check_refused(path, SIZE - 1, ": larger than 299999 bytes");
    check_refused("/dev/zero", 1000000, ": larger than 1000000 bytes");
}

static void test_write(void **state)
{
    const char *path = scratch_path("written");
    struct error err = {0};
    struct stat status;
    int before = scratch_count();
    (void)state;
    mode_t mask = umask(027);
    assert_true(file_write(path, "first", 5, &err));
    check_content(path, "first");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640); /* as a plain open() would have made it */
    assert_int_equal(chmod(path, 0604), 0);
    assert_true(file_write(path, "second", 6, &err));
    check_content(path, "second");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0604); /* the old file's mode stays */
    assert_true(file_write(path, "", 0, &err));
    check_content(path, "");
    assert_int_equal(scratch_count(), before + 1); /* no temporary file is left */
    (void)umask(mask);
}

/* Who has the old file open keeps reading the old content: it was replaced, not overwritten. */
static void test_write_replaces(void **state)
{
    const char *path = scratch_path("replaced");
    struct error err = {0};
    struct stat before;
    struct stat after;
    (void)state;
    assert_true(file_write(path, "old", 3, &err));
    assert_int_equal(stat(path, &before), 0);
    const char *other = scratch_path("kept");
    assert_int_equal(link(path, other), 0);
    assert_true(file_write(path, "new", 3, &err));
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    check_content(other, "old");
    check_content(path, "new");
}

static void test_write_fails(void **state)
{
    struct error full = {0};
    struct error absent = {0};
    struct error folder = {0};
    int before = scratch_count();
    (void)state;
    assert_false(file_write("/dev/full", "x", 1, &full));
    assert_string_equal(full.message, "/dev/full: No space left on device");
    assert_false(file_write("/nonexistent/a", "x", 1, &absent));
    assert_string_equal(absent.message, "/nonexistent/a: No such file or directory");
    assert_false(file_write("/", "x", 1, &folder));
    assert_true(folder.failed);
    assert_true(file_write("/dev/null", "x", 1, &(struct error){0}));
    assert_int_equal(scratch_count(), before);
}

static void test_writable(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(file_writable("-", &err));
    assert_true(file_writable("/dev/null", &err));
    assert_true(file_writable(scratch_path("new file"), &err));
    assert_false(err.failed);
    assert_false(file_writable("/no such folder/x", &err));
    assert_string_equal(err.message, "/no such folder/x: No such file or directory");
    struct error folder = {0};
    assert_false(file_writable("/", &folder));
    assert_string_equal(folder.message, "/: Is a directory");
}

static void test_readable(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(file_readable("-", &err));
    assert_true(file_readable("/dev/null", &err));
    assert_false(file_readable("/no such folder/x", &err));
    assert_string_equal(err.message, "/no such folder/x: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),        cmocka_unit_test(test_read_limits),
        cmocka_unit_test(test_write),       cmocka_unit_test(test_write_replaces),
        cmocka_unit_test(test_write_fails), cmocka_unit_test(test_writable),
        cmocka_unit_test(test_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
