/* Records and fields of separated text: csv.c gives them meaning. */
#ifndef MOTE_DATA_CSV_TEXT_H
#define MOTE_DATA_CSV_TEXT_H

#include "base/error.h"
#include "base/text.h"
#include "data/stream.h"

#include <stdbool.h>
#include <stddef.h>

struct csv {
    struct stream *stream;
    struct error *err;
    char separator;   /* ',' ';' '\t', or ' ' for runs of blanks */
    const char *text; /* the record in the stream's buffer, followed by a byte that ends fields */
    size_t length;    /* without its line end */
    size_t line;      /* 1-based line on which it starts */
    size_t next_line; /* ... and the one after it */
    struct text scratch; /* content of a quoted field */
};

struct field {
    const char *text; /* trimmed, or the content between quotes; a byte that ends it follows */
    size_t length;
    size_t at; /* offset in the record of its first character */
    bool quoted;
};

/* Take the next record; *more is false at the end. */
bool csv_record(struct csv *csv, bool *more);

/* Only blanks? */
bool csv_blank(const struct csv *csv);

/* Decide the separator from the record at hand. */
void csv_decide(struct csv *csv);

/* Fields of the record at hand, counted up to `limit` + 1. */
size_t csv_count(const struct csv *csv, size_t limit);

/* The field at offset *at, which moves on to the next; beyond `length` there are no more. */
bool csv_field(struct csv *csv, size_t *at, struct field *field);

/* The same without looking at it. */
bool csv_skip(struct csv *csv, size_t *at);

/* Where the field behind `stop` begins, if only blanks lie between `stop` and the field's end;
 * else 0. */
size_t csv_after(const struct csv *csv, const char *stop);

const char *csv_blanks(const struct csv *csv, const char *text);

/* Fail at an offset of the record (`column` false: at its line only) and show the line. */
bool csv_refuse(struct csv *csv, size_t offset, bool column, const char *why);

#endif
