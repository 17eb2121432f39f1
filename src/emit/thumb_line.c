/* Straight-line code, tile by tile of rows: each input is loaded once per tile and multiplied with
 * weights that are immediates.
 *
 * Two columns may go together (Winograd, 1968):
 *
 *   w0 x0 + w1 x1 = (x0 + w1) (x1 + w0) - x0 x1 - w0 w1
 *
 * which takes one multiplication instead of two.  The registers x0 + w1 and x1 + w0 step from row
 * to row; w0 w1 is part of the bias, and the sum of all x0 x1 is the same for every row and
 * subtracted once.  All of it is exact modulo 2^32, and final sums fit. */
#include "emit/thumb.h"

#include <string.h>

#define ROW_SHARED (-1) /* the sum of x0 x1, in the first tile */
#define REG_SHARED 7
#define COST_NONE  100000
/* Trials of a search that only compares. */
#define TRIALS_FEW 64
/* Columns of a layer that may be matched with any other. */
#define MATCH_COLUMNS 24

struct tile {
    int rows;
    int row[TILE_ROWS];
    int reg[TILE_ROWS];
};

struct line {
    struct thumb *t;
    const struct layer *layer;
    struct tile *tiles;
    int tile_count;
    int *mate;   /* by column: the one that goes with it, or -1 */
    bool shared; /* is there any? */
    int slot;    /* where later tiles find the shared sum */
};

static bool is_high(int reg)
{
    return reg > 7;
}

static const struct element *column_of(const struct line *line, int column)
{
    return &line->t->elements[line->layer->inputs[0]][column];
}

/* Does r3 hold the address of in[]? */
static bool reads_raw(const struct line *line)
{
    bool raw = false;
    for (int j = 0; j < line->layer->weights.columns; j++) {
        raw = raw || column_of(line, j)->kind == PLACE_RAW;
    }
    return raw;
}

/* ---- demands ---- */

/* Of a column, or of two; mate -1: none. */
static struct demand demand_of(const struct line *line, const struct tile *tile, int column,
                               int mate, int trials)
{
    struct demand demand = {.pair = mate >= 0, .rows = tile->rows, .trials = trials};
    demand.temps = reads_raw(line) ? 2 : 3;
    for (int i = 0; i < tile->rows; i++) {
        for (int k = 0; k < (mate >= 0 ? 2 : 1); k++) {
            int64_t weight =
                tile->row[i] == ROW_SHARED
                    ? 0
                    : thumb_weight(line->t, line->layer, tile->row[i], k == 0 ? column : mate);
            line->t->unfit = line->t->unfit || weight > INT32_MAX || weight < INT32_MIN;
            demand.weights[k][i] = (int32_t)weight;
        }
        demand.high[i] = is_high(tile->reg[i]);
    }
    return demand;
}

/* Instructions of a column, or of two, over all tiles; COST_NONE where it is not possible. */
static int cost_of(const struct line *line, int column, int mate)
{
    int cost = 0;
    for (int i = 0; i < line->tile_count; i++) {
        struct demand demand = demand_of(line, &line->tiles[i], column, mate, TRIALS_FEW);
        const struct recipe *recipe = search(line->t, &demand);
        if (!recipe) {
            return COST_NONE;
        }
        cost += recipe->count;
    }
    return cost;
}

/* ---- tiles ---- */

static int accumulator(int number)
{
    static const int order[] = {4, 5, 6, 7, 8, 9, 10, 11, 12, REG_LR};
    return order[number];
}

