/* Every tests/bad/mote/NAME.mote is refused with the message in NAME.expected. */
#include "support/unit.h"

#include "base/file.h"
#include "net/net.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "tests/bad/mote/a.mote" to the content of "tests/bad/mote/a.expected", less its newline. */
static char *expected_message(const char *path)
{
    char name[256];
    size_t size;
    struct error err = {0};
    (void)snprintf(name, sizeof name, "%.*s.expected", (int)(strrchr(path, '.') - path), path);
    char *text = (char *)file_read(name, 4096, &size, &err);
    if (!text) {
        fail_msg("%s", err.message);
    }
    text[strcspn(text, "\n")] = 0;
    return text;
}

static void test_refused(void **state)
{
    const char *path = *state;
    struct error err = {0};
    struct net *net = net_read(path, &err);
    assert_null(net);
    assert_true(err.failed);
    char *expected = expected_message(path);
    assert_string_equal(err.message, expected);
    free(expected);
}

int main(void)
{
    enum { FILES_MAX = 512 };
    static struct CMUnitTest tests[FILES_MAX];
    glob_t files;
    if (glob("tests/bad/mote/*.mote", 0, NULL, &files) != 0 || files.gl_pathc > FILES_MAX) {
        (void)fprintf(stderr, "tests/bad/mote/*.mote: none or too many\n");
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        tests[i] = (struct CMUnitTest){.name = files.gl_pathv[i],
                                       .test_func = test_refused,
                                       .initial_state = files.gl_pathv[i]};
    }
    int failed = _cmocka_run_group_tests("bad .mote files", tests, files.gl_pathc, NULL, NULL);
    globfree(&files);
    return failed;
}
