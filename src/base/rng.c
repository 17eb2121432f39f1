#include "base/rng.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
 * generators"), applied to key and counter in turn. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

struct rng rng_new(uint64_t seed, uint64_t stream)
{
    return (struct rng){.key = mix(mix(seed + GOLDEN) ^ mix(stream + 2 * GOLDEN))};
}

uint64_t rng_at(uint64_t key, uint64_t counter)
{
    return mix(mix(key ^ (counter * GOLDEN)) + GOLDEN * (counter + 1));
}

uint64_t rng_bits(struct rng *rng)
{
    return rng_at(rng->key, rng->counter++);
}

double rng_uniform(struct rng *rng, double low, double high)
{
    double unit = (double)(rng_bits(rng) >> 11) * 0x1p-53;
    return low + (high - low) * unit;
}

/* The high half of bits * bound, in 32-bit pieces: C11 has no 128-bit product. */
uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    uint64_t bits = rng_bits(rng);
    uint64_t bits_high = bits >> 32;
    uint64_t bits_low = bits & UINT32_MAX;
    uint64_t bound_high = bound >> 32;
    uint64_t bound_low = bound & UINT32_MAX;
    uint64_t middle = bits_high * bound_low + (bits_low * bound_low >> 32);
    uint64_t other = bits_low * bound_high + (middle & UINT32_MAX);
    return bits_high * bound_high + (middle >> 32) + (other >> 32);
}

void rng_shuffle(struct rng *rng, uint32_t *indices, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(rng, i);
        uint32_t kept = indices[i - 1];
        indices[i - 1] = indices[j];
        indices[j] = kept;
    }
}
