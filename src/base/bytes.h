/* Bounded reader over bytes in memory.  It latches the first read past the end: from then on
 * every read gives zero and `bad` stays true, so that parsers stay straight and check once. */
#ifndef MOTE_BASE_BYTES_H
#define MOTE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const unsigned char *data;
    size_t size;
    size_t at;
    bool bad;
};

struct bytes bytes_of(const void *data, size_t size);
size_t bytes_left(const struct bytes *bytes);

/* The next `count` bytes and step over them; NULL past the end. */
const unsigned char *bytes_take(struct bytes *bytes, size_t count);

uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16_little(struct bytes *bytes);
uint32_t bytes_u32_little(struct bytes *bytes);
uint64_t bytes_u64_little(struct bytes *bytes);
uint32_t bytes_u32_big(struct bytes *bytes);

#endif
