/* Whole measurements: random nets on every board against the interpreter, wrong outputs noticed,
 * broken code told, nothing left behind. */
#include "support/unit.h"

#include "measure/measure.h"
#include "run/run.h"
#include "support/folder.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACS_MAX   3000 /* nets of a quick test */
#define NETS       4
#define WIDTH      3
#define HEAD       "#include <stdint.h>\n"
#define PREDICT    "static void net_predict(const uint16_t *in, int16_t *out)\n"
#define IDENTITIES "for (int i = 0; i < 3; i++) { out[i] = (int16_t)(in[i] - 32768); }\n"

/* Missing tools skip the test, before it has made anything: they are no fault of mote. */
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

/* The next random net from *seed on that is small enough. */
static struct net *small_net(uint64_t *seed)
{
    for (;;) {
        struct net *net = random_net((*seed)++);
        if (net_macs(net) <= MACS_MAX && net->tensors[net->input].width <= 200 &&
            net->tensors[net->output].width <= 200) {
            return net;
        }
        net_free(net);
    }
}

/* u16 in, i16 out: y = x - 32768 on each of three channels; its header is easy to write by hand. */
static struct net *identity_net(void)
{
    static const uint8_t shift[WIDTH];
    static const int32_t zero[WIDTH] = {32768, 32768, 32768};
    struct channel channels[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        channels[i] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}, .high = {1, 0}};
    }
    struct net *net = net_new("identity");
    int in = net_add_tensor(net, TYPE_U16, WIDTH);
    int out = net_add_tensor(net, TYPE_I16, WIDTH);
    const struct layer layer = {.op = OP_CONVERT,
                                .inputs = {in},
                                .input_count = 1,
                                .output = out,
                                .shift = shift,
                                .zero = zero};
    struct error err = {0};
    assert_true(net_add_layer(net, &layer));
    net->input = in;
    net->output = out;
    assert_true(net_set_channels(net, channels, channels));
    assert_true(net_check(net, "identity", &err));
    return net;
}

static struct cost measure(const struct net *net, const char *target_name,
                           const struct measure_options *options, struct error *err)
{
    struct target *target = target_load(target_name, err);
    struct cost cost;
    bool done = measure_net(net, target, options, &cost, err);
    assert_int_equal(done, !err->failed);
    cost.target = NULL;
    target_free(target);
    return cost;
}

/* ---- right outputs ---- */

