/* Convs of few weights as straight lines: bytes times small numbers, two sums of 16 bits to a word.
 *
 * With a multiplier the two are output channels: a word w0 + w1 2^16 times an input, which is
 * skipped where it is zero.  Sums are modulo 2^32; only the last of a row must lie within half a
 * word, moved there by a lift that is taken back behind the shift.  Without a multiplier they are
 * two positions of one channel, which the same shifts and additions serve; plus comes before minus,
 * so that no half leaves its range.  Where int has 16 bits, there is one sum of these. */
#include "emit/map.h"

#include <stdio.h>

/* Weights beyond which the code takes more flash than it is worth. */
#define WEIGHTS_MOST    400
#define POSITIONS_LEAST 4
/* Entries of a table that clamps results. */
#define TABLE_MOST 128
/* Channels whose sums stay in registers beside an input and a product; a few more at once are still
 * faster than inputs that are read twice. */
#define CHANNELS_AT_ONCE 8
#define CHANNELS_MOST    12

static const struct direct *direct_of(const struct plan *plan, int index)
{
    return plan->maps->rows[index].direct;
}

static const struct pass *pass_of(const struct plan *plan, int index)
{
    return &plan->maps->rows[index].passes[0];
}

/* ---- the plan ---- */

/* The least multiple of 2^shift that makes no sum of the row negative; -1: some leave 16 bits. */
static int32_t least_lift(const struct plan *plan, int index, int row)
{
    struct interval sum = plan->steps[index].sums[row];
    int64_t unit = (int64_t)1 << plan->net->layers[index].shift[row];
    int64_t lift = sum.low < 0 ? (-sum.low + unit - 1) / unit * unit : 0;
    return sum.high + lift <= UINT16_MAX ? (int32_t)lift : -1;
}

/* The same for all rows, in results, where a table clamps them. */
static int32_t lift_of(const struct plan *plan, int index, int row)
{
    const struct direct *direct = direct_of(plan, index);
    return direct->entries > 0 ? direct->low << plan->net->layers[index].shift[row]
                               : least_lift(plan, index, row);
}

/* Elements of bytes that are never negative, and zero among them: then the range of a sum holds for
 * the sum of its products above zero. */
static bool starts_at_zero(const struct plan *plan, int tensor)
{
    bool zero =
        plan->net->tensors[tensor].type == TYPE_U8 || plan->net->tensors[tensor].type == TYPE_U4;
    for (int j = 0; zero && j < plan->net->tensors[tensor].width; j++) {
        zero = plan->ranges[tensor][j].low == 0;
    }
    return zero;
}

static bool fits(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    bool fit =
        !map_for_size(plan, index) && layer->op == OP_CONV && layer->groups <= 1 &&
        layer->weights.bits <= 8 && layer->weights.rows * layer->weights.columns <= WEIGHTS_MOST &&
        out->rows * out->columns >= POSITIONS_LEAST && starts_at_zero(plan, layer->inputs[0]);
    bool some = false;
    for (int row = 0; fit && row < layer->weights.rows; row++) {
        some = some || plan_row_used(layer, row);
        fit = least_lift(plan, index, row) >= 0;
    }
    return fit && some;
}

/* Results are clamped by a table of a power of 2 of entries, if sums leave room for a common lift.
 */
static void plan_table(const struct plan *plan, int index, struct direct *direct)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    int64_t most = 0;
    if (direct->narrow || (type != TYPE_U4 && type != TYPE_U8) || !plan_acts(plan, index) ||
        !plan_clamps_only(layer->activation)) {
        return;
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        int32_t low = least_lift(plan, index, row) >> layer->shift[row];
        direct->low = low > direct->low ? low : direct->low;
    }
    for (int row = 0; row < layer->weights.rows; row++) {
        int64_t high =
            plan->steps[index].sums[row].high + ((int64_t)direct->low << layer->shift[row]);
        most = high > UINT16_MAX ? TABLE_MOST : most;
        most = high >> layer->shift[row] > most ? high >> layer->shift[row] : most;
    }
    int entries = 1;
    while (entries <= most && entries <= TABLE_MOST) {
        entries *= 2;
    }
    direct->entries = entries <= TABLE_MOST ? entries : 0;
}

