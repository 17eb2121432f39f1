/* `mote show`: a net as text for people. */
#include "base/text.h"
#include "net/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS    13
#define CELL_BYTES 128 /* NAME_SHOWN characters of UTF-8, their end, and numbers */
#define NAME_SHOWN 28  /* characters of a name in a table */
#define LIST_SHOWN 24  /* channels or classes that are listed one by one */

/* A table is rows of cells; columns are as wide as their widest cell. */
struct row {
    char cells[COLUMNS][CELL_BYTES];
};

struct table {
    const char *align; /* per column 'l' or 'r' */
    struct row *rows;
    int count;
};

/* ---- text ---- */

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Characters on the screen, near enough: code points. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++) {
        width += !continues(*text);
    }
    return width;
}

/* Copy up to NAME_SHOWN characters, control characters replaced, "..." where something is cut. */
static void clean_name(const char *name, char out[CELL_BYTES])
{
    bool cut = text_width(name) > NAME_SHOWN;
    int left = cut ? NAME_SHOWN - 3 : NAME_SHOWN;
    size_t used = 0;
    for (; *name && used < CELL_BYTES - 5; name++) {
        left -= !continues(*name);
        if (left < 0) {
            break;
        }
        unsigned char byte = (unsigned char)*name;
        out[used++] = byte < 0x20 || byte == 0x7f ? '?' : *name;
    }
    out[used] = 0;
    if (cut) {
        memcpy(out + used, "...", 4);
    }
}

/* User text of any length, control characters replaced. */
static void add_clean(struct text *out, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        text_bytes(out, byte < 0x20 || byte == 0x7f ? "?" : text, 1);
    }
}

/* ---- tables ---- */

