#include "vision/sketch_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct sketch_reader sketch_start(const char *text, size_t length, const struct sketch_data *data,
                                  struct error *err)
{
    size_t mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return (struct sketch_reader){
        .text = text + mark, .length = length - mark, .line = 1, .data = data, .err = err};
}

char sketch_peek(const struct sketch_reader *reader)
{
    if (reader->at >= reader->length) {
        return 0;
    }
    char c = reader->text[reader->at];
    return is_blank(c) || c == '#' ? 0 : c;
}

bool sketch_take(struct sketch_reader *reader, char wanted)
{
    bool there = sketch_peek(reader) == wanted;
    reader->at += there;
    return there;
}

static void skip_comment(struct sketch_reader *reader)
{
    while (reader->at < reader->length && reader->text[reader->at] != '\n') {
        reader->at++;
    }
}

bool sketch_next(struct sketch_reader *reader)
{
    for (; reader->at < reader->length; reader->at++) {
        char c = reader->text[reader->at];
        if (c == '#') {
            skip_comment(reader);
            c = reader->at < reader->length ? '\n' : ' ';
        }
        if (c == '\n') {
            reader->line++;
            reader->start = reader->at + 1;
        }
        if (!is_blank(c)) {
            break;
        }
    }
    reader->token = reader->at;
    return reader->at < reader->length;
}

bool sketch_number(struct sketch_reader *reader, int most, int *number)
{
    return sketch_number_from(reader, 1, most, number);
}

bool sketch_number_from(struct sketch_reader *reader, int least, int most, int *number)
{
    int value = 0;
    size_t first = reader->at;
    while (is_digit(sketch_peek(reader)) && value <= most) {
        value = value * 10 + (reader->text[reader->at++] - '0');
    }
    bool good = reader->at > first && value >= least && value <= most;
    *number = value;
    if (!good) {
        reader->at = first;
        return sketch_fail(reader, "expected a number from %d to %d", least, most);
    }
    return true;
}

void sketch_word(struct sketch_reader *reader, char *word, size_t room)
{
    size_t length = 0;
    while (is_letter(sketch_peek(reader)) && length + 1 < room) {
        word[length++] = reader->text[reader->at++];
    }
    word[length] = 0;
}

static bool in_name(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

bool sketch_name(struct sketch_reader *reader, char name[SKETCH_NAME_MAX + 1])
{
    size_t length = 0;
    if (!is_letter(sketch_peek(reader))) {
        return sketch_fail(reader, "expected a name");
    }
    while (in_name(sketch_peek(reader))) {
        if (length == SKETCH_NAME_MAX) {
            return sketch_fail(reader, "the name has more than %d characters", SKETCH_NAME_MAX);
        }
        name[length++] = reader->text[reader->at++];
    }
    name[length] = 0;
    return true;
}

void sketch_point(struct sketch_reader *reader, size_t line, size_t column)
{
    reader->line = 1;
    reader->start = 0;
    for (size_t i = 0; i < reader->length && reader->line < line; i++) {
        if (reader->text[i] == '\n') {
            reader->line++;
            reader->start = i + 1;
        }
    }
    reader->token = reader->start + column - 1;
}

static bool fail_there(struct sketch_reader *reader, size_t at, const char *message)
{
    size_t end = reader->start;
    while (end < reader->length && reader->text[end] != '\n') {
        end++;
    }
    struct place place = {reader->data->place, reader->line, at - reader->start + 1};
    (void)fail_at(reader->err, place, "%s", message);
    error_excerpt(reader->err, reader->text + reader->start, end - reader->start, place.column);
    return false;
}

bool sketch_fail(struct sketch_reader *reader, const char *format, ...)
{
    char message[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail_there(reader, reader->at, message);
}

bool sketch_fail_token(struct sketch_reader *reader, const char *format, ...)
{
    char message[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail_there(reader, reader->token, message);
}
