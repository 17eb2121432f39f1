#include "emit/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *grouped(int64_t value, char text[GROUPED_MAX])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value);
    char *to = text;
    if (value < 0) {
        *to++ = '-';
    }
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *to++ = ' ';
        }
        *to++ = digits[i];
    }
    *to = 0;
    return text;
}

const char *literal(int64_t value, char text[GROUPED_MAX])
{
    if (value == INT32_MIN) {
        memcpy(text, "(-2147483647 - 1)", sizeof "(-2147483647 - 1)");
    } else {
        (void)snprintf(text, GROUPED_MAX, "%" PRId64, value);
    }
    return text;
}

const char *c_type(enum type type)
{
    static const char *const names[] = {"int8_t",   "uint8_t", "int16_t",
                                        "uint16_t", "int32_t", "uint8_t"};
    return names[type];
}

int32_t number_at(struct numbers numbers, size_t index)
{
    if (numbers.i32) {
        return numbers.i32[index];
    }
    return numbers.i16 ? numbers.i16[index] : numbers.u8[index];
}

int64_t floor_shift(int64_t value, int shift)
{
    return value < 0 ? -1 - ((-1 - value) >> shift) : value >> shift;
}
