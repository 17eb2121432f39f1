/* The kernels of image networks for any machine. */
#define LANES_HEADER "train/lanes_scalar.h"
#define VEC_HEADER   "vision/vec_whole.h"
#include "vision/kernel_conv.h"
#include "vision/kernel_map.h"

const struct vision_kernels vision_scalar = VISION_NAMED("scalar", NULL);
