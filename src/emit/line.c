/* The straight-line kernel: weights as immediates, zeros and powers of two free.
 *
 * Input-stationary tiles: up to LINE_TILE sums are kept in registers, each input is loaded once
 * per tile and updates all of them. */
#include "emit/print.h"

#include <stdio.h>
#include <string.h>

/* Tile sizes of `rows` rows, as equal as they can be: 16 -> 6, 5, 5. */
static int tile_rows(int rows, int first)
{
    int tiles = (rows + LINE_TILE - 1) / LINE_TILE;
    int done = 0;
    for (int i = 0; i < tiles; i++) {
        int size = rows / tiles + (i < rows % tiles);
        if (done == first) {
            return size;
        }
        done += size;
    }
    return rows - first;
}

static int16_t weight_at(const struct layer *layer, int row, int column)
{
    size_t columns = (size_t)layer->weights.columns;
    return layer->weights.values[(size_t)row * columns + (size_t)column];
}

static bool column_used(const struct layer *layer, int first, int rows, int column)
{
    for (int i = 0; i < rows; i++) {
        if (weight_at(layer, first + i, column) != 0) {
            return true;
        }
    }
    return false;
}

/* Statements behind each other on lines of at most 100 columns, each behind a space. */
static void print_packed(struct printer *p, const char *statement, size_t *column)
{
    size_t length = strlen(statement) + 1;
    if (*column + length > 100) {
        text_add(p->out, "\n       ");
        *column = 7;
    }
    text_printf(p->out, " %s", statement);
    *column += length;
}

/* s0 += v * 30; for the rows of a tile whose weight is not zero. */
static void print_column(struct printer *p, const struct layer *layer, int first, int rows,
                         int column)
{
    char statement[64];
    char number[16];
    char text[ELEMENT_MAX];
    size_t at = 3;
    (void)snprintf(number, sizeof number, "%d", column);
    (void)snprintf(statement, sizeof statement, "v = %s;",
                   element(p->plan, layer->inputs[0], number, text));
    text_add(p->out, "   ");
    print_packed(p, statement, &at);
    for (int i = 0; i < rows; i++) {
        int weight = weight_at(layer, first + i, column);
        int size = weight < 0 ? -weight : weight;
        char sign = weight < 0 ? '-' : '+';
        if (size == 1) {
            (void)snprintf(statement, sizeof statement, "s%d %c= v;", i, sign);
        } else {
            (void)snprintf(statement, sizeof statement, "s%d %c= v * %d;", i, sign, size);
        }
        if (size > 0) {
            print_packed(p, statement, &at);
        }
    }
    text_add(p->out, "\n");
}

/* The sums of a tile: s0 ... = bias + weights times inputs. */
static void print_tile(struct printer *p, int index, int first, int rows)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char statement[64];
    char text[ELEMENT_MAX];
    size_t at = 3;
    text_add(p->out, "   ");
    for (int i = 0; i < rows; i++) {
        (void)snprintf(statement, sizeof statement, "s%d = %s;", i,
                       literal(layer->bias[first + i], text));
        print_packed(p, statement, &at);
    }
    text_add(p->out, "\n");
    for (int j = 0; j < layer->weights.columns; j++) {
        if (column_used(layer, first, rows, j)) {
            print_column(p, layer, first, rows, j);
        }
    }
}

/* "s2 >> 7" */
static void print_shifted(struct printer *p, const struct layer *layer, int row, int sum)
{
    text_printf(p->out, "s%d", sum);
    if (layer->shift[row]) {
        text_printf(p->out, " >> %d", layer->shift[row]);
    }
}

void print_line_dense(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct view *out = &plan->views[layer->output];
    bool acts = plan_acts(plan, index);
    bool all = acts && out->type == TYPE_I32;
    char text[ELEMENT_MAX];
    char name[HELPER_NAME_MAX];
    char number[16];
    for (int first = 0; first < layer->weights.rows;) {
        int rows = tile_rows(layer->weights.rows, first);
        print_tile(p, index, first, rows);
        for (int i = 0; i < rows; i++) {
            (void)snprintf(number, sizeof number, "%d", first + i);
            text_add(p->out, "    ");
            const char *end = print_target(p, index, number, acts && !all);
            print_shifted(p, layer, first + i, i);
            text_add(p->out, end);
        }
        first += rows;
    }
    if (all) {
        struct helper helper = {HELPER_ALL, layer->activation,
                                plan->net->tensors[layer->output].type, TYPE_I32};
        text_printf(p->out, "    %s(%s, %d);\n", helper_name(plan, p->helpers, helper, name),
                    address(plan, layer->output, text), layer->weights.rows);
    }
}

