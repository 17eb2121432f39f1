/* Whole measurements: random nets on boards against the interpreter, wrong outputs noticed, broken
 * code told, nothing left behind.  test_measure_targets.c has the other boards. */
#include "support/unit.h"

#include "base/hash.h"
#include "support/boards.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- right outputs ---- */

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
        uint32_t hash = HASH32_START;
        for (int i = 0; i < count * WIDTH; i++) {
            hash = hash32_number(hash, (uint32_t)(in[i] - 32768));
        }
        assert_int_equal(cost.hash, hash);
        assert_int_equal(cost.cycles_least, cost.cycles);
        assert_true(cost.cycles_1ws > cost.cycles);
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

/* Costs without the emulator are the same, and wrong outputs are seen. */
static void check_counts_only(const char *target)
{
    static const char wrong[] = HEAD PREDICT "{ " IDENTITIES "out[2] ^= 1; }\n";
    struct measure_options options = {.count = 9};
    struct error err = {0};
    need(target);
    struct net *net = identity_net();
    struct cost all = measure(net, target, &options, &err);
    options.counts_only = true;
    struct cost cost = measure(net, target, &options, &err);
    assert_string_equal(err.message, "");
    cost.nanoseconds = all.nanoseconds; /* the host's */
    assert_memory_equal(&cost, &all, sizeof cost);
    options.header = wrong;
    assert_int_equal(measure(net, target, &options, &err).mismatches, 9);
    net_free(net);
}

static void test_counts_only(void **state)
{
    (void)state;
    check_counts_only("cortex-m0");
}

static void test_counts_only_riscv(void **state)
{
    (void)state;
    check_counts_only("rv32ec");
}

static void test_counts_only_avr(void **state)
{
    (void)state;
    check_counts_only("atmega328p");
}

/* Which has no counting program. */
static void test_counts_only_host(void **state)
{
    (void)state;
    check_counts_only("host");
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

static void test_wrong_outputs_are_mismatches(void **state)
{
    (void)state;
    need("cortex-m0");
    need("host");
    check_mismatch("cortex-m0");
    check_mismatch("host");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets_m0_size),
        cmocka_unit_test(test_random_nets_m0_speed),
        cmocka_unit_test(test_random_nets_m0plus),
        cmocka_unit_test(test_random_nets_host),
        cmocka_unit_test(test_own_vectors),
        cmocka_unit_test(test_known_costs),
        cmocka_unit_test(test_counts_only),
        cmocka_unit_test(test_counts_only_riscv),
        cmocka_unit_test(test_counts_only_avr),
        cmocka_unit_test(test_counts_only_host),
        cmocka_unit_test(test_library_code_counts),
        cmocka_unit_test(test_host_costs),
        cmocka_unit_test(test_wrong_outputs_are_mismatches),
        cmocka_unit_test(test_broken_code_is_an_error),
        cmocka_unit_test(test_a_board_is_a_file),
        cmocka_unit_test(test_missing_tools_are_named),
        cmocka_unit_test(test_unusable_scratch_folder),
        cmocka_unit_test(test_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, boards_set_up, NULL);
}
