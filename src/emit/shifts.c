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

/* z = u2 >> shift, by what keeps a signed sum from being shifted; then the element. */
static void print_result(struct printer *p, int index, int row, int sum)
{
    const struct step *step = &p->plan->steps[index];
    int shift = p->plan->net->layers[index].shift[row];
    char text[GROUPED_MAX];
    if (shift > 0 && step->lift >= 0) {
        text_printf(p->out, "        const uint32_t part%d = (uint32_t)u%d >> %d;\n", sum, sum,
                    shift);
        text_printf(p->out, "        z = (int32_t)part%d", sum);
        if (step->lift > 0) {
            text_printf(p->out, " - %s", literal(step->lift, text));
        }
    } else if (shift > 0) {
        text_printf(p->out, "        z = %s_floor(u%d, %d)", p->plan->name, sum, shift);
    } else {
        text_printf(p->out, "        z = u%d", sum);
    }
    text_add(p->out, ";\n");
    (void)snprintf(text, sizeof text, "%d", row);
    pack_print_result(p, index, text);
}

static void print_tile(struct printer *p, int index, const struct span *tile)
{
    const struct layer *layer = &p->plan->net->layers[index];
    char text[ELEMENT_MAX];
    text_add(p->out, "    {\n");
    if (tile_used(layer, tile)) {
        text_printf(p->out, "        const volatile %s *from = %s;\n",
                    c_type(p->plan->views[layer->inputs[0]].type),
                    address(p->plan, layer->inputs[0], text));
    }
    for (int i = 0; i < tile->rows; i++) {
        text_printf(p->out, "        int32_t u%d = %s;\n", i,
                    literal(lifted_bias(p->plan, index, tile->first + i), text));
    }
    text_add(p->out, "        int32_t z;\n");
    for (int j = 0; j < layer->weights.columns; j++) {
        print_column(p, index, tile, j);
    }
    for (int i = 0; i < tile->rows; i++) {
        print_result(p, index, tile->first + i, i);
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

const struct kernel kernel_shifts = {
    .kind = KERNEL_SHIFTS,
    .what = "straight line of shifts and additions, shared among rows",
    .shape = SHAPE_SPAN,
    .group = 1,
    .words = true,
    .flat = true,
    .clamps = true,
    .sums = true,
    .floors = true,
    .adds = true,
    .fits = fits,
    .count = count,
    .span = span_statements,
};
