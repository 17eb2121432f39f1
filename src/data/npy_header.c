/* The header of a NumPy array: a Python dictionary in a fixed form (NumPy's format description,
 * "A Simple File Format for NumPy Arrays"). */
#include "data/npy.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC_SIZE  8 /* "\x93NUMPY", major and minor version */
#define COUNT_LIMIT ((size_t)1 << 40)

struct parser {
    const char *at;
    const char *name;
    struct error *err;
};

static bool refuse(const struct parser *parser, const char *what)
{
    return fail(parser->err, "%s: %s", parser->name, what);
}

static void blanks(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t') {
        parser->at++;
    }
}

/* Step over `c` and the blanks around it. */
static bool take(struct parser *parser, char c)
{
    blanks(parser);
    if (*parser->at != c) {
        return false;
    }
    parser->at++;
    blanks(parser);
    return true;
}

static bool take_word(struct parser *parser, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(parser->at, word, length) != 0) {
        return false;
    }
    parser->at += length;
    return true;
}

/* A quoted text without escapes. */
static bool take_text(struct parser *parser, char *text, size_t size)
{
    char quote = *parser->at;
    size_t length = 0;
    if (quote != '\'' && quote != '"') {
        return false;
    }
    for (parser->at++; *parser->at && *parser->at != quote; parser->at++) {
        if (length + 1 >= size || *parser->at == '\\') {
            return false;
        }
        text[length++] = *parser->at;
    }
    text[length] = 0;
    return *parser->at && *parser->at++ == quote;
}

/* ---- dtype ---- */

static bool refuse_type(const struct parser *parser, const char *text)
{
    char kind = text[0] && strchr("<>|=", text[0]) ? text[1] : text[0];
    switch (kind) {
    case 'O':
        return refuse(parser, "dtype O holds pickled Python objects, which are code: refused; "
                              "save numbers instead");
    case 'V': return refuse(parser, "structured or raw dtype: save plain columns instead");
    case 'U':
    case 'S': return refuse(parser, "texts instead of numbers: use CSV for text labels");
    case 'c': return refuse(parser, "complex numbers: save real columns instead");
    case 'M':
    case 'm': return refuse(parser, "dates or times: save numbers instead");
    default:
        return fail(parser->err,
                    "%s: dtype '%.20s' is not read (floats, integers and bools of at "
                    "most 8 bytes are)",
                    parser->name, text);
    }
}

static bool parse_type(struct parser *parser, struct npy_type *type)
{
    char text[32];
    if (*parser->at == '[' || *parser->at == '(') {
        return refuse(parser, "a structured dtype: save plain columns instead");
    }
    if (!take_text(parser, text, sizeof text)) {
        return refuse(parser, "the header's 'descr' is no dtype");
    }
    const char *at = text;
    char order = *at && strchr("<>|", *at) ? *at++ : '?';
    char kind = *at;
    int size = kind && at[1] >= '1' && at[1] <= '8' && !at[2] ? at[1] - '0' : 0;
    bool power = size == 1 || size == 2 || size == 4 || size == 8;
    bool known =
        (kind == 'f' && size >= 2) || kind == 'i' || kind == 'u' || (kind == 'b' && size == 1);
    if (order == '?' || !power || !known || (order == '|' && size > 1)) {
        return refuse_type(parser, text);
    }
    *type = (struct npy_type){.kind = kind, .size = size, .big = order == '>'};
    return true;
}

/* ---- shape ---- */

static bool parse_length(struct parser *parser, size_t *length)
{
    if (*parser->at == '-') {
        return refuse(parser, "the shape is negative");
    }
    if (*parser->at < '0' || *parser->at > '9') {
        return refuse(parser, "the header's 'shape' is no tuple of integers");
    }
    *length = 0;
    for (; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        *length = *length * 10 + (size_t)(*parser->at - '0');
        if (*length > COUNT_LIMIT) {
            return refuse(parser, "the shape is too large");
        }
    }
    take_word(parser, "L"); /* as Python 2 wrote it */
    return true;
}

/* (), (n,), (n, m) or more. */
static bool parse_shape(struct parser *parser, struct npy_header *header)
{
    int count = 0;
    if (!take(parser, '(')) {
        return refuse(parser, "the header's 'shape' is no tuple of integers");
    }
    while (!take(parser, ')')) {
        size_t length = 0;
        if (!parse_length(parser, &length)) {
            return false;
        }
        if (count < NPY_DIMENSIONS) {
            header->lengths[count] = length;
        }
        count++;
        if (!take(parser, ',') && *parser->at != ')') {
            return refuse(parser, "the header's 'shape' is no tuple of integers");
        }
    }
    header->dimensions = count;
    return true;
}

