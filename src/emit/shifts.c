/* Straight line for cores without a multiplier: every product is shifts and additions.
 *
 * All products of one input in a tile share what they are made of (multiple constant
 * multiplication): from x, odd multiples are made one after the other, each a sum or difference of
 * two powers of two times multiples that are there, until every weight of the column is one of
 * them, shifted.  Shifts are printed as products with a power of two, which every compiler takes
 * for shifts. */
#include "emit/kernel.h"

#include <stdio.h>
#include <string.h>

/* Largest weight, and what a multiple's terms are below. */
#define SHIFTS_WEIGHT 1024
#define TERM_MAX      (4 * SHIFTS_WEIGHT)
#define MULTIPLES_MAX 64

/* An odd multiple of x: left * 2^shift + sign * right, or with the shift on the right one. */
struct multiple {
    int value;
    int left;
    int right;
    int shift;
    bool minus;    /* is the second term subtracted? */
    bool on_right; /* is the second term the shifted one? */
};

/* Those of one column, each made of those before it; the first is x itself.  Six rows with weights
 * of at most six signed digits fill half of it. */
struct chain {
    struct multiple list[MULTIPLES_MAX];
    int count;
};

static int magnitude(int weight)
{
    return weight < 0 ? -weight : weight;
}

static int odd_part(int value)
{
    while (value > 0 && value % 2 == 0) {
        value /= 2;
    }
    return value;
}

static bool holds(const struct chain *chain, int value)
{
    bool found = false;
    for (int i = 0; i < chain->count; i++) {
        found = found || chain->list[i].value == value;
    }
    return found;
}

/* Is `value` one operation away from two multiples of the chain? */
static bool reach(const struct chain *chain, int value, struct multiple *made)
{
    for (int i = 0; i < chain->count * chain->count; i++) {
        int left = chain->list[i / chain->count].value;
        int right = chain->list[i % chain->count].value;
        for (int shift = 1; left << shift <= TERM_MAX; shift++) {
            int high = left << shift;
            if (high + right == value || high - right == value || right - high == value) {
                *made = (struct multiple){.value = value,
                                          .left = right - high == value ? right : left,
                                          .right = right - high == value ? left : right,
                                          .shift = shift,
                                          .minus = high + right != value,
                                          .on_right = right - high == value};
                return true;
            }
        }
    }
    return false;
}

/* A multiple that brings `value` within one operation, the smallest. */
static bool bridge(const struct chain *chain, int value, struct multiple *made)
{
    for (int between = 3; between < 2 * value && chain->count < MULTIPLES_MAX; between += 2) {
        struct multiple last;
        struct chain longer = *chain;
        if (!holds(chain, between) && reach(chain, between, made)) {
            longer.list[longer.count++] = *made;
            if (reach(&longer, value, &last)) {
                return true;
            }
        }
    }
    return false;
}

/* Bring `value` into the chain: one operation, two, or digit by digit. */
static void chain_add(struct chain *chain, int value)
{
    struct multiple made;
    if (holds(chain, value) || chain->count >= MULTIPLES_MAX) {
        return;
    }
    if (!reach(chain, value, &made)) {
        if (bridge(chain, value, &made)) {
            chain->list[chain->count++] = made;
        } else {
            chain_add(chain, odd_part(value % 4 == 1 ? value - 1 : value + 1));
        }
    }
    if (reach(chain, value, &made) && chain->count < MULTIPLES_MAX) {
        chain->list[chain->count++] = made;
    }
}

static int weight_at(const struct layer *layer, int row, int column)
{
    return layer->weights.values[(size_t)row * (size_t)layer->weights.columns + (size_t)column];
}

/* Drop what neither a weight of the column nor a later multiple uses. */
static void chain_prune(const struct layer *layer, const struct span *tile, int column,
                        struct chain *chain)
{
    for (int i = chain->count - 1; i > 0; i--) {
        int value = chain->list[i].value;
        bool used = false;
        for (int k = 0; k < tile->rows; k++) {
            int weight = weight_at(layer, tile->first + k, column);
            used = used || odd_part(magnitude(weight)) == value;
        }
        for (int k = i + 1; k < chain->count; k++) {
            used = used || chain->list[k].left == value || chain->list[k].right == value;
        }
        if (!used) {
            chain->count--;
            memmove(&chain->list[i], &chain->list[i + 1],
                    (size_t)(chain->count - i) * sizeof chain->list[0]);
        }
    }
}