bool map_direct_pools(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    bool lanes = layer->weights.bits == 2 && map_largest(plan, layer->inputs[0]) <= LANES_HIGH;
    bool pairs = plan->machine->no_multiplier && plan->machine->word != 16;
    return fits(plan, index) && !lanes && (type == TYPE_U8 || type == TYPE_U4) &&
           plan_kept(layer->activation, type).low == 0 &&
           (!pairs || layer[1].window.columns % 2 == 0);
}

/* The loops of a conv with its pool: over the pool's output, two positions side by side in a word.
 */
static void plan_pooled(const struct plan *plan, int index, struct direct *direct)
{
    const struct shape *out = &plan->net->tensors[map_output(plan, index)].shape;
    direct->pool = &plan->net->layers[index + 1].window;
    direct->rows = out->rows;
    direct->columns = out->columns;
    direct->across = true;
    direct->step = 1;
}

bool map_plan_direct(struct plan *plan, int index)
{
    const struct shape *out = &plan->net->tensors[plan->net->layers[index].output].shape;
    if (!fits(plan, index)) {
        return true;
    }
    struct direct *direct = arena_alloc(plan->arena, 1, sizeof *direct);
    if (!direct) {
        return false;
    }
    *direct =
        (struct direct){.narrow = plan->machine->word == 16,
                        .positions = plan->machine->no_multiplier && plan->machine->word != 16,
                        .rows = out->rows,
                        .columns = out->columns,
                        .reader = -1};
    direct->across = out->columns > 1;
    if (plan->maps->rows[index].pooled) {
        plan_pooled(plan, index, direct);
    } else if (direct->positions && direct->across) {
        direct->columns = (out->columns + 1) / 2;
        direct->step = out->columns - direct->columns;
    } else if (direct->positions) {
        direct->rows = (out->rows + 1) / 2;
        direct->step = out->rows - direct->rows;
    }
    if (!direct->pool) {
        plan_table(plan, index, direct);
    }
    plan->maps->rows[index].direct = direct;
    return true;
}

/* ---- what both print ---- */

/* Element of the input that weight `column` of a row meets, from the window's first. */
static int tap_offset(const struct pass *pass, int column)
{
    int tap = column / pass->length;
    return tap / pass->taps[1] * pass->tap_row + tap % pass->taps[1] * pass->tap_column +
           column % pass->length;
}

static int weight_at(const struct plan *plan, int index, int row, int column)
{
    const struct weights *w = &plan->net->layers[index].weights;
    return w->values[(size_t)row * (size_t)w->columns + (size_t)column];
}

/* Has one of the rows a weight there? */
static bool met(const struct plan *plan, int index, int column, int first, int end)
{
    for (int row = first; row < end; row++) {
        if (weight_at(plan, index, row, column) != 0) {
            return true;
        }
    }
    return false;
}

/* The row's bias with its lift. */
static uint32_t base_of(const struct plan *plan, int index, int row)
{
    return (uint32_t)(plan->net->layers[index].bias[row] + lift_of(plan, index, row));
}

/* Not where all weights are zero: the result is a constant then, if it is only clamped. */
static bool has_sum(const struct layer *layer, int row)
{
    return plan_row_used(layer, row) || !plan_clamps_only(layer->activation);
}

/* What storing results needs. */
static const char *results_of(const struct plan *plan, int index)
{
    return direct_of(plan, index)->entries > 0 ? "" : "uint32_t t;\nint32_t z;\n";
}