bool npy_header_table(struct npy_header *header, const char *name, struct error *err)
{
    const struct parser parser = {.name = name, .err = err};
    if (header->dimensions < 1 || header->dimensions > 2) {
        return fail(err, "%s: an array of %d dimensions: reshape it to rows and columns", name,
                    header->dimensions);
    }
    header->rows = header->lengths[0];
    header->columns = header->dimensions == 2 ? header->lengths[1] : 1;
    if (header->rows == 0) {
        return refuse(&parser, "no rows");
    }
    if (header->columns == 0) {
        return refuse(&parser, "no columns");
    }
    if (header->columns > DATA_COLUMNS_MAX) {
        return refuse(&parser, "more than 100000 columns");
    }
    if (header->rows > UINT32_MAX || header->rows > SIZE_MAX / 16 / header->columns) {
        return refuse(&parser, "the shape is too large");
    }
    return true;
}

/* ---- the dictionary ---- */

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEYS = 7 };

static bool parse_order(struct parser *parser, bool *fortran)
{
    *fortran = take_word(parser, "True");
    return *fortran || take_word(parser, "False") ||
           refuse(parser, "the header's 'fortran_order' is neither True nor False");
}

static bool parse_entry(struct parser *parser, struct npy_header *header, int *seen)
{
    char key[32];
    if (!take_text(parser, key, sizeof key) || !take(parser, ':')) {
        return refuse(parser, "the header is no dictionary");
    }
    bool descr = strcmp(key, "descr") == 0;
    bool order = strcmp(key, "fortran_order") == 0;
    bool shape = strcmp(key, "shape") == 0;
    int bit = descr ? KEY_DESCR : order ? KEY_ORDER : shape ? KEY_SHAPE : 0;
    if (bit == 0 || (*seen & bit)) {
        return fail(parser->err, "%s: the header has an unknown or doubled key '%s'", parser->name,
                    key);
    }
    *seen |= bit;
    return descr   ? parse_type(parser, &header->type)
           : order ? parse_order(parser, &header->fortran)
                   : parse_shape(parser, header);
}

bool npy_header_parse(struct npy_header *header, const char *text, const char *name,
                      struct error *err)
{
    struct parser parser = {.at = text, .name = name, .err = err};
    int seen = 0;
    bool ended = false;
    if (!take(&parser, '{')) {
        return refuse(&parser, "the header is no dictionary");
    }
    while (!(ended = take(&parser, '}'))) {
        if (!parse_entry(&parser, header, &seen)) {
            return false;
        }
        if (!take(&parser, ',') && *parser.at != '}') {
            break;
        }
    }
    if (!ended || *parser.at) {
        return refuse(&parser, "the header is no dictionary");
    }
    if (seen != KEYS) {
        return refuse(&parser, "the header lacks 'descr', 'fortran_order' or 'shape'");
    }
    return true;
}

/* ---- the bytes before it ---- */

static bool take_bytes(const struct source *source, void *to, size_t size, struct error *err)
{
    size_t got = 0;
    if (!source->read(source->context, to, size, &got, err)) {
        return false;
    }
    return got == size || fail(err, "%s: truncated in the header", source->name);
}

/* Version 1 has 2 bytes of length, 2 and 3 have 4. */
static bool read_length(const struct source *source, size_t *length, size_t *before,
                        struct error *err)
{
    unsigned char start[MAGIC_SIZE + 4];
    if (!take_bytes(source, start, MAGIC_SIZE, err)) {
        return false;
    }
    if (memcmp(start, "\x93NUMPY", 6) != 0) {
        return fail(err, "%s: not a NumPy array", source->name);
    }
    int version = start[6];
    if (version < 1 || version > 3 || start[7] != 0) {
        return fail(err, "%s: version %d.%d of the array format is not known", source->name,
                    version, start[7]);
    }
    size_t bytes = version == 1 ? 2 : 4;
    if (!take_bytes(source, start + MAGIC_SIZE, bytes, err)) {
        return false;
    }
    struct bytes reader = bytes_of(start + MAGIC_SIZE, bytes);
    *length = version == 1 ? bytes_u16_little(&reader) : bytes_u32_little(&reader);
    *before = MAGIC_SIZE + bytes;
    return *length < NPY_HEADER_MAX ||
           fail(err, "%s: the header is longer than %d bytes", source->name, NPY_HEADER_MAX);
}

bool npy_header_read(struct npy_header *header, const struct source *source, struct error *err)
{
    size_t length = 0;
    size_t before = 0;
    *header = (struct npy_header){0};
    if (!read_length(source, &length, &before, err)) {
        return false;
    }
    char *text = calloc(1, length + 1);
    if (!text) {
        return fail_memory(err);
    }
    header->size = before + length;
    bool good = take_bytes(source, text, length, err);
    if (good && strlen(text) != length) {
        good = fail(err, "%s: the header is no dictionary", source->name);
    }
    good = good && npy_header_parse(header, text, source->name, err);
    free(text);
    return good;
}
