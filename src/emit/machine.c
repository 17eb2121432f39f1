#include "emit/machine.h"

#include <stdio.h>
#include <string.h>

#define RATE_MAX 1000000 /* hundredths */

const char *feature_name(enum feature feature)
{
    static const char *const names[FEATURE_COUNT] = {"layer", "row",   "load",  "weight",
                                                     "one",   "power", "clamp", "byte"};
    return names[feature];
}

/* The same as targets/cortex-m0.costs: `make costs` writes both, and a test compares them. */
static const struct machine cortex_m0 = {
    .title = "cortex-m0",
    .unit = "cycles",
    .word = 32,
    .lanes = true,
    .has =
        {
#define HAS(KIND) [KERNEL_##KIND] = true,
#define RATE(KIND, WHAT, bytes_, cycles_)
#include "emit/default_costs.def"
#undef HAS
#undef RATE
        },
    .rates =
        {
#define HAS(KIND)
#define RATE(KIND, WHAT, bytes_, cycles_) [KERNEL_##KIND][FEATURE_##WHAT] = {bytes_, cycles_},
#include "emit/default_costs.def"
#undef HAS
#undef RATE
        },
};

const struct machine *machine_default(void)
{
    return &cortex_m0;
}

/* ---- reading ---- */

#define WORDS_MAX (1 + 3 * FEATURE_COUNT)

struct reader {
    struct machine *machine;
    struct place place;
    char line[400]; /* cut into words */
    char *words[WORDS_MAX];
    int count;
    struct error *err;
};

/* Hundredths of a decimal such as 12 or 12.25. */
static bool read_rate(struct reader *r, const char *word, int *rate)
{
    int hundredths = 0;
    int places = -1;
    const char *at = word;
    for (; hundredths <= RATE_MAX && places < 2; at++) {
        if (*at >= '0' && *at <= '9') {
            hundredths = 10 * hundredths + (*at - '0');
            places += places >= 0;
        } else if (*at == '.' && places < 0) {
            places = 0;
        } else {
            break;
        }
    }
    for (places = places < 0 ? 0 : places; hundredths <= RATE_MAX && places < 2; places++) {
        hundredths *= 10;
    }
    if (*at || at == word || hundredths > RATE_MAX) {
        return fail_at(r->err, r->place, "'%.40s' is no rate such as 12.25, at most %d", word,
                       RATE_MAX / 100);
    }
    *rate = hundredths;
    return true;
}

static bool read_feature(struct reader *r, struct rate *rates, char **words)
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(feature_name((enum feature)i), words[0]) == 0) {
            return read_rate(r, words[1], &rates[i].bytes) &&
                   read_rate(r, words[2], &rates[i].cycles);
        }
    }
    return fail_at(r->err, r->place, "'%.40s' is no feature", words[0]);
}

/* "packed layer 60 12 row 4 25 ...": feature, bytes, cycles. */
static bool read_kernel(struct reader *r)
{
    enum kernel_kind kind;
    if (!kernel_parse(r->words[0], &kind)) {
        return fail_at(r->err, r->place, "'%.40s' is no kernel", r->words[0]);
    }
    if (r->machine->has[kind]) {
        return fail_at(r->err, r->place, "%s: there are costs already", r->words[0]);
    }
    if (r->count < 4 || r->count % 3 != 1) {
        return fail_at(r->err, r->place, "%s: wants FEATURE BYTES TIME ...", r->words[0]);
    }
    r->machine->has[kind] = true;
    for (int i = 1; i < r->count; i += 3) {
        if (!read_feature(r, r->machine->rates[kind], &r->words[i])) {
            return false;
        }
    }
    return true;
}

/* "lanes yes", a flag of the machine. */
static bool read_flag(struct reader *r, const char *value, bool *flag)
{
    *flag = r->count == 2 && strcmp(r->words[1], value) == 0;
    return *flag || fail_at(r->err, r->place, "%s: wants %s", r->words[0], value);
}

/* "word 16", "multiply no", "unit cycles", a flag such as "lanes yes", or a kernel. */
static bool read_words(struct reader *r)
{
    if (strcmp(r->words[0], "word") == 0) {
        bool narrow = r->count == 2 && strcmp(r->words[1], "16") == 0;
        r->machine->word = narrow ? 16 : 32;
        return narrow || (r->count == 2 && strcmp(r->words[1], "32") == 0) ||
               fail_at(r->err, r->place, "word: wants 16 or 32");
    }
    if (strcmp(r->words[0], "multiply") == 0) {
        return read_flag(r, "no", &r->machine->no_multiplier);
    }
    if (strcmp(r->words[0], "lanes") == 0) {
        return read_flag(r, "yes", &r->machine->lanes);
    }
    if (strcmp(r->words[0], "activations") == 0) {
        return read_flag(r, "wide", &r->machine->wide);
    }
    if (strcmp(r->words[0], "inline") == 0) {
        return read_flag(r, "yes", &r->machine->inlines);
    }
    if (strcmp(r->words[0], "unit") == 0) {
        bool fits = r->count == 2 && strlen(r->words[1]) < sizeof r->machine->unit;
        (void)snprintf(r->machine->unit, sizeof r->machine->unit, "%.15s", fits ? r->words[1] : "");
        return fits || fail_at(r->err, r->place, "unit: wants a word");
    }
    return read_kernel(r);
}

/* The words of the line; false where there are too many. */
static bool split(struct reader *r)
{
    char *at = r->line;
    r->count = 0;
    for (;;) {
        at += strspn(at, " \t\r");
        if (*at == 0) {
            return true;
        }
        if (r->count == WORDS_MAX) {
            return false;
        }
        r->words[r->count++] = at;
        at += strcspn(at, " \t\r");
        if (*at) {
            *at++ = 0;
        }
    }
}

static bool read_line(struct reader *r, const char *data, size_t length)
{
    r->place.line++;
    if (length >= sizeof r->line || memchr(data, 0, length)) {
        return fail_at(r->err, r->place, "too long, or no text");
    }
    memcpy(r->line, data, length);
    r->line[length] = 0;
    if (!split(r)) {
        return fail_at(r->err, r->place, "too many words");
    }
    return r->count == 0 || r->words[0][0] == '#' || read_words(r);
}

bool machine_parse(const char *data, size_t size, const char *file, struct machine *machine,
                   struct error *err)
{
    struct reader r = {.machine = machine, .place = {.file = file}, .err = err};
    *machine = (struct machine){.word = 32, .unit = "cycles"};
    for (size_t at = 0; at < size;) {
        const char *end = memchr(data + at, '\n', size - at);
        size_t length = end ? (size_t)(end - data) - at : size - at;
        if (!read_line(&r, data + at, length)) {
            return false;
        }
        at += length + 1;
    }
    r.place.line = 0;
    return (machine->has[KERNEL_LOOP] && machine->has[KERNEL_LINE]) ||
           fail_at(err, r.place, "no costs of 'loop' and 'line', which every machine needs");
}
