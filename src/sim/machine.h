/* A small core in an emulator that counts what it executes and stops at whatever the real core
 * would not do: encodings that its instruction set lacks (emulators let them pass), unaligned and
 * stray accesses, writes to flash, code outside of flash, an overflowing stack.  There are two:
 * machine.c on Unicorn, machine_avr.c on simavr; a counting program links one. */
#ifndef MOTE_SIM_MACHINE_H
#define MOTE_SIM_MACHINE_H

#include "base/elf.h"
#include "base/error.h"
#include "sim/core.h"

#include <stdint.h>

/* What is counted per call; stack in bytes, accesses in words, halfwords or bytes moved. */
enum count {
#define COUNT(NAME, text) COUNT_##NAME,
#include "sim/counts.def"
#undef COUNT
    COUNT_KINDS
};

/* Memory: 4 KiB steps, below the end that the core's family says.  Size 0: as the part has it. */
struct region {
    uint32_t start;
    uint32_t size;
};

struct layout {
    struct region flash;
    struct region ram;
};

struct call {
    uint32_t function; /* address, with or without the flag of functions */
    uint32_t arguments[CALL_ARGUMENTS_MAX];
    uint64_t limit; /* instructions before the call counts as an endless loop */
};

struct machine;

/* `err` is kept: everything that later goes wrong in a call is told there. */
struct machine *machine_new(const struct layout *layout, const struct core *core,
                            struct error *err);
void machine_free(struct machine *machine);

/* Put the loadable segments where they run (no start-up code is needed); the stack begins at the
 * end of RAM and may grow down to the last static byte. */
bool machine_load(struct machine *machine, const struct elf *elf);

/* Host address of `size` bytes of RAM at `address`; NULL and an error where they are not RAM. */
unsigned char *machine_ram(struct machine *machine, uint64_t address, uint64_t size);

/* Call a function from its first instruction to its return, as its calling convention says;
 * counts[COUNT_KINDS]. */
bool machine_call(struct machine *machine, const struct call *call, uint64_t *counts);

#endif
