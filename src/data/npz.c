/* An archive of arrays: x.npy and y.npy side by side, or one array. */
#include "data/npy.h"
#include "data/zip.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One array of the archive. */
struct member {
    struct zip_reader *reader;
    struct npy npy;
    char *name; /* for messages */
};

static bool is_array(const struct zip_member *member)
{
    size_t length = strlen(member->name);
    return length > 4 && strcmp(member->name + length - 4, ".npy") == 0;
}

static struct zip_member *find(const struct zip *zip, const char *name)
{
    for (int i = 0; i < zip->member_count; i++) {
        if (strcmp(zip->members[i].name, name) == 0) {
            return &zip->members[i];
        }
    }
    return NULL;
}

/* Inputs and outputs under one of the usual pairs of names, or the only array.  How many. */
static int choose(const struct zip *zip, struct zip_member *chosen[2])
{
    static const char *const pairs[][2] = {
        {"x.npy", "y.npy"}, {"X.npy", "y.npy"}, {"X.npy", "Y.npy"}, {"arr_0.npy", "arr_1.npy"}};
    int arrays = 0;
    for (int i = 0; i < zip->member_count; i++) {
        if (is_array(&zip->members[i])) {
            chosen[0] = &zip->members[i];
            arrays++;
        }
    }
    for (size_t i = 0; arrays > 1 && i < sizeof pairs / sizeof *pairs; i++) {
        chosen[0] = find(zip, pairs[i][0]);
        chosen[1] = find(zip, pairs[i][1]);
        if (chosen[0] && chosen[1]) {
            return 2;
        }
    }
    return arrays == 1 ? 1 : 0;
}

static bool refuse_names(const struct zip *zip, struct error *err)
{
    int arrays = 0;
    for (int i = 0; i < zip->member_count; i++) {
        arrays += is_array(&zip->members[i]);
    }
    if (arrays == 0) {
        return fail(err, "%s: a zip archive without any .npy array", zip->source);
    }
    return fail(err, "%s: %d arrays, but not x.npy and y.npy: name them x and y, or keep one",
                zip->source, arrays);
}

static bool open_member(struct member *member, const struct zip *zip, struct zip_member *entry,
                        const struct table *table, struct error *err)
{
    size_t size = strlen(zip->source) + strlen(entry->name) + 3;
    size_t limit = table->options->samples ? table->options->samples : SIZE_MAX;
    member->name = arena_alloc(table->data->arena, size, 1);
    if (!member->name) {
        return fail_memory(err);
    }
    (void)snprintf(member->name, size, "%s: %s", zip->source, entry->name);
    member->reader = zip_reader_new(zip, entry, err);
    struct source source = {zip_read, member->reader, member->name};
    return member->reader && npy_open(&member->npy, &source, limit, err);
}

static void close_member(struct member *member)
{
    npy_close(&member->npy);
    zip_reader_free(member->reader);
}

/* `--label y` means the array y. */
static bool label_is_outputs(const struct table *table, const struct zip_member *outputs)
{
    const char *label = table->options->label;
    size_t length = strlen(outputs->name) - 4;
    return label && strlen(label) == length && strncmp(outputs->name, label, length) == 0;
}

static bool load_pair(struct member members[2], struct zip_member *const chosen[2],
                      struct table *table, struct error *err)
{
    struct npy *const arrays[] = {&members[0].npy, &members[1].npy};
    size_t rows = arrays[0]->header.rows;
    size_t columns = arrays[0]->header.columns + arrays[1]->header.columns;
    struct data_options options = *table->options;
    const struct data_options *given = table->options;
    char number[24];
    if (rows != arrays[1]->header.rows) {
        return fail(err, "%s: %zu rows, but %s has %zu", members[1].name, arrays[1]->header.rows,
                    chosen[0]->name, rows);
    }
    if (label_is_outputs(table, chosen[1])) {
        if (arrays[1]->header.columns != 1) {
            return fail(err, "%s: labels need one column, but there are %zu", members[1].name,
                        arrays[1]->header.columns);
        }
        (void)snprintf(number, sizeof number, "%zu", columns);
        options.label = number;
        table->options = &options;
    }
    bool loaded = npy_tables(arrays, 2, (int)arrays[1]->header.columns, table, err);
    table->options = given;
    return loaded;
}

static bool load(const struct zip *zip, struct table *table, struct error *err)
{
    struct zip_member *chosen[2] = {NULL, NULL};
    struct member members[2] = {{0}};
    int count = choose(zip, chosen);
    count = count == 2 && table->options->skip_outputs ? 1 : count;
    bool loaded = count > 0 || refuse_names(zip, err);
    for (int i = 0; loaded && i < count; i++) {
        loaded = open_member(&members[i], zip, chosen[i], table, err);
    }
    if (loaded && count == 2) {
        loaded = load_pair(members, chosen, table, err);
    } else if (loaded) {
        struct npy *const arrays[] = {&members[0].npy};
        loaded = npy_tables(arrays, 1, 0, table, err);
    }
    for (int i = 0; i < count; i++) {
        close_member(&members[i]);
    }
    return loaded;
}

bool npz_load(const char *path, struct table *table, struct error *err)
{
    struct zip zip;
    bool loaded = zip_open(&zip, path, err) && load(&zip, table, err);
    zip_close(&zip);
    return loaded;
}
