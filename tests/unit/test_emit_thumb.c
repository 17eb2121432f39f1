/* The Cortex-M0's assembly equals the reference interpreter, by QEMU and by the counting program,
 * whatever compiler and level its file meets. */
#include "support/unit.h"

#include "base/rng.h"
#include "measure/measure.h"
#include "support/emitted.h"
#include "support/folder.h"
#include "support/random_maps.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACS_MAX 2000
#define CODES    65536
#define CLANG_LINK                                                                                 \
    "-fuse-ld=lld -nostdlib -T {targets}/cortex-m.ld -Wl,--gc-sections {targets}/memory.c"
#define CLANG                                                                                      \
    "clang --target=thumbv6m-none-eabi -mcpu=cortex-m0 -std=c99 -ffreestanding "                   \
    "-ffunction-sections -fdata-sections -Wall -Wextra -Werror -Wno-unknown-pragmas"

#ifndef NETS
#define NETS FEWER(4)
#endif

static void need(const char *name)
{
    struct error err = {0};
    const char *missing;
    struct target *target = target_load(name, &err);
    assert_string_equal(err.message, "");
    bool installed = target_installed(target, &missing);
    if (!installed) {
        print_message("%s needs %s\n", name, missing);
    }
    target_free(target);
    if (!installed) {
        skip();
    }
}

static struct text emitted(const struct net *net, bool constant_time)
{
    const struct emit_options options = {.name = "net",
                                         .optimise = OPTIMISE_SPEED,
                                         .variants = 1U << VARIANT_THUMB,
                                         .constant_time = constant_time};
    struct text header = {0};
    struct error err = {0};
    assert_true(emit_c(net, &options, &header, NULL, &err));
    return header;
}

static bool has_assembly(const struct net *net)
{
    struct text header = emitted(net, false);
    bool found = strstr(header.data, "naked") != NULL;
    text_free(&header);
    return found;
}

/* The next net from *seed on that is small and has assembly. */
static struct net *next_net(struct net *(*make)(uint64_t), uint64_t *seed)
{
    for (;;) {
        struct net *net = make((*seed)++);
        if (net_macs(net) <= MACS_MAX && has_assembly(net)) {
            return net;
        }
        net_free(net);
    }
}

/* How a net is measured; all zero: as the target says. */
struct way {
    const char *compiler;
    const char *level;
    const char *link;
    const char *header;
    const int32_t *in;
    int count;
};

static struct cost measure(const struct net *net, const char *name, struct way way)
{
    struct error err = {0};
    struct target *target = target_load(name, &err);
    assert_non_null(target);
    target->compiler = way.compiler ? way.compiler : target->compiler;
    target->optimise_speed = way.level ? way.level : target->optimise_speed;
    target->link = way.link ? way.link : target->link;
    const struct measure_options options = {.optimise = OPTIMISE_SPEED,
                                            .assembly = true,
                                            .header = way.header,
                                            .in = way.in,
                                            .count = way.count};
    struct cost cost;
    (void)measure_net(net, target, &options, &cost, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.vectors, way.count > 0 ? way.count : 1000);
    assert_int_equal(cost.mismatches, 0);
    assert_int_equal(cost.ram, 0);
    target_free(target);
    return cost;
}

static void check_nets(struct net *(*make)(uint64_t), const char *target, uint64_t seed)
{
    need(target);
    for (int i = 0; i < NETS; i++) {
        struct net *net = next_net(make, &seed);
        (void)measure(net, target, (struct way){0});
        net_free(net);
    }
}

static void test_random_nets(void **state)
{
    (void)state;
    check_nets(random_net, "cortex-m0", 1);
}

static void test_narrow_nets(void **state)
{
    (void)state;
    check_nets(random_narrow_net, "cortex-m0plus", 1000);
}

/* ---- maps ---- */

/* Tiles in lanes, by what their function's comment says. */
static const char *const tiles[] = {"of 1 x 1 words", "of 1 x 2 words", "of 1 x 3 words",
                                    "of 1 x 4 words", "of 2 x 1 words", "of 2 x 2 words"};
