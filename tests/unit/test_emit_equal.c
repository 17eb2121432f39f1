/* Emitted C equals the reference interpreter, bit for bit, on the host. */
#include "support/unit.h"

#include "run/run.h"
#include "support/emitted.h"
#include "support/random_net.h"

#include <stdlib.h>

enum { BATCH = 50 };

#define WARNINGS "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror"

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
    emitted_run(b->nets, b->count, &how, b->vectors, b->in, b->out);
    for (int i = 0; i < b->count; i++) {
        assert_memory_equal(b->out[i], b->expected[i], sizeof(int32_t) * output_codes(b, i));
    }
}

/* Both kernels by one compiler. */
static void batch_both(const struct batch *b, struct emitted how)
{
    how.optimise = OPTIMISE_SIZE;
    batch_compare(b, how);
    how.optimise = OPTIMISE_SPEED;
    batch_compare(b, how);
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

static void test_random_nets(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed += BATCH) {
        struct batch b = {.vectors = 2000};
        batch_fill(&b, seed, BATCH);
        batch_compare(&b, (struct emitted){OPTIMISE_SIZE, "cc -std=c99 -O1 " WARNINGS, false});
        batch_compare(&b, (struct emitted){OPTIMISE_SPEED, "cc -std=c99 -O0 " WARNINGS, false});
        batch_free(&b);
    }
}

/* Undefined behaviour, wrapping and lossy implicit conversions stop the program. */
static void test_sanitised(void **state)
{
    struct emitted how = {.compiler = "clang -std=c99 -fsanitize=undefined,integer,address "
                                      "-fno-sanitize-recover=all"};
    (void)state;
    if (!have_command("clang")) {
        skip();
    }
    struct batch b = {.vectors = 500};
    batch_fill(&b, 1000, 24);
    batch_add(&b, pose_like_net(2, 2), 1);
    batch_add(&b, copying_net(true), 1);
    batch_add(&b, copying_net(false), 1);
    batch_both(&b, how);
    batch_free(&b);
}

/* The same where int has 16 bits, as on AVR and MSP430. */
static void test_short_int(void **state)
{
    (void)state;
    if (!have_command("clang") || run_command("clang --print-targets | grep -q msp430") != 0) {
        skip();
    }
    struct batch b = {.vectors = 500};
    batch_fill(&b, 2000, 24);
    batch_add(&b, pose_like_net(2, 3), 1);
    batch_both(&b, (struct emitted){.compiler = "cc -O1", .short_int = true});
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
    struct batch b = {.vectors = 1 << 20};
    batch_add(&b, pose_like_net(2, 1), 5);
    batch_both(&b, (struct emitted){.compiler = "cc -std=c99 -O2 " WARNINGS});
    batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets),       cmocka_unit_test(test_sanitised),
        cmocka_unit_test(test_short_int),         cmocka_unit_test(test_wide),
        cmocka_unit_test(test_pose_exhaustively),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
