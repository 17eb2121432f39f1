/* Frama-C's value analysis: runs, and what they found. */
#ifndef MOTE_PROVE_EVA_H
#define MOTE_PROVE_EVA_H

#include "base/text.h"
#include "prove/shape.h"

/* One proof in the making. */
struct proving {
    const struct prove_options *options;
    const struct shape *shape;
    struct arena *arena;
    const char *folder; /* the work folder: the page, the drivers */
    const char *file;   /* the page in it */
    const char *place;  /* the file that lines are of: the source, or the header */
    struct proof *proof;
    struct error *err;
};

/* Fills proof->verdict and what belongs to it.  False where the machine fails. */
bool eva_prove(struct proving *proving);

/* The same, for a proof that something kept from being finished; always true. */
bool proof_unfinished(struct proving *proving, const char *why);

/* Write a driver into the work folder. */
bool driver_write(struct proving *proving, const char *file, struct text *text);

#endif
