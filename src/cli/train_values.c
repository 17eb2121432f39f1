/* Values of the options of mote train for images. */
#include "cli/train.h"

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

static bool take_entry(const char *text, const char *end, const struct entry *entries, int count)
{
    size_t length = strcspn(text, "=");
    double value;
    for (int i = 0; i < count; i++) {
        if (strlen(entries[i].name) == length && strncmp(text, entries[i].name, length) == 0) {
            return text[length] == '=' && take_number(text + length + 1, end, &value) &&
                   store(&entries[i], value);
        }
    }
    return false;
}

/* "rotate=10,shift=2" */
static bool take_list(const char *text, const struct entry *entries, int count)
{
    for (;;) {
        const char *end = text + strcspn(text, ",");
        if (!take_entry(text, end, entries, count)) {
            return false;
        }
        if (!*end) {
            return true;
        }
        text = end + 1;
    }
}

/* Lists start with -1 where 0 can be asked for; options take 0 as the default, negative as none. */
static double given_or_default(double value)
{
    return value < 0 ? 0 : value == 0 ? -1 : value;
}

bool parse_augment(const char *text, void *choice)
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
    c->original = -1;
    bool good = strcmp(text, "none") == 0 ||
                take_list(text, entries, (int)(sizeof entries / sizeof *entries));
    c->original = given_or_default(c->original);
    return good;
}

bool parse_tuning(const char *text, void *choice)
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
        {"batch", NULL, NULL, &c->batch, 16, 1024},
        {"teacher-part", &c->teacher_part, NULL, NULL, 0.001, 1},
        {"temperature", &c->temperature, NULL, NULL, 0.5, 50},
        {"freeze", NULL, NULL, &freeze, 0, 1},
        {"settle", &c->settle, NULL, NULL, 0, 1},
        {"whole", NULL, NULL, &whole, 0, 1},
        {"copy-memory", NULL, NULL, &c->copy_memory, 1, 1 << 20},
    };
    bool good = take_list(text, entries, (int)(sizeof entries / sizeof *entries));
    c->freeze = freeze != 0;
    c->whole = whole != 0;
    c->settle = given_or_default(c->settle);
    return good && c->batch % 16 == 0;
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
    if (side < 4) {
        return (struct augment){.shift = (float)(rows > columns ? rows : columns) * 0.03F};
    }
    return (struct augment){.rotate = 10,
                            .shift = (float)side * 0.08F,
                            .scale = 0.12F,
                            .shear = 0.1F,
                            .elastic = (float)side * 0.035F};
}
