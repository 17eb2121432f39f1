/* A dataset under construction: which column of the file becomes what, and the rows so far.
 *
 * A reader calls table_start() once it knows the columns; then for each row table_next(), fills
 * row[target[column]] of every column with a target, and table_commit(); table_finish() at last.
 */
#ifndef MOTE_DATA_TABLE_H
#define MOTE_DATA_TABLE_H

#include "data/dataset.h"
#include "data/labels.h"

/* What the file says about its columns. */
struct heading {
    const char **names; /* without units; owned by the dataset's arena, like the strings */
    const char **units;
    int count;
    bool has_header;
    int outputs; /* the file itself says that its last columns are outputs; 0: it does not */
};

struct table {
    struct dataset *data;
    const struct data_options *options;
    struct heading heading;
    int *target;   /* file column -> dataset column; -1: not read; in the dataset's arena */
    int label;     /* file column of the labels; -1: none */
    int width;     /* floats of a row */
    size_t limit;  /* rows to read at most */
    size_t given;  /* rows that options->each took */
    size_t room;   /* rows that the last block can hold as allocated */
    size_t blocks; /* allocated entries of data->blocks */
    struct labels labels;
    bool one_hot;       /* so far every row is */
    int32_t *hot_class; /* output -> class where known classes are in another order; or NULL */
};

/* An empty dataset with its arena, for data_free(); NULL: out of memory. */
struct dataset *dataset_new(void);

bool table_start(struct table *table, const struct heading *heading, struct error *err);

/* Room for the next row, table->width floats; NULL: out of memory (err says so). */
float *table_next(struct table *table, struct error *err);

/* Keep the row that table_next() gave.  NULL, or why it is refused. */
const char *table_commit(struct table *table, const float *row);

bool table_finish(struct table *table, struct error *err);

/* ---- roles.c: options to column roles ---- */

/* Fills target, label, width and the dataset's columns, counts and label name. */
bool roles_choose(struct table *table, struct error *err);

/* Split "x [mm]" into name and unit, both in the arena.  False: no memory. */
bool name_split(struct arena *arena, const char *text, size_t length, const char **name,
                const char **unit);

/* ---- classes.c: labels and one-hot outputs to class indices ---- */

bool classes_finish(struct table *table, struct error *err);

/* ---- rows.c ---- */

/* Give back what the last block does not need, and rows to `width` floats each, keeping the first
 * ones of each. */
void rows_shrink(struct table *table, int width);

/* ---- summary.c: ranges, remarks, hash ---- */

bool summarise(struct dataset *data, const struct data_options *options, struct error *err);

/* "column 'x'" or "column 3", 1-based. */
void column_text(const struct column *column, int index, char *text, size_t size);

#endif
