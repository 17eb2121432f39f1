/* Comma-separated text (RFC 4180; also separated by semicolons, tabs or blanks) to a table. */
#ifndef MOTE_DATA_CSV_H
#define MOTE_DATA_CSV_H

#include "data/stream.h"
#include "data/table.h"

#define CSV_RECORD_MAX ((size_t)8 << 20) /* bytes of one record */

/* Read from `stream` until its end or table->limit rows; calls table_start(), not
 * table_finish(). */
bool csv_load(struct stream *stream, struct table *table, struct error *err);

#endif
