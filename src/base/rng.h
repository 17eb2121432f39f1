/* Counter-based random numbers: a number is a pure function of (seed, stream, counter), so that
 * the order in which threads draw does not matter and a run can resume anywhere. */
#ifndef MOTE_BASE_RNG_H
#define MOTE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t key; /* from seed and stream */
    uint64_t counter;
};

/* `stream` separates uses of one seed: initialisation, shuffling, splits ... */
struct rng rng_new(uint64_t seed, uint64_t stream);

/* 64 uniform bits of (key, counter). */
uint64_t rng_at(uint64_t key, uint64_t counter);

uint64_t rng_bits(struct rng *rng);
double rng_uniform(struct rng *rng, double low, double high); /* [low, high) */
uint64_t rng_below(struct rng *rng, uint64_t bound);          /* 0 .. bound-1, unbiased enough:
                                                                 bias < bound / 2^64 */
/* Fisher-Yates over indices 0..count-1. */
void rng_shuffle(struct rng *rng, uint32_t *indices, size_t count);

#endif
