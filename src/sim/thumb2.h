/* Instructions of ARMv7-M, ARMv7E-M and ARMv8-M Mainline without floating point, to be counted: how
 * long they take depends on the part's memories and caches.  Encodings: ARMv7-M Architecture
 * Reference Manual, A5 to A7.
 *
 * Refused: what is undefined there, the DSP extension on a core without it, coprocessors and
 * floating point, exclusive and unprivileged accesses, preloads, and whatever thumb.h refuses.  Not
 * checked: operands that the manual calls unpredictable (PC or SP where they may not be), branches
 * that are not the last of an IT block. */
#ifndef MOTE_SIM_THUMB2_H
#define MOTE_SIM_THUMB2_H

#include "sim/step.h"

#include <stdint.h>

enum thumb2_core { THUMB2_PLAIN, THUMB2_DSP };

/* Decode the halfword `first`, followed in memory by `second`.  `cycles` means nothing.  An
 * instruction that its IT block skips is an instruction as well; a branch in one counts as taken.
 */
struct step thumb2_decode(uint16_t first, uint16_t second, enum thumb2_core core);

#endif