enum { TILES = sizeof tiles / sizeof *tiles, MAPS_PER_TILE = FEWER(3), SEEDS_MOST = 400 };

/* Is it a net with a tile that was met too seldom before? */
static bool is_wanted(const struct net *net, int met[TILES])
{
    struct text header = emitted(net, false);
    bool assembly = strstr(header.data, "naked") != NULL;
    bool wanted = false;
    for (int i = 0; assembly && i < TILES; i++) {
        bool has = strstr(header.data, tiles[i]) != NULL;
        wanted = wanted || (has && met[i] < MAPS_PER_TILE);
        met[i] += has;
    }
    text_free(&header);
    return wanted;
}

static int tiles_left(const int met[TILES])
{
    int left = 0;
    for (int i = 0; i < TILES; i++) {
        left += met[i] < MAPS_PER_TILE;
    }
    return left;
}

/* Sums in lanes: all forms of tiles. */
static void check_lanes(struct net *(*make)(uint64_t), uint64_t seed)
{
    int met[TILES] = {0};
    need("cortex-m0");
    for (uint64_t i = 0; i < SEEDS_MOST && tiles_left(met) > 0; i++) {
        struct net *net = make(seed + i);
        if (is_wanted(net, met)) {
            (void)measure(net, "cortex-m0", (struct way){.count = 40});
        }
        net_free(net);
    }
    for (int i = 0; i < TILES; i++) {
        if (met[i] < MAPS_PER_TILE) {
            fail_msg("tiles %s: %d", tiles[i], met[i]);
        }
    }
}

static void test_lanes(void **state)
{
    (void)state;
    check_lanes(random_digits_net, 0);
    check_lanes(one_sided_net, 5000);
}

/* Maps of more words than a byte counts, and other compilers' levels. */
static void test_wide_lanes(void **state)
{
    static const uint64_t seeds[] = {56, 275};
    static const char *const levels[] = {"-O0", "-O2"};
    (void)state;
    need("cortex-m0");
    for (int i = 0; i < 2; i++) {
        struct net *net = random_digits_net(seeds[i]);
        assert_true(has_assembly(net));
        (void)measure(net, "cortex-m0", (struct way){.count = 40});
        (void)measure(net, "cortex-m0", (struct way){.level = levels[i], .count = 40});
        if (have_command("clang") && have_command("ld.lld")) {
            (void)measure(
                net, "cortex-m0",
                (struct way){
                    .compiler = CLANG, .level = levels[i], .link = CLANG_LINK, .count = 40});
        }
        net_free(net);
    }
}

/* ---- packed rows of every kind ---- */

/* A row whose sums reach about `most`: of a byte behind the shift, of 16 bits with either sign, of
 * 16 bits off the middle, or more. */
static int32_t fill_row(struct rng *rng, int16_t *row, int columns, int most)
{
    int limit = most / 128 / columns;
    limit = limit > 127 ? 127 : limit;
    bool positive = rng_below(rng, 4) == 0;
    for (int j = 0; j < columns; j++) {
        int weight = (int)rng_below(rng, (uint64_t)(2 * limit + 1)) - limit;
        row[j] = (int16_t)(positive && weight < 0 ? -weight : weight);
    }
    return (int32_t)rng_below(rng, 2000) - 1000;
}

