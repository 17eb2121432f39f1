#include "prove/shape.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_MAX 65536

static const char *const types[] = {"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t"};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Take `word` from the text. */
static bool take(const char **at, const char *word)
{
    size_t length = strlen(word);
    bool there = strncmp(*at, word, length) == 0;
    *at += there ? length : 0;
    return there;
}

static bool take_type(const char **at, const char **type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (take(at, types[i])) {
            *type = types[i];
            return true;
        }
    }
    return false;
}

static bool take_width(const char **at, int *width)
{
    *width = 0;
    while (**at >= '0' && **at <= '9' && *width <= WIDTH_MAX) {
        *width = 10 * *width + (*(*at)++ - '0');
    }
    return *width >= 1 && *width <= WIDTH_MAX;
}

/* A C name in front of `end`. */
static bool take_name(const char **at, const char *end, char name[SHAPE_NAME_MAX])
{
    size_t length = 0;
    while (is_word((*at)[length]) && strncmp(*at + length, end, strlen(end)) != 0) {
        length++;
    }
    if (length == 0 || length >= SHAPE_NAME_MAX || (**at >= '0' && **at <= '9')) {
        return false;
    }
    memcpy(name, *at, length);
    name[length] = 0;
    *at += length;
    return take(at, end);
}

/* "void pose_predict(const uint16_t in[6], int16_t out[6])"; *ends: there is no body. */
static bool take_prototype(const char *at, struct shape *shape, bool *ends)
{
    (void)take(&at, "static ");
    (void)take(&at, "inline ");
    bool there = take(&at, "void ") && take_name(&at, "_predict(const ", shape->prefix) &&
                 take_type(&at, &shape->in_type) && take(&at, " in[") &&
                 take_width(&at, &shape->in_width) && take(&at, "], ") &&
                 take_type(&at, &shape->out_type) && take(&at, " out[") &&
                 take_width(&at, &shape->out_width) && take(&at, "])");
    *ends = there && *at == ';';
    return there;
}

/* What is behind NAME_predict(), whose prototype is at `at`; nothing where the file has the name
 * that the driver wants. */
static const char *find_behind(const char *code, const char *at, const char *prefix)
{
    char name[SHAPE_NAME_MAX + 16];
    char taken[SHAPE_NAME_MAX + 8];
    (void)snprintf(name, sizeof name, " %s_predict(const ", prefix);
    (void)snprintf(taken, sizeof taken, "%s_taken", prefix);
    const char *only = strstr(code, name);
    const char *end = strstr(at, "\n}\n\n");
    return end && only && !strstr(only + 1, name) && !strstr(code, taken) ? end + 3 : NULL;
}

/* "static int16_t pose_cubic(int32_t z)": functions that are proved on their own, and the clamps of
 * constant-time files, which those call. */
static void take_curve(const char *at, int line, struct shape *shape)
{
    struct curve curve = {.text = at, .line = line};
    const char *end = strstr(at, "\n}\n");
    if (!end || !take(&at, "static ")) {
        return;
    }
    curve.length = (size_t)(end + 3 - curve.text);
    (void)take(&at, "inline ");
    if (!take_type(&at, &curve.result) || !take(&at, " ") ||
        !take_name(&at, "(int32_t z)\n{", curve.name)) {
        return;
    }
    size_t prefix = strlen(shape->prefix);
    const char *rest = curve.name + prefix;
    bool own = strncmp(curve.name, shape->prefix, prefix) == 0;
    bool smooth = strncmp(rest, "_cubic", 6) == 0 || strncmp(rest, "_psig", 5) == 0;
    if (own && smooth && shape->curve_count < SHAPE_CURVES_MAX) {
        shape->curves[shape->curve_count++] = curve;
    } else if (own && strncmp(rest, "_clamp_", 7) == 0 && shape->clamp_count < SHAPE_CLAMPS_MAX) {
        const char *held = strstr(curve.text, "uint32_t held = ");
        shape->near = !held || held > end;
        shape->clamps[shape->clamp_count++] = curve;
    }
}

/* The beginning of the next line; NULL behind the last one. */
static const char *next_line(const char *at)
{
    at = strchr(at, '\n');
    return at ? at + 1 : NULL;
}

/* "int pose_classify(": has this function? */
static bool has_function(const char *text, const char *type, const char *prefix, const char *rest)
{
    for (const char *at = text; at; at = next_line(at)) {
        const char *line = at;
        (void)take(&line, "static ");
        (void)take(&line, "inline ");
        if (take(&line, type) && take(&line, prefix) && take(&line, rest)) {
            return true;
        }
    }
    return false;
}

/* How often `word` stands between `at` and `end`. */
static int count_words(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    int count = 0;
    for (const char *from = at; at < end; at++) {
        bool begins = at == from || !is_word(at[-1]);
        count += begins && strncmp(at, word, length) == 0 && !is_word(at[length]);
    }
    return count;
}

/* Loops from `head` to a line that is `tail`, which name `word` only to look at it, `looks` times,
 * and to halve it, in one statement, which nothing skips: they end after as many turns as it has
 * bits. */
static int count_halving(const char *code, const char *head, const char *tail, const char *halve,
                         const char *word, int looks)
{
    int count = 0;
    for (const char *at = code; (at = strstr(at, head)) != NULL; at++) {
        const char *end = strstr(at, tail);
        const char *step = strstr(at, halve);
        count += end && step && step < end && count_words(at, end, word) == looks + 1 &&
                 count_words(at, end, "continue") + count_words(at, end, "goto") == 0;
    }
    return count;
}

