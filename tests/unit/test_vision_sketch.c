/* The text of an image network: sizes that follow from it, and the messages that bad ones get. */
#include "support/unit.h"

#include "vision/sketch.h"

#include <stdio.h>
#include <string.h>

static const struct sketch_data digits = {{28, 28, 1}, 10, "--net"};

static bool parse(struct sketch *sketch, const char *text, struct error *err)
{
    return sketch_parse(sketch, text, strlen(text), &digits, err);
}

/* Output of each layer as "rows x columns x channels". */
static void print_shapes(const struct sketch *sketch, char *out, size_t room)
{
    size_t used = 0;
    for (int i = 0; i < sketch->layer_count; i++) {
        const struct volume *v = &sketch->layers[i].out;
        used += (size_t)snprintf(out + used, room - used, "%s%dx%dx%d", i ? " " : "", v->rows,
                                 v->columns, v->channels);
    }
}

static struct sketch parsed(const char *text)
{
    struct sketch sketch;
    struct error err = {0};
    if (!parse(&sketch, text, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return sketch;
}

static void shapes_are_right(void **state)
{
    static const char *const cases[][2] = {
        {"crop24 resize16 conv3x8:4 relu conv3x12s2:t relu conv3x16:t relu conv3x16:t relu "
         "dense10:t",
         "14x14x8 6x6x12 4x4x16 2x2x16 1x1x10"},
        {"28x28x1 resize8 conv3x14:4 relu:4 pool2 conv2x30:t relu dense10:t",
         "6x6x14 3x3x14 2x2x30 1x1x10"},
        {"conv1x5x8 relu dw3p relu pw16s2 relu gap dense10",
         "28x24x8 28x24x8 14x12x16 1x1x16 1x1x10"},
        {"conv3x8ps2 relu=a dw3pm2 relu pw8 relu add(a) conv3x8d2p relu concat(a) gmax dense10",
         "14x14x8 14x14x16 14x14x8 14x14x8 14x14x8 14x14x16 1x1x16 1x1x10"},
        {"resize7 deconv3x8s2p1 relu shuffle2 up2 pad1 avg3s2p1 flatten dense10:b",
         "13x13x8 26x26x2 52x52x2 54x54x2 27x27x2 1x1x1458 1x1x10"},
        {"conv28x10", "1x1x10"},
        {"crop24 resize12x6:2 conv3x4 relu:4=a conv1x4 relu:4 add(a) dense10",
         "10x4x4 10x4x4 10x4x4 1x1x10"},
        {"conv3x8s2p0x1 relu pw16 relu dw3 relu pw8 linear conv3x10 gap",
         "13x14x8 13x14x16 11x12x16 11x12x8 9x10x10 1x1x10"},
        {"pool2x1 pad0x3 avg1x4s1x2 dense10", "14x28x1 14x34x1 14x16x1 1x1x10"},
        {"# a comment\n dense16:o3 relu # more\n\n dense10:16", "1x1x16 1x1x10"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        struct sketch sketch = parsed(cases[i][0]);
        print_shapes(&sketch, text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
}

/* The line that a message speaks of, with its column: "--net:2:7: ...". */
static void excerpt_is_right(const char *text, const struct error *err)
{
    int line = 0;
    int column = 0;
    assert_int_equal(sscanf(err->message, "--net:%d:%d: ", &line, &column), 2);
    assert_int_equal(err->excerpt_column, column);
    while (--line > 0) {
        text = strchr(text, '\n') + 1;
    }
    size_t length = strcspn(text, "\n");
    assert_int_equal(strlen(err->excerpt), length);
    assert_memory_equal(err->excerpt, text, length);
}

static const char *const mistakes[][2] = {
    {"", "--net:1:1: a network is missing"},
    {" # only\n", "--net:2:1: a network is missing"},
    {"28x28x3 dense10", "--net:1:1: the images are 28x28x1"},
    {"28x28 dense10", "--net:1:6: expected 'x' and the number of channels"},
    {"conv3x8 relu dense11", "--net:1:14: it has 11 outputs, and there are 10 classes"},
    {"conv3x8 relu linear dense10", "--net:1:14: there is a relu or linear before it"},
    {"conv3x8 relu pool2 relu dense10", "--net:1:20: there is a relu or linear before it"},
    {"conv3x8=a relu dense10", "--net:1:11: the name stands behind it: relu=a"},
    {"conv3x8 pool2=ab linear dense10", "--net:1:18: the name stands behind it: linear=ab"},
    {"conv3x8 avg2 pool2 relu dense10", "--net:1:20: relu stands behind a layer with weights "
                                        "or add, and before avg, gap and concat"},
    {"conv3x8=a conv3x8p concat(a) linear dense10",
     "--net:1:30: linear stands behind a layer with weights, and before avg, gap and concat"},
    {"conv3x8 relu:4=a conv3x8p linear add(a) dense10",
     "--net:1:34: it joins codes of 4 bits with a linear output, which has 8; write relu "
     "instead of relu:4"},
    {"pool2=a conv3x1p add(a) dense10",
     "--net:1:1: its pixels join outputs without a relu; those need one"},
    {"conv3x8=a conv3x8p add(a) linear dense10",
     "--net:1:27: linear stands behind a layer with weights, and before avg, gap and concat"},
    {"conv3x10p gap", "--net:1:11: the last mean is of at most 512 elements"},
    {"conv3x10 relu gap",
     "--net:1:15: the last layer is dense, conv or pw, without relu, or gap behind one"},
    {"conv3x10 linear gap conv1x10 add(b)", "--net:1:34: no layer before it is called 'b'"},
    {"dense10 argmax relu", "--net:1:16: nothing stands behind argmax"},
    {"argmax dense10", "--net:1:1: argmax needs a layer before it"},
    {"dense10 softmax4", "--net:1:16: '4' does not belong to softmax"},
    {"conv3x8p0x", "--net:1:11: expected a number from 0 to 256"},
    {"conv3x8q relu", "--net:1:8: 'q' does not belong to conv"},
    {"conv3 relu", "--net:1:6: expected 'x' and the number of outputs"},
    {"conv0x8", "--net:1:5: expected a number from 1 to 16384"},
    {"conv3x8:17", "--net:1:9: expected a number from 1 to 16"},
    {"conv3x8:1", "--net:1:10: weights have 2 to 16 bits, or b"},
    {"relu dense10", "--net:1:1: relu stands behind a layer with weights or add"},
    {"conv3x8 relu:5 dense10", "--net:1:14: activations have 4 or 8 bits"},
    {"conv30x8 relu", "--net:1:1: its window is larger than its input"},
    {"conv3x8\n relu konv3x8", "--net:2:7: 'konv' is no layer"},
    {"crop40 dense10", "--net:1:1: the image has 28x28 pixels"},
    {"dense16 relu crop20 dense10", "--net:1:14: crop stands before resize and all layers"},
    {"resize12 resize12 dense10", "--net:1:10: resize stands before all layers"},
    {"resize12:5 dense10", "--net:1:10: expected a number from 1 to 4"},
    {"resize12: dense10", "--net:1:10: expected a number from 1 to 4"},
    {"crop12:4 dense10", "--net:1:7: ':' does not belong to crop"},
    {"conv3x6g2 relu dense10", "--net:1:1: 2 groups do not divide 1 inputs and 6 outputs"},
    {"dense16 relu add(a) dense10", "--net:1:18: no layer before it is called 'a'"},
    {"dense16 relu=a dense8 relu add(a) dense10", "--net:1:33: 1x1x16 does not join 1x1x8"},
    {"dense8 relu=a dense8 relu=a dense10", "--net:1:27: two layers are called 'a'"},
    {"dense8 relu:4=a dense8 relu add(a) dense10",
     "--net:1:29: it joins activations of 4 and of 8 bits"},
    {"conv3x4096 relu dense10", "--net:1:1: its output has more than 65536 elements"},
    {"conv3x8 relu pool2p2 dense10", "--net:1:14: the padding is as large as the window"},
    {"conv3x8 relu shuffle3 dense10", "--net:1:14: its factor's square does not divide 8 channels"},
    {"dense10\n relu softmax",
     "--net:2:2: the last layer is dense, conv or pw, without relu, or gap behind one"},
    {"dense16 relu\n3x3 dense10", "--net:2:1: expected a layer such as conv3x8"},
    {"conv27x10", "--net:1:1: it has 40 outputs, and there are 10 classes"},
};

static void messages_point_at_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct sketch sketch;
        struct error err = {0};
        assert_false(parse(&sketch, mistakes[i][0], &err));
        assert_string_equal(err.message, mistakes[i][1]);
        excerpt_is_right(mistakes[i][0], &err);
    }
}

/* As editors on Windows put it in front of a file. */
static void a_byte_order_mark_is_skipped(void **state)
{
    struct sketch sketch;
    struct error err = {0};
    (void)state;
    assert_true(parse(&sketch,
                      "\xef\xbb\xbf"
                      "28x28x1 dense10",
                      &err));
    assert_false(parse(&sketch,
                       "\xef\xbb\xbf"
                       "dense10 konv3x8",
                       &err));
    assert_string_equal(err.message, "--net:1:9: 'konv' is no layer");
    assert_string_equal(err.excerpt, "dense10 konv3x8");
    assert_int_equal(err.excerpt_column, 9);
}

/* Activation of each layer: r8, r7 where it is narrow, r4, l for linear, - for none. */
static void print_activations(const struct sketch *sketch, char *out)
{
    for (int i = 0; i < sketch->layer_count; i++) {
        const struct sketch_layer *layer = &sketch->layers[i];
        out += sprintf(out,
                       layer->relu     ? "r%d "
                       : layer->linear ? "l "
                                       : "- ",
                       layer->relu - layer->narrow);
    }
    out[-1] = 0;
}

static void activations_are_right(void **state)
{
    static const char *const cases[][2] = {
        {"conv3x8 relu pool2 dw3 pw16 relu pool2 dense10", "r8 - l r8 - -"},
        {"conv3x8 pool2 dw3 pw16:4 relu:4 pool2 dense10", "l - l r4 - -"},
        /* a relu goes to where weights are */
        {"conv3x8 pool2 pad1 relu:4 conv3x8 up2 shuffle2 flatten relu=b dense10",
         "r4 - - r8 - - - -"},
        {"conv3x8 gmax linear dense8 dense10", "l - l -"},
        {"conv3x8 relu=a conv3x8p linear add(a) relu pool2 dense10", "r7 l r8 - -"},
        {"conv3x8 relu=a conv3x8p relu add(a) relu pool2 dense10", "r8 r8 r8 - -"},
        {"conv3x8 relu pool2=a conv3x8p relu conv3x8p add(a) relu=b conv3x8p add(b) pool2 relu "
         "dense10",
         "r7 - r8 l r7 l r8 - -"},
        {"conv3x8 relu:4=a conv3x8p relu:4 add(a) relu:4 dense10", "r4 r4 r4 -"},
        {"conv3x8 relu=a conv3x8p relu=b conv3x8p concat(a) pw8 relu concat(b) dense10",
         "r7 r8 l - r8 - -"},
        {"conv3x10s2 gap", "- -"},
        {"deconv3x4 avg2 gap dense10 softmax", "l - - -"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        struct sketch sketch = parsed(cases[i][0]);
        print_activations(&sketch, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void images_have_a_limit(void **state)
{
    struct sketch sketch;
    struct error err = {0};
    struct sketch_data data = {{300, 300, 1}, 10, "net.txt"};
    const char *text = "\n resize16\n dense10";
    (void)state;
    assert_false(sketch_parse(&sketch, text, strlen(text), &data, &err));
    assert_string_equal(err.message,
                        "net.txt:1:1: images of 300x300x1 have more than 65536 elements");
}

static void weights_are_counted_as_packed(void **state)
{
    struct sketch sketch;
    struct error err = {0};
    (void)state;
    assert_true(parse(&sketch,
                      "crop24 resize16 conv3x8:4 relu conv3x12s2:t relu conv3x16:t relu "
                      "conv3x16:t relu dense10:t",
                      &err));
    /* rows of 9 by twos, then of 72, 108, 144 and 64 ternary ones by fives */
    assert_int_equal(sketch_weight_bytes(&sketch), 8 * 5 + 12 * 15 + 16 * 22 + 16 * 29 + 10 * 13);
    assert_int_equal(sketch.top, 2);
    assert_int_equal(sketch.crop.rows, 24);
    assert_true(parse(&sketch, "dense7:b relu dense10:o3", &err));
    assert_int_equal(sketch_weight_bytes(&sketch), 7 * 784 / 8 + 10 * 4);
}

static void defaults_suit_all_sizes(void **state)
{
    (void)state;
    for (int side = 1; side < 120; side += side < 40 ? 1 : 37) {
        struct sketch sketch;
        struct error err = {0};
        struct sketch_data data = {{side, side + side / 3, 3}, 7, "default"};
        char text[200];
        sketch_default(&data.image, data.classes, false, text);
        if (!sketch_parse(&sketch, text, strlen(text), &data, &err)) {
            fail_msg("%s: %s", text, err.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_right),        cmocka_unit_test(messages_point_at_the_place),
        cmocka_unit_test(activations_are_right),   cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(images_have_a_limit),     cmocka_unit_test(weights_are_counted_as_packed),
        cmocka_unit_test(defaults_suit_all_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
