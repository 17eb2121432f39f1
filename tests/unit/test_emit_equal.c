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

static void batch_compare(const struct batch *b, enum optimise optimise, const char *compiler)
{
    emitted_run(b->nets, b->count, optimise, compiler, b->vectors, b->in, b->out);
    for (int i = 0; i < b->count; i++) {
        assert_memory_equal(b->out[i], b->expected[i], sizeof(int32_t) * output_codes(b, i));
    }
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

static void test_random_nets(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500;) {
        struct batch b = {.vectors = 2000};
        while (b.count < BATCH) {
            batch_add(&b, random_net(seed), seed);
            seed++;
        }
        batch_compare(&b, OPTIMISE_SIZE, "cc -std=c99 -O1 " WARNINGS);
        batch_compare(&b, OPTIMISE_SPEED, "cc -std=c99 -O1 " WARNINGS);
        batch_free(&b);
    }
}

/* Undefined behaviour, wrapping and lossy implicit conversions stop the program. */
static void test_sanitised(void **state)
{
    static const char *const compiler =
        "clang -std=c99 -O1 -fsanitize=undefined,integer,address -fno-sanitize-recover=all";
    (void)state;
    if (!have_command(compiler)) {
        skip();
    }
    struct batch b = {.vectors = 300};
    for (uint64_t seed = 1000; b.count < BATCH; seed++) {
        batch_add(&b, random_net(seed), seed);
    }
    batch_compare(&b, OPTIMISE_SIZE, compiler);
    batch_compare(&b, OPTIMISE_SPEED, compiler);
    batch_free(&b);
}

/* 2^20 vectors through the net that most people will have. */
static void test_pose_exhaustively(void **state)
{
    (void)state;
    struct batch b = {.vectors = 1 << 20};
    batch_add(&b, pose_like_net(2, 1), 5);
    batch_compare(&b, OPTIMISE_SIZE, "cc -std=c99 -O2 " WARNINGS);
    batch_compare(&b, OPTIMISE_SPEED, "cc -std=c99 -O2 " WARNINGS);
    batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_sanitised),
        cmocka_unit_test(test_pose_exhaustively),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
