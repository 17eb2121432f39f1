#include "train/kernel.h"

#include <string.h>

static bool machine_has(const struct kernels *kernels)
{
#ifdef __x86_64__
    if (kernels == &kernels_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    }
    if (kernels == &kernels_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return kernels == &kernels_scalar;
}

const struct kernels *kernels_pick(const char *isa, struct error *err)
{
    static const struct kernels *const all[] = {
#ifdef __x86_64__
        &kernels_avx512,
        &kernels_avx2,
#endif
        &kernels_scalar,
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if ((!isa || strcmp(isa, all[i]->name) == 0) && machine_has(all[i])) {
            return all[i];
        }
    }
    fail(err, "this machine has no training kernels called '%s'", isa);
    return NULL;
}
