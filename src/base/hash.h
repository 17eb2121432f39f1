/* FNV-1a: identifies data in the provenance and outputs of a measurement; no security claim. */
#ifndef MOTE_BASE_HASH_H
#define MOTE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Continue `hash` (HASH_START at first) with `size` bytes. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);

#define HASH32_START UINT32_C(0x811c9dc5)

/* The same with 32 bits: continue with a number's bytes, the low one first. */
uint32_t hash32_number(uint32_t hash, uint32_t number);

#endif
