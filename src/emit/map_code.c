/* How weights lie in bytes, and how statements stand on the page. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

static const struct coding plain = {"row", 1, 8, 1, 0};
static const struct coding ternary = {"ternary", 5, 0, 1, -1};
static const struct coding nibble = {"nibbles", 2, 4, 1, -8};
static const struct coding odd_nibble = {"odd4", 2, 4, 2, -15};
static const struct coding odd_pair = {"odd2", 4, 2, 2, -3};
static const struct coding binary = {"binary", 8, 1, 2, -1};

const struct coding *map_coding(const struct weights *weights)
{
    if (weights->odd) {
        return weights->bits == 1   ? &binary
               : weights->bits == 2 ? &odd_pair
               : weights->bits == 3 ? &nibble
                                    : &odd_nibble;
    }
    return weights->bits == 2 ? &ternary : weights->bits <= 4 ? &nibble : &plain;
}

int map_row_bytes(const struct coding *coding, int columns)
{
    return (columns + coding->each - 1) / coding->each;
}

/* Five digits as the fraction v / 243 of 256, rounded up: the loop multiplies the digits out, the
 * first one first. */
static int ternary_byte(const int16_t *row, int columns, int index)
{
    int value = 0;
    for (int k = 0; k < 5; k++) {
        int j = index * 5 + k;
        value = value * 3 + (j < columns ? row[j] + 1 : 0);
    }
    return (value * 256 + 242) / 243;
}

int map_byte(const struct coding *coding, const int16_t *row, int columns, int index)
{
    int value = 0;
    if (coding->bits == 0) {
        return ternary_byte(row, columns, index);
    }
    for (int k = coding->each - 1; k >= 0; k--) {
        int j = index * coding->each + k;
        int field = j < columns ? (row[j] - coding->low) / coding->scale : 0;
        value = value << coding->bits | field;
    }
    return value;
}

/* Braces that a line opens, less those that it closes. */
static int opened(const char *line, size_t length)
{
    int depth = 0;
    for (size_t i = 0; i < length; i++) {
        depth += (line[i] == '{') - (line[i] == '}');
    }
    return depth;
}

/* Does the statement go on in the next line? */
static bool goes_on(const char *line, size_t length)
{
    return length > 0 && !strchr(";{}/", line[length - 1]);
}

void map_add_indented(struct text *out, const struct text *body)
{
    int depth = 1;
    bool inside = false;
    out->failed = out->failed || body->failed;
    for (const char *at = body->failed ? NULL : body->data; at && *at;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, "\n");
        int own = depth - (at[0] == '}') + inside;
        text_printf(out, "%*s%.*s\n", length > 0 ? 4 * own : 0, "", (int)length, at);
        depth += opened(at, length);
        inside = goes_on(at, length);
        at += length + (at[length] == '\n');
    }
}

void map_add_term(char text[INDEX_MAX], const char *name, int scale)
{
    size_t length = strlen(text);
    const char *joint = length > 0 ? " + " : "";
    if (scale == 1) {
        (void)snprintf(text + length, INDEX_MAX - length, "%s%s", joint, name);
    } else if (scale != 0) {
        (void)snprintf(text + length, INDEX_MAX - length, "%s(%s * %d)", joint, name, scale);
    }
}

const char *map_end_terms(char text[INDEX_MAX], int number)
{
    size_t length = strlen(text);
    if (number != 0 || length == 0) {
        (void)snprintf(text + length, INDEX_MAX - length, "%s%d", length > 0 ? " + " : "", number);
    }
    return text;
}
