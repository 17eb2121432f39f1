/* The plan of convs in lanes: ternary weights, small inputs, four positions to a word.
 *
 * There is no product, so one addition of 32 bits serves the four bytes of a word.  What proves it:
 * the inputs are 0 .. high, so that a byte holds 255 / high of them; and with n weights of a sign,
 * high n on top of the bias stays within 16 bits, which hold the whole sum plus 32768.  All numbers
 * are added in the order that the bytes give, minus before plus, so no lane ever leaves its range.
 *
 * A row's weights are two lists, of those that are minus and of those that are plus: distances from
 * one to the next, two to a byte, in each run of weights that lie beside each other.  Where two are
 * further apart than 15, a weight of zero between them is put into both lists. */
#include "emit/map.h"

/* Words whose sums are made at once: what a Cortex-M0 holds in registers beside the pointers. */
#define TILE_WORDS    4
#define DISTANCE_MOST 15
/* Positions below which lanes are not worth their table. */
#define POSITIONS_LEAST 4

/* Cut `size` into `count` parts of one size, the smallest that will do; from one part to the next
 * it is at most that size and always the same.  Returns the size. */
static int cut(int size, int count, int *step)
{
    int part = (size + count - 1) / count;
    while (count > 1 && part < size && (size - part) % (count - 1) != 0) {
        part++;
    }
    *step = count > 1 ? (size - part) / (count - 1) : 0;
    return part;
}

static int reach(int positions, int stride, int dilation, int kernel)
{
    return (positions - 1) * stride + dilation * (kernel - 1) + 1;
}

/* ---- parts and tiles ---- */

static struct lanes lanes_of(const struct layer *layer, const struct shape *out, int down)
{
    const struct window *w = &layer->window;
    struct lanes lanes = {.part_rows = {down, 0}, .part_columns = {4 / down, 0}};
    lanes.rows = cut(out->rows, down, &lanes.part_rows[1]);
    lanes.columns = cut(out->columns, 4 / down, &lanes.part_columns[1]);
    lanes.in_rows = reach(lanes.rows, w->row_stride, w->row_dilation, w->rows);
    lanes.in_columns = reach(lanes.columns, w->column_stride, w->column_dilation, w->columns);
    return lanes;
}

/* Fewer positions, then a smaller map. */
static bool better(const struct lanes *a, const struct lanes *b)
{
    int positions = a->rows * a->columns - b->rows * b->columns;
    int words = a->in_rows * a->in_columns - b->in_rows * b->in_columns;
    return positions != 0 ? positions < 0 : words < 0;
}

static struct lanes best_parts(const struct layer *layer, const struct shape *out)
{
    struct lanes best = lanes_of(layer, out, 2);
    for (int down = 1; down <= 4; down += 3) {
        struct lanes lanes = lanes_of(layer, out, down);
        best = better(&lanes, &best) ? lanes : best;
    }
    return best;
}

static void plan_tiles(struct lanes *lanes, const struct window *w)
{
    bool whole = lanes->rows * lanes->columns <= TILE_WORDS;
    lanes->tiles[0] = whole ? 1 : lanes->rows;
    lanes->tile[0] = whole ? lanes->rows : 1;
    lanes->tile_step[0] = 1;
    lanes->tiles[1] = (lanes->columns + TILE_WORDS - 1) / TILE_WORDS;
    lanes->tile[1] = cut(lanes->columns, lanes->tiles[1], &lanes->tile_step[1]);
    while (lanes->tile[1] > TILE_WORDS) {
        lanes->tiles[1]++;
        lanes->tile[1] = cut(lanes->columns, lanes->tiles[1], &lanes->tile_step[1]);
    }
    lanes->rolls = lanes->tiles[0] > 1;
    if (lanes->rolls) {
        lanes->in_rows = reach(1, w->row_stride, w->row_dilation, w->rows);
    }
    lanes->writer = -1;
}

/* Weights of a tap lie beside each other, and so do those of the next one without a dilation. */
static void plan_taps(struct lanes *lanes, const struct window *w, int channels)
{
    bool one = w->column_dilation == 1 || w->columns == 1;
    lanes->taps[0] = w->rows;
    lanes->taps[1] = one ? 1 : w->columns;
    lanes->length = channels * (one ? w->columns : 1);
    lanes->tap_step[0] = w->row_dilation * lanes->in_columns * channels;
    lanes->tap_step[1] = w->column_dilation * channels;
}

/* ---- lists ---- */

/* A run of weights, and which zeros go into both lists. */
struct run {
    const int16_t *weights;
    int length;
    bool both[UINT8_MAX * 16];
};

static bool listed(const struct run *run, int j, int sign)
{
    return run->both[j] || run->weights[j] == sign;
}

/* The first weight of a list that is too far behind the one before it, which goes to *last; -1 */
static int first_gap(const struct run *run, int sign, int *last)
{
    *last = 0;
    for (int j = 0; j < run->length; j++) {
        if (listed(run, j, sign)) {
            if (j - *last > DISTANCE_MOST) {
                return j;
            }
            *last = j;
        }
    }
    return -1;
}

/* Puts a zero into a gap, as far as can be reached.  False: there is none. */
static bool fill_gap(struct run *run, int last)
{
    for (int j = last + DISTANCE_MOST; j > last; j--) {
        if (run->weights[j] == 0 && !run->both[j]) {
            run->both[j] = true;
            return true;
        }
    }
    return false;
}

