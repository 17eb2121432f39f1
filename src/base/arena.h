/* Arena: memory of one long-lived object, freed whole.
 *
 * A struct with an arena owns what hangs below it; every other pointer borrows.
 */
#ifndef MOTE_BASE_ARENA_H
#define MOTE_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(void);

/* Frees everything allocated from it; NULL is fine. */
void arena_free(struct arena *arena);

/* `count` zeroed objects of `size` bytes, aligned to 64.  NULL when out of memory or when
 * count * size overflows; count == 0 gives a valid, unique pointer. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* A terminated copy of `length` bytes of text; NULL when out of memory. */
char *arena_text(struct arena *arena, const char *text, size_t length);

/* A terminated copy of a terminated string; NULL when out of memory. */
char *arena_string(struct arena *arena, const char *string);

#endif
