#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER    ((size_t)1 << 16)
#define READ_MOST ((size_t)1 << 30)

bool stream_open(struct stream *stream, const char *path, struct error *err)
{
    bool dash = strcmp(path, "-") == 0;
    *stream = (struct stream){.source = dash ? "<stdin>" : path, .capacity = BUFFER};
    stream->fd = dash ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0) {
        return fail(err, "%s: %s", stream->source, strerror(errno));
    }
    stream->data = malloc(BUFFER + 1);
    stream->input = malloc(BUFFER);
    if (!stream->data || !stream->input) {
        return fail_memory(err);
    }
    stream->data[0] = 0;
    return true;
}

void stream_close(struct stream *stream)
{
    if (stream->fd >= 0) {
        (void)close(stream->fd);
    }
    if (stream->kind == STREAM_GZIP) {
        (void)inflateEnd(&stream->inflater);
    }
    free(stream->input);
    free(stream->data);
    *stream = (struct stream){.fd = -1};
}

/* One read of the descriptor; *got is 0 at its end. */
static bool read_fd(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    ssize_t count;
    do {
        count = read(stream->fd, to, want < READ_MOST ? want : READ_MOST);
    } while (count < 0 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    stream->fd_ended = count <= 0;
    return count >= 0 || fail(err, "%s: %s", stream->source, strerror(errno));
}

/* At least `need` bytes of input, fewer only at the end of the descriptor. */
static bool fill_input(struct stream *stream, size_t need, struct error *err)
{
    z_stream *inflater = &stream->inflater;
    if (inflater->avail_in < need && inflater->avail_in > 0) {
        memmove(stream->input, inflater->next_in, inflater->avail_in);
    }
    while (inflater->avail_in < need && !stream->fd_ended) {
        size_t got = 0;
        if (!read_fd(stream, stream->input + inflater->avail_in, BUFFER - inflater->avail_in, &got,
                     err)) {
            return false;
        }
        inflater->next_in = stream->input;
        inflater->avail_in += (unsigned)got;
    }
    return true;
}

static bool at_gzip(const struct stream *stream)
{
    const z_stream *inflater = &stream->inflater;
    return inflater->avail_in >= 2 && inflater->next_in[0] == 0x1f && inflater->next_in[1] == 0x8b;
}

static bool find_kind(struct stream *stream, struct error *err)
{
    if (!fill_input(stream, 2, err)) {
        return false;
    }
    if (stream->inflater.avail_in == 1 && stream->inflater.next_in[0] == 0x1f) {
        return fail(err, "%s: truncated: the gzip data ends too early", stream->source);
    }
    if (!at_gzip(stream)) {
        stream->kind = STREAM_PLAIN;
        return true;
    }
    if (inflateInit2(&stream->inflater, MAX_WBITS + 16) != Z_OK) {
        return fail_memory(err);
    }
    stream->kind = STREAM_GZIP;
    return true;
}

static bool read_plain(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    z_stream *inflater = &stream->inflater;
    if (inflater->avail_in == 0) {
        return stream->fd_ended || read_fd(stream, to, want, got, err);
    }
    *got = want < inflater->avail_in ? want : inflater->avail_in;
    memcpy(to, inflater->next_in, *got);
    inflater->next_in += *got;
    inflater->avail_in -= (unsigned)*got;
    return true;
}

/* Behind a gzip member: another one, or the end. */
static bool next_member(struct stream *stream, struct error *err)
{
    if (!fill_input(stream, 2, err)) {
        return false;
    }
    if (stream->inflater.avail_in == 0) {
        stream->ended = true;
        return true;
    }
    return (at_gzip(stream) && inflateReset(&stream->inflater) == Z_OK) ||
           fail(err, "%s: more bytes follow the gzip data", stream->source);
}

static bool inflate_once(struct stream *stream, struct error *err)
{
    z_stream *inflater = &stream->inflater;
    if (!fill_input(stream, 1, err)) {
        return false;
    }
    switch (inflate(inflater, Z_NO_FLUSH)) {
    case Z_OK: return true;
    case Z_STREAM_END: return next_member(stream, err);
    case Z_MEM_ERROR: return fail_memory(err);
    case Z_BUF_ERROR:
        return fail(err, "%s: truncated: the gzip data ends too early", stream->source);
    default:
        return fail(err, "%s: bad gzip data: %s", stream->source,
                    inflater->msg ? inflater->msg : "a dictionary is wanted");
    }
}

static bool read_gzip(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    unsigned most = (unsigned)(want < READ_MOST ? want : READ_MOST);
    stream->inflater.next_out = to;
    stream->inflater.avail_out = most;
    while (stream->inflater.avail_out == most && !stream->ended) {
        if (!inflate_once(stream, err)) {
            return false;
        }
    }
    *got = most - stream->inflater.avail_out;
    return true;
}

/* A read of at least one byte, or *got is 0 and the stream has ended. */
static bool read_some(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    *got = 0;
    if (stream->kind == STREAM_UNKNOWN && !find_kind(stream, err)) {
        return false;
    }
    bool read = stream->kind == STREAM_GZIP ? read_gzip(stream, to, want, got, err)
                                            : read_plain(stream, to, want, got, err);
    stream->ended = *got == 0;
    return read;
}

/* Room for more bytes behind `end`. */
static bool make_room(struct stream *stream, struct error *err)
{
    memmove(stream->data, stream->data + stream->at, stream->end - stream->at);
    stream->end -= stream->at;
    stream->at = 0;
    stream->data[stream->end] = 0;
    if (stream->end < stream->capacity) {
        return true;
    }
    if (stream->capacity > READ_MOST) {
        return fail_memory(err);
    }
    char *more = realloc(stream->data, stream->capacity * 2 + 1);
    if (!more) {
        return fail_memory(err);
    }
    stream->data = more;
    stream->capacity *= 2;
    return true;
}

bool stream_more(struct stream *stream, struct error *err)
{
    size_t got = 0;
    if (stream->ended) {
        return true;
    }
    if (!make_room(stream, err) ||
        !read_some(stream, stream->data + stream->end, stream->capacity - stream->end, &got, err)) {
        return false;
    }
    stream->end += got;
    stream->data[stream->end] = 0;
    return true;
}

bool stream_read(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    size_t held = stream->end - stream->at;
    *got = held < want ? held : want;
    memcpy(to, stream->data + stream->at, *got);
    stream->at += *got;
    while (*got < want && !stream->ended) {
        size_t more = 0;
        if (!read_some(stream, (char *)to + *got, want - *got, &more, err)) {
            return false;
        }
        *got += more;
    }
    return true;
}

bool stream_plain(const struct stream *stream)
{
    return stream->kind == STREAM_PLAIN;
}
