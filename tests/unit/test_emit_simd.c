/* Vector variants equal the reference interpreter, bit for bit: SSE2 and AVX2 natively, AVX-512
 * VNNI with its instructions in plain C (support/vnni), NEON under QEMU. */
#include "support/unit.h"

#include "emit/plan.h"
#include "emit/variant.h"
#include "run/run.h"
#include "support/emitted.h"
#include "support/folder.h"
#include "support/random_net.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 40 };

#define WARNINGS  "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror"
#define SANITISED "clang -std=c99 -g -fsanitize=undefined,integer,address -fno-sanitize-recover=all"
#define VNNI      " -D__AVX512VNNI__ -D__AVX512BW__ -D__AVX512VL__ -I"

/* Nets that fit a variant, with inputs and what the interpreter makes of them. */
struct batch {
    struct net *nets[BATCH];
    int32_t *in[BATCH];
    int32_t *expected[BATCH];
    int32_t *out[BATCH];
    int count;
    int vectors;
};

/* Everything but the net is in place afterwards. */
static void batch_add(struct batch *b, struct net *net, uint64_t seed)
{
    int i = b->count++;
    size_t width = (size_t)net->tensors[net->input].width;
    size_t outputs = (size_t)net->tensors[net->output].width;
    size_t vectors = (size_t)b->vectors;
    struct run *run = run_new(net);
    b->nets[i] = net;
    b->in[i] = malloc(sizeof(int32_t) * vectors * width);
    b->expected[i] = malloc(sizeof(int32_t) * vectors * outputs);
    b->out[i] = malloc(sizeof(int32_t) * vectors * outputs);
    assert_true(run && b->in[i] && b->expected[i] && b->out[i]);
    random_inputs(net, seed, b->vectors, b->in[i]);
    for (size_t v = 0; v < vectors; v++) {
        run_predict(run, b->in[i] + v * width, b->expected[i] + v * outputs);
    }
    run_free(run);
}

static bool fits(const struct net *net, enum variant_kind kind)
{
    struct emit_options options = {.variants = 1U << kind};
    struct plan *plan = plan_new(net, &options);
    bool fitting = false;
    assert_non_null(plan);
    for (int i = 0; i < VARIANT_COUNT; i++) {
        fitting = fitting || (variants[i] && variants[i]->kind == kind && variants[i]->fits(plan));
    }
    plan_free(plan);
    return fitting;
}

/* Up to BATCH nets from seed *next on that fit, of every second kind. */
static void batch_fill(struct batch *b, enum variant_kind kind, uint64_t *next, int count)
{
    while (b->count < count) {
        uint64_t seed = (*next)++;
        struct net *net = seed % 2 ? random_net(seed) : random_narrow_net(seed);
        if (fits(net, kind)) {
            batch_add(b, net, seed);
        } else {
            net_free(net);
        }
    }
}

static void batch_check(struct batch *b, struct emitted how)
{
    bool ran = emitted_run(b->nets, b->count, &how, b->vectors, b->in, b->out);
    for (int i = 0; ran && i < b->count; i++) {
        size_t codes = (size_t)b->vectors * (size_t)b->nets[i]->tensors[b->nets[i]->output].width;
        assert_memory_equal(b->out[i], b->expected[i], sizeof(int32_t) * codes);
        memset(b->out[i], 0, sizeof(int32_t) * codes);
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
    *b = (struct batch){.vectors = b->vectors};
}

/* `count` random nets from `seed` on, 40 in one program. */
static void check_random(struct emitted how, enum variant_kind kind, uint64_t seed, int count,
                         int vectors)
{
    how.variants = 1U << kind;
    how.optimise = OPTIMISE_SPEED;
    for (int done = 0; done < count; done += BATCH) {
        struct batch b = {.vectors = vectors};
        batch_fill(&b, kind, &seed, count - done < BATCH ? count - done : BATCH);
        batch_check(&b, how);
        batch_free(&b);
    }
    print_message("%d nets that fit among %d\n", count, (int)seed);
}

/* Where there is little to multiply, bytes are for plain C, and 16 bits for wide registers alone.
 */
static void test_small_nets(void **state)
{
    int small[2] = {0, 0}; /* with 16 bits, with bytes */
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct net *net = random_net(seed);
        if (net_macs(net) < 32) {
            enum type type = net->tensors[net->input].type;
            bool bytes = type == TYPE_I8 || type == TYPE_U8;
            assert_false(fits(net, VARIANT_SSE2));
            assert_int_equal(fits(net, VARIANT_VNNI), !bytes && fits(net, VARIANT_NEON));
            assert_int_equal(fits(net, VARIANT_AVX2), !bytes && fits(net, VARIANT_NEON));
            small[bytes]++;
        }
        net_free(net);
    }
    print_message("%d and %d small nets\n", small[0], small[1]);
    assert_true(small[0] >= 5 && small[1] >= 5);
}

static bool has(const char *instructions)
{
    return run_command("grep -qw %s /proc/cpuinfo", instructions) == 0;
}

static bool has_avx2(void)
{
    return has("avx2");
}

static void test_avx2(void **state)
{
    (void)state;
    if (!has_avx2()) {
        skip();
    }
    check_random((struct emitted){.compiler = "cc -std=c99 -O1 -mavx2 " WARNINGS}, VARIANT_AVX2, 0,
                 80, 1000);
}

/* Some of these have rows that are lifted to a common shift. */
static void test_sse2(void **state)
{
    (void)state;
    if (!has("sse2")) {
        skip();
    }
    check_random((struct emitted){.compiler = "cc -std=c99 -O1 " WARNINGS}, VARIANT_SSE2, 0, 80,
                 1000);
}

