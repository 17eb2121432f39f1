/* Vectors for NAME_selftest(): they also go where the emitted code clamps. */
#ifndef MOTE_REPORT_VECTORS_H
#define MOTE_REPORT_VECTORS_H

#include "base/arena.h"
#include "emit/emit.h"

/* The ends of what elements keep that their proved ranges leave: of so many, how many the vectors
 * leave. */
struct saturations {
    int hit;
    int all;
};

/* `count` vectors and what the reference interpreter answers: corners of the input range; inputs,
 * found by a short search, that drive elements beyond what their clamp or activation keeps, each of
 * them at a place that none before it reached; then pseudo-random ones.  The same net gives the
 * same vectors; all memory is the arena's.  Fails when out of memory. */
bool selftest_vectors(const struct net *net, int count, struct arena *arena,
                      struct vectors *vectors, struct error *err);

/* How many saturations the vectors hit.  Fails when out of memory. */
bool count_saturations(const struct net *net, const struct vectors *vectors,
                       struct saturations *found, struct error *err);

#endif