/* Has any row of the tile weights? */
static bool tile_used(const struct layer *layer, const struct span *tile)
{
    bool used = false;
    for (int i = 0; i < tile->rows; i++) {
        used = used || plan_row_used(layer, tile->first + i);
    }
    return used;
}

/* The multiples that a column of the tile needs; first those that are one operation away. */
static void chain_of(const struct layer *layer, const struct span *tile, int column,
                     struct chain *chain)
{
    *chain = (struct chain){.count = 1};
    chain->list[0].value = 1;
    for (int easy = 1; easy >= 0; easy--) {
        int before = 0;
        while (before != chain->count) {
            before = chain->count;
            for (int i = 0; i < tile->rows; i++) {
                int value = odd_part(magnitude(weight_at(layer, tile->first + i, column)));
                struct multiple made;
                if (value > 0 && (!easy || reach(chain, value, &made))) {
                    chain_add(chain, value);
                }
            }
        }
    }
    chain_prune(layer, tile, column, chain);
}

/* Is no multiple beyond 2^28?  What a chain passes through is below four times its largest weight.
 */
static bool fits(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval *in = plan->ranges[layer->inputs[0]];
    bool small = true;
    for (int j = 0; small && j < layer->weights.columns; j++) {
        small = magnitude(weight_at(layer, row, j)) <= SHIFTS_WEIGHT && in[j].low >= -65536 &&
                in[j].high <= 65536;
    }
    return small;
}

/* ---- what a prover knows ---- */

/* Intervals of the sums of a tile as a prover has them, who takes 8 x - x for a difference of two
 * unrelated numbers: wider than the exact ones. */
struct seen {
    struct interval sum[LINE_TILE]; /* of each row, bias included, nothing lifted */
    struct interval way[LINE_TILE]; /* all that it is on the way there */
    bool holds;                     /* is every multiple an int32_t? */
};

static struct interval times(struct interval a, int64_t factor)
{
    struct interval low_first = {a.low * factor, a.high * factor};
    struct interval high_first = {a.high * factor, a.low * factor};
    return factor < 0 ? high_first : low_first;
}

static struct interval plus(struct interval a, struct interval b)
{
    return (struct interval){a.low + b.low, a.high + b.high};
}

static bool is_word(struct interval a)
{
    return a.low >= INT32_MIN && a.high <= INT32_MAX;
}

/* An input of a layer: readings exactly, else whatever its type and ReLU let through. */
static struct interval seen_input(const struct plan *plan, int tensor, int j)
{
    const struct net *net = plan->net;
    enum type type = net->tensors[tensor].type;
    struct interval any = {type_low(type), type_high(type)};
    if (tensor == net->input) {
        return plan->ranges[tensor][j];
    }
    for (int i = 0; i < net->layer_count; i++) {
        bool relu = net->layers[i].op == OP_DENSE && net->layers[i].activation == ACTIVATION_RELU;
        if (net->layers[i].output == tensor && relu) {
            any.low = 0;
        }
    }
    return any;
}

/* The interval of a multiple of the chain. */
static struct interval multiple_at(const struct chain *chain, const struct interval *intervals,
                                   int value)
{
    int i = 0;
    while (i < chain->count - 1 && chain->list[i].value != value) {
        i++;
    }
    return intervals[i];
}

/* All multiples of a column whose input is intervals[0]; is each an int32_t? */
static bool seen_chain(const struct chain *chain, struct interval *intervals)
{
    bool holds = true;
    for (int i = 1; i < chain->count; i++) {
        const struct multiple *m = &chain->list[i];
        int64_t power = (int64_t)1 << m->shift;
        struct interval left =
            times(multiple_at(chain, intervals, m->left), m->on_right ? 1 : power);
        struct interval right =
            times(multiple_at(chain, intervals, m->right), m->on_right ? power : 1);
        intervals[i] = plus(left, m->minus ? times(right, -1) : right);
        holds = holds && is_word(left) && is_word(right) && is_word(intervals[i]);
    }
    return holds;
}