static int add_relu(struct net *net, struct rng *rng, int from, int rows,
                    enum activation activation)
{
    static const int reach[] = {1, 1, 1, 2, 3, 6};
    int columns = net->tensors[from].width;
    int16_t *weights = arena_alloc(net->arena, (size_t)(rows * columns), sizeof *weights);
    int32_t *bias = arena_alloc(net->arena, (size_t)rows, sizeof *bias);
    uint8_t *shift = arena_alloc(net->arena, (size_t)rows, sizeof *shift);
    int usual = 5 + (int)rng_below(rng, 5);
    assert_true(weights && bias && shift);
    for (int i = 0; i < rows; i++) {
        shift[i] = (uint8_t)(rng_below(rng, 8) == 0 ? 4 + rng_below(rng, 6) : (uint64_t)usual);
        int most = (64 << shift[i]) * reach[rng_below(rng, 6)];
        bias[i] = fill_row(rng, weights + i * columns, columns, most);
    }
    int to = net_add_tensor(net, rng_below(rng, 4) ? TYPE_I8 : TYPE_U8, rows);
    const struct layer layer = {.op = OP_DENSE,
                                .inputs = {from},
                                .input_count = 1,
                                .output = to,
                                .activation = activation,
                                .weights = {8, rows, columns, weights, false},
                                .bias = bias,
                                .shift = shift};
    assert_true(net_add_layer(net, &layer));
    return to;
}

/* Bytes in and out, one to three layers with ReLU and a linear one. */
static struct net *bytes_net(uint64_t seed)
{
    struct rng rng = rng_new(seed, 77);
    struct net *net = net_new("bytes");
    struct channel channels[40];
    struct error err = {0};
    int at =
        net_add_tensor(net, rng_below(&rng, 2) ? TYPE_I8 : TYPE_U8, 1 + (int)rng_below(&rng, 8));
    net->input = at;
    for (int left = 1 + (int)rng_below(&rng, 3); left > 0; left--) {
        at = add_relu(net, &rng, at, 1 + (int)rng_below(&rng, 36), ACTIVATION_RELU);
    }
    net->output = add_relu(net, &rng, at, 1 + (int)rng_below(&rng, 8), ACTIVATION_NONE);
    for (int i = 0; i < 40; i++) {
        channels[i] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}, .high = {1, 0}};
    }
    assert_true(net_set_channels(net, channels, channels));
    assert_true(net_check(net, "bytes", &err));
    return net;
}

static void test_bytes(void **state)
{
    (void)state;
    check_nets(bytes_net, "cortex-m0", 1);
    check_nets(bytes_net, "cortex-m0", 1038); /* here both passes once chose other kernels */
    struct net *net = bytes_net(1);
    struct text header = emitted(net, false);
    assert_non_null(strstr(header.data, "0x00ff00ff")); /* four at once */
    text_free(&header);
    net_free(net);
}

/* Sums near -2^31 in front of a clamp: 2^15 - 1 less such a sum does not fit 32 bits. */
static void test_sums_at_the_edge(void **state)
{
    (void)state;
    need("cortex-m0");
    struct net *nets[] = {random_net(29), random_narrow_net(1047)};
    for (size_t i = 0; i < 2; i++) {
        (void)measure(nets[i], "cortex-m0", (struct way){0});
        net_free(nets[i]);
    }
}

/* ---- compilers ---- */

static void test_levels(void **state)
{
    (void)state;
    need("cortex-m0");
    static const char *const levels[] = {"-O0 -g", "-O1 -fno-omit-frame-pointer", "-O3",
                                         "-O2 -mpic-register=r9"};
    struct net *net = pose_like_net(1, 3);
    assert_true(has_assembly(net));
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        (void)measure(net, "cortex-m0", (struct way){.level = levels[i]});
    }
    net_free(net);
}

static void test_clang(void **state)
{
    (void)state;
    need("cortex-m0");
    if (!have_command("clang") || !have_command("ld.lld")) {
        print_message("clang or ld.lld is missing\n");
        skip();
    }
    static const char *const levels[] = {"-O0 -g", "-O2"};
    uint64_t seed = 2000;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct net *net = next_net(i == 0 ? random_net : random_narrow_net, &seed);
        (void)measure(net, "cortex-m0",
                      (struct way){.compiler = CLANG, .level = levels[i], .link = CLANG_LINK});
        net_free(net);
    }
}

