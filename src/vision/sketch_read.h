/* Reading the text of a sketch: characters, numbers, names, and where they stand. */
#ifndef MOTE_VISION_SKETCH_READ_H
#define MOTE_VISION_SKETCH_READ_H

#include "vision/sketch.h"

struct sketch_reader {
    const char *text;
    size_t length, at;
    size_t line, start; /* of the current line: number from 1, and first character */
    size_t token;       /* first character of the current token */
    const struct sketch_data *data;
    struct error *err;
};

struct sketch_parser {
    struct sketch_reader in;
    struct sketch *sketch;
    int last;                      /* the layer whose output the next one reads; -1: the image */
    size_t relu_line, relu_column; /* of the last relu */
};

/* One token at hand: a layer, its activation, a crop or a resize (sketch_token.c). */
bool sketch_token(struct sketch_parser *parser);

/* Behind the words "relu" and "linear": the activation of a layer before them (sketch_codes.c). */
bool sketch_relu(struct sketch_parser *parser, const char *word);
bool sketch_linear(struct sketch_parser *parser, const char *word);

/* Behind the last token: which layers are linear without the word, and which are narrow; whether
 * what is joined can be. */
bool sketch_codes(struct sketch_parser *parser);

/* At the first character, behind a byte order mark. */
struct sketch_reader sketch_start(const char *text, size_t length, const struct sketch_data *data,
                                  struct error *err);

/* The character at hand; 0 at the end of a token, and for control characters. */
char sketch_peek(const struct sketch_reader *reader);
bool sketch_take(struct sketch_reader *reader, char wanted);

/* Step to the next token; false at the end of the text. */
bool sketch_next(struct sketch_reader *reader);

/* A number of 1..most at hand, or of least..most. */
bool sketch_number(struct sketch_reader *reader, int most, int *number);
bool sketch_number_from(struct sketch_reader *reader, int least, int most, int *number);

/* Letters at hand, at most `room` - 1 of them, as a string. */
void sketch_word(struct sketch_reader *reader, char *word, size_t room);

/* A name of letters, digits, '_' and '-', beginning with a letter. */
bool sketch_name(struct sketch_reader *reader, char name[SKETCH_NAME_MAX + 1]);

/* Make the token at this place, both from 1, the one that failures are told of. */
void sketch_point(struct sketch_reader *reader, size_t line, size_t column);

/* Fail at the character at hand, or at the token's first. */
bool sketch_fail(struct sketch_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool sketch_fail_token(struct sketch_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
