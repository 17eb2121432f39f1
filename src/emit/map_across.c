/* Functions that serve all positions of a row at once: each weight is decoded once for all of them,
 * and not looked at further where it is zero.  Layers whose weights, elements and results are alike
 * share one loop over channels; what tells them apart is a table, the shape.
 *
 * Weights lie behind their row's shift and bias, so that a pointer goes through all of them. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

#define SHAPE_NUMBERS 10
#define SHAPE_POOL    9 /* where the last one stands */

const char *map_sum_type(struct walker walker)
{
    return walker.narrow ? "int16_t" : "int32_t";
}

/* ---- what layers share ---- */

static bool same_layers(const struct plan *plan, int a, int b)
{
    char name[2][HELPER_NAME_MAX];
    const struct layer *layers = plan->net->layers;
    (void)map_walker_name(plan, plan->maps->rows[a].walker, name[0]);
    (void)map_walker_name(plan, plan->maps->rows[b].walker, name[1]);
    bool pooled = plan->maps->rows[a].pooled;
    bool pools = pooled == plan->maps->rows[b].pooled &&
                 (!pooled || (layers[a + 1].window.rows == layers[b + 1].window.rows &&
                              layers[a + 1].window.columns == layers[b + 1].window.columns));
    const struct map_view *views = plan->maps->views;
    bool packed = views[map_output(plan, a)].packed == views[map_output(plan, b)].packed;
    return strcmp(name[0], name[1]) == 0 && pools && packed &&
           layers[a].activation == layers[b].activation &&
           plan->net->tensors[layers[a].output].type == plan->net->tensors[layers[b].output].type;
}

/* The first layer that is served by the same loop. */
static int first_like(const struct plan *plan, int index)
{
    int first = 0;
    while (!map_goes_across(plan, first) || !same_layers(plan, first, index)) {
        first++;
    }
    return first;
}

/* Positions of a row, the most of all layers of a loop. */
static int most_positions(const struct plan *plan, int first)
{
    int most = 1;
    for (int i = first; i < plan->net->layer_count; i++) {
        const struct map_rows *rows = &plan->maps->rows[i];
        bool like = map_goes_across(plan, i) && same_layers(plan, first, i);
        for (int k = 0; like && k < rows->pass_count; k++) {
            most = rows->passes[k].columns > most ? rows->passes[k].columns : most;
        }
    }
    return most;
}

static bool any_acts(const struct plan *plan, int first)
{
    bool any = false;
    for (int i = first; i < plan->net->layer_count; i++) {
        any =
            any || (map_goes_across(plan, i) && same_layers(plan, first, i) && plan_acts(plan, i));
    }
    return any;
}

/* ---- tables ---- */

/* Bytes in front of a row's weights. */
static int head_bytes(struct walker walker)
{
    return walker.bias + walker.shifts;
}

static int row_bytes(const struct plan *plan, int index, const struct pass *pass)
{
    return head_bytes(plan->maps->rows[index].walker) +
           map_row_bytes(plan->maps->rows[index].coding, map_pass_columns(pass));
}

static int byte_of_row(const struct plan *plan, int index, const struct pass *pass, int at)
{
    struct walker walker = plan->maps->rows[index].walker;
    const struct layer *layer = &plan->net->layers[index];
    int columns = map_pass_columns(pass);
    int row = at / row_bytes(plan, index, pass);
    int place = at % row_bytes(plan, index, pass) - walker.shifts;
    uint32_t bias = (uint32_t)(layer->bias[row] + (1 << (8 * walker.bias - 1)));
    if (place < 0) {
        return layer->shift[row];
    }
    return place < walker.bias ? (int)(bias >> (8 * place) & UINT8_MAX)
                               : map_byte(plan->maps->rows[index].coding,
                                          pass->values + (size_t)row * (size_t)columns, columns,
                                          place - walker.bias);
}

static void print_weights(struct printer *p, int index, const struct pass *pass)
{
    const struct plan *plan = p->plan;
    int count = plan->net->layers[index].weights.rows * row_bytes(plan, index, pass);
    text_printf(p->out, "    static const uint8_t w%s[%d] %s_FLASH = {", pass->name, count,
                plan->upper);
    for (int i = 0; i < count; i++) {
        text_printf(p->out,
                    i == 0   ? "\n        %d"
                    : i % 20 ? ", %d"
                             : ",\n        %d",
                    byte_of_row(plan, index, pass, i));
    }
    text_add(p->out, "\n    };\n");
}

