#include "emit/variant.h"

#include <string.h>

const struct variant *const variants[VARIANT_COUNT] = {
    &thumb_variant, &variant_vnni, &variant_avx2, &variant_sse2, &variant_neon, &riscv_variant,
};

bool emit_variants_parse(const char *names, unsigned *kinds)
{
    *kinds = 0;
    for (const char *at = names; *at;) {
        size_t length = strcspn(at, " ,");
        unsigned found = 0;
        for (int i = 0; i < VARIANT_COUNT; i++) {
            const struct variant *variant = variants[i];
            if (variant && strlen(variant->name) == length &&
                memcmp(variant->name, at, length) == 0) {
                found = 1U << variant->kind;
            }
        }
        if (length > 0 && !found) {
            return false;
        }
        *kinds |= found;
        at += length + (at[length] != 0);
    }
    return true;
}
