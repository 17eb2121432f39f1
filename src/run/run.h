/* The reference interpreter: SPEC.md as slow, plain C, in SPEC's order, 64 bits inside, asserting
 * every 32-bit bound.  It is the judge of every other implementation. */
#ifndef MOTE_RUN_RUN_H
#define MOTE_RUN_RUN_H

#include "net/net.h"

struct run;

/* Working memory for a checked net, which must outlive it.  NULL when out of memory. */
struct run *run_new(const struct net *net);
void run_free(struct run *run);

/* Raw input codes (in the input type's range) to output codes. */
void run_predict(struct run *run, const int32_t *in, int32_t *out);

/* What the clamp or the activation of an element got in the last prediction; not for concat. */
int64_t run_before(const struct run *run, int layer, int element);

/* Class of the largest output code, the first of equals. */
int run_class(const struct net *net, const int32_t *out);

#endif