/* C and C++, without a warning. */
static void check_warnings(struct net *net)
{
    struct text header = emitted(net, false);
    scratch_write(scratch_path("net.h"), header.data, header.length);
    static const char use[] = "#include \"net.h\"\n";
    scratch_write(scratch_path("use.c"), use, sizeof use - 1);
    static const char *const compilers[] = {"gcc -std=c99", "gcc -std=c11", "g++ -std=c++11",
                                            "g++ -std=c++17"};
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++) {
        char path[1000];
        (void)snprintf(path, sizeof path, "%s", scratch_path("use.c"));
        bool plus = strstr(compilers[i], "g++") != NULL;
        assert_int_equal(run_command("arm-none-eabi-%s -mcpu=cortex-m0 -mthumb -Os -ffreestanding "
                                     "-Wall -Wextra -Wpedantic -Wshadow -Wconversion %s -Werror "
                                     "-x %s -c %s -o %s",
                                     compilers[i], plus ? "" : "-Woverlength-strings",
                                     plus ? "c++" : "c", path, scratch_path("use.o")),
                         0);
    }
    text_free(&header);
    net_free(net);
}

static void test_warnings(void **state)
{
    (void)state;
    need("cortex-m0");
    check_warnings(pose_like_net(2, 4));
    check_warnings(random_digits_net(56));
}

/* ---- activations ---- */

/* One input; rows that stay within 16 bits, leave them, and are steep. */
static struct net *activation_net(enum activation activation)
{
    static const int16_t weights[4] = {1, -2, 3, -127};
    static const int32_t bias[4] = {0, 0, 1, 2};
    static const uint8_t shift[4] = {0, 0, 1, 2};
    static const int16_t sums[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    static const int32_t nothing[4] = {0};
    static const uint8_t none[4] = {0};
    struct channel channels[4];
    struct net *net = net_new("activation");
    struct error err = {0};
    for (int i = 0; i < 4; i++) {
        channels[i] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}, .high = {1, 0}};
    }
    int in = net_add_tensor(net, TYPE_I16, 1);
    int hidden = net_add_tensor(net, TYPE_I16, 4);
    int out = net_add_tensor(net, TYPE_I16, 4);
    const struct layer first = {.op = OP_DENSE,
                                .inputs = {in},
                                .input_count = 1,
                                .output = hidden,
                                .activation = activation,
                                .weights = {8, 4, 1, weights, false},
                                .bias = bias,
                                .shift = shift};
    const struct layer second = {.op = OP_DENSE,
                                 .inputs = {hidden},
                                 .input_count = 1,
                                 .output = out,
                                 .weights = {8, 4, 4, sums, false},
                                 .bias = nothing,
                                 .shift = none};
    assert_true(net_add_layer(net, &first) && net_add_layer(net, &second));
    net->input = in;
    net->output = out;
    assert_true(net_set_channels(net, channels, channels));
    assert_true(net_check(net, "activation", &err));
    return net;
}

/* Every activation, with branches and without.  On all inputs where the code takes -32768 for
 * -32767, which SPEC's formulas make equal. */
static void test_activations(void **state)
{
    (void)state;
    need("cortex-m0");
    static int32_t in[CODES];
    for (int i = 0; i < CODES; i++) {
        in[i] = i - CODES / 2;
    }
    for (enum activation a = ACTIVATION_NONE; a <= ACTIVATION_PSIG; a++) {
        struct net *net = activation_net(a);
        assert_true(has_assembly(net));
        bool all = a == ACTIVATION_CUBIC || a == ACTIVATION_PSIG;
        (void)measure(net, "cortex-m0",
                      all ? (struct way){.in = in, .count = FEWER(CODES)} : (struct way){0});
        struct text header = emitted(net, true);
        (void)measure(net, "cortex-m0", (struct way){.header = header.data});
        text_free(&header);
        net_free(net);
    }
}

/* Without branches the worst vector takes as long as any. */
static void test_constant_time(void **state)
{
    (void)state;
    need("cortex-m0");
    struct net *net = pose_like_net(1, 5);
    struct text header = emitted(net, true);
    int64_t cycles = measure(net, "cortex-m0", (struct way){.header = header.data}).cycles;
    for (int i = 0; i < 3; i++) {
        int32_t in[6];
        for (int j = 0; j < 6; j++) {
            in[j] = i == 0 ? 32768 : i == 1 ? 65535 * (j % 2) : 65535 * ((j + 1) % 2);
        }
        struct way way = {.header = header.data, .in = in, .count = 1};
        assert_int_equal(measure(net, "cortex-m0", way).cycles, cycles);
    }
    text_free(&header);
    net_free(net);
}

