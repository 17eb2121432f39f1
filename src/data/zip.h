/* Members of a zip archive in a file: stored or deflated, found through the directory at its end
 * (PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16).  Nothing is ever written to disk. */
#ifndef MOTE_DATA_ZIP_H
#define MOTE_DATA_ZIP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZIP_MEMBERS_MAX 1024
#define ZIP_NAME_MAX    64 /* longer names are kept cut: no member that is read has one */

struct zip_member {
    char name[ZIP_NAME_MAX];
    uint64_t packed;   /* bytes in the archive */
    uint64_t unpacked; /* bytes after inflating */
    uint64_t header;   /* offset of the local header */
    uint64_t start;    /* offset of the packed bytes; 0: not looked up yet */
    uint32_t crc;
    unsigned method; /* 0 stored, 8 deflated */
    bool encrypted;
};

struct zip {
    int fd;
    uint64_t size; /* of the file */
    const char *source;
    struct zip_member *members;
    int member_count;
    uint64_t directory; /* offset of the directory: members lie before it */
};

/* Read the directory of the archive at `path`, or of the file at standard input ("-").  Close it
 * whatever the result. */
bool zip_open(struct zip *zip, const char *path, struct error *err);
void zip_close(struct zip *zip);

/* `size` bytes at `offset` of the file: all of them, or a failure. */
bool zip_bytes(const struct zip *zip, uint64_t offset, void *to, size_t size, struct error *err);

/* One member on its way out. */
struct zip_reader;

/* NULL on failure.  The archive has to stay open. */
struct zip_reader *zip_reader_new(const struct zip *zip, struct zip_member *member,
                                  struct error *err);
void zip_reader_free(struct zip_reader *reader);

/* Up to `want` bytes, fewer only at the end, where size and checksum are checked.  `reader` is a
 * struct zip_reader. */
bool zip_read(void *reader, void *to, size_t want, size_t *got, struct error *err);

#endif