/* One term of an add for the rows of a tile: y0 = ... first, then y0 += ... */
static void print_term(struct printer *p, int tensor, int first, int rows, bool start)
{
    int fused = plan_fused(p->plan, tensor);
    bool line = fused >= 0 && p->plan->steps[fused].line;
    char text[ELEMENT_MAX];
    char number[16];
    if (line) {
        print_tile(p, fused, first, rows);
    }
    for (int i = 0; i < rows; i++) {
        (void)snprintf(number, sizeof number, "%d", first + i);
        text_printf(p->out, "    y%d %s ", i, start ? "=" : "+=");
        if (line) {
            print_shifted(p, &p->plan->net->layers[fused], first + i, i);
        } else if (fused >= 0) {
            print_row(p, fused, number);
        } else {
            text_add(p->out, element(p->plan, tensor, number, text));
        }
        text_add(p->out, ";\n");
    }
}

void print_line_add(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int width = p->plan->net->tensors[layer->output].width;
    char number[16];
    for (int first = 0; first < width;) {
        int rows = tile_rows(width, first);
        for (int k = 0; k < layer->input_count; k++) {
            print_term(p, layer->inputs[k], first, rows, k == 0);
        }
        for (int i = 0; i < rows; i++) {
            (void)snprintf(number, sizeof number, "%d", first + i);
            text_add(p->out, "    ");
            const char *end = print_target(p, index, number, p->plan->steps[index].clamps);
            text_printf(p->out, "y%d%s", i, end);
        }
        first += rows;
    }
}

void print_line_convert(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char text[ELEMENT_MAX];
    char number[16];
    for (int j = 0; j < p->plan->net->tensors[layer->output].width; j++) {
        (void)snprintf(number, sizeof number, "%d", j);
        text_add(p->out, "    ");
        const char *end = print_target(p, index, number, p->plan->steps[index].clamps);
        text_printf(p->out, "%s(int32_t)%s", layer->zero[j] && layer->shift[j] ? "(" : "",
                    element(p->plan, layer->inputs[0], number, text));
        if (layer->zero[j]) {
            text_printf(p->out, " %c %d%s", layer->zero[j] < 0 ? '+' : '-',
                        layer->zero[j] < 0 ? -layer->zero[j] : layer->zero[j],
                        layer->shift[j] ? ")" : "");
        }
        if (layer->shift[j]) {
            text_printf(p->out, " * %d", 1 << layer->shift[j]);
        }
        text_add(p->out, end);
    }
}

static bool any_weight(const struct layer *layer)
{
    bool any = false;
    for (int j = 0; !any && j < layer->weights.columns; j++) {
        any = column_used(layer, 0, layer->weights.rows, j);
    }
    return any;
}

/* The sums that a layer in straight-line code needs: 0 if it is none. */
static void most_rows(const struct plan *plan, int index, int *sums, int *terms)
{
    const struct step *step = &plan->steps[index];
    int width = plan->net->tensors[plan->net->layers[index].output].width;
    int tile = tile_rows(width, 0);
    if (step->kernel == KERNEL_DEAD) {
        return;
    }
    if (step->line && tile > *sums) {
        *sums = tile;
    }
    if (plan->net->layers[index].op == OP_ADD && step->kernel == KERNEL_LINE && tile > *terms) {
        *terms = tile;
    }
}

static void print_scalars(struct printer *p, char letter, int count)
{
    for (int i = 0; i < count; i++) {
        text_printf(p->out, i ? ", %c%d" : "    int32_t %c%d", letter, i);
    }
    text_add(p->out, count ? ";\n" : "");
}

void print_line_locals(struct printer *p)
{
    int sums = 0;
    int terms = 0;
    bool inputs = false;
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        most_rows(p->plan, i, &sums, &terms);
        inputs = inputs || (p->plan->steps[i].line && p->plan->steps[i].kernel != KERNEL_DEAD &&
                            any_weight(&p->plan->net->layers[i]));
    }
    print_scalars(p, 's', sums);
    print_scalars(p, 'y', terms);
    text_add(p->out, inputs ? "    int32_t v;\n" : "");
}
