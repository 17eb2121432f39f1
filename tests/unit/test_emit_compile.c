/* Emitted C before every compiler: no warning, no library call, no trace of hostile names. */
#include "support/unit.h"

#include "support/emitted.h"
#include "support/folder.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETS = 16 };

#define BOTH                                                                                       \
    "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wswitch-enum -Wvla "        \
    "-Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wdouble-promotion -Werror"
#define C99 "-std=c99 -Wstrict-prototypes -Wmissing-prototypes " BOTH
#define CXX "-std=c++17 -x c++ " BOTH

static struct net *sample_net(int index)
{
    switch (index) {
    case 0: return pose_like_net(2, 1);
    case 1: return class_like_net();
    case 2: return copying_net(true);
    case 3: return copying_net(false);
    case 5:
    case 7:
    case 8: return random_narrow_net(3000 + (uint64_t)index);
    default: return random_net(3000 + (uint64_t)index);
    }
}

/* n0.h, n1.h ... in both kernels by turns, and all.c, which includes them and calls nothing but
 * the odd ones: unused functions are no warning either.  `separate`: n0.c ... and their headers. */
static void emit_samples(bool separate)
{
    struct text all = {0};
    for (int i = 0; i < NETS; i++) {
        char name[16];
        int32_t codes[200] = {0};
        struct vectors vectors = {.count = 1, .in = codes, .out = codes};
        struct net *net = sample_net(i);
        (void)snprintf(name, sizeof name, "n%d", i);
        struct emit_options options = {.name = name,
                                       .optimise = i % 2 ? OPTIMISE_SPEED : OPTIMISE_SIZE,
                                       .separate = separate,
                                       .selftest = i % 3 ? &vectors : NULL};
        emit_scratch(net, &options);
        text_printf(&all, "#include \"n%d.h\"\n", i);
        net_free(net);
    }
    text_add(&all, "extern int call(void);\nint call(void)\n{\n    return 0");
    for (int i = 1; i < NETS; i += 2) {
        if (i % 3 != 0) {
            text_printf(&all, " + n%d_selftest()", i);
        }
    }
    text_add(&all, ";\n}\n");
    scratch_write(scratch_path("all.c"), all.data, all.length);
    text_free(&all);
}

static const char *const compilers[] = {
    "gcc -O2 " C99,
    "clang -O2 " C99,
    "clang -Weverything -std=c99 -Werror",
    "gcc -O1 -fanalyzer -std=c99 -Werror",
    "g++ -O2 " CXX,
    "clang++ -O2 " CXX,
    "arm-none-eabi-gcc -Os -mcpu=cortex-m0 -mthumb -ffreestanding " C99,
    "riscv64-unknown-elf-gcc -Os -march=rv32imc -mabi=ilp32 -ffreestanding " C99,
    "avr-gcc -Os -mmcu=atmega328p -ffreestanding " C99,
    "avr-gcc -Os -mmcu=attiny85 -ffreestanding " C99,
    "avr-gcc -Os -mmcu=attiny10 -ffreestanding " C99,
};

static void test_no_warnings(void **state)
{
    (void)state;
    emit_samples(false);
    for (size_t i = 0; i < sizeof compilers / sizeof compilers[0]; i++) {
        if (!have_command(compilers[i])) {
            print_message("skipped: no %s\n", compilers[i]);
            continue;
        }
        assert_int_equal(run_command("%s -c -o %s %s", compilers[i], scratch_path("all.o"),
                                     scratch_path("all.c")),
                         0);
    }
}

/* Sources of their own, compiled as C; their headers from C++, linked. */
static void test_separate(void **state)
{
    (void)state;
    emit_samples(true);
    const char *folder = scratch_path("");
    assert_int_equal(
        run_command("cd %s && for i in n*.c; do cc " C99 " -c $i || exit 1; done", folder), 0);
    assert_int_equal(run_command("cd %s && for i in n*.h; do echo '#include \"'$i'\"' >one.c && "
                                 "cc " C99 " -c one.c || exit 1; done",
                                 folder),
                     0);
    if (!have_command("g++")) {
        skip();
    }
    assert_int_equal(run_command("cd %s && echo 'int main() { return call() < 0; }' >main.cc && "
                                 "cat all.c main.cc >both.cc && g++ -std=c++17 both.cc n*.o "
                                 "-o both",
                                 folder),
                     0);
}

