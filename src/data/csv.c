#include "data/csv.h"

#include "base/arena.h"
#include "data/csv_text.h"
#include "data/number.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHOWN 40 /* bytes of a field that a message quotes */

struct loader {
    struct csv csv;
    struct table *table;
    int count; /* fields of each row */
};

/* ---- fields to values ---- */

/* Quote a field in a message: "'NaN' is not a number". */
static bool refuse_field(struct csv *csv, const struct field *field, const char *what)
{
    char why[SHOWN + 80];
    int length = field->length < SHOWN ? (int)field->length : SHOWN;
    (void)snprintf(why, sizeof why, "'%.*s%s' %s", length, field->text,
                   field->length > SHOWN ? "..." : "", what);
    return csv_refuse(csv, field->at, true, why);
}

/* Fields that are not a plain number with a separator behind it: quoted ones, and errors. */
static bool read_odd_number(struct csv *csv, size_t *at, float *to)
{
    struct field field;
    double value = 0;
    if (!csv_field(csv, at, &field)) {
        return false;
    }
    if (field.length == 0) {
        return csv_refuse(csv, field.at, true, "a number is missing here");
    }
    const char *start = csv_blanks(csv, field.text);
    const char *stop = number_parse(start, &value);
    if (!stop || csv_blanks(csv, stop) != field.text + field.length) {
        return refuse_field(csv, &field, "is not a number");
    }
    if (!number_fits(value)) {
        return refuse_field(csv, &field, "is out of range: a 32-bit float ends at 3.4e38");
    }
    *to = (float)value;
    return true;
}

static bool read_number(struct csv *csv, size_t *at, float *to)
{
    double value;
    const char *stop = number_parse(csv_blanks(csv, csv->text + *at), &value);
    size_t next = stop ? csv_after(csv, stop) : 0;
    if (next == 0 || !number_fits(value)) {
        return read_odd_number(csv, at, to);
    }
    *to = (float)value;
    *at = next;
    return true;
}

static bool read_label(struct loader *loader, size_t *at, float *to)
{
    struct csv *csv = &loader->csv;
    struct field field;
    struct reason reason = {""};
    if (!csv_field(csv, at, &field)) {
        return false;
    }
    int index = labels_index(&loader->table->labels, field.text, field.length, &reason);
    if (index < 0) {
        return reason.text[0] ? csv_refuse(csv, field.at, true, reason.text)
                              : fail_memory(csv->err);
    }
    *to = (float)index;
    return true;
}

/* ---- rows ---- */

static bool refuse_ragged(struct loader *loader)
{
    char why[120];
    size_t count = csv_count(&loader->csv, DATA_COLUMNS_MAX);
    (void)snprintf(why, sizeof why, "%zu field%s, but the first row has %d", count,
                   count == 1 ? "" : "s", loader->count);
    return csv_refuse(&loader->csv, 0, false, why);
}

static bool read_field(struct loader *loader, int column, size_t *at, float *row)
{
    const struct table *table = loader->table;
    int target = table->target[column];
    if (target < 0) {
        return csv_skip(&loader->csv, at);
    }
    if (column == table->label) {
        return read_label(loader, at, row + target);
    }
    return read_number(&loader->csv, at, row + target);
}

/* The record at hand is a row. */
static bool read_row(struct loader *loader)
{
    struct csv *csv = &loader->csv;
    float *row = table_next(loader->table, csv->err);
    size_t at = 0;
    if (!row) {
        return false;
    }
    for (int i = 0; i < loader->count; i++) {
        if (at > csv->length) {
            return refuse_ragged(loader);
        }
        if (!read_field(loader, i, &at, row)) {
            return false;
        }
    }
    if (at <= csv->length) {
        return refuse_ragged(loader);
    }
    const char *why = table_commit(loader->table, row);
    return !why || csv_refuse(csv, 0, false, why);
}

/* Blank lines may stand at the end, nowhere else: in a file of one column they are lost values. */
static bool check_blank(struct loader *loader, size_t blank_line, bool *more)
{
    struct csv *csv = &loader->csv;
    while (*more && csv_blank(csv)) {
        if (!csv_record(csv, more)) {
            return false;
        }
    }
    if (*more) {
        struct place place = {csv->stream->source, blank_line, 0};
        return fail_at(csv->err, place, "an empty line, but rows follow");
    }
    return true;
}

static bool read_rows(struct loader *loader, bool more)
{
    struct csv *csv = &loader->csv;
    struct table *table = loader->table;
    while (more && !csv_blank(csv)) {
        if (table->data->row_count == table->limit) {
            table->data->more = true;
            return true;
        }
        if (!read_row(loader) || !csv_record(csv, &more)) {
            return false;
        }
    }
    return check_blank(loader, csv->line, &more);
}

