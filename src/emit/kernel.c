#include "emit/kernel.h"

#include <string.h>

static const struct kernel *const kernels[KERNEL_COUNT] = {
    [KERNEL_LOOP] = &kernel_loop,
    [KERNEL_LINE] = &kernel_line,
    [KERNEL_PACKED] = &kernel_packed,
    [KERNEL_VECTOR] = &kernel_vector,
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