/* A million vectors with all corners, by each variant that this machine can run. */
static void check_golden(struct net *net, uint64_t seed)
{
    static const struct {
        enum variant_kind kind;
        const char *instructions, *compiler;
    } ways[] = {{VARIANT_SSE2, "sse2", "cc -std=c99 -O2 " WARNINGS},
                {VARIANT_AVX2, "avx2", "cc -std=c99 -O2 -mavx2 " WARNINGS}};
    struct batch b = {.vectors = FEWER(1 << 20)};
    batch_add(&b, net, seed);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_true(fits(net, ways[i].kind));
        if (has(ways[i].instructions)) {
            batch_check(&b, (struct emitted){.optimise = OPTIMISE_SPEED,
                                             .compiler = ways[i].compiler,
                                             .variants = 1U << ways[i].kind});
        }
    }
    batch_free(&b);
}

/* The networks on vectors of the golden table. */
static void test_golden(void **state)
{
    glob_t found;
    (void)state;
    assert_int_equal(glob("tests/golden/*.mote", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct error err = {0};
        struct net *net = net_read(found.gl_pathv[i], &err);
        assert_non_null(net);
        if (net_has_maps(net)) {
            net_free(net);
        } else {
            check_golden(net, i);
        }
    }
    globfree(&found);
    if (!has_avx2()) {
        print_message("by SSE2 at most: this machine has no AVX2\n");
        skip();
    }
}

/* Real headers and flags: that compilers know every intrinsic, with the types given. */
static void check_compiles(const char *compiler, const char *flags, enum variant_kind kind)
{
    if (!have_command(compiler) ||
        run_command("echo 'int x;' | %s %s -xc -c -o /dev/null - 2>/dev/null", compiler, flags)) {
        print_message("skip: %s %s\n", compiler, flags);
        return;
    }
    struct text all = {0};
    for (int i = 0; i < 12; i++) {
        char name[16];
        struct net *net = i % 2 ? random_net((uint64_t)i) : random_narrow_net((uint64_t)i);
        struct emit_options options = {.name = name, .variants = 1U << kind};
        (void)snprintf(name, sizeof name, "n%d", i);
        emit_scratch(net, &options);
        text_printf(&all, "#include \"n%d.h\"\n", i);
        net_free(net);
    }
    assert_false(all.failed);
    scratch_write(scratch_path("all.c"), all.data, all.length);
    text_free(&all);
    assert_int_equal(run_command("cd %s && %s %s -std=c99 " WARNINGS " -c all.c -o all.o",
                                 scratch_path(""), compiler, flags),
                     0);
}

static void test_compiles(void **state)
{
    static const char *const compilers[] = {"gcc", "clang"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        check_compiles(compilers[i], "-O2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni",
                       VARIANT_VNNI);
        check_compiles(compilers[i], "-O2 -mavx2", VARIANT_AVX2);
        check_compiles(compilers[i], "-O2 -msse2", VARIANT_SSE2);
    }
    check_compiles("clang",
                   "-O2 --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include",
                   VARIANT_NEON);
}

static void test_avx2_sanitised(void **state)
{
    (void)state;
    if (!has_avx2() || !have_command("clang")) {
        skip();
    }
    check_random((struct emitted){.compiler = SANITISED " -mavx2"}, VARIANT_AVX2, 5000, 12, 200);
}

static void test_sse2_sanitised(void **state)
{
    (void)state;
    if (!has("sse2") || !have_command("clang")) {
        skip();
    }
    check_random((struct emitted){.compiler = SANITISED}, VARIANT_SSE2, 5000, 12, 200);
}

/* The command, with this source's own header instead of <immintrin.h>. */
static const char *emulated(const char *compiler, char line[1024])
{
    char folder[512];
    assert_non_null(getcwd(folder, sizeof folder));
    (void)snprintf(line, 1024, "%s" VNNI "'%s/tests/support/vnni'", compiler, folder);
    return line;
}

static void test_vnni(void **state)
{
    char line[1024];
    (void)state;
    check_random((struct emitted){.compiler = emulated("cc -std=c99 -O0 -Wall", line)},
                 VARIANT_VNNI, 0, 40, 300);
}

/* Saturation and 32-bit sums are the header's; the emitted file's own arithmetic is clean. */
static void test_vnni_sanitised(void **state)
{
    char line[1024];
    (void)state;
    if (!have_command("clang")) {
        skip();
    }
    check_random((struct emitted){.compiler = emulated(SANITISED, line)}, VARIANT_VNNI, 7000, 8,
                 100);
}

static void test_neon(void **state)
{
    (void)state;
    if (!have_command("aarch64-linux-gnu-gcc") || !have_command("qemu-aarch64")) {
        skip();
    }
    check_random(
        (struct emitted){.compiler = "aarch64-linux-gnu-gcc -static -std=c99 -O1 " WARNINGS,
                         .emulator = "qemu-aarch64"},
        VARIANT_NEON, 0, 40, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sse2),   cmocka_unit_test(test_sse2_sanitised),
        cmocka_unit_test(test_avx2),   cmocka_unit_test(test_avx2_sanitised),
        cmocka_unit_test(test_golden), cmocka_unit_test(test_compiles),
        cmocka_unit_test(test_vnni),   cmocka_unit_test(test_vnni_sanitised),
        cmocka_unit_test(test_neon),   cmocka_unit_test(test_small_nets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
