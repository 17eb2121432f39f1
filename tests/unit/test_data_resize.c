/* Area averages against a slow rational version in 64 bits. */
#include "support/unit.h"

#include "base/rng.h"
#include "data/resize.h"
#include "net/net.h"
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of [low, high) cut with [first, last). */
static int64_t cut(int64_t low, int64_t high, int64_t first, int64_t last)
{
    int64_t from = low > first ? low : first;
    int64_t to = high < last ? high : last;
    return to > from ? to - from : 0;
}

/* The exact sum for one output element, in units of 1 / (rows * columns) of the output: overlaps
 * of [y R, (y + 1) R) with [i r, (i + 1) r), not reduced by their gcd. */
static int64_t exact_sum(const struct resize *r, const uint8_t *in, int y, int x, int c)
{
    int64_t sum = 0;
    for (int i = 0; i < r->crop_rows; i++) {
        int64_t tall = cut((int64_t)y * r->crop_rows, (int64_t)(y + 1) * r->crop_rows,
                           (int64_t)i * r->out_rows, (int64_t)(i + 1) * r->out_rows);
        for (int j = 0; j < r->crop_columns; j++) {
            int64_t wide = cut((int64_t)x * r->crop_columns, (int64_t)(x + 1) * r->crop_columns,
                               (int64_t)j * r->out_columns, (int64_t)(j + 1) * r->out_columns);
            int at = ((r->top + i) * r->columns + r->left + j) * r->channels + c;
            sum += tall * wide * in[at];
        }
    }
    return sum;
}

/* Compare each element with the exact mean; the largest distance in codes. */
static double worst_distance(const struct resize *r, const uint8_t *in, const uint8_t *out)
{
    double worst = 0;
    double area = (double)r->crop_rows * r->crop_columns;
    for (int y = 0; y < r->out_rows; y++) {
        for (int x = 0; x < r->out_columns; x++) {
            for (int c = 0; c < r->channels; c++) {
                double exact = (double)exact_sum(r, in, y, x, c) / area;
                double distance = fabs(exact - *out++);
                worst = distance > worst ? distance : worst;
            }
        }
    }
    return worst;
}

static void fill(uint8_t *in, size_t count, struct rng *rng)
{
    uint64_t way = rng_below(rng, 3);
    for (size_t i = 0; i < count; i++) {
        in[i] = (uint8_t)(way == 0   ? rng_below(rng, 256)
                          : way == 1 ? 255 * rng_below(rng, 2)
                                     : 255);
    }
}

static struct resize random_resize(struct rng *rng)
{
    struct resize r = {.channels = 1 + (int)rng_below(rng, 3),
                       .crop_rows = 1 + (int)rng_below(rng, 40),
                       .crop_columns = 1 + (int)rng_below(rng, 40),
                       .top = (int)rng_below(rng, 4),
                       .left = (int)rng_below(rng, 4),
                       .out_rows = 1 + (int)rng_below(rng, 24),
                       .out_columns = 1 + (int)rng_below(rng, 24)};
    r.rows = r.top + r.crop_rows + (int)rng_below(rng, 3);
    r.columns = r.left + r.crop_columns + (int)rng_below(rng, 3);
    return r;
}

/* Half a code, and what the rounded multiplier adds: at most 255 n / 2 / 2^shift. */
static void test_random(void **state)
{
    struct rng rng = rng_new(1, 1);
    static uint8_t in[50 * 50 * 3];
    static uint8_t out[24 * 24 * 3];
    (void)state;
    for (int trial = 0; trial < 2000; trial++) {
        struct resize r = random_resize(&rng);
        fill(in, (size_t)(r.rows * r.columns * r.channels), &rng);
        assert_true(resize_make(&r));
        memset(out, 0xaa, sizeof out);
        resize_image(&r, in, out);
        double n = (double)r.row_step * r.column_step;
        double slack = 255 * fabs((double)r.multiplier * n / ldexp(1, r.shift) - 1);
        double worst = worst_distance(&r, in, out);
        if (worst > 0.5 + slack + 1e-9 || slack > 0.5) {
            fail_msg("%dx%d to %dx%d: %g codes from the mean", r.crop_rows, r.crop_columns,
                     r.out_rows, r.out_columns, worst);
        }
    }
}

