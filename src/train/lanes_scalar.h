/* Sixteen virtual lanes as loops: any machine, the same bits; meaning of every operation:
 * lanes.h. */
#ifndef MOTE_TRAIN_LANES_SCALAR_H
#define MOTE_TRAIN_LANES_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    float v[16];
} lanes;
typedef struct {
    int32_t v[16];
} ints;

#define LANES_TILE_ROWS   1
#define LANES_TILE_GROUPS 1
#define LANES_OUTER       1

#define LANES_EACH(type, expression)                                                               \
    {                                                                                              \
        type result;                                                                               \
        for (int l = 0; l < 16; l++) {                                                             \
            result.v[l] = (expression);                                                            \
        }                                                                                          \
        return result;                                                                             \
    }
#define LANES_BINARY(name, expression)                                                             \
    LANES_OPERATION lanes name(lanes a, lanes b) LANES_EACH(lanes, expression)
#define INTS_BINARY(name, expression)                                                              \
    LANES_OPERATION ints name(ints a, ints b) LANES_EACH(ints, expression)

LANES_BINARY(lanes_add, a.v[l] + b.v[l])
LANES_BINARY(lanes_sub, a.v[l] - b.v[l])
LANES_BINARY(lanes_mul, a.v[l] * b.v[l])
LANES_BINARY(lanes_div, a.v[l] / b.v[l])
LANES_BINARY(lanes_min, a.v[l] < b.v[l] ? a.v[l] : b.v[l])
LANES_BINARY(lanes_max, a.v[l] > b.v[l] ? a.v[l] : b.v[l])

LANES_OPERATION lanes lanes_set(float x) LANES_EACH(lanes, x) LANES_OPERATION lanes
    lanes_sqrt(lanes a) LANES_EACH(lanes, sqrtf(a.v[l])) LANES_OPERATION lanes
    lanes_fma(lanes a, lanes b, lanes c)
        LANES_EACH(lanes, fmaf(a.v[l], b.v[l], c.v[l])) LANES_OPERATION lanes
    lanes_greater(lanes a, lanes b, lanes x, lanes y)
        LANES_EACH(lanes, a.v[l] > b.v[l] ? x.v[l] : y.v[l]) LANES_OPERATION lanes
    lanes_equal(lanes a, lanes b, lanes x, lanes y)
        LANES_EACH(lanes, a.v[l] == b.v[l] ? x.v[l] : y.v[l])

    /* Sums and products wrap as in the vector instructions. */
    INTS_BINARY(ints_add, (int32_t)((uint32_t)a.v[l] + (uint32_t)b.v[l]))
        INTS_BINARY(ints_sub, (int32_t)((uint32_t)a.v[l] - (uint32_t)b.v[l]))
            INTS_BINARY(ints_mul, (int32_t)((uint32_t)a.v[l] * (uint32_t)b.v[l]))
                INTS_BINARY(ints_min, a.v[l] < b.v[l] ? a.v[l] : b.v[l])
                    INTS_BINARY(ints_max, a.v[l] > b.v[l] ? a.v[l] : b.v[l])
                        INTS_BINARY(ints_and, (int32_t)((uint32_t)a.v[l] & (uint32_t)b.v[l]))
                            INTS_BINARY(ints_or, (int32_t)((uint32_t)a.v[l] | (uint32_t)b.v[l]))
                                INTS_BINARY(ints_pairs,
                                            (int32_t)((uint32_t)((int16_t)a.v[l] *
                                                                 (int16_t)b.v[l]) +
                                                      (uint32_t)((a.v[l] >> 16) * (b.v[l] >> 16))))

                                    LANES_OPERATION ints
    ints_set(int32_t x) LANES_EACH(ints, x) LANES_OPERATION ints ints_left(ints a, int n)
        LANES_EACH(ints, (int32_t)((uint32_t)a.v[l] << n)) LANES_OPERATION ints
    ints_right(ints a, int n) LANES_EACH(ints, a.v[l] >> n) LANES_OPERATION lanes
    lanes_from_ints(ints a) LANES_EACH(lanes, (float)a.v[l])

        LANES_OPERATION ints ints_from_lanes(lanes a) LANES_EACH(ints, (int32_t)rintf(a.v[l]))

            LANES_OPERATION lanes lanes_load(const float *p)
{
    lanes result;
    memcpy(result.v, p, sizeof(result.v));
    return result;
}

LANES_OPERATION void lanes_store(float *p, lanes a)
{
    memcpy(p, a.v, sizeof(a.v));
}

LANES_OPERATION ints ints_load(const int32_t *p)
{
    ints result;
    memcpy(result.v, p, sizeof(result.v));
    return result;
}

LANES_OPERATION void ints_store(int32_t *p, ints a)
{
    memcpy(p, a.v, sizeof(a.v));
}

LANES_OPERATION ints lanes_as_ints(lanes a)
{
    ints result;
    memcpy(result.v, a.v, sizeof(result.v));
    return result;
}

LANES_OPERATION lanes ints_as_lanes(ints a)
{
    lanes result;
    memcpy(result.v, a.v, sizeof(result.v));
    return result;
}

LANES_OPERATION void ints_store_short(int16_t *p, ints a)
{
    for (int l = 0; l < 16; l++) {
        p[l] = (int16_t)a.v[l];
    }
}

LANES_OPERATION float lanes_total(const float *p)
{
    float sums[8];
    for (int l = 0; l < 8; l++) {
        sums[l] = p[l] + p[l + 8];
    }
    for (int half = 4; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            sums[l] += sums[l + half];
        }
    }
    return sums[0];
}

LANES_OPERATION lanes lanes_sums(const float *p) LANES_EACH(lanes, lanes_total(p + 16 * l))

#endif
