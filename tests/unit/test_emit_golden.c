/* The page that mote writes, byte for byte.  After a wanted change run this with MOTE_GOLDEN=new
 * in the environment and look at what git shows. */
#include "support/unit.h"

#include "run/run.h"
#include "support/emitted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_golden(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->length, file), text->length);
    assert_int_equal(fclose(file), 0);
}

static void compare_golden(const char *name, const struct text *text)
{
    static char golden[1 << 16];
    char path[128];
    const char *mode = getenv("MOTE_GOLDEN");
    (void)snprintf(path, sizeof path, "tests/golden/emit/%s", name);
    if (mode && strcmp(mode, "new") == 0) {
        write_golden(path, text);
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(golden, 1, sizeof golden - 1, file);
    (void)fclose(file);
    golden[length] = 0;
    assert_string_equal(text->data, golden);
}

static void test_header_only(void **state)
{
    enum { COUNT = 3, WIDTH = 6 };
    static const struct emit_cost costs[] = {{"Cortex-M0 -Os", 300, 400, 0, 96, 3911},
                                             {"host", -1, -1, -1, -1, -1}};
    int32_t in[COUNT * WIDTH];
    int32_t out[COUNT * WIDTH];
    struct vectors vectors = {COUNT, in, out};
    struct emit_options options = {.selftest = &vectors, .costs = costs, .cost_count = 2};
    struct text header = {0};
    struct error err = {0};
    (void)state;
    struct net *net = pose_like_net(1, 1);
    struct run *run = run_new(net);
    emit_selftest_inputs(net, COUNT, in);
    for (int i = 0; i < COUNT; i++) {
        run_predict(run, in + i * WIDTH, out + i * WIDTH);
    }
    assert_true(emit_c(net, &options, &header, NULL, &err));
    compare_golden("pose.h", &header);
    text_free(&header);
    run_free(run);
    net_free(net);
}

static void test_separate(void **state)
{
    struct emit_options options = {.name = "iris", .optimise = OPTIMISE_SPEED, .separate = true};
    struct text header = {0};
    struct text source = {0};
    struct error err = {0};
    (void)state;
    struct net *net = class_like_net();
    assert_true(emit_c(net, &options, &header, &source, &err));
    compare_golden("iris.h", &header);
    compare_golden("iris.c", &source);
    text_free(&header);
    text_free(&source);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_only),
        cmocka_unit_test(test_separate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
