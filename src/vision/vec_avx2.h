/* Half of the sixteen lanes: a 256-bit register, so that tiles of accumulators fit AVX2's sixteen.
 * Kernels run over the halves one after the other; lanes never meet, so no bit depends on it. */
#ifndef MOTE_VISION_VEC_H
#define MOTE_VISION_VEC_H

#include <immintrin.h>

typedef __m256 vec;

#define VEC_WIDTH     8
#define VEC_ROWS      4 /* VEC_ROWS x VEC_POSITIONS accumulators, inputs and a weight */
#define VEC_POSITIONS 3
#define VEC_SINGLE    8 /* positions of a tile of one row */

#define vec_load(p)      _mm256_loadu_ps(p)
#define vec_store(p, a)  _mm256_storeu_ps(p, a)
#define vec_set(x)       _mm256_set1_ps(x)
#define vec_add(a, b)    _mm256_add_ps(a, b)
#define vec_fma(a, b, c) _mm256_fmadd_ps(a, b, c)

#endif
