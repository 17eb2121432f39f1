/* Tables of numbers: what training and evaluation read.
 *
 * Values are float32, row-major, in blocks, so that reading never copies: peak memory stays below
 * twice the data plus 64 MB.  A dataset owns everything through its arena and blocks.
 */
#ifndef MOTE_DATA_DATASET_H
#define MOTE_DATA_DATASET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATA_COLUMNS_MAX 100000
#define DATA_BLOCK_ROWS  1024 /* rows of one block; the last one may hold fewer */

struct column {
    const char *name; /* as in the file without its unit; "" when there is no header */
    const char *unit; /* from "x [mm]"; "" if none */
    double low, high; /* range of the values over all rows */
    bool integer;     /* every value is an integer */
};

/* Columns 0..input_count-1 are inputs, then output_count outputs (file order is kept within
 * each).  Classification: output_count is 1 and the value is the class index. */
struct dataset {
    struct arena *arena;
    const char *source; /* for messages: the path, or "<stdin>" */
    struct column *columns;
    int input_count;
    int output_count;
    size_t row_count;
    float **blocks; /* block b holds rows b*DATA_BLOCK_ROWS .. */
    size_t block_count;
    int class_count; /* 0: regression */
    const char *const
        *classes;      /* class names, in index order (sorted: numbers by value, else bytes) */
    const char *label; /* label column's name, or "" (one-hot outputs, no header) */
    bool has_header;
    bool one_hot;     /* classes came from one-hot outputs; their names are the columns' */
    bool more;        /* a stream had more rows than `samples` */
    uint64_t hash;    /* of names and values, in order: identifies the data in the provenance */
    const char *note; /* remarks for the user, lines without the last newline; "" if none */
};

struct data_options {
    int outputs;              /* the last K columns are outputs; 0: see output_names, label */
    const char *output_names; /* "x,y,z": the output columns by name, or by 1-based number where no
                                 column has that name; NULL: none given */
    const char *label;        /* the label column by name or 1-based number; NULL: regression */
    bool one_hot;             /* the outputs are one-hot classes; without it they are found to be so
                                 when there are two or more, all 0 or 1, and one 1 in each row */
    bool keep_columns;        /* do not treat 0/1 outputs as one-hot */
    bool inputs_only;         /* `run`: all columns are inputs, or those in input_names */
    bool skip_outputs;        /* with it: of an archive of x and y, read x alone */
    const char *const *input_names;   /* pick these columns by name, in this order; NULL, or data
                                         without a header: all that are no outputs */
    int input_count;                  /* entries of input_names, or the number of inputs expected
                                         (0: any) */
    const char *const *known_classes; /* evaluation: map labels to these, others are errors; without
                                         a label the outputs have to be one-hot */
    int known_class_count;
    size_t samples; /* stop after this many rows; 0: all (streams: 1 000 000) */
    /* Called with each row as soon as it is read; rows are then not kept (row_count is 0) and
     * `samples` does not count.  Columns are known at the first call.  False ends the reading with
     * a failure.  NULL: keep the rows. */
    bool (*each)(void *context, const struct dataset *data, const float *row);
    void *each_context;
};

/* Read CSV (with or without header, .gz too), .npy, .npz or standard input ("-"): the format is
 * told by content, not by name.  NULL on failure. */
struct dataset *data_load(const char *path, const struct data_options *options, struct error *err);
/* The same from `rows` rows in memory, each of `inputs` then `outputs` numbers, which must be
 * finite; columns have no names (memory.c).  NULL on failure. */
struct dataset *data_from_rows(const float *values, size_t rows, int inputs, int outputs,
                               struct error *err);

void data_free(struct dataset *data);

/* Row `index`: input_count + output_count floats. */
const float *data_row(const struct dataset *data, size_t index);

/* ---- split (split.c) ---- */

enum part { PART_TRAIN, PART_VALIDATION, PART_TEST };

/* Which part a row belongs to: a function of seed and row number alone, so that a longer stream
 * keeps the parts of its beginning.  About 10 % validation and 10 % test. */
enum part data_part(uint64_t seed, size_t row);

/* Indices of all rows of a part, ascending; *count of them; malloc'd, owned by the caller.  For
 * tiny data every part has at least one row as long as there are three rows.  NULL: no memory. */
uint32_t *data_part_rows(const struct dataset *data, uint64_t seed, enum part part, size_t *count);

#endif