static void seen_column(const struct plan *plan, int index, const struct span *tile, int column,
                        struct seen *seen)
{
    const struct layer *layer = &plan->net->layers[index];
    struct chain chain;
    struct interval intervals[MULTIPLES_MAX];
    chain_of(layer, tile, column, &chain);
    intervals[0] = seen_input(plan, layer->inputs[0], column);
    seen->holds = seen_chain(&chain, intervals) && seen->holds;
    for (int i = 0; i < tile->rows; i++) {
        int weight = weight_at(layer, tile->first + i, column);
        int odd = odd_part(magnitude(weight));
        if (weight == 0) {
            continue;
        }
        struct interval term = times(multiple_at(&chain, intervals, odd), weight / odd);
        struct interval *way = &seen->way[i];
        seen->holds = seen->holds && is_word(times(term, weight < 0 ? -1 : 1));
        seen->sum[i] = plus(seen->sum[i], term);
        way->low = seen->sum[i].low < way->low ? seen->sum[i].low : way->low;
        way->high = seen->sum[i].high > way->high ? seen->sum[i].high : way->high;
    }
}

static void seen_tile(const struct plan *plan, int index, const struct span *tile,
                      struct seen *seen)
{
    const struct layer *layer = &plan->net->layers[index];
    seen->holds = true;
    for (int i = 0; i < tile->rows; i++) {
        int32_t bias = layer->bias[tile->first + i];
        seen->sum[i] = seen->way[i] = (struct interval){bias, bias};
    }
    for (int j = 0; j < layer->weights.columns; j++) {
        seen_column(plan, index, tile, j, seen);
    }
}

/* lift * 2^shift in the bias keeps the sum from being negative, with the least power of two that
 * does; -1: then the sum leaves 32 bits. */
static int64_t seen_lift(const struct seen *seen, int i, int shift)
{
    int64_t lift = 0;
    while (shift > 0 && seen->sum[i].low + lift * ((int64_t)1 << shift) < 0) {
        lift += lift + !lift;
    }
    return seen->way[i].high + lift * ((int64_t)1 << shift) <= INT32_MAX ? lift : -1;
}

/* What a row is behind its shift; NAME_floor() shifts the magnitude, and its sign is unknown. */
static struct interval seen_result(const struct seen *seen, int i, int shift)
{
    struct interval sum = seen->sum[i];
    if (shift == 0 || seen_lift(seen, i, shift) >= 0) {
        return (struct interval){floor_shift(sum.low, shift), floor_shift(sum.high, shift)};
    }
    int64_t size = sum.high > -1 - sum.low ? sum.high : -1 - sum.low;
    return (struct interval){-1 - (size >> shift), size >> shift};
}

/* May an add that reads the layer's sums take what a prover knows of this one for what it is?  Each
 * of its inputs may use its part of the room. */
static bool add_has_room(const struct plan *plan, const struct layer *add, int tensor, int j,
                         struct interval seen)
{
    enum type type = plan->net->tensors[add->output].type;
    bool clamps = plan->steps[add - plan->net->layers].clamps;
    int64_t low = clamps ? -BASE : type_low(type);
    int64_t high = clamps ? BASE : type_high(type);
    struct interval sum = {0, 0};
    for (int k = 0; k < add->input_count; k++) {
        sum = plus(sum, plan->ranges[add->inputs[k]][j]);
    }
    struct interval exact = plan->ranges[tensor][j];
    int64_t below = exact.low - seen.low;
    int64_t above = seen.high - exact.high;
    bool alike = below <= 0 && above <= 0;
    bool inside =
        below * add->input_count <= sum.low - low && above * add->input_count <= high - sum.high;
    return alike || (type != TYPE_I32 && inside);
}

/* Is a row that is stored as 32 bits what its readers take it for? */
static bool readers_hold(const struct plan *plan, int index, int row, struct interval seen)
{
    int tensor = plan->net->layers[index].output;
    int64_t most =
        plan->options->constant_time ? BASE - 1 : INT32_MAX; /* what NAME_clamp() takes */
    bool hold = steady_wide(plan) ? is_word(seen) : seen.low >= -1 - most && seen.high <= most;
    for (int i = 0; plan->net->tensors[tensor].type == TYPE_I32 && i < plan->net->layer_count;
         i++) {
        const struct layer *add = &plan->net->layers[i];
        for (int k = 0; add->op == OP_ADD && k < add->input_count; k++) {
            hold = hold && (add->inputs[k] != tensor || add_has_room(plan, add, tensor, row, seen));
        }
    }
    return hold;
}

