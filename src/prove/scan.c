#include "prove/shape.h"

#include <stdio.h>
#include <string.h>

/* A file, read byte by byte with comments and literals told apart. */
struct scan {
    const char *at;
    size_t line;
    const char *prefix;
    const char *name;
    struct error *err;
};

static bool refuse(const struct scan *scan, const char *what)
{
    return fail_at(scan->err, (struct place){.file = scan->name, .line = scan->line},
                   "no emitted file of mote has %s", what);
}

/* One byte on. */
static void step(struct scan *scan)
{
    scan->line += *scan->at == '\n';
    scan->at++;
}

static bool begins(const char *at, const char *word)
{
    return strncmp(at, word, strlen(word)) == 0;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A word of the annotation language with which a file would tell the prover what to believe. */
static bool assumes(const char *at)
{
    static const char *const words[] = {"admit",  "axiom", "lemma", "ghost",   "assume",
                                        "import", "logic", "model", "include", "extended"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (begins(at, words[i])) {
            return true;
        }
    }
    return false;
}

/* Past a comment; the prover reads those that begin with @. */
static bool skip_comment(struct scan *scan)
{
    bool line = scan->at[1] == '/';
    bool annotation = scan->at[2] == '@';
    scan->at += 2;
    while (*scan->at && !(line ? *scan->at == '\n' : begins(scan->at, "*/"))) {
        if (annotation && !is_word(scan->at[-1]) && assumes(scan->at)) {
            return refuse(scan, "annotations that assume");
        }
        step(scan);
    }
    scan->at += line || !*scan->at ? 0 : 2;
    return true;
}

/* Past a string or character. */
static void skip_literal(struct scan *scan)
{
    char quote = *scan->at;
    do {
        scan->at += *scan->at == '\\' && scan->at[1] ? 2 : 1;
    } while (*scan->at && *scan->at != quote && *scan->at != '\n');
    scan->at += *scan->at == quote;
}

/* Only <stdint.h>, and a source's own header. */
static bool check_include(const struct scan *scan)
{
    char own[SHAPE_NAME_MAX + 16];
    (void)snprintf(own, sizeof own, "#include \"%s.h\"\n", scan->prefix);
    return begins(scan->at, "#include <stdint.h>\n") || begins(scan->at, own) ||
           begins(scan->at, "#include <immintrin.h>\n") ||
           begins(scan->at, "#include <emmintrin.h>\n") ||
           begins(scan->at, "#include <arm_neon.h>\n") ||
           begins(scan->at, "#include <arm_acle.h>\n") ||
           refuse(scan, "other includes than <stdint.h>");
}

/* `#` at the beginning of a line. */
static bool check_directive(struct scan *scan)
{
    static const char *const known[] = {"#ifndef ", "#ifdef ",  "#if ",     "#elif ",
                                        "#else\n",  "#endif\n", "#define ", "#undef "};
    if (begins(scan->at, "#include")) {
        return check_include(scan);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (begins(scan->at, known[i])) {
            return true;
        }
    }
    return refuse(scan, "such a directive");
}

/* What would be read otherwise by another compiler, or hides a directive. */
static bool check_byte(const struct scan *scan)
{
    if (begins(scan->at, "?\?")) {
        return refuse(scan, "trigraphs");
    }
    if (begins(scan->at, "%:") || begins(scan->at, "_Pragma") || begins(scan->at, "__FRAMAC__")) {
        return refuse(scan, "such a directive");
    }
    unsigned char byte = (unsigned char)*scan->at;
    return (byte >= ' ' && byte < 127) || byte == '\n' || refuse(scan, "such bytes");
}

/* One token or byte; *fresh: only blanks so far on this line. */
static bool scan_one(struct scan *scan, bool *fresh)
{
    if (begins(scan->at, "/*") || begins(scan->at, "//")) {
        return skip_comment(scan);
    }
    if (*scan->at == '"' || *scan->at == '\'') {
        skip_literal(scan);
        return true;
    }
    if (*scan->at == '#' && *fresh && !check_directive(scan)) {
        return false;
    }
    if (!check_byte(scan)) {
        return false;
    }
    *fresh = *scan->at == '\n' || (*fresh && *scan->at == ' ');
    if (begins(scan->at, "#include")) {
        scan->at += strcspn(scan->at, "\n");
    } else {
        step(scan);
    }
    return true;
}

bool scan_page(const char *text, const char *prefix, const char *name, struct error *err)
{
    struct scan scan = {text, 1, prefix, name, err};
    bool fresh = true;
    while (*scan.at) {
        if (!scan_one(&scan, &fresh)) {
            return false;
        }
    }
    return true;
}
