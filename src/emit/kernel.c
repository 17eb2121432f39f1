#include "emit/kernel.h"

#include <string.h>

static const struct kernel *const kernels[KERNEL_COUNT] = {
    [KERNEL_LOOP] = &kernel_loop,       [KERNEL_LINE] = &kernel_line,
    [KERNEL_PACKED] = &kernel_packed,   [KERNEL_BITS] = &kernel_bits,
    [KERNEL_NARROW] = &kernel_narrow,   [KERNEL_NARROW_LINE] = &kernel_narrow_line,
    [KERNEL_LOOP4] = &kernel_loop4,     [KERNEL_LOOP2] = &kernel_loop2,
    [KERNEL_TERNARY] = &kernel_ternary, [KERNEL_QUAD] = &kernel_quad,
    [KERNEL_DSP] = &kernel_dsp,         [KERNEL_SHIFTS] = &kernel_shifts,
    [KERNEL_VECTOR] = &kernel_vector,   [KERNEL_VECTOR16] = &kernel_vector16,
};

const struct kernel *kernel_at(enum kernel_kind kind)
{
    return kernels[kind];
}

const char *kernel_name(enum kernel_kind kind)
{
    static const char *const names[KERNEL_COUNT] = {
#define KERNEL(NAME, name) name,
#include "emit/kernels.def"
#undef KERNEL
    };
    return names[kind];
}

bool kernel_parse(const char *name, enum kernel_kind *kind)
{
    for (int i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(kernel_name((enum kernel_kind)i), name) == 0) {
            *kind = (enum kernel_kind)i;
            return true;
        }
    }
    return false;
}