/* No undefined symbol on targets without a library: no 64-bit, division, memcpy, memset. */
static void test_no_library(void **state)
{
    static const char *const targets[] = {
        "arm-none-eabi-gcc -mcpu=cortex-m0 -mthumb",
        "riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -ffreestanding",
        "clang --target=thumbv6m-none-eabi",
    };
    static const char *const levels[] = {"-Os", "-O2", "-O3"};
    (void)state;
    emit_samples(true);
    for (size_t i = 0; i < 9; i++) {
        const char *target = targets[i / 3];
        if (!have_command(target) || !have_command("arm-none-eabi-nm")) {
            print_message("skipped: no %s\n", target);
            continue;
        }
        const char *nm = i / 3 == 1 ? "riscv64-unknown-elf-nm" : "arm-none-eabi-nm";
        assert_int_equal(run_command("cd %s && for i in n*.c; do %s %s -std=c99 "
                                     "-c $i && test -z \"$(%s -u ${i%%.c}.o)\" || exit 1; done",
                                     scratch_path(""), target, levels[i % 3], nm),
                         0);
    }
}

/* Static analysis without a finding. */
static void test_cppcheck(void **state)
{
    (void)state;
    if (!have_command("cppcheck")) {
        skip();
    }
    emit_samples(true);
    assert_int_equal(run_command("cd %s && cppcheck -q --std=c99 --error-exitcode=1 "
                                 "--enable=warning,style,performance,portability n*.c",
                                 scratch_path("")),
                     0);
}

static struct text emitted_text(const struct net *net, const char *name, enum optimise optimise)
{
    struct text header = {0};
    struct text source = {0};
    struct error err = {0};
    struct emit_options options = {.name = name, .optimise = optimise};
    assert_true(emit_c(net, &options, &header, &source, &err));
    assert_null(source.data);
    return header;
}

/* Plain words instead of every name, unit and class. */
static void rename_plainly(struct net *net)
{
    struct channel *ends[] = {(struct channel *)(uintptr_t)net->inputs,
                              (struct channel *)(uintptr_t)net->outputs};
    int counts[] = {net->tensors[net->input].width, net->tensors[net->output].width};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < counts[k]; i++) {
            ends[k][i].name = "plain";
            ends[k][i].unit = "mm";
        }
    }
    const char **classes = (const char **)(uintptr_t)net->classes;
    for (int i = 0; classes && i < counts[1]; i++) {
        classes[i] = "kind";
    }
    net->name = "plain";
    net->label = "label";
}

static void assert_harmless(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->data[i];
        assert_true(c == '\n' || (c >= ' ' && c <= '~'));
    }
    assert_null(strstr(text->data, "?\?"));
    assert_null(strstr(text->data, "\\\n"));
}

/* Both files without comments, as tokens; they must be the same. */
static void test_hostile_names(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct net *net = random_net(seed);
        enum optimise optimise = seed % 2 ? OPTIMISE_SPEED : OPTIMISE_SIZE;
        struct text hostile = emitted_text(net, "same", optimise);
        rename_plainly(net);
        struct text plain = emitted_text(net, "same", optimise);
        assert_harmless(&hostile);
        scratch_write(scratch_path("hostile.h"), hostile.data, hostile.length);
        scratch_write(scratch_path("plain.h"), plain.data, plain.length);
        assert_int_equal(
            run_command("cd %s && for i in hostile plain; do gcc -fpreprocessed -dD -E -P $i.h "
                        ">$i.tokens || exit 1; done; test -s plain.tokens && cmp *.tokens",
                        scratch_path("")),
            0);
        text_free(&hostile);
        text_free(&plain);
        net_free(net);
    }
}

/* The same net and options give the same bytes; a prefix from the user is taken as it is or
 * refused. */
static void test_names_and_bytes(void **state)
{
    (void)state;
    struct net *net = pose_like_net(2, 3);
    struct text first = emitted_text(net, NULL, OPTIMISE_SPEED);
    struct text second = emitted_text(net, "pose", OPTIMISE_SPEED);
    assert_string_equal(first.data, second.data);
    text_free(&first);
    text_free(&second);
    static const char *const bad[] = {
        "int", "a b", "1x", "_x", "x;y", "\xC3\xA9", "abcdefghijklmnopqrstuvwxy"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = {0};
        struct emit_options options = {.name = bad[i]};
        assert_false(emit_c(net, &options, &first, &second, &err));
        assert_non_null(strstr(err.message, "cannot begin C names"));
    }
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_warnings),   cmocka_unit_test(test_separate),
        cmocka_unit_test(test_no_library),    cmocka_unit_test(test_cppcheck),
        cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_names_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
