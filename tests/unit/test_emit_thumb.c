/* The Cortex-M0's assembly equals the reference interpreter, by QEMU and by the counting program,
 * whatever compiler and level its file meets. */
#include "support/unit.h"

#include "emit/variant.h"
#include "measure/measure.h"
#include "support/emitted.h"
#include "support/random_net.h"

#include <stdlib.h>
#include <string.h>

#ifndef NETS
#define NETS 5
#endif
#define MACS_MAX 2000

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

/* Does the emitted file have the assembly? */
static bool has_assembly(const struct net *net, bool constant_time)
{
    const struct emit_options options = {.optimise = OPTIMISE_SPEED,
                                         .variants = 1U << VARIANT_THUMB,
                                         .constant_time = constant_time};
    struct text header = {0};
    struct error err = {0};
    assert_true(emit_c(net, &options, &header, NULL, &err));
    bool found = strstr(header.data, "naked") != NULL;
    text_free(&header);
    return found;
}

/* The next net from *seed on that is small and has assembly. */
static struct net *next_net(struct net *(*make)(uint64_t), uint64_t *seed)
{
    for (;;) {
        struct net *net = make((*seed)++);
        if (net_macs(net) <= MACS_MAX && has_assembly(net, false)) {
            return net;
        }
        net_free(net);
    }
}

/* Measured with a compiler and a level; NULL: the target's. */
static struct cost measure(const struct net *net, const char *name, const char *compiler,
                           const char *level)
{
    struct error err = {0};
    struct target *target = target_load(name, &err);
    assert_non_null(target);
    target->compiler = compiler ? compiler : target->compiler;
    target->optimise_speed = level ? level : target->optimise_speed;
    const struct measure_options options = {.optimise = OPTIMISE_SPEED, .assembly = true};
    struct cost cost;
    (void)measure_net(net, target, &options, &cost, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.vectors, 1000);
    assert_int_equal(cost.mismatches, 0);
    assert_int_equal(cost.ram, 0);
    target_free(target);
    return cost;
}

static void check_nets(struct net *(*make)(uint64_t), const char *target, uint64_t seed)
{
    for (int i = 0; i < NETS; i++) {
        struct net *net = next_net(make, &seed);
        print_message("seed %d\n", (int)seed - 1);
        (void)measure(net, target, NULL, NULL);
        net_free(net);
    }
}

static void test_random_nets(void **state)
{
    (void)state;
    need("cortex-m0");
    check_nets(random_net, "cortex-m0", 1);
}

static void test_narrow_nets(void **state)
{
    (void)state;
    need("cortex-m0plus");
    check_nets(random_narrow_net, "cortex-m0plus", 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_narrow_nets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