static bool proved(const struct plan *plan, int index, const struct span *span)
{
    const struct layer *layer = &plan->net->layers[index];
    struct span tile = *span;
    bool holds = true;
    for (int done = 0; holds && done < span->rows; done += tile.rows) {
        struct seen seen;
        tile.first = span->first + done;
        tile.rows = line_tile_rows(span->rows, done);
        seen_tile(plan, index, &tile, &seen);
        holds = seen.holds;
        for (int i = 0; holds && i < tile.rows; i++) {
            struct interval z = seen_result(&seen, i, layer->shift[tile.first + i]);
            holds = is_word(seen.way[i]) && readers_hold(plan, index, tile.first + i, z);
        }
    }
    return holds;
}

/* ---- statements ---- */

/* "ux" or "ux7", with " * 4U". */
static const char *term(int value, int shift, char text[ELEMENT_MAX])
{
    char name[16] = "ux";
    if (value != 1) {
        (void)snprintf(name, sizeof name, "ux%d", value);
    }
    if (shift > 0) {
        (void)snprintf(text, ELEMENT_MAX, "(%s * %d)", name, 1 << shift);
    } else {
        (void)snprintf(text, ELEMENT_MAX, "%s", name);
    }
    return text;
}

static void print_chain(struct printer *p, const struct chain *chain)
{
    char left[ELEMENT_MAX];
    char right[ELEMENT_MAX];
    for (int i = 1; i < chain->count; i++) {
        const struct multiple *m = &chain->list[i];
        text_printf(p->out, "            const int32_t ux%d = %s %c %s;\n", m->value,
                    term(m->left, m->on_right ? 0 : m->shift, left), m->minus ? '-' : '+',
                    term(m->right, m->on_right ? m->shift : 0, right));
    }
}

static void print_column(struct printer *p, int index, const struct span *tile, int column)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct chain chain;
    char text[ELEMENT_MAX];
    size_t at = 11;
    bool used = false;
    for (int i = 0; i < tile->rows; i++) {
        used = used || weight_at(layer, tile->first + i, column) != 0;
    }
    if (!used) {
        return;
    }
    chain_of(layer, tile, column, &chain);
    text_printf(p->out, "        {\n            const int32_t ux = from[%d];\n", column);
    print_chain(p, &chain);
    text_add(p->out, "           ");
    for (int i = 0; i < tile->rows; i++) {
        int weight = weight_at(layer, tile->first + i, column);
        int odd = odd_part(magnitude(weight));
        int shift = 0;
        char statement[ELEMENT_MAX + 16];
        while (odd > 0 && odd << shift != magnitude(weight)) {
            shift++;
        }
        (void)snprintf(statement, sizeof statement, "u%d %c= %s;", i, weight < 0 ? '-' : '+',
                       term(odd, shift, text));
        if (weight != 0) {
            print_statement(p->out, statement, 11, &at);
        }
    }
    text_add(p->out, "\n        }\n");
}

/* z = u2 >> shift, by what keeps a signed sum from being shifted. */
static void print_shift(struct printer *p, int index, int row, const struct seen *seen, int sum)
{
    int shift = p->plan->net->layers[index].shift[row];
    int64_t lift = seen_lift(seen, sum, shift);
    char text[GROUPED_MAX];
    if (shift > 0 && lift >= 0) {
        text_printf(p->out,
                    "        const uint32_t part = (uint32_t)u%d >> %d;\n"
                    "        const int32_t z = (int32_t)part",
                    sum, shift);
        if (lift > 0) {
            text_printf(p->out, " - %s", literal(lift, text));
        }
    } else if (shift > 0) {
        text_printf(p->out, "        const int32_t z = %s_floor(u%d, %d)", p->plan->name, sum,
                    shift);
    } else {
        text_printf(p->out, "        const int32_t z = u%d", sum);
    }
    text_add(p->out, ";\n");
}

