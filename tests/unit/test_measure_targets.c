/* Measurements on the boards beside Cortex-M0: what each can tell, what it refuses. */
#include "support/unit.h"

#include "emit/emit.h"
#include "support/boards.h"
#include "support/random_maps.h"

#include <string.h>

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

static void test_random_nets_rv64(void **state)
{
    (void)state;
    need("rv64");
    check_nets("rv64", OPTIMISE_SIZE, 750);
    check_nets("rv64", OPTIMISE_SPEED, 770);
    check_mismatch("rv64");
    check_broken("rv64", HEAD PREDICT "{ *(volatile int *)0x40 = in[0]; (void)out; }\n",
                 "the test image fails: fault at 0x800");
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

/* Function, sizes, instructions and stack; cycles depend on the part. */
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
        assert_true(cost.instructions > 0);
        assert_int_equal(cost.cycles, COST_UNKNOWN);
        net_free(net);
        check_mismatch(targets[i]);
        check_broken(targets[i], HEAD PREDICT "{ __asm(\"udf #0\"); (void)in; (void)out; }\n",
                     "the test image fails: fault at 0x");
    }
}

static void test_random_nets_avr(void **state)
{
    (void)state;
    need("atmega328p");
    need("attiny85");
    check_nets("atmega328p", OPTIMISE_SIZE, 1000);
    check_nets("attiny85", OPTIMISE_SIZE, 1100);
}

/* On AVR the counting program is the only one to run it. */
static void test_avr(void **state)
{
    (void)state;
    static const char header[] =
        HEAD "static const uint8_t net_table[10] = {1};\nstatic uint8_t net_state[7];\n" PREDICT
             "{ " IDENTITIES "((volatile uint8_t *)net_state)[6] = net_table[in[0] & 7]; }\n";
    need("atmega328p");
    need("attiny85");
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.header = header, .count = 20};
    struct cost cost = measure(net, "atmega328p", &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.vectors, 20);
    assert_int_equal(cost.mismatches, 0);
    assert_int_equal(cost.ram, 10 + 7); /* a plain table is copied to RAM */
    assert_int_equal(cost.flash_const, 10);
    assert_true(cost.cycles > cost.instructions && cost.instructions > 20);
    assert_in_range(cost.stack, 2, 20);
    net_free(net);
    check_mismatch("atmega328p");
    check_mismatch("attiny85");
    check_broken("attiny85",
                 HEAD PREDICT "{ __asm volatile(\".word 0x9d89\"); (void)in; (void)out; }\n",
                 "no instruction of attiny85");
    check_broken("atmega328p",
                 HEAD PREDICT "{ *(volatile char *)0x1000 = 1; (void)in; (void)out; }\n",
                 "write of 1 byte outside of RAM at 0x1000");
    check_broken("attiny85",
                 HEAD "static volatile uint8_t net_big[600];\n" PREDICT
                      "{ net_big[in[0]] = 1; (void)out; }\n",
                 "612 static bytes overflow the 512 of the RAM");
}

static void test_wasm(void **state)
{
    (void)state;
    need("wasm32");
    check_nets("wasm32", OPTIMISE_SIZE, 1500);
    check_nets("wasm32", OPTIMISE_SPEED, 1600);
    check_mismatch("wasm32");
    check_broken("wasm32", HEAD PREDICT "{ *(volatile int *)0x7fff0000 = in[0]; (void)out; }\n",
                 "the test image fails: error: memory access out of bounds");
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.count = 100};
    struct cost cost = measure(net, "wasm32", &options, &err);
    assert_string_equal(err.message, "");
    assert_true(cost.nanoseconds > 0 && cost.nanoseconds < 1e6);
    assert_int_equal(cost.cycles, COST_UNKNOWN);
    net_free(net);
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

/* The nets again with the target's variants. */
static void check_variants(const char *target, uint64_t seed)
{
    const struct measure_options options = {
        .optimise = OPTIMISE_SPEED, .assembly = true, .count = 100};
    for (int i = 0; i < FEWER(4); i++) {
        struct error err = {0};
        struct net *net = small_net(&seed);
        struct cost cost = measure(net, target, &options, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(cost.vectors, 100);
        assert_int_equal(cost.mismatches, 0);
        net_free(net);
    }
}

enum { SEEDS_MOST = 100 };

/* Maps with sums in lanes in assembly. */
static void check_lanes(const char *target, struct net *(*make)(uint64_t), uint64_t seed)
{
    const struct emit_options emitted = {
        .optimise = OPTIMISE_SPEED, .variants = 1U << VARIANT_RISCV, .name = "net"};
    const struct measure_options options = {
        .optimise = OPTIMISE_SPEED, .assembly = true, .count = 40};
    int left = FEWER(8);
    for (int i = 0; i < SEEDS_MOST && left > 0; i++, seed++) {
        struct error err = {0};
        struct text header = {0};
        struct net *net = make(seed);
        assert_true(emit_c(net, &emitted, &header, NULL, &err));
        if (strstr(header.data, "RV32EC assembly")) {
            struct cost cost = measure(net, target, &options, &err);
            assert_string_equal(err.message, "");
            assert_int_equal(cost.mismatches, 0);
            left--;
        }
        text_free(&header);
        net_free(net);
    }
    assert_int_equal(left, 0);
}

static void test_lanes_on_riscv(void **state)
{
    (void)state;
    need("rv32ec");
    check_lanes("rv32ec", random_digits_net, 0);
    check_lanes("rv32ec", one_sided_net, 5000);
    check_lanes("rv32ec", random_digits_net, 275); /* more words than a byte counts */
    check_lanes("rv32imc", random_digits_net, 1500);
}

static void test_aarch64(void **state)
{
    (void)state;
    need("aarch64");
    check_nets("aarch64", OPTIMISE_SPEED, 1400);
    check_variants("aarch64", 1410);
    check_mismatch("aarch64");
}

static void test_host_native(void **state)
{
    (void)state;
    check_nets("host-native", OPTIMISE_SPEED, 1500);
    check_variants("host-native", 1510);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets_rv32ec),
        cmocka_unit_test(test_random_nets_rv32emc),
        cmocka_unit_test(test_random_nets_rv32imc),
        cmocka_unit_test(test_random_nets_rv64),
        cmocka_unit_test(test_products_on_riscv),
        cmocka_unit_test(test_lanes_on_riscv),
        cmocka_unit_test(test_broken_code_on_riscv),
        cmocka_unit_test(test_larger_cortex_m),
        cmocka_unit_test(test_random_nets_avr),
        cmocka_unit_test(test_avr),
        cmocka_unit_test(test_wasm),
        cmocka_unit_test(test_big_endian_arm),
        cmocka_unit_test(test_big_endian_s390x),
        cmocka_unit_test(test_big_endian_ppc64),
        cmocka_unit_test(test_aarch64),
        cmocka_unit_test(test_host_native),
    };
    return cmocka_run_group_tests(tests, boards_set_up, NULL);
}
