#include "train/topology.h"

#include <stdlib.h>

/* One width at *at; 0 where there is none. */
static int take_width(const char **at)
{
    int width = 0;
    while (**at >= '0' && **at <= '9' && width <= TRAIN_WIDTH_MAX) {
        width = width * 10 + (**at - '0');
        (*at)++;
    }
    return width <= TRAIN_WIDTH_MAX ? width : 0;
}

/* All widths of the text; their number, or 0 where it is not of the form. */
static int take_widths(const char *text, int widths[TRAIN_LAYERS_MAX + 1])
{
    int count = 0;
    const char *at = text;
    for (;;) {
        if (count > TRAIN_LAYERS_MAX || (widths[count++] = take_width(&at)) == 0) {
            return 0;
        }
        if (*at == 0) {
            return count;
        }
        if (*at++ != '-') {
            return 0;
        }
    }
}

static void set_hidden(struct topology *topology, int inputs, const int *hidden, int count,
                       int outputs)
{
    topology->layer_count = count + 1;
    topology->widths[0] = inputs;
    for (int i = 0; i < count; i++) {
        topology->widths[i + 1] = hidden[i];
    }
    topology->widths[count + 1] = outputs;
}

bool topology_parse(const char *text, int inputs, int outputs, struct topology *topology,
                    struct error *err)
{
    int widths[TRAIN_LAYERS_MAX + 1];
    int count = take_widths(text, widths);
    if (count == 0) {
        return fail(err,
                    "--net '%.60s': expected widths such as %d-16-16-%d (at most %d layers of "
                    "1..%d)",
                    text, inputs, outputs, TRAIN_LAYERS_MAX, TRAIN_WIDTH_MAX);
    }
    if (count >= 2 && widths[0] == inputs && widths[count - 1] == outputs) {
        set_hidden(topology, inputs, widths + 1, count - 2, outputs);
        return true;
    }
    if (count >= 3) {
        return fail(err,
                    "--net %.60s: the data has %d input%s and %d output%s, so it must be %d-...-%d",
                    text, inputs, inputs == 1 ? "" : "s", outputs, outputs == 1 ? "" : "s", inputs,
                    outputs);
    }
    set_hidden(topology, inputs, widths, count, outputs);
    return true;
}

bool topology_candidate(int index, int inputs, int outputs, struct topology *topology)
{
    static const int hidden[][2] = {{8, 0}, {16, 0}, {8, 8}, {16, 16}, {24, 24}};
    if (index < 0 || index >= (int)(sizeof hidden / sizeof hidden[0])) {
        return false;
    }
    set_hidden(topology, inputs, hidden[index], hidden[index][1] ? 2 : 1, outputs);
    return true;
}

size_t topology_parameters(const struct topology *topology)
{
    size_t count = 0;
    for (int i = 0; i < topology->layer_count; i++) {
        count += ((size_t)topology->widths[i] + 1) * (size_t)topology->widths[i + 1];
    }
    return count;
}
