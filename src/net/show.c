/* `mote show`: a net as text for people. */
#include "base/text.h"
#include "net/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* "6 x u16", or of a map "28 x 28 x 1 x u8". */
static void print_size(const struct tensor *tensor, char out[CELL_BYTES])
{
    const struct shape *shape = &tensor->shape;
    if (shape->channels == tensor->width) {
        (void)snprintf(out, CELL_BYTES, "%d x %s", tensor->width, type_name(tensor->type));
    } else {
        (void)snprintf(out, CELL_BYTES, "%d x %d x %d x %s", shape->rows, shape->columns,
                       shape->channels, type_name(tensor->type));
    }
}

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
    int count = tensor->shape.channels;
    int shown = count > LIST_SHOWN ? LIST_SHOWN : count;
    char size[CELL_BYTES];
    struct table table;
    if (!table_new(&table, arena, "rllrrl", shown + 1)) {
        return false;
    }
    head(&table, titles);
    for (int j = 0; j < shown; j++) {
        channel_row(&table.rows[j + 1], j, &channels[j]);
    }
    print_size(tensor, size);
    text_printf(out, "\n%s: %s, value = offset + lsb * code\n", title, size);
    print_table(out, &table);
    if (shown < count) {
        text_printf(out, "... and %d more\n", count - shown);
    }
    return true;
}

static void show_classes(struct text *out, const struct net *net)
{
    int count = net_class_count(net);
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

/* Bytes of the layer's numbers: weights, 4 for a bias or zero, 1 for a shift. */
static int64_t parameter_bytes(const struct net *net, const struct layer *layer)
{
    if (layer->op == OP_CONVERT) {
        return 5 * (int64_t)net->tensors[layer->output].width;
    }
    const struct weights *w = &layer->weights;
    return (int64_t)w->rows * (net_row_bytes(w->bits, w->odd, w->columns) + 5);
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

/* The row with the largest accumulator: bound, row, bits.  False: out of memory. */
static bool cell_bound(struct row *row, int column, const struct net *net,
                       const struct layer *layer, const struct interval *in)
{
    int64_t *bounds = calloc((size_t)layer->weights.rows, sizeof *bounds);
    bool done = bounds && net_rows(net, layer, in, bounds, NULL);
    int worst = 0;
    for (int i = 1; done && i < layer->weights.rows; i++) {
        worst = bounds[i] > bounds[worst] ? i : worst;
    }
    if (done) {
        cell(row, column, "%lld", (long long)bounds[worst]);
        cell(row, column + 1, "%d", worst);
        cell(row, column + 2, "%d", bits_of(bounds[worst]));
    }
    free(bounds);
    return done;
}

/* "conv 3x3 s2 d2 g4": the op, and what of its window is not the usual. */
static void cell_op(struct row *row, int column, const struct net *net, const struct layer *layer)
{
    const struct window *w = &layer->window;
    char *text = row->cells[column];
    int used = snprintf(text, CELL_BYTES, "%s", op_name(layer->op));
    if (layer->op == OP_SOFTMAX) {
        (void)snprintf(text + used, CELL_BYTES - (size_t)used, " %d/2^%d", layer->scale.multiplier,
                       layer->scale.shift);
    }
    if (w->rows > 0) {
        used += snprintf(text + used, CELL_BYTES - (size_t)used, " %dx%d", w->rows, w->columns);
    }
    if (w->drop > 0) {
        used += snprintf(text + used, CELL_BYTES - (size_t)used, ":%d", 8 - w->drop);
    }
    if (w->row_stride > 1 || w->column_stride > 1) {
        used += snprintf(text + used, CELL_BYTES - (size_t)used,
                         w->row_stride == w->column_stride ? " s%d" : " s%dx%d", w->row_stride,
                         w->column_stride);
    }
    if (w->row_dilation > 1 || w->column_dilation > 1) {
        used += snprintf(text + used, CELL_BYTES - (size_t)used, " d%dx%d", w->row_dilation,
                         w->column_dilation);
    }
    if (layer->groups > 1) {
        bool each = layer->groups == net->tensors[layer->inputs[0]].shape.channels;
        (void)snprintf(text + used, CELL_BYTES - (size_t)used, each ? " each" : " g%d",
                       layer->groups);
    }
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

static bool layer_row(struct row *row, const struct net *net, int index,
                      struct interval *const *ranges)
{
    const struct layer *layer = &net->layers[index];
    const struct tensor *out = &net->tensors[layer->output];
    cell(row, 0, "%d", index);
    cell_op(row, 1, net, layer);
    cell_inputs(row, 2, layer);
    cell(row, 3, "%d", layer->output);
    print_size(out, row->cells[4]);
    cell(row, 11, "%lld", (long long)parameter_bytes(net, layer));
    cell(row, 12, "%lld", (long long)layer_macs(net, layer));
    if (layer->shift) {
        cell_shifts(row, 7, layer->shift,
                    layer->op == OP_CONVERT ? out->width : layer->weights.rows);
    }
    if (!op_has_rows(layer->op)) {
        return true;
    }
    cell(row, 5, "%s", activation_name(layer->activation));
    cell(row, 6, layer->weights.odd ? "%d odd" : "%d", layer->weights.bits);
    return cell_bound(row, 8, net, layer, ranges[layer->inputs[0]]);
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
        if (!layer_row(&table.rows[i + 1], net, i, ranges)) {
            return false;
        }
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
    char in[CELL_BYTES];
    char result[CELL_BYTES];
    print_size(input, in);
    print_size(output, result);
    text_printf(out, ": %s, %s -> %s\n",
                net->task == TASK_CLASSIFICATION ? "classification" : "regression", in, result);
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
