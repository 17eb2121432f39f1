/* Inflating a member of an archive. */
#include "base/bytes.h"
#include "data/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define LOCAL_SIZE      30
#define SIGNATURE_LOCAL 0x04034b50
#define INPUT           ((size_t)1 << 16)
#define PIECE           ((size_t)1 << 30) /* zlib counts in unsigned int */
#define DEFLATE_RATIO   1032              /* deflate cannot shrink further */

struct zip_reader {
    const struct zip *zip;
    const struct zip_member *member;
    uint64_t offset; /* of the next packed byte */
    uint64_t packed; /* packed bytes left in the file */
    uint64_t left;   /* unpacked bytes left */
    uint32_t crc;    /* of what was given */
    z_stream stream;
    bool inflating; /* `stream` is set up */
    unsigned char input[INPUT];
};

static bool refuse(const struct zip_reader *reader, const char *what, struct error *err)
{
    return fail(err, "%s: %s: %s", reader->zip->source, reader->member->name, what);
}

static bool read_file(struct zip_reader *reader, void *to, size_t want, size_t *got,
                      struct error *err)
{
    ssize_t count;
    size_t most = want < reader->packed ? want : (size_t)reader->packed;
    do {
        count = pread(reader->zip->fd, to, most, (off_t)reader->offset);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return refuse(reader, strerror(errno), err);
    }
    *got = (size_t)count;
    reader->offset += *got;
    reader->packed -= *got;
    return true;
}

/* Behind the local header, which repeats the name and has an extra field of its own. */
static bool find_start(struct zip_reader *reader, struct zip_member *member, struct error *err)
{
    unsigned char header[LOCAL_SIZE];
    const char *outside = "damaged: it does not lie inside of the archive";
    uint64_t end = reader->zip->directory;
    if (end < LOCAL_SIZE || member->header > end - LOCAL_SIZE) {
        return refuse(reader, outside, err);
    }
    if (!zip_bytes(reader->zip, member->header, header, LOCAL_SIZE, err)) {
        return false;
    }
    struct bytes bytes = bytes_of(header, LOCAL_SIZE);
    bool signed_so = bytes_u32_little(&bytes) == SIGNATURE_LOCAL;
    (void)bytes_take(&bytes, 22);
    uint64_t name = bytes_u16_little(&bytes);
    uint64_t extra = bytes_u16_little(&bytes);
    member->start = member->header + LOCAL_SIZE + name + extra;
    if (!signed_so || member->start > end || member->packed > end - member->start) {
        return refuse(reader, outside, err);
    }
    return true;
}

static bool check_member(const struct zip_reader *reader, struct error *err)
{
    const struct zip_member *member = reader->member;
    if (member->encrypted) {
        return refuse(reader, "encrypted", err);
    }
    if (member->method != 0 && member->method != 8) {
        return fail(err, "%s: %s: packed by method %u; stored and deflated are read",
                    reader->zip->source, member->name, member->method);
    }
    if (member->method == 0 && member->packed != member->unpacked) {
        return refuse(reader, "damaged: a stored member of two sizes", err);
    }
    if (member->unpacked / DEFLATE_RATIO > member->packed) {
        return refuse(reader, "damaged: it claims to be larger than it can be", err);
    }
    return true;
}

static bool start(struct zip_reader *reader, struct zip_member *member, struct error *err)
{
    if (!check_member(reader, err) || !find_start(reader, member, err)) {
        return false;
    }
    reader->offset = member->start;
    reader->packed = member->packed;
    reader->left = member->unpacked;
    if (member->method == 8 && inflateInit2(&reader->stream, -MAX_WBITS) != Z_OK) {
        return fail_memory(err);
    }
    reader->inflating = member->method == 8;
    return true;
}

struct zip_reader *zip_reader_new(const struct zip *zip, struct zip_member *member,
                                  struct error *err)
{
    struct zip_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        fail_memory(err);
        return NULL;
    }
    reader->zip = zip;
    reader->member = member;
    if (!start(reader, member, err)) {
        zip_reader_free(reader);
        return NULL;
    }
    return reader;
}

void zip_reader_free(struct zip_reader *reader)
{
    if (reader && reader->inflating) {
        (void)inflateEnd(&reader->stream);
    }
    free(reader);
}

/* At least one byte, or *got is 0 where the packed bytes end. */
static bool inflate_some(struct zip_reader *reader, void *to, size_t want, size_t *got,
                         struct error *err)
{
    z_stream *stream = &reader->stream;
    stream->next_out = to;
    stream->avail_out = (unsigned)want;
    int code = Z_OK;
    while (code == Z_OK && stream->avail_out == want) {
        if (stream->avail_in == 0) {
            size_t read = 0;
            if (!read_file(reader, reader->input, INPUT, &read, err)) {
                return false;
            }
            stream->next_in = reader->input;
            stream->avail_in = (unsigned)read;
        }
        code = inflate(stream, Z_NO_FLUSH);
    }
    *got = want - stream->avail_out;
    if (code == Z_MEM_ERROR) {
        return fail_memory(err);
    }
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) {
        return true;
    }
    return refuse(reader, "damaged: bad deflate data", err);
}

/* Everything was given: nothing more may come, and the checksum has to match. */
static bool check_end(struct zip_reader *reader, struct error *err)
{
    unsigned char byte;
    size_t more = 0;
    if (reader->inflating && !inflate_some(reader, &byte, 1, &more, err)) {
        return false;
    }
    if (more > 0) {
        return refuse(reader, "damaged: larger than the archive says", err);
    }
    return reader->crc == reader->member->crc || refuse(reader, "damaged: wrong checksum", err);
}

bool zip_read(void *context, void *to, size_t want, size_t *got, struct error *err)
{
    struct zip_reader *reader = context;
    bool had = reader->left > 0;
    *got = 0;
    while (*got < want && reader->left > 0) {
        size_t most = want - *got < PIECE ? want - *got : PIECE;
        size_t piece = most < reader->left ? most : (size_t)reader->left;
        size_t more = 0;
        char *place = (char *)to + *got;
        bool read = reader->inflating ? inflate_some(reader, place, piece, &more, err)
                                      : read_file(reader, place, piece, &more, err);
        if (!read) {
            return false;
        }
        if (more == 0) {
            return refuse(reader, "truncated", err);
        }
        reader->crc = (uint32_t)crc32(reader->crc, (const Bytef *)place, (unsigned)more);
        reader->left -= more;
        *got += more;
    }
    return reader->left > 0 || !had || check_end(reader, err);
}
