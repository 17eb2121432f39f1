/* --constant-time on the machines whose cycles are known: the least of all vectors is the most, and
 * the outputs are the interpreter's. */
#include "support/unit.h"

#include "support/boards.h"
#include "support/random_net.h"

#include <stdio.h>
#include <string.h>

#define VECTORS 40 /* corners of the inputs first */

#ifndef NETS
#define NETS FEWER(3)
#endif

/* A multiplier of 32 bits, none, one of 8 bits, none. */
static const char *const boards[] = {"cortex-m0", "rv32ec", "atmega328p", "attiny85"};

/* The same cycles for all vectors; false where the planner refuses, or the part is too small. */
static bool check_steady(const struct net *net, const char *board, enum optimise optimise)
{
    struct error err = {0};
    const struct measure_options options = {
        .optimise = optimise, .constant_time = true, .count = VECTORS};
    struct cost cost = measure(net, board, &options, &err);
    if (err.failed) {
        if (!strstr(err.message, "constant time: layer") && !strstr(err.message, "not fit")) {
            assert_string_equal(err.message, "");
        }
        return false;
    }
    assert_int_equal(cost.mismatches, 0);
    assert_true(cost.cycles > 0);
    if (cost.cycles_least != cost.cycles) {
        print_message("%s, %s, --optimise %d\n", net->name, board, (int)optimise);
    }
    assert_int_equal(cost.cycles_least, cost.cycles);
    return true;
}

/* Not on the Cortex-M0, where test_emit_thumb.c does that with assembly besides. */
static void check_golden(const char *board)
{
    static const char *const files[] = {"a-int8", "a-int16", "a-ternary", "pose-6-16-16-6"};
    need(board);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct error err = {0};
        char path[100];
        (void)snprintf(path, sizeof path, "tests/golden/%s.mote", files[i]);
        struct net *net = net_read(path, &err);
        assert_non_null(net);
        assert_true(check_steady(net, board, OPTIMISE_SIZE));
        assert_true(check_steady(net, board, OPTIMISE_SPEED));
        net_free(net);
    }
}

/* Every op, activation and type; some of which a board cannot do in constant time. */
static void check_random(const char *board)
{
    uint64_t seed = 7000;
    int steady = 0;
    need(board);
    for (int i = 0; i < NETS; i++) {
        struct net *net = i % 2 ? random_narrow_net(seed++) : small_net(&seed);
        for (int optimise = OPTIMISE_SIZE; optimise <= OPTIMISE_SPEED; optimise++) {
            steady += check_steady(net, board, (enum optimise)optimise);
        }
        net_free(net);
    }
    print_message("%s: %d\n", board, steady);
    assert_true(steady > NETS / 2);
}

/* What is refused, and why: weights of 9 bits, too large for shifts, where products are loops. */
static void test_refusal(void **state)
{
    (void)state;
    need("attiny85");
    struct error err = {0};
    struct net *net = net_read("tests/golden/a-int16.mote", &err);
    assert_non_null(net);
    const struct measure_options options = {.constant_time = true};
    net->layers[1].weights.bits = 9;
    (void)measure(net, "attiny85", &options, &err);
    assert_non_null(strstr(err.message, "constant time: layer 1 needs a multiplication"));
    net_free(net);
}

#define CHECK(name, check, board)                                                                  \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        check(boards[board]);                                                                      \
    }
CHECK(test_golden_nets_without, check_golden, 1)
CHECK(test_golden_nets_of_8_bits, check_golden, 2)
CHECK(test_golden_nets_of_8_bits_without, check_golden, 3)
CHECK(test_random_nets_with_multiplier, check_random, 0)
CHECK(test_random_nets_without, check_random, 1)
CHECK(test_random_nets_of_8_bits, check_random, 2)
CHECK(test_random_nets_of_8_bits_without, check_random, 3)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_nets_without),
        cmocka_unit_test(test_golden_nets_of_8_bits),
        cmocka_unit_test(test_golden_nets_of_8_bits_without),
        cmocka_unit_test(test_random_nets_with_multiplier),
        cmocka_unit_test(test_random_nets_without),
        cmocka_unit_test(test_random_nets_of_8_bits),
        cmocka_unit_test(test_random_nets_of_8_bits_without),
        cmocka_unit_test(test_refusal),
    };
    return cmocka_run_group_tests(tests, boards_set_up, NULL);
}