/* For one n, how many of the sums 0..255 n differ from floor(S / n + 1/2), how many of those are
 * no exact half, and by how many codes. */
struct difference {
    int64_t all, others;
    int most;
};

static struct difference compare(const struct resize *r, int64_t n)
{
    struct difference found = {0, 0, 0};
    for (int64_t sum = 0; sum <= 255 * n; sum++) {
        int64_t half = ((int64_t)1 << r->shift) >> 1;
        int64_t is = (sum * r->multiplier + half) >> r->shift;
        int64_t exact = (2 * sum + n) / (2 * n);
        is = is < 255 ? is : 255;
        int64_t by = is > exact ? is - exact : exact - is;
        found.all += by != 0;
        found.others += by != 0 && (2 * sum) % n != 0;
        found.most = by > found.most ? (int)by : found.most;
    }
    return found;
}

/* Every sum of every n up to 181 = sqrt(2^23 / 255): round half up, but for exact halves of some
 * even n, which may go down.  n = 4 and 9 as SPEC tells.  Beyond that never more than one code up
 * to n = 2048. */
static void test_every_sum(void **state)
{
    int exact = 0;
    (void)state;
    for (int n = 1; n <= 2048; n += n < 300 ? 1 : 97) {
        struct resize r = {.rows = 1,
                           .columns = n,
                           .channels = 1,
                           .crop_rows = 1,
                           .crop_columns = n < 1024 ? n : 1,
                           .out_rows = 1,
                           .out_columns = 1};
        if (n >= 1024) {
            r.rows = r.crop_rows = n / 2;
            r.columns = r.crop_columns = 2;
        }
        assert_true(resize_make(&r));
        int64_t area = (int64_t)r.row_step * r.column_step;
        struct difference found = compare(&r, area);
        assert_true(found.most <= 1);
        assert_true(n > 181 || found.others == 0);
        assert_true(n % 2 == 0 || n > 181 || found.all == 0);
        exact += found.all == 0 && n <= 181;
    }
    print_message("of n = 1..181, %d round half up in every sum\n", exact);
    assert_true(exact > 120);
}

/* A net of nothing but this resize; a sum doubles its codes, since u4 is no output of nets. */
static struct net *resize_net(const struct resize *r)
{
    const struct channel channel = {.name = "", .unit = "", .lsb = {1, 0}};
    const struct channel channels[3] = {channel, channel, channel};
    const struct layer layer = {.op = OP_RESIZE,
                                .inputs = {0},
                                .input_count = 1,
                                .output = 1,
                                .window = {.rows = r->crop_rows,
                                           .columns = r->crop_columns,
                                           .top = r->top,
                                           .left = r->left,
                                           .drop = r->drop}};
    const struct layer twice = {.op = OP_ADD, .inputs = {1, 1}, .input_count = 2, .output = 2};
    const struct shape out = {r->out_rows, r->out_columns, r->channels};
    struct error err = {0};
    struct net *net = net_new("resize");
    assert_non_null(net);
    (void)net_add_map(net, TYPE_U8, (struct shape){r->rows, r->columns, r->channels});
    (void)net_add_map(net, r->drop ? TYPE_U4 : TYPE_U8, out);
    net->output = net_add_map(net, TYPE_I16, out);
    assert_true(net_add_layer(net, &layer) && net_add_layer(net, &twice));
    assert_true(net_set_channels(net, channels, channels));
    if (!net_check(net, "resize", &err)) {
        fail_msg("%s", err.message);
    }
    return net;
}

