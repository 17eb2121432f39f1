/* CSV in, table out: separators, headers, quotes, line ends, labels, one-hot, streams. */
#include "support/unit.h"

#include "data/dataset.h"
#include "support/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dataset *load(const char *text, const struct data_options *options)
{
    struct error err = {0};
    struct dataset *data = load_text(text, options, &err);
    if (!data) {
        print_error("%s\n", err.message);
    }
    assert_non_null(data);
    return data;
}

static struct dataset *load_outputs(const char *text, int outputs)
{
    struct data_options options = {.outputs = outputs};
    return load(text, &options);
}

static void assert_refused(const char *text, const struct data_options *options,
                           const char *message)
{
    struct error err = {0};
    struct dataset *data = load_text(text, options, &err);
    assert_null(data);
    assert_string_equal(base_message(&err), message);
}

static void test_names_and_units(void **state)
{
    (void)state;
    struct dataset *data = load_outputs("a [mm],b[V/s],[x],y\n1,2,3,4\n5,6,7,8.5\n", 1);
    assert_int_equal(data->input_count, 3);
    assert_int_equal(data->output_count, 1);
    assert_true(data->has_header);
    assert_string_equal(data->columns[0].name, "a");
    assert_string_equal(data->columns[0].unit, "mm");
    assert_string_equal(data->columns[1].name, "b");
    assert_string_equal(data->columns[1].unit, "V/s");
    assert_string_equal(data->columns[2].name, "[x]");
    assert_string_equal(data->columns[2].unit, "");
    assert_float_equal(data_row(data, 1)[3], 8.5f, 0);
    assert_true(data->columns[0].low == 1 && data->columns[0].high == 5);
    assert_true(data->columns[0].integer);
    assert_false(data->columns[3].integer);
    data_free(data);
}

/* The same table in every notation that is read. */
static void test_notations(void **state)
{
    static const char *const texts[] = {
        "x,y,z\n1,2.5,-3\n4e2,5,6\n",
        "x;y;z\n1;2.5;-3\n4e2;5;6\n",
        "x\ty\tz\n1\t2.5\t-3\n4e2\t5\t6\n",
        "x y z\n1 2.5 -3\n4e2 5 6\n",
        "  x   y  z  \n 1 2.5  -3 \n4e2\t5 6\t\n",
        "x,y,z\r\n1,2.5,-3\r\n4e2,5,6\r\n",
        "\xef\xbb\xbfx,y,z\n1,2.5,-3\n4e2,5,6",
        "\n \nx,y,z\n1,2.5,-3\n4e2,5,6\n\n \t\n\r\n",
        "x , y,\tz\n 1,2.5 ,-3\n\t4e2,  5,6  \n",
        "\"x\",\"y\",\"z\"\n\"1\",2.5,\"-3\"\n4e2,\" 5 \",6\n",
        "x;y;z\n+1;2.50;-3.\n400.000;5E0;.6e+1\n",
    };
    (void)state;
    struct dataset *first = load_outputs(texts[0], 1);
    assert_float_equal(data_row(first, 1)[0], 400.0f, 0);
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        struct dataset *data = load_outputs(texts[i], 1);
        assert_true(same_data(first, data));
        data_free(data);
    }
    data_free(first);
}

static void test_blanks_and_units(void **state)
{
    (void)state;
    struct dataset *data = load_outputs("x [mm] y\n1 2\n3 5\n", 1);
    assert_int_equal(data->input_count, 1);
    assert_string_equal(data->columns[0].unit, "mm");
    data_free(data);
    struct data_options options = {.inputs_only = true};
    data = load("x [mm]\n1\n3\n", &options);
    assert_int_equal(data->input_count, 1);
    assert_string_equal(data->columns[0].unit, "mm");
    data_free(data);
}

