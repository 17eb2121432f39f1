/* Rows that are in memory already. */
#include "base/arena.h"
#include "data/table.h"

#include <math.h>
#include <string.h>

static bool name_columns(struct dataset *data, struct heading *heading, int columns,
                         struct error *err)
{
    size_t count = (size_t)columns;
    *heading = (struct heading){.count = columns};
    heading->names = arena_alloc(data->arena, count, sizeof *heading->names);
    heading->units = arena_alloc(data->arena, count, sizeof *heading->units);
    if (!heading->names || !heading->units) {
        return fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        heading->names[i] = "";
        heading->units[i] = "";
    }
    return true;
}

static bool add_row(struct table *table, const float *values, struct error *err)
{
    size_t width = (size_t)table->width;
    float *row = table_next(table, err);
    if (!row) {
        return false;
    }
    for (size_t c = 0; c < width; c++) {
        if (!isfinite(values[c])) {
            return fail(err, "row %zu, column %zu: not a finite number", table->data->row_count + 1,
                        c + 1);
        }
    }
    memcpy(row, values, width * sizeof *row);
    const char *why = table_commit(table, row);
    return !why || fail(err, "row %zu: %s", table->data->row_count + 1, why);
}

static bool fill(struct table *table, const float *values, size_t rows, int columns,
                 struct error *err)
{
    struct heading heading;
    if (!name_columns(table->data, &heading, columns, err) || !table_start(table, &heading, err)) {
        return false;
    }
    for (size_t r = 0; r < rows; r++) {
        if (!add_row(table, values + r * (size_t)columns, err)) {
            return false;
        }
    }
    return table_finish(table, err);
}

struct dataset *data_from_rows(const float *values, size_t rows, int inputs, int outputs,
                               struct error *err)
{
    if (inputs < 1 || outputs < 1 || inputs > DATA_COLUMNS_MAX || outputs > DATA_COLUMNS_MAX ||
        rows >= UINT32_MAX) {
        fail(err, "%d inputs, %d outputs and %zu rows are out of range", inputs, outputs, rows);
        return NULL;
    }
    struct data_options options = {.outputs = outputs};
    struct table table = {.data = dataset_new(), .options = &options, .label = -1};
    if (!table.data) {
        fail_memory(err);
        return NULL;
    }
    table.data->source = "the rows";
    if (!fill(&table, values, rows, inputs + outputs, err)) {
        data_free(table.data);
        return NULL;
    }
    return table.data;
}
