#include "data/npy.h"

#include "base/arena.h"
#include "data/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER      ((size_t)1 << 16) /* bytes read at once, or one row */
#define CHUNK       ((size_t)1 << 18) /* floats of one piece of a Fortran array */
#define EXACT_FLOAT 16777216.0        /* 2^24 */

/* ---- elements ---- */

/* IEEE 754 binary16. */
static double half_value(unsigned bits)
{
    double fraction = bits & 0x3ff;
    int exponent = (int)(bits >> 10 & 0x1f);
    double value = exponent == 31 ? (fraction != 0 ? (double)NAN : HUGE_VAL)
                   : exponent     ? ldexp(fraction + 1024, exponent - 25)
                                  : ldexp(fraction, -24);
    return bits & 0x8000 ? -value : value;
}

static double float_value(uint64_t bits, int size)
{
    if (size == 2) {
        return half_value((unsigned)bits);
    }
    if (size == 4) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double npy_value(struct npy_type type, const unsigned char *bytes)
{
    uint64_t bits = 0;
    for (int i = 0; i < type.size; i++) {
        bits = bits << 8 | bytes[type.big ? i : type.size - 1 - i];
    }
    switch (type.kind) {
    case 'f': return float_value(bits, type.size);
    case 'i': {
        uint64_t sign = UINT64_C(1) << (8 * type.size - 1);
        return bits & sign ? -(double)((sign - 1 - (bits & (sign - 1))) + 1) : (double)bits;
    }
    case 'b': return bits ? 1 : 0;
    default: return (double)bits;
    }
}

/* ---- rows ---- */

static size_t row_size(const struct npy *npy)
{
    return npy->header.columns * (size_t)npy->header.type.size;
}

static bool refuse_truncated(const struct npy *npy, size_t row, struct error *err)
{
    return fail(err, "%s: truncated in row %zu of %zu", npy->source.name, row + 1,
                npy->header.rows);
}

/* The next rows into the buffer. */
static bool read_rows(struct npy *npy, struct error *err)
{
    size_t size = row_size(npy); /* npy_header_table() refuses arrays without columns */
    if (size == 0) {
        return refuse_truncated(npy, npy->given, err);
    }
    size_t room = BUFFER / size ? BUFFER / size : 1;
    size_t left = npy->header.rows - npy->given;
    size_t want = room < left ? room : left;
    size_t got = 0;
    if (!npy->source.read(npy->source.context, npy->buffer, want * size, &got, err)) {
        return false;
    }
    npy->buffered = got / size;
    npy->used = 0;
    return npy->buffered > 0 || refuse_truncated(npy, npy->given, err);
}

/* Where an element of a Fortran array is kept: the memory grows with what was really read. */
static float *chunk_place(struct npy *npy, size_t index)
{
    size_t chunk = index / CHUNK;
    if (chunk >= npy->chunk_count) {
        float **chunks = realloc(npy->chunks, (chunk + 1) * sizeof *chunks);
        if (!chunks) {
            return NULL;
        }
        npy->chunks = chunks;
        chunks[chunk] = malloc(CHUNK * sizeof(float));
        if (!chunks[chunk]) {
            return NULL;
        }
        npy->chunk_count++;
    }
    return npy->chunks[chunk] + index % CHUNK;
}

/* Elements first.. of the array, `count` of them, in the file's order. */
static bool keep_elements(struct npy *npy, size_t first, size_t count, struct error *err)
{
    const struct npy_header *header = &npy->header;
    for (size_t i = 0; i < count; i++) {
        size_t row = (first + i) % header->rows;
        size_t column = (first + i) / header->rows;
        if (row >= npy->buffered) {
            continue; /* beyond the rows that will be asked for */
        }
        float *place = chunk_place(npy, column * npy->buffered + row);
        double value = npy_value(header->type, npy->buffer + i * (size_t)header->type.size);
        if (!place) {
            return fail_memory(err);
        }
        *place = number_fits(value) ? (float)value : (float)HUGE_VAL;
    }
    return true;
}

/* The whole of a Fortran array; `buffered` is how many rows of it are kept. */
static bool read_columns(struct npy *npy, struct error *err)
{
    size_t size = (size_t)npy->header.type.size;
    size_t total = npy->header.rows * npy->header.columns;
    for (size_t first = 0; first < total;) {
        size_t want = total - first < BUFFER / size ? total - first : BUFFER / size;
        size_t got = 0;
        if (!npy->source.read(npy->source.context, npy->buffer, want * size, &got, err)) {
            return false;
        }
        if (got < want * size) {
            return fail(err, "%s: truncated in column %zu of %zu", npy->source.name,
                        (first + got / size) / npy->header.rows + 1, npy->header.columns);
        }
        if (!keep_elements(npy, first, want, err)) {
            return false;
        }
        first += want;
    }
    return true;
}

bool npy_open(struct npy *npy, const struct source *source, size_t limit, struct error *err)
{
    *npy = (struct npy){.source = *source};
    if (!npy_header_read(&npy->header, source, err) ||
        !npy_header_table(&npy->header, source->name, err)) {
        return false;
    }
    size_t size = row_size(npy);
    npy->buffer = malloc(size > BUFFER ? size : BUFFER);
    if (!npy->buffer) {
        return fail_memory(err);
    }
    /* A single row or column is the same in both orders. */
    npy->header.fortran = npy->header.fortran && npy->header.columns > 1 && npy->header.rows > 1;
    if (!npy->header.fortran) {
        return true;
    }
    npy->buffered = npy->header.rows < limit ? npy->header.rows : limit;
    return read_columns(npy, err);
}

void npy_close(struct npy *npy)
{
    for (size_t i = 0; i < npy->chunk_count; i++) {
        free(npy->chunks[i]);
    }
    free(npy->chunks);
    free(npy->buffer);
    *npy = (struct npy){0};
}

bool npy_row(struct npy *npy, double *values, struct error *err)
{
    const struct npy_header *header = &npy->header;
    if (header->fortran) {
        for (size_t i = 0; i < header->columns; i++) {
            size_t index = i * npy->buffered + npy->given;
            values[i] = (double)npy->chunks[index / CHUNK][index % CHUNK];
        }
        npy->given++;
        return true;
    }
    if (npy->used == npy->buffered && !read_rows(npy, err)) {
        return false;
    }
    const unsigned char *at = npy->buffer + npy->used * row_size(npy);
    for (size_t i = 0; i < header->columns; i++) {
        values[i] = npy_value(header->type, at + i * (size_t)header->type.size);
    }
    npy->used++;
    npy->given++;
    return true;
}

bool npy_end(struct npy *npy, struct error *err)
{
    unsigned char byte;
    size_t got = 0;
    if (!npy->source.read(npy->source.context, &byte, 1, &got, err)) {
        return false;
    }
    return got == 0 || fail(err, "%s: more bytes follow the array", npy->source.name);
}

/* ---- tables ---- */

/* Arrays side by side, and the row at hand. */
struct joined {
    struct npy *const *arrays;
    int count;
    double *values;
    struct table *table;
    struct error *err;
};

static bool refuse_value(const struct joined *joined, int column, const char *what)
{
    const struct dataset *data = joined->table->data;
    return fail(joined->err, "%s: row %zu, column %d: %s", data->source, data->row_count + 1,
                column + 1, what);
}

/* Numbers are labels by their text; a column of fractions gets texts such as "0.5". */
static bool store_label(const struct joined *joined, int column, float *to)
{
    char text[32];
    struct reason reason = {""};
    double value = joined->values[column];
    bool narrow = false;
    for (int i = 0; i < joined->count; i++) {
        narrow = narrow || joined->arrays[i]->header.fortran;
    }
    if (fabs(value) > (narrow ? EXACT_FLOAT : 9007199254740992.0)) {
        return refuse_value(joined, column, "the label is too large");
    }
    int length = snprintf(text, sizeof text, "%.9g", value);
    if (floor(value) == value) {
        length = snprintf(text, sizeof text, "%.0f", value);
    }
    int index = labels_index(&joined->table->labels, text, (size_t)length, &reason);
    if (index < 0) {
        return reason.text[0] ? refuse_value(joined, column, reason.text)
                              : fail_memory(joined->err);
    }
    *to = (float)index;
    return true;
}

static bool store_row(const struct joined *joined)
{
    struct table *table = joined->table;
    float *row = table_next(table, joined->err);
    if (!row) {
        return false;
    }
    for (int i = 0; i < table->heading.count; i++) {
        double value = joined->values[i];
        int target = table->target[i];
        if (target < 0) {
            continue;
        }
        if (!number_fits(value)) {
            return refuse_value(joined, i, "the value is no finite 32-bit float");
        }
        if (i == table->label && !store_label(joined, i, row + target)) {
            return false;
        }
        row[target] = i == table->label ? row[target] : (float)value;
    }
    const char *why = table_commit(table, row);
    return !why || fail(joined->err, "%s: row %zu: %s", table->data->source,
                        table->data->row_count + 1, why);
}

static bool store_rows(const struct joined *joined)
{
    struct table *table = joined->table;
    size_t rows = joined->arrays[0]->header.rows;
    size_t stop = rows < table->limit ? rows : table->limit;
    for (size_t row = 0; row < stop; row++) {
        size_t column = 0;
        for (int i = 0; i < joined->count; i++) {
            if (!npy_row(joined->arrays[i], joined->values + column, joined->err)) {
                return false;
            }
            column += joined->arrays[i]->header.columns;
        }
        if (!store_row(joined)) {
            return false;
        }
    }
    table->data->more = stop < rows;
    for (int i = 0; i < joined->count && stop == rows; i++) {
        if (!npy_end(joined->arrays[i], joined->err)) {
            return false;
        }
    }
    return true;
}

/* Columns without names. */
static bool make_heading(struct heading *heading, struct arena *arena, size_t columns)
{
    heading->count = (int)columns;
    heading->names = arena_alloc(arena, columns, sizeof *heading->names);
    heading->units = arena_alloc(arena, columns, sizeof *heading->units);
    if (!heading->names || !heading->units) {
        return false;
    }
    for (size_t i = 0; i < columns; i++) {
        heading->names[i] = "";
        heading->units[i] = "";
    }
    return true;
}

bool npy_tables(struct npy *const *arrays, int count, int outputs, struct table *table,
                struct error *err)
{
    struct joined joined = {arrays, count, NULL, table, err};
    struct heading heading = {.outputs = outputs};
    size_t columns = 0;
    for (int i = 0; i < count; i++) {
        columns += arrays[i]->header.columns;
    }
    if (!make_heading(&heading, table->data->arena, columns)) {
        return fail_memory(err);
    }
    joined.values = arena_alloc(table->data->arena, columns, sizeof *joined.values);
    if (!joined.values) {
        return fail_memory(err);
    }
    return table_start(table, &heading, err) && store_rows(&joined);
}

static bool read_stream(void *context, void *to, size_t want, size_t *got, struct error *err)
{
    return stream_read(context, to, want, got, err);
}

bool npy_load(struct stream *stream, struct table *table, struct error *err)
{
    struct npy npy;
    struct npy *const arrays[] = {&npy};
    struct source source = {read_stream, stream, stream->source};
    size_t limit = table->options->samples ? table->options->samples : SIZE_MAX;
    bool loaded = npy_open(&npy, &source, limit, err) && npy_tables(arrays, 1, 0, table, err);
    npy_close(&npy);
    return loaded;
}
