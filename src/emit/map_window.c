/* The functions of windows: a row of weights times what lies under it, for one position.  Which
 * layers share one, and which the functions of map_across.c serve. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

static enum reach reach_of(const struct pass *pass)
{
    return pass->taps[1] != 1 ? REACH_GAPS : pass->taps[0] != 1 ? REACH_ROWS : REACH_FLAT;
}

enum type map_array_type(const struct plan *plan, int tensor)
{
    enum type type = plan->net->tensors[tensor].type;
    return type == TYPE_U4 ? TYPE_U8 : type;
}

int map_pass_columns(const struct pass *pass)
{
    return pass->taps[0] * pass->taps[1] * pass->length;
}

int map_bias_bits(const struct layer *layer)
{
    int bits = 1;
    for (int row = 0; row < layer->weights.rows; row++) {
        while (bits < 32 && (layer->bias[row] < -((int64_t)1 << (bits - 1)) ||
                             layer->bias[row] >= (int64_t)1 << (bits - 1))) {
            bits++;
        }
    }
    return bits;
}

static int largest_shift(const struct layer *layer)
{
    int largest = 0;
    for (int row = 0; row < layer->weights.rows; row++) {
        largest = layer->shift[row] > largest ? layer->shift[row] : largest;
    }
    return largest;
}

/* What one layer wants of a function. */
static struct walker wanted(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct map_rows *rows = &plan->maps->rows[index];
    struct walker walker = {.type = map_array_type(plan, layer->inputs[0]),
                            .coding = rows->coding,
                            .wide = rows->coding->each == 1 && layer->weights.bits > 8};
    const struct step *step = &plan->steps[index];
    int64_t bound = step->bounds[step->worst];
    int shift = largest_shift(layer);
    walker.packs = plan->maps->views[layer->inputs[0]].packed;
    walker.single = !walker.packs;
    walker.across = walker.packs || plan->maps->views[map_output(plan, index)].packed;
    walker.narrow = bound <= INT16_MAX;
    walker.lifts = bound < SUMS_LIFT && SUMS_LIFT >> shift << shift == SUMS_LIFT;
    walker.shift = shift > 15 ? 5 : shift > 0 ? 4 : 0;
    walker.bias = map_bias_bits(layer);
    for (int i = 0; i < rows->pass_count; i++) {
        enum reach reach = reach_of(&rows->passes[i]);
        walker.reach = reach > walker.reach ? reach : walker.reach;
        walker.across = walker.across || (rows->coding->each > 1 && rows->passes[i].columns > 1);
    }
    return walker;
}

/* Has the layer weights that a window function reads? */
bool map_walks(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return rows->passes && !rows->lanes && !rows->direct && !rows->sparse;
}

bool map_same_walker(struct walker a, struct walker b)
{
    return a.type == b.type && a.coding == b.coding && a.other == b.other && a.wide == b.wide;
}

/* All that one function or the other is wanted for. */
static void join(struct walker *walker, struct walker other)
{
    walker->reach = other.reach > walker->reach ? other.reach : walker->reach;
    walker->across = walker->across || other.across;
    walker->packs = walker->packs || other.packs;
    walker->single = walker->single || other.single;
    walker->narrow = walker->narrow && other.narrow;
    walker->lifts = walker->lifts && other.lifts;
    walker->shift = other.shift > walker->shift ? other.shift : walker->shift;
    walker->bias = other.bias > walker->bias ? other.bias : walker->bias;
}

/* Can a function take weights that lie five to a byte and others that lie two to a byte? */
static bool may_mix(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return map_for_size(plan, index) && map_walks(plan, index) && rows->walker.type == TYPE_U8 &&
           (rows->coding->bits == 0 || rows->coding->low == -8);
}

/* One function for all such layers, where there are both. */
static void mix_codings(struct plan *plan)
{
    struct map_rows *rows = plan->maps->rows;
    const struct coding *ternary = NULL;
    const struct coding *nibbles = NULL;
    bool across = false;
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (may_mix(plan, i)) {
            ternary = rows[i].coding->bits == 0 ? rows[i].coding : ternary;
            nibbles = rows[i].coding->bits == 4 ? rows[i].coding : nibbles;
            across = across || rows[i].walker.across;
        }
    }
    for (int i = 0; across && ternary && nibbles && i < plan->net->layer_count; i++) {
        if (may_mix(plan, i)) {
            rows[i].walker.coding = ternary;
            rows[i].walker.other = nibbles;
        }
    }
}

/* Layers whose elements and weights are alike share a function. */
void map_plan_walkers(struct plan *plan)
{
    struct map_rows *rows = plan->maps->rows;
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (map_walks(plan, i)) {
            rows[i].walker = wanted(plan, i);
        }
    }
    mix_codings(plan);
    for (int i = 0; i < plan->net->layer_count; i++) {
        for (int k = 0; map_walks(plan, i) && k < plan->net->layer_count; k++) {
            if (map_walks(plan, k) && map_same_walker(rows[i].walker, rows[k].walker)) {
                join(&rows[i].walker, rows[k].walker);
            }
        }
    }
    for (int i = 0; i < plan->net->layer_count; i++) {
        rows[i].walker.across = rows[i].walker.across && rows[i].walker.bias <= BIAS_BITS_MOST;
    }
}

