/* The self-test's vectors: right, the same each time, and at the places where code clamps. */
#include "support/unit.h"

#include "report/vectors.h"
#include "run/run.h"
#include "support/emitted.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 16, NETS = 100 };

static struct saturations saturations(const struct net *net, const struct vectors *vectors)
{
    struct error err = {0};
    struct saturations found;
    assert_true(count_saturations(net, vectors, &found, &err));
    assert_true(found.hit <= found.all);
    return found;
}

/* Of corners and random vectors alone. */
static struct saturations plain_saturations(const struct net *net)
{
    int32_t *in = calloc(COUNT * (size_t)net->tensors[net->input].width, sizeof *in);
    assert_non_null(in);
    emit_selftest_inputs(net, COUNT, in);
    struct saturations found = saturations(net, &(struct vectors){.count = COUNT, .in = in});
    free(in);
    return found;
}

/* Every output is the interpreter's, every input is in its type, and a second time gives the same
 * bytes. */
static void check_vectors(const struct net *net, struct arena *arena, const struct vectors *vectors)
{
    struct error err = {0};
    struct vectors again;
    int width = net->tensors[net->input].width;
    int outputs = net->tensors[net->output].width;
    int32_t *out = calloc((size_t)outputs, sizeof *out);
    struct run *run = run_new(net);
    assert_true(out && run);
    assert_true(selftest_vectors(net, COUNT, arena, &again, &err));
    assert_int_equal(vectors->count, COUNT);
    assert_memory_equal(again.in, vectors->in, sizeof *out * (size_t)(COUNT * width));
    assert_memory_equal(again.out, vectors->out, sizeof *out * (size_t)(COUNT * outputs));
    for (int v = 0; v < COUNT; v++) {
        run_predict(run, vectors->in + v * width, out);
        assert_memory_equal(out, vectors->out + v * outputs, sizeof *out * (size_t)outputs);
    }
    run_free(run);
    free(out);
}

/* Adds to both totals. */
static void measure(const struct net *net, struct saturations *plain, struct saturations *searched)
{
    struct error err = {0};
    struct arena *arena = arena_new();
    struct vectors vectors;
    assert_non_null(arena);
    assert_true(selftest_vectors(net, COUNT, arena, &vectors, &err));
    check_vectors(net, arena, &vectors);
    struct saturations before = plain_saturations(net);
    struct saturations after = saturations(net, &vectors);
    plain->hit += before.hit;
    plain->all += before.all;
    searched->hit += after.hit;
    searched->all += after.all;
    arena_free(arena);
}

static void report(const char *what, struct saturations plain, struct saturations searched)
{
    print_message("%s: %d of %d saturations, %d by random vectors\n", what, searched.hit,
                  searched.all, plain.hit);
    assert_int_equal(plain.all, searched.all);
}

static void test_golden_nets(void **state)
{
    static const struct {
        const char *name;
        int least;
    } nets[] = {{"pose-6-16-6", 34}, {"pose-6-16-16-6", 52}, {"a-int8", 64},   {"a-int16", 65},
                {"b-int8", 126},     {"int8-6-16-16-6", 26}, {"a-ternary", 53}};
    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct saturations plain = {0};
        struct saturations searched = {0};
        struct error err = {0};
        char path[128];
        (void)snprintf(path, sizeof path, "tests/golden/%s.mote", nets[i].name);
        struct net *net = net_read(path, &err);
        assert_non_null(net);
        measure(net, &plain, &searched);
        report(nets[i].name, plain, searched);
        assert_true(searched.hit >= nets[i].least);
        net_free(net);
    }
}

static void test_random_nets(void **state)
{
    (void)state;
    struct saturations plain = {0};
    struct saturations searched = {0};
    for (uint64_t seed = 0; seed < NETS; seed++) {
        struct net *net = seed % 2 ? random_narrow_net(seed) : random_net(seed);
        measure(net, &plain, &searched);
        net_free(net);
    }
    report("random nets", plain, searched);
    assert_true(searched.hit * 100 >= searched.all * 96);
}

/* So wide that the search must end early. */
static void test_wide_net(void **state)
{
    (void)state;
    struct saturations plain = {0};
    struct saturations searched = {0};
    struct net *net = wide_net();
    measure(net, &plain, &searched);
    report("a wide net", plain, searched);
    net_free(net);
}

/* Fewer vectors than corners. */
static void test_few(void **state)
{
    (void)state;
    struct net *net = pose_like_net(1, 1);
    for (int count = 1; count < 9; count++) {
        struct error err = {0};
        struct arena *arena = arena_new();
        struct vectors vectors;
        assert_true(selftest_vectors(net, count, arena, &vectors, &err));
        assert_int_equal(vectors.count, count);
        assert_int_equal(vectors.in[0], 0);
        arena_free(arena);
    }
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_nets),
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_wide_net),
        cmocka_unit_test(test_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