static void check_nets(const char *target, enum optimise optimise, uint64_t seed)
{
    for (int i = 0; i < NETS; i++) {
        struct net *net = small_net(&seed);
        struct error err = {0};
        const struct measure_options options = {.optimise = optimise};
        struct cost cost = measure(net, target, &options, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(cost.vectors, 1000);
        assert_int_equal(cost.mismatches, 0);
        assert_true(cost.flash_code > 0 && cost.flash_const >= 0);
        assert_int_equal(cost.ram, 0);
        net_free(net);
    }
}

static void test_random_nets_m0_size(void **state)
{
    (void)state;
    need("cortex-m0");
    check_nets("cortex-m0", OPTIMISE_SIZE, 1);
}

static void test_random_nets_m0_speed(void **state)
{
    (void)state;
    need("cortex-m0");
    check_nets("cortex-m0", OPTIMISE_SPEED, 100);
}

static void test_random_nets_m0plus(void **state)
{
    (void)state;
    need("cortex-m0plus");
    check_nets("cortex-m0plus", OPTIMISE_SIZE, 200);
}

static void test_random_nets_rv32ec(void **state)
{
    (void)state;
    need("rv32ec");
    check_nets("rv32ec", OPTIMISE_SIZE, 500);
}

static void test_random_nets_rv32emc(void **state)
{
    (void)state;
    need("rv32emc");
    check_nets("rv32emc", OPTIMISE_SPEED, 600);
}

static void test_random_nets_rv32imc(void **state)
{
    (void)state;
    need("rv32imc");
    check_nets("rv32imc", OPTIMISE_SIZE, 700);
}

static void test_random_nets_host(void **state)
{
    (void)state;
    need("host");
    check_nets("host", OPTIMISE_SIZE, 300);
    check_nets("host", OPTIMISE_SPEED, 400);
}

/* Vectors of the caller's, among them one alone. */
static void test_own_vectors(void **state)
{
    (void)state;
    need("cortex-m0");
    static const int32_t in[2 * WIDTH] = {0, 32768, 65535, 1, 2, 3};
    struct net *net = identity_net();
    for (int count = 1; count <= 2; count++) {
        struct error err = {0};
        const struct measure_options options = {.in = in, .count = count};
        struct cost cost = measure(net, "cortex-m0", &options, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(cost.vectors, count);
        assert_int_equal(cost.mismatches, 0);
    }
    net_free(net);
}

/* ---- costs ---- */

/* A function whose costs are known: assembly, hand-counted. */
static void test_known_costs(void **state)
{
    (void)state;
    need("cortex-m0");
    static const char header[] =
        HEAD "static uint8_t net_state[12];\n"
             "static volatile uint32_t net_started = 7;\n"
             "static const int16_t net_table[4] = {-32768, 1, 2, 3};\n"
             "__attribute__((naked)) void net_known(const uint16_t *in, int16_t *out,\n"
             "                                      const int16_t *table);\n"
             "__attribute__((naked)) void net_known(const uint16_t *in, int16_t *out,\n"
             "                                      const int16_t *table)\n"
             "{ __asm volatile(\".syntax unified\\n push {r4, lr}\\n\"  /* 3 */\n"
             "  \" ldrh r3, [r2]\\n\"                                    /* 2 */\n"
             "  \" movs r4, #4\\n\"                                      /* 1 */\n"
             "  \"1: ldrh r2, [r0, r4]\\n adds r2, r2, r3\\n strh r2, [r1, r4]\\n\" /* 3 x 5 */\n"
             "  \" subs r4, #2\\n bpl 1b\\n\"                            /* 3 x 1, 3 + 3 + 1 */\n"
             "  \" pop {r4, pc}\\n\"); }\n" /* 6 */
        PREDICT "{ ((volatile uint8_t *)net_state)[0] = (uint8_t)net_started;\n"
             "  net_known(in, out, net_table); }\n";
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.header = header, .count = 20};
    struct cost cost = measure(net, "cortex-m0", &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.mismatches, 0);
    assert_int_equal(cost.ram, 12 + 4);
    assert_int_equal(cost.flash_const, 8 + 4); /* the table and the first value of net_started */
    /* known: 37; around it push 3, ldr x 3 6, ldr 2, strb 2, bl 4, pop 6 or a tail call: 9..25 */
    assert_in_range(cost.cycles, 37 + 9, 37 + 25);
    assert_in_range(cost.stack, 8, 16);
    net_free(net);
}

/* A division pulls in the compiler's library: its code counts. */
static void test_library_code_counts(void **state)
{
    (void)state;
    need("cortex-m0");
    static const char plain[] = HEAD PREDICT "{ " IDENTITIES " }\n";
    static const char divides[] =
        HEAD PREDICT "{ " IDENTITIES "volatile int32_t d = in[1];\n"
                     "out[0] = (int16_t)(out[0] * (int32_t)in[1] / d); }\n";
    static const int32_t in[2 * WIDTH] = {32768, 7, 0, 32769, 9, 1};
    struct net *net = identity_net();
    struct measure_options options = {.header = plain, .in = in, .count = 2};
    struct error err = {0};
    struct cost without = measure(net, "cortex-m0", &options, &err);
    options.header = divides;
    struct cost with = measure(net, "cortex-m0", &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(without.mismatches + with.mismatches, 0);
    assert_true(without.flash_code < 60 && with.flash_code > without.flash_code + 300);
    net_free(net);
}

/* Without a multiplier a product is a call of the compiler's library, whose code and cycles count;
 * with one it is three cycles. */
static void test_products_on_riscv(void **state)
{
    (void)state;
    need("rv32ec");
    need("rv32emc");
    static const char header[] =
        HEAD PREDICT "{ " IDENTITIES "volatile int32_t a = in[1]; volatile int32_t b = in[2];\n"
                     "out[0] = (int16_t)(in[0] - 32768 + a * b); }\n";
    static const int32_t in[2 * WIDTH] = {32768, 0, 65535, 32768, 65535, 0};
    struct net *net = identity_net();
    const struct measure_options options = {.header = header, .in = in, .count = 2};
    struct error err = {0};
    struct cost with = measure(net, "rv32emc", &options, &err);
    struct cost without = measure(net, "rv32ec", &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(without.mismatches + with.mismatches, 0);
    assert_in_range(without.flash_code, with.flash_code + 20, with.flash_code + 80);
    assert_in_range(without.cycles, with.cycles + 16 * 4, with.cycles + 16 * 14);
    struct cost plain = measure(net, "rv32imc", &options, &err);
    assert_int_equal(plain.cycles, COST_UNKNOWN);
    assert_true(plain.instructions > 0 && plain.instructions <= with.instructions);
    net_free(net);
}

static void test_host_costs(void **state)
{
    (void)state;
    need("host");
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.count = 100};
    struct cost cost = measure(net, "host", &options, &err);
    assert_string_equal(err.message, "");
    assert_true(cost.nanoseconds > 0 && cost.nanoseconds < 1e6);
    assert_int_equal(cost.cycles, COST_UNKNOWN);
    assert_true(cost.stack >= 0 && cost.stack < 1000);
    net_free(net);
}

/* ---- wrong outputs and broken code ---- */

/* The identity wrong on every vector whose first reading is above a bound. */
static void check_mismatch(const char *target)
{
    static const char header[] = HEAD PREDICT "{ " IDENTITIES "if (in[0] > 40000) out[2] ^= 1; }\n";
    static const int32_t in[4 * WIDTH] = {40000, 0, 0, 40001, 0, 0, 65535, 1, 2, 0, 0, 0};
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.in = in, .count = 4, .header = header};
    struct cost cost = measure(net, target, &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.mismatches, 2);
    net_free(net);
}

static void test_wrong_outputs_are_mismatches(void **state)
{
    (void)state;
    need("cortex-m0");
    need("host");
    check_mismatch("cortex-m0");
    check_mismatch("host");
}

static void check_broken(const char *target, const char *header, const char *part)
{
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.header = header, .count = 10};
    (void)measure(net, target, &options, &err);
    assert_true(err.failed);
    if (!strstr(err.message, part)) {
        assert_string_equal(err.message, part); /* shows both */
    }
    assert_memory_equal(err.message, target, strlen(target));
    net_free(net);
}

