#include "data/table.h"

#include <string.h>

/* Does the evaluation, or the user, insist on one-hot outputs? */
static bool one_hot_wanted(const struct table *table)
{
    const struct data_options *options = table->options;
    return table->label < 0 && !options->inputs_only &&
           (options->one_hot || options->known_class_count > 0);
}

/* Known classes and one-hot columns: by name where all names are classes, else by position. */
static bool match_columns(struct table *table, struct error *err)
{
    const struct dataset *data = table->data;
    size_t count = (size_t)data->output_count;
    if (data->output_count != table->options->known_class_count) {
        return fail(err, "%s: %d output columns, but the net has %d classes", data->source,
                    data->output_count, table->options->known_class_count);
    }
    int32_t *classes = arena_alloc(data->arena, count, sizeof *classes);
    bool *taken = arena_alloc(data->arena, count, sizeof *taken);
    if (!classes || !taken) {
        return fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = data->columns[(size_t)data->input_count + i].name;
        classes[i] = labels_find(&table->labels, name, strlen(name));
        if (classes[i] < 0 || taken[classes[i]]) {
            return true; /* by position */
        }
        taken[classes[i]] = true;
    }
    table->hot_class = classes;
    return true;
}

static bool start_classes(struct table *table, struct error *err)
{
    const struct data_options *options = table->options;
    struct dataset *data = table->data;
    table->one_hot = table->label < 0 && !options->inputs_only && data->output_count >= 2 &&
                     !(options->keep_columns && !one_hot_wanted(table));
    if (one_hot_wanted(table) && data->output_count < 2) {
        return fail(err, "%s: one-hot classes need two or more output columns", data->source);
    }
    if (table->label < 0 && options->known_class_count == 0) {
        return true;
    }
    if (!labels_start(&table->labels, data->arena, options->known_classes,
                      options->known_class_count)) {
        return fail_memory(err);
    }
    return table->label >= 0 || options->inputs_only || match_columns(table, err);
}

bool table_start(struct table *table, const struct heading *heading, struct error *err)
{
    struct dataset *data = table->data;
    table->heading = *heading;
    data->has_header = heading->has_header;
    if (heading->count > DATA_COLUMNS_MAX) {
        return fail(err, "%s: more than %d columns", data->source, DATA_COLUMNS_MAX);
    }
    size_t samples = table->options->samples;
    table->limit = samples && samples < UINT32_MAX ? samples : UINT32_MAX;
    return roles_choose(table, err) && start_classes(table, err);
}

static bool row_is_one_hot(const float *outputs, int count)
{
    int ones = 0;
    for (int i = 0; i < count; i++) {
        if (outputs[i] != 0.0f && outputs[i] != 1.0f) {
            return false;
        }
        ones += outputs[i] == 1.0f;
    }
    return ones == 1;
}

const char *table_commit(struct table *table, const float *row)
{
    const struct dataset *data = table->data;
    if (table->one_hot && !row_is_one_hot(row + data->input_count, data->output_count)) {
        table->one_hot = false;
        if (one_hot_wanted(table)) {
            return "the outputs are not one-hot: one of them must be 1, the others 0";
        }
    }
    if (table->options->each) {
        table->given++;
        return table->options->each(table->options->each_context, data, row) ? NULL : "stopped";
    }
    table->data->row_count++;
    return NULL;
}

bool table_finish(struct table *table, struct error *err)
{
    if (table->data->row_count + table->given == 0) {
        return fail(err, "%s: no rows", table->data->source);
    }
    rows_shrink(table, table->width);
    return classes_finish(table, err) && summarise(table->data, table->options, err);
}
