/* The training kernels for AVX-512. */
#include "train/kernel.h"

#ifdef __x86_64__
#define LANES_HEADER "train/lanes_avx512.h"
#include "train/lanes.h"

#include "train/kernel_dense.h"
#include "train/kernel_point.h"

const struct kernels kernels_avx512 = KERNELS_NAMED("avx512");
#else
typedef int kernel_avx512_is_for_x86; /* ISO C wants a declaration */
#endif
