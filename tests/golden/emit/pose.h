/* pose.h: a neural network in integers.  Written by mote 0.1.0 from 'pose'; it is yours.
 *
 *   in    uint16_t[6]    leg0 leg1 leg2 leg3 leg4 leg5   raw   213 .. 65011
 *   out   int16_t[6]     x y z      1 = 0.002 mm    -20 .. 20 mm
 *                        rx ry rz   1 = 0.001 deg   -15 .. 15 deg
 *   use   int16_t out[6]; pose_predict(in, out);
 *
 *   net   6-16-6, cubic, linear skip; 228 weights of 8 bits, shifts only
 *   score 0.107 % of range (RMS) on 20 000 rows unseen in training, this code
 *   cost  Cortex-M0 -Os: 300 B code, 400 B constants, 0 B RAM, 96 B stack, 3 911 cycles
 *   bound |acc| <= 40 560 508 < 2^31 for every input (layer 2, row 0)
 */
#ifndef POSE_H
#define POSE_H

#include <stdint.h>

/* Tables stay in flash: an AVR reads them by an instruction of its own. */
#if !defined(__AVR_HAVE_LPMX__)
#define POSE_FLASH
#define POSE_I8(table, i) ((table)[i])
#define POSE_U8(table, i) ((table)[i])
#define POSE_I32(table, i) ((table)[i])
#else
#define POSE_FLASH __attribute__((progmem))
static inline uint8_t pose_lpm1(const void *p)
{
    const void *at = p;
    uint8_t v;
    __asm__("lpm %0, Z" : "=&r"(v), "+z"(at));
    return v;
}
#define POSE_I8(table, i) ((int8_t)pose_lpm1(&(table)[i]))
#define POSE_U8(table, i) ((uint8_t)pose_lpm1(&(table)[i]))
static inline uint32_t pose_lpm4(const void *p)
{
    const void *at = p;
    uint32_t v;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z+\n\tlpm %C0, Z+\n\tlpm %D0, Z+" : "=&r"(v), "+z"(at));
    return v;
}
#define POSE_I32(table, i) ((int32_t)pose_lpm4(&(table)[i]))
#endif

/* floor(acc / 2^k); 2^30, a multiple of 2^k, keeps the sum from being negative. */
static int32_t pose_floor(int32_t acc, uint8_t k)
{
    const int32_t sum = acc + 1073741824;
    const uint32_t part = (uint32_t)sum >> k;
    const uint32_t base = 1073741824U >> k;
    return (int32_t)part - (int32_t)base;
}

/* One row of a layer: weights times activations on top of the bias, which holds the half that
 * rounds the shift behind it.  The shift follows the weights. */
static int32_t pose_row(const int16_t *a, const int8_t *w, int n, int32_t bias)
{
    int32_t acc = bias;
    for (int j = n - 1; j >= 0; j--) {
        acc += (int32_t)POSE_I8(w, j) * a[j];
    }
    return pose_floor(acc, (uint8_t)POSE_I8(w, n));
}

/* (3z - z^3) / 2 in Q15: a smooth sigmoid of two multiplies. */
static int16_t pose_cubic(int32_t z)
{
    const int32_t v = (z > 32767) ? 32767 : ((z < -32767) ? -32767 : z);
    const int32_t square = v * v;
    const uint32_t m = (98304U - ((uint32_t)square >> 15)) >> 1;
    const int32_t s = v + 32768; /* not negative: v m = s m - 32768 m */
    const uint32_t p = ((uint32_t)s * m) >> 15;
    return (int16_t)((int32_t)p - (int32_t)m);
}

/* The nearest value that the type holds. */
static int16_t pose_saturate(int32_t z)
{
    const int32_t v = (z > 32767) ? 32767 : ((z < -32768) ? -32768 : z);
    return (int16_t)v;
}

