/* What tells one core from another to the program that counts (machine.h). */
#ifndef MOTE_SIM_CORE_H
#define MOTE_SIM_CORE_H

#include <stdbool.h>

#define CALL_ARGUMENTS_MAX 4

struct family;

struct core {
    const char *name;            /* on the command line */
    const char *instructions;    /* "ARMv6-M" */
    const struct family *family; /* family.h; NULL: simavr knows the rest by the name */
    int variant;                 /* for decode() */
    int preserved_count;         /* of the family's, from the first on */
    bool timed;                  /* does decode() know cycles? */

    /* Are its cycles with a wait state of flash told?  The model: instructions come in aligned
     * words of 32 bits.  A word that an executed instruction lies in, and that is not the word
     * fetched just before, costs one cycle more; the first word of a call does.  Each word,
     * halfword or byte of data read from flash costs one more and leaves the fetched word alone.
     * There is no prefetch buffer and no cache, and words that are fetched ahead and not executed
     * are not counted. */
    bool waits;
    bool unaligned; /* may single words and halfwords lie anywhere? */
};

extern const struct core core_m0, core_m0plus, core_m3, core_m4, core_m7, core_m33;
extern const struct core core_rv32ec, core_rv32emc, core_rv32imc, core_rv64imc;

#endif