static void test_broken_code_is_an_error(void **state)
{
    (void)state;
    need("cortex-m0");
    need("host");
    check_broken("cortex-m0", HEAD "int net_broken = ;\n", "does not compile: net.h:2:");
    check_broken("cortex-m0", HEAD "void nowhere(void);\n" PREDICT "{ nowhere(); (void)in; }\n",
                 "does not link");
    check_broken("cortex-m0", HEAD PREDICT "{ *(volatile int *)0x60000000 = in[0]; (void)out; }\n",
                 "the test image fails: fault at 0x");
    check_broken("cortex-m0", HEAD PREDICT "{ *(volatile int *)8 = 1; " IDENTITIES " }\n",
                 "write of 4 bytes outside of RAM");
    check_broken("cortex-m0",
                 HEAD "static volatile uint8_t net_big[20000];\n" PREDICT
                      "{ net_big[in[0]] = 1; (void)out; }\n",
                 "overflow");
    check_broken("host", HEAD PREDICT "{ *(volatile int *)8 = in[0]; (void)out; }\n",
                 "ends with status");
    check_broken("host", HEAD "void exit(int);\n" PREDICT "{ exit(0); (void)in; (void)out; }\n",
                 "the test image left 0 bytes");
}

/* Function and sizes, and the compiler's bound of the stack. */
static void test_larger_cortex_m(void **state)
{
    (void)state;
    static const char *const targets[] = {"cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        need(targets[i]);
        uint64_t seed = 800 + i;
        struct net *net = small_net(&seed);
        struct error err = {0};
        const struct measure_options options = {.optimise = i % 2 ? OPTIMISE_SPEED : OPTIMISE_SIZE};
        struct cost cost = measure(net, targets[i], &options, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(cost.vectors, 1000);
        assert_int_equal(cost.mismatches, 0);
        assert_true(cost.flash_code > 0 && cost.stack > 0);
        assert_int_equal(cost.instructions, COST_UNKNOWN);
        assert_int_equal(cost.cycles, COST_UNKNOWN);
        net_free(net);
        check_mismatch(targets[i]);
        check_broken(targets[i], HEAD PREDICT "{ __asm(\"udf #0\"); (void)in; (void)out; }\n",
                     "the test image fails: fault at 0x");
    }
}

/* Code that reads a number byte by byte is right on one kind of machine only. */
static void check_byte_order(const char *target, int mismatches)
{
    static const char header[] =
        HEAD PREDICT "{ const uint8_t *b = (const uint8_t *)in; for (int i = 0; i < 3; i++)\n"
                     "{ out[i] = (int16_t)((b[2 * i] | b[2 * i + 1] << 8) - 32768); } }\n";
    static const int32_t in[2 * WIDTH] = {0, 0x101, 0xffff, 1, 2, 3};
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.in = in, .count = 2, .header = header};
    struct cost cost = measure(net, target, &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.mismatches, mismatches);
    net_free(net);
}