static inline void pose_predict(const uint16_t in[6], int16_t out[6])
{
    static const int8_t w1[16][6 + 1] POSE_FLASH = {
        {-39, 10, -121, -41, -47, -76, 8},
        {119, -64, 4, -105, 40, -34, 8},
        {25, 2, -49, 104, -127, 29, 8},
        {-116, 90, -46, -29, -32, -80, 7},
        {-53, 106, -69, -92, 23, -122, 8},
        {-38, -116, -16, 90, 37, 18, 8},
        {-104, -28, -127, -66, 118, 52, 8},
        {-68, 76, -83, -92, 113, -5, 8},
        {38, -43, -88, 105, -107, -88, 7},
        {125, 27, -68, 23, -92, 54, 8},
        {118, -4, -53, -110, 58, -24, 7},
        {33, 31, -34, -31, 28, 61, 8},
        {22, 22, -12, -38, 77, -47, 8},
        {-63, 75, -6, 60, -126, -117, 7},
        {83, 37, 82, 103, -43, 65, 8},
        {4, -26, -53, -9, -112, 98, 8}
    };
    static const int32_t b1[16] POSE_FLASH = {
        34517, -103499, -81567, -83787, 47324, 67989, -173018, -72314, -113240, 108025, 124445,
        174895, 137564, -83048, -107015, 143036
    };
    static const int8_t w2[6][16 + 1] POSE_FLASH = {
        {-105, 59, -87, 98, -121, -123, 56, 32, -127, -86, 98, -17, 99, 70, 13, 43, 8},
        {-100, -40, -65, 42, -111, -72, -74, 74, 104, -101, -29, 93, -96, 69, -32, -67, 7},
        {-49, -108, -75, 61, 105, 53, 82, -98, -63, -94, -51, 11, 31, 79, 71, 2, 7},
        {3, 83, 34, -87, -101, 7, -54, -37, -76, 10, 31, -87, -45, 11, -10, -107, 8},
        {-38, -51, 63, -96, -96, 123, 75, 17, -75, -104, 19, -8, 120, 76, 51, -33, 7},
        {96, -84, -127, -5, -81, 122, 19, -74, -2, 91, -116, 127, -3, -83, 55, -65, 8}
    };
    static const int32_t b2[6] POSE_FLASH = {
        -124796, 117648, 76856, -154466, 30839, 199009
    };
    static const int8_t w3[6][6 + 1] POSE_FLASH = {
        {-99, -75, -50, 59, -123, 21, 7},
        {-110, -108, 75, -103, 107, 64, 8},
        {44, 115, -16, 90, -14, 115, 8},
        {14, 79, 10, -83, 121, -30, 8},
        {25, 116, -68, 29, 10, 101, 8},
        {-81, -105, 22, -121, -73, 91, 7}
    };
    static const uint8_t b3[6] POSE_FLASH = {
        64, 128, 128, 128, 128, 64
    };
    int16_t x[6];
    int16_t a[16];

    for (int i = 0; i < 6; i++) {
        x[i] = (int16_t)((int32_t)in[i] - 32768);
    }
    /* layer 1: 6 -> 16, cubic; |acc| <= 16 393 178 (row 6) */
    for (int i = 0; i < 16; i++) {
        a[i] = pose_cubic(pose_row(x, w1[i], 6, POSE_I32(b1, i)));
    }
    /* layer 2: 16 -> 6, linear; |acc| <= 40 560 508 (row 0) */
    /* layer 3: 6 -> 6, linear; |acc| <= 18 579 584 (row 1) */
    for (int i = 0; i < 6; i++) {
        const int32_t z = pose_row(a, w2[i], 16, POSE_I32(b2, i)) +
                          pose_row(x, w3[i], 6, POSE_U8(b3, i));
        out[i] = pose_saturate(z);
    }
}

/* 0 if this compiler and machine give what the reference interpreter gave. */
static inline int pose_selftest(void)
{
    static const uint16_t in[3][6] = {
        {0, 0, 0, 0, 0, 0},
        {65535, 65535, 65535, 65535, 65535, 65535},
        {0, 65535, 0, 65535, 0, 65535}
    };
    static const int16_t want[3][6] = {
        {32767, -3742, -20519, -32768, -32768, 30748},
        {-32768, 3894, 22112, 32767, 32767, -28251},
        {27393, -6584, 32767, -32768, -4962, 14022}
    };
    int16_t out[6];
    int wrong = 0;

    for (int v = 0; v < 3; v++) {
        pose_predict(in[v], out);
        for (int i = 0; i < 6; i++) {
            if (out[i] != want[v][i]) {
                wrong = 1;
            }
        }
    }
    return wrong;
}

#endif
