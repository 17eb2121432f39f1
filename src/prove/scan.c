#include "prove/shape.h"

#include <stdio.h>
#include <string.h>

/* A declaration or statement, up to its body, its value or its semicolon. */
struct head {
    bool begun;
    bool lasting; /* static */
    bool constant;
    bool pointer;
    bool function; /* of the file: NAME_... */
    bool judged;   /* its value follows ... */
    int level;     /* ... at this depth of braces */
};

/* A file, read byte by byte with comments and literals told apart. */
struct scan {
    const char *text;
    const char *at;
    size_t line;
    const char *prefix;
    const char *name;
    struct error *err;
    bool directive; /* in one */
    int braces;     /* how deep in which brackets */
    int parens;
    int squares;
    struct head head;
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

/* Is this an object that outlives a call, and no constant? */
static bool outlives(const struct scan *scan)
{
    const struct head *head = &scan->head;
    bool object = head->begun && !head->judged && !head->function;
    return object && (scan->braces == 0 || head->lasting) && !(head->constant && !head->pointer);
}

static bool begins_word(const struct scan *scan)
{
    return is_word(*scan->at) && (scan->at == scan->text || !is_word(scan->at[-1]));
}

/* Are these the parentheses of NAME_...()? */
static bool opens_function(const struct scan *scan)
{
    size_t length = 0;
    size_t prefix = strlen(scan->prefix);
    while (scan->at - length > scan->text && is_word(scan->at[-(long)length - 1])) {
        length++;
    }
    const char *word = scan->at - length;
    return *scan->at == '(' && begins(word, scan->prefix) && word[prefix] == '_';
}

/* Does another object follow behind the value of one that outlives a call? */
static bool goes_on(const struct scan *scan)
{
    const struct head *head = &scan->head;
    return head->judged && *scan->at == ',' && scan->braces == head->level &&
           (scan->braces == 0 || head->lasting);
}

/* A word of a declaration. */
static void watch_word(struct scan *scan)
{
    struct head *head = &scan->head;
    size_t length = 1;
    while (is_word(scan->at[length])) {
        length++;
    }
    head->lasting = head->lasting || (length == 6 && begins(scan->at, "static"));
    head->constant = head->constant || (length == 5 && begins(scan->at, "const"));
}

/* A byte that ends a declaration, or what it opens. */
static void watch_end(struct scan *scan)
{
    char c = *scan->at;
    scan->braces += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == '=') {
        scan->head.judged = true;
        scan->head.level = scan->braces;
    } else if (c == ';' || !scan->head.judged) {
        scan->head = (struct head){0};
    }
}

/* One byte of code: nothing may be kept from one call to the next. */
static bool watch(struct scan *scan)
{
    static const char linkage[] = "extern \"C\" {";
    char c = *scan->at;
    struct head *head = &scan->head;
    bool outside = scan->parens == 0 && scan->squares == 0;
    bool first = begins_word(scan);
    if (c == 'e' && first && !head->begun && begins(scan->at, linkage)) {
        scan->braces--; /* no block */
    }
    if (outside && strchr("={};", c)) {
        if ((c == '=' || c == ';' || (c == '{' && scan->braces == 0)) && outlives(scan)) {
            return refuse(scan, "variables that outlive a call");
        }
        watch_end(scan);
        return true;
    }
    if (outside && goes_on(scan)) {
        return refuse(scan, "variables that outlive a call");
    }
    if (outside && first) {
        watch_word(scan);
    }
    head->begun = head->begun || is_word(c);
    head->pointer = head->pointer || (c == '*' && scan->squares == 0 && !head->function);
    head->function =
        (head->function || (outside && opens_function(scan))) && !(outside && c == ',');
    scan->parens += c == '(' ? 1 : c == ')' ? -1 : 0;
    scan->squares += c == '[' ? 1 : c == ']' ? -1 : 0;
    return true;
}

/* A byte of a directive, in which nothing may be declared or put together. */
static bool watch_directive(struct scan *scan)
{
    bool declares = begins(scan->at, "static") || begins(scan->at, "extern");
    if (begins(scan->at, "##") || (declares && begins_word(scan))) {
        return refuse(scan, "such a directive");
    }
    scan->directive = *scan->at != '\n' || scan->at[-1] == '\\';
    return true;
}

/* "#define pose_...": what looks like a function of the file and is none. */
static bool defines_function(const struct scan *scan)
{
    const char *name = scan->at + 7;
    name += strspn(name, " ");
    return begins(scan->at, "#define") && begins(name, scan->prefix) &&
           name[strlen(scan->prefix)] == '_';
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
            scan->directive = true;
            return !defines_function(scan) || refuse(scan, "such a directive");
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
    if (!check_byte(scan) || !(scan->directive ? watch_directive(scan) : watch(scan))) {
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
    struct scan scan = {
        .text = text, .at = text, .line = 1, .prefix = prefix, .name = name, .err = err};
    bool fresh = true;
    while (*scan.at) {
        if (!scan_one(&scan, &fresh)) {
            return false;
        }
    }
    return true;
}
