#include "support/arrays.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void put_little(struct text *file, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(unsigned char)(value >> (8 * i));
        text_bytes(file, &byte, 1);
    }
}

void npy_start(struct text *file, int version, const char *dictionary)
{
    size_t before = version == 1 ? 10 : 12;
    size_t length = strlen(dictionary) + 1;
    size_t padding = (64 - (before + length) % 64) % 64;
    text_bytes(file, "\x93NUMPY", 6);
    put_little(file, (uint64_t)version, 2);
    put_little(file, length + padding, version == 1 ? 2 : 4);
    text_add(file, dictionary);
    for (size_t i = 0; i < padding; i++) {
        text_add(file, " ");
    }
    text_add(file, "\n");
}

static uint64_t half_bits(double value)
{
    int exponent;
    double fraction = frexp(fabs(value), &exponent);
    uint64_t sign = value < 0 ? 0x8000 : 0;
    return value == 0
               ? sign
               : sign | (uint64_t)(exponent + 14) << 10 | ((uint64_t)(fraction * 2048) & 0x3ff);
}

static uint64_t element_bits(char kind, int size, double value)
{
    uint64_t bits = 0;
    float narrow = (float)value;
    if (kind == 'i') {
        return (uint64_t)(int64_t)value;
    }
    if (kind != 'f') {
        return (uint64_t)value;
    }
    if (size == 2) {
        return half_bits(value);
    }
    if (size == 4) {
        memcpy(&bits, &narrow, sizeof narrow); /* little-endian hosts, as the tests are run on */
        uint32_t low;
        memcpy(&low, &narrow, sizeof low);
        return low;
    }
    memcpy(&bits, &value, sizeof value);
    return bits;
}

void npy_element(struct text *file, const char *dtype, double value)
{
    int size = dtype[2] - '0';
    uint64_t bits = element_bits(dtype[1], size, value);
    for (int i = 0; i < size; i++) {
        int shift = 8 * (dtype[0] == '>' ? size - 1 - i : i);
        char byte = (char)(unsigned char)(bits >> shift);
        text_bytes(file, &byte, 1);
    }
}

void npy_array(struct text *file, const char *dtype, int fortran, size_t rows, size_t columns,
               const double *values)
{
    char dictionary[128];
    (void)snprintf(dictionary, sizeof dictionary,
                   "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }", dtype,
                   fortran ? "True" : "False", rows, columns);
    npy_start(file, 1, dictionary);
    for (size_t i = 0; i < rows * columns; i++) {
        size_t at = fortran ? i % rows * columns + i / rows : i;
        npy_element(file, dtype, values[at]);
    }
}

/* Deflate, raw or (with 16 more bits) as a gzip file; how many bytes. */
static size_t deflate_to(unsigned char *to, size_t room, const void *data, size_t size, int bits)
{
    z_stream stream = {0};
    unsigned char none = 0;
    if (deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    unsigned char *copy = malloc(size + 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, size ? data : &none, size);
    stream.next_in = copy;
    stream.avail_in = (unsigned)size;
    stream.next_out = to;
    stream.avail_out = (unsigned)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    free(copy);
    size_t packed = stream.total_out;
    (void)deflateEnd(&stream);
    return packed;
}

unsigned char *gzip_bytes(const void *data, size_t size, size_t *packed)
{
    size_t room = size + size / 8 + 64;
    unsigned char *bytes = malloc(room);
    if (!bytes) {
        abort();
    }
    *packed = deflate_to(bytes, room, data, size, MAX_WBITS + 16);
    return bytes;
}

void zip_add(struct zip_maker *zip, const char *name, const void *data, size_t size, int deflated)
{
    size_t room = size + size / 8 + 64;
    unsigned char *packed = malloc(room);
    if (!packed) {
        abort();
    }
    size_t length = size;
    if (deflated) {
        length = deflate_to(packed, room, data, size, -MAX_WBITS);
    } else {
        memcpy(packed, data, size);
    }
    struct text common = {0};
    put_little(&common, 20, 2);
    put_little(&common, zip->flags, 2);
    put_little(&common, deflated ? 8 : 0, 2);
    put_little(&common, 0x21 << 16, 4); /* 1 January 1980 */
    put_little(&common, crc32(0, data, (unsigned)size), 4);
    put_little(&common, length, 4);
    put_little(&common, size, 4);
    put_little(&common, strlen(name), 2);
    put_little(&common, 0, 2);
    uint64_t offset = zip->file.length;
    put_little(&zip->file, 0x04034b50, 4);
    text_bytes(&zip->file, common.data, common.length);
    text_add(&zip->file, name);
    text_bytes(&zip->file, (const char *)packed, length);
    put_little(&zip->directory, 0x02014b50, 4);
    put_little(&zip->directory, 20, 2);
    text_bytes(&zip->directory, common.data, common.length);
    put_little(&zip->directory, 0, 2);
    put_little(&zip->directory, 0, 8);
    put_little(&zip->directory, offset, 4);
    text_add(&zip->directory, name);
    zip->count++;
    text_free(&common);
    free(packed);
}

void zip_end(struct zip_maker *zip)
{
    uint64_t offset = zip->file.length;
    text_bytes(&zip->file, zip->directory.data ? zip->directory.data : "", zip->directory.length);
    put_little(&zip->file, 0x06054b50, 4);
    put_little(&zip->file, 0, 4);
    put_little(&zip->file, (uint64_t)zip->count, 2);
    put_little(&zip->file, (uint64_t)zip->count, 2);
    put_little(&zip->file, zip->directory.length, 4);
    put_little(&zip->file, offset, 4);
    put_little(&zip->file, 0, 2);
}

void zip_maker_free(struct zip_maker *zip)
{
    text_free(&zip->file);
    text_free(&zip->directory);
}