static bool fill_gaps(struct run *run, const int16_t *weights, int length)
{
    int last;
    *run = (struct run){.weights = weights, .length = length};
    for (int sign = -1; sign <= 1; sign += 2) {
        while (first_gap(run, sign, &last) >= 0) {
            if (!fill_gap(run, last)) {
                return false;
            }
        }
    }
    return true;
}

static int list_count(const struct run *run, int sign)
{
    int count = 0;
    for (int j = 0; j < run->length; j++) {
        count += listed(run, j, sign);
    }
    return count;
}

/* Of the weights left, how many the next portion has, plus LANES_MORE where another follows. */
static uint8_t portion(int left, int most)
{
    return (uint8_t)(left > most ? most + LANES_MORE : left);
}

/* Appends the list of one sign in portions: a count and the distances.  Returns how many bytes. */
static int write_list(const struct run *run, int sign, int most, uint8_t *to)
{
    int left = list_count(run, sign);
    int last = 0;
    int place = 0;
    const uint8_t *first = to;
    *to = portion(left, most);
    for (int j = 0; j < run->length; j++) {
        if (listed(run, j, sign)) {
            if (place == most) {
                left -= most;
                place = 0;
                to += 1 + most / 2;
                *to = portion(left, most);
            }
            uint8_t *byte = &to[1 + place / 2];
            *byte = (uint8_t)(place % 2 ? *byte | (j - last) << 4 : j - last);
            last = j;
            place++;
        }
    }
    return (int)(to - first) + 1 + (place + 1) / 2;
}

/* ---- rows ---- */

/* What the lists are made from and to. */
struct maker {
    const struct layer *layer;
    struct lanes *lanes;
    struct run *run;
    uint8_t *bytes;
    int high; /* largest input */
};

static const int16_t *run_at(const struct maker *m, int row, int index)
{
    size_t columns = (size_t)m->layer->weights.columns;
    return m->layer->weights.values + (size_t)row * columns +
           (size_t)index * (size_t)m->lanes->length;
}

/* One sign of a row; false where a list does not fit, or the sum may leave 16 bits. */
static bool make_list(struct maker *m, int row, int sign)
{
    int64_t sum = m->layer->bias[row];
    for (int i = 0; i < m->lanes->taps[0] * m->lanes->taps[1]; i++) {
        if (!fill_gaps(m->run, run_at(m, row, i), m->lanes->length)) {
            return false;
        }
        sum += (int64_t)sign * m->high * list_count(m->run, sign);
        m->lanes->byte_count +=
            write_list(m->run, sign, m->lanes->most, &m->bytes[m->lanes->byte_count]);
    }
    return sum >= INT16_MIN && sum <= INT16_MAX;
}

static bool make_lists(struct maker *m)
{
    for (int row = 0; row < m->layer->weights.rows; row++) {
        if (m->layer->bias[row] < INT16_MIN || m->layer->bias[row] > INT16_MAX ||
            m->layer->shift[row] > 15 || !make_list(m, row, -1) || !make_list(m, row, 1)) {
            return false;
        }
    }
    return true;
}

/* ---- layers ---- */

/* The largest element of a tensor; -1 where one may be negative. */
static int64_t largest(const struct plan *plan, int tensor)
{
    int64_t high = 0;
    for (int j = 0; j < plan->net->tensors[tensor].width; j++) {
        struct interval range = plan->ranges[tensor][j];
        high = range.high > high ? range.high : high;
        if (range.low < 0) {
            return -1;
        }
    }
    return high;
}

static bool fits(const struct plan *plan, const struct layer *layer)
{
    const struct tensor *in = &plan->net->tensors[layer->inputs[0]];
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    const struct weights *w = &layer->weights;
    int64_t high = largest(plan, layer->inputs[0]);
    return plan->options->optimise != OPTIMISE_SIZE && layer->op == OP_CONV && layer->groups <= 1 &&
           w->bits == 2 && !w->odd && (in->type == TYPE_U4 || in->type == TYPE_U8) && high >= 0 &&
           high <= 31 && out->rows * out->columns >= POSITIONS_LEAST &&
           in->shape.channels * layer->window.columns < UINT8_MAX * 16;
}

/* No list is longer than its run, a count and half a byte included. */
static size_t bytes_most(const struct layer *layer)
{
    size_t taps = (size_t)layer->window.rows * (size_t)layer->window.columns;
    return (size_t)layer->weights.rows * 2 * ((size_t)layer->weights.columns + 2 * taps);
}

bool map_plan_lanes(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct shape *in = &plan->net->tensors[layer->inputs[0]].shape;
    if (!fits(plan, layer)) {
        return true;
    }
    struct lanes *lanes = arena_alloc(plan->arena, 1, sizeof *lanes);
    struct maker maker = {.layer = layer, .lanes = lanes};
    maker.bytes = arena_alloc(plan->arena, bytes_most(layer), 1);
    maker.run = arena_alloc(plan->arena, 1, sizeof *maker.run);
    maker.high = (int)largest(plan, layer->inputs[0]);
    if (!lanes || !maker.bytes || !maker.run) {
        return false;
    }
    *lanes = best_parts(layer, &plan->net->tensors[layer->output].shape);
    plan_tiles(lanes, &layer->window);
    plan_taps(lanes, &layer->window, in->channels);
    lanes->most = maker.high > 2 ? 255 / maker.high / 2 * 2 : 126;
    lanes->bytes = maker.bytes;
    if (make_lists(&maker)) {
        int words = lanes->in_rows * lanes->in_columns * in->channels;
        plan->maps->words = words > plan->maps->words ? words : plan->maps->words;
        plan->maps->rows[index].lanes = lanes;
    }
    return true;
}
