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
#define LOW_FIRST  4    /* accumulators r4 .. r7, then r8 .. r12, lr */
#define REG_SHARED 7

struct tile {
    int rows;
    int row[TILE_ROWS];
    int reg[TILE_ROWS];
};

struct line {
    struct thumb *t;
    int index;
    const struct layer *layer;
    struct tile *tiles;
    int tile_count;
    bool *paired; /* of columns 2 p and 2 p + 1 */
    bool shared;  /* is any pair? */
    int slot;     /* where later tiles find the shared sum */
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

static struct demand demand_of(const struct line *line, const struct tile *tile, int column,
                               bool pair)
{
    struct demand demand = {.pair = pair, .rows = tile->rows, .temps = reads_raw(line) ? 2 : 3};
    for (int i = 0; i < tile->rows; i++) {
        for (int k = 0; k < (pair ? 2 : 1); k++) {
            int64_t weight = tile->row[i] == ROW_SHARED
                                 ? 0
                                 : thumb_weight(line->t, line->layer, tile->row[i], column + k);
            line->t->unfit = line->t->unfit || weight > INT32_MAX || weight < INT32_MIN;
            demand.weights[k][i] = (int32_t)weight;
        }
        demand.high[i] = is_high(tile->reg[i]);
    }
    return demand;
}

/* Instructions of a column, or of a pair, over all tiles; -1 where it is not possible. */
static int cost_of(const struct line *line, int column, bool pair)
{
    int cost = 0;
    for (int i = 0; i < line->tile_count; i++) {
        struct demand demand = demand_of(line, &line->tiles[i], column, pair);
        const struct recipe *recipe = search(line->t, &demand);
        if (!recipe) {
            return -1;
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

/* Which columns go together: those that gain, if they make up for the shared sum. */
static void choose_pairs(struct line *line, const int *rows, int count)
{
    int gain = 0;
    int pairs = line->layer->weights.columns / 2;
    for (int p = 0; p < pairs; p++) {
        make_tiles(line, rows, count, false);
        int first = cost_of(line, 2 * p, false);
        int second = cost_of(line, 2 * p + 1, false);
        make_tiles(line, rows, count, true);
        int both = cost_of(line, 2 * p, true);
        line->paired[p] = both >= 0 && (first < 0 || second < 0 || both < first + second);
        gain += line->paired[p] ? first + second - both : 0;
    }
    line->shared = gain > count + 4 * line->tile_count;
    if (!line->shared) {
        memset(line->paired, 0, (size_t)pairs * sizeof *line->paired);
    }
    make_tiles(line, rows, count, line->shared);
}

/* ---- biases ---- */

/* Without what the pairs of columns add. */
static uint32_t first_value(const struct line *line, int row)
{
    uint32_t value = thumb_bias(line->t, line->layer, row);
    for (int p = 0; p < line->layer->weights.columns / 2; p++) {
        if (line->paired[p]) {
            value -= (uint32_t)thumb_weight(line->t, line->layer, row, 2 * p) *
                     (uint32_t)thumb_weight(line->t, line->layer, row, 2 * p + 1);
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

static void print_recipe(struct line *line, const struct tile *tile, int column, bool pair)
{
    struct demand demand = demand_of(line, tile, column, pair);
    const struct recipe *recipe = search(line->t, &demand);
    line->t->unfit = line->t->unfit || !recipe;
    if (!recipe || recipe->count == 0) {
        return;
    }
    thumb_line_end(line->t);
    thumb_element(line->t, 0, column_of(line, column), 3, true);
    if (pair) {
        thumb_element(line->t, 1, column_of(line, column + 1), 3, true);
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
    for (int column = 0; column < line->layer->weights.columns;) {
        bool pair = column + 1 < line->layer->weights.columns && column % 2 == 0 &&
                    line->paired[column / 2];
        print_recipe(line, tile, column, pair);
        column += pair ? 2 : 1;
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
    struct line line = {.t = t, .index = index, .layer = layer};
    int *rows = thumb_alloc(t, height, sizeof *rows);
    line.tiles = thumb_alloc(t, height / TILE_ROWS + 2, sizeof *line.tiles);
    line.paired = thumb_alloc(t, width / 2 + 1, sizeof *line.paired);
    struct ending ending;
    int count = 0;
    if (!rows || !line.tiles || !line.paired || !thumb_ending(t, index, &ending)) {
        t->unfit = true;
        return;
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        if (!done[row]) {
            rows[count++] = row;
        }
    }
    if (count > 0) {
        choose_pairs(&line, rows, count);
        run_tiles(&line, &ending);
    }
}
