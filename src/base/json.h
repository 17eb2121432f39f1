/* JSON (RFC 8259) in memory, for files of integers: strict, bounded, with the place of every value.
 *
 * Refused besides what is no JSON: doubled keys, integers beyond 64 bits, strings with NUL or other
 * control characters, more than JSON_DEPTH_MAX levels, more than JSON_KEYS_MAX keys in an object.
 * Real numbers are recognised, to be refused by name; their values are not kept. */
#ifndef MOTE_BASE_JSON_H
#define MOTE_BASE_JSON_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64
#define JSON_KEYS_MAX  64

enum json_kind {
    KIND_NULL,
    KIND_BOOLEAN,
    KIND_INTEGER,
    KIND_REAL,
    KIND_STRING,
    KIND_ARRAY,
    KIND_OBJECT
};

/* A value.  All that hangs below it lives in the arena given to json_read(). */
struct json {
    enum json_kind kind;
    uint32_t offset;          /* of its first byte in the text */
    const char *key;          /* in an object: its key; else NULL */
    size_t count;             /* array, object: how many values */
    int64_t integer;          /* integer; boolean: 0 or 1 */
    const char *string;       /* string: UTF-8, terminated */
    const struct json *items; /* array, object: the values in their order */
};

/* What is read.  `file` names it in messages; the text must outlive calls that give places. */
struct json_source {
    const char *file;
    const char *text;
    size_t size; /* at most 2^32 - 1 bytes */
};

/* The one value of a text; NULL on failure ("pose.mote:3:8: expected ':'", with excerpt). */
const struct json *json_read(const struct json_source *source, struct arena *arena,
                             struct error *err);

/* The value of `key` in an object; NULL if it is not there or `object` is none. */
const struct json *json_member(const struct json *object, const char *key);

/* "an integer", "an array" ... */
const char *json_kind_name(enum json_kind kind);

/* Record a failure at byte `offset` of the text, with its line as the excerpt; always false. */
bool json_fail(const struct json_source *source, size_t offset, struct error *err,
               const char *message);

#endif
