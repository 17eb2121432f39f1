#include "base/json.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    const struct json_source *source;
    struct arena *arena;
    struct error *err;
    size_t at;
    int depth;
    struct json *stack; /* values whose array or object is not complete */
    size_t stacked;
    size_t capacity;
    struct text string; /* the string at hand, unescaped */
};

/* ---- places ---- */

bool json_fail(const struct json_source *source, size_t offset, struct error *err,
               const char *message)
{
    struct place place = {.file = source->file, .line = 1, .column = 1};
    size_t start = 0;
    size_t stop = offset < source->size ? offset : source->size;
    for (size_t i = 0; i < stop; i++) {
        if (source->text[i] == '\n') {
            place.line++;
            start = i + 1;
        }
    }
    for (size_t i = start; i < stop; i++) {
        place.column += ((unsigned char)source->text[i] & 0xc0) != 0x80;
    }
    const char *line = source->text + start;
    const char *end = memchr(line, '\n', source->size - start);
    fail_at(err, place, "%s", message);
    error_excerpt(err, line, end ? (size_t)(end - line) : source->size - start, place.column);
    return false;
}

static bool stop_at(struct parser *p, size_t offset, const char *message)
{
    return json_fail(p->source, offset, p->err, message);
}

static bool stop(struct parser *p, const char *message)
{
    return p->at < p->source->size ? stop_at(p, p->at, message)
                                   : stop_at(p, p->at, "the file ends in the middle");
}

/* ---- bytes ---- */

/* The byte at hand; 0 at the end (a NUL in the text is no JSON either). */
static char peek(const struct parser *p)
{
    return p->at < p->source->size ? p->source->text[p->at] : 0;
}

static bool take(struct parser *p, char byte)
{
    bool found = p->at < p->source->size && peek(p) == byte;
    p->at += found;
    return found;
}

static void skip_blanks(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r') {
        p->at++;
    }
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- strings ---- */

/* Four hexadecimal digits; -1 if they are none. */
static int32_t hex4(struct parser *p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        char byte = peek(p);
        char lower = (char)(byte | 0x20);
        if (!is_digit(byte) && (lower < 'a' || lower > 'f')) {
            return -1;
        }
        value = value * 16 + (is_digit(byte) ? byte - '0' : lower - 'a' + 10);
    }
    return value;
}

static void add_point(struct text *out, int32_t point)
{
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    char bytes[4];
    int size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (int i = size - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    bytes[0] = (char)(leads[size] | point);
    text_bytes(out, bytes, (size_t)size);
}

/* Behind "\u": one character, perhaps of two escapes. */
static bool unicode_escape(struct parser *p)
{
    size_t start = p->at - 2;
    int32_t point = hex4(p);
    if (point >= 0xd800 && point < 0xdc00 && take(p, '\\') && take(p, 'u')) {
        int32_t low = hex4(p);
        bool pair = low >= 0xdc00 && low < 0xe000;
        point = pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    if (point < 0 || (point >= 0xd800 && point < 0xe000)) {
        return stop_at(p, start, "not a character");
    }
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
        return stop_at(p, start, "a control character in a string");
    }
    add_point(&p->string, point);
    return true;
}

static bool escape(struct parser *p)
{
    char byte = peek(p);
    if (byte == 'u') {
        p->at++;
        return unicode_escape(p);
    }
    if (byte != 0 && strchr("bfnrt", byte)) {
        return stop_at(p, p->at - 1, "a control character in a string");
    }
    if (byte != '"' && byte != '\\' && byte != '/') {
        return stop(p, "not an escape");
    }
    text_bytes(&p->string, &byte, 1);
    p->at++;
    return true;
}

/* Behind the opening quote; the result is p->string. */
static bool read_text(struct parser *p)
{
    p->string.length = 0;
    text_bytes(&p->string, "", 0);
    while (!take(p, '"')) {
        if (p->at >= p->source->size) {
            return stop(p, "");
        }
        if (take(p, '\\')) {
            if (!escape(p)) {
                return false;
            }
            continue;
        }
        const char *here = p->source->text + p->at;
        size_t step = utf8_step(here, p->source->size - p->at);
        if (step == 0) {
            unsigned char byte = (unsigned char)*here; /* 0xc2 leads U+0080..U+009F */
            bool control = byte < 0x20 || byte == 0x7f || byte == 0xc2;
            return stop(p, control ? "a control character in a string" : "not UTF-8");
        }
        text_bytes(&p->string, here, step);
        p->at += step;
    }
    return !p->string.failed || fail_memory(p->err);
}

static bool read_string(struct parser *p, const char **string)
{
    if (!take(p, '"')) {
        return stop(p, "expected a string");
    }
    if (!read_text(p)) {
        return false;
    }
    *string = arena_text(p->arena, p->string.data, p->string.length);
    return *string || fail_memory(p->err);
}

/* ---- numbers and words ---- */

static bool digits(struct parser *p)
{
    size_t start = p->at;
    while (is_digit(peek(p))) {
        p->at++;
    }
    return p->at > start || stop(p, "expected a digit");
}

/* The fraction and exponent that make a number a real one. */
static bool real_rest(struct parser *p)
{
    if (take(p, '.') && !digits(p)) {
        return false;
    }
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '-')) {
            (void)take(p, '+');
        }
        return digits(p);
    }
    return true;
}

/* The integer in text[start..at). */
static bool integer_value(struct parser *p, size_t start, int64_t *value)
{
    bool negative = p->source->text[start] == '-';
    int64_t sum = 0; /* kept negative: its range is wider by one */
    for (size_t i = start + negative; i < p->at; i++) {
        int digit = p->source->text[i] - '0';
        if (sum < (INT64_MIN + digit) / 10) {
            return stop_at(p, start, "the integer is too large");
        }
        sum = sum * 10 - digit;
    }
    if (!negative && sum == INT64_MIN) {
        return stop_at(p, start, "the integer is too large");
    }
    *value = negative ? sum : -sum;
    return true;
}