/* The element; of a row without weights a constant. */
static void print_result(struct printer *p, int index, int row, const struct seen *seen, int sum)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char at[ELEMENT_MAX];
    (void)snprintf(at, sizeof at, "%d", row);
    if (plan_row_used(layer, row)) {
        text_add(p->out, "        {\n");
        print_shift(p, index, row, seen, sum);
        pack_print_within(p, index, at, seen_result(seen, sum, layer->shift[row]), "z");
        text_add(p->out, "        }\n");
    } else {
        mask_print_constant(p, index, row);
    }
}

/* u0 ...: the biases, lifted. */
static void print_sums(struct printer *p, int index, const struct span *tile,
                       const struct seen *seen)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char text[GROUPED_MAX];
    for (int i = 0; i < tile->rows; i++) {
        int row = tile->first + i;
        int64_t lift = seen_lift(seen, i, layer->shift[row]);
        int64_t lifted =
            layer->bias[row] + (lift > 0 ? lift : 0) * ((int64_t)1 << layer->shift[row]);
        if (plan_row_used(layer, row)) {
            text_printf(p->out, "        int32_t u%d = %s;\n", i, literal(lifted, text));
        }
    }
}

static void print_tile(struct printer *p, int index, const struct span *tile)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct seen seen;
    char text[ELEMENT_MAX];
    seen_tile(p->plan, index, tile, &seen);
    text_add(p->out, "    {\n");
    if (tile_used(layer, tile)) {
        text_printf(p->out, "        const volatile %s *from = %s;\n",
                    c_type(p->plan->views[layer->inputs[0]].type),
                    address(p->plan, layer->inputs[0], text));
    }
    print_sums(p, index, tile, &seen);
    for (int j = 0; j < layer->weights.columns; j++) {
        print_column(p, index, tile, j);
    }
    for (int i = 0; i < tile->rows; i++) {
        print_result(p, index, tile->first + i, &seen, i);
    }
    text_add(p->out, "    }\n");
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    struct span tile = *span;
    for (int done = 0; done < span->rows; done += tile.rows) {
        tile.first = span->first + done;
        tile.rows = line_tile_rows(span->rows, done);
        print_tile(p, index, &tile);
    }
}

/* ---- the kernel ---- */

/* WEIGHT: multiples that are made; ONE and POWER: weights that are added, shifted or not. */
static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    struct span tile = *span;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    for (int done = 0; done < span->rows; done += tile.rows) {
        tile.first = span->first + done;
        tile.rows = line_tile_rows(span->rows, done);
        for (int j = 0; j < layer->weights.columns; j++) {
            struct chain chain;
            chain_of(layer, &tile, j, &chain);
            features->count[FEATURE_LOAD]++;
            features->count[FEATURE_WEIGHT] += chain.count - 1;
            for (int i = 0; i < tile.rows; i++) {
                int weight = weight_at(layer, tile.first + i, j);
                features->count[weight % 2 ? FEATURE_ONE : FEATURE_POWER] += weight != 0;
            }
        }
    }
}

/* NAME_floor(), where a row's sum cannot be lifted. */
static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct choice *choice = plan_choice(plan, index);
    for (int s = 0; s < choice->span_count; s++) {
        struct span tile = choice->spans[s];
        int rows = tile.kernel == &kernel_shifts ? tile.rows : 0;
        for (int done = 0; done < rows; done += tile.rows) {
            struct seen seen;
            tile.first = choice->spans[s].first + done;
            tile.rows = line_tile_rows(rows, done);
            seen_tile(plan, index, &tile, &seen);
            for (int i = 0; i < tile.rows; i++) {
                int row = tile.first + i;
                if (plan_row_used(layer, row) && seen_lift(&seen, i, layer->shift[row]) < 0) {
                    helpers_need(helpers, (struct helper){.kind = HELPER_FLOOR});
                }
            }
        }
    }
}

const struct kernel kernel_shifts = {
    .kind = KERNEL_SHIFTS,
    .what = "straight line of shifts and additions, shared among rows",
    .shape = SHAPE_SPAN,
    .group = 1,
    .words = true,
    .flat = true,
    .clamps = true,
    .sums = true,
    .powers = true,
    .adds = true,
    .fits = fits,
    .proved = proved,
    .count = count,
    .need = need,
    .span = span_statements,
};
