#include "support/unit.h"

#include "support/boards.h"
#include "support/folder.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACS_MAX 3000 /* nets of a quick test */
#define NETS     FEWER(4)

/* Missing tools skip the test, before it has made anything: they are no fault of mote. */
void need(const char *name)
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
struct net *small_net(uint64_t *seed)
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
struct net *identity_net(void)
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

struct cost measure(const struct net *net, const char *target_name,
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

void check_nets(const char *target, enum optimise optimise, uint64_t seed)
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
        assert_int_equal(cost.ram, strcmp(target, "wasm32") == 0 ? COST_UNKNOWN : 0);
        net_free(net);
    }
}

/* The identity wrong on every vector whose first reading is above a bound. */
void check_mismatch(const char *target)
{
    static const char header[] = HEAD PREDICT "{ " IDENTITIES "if (in[0] > 40000) out[2] ^= 1; }\n";
    static const int32_t in[4 * WIDTH] = {40000, 0, 0, 40001, 0, 0, 65535, 1, 2, 0, 0, 0};
    struct net *net = identity_net();
    struct error err = {0};
    const struct measure_options options = {.in = in, .count = 4, .header = header};
    struct cost cost = measure(net, target, &options, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(cost.mismatches, 2);
    int64_t wrong = cost.hash;
    const struct measure_options right = {.in = in, .count = 4};
    cost = measure(net, target, &right, &err);
    assert_string_equal(err.message, "");
    assert_true(cost.hash >= 0 && cost.hash != wrong);
    net_free(net);
}

void check_broken(const char *target, const char *header, const char *part)
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

/* Boards of the source tree, counting programs of this build, work folders in the scratch one. */
int boards_set_up(void **state)
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
