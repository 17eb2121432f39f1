#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>

bool decimal_valid(int64_t digits, int64_t exponent)
{
    return digits >= -DECIMAL_DIGITS_MAX && digits <= DECIMAL_DIGITS_MAX &&
           exponent >= -DECIMAL_EXPONENT_MAX && exponent <= DECIMAL_EXPONENT_MAX;
}

static struct decimal strip_zeros(struct decimal decimal)
{
    while (decimal.digits != 0 && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

/* The library's correctly rounded %e does the arithmetic; the text is taken apart again. */
struct decimal decimal_round(double value, int significant)
{
    if (!(value >= -1e30 && value <= 1e30)) {
        return (struct decimal){value < 0 ? -1 : value > 0 ? 1 : 0, DECIMAL_EXPONENT_MAX};
    }
    char text[48];
    (void)snprintf(text, sizeof text, "%.*e", significant - 1, value);
    int64_t digits = 0;
    int fraction = 0;
    const char *at = text;
    bool negative = *at == '-';
    for (at += negative; *at != 'e'; at++) {
        if (*at != '.') {
            digits = digits * 10 + (*at - '0');
            fraction++;
        }
    }
    int exponent = (int)strtol(at + 1, NULL, 10) - (fraction - 1);
    if (digits == 0) {
        return (struct decimal){0, 0};
    }
    int beyond = -DECIMAL_EXPONENT_MAX - exponent; /* digits below the smallest power */
    if (beyond >= significant) {
        bool up = value >= 5e-31 || value <= -5e-31;
        return (struct decimal){!up ? 0 : negative ? -1 : 1, up ? -DECIMAL_EXPONENT_MAX : 0};
    }
    if (beyond > 0) {
        return decimal_round(value, significant - beyond);
    }
    return strip_zeros((struct decimal){negative ? -digits : digits, exponent});
}

static double power_of_ten(int exponent)
{
    double power = 1;
    for (int i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

double decimal_value(struct decimal decimal)
{
    double digits = (double)decimal.digits;
    return decimal.exponent < 0 ? digits / power_of_ten(-decimal.exponent)
                                : digits * power_of_ten(decimal.exponent);
}

/* digits with `places` decimals: the point goes into the printed integer. */
static void print_plain(int64_t digits, int places, char text[DECIMAL_TEXT_MAX])
{
    char plain[40];
    int length = snprintf(plain, sizeof plain, "%0*lld", places + 1,
                          (long long)(digits < 0 ? -digits : digits));
    (void)snprintf(text, DECIMAL_TEXT_MAX, "%s%.*s%s%s", digits < 0 ? "-" : "", length - places,
                   plain, places > 0 ? "." : "", plain + length - places);
}

void decimal_print(struct decimal decimal, char text[DECIMAL_TEXT_MAX])
{
    decimal = strip_zeros(decimal);
    int length = snprintf(NULL, 0, "%lld", llabs((long long)decimal.digits));
    int top = decimal.digits == 0 ? 0 : length - 1 + decimal.exponent;
    if (top < -6 || top > 8) {
        char mantissa[DECIMAL_TEXT_MAX];
        print_plain(decimal.digits, length - 1, mantissa);
        (void)snprintf(text, DECIMAL_TEXT_MAX, "%.40se%d", mantissa, top);
        return;
    }
    while (decimal.exponent > 0) {
        decimal.digits *= 10;
        decimal.exponent--;
    }
    print_plain(decimal.digits, decimal.digits == 0 ? 0 : -decimal.exponent, text);
}
