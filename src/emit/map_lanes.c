/* The plan of convs in lanes: ternary weights, small inputs, four positions to a word.
 *
 * There is no product, so one addition of 32 bits serves the four bytes of a word.  Rows of weights
 * are lists (map_lanes_lists.c), steps (map_lanes_steps.c) or bits (map_lanes_bits.c). */
#include "emit/map.h"

/* Words whose sums are made at once: what a Cortex-M0 holds in registers beside the pointers. */
#define TILE_WORDS 4
/* Positions below which lanes are not worth their table. */
#define POSITIONS_LEAST 4
/* Inputs of a dense layer for which the words are there in any case. */
#define DENSE_WORDS 64
/* Bytes that steps may take for those of bits. */
#define STEPS_PERCENT 130

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

/* Neighbouring positions of a tile lie beside each other, if there are any and lists lead to them:
 * columns innermost, and with a stride those that are a stride apart. */
static void plan_layout(struct lanes *lanes, const struct window *w, int channels)
{
    lanes->in_channels = channels;
    lanes->planes = 0;
    lanes->row_step = lanes->in_columns * channels;
    lanes->channel_step = 1;
    lanes->beside = w->column_stride * channels;
    if (lanes->form != AS_BITS && lanes->tile[1] > 1) {
        lanes->planes = w->column_stride;
        lanes->row_step = lanes->rolls ? lanes->in_columns * channels : lanes->in_columns;
        lanes->channel_step = lanes->in_columns * (lanes->rolls ? 1 : lanes->in_rows);
        lanes->beside = 1;
    }
}

/* ---- rows ---- */

/* What the tables are made from and to. */
struct maker {
    const struct layer *layer;
    struct lanes *lanes;
    int32_t *bases; /* where each row's sums start */
    int high;       /* largest input */
};

static bool make_row(struct maker *m, int row)
{
    const struct weights *weights = &m->layer->weights;
    const int16_t *values = weights->values + (size_t)row * (size_t)weights->columns;
    int32_t bias = m->layer->bias[row];
    return m->lanes->form == AS_BITS ? map_code_lanes(m->lanes, values, bias, &m->bases[row])
                                     : map_list_lanes(m->lanes, values, bias, &m->bases[row]);
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

static bool fits(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->inputs[0]].type;
    const struct weights *w = &layer->weights;
    int64_t high = map_largest(plan, layer->inputs[0]);
    return !map_for_size(plan, index) && w->bits == 2 && !w->odd &&
           (type == TYPE_U4 || type == TYPE_U8) && high >= 0 && high <= LANES_HIGH &&
           worth_it(plan, layer);
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

static bool start(struct maker *m, const struct plan *plan)
{
    struct lanes *lanes = m->lanes;
    size_t rows = (size_t)m->layer->weights.rows;
    size_t weights = rows * (size_t)m->layer->weights.columns;
    m->bases = arena_alloc(plan->arena, rows, sizeof *m->bases);
    if (!m->bases) {
        return false;
    }
    if (lanes->form == AS_BITS) { /* of one weight each, at worst */
        lanes->words = arena_alloc(plan->arena, weights, sizeof *lanes->words);
        return lanes->words;
    }
    struct window w = window_of(m->layer, &plan->net->tensors[m->layer->inputs[0]].shape);
    return map_start_lists(plan->arena, lanes, &w, m->layer->weights.rows);
}

static void plan_layer(const struct plan *plan, enum lanes_form form, struct maker *m)
{
    const struct shape *in = &plan->net->tensors[m->layer->inputs[0]].shape;
    struct window w = window_of(m->layer, in);
    *m->lanes = best_parts(&w, &plan->net->tensors[m->layer->output].shape);
    plan_tiles(m->lanes, &w);
    plan_taps(m->lanes, &w, in->channels);
    m->lanes->alone = m->layer->op == OP_DENSE;
    m->lanes->most = m->high > UINT8_MAX / LANES_PORTION ? UINT8_MAX / m->high : LANES_PORTION;
    m->lanes->high = m->high;
    m->lanes->form = form;
    plan_layout(m->lanes, &w, in->channels);
}

/* The layer in one form; m->lanes stays NULL where its sums may leave 16 bits.  False when out of
 * memory. */
static bool make(const struct plan *plan, int index, enum lanes_form form, struct maker *m)
{
    struct lanes *lanes = arena_alloc(plan->arena, 1, sizeof *lanes);
    *m = (struct maker){.layer = &plan->net->layers[index], .lanes = lanes};
    if (!lanes) {
        return false;
    }
    m->high = (int)map_largest(plan, m->layer->inputs[0]);
    plan_layer(plan, form, m);
    if (!start(m, plan)) {
        return false;
    }
    m->lanes = make_rows(m) ? lanes : NULL;
    return true;
}

static void take(struct plan *plan, int index, const struct maker *m)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    int words = map_lanes_words_of_map(m->lanes);
    plan->maps->words = words > plan->maps->words ? words : plan->maps->words;
    plan->maps->rows[index].lanes = m->lanes;
    step->bias =
        series_of('b', step->number, (struct numbers){.i32 = m->bases}, layer->weights.rows);
}

/* Are steps, which take less time, about as small as bits? */
static bool prefers_steps(const struct maker *steps, const struct maker *bits)
{
    return steps->lanes && (!bits->lanes || map_lanes_bytes(steps->lanes) * 100 <=
                                                map_lanes_bytes(bits->lanes) * STEPS_PERCENT);
}

bool map_plan_lanes(struct plan *plan, int index)
{
    bool balanced = plan->maps->goals[index] == OPTIMISE_BALANCED;
    struct maker steps = {.lanes = NULL};
    struct maker best;
    if (!fits(plan, index)) {
        return true;
    }
    if (!make(plan, index, balanced ? AS_BITS : AS_LISTS, &best) ||
        (balanced && !make(plan, index, AS_STEPS, &steps))) {
        return false;
    }
    best = prefers_steps(&steps, &best) ? steps : best;
    if (best.lanes) {
        take(plan, index, &best);
    }
    return true;
}
