/* The intrinsics that exist in all widths; included once for each with BITS, the type V, and the
 * names F(op) and SI(op). */
enum { F(words) = BITS / 32, F(halves) = BITS / 16, F(bytes) = BITS / 8 };

typedef union {
    int32_t d[BITS / 32];
    int16_t h[BITS / 16];
    int8_t b[BITS / 8];
} V;

static inline V SI(loadu)(const V *p)
{
    V r;
    memcpy(&r, (const void *)p, sizeof r);
    return r;
}

static inline V SI(setzero)(void)
{
    V r = {{0}};
    return r;
}

/* One statement for each element i of type `field`. */
#define EACH(name, arguments, field, count, value)                                                 \
    static inline V F(name) arguments                                                              \
    {                                                                                              \
        V r;                                                                                       \
        for (int i = 0; i < F(count); i++) {                                                       \
            r.field[i] = value;                                                                    \
        }                                                                                          \
        return r;                                                                                  \
    }

EACH(set1_epi32, (int x), d, words, x)
EACH(set1_epi16, (short x), h, halves, x)
EACH(set1_epi8, (char x), b, bytes, (int8_t)x)
EACH(add_epi32, (V x, V y), d, words, wrap_add(x.d[i], y.d[i]))
EACH(sub_epi32, (V x, V y), d, words, wrap_add(wrap_add(x.d[i], ~y.d[i]), 1))
EACH(add_epi16, (V x, V y), h, halves, low_half(x.h[i] + y.h[i]))
EACH(sub_epi16, (V x, V y), h, halves, low_half(x.h[i] - y.h[i]))
EACH(min_epi16, (V x, V y), h, halves, (x.h[i] < y.h[i] ? x.h[i] : y.h[i]))
EACH(max_epi16, (V x, V y), h, halves, (x.h[i] > y.h[i] ? x.h[i] : y.h[i]))
EACH(abs_epi16, (V x), h, halves, low_half(x.h[i] < 0 ? -x.h[i] : x.h[i]))
EACH(mullo_epi16, (V x, V y), h, halves, low_half(x.h[i] * y.h[i]))
EACH(mulhi_epi16, (V x, V y), h, halves, (int16_t)floor_shift32(x.h[i] * y.h[i], 16))
EACH(srai_epi16, (V x, int n), h, halves, (int16_t)floor_shift32(x.h[i], n))
EACH(srli_epi16, (V x, int n), h, halves, low_half((x.h[i] & 0xffff) >> n))
EACH(slli_epi16, (V x, int n), h, halves, low_half((x.h[i] & 0xffff) << n))
EACH(srai_epi32, (V x, int n), d, words, floor_shift32(x.d[i], n))
EACH(srav_epi32, (V x, V n), d, words, floor_shift32(x.d[i], n.d[i]))
EACH(sllv_epi32, (V x, V n), d, words, (int32_t)((int64_t)x.d[i] * ((int64_t)1 << n.d[i])))
EACH(madd_epi16, (V x, V y), d, words,
     wrap_add(x.h[2 * i] * y.h[2 * i], x.h[2 * i + 1] * y.h[2 * i + 1]))
EACH(dpwssd_epi32, (V s, V x, V y), d, words, wrap_add(s.d[i], F(madd_epi16)(x, y).d[i]))
EACH(dpbusd_epi32, (V s, V x, V y), d, words,
     wrap_add(s.d[i], (x.b[4 * i] & 255) * y.b[4 * i] + (x.b[4 * i + 1] & 255) * y.b[4 * i + 1] +
                          (x.b[4 * i + 2] & 255) * y.b[4 * i + 2] +
                          (x.b[4 * i + 3] & 255) * y.b[4 * i + 3]))
/* Within each lane of 128 bits. */
EACH(shuffle_epi32, (V x, int imm), d, words, x.d[i / 4 * 4 + (imm >> i % 4 * 2 & 3)])
EACH(unpacklo_epi8, (V x, V y), b, bytes, (i % 2 ? y.b : x.b)[i / 16 * 16 + i % 16 / 2])
EACH(packs_epi32, (V x, V y), h, halves,
     (int16_t)saturate(i % 8 < 4 ? x.d[i / 8 * 4 + i % 4] : y.d[i / 8 * 4 + i % 4], INT16_MIN,
                       INT16_MAX))
EACH(packs_epi16, (V x, V y), b, bytes,
     (int8_t)saturate(i % 16 < 8 ? x.h[i / 16 * 8 + i % 8] : y.h[i / 16 * 8 + i % 8], INT8_MIN,
                      INT8_MAX))
EACH(packus_epi16, (V x, V y), b, bytes,
     (int8_t)low_byte(saturate(i % 16 < 8 ? x.h[i / 16 * 8 + i % 8] : y.h[i / 16 * 8 + i % 8], 0,
                               255)))
#undef EACH

static inline V SI (xor)(V x, V y)
{
    V r;
    for (int i = 0; i < F(words); i++) {
        r.d[i] = x.d[i] ^ y.d[i];
    }
    return r;
}

static inline V SI(or)(V x, V y)
{
    V r;
    for (int i = 0; i < F(words); i++) {
        r.d[i] = x.d[i] | y.d[i];
    }
    return r;
}
