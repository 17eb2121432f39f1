/* FNV-1a, 64 bits: identifies data in the provenance; no security claim. */
#ifndef MOTE_BASE_HASH_H
#define MOTE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Continue `hash` (HASH_START at first) with `size` bytes. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);

#endif
