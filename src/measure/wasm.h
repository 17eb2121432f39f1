/* Sizes of a WebAssembly module ("WebAssembly Core Specification", 5.5, binary format). */
#ifndef MOTE_MEASURE_WASM_H
#define MOTE_MEASURE_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this the head of a module? */
bool wasm_is_module(const void *data, size_t size);

/* Bytes of its data section, and of all else without custom sections (names, notes).  False where
 * the module is cut off. */
bool wasm_sizes(const void *data, size_t size, int64_t *code, int64_t *constants);

#endif
