/* The plan of convs in lanes: ternary weights, small inputs, four positions to a word.
 *
 * There is no product, so one addition of 32 bits serves the four bytes of a word.  What proves it:
 * inputs are 0 .. high.  Weights go in portions, each of at most 255 / high that are not zero; with
 * m of them minus, the bytes start at m high, lose no more than that, and end at 255 at most.  Then
 * they are added to sums of 16 bits, which start at the bias less all these m high, lifted by 2^15,
 * and only grow, to no more than the bias and all that is plus.
 *
 * A portion is a list of distances from one weight to the next that is minus, and one of those that
 * are plus, two to a byte.  Where two are further apart than 15, a zero between them is put into
 * both. */
#include "emit/map.h"

/* Words whose sums are made at once: what a Cortex-M0 holds in registers beside the pointers. */
#define TILE_WORDS    4
#define DISTANCE_MOST 15
#define SLICE_MOST    255
/* Positions below which lanes are not worth their table. */
#define POSITIONS_LEAST 4
/* Inputs of a dense layer for which the words are there in any case. */
#define DENSE_WORDS 64

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

static struct lanes lanes_of(const struct window *w, const struct shape *out, int down)
{
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

static struct lanes best_parts(const struct window *w, const struct shape *out)
{
    struct lanes best = lanes_of(w, out, 2);
    for (int down = 1; down <= 4; down += 3) {
        struct lanes lanes = lanes_of(w, out, down);
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
    if (lanes->taps[1] == 1 && lanes->tap_step[0] == lanes->length) {
        lanes->length *= w->rows;
        lanes->taps[0] = 1;
    }
}

/* ---- portions ---- */

/* Neighbouring weights, and which zeros among them go into both lists. */
struct slice {
    const int16_t *weights;
    int length;
    bool both[SLICE_MOST];
};

static bool listed(const struct slice *slice, int j, int sign)
{
    return slice->both[j] || slice->weights[j] == sign;
}

/* Is a weight of a list too far behind the one before it, which goes to *last? */
static bool has_gap(const struct slice *slice, int sign, int *last)
{
    *last = 0;
    for (int j = 0; j < slice->length; j++) {
        if (listed(slice, j, sign)) {
            if (j - *last > DISTANCE_MOST) {
                return true;
            }
            *last = j;
        }
    }
    return false;
}

/* Puts a zero into a gap, as far as can be reached.  False: there is none. */
static bool fill_gap(struct slice *slice, int last)
{
    for (int j = last + DISTANCE_MOST; j > last; j--) {
        if (slice->weights[j] == 0) {
            slice->both[j] = true;
            return true;
        }
    }
    return false;
}

static int list_count(const struct slice *slice, int sign)
{
    int count = 0;
    for (int j = 0; j < slice->length; j++) {
        count += listed(slice, j, sign);
    }
    return count;
}

/* Fills the gaps of `length` weights; do they fit a portion then, with at most `most` additions? */
static bool slice_fits(struct slice *slice, const int16_t *weights, int length, int most)
{
    int last;
    if (length > SLICE_MOST) {
        return false;
    }
    *slice = (struct slice){.weights = weights, .length = length};
    for (int sign = -1; sign <= 1; sign += 2) {
        while (has_gap(slice, sign, &last)) {
            if (!fill_gap(slice, last)) {
                return false;
            }
        }
    }
    int minus = list_count(slice, -1);
    int plus = list_count(slice, 1);
    return minus <= 15 && plus <= 15 && minus + plus <= most;
}

/* Appends the distances of one sign.  Returns how many bytes. */
static int write_list(const struct slice *slice, int sign, uint8_t *to)
{
    int last = 0;
    int place = 0;
    for (int j = 0; j < slice->length; j++) {
        if (listed(slice, j, sign)) {
            to[place / 2] = (uint8_t)(place % 2 ? to[place / 2] | (j - last) << 4 : j - last);
            last = j;
            place++;
        }
    }
    return (place + 1) / 2;
}

/* ---- rows ---- */

/* What the portions are made from and to. */
struct maker {
    const struct layer *layer;
    struct lanes *lanes;
    struct slice slice;
    uint8_t *bytes;
    int32_t *bases; /* of each row: its bias, what is minus in bytes, and 2^15 */
    int high;       /* largest input */
    int count;      /* portions of a row */
    int base;       /* word where the last one began */
    int additions[2];
};

static void add_byte(struct maker *m, int value)
{
    m->bytes[m->lanes->byte_count++] = (uint8_t)value;
}

/* How far it begins behind the one before, how many are minus and plus, and their distances. */
static void add_portion(struct maker *m, int base)
{
    for (; base - m->base > UINT8_MAX; m->base += UINT8_MAX) {
        add_byte(m, UINT8_MAX);
        add_byte(m, 0);
        m->count++;
    }
    add_byte(m, base - m->base);
    add_byte(m, list_count(&m->slice, -1) | list_count(&m->slice, 1) << 4);
    m->lanes->byte_count += write_list(&m->slice, -1, &m->bytes[m->lanes->byte_count]);
    m->lanes->byte_count += write_list(&m->slice, 1, &m->bytes[m->lanes->byte_count]);
    m->additions[0] += list_count(&m->slice, -1);
    m->additions[1] += list_count(&m->slice, 1);
    m->base = base;
    m->count++;
}

/* A run of weights, whose words begin at `base`. */
static void add_run(struct maker *m, const int16_t *weights, int base)
{
    int length = m->lanes->length;
    for (int from = 0; from < length;) {
        int end = from;
        while (end < length &&
               slice_fits(&m->slice, weights + from, end + 1 - from, m->lanes->most)) {
            end++;
        }
        (void)slice_fits(&m->slice, weights + from, end - from, m->lanes->most);
        if (list_count(&m->slice, 1) + list_count(&m->slice, -1) > 0) {
            add_portion(m, base + from);
        }
        from = end;
    }
}

/* False where there are too many portions, or where the sum may leave 16 bits. */
static bool make_row(struct maker *m, int row)
{
    const struct lanes *lanes = m->lanes;
    const int16_t *weights =
        m->layer->weights.values + (size_t)row * (size_t)m->layer->weights.columns;
    int head = lanes->byte_count;
    int64_t bias = m->layer->bias[row];
    m->base = 0;
    m->count = 0;
    m->additions[0] = 0;
    m->additions[1] = 0;
    add_byte(m, 0);
    for (int i = 0; i < lanes->taps[0] * lanes->taps[1]; i++) {
        add_run(m, weights + (size_t)i * (size_t)lanes->length,
                i / lanes->taps[1] * lanes->tap_step[0] + i % lanes->taps[1] * lanes->tap_step[1]);
    }
    m->bytes[head] = (uint8_t)m->count;
    int64_t low = bias - (int64_t)m->high * m->additions[0];
    m->bases[row] = (int32_t)(low + LANES_LIFT);
    return m->count <= UINT8_MAX && low >= INT16_MIN &&
           bias + (int64_t)m->high * m->additions[1] <= INT16_MAX;
}

static bool make_rows(struct maker *m)
{
    for (int row = 0; row < m->layer->weights.rows; row++) {
        if (m->layer->bias[row] < INT16_MIN || m->layer->bias[row] > INT16_MAX ||
            m->layer->shift[row] > 15 || !make_row(m, row)) {
            return false;
        }
    }
    return true;
}

/* ---- layers ---- */

/* What a word of a dense layer holds is one input, and the words must fit where others lie. */
static bool worth_it(const struct plan *plan, const struct layer *layer)
{
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    int words = plan->maps->words > DENSE_WORDS ? plan->maps->words : DENSE_WORDS;
    return layer->op == OP_DENSE ? layer->weights.columns <= words
                                 : layer->op == OP_CONV && layer->groups <= 1 &&
                                       out->rows * out->columns >= POSITIONS_LEAST;
}

static bool fits(const struct plan *plan, const struct layer *layer)
{
    enum type type = plan->net->tensors[layer->inputs[0]].type;
    const struct weights *w = &layer->weights;
    int64_t high = map_largest(plan, layer->inputs[0]);
    return plan->options->optimise != OPTIMISE_SIZE && w->bits == 2 && !w->odd &&
           (type == TYPE_U4 || type == TYPE_U8) && high >= 0 && high <= 31 && worth_it(plan, layer);
}

/* A dense layer is a window as large as its input. */
static struct window window_of(const struct layer *layer, const struct shape *in)
{
    return layer->op == OP_CONV ? layer->window
                                : (struct window){.rows = in->rows,
                                                  .columns = in->columns,
                                                  .row_stride = 1,
                                                  .column_stride = 1,
                                                  .row_dilation = 1,
                                                  .column_dilation = 1};
}

/* No list is longer than its weights; portions of one weight are the worst. */
static size_t bytes_most(const struct layer *layer, const struct lanes *lanes)
{
    size_t jumps = (size_t)(lanes->in_rows * lanes->in_columns) / UINT8_MAX + 1;
    size_t columns = (size_t)layer->weights.columns;
    return (size_t)layer->weights.rows * (columns * 6 + 2 * jumps * columns + 1);
}

static bool start(struct maker *m, const struct plan *plan)
{
    m->bytes = arena_alloc(plan->arena, bytes_most(m->layer, m->lanes), 1);
    m->bases = arena_alloc(plan->arena, (size_t)m->layer->weights.rows, sizeof *m->bases);
    return m->bytes && m->bases;
}

static void plan_layer(struct plan *plan, struct maker *m)
{
    const struct shape *in = &plan->net->tensors[m->layer->inputs[0]].shape;
    struct window w = window_of(m->layer, in);
    *m->lanes = best_parts(&w, &plan->net->tensors[m->layer->output].shape);
    plan_tiles(m->lanes, &w);
    plan_taps(m->lanes, &w, in->channels);
    m->lanes->alone = m->layer->op == OP_DENSE;
    m->lanes->most = m->high > 8 ? UINT8_MAX / m->high : 30;
    m->lanes->high = m->high;
}

bool map_plan_lanes(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    struct maker maker = {.layer = layer};
    if (!fits(plan, layer)) {
        return true;
    }
    maker.lanes = arena_alloc(plan->arena, 1, sizeof *maker.lanes);
    if (!maker.lanes) {
        return false;
    }
    maker.high = (int)map_largest(plan, layer->inputs[0]);
    plan_layer(plan, &maker);
    if (!start(&maker, plan)) {
        return false;
    }
    maker.lanes->bytes = maker.bytes;
    if (make_rows(&maker)) {
        int channels = plan->net->tensors[layer->inputs[0]].shape.channels;
        int words = maker.lanes->in_rows * maker.lanes->in_columns * channels;
        plan->maps->words = words > plan->maps->words ? words : plan->maps->words;
        plan->maps->rows[index].lanes = maker.lanes;
        step->bias =
            series_of('b', step->number, (struct numbers){.i32 = maker.bases}, layer->weights.rows);
    }
    return true;
}