void map_print_direct_table(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct direct *direct = direct_of(plan, index);
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    if (direct->entries == 0) {
        return;
    }
    text_printf(p->out, "    static const uint8_t cut%s[%d] %s_FLASH = {",
                pass_of(plan, index)->name, direct->entries, plan->upper);
    for (int i = 0; i < direct->entries; i++) {
        int64_t z = (int64_t)i - direct->low;
        int kept_z = (int)(z < kept.low ? kept.low : z > kept.high ? kept.high : z);
        text_printf(p->out, "%s%d", i % 16 ? ", " : i ? ",\n        " : "\n        ", kept_z);
    }
    text_add(p->out, "\n    };\n");
}

/* Keeps z where it is larger than what was stored, which is never negative.  The mask costs nothing
 * and shows a prover, who knows less of half a word, that z fits. */
static void print_larger(struct printer *p, int index, const char *to, const struct interval *z)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int64_t high = plan_kept(layer->activation, p->plan->net->tensors[layer->output].type).high;
    text_printf(p->out, "if (z > (int32_t)%s) {\n", to);
    if (z->high > high || map_hides(p->plan, index)) {
        text_printf(p->out, "%s = (uint8_t)((z > %d) ? %d : z);\n}\n", to, (int)high, (int)high);
    } else {
        text_printf(p->out, "%s = (uint8_t)((uint32_t)z & 255U);\n}\n", to);
    }
}

/* Stores a row's result, from 16 bits: at the first position of a word, or at the second. */
static void print_result(struct printer *p, int index, int row, bool second, const char *bits)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct direct *direct = direct_of(plan, index);
    const struct map_view *out = &plan->maps->views[layer->output];
    int step = direct->step * (direct->across ? out->column : out->row);
    char to[32];
    struct interval z = plan->steps[index].sums[row];
    char shift[16];
    char low[16];
    if (direct->reader >= 0) {
        int channel = 4 * plan->maps->rows[direct->reader].lanes->channel_step;
        (void)snprintf(to, sizeof to, "%s[%d]", second ? "too" : "to", channel * row);
    } else {
        (void)snprintf(to, sizeof to, "to[%d]", row + (second && !direct->pool ? step : 0));
    }
    if (!has_sum(layer, row)) {
        text_printf(p->out, "            %s = %d;\n", to, plan_constant(plan, index, row));
        return;
    }
    if (direct->entries > 0) {
        text_printf(p->out, "            %s = %s_U8(cut%s, ((%s) >> %d) & %dU);\n", to, plan->upper,
                    pass_of(plan, index)->name, bits, layer->shift[row], direct->entries - 1);
        return;
    }
    (void)snprintf(shift, sizeof shift, "%d", layer->shift[row]);
    int below = (int)(lift_of(plan, index, row) >> layer->shift[row]);
    (void)snprintf(low, sizeof low, "%d", below);
    map_print_shifted(p, bits, shift, low);
    z.low = floor_shift(z.low, layer->shift[row]);
    z.high = floor_shift(z.high, layer->shift[row]);
    if (type_low(plan->net->tensors[layer->output].type) < 0) { /* what a prover sees of the half */
        z.low = -below;
        z.high = (65535 >> layer->shift[row]) - below;
    }
    if (direct->pool) {
        print_larger(p, index, to, &z);
    } else {
        map_print_stored(p, index, to, &z);
    }
}

/* ---- two channels in a word ---- */

static uint32_t pair_weight(const struct plan *plan, int index, int row, int column)
{
    bool two = row + 1 < plan->net->layers[index].weights.rows;
    uint32_t low = (uint32_t)weight_at(plan, index, row, column);
    uint32_t high = two ? (uint32_t)weight_at(plan, index, row + 1, column) : 0;
    return low + (high << 16);
}

static bool pair_has_sum(const struct layer *layer, int row, int end)
{
    return has_sum(layer, row) || (row + 1 < end && has_sum(layer, row + 1));
}

