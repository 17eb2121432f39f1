/* From labels or one-hot outputs to class indices. */
#include "data/table.h"

#include <stdio.h>

static float *output_of(const struct table *table, size_t row)
{
    const struct dataset *data = table->data;
    return data->blocks[row / DATA_BLOCK_ROWS] + row % DATA_BLOCK_ROWS * (size_t)table->width +
           data->input_count;
}

/* Labels were numbered as they came. */
static bool finish_labels(struct table *table, struct error *err)
{
    struct dataset *data = table->data;
    if (!table->labels.known) {
        const int32_t *order = labels_sort(&table->labels);
        if (!order) {
            return fail_memory(err);
        }
        for (size_t row = 0; row < data->row_count; row++) {
            float *output = output_of(table, row);
            *output = (float)order[(int32_t)*output];
        }
    }
    data->classes = table->labels.names;
    data->class_count = table->labels.count;
    if (data->class_count < 2) {
        char text[NAME_BYTES + 24];
        column_text(&data->columns[data->input_count], table->label, text, sizeof text);
        return fail(err, "%s: %s has only one class, '%s'", data->source, text, data->classes[0]);
    }
    return true;
}

static bool name_classes(struct table *table, struct error *err)
{
    struct dataset *data = table->data;
    const char **names = arena_alloc(data->arena, (size_t)data->output_count, sizeof *names);
    if (!names) {
        return fail_memory(err);
    }
    for (int i = 0; i < data->output_count; i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i);
        const char *name = data->columns[data->input_count + i].name;
        names[i] = name[0] ? name : arena_string(data->arena, number);
        if (!names[i]) {
            return fail_memory(err);
        }
    }
    data->classes = names;
    data->class_count = data->output_count;
    return true;
}

/* Which output of a row is 1. */
static int hot_output(const float *outputs)
{
    int hot = 0;
    while (outputs[hot] != 1.0f) {
        hot++;
    }
    return hot;
}

/* Move each row's class into its first output, then drop the others. */
static bool finish_one_hot(struct table *table, struct error *err)
{
    struct dataset *data = table->data;
    int first = hot_output(output_of(table, 0));
    bool several = false;
    for (size_t row = 0; row < data->row_count; row++) {
        float *outputs = output_of(table, row);
        int hot = hot_output(outputs);
        several = several || hot != first;
        outputs[0] = (float)(table->hot_class ? table->hot_class[hot] : hot);
    }
    if (table->labels.known) {
        data->classes = table->labels.names;
        data->class_count = table->labels.count;
    } else if (!name_classes(table, err)) {
        return false;
    } else if (!several) {
        return fail(err, "%s: only one class: every row has its 1 in output '%s'", data->source,
                    data->classes[first]);
    }
    data->one_hot = true;
    data->output_count = 1;
    data->columns[data->input_count].name = "";
    data->columns[data->input_count].unit = "";
    rows_shrink(table, data->input_count + 1);
    return true;
}

bool classes_finish(struct table *table, struct error *err)
{
    if (table->label >= 0) {
        return finish_labels(table, err);
    }
    return !table->one_hot || finish_one_hot(table, err);
}