static void test_header_or_not(void **state)
{
    (void)state;
    struct dataset *data = load_outputs("1,2\n3,4\n", 1);
    assert_false(data->has_header);
    assert_int_equal(data->row_count, 2);
    data_free(data);
    data = load_outputs("1,b\n3,4\n", 1);
    assert_true(data->has_header);
    assert_string_equal(data->columns[0].name, "1");
    data_free(data);
    struct data_options options = {.label = "3"};
    data = load("1,2,cat\n3,4,dog\n", &options);
    assert_false(data->has_header);
    assert_int_equal(data->row_count, 2);
    assert_string_equal(data->classes[1], "dog");
    data_free(data);
}

static void test_quotes(void **state)
{
    (void)state;
    struct data_options options = {.label = "a \"b\", c"};
    struct dataset *data =
        load("x,\"a \"\"b\"\", c\"\n1,\"u,v\"\n2,\"w\"\"\"\n3,\"\xc3\xa9\"\n4,q\"\"r\n", &options);
    assert_string_equal(data->label, "a \"b\", c");
    assert_int_equal(data->class_count, 4);
    assert_string_equal(data->classes[0], "q\"\"r");
    assert_string_equal(data->classes[1], "u,v");
    assert_string_equal(data->classes[2], "w\"");
    assert_string_equal(data->classes[3], "\xc3\xa9");
    data_free(data);
}

static void test_quoted_line_end(void **state)
{
    (void)state;
    struct data_options options = {.output_names = "y"};
    assert_refused("x,\"unit\n[mm]\",y\n1,2,3\n", &options,
                   "t.csv:1:3: a column name not in UTF-8, or with a control character in it");
    struct data_options wide = {
        .input_names = (const char *const[]){"x"}, .input_count = 1, .output_names = "y"};
    struct dataset *data = load("x,text,y\n1,\"two\nlines\",3\n4,\"\",6\n", &wide);
    assert_int_equal(data->row_count, 2);
    data_free(data);
    assert_refused("x,text,y\n1,\"two\nlines\",z\n", &wide, "t.csv:3:8: 'z' is not a number");
    assert_refused("x,text,y\n1,\"two\nlines,3\n", &wide,
                   "t.csv:2:3: a quoted field starts here and has no end");
    assert_refused("x,text,y\n1,\"two\" l,3\n", &wide, "t.csv:2:8: text behind the closing quote");
}

static void test_labels(void **state)
{
    (void)state;
    struct data_options options = {.label = "kind"};
    struct dataset *data = load("kind,x\n10,1\n9,2\n-1,3\n9.0,4\n", &options);
    assert_int_equal(data->class_count, 3);
    assert_string_equal(data->classes[0], "-1");
    assert_string_equal(data->classes[1], "9");
    assert_string_equal(data->classes[2], "10");
    assert_string_equal(data->label, "kind");
    assert_float_equal(data_row(data, 0)[0], 1, 0);
    assert_float_equal(data_row(data, 0)[1], 2, 0);
    assert_float_equal(data_row(data, 1)[1], 1, 0);
    assert_float_equal(data_row(data, 2)[1], 0, 0);
    assert_float_equal(data_row(data, 3)[1], 1, 0);
    data_free(data);
    data = load("kind,x\n10,1\n9,2\nb,3\n", &options); /* one text: all by bytes */
    assert_string_equal(data->classes[0], "10");
    assert_string_equal(data->classes[1], "9");
    data_free(data);
}

static void test_known_classes(void **state)
{
    (void)state;
    struct data_options options = {.label = "kind",
                                   .known_classes = (const char *const[]){"b", "a", "7"},
                                   .known_class_count = 3};
    struct dataset *data = load("x,kind\n1,a\n2,7.0\n", &options);
    assert_int_equal(data->class_count, 3);
    assert_float_equal(data_row(data, 0)[1], 1, 0);
    assert_float_equal(data_row(data, 1)[1], 2, 0);
    data_free(data);
    assert_refused("x,kind\n1,a\n2,c\n", &options,
                   "t.csv:3:3: 'c' is not a class of the net; they are b, a, 7");
}

