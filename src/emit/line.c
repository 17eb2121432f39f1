/* The straight-line kernel: weights as immediates, zeros and powers of two free.
 *
 * Input-stationary tiles: up to LINE_TILE sums are kept in registers, each input is loaded once
 * per tile and updates all of them. */
#include "emit/kernel.h"

#include <stdio.h>
#include <string.h>

int line_tile_rows(int rows, int first)
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

/* Weight of `row` for the input `column`. */
static int16_t weight_at(const struct layer *layer, int row, int column)
{
    size_t columns = (size_t)layer->weights.columns;
    return layer->weights.values[(size_t)row * columns + (size_t)column];
}

/* Does any row of the tile use this input? */
static bool column_used(const struct layer *layer, int first, int rows, int column)
{
    for (int i = 0; i < rows; i++) {
        if (weight_at(layer, first + i, column) != 0) {
            return true;
        }
    }
    return false;
}

void print_statement(struct text *out, const char *statement, int indent, size_t *column)
{
    size_t length = strlen(statement) + 1;
    if (*column + length > 100) {
        text_printf(out, "\n%*s", indent, "");
        *column = (size_t)indent;
    }
    text_printf(out, " %s", statement);
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
    print_statement(p->out, statement, 7, &at);
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
            print_statement(p->out, statement, 7, &at);
        }
    }
    text_add(p->out, "\n");
}

int32_t lifted_bias(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    int32_t lift = plan->steps[index].lift;
    bool lifted = lift > 0 && layer->shift[row] > 0;
    return layer->bias[row] + (lifted ? lift << layer->shift[row] : 0);
}

/* The sums of a tile: s0 ... = bias + weights times inputs. */
static void tile(struct printer *p, int index, int first, int rows)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char statement[64];
    char text[ELEMENT_MAX];
    size_t at = 3;
    bool any = false;
    for (int i = 0; i < rows; i++) {
        if (plan_row_used(layer, first + i)) {
            (void)snprintf(statement, sizeof statement, "s%d = %s;", i,
                           literal(lifted_bias(p->plan, index, first + i), text));
            text_add(p->out, any ? "" : "   ");
            print_statement(p->out, statement, 7, &at);
            any = true;
        }
    }
    text_add(p->out, any ? "\n" : "");
    for (int j = 0; j < layer->weights.columns; j++) {
        if (column_used(layer, first, rows, j)) {
            print_column(p, layer, first, rows, j);
        }
    }
}

/* Is a row's sum shifted as it is, and what lifted it taken back? */
static bool row_lifted(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    return plan->steps[index].lift >= 0 && layer->shift[row] > 0 && plan_row_used(layer, row);
}

/* "    u = (uint32_t)s2 >> 7; ": what comes before the statement that takes the row. */
static void print_shift(struct printer *p, int index, int row, int sum)
{
    text_add(p->out, "    ");
    if (row_lifted(p->plan, index, row)) {
        text_printf(p->out, "u = (uint32_t)s%d >> %d; ", sum,
                    p->plan->net->layers[index].shift[row]);
    }
}

/* "(int32_t)u - 4096", "s2" without a shift, or the constant of a row without weights. */
static void print_shifted(struct printer *p, int index, int row, int sum)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char text[GROUPED_MAX];
    if (!plan_row_used(layer, row)) {
        text_add(p->out, literal(floor_shift(layer->bias[row], layer->shift[row]), text));
    } else if (!layer->shift[row]) {
        text_printf(p->out, "s%d", sum);
    } else if (!row_lifted(p->plan, index, row)) {
        text_printf(p->out, "%s_floor(s%d, %d)", p->plan->name, sum, layer->shift[row]);
    } else {
        text_add(p->out, "(int32_t)u");
        if (p->plan->steps[index].lift > 0) {
            text_printf(p->out, " - %s", literal(p->plan->steps[index].lift, text));
        }
    }
}

/* The rows of a span, tile by tile. */
void print_tiles(struct printer *p, int index, const struct span *span, bool acts)
{
    char number[16];
    for (int done = 0; done < span->rows;) {
        int rows = line_tile_rows(span->rows, done);
        span->kernel->tile(p, index, span->first + done, rows);
        for (int i = 0; i < rows; i++) {
            int row = span->first + done + i;
            (void)snprintf(number, sizeof number, "%d", row);
            print_shift(p, index, row, i);
            const char *end = print_target(p, index, number, acts);
            print_shifted(p, index, row, i);
            text_add(p->out, end);
        }
        done += rows;
    }
}

