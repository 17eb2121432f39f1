/* Values of the options of mote train for images. */
#include "cli/train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One "name=number" of a list: the number's place and its range. */
struct entry {
    const char *name;
    double *real; /* one of these three */
    float *narrow;
    int *whole;
    double low, high;
};

/* All entries that a list may have, and what it is said to be made of. */
struct list {
    const struct entry *entries;
    int count;
    const char *expects;
};

/* A plain decimal number that ends at `end` ('\0' or ','). */
static bool take_number(const char *text, const char *end, double *value)
{
    size_t length = (size_t)(end - text);
    char copy[24] = "";
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    size_t start = copy[0] == '-';
    size_t digits = strspn(copy + start, "0123456789");
    size_t point = copy[start + digits] == '.';
    size_t places = point ? strspn(copy + start + digits + 1, "0123456789") : 0;
    *value = strtod(copy, NULL);
    return digits + places > 0 && start + digits + point + places == length;
}

/* A limit as it is typed: 0.000001, not 1e-06. */
static const char *limit_text(double limit, char text[24])
{
    (void)snprintf(text, 24, "%.6f", limit);
    char *end = text + strlen(text);
    while (end[-1] == '0') {
        *--end = 0;
    }
    if (end[-1] == '.') {
        end[-1] = 0;
    }
    return text;
}

static bool store(const struct entry *entry, double value)
{
    if (!(value >= entry->low && value <= entry->high)) {
        return false;
    }
    if (entry->real) {
        *entry->real = value;
    } else if (entry->narrow) {
        *entry->narrow = (float)value;
    } else {
        *entry->whole = (int)value;
        return (double)(int)value == value;
    }
    return true;
}

/* "noise=300: 0 to 255 are allowed" */
static bool refuse(const char *text, size_t length, const struct entry *entry, struct error *err)
{
    char low[24];
    char high[24];
    return fail(err, "%.*s: %s%s to %s are allowed", (int)length, text,
                entry->whole ? "whole numbers from " : "", limit_text(entry->low, low),
                limit_text(entry->high, high));
}

/* The entry that `text` of so many bytes is for; NULL: there is none of its name, or no '='. */
static const struct entry *find_entry(const struct list *list, const char *text, size_t length)
{
    size_t name = strcspn(text, "=");
    for (int i = 0; name < length && i < list->count; i++) {
        const char *own = list->entries[i].name;
        if (strlen(own) == name && strncmp(text, own, name) == 0) {
            return &list->entries[i];
        }
    }
    return NULL;
}

/* "rotate=10" of so many bytes; `taken` has a bit for each entry that was there before. */
static bool take_entry(const char *text, size_t length, const struct list *list, unsigned *taken,
                       struct error *err)
{
    double value;
    const struct entry *entry = find_entry(list, text, length);
    if (!entry) {
        return fail(err, "'%.*s' is not %s", (int)length, text, list->expects);
    }
    unsigned bit = 1U << (entry - list->entries);
    if (*taken & bit) {
        return fail(err, "%s is given twice", entry->name);
    }
    *taken |= bit;
    if (!take_number(text + strlen(entry->name) + 1, text + length, &value)) {
        return fail(err, "%.*s: no plain decimal number", (int)length, text);
    }
    return store(entry, value) || refuse(text, length, entry, err);
}

/* "rotate=10,shift=2", perhaps with blanks behind the commas. */
static bool take_list(const char *text, const struct list *list, struct error *err)
{
    unsigned taken = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        if (!take_entry(text, length, list, &taken, err)) {
            return false;
        }
        if (!text[length]) {
            return true;
        }
        text += length + 1;
        text += strspn(text, " ");
    }
}

/* Lists start with -1 where 0 can be asked for; options take 0 as the default, negative as none. */
static double given_or_default(double value)
{
    return value < 0 ? 0 : value == 0 ? -1 : value;
}

