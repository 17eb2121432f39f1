/* The kernels of image networks for AVX-512. */
#include "vision/kernel.h"

#ifdef __x86_64__
#define LANES_HEADER "train/lanes_avx512.h"
#define VEC_HEADER   "vision/vec_whole.h"
#include "vision/kernel_conv.h"
#include "vision/kernel_map.h"

const struct vision_kernels vision_avx512 = VISION_NAMED("avx512", NULL);
#ifdef KERNEL_BYTES
const struct vision_kernels vision_vnni = VISION_NAMED("avx512", pack_codes);
#else
const struct vision_kernels vision_vnni = VISION_NAMED("avx512", NULL);
#endif
#else
typedef int vision_avx512_is_for_x86; /* ISO C wants a declaration */
#endif