/* Channels; positions, and how far results are apart in the output and positions in the input;
 * elements that are neighbours; how many of these under a window down and across, and how far
 * apart; from one row of positions to the next, which a pool reads. */
static void find_shape(const struct plan *plan, int index, const struct pass *pass,
                       int shape[SHAPE_NUMBERS])
{
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct layer *layer = &plan->net->layers[index];
    const int numbers[SHAPE_NUMBERS] = {
        rows->group_rows > 0 ? rows->group_rows : layer->weights.rows,
        pass->columns,
        pass->out_column_step * plan->maps->views[map_output(plan, index)].column,
        pass->in_column_step,
        pass->length,
        pass->taps[0],
        pass->tap_row,
        pass->taps[1],
        pass->tap_column,
        rows->pooled ? layer->window.row_stride * plan->maps->views[layer->inputs[0]].row : 0};
    memcpy(shape, numbers, sizeof numbers);
}

enum type map_shape_type(const struct plan *plan)
{
    int most = 0;
    int shape[SHAPE_NUMBERS];
    for (int i = 0; i < plan->net->layer_count; i++) {
        for (int k = 0; map_goes_across(plan, i) && k < plan->maps->rows[i].pass_count; k++) {
            find_shape(plan, i, &plan->maps->rows[i].passes[k], shape);
            for (int j = 0; j < SHAPE_NUMBERS; j++) {
                most = shape[j] > most ? shape[j] : most;
            }
        }
    }
    return most <= UINT8_MAX ? TYPE_U8 : most <= INT16_MAX ? TYPE_I16 : TYPE_I32;
}

static void print_shape(struct printer *p, int index, const struct pass *pass)
{
    enum reach reach = p->plan->maps->rows[index].walker.reach;
    int count = reach == REACH_FLAT ? 5 : reach == REACH_ROWS ? 7 : SHAPE_POOL;
    int shape[SHAPE_NUMBERS];
    count = p->plan->maps->rows[index].pooled ? SHAPE_NUMBERS : count;
    find_shape(p->plan, index, pass, shape);
    text_printf(p->out, "    static const %s g%s[%d] %s_FLASH = {", c_type(map_shape_type(p->plan)),
                pass->name, count, p->plan->upper);
    for (int j = 0; j < count; j++) {
        text_printf(p->out, j ? ", %d" : "%d", shape[j]);
    }
    text_add(p->out, "};\n");
}

void map_print_number(struct text *out, const struct plan *plan, const char *name, int place)
{
    static const char *const macros[] = {"I8", "U8", "I16", "U16", "I32"};
    text_printf(out, "const %s %s = (%s)%s_%s(shape, %d);\n", plan->index, name, plan->index,
                plan->upper, macros[map_shape_type(plan)], place);
}

void map_print_across_tables(struct printer *p, int index)
{
    const struct map_rows *rows = &p->plan->maps->rows[index];
    for (int k = 0; k < rows->pass_count; k++) {
        print_shape(p, index, &rows->passes[k]);
        print_weights(p, index, &rows->passes[k]);
    }
}

void map_need_across(const struct plan *plan, struct helpers *helpers)
{
    helpers->reads[TYPE_U8] = true;
    helpers->reads[map_shape_type(plan)] = true;
}

/* ---- loops over channels ---- */

static void print_function(struct text *out, const struct text *body)
{
    map_add_indented(out, body);
    text_add(out, "}\n\n");
}

/* Where an int has 16 bits, sums of 16 bits are shifted as such. */
static bool shifts_short(const struct plan *plan, int first)
{
    bool fits = plan->machine->word == 16 && plan->maps->rows[first].walker.narrow;
    for (int i = first; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        bool like = map_goes_across(plan, i) && same_layers(plan, first, i);
        for (int row = 0; like && row < layer->weights.rows; row++) {
            fits = fits && layer->shift[row] <= 15;
        }
    }
    return fits;
}

