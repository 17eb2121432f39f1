/* Bytes of a file or of standard input, plain or gzip'd, through one bounded buffer. */
#ifndef MOTE_DATA_STREAM_H
#define MOTE_DATA_STREAM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

enum stream_kind { STREAM_UNKNOWN, STREAM_PLAIN, STREAM_GZIP };

struct stream {
    int fd;
    const char *source; /* for messages */
    enum stream_kind kind;
    unsigned char *input; /* what was read from fd and not yet given or inflated: */
    z_stream inflater;    /* .. next_in, avail_in; set up where kind is STREAM_GZIP */
    bool fd_ended;
    char *data; /* data[at..end) is read and not yet used; data[end] is 0 */
    size_t at;
    size_t end;
    size_t capacity; /* without the byte for the 0 */
    bool ended;      /* nothing follows data[end] */
};

/* Open `path` ("-": standard input); close it whatever the result. */
bool stream_open(struct stream *stream, const char *path, struct error *err);
void stream_close(struct stream *stream);

/* Read more behind `end`, at least one byte or `ended` is set.  Moves the unused bytes to the
 * front and doubles the buffer when they fill it: callers bound how much they leave unused. */
bool stream_more(struct stream *stream, struct error *err);

/* Up to `want` bytes to `to`, fewer only at the end; *got of them. */
bool stream_read(struct stream *stream, void *to, size_t want, size_t *got, struct error *err);

/* Is the file plain, not gzip'd?  Known once something was read. */
bool stream_plain(const struct stream *stream);

#endif
