/* iris.c: see iris.h.  Written by mote; it is yours. */
#include "iris.h"

/* Zero below zero, saturated above. */
static int32_t iris_relu(int32_t z)
{
    const int32_t v = (z > 255) ? 255 : ((z < 0) ? 0 : z);
    return v;
}

static void iris_relu_all(int32_t *a, int n)
{
    for (int i = 0; i < n; i++) {
        a[i] = iris_relu(a[i]);
    }
}

void iris_predict(const int8_t in[4], int16_t out[3])
{
    int32_t a[8];
    int32_t s0;
    int32_t s1;
    int32_t s2;
    int32_t s3;
    int32_t v;
    uint32_t u;

    /* layer 1: 4 -> 8, relu; |acc| <= 2 210 (row 3) */
    s0 = 8180; s1 = 4162; s2 = 4010; s3 = 4062;
    v = in[0]; s0 -= v * 2; s1 += v * 4; s2 += v * 7; s3 += v * 7;
    v = in[1]; s0 -= v * 6; s1 += v; s2 += v; s3 -= v;
    v = in[2]; s0 += v * 3; s1 -= v; s2 += v * 2; s3 += v * 5;
    v = in[3]; s0 += v * 3; s1 += v * 4; s2 -= v * 5; s3 -= v * 4;
    u = (uint32_t)s0 >> 3; a[0] = (int32_t)u - 1024;
    u = (uint32_t)s1 >> 2; a[1] = (int32_t)u - 1024;
    u = (uint32_t)s2 >> 2; a[2] = (int32_t)u - 1024;
    u = (uint32_t)s3 >> 2; a[3] = (int32_t)u - 1024;
    s0 = 4030; s1 = 4122; s2 = 8267; s3 = 8103;
    v = in[0]; s0 += v * 3; s1 += v * 2; s2 += v * 4; s3 += v;
    v = in[1]; s0 -= v * 2; s1 -= v * 7; s2 -= v * 6; s3 -= v * 4;
    v = in[2]; s0 -= v * 3; s1 -= v * 3; s2 -= v * 4; s3 += v;
    v = in[3]; s0 += v * 5; s1 -= v; s2 += v; s3 += v * 3;
    u = (uint32_t)s0 >> 2; a[4] = (int32_t)u - 1024;
    u = (uint32_t)s1 >> 2; a[5] = (int32_t)u - 1024;
    u = (uint32_t)s2 >> 3; a[6] = (int32_t)u - 1024;
    u = (uint32_t)s3 >> 3; a[7] = (int32_t)u - 1024;
    iris_relu_all(a, 8);
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