/* Training's copy and the interpreter's own agree in every code. */
static void test_interpreter(void **state)
{
    struct rng rng = rng_new(5, 5);
    static uint8_t in[50 * 50 * 3];
    static uint8_t out[24 * 24 * 3];
    static int32_t codes[50 * 50 * 3];
    static int32_t results[24 * 24 * 3];
    (void)state;
    for (int trial = 0; trial < 300; trial++) {
        struct resize r = random_resize(&rng);
        r.drop = trial % 2 ? 4 + (int)rng_below(&rng, 4) : 0;
        int inputs = r.rows * r.columns * r.channels;
        int outputs = r.out_rows * r.out_columns * r.channels;
        fill(in, (size_t)inputs, &rng);
        assert_true(resize_make(&r));
        resize_image(&r, in, out);
        struct net *net = resize_net(&r);
        struct run *run = run_new(net);
        assert_non_null(run);
        for (int i = 0; i < inputs; i++) {
            codes[i] = in[i];
        }
        run_predict(run, codes, results);
        for (int i = 0; i < outputs; i++) {
            assert_int_equal(results[i], 2 * out[i]);
        }
        run_free(run);
        net_free(net);
    }
}

static void check_mean(int step, uint32_t multiplier, int shift)
{
    struct resize r = {.rows = step,
                       .columns = step,
                       .channels = 1,
                       .crop_rows = step,
                       .crop_columns = step,
                       .out_rows = 1,
                       .out_columns = 1};
    assert_true(resize_make(&r));
    assert_int_equal(r.multiplier, multiplier);
    assert_int_equal(r.shift, shift);
}

static void test_known(void **state)
{
    (void)state;
    check_mean(1, 1, 0);
    check_mean(2, 1, 2);
    check_mean(3, 233017, 21); /* round(2^23 / 9) = 932068 = 4 * 233017 */
    /* Two thirds: [a b c] to [(2a + b)/3, (b + 2c)/3], rows and columns. */
    struct resize r = {.rows = 3,
                       .columns = 3,
                       .channels = 1,
                       .crop_rows = 3,
                       .crop_columns = 3,
                       .out_rows = 2,
                       .out_columns = 2};
    const uint8_t in[9] = {10, 20, 30, 40, 50, 60, 70, 80, 90};
    uint8_t out[4];
    assert_true(resize_make(&r));
    resize_image(&r, in, out);
    /* (4*10 + 2*20 + 2*40 + 50) / 9 = 23.3, (2*20 + 4*30 + 50 + 2*60) / 9 = 36.7 ... */
    assert_memory_equal(out, ((const uint8_t[]){23, 37, 63, 77}), 4);
    r.crop_rows = r.crop_columns = r.out_rows = r.out_columns = 1;
    r.top = 1;
    r.left = 2;
    assert_true(resize_make(&r));
    resize_image(&r, in, out);
    assert_int_equal(out[0], 60);
    r.out_rows = 3; /* larger: nearest */
    assert_true(resize_make(&r));
    resize_image(&r, in, out);
    assert_memory_equal(out, ((const uint8_t[]){60, 60, 60}), 3);
}

static void test_refused(void **state)
{
    (void)state;
    const struct resize good = {.rows = 8,
                                .columns = 8,
                                .channels = 1,
                                .crop_rows = 4,
                                .crop_columns = 4,
                                .out_rows = 2,
                                .out_columns = 2};
    struct resize r = good;
    assert_true(resize_make(&r));
    r.top = 5;
    assert_false(resize_make(&r));
    r = good;
    r.left = -1;
    assert_false(resize_make(&r));
    r = good;
    r.out_rows = 0;
    assert_false(resize_make(&r));
    r = good;
    r.crop_columns = 9;
    assert_false(resize_make(&r));
    r = good;
    r.channels = 0;
    assert_false(resize_make(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),      cmocka_unit_test(test_every_sum),
        cmocka_unit_test(test_interpreter), cmocka_unit_test(test_known),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
