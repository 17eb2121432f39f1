/* ARMv6-M instructions and their cycles on Cortex-M0 and Cortex-M0+: zero wait states, single-cycle
 * multiplier.  Cycles: Cortex-M0 TRM r0p0 table 3-1, Cortex-M0+ TRM r0p1 table 3-1.  Encodings:
 * ARMv6-M Architecture Reference Manual, A5 and A6. */
#ifndef MOTE_SIM_THUMB_H
#define MOTE_SIM_THUMB_H

#include "sim/step.h"

#include <stdbool.h>
#include <stdint.h>

enum thumb_core { THUMB_M0, THUMB_M0PLUS };

/* Decode the halfword `first`, followed in memory by `second` (any value where there is none).
 * size 0: undefined, unpredictable, or not for measured code (BKPT, SVC, UDF, WFE, WFI, YIELD). */
struct step thumb_decode(uint16_t first, uint16_t second, enum thumb_core core);

/* Is condition `condition` (0..13) true under these flags (N Z C V in bits 31..28)? */
bool thumb_condition(unsigned condition, uint32_t flags);

#endif
