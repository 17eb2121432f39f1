/* Variants: NAME_predict() once more for one kind of machine, in assembly or intrinsics, behind an
 * #if of the emitted file.  Every other machine compiles the portable body behind the #else, and
 * both give the same bits. */
#ifndef MOTE_EMIT_VARIANT_H
#define MOTE_EMIT_VARIANT_H

#include "emit/plan.h"

struct variant {
    enum variant_kind kind;
    const char *name;  /* "thumb", as in a target's key `variants` */
    const char *guard; /* the expression behind #if */
    /* May this net be computed so?  A proof from the plan's ranges and bounds, never a guess. */
    bool (*fits)(const struct plan *plan);
    /* The helpers and all of NAME_predict(), `storage` ("static inline " or "") in front of it. */
    void (*print)(struct text *out, const struct plan *plan, const char *storage);
};

extern const struct variant variant_vnni;
extern const struct variant variant_avx2;
extern const struct variant variant_sse2;
extern const struct variant variant_neon;

/* In the order in which the emitted file asks for them. */
extern const struct variant *const variants[VARIANT_COUNT];

extern const struct variant thumb_variant; /* thumb.c */
extern const struct variant riscv_variant; /* map_lanes_riscv.c */

#endif
