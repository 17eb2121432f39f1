#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64
#define BLOCK     ((size_t)1 << 16)

struct block {
    struct block *next;
    size_t size; /* bytes behind the header, which takes ALIGNMENT bytes */
    size_t used;
};

struct arena {
    struct block *blocks; /* the newest first; only it is filled further */
};

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    struct block *block = aligned_alloc(ALIGNMENT, ALIGNMENT + size);
    if (block) {
        *block = (struct block){.size = size};
    }
    return block;
}

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (!arena) {
        return;
    }
    struct block *next;
    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static void *block_take(struct block *block, size_t bytes)
{
    void *memory = (char *)block + ALIGNMENT + block->used;
    block->used += bytes;
    return memset(memory, 0, bytes);
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 4) / size) {
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    struct block *top = arena->blocks;
    if (top && top->size - top->used >= bytes) {
        return block_take(top, bytes);
    }
    struct block *block = block_new(bytes > BLOCK ? bytes : BLOCK);
    if (!block) {
        return NULL;
    }
    if (bytes > BLOCK && top) { /* a large one leaves the block in use on top */
        block->next = top->next;
        top->next = block;
    } else {
        block->next = top;
        arena->blocks = block;
    }
    return block_take(block, bytes);
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1, 1);
    if (copy) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *arena_string(struct arena *arena, const char *string)
{
    return arena_text(arena, string, strlen(string));
}