/* One term of an add for the rows of a tile: y0 = ... first, then y0 += ... */
static void print_term(struct printer *p, int tensor, int first, int rows, bool start)
{
    int fused = plan_fused(p->plan, tensor);
    const struct kernel *kernel = fused >= 0 ? plan_kernel(p->plan, fused) : NULL;
    bool line = kernel && kernel->shape == SHAPE_TILE;
    char text[ELEMENT_MAX];
    char number[16];
    if (line) {
        kernel->tile(p, fused, first, rows);
    }
    for (int i = 0; i < rows; i++) {
        (void)snprintf(number, sizeof number, "%d", first + i);
        if (line) {
            print_shift(p, fused, first + i, i);
        } else {
            text_add(p->out, "    ");
        }
        text_printf(p->out, "y%d %s ", i, start ? "=" : "+=");
        if (line) {
            print_shifted(p, fused, first + i, i);
        } else if (fused >= 0) {
            print_row(p, fused, kernel, number, number);
        } else {
            text_add(p->out, element(p->plan, tensor, number, text));
        }
        text_add(p->out, ";\n");
    }
}

/* All terms of a tile of outputs, then their clamps. */
void print_line_add(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int width = p->plan->net->tensors[layer->output].width;
    char number[16];
    for (int first = 0; first < width;) {
        int rows = line_tile_rows(width, first);
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

/* One statement per reading, with its own zero and scale. */
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

/* Which scalars straight-line code uses. */
struct scalars {
    bool sums[LINE_TILE];
    bool terms[LINE_TILE];
    bool input;
    bool up; /* sums behind the shift */
};

/* The sums of all tiles of a span. */
static void span_scalars(const struct plan *plan, int index, const struct span *span,
                         struct scalars *used)
{
    const struct layer *layer = &plan->net->layers[index];
    for (int done = 0; done < span->rows && span->kernel->shape == SHAPE_TILE;) {
        int rows = line_tile_rows(span->rows, done);
        for (int i = 0; i < rows; i++) {
            bool row = plan_row_used(layer, span->first + done + i);
            used->sums[i] = used->sums[i] || row;
            used->input = used->input || row;
            used->up = used->up || row_lifted(plan, index, span->first + done + i);
        }
        done += rows;
    }
}

static void layer_scalars(const struct plan *plan, int index, struct scalars *used)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    const struct choice *choice = plan_choice(plan, index);
    if (step->form == FORM_DEAD) {
        return;
    }
    for (int i = 0; i < choice->span_count; i++) {
        span_scalars(plan, index, &choice->spans[i], used);
    }
    if (layer->op == OP_ADD && step->form == FORM_LINE) {
        int rows = line_tile_rows(plan->net->tensors[layer->output].width, 0);
        for (int i = 0; i < rows; i++) {
            used->terms[i] = true;
        }
    }
}

/* int32_t s0; int32_t s1 ...: those that are used. */
static void print_scalars(struct printer *p, char letter, const bool *used)
{
    for (int i = 0; i < LINE_TILE; i++) {
        if (used[i]) {
            text_printf(p->out, "    int32_t %c%d;\n", letter, i);
        }
    }
}

void print_line_locals(struct printer *p)
{
    struct scalars used = {.input = false};
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        layer_scalars(p->plan, i, &used);
    }
    print_scalars(p, 's', used.sums);
    print_scalars(p, 'y', used.terms);
    text_add(p->out, used.input ? "    int32_t v;\n" : "");
    text_add(p->out, used.up ? "    uint32_t u;\n" : "");
}

/* ---- the kernel ---- */

static enum feature weight_feature(int weight)
{
    int size = weight < 0 ? -weight : weight;
    return size == 1 ? FEATURE_ONE : (size & (size - 1)) == 0 ? FEATURE_POWER : FEATURE_WEIGHT;
}

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    size_t columns = (size_t)layer->weights.columns;
    int64_t tiles = (span->rows + LINE_TILE - 1) / LINE_TILE;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_LOAD] = tiles * layer->weights.columns;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    size_t end = ((size_t)span->first + (size_t)span->rows) * columns;
    for (size_t i = (size_t)span->first * columns; i < end; i++) {
        int weight = layer->weights.values[i];
        if (weight != 0) {
            features->count[weight_feature(weight)]++;
        }
    }
}

const struct kernel kernel_line = {
    .kind = KERNEL_LINE,
    .what = "straight line, weights as immediates",
    .shape = SHAPE_TILE,
    .group = 1,
    .words = true,
    .flat = true,
    .count = count,
    .tile = tile,
};
