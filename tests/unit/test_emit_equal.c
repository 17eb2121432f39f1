/* Emitted C equals the reference interpreter, bit for bit, on the host. */
#include "support/unit.h"

#include "emit/kernel.h"
#include "run/run.h"
#include "support/emitted.h"
#include "support/random_net.h"

#include <stdlib.h>

enum { BATCH = 50 };

#define WARNINGS "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror"

#define SANITISED "clang -std=c99 -fsanitize=undefined,integer,address -fno-sanitize-recover=all"

/* A batch of nets with inputs and what the interpreter makes of them. */
struct batch {
    struct net *nets[BATCH];
    int32_t *in[BATCH];
    int32_t *expected[BATCH];
    int32_t *out[BATCH];
    int count;
    int vectors;
};

static size_t output_codes(const struct batch *b, int i)
{
    const struct net *net = b->nets[i];
    return (size_t)b->vectors * (size_t)net->tensors[net->output].width;
}

static void batch_add(struct batch *b, struct net *net, uint64_t seed)
{
    int i = b->count++;
    int width = net->tensors[net->input].width;
    b->nets[i] = net;
    b->in[i] = malloc(sizeof(int32_t) * (size_t)b->vectors * (size_t)width);
    b->expected[i] = malloc(sizeof(int32_t) * output_codes(b, i));
    b->out[i] = malloc(sizeof(int32_t) * output_codes(b, i));
    struct run *run = run_new(net);
    assert_true(b->in[i] && b->expected[i] && b->out[i] && run);
    random_inputs(net, seed, b->vectors, b->in[i]);
    for (int v = 0; v < b->vectors; v++) {
        run_predict(run, b->in[i] + v * width,
                    b->expected[i] + v * net->tensors[net->output].width);
    }
    run_free(run);
}

static void batch_compare(const struct batch *b, struct emitted how)
{
    bool ran = emitted_run(b->nets, b->count, &how, b->vectors, b->in, b->out);
    for (int i = 0; ran && i < b->count; i++) {
        assert_memory_equal(b->out[i], b->expected[i], sizeof(int32_t) * output_codes(b, i));
    }
}

/* For size and for speed by one compiler. */
static void batch_both(const struct batch *b, struct emitted how)
{
    how.optimise = OPTIMISE_SIZE;
    batch_compare(b, how);
    how.optimise = OPTIMISE_SPEED;
    batch_compare(b, how);
}

/* For size or for speed, batch by batch in turn, and by one compiler each: compiling is what takes
 * the time, and the nets are as random as these choices. */
static void batch_in_turn(const struct batch *b, uint64_t turn)
{
    bool speed = turn % 2 != 0;
    batch_compare(b, (struct emitted){.optimise = speed ? OPTIMISE_SPEED : OPTIMISE_SIZE,
                                      .compiler = turn / 2 % 4 ? quick_compiler()
                                                               : "cc -std=c99 -O1 " WARNINGS});
}

static void batch_free(struct batch *b)
{
    for (int i = 0; i < b->count; i++) {
        net_free(b->nets[i]);
        free(b->in[i]);
        free(b->expected[i]);
        free(b->out[i]);
    }
    *b = (struct batch){0};
}

static void batch_fill(struct batch *b, uint64_t first, int count)
{
    for (int i = 0; i < count; i++) {
        batch_add(b, random_net(first + (uint64_t)i), first + (uint64_t)i);
    }
}

/* The same of nets whose rows can be packed. */
static void batch_narrow(struct batch *b, uint64_t first, int count)
{
    for (int i = 0; i < count; i++) {
        batch_add(b, random_narrow_net(first + (uint64_t)i), first + (uint64_t)i);
    }
}

/* What became of the rows of dense layers. */
struct tally {
    int packed;
    int layers; /* with packed rows */
    int mixed;  /* with others, too */
    int tables; /* with an offset or a shift of its own for each row */
    int looped; /* wider than what is written out */
};

