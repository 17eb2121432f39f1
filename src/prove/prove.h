/* Proof that an emitted file is defined C for every input: Frama-C runs over it with inputs of
 * which nothing is known, for a machine with an `int` of 32 bits and one of 16.
 *
 * Proved means: no overflow, no shift of or by a negative number, no lossy conversion, no access
 * out of bounds or to what was never written, and that NAME_predict() returns, has written every
 * output, and keeps nothing for the next call.  Unsigned sums that wrap count as faults too, except
 * in what says that it is modulo 2^32 (see eva.c). */
#ifndef MOTE_PROVE_PROVE_H
#define MOTE_PROVE_PROVE_H

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>

#define PAGE_FILE_MAX ((size_t)16 << 20) /* bytes of an emitted file */

/* An emitted file, or the two of a separate one. */
struct page {
    const char *header;
    const char *source; /* NULL: header-only */
    const char *name;   /* of the header in messages */
};

enum verdict {
    VERDICT_PROVED,
    VERDICT_ALARMS,    /* what may go wrong, and where */
    VERDICT_MISSING,   /* a tool is not installed */
    VERDICT_UNFINISHED /* a tool gave up, or ran out of time */
};

struct prove_options {
    int seconds; /* per run of a tool; 0: 600 */
    bool keep;   /* keep the work folder and say where (stderr) */
};

#define PROOF_ALARMS_MAX 8
struct alarm {
    int line;      /* of the file; 0: unknown */
    char text[80]; /* "signed overflow" */
};

/* What is known of one file under one model. */
struct proof {
    int model; /* bits of `int` */
    enum verdict verdict;
    int alarms;                            /* all of them ... */
    struct alarm places[PROOF_ALARMS_MAX]; /* ... and the first few */
    bool wraps;                            /* with packed rows, whose sums are modulo 2^32 */
    char note[200];                        /* MISSING: tool and package; UNFINISHED: why */
};

/* Prove a page under one model (16 or 32).  False for what is no emitted file, and where the
 * machine fails (memory, disk, an interrupt); all verdicts are in `proof`. */
bool prove_page(const struct page *page, int model, const struct prove_options *options,
                struct proof *proof, struct error *err);

const char *verdict_name(enum verdict verdict);

#endif
