/* What the planner knows of the machine that will run the emitted file: what it lacks, and what
 * each kernel was measured to cost there (targets/NAME.costs, written by `make costs`).
 *
 * A cost is a sum over features of a layer: so many rows, so many weights ...  A kernel that a
 * machine has no costs for is not taken there. */
#ifndef MOTE_EMIT_MACHINE_H
#define MOTE_EMIT_MACHINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What a kernel's cost is a sum over; what each counts is the kernel's own. */
enum feature {
    FEATURE_LAYER,  /* once per span */
    FEATURE_ROW,    /* rows, or pairs of them */
    FEATURE_LOAD,   /* activations loaded: columns times rows that share one */
    FEATURE_WEIGHT, /* weights */
    FEATURE_ONE,    /* weights that need no multiplication: +1, -1 */
    FEATURE_POWER,  /* weights that a shift replaces */
    FEATURE_CLAMP,  /* rows that may leave their type */
    FEATURE_BYTE,   /* bytes of tables */
    FEATURE_COUNT
};

enum kernel_kind {
#define KERNEL(NAME, name) KERNEL_##NAME,
#include "emit/kernels.def"
#undef KERNEL
    KERNEL_COUNT
};

/* Hundredths of a byte and of a cycle that one of a feature costs. */
struct rate {
    int bytes;
    int cycles;
};

struct machine {
    char title[40];         /* "a Cortex-M0" */
    char unit[16];          /* what is counted as time: "cycles" */
    int word;               /* bits of the widest fast number and of int: 16 or 32 */
    bool no_multiplier;     /* is the product of two variables a call? */
    bool lanes;             /* are both halves of a packed word clamped at once, by masks? */
    bool wide;              /* are activations read faster from 32-bit elements than from bytes? */
    bool inlines;           /* does a helper cost nothing at a call?  Then few need no loop. */
    bool has[KERNEL_COUNT]; /* kernels with costs */
    struct rate rates[KERNEL_COUNT][FEATURE_COUNT];
};

/* A Cortex-M0 without wait states: what is taken where no target is named. */
const struct machine *machine_default(void);

/* From the text of a .costs file; `file` names it in messages. */
bool machine_parse(const char *data, size_t size, const char *file, struct machine *machine,
                   struct error *err);

/* Name of a kernel and of a feature in .costs files and options; NULL past the last. */
const char *kernel_name(enum kernel_kind kind);
bool kernel_parse(const char *name, enum kernel_kind *kind);
const char *feature_name(enum feature feature);

#endif