/* Rows that share words, two by two or four by four. */
static int packed_rows(const struct plan *plan, int index)
{
    return plan_rows_of(plan, index, &kernel_packed) + plan_rows_of(plan, index, &kernel_quad);
}

static void tally_layer(const struct plan *plan, int index, struct tally *tally)
{
    const struct step *step = &plan->steps[index];
    const struct layer *layer = &plan->net->layers[index];
    int packed = layer->op == OP_DENSE ? packed_rows(plan, index) : 0;
    if (packed > 0) {
        tally->packed += packed;
        tally->layers++;
        tally->mixed += packed < layer->weights.rows;
        tally->tables += !step->offset.uniform || !step->shift.uniform;
        tally->looped += layer->weights.columns > 32;
    }
}

static void batch_tally(const struct batch *b, struct tally *tally)
{
    struct emit_options options = {.optimise = OPTIMISE_SPEED};
    for (int i = 0; i < b->count; i++) {
        struct plan *plan = plan_new(b->nets[i], &options);
        assert_non_null(plan);
        for (int k = 0; k < b->nets[i]->layer_count; k++) {
            tally_layer(plan, k, tally);
        }
        plan_free(plan);
    }
}

/* Packed pairs, beside straight lines and alone. */
static void test_narrow_nets(void **state)
{
    struct tally tally = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed += BATCH) {
        struct batch b = {.vectors = FEWER(2000)};
        batch_narrow(&b, seed, BATCH);
        batch_tally(&b, &tally);
        batch_in_turn(&b, 2 * (seed / BATCH)); /* for size, and for speed */
        batch_in_turn(&b, 1 + 2 * (seed / BATCH));
        batch_free(&b);
    }
    print_message("%d packed rows in %d layers: %d mixed, %d with tables, %d looped\n",
                  tally.packed, tally.layers, tally.mixed, tally.tables, tally.looped);
    assert_true(tally.packed >= 250 && tally.mixed >= 25 && tally.tables >= 35);
    assert_true(tally.looped >= 12 && tally.layers > tally.mixed + 12);
}

enum { EDGE_ROWS = 32, EDGE_COLUMNS = 32, EDGE_SHIFT = 9, EDGE_SPAN = 255 * 256 };

/* A layer whose rows span 65280 values above an offset that rounding lowers by `distance` (its
 * pair's): 255 more is the last that half a word holds. */
static struct net *edge_net(const int *distance, int32_t base)
{
    struct net *net = net_new("edge");
    int16_t weights[EDGE_ROWS * EDGE_COLUMNS];
    int32_t bias[EDGE_ROWS];
    uint8_t shift[EDGE_ROWS];
    struct channel channels[EDGE_ROWS];
    struct error err = {0};
    assert_non_null(net);
    for (int i = 0; i < EDGE_ROWS; i++) {
        for (int j = 0; j < EDGE_COLUMNS; j++) {
            int weight = (i + j) % 2 ? 7 : 9;
            weights[i * EDGE_COLUMNS + j] = (int16_t)(i % 3 == 1 ? -weight : weight);
        }
        int32_t lowest = -256 * (i % 3 == 1 ? 127 : 128); /* without the bias */
        bias[i] = base * (1 << EDGE_SHIFT) + distance[i / 2] - lowest;
        shift[i] = EDGE_SHIFT;
        channels[i] = (struct channel){"", "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    net->input = net_add_tensor(net, TYPE_I8, EDGE_COLUMNS);
    net->output = net_add_tensor(net, TYPE_I32, EDGE_ROWS);
    struct layer layer = {.op = OP_DENSE,
                          .input_count = 1,
                          .output = net->output,
                          .weights = {9, EDGE_ROWS, EDGE_COLUMNS, weights, false},
                          .bias = bias,
                          .shift = shift};
    assert_true(net_add_layer(net, &layer) && net_set_channels(net, channels, channels));
    assert_true(net_check(net, "edge", &err));
    return net;
}

/* Is each pair packed where it must be, and nowhere else? */
static void check_edge(const struct net *net, const int *distance)
{
    struct emit_options options = {.optimise = OPTIMISE_SPEED};
    struct plan *plan = plan_new(net, &options);
    assert_non_null(plan);
    const struct choice *choice = plan_choice(plan, 0);
    int next = 0;
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        assert_int_equal(span->first, next);
        for (int row = next; row < next + span->rows; row++) {
            assert_int_equal(span->kernel == &kernel_packed || span->kernel == &kernel_quad,
                             EDGE_SPAN + distance[row / 2] <= 65535);
        }
        next += span->rows;
    }
    assert_int_equal(next, EDGE_ROWS);
    plan_free(plan);
}

/* One below the limit, at it, one above, with offsets at both ends of what a sum can be. */
static void test_edges(void **state)
{
    static const int at[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                               255, 255, 255, 255, 255, 255, 255, 255};
    static const int around[16] = {254, 254, 255, 255, 254, 256, 256, 257,
                                   255, 0,   1,   255, 254, 255, 256, 511};
    static const int32_t bases[] = {0, -64, -65, 1, 100, -4000000, 4000000};
    struct batch b = {.vectors = FEWER(2000)};
    (void)state;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        struct net *nets[] = {edge_net(at, bases[i]), edge_net(around, bases[i])};
        check_edge(nets[0], at);
        check_edge(nets[1], around);
        batch_add(&b, nets[0], i);
        batch_add(&b, nets[1], i);
    }
    batch_both(&b, (struct emitted){.compiler = "cc -std=c99 -O1 " WARNINGS});
    batch_free(&b);
}

