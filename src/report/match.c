#include "report/evaluate.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Can columns be told by these names? */
static bool names_serve(const char *const *names, size_t count, struct arena *arena)
{
    const char **sorted = arena_alloc(arena, count, sizeof *sorted);
    if (!sorted) {
        return false;
    }
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        if (!sorted[i][0] || (i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0)) {
            return false;
        }
    }
    return true;
}

bool match_options(const struct net *net, bool outputs, struct arena *arena,
                   struct data_options *options, struct error *err)
{
    int in = net->tensors[net->input].width;
    int out = outputs ? net->tensors[net->output].width : 0;
    const char **names = arena_alloc(arena, (size_t)in + (size_t)out, sizeof *names);
    if (!names) {
        return fail_memory(err);
    }
    for (int i = 0; i < in + out; i++) {
        const struct channel *channel =
            i < in ? net_input_channel(net, i) : net_output_channel(net, i - in);
        names[i] = channel->name;
    }
    options->input_count = in + out;
    options->input_names = names_serve(names, (size_t)in + (size_t)out, arena) ? names : NULL;
    return true;
}

/* Columns were picked in the order of the net: inputs, then outputs. */
bool match_units(const struct net *net, const struct dataset *data, struct error *err)
{
    int in = net->tensors[net->input].width;
    for (int i = 0; i < data->input_count; i++) {
        const struct channel *channel =
            i < in ? net_input_channel(net, i) : net_output_channel(net, i - in);
        const char *unit = data->columns[i].unit;
        if (unit[0] && channel->unit[0] && strcmp(unit, channel->unit) != 0) {
            return fail(err, "%s: column '%s' is in [%s], but the net has it in [%s]", data->source,
                        data->columns[i].name, unit, channel->unit);
        }
    }
    return true;
}
