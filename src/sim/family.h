/* Cores of one instruction set, for the machine on Unicorn (machine.c). */
#ifndef MOTE_SIM_FAMILY_H
#define MOTE_SIM_FAMILY_H

#include "sim/core.h"
#include "sim/step.h"

#include <stdint.h>
#include <unicorn/unicorn.h>

/* A register that a function must leave as it was. */
struct preserved {
    int number; /* Unicorn's */
    const char *name;
};

/* Cores of one instruction set. */
struct family {
    const char *machine;  /* "32-bit Arm", for messages */
    unsigned elf_machine; /* of its ELF files */
    bool wide;            /* registers of 64 bits; addresses have 32 all the same */
    uc_arch arch;
    uc_mode mode;
    int model;           /* Unicorn's */
    uint32_t end;        /* memory lies below; a whole page */
    uint32_t entry_flag; /* set in the addresses of functions */
    int stack_pointer, link, program_counter;
    int arguments[CALL_ARGUMENTS_MAX];
    const struct preserved *preserved;

    /* The instruction that begins with the halfword `first` and goes on with `second` (any value
     * where there is none). */
    struct step (*decode)(uint16_t first, uint16_t second, int variant);

    /* Will the conditional branch at `code`, which runs next, be taken and go to the very next
     * instruction?  That cannot be seen from where it goes. */
    bool (*taken_to_next)(uc_engine *engine, const unsigned char *code);
};

#endif
