/* The pool of threads: every index once, results that do not depend on the threads. */
#include "support/unit.h"

#include "base/pool.h"
#include "base/rng.h"

#include <stdatomic.h>
#include <unistd.h>

#define COUNT_MAX 5000

struct job {
    atomic_int visits[COUNT_MAX];
    uint64_t results[COUNT_MAX];
};

static void body(void *context, int index)
{
    struct job *job = context;
    struct rng rng = rng_new((uint64_t)index, 5);
    atomic_fetch_add(&job->visits[index], 1);
    for (int i = 0; i < index % 50; i++) {
        job->results[index] += rng_bits(&rng);
    }
}

static void check_pool(struct pool *pool, int count)
{
    static struct job job;
    static struct job alone;
    job = (struct job){0};
    alone = (struct job){0};
    pool_run(pool, count, body, &job);
    pool_run(NULL, count, body, &alone);
    for (int i = 0; i < COUNT_MAX; i++) {
        assert_int_equal(atomic_load(&job.visits[i]), i < count);
        assert_true(job.results[i] == alone.results[i]);
    }
}

static void test_every_index_once(void **state)
{
    static const int threads[] = {1, 2, 3, 8};
    static const int counts[] = {0, 1, 2, 7, COUNT_MAX};
    (void)state;
    for (int t = 0; t < 4; t++) {
        struct pool *pool = pool_new(threads[t]);
        assert_non_null(pool);
        assert_int_equal(pool_threads(pool), threads[t]);
        for (int round = 0; round < 10; round++) {
            for (int c = 0; c < 5; c++) {
                check_pool(pool, counts[c]);
            }
        }
        pool_free(pool);
    }
}

static void add_one(void *context, int index)
{
    (void)index;
    atomic_fetch_add((atomic_int *)context, 1);
}

/* Many tiny loops in a row: waking up and finishing must not lose or invent an index. */
static void test_many_short_loops(void **state)
{
    atomic_int sum = 0;
    struct pool *pool = pool_new(4);
    (void)state;
    for (int i = 0; i < 5000; i++) {
        pool_run(pool, 3, add_one, &sum);
        assert_int_equal(atomic_load(&sum), 3 * (i + 1));
    }
    pool_free(pool);
}

static void nap(void *context, int index)
{
    (void)usleep(index == 0 ? 20000 : 100);
    atomic_fetch_add((atomic_int *)context, 1);
}

/* pool_run() returns when the slowest index is done, not the last handed out. */
static void test_waits_for_all(void **state)
{
    atomic_int sum = 0;
    struct pool *pool = pool_new(3);
    (void)state;
    pool_run(pool, 6, nap, &sum);
    assert_int_equal(atomic_load(&sum), 6);
    pool_free(pool);
}

static void test_sizes(void **state)
{
    struct pool *machine = pool_new(0);
    struct pool *many = pool_new(1000);
    (void)state;
    assert_in_range(pool_threads(machine), 1, 16);
    assert_in_range(pool_threads(many), 1, 16);
    assert_int_equal(pool_threads(NULL), 1);
    pool_free(machine);
    pool_free(many);
    pool_free(pool_new(2)); /* never used */
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_index_once),
        cmocka_unit_test(test_many_short_loops),
        cmocka_unit_test(test_waits_for_all),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