bool map_across_floors(const struct plan *plan, int index)
{
    return plan->maps->rows[index].walker.shifts && !shifts_short(plan, first_like(plan, index));
}

/* to[...] = the result of a sum. */
static void print_store(struct printer *p, int index, const char *to, const char *s)
{
    const struct plan *plan = p->plan;
    bool acts = any_acts(plan, index);
    bool shifts = plan->maps->rows[index].walker.shifts;
    bool packed = plan->maps->views[map_output(plan, index)].packed;
    char start[48] = "const uint8_t v = ";
    if (!packed) {
        (void)snprintf(start, sizeof start, "to[%s] = ", to);
    }
    bool locals = packed || (shifts && shifts_short(plan, index));
    text_add(p->out, locals ? "{\n" : "");
    if (shifts && shifts_short(plan, index)) {
        text_printf(p->out,
                    "const int32_t up = (int32_t)%s + 32768;\n"
                    "const uint16_t bits = (uint16_t)up;\n"
                    "const int32_t z = (int32_t)(uint16_t)(bits >> k) - low;\n",
                    s);
        text_add(p->out, start);
        map_print_result(p, index, "z", NULL, acts);
    } else {
        text_add(p->out, start);
        map_print_result(p, index, s, shifts ? "k" : NULL, acts);
    }
    if (packed) {
        text_printf(p->out, "to[%s] = (uint8_t)((second != 0) ? (to[%s] + (v * 16U)) : v);\n", to,
                    to);
    }
    text_add(p->out, locals ? "}\n" : "");
}

/* Where the results of a channel begin. */
static const char *place_of(const struct plan *plan, int index)
{
    return plan->maps->views[map_output(plan, index)].packed ? "place" : "i";
}

/* A conv and the max pool behind it: of the sums of a pool's window the largest goes on. */
static void print_pool(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct window *pool = &plan->net->layers[index + 1].window;
    struct walker walker = plan->maps->rows[index].walker;
    char name[HELPER_NAME_MAX];
    text_printf(p->out, "for (%s v = 0; v < %d; v++) {\n", plan->index, pool->rows);
    text_printf(p->out, "next = %s(&a[v * down], %s, shape, &s[v * count]);\n}\nat = next;\n",
                map_walker_name(plan, walker, name), walker.shifts ? "&at[1]" : "at");
    text_printf(p->out,
                "for (%s x = 0; x < count; x += %d) {\n%s most = s[x];\n"
                "for (%s v = 0; v < %d; v++) {\nfor (%s j = x; j < (x + %d); j++) {\n"
                "const %s sum = s[(v * count) + j];\nmost = (sum > most) ? sum : most;\n}\n}\n",
                plan->index, pool->columns, map_sum_type(walker), plan->index, pool->rows,
                plan->index, pool->columns, map_sum_type(walker));
    print_store(p, index, "u", "most");
    text_add(p->out, "u += apart;\n}\n");
}

/* All positions of a channel. */
static void print_positions_of(struct printer *p, int index, bool many)
{
    const struct plan *plan = p->plan;
    struct walker walker = plan->maps->rows[index].walker;
    char name[HELPER_NAME_MAX];
    text_printf(p->out, "at = %s(a, %s, shape, s);\n", map_walker_name(plan, walker, name),
                walker.shifts ? "&at[1]" : "at");
    if (many) {
        text_printf(p->out, "for (%s x = 0; x < count; x++) {\n", plan->index);
    }
    print_store(p, index, many ? "u" : place_of(plan, index), many ? "s[x]" : "s[0]");
    text_add(p->out, many ? "u += apart;\n}\n" : "");
}

static void print_locals(struct printer *p, int index, bool many)
{
    const struct plan *plan = p->plan;
    map_print_number(p->out, plan, "channels", 0);
    if (many) {
        map_print_number(p->out, plan, "count", 1);
        map_print_number(p->out, plan, "apart", 2);
    }
    if (plan->maps->rows[index].pooled) {
        map_print_number(p->out, plan, "down", SHAPE_POOL);
    }
    text_add(p->out, "const uint8_t *at = w;\n");
    if (plan->maps->views[map_output(plan, index)].packed) {
        text_printf(p->out, "%s place = 0;\nint second = 0; /* in its byte */\n", plan->index);
    }
}