/* ---- the first line ---- */

/* A number, or what programs write in place of one. */
static bool looks_numeric(const struct field *field)
{
    double value;
    char text[12];
    const char *stop = number_parse(field->text, &value);
    if (stop) {
        return stop == field->text + field->length;
    }
    if (field->length == 0 || field->length >= sizeof text) {
        return field->length == 0;
    }
    memcpy(text, field->text, field->length);
    text[field->length] = 0;
    const char *word = text + (text[0] == '-' || text[0] == '+');
    return strcasecmp(word, "nan") == 0 || strcasecmp(word, "inf") == 0 ||
           strcasecmp(word, "infinity") == 0 || strcmp(word, "NA") == 0;
}

/* Names, unless all fields look like numbers.  A column of text labels that was given by number
 * does not count. */
static bool is_header(struct loader *loader, bool *header)
{
    struct csv *csv = &loader->csv;
    const char *label = loader->table->options->label;
    int number = 1;
    bool empty = true;
    *header = false;
    for (size_t at = 0; at <= csv->length; number++) {
        char text[16];
        struct field field;
        if (!csv_field(csv, &at, &field)) {
            return false;
        }
        (void)snprintf(text, sizeof text, "%d", number);
        bool is_label = label && strcmp(label, text) == 0 && loader->count > 1;
        empty = empty && field.length == 0;
        *header = *header || (!looks_numeric(&field) && !is_label);
    }
    *header = *header && !empty;
    return true;
}

static bool read_name(struct loader *loader, size_t *at, struct heading *heading, int i)
{
    struct csv *csv = &loader->csv;
    struct arena *arena = loader->table->data->arena;
    struct field field;
    if (!csv_field(csv, at, &field)) {
        return false;
    }
    const char *fault = name_fault(field.text, field.length);
    if (fault) {
        char why[80];
        (void)snprintf(why, sizeof why, "a column name %s", fault);
        return csv_refuse(csv, field.at, true, why);
    }
    return name_split(arena, field.text, field.length, &heading->names[i], &heading->units[i]) ||
           fail_memory(csv->err);
}

static bool read_heading(struct loader *loader, struct heading *heading)
{
    struct arena *arena = loader->table->data->arena;
    size_t count = (size_t)loader->count;
    heading->count = loader->count;
    heading->names = arena_alloc(arena, count, sizeof *heading->names);
    heading->units = arena_alloc(arena, count, sizeof *heading->units);
    if (!heading->names || !heading->units || !is_header(loader, &heading->has_header)) {
        return fail_memory(loader->csv.err);
    }
    size_t at = 0;
    for (int i = 0; i < heading->count; i++) {
        heading->names[i] = "";
        heading->units[i] = "";
        if (heading->has_header && !read_name(loader, &at, heading, i)) {
            return false;
        }
    }
    return true;
}

/* To the first line that is not blank; the byte order mark goes. */
static bool first_line(struct loader *loader)
{
    struct csv *csv = &loader->csv;
    struct stream *stream = csv->stream;
    bool more = true;
    if (stream->end - stream->at >= 3 &&
        memcmp(stream->data + stream->at, "\xef\xbb\xbf", 3) == 0) {
        stream->at += 3;
    }
    do {
        if (!csv_record(csv, &more)) {
            return false;
        }
    } while (more && csv_blank(csv));
    if (!more) {
        return fail(csv->err, "%s: empty", stream->source);
    }
    csv_decide(csv);
    size_t count = csv_count(csv, DATA_COLUMNS_MAX);
    if (count > DATA_COLUMNS_MAX) {
        return csv_refuse(csv, 0, false, "more than 100000 columns");
    }
    loader->count = (int)count;
    return true;
}

static bool load(struct loader *loader)
{
    struct heading heading = {0};
    bool more = true;
    if (!first_line(loader) || !read_heading(loader, &heading) ||
        !table_start(loader->table, &heading, loader->csv.err)) {
        return false;
    }
    if (heading.has_header && !csv_record(&loader->csv, &more)) {
        return false;
    }
    if (!read_rows(loader, more)) {
        return false;
    }
    if (loader->table->data->row_count + loader->table->given == 0) {
        return fail(loader->csv.err, "%s: a header, but no rows", loader->csv.stream->source);
    }
    return true;
}

bool csv_load(struct stream *stream, struct table *table, struct error *err)
{
    struct loader loader = {
        .csv = {.stream = stream, .err = err, .next_line = 1},
        .table = table,
    };
    bool loaded = load(&loader);
    text_free(&loader.csv.scratch);
    return loaded;
}