static void print_pair_bases(struct printer *p, int index, int first, int end)
{
    const struct layer *layer = &p->plan->net->layers[index];
    bool any = false;
    for (int row = first; row < end; row += 2) {
        uint32_t high = row + 1 < end ? base_of(p->plan, index, row + 1) : 0;
        if (pair_has_sum(layer, row, end)) {
            uint32_t both = base_of(p->plan, index, row) + (high << 16);
            text_printf(p->out, "uint32_t s%d = %luU;\n", row / 2, (unsigned long)both);
            any = true;
        }
    }
    if (any) {
        text_printf(p->out, "uint32_t e;\n%s", results_of(p->plan, index));
    }
}

static void print_pair_products(struct printer *p, int index, int first, int end)
{
    const struct plan *plan = p->plan;
    for (int j = 0; j < plan->net->layers[index].weights.columns; j++) {
        if (!met(plan, index, j, first, end)) {
            continue;
        }
        text_printf(p->out,
                    "            e = p[%d];\n"
                    "            if (e != 0U) {\n",
                    tap_offset(pass_of(plan, index), j));
        for (int row = first; row < end; row += 2) {
            uint32_t weight = pair_weight(plan, index, row, j);
            if (weight != 0) {
                text_printf(p->out, "                s%d += e * %luU;\n", row / 2,
                            (unsigned long)weight);
            }
        }
        text_add(p->out, "            }\n");
    }
}

static void print_channels(struct printer *p, int index)
{
    int rows = p->plan->net->layers[index].weights.rows;
    int step = rows <= CHANNELS_MOST ? CHANNELS_MOST : CHANNELS_AT_ONCE;
    for (int first = 0; first < rows; first += step) {
        int end = first + step < rows ? first + step : rows;
        char bits[48];
        text_add(p->out, "{ /* modulo 2^32 */\n");
        print_pair_bases(p, index, first, end);
        print_pair_products(p, index, first, end);
        for (int row = first; row < end; row++) {
            (void)snprintf(bits, sizeof bits, row % 2 ? "s%d >> 16" : "s%d & 65535U", row / 2);
            print_result(p, index, row, false, bits);
        }
        text_add(p->out, "            }\n");
    }
}

/* ---- two positions in a word ---- */

static void print_inputs(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct direct *direct = direct_of(plan, index);
    const struct pass *pass = pass_of(plan, index);
    int step = direct->reader >= 0
                   ? map_direct_part(plan, index, 1)
                   : direct->step * (direct->across ? pass->in_column_step : pass->in_row_step);
    for (int j = 0; j < plan->net->layers[index].weights.columns; j++) {
        int at = tap_offset(pass, j);
        if (met(plan, index, j, 0, plan->net->layers[index].weights.rows)) {
            text_printf(
                p->out,
                "            const uint32_t e%d = (uint32_t)p[%d] | ((uint32_t)p[%d] << 16);\n", j,
                at, at + step);
        }
    }
}

/* " + (e3 * 5U)" for all weights of one sign. */
static void print_products(struct printer *p, int index, int row, int sign)
{
    for (int j = 0; j < p->plan->net->layers[index].weights.columns; j++) {
        int weight = weight_at(p->plan, index, row, j) * sign;
        text_add(p->out, weight > 0 && j % 6 == 5 ? "\n" : "");
        if (weight == 1) {
            text_printf(p->out, " %c e%d", sign > 0 ? '+' : '-', j);
        } else if (weight > 1) {
            text_printf(p->out, " %c (e%d * %dU)", sign > 0 ? '+' : '-', j, weight);
        }
    }
}

static void print_positions(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    print_inputs(p, index);
    text_printf(p->out, "            uint32_t s; /* of two positions */\n%s",
                results_of(plan, index));
    for (int row = 0; row < plan->net->layers[index].weights.rows; row++) {
        if (has_sum(&plan->net->layers[index], row)) {
            uint32_t both = base_of(plan, index, row) * 65537U;
            text_printf(p->out, "            s = %luU", (unsigned long)both);
            print_products(p, index, row, 1);
            print_products(p, index, row, -1);
            text_add(p->out, ";\n");
        }
        print_result(p, index, row, false, "s & 65535U");
        print_result(p, index, row, true, "s >> 16");
    }
}

