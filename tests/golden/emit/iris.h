/* iris.h: a neural network in integers.  Written by mote 0.1.0 from 'flowers'; it is yours.
 *
 *   in    int8_t[4]      [0]   1 = 0.1 cm, 0 = 5 cm     4.3 .. 7.9 cm
 *                        [1]   1 = 0.1 cm, 0 = 5.1 cm   4.3 .. 7.9 cm
 *                        [2]   1 = 0.1 cm, 0 = 5.2 cm   4.3 .. 7.9 cm
 *                        [3]   1 = 0.1 cm, 0 = 5.3 cm   4.3 .. 7.9 cm
 *   out   int16_t[3]     setosa versicolor virginica   raw
 *   class 0 setosa, 1 versicolor, 2 virginica
 *   use   int16_t out[3]; iris_predict(in, out);
 *         int best = iris_classify(in);
 *
 *   net   4-8-3, relu; 56 weights of 4 bits, shifts only
 *   bound |acc| <= 7 269 < 2^31 for every input (layer 2, row 1)
 */
#ifndef IRIS_H
#define IRIS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void iris_predict(const int8_t in[4], int16_t out[3]);

/* The index of the largest output, the first of equals. */
int iris_classify(const int8_t in[4]);

#ifdef __cplusplus
}
#endif

#endif
