/* What tells apart the layers that one function of map_across.c serves: up to sixteen numbers.
 * Those that are the same for all are constants of the function; the others lie in front of a
 * layer's weights, or in a table of their own where bytes do not hold them.
 *
 * Behind them each row of weights follows its head: the bias, with its shift in the highest bits.
 */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

#define ANY (-1) /* a number that a layer does not look at */

static const char *const names[NUMBERS] = {
    "channels", "count",   "apart",   "length", "columns", "gap",  "rows", "step",
    "packed",   "ternary", "results", "away",   "side",    "tall", "line", "kind"};

const char *map_number_name(enum number number)
{
    return names[number];
}

/* ---- kinds of results ---- */

static bool same_kind(const struct plan *plan, int a, int b)
{
    const struct layer *layers = plan->net->layers;
    const struct map_view *views = plan->maps->views;
    return layers[a].activation == layers[b].activation &&
           plan->net->tensors[layers[a].output].type == plan->net->tensors[layers[b].output].type &&
           views[map_output(plan, a)].packed == views[map_output(plan, b)].packed;
}

static bool served_alike(const struct plan *plan, int a, int b)
{
    return map_goes_across(plan, a) && map_goes_across(plan, b) &&
           map_same_walker(plan->maps->rows[a].walker, plan->maps->rows[b].walker);
}

int map_result_kind(const struct plan *plan, int index)
{
    int kinds = 0;
    for (int i = 0; i < index; i++) {
        bool first = served_alike(plan, i, index);
        for (int k = 0; first && k < i; k++) {
            first = !served_alike(plan, k, index) || !same_kind(plan, k, i);
        }
        if (first && same_kind(plan, i, index)) {
            return kinds;
        }
        kinds += first;
    }
    return kinds;
}

/* ---- the numbers of a layer ---- */

/* Where sums are taken: positions beside each other in the input, of several rows where a pool
 * wants them, which what lies at the end of a row is part of. */
static void find_sums(const struct plan *plan, int index, const struct pass *pass, int *number)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct layer *layer = &plan->net->layers[index];
    const struct window *pool = &layer[rows->pooled].window;
    int line = 0;
    if (rows->pooled) {
        line = layer->window.row_stride * plan->maps->views[layer->inputs[0]].row /
               pass->in_column_step;
    }
    number[NUMBER_COUNT] = pass->columns + (rows->pooled ? (pool->rows - 1) * line : 0);
    number[NUMBER_APART] = number[NUMBER_COUNT] > 1 ? pass->in_column_step : ANY;
    number[NUMBER_SIDE] = rows->pooled ? pool->columns : 1;
    number[NUMBER_LINE] = rows->pooled ? line : ANY;
    number[NUMBER_TALL] = rows->pooled ? pool->rows : 1;
    number[NUMBER_RESULTS] = pass->columns / number[NUMBER_SIDE];
    number[NUMBER_AWAY] =
        number[NUMBER_RESULTS] > 1
            ? pass->out_column_step * plan->maps->views[map_output(plan, index)].column
            : ANY;
}

static void find_numbers(const struct plan *plan, int index, const struct pass *pass, int *number)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct layer *layer = &plan->net->layers[index];
    bool packed = plan->maps->views[layer->inputs[0]].packed;
    find_sums(plan, index, pass, number);
    number[NUMBER_CHANNELS] = rows->group_rows > 0 ? rows->group_rows : layer->weights.rows;
    number[NUMBER_LENGTH] = packed ? pass->length / 2 : pass->length;
    number[NUMBER_COLUMNS] = pass->taps[1];
    number[NUMBER_GAP] = pass->taps[1] > 1 ? pass->tap_column : ANY;
    number[NUMBER_ROWS] = pass->taps[0];
    number[NUMBER_STEP] = pass->taps[0] > 1 ? pass->tap_row : ANY;
    number[NUMBER_PACKED] = packed;
    number[NUMBER_TERNARY] = rows->coding->bits == 0;
    number[NUMBER_KIND] = map_result_kind(plan, index) % 2;
}

/* ---- of all layers ---- */

static void join(struct walker_numbers *all, const int number[NUMBERS])
{
    for (int i = 0; i < NUMBERS; i++) {
        bool any = all->value[i] == ANY || number[i] == ANY;
        all->varies[i] = all->varies[i] || (!any && all->value[i] != number[i]);
        all->value[i] = number[i] > all->value[i] ? number[i] : all->value[i];
    }
}

/* Types that hold the largest numbers, and what a loop over sums ends with. */
static void find_types(const struct plan *plan, struct walker_numbers *all)
{
    int most = 0;
    int table = 0;
    for (int i = 0; i < NUMBERS; i++) {
        most = all->value[i] > most ? all->value[i] : most;
        table = all->varies[i] && all->value[i] > table ? all->value[i] : table;
    }
    int end = all->value[NUMBER_COUNT] + 2 * all->value[NUMBER_LINE];
    bool bytes = plan->machine->word == 16 && strcmp(plan->index, "int") == 0 &&
                 (most > end ? most : end) <= UINT8_MAX;
    all->type = table <= UINT8_MAX ? TYPE_U8 : table <= INT16_MAX ? TYPE_I16 : TYPE_I32;
    all->apart = all->apart || all->type != TYPE_U8;
    all->small = bytes ? "uint8_t" : plan->index;
    all->index = bytes ? "uint16_t" : plan->index;
    all->unit = bytes ? "U" : "";
}

