/* Errors: one sentence and its place in the input.
 *
 * Every fallible call returns false (or NULL) and fills a `struct error`.  The first failure wins:
 * later calls with the same struct leave it alone.  Only the command line prints.
 */
#ifndef MOTE_BASE_ERROR_H
#define MOTE_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

struct error {
    bool failed;
    bool interrupted;   /* the user asked to stop (Ctrl-C); `message` says so */
    char message[400];  /* one line of UTF-8; control characters are replaced by '?' */
    char excerpt[164];  /* text inputs: the offending line, cut to 160 bytes; "" elsewhere */
    int excerpt_column; /* 1-based column in `excerpt` to point at; 0: none */
};

/* A place in an input: file, and line and column (both 1-based, 0: unknown). */
struct place {
    const char *file;
    size_t line;
    size_t column;
};

/* Record a failure; always returns false, so that `return fail(...)` reads well. */
bool fail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with its place in front: "pose.csv:17:4: 'NaN' is not a number". */
bool fail_at(struct error *err, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "out of memory". */
bool fail_memory(struct error *err);

/* Attach the text line in which the failure happened (not terminated; `length` bytes). */
void error_excerpt(struct error *err, const char *line, size_t length, size_t column);

#endif
