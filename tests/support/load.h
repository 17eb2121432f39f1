/* Loading tables from texts in tests. */
#ifndef MOTE_TESTS_LOAD_H
#define MOTE_TESTS_LOAD_H

#include "data/dataset.h"

/* The bytes as a file "t.csv" in the scratch folder; NULL with `err` filled on failure. */
struct dataset *load_bytes(const void *bytes, size_t size, const struct data_options *options,
                           struct error *err);
struct dataset *load_text(const char *text, const struct data_options *options, struct error *err);

/* The bytes through a pipe at standard input. */
struct dataset *load_stdin(const void *bytes, size_t size, const struct data_options *options,
                           struct error *err);

/* What a process of its own needed at most to load a file of inputs. */
struct peak {
    size_t rows; /* 0: it could not be loaded */
    long kilobytes;
};
struct peak load_peak(const char *path);

/* A message without the folder of its path: "t.csv:2:1: ...". */
const char *base_message(const struct error *err);

/* Are two tables the same in shape, names, classes, values and hash? */
int same_data(const struct dataset *left, const struct dataset *right);

#endif