static bool read_number(struct parser *p, struct json *value)
{
    size_t start = p->at;
    (void)take(p, '-');
    size_t first = p->at;
    if (!digits(p)) {
        return false;
    }
    if (p->source->text[first] == '0' && p->at > first + 1) {
        return stop_at(p, first, "a number cannot start with 0");
    }
    value->kind = KIND_INTEGER;
    if (peek(p) == '.' || peek(p) == 'e' || peek(p) == 'E') {
        value->kind = KIND_REAL;
        return real_rest(p);
    }
    return integer_value(p, start, &value->integer);
}

static bool read_word(struct parser *p, struct json *value)
{
    static const struct {
        const char *word;
        struct json value;
    } words[] = {{"null", {.kind = KIND_NULL}},
                 {"true", {.kind = KIND_BOOLEAN, .integer = 1}},
                 {"false", {.kind = KIND_BOOLEAN, .integer = 0}}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i].word);
        bool room = p->source->size - p->at >= length;
        if (room && memcmp(p->source->text + p->at, words[i].word, length) == 0) {
            value->kind = words[i].value.kind;
            value->integer = words[i].value.integer;
            p->at += length;
            return true;
        }
    }
    return stop(p, "expected a JSON value");
}

/* ---- arrays and objects ---- */

static bool push(struct parser *p, const struct json *value)
{
    if (p->stacked == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 64;
        struct json *stack = realloc(p->stack, capacity * sizeof *stack);
        if (!stack) {
            return fail_memory(p->err);
        }
        p->stack = stack;
        p->capacity = capacity;
    }
    p->stack[p->stacked++] = *value;
    return true;
}

/* The values above `base` on the stack become the items of `value`. */
static bool collect(struct parser *p, size_t base, struct json *value)
{
    size_t count = p->stacked - base;
    struct json *items = arena_alloc(p->arena, count, sizeof *items);
    if (!items) {
        return fail_memory(p->err);
    }
    if (count > 0) {
        memcpy(items, p->stack + base, count * sizeof *items);
    }
    value->items = items;
    value->count = count;
    p->stacked = base;
    return true;
}

static bool read_value(struct parser *p, struct json *value);

/* `"key":` of the object whose values start at `base`. */
static bool read_key(struct parser *p, size_t base, const char **key)
{
    size_t start = p->at;
    if (!read_string(p, key)) {
        return false;
    }
    for (size_t i = base; i < p->stacked; i++) {
        if (strcmp(p->stack[i].key, *key) == 0) {
            return stop_at(p, start, "the key is there twice");
        }
    }
    if (p->stacked - base == JSON_KEYS_MAX) {
        return stop_at(p, start, "too many keys");
    }
    skip_blanks(p);
    if (!take(p, ':')) {
        return stop(p, "expected ':'");
    }
    skip_blanks(p);
    return true;
}

/* Behind the opening bracket, up to and with `close`. */
static bool read_items(struct parser *p, char close, struct json *value)
{
    size_t base = p->stacked;
    skip_blanks(p);
    if (take(p, close)) {
        return collect(p, base, value);
    }
    do {
        struct json item = {0};
        skip_blanks(p);
        if ((close == '}' && !read_key(p, base, &item.key)) || !read_value(p, &item) ||
            !push(p, &item)) {
            return false;
        }
        skip_blanks(p);
    } while (take(p, ','));
    if (!take(p, close)) {
        return stop(p, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    return collect(p, base, value);
}

static bool read_value(struct parser *p, struct json *value)
{
    char byte = peek(p);
    value->offset = (uint32_t)p->at;
    if (byte == '"') {
        value->kind = KIND_STRING;
        return read_string(p, &value->string);
    }
    if (byte == '-' || is_digit(byte)) {
        return read_number(p, value);
    }
    if (byte != '{' && byte != '[') {
        return read_word(p, value);
    }
    if (p->depth == JSON_DEPTH_MAX) {
        return stop(p, "nested too deeply");
    }
    p->at++;
    p->depth++;
    value->kind = byte == '{' ? KIND_OBJECT : KIND_ARRAY;
    bool done = read_items(p, byte == '{' ? '}' : ']', value);
    p->depth--;
    return done;
}

static bool read_all(struct parser *p, struct json *value)
{
    skip_blanks(p);
    if (!read_value(p, value)) {
        return false;
    }
    skip_blanks(p);
    return p->at == p->source->size || stop(p, "expected the end of the file");
}

const struct json *json_read(const struct json_source *source, struct arena *arena,
                             struct error *err)
{
    struct parser p = {.source = source, .arena = arena, .err = err};
    struct json *value = arena_alloc(arena, 1, sizeof *value);
    bool done = false;
    if (!value) {
        fail_memory(err);
    } else if (source->size > UINT32_MAX) {
        fail(err, "%s: too large", source->file);
    } else {
        done = read_all(&p, value);
    }
    free(p.stack);
    text_free(&p.string);
    return done ? value : NULL;
}

/* ---- access ---- */

const struct json *json_member(const struct json *object, const char *key)
{
    for (size_t i = 0; object->kind == KIND_OBJECT && i < object->count; i++) {
        if (strcmp(object->items[i].key, key) == 0) {
            return &object->items[i];
        }
    }
    return NULL;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"null",     "a truth value", "an integer", "a real number",
                                        "a string", "an array",      "an object"};
    return names[kind];
}
