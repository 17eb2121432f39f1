/* Class labels: texts to class indices. */
#ifndef MOTE_DATA_LABELS_H
#define MOTE_DATA_LABELS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LABELS_MAX  1000 /* different labels of one column */
#define NAME_BYTES  200  /* bytes of a name, a unit or a label */
#define REASON_SIZE 320

/* Why a value was refused: one clause for the caller to put behind its place; "" for lack of
 * memory. */
struct reason {
    char text[REASON_SIZE];
};

struct labels {
    struct arena *arena;
    const char **names; /* in order of appearance, or the known classes in theirs */
    int count;
    int capacity;
    int32_t *slots; /* hash table of indices into names; -1: free */
    size_t slot_count;
    bool known; /* the set is closed */
};

/* Empty, or closed over `known_count` known classes (those may be any number).  False: no memory.
 * Everything lives in the arena. */
bool labels_start(struct labels *labels, struct arena *arena, const char *const *known,
                  int known_count);

/* The index of a label, which is added where the set is open.  Whole numbers are compared by
 * value: "1", "+1" and "1.0" are one label, "1".  -1 on failure. */
int labels_index(struct labels *labels, const char *text, size_t length, struct reason *reason);

/* The index of a label that is in the set, else -1. */
int labels_find(const struct labels *labels, const char *text, size_t length);

/* Sort an open set: by value where all are whole numbers, else by bytes.  order[old] is the new
 * index; in the arena.  NULL: no memory. */
const int32_t *labels_sort(struct labels *labels);

/* NULL, or why this cannot be a name: too long, no UTF-8, control characters. */
const char *name_fault(const char *text, size_t length);

#endif