/* On the target, with constant time. */
static struct cost measure_steady(const struct net *net, const char *name, bool speed,
                                  bool assembly)
{
    struct error err = {0};
    struct target *target = target_load(name, &err);
    assert_non_null(target);
    const struct measure_options options = {.optimise = speed ? OPTIMISE_SPEED : OPTIMISE_SIZE,
                                            .assembly = assembly,
                                            .constant_time = true,
                                            .count = 1000};
    struct cost cost;
    (void)measure_net(net, target, &options, &cost, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.vectors, 1000);
    assert_int_equal(cost.mismatches, 0);
    target_free(target);
    return cost;
}

/* Neither do the compilers put branches into the portable C. */
static void test_constant_time_of_golden_nets(void **state)
{
    (void)state;
    need("cortex-m0");
    static const char *const files[] = {"tests/golden/pose-6-16-6.mote", "tests/golden/a-int8.mote",
                                        "tests/golden/a-int16.mote",
                                        "tests/golden/int8-6-16-16-6.mote"};
    for (int i = 0; i < FEWER(4); i++) {
        struct error err = {0};
        struct net *net = net_read(files[i], &err);
        assert_non_null(net);
        for (int way = 0; way < 3; way++) {
            struct cost cost = measure_steady(net, "cortex-m0", way > 0, way > 1);
            assert_true(cost.cycles > 0);
            assert_int_equal(cost.cycles_least, cost.cycles);
        }
        net_free(net);
    }
}

/* Nor does clang, which makes branches of masks that it sees through. */
static void test_constant_time_by_clang(void **state)
{
    (void)state;
    need("cortex-m0");
    if (!have_command("clang") || !have_command("ld.lld")) {
        print_message("clang or ld.lld is missing\n");
        skip();
    }
    static const char *const files[] = {"tests/golden/pose-6-16-6.mote",
                                        "tests/golden/b-int8.mote"};
    for (int i = 0; i < FEWER(4); i++) {
        struct error err = {0};
        struct net *net = net_read(files[i % 2], &err);
        const struct emit_options options = {.name = "net",
                                             .constant_time = true,
                                             .optimise = i < 2 ? OPTIMISE_SIZE : OPTIMISE_SPEED};
        struct text header = {0};
        assert_non_null(net);
        assert_true(emit_c(net, &options, &header, NULL, &err));
        struct cost cost = measure(net, "cortex-m0",
                                   (struct way){.compiler = CLANG,
                                                .level = i < 2 ? "-Os" : "-O2",
                                                .link = CLANG_LINK,
                                                .header = header.data});
        assert_true(cost.cycles > 0);
        assert_int_equal(cost.cycles_least, cost.cycles);
        text_free(&header);
        net_free(net);
    }
}

/* Boards of the source tree, counting programs of this build, work folders in the scratch one. */
static int set_up(void **state)
{
    (void)state;
    char self[3000];
    char path[8000];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = 0;
    for (int i = 0; i < 3; i++) { /* BUILD/tests/unit/NAME */
        *strrchr(self, '/') = 0;
    }
    (void)snprintf(path, sizeof path, "%s:%s", self, getenv("PATH"));
    const char *scratch = scratch_path("x");
    char folder[600];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(scratch, '/') - scratch), scratch);
    return setenv("PATH", path, 1) || setenv("MOTE_TARGETS", "targets", 1) ||
           setenv("TMPDIR", folder, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_narrow_nets),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_wide_lanes),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_sums_at_the_edge),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_clang),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_constant_time),
        cmocka_unit_test(test_constant_time_of_golden_nets),
        cmocka_unit_test(test_constant_time_by_clang),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
