/* The kernels of image networks for AVX2. */
#include "vision/kernel.h"

#ifdef __x86_64__
#define LANES_HEADER "train/lanes_avx2.h"
#define VEC_HEADER   "vision/vec_avx2.h"
#include "vision/kernel_conv.h"
#include "vision/kernel_map.h"

const struct vision_kernels vision_avx2 = VISION_NAMED("avx2", NULL);
#else
typedef int vision_avx2_is_for_x86; /* ISO C wants a declaration */
#endif
