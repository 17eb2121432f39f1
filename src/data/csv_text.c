#include "data/csv_text.h"

#include "data/csv.h"
#include "data/dataset.h"

#include <stdint.h>
#include <string.h>

#define NO_END "a quoted field starts here and has no end"

/* ---- places ---- */

bool csv_refuse(struct csv *csv, size_t offset, bool column, const char *why)
{
    size_t start = 0; /* of the line in a record of several lines */
    size_t line = csv->line;
    for (size_t i = 0; i < offset && i < csv->length; i++) {
        if (csv->text[i] == '\n') {
            start = i + 1;
            line++;
        }
    }
    const char *text = csv->text + start;
    size_t left = csv->length - (start < csv->length ? start : csv->length);
    const char *newline = memchr(text, '\n', left);
    size_t at = column ? offset - start + 1 : 0;
    struct place place = {csv->stream->source, line, at};
    fail_at(csv->err, place, "%s", why);
    error_excerpt(csv->err, text, newline ? (size_t)(newline - text) : left, at);
    return false;
}

/* ---- records ---- */

/* Where a record ends: quotes may hide line ends. */
#define NO_QUOTE (SIZE_MAX - 1)

struct scan {
    size_t at;     /* bytes of the record looked at so far */
    size_t open;   /* offset of the quote that opened the field */
    size_t quote;  /* offset of the last quote that opened or closed; none: NO_QUOTE */
    bool inside;   /* between quotes */
    bool at_start; /* nothing but blanks since the field began */
};

static void scan_byte(struct scan *scan, const struct csv *csv, char c)
{
    if (scan->inside) {
        scan->inside = c != '"'; /* a doubled quote opens it again */
        return;
    }
    bool blank = c == ' ' || c == '\t';
    bool separator = csv->separator ? c == csv->separator : c == ',' || c == ';' || blank;
    if (c == '"' && (scan->at_start || scan->at == scan->quote + 1)) {
        scan->inside = true;
        scan->open = scan->at_start ? scan->at : scan->open;
    }
    scan->at_start = separator || (scan->at_start && blank);
}

/* Move on to the line end that is not quoted, or to the end of what is in the buffer. */
static bool scan_quoted(struct csv *csv, struct scan *scan)
{
    const struct stream *stream = csv->stream;
    const char *text = stream->data + stream->at;
    size_t held = stream->end - stream->at;
    for (; scan->at < held; scan->at++) {
        if (text[scan->at] == '\n' && !scan->inside) {
            return true;
        }
        bool was_inside = scan->inside;
        scan_byte(scan, csv, text[scan->at]);
        if (was_inside != scan->inside) {
            scan->quote = scan->at;
        }
    }
    return false;
}

/* The common case: the next line end, and no quote before it. */
static bool scan_plain(struct csv *csv, struct scan *scan, bool *quotes)
{
    const struct stream *stream = csv->stream;
    const char *text = stream->data + stream->at;
    size_t held = stream->end - stream->at;
    const char *newline = memchr(text + scan->at, '\n', held - scan->at);
    size_t stop = newline ? (size_t)(newline - text) : held;
    if (memchr(text + scan->at, '"', stop - scan->at)) {
        *quotes = true;
        scan->at = 0; /* again, with an eye on quotes */
        return scan_quoted(csv, scan);
    }
    scan->at = stop;
    return newline != NULL;
}

static bool refuse_long(struct csv *csv, const struct scan *scan)
{
    csv->text = csv->stream->data + csv->stream->at;
    csv->length = scan->at;
    if (scan->inside) {
        return csv_refuse(csv, scan->open, true, NO_END);
    }
    if (!csv->separator) {
        csv_decide(csv);
    }
    if (csv_count(csv, DATA_COLUMNS_MAX) > DATA_COLUMNS_MAX) {
        return csv_refuse(csv, 0, false, "more than 100000 columns");
    }
    return csv_refuse(csv, 0, false, "the line is longer than 8 MB");
}

/* Bring a whole record into the buffer: scan->at bytes of it. */
static bool find_end(struct csv *csv, struct scan *scan)
{
    struct stream *stream = csv->stream;
    bool quotes = false;
    while (!(quotes ? scan_quoted(csv, scan) : scan_plain(csv, scan, &quotes))) {
        if (stream->ended && !scan->inside) {
            return true;
        }
        if (stream->ended || scan->at > CSV_RECORD_MAX) {
            return refuse_long(csv, scan);
        }
        if (!stream_more(stream, csv->err)) {
            return false;
        }
    }
    return true;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;
    const char *end = text + length;
    while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        lines++;
        text++;
    }
    return lines;
}

/* Blanks separate, but end no field of their own. */
static void trim_end(struct csv *csv)
{
    while (csv->separator == ' ' && csv->length > 0 &&
           (csv->text[csv->length - 1] == ' ' || csv->text[csv->length - 1] == '\t')) {
        csv->length--;
    }
}

