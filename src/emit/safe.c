/* The user's text in the emitted file: an allow-list, so that no name can end a comment, splice
 * lines, form a trigraph or change the direction of the text; and C identifiers. */
#include "emit/print.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Neither '*' nor '?' nor '\\': with '/' alone no comment ends, and nothing is a trigraph. */
static bool is_harmless(char c)
{
    return is_letter(c) || is_digit(c) || (c != 0 && strchr(" .,:;()[]+-_=%<>^/'#&@!", c));
}

/* Common signs of units in ASCII. */
static const struct {
    const char *sign;
    const char *plain;
} signs[] = {
    {"\xC2\xB5", "u"},  {"\xCE\xBC", "u"},   {"\xC2\xB0", "deg"},     {"\xC2\xB2", "^2"},
    {"\xC2\xB3", "^3"}, {"\xCE\xA9", "Ohm"}, {"\xE2\x84\xA6", "Ohm"}, {"\xE2\x80\xB0", "permille"},
};

/* Bytes of the character at `utf8`. */
static size_t character_length(const char *utf8)
{
    size_t length = 1;
    while (((unsigned char)utf8[length] & 0xC0U) == 0x80U) {
        length++;
    }
    return length;
}

/* The ASCII spelling of a sign, "_" for anything else. */
static const char *plain_sign(const char *utf8, size_t length)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strlen(signs[i].sign) == length && memcmp(signs[i].sign, utf8, length) == 0) {
            return signs[i].plain;
        }
    }
    return "_";
}

/* No name or unit looks like this by chance: it wants to be code, and nothing of it is printed. */
static bool is_hostile(const char *text)
{
    static const char *const tokens[] = {"*/", "/*", "//", "??", "\\", "{", "}"};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        if (strstr(text, tokens[i])) {
            return true;
        }
    }
    return false;
}

void print_safe(struct text *out, const char *utf8, int most)
{
    if (is_hostile(utf8)) {
        text_add(out, "_");
        return;
    }
    for (int i = 0; *utf8; i++) {
        size_t length = character_length(utf8);
        if (i == most) {
            text_add(out, "..");
            return;
        }
        if (length == 1 && is_harmless(*utf8)) {
            text_bytes(out, utf8, 1);
        } else {
            text_add(out, plain_sign(utf8, length));
        }
        utf8 += length;
    }
}

/* Keywords of C and C++, and names that the emitted file itself needs. */
static bool is_reserved(const char *word)
{
    static const char *const words[] = {
        "alignas",    "alignof",   "and",       "asm",       "auto",        "bool",     "break",
        "case",       "catch",     "char",      "class",     "compl",       "concept",  "const",
        "const_cast", "consteval", "constexpr", "constinit", "continue",    "co_await", "co_return",
        "co_yield",   "decltype",  "default",   "delete",    "do",          "double",   "else",
        "enum",       "explicit",  "export",    "extern",    "false",       "float",    "for",
        "friend",     "goto",      "if",        "inline",    "int",         "long",     "mutable",
        "namespace",  "new",       "noexcept",  "not",       "nullptr",     "operator", "or",
        "private",    "protected", "public",    "register",  "requires",    "restrict", "return",
        "short",      "signed",    "sizeof",    "static",    "static_cast", "stdint",   "struct",
        "switch",     "template",  "this",      "throw",     "true",        "try",      "typedef",
        "typeid",     "typename",  "typeof",    "union",     "unsigned",    "using",    "virtual",
        "void",       "volatile",  "while",     "xor"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

#define IDENTIFIER_MAX 24

/* No underscore at either end or twice running: those are reserved in C++ or ugly. */
static size_t identifier_characters(const char *text, char *out, size_t room)
{
    size_t length = 0;
    bool gap = false;
    for (; *text && length + gap < room; text++) {
        if (!is_letter(*text) && !is_digit(*text)) {
            gap = length > 0;
            continue;
        }
        if (gap) {
            out[length++] = '_';
            gap = false;
        }
        out[length++] = *text;
    }
    out[length] = 0;
    return length;
}

void emit_identifier(const char *text, char out[32])
{
    size_t length = is_hostile(text) ? 0 : identifier_characters(text, out, IDENTIFIER_MAX);
    if (length == 0) {
        memcpy(out, "net", sizeof "net");
    } else if (is_digit(out[0]) || is_reserved(out)) {
        memcpy(out, "net_", 4);
        (void)identifier_characters(text, out + 4, IDENTIFIER_MAX - 4);
    }
}