/* Dense layers with rows of this kernel. */
static int layers_of(const struct batch *b, enum kernel_kind kind)
{
    struct emit_options options = {.kernel = kernel_name(kind)};
    int found = 0;
    for (int i = 0; i < b->count; i++) {
        struct plan *plan = plan_new(b->nets[i], &options);
        assert_non_null(plan);
        for (int k = 0; k < b->nets[i]->layer_count; k++) {
            found +=
                b->nets[i]->layers[k].op == OP_DENSE && plan_rows_of(plan, k, kernel_at(kind)) > 0;
        }
        plan_free(plan);
    }
    return found;
}

/* Each kernel wherever it may be taken, whether the planner would take it or not. */
static void test_each_kernel(void **state)
{
    (void)state;
    for (int k = 0; k < KERNEL_COUNT; k++) {
        struct batch b = {.vectors = FEWER(1000)};
        struct emitted how = {.compiler = quick_compiler(),
                              .kernel = kernel_name((enum kernel_kind)k)};
        batch_fill(&b, 3000, 4);
        batch_narrow(&b, 3000, 16);
        batch_add(&b, pose_like_net(2, 4), 1);
        print_message("%s: %d layers\n", how.kernel, layers_of(&b, (enum kernel_kind)k));
        assert_true(layers_of(&b, (enum kernel_kind)k) >= 5);
        how.optimise = OPTIMISE_SPEED;
        batch_compare(&b, how);
        batch_free(&b);
    }
}

/* Few of them with gcc's warnings. */
static void test_each_kernel_with_warnings(void **state)
{
    (void)state;
    for (int k = 0; k < KERNEL_COUNT; k++) {
        struct batch b = {.vectors = 300};
        batch_fill(&b, 4000, 3);
        batch_narrow(&b, 4000, 3);
        batch_compare(&b, (struct emitted){.optimise = OPTIMISE_SPEED,
                                           .compiler = "cc -std=c99 -O0 " WARNINGS,
                                           .kernel = kernel_name((enum kernel_kind)k)});
        batch_free(&b);
    }
}

/* Few of them where undefined behaviour stops the program, and where int has 16 bits. */
static void test_each_kernel_strictly(void **state)
{
    (void)state;
    if (!have_command("clang") || run_command("clang --print-targets | grep -q msp430") != 0) {
        skip();
    }
    for (int k = 0; k < KERNEL_COUNT; k++) {
        struct batch b = {.vectors = 300};
        struct emitted how = {.optimise = OPTIMISE_SPEED,
                              .kernel = kernel_name((enum kernel_kind)k)};
        batch_fill(&b, 4000, 3);
        batch_narrow(&b, 4000, 3);
        how.compiler = SANITISED " -fno-sanitize=unsigned-integer-overflow";
        batch_compare(&b, how);
        how.compiler = "cc -O1";
        how.short_int = true;
        batch_compare(&b, how);
        batch_free(&b);
    }
}

