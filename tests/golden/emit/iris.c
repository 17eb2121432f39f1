/* iris.c: see iris.h.  Written by mote; it is yours. */
#include "iris.h"

/* `>>` floors negative values here, as nearly every compiler does; others stop at this line. */
typedef char iris_needs_arithmetic_shift[(-1 >> 1) == -1 ? 1 : -1];

/* Zero below zero, saturated above. */
static void iris_relu(int32_t *a, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t z = a[i];
        int32_t v = z > 255 ? 255 : z < 0 ? 0 : z;
        a[i] = v;
    }
}

void iris_predict(const int8_t in[4], int16_t out[3])
{
    int32_t a[8];
    int32_t s0, s1, s2, s3;
    int32_t v;

    /* layer 1: 4 -> 8, relu; |acc| <= 2 210 (row 3) */
    s0 = -12; s1 = 66; s2 = -86; s3 = -34;
    v = in[0]; s0 -= v * 2; s1 += v * 4; s2 += v * 7; s3 += v * 7;
    v = in[1]; s0 -= v * 6; s1 += v; s2 += v; s3 -= v;
    v = in[2]; s0 += v * 3; s1 -= v; s2 += v * 2; s3 += v * 5;
    v = in[3]; s0 += v * 3; s1 += v * 4; s2 -= v * 5; s3 -= v * 4;
    a[0] = s0 >> 3;
    a[1] = s1 >> 2;
    a[2] = s2 >> 2;
    a[3] = s3 >> 2;
    s0 = -66; s1 = 26; s2 = 75; s3 = -89;
    v = in[0]; s0 += v * 3; s1 += v * 2; s2 += v * 4; s3 += v;
    v = in[1]; s0 -= v * 2; s1 -= v * 7; s2 -= v * 6; s3 -= v * 4;
    v = in[2]; s0 -= v * 3; s1 -= v * 3; s2 -= v * 4; s3 += v;
    v = in[3]; s0 += v * 5; s1 -= v; s2 += v; s3 += v * 3;
    a[4] = s0 >> 2;
    a[5] = s1 >> 2;
    a[6] = s2 >> 3;
    a[7] = s3 >> 3;
    iris_relu(a, 8);
    /* layer 2: 8 -> 3, linear; |acc| <= 7 269 (row 1) */
    s0 = 5; s1 = 2; s2 = 8;
    v = a[0]; s0 += v * 5; s1 += v * 3; s2 += v * 2;
    v = a[1]; s0 += v * 4; s1 -= v * 2; s2 += v * 7;
    v = a[2]; s0 += v * 6; s1 -= v * 5; s2 += v * 3;
    v = a[3]; s0 += v * 5; s1 += v * 6; s2 -= v * 6;
    v = a[4]; s0 += v; s1 -= v * 2; s2 -= v;
    v = a[5]; s0 -= v * 4; s1 += v * 5; s2 -= v * 4;
    v = a[6]; s0 += v; s1 -= v * 5; s2 += v * 4;
    v = a[7]; s0 += v * 3; s1 += v * 2; s2 -= v * 2;
    out[0] = (int16_t)(s0 >> 2);
    out[1] = (int16_t)(s1 >> 2);
    out[2] = (int16_t)(s2 >> 2);
}

/* The class of a reading: the index of the largest output, the first of equals. */
int iris_classify(const int8_t in[4])
{
    int16_t out[3];
    int best = 0;

    iris_predict(in, out);
    for (int i = 1; i < 3; i++) {
        best = out[i] > out[best] ? i : best;
    }
    return best;
}