/* The same of loops over the bits of a weight, at whatever depth they stand. */
static int count_weights(const char *code)
{
    int count = 0;
    for (int depth = 8; depth <= 24; depth += 4) {
        char head[80], tail[40], halve[60];
        (void)snprintf(head, sizeof head, "\n%*swhile (bits != 0U) {\n", depth, "");
        (void)snprintf(tail, sizeof tail, "\n%*s}\n", depth, "");
        (void)snprintf(halve, sizeof halve, "\n%*sbits >>= 1;\n", depth + 4, "");
        count += count_halving(code, head, tail, halve, "bits", 2);
    }
    return count;
}

/* Is NAME_word() or NAME_lift() there, and what it is in every emitted file? */
static bool has_conversion(const char *code, const char *prefix, const char *name,
                           const char *value)
{
    char text[SHAPE_NAME_MAX + 96];
    (void)snprintf(text, sizeof text, "\nstatic uint32_t %s_%s(int32_t z)\n{\n    return %s;\n}\n",
                   prefix, name, value);
    return strstr(code, text) != NULL;
}

static int count_calls(const struct curve *curve, const char *name)
{
    return count_words(curve->text, curve->text + curve->length, name);
}

/* How often a function is called, but for the curves. */
static int calls_beside_curves(const char *code, const struct shape *shape, const char *name)
{
    int calls = count_words(code, code + strlen(code), name) - 1;
    for (int k = 0; k < shape->curve_count; k++) {
        calls -= count_calls(&shape->curves[k], name);
    }
    return calls;
}

/* Clamps, and NAME_hide(), that nothing but curves and such clamps calls: the driver of the whole
 * file does not reach them. */
static int count_apart(const char *code, const struct shape *shape)
{
    char hide[SHAPE_NAME_MAX + 8];
    (void)snprintf(hide, sizeof hide, "%s_hide", shape->prefix);
    int hidden = calls_beside_curves(code, shape, hide);
    int count = 0;
    for (int i = 0; i < shape->clamp_count; i++) {
        bool apart = calls_beside_curves(code, shape, shape->clamps[i].name) == 0;
        hidden -= apart ? count_calls(&shape->clamps[i], hide) : 0;
        count += apart;
    }
    return count + (hidden == 0 && has_function(code, "uint32_t ", shape->prefix, "_hide("));
}

/* Does a kernel say that its sums are modulo 2^n?  Only in the comment right in front of its
 * function, or behind the brace of its block, where no text of a user's comes. */
static bool says_modulo(const char *code)
{
    static const char dual[] = "*/\n#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)\nstatic ";
    bool says = strstr(code, "\n    { /* modulo 2^16 */\n") != NULL ||
                strstr(code, "    { /* modulo 2^32 */\n") != NULL;
    for (const char *at = code; at && !says; at = next_line(at)) {
        const char *end = strncmp(at, "/*", 2) == 0 ? strstr(at, "*/") : NULL;
        const char *modulo = end ? strstr(at, "modulo 2^") : NULL;
        says = modulo && modulo < end &&
               (strncmp(end, "*/\nstatic ", 10) == 0 || strncmp(end, dual, sizeof dual - 1) == 0);
    }
    return says;
}

bool shape_read(const struct page *page, struct shape *shape, struct error *err)
{
    const char *code = page->source ? page->source : page->header;
    bool declared = false;
    bool ends = false;
    *shape = (struct shape){0};
    for (const char *at = code; at && !shape->out_width; at = next_line(at)) {
        if (!take_prototype(at, shape, &ends) || ends) {
            *shape = (struct shape){0};
        } else {
            shape->behind = find_behind(code, at, shape->prefix);
        }
        declared = declared || ends;
    }
    if (!shape->out_width && declared) {
        return fail(err, "%s: it declares NAME_predict() and has no body of it: prove NAME.c",
                    page->name);
    }
    if (!shape->out_width) {
        return fail(err, "%s: no emitted file: no NAME_predict() in it", page->name);
    }
    int line = 1;
    for (const char *at = code; at; at = next_line(at)) {
        take_curve(at, line++, shape);
    }
    shape->classify = has_function(code, "int ", shape->prefix, "_classify(");
    shape->selftest = has_function(code, "int ", shape->prefix, "_selftest(");
    shape->times = has_function(code, "uint32_t ", shape->prefix, "_times(");
    shape->halving = count_halving(code, "    while (left != 0U) {\n", "\n    }\n",
                                   "\n        left >>= 1;\n", "left", 2) +
                     count_halving(code, "            for (;;) {\n", "\n            }\n",
                                   "\n                x >>= 1;\n                if (x == 0U) {\n"
                                   "                    break;\n                }\n",
                                   "x", 2) +
                     count_weights(code);
    shape->words = has_conversion(code, shape->prefix, "word", "(uint32_t)z");
    shape->lifts = has_conversion(code, shape->prefix, "lift", "(uint32_t)z ^ 0x80000000U");
    shape->apart = count_apart(code, shape);
    shape->wraps = says_modulo(code);
    return scan_page(page->header, shape->prefix, page->name, err) &&
           (!page->source || scan_page(page->source, shape->prefix, page->name, err));
}
