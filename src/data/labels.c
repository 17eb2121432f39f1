#include "data/labels.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "data/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 9007199254740992.0 /* 2^53: whole numbers up to here are exact doubles */

/* A label in the form it is compared in. */
struct canonical {
    const char *text;
    size_t length;
    char buffer[24]; /* of whole numbers */
};

static bool whole_number(const char *text, double *value)
{
    const char *stop = number_parse(text, value);
    return stop && *stop == 0 && fabs(*value) <= WHOLE_MAX && floor(*value) == *value;
}

/* `length` <= NAME_BYTES. */
static void canonicalise(struct canonical *label, const char *text, size_t length)
{
    char copy[NAME_BYTES + 1];
    double value = 0;
    memcpy(copy, text, length);
    copy[length] = 0;
    label->text = text;
    label->length = length;
    if (strlen(copy) == length && whole_number(copy, &value)) {
        int printed = snprintf(label->buffer, sizeof label->buffer, "%.0f", value + 0.0);
        label->text = label->buffer;
        label->length = (size_t)printed;
    }
}

const char *name_fault(const char *text, size_t length)
{
    if (length > NAME_BYTES) {
        return "longer than 200 bytes";
    }
    return utf8_clean(text, length) ? NULL : "not in UTF-8, or with a control character in it";
}

/* The slot that holds the label, or the free one where it belongs. */
static size_t slot_of(const struct labels *labels, const struct canonical *label)
{
    uint64_t hash = hash_bytes(HASH_START, label->text, label->length);
    size_t slot = (size_t)hash & (labels->slot_count - 1);
    while (labels->slots[slot] >= 0) {
        const char *name = labels->names[labels->slots[slot]];
        if (strlen(name) == label->length && memcmp(name, label->text, label->length) == 0) {
            return slot;
        }
        slot = (slot + 1) & (labels->slot_count - 1);
    }
    return slot;
}

/* False: no memory. */
static bool add(struct labels *labels, const struct canonical *label, size_t slot)
{
    char *name = arena_text(labels->arena, label->text, label->length);
    if (!name) {
        return false;
    }
    labels->slots[slot] = labels->count;
    labels->names[labels->count++] = name;
    return true;
}

bool labels_start(struct labels *labels, struct arena *arena, const char *const *known,
                  int known_count)
{
    int capacity = known_count > LABELS_MAX ? known_count : LABELS_MAX;
    *labels = (struct labels){.arena = arena, .capacity = capacity};
    labels->slot_count = 2048;
    while (labels->slot_count < 2 * (size_t)capacity) {
        labels->slot_count *= 2;
    }
    labels->names = arena_alloc(arena, (size_t)capacity, sizeof *labels->names);
    labels->slots = arena_alloc(arena, labels->slot_count, sizeof *labels->slots);
    if (!labels->names || !labels->slots) {
        return false;
    }
    memset(labels->slots, 0xff, labels->slot_count * sizeof *labels->slots);
    for (int i = 0; i < known_count; i++) {
        struct canonical label = {.text = known[i], .length = strlen(known[i])};
        if (label.length <= NAME_BYTES) {
            canonicalise(&label, known[i], label.length);
        }
        if (!add(labels, &label, slot_of(labels, &label))) {
            return false;
        }
    }
    labels->known = known_count > 0;
    return true;
}

int labels_find(const struct labels *labels, const char *text, size_t length)
{
    struct canonical label;
    if (length > NAME_BYTES) {
        return -1;
    }
    canonicalise(&label, text, length);
    return labels->slots[slot_of(labels, &label)];
}

static int refuse(struct reason *reason, const char *text)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s", text);
    return -1;
}

static int refuse_unknown(const struct labels *labels, const struct canonical *label,
                          struct reason *reason)
{
    size_t used = (size_t)snprintf(reason->text, sizeof reason->text,
                                   "'%.*s' is not a class of the net; they are", (int)label->length,
                                   label->text);
    for (int i = 0; i < labels->count && used < sizeof reason->text; i++) {
        const char *name = labels->names[i];
        if (used + strlen(name) + 10 > sizeof reason->text) {
            (void)snprintf(reason->text + used, sizeof reason->text - used, " ...");
            break;
        }
        used += (size_t)snprintf(reason->text + used, sizeof reason->text - used, "%s %s",
                                 i > 0 ? "," : "", name);
    }
    return -1;
}

static int refuse_many(const struct canonical *label, struct reason *reason)
{
    char copy[NAME_BYTES + 1];
    double value = 0;
    memcpy(copy, label->text, label->length);
    copy[label->length] = 0;
    const char *stop = number_parse(copy, &value);
    return refuse(reason, stop && *stop == 0
                              ? "more than 1000 different labels: the column looks continuous; "
                                "for regression use --outputs instead of --label"
                              : "more than 1000 different labels");
}

int labels_index(struct labels *labels, const char *text, size_t length, struct reason *reason)
{
    struct canonical label;
    const char *fault = name_fault(text, length);
    if (length == 0 || fault) {
        (void)snprintf(reason->text, sizeof reason->text, "a label %s",
                       fault ? fault : "is missing here");
        return -1;
    }
    canonicalise(&label, text, length);
    size_t slot = slot_of(labels, &label);
    if (labels->slots[slot] >= 0) {
        return labels->slots[slot];
    }
    if (labels->known) {
        return refuse_unknown(labels, &label, reason);
    }
    if (labels->count == LABELS_MAX) {
        return refuse_many(&label, reason);
    }
    if (!add(labels, &label, slot)) {
        return refuse(reason, "");
    }
    return labels->count - 1;
}

struct sorted {
    const char *name;
    double value;
    int32_t index;
};

static int by_bytes(const void *left, const void *right)
{
    return strcmp(((const struct sorted *)left)->name, ((const struct sorted *)right)->name);
}

static int by_value(const void *left, const void *right)
{
    double a = ((const struct sorted *)left)->value;
    double b = ((const struct sorted *)right)->value;
    return (a > b) - (a < b);
}

const int32_t *labels_sort(struct labels *labels)
{
    size_t count = (size_t)labels->count;
    int32_t *order = arena_alloc(labels->arena, count, sizeof *order);
    struct sorted *sorted = arena_alloc(labels->arena, count, sizeof *sorted);
    bool numbers = true;
    if (!order || !sorted) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct sorted){.name = labels->names[i], .index = (int32_t)i};
        numbers = numbers && whole_number(sorted[i].name, &sorted[i].value);
    }
    qsort(sorted, count, sizeof *sorted, numbers ? by_value : by_bytes);
    for (size_t i = 0; i < count; i++) {
        labels->names[i] = sorted[i].name;
        order[sorted[i].index] = (int32_t)i;
    }
    return order;
}
