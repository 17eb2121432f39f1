/* The .mote file: what is written is read back, byte for byte. */
#include "support/unit.h"

#include "base/hash.h"
#include "base/text.h"
#include "net/net.h"
#include "support/folder.h"
#include "support/random_net.h"

#include <string.h>

static struct text print(const struct net *net)
{
    struct text out = {0};
    assert_true(net_print(net, &out));
    return out;
}

static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct net *net = random_net(seed);
        struct text first = print(net);
        struct error err = {0};
        struct net *again = net_parse(first.data, first.length, "again.mote", &err);
        assert_string_equal(err.message, "");
        assert_non_null(again);
        struct text second = print(again);
        assert_int_equal(first.length, second.length);
        assert_memory_equal(first.data, second.data, first.length);
        text_free(&first);
        text_free(&second);
        net_free(net);
        net_free(again);
    }
}

/* The same nets, and the same bytes of them, from every compiler and on every machine.  The number
 * changes with the generator and with the format only. */
static void test_same_bytes(void **state)
{
    uint64_t hash = HASH_START;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct net *net = random_net(seed);
        struct text out = print(net);
        hash = hash_bytes(hash, out.data, out.length);
        text_free(&out);
        net_free(net);
    }
    assert_int_equal(hash, UINT64_C(0x82d21150ee74c0ea));
}

static void test_file(void **state)
{
    const char *path = scratch_path("a.mote");
    struct error err = {0};
    struct net *net = random_net(5);
    (void)state;
    assert_true(net_write(net, path, &err));
    struct net *again = net_read(path, &err);
    assert_non_null(again);
    assert_int_equal(again->layer_count, net->layer_count);
    for (int i = 0; i < again->layer_count; i++) { /* layers remember where they stood */
        assert_string_equal(again->layers[i].origin.file, path);
        assert_true(again->layers[i].origin.line > (i > 0 ? again->layers[i - 1].origin.line : 8));
    }
    assert_int_equal(again->layers[0].origin.line, 9);
    net_free(again);
    assert_null(net_read(scratch_path("absent.mote"), &err));
    assert_true(err.failed);
    assert_non_null(strstr(err.message, "absent.mote: No such file"));
    net_free(net);
}

static void test_unwritable(void **state)
{
    struct error err = {0};
    struct net *net = random_net(5);
    (void)state;
    assert_false(net_write(net, "/dev/full", &err));
    assert_string_equal(err.message, "/dev/full: No space left on device");
    net_free(net);
}

/* No line that `show` prints may hold a control character, whatever the names are. */
static void test_show(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct net *net = random_net(seed);
        struct text out = {0};
        assert_true(net_show(net, &out));
        for (size_t i = 0; i < out.length; i++) {
            unsigned char byte = (unsigned char)out.data[i];
            assert_true(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
        }
        assert_null(strstr(out.data, " \n"));
        text_free(&out);
        net_free(net);
    }
}

/* Every true prefix of a file is refused. */
static void test_cut(void **state)
{
    struct net *net = random_net(11);
    struct text whole = print(net);
    (void)state;
    for (size_t size = 0; size + 2 < whole.length; size++) {
        struct error err = {0};
        assert_null(net_parse(whole.data, size, "cut.mote", &err));
        assert_true(err.failed);
        assert_memory_equal(err.message, "cut.mote:", 9);
    }
    text_free(&whole);
    net_free(net);
}

/* A file with one byte changed is refused with a message, or is a net that prints. */
static void test_damage(void **state)
{
    static const char bytes[] = "9-\"]}.e \xff";
    struct net *net = random_net(12);
    struct text whole = print(net);
    (void)state;
    for (size_t at = 0; at < whole.length; at++) {
        char kept = whole.data[at];
        whole.data[at] = bytes[at % (sizeof bytes - 1)];
        struct error err = {0};
        struct net *read = net_parse(whole.data, whole.length, "damaged.mote", &err);
        assert_true(err.failed == !read);
        if (read) {
            struct text again = print(read);
            text_free(&again);
        }
        net_free(read);
        whole.data[at] = kept;
    }
    text_free(&whole);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_file),       cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_show),       cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
