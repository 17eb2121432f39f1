#include "measure/wasm.h"

#include "base/bytes.h"

#include <string.h>

#define HEAD 8 /* bytes: magic and version */

enum { SECTION_CUSTOM = 0, SECTION_DATA = 11 };

bool wasm_is_module(const void *data, size_t size)
{
    return size >= HEAD && memcmp(data, "\0asm\1\0\0\0", HEAD) == 0;
}

/* An unsigned number in LEB128, at most 32 bits. */
static uint32_t number(struct bytes *bytes)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint32_t byte = bytes_u8(bytes);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    bytes->bad = true;
    return 0;
}

bool wasm_sizes(const void *data, size_t size, int64_t *code, int64_t *constants)
{
    struct bytes bytes = bytes_of(data, size);
    (void)bytes_take(&bytes, HEAD);
    *code = HEAD;
    *constants = 0;
    while (!bytes.bad && bytes_left(&bytes) > 0) {
        size_t start = bytes.at;
        uint8_t section = bytes_u8(&bytes);
        uint32_t length = number(&bytes);
        (void)bytes_take(&bytes, length);
        int64_t whole = (int64_t)(bytes.at - start);
        *constants += section == SECTION_DATA ? whole : 0;
        *code += section == SECTION_DATA || section == SECTION_CUSTOM ? 0 : whole;
    }
    return !bytes.bad;
}