static void test_random_nets(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed += BATCH) {
        struct batch b = {.vectors = FEWER(2000)};
        batch_fill(&b, seed, BATCH);
        batch_in_turn(&b, seed / BATCH);
        batch_free(&b);
    }
}

/* Undefined behaviour, wrapping and lossy implicit conversions stop the program. */
static void test_sanitised(void **state)
{
    (void)state;
    if (!have_command("clang")) {
        skip();
    }
    struct batch b = {.vectors = FEWER(500)};
    batch_fill(&b, 1000, 24);
    batch_add(&b, pose_like_net(2, 2), 1);
    batch_add(&b, copying_net(true), 1);
    batch_add(&b, copying_net(false), 1);
    batch_narrow(&b, 1000, 20);
    batch_compare(&b, (struct emitted){.optimise = OPTIMISE_SIZE, .compiler = SANITISED});
    batch_compare(
        &b, (struct emitted){.optimise = OPTIMISE_SPEED,
                             .compiler = SANITISED " -fno-sanitize=unsigned-integer-overflow"});
    batch_free(&b);
}

/* The same where int has 16 bits, as on AVR and MSP430. */
static void test_short_int(void **state)
{
    (void)state;
    if (!have_command("clang") || run_command("clang --print-targets | grep -q msp430") != 0) {
        skip();
    }
    struct batch b = {.vectors = FEWER(500)};
    batch_fill(&b, 2000, 24);
    batch_narrow(&b, 2000, 20);
    batch_add(&b, pose_like_net(2, 3), 1);
    batch_both(&b, (struct emitted){.compiler = "cc -O1", .short_int = true});
    batch_free(&b);
}

/* The same without branches: by gcc, where overflow stops the program, and with an int of 16 bits.
 */
static void test_constant_time(void **state)
{
    (void)state;
    struct batch b = {.vectors = FEWER(1000)};
    batch_fill(&b, 5000, 28);
    batch_narrow(&b, 5000, 20);
    batch_add(&b, class_like_net(), 1);
    batch_add(&b, pose_like_net(2, 6), 1);
    struct emitted how = {.compiler = "cc -std=c99 -O1 " WARNINGS, .constant_time = true};
    batch_both(&b, how);
    if (have_command("clang") && run_command("clang --print-targets | grep -q msp430") == 0) {
        how.compiler = SANITISED;
        batch_compare(&b, how);
        how.compiler = "cc -O1";
        how.short_int = true;
        batch_compare(&b, how);
    }
    batch_free(&b);
}

/* More elements than a 16-bit int counts. */
static void test_wide(void **state)
{
    (void)state;
    struct batch b = {.vectors = 20};
    batch_add(&b, wide_net(), 3);
    batch_both(&b, (struct emitted){.compiler = "cc -std=c99 -O1 " WARNINGS});
    batch_free(&b);
}

/* 2^20 vectors through the net that most people will have. */
static void test_pose_exhaustively(void **state)
{
    (void)state;
    struct batch b = {.vectors = FEWER(1 << 20)};
    batch_add(&b, pose_like_net(2, 1), 5);
    batch_both(&b, (struct emitted){.compiler = "cc -std=c99 -O2 " WARNINGS});
    batch_free(&b);
}

/* An argument is a pattern of the tests to run, such as "test_each*". */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kernel),
        cmocka_unit_test(test_each_kernel_strictly),
        cmocka_unit_test(test_each_kernel_with_warnings),
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_sanitised),
        cmocka_unit_test(test_short_int),
        cmocka_unit_test(test_constant_time),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_pose_exhaustively),
        cmocka_unit_test(test_narrow_nets),
        cmocka_unit_test(test_edges),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
