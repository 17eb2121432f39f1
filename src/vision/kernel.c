#include "vision/kernel.h"

#include "train/kernel.h"

#include <string.h>

static const struct vision_kernels *with_bytes(const struct vision_kernels *kernels)
{
#ifdef __x86_64__
    if (kernels == &vision_avx512 && __builtin_cpu_supports("avx512vnni")) {
        return &vision_vnni;
    }
#endif
    return kernels;
}

/* The names are those of training's other kernels, which know what the machine has. */
const struct vision_kernels *vision_kernels_pick(const char *isa, struct error *err)
{
    static const struct vision_kernels *const all[] = {
#ifdef __x86_64__
        &vision_avx512,
        &vision_avx2,
#endif
        &vision_scalar,
    };
    const struct kernels *known = kernels_pick(isa, err);
    for (size_t i = 0; known && i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(known->name, all[i]->name) == 0) {
            return with_bytes(all[i]);
        }
    }
    return NULL;
}
