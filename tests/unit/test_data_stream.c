/* Files, gzip and pipes give the same table; memory stays near the data's size. */
#include "support/unit.h"

#include "base/rng.h"
#include "base/text.h"
#include "support/arrays.h"
#include "support/load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void random_csv(struct text *csv, int rows, const char *end)
{
    struct rng rng = rng_new(5, 0);
    text_printf(csv, "a [mm],b,c%s", end);
    for (int i = 0; i < rows; i++) {
        text_printf(csv, "%.6f,%.3f,%d%s", rng_uniform(&rng, -9, 9), rng_uniform(&rng, 0, 1e6), i,
                    end);
    }
}

static void test_same_table(void **state)
{
    struct data_options options = {.outputs = 1};
    struct text csv = {0};
    struct text crlf = {0};
    struct error err = {0};
    size_t size = 0;
    (void)state;
    random_csv(&csv, 30000, "\n");
    random_csv(&crlf, 30000, "\r\n");
    unsigned char *packed = gzip_bytes(csv.data, csv.length, &size);
    struct dataset *tables[] = {
        load_bytes(csv.data, csv.length, &options, &err),
        load_bytes(crlf.data, crlf.length, &options, &err),
        load_bytes(csv.data, csv.length - 1, &options, &err),
        load_bytes(packed, size, &options, &err),
        load_stdin(csv.data, csv.length, &options, &err),
        load_stdin(packed, size, &options, &err),
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_non_null(tables[i]);
        assert_int_equal(tables[i]->row_count, 30000);
        assert_true(same_data(tables[0], tables[i]));
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        data_free(tables[i]);
    }
    free(packed);
    text_free(&csv);
    text_free(&crlf);
}

/* gzip files may be joined; anything else behind one is an error. */
static void test_joined_gzip(void **state)
{
    struct data_options options = {.outputs = 1};
    struct text joined = {0};
    struct error err = {0};
    size_t size = 0;
    (void)state;
    unsigned char *first = gzip_bytes("a,b\n1,", 6, &size);
    text_bytes(&joined, (const char *)first, size);
    unsigned char *second = gzip_bytes("2\n3,4\n", 6, &size);
    text_bytes(&joined, (const char *)second, size);
    struct dataset *data = load_bytes(joined.data, joined.length, &options, &err);
    assert_non_null(data);
    assert_true(data->row_count == 2 && data_row(data, 0)[1] == 2.0f);
    data_free(data);
    text_add(&joined, "x");
    assert_null(load_bytes(joined.data, joined.length, &options, &err));
    assert_string_equal(base_message(&err), "t.csv: more bytes follow the gzip data");
    free(first);
    free(second);
    text_free(&joined);
}

/* The hash is of names and values: it sees any change of either. */
static void test_hash(void **state)
{
    static const char *const texts[] = {"a,b\n1,2\n", "a,c\n1,2\n",     "a,b\n1,3\n",
                                        "1,2\n",      "a [m],b\n1,2\n", "a,b\n1,2\n1,2\n"};
    enum { COUNT = sizeof texts / sizeof *texts };
    uint64_t hashes[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        struct data_options options = {.outputs = 1};
        struct error err = {0};
        struct dataset *data = load_text(texts[i], &options, &err);
        assert_non_null(data);
        hashes[i] = data->hash;
        data_free(data);
        for (size_t j = 0; j < i; j++) {
            assert_true(hashes[i] != hashes[j]);
        }
    }
    assert_true(hashes[3] == UINT64_C(0xe7c2113e798b2ff8)); /* pinned: the same on every machine */
}

/* ---- long streams ---- */

/* A producer in a process of its own prints `rows` rows to a pipe; its end for reading. */
static int start_producer(size_t rows, pid_t *child)
{
    static const char line[] = "12.345678,-0.00125,98765,3.5,1e-3,77.7,0.125,-6.25,1,10\n";
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *child = fork();
    if (*child == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)close(ends[0]);
        FILE *file = fdopen(ends[1], "w");
        for (size_t i = 0; file && i < rows; i++) {
            (void)fwrite(line, 1, sizeof line - 1, file);
        }
        _exit(file && fclose(file) == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    return ends[0];
}

/* What the child below tells its parent. */
struct outcome {
    size_t rows;
    long peak; /* kB */
    int more;
};

static struct outcome load_here(size_t samples)
{
    struct data_options options = {.outputs = 1, .samples = samples};
    struct error err = {0};
    struct rusage usage;
    struct dataset *data = data_load("-", &options, &err);
    (void)getrusage(RUSAGE_SELF, &usage);
    struct outcome outcome = {data ? data->row_count : 0, usage.ru_maxrss, data && data->more};
    data_free(data);
    return outcome;
}

/* Load a stream in a fresh process, for its own peak; the producer's exit status in *status. */
static struct outcome load_apart(size_t rows, size_t samples, int *status)
{
    pid_t producer;
    int ends[2];
    struct outcome outcome = {0};
    int input = start_producer(rows, &producer);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(input, STDIN_FILENO);
        (void)close(input);
        outcome = load_here(samples);
        (void)close(STDIN_FILENO);
        ssize_t done = write(ends[1], &outcome, sizeof outcome);
        _exit(done == (ssize_t)sizeof outcome ? 0 : 1);
    }
    (void)close(input);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &outcome, sizeof outcome), sizeof outcome);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    (void)waitpid(producer, status, 0);
    return outcome;
}

static void test_peak_memory(void **state)
{
    enum { ROWS = 1900000, COLUMNS = 10 }; /* 106 MB of text, 76 MB of values */
    int status = 0;
    (void)state;
    struct outcome outcome = load_apart(ROWS, ROWS + 1, &status);
    long data = (long)ROWS * COLUMNS * (long)sizeof(float) / 1024;
    assert_int_equal(outcome.rows, ROWS);
    assert_false(outcome.more);
    assert_int_equal(status, 0);
    print_message("peak %ld kB for %ld kB of values\n", outcome.peak, data);
    assert_true(outcome.peak < 2 * data + 64 * 1024);
}

static void test_stops_reading(void **state)
{
    int status = 0;
    (void)state;
    struct outcome outcome = load_apart((size_t)1 << 40, 5000, &status);
    assert_int_equal(outcome.rows, 5000);
    assert_true(outcome.more);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void test_default_samples(void **state)
{
    int status = 0;
    (void)state;
    struct outcome outcome = load_apart(1000001, 0, &status);
    assert_int_equal(outcome.rows, 1000000);
    assert_true(outcome.more);
}

/* The memory test comes first: a child's peak starts at what its parent holds. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peak_memory),   cmocka_unit_test(test_same_table),
        cmocka_unit_test(test_hash),          cmocka_unit_test(test_joined_gzip),
        cmocka_unit_test(test_stops_reading), cmocka_unit_test(test_default_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