/* Spread the rows evenly; the shared sum takes r7 of the first tile. */
static void make_tiles(struct line *line, const int *rows, int count, bool shared)
{
    int all = count + (shared ? 1 : 0);
    int at = 0;
    line->tile_count = (all + TILE_ROWS - 1) / TILE_ROWS;
    for (int i = 0; i < line->tile_count; i++) {
        struct tile *tile = &line->tiles[i];
        bool shares = shared && i == 0;
        int left = line->tile_count - i;
        int want = (count - at + left - 1) / left;
        want = shares && want == TILE_ROWS ? want - 1 : want;
        *tile = (struct tile){0};
        for (int k = 0; tile->rows < want; k++) {
            if (!(shares && accumulator(k) == REG_SHARED)) {
                tile->row[tile->rows] = rows[at++];
                tile->reg[tile->rows++] = accumulator(k);
            }
        }
        if (shares) {
            tile->row[tile->rows] = ROW_SHARED;
            tile->reg[tile->rows++] = REG_SHARED;
        }
    }
}

/* ---- columns that go together ---- */

/* What each two columns gain; in wide layers only neighbours may. */
static void find_gains(struct line *line, const int *rows, int count, int *gains)
{
    int columns = line->layer->weights.columns;
    bool wide = columns > MATCH_COLUMNS || line->t->trials <= TRIALS_FEW;
    make_tiles(line, rows, count, false);
    for (int a = 0; a < columns; a++) {
        gains[a * columns + a] = cost_of(line, a, -1);
    }
    make_tiles(line, rows, count, true);
    for (int a = 0; a < columns; a++) {
        for (int b = a + 1; b < columns; b++) {
            bool may = !wide || (a % 2 == 0 && b == a + 1);
            int apart = gains[a * columns + a] + gains[b * columns + b];
            int both = may ? cost_of(line, a, b) : COST_NONE;
            gains[a * columns + b] = both == COST_NONE ? -COST_NONE : apart - both;
            gains[b * columns + a] = gains[a * columns + b];
        }
    }
}

/* The two that gain most, again and again. */
static void match_columns(struct line *line, const int *gains)
{
    int columns = line->layer->weights.columns;
    for (;;) {
        int best = 0;
        int first = 0;
        int second = 0;
        for (int i = 0; i < columns * columns; i++) {
            int a = i / columns;
            int b = i % columns;
            if (a < b && line->mate[a] < 0 && line->mate[b] < 0 && gains[i] > best) {
                best = gains[i];
                first = a;
                second = b;
            }
        }
        if (best == 0) {
            return;
        }
        line->mate[first] = second;
        line->mate[second] = first;
    }
}

/* Let a and b's mates change places where that gains; true if they did. */
static bool swap_mates(struct line *line, const int *gains, int a, int b)
{
    int columns = line->layer->weights.columns;
    int c = line->mate[a];
    int d = line->mate[b];
    if (c < 0 || d < 0 || c == b ||
        gains[a * columns + d] + gains[b * columns + c] <=
            gains[a * columns + c] + gains[b * columns + d]) {
        return false;
    }
    line->mate[a] = d;
    line->mate[d] = a;
    line->mate[b] = c;
    line->mate[c] = b;
    return true;
}

static void improve_mates(struct line *line, const int *gains)
{
    int columns = line->layer->weights.columns;
    for (bool better = true; better;) {
        better = false;
        for (int i = 0; i < columns * columns; i++) {
            better =
                (i / columns != i % columns && swap_mates(line, gains, i / columns, i % columns)) ||
                better;
        }
    }
}

/* Which columns go together, if all of them make up for the shared sum. */
static void choose_mates(struct line *line, const int *rows, int count, int *gains)
{
    int columns = line->layer->weights.columns;
    int gain = 0;
    find_gains(line, rows, count, gains);
    match_columns(line, gains);
    improve_mates(line, gains);
    for (int a = 0; a < columns; a++) {
        gain += line->mate[a] > a ? gains[a * columns + line->mate[a]] : 0;
    }
    line->shared = gain > count + 4 * line->tile_count;
    for (int a = 0; !line->shared && a < columns; a++) {
        line->mate[a] = -1;
    }
    make_tiles(line, rows, count, line->shared);
}

/* ---- biases ---- */

