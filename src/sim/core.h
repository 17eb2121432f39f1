/* What tells one core from another to the machine that counts (machine.h). */
#ifndef MOTE_SIM_CORE_H
#define MOTE_SIM_CORE_H

#include "sim/step.h"

#include <stdbool.h>
#include <stdint.h>
#include <unicorn/unicorn.h>

#define CALL_ARGUMENTS_MAX 4

/* A register that a function must leave as it was. */
struct preserved {
    int number; /* Unicorn's */
    const char *name;
};

/* Cores of one instruction set. */
struct family {
    const char *machine;  /* "32-bit Arm", for messages */
    unsigned elf_machine; /* of its ELF files */
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

struct core {
    const char *name;         /* on the command line */
    const char *instructions; /* "ARMv6-M" */
    const struct family *family;
    int variant;         /* for decode() */
    int preserved_count; /* of the family's, from the first on */
    bool timed;          /* does decode() know cycles? */
};

extern const struct core core_m0, core_m0plus;
extern const struct core core_rv32ec, core_rv32emc, core_rv32imc;

#endif
