/* The programs that the prover starts from. */
#ifndef MOTE_PROVE_DRIVER_H
#define MOTE_PROVE_DRIVER_H

#include "base/text.h"
#include "prove/shape.h"

/* "reached the end": what a driver shows when everything before it returns. */
#define DRIVER_END "Frama_C_show_each_end"

/* Every function, from inputs of which nothing is known.  Smooth activations are taken at their
 * types: their own driver proves that they keep them.  NAME_predict() is analysed once, from any
 * inputs to outputs that were never written; behind it in the page its name means NAME_taken(), of
 * which no more is known than what that call proves: reads `in`, writes all of `out`; a class is an
 * int. */
void driver_predict(const struct shape *shape, const char *file, struct text *out);

/* The smooth activations alone, for every int32_t, in spans so narrow that intervals suffice: these
 * are products of a number with itself, which interval arithmetic overestimates.  NAME_times() is
 * taken as the product that it is; the driver of the whole file calls it with any factors. */
void driver_curves(const struct shape *shape, const char *file, struct text *out);

#endif
