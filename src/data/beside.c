/* Label files: found by the name of the images' file, told by their first bytes. */
#include "data/gather.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)1 << 28)

/* ---- names ---- */

/* Append `from`, with the first `word` in it replaced. */
static void add_replaced(struct text *text, const char *from, const char *word, const char *by)
{
    const char *at = strstr(from, word);
    size_t before = at ? (size_t)(at - from) : strlen(from);
    text_bytes(text, from, before);
    if (at) {
        text_add(text, by);
        text_add(text, at + strlen(word));
    }
}

/* train-images-idx3-ubyte -> train-labels-idx1-ubyte; x_train.npy -> y_train.npy. */
static bool derive(const char *path, struct text *name)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    text_bytes(name, path, (size_t)(base - path));
    if (strstr(base, "images")) {
        struct text once = {0};
        struct text twice = {0};
        add_replaced(&once, base, "images", "labels");
        add_replaced(&twice, once.failed ? "" : once.data, "idx3", "idx1");
        add_replaced(name, twice.failed ? "" : twice.data, "idx4", "idx1");
        name->failed = name->failed || once.failed || twice.failed;
        text_free(&once);
        text_free(&twice);
        return true;
    }
    if ((base[0] == 'x' || base[0] == 'X') && base[1] && strchr("._-", base[1])) {
        text_add(name, base[0] == 'x' ? "y" : "Y");
        text_add(name, base + 1);
        return true;
    }
    return false;
}

/* With or without .gz, whichever is there; false where none is. */
static bool exists(struct text *name)
{
    if (name->failed || access(name->data, R_OK) == 0) {
        return !name->failed;
    }
    size_t length = name->length;
    if (length > 3 && strcmp(name->data + length - 3, ".gz") == 0) {
        name->data[length - 3] = 0;
    } else {
        text_add(name, ".gz");
    }
    return !name->failed && access(name->data, R_OK) == 0;
}

/* ---- text: a label a line ---- */

static bool is_heading(const char *line)
{
    return strcmp(line, "label") == 0 || strcmp(line, "labels") == 0 || strcmp(line, "class") == 0;
}

static bool wrong_count(const struct gather *gather, const char *name, size_t count,
                        struct error *err)
{
    return fail(err, "%s: %s%zu labels, but %s has %zu images", name,
                count > gather->stated ? "more than " : "",
                count > gather->stated ? gather->stated : count, gather->images->source,
                gather->stated);
}

/* One line without its end; `line` counts from 1. */
static bool take_line(struct gather *gather, char *text, const char *name, size_t line,
                      struct error *err)
{
    size_t length = strlen(text);
    char place[400];
    if (length > 0 && text[length - 1] == '\r') {
        text[length - 1] = 0;
    }
    if (line == 1 && is_heading(text)) {
        return true;
    }
    if (gather->label_count == gather->stated) {
        return wrong_count(gather, name, gather->stated + 1, err);
    }
    (void)snprintf(place, sizeof place, "%.300s:%zu", name, line);
    if (gather->label_count >= (size_t)gather->images->count) {
        gather->label_count++; /* beyond --samples: counted alone */
        return true;
    }
    return gather_label(gather, text, place, err);
}

static bool read_lines(struct gather *gather, struct stream *stream, struct error *err)
{
    size_t line = 0;
    for (;;) {
        char *start = stream->data + stream->at;
        char *end = memchr(start, '\n', stream->end - stream->at);
        if (!end && !stream->ended) {
            if (stream->end - stream->at > NAME_BYTES + 2) {
                return fail(err, "%s:%zu: a label longer than %d bytes", stream->source, line + 1,
                            NAME_BYTES);
            }
            if (!stream_more(stream, err)) {
                return false;
            }
            continue;
        }
        size_t length = end ? (size_t)(end - start) : stream->end - stream->at;
        if (length == 0 && !end) {
            break;
        }
        start[length] = 0;
        if (strlen(start) != length) {
            return fail(err, "%s:%zu: a zero byte: no text", stream->source, line + 1);
        }
        if (!take_line(gather, start, stream->source, ++line, err)) {
            return false;
        }
        stream->at += length + (end != NULL);
    }
    return gather->label_count == gather->stated ||
           wrong_count(gather, stream->source, gather->label_count, err);
}

/* ---- any format ---- */

static bool read_stream(void *context, void *to, size_t want, size_t *got, struct error *err)
{
    return stream_read(context, to, want, got, err);
}

static bool read_labels(struct gather *gather, struct stream *stream, const char *path,
                        struct error *err)
{
    struct source source = {read_stream, stream, stream->source};
    while (stream->end < 8 && !stream->ended) {
        if (!stream_more(stream, err)) {
            return false;
        }
    }
    const unsigned char *start = (const unsigned char *)stream->data;
    if (stream->end == 0) {
        return fail(err, "%s: empty", stream->source);
    }
    if (idx_known(start, stream->end)) {
        return idx_labels(gather, &source, err);
    }
    if (stream->end >= 6 && memcmp(start, "\x93NUMPY", 6) == 0) {
        return arrays_labels(gather, &source, err);
    }
    if (stream->end >= 4 && memcmp(start, "PK\3\4", 4) == 0) {
        return arrays_archive_labels(gather, path, err);
    }
    return read_lines(gather, stream, err);
}

static bool read_path(struct gather *gather, const char *path, struct error *err)
{
    struct stream stream;
    bool read = stream_open(&stream, path, err) && read_labels(gather, &stream, path, err);
    stream_close(&stream);
    return read;
}

bool labels_beside(struct gather *gather, const char *path, struct error *err)
{
    if (gather->options->labels) {
        return read_path(gather, gather->options->labels, err);
    }
    struct text name = {0};
    bool good = true;
    if (derive(path, &name) && exists(&name)) {
        good = read_path(gather, name.data, err);
    }
    good = good && (!name.failed || fail_memory(err));
    text_free(&name);
    return good;
}