static void cell(struct row *row, int column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void cell(struct row *row, int column, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(row->cells[column], CELL_BYTES, format, list);
    va_end(list);
}

static bool table_new(struct table *table, struct arena *arena, const char *align, int count)
{
    *table = (struct table){.align = align, .count = count};
    table->rows = arena_alloc(arena, (size_t)count, sizeof *table->rows);
    return table->rows != NULL;
}

static void head(struct table *table, const char *const *titles)
{
    for (int i = 0; titles[i]; i++) {
        cell(&table->rows[0], i, "%s", titles[i]);
    }
}

static void pad(struct text *out, int count)
{
    for (; count > 0; count--) {
        text_bytes(out, " ", 1);
    }
}

static void trim(struct text *out)
{
    while (!out->failed && out->length > 0 && out->data[out->length - 1] == ' ') {
        out->data[--out->length] = 0;
    }
}

static int column_width(const struct table *table, int column)
{
    int widest = 0;
    for (int i = 0; i < table->count; i++) {
        int width = text_width(table->rows[i].cells[column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_table(struct text *out, const struct table *table)
{
    int widths[COLUMNS] = {0};
    int columns = (int)strlen(table->align);
    for (int column = 0; column < columns; column++) {
        widths[column] = column_width(table, column);
    }
    for (int i = 0; i < table->count; i++) {
        for (int column = 0; column < columns; column++) {
            const char *text = table->rows[i].cells[column];
            int room = widths[column] - text_width(text);
            pad(out, (widths[column] > 0 && column > 0 ? 2 : 0) +
                         (table->align[column] == 'r' ? room : 0));
            text_add(out, text);
            pad(out, table->align[column] == 'r' ? 0 : room);
        }
        trim(out);
        text_add(out, "\n");
    }
}

/* ---- channels and classes ---- */

static void channel_row(struct row *row, int index, const struct channel *channel)
{
    char text[DECIMAL_TEXT_MAX];
    char high[DECIMAL_TEXT_MAX];
    cell(row, 0, "%d", index);
    clean_name(channel->name, row->cells[1]);
    clean_name(channel->unit, row->cells[2]);
    decimal_print(channel->lsb, text);
    cell(row, 3, "%s", text);
    decimal_print(channel->offset, text);
    cell(row, 4, "%s", text);
    decimal_print(channel->low, text);
    decimal_print(channel->high, high);
    cell(row, 5, "%s .. %s", text, high);
}

static bool show_channels(struct text *out, struct arena *arena, const char *title,
                          const struct channel *channels, const struct tensor *tensor)
{
    static const char *const titles[] = {"",  "name", "unit", "lsb", "offset", "range in training",
                                         NULL};
    int shown = tensor->width > LIST_SHOWN ? LIST_SHOWN : tensor->width;
    struct table table;
    if (!table_new(&table, arena, "rllrrl", shown + 1)) {
        return false;
    }
    head(&table, titles);
    for (int j = 0; j < shown; j++) {
        channel_row(&table.rows[j + 1], j, &channels[j]);
    }
    text_printf(out, "\n%s: %d x %s, value = offset + lsb * code\n", title, tensor->width,
                type_name(tensor->type));
    print_table(out, &table);
    if (shown < tensor->width) {
        text_printf(out, "... and %d more\n", tensor->width - shown);
    }
    return true;
}

static void show_classes(struct text *out, const struct net *net)
{
    int count = net->tensors[net->output].width;
    text_add(out, "\nclasses");
    if (net->label[0]) {
        text_add(out, " of ");
        add_clean(out, net->label);
    }
    for (int i = 0; i < count && i < LIST_SHOWN; i++) {
        char name[CELL_BYTES];
        clean_name(net->classes[i], name);
        text_printf(out, "%s%d %s", i > 0 ? ", " : ": ", i, name[0] ? name : "(no name)");
    }
    if (count > LIST_SHOWN) {
        text_printf(out, " ... and %d more", count - LIST_SHOWN);
    }
    text_add(out, "\n");
}

/* ---- layers ---- */

/* Bytes of the layer's numbers as plain arrays: a weight 1 byte up to 8 bits and 2 above, a bias or
 * zero 4, a shift 1. */
static int64_t parameter_bytes(const struct net *net, const struct layer *layer)
{
    int64_t width = net->tensors[layer->output].width;
    int64_t weights = (int64_t)layer->weights.rows * layer->weights.columns;
    switch (layer->op) {
    case OP_CONVERT: return 5 * width;
    case OP_DENSE: return weights * (layer->weights.bits > 8 ? 2 : 1) + 5 * width;
    case OP_ADD:
    case OP_CONCAT: return 0;
    }
    return 0;
}

/* Bits that hold `value` >= 0. */
static int bits_of(int64_t value)
{
    int bits = 0;
    while (value >> bits > 0) {
        bits++;
    }
    return bits;
}

static void cell_shifts(struct row *row, int column, const uint8_t *shift, int count)
{
    int least = shift[0];
    int most = shift[0];
    for (int i = 1; i < count; i++) {
        least = shift[i] < least ? shift[i] : least;
        most = shift[i] > most ? shift[i] : most;
    }
    if (least == most) {
        cell(row, column, "%d", least);
    } else {
        cell(row, column, "%d..%d", least, most);
    }
}

/* The row with the largest accumulator: bound, row, bits. */
static void cell_bound(struct row *row, int column, const struct layer *layer,
                       const struct interval *in)
{
    int64_t worst = -1;
    int at = 0;
    for (int i = 0; i < layer->weights.rows; i++) {
        int64_t bound = net_row_bound(layer, i, in);
        if (bound > worst) {
            worst = bound;
            at = i;
        }
    }
    cell(row, column, "%lld", (long long)worst);
    cell(row, column + 1, "%d", at);
    cell(row, column + 2, "%d", bits_of(worst));
}

static void cell_inputs(struct row *row, int column, const struct layer *layer)
{
    char *text = row->cells[column];
    size_t used = 0;
    for (int k = 0; k < layer->input_count; k++) {
        used += (size_t)snprintf(text + used, CELL_BYTES - used, "%s%d", k > 0 ? "," : "",
                                 layer->inputs[k]);
    }
}

static void layer_row(struct row *row, const struct net *net, int index,
                      struct interval *const *ranges)
{
    const struct layer *layer = &net->layers[index];
    const struct tensor *out = &net->tensors[layer->output];
    cell(row, 0, "%d", index);
    cell(row, 1, "%s", op_name(layer->op));
    cell_inputs(row, 2, layer);
    cell(row, 3, "%d", layer->output);
    cell(row, 4, "%d x %s", out->width, type_name(out->type));
    if (layer->op == OP_DENSE) {
        cell(row, 5, "%s", activation_name(layer->activation));
        cell(row, 6, "%d", layer->weights.bits);
        cell_bound(row, 8, layer, ranges[layer->inputs[0]]);
    }
    if (layer->shift) {
        cell_shifts(row, 7, layer->shift, out->width);
    }
    cell(row, 11, "%lld", (long long)parameter_bytes(net, layer));
    cell(row, 12, "%lld", (long long)layer->weights.rows * layer->weights.columns);
}

static void total_row(struct row *row, const struct net *net)
{
    int64_t bytes = 0;
    for (int i = 0; i < net->layer_count; i++) {
        bytes += parameter_bytes(net, &net->layers[i]);
    }
    cell(row, 1, "total");
    cell(row, 11, "%lld", (long long)bytes);
    cell(row, 12, "%lld", (long long)net_macs(net));
}

static bool show_layers(struct text *out, struct arena *arena, const struct net *net)
{
    static const char *const titles[] = {"",           "op",    "in",    "out",   "writes",
                                         "activation", "bits",  "shift", "bound", "row",
                                         "of 2^",      "bytes", "MACs",  NULL};
    struct interval *ranges[NET_TENSORS_MAX];
    struct table table;
    if (!net_ranges(net, arena, ranges) ||
        !table_new(&table, arena, "rlrrrlrrrrrrr", net->layer_count + 2)) {
        return false;
    }
    head(&table, titles);
    for (int i = 0; i < net->layer_count; i++) {
        layer_row(&table.rows[i + 1], net, i, ranges);
    }
    total_row(&table.rows[net->layer_count + 1], net);
    text_printf(out,
                "\nlayers: tensor %d is the input, %d the output; bound: the worst accumulator\n",
                net->input, net->output);
    print_table(out, &table);
    return true;
}

/* ---- where it comes from ---- */

static void show_line(struct text *out, const char *title, const char *value)
{
    if (value[0]) {
        text_printf(out, "%-8s ", title);
        add_clean(out, value);
        text_add(out, "\n");
    }
}

static void show_provenance(struct text *out, const struct net *net)
{
    const struct provenance *provenance = &net->provenance;
    text_add(out, "\n");
    show_line(out, "method", provenance->method);
    show_line(out, "options", provenance->options);
    show_line(out, "data", provenance->data_hash);
    if (provenance->score.known) {
        char value[DECIMAL_TEXT_MAX];
        decimal_print(provenance->score.value, value);
        text_printf(out, "score    %s %%%s on %lld rows\n", value,
                    net->task == TASK_CLASSIFICATION ? " right" : " of range, RMS error",
                    (long long)provenance->score.rows);
    }
}

bool net_show(const struct net *net, struct text *out)
{
    const struct tensor *input = &net->tensors[net->input];
    const struct tensor *output = &net->tensors[net->output];
    struct arena *arena = arena_new();
    add_clean(out, net->name[0] ? net->name : "(no name)");
    text_printf(out, ": %s, %d x %s -> %d x %s\n",
                net->task == TASK_CLASSIFICATION ? "classification" : "regression", input->width,
                type_name(input->type), output->width, type_name(output->type));
    bool done = arena && show_channels(out, arena, "inputs", net->inputs, input) &&
                show_channels(out, arena, "outputs", net->outputs, output);
    if (done && net->task == TASK_CLASSIFICATION) {
        show_classes(out, net);
    }
    done = done && show_layers(out, arena, net);
    arena_free(arena);
    show_provenance(out, net);
    return done && !out->failed;
}
