/* A pool of threads that run the indices of one loop.  Work is cut by index, never by thread
 * count, and bodies write to places of their own, so results do not depend on the threads. */
#ifndef MOTE_BASE_POOL_H
#define MOTE_BASE_POOL_H

struct pool;

/* `threads` >= 1 (0: as many as the machine has, at most 16).  NULL when out of memory; when
 * threads cannot be started the pool has fewer. */
struct pool *pool_new(int threads);
void pool_free(struct pool *pool);
int pool_threads(const struct pool *pool);

/* body(context, index) for every index 0..count-1; returns when all are done.  NULL pool: the
 * caller's thread does it all. */
void pool_run(struct pool *pool, int count, void (*body)(void *context, int index), void *context);

#endif
