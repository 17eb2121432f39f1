/* Instructions of 8-bit AVR cores ("AVR Instruction Set Manual", Microchip, DS40002198): AVRe and
 * AVRe+, not the reduced core of the smallest ATtiny. */
#ifndef MOTE_SIM_AVR8_H
#define MOTE_SIM_AVR8_H

#include "sim/step.h"

#include <stdbool.h>
#include <stdint.h>

/* What not every part has. */
enum {
    AVR8_MULTIPLY = 1, /* MUL and kin */
    AVR8_LONG = 2,     /* JMP, CALL: parts with more than 8 KiB of flash */
    AVR8_ELPM = 4,     /* more than 64 KiB */
    AVR8_EICALL = 8,   /* EICALL, EIJMP: more than 128 KiB */
};

/* Decode the word `first` for a part with `features` (AVR8_ bits).  size 0: undefined, of an
 * extension that the part lacks, or not for measured code: SLEEP, BREAK, WDR, SPM, RETI, single
 * bits of I/O registers, and IN and OUT of others than SP, SREG, RAMPZ and EIND.  `cycles` is not
 * filled in.  The stack pointer is whole only after the low half is written, so OUT of the upper
 * one does not count as a change of the stack. */
struct step avr8_decode(uint16_t first, unsigned features);

/* The access of memory that an instruction makes. */
struct avr8_access {
    enum { AVR8_NONE, AVR8_READ, AVR8_WRITE, AVR8_FLASH } kind;
    unsigned pointer; /* number of the register pair's low half; 0: `offset` is the address */
    int offset;
};

/* Of an instruction that avr8_decode() knows; PUSH, POP and calls, which go by SP, have none. */
struct avr8_access avr8_access(uint16_t first, uint16_t second);

#endif