/* The function that serves a layer. */
static struct walker walker_of(const struct plan *plan, int index)
{
    return plan->maps->rows[index].walker;
}

const char *map_walker_name(const struct plan *plan, struct walker walker,
                            char name[HELPER_NAME_MAX])
{
    bool alone = true;
    for (int i = 0; i < plan->net->layer_count; i++) {
        alone = alone && (!map_walks(plan, i) || walker_of(plan, i).coding != walker.coding ||
                          map_same_walker(walker, walker_of(plan, i)));
    }
    (void)snprintf(name, HELPER_NAME_MAX, "%s_%s%s%s%s", plan->name,
                   walker.other ? "weights" : walker.coding->name, alone ? "" : "_",
                   alone ? "" : type_name(walker.type), walker.wide && !alone ? "_i16" : "");
    return name;
}

/* ---- functions ---- */

static const char *weight_type(struct walker walker)
{
    return walker.coding->each > 1 ? "uint8_t" : walker.wide ? "int16_t" : "int8_t";
}

void map_print_next_fields(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "if (b <= 1U) {\n"
                "b = (%s)(256U + (%s)%s_U8(at, 0));\n"
                "at = &at[1];\n"
                "}\n",
                byte_type(plan), byte_type(plan), plan->upper);
}

static void print_fields(struct text *out, const struct plan *plan, struct walker walker)
{
    const struct coding *coding = walker.coding;
    bool mac = mac_helps(plan, walker.type);
    char weight[ELEMENT_MAX];
    map_print_next_fields(out, plan);
    text_printf(out, "{\nconst %s f = (%s)(b & %dU);\n", byte_type(plan), byte_type(plan),
                (1 << coding->bits) - 1);
    (void)snprintf(weight, sizeof weight, coding->scale == 2 ? "((%s)f * 2) - %d" : "(%s)f - %d",
                   mac ? "int16_t" : "int32_t", -coding->low);
    if (mac) {
        char whole[ELEMENT_MAX + 10];
        (void)snprintf(whole, sizeof whole, "(int8_t)(%s)", weight);
        print_mac(out, plan, whole, "p[j]", walker.type);
    } else {
        text_printf(out, "acc += (%s) * (int32_t)p[j];\n", weight);
    }
    text_printf(out, "}\nb = (%s)(b >> %d);\n", byte_type(plan), coding->bits);
}

void map_print_next_digit(struct text *out, const struct plan *plan, const char *unit)
{
    text_printf(out,
                "if (left == 0%s) {\n"
                "b = %s_U8(at, 0);\n"
                "at = &at[1];\n"
                "left = 5%s;\n"
                "}\n"
                "left--;\n"
                "b = (%s)((b & 255U) * 3U);\n",
                unit, plan->upper, unit, byte_type(plan));
}

static void print_digits(struct text *out, const struct plan *plan)
{
    map_print_next_digit(out, plan, "");
    text_add(out, "if (b >= 512U) {\n"
                  "acc += (int32_t)p[j];\n"
                  "} else if (b < 256U) {\n"
                  "acc -= (int32_t)p[j];\n"
                  "} else {\n"
                  "/* zero */\n"
                  "}\n");
}

/* Is a run of elements one call?  That is faster than a product each, and some 60 bytes more. */
static bool in_runs(const struct plan *plan, struct walker walker)
{
    return walker.coding->each == 1 && !walker.wide && dot_helps(plan, walker.type) &&
           plan->options->optimise != OPTIMISE_SIZE;
}

static void print_plain(struct text *out, const struct plan *plan, struct walker walker)
{
    char weight[ELEMENT_MAX];
    char name[HELPER_NAME_MAX];
    if (in_runs(plan, walker)) {
        text_printf(out, "acc = %s(acc, p, &at, n);\n", dot_name(plan, walker.type, name));
        return;
    }
    (void)snprintf(weight, sizeof weight, "%s_%s(at, 0)", plan->upper, walker.wide ? "I16" : "I8");
    print_weighted(out, plan, weight, "p[j]", walker.type, walker.wide);
    text_add(out, "at = &at[1];\n");
}

static void print_parameters(struct text *out, const struct plan *plan, struct walker walker)
{
    const char *name = plan->index;
    text_printf(out, "(const %s *a, const %s *w, %s n, ", c_type(walker.type), weight_type(walker),
                name);
    if (walker.reach >= REACH_ROWS) {
        text_printf(out, "%s rows, %s step,\n    ", name, name);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(out, "%s columns, %s gap, ", name, name);
    }
    text_add(out, "int32_t bias)\n{\n");
}