/* Big-endian machines give the same outputs. */
static void check_big_endian(const char *target, uint64_t seed)
{
    need("cortex-m0");
    need(target);
    check_nets(target, OPTIMISE_SIZE, seed);
    check_nets(target, OPTIMISE_SPEED, seed + 100);
    check_mismatch(target);
    check_byte_order("cortex-m0", 0);
    check_byte_order(target, 1);
    check_broken(target, HEAD PREDICT "{ *(volatile int *)8 = in[0]; (void)out; }\n",
                 "the test image fails: ");
}

static void test_big_endian_arm(void **state)
{
    (void)state;
    check_big_endian("armeb", 900);
}

static void test_big_endian_s390x(void **state)
{
    (void)state;
    check_big_endian("s390x", 1100);
}

static void test_big_endian_ppc64(void **state)
{
    (void)state;
    check_big_endian("ppc64", 1300);
}

/* What the emulator lets pass, the counting program refuses. */
static void test_broken_code_on_riscv(void **state)
{
    (void)state;
    need("rv32ec");
    need("rv32emc");
    check_mismatch("rv32ec");
    check_broken("rv32ec", HEAD PREDICT "{ *(volatile int *)0x40 = in[0]; (void)out; }\n",
                 "the test image fails: fault at 0x800");
    check_broken("rv32ec", HEAD PREDICT "{ __asm(\".word 0x02b50533\"); " IDENTITIES " }\n",
                 "the test image fails: fault at 0x800");
    check_broken("rv32ec", HEAD PREDICT "{ __asm(\".word 0x00150813\"); " IDENTITIES " }\n",
                 "no instruction of RV32EC that measured code may use");
    check_broken("rv32emc", HEAD PREDICT "{ __asm(\".word 0x02b54033\"); " IDENTITIES " }\n",
                 "no instruction of RV32EC with Zmmul that measured code may use");
    check_broken("rv32ec",
                 HEAD "static volatile uint8_t net_big[20000];\n" PREDICT
                      "{ net_big[in[0]] = 1; (void)out; }\n",
                 "overflow");
}

/* ---- a new board ---- */