struct walker_numbers map_numbers(const struct plan *plan, struct walker walker)
{
    struct walker_numbers all = {.count = 0};
    for (int i = 0; i < NUMBERS; i++) {
        all.value[i] = ANY;
    }
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct map_rows *rows = &plan->maps->rows[i];
        bool served = map_goes_across(plan, i) && map_same_walker(rows->walker, walker);
        all.apart = all.apart || (served && rows->group_rows > 0);
        for (int k = 0; served && k < rows->pass_count; k++) {
            int number[NUMBERS];
            find_numbers(plan, i, &rows->passes[k], number);
            join(&all, number);
        }
    }
    for (int i = 0; i < NUMBERS; i++) {
        all.place[i] = all.count;
        all.count += all.varies[i];
    }
    all.most = all.value[NUMBER_COUNT];
    find_types(plan, &all);
    all.apart = all.apart && all.count > 0;
    return all;
}

bool map_is_always(const struct walker_numbers *numbers, enum number number, int value)
{
    return !numbers->varies[number] &&
           (numbers->value[number] == value || numbers->value[number] == ANY);
}

void map_print_number(struct text *out, const struct plan *plan,
                      const struct walker_numbers *numbers, enum number number)
{
    static const char *const macros[] = {"I8", "U8", "I16", "U16", "I32"};
    const char *type = numbers->small;
    text_printf(out, "const %s %s = ", type, names[number]);
    if (numbers->varies[number]) {
        text_printf(out, "(%s)%s_%s(shape, %d);\n", type, plan->upper, macros[numbers->type],
                    numbers->place[number]);
    } else {
        text_printf(out, "%d%s;\n", numbers->value[number] == ANY ? 1 : numbers->value[number],
                    numbers->unit);
    }
}

void map_need_across(const struct plan *plan, int index, struct helpers *helpers)
{
    struct walker_numbers numbers = map_numbers(plan, plan->maps->rows[index].walker);
    helpers->reads[TYPE_U8] = true;
    helpers->reads[numbers.type] = helpers->reads[numbers.type] || numbers.count > 0;
}

/* ---- tables ---- */

int map_head_bytes(struct walker walker)
{
    return (walker.bias + walker.shift + 7) / 8;
}

int map_across_row_bytes(const struct plan *plan, int index, const struct pass *pass)
{
    return map_head_bytes(plan->maps->rows[index].walker) +
           map_row_bytes(plan->maps->rows[index].coding, map_pass_columns(pass));
}

/* Byte `place` of a row's weights.  Where layers differ in how weights lie, fields are read from
 * the highest one on. */
static int weight_byte(const struct map_rows *rows, const int16_t *row, int columns, int place)
{
    int byte = map_byte(rows->coding, row, columns, place);
    bool turned = rows->walker.other && rows->coding->bits == 4;
    return turned ? (byte >> 4 | byte << 4) & UINT8_MAX : byte;
}

static int byte_of_row(const struct plan *plan, int index, const struct pass *pass, int at)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct layer *layer = &plan->net->layers[index];
    int columns = map_pass_columns(pass);
    int head = map_head_bytes(rows->walker);
    int row = at / map_across_row_bytes(plan, index, pass);
    int place = at % map_across_row_bytes(plan, index, pass);
    if (place >= head) {
        return weight_byte(rows, pass->values + (size_t)row * (size_t)columns, columns,
                           place - head);
    }
    int bits = 8 * head - rows->walker.shift;
    uint32_t bias = (uint32_t)layer->bias[row] + ((uint32_t)1 << (bits - 1));
    uint32_t shift = rows->walker.shift > 0 ? (uint32_t)layer->shift[row] << bits : 0;
    return (int)((bias | shift) >> (8 * place) & UINT8_MAX);
}

/* Names and values of the numbers that differ from layer to layer. */
static void print_varying(struct text *out, const struct walker_numbers *numbers, const int *number)
{
    bool first = true;
    for (int i = 0; i < NUMBERS; i++) {
        if (numbers->varies[i]) {
            text_printf(out, first ? "%d" : ", %d", number[i] == ANY ? 1 : number[i]);
            first = false;
        }
    }
}

static void print_weights(struct printer *p, int index, const struct pass *pass,
                          const struct walker_numbers *numbers)
{
    const struct plan *plan = p->plan;
    int bytes = plan->net->layers[index].weights.rows * map_across_row_bytes(plan, index, pass);
    int front = numbers->apart ? 0 : numbers->count;
    text_printf(p->out, "    static const uint8_t w%s[%d] %s_FLASH = {", pass->name, front + bytes,
                plan->upper);
    if (front > 0) {
        int number[NUMBERS];
        find_numbers(plan, index, pass, number);
        text_add(p->out, "\n        ");
        print_varying(p->out, numbers, number);
        text_add(p->out, ",");
    }
    for (int i = 0; i < bytes; i++) {
        text_printf(p->out,
                    i == 0   ? "\n        %d"
                    : i % 20 ? ", %d"
                             : ",\n        %d",
                    byte_of_row(plan, index, pass, i));
    }
    text_add(p->out, "\n    };\n");
}

static void print_shape(struct printer *p, int index, const struct pass *pass,
                        const struct walker_numbers *numbers)
{
    int number[NUMBERS];
    find_numbers(p->plan, index, pass, number);
    text_printf(p->out, "    static const %s g%s[%d] %s_FLASH = {", c_type(numbers->type),
                pass->name, numbers->count, p->plan->upper);
    print_varying(p->out, numbers, number);
    text_add(p->out, "};\n");
}

void map_print_across_tables(struct printer *p, int index)
{
    const struct map_rows *rows = &p->plan->maps->rows[index];
    struct walker_numbers numbers = map_numbers(p->plan, rows->walker);
    for (int k = 0; k < rows->pass_count; k++) {
        if (numbers.apart) {
            print_shape(p, index, &rows->passes[k], &numbers);
        }
        print_weights(p, index, &rows->passes[k], &numbers);
    }
}
