/* The public library, through include/mote.h alone. */
#include "support/unit.h"

#include "mote.h"
#include "support/folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 400

static float plane[ROWS][3]; /* y = 3 a - b */

static void fill_plane(void)
{
    for (int i = 0; i < ROWS; i++) {
        plane[i][0] = (float)(i % 23);
        plane[i][1] = (float)(i % 19);
        plane[i][2] = 3 * plane[i][0] - plane[i][1];
    }
}

static struct mote_net *train_plane(const struct mote_options *options)
{
    struct mote_error error;
    struct mote_net *net = mote_train_rows(&plane[0][0], ROWS, 2, 1, options, &error);
    if (!net) {
        fail_msg("%s", error.message);
    }
    assert_string_equal(error.message, "");
    return net;
}

static void train_and_predict(void **state)
{
    (void)state;
    const struct mote_options options = {.net = "2-3-1", .seconds = 20, .seed = 7};
    struct mote_net *net = train_plane(&options);
    assert_int_equal(mote_input_count(net), 2);
    assert_int_equal(mote_output_count(net), 1);
    assert_int_equal(mote_class_count(net), 0);
    assert_null(mote_class_name(net, 0));
    assert_true(mote_score(net) >= 0 && mote_score(net) < 1);
    const double in[2] = {10, 4};
    double out[1];
    mote_predict(net, in, out);
    assert_true(fabs(out[0] - 26) < 1);
    const double odd[2] = {(double)NAN, 1e300};
    mote_predict(net, odd, out);
    assert_true(isfinite(out[0]));
    mote_free(net);
    mote_free(NULL);
}

static void codes_match_values(void **state)
{
    (void)state;
    const struct mote_options options = {.net = "2-2-1", .seconds = 5, .in_type = "i16"};
    struct mote_net *net = train_plane(&options);
    const int32_t far[2] = {INT32_MAX, INT32_MIN}, clamped[2] = {32767, -32768};
    int32_t a[1], b[1];
    mote_predict_codes(net, far, a);
    mote_predict_codes(net, clamped, b);
    assert_int_equal(a[0], b[0]);
    mote_free(net);
}

static void write_and_read(void **state)
{
    (void)state;
    const struct mote_options options = {.net = "2-2-1", .seconds = 5};
    struct mote_net *net = train_plane(&options);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", scratch_path("plane.mote"));
    struct mote_error error;
    assert_true(mote_write(net, path, &error));
    struct mote_net *copy = mote_read(path, &error);
    assert_non_null(copy);
    char *a = mote_emit(net, "plane", false, &error);
    char *b = mote_emit(copy, "plane", false, NULL);
    assert_non_null(a);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "plane_predict"));
    char *text = mote_show(copy, &error);
    assert_non_null(text);
    assert_non_null(strstr(text, "least squares"));
    free(text);
    free(a);
    free(b);
    assert_null(mote_emit(net, "9 lives", true, &error));
    assert_string_equal(error.message, "'9 lives' cannot begin C names; 'net_9_lives' can");
    assert_false(mote_write(net, "/no/such/folder/x.mote", &error));
    assert_string_equal(error.message, "/no/such/folder/x.mote: No such file or directory");
    mote_free(copy);
    mote_free(net);
}

static void classes_from_one_hot_rows(void **state)
{
    (void)state;
    static float rows[ROWS][4]; /* a > b: the first class, else the second */
    for (int i = 0; i < ROWS; i++) {
        rows[i][0] = (float)(13 * i % 50);
        rows[i][1] = (float)(29 * i % 47);
        rows[i][2] = rows[i][0] > rows[i][1];
        rows[i][3] = 1 - rows[i][2];
    }
    const struct mote_options options = {.net = "2-4-2", .seconds = 20};
    struct mote_error error;
    struct mote_net *net = mote_train_rows(&rows[0][0], ROWS, 2, 2, &options, &error);
    if (!net) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(mote_class_count(net), 2);
    assert_non_null(mote_class_name(net, 1));
    assert_null(mote_class_name(net, 2));
    const double more[2] = {45, 2}, less[2] = {2, 45};
    assert_int_equal(mote_classify(net, more), 0);
    assert_int_equal(mote_classify(net, less), 1);
    mote_free(net);
}

static void refusals(void **state)
{
    (void)state;
    struct mote_error error;
    const struct {
        struct mote_options options;
        const char *message;
    } cases[] = {
        {{.activation = "tanh"}, "mote_options: activation: 'tanh' is not known"},
        {{.activation = "none"}, "mote_options: activation: 'none' is not known"},
        {{.method = "sgd"}, "mote_options: method: 'sgd' is not known"},
        {{.loss = "l2"}, "mote_options: loss: 'l2' is not known"},
        {{.in_type = "i32"}, "mote_options: in_type: 'i32' is not known"},
        {{.hidden_type = "i32"}, "mote_options: hidden_type: 'i32' is not known"},
        {{.kernel = "fast"}, "mote_options: kernel: 'fast' is not known"},
        {{.out_type = "u8"}, "mote_options: out_type: 'u8' is not known"},
        {{.weight_bits = 10}, "mote_options: weight_bits: 10 is not 2..9"},
        {{.threads = 17}, "mote_options: threads or seconds are out of range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(mote_train_rows(&plane[0][0], ROWS, 2, 1, &cases[i].options, &error));
        assert_string_equal(error.message, cases[i].message);
    }
    assert_null(mote_train("no such file.csv", &(struct mote_options){.outputs = 1}, &error));
    assert_string_equal(error.message, "no such file.csv: No such file or directory");
    assert_null(mote_read("no such file.mote", &error));
    assert_string_equal(error.message, "no such file.mote: No such file or directory");
    assert_null(mote_read("no such file.mote", NULL));
    assert_null(mote_train_rows(&plane[0][0], 0, 2, 1, NULL, &error));
    assert_string_equal(error.message, "the rows: no rows");
}

static int prepare(void **state)
{
    (void)state;
    fill_plane();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train_and_predict), cmocka_unit_test(codes_match_values),
        cmocka_unit_test(write_and_read),    cmocka_unit_test(classes_from_one_hot_rows),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
