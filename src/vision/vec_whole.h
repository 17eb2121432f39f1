/* All sixteen lanes at once, for AVX-512 and for plain C; see vec_avx2.h. */
#ifndef MOTE_VISION_VEC_H
#define MOTE_VISION_VEC_H

#include "train/lanes.h"

typedef lanes vec;

#define VEC_WIDTH 16
#if defined(__AVX512F__) && !defined(LANES_SANITIZED)
#define VEC_ROWS      4
#define VEC_POSITIONS 6
#define VEC_SINGLE    8
#else
#define VEC_ROWS      1
#define VEC_POSITIONS 1
#define VEC_SINGLE    1
#endif

#define vec_load(p)      lanes_load(p)
#define vec_store(p, a)  lanes_store(p, a)
#define vec_set(x)       lanes_set(x)
#define vec_add(a, b)    lanes_add(a, b)
#define vec_fma(a, b, c) lanes_fma(a, b, c)

#endif
