/* Growing text output.  It latches the first failed allocation, so that printers stay straight:
 * print everything, then look at `failed` once. */
#ifndef MOTE_BASE_TEXT_H
#define MOTE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* terminated once something was added; NULL before */
    size_t length;
    size_t capacity;
    bool failed;
};

void text_add(struct text *text, const char *string);
void text_bytes(struct text *text, const char *bytes, size_t count);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);

#endif
