/* The training kernels for any machine. */
#include "train/kernel.h"

#define LANES_HEADER "train/lanes_scalar.h"
#include "train/lanes.h"

#include "train/kernel_dense.h"
#include "train/kernel_point.h"

const struct kernels kernels_scalar = KERNELS_NAMED("scalar");
