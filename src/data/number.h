/* Decimal numbers in text, exactly. */
#ifndef MOTE_DATA_NUMBER_H
#define MOTE_DATA_NUMBER_H

#include <stdbool.h>

/* The longest decimal number (sign, digits, point, exponent) at `text`, which ends in a byte that
 * is no part of a number; no hexadecimal, no nan, no inf.  *value is correctly rounded: HUGE_VAL
 * beyond the range of double.  Returns the byte behind it, or NULL when there is no number. */
const char *number_parse(const char *text, double *value);

/* Does `value` stay finite as a float32? */
bool number_fits(double value);

#endif
