/* Decimal numbers as two integers: digits * 10^exponent.  They carry units, steps and scores
 * through .mote files and emitted comments with the same bytes on every machine. */
#ifndef MOTE_BASE_DECIMAL_H
#define MOTE_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECIMAL_DIGITS_MAX   INT64_C(1000000000000000) /* |digits| <= 10^15: exact in a double */
#define DECIMAL_EXPONENT_MAX 30                        /* |exponent| <= 30 */
#define DECIMAL_TEXT_MAX     64

struct decimal {
    int64_t digits;
    int exponent;
};

/* The nearest decimal of `significant` (1..15) digits, trailing zeros removed; 0 for 0, and for
 * values out of range the nearest end of it. */
struct decimal decimal_round(double value, int significant);

/* Correctly rounded value (digits and powers up to 10^22 are exact doubles, larger within 1 ulp).
 */
double decimal_value(struct decimal decimal);

/* Is it inside the limits above? */
bool decimal_valid(int64_t digits, int64_t exponent);

/* Shortest plain notation: 0.0005, 12, 2e-9 below 1e-6, 3e12 from 1e9 on. */
void decimal_print(struct decimal decimal, char text[DECIMAL_TEXT_MAX]);

#endif
