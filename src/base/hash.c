#include "base/hash.h"

uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint32_t hash32_number(uint32_t hash, uint32_t number)
{
    for (int shift = 0; shift < 32; shift += 8) {
        hash = (hash ^ (number >> shift & 0xff)) * UINT32_C(0x01000193);
    }
    return hash;
}
