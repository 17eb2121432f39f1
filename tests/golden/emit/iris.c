/* iris.c: see iris.h.  Written by mote; it is yours. */
#include "iris.h"

/* Tables stay in flash: an AVR reads them by an instruction of its own. */
#if !defined(__AVR_HAVE_LPMX__)
#define IRIS_FLASH
#define IRIS_U8(table, i) ((table)[i])
#define IRIS_U32(table, i) ((table)[i])
#else
#define IRIS_FLASH __attribute__((progmem))
static inline uint8_t iris_lpm1(const void *p)
{
    const void *at = p;
    uint8_t v;
    __asm__("lpm %0, Z" : "=&r"(v), "+z"(at));
    return v;
}
#define IRIS_U8(table, i) ((uint8_t)iris_lpm1(&(table)[i]))
static inline uint32_t iris_lpm4(const void *p)
{
    const void *at = p;
    uint32_t v;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z+\n\tlpm %C0, Z+\n\tlpm %D0, Z+" : "=&r"(v), "+z"(at));
    return v;
}
#define IRIS_U32(table, i) (iris_lpm4(&(table)[i]))
#endif
/* Two numbers in one word: what multiplies it multiplies both. */
#define IRIS_PAIR(low, high) ((uint32_t)(low) + ((uint32_t)(high) << 16))

/* Two rows of a layer at once, modulo 2^32: the sum of one in the low half, of the other in the
 * high half of the word.  w: their biases, then their weights. */
static uint32_t iris_pair4(const int8_t *a, const uint32_t *w)
{
    uint32_t s = IRIS_U32(w, 0);
    s += (uint32_t)a[0] * IRIS_U32(w, 1);
    s += (uint32_t)a[1] * IRIS_U32(w, 2);
    s += (uint32_t)a[2] * IRIS_U32(w, 3);
    s += (uint32_t)a[3] * IRIS_U32(w, 4);
    return s;
}

void iris_predict(const int8_t in[4], int16_t out[3])
{
    static const uint32_t p1[4][1 + 4] IRIS_FLASH = {
        {IRIS_PAIR(4404, 2274), IRIS_PAIR(-2, 4), IRIS_PAIR(-6, 1), IRIS_PAIR(3, -1),
         IRIS_PAIR(3, 4)},
        {IRIS_PAIR(2122, 2174), IRIS_PAIR(7, 7), IRIS_PAIR(1, -1), IRIS_PAIR(2, 5),
         IRIS_PAIR(-5, -4)},
        {IRIS_PAIR(2142, 2234), IRIS_PAIR(3, 2), IRIS_PAIR(-2, -7), IRIS_PAIR(-3, -3),
         IRIS_PAIR(5, -1)},
        {IRIS_PAIR(4491, 4327), IRIS_PAIR(4, 1), IRIS_PAIR(-6, -4), IRIS_PAIR(-4, 1),
         IRIS_PAIR(1, 3)},
    };
    static const uint8_t k1[8] IRIS_FLASH = {
        3, 2, 2, 2, 2, 2, 3, 3
    };
    int32_t a[8];
    int32_t s0;
    int32_t s1;
    int32_t s2;
    int32_t v;
    uint32_t u;

    /* layer 1: 4 -> 8, relu; |acc| <= 2 210 (row 3) */
    for (int i = 0; i < 4; i++) {
        const uint32_t s = iris_pair4(in, p1[i]);
        const uint32_t low = (s & 0xFFFFU) >> IRIS_U8(k1, 2 * i);
        const uint32_t high = (s >> 16) >> IRIS_U8(k1, (2 * i) + 1);
        const int32_t zl = (int32_t)low - 552;
        const int32_t zh = (int32_t)high - 552;
        a[2 * i] = (zl > 255) ? 255 : ((zl < 0) ? 0 : zl);
        a[(2 * i) + 1] = (zh > 255) ? 255 : ((zh < 0) ? 0 : zh);
    }
    /* layer 2: 8 -> 3, linear; |acc| <= 7 269 (row 1) */
    s0 = 4101; s1 = 4098; s2 = 4104;
    v = a[0]; s0 += v * 5; s1 += v * 3; s2 += v * 2;
    v = a[1]; s0 += v * 4; s1 -= v * 2; s2 += v * 7;
    v = a[2]; s0 += v * 6; s1 -= v * 5; s2 += v * 3;
    v = a[3]; s0 += v * 5; s1 += v * 6; s2 -= v * 6;
    v = a[4]; s0 += v; s1 -= v * 2; s2 -= v;
    v = a[5]; s0 -= v * 4; s1 += v * 5; s2 -= v * 4;
    v = a[6]; s0 += v; s1 -= v * 5; s2 += v * 4;
    v = a[7]; s0 += v * 3; s1 += v * 2; s2 -= v * 2;
    u = (uint32_t)s0 >> 2; out[0] = (int16_t)((int32_t)u - 1024);
    u = (uint32_t)s1 >> 2; out[1] = (int16_t)((int32_t)u - 1024);
    u = (uint32_t)s2 >> 2; out[2] = (int16_t)((int32_t)u - 1024);
}

/* The class of a reading: the index of the largest output, the first of equals. */
int iris_classify(const int8_t in[4])
{
    int16_t out[3];
    int best = 0;

    iris_predict(in, out);
    for (int i = 1; i < 3; i++) {
        best = (out[i] > out[best]) ? i : best;
    }
    return best;
}
