#include "data/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define DIGITS_MAX   19    /* decimal digits that always fit uint64_t */
#define EXPONENT_CAP 99999 /* larger ones give 0 or infinity all the same */
#define POWER_MAX    22    /* 10^22 is the largest power of ten that is a double */

/* What was read so far: digits * 10^exponent. */
struct decimal_text {
    uint64_t digits; /* without leading zeros; valid up to DIGITS_MAX of them */
    int count;       /* of significant digits */
    int exponent;
    bool any; /* at least one digit, zeros included */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A run of digits; `step` is what each does to the exponent: 0 before the point, -1 behind it. */
static const char *read_digits(const char *text, struct decimal_text *number, int step)
{
    for (; is_digit(*text); text++) {
        number->any = true;
        if (number->count >= DIGITS_MAX) { /* too many: strtod will do; keep counting */
            number->count += number->count < EXPONENT_CAP;
            continue;
        }
        number->digits = number->digits * 10 + (uint64_t)(*text - '0');
        number->count += number->digits != 0;
        number->exponent += step;
        if (number->exponent < -EXPONENT_CAP) {
            number->count = EXPONENT_CAP;
        }
    }
    return text;
}

/* "e-12" or nothing. */
static const char *read_exponent(const char *text, struct decimal_text *number)
{
    if (*text != 'e' && *text != 'E') {
        return text;
    }
    const char *at = text + 1;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (!is_digit(*at)) {
        return text;
    }
    int exponent = 0;
    for (; is_digit(*at); at++) {
        exponent = exponent < EXPONENT_CAP ? exponent * 10 + (*at - '0') : exponent;
    }
    number->exponent += negative ? -exponent : exponent;
    return at;
}

/* Digits and power are exact doubles, so that one operation rounds correctly (Clinger 1990, "How
 * to read floating point numbers accurately", the fast path). */
static bool exact(const struct decimal_text *number, double *value)
{
    static const double powers[POWER_MAX + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    if (number->count == 0) {
        *value = 0;
        return true;
    }
    if (number->count > DIGITS_MAX || number->digits > UINT64_C(1) << 53 ||
        number->exponent < -POWER_MAX || number->exponent > POWER_MAX) {
        return false;
    }
    double digits = (double)number->digits;
    *value = number->exponent < 0 ? digits / powers[-number->exponent]
                                  : digits * powers[number->exponent];
    return true;
}

const char *number_parse(const char *text, double *value)
{
    struct decimal_text number = {0};
    bool negative = *text == '-';
    const char *at = read_digits(text + (*text == '-' || *text == '+'), &number, 0);
    if (*at == '.') {
        at = read_digits(at + 1, &number, -1);
    }
    if (!number.any) {
        return NULL;
    }
    at = read_exponent(at, &number);
    if (exact(&number, value)) {
        *value = negative ? -*value : *value;
    } else {
        /* It stops where this function did: "0x.." never comes here, its 0 is exact. */
        *value = strtod(text, NULL);
    }
    return at;
}

bool number_fits(double value)
{
    return fabs(value) < 0x1.ffffffp127; /* halfway from FLT_MAX to the next power of two */
}
