/* From a path to a dataset: the format is told by the first bytes. */
#include "base/arena.h"
#include "data/csv.h"
#include "data/npy.h"
#include "data/stream.h"
#include "data/table.h"

#include <stdlib.h>
#include <string.h>

#define STREAM_SAMPLES 1000000 /* rows taken from standard input unless told otherwise */

static bool starts_with(const struct stream *stream, const char *magic, size_t length)
{
    return stream->end - stream->at >= length &&
           memcmp(stream->data + stream->at, magic, length) == 0;
}

/* May more bytes tell the format?  No waiting for them where the first one tells: it is text, and
 * its rows may come one by one. */
static bool is_open(const struct stream *stream)
{
    unsigned char first = stream->end > 0 ? (unsigned char)stream->data[0] : 0;
    return stream->end == 0 || (stream->end < 6 && (first >= 0x80 || first == 'P'));
}

/* Enough bytes to tell the format. */
static bool peek(struct stream *stream, struct error *err)
{
    while (is_open(stream) && !stream->ended) {
        if (!stream_more(stream, err)) {
            return false;
        }
    }
    return stream->end > 0 || fail(err, "%s: empty", stream->source);
}

static bool load_archive(const struct stream *stream, const char *path, struct table *table,
                         struct error *err)
{
    if (!stream_plain(stream)) {
        return fail(err, "%s: a zip archive inside of gzip: unpack it first", stream->source);
    }
    return npz_load(path, table, err);
}

static bool load_stream(struct stream *stream, const char *path, struct table *table,
                        struct error *err)
{
    if (!peek(stream, err)) {
        return false;
    }
    if (starts_with(stream, "\x93NUMPY", 6)) {
        return npy_load(stream, table, err);
    }
    if (starts_with(stream, "PK\3\4", 4) || starts_with(stream, "PK\5\6", 4)) {
        return load_archive(stream, path, table, err);
    }
    if (starts_with(stream, "\xff\xfe", 2) || starts_with(stream, "\xfe\xff", 2)) {
        return fail(err, "%s: UTF-16 text: save it as UTF-8", stream->source);
    }
    return csv_load(stream, table, err);
}

static bool load_path(const char *path, struct table *table, struct error *err)
{
    struct stream stream;
    bool loaded = stream_open(&stream, path, err);
    if (loaded) {
        table->data->source = arena_string(table->data->arena, stream.source);
        loaded = table->data->source ? load_stream(&stream, path, table, err) : fail_memory(err);
    }
    stream_close(&stream);
    return loaded && table_finish(table, err);
}

struct dataset *dataset_new(void)
{
    struct dataset *data = calloc(1, sizeof *data);
    struct arena *arena = data ? arena_new() : NULL;
    if (!arena) {
        free(data);
        return NULL;
    }
    data->arena = arena;
    data->label = "";
    data->note = "";
    return data;
}

struct dataset *data_load(const char *path, const struct data_options *options, struct error *err)
{
    struct data_options own = *options;
    struct table table = {.data = dataset_new(), .options = &own, .label = -1};
    if (own.samples == 0 && strcmp(path, "-") == 0) {
        own.samples = STREAM_SAMPLES;
    }
    if (!table.data) {
        fail_memory(err);
        return NULL;
    }
    if (!load_path(path, &table, err)) {
        data_free(table.data);
        return NULL;
    }
    return table.data;
}

void data_free(struct dataset *data)
{
    if (!data) {
        return;
    }
    for (size_t b = 0; b < data->block_count; b++) {
        free(data->blocks[b]);
    }
    free(data->blocks);
    arena_free(data->arena);
    free(data);
}
