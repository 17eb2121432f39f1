/* What the fuzzers of tables share: bytes to a file, and what holds for any table read from it. */
#ifndef MOTE_FUZZ_TABLE_H
#define MOTE_FUZZ_TABLE_H

#include "data/dataset.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char table_path[64];

static void table_remove(void)
{
    (void)unlink(table_path);
}

/* One file for the whole run. */
static inline const char *table_file(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        (void)snprintf(table_path, sizeof table_path, "/dev/shm/mote-fuzz-XXXXXX");
        fd = mkstemp(table_path);
    }
    if (fd < 0) {
        (void)snprintf(table_path, sizeof table_path, "/tmp/mote-fuzz-XXXXXX");
        fd = mkstemp(table_path);
    }
    static int registered;
    if (!registered) {
        registered = atexit(table_remove) == 0;
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size) {
        abort();
    }
    return table_path;
}

static inline void table_require(int condition)
{
    if (!condition) {
        abort();
    }
}

static inline void table_check(const struct dataset *data)
{
    int width = data->input_count + data->output_count;
    table_require(data->row_count > 0 && data->input_count > 0);
    for (int c = 0; c < width; c++) {
        table_require(strlen(data->columns[c].name) <= 200 && data->columns[c].unit != NULL);
        table_require(data->columns[c].low <= data->columns[c].high);
    }
    for (size_t r = 0; r < data->row_count; r++) {
        const float *row = data_row(data, r);
        for (int c = 0; c < width; c++) {
            table_require(isfinite(row[c]));
        }
        float last = row[width - 1];
        table_require(data->class_count == 0 ||
                      (last >= 0 && last < (float)data->class_count && floorf(last) == last));
    }
}

/* Is it a PNG of more pixels than are quickly decoded, though allowed? */
static inline int table_large_png(const uint8_t *bytes, size_t size)
{
    uint64_t sides[2] = {0, 0};
    for (size_t i = 0; size >= 24 && i < 8; i++) {
        sides[i / 4] = sides[i / 4] << 8 | bytes[16 + i];
    }
    return bytes[0] == 0x89 && sides[0] <= 16384 && sides[1] <= 16384 &&
           sides[0] * sides[1] > 1 << 20;
}

/* A table that holds together, or an error with one line. */
static inline void table_load(const char *path, const struct data_options *options)
{
    struct error err = {0};
    struct dataset *data = data_load(path, options, &err);
    if (data) {
        table_require(!err.failed);
        table_check(data);
    } else {
        table_require(err.failed && err.message[0] && !strchr(err.message, '\n'));
    }
    data_free(data);
}

#endif
