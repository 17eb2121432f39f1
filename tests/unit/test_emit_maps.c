/* Nets on maps: emitted C equals the interpreter, with warnings, sanitizers and a 16-bit int. */
#include "support/unit.h"

#include "emit/machine.h"
#include "emit/map.h"
#include "run/run.h"
#include "support/emitted.h"
#include "support/random_maps.h"
#include "support/random_net.h"

#include <stdlib.h>
#include <string.h>

#define WARNINGS                                                                                   \
    "-pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef "             \
    "-Wstrict-prototypes -Wmissing-prototypes"
#define SANITISED                                                                                  \
    "clang -std=c99 -fsanitize=undefined,integer,address -fno-sanitize-recover=all " WARNINGS

/* For pairs of channels, whose sums are modulo 2^32. */
#define WRAPS SANITISED " -fno-sanitize=unsigned-integer-overflow"

enum { NETS_MOST = 60, VECTORS = 12 };

/* In a batch: all of them with PROOF=all. */
static int nets = NETS_MOST * 2 / 5;

/* Nets with inputs, and what the interpreter makes of them. */
struct batch {
    struct net *nets[NETS_MOST];
    int32_t *in[NETS_MOST];
    int32_t *want[NETS_MOST];
    int32_t *out[NETS_MOST];
};

static void *take(size_t count)
{
    int32_t *memory = calloc(count, sizeof *memory);
    assert_non_null(memory);
    return memory;
}

static void batch_start(struct batch *b, struct net *(*make)(uint64_t), uint64_t seed)
{
    for (int i = 0; i < nets; i++) {
        b->nets[i] = make(seed + (uint64_t)i);
        size_t in = (size_t)b->nets[i]->tensors[b->nets[i]->input].width;
        size_t out = (size_t)b->nets[i]->tensors[b->nets[i]->output].width;
        b->in[i] = take(VECTORS * in);
        b->want[i] = take(VECTORS * out);
        b->out[i] = take(VECTORS * out);
        random_inputs(b->nets[i], seed, VECTORS, b->in[i]);
        struct run *run = run_new(b->nets[i]);
        assert_non_null(run);
        for (size_t v = 0; v < VECTORS; v++) {
            run_predict(run, b->in[i] + v * in, b->want[i] + v * out);
        }
        run_free(run);
    }
}

static void batch_compare(const struct batch *b, const struct emitted *how)
{
    bool ran = emitted_run(b->nets, nets, how, VECTORS, b->in, b->out);
    for (int i = 0; ran && i < nets; i++) {
        int count = VECTORS * b->nets[i]->tensors[b->nets[i]->output].width;
        for (int k = 0; k < count; k++) {
            if (b->out[i][k] != b->want[i][k]) {
                fail_msg("net %d, output %d: %d instead of %d", i, k, (int)b->out[i][k],
                         (int)b->want[i][k]);
            }
        }
        memset(b->out[i], 0, (size_t)count * sizeof *b->out[i]);
    }
}

static void batch_end(struct batch *b)
{
    for (int i = 0; i < nets; i++) {
        net_free(b->nets[i]);
        free(b->in[i]);
        free(b->want[i]);
        free(b->out[i]);
    }
}

static void test_equal(void **state)
{
    static struct batch b;
    (void)state;
    batch_start(&b, random_map_net, 0);
    batch_compare(&b, &(struct emitted){.compiler = SANITISED});
    batch_compare(&b, &(struct emitted){.optimise = OPTIMISE_SPEED, .compiler = WRAPS});
    batch_end(&b);
}

static void test_other_compiler(void **state)
{
    static struct batch b;
    (void)state;
    if (!have_command("clang")) {
        skip();
    }
    batch_start(&b, random_map_net, 1000);
    batch_compare(&b, &(struct emitted){.compiler = "clang -std=c99 -O2 " WARNINGS});
    batch_end(&b);
}

static void test_short_int(void **state)
{
    static struct batch b;
    (void)state;
    if (!have_command("clang")) {
        skip();
    }
    batch_start(&b, random_map_net, 2000);
    batch_compare(&b, &(struct emitted){.compiler = "cc -O1", .short_int = true});
    batch_end(&b);
}

/* How many of the nets' layers are emitted with `text`. */
static int count_text(const struct batch *b, const struct emit_options *options, const char *text)
{
    int count = 0;
    struct error err = {0};
    for (int i = 0; i < nets; i++) {
        struct text header = {0};
        assert_true(emit_c(b->nets[i], options, &header, NULL, &err));
        for (const char *at = header.data; (at = strstr(at, text)); at++) {
            count++;
        }
        text_free(&header);
    }
    return count;
}

/* Two channels in a word: modulo 2^32. */
static void test_digits(void **state)
{
    static struct batch b;
    struct emitted how = {.optimise = OPTIMISE_SPEED, .compiler = WRAPS};
    const struct emit_options speed = {.optimise = OPTIMISE_SPEED};
    const struct emit_options size = {.optimise = OPTIMISE_SIZE};
    (void)state;
    batch_start(&b, random_digits_net, 0);
    assert_true(count_text(&b, &speed, "uint32_t *const lanes") > nets / 3);
    assert_true(count_text(&b, &speed, " != 0U) {") > nets / 2);
    assert_true(count_text(&b, &speed, "_eight(p, used") > nets / 8);
    assert_int_equal(count_text(&b, &size, "uint32_t *const lanes"), 0);
    batch_compare(&b, &how);
    how.compiler = "cc -O1";
    how.short_int = have_command("clang");
    batch_compare(&b, &how);
    batch_end(&b);
}

