#include "base/starve.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool seen;
static json_malloc_t allocate = malloc; /* jansson's own, or what a host program has set */

static void *watched(size_t size)
{
    void *memory = allocate(size);
    seen = seen || (!memory && size > 0);
    return memory;
}

void starve_watch(void)
{
    json_malloc_t now;
    json_free_t release;
    seen = false;
    json_get_alloc_funcs(&now, &release);
    if (now != watched) {
        allocate = now;
        json_set_alloc_funcs(watched, release);
    }
}

bool starve_seen(void)
{
    return seen;
}