const char *map_reach_note(enum reach reach)
{
    switch (reach) {
    case REACH_FLAT: return "n elements";
    case REACH_ROWS: return "rows of n elements, step apart";
    case REACH_GAPS: return "rows, step apart, of columns, gap apart, of n elements";
    }
    return "";
}

const char *map_coding_note(const struct coding *coding)
{
    return coding->each == 1   ? ""
           : coding->each == 2 ? ", two to a byte"
           : coding->each == 4 ? ", four to a byte"
           : coding->each == 5 ? ", five to a byte"
                               : ", eight to a byte";
}

/* Loops over the elements under a window, from a on: p[j]. */
static void open_walk(struct text *out, const struct plan *plan, struct walker walker)
{
    if (walker.reach >= REACH_ROWS) {
        text_printf(out, "for (%s y = 0; y < rows; y++) {\n", plan->index);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(out, "for (%s x = 0; x < columns; x++) {\n", plan->index);
    }
    text_printf(out, "const %s *p = %s;\n", c_type(walker.type),
                walker.reach == REACH_FLAT   ? "a"
                : walker.reach == REACH_ROWS ? "&a[y * step]"
                                             : "&a[(y * step) + (x * gap)]");
    if (!in_runs(plan, walker)) {
        text_printf(out, "for (%s j = 0; j < n; j++) {\n", plan->index);
    }
}

static void close_walk(struct text *out, const struct plan *plan, struct walker walker)
{
    int loops = (int)walker.reach + (in_runs(plan, walker) ? 0 : 1);
    for (int depth = loops; depth > 0; depth--) {
        text_add(out, "}\n");
    }
}

static void print_walk(struct text *out, const struct plan *plan, struct walker walker)
{
    open_walk(out, plan, walker);
    if (walker.coding->each == 1) {
        print_plain(out, plan, walker);
    } else if (walker.coding->bits == 0) {
        print_digits(out, plan);
    } else {
        print_fields(out, plan, walker);
    }
    close_walk(out, plan, walker);
}

static void print_walker(struct text *out, const struct plan *plan, struct walker walker)
{
    char name[HELPER_NAME_MAX];
    struct text body = {0};
    text_printf(out,
                "/* Weights%s times %s, on top of the bias, which holds\n"
                " * the half that rounds the shift behind it. */\n"
                "static int32_t %s",
                map_coding_note(walker.coding), map_reach_note(walker.reach),
                map_walker_name(plan, walker, name));
    print_parameters(out, plan, walker);
    text_printf(&body, "int32_t acc = bias;\nconst %s *at = w;\n", weight_type(walker));
    if (walker.coding->each > 1) {
        text_printf(&body, "%s b = 0U;\n", byte_type(plan));
    }
    if (walker.coding->bits == 0) {
        text_add(&body, "int left = 0;\n");
    }
    print_walk(&body, plan, walker);
    text_add(&body, "return acc;\n");
    map_add_indented(out, &body);
    text_free(&body);
    text_add(out, "}\n\n");
}

void map_print_window_helpers(struct printer *p)
{
    const struct plan *plan = p->plan;
    map_print_sparse_helper(p);
    map_print_planes_helpers(p);
    map_print_alone_macro(p);
    for (int i = 0; i < plan->net->layer_count; i++) {
        bool first = map_walks(plan, i);
        for (int k = 0; first && k < i; k++) {
            first = !map_walks(plan, k) || !map_same_walker(walker_of(plan, i), walker_of(plan, k));
        }
        if (plan->maps->rows[i].lanes) {
            map_print_lanes_helper(p, i);
        }
        if (first && map_goes_across(plan, i)) {
            map_print_across_helper(p, walker_of(plan, i));
        } else if (first) {
            print_walker(p->out, plan, walker_of(plan, i));
        }
    }
    map_print_across_layers(p);
}

/* ---- calls ---- */

bool map_goes_across(const struct plan *plan, int index)
{
    return map_walks(plan, index) && walker_of(plan, index).across;
}

const char *map_weight_type(const struct plan *plan, int index)
{
    return weight_type(walker_of(plan, index));
}

void map_print_window(struct printer *p, int index, const struct pass *pass, const char *at,
                      const char *row)
{
    const struct plan *plan = p->plan;
    struct walker walker = walker_of(plan, index);
    char name[HELPER_NAME_MAX];
    char bias[ELEMENT_MAX];
    (void)series_at(plan, &plan->steps[index].bias, row, bias);
    if (map_pass_columns(pass) == 0) {
        text_add(p->out, bias);
        return;
    }
    text_printf(p->out, "%s(%s, w%s[%s], %d, ", map_walker_name(plan, walker, name), at, pass->name,
                row, pass->length);
    if (walker.reach >= REACH_ROWS) {
        text_printf(p->out, "%d, %d, ", pass->taps[0], pass->tap_row);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(p->out, "%d, %d, ", pass->taps[1], pass->tap_column);
    }
    text_printf(p->out, "%s)", bias);
}