/* Layers that are made for one thing and another. */
static void test_mixed_goals(void **state)
{
    static struct batch b;
    (void)state;
    for (int first = 0; first < 3; first++) {
        enum optimise layers[NET_LAYERS_MAX];
        for (int i = 0; i < NET_LAYERS_MAX; i++) {
            int goal = first + (first == 1 ? 2 * i : i);
            layers[i] = (enum optimise)(goal % 3);
        }
        struct emitted how = {
            .optimise = OPTIMISE_SPEED, .layers = layers, .compiler = "cc -std=c99 -O1 " WARNINGS};
        batch_start(&b, random_digits_net, 5000 + 100 * (uint64_t)first);
        batch_compare(&b, &how);
        batch_end(&b);
        how.compiler = WRAPS;
        batch_start(&b, first % 2 ? random_pools_net : random_map_net,
                    6000 + 100 * (uint64_t)first);
        batch_compare(&b, &how);
        batch_end(&b);
    }
}

/* Weights in lanes as bits, or as steps where many are zero. */
static void test_bits(void **state)
{
    static struct batch b;
    struct emitted how = {.optimise = OPTIMISE_BALANCED, .compiler = WRAPS};
    const struct emit_options balanced = {.optimise = OPTIMISE_BALANCED};
    const struct emit_options speed = {.optimise = OPTIMISE_SPEED};
    (void)state;
    batch_start(&b, random_digits_net, 3000);
    int bits = count_text(&b, &balanced, "if (bits < 0x80000000U) {");
    int steps = count_text(&b, &balanced, "if (step < 14U) {") / 2; /* both of a byte */
    assert_true(bits > nets / 6 && steps > nets / 6 && bits + steps > nets / 3);
    assert_int_equal(count_text(&b, &speed, "if (step < 14U) {"), 0);
    assert_int_equal(count_text(&b, &speed, "if (bits < 0x80000000U) {"), 0);
    batch_compare(&b, &how);
    how.compiler = "cc -O1";
    how.short_int = have_command("clang");
    batch_compare(&b, &how);
    batch_end(&b);
}

static void test_full_portions(void **state)
{
    static struct batch b;
    (void)state;
    batch_start(&b, one_sided_net, 4000);
    batch_compare(&b, &(struct emitted){.optimise = OPTIMISE_BALANCED, .compiler = WRAPS});
    batch_compare(&b, &(struct emitted){.optimise = OPTIMISE_SPEED, .compiler = WRAPS});
    batch_end(&b);
}

static void compare_size(struct net *(*make)(uint64_t), uint64_t seed,
                         const struct machine *machine)
{
    static struct batch b;
    struct emitted how = {.compiler = SANITISED, .machine = machine};
    batch_start(&b, make, seed);
    batch_compare(&b, &how);
    how.compiler = "cc -O1";
    how.short_int = machine->word == 16 && have_command("clang");
    if (how.short_int) {
        batch_compare(&b, &how);
    }
    batch_end(&b);
}

/* Chains of layers row by row, convs with their pools, maps with two elements to a byte. */
static void test_size(void **state)
{
    static struct batch b;
    struct machine machine = *machine_default();
    (void)state;
    for (int i = 0; i < 3; i++) {
        machine.no_multiplier = i == 1;
        machine.word = i == 2 ? 16 : 32;
        compare_size(random_digits_net, 3000, &machine);
        compare_size(random_pools_net, 3100, &machine);
        compare_size(random_map_net, 3200, &machine);
    }
    batch_start(&b, random_pools_net, 3000);
    machine.no_multiplier = true;
    static const char *const texts[] = {"/* Row by row", "sum > most", "f0 = f1;"};
    const struct emit_options masks = {.optimise = OPTIMISE_SIZE, .machine = &machine};
    const struct emit_options speed = {.optimise = OPTIMISE_SPEED};
    const struct emit_options size = {.optimise = OPTIMISE_SIZE};
    assert_true(count_text(&b, &masks, "(size | (size >> 4))") > nets / 8);
    for (int i = 0; i < 3; i++) {
        assert_true(count_text(&b, &size, texts[i]) > nets / 8);
        assert_int_equal(count_text(&b, &speed, texts[i]), 0);
    }
    batch_end(&b);
}

/* Convs in straight lines that keep the largest result of a pool's window. */
static void test_pools(void **state)
{
    static struct batch b;
    struct machine machine = *machine_default();
    const struct emit_options options = {.optimise = OPTIMISE_SPEED, .machine = &machine};
    struct emitted how = {.optimise = OPTIMISE_SPEED, .machine = &machine};
    (void)state;
    for (int i = 0; i < 3; i++) {
        machine.no_multiplier = i == 1;
        machine.word = i == 2 ? 16 : 32;
        batch_start(&b, random_pools_net, 3300);
        assert_true(count_text(&b, &options, "if (z > (int32_t)to[") > nets / 8);
        how.compiler = i == 0 ? WRAPS : SANITISED;
        batch_compare(&b, &how);
        batch_end(&b);
    }
}