/* ---- one sum in 16 bits ---- */

/* Plus comes before minus here too, so that nothing wraps. */
static void print_narrow(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    for (int j = 0; j < layer->weights.columns; j++) {
        if (met(plan, index, j, 0, layer->weights.rows)) {
            text_printf(p->out, "const uint16_t e%d = p[%d];\n", j,
                        tap_offset(pass_of(plan, index), j));
        }
    }
    text_add(p->out, "uint16_t s;\nuint32_t t;\nint32_t z;\n");
    for (int row = 0; row < layer->weights.rows; row++) {
        if (has_sum(layer, row)) {
            text_printf(p->out, "s = (uint16_t)(%luU", (unsigned long)base_of(plan, index, row));
            print_products(p, index, row, 1);
            print_products(p, index, row, -1);
            text_add(p->out, ");\n");
        }
        print_result(p, index, row, false, "(uint32_t)s");
    }
}

/* ---- the layer ---- */

void map_print_direct_sums(struct printer *p, int index)
{
    if (direct_of(p->plan, index)->narrow) {
        print_narrow(p, index);
    } else if (direct_of(p->plan, index)->positions) {
        print_positions(p, index);
    } else {
        print_channels(p, index);
    }
}

/* const uint8_t *p = ...: the first element of a window. */
static void print_window(struct printer *p, int index, char at[INDEX_MAX])
{
    const struct plan *plan = p->plan;
    int input = plan->net->layers[index].inputs[0];
    const struct pass *pass = pass_of(plan, index);
    const struct window *pool = direct_of(plan, index)->pool;
    map_add_term(at, "y", pass->in_row_step);
    map_add_term(at, "x", pass->in_column_step * (pool ? pool->columns : 1));
    if (pool) {
        map_add_term(at, "v", pass->in_row_step / pool->rows);
        map_add_term(at, "u", pass->in_column_step * (direct_of(plan, index)->positions ? 2 : 1));
    }
    text_printf(p->out, "const uint8_t *p = &%s[%s];\n", map_array(plan, input),
                map_end_terms(at, plan->maps->views[input].offset + pass->in_offset));
}

/* Loops over the positions of a pool's window. */
static void open_pool(struct printer *p, int index)
{
    const struct direct *direct = direct_of(p->plan, index);
    const char *type = p->plan->index;
    text_printf(p->out, "for (%s i = 0; i < %d; i++) {\nto[i] = 0U;\n}\n", type,
                p->plan->net->layers[index].weights.rows);
    text_printf(p->out, "for (%s v = 0; v < %d; v++) {\nfor (%s u = 0; u < %d; u++) {\n", type,
                direct->pool->rows, type, direct->pool->columns / (direct->positions ? 2 : 1));
}

void map_print_direct(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct direct *direct = direct_of(plan, index);
    const struct map_view *out = &plan->maps->views[map_output(plan, index)];
    enum type type = plan->net->tensors[layer->output].type;
    char at[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    if (direct->reader >= 0) {
        text_printf(p->out, "/* ... row by row, where the next one wants them */\n");
        return;
    }
    text_printf(p->out, "for (%s y = 0; y < %d; y++) {\nfor (%s x = 0; x < %d; x++) {\n",
                plan->index, direct->rows, plan->index, direct->columns);
    if (!direct->pool) {
        print_window(p, index, at);
    }
    map_add_term(to, "y", out->row);
    map_add_term(to, "x", out->column);
    text_printf(p->out, "%s *to = &%s[%s];\n", c_type(type == TYPE_U4 ? TYPE_U8 : type),
                map_array(plan, map_output(plan, index)), map_end_terms(to, out->offset));
    if (direct->pool) {
        open_pool(p, index);
        print_window(p, index, at);
    }
    map_print_direct_sums(p, index);
    text_add(p->out, direct->pool ? "}\n}\n}\n}\n" : "}\n}\n");
}
