/* NumPy arrays and zip archives made byte by byte, valid or not. */
#ifndef MOTE_SUPPORT_ARRAYS_H
#define MOTE_SUPPORT_ARRAYS_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

/* Start an array file: version 1, 2 or 3 and the header's dictionary as given, padded to 64. */
void npy_start(struct text *file, int version, const char *dictionary);

/* Append an element of a dtype such as "<f4" or ">i2" (halves: value has to be exact). */
void npy_element(struct text *file, const char *dtype, double value);

/* A whole array: rows x columns of `values` (row-major) as `dtype`, in C or Fortran order. */
void npy_array(struct text *file, const char *dtype, int fortran, size_t rows, size_t columns,
               const double *values);

/* An archive in the making. */
struct zip_maker {
    struct text file;
    struct text directory;
    int count;
    uint16_t flags; /* of the members to come */
};

/* Add a member, deflated or stored. */
void zip_add(struct zip_maker *zip, const char *name, const void *data, size_t size, int deflated);

/* Append the directory. */
void zip_end(struct zip_maker *zip);
void zip_maker_free(struct zip_maker *zip);

/* The bytes as a gzip file; malloc'd, *packed of them. */
unsigned char *gzip_bytes(const void *data, size_t size, size_t *packed);

/* Append integers, little-endian. */
void put_little(struct text *file, uint64_t value, int bytes);

#endif