/* Without what the pairs of columns add. */
static uint32_t first_value(const struct line *line, int row)
{
    uint32_t value = thumb_bias(line->t, line->layer, row);
    for (int a = 0; a < line->layer->weights.columns; a++) {
        if (line->mate[a] > a) {
            value -= (uint32_t)thumb_weight(line->t, line->layer, row, a) *
                     (uint32_t)thumb_weight(line->t, line->layer, row, line->mate[a]);
        }
    }
    return value;
}

/* Load `count` accumulators from entry `first` on through the registers from `through` on. */
static void load_group(struct line *line, const struct tile *tile, int first, int count,
                       int through, bool subtract)
{
    struct thumb *t = line->t;
    unsigned mask = 0;
    for (int i = 0; i < count; i++) {
        int reg = tile->reg[first + i];
        mask |= 1U << (is_high(reg) ? through + i : reg);
        thumb_constant(t, first_value(line, tile->row[first + i]));
    }
    thumb_load(t, mask);
    for (int i = 0; i < count; i++) {
        int reg = tile->reg[first + i];
        int low = is_high(reg) ? through + i : reg;
        if (subtract) {
            thumb_op(t, 1, "subs r%d, r%d, r1", low, low);
        }
        if (low != reg) {
            thumb_op(t, 1, "mov %s, r%d", thumb_reg(reg), low);
        }
    }
}

/* All accumulators get their biases, less the shared sum where it is known. */
static void load_biases(struct line *line, const struct tile *tile)
{
    struct thumb *t = line->t;
    bool first = tile == line->tiles;
    bool subtract = line->shared && !first;
    int rows = tile->rows - (line->shared && first ? 1 : 0);
    int low = 0;
    while (low < rows && !is_high(tile->reg[low])) {
        low++;
    }
    thumb_hold_stream(t);
    if (subtract) {
        thumb_op(t, 2, "ldr r1, [sp, #%d]", thumb_offset(t, line->slot));
    }
    if (low < rows) {
        load_group(line, tile, low, rows - low, subtract ? 2 : 1, subtract);
    }
    load_group(line, tile, 0, low, 0, subtract);
    if (line->shared && first) {
        thumb_op(t, 1, "movs r%d, #0", REG_SHARED);
    }
    thumb_free_stream(t);
}

/* ---- columns ---- */

static void print_add(struct thumb *t, const struct tile *tile, const struct instruction *i)
{
    int reg = tile->reg[i->rd];
    if (is_high(reg)) {
        thumb_op(t, 1, "add %s, r%d", thumb_reg(reg), i->ra);
    } else {
        thumb_op(t, 1, "%s r%d, r%d, r%d", i->kind == DO_ADD_TO ? "adds" : "subs", reg, reg, i->ra);
    }
}

static void print_instruction(struct thumb *t, const struct tile *tile, const struct instruction *i)
{
    int size = i->value < 0 ? -i->value : i->value;
    const char *sign = i->value < 0 ? "subs" : "adds";
    switch ((enum op_kind)i->kind) {
    case DO_CONSTANT: thumb_op(t, 1, "movs r%d, #%d", i->rd, size); break;
    case DO_MULTIPLY: thumb_op(t, 1, "muls r%d, r%d", i->rd, i->ra); break;
    case DO_LEFT: thumb_op(t, 1, "lsls r%d, r%d, #%d", i->rd, i->ra, size); break;
    case DO_PLUS: thumb_op(t, 1, "adds r%d, r%d, r%d", i->rd, i->ra, i->rb); break;
    case DO_MINUS: thumb_op(t, 1, "subs r%d, r%d, r%d", i->rd, i->ra, i->rb); break;
    case DO_NEGATE: thumb_op(t, 1, "rsbs r%d, r%d, #0", i->rd, i->ra); break;
    case DO_STEP: thumb_op(t, 1, "%s r%d, #%d", sign, i->rd, size); break;
    case DO_OFFSET: thumb_op(t, 1, "%s r%d, r%d, #%d", sign, i->rd, i->ra, size); break;
    case DO_ADD_TO:
    case DO_TAKE_FROM: print_add(t, tile, i); break;
    }
}

