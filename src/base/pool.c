#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 16

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t start;
    pthread_cond_t done;
    pthread_t threads[THREADS_MAX];
    int helpers; /* threads beside the caller's */
    void (*body)(void *context, int index);
    void *context;
    int count;
    int next;    /* the next index to hand out */
    int running; /* indices handed out and not finished */
    bool quit;
};

/* Called and returns with the lock held. */
static void work(struct pool *pool)
{
    while (pool->next < pool->count) {
        int index = pool->next++;
        pool->running++;
        (void)pthread_mutex_unlock(&pool->lock);
        pool->body(pool->context, index);
        (void)pthread_mutex_lock(&pool->lock);
        pool->running--;
    }
    if (pool->running == 0) {
        (void)pthread_cond_broadcast(&pool->done);
    }
}

static void *helper(void *argument)
{
    struct pool *pool = argument;
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->quit) {
        work(pool);
        (void)pthread_cond_wait(&pool->start, &pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_new(int threads)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return NULL;
    }
    long machine = sysconf(_SC_NPROCESSORS_ONLN);
    int wanted = threads > 0 ? threads : machine > 0 && machine < THREADS_MAX ? (int)machine : 1;
    wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->start, NULL);
    (void)pthread_cond_init(&pool->done, NULL);
    while (pool->helpers < wanted - 1 &&
           pthread_create(&pool->threads[pool->helpers], NULL, helper, pool) == 0) {
        pool->helpers++;
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool) {
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    (void)pthread_cond_broadcast(&pool->start);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->helpers; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->start);
    (void)pthread_cond_destroy(&pool->done);
    free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool ? pool->helpers + 1 : 1;
}

void pool_run(struct pool *pool, int count, void (*body)(void *context, int index), void *context)
{
    if (!pool || pool->helpers == 0) {
        for (int i = 0; i < count; i++) {
            body(context, i);
        }
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->body = body;
    pool->context = context;
    pool->count = count;
    pool->next = 0;
    (void)pthread_cond_broadcast(&pool->start);
    work(pool);
    while (pool->running > 0) {
        (void)pthread_cond_wait(&pool->done, &pool->lock);
    }
    pool->count = 0;
    (void)pthread_mutex_unlock(&pool->lock);
}