/* A board is a text file: a Cortex-M3 without a counting program. */
static void test_a_board_is_a_file(void **state)
{
    (void)state;
    need("cortex-m0");
    char here[1000];
    char text[4000];
    assert_non_null(getcwd(here, sizeof here));
    int length = snprintf(text, sizeof text,
                          "title = Cortex-M3\n"
                          "description = Arm Cortex-M3 on QEMU's mps2-an385\n"
                          "compiler = arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -ffreestanding "
                          "-ffunction-sections -fdata-sections -I%s/targets\n"
                          "optimise-size = -Os\n"
                          "support = %s/targets/cortex-m.c\n"
                          "link = -nostdlib -T %s/targets/cortex-m.ld -Wl,--gc-sections -lgcc\n"
                          "execute = qemu-system-arm -M mps2-an385 -nographic -monitor none "
                          "-serial none -semihosting-config enable=on,target=native "
                          "-kernel {image}\n",
                          here, here, here);
    const char *path = scratch_path("cortex-m3.target");
    scratch_write(path, text, (size_t)length);
    assert_int_equal(setenv("MOTE_TARGETS", getenv("TMPDIR"), 1), 0);
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {0};
    struct cost cost = measure(net, "cortex-m3", &options, &err);
    assert_int_equal(setenv("MOTE_TARGETS", "targets", 1), 0);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.mismatches, 0);
    assert_int_equal(cost.vectors, 1000);
    assert_in_range(cost.flash_code, 10, 60);
    assert_int_equal(cost.cycles, COST_UNKNOWN);
    assert_int_equal(cost.stack, COST_UNKNOWN);
    net_free(net);
}

/* ---- what is needed and what is left ---- */

static void test_missing_tools_are_named(void **state)
{
    (void)state;
    struct net *net = identity_net();
    struct error err = {0};
    struct cost cost;
    const struct measure_options options = {0};
    struct target *target = target_load("cortex-m0", &err);
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", "/no/such/folder", 1), 0);
    assert_false(measure_net(net, target, &options, &cost, &err));
    assert_string_equal(err.message, "cortex-m0 needs arm-none-eabi-gcc: apt-get install "
                                     "gcc-arm-none-eabi qemu-system-arm");
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    target_free(target);
    net_free(net);
}

/* All work folders of this program were below the scratch folder. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(scratch_count(), 0);
}

static void test_unusable_scratch_folder(void **state)
{
    (void)state;
    need("host");
    struct net *net = identity_net();
    struct error err = {0};
    char *folder = strdup(getenv("TMPDIR"));
    const struct measure_options options = {0};
    assert_int_equal(setenv("TMPDIR", "/no/such/folder", 1), 0);
    (void)measure(net, "host", &options, &err);
    assert_string_equal(err.message, "/no/such/folder: No such file or directory");
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    free(folder);
    net_free(net);
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
        cmocka_unit_test(test_random_nets_m0_size),
        cmocka_unit_test(test_random_nets_m0_speed),
        cmocka_unit_test(test_random_nets_m0plus),
        cmocka_unit_test(test_random_nets_rv32ec),
        cmocka_unit_test(test_random_nets_rv32emc),
        cmocka_unit_test(test_random_nets_rv32imc),
        cmocka_unit_test(test_random_nets_host),
        cmocka_unit_test(test_own_vectors),
        cmocka_unit_test(test_known_costs),
        cmocka_unit_test(test_library_code_counts),
        cmocka_unit_test(test_products_on_riscv),
        cmocka_unit_test(test_host_costs),
        cmocka_unit_test(test_wrong_outputs_are_mismatches),
        cmocka_unit_test(test_broken_code_is_an_error),
        cmocka_unit_test(test_broken_code_on_riscv),
        cmocka_unit_test(test_larger_cortex_m),
        cmocka_unit_test(test_big_endian_arm),
        cmocka_unit_test(test_big_endian_s390x),
        cmocka_unit_test(test_big_endian_ppc64),
        cmocka_unit_test(test_a_board_is_a_file),
        cmocka_unit_test(test_missing_tools_are_named),
        cmocka_unit_test(test_unusable_scratch_folder),
        cmocka_unit_test(test_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