bool parse_augment(const char *text, void *choice, struct error *err)
{
    struct augment_choice *c = choice;
    *c = (struct augment_choice){.given = true};
    const struct entry entries[] = {
        {"rotate", NULL, &c->augment.rotate, NULL, 0, 180},
        {"shift", NULL, &c->augment.shift, NULL, 0, 1000},
        {"scale", NULL, &c->augment.scale, NULL, 0, 0.9},
        {"shear", NULL, &c->augment.shear, NULL, 0, 2},
        {"elastic", NULL, &c->augment.elastic, NULL, 0, 100},
        {"noise", NULL, &c->augment.noise, NULL, 0, 255},
        {"cutout", NULL, NULL, &c->augment.cutout, 0, 1000},
        {"copies", NULL, NULL, &c->copies, 1, 1000},
        {"original", &c->original, NULL, NULL, 0, 1},
    };
    const struct list list = {entries, (int)(sizeof entries / sizeof *entries),
                              "of rotate=, shift=, scale=, shear=, elastic=, noise=, cutout=, "
                              "copies= and original=, separated by commas; nor none alone"};
    c->original = -1;
    bool good = strcmp(text, "none") == 0 || take_list(text, &list, err);
    c->original = given_or_default(c->original);
    return good;
}

bool parse_tuning(const char *text, void *choice, struct error *err)
{
    struct tuning_choice *c = choice;
    int freeze = 0;
    int whole = 0;
    *c = (struct tuning_choice){.settle = -1};
    const struct entry entries[] = {
        {"rate", &c->rate, NULL, NULL, 1e-6, 1},
        {"integer-rate", &c->integer_rate, NULL, NULL, 1e-6, 10},
        {"decay", &c->decay, NULL, NULL, 0, 1},
        {"sparse", &c->sparse, NULL, NULL, 0, 1},
        {"batch", NULL, NULL, &c->batch, 64, 1024},
        {"teacher-part", &c->teacher_part, NULL, NULL, 0.001, 1},
        {"temperature", &c->temperature, NULL, NULL, 0.5, 50},
        {"teacher-epochs", NULL, NULL, &c->teacher_epochs, 1, 10000},
        {"freeze", NULL, NULL, &freeze, 0, 1},
        {"settle", &c->settle, NULL, NULL, 0, 1},
        {"whole", NULL, NULL, &whole, 0, 1},
        {"copy-memory", NULL, NULL, &c->copy_memory, 1, 1 << 20},
    };
    const struct list list = {
        entries, (int)(sizeof entries / sizeof *entries),
        "of rate=, integer-rate=, decay=, sparse=, batch=, teacher-part=, temperature=, "
        "teacher-epochs=, freeze=, settle=, whole= and copy-memory=, separated by commas"};
    bool good = take_list(text, &list, err);
    c->freeze = freeze != 0;
    c->whole = whole != 0;
    c->settle = given_or_default(c->settle);
    return good &&
           (c->batch % 64 == 0 || fail(err, "batch=%d: multiples of 64 are allowed", c->batch));
}

/* "6+20", or 26 in all, of which a quarter in floats. */
bool parse_epochs(const char *text, void *choice)
{
    struct epochs_choice *c = choice;
    double first, second;
    const char *plus = strchr(text, '+');
    const char *end = text + strlen(text);
    if (!take_number(text, plus ? plus : end, &first)) {
        return false;
    }
    if (!plus) {
        second = first;
        first = (double)(int)(first / 4 + 0.5);
        second -= first;
    } else if (!take_number(plus + 1, end, &second)) {
        return false;
    }
    c->in_floats = (int)(first < 1e6 ? first : 0);
    c->in_integers = (int)(second < 1e6 ? second : 0);
    return c->in_floats == first && c->in_integers == second && first >= 1 && first <= 10000 &&
           second >= 1 && second <= 10000;
}

static bool parse_real(const char *text, double most, void *value)
{
    double *real = value;
    return take_number(text, text + strlen(text), real) && *real >= 0 && *real <= most;
}

bool parse_share(const char *text, void *share)
{
    return parse_real(text, 0.5, share);
}

bool parse_whole_share(const char *text, void *share)
{
    return parse_real(text, 1, share);
}

bool parse_decay(const char *text, void *decay)
{
    return parse_real(text, 0.9999, decay);
}

bool parse_steps(const char *text, void *learned)
{
    bool *value = learned;
    *value = strcmp(text, "learned") == 0;
    return *value || strcmp(text, "fixed") == 0;
}

struct augment default_augment(int rows, int columns)
{
    int side = rows < columns ? rows : columns;
    float along = (float)(rows < columns ? columns : rows) * 0.03F;
    float across = (float)side * 0.25F;
    if (side < 4) {
        return (struct augment){.shift = side == 1 || along < across ? along : across};
    }
    return (struct augment){.rotate = 10,
                            .shift = (float)side * 0.08F,
                            .scale = 0.12F,
                            .shear = 0.1F,
                            .elastic = (float)side * 0.035F};
}
