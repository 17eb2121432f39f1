/* The user's text on its way into emitted files. */
#include "emit/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_identifiers(void **state)
{
    static const struct {
        const char *text;
        const char *identifier;
    } cases[] = {
        {"pose", "pose"},
        {"My net (v2)", "My_net_v2"},
        {"3d", "net_3d"},
        {"", "net"},
        {"\xC3\xA4\xC3\xB6", "net"},
        {"int", "net_int"},
        {"class", "net_class"},
        {"stdint", "net_stdint"},
        {"__x__y__", "x_y"},
        {"*/ int evil(void){return 1;} /*", "net"},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwx"},
        {"abcdefghijklmnopqrstuvw-xyz", "abcdefghijklmnopqrstuvw"},
        {"012345678901234567890123456789", "net_01234567890123456789"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32];
        emit_identifier(cases[i].text, out);
        assert_string_equal(out, cases[i].identifier);
        assert_true(strlen(out) <= 24);
        char again[32];
        emit_identifier(out, again);
        assert_string_equal(again, out);
    }
}

static void expect_safe(const char *text, int most, const char *expected)
{
    struct text out = {0};
    text_add(&out, "");
    print_safe(&out, text, most);
    assert_false(out.failed);
    assert_string_equal(out.data, expected);
    text_free(&out);
}

static void test_safe_text(void **state)
{
    (void)state;
    expect_safe("speed [m/s^2]", 40, "speed [m/s^2]");
    expect_safe("*/ evil /*", 40, "_");
    expect_safe("a?\?/b\\", 40, "_");
    expect_safe("\xC2\xB5m \xC2\xB0\x43", 40, "um degC");
    expect_safe("\xE2\x80\xAEtxt", 40, "_txt");
    expect_safe("tab\tnewline\nbell\a", 40, "tab_newline_bell_");
    expect_safe("123456", 3, "123..");
    expect_safe("123", 3, "123");
}

/* No byte that the list lets through can form a comment's end, a splice or a trigraph. */
static void test_every_byte(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++) {
        for (int second = 1; second < 256; second++) {
            char text[3] = {(char)first, (char)second, 0};
            struct text out = {0};
            print_safe(&out, text, 40);
            assert_true(out.length > 0 && !out.failed);
            for (size_t i = 0; i < out.length; i++) {
                assert_true(out.data[i] >= ' ' && out.data[i] <= '~');
                assert_null(strchr("*?\\\"", out.data[i]));
            }
            text_free(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_safe_text),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