static void print_channel(struct printer *p, int index, int positions)
{
    const struct plan *plan = p->plan;
    struct walker walker = plan->maps->rows[index].walker;
    bool pooled = plan->maps->rows[index].pooled;
    int rows = pooled ? plan->net->layers[index + 1].window.rows : 1;
    print_locals(p, index, positions > 1);
    text_printf(p->out, "for (%s i = 0; i < channels; i++) {\n%s s[%d];\n", plan->index,
                map_sum_type(walker), positions * rows);
    if (walker.shifts) {
        text_printf(p->out, "const uint8_t k = %s_U8(at, 0);\n", plan->upper);
    }
    if (walker.shifts && shifts_short(plan, index)) {
        text_add(p->out, "const int32_t low = (int32_t)(uint16_t)(32768U >> k);\n");
    }
    if (positions > 1) {
        text_printf(p->out, "%s u = %s;\n", plan->index, place_of(plan, index));
    }
    if (pooled) {
        text_add(p->out, "const uint8_t *next = at;\n");
        print_pool(p, index);
    } else {
        print_positions_of(p, index, positions > 1);
    }
    if (plan->maps->views[map_output(plan, index)].packed) {
        text_add(p->out, "place += second;\nsecond = 1 - second;\n");
    }
    text_add(p->out, "}\n");
}

static void print_channels(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    struct text body = {0};
    struct printer inner = {.out = &body, .plan = plan, .helpers = p->helpers};
    bool alone = plan->machine->word == 16;
    text_printf(
        p->out,
        "/* All channels of a row of positions. */\n"
        "static %s%svoid %s_rows%d(const %s *a, const uint8_t *w, const %s *shape, %s *to)\n{\n",
        alone ? plan->upper : "", alone ? "_ALONE " : "", plan->name, plan->steps[index].number,
        c_type(plan->maps->rows[index].walker.type), c_type(map_shape_type(plan)),
        c_type(map_array_type(plan, plan->net->layers[index].output)));
    print_channel(&inner, index, most_positions(plan, index));
    print_function(p->out, &body);
    text_free(&body);
}

/* Where an int has 16 bits, frames of more than 64 bytes are slow and large to reach into. */
static void print_alone_macro(struct printer *p)
{
    const char *upper = p->plan->upper;
    text_printf(p->out,
                "/* Not inlined, so that its frame is small. */\n"
                "#if defined(__GNUC__)\n"
                "#define %s_ALONE __attribute__((noinline))\n"
                "#else\n"
                "#define %s_ALONE\n"
                "#endif\n\n",
                upper, upper);
}

void map_print_across_layers(struct printer *p)
{
    bool alone = p->plan->machine->word == 16;
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        if (map_goes_across(p->plan, i) && first_like(p->plan, i) == i) {
            if (alone) {
                print_alone_macro(p);
                alone = false;
            }
            print_channels(p, i);
        }
    }
}

/* ---- calls ---- */

void map_print_across_call(struct printer *p, int index, const struct pass *pass)
{
    const struct plan *plan = p->plan;
    const struct map_rows *rows = &plan->maps->rows[index];
    const char *indent = "        ";
    char from[INDEX_MAX] = "";
    char weights[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    int number = plan->steps[first_like(plan, index)].number;
    if (rows->group_rows == 0) {
        text_printf(p->out, "%s%s_rows%d(at, w%s, g%s, to);\n", indent, plan->name, number,
                    pass->name, pass->name);
        return;
    }
    map_add_term(from, "g", rows->group_columns);
    map_add_term(weights, "g", rows->group_rows * row_bytes(plan, index, pass));
    map_add_term(to, "g", rows->group_rows);
    text_printf(p->out, "%sfor (%s g = 0; g < %d; g++) {\n", indent, plan->index,
                plan->net->layers[index].groups);
    text_printf(p->out, "%s    %s_rows%d(&at[%s], &w%s[%s], g%s, &to[%s]);\n%s}\n", indent,
                plan->name, number, from, pass->name, weights, pass->name, to, indent);
}
