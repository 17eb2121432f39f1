/* One instruction as the counting programs see it, of whatever instruction set. */
#ifndef MOTE_SIM_STEP_H
#define MOTE_SIM_STEP_H

#include <stdint.h>

enum {
    STEP_CONDITIONAL = 1, /* a branch: `taken` more cycles where it is taken */
    STEP_BRANCH = 2,      /* always leaves the straight line */
    STEP_STACK = 4,       /* may change the stack pointer */
    STEP_MULTIPLY = 8,
    STEP_ALIGNED = 16, /* accesses must be aligned on a core that lets others be unaligned */
};

struct step {
    uint8_t size;   /* bytes: 2 or 4; 0: not an instruction that measured code may use */
    uint8_t cycles; /* where a conditional branch is not taken */
    uint8_t taken;  /* more cycles of a taken conditional branch */
    uint8_t flags;
};

#endif