static void compare_fast(struct net *(*make)(uint64_t), uint64_t seed,
                         const struct machine *machine, const char *text)
{
    static struct batch b;
    const struct emit_options options = {.optimise = OPTIMISE_SPEED, .machine = machine};
    struct emitted how = {.optimise = OPTIMISE_SPEED, .compiler = SANITISED, .machine = machine};
    batch_start(&b, make, seed);
    assert_true(count_text(&b, &options, text) > nets / 8);
    batch_compare(&b, &how);
    how.optimise = OPTIMISE_BALANCED;
    batch_compare(&b, &how);
    how.optimise = OPTIMISE_SPEED;
    how.compiler = "cc -O1";
    how.short_int = have_command("clang");
    batch_compare(&b, &how);
    batch_end(&b);
}

/* Two positions in a word, where nothing wraps. */
static void test_digits_without_multiplier(void **state)
{
    struct machine machine = *machine_default();
    (void)state;
    machine.no_multiplier = true;
    compare_fast(random_digits_net, 500, &machine, "used, n, w, s);");
}

/* One sum, which does not wrap either. */
static void test_digits_in_16_bits(void **state)
{
    struct machine machine = *machine_default();
    (void)state;
    machine.word = 16;
    compare_fast(random_digits_net, 700, &machine, "(two >> 4) * x");
}

/* By the bits of the inputs: of all of them without a multiplier, of few where products are there.
 * No sum wraps. */
static void test_planes(void **state)
{
    struct machine machine = *machine_default();
    (void)state;
    compare_fast(random_dense_net, 0, &machine, "_add_eight(used");
    machine.no_multiplier = true;
    compare_fast(random_dense_net, 100, &machine, "_add_sixteen(used");
    compare_fast(random_dense_net, 300, &machine, "v0 += v0;");
    machine.word = 16;
    compare_fast(random_dense_net, 200, &machine, "(two >> 4) * x");
}

static void compare_full(int columns, const struct machine *machine)
{
    struct net *net = full_net(columns);
    struct run *run = run_new(net);
    int32_t *in = take((size_t)columns);
    int32_t want[10];
    int32_t out[10] = {0};
    int32_t *outs = out;
    assert_non_null(run);
    for (int i = 0; i < columns; i++) {
        in[i] = 255;
    }
    run_predict(run, in, want);
    struct emitted how = {.optimise = OPTIMISE_SPEED, .compiler = SANITISED, .machine = machine};
    if (emitted_run(&net, 1, &how, 1, &in, &outs)) {
        assert_memory_equal(out, want, sizeof want);
    }
    run_free(run);
    net_free(net);
    free(in);
}

/* Every input as large as it can be, and every weight: a portion of a list is full.  Then more
 * columns than 16 bits can count bytes of. */
static void test_full_lists(void **state)
{
    struct machine machine = *machine_default();
    (void)state;
    for (int i = 0; i < 3; i++) {
        machine.word = i == 2 ? 16 : 32;
        machine.no_multiplier = i == 1;
        compare_full(17, &machine);
        compare_full(40, &machine);
        compare_full(17000, &machine);
    }
}

/* The same with many nets, without sanitizers. */
static void test_more_digits(void **state)
{
    static struct batch b;
    (void)state;
    for (uint64_t seed = 1000; seed < (nets == NETS_MOST ? 1300U : 1120U); seed += (uint64_t)nets) {
        batch_start(&b, random_digits_net, seed);
        batch_compare(&b,
                      &(struct emitted){.optimise = OPTIMISE_SPEED, .compiler = quick_compiler()});
        batch_compare(
            &b, &(struct emitted){.optimise = OPTIMISE_BALANCED, .compiler = quick_compiler()});
        batch_end(&b);
    }
}

/* What is told of a net before it is emitted is what its tables take. */
static void test_row_bytes(void **state)
{
    (void)state;
    for (int bits = 1; bits <= 16; bits++) {
        for (int odd = bits == 1; odd <= (bits <= 4); odd++) {
            const struct weights weights = {.bits = bits, .odd = odd};
            for (int columns = 1; columns <= 40; columns++) {
                assert_int_equal(net_row_bytes(bits, odd, columns),
                                 map_row_bytes(map_coding(&weights), columns) * (bits > 8 ? 2 : 1));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_bytes),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_other_compiler),
        cmocka_unit_test(test_short_int),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_mixed_goals),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_full_portions),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_digits_without_multiplier),
        cmocka_unit_test(test_digits_in_16_bits),
        cmocka_unit_test(test_planes),
        cmocka_unit_test(test_full_lists),
        cmocka_unit_test(test_more_digits),
    };
    const char *proof = getenv("PROOF");
    if (proof && strcmp(proof, "all") == 0) {
        nets = NETS_MOST;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
