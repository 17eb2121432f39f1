/* The four functions that a compiler may call even without a C library.  They are linked to the
 * measured code, so that it pays for those it uses. */
#include <stddef.h>

#pragma GCC optimize("no-tree-loop-distribute-patterns") /* memset is no loop around memset */

void *memset(void *to, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
int memcmp(const void *left, const void *right, size_t size);

void *memset(void *to, int value, size_t size)
{
    unsigned char *at = to;
    while (size-- > 0) {
        *at++ = (unsigned char)value;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    while (size-- > 0) {
        *at++ = *source++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    if (at <= source) {
        return memcpy(to, from, size);
    }
    while (size-- > 0) {
        at[size] = source[size];
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; size > 0; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}