static void print_recipe(struct line *line, const struct tile *tile, int column)
{
    int mate = line->mate[column];
    struct demand demand = demand_of(line, tile, column, mate, line->t->trials);
    const struct recipe *recipe = search(line->t, &demand);
    line->t->unfit = line->t->unfit || !recipe;
    if (!recipe || recipe->count == 0) {
        return;
    }
    thumb_line_end(line->t);
    thumb_element(line->t, 0, column_of(line, column), 3, true);
    if (mate >= 0) {
        thumb_element(line->t, 1, column_of(line, mate), 3, true);
    }
    for (int i = 0; i < recipe->count; i++) {
        print_instruction(line->t, tile, &recipe->ops[i]);
    }
}

static void print_columns(struct line *line, const struct tile *tile)
{
    if (reads_raw(line)) {
        thumb_op(line->t, 2, "ldr r3, [sp, #%d]", thumb_offset(line->t, SLOT_IN));
    }
    for (int column = 0; column < line->layer->weights.columns; column++) {
        if (line->mate[column] < 0 || line->mate[column] > column) {
            print_recipe(line, tile, column);
        }
    }
    thumb_line_end(line->t);
}

/* ---- ends of rows ---- */

static void end_tile(struct line *line, const struct tile *tile, struct ending *ending)
{
    struct thumb *t = line->t;
    bool first = line->shared && tile == line->tiles;
    ending->second = 0;
    ending->third = 0;
    if (first && line->tile_count > 1) {
        thumb_op(t, 2, "str r%d, [sp, #%d]", REG_SHARED, thumb_offset(t, line->slot));
    }
    for (int i = 0; i < tile->rows && tile->row[i] != ROW_SHARED; i++) {
        int reg = tile->reg[i];
        int shift = line->layer->shift[tile->row[i]];
        if (is_high(reg)) {
            thumb_op(t, 1, "mov r0, %s", thumb_reg(reg));
            reg = 0;
        }
        if (first) {
            thumb_op(t, 1, "subs r%d, r%d, r%d", reg, reg, REG_SHARED);
        }
        if (shift > 0) {
            thumb_op(t, 1, "asrs r%d, r%d, #%d", reg, reg, shift);
        }
        thumb_end_row(t, ending, tile->row[i], reg);
    }
    thumb_line_end(t);
}

static void run_tiles(struct line *line, struct ending *ending)
{
    struct thumb *t = line->t;
    bool spills = line->shared && line->tile_count > 1;
    line->slot = spills ? thumb_slot(t) : 0;
    for (int i = 0; i < line->tile_count; i++) {
        load_biases(line, &line->tiles[i]);
        print_columns(line, &line->tiles[i]);
        end_tile(line, &line->tiles[i], ending);
    }
    if (spills) {
        t->taken[line->slot] = false;
    }
}

void thumb_line_layer(struct thumb *t, int index, const bool *done)
{
    const struct layer *layer = &t->plan->net->layers[index];
    size_t height = (size_t)layer->weights.rows;
    size_t width = (size_t)layer->weights.columns;
    struct line line = {.t = t, .layer = layer};
    int *rows = thumb_alloc(t, height, sizeof *rows);
    line.tiles = thumb_alloc(t, height / TILE_ROWS + 2, sizeof *line.tiles);
    line.mate = thumb_alloc(t, width, sizeof *line.mate);
    int *gains = thumb_alloc(t, width * width, sizeof *gains);
    struct ending ending;
    int count = 0;
    if (!rows || !line.tiles || !line.mate || !gains || !thumb_ending(t, index, &ending)) {
        t->unfit = true;
        return;
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        if (!done[row]) {
            rows[count++] = row;
        }
    }
    for (size_t j = 0; j < width; j++) {
        line.mate[j] = -1;
    }
    if (count > 0) {
        choose_mates(&line, rows, count, gains);
        run_tiles(&line, &ending);
    }
}
