#include "base/bytes.h"

struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

size_t bytes_left(const struct bytes *bytes)
{
    return bytes->bad ? 0 : bytes->size - bytes->at;
}

const unsigned char *bytes_take(struct bytes *bytes, size_t count)
{
    if (bytes->bad || count > bytes->size - bytes->at) {
        bytes->bad = true;
        return NULL;
    }
    const unsigned char *taken = bytes->data + bytes->at;
    bytes->at += count;
    return taken;
}

static uint64_t little(struct bytes *bytes, size_t count)
{
    const unsigned char *taken = bytes_take(bytes, count);
    uint64_t value = 0;
    for (size_t i = count; taken && i-- > 0;) {
        value = value << 8 | taken[i];
    }
    return value;
}

uint8_t bytes_u8(struct bytes *bytes)
{
    return (uint8_t)little(bytes, 1);
}

uint16_t bytes_u16_little(struct bytes *bytes)
{
    return (uint16_t)little(bytes, 2);
}

uint32_t bytes_u32_little(struct bytes *bytes)
{
    return (uint32_t)little(bytes, 4);
}

uint64_t bytes_u64_little(struct bytes *bytes)
{
    return little(bytes, 8);
}

uint32_t bytes_u32_big(struct bytes *bytes)
{
    const unsigned char *taken = bytes_take(bytes, 4);
    if (!taken) {
        return 0;
    }
    return (uint32_t)taken[0] << 24 | (uint32_t)taken[1] << 16 | (uint32_t)taken[2] << 8 | taken[3];
}
