/* ARMv6-M instructions and their cycles on Cortex-M0 and Cortex-M0+: zero wait states, single-cycle
 * multiplier.  Cycles: Cortex-M0 TRM r0p0 table 3-1, Cortex-M0+ TRM r0p1 table 3-1.  Encodings:
 * ARMv6-M Architecture Reference Manual, A5 and A6. */
#ifndef MOTE_SIM_THUMB_H
#define MOTE_SIM_THUMB_H

#include <stdbool.h>
#include <stdint.h>

enum core { CORE_M0, CORE_M0PLUS };

enum {
    THUMB_CONDITIONAL = 1, /* B<cond>: `taken` more cycles where the branch is taken */
    THUMB_BRANCH = 2,      /* always leaves the straight line */
    THUMB_STACK = 4,       /* may change SP */
    THUMB_MULTIPLY = 8,
};

/* One instruction as the meter sees it. */
struct thumb {
    uint8_t size;   /* bytes: 2 or 4; 0: not an instruction of ARMv6-M */
    uint8_t cycles; /* where a conditional branch is not taken */
    uint8_t taken;  /* more cycles of a taken conditional branch */
    uint8_t flags;
};

/* Decode the halfword `first`, followed in memory by `second` (any value where there is none).
 * size 0: undefined, unpredictable, or not for measured code (BKPT, SVC, UDF, WFE, WFI, YIELD). */
struct thumb thumb_decode(uint16_t first, uint16_t second, enum core core);

/* Is condition `condition` (0..13) true under these flags (N Z C V in bits 31..28)? */
bool thumb_condition(unsigned condition, uint32_t flags);

#endif
