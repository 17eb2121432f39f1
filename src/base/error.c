#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* User text is quoted in messages: keep it from steering the terminal.  Control characters and
 * what is no UTF-8 become '?'. */
static void blank_controls(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t step = utf8_step(text, left);
        if (step == 0) {
            *text = '?';
            step = 1;
        }
        text += step;
        left -= step;
    }
}

static bool fail_list(struct error *err, const char *place, const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));

static bool fail_list(struct error *err, const char *place, const char *format, va_list list)
{
    if (err->failed) {
        return false;
    }
    err->failed = true;
    int used = snprintf(err->message, sizeof err->message, "%s", place);
    if (used < 0 || (size_t)used >= sizeof err->message) {
        used = 0;
    }
    (void)vsnprintf(err->message + used, sizeof err->message - (size_t)used, format, list);
    blank_controls(err->message);
    return false;
}

bool fail(struct error *err, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail_list(err, "", format, list);
    va_end(list);
    return false;
}

bool fail_at(struct error *err, struct place place, const char *format, ...)
{
    char text[200];
    if (place.line == 0) {
        (void)snprintf(text, sizeof text, "%.150s: ", place.file);
    } else if (place.column == 0) {
        (void)snprintf(text, sizeof text, "%.150s:%zu: ", place.file, place.line);
    } else {
        (void)snprintf(text, sizeof text, "%.150s:%zu:%zu: ", place.file, place.line, place.column);
    }
    va_list list;
    va_start(list, format);
    fail_list(err, text, format, list);
    va_end(list);
    return false;
}

bool fail_memory(struct error *err)
{
    return fail(err, "out of memory");
}

void error_excerpt(struct error *err, const char *line, size_t length, size_t column)
{
    if (err->excerpt[0]) {
        return;
    }
    size_t start = column > 120 ? column - 80 : 0;
    size_t room = sizeof err->excerpt - 4;
    size_t take = start < length ? length - start : 0;
    take = take < room ? take : room;
    memcpy(err->excerpt, line + (take ? start : 0), take);
    err->excerpt[take] = 0;
    for (size_t i = 0; i < take; i++) {
        char c = err->excerpt[i];
        err->excerpt[i] = c == '\t' ? ' ' : c ? c : '?';
    }
    blank_controls(err->excerpt);
    err->excerpt_column = column > start && column - start <= take + 1 ? (int)(column - start) : 0;
}