static void test_one_hot(void **state)
{
    (void)state;
    const char *text = "x,p,q,r\n5,0,1,0\n6,0,0,1\n7,1,0,0\n";
    struct dataset *data = load_outputs(text, 3);
    assert_true(data->one_hot);
    assert_int_equal(data->output_count, 1);
    assert_int_equal(data->class_count, 3);
    assert_string_equal(data->classes[2], "r");
    for (size_t r = 0; r < 3; r++) {
        assert_float_equal(data_row(data, r)[0], 5 + (float)r, 0);
        assert_float_equal(data_row(data, r)[1], (float)((r + 1) % 3), 0);
    }
    assert_string_equal(data->note, "the outputs are one-hot: 3 classes");
    data_free(data);
    struct data_options keep = {.outputs = 3, .keep_columns = true};
    data = load(text, &keep);
    assert_int_equal(data->output_count, 3);
    assert_int_equal(data->class_count, 0);
    data_free(data);
    struct data_options insist = {.outputs = 3, .one_hot = true};
    assert_refused("1,0,1,0\n2,1,1,0\n", &insist,
                   "t.csv:2: the outputs are not one-hot: one of them must be 1, the others 0");
    struct data_options known = {.outputs = 3,
                                 .known_classes = (const char *const[]){"r", "p", "q"},
                                 .known_class_count = 3};
    data = load(text, &known);
    assert_float_equal(data_row(data, 0)[1], 2, 0);
    assert_float_equal(data_row(data, 1)[1], 0, 0);
    assert_float_equal(data_row(data, 2)[1], 1, 0);
    assert_string_equal(data->classes[0], "r");
    data_free(data);
}

static void test_pick_columns(void **state)
{
    (void)state;
    const char *text = "a,b,note,c,d\n1,2,x,3,4\n5,6,y,7,8\n";
    struct data_options options = {
        .input_names = (const char *const[]){"d", "a"}, .input_count = 2, .output_names = "c,b"};
    struct dataset *data = load(text, &options);
    assert_int_equal(data->input_count, 2);
    assert_string_equal(data->columns[0].name, "d");
    assert_string_equal(data->columns[2].name, "b"); /* outputs keep the file's order */
    assert_float_equal(data_row(data, 1)[0], 8, 0);
    assert_float_equal(data_row(data, 1)[1], 5, 0);
    assert_float_equal(data_row(data, 1)[2], 6, 0);
    assert_float_equal(data_row(data, 1)[3], 7, 0);
    data_free(data);
    /* without a header the names cannot be told: columns go by position */
    struct data_options inputs = {
        .input_names = (const char *const[]){"d", "a"}, .input_count = 2, .inputs_only = true};
    data = load("1,2\n3,4\n", &inputs);
    assert_float_equal(data_row(data, 0)[0], 1, 0);
    data_free(data);
    assert_refused("1,2,3\n", &inputs, "t.csv: 3 input columns, but the net has 2 inputs");
}

static void test_samples(void **state)
{
    (void)state;
    struct data_options options = {.outputs = 1, .samples = 2};
    struct dataset *data = load("1,2\n3,4\n5,x\n", &options);
    assert_int_equal(data->row_count, 2);
    assert_true(data->more);
    data_free(data);
    data = load("1,2\n3,4\n\n", &options);
    assert_int_equal(data->row_count, 2);
    assert_false(data->more);
    data_free(data);
}

static void test_constant_note(void **state)
{
    (void)state;
    struct dataset *data = load_outputs("a,x3,y\n1,0.5,1\n2,0.5,2\n", 1);
    assert_string_equal(data->note,
                        "column 'x3' is constant (0.5): kept, it carries no information");
    data_free(data);
    data = load_outputs("1,2,7\n2,1,7\n", 2);
    assert_string_equal(data->note, "output 2 is constant (7): kept, there is nothing to learn");
    data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_units),  cmocka_unit_test(test_notations),
        cmocka_unit_test(test_blanks_and_units), cmocka_unit_test(test_header_or_not),
        cmocka_unit_test(test_quotes),           cmocka_unit_test(test_quoted_line_end),
        cmocka_unit_test(test_labels),           cmocka_unit_test(test_known_classes),
        cmocka_unit_test(test_one_hot),          cmocka_unit_test(test_pick_columns),
        cmocka_unit_test(test_samples),          cmocka_unit_test(test_constant_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
