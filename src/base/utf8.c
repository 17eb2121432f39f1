#include "base/utf8.h"

#include <stdint.h>

/* Bytes of the sequence that `lead` starts; 0 where no sequence may start with it. */
static size_t sequence_size(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The code point of a sequence of `size` bytes; UINT32_MAX if a continuation byte is wrong. */
static uint32_t decode(const unsigned char *at, size_t size)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = at[0] & lead_bits[size];
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return UINT32_MAX;
        }
        point = point << 6 | (at[i] & 0x3f);
    }
    return point;
}

/* Shortest form (of `size` bytes), a scalar value, not a control character. */
static bool point_clean(uint32_t point, size_t size)
{
    static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000};
    return point >= least[size] && point <= 0x10ffff && point != 0x7f &&
           !(point >= 0xd800 && point <= 0xdfff);
}

size_t utf8_step(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t step = sequence_size(*at);
    return step > 0 && step <= size && point_clean(decode(at, step), step) ? step : 0;
}

bool utf8_clean(const char *text, size_t size)
{
    while (size > 0) {
        size_t step = utf8_step(text, size);
        if (step == 0) {
            return false;
        }
        text += step;
        size -= step;
    }
    return true;
}
