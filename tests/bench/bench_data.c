/* How fast a CSV file is read: 12 columns of six decimals, plain and gzip'd, in CPU time. */
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define ROWS    200000
#define COLUMNS 12
#define TURNS   5
#define LEAST   50.0 /* MB/s that plain text has to reach */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Megabytes of text written; "wT" writes it as it is, "w1" through gzip. */
static double write_table(const char *path, const char *mode)
{
    unsigned state = 1;
    double bytes = 0;
    gzFile file = gzopen(path, mode);
    for (int i = 0; file && i < ROWS * COLUMNS; i++) {
        state = state * 1664525u + 1013904223u;
        bytes += gzprintf(file, "%.6f%c", (double)(int)state * 5e-8,
                          i % COLUMNS == COLUMNS - 1 ? '\n' : ',');
    }
    if (!file || gzclose(file) != Z_OK) {
        perror(path);
        exit(1);
    }
    return bytes * 1e-6;
}

/* The fastest of some turns, in MB of text per second. */
static double measure(const char *path, const char *mode)
{
    double megabytes = write_table(path, mode);
    double best = 1e9;
    for (int turn = 0; turn < TURNS; turn++) {
        struct data_options options = {.outputs = 6};
        struct error err = {0};
        double start = now();
        struct dataset *data = data_load(path, &options, &err);
        double seconds = now() - start;
        if (!data || data->row_count != ROWS) {
            (void)fprintf(stderr, "%s\n", err.message);
            exit(1);
        }
        data_free(data);
        best = seconds < best ? seconds : best;
    }
    return megabytes / best;
}

int main(void)
{
    char path[] = "/tmp/mote-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    (void)close(fd);
    double plain = measure(path, "wT");
    double packed = measure(path, "w1");
    (void)unlink(path);
    (void)printf("csv   read at %4.0f MB/s (at least %.0f), gzip'd %4.0f MB/s of text\n", plain,
                 LEAST, packed);
    return plain < LEAST;
}
