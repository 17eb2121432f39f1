#include "data/zip.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_SIZE       22 /* end of central directory, without its comment */
#define COMMENT_MAX    65535
#define ENTRY_SIZE     46 /* directory entry, without its texts */
#define DIRECTORY_MAX  ((uint64_t)1 << 24)
#define SIGNATURE_END  0x06054b50
#define SIGNATURE_FILE 0x02014b50
#define WIDE           0xffffffffu /* the true value is in a zip64 record */

static bool refuse(const struct zip *zip, const char *what, struct error *err)
{
    return fail(err, "%s: %s", zip->source, what);
}

bool zip_bytes(const struct zip *zip, uint64_t offset, void *to, size_t size, struct error *err)
{
    char *at = to;
    while (size > 0) {
        ssize_t got = pread(zip->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return refuse(zip, strerror(errno), err);
        }
        if (got == 0) {
            return refuse(zip, "truncated", err);
        }
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* ---- the directory ---- */

struct directory {
    uint64_t offset;
    uint64_t size;
    unsigned count;
};

/* The last end record whose comment reaches just to the end of the file. */
static bool find_directory(const unsigned char *tail, size_t size, struct directory *found)
{
    for (size_t at = size - END_SIZE + 1; at-- > 0;) {
        struct bytes reader = bytes_of(tail + at, size - at);
        if (bytes_u32_little(&reader) != SIGNATURE_END) {
            continue;
        }
        (void)bytes_u32_little(&reader); /* numbers of disks */
        (void)bytes_u16_little(&reader);
        found->count = bytes_u16_little(&reader);
        found->size = bytes_u32_little(&reader);
        found->offset = bytes_u32_little(&reader);
        size_t comment = bytes_u16_little(&reader);
        if (comment == bytes_left(&reader)) {
            return true;
        }
    }
    return false;
}

static bool locate_directory(const struct zip *zip, struct directory *found, struct error *err)
{
    uint64_t most = END_SIZE + COMMENT_MAX;
    size_t size = (size_t)(zip->size < most ? zip->size : most);
    if (size < END_SIZE) {
        return refuse(zip, "truncated: no zip directory", err);
    }
    unsigned char *tail = malloc(size);
    if (!tail) {
        return fail_memory(err);
    }
    bool read = zip_bytes(zip, zip->size - size, tail, size, err);
    bool good = read && find_directory(tail, size, found);
    free(tail);
    if (!good) {
        return refuse(zip, "truncated: no zip directory at its end", err);
    }
    if (found->offset == WIDE || found->size == WIDE || found->count == 0xffff) {
        return refuse(zip, "zip64 is not read: save the arrays as .npy, or uncompressed below 4 GB",
                      err);
    }
    if (found->offset > zip->size || found->size > zip->size - found->offset ||
        found->size > DIRECTORY_MAX || found->count > ZIP_MEMBERS_MAX) {
        return refuse(zip, "the zip directory is damaged", err);
    }
    return true;
}

/* One entry; its name, extra field and comment follow it. */
static bool parse_entry(struct bytes *reader, struct zip_member *member)
{
    if (bytes_u32_little(reader) != SIGNATURE_FILE) {
        return false;
    }
    (void)bytes_u32_little(reader); /* versions */
    member->encrypted = bytes_u16_little(reader) & 1;
    member->method = bytes_u16_little(reader);
    (void)bytes_u32_little(reader); /* time and date */
    member->crc = bytes_u32_little(reader);
    member->packed = bytes_u32_little(reader);
    member->unpacked = bytes_u32_little(reader);
    size_t name = bytes_u16_little(reader);
    size_t extra = bytes_u16_little(reader);
    size_t comment = bytes_u16_little(reader);
    (void)bytes_take(reader, 8); /* disk and attributes */
    member->header = bytes_u32_little(reader);
    const unsigned char *text = bytes_take(reader, name);
    (void)bytes_take(reader, extra + comment);
    if (reader->bad) {
        return false;
    }
    memcpy(member->name, text, name < ZIP_NAME_MAX ? name : ZIP_NAME_MAX - 1);
    return true;
}

static bool parse_directory(struct zip *zip, const struct directory *found,
                            const unsigned char *text, struct error *err)
{
    struct bytes reader = bytes_of(text, (size_t)found->size);
    zip->members = calloc(found->count + 1, sizeof *zip->members);
    if (!zip->members) {
        return fail_memory(err);
    }
    for (unsigned i = 0; i < found->count; i++) {
        if (!parse_entry(&reader, &zip->members[i])) {
            return refuse(zip, "the zip directory is damaged", err);
        }
        zip->member_count++;
    }
    return true;
}

static bool read_directory(struct zip *zip, struct error *err)
{
    struct directory found = {0};
    if (!locate_directory(zip, &found, err)) {
        return false;
    }
    zip->directory = found.offset;
    unsigned char *text = malloc((size_t)found.size + 1);
    if (!text) {
        return fail_memory(err);
    }
    bool good = zip_bytes(zip, found.offset, text, (size_t)found.size, err) &&
                parse_directory(zip, &found, text, err);
    free(text);
    return good;
}

bool zip_open(struct zip *zip, const char *path, struct error *err)
{
    bool dash = strcmp(path, "-") == 0;
    struct stat state;
    *zip = (struct zip){.source = dash ? "<stdin>" : path};
    zip->fd = dash ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (zip->fd < 0 || fstat(zip->fd, &state) != 0) {
        return refuse(zip, strerror(errno), err);
    }
    if (!S_ISREG(state.st_mode)) {
        return refuse(zip, "an .npz archive has to be a file: its directory is at its end", err);
    }
    zip->size = (uint64_t)state.st_size;
    return read_directory(zip, err);
}

void zip_close(struct zip *zip)
{
    if (zip->fd >= 0) {
        (void)close(zip->fd);
    }
    free(zip->members);
    *zip = (struct zip){.fd = -1};
}