bool csv_record(struct csv *csv, bool *more)
{
    struct stream *stream = csv->stream;
    struct scan scan = {.at_start = true, .quote = NO_QUOTE};
    csv->line = csv->next_line;
    if (!find_end(csv, &scan)) {
        return false;
    }
    if (scan.at > CSV_RECORD_MAX) {
        return refuse_long(csv, &scan);
    }
    const char *text = stream->data + stream->at;
    size_t length = scan.at;
    bool newline = length < stream->end - stream->at;
    *more = newline || length > 0;
    stream->at += length + newline;
    csv->next_line += 1 + count_lines(text, length);
    length -= length > 0 && text[length - 1] == '\r';
    csv->text = text;
    csv->length = length;
    trim_end(csv);
    const char *nul = memchr(text, 0, length);
    return !nul || csv_refuse(csv, (size_t)(nul - text), true, "a NUL byte: this is not text");
}

bool csv_blank(const struct csv *csv)
{
    for (size_t i = 0; i < csv->length; i++) {
        if (csv->text[i] != ' ' && csv->text[i] != '\t') {
            return false;
        }
    }
    return true;
}

/* ---- fields ---- */

const char *csv_blanks(const struct csv *csv, const char *text)
{
    while (*text == ' ' || (*text == '\t' && csv->separator != '\t')) {
        text++;
    }
    return text;
}

/* Offset of the separator that ends the unquoted field at `at`, or the record's length.  A blank
 * before a bracket separates nothing: "x [mm] y [mm]" are two fields. */
static size_t field_end(const struct csv *csv, size_t at)
{
    if (csv->separator != ' ') {
        const char *end = memchr(csv->text + at, csv->separator, csv->length - at);
        return end ? (size_t)(end - csv->text) : csv->length;
    }
    for (; at < csv->length; at++) {
        if (csv->text[at] == ' ' || csv->text[at] == '\t') {
            const char *next = csv_blanks(csv, csv->text + at);
            if (*next != '[') {
                return at;
            }
        }
    }
    return at;
}

/* Offset of the quote that closes the field whose opening quote is at `at`; the record's length
 * where there is none. */
static size_t closing_quote(const struct csv *csv, size_t at)
{
    size_t close = at + 1;
    while (close < csv->length) {
        if (csv->text[close] == '"') {
            if (close + 1 >= csv->length || csv->text[close + 1] != '"') {
                break;
            }
            close++;
        }
        close++;
    }
    return close;
}

size_t csv_after(const struct csv *csv, const char *stop)
{
    const char *end = csv->text + csv->length;
    const char *next = csv_blanks(csv, stop);
    if (next >= end) {
        return csv->length + 1;
    }
    if (csv->separator == ' ') {
        return next > stop && *next != '[' ? (size_t)(next - csv->text) : 0;
    }
    return *next == csv->separator ? (size_t)(next - csv->text) + 1 : 0;
}

static bool quoted_field(struct csv *csv, size_t *at, struct field *field)
{
    size_t close = closing_quote(csv, field->at);
    if (close >= csv->length) {
        return csv_refuse(csv, field->at, true, NO_END);
    }
    csv->scratch.length = 0;
    for (size_t i = field->at + 1; i < close; i++) {
        text_bytes(&csv->scratch, csv->text + i, 1);
        i += csv->text[i] == '"';
    }
    text_bytes(&csv->scratch, "", 0);
    if (csv->scratch.failed) {
        return fail_memory(csv->err);
    }
    field->quoted = true;
    field->text = csv->scratch.data ? csv->scratch.data : "";
    field->length = csv->scratch.length;
    *at = csv_after(csv, csv->text + close + 1);
    return *at > 0 || csv_refuse(csv, close + 1, true, "text behind the closing quote");
}

bool csv_field(struct csv *csv, size_t *at, struct field *field)
{
    const char *start = csv_blanks(csv, csv->text + *at);
    *field = (struct field){.text = start, .at = (size_t)(start - csv->text)};
    if (field->at >= csv->length) {
        field->at = field->at > csv->length ? csv->length : field->at;
        *at = csv->length + 1;
        return true;
    }
    if (*start == '"') {
        return quoted_field(csv, at, field);
    }
    size_t end = field_end(csv, field->at);
    *at = csv_after(csv, csv->text + end);
    while (end > field->at && (csv->text[end - 1] == ' ' || csv->text[end - 1] == '\t')) {
        end--;
    }
    field->length = end - field->at;
    return true;
}

bool csv_skip(struct csv *csv, size_t *at)
{
    struct field field;
    return csv_field(csv, at, &field);
}

size_t csv_count(const struct csv *csv, size_t limit)
{
    size_t count = 0;
    for (size_t at = 0; at <= csv->length && count <= limit; count++) {
        const char *start = csv_blanks(csv, csv->text + at);
        size_t from = (size_t)(start - csv->text);
        if (from >= csv->length) {
            at = csv->length + 1;
            continue;
        }
        size_t end = *start == '"' ? closing_quote(csv, from) + 1 : field_end(csv, from);
        end = end < csv->length ? field_end(csv, end) : csv->length;
        at = csv_after(csv, csv->text + end);
    }
    return count;
}

/* Separators outside of quotes: the first of these that occurs decides. */
void csv_decide(struct csv *csv)
{
    static const char candidates[] = ";,\t";
    for (const char *c = candidates; *c; c++) {
        bool inside = false;
        for (size_t i = 0; i < csv->length; i++) {
            inside ^= csv->text[i] == '"';
            if (csv->text[i] == *c && !inside) {
                csv->separator = *c;
                return;
            }
        }
    }
    csv->separator = ' ';
    trim_end(csv);
}
