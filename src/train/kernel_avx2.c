/* The training kernels for AVX2 and FMA. */
#include "train/kernel.h"

#ifdef __x86_64__
#define LANES_HEADER "train/lanes_avx2.h"
#include "train/lanes.h"

#include "train/kernel_dense.h"
#include "train/kernel_point.h"

const struct kernels kernels_avx2 = KERNELS_NAMED("avx2");
#else
typedef int kernel_avx2_is_for_x86; /* ISO C wants a declaration */
#endif
