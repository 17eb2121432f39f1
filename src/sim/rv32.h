/* RV32E, RV32I and RV64I instructions with the C extension and all, the multiplying half (Zmmul) or
 * nothing of M.  Encodings: "The RISC-V Instruction Set Manual, Volume I", chapters "RV32I",
 * "RV32E", "RV64I", "M", "C" and "RV32/64G Instruction Set Listings".
 *
 * Cycles are a model of the QingKe V2 (two stages, no cache, zero wait states), not a measurement:
 * 1 per instruction, 1 more per load, 2 more per taken branch or jump, 2 more per multiplication.
 * CH32V003 above 24 MHz adds a wait state to its flash, which the model leaves out. */
#ifndef MOTE_SIM_RV32_H
#define MOTE_SIM_RV32_H

#include "sim/step.h"

#include <stdbool.h>
#include <stdint.h>

enum rv32_core { RV32_EC, RV32_EMC, RV32_IMC, RV64_IMC };

/* Decode the halfword `first`, followed in memory by `second` (any value where there is none).
 * size 0: undefined, reserved, of an extension or register that the core lacks (x16 to x31 and M on
 * RV32EC, division on RV32EMC), or not for measured code (ECALL, EBREAK, CSR access, FENCE.I). */
struct step rv32_decode(uint16_t first, uint16_t second, enum rv32_core core);

/* A conditional branch in parts; the second register of a compressed one is x0. */
struct rv32_branch {
    unsigned left, right; /* registers */
    unsigned condition;   /* funct3: 0 EQ, 1 NE, 4 LT, 5 GE, 6 LTU, 7 GEU */
    bool next;            /* goes to the very next instruction */
};
struct rv32_branch rv32_branch(uint16_t first, uint16_t second);

/* Does the condition hold between these values, sign-extended where registers are narrower? */
bool rv32_condition(unsigned condition, int64_t left, int64_t right);

#endif
