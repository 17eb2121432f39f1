#include "support/load.h"

#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct dataset *load_bytes(const void *bytes, size_t size, const struct data_options *options,
                           struct error *err)
{
    const char *path = scratch_path("t.csv");
    scratch_write(path, bytes, size);
    return data_load(path, options, err);
}

struct dataset *load_text(const char *text, const struct data_options *options, struct error *err)
{
    return load_bytes(text, strlen(text), options, err);
}

/* The writing end of the pipe, in a process of its own. */
static void feed(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done <= 0) {
            break;
        }
        bytes += done;
        size -= (size_t)done;
    }
    _exit(0);
}

struct dataset *load_stdin(const void *bytes, size_t size, const struct data_options *options,
                           struct error *err)
{
    int ends[2];
    if (pipe(ends) != 0) {
        abort();
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        feed(ends[1], bytes, size);
    }
    (void)close(ends[1]);
    int kept = dup(STDIN_FILENO);
    (void)dup2(ends[0], STDIN_FILENO);
    (void)close(ends[0]);
    struct dataset *data = data_load("-", options, err);
    (void)dup2(kept, STDIN_FILENO);
    (void)close(kept);
    (void)waitpid(child, NULL, 0);
    return data;
}

static struct peak peak_here(const char *path)
{
    struct data_options options = {.inputs_only = true};
    struct error err = {0};
    struct rusage usage;
    struct dataset *data = data_load(path, &options, &err);
    (void)getrusage(RUSAGE_SELF, &usage);
    struct peak peak = {data ? data->row_count : 0, usage.ru_maxrss};
    data_free(data);
    return peak;
}

struct peak load_peak(const char *path)
{
    struct peak peak = {0, 0};
    int ends[2];
    if (pipe(ends) != 0) {
        abort();
    }
    pid_t child = fork();
    if (child == 0) {
        peak = peak_here(path);
        _exit(write(ends[1], &peak, sizeof peak) == (ssize_t)sizeof peak ? 0 : 1);
    }
    (void)close(ends[1]);
    if (read(ends[0], &peak, sizeof peak) != (ssize_t)sizeof peak) {
        peak.rows = 0;
    }
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return peak;
}

const char *base_message(const struct error *err)
{
    const char *end = strstr(err->message, ": ");
    const char *base = err->message;
    for (const char *c = base; c < end; c++) {
        base = *c == '/' ? c + 1 : base;
    }
    return base;
}

int same_data(const struct dataset *left, const struct dataset *right)
{
    size_t width = (size_t)left->input_count + (size_t)left->output_count;
    if (left->input_count != right->input_count || left->output_count != right->output_count ||
        left->row_count != right->row_count || left->class_count != right->class_count ||
        left->hash != right->hash || strcmp(left->label, right->label) != 0) {
        return 0;
    }
    for (size_t c = 0; c < width; c++) {
        if (strcmp(left->columns[c].name, right->columns[c].name) != 0 ||
            strcmp(left->columns[c].unit, right->columns[c].unit) != 0) {
            return 0;
        }
    }
    for (int c = 0; c < left->class_count; c++) {
        if (strcmp(left->classes[c], right->classes[c]) != 0) {
            return 0;
        }
    }
    for (size_t r = 0; r < left->row_count; r++) {
        if (memcmp(data_row(left, r), data_row(right, r), width * sizeof(float)) != 0) {
            return 0;
        }
    }
    return 1;
}
