#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER    ((size_t)1 << 18)
#define READ_MOST ((size_t)1 << 30)

bool stream_open(struct stream *stream, const char *path, struct error *err)
{
    bool dash = strcmp(path, "-") == 0;
    *stream = (struct stream){.source = dash ? "<stdin>" : path};
    int fd = dash ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(err, "%s: %s", stream->source, strerror(errno));
    }
    stream->file = gzdopen(fd, "rb");
    if (!stream->file) {
        (void)close(fd);
        return fail_memory(err);
    }
    stream->capacity = BUFFER;
    stream->data = malloc(BUFFER + 1);
    if (!stream->data) {
        return fail_memory(err);
    }
    stream->data[0] = 0;
    return true;
}

void stream_close(struct stream *stream)
{
    if (stream->file) {
        (void)gzclose(stream->file);
    }
    free(stream->data);
    *stream = (struct stream){0};
}

static bool fail_read(const struct stream *stream, int code, const char *text, struct error *err)
{
    if (code == Z_ERRNO && errno == EINTR) {
        err->interrupted = true;
        return fail(err, "%s: interrupted", stream->source);
    }
    if (code == Z_MEM_ERROR) {
        return fail_memory(err);
    }
    if (code == Z_BUF_ERROR) {
        return fail(err, "%s: truncated: the gzip data ends too early", stream->source);
    }
    if (code == Z_ERRNO) {
        return fail(err, "%s: %s", stream->source, strerror(errno));
    }
    const char *colon = strstr(text, ": "); /* zlib puts its name of the file in front */
    return fail(err, "%s: bad gzip data: %s", stream->source, colon ? colon + 2 : text);
}

/* A read of at least one byte, or *got is 0 at the end; zlib reports a truncated file only there,
 * and not by gzread's result. */
static bool read_some(struct stream *stream, void *to, size_t want, size_t *got, struct error *err)
{
    errno = 0;
    int count = gzread(stream->file, to, (unsigned)(want < READ_MOST ? want : READ_MOST));
    *got = count > 0 ? (size_t)count : 0;
    if (count <= 0) {
        int code = Z_OK;
        const char *text = gzerror(stream->file, &code);
        stream->ended = true;
        if (code < 0) {
            return fail_read(stream, code, text, err);
        }
    }
    return true;
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
    return gzdirect(stream->file) != 0;
}
