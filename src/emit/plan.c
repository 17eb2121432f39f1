#include "emit/kernel.h"
#include "emit/map.h"

#include <string.h>

/* ---- bounds ---- */

struct interval plan_kept(enum activation activation, enum type type)
{
    int64_t high = type_high(type);
    switch (activation) {
    case ACTIVATION_NONE: return (struct interval){type_low(type), high};
    case ACTIVATION_RELU: return (struct interval){0, high};
    case ACTIVATION_CLIP:
    case ACTIVATION_ABS:
    case ACTIVATION_LEAKY: return (struct interval){-high, high};
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return (struct interval){-32767, 32767};
    }
    return (struct interval){0, 0};
}

/* Is all of `range` within `limit`? */
static bool inside(struct interval range, struct interval limit)
{
    return range.low >= limit.low && range.high <= limit.high;
}

/* What lifts are for: a layer's sums, and how large they may become on the way.  Of inputs that
 * masks have clamped (constant time) a prover knows the type alone.  False when out of memory. */
static bool lift_rows(const struct plan *plan, int index, int64_t **room, struct interval **sums)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct tensor *in = &plan->net->tensors[layer->inputs[0]];
    size_t rows = (size_t)layer->weights.rows;
    *room = plan->steps[index].room;
    *sums = plan->steps[index].sums;
    if (!plan->options->constant_time || layer->inputs[0] == plan->net->input) {
        return true;
    }
    struct interval *types = arena_alloc(plan->arena, (size_t)in->width, sizeof *types);
    for (int j = 0; types && j < in->width; j++) {
        types[j] = (struct interval){type_low(in->type), type_high(in->type)};
    }
    *room = arena_alloc(plan->arena, rows, sizeof **room);
    *sums = arena_alloc(plan->arena, rows, sizeof **sums);
    return types && *room && *sums && net_rows(plan->net, layer, types, *room, *sums);
}

/* Sums are not negative when they are shifted: a signed shift is not the same with every compiler,
 * and no proof likes it.  2^30, a multiple of every 2^k, does for most nets; where code is written
 * row by row, the least power of two does that suffices.  False when out of memory. */
static bool plan_floor(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    int64_t *room = NULL;
    struct interval *sums = NULL;
    if (!lift_rows(plan, index, &room, &sums)) {
        return false;
    }
    step->lift = 0;
    for (int i = 0; i < layer->weights.rows; i++) {
        struct interval acc = sums[i];
        int shift = layer->shift[i];
        plan->shifts_in_rows = plan->shifts_in_rows || shift != layer->shift[0];
        plan->based = plan->based && acc.low >= -BASE && acc.high < BASE;
        while (step->lift >= 0 && acc.low + ((int64_t)step->lift << shift) < 0) {
            step->lift = step->lift < BASE / 2 ? step->lift + step->lift + !step->lift : -1;
        }
    }
    for (int i = 0; i < layer->weights.rows && step->lift > 0; i++) {
        int64_t lift = (int64_t)step->lift << layer->shift[i];
        step->lift = room[i] + lift <= INT32_MAX ? step->lift : -1;
    }
    return true;
}

/* Sums of every row, and how large they may become on the way: of what is known of the inputs, or,
 * where they are modulo 2^n, of what the inputs are. */
static bool plan_sums(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    const struct interval *exact = plan->ranges[layer->inputs[0]];
    bool done = net_rows(plan->net, layer, plan->known[layer->inputs[0]], step->room, step->sums);
    for (int i = 0; done && i < layer->weights.rows; i++) {
        if (known_wraps(plan, index, i)) {
            step->sums[i] = net_row_range(layer, i, exact);
            step->room[i] = step->bounds[i];
        }
    }
    return done;
}

/* Whether any result of the shift lies outside of what the activation keeps. */
static bool plan_dense(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    if (!plan_sums(plan, index)) {
        return false;
    }
    step->clamps = false;
    for (int i = 0; i < layer->weights.rows; i++) {
        struct interval z = step->sums[i];
        z.low = floor_shift(z.low, layer->shift[i]);
        z.high = floor_shift(z.high, layer->shift[i]);
        step->clamps = step->clamps || !inside(z, kept);
        step->range.low = i == 0 || z.low < step->range.low ? z.low : step->range.low;
        step->range.high = i == 0 || z.high > step->range.high ? z.high : step->range.high;
    }
    return plan_floor(plan, index);
}

/* Can a reading leave the output type?  Exact: the readings are known to fill their type. */
static void plan_convert(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval *in = plan->known[layer->inputs[0]];
    enum type type = plan->net->tensors[layer->output].type;
    struct interval limit = {type_low(type), type_high(type)};
    plan->steps[index].clamps = false;
    for (int j = 0; j < plan->net->tensors[layer->output].width; j++) {
        int64_t scale = (int64_t)1 << layer->shift[j];
        struct interval y = {(in[j].low - layer->zero[j]) * scale,
                             (in[j].high - layer->zero[j]) * scale};
        plan->steps[index].clamps = plan->steps[index].clamps || !inside(y, limit);
    }
}

/* Can the sum leave the output type? */
static void plan_add(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct interval limit = {type_low(type), type_high(type)};
    plan->steps[index].clamps = false;
    for (int j = 0; j < plan->net->tensors[layer->output].width; j++) {
        struct interval sum = net_sum_range(layer, plan->known, j);
        plan->steps[index].clamps = plan->steps[index].clamps || !inside(sum, limit);
    }
}

/* 2^shift of every element; NULL when out of memory. */
static int32_t *scales(const struct plan *plan, const struct layer *layer, int count)
{
    int32_t *values = arena_alloc(plan->arena, (size_t)count, sizeof *values);
    for (int i = 0; values && i < count; i++) {
        values[i] = (int32_t)1 << layer->shift[i];
    }
    return values;
}

/* The numbers per row of a dense or convert layer, named by a letter. */
static bool plan_series(struct plan *plan, int index, char first, char second)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    bool convert = layer->op == OP_CONVERT;
    int rows = convert ? plan->net->tensors[layer->output].width : layer->weights.rows;
    struct numbers numbers = {.i32 = convert ? layer->zero : layer->bias};
    struct numbers shifts = {.u8 = layer->shift};
    if (convert) {
        shifts = (struct numbers){.i32 = scales(plan, layer, rows)};
    }
    if (convert && !shifts.i32) {
        return false;
    }
    step->bias = series_of(first, step->number, numbers, rows);
    step->shift = series_of(second, step->number, shifts, rows);
    return true;
}

/* What a layer with rows has for each of them; false when out of memory. */
static bool plan_rows(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    size_t rows = (size_t)layer->weights.rows;
    step->bounds = arena_alloc(plan->arena, rows, sizeof *step->bounds);
    step->room = arena_alloc(plan->arena, rows, sizeof *step->room);
    step->sums = arena_alloc(plan->arena, rows, sizeof *step->sums);
    if (!step->bounds || !step->room || !step->sums || !plan_series(plan, index, 'b', 'k') ||
        !net_rows(plan->net, layer, plan->ranges[layer->inputs[0]], step->bounds, step->sums)) {
        return false;
    }
    for (int i = 0; i < layer->weights.rows; i++) {
        step->worst = step->bounds[i] > step->bounds[step->worst] ? i : step->worst;
    }
    const struct step *worst = plan->worst_layer < 0 ? NULL : &plan->steps[plan->worst_layer];
    if (!worst || step->bounds[step->worst] > worst->bounds[worst->worst]) {
        plan->worst_layer = index;
    }
    return true;
}

/* The numbers and bounds of every layer. */
static bool plan_steps(struct plan *plan)
{
    int dense = 0;
    int convert = 0;
    bool done = true;
    plan->worst_layer = -1;
    for (int i = 0; done && i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        if (layer->op == OP_CONVERT) {
            plan->steps[i].number = ++convert;
            done = plan_series(plan, i, 'z', 'h');
        } else if (layer->weights.rows > 0) {
            plan->steps[i].number = ++dense;
            done = plan_rows(plan, i);
        }
    }
    return done;
}

bool plan_clamps(struct plan *plan)
{
    bool done = true;
    plan->based = true;
    for (int i = 0; done && i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        if (layer->op == OP_CONVERT) {
            plan_convert(plan, i);
        } else if (layer->op == OP_ADD) {
            plan_add(plan, i);
        } else if (layer->weights.rows > 0) {
            done = plan_dense(plan, i);
        }
    }
    return done;
}

/* ---- kernels ---- */

bool plan_row_shifts(const struct plan *plan, const struct kernel *kernel)
{
    return kernel->shifts && plan->shifts_in_rows;
}

bool plan_row_used(const struct layer *layer, int row)
{
    for (int j = 0; j < layer->weights.columns; j++) {
        if (layer->weights.values[(size_t)row * (size_t)layer->weights.columns + (size_t)j] != 0) {
            return true;
        }
    }
    return false;
}

int plan_constant(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    int64_t z = floor_shift(layer->bias[row], layer->shift[row]);
    return (int)(z < kept.low ? kept.low : z > kept.high ? kept.high : z);
}

int plan_readers(const struct net *net, int tensor, int *last)
{
    int count = 0;
    for (int i = 0; i < net->layer_count; i++) {
        for (int k = 0; k < net->layers[i].input_count; k++) {
            if (net->layers[i].inputs[k] == tensor) {
                count++;
                *last = i;
            }
        }
    }
    return count;
}

bool plan_identity(const struct net *net, const struct layer *layer)
{
    int width = net->tensors[layer->output].width;
    bool same = net->tensors[layer->inputs[0]].type == net->tensors[layer->output].type;
    for (int j = 0; same && j < width; j++) {
        same = layer->zero[j] == 0 && layer->shift[j] == 0;
    }
    return same;
}

bool plan_feeds_add(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    const struct layer *layer = &net->layers[index];
    int last = 0;
    return net->tensors[layer->output].type == TYPE_I32 && layer->output != net->output &&
           plan_readers(net, layer->output, &last) == 1 && net->layers[last].op == OP_ADD;
}

/* Is a term of the add in straight-line code?  Then the add is, too. */
static bool any_line_term(const struct plan *plan, const struct layer *add)
{
    for (int k = 0; k < add->input_count; k++) {
        int fused = plan_fused(plan, add->inputs[k]);
        if (fused >= 0 && plan_kernel(plan, fused)->shape == SHAPE_TILE) {
            return true;
        }
    }
    return false;
}

static enum form dense_form(const struct plan *plan, int index)
{
    const struct kernel *kernel = plan_kernel(plan, index);
    if (plan_feeds_add(plan, index) && kernel->shape != SHAPE_SPAN) {
        return FORM_FUSED;
    }
    return kernel && kernel->shape == SHAPE_ROW ? FORM_LOOP : FORM_LINE;
}

/* How every layer is printed, once the kernels are chosen. */
static void plan_forms(struct plan *plan)
{
    const struct net *net = plan->net;
    bool speed = plan->options->optimise == OPTIMISE_SPEED;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        struct step *step = &plan->steps[i];
        bool narrow = net->tensors[layer->output].width <= LINE_WIDTH_MAX;
        switch (layer->op) {
        case OP_CONVERT: step->form = speed && narrow ? FORM_LINE : FORM_LOOP; break;
        case OP_DENSE: step->form = dense_form(plan, i); break;
        case OP_ADD:
            step->form = (speed && narrow) || any_line_term(plan, layer) ? FORM_LINE : FORM_LOOP;
            break;
        case OP_CONCAT:
            step->form = FORM_LOOP;
            break;
        CASES_OF_MAPS:
            break;
        }
    }
}

/* Does code of this layer name its input?  Straight-line code of rows without weights does not. */
static bool reads_input(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct kernel *kernel = layer->op == OP_DENSE ? plan_kernel(plan, index) : NULL;
    bool reads = !kernel || kernel->shape != SHAPE_TILE;
    for (int row = 0; !reads && row < layer->weights.rows; row++) {
        reads = plan_row_used(layer, row);
    }
    return reads;
}

/* Layers that no output depends on: those behind straight-line code without weights. */
static void plan_dead(struct plan *plan)
{
    const struct net *net = plan->net;
    bool live[NET_TENSORS_MAX] = {false};
    live[net->output] = true;
    for (int i = net->layer_count - 1; i >= 0; i--) {
        const struct layer *layer = &net->layers[i];
        struct step *step = &plan->steps[i];
        if (!live[layer->output]) {
            step->form = FORM_DEAD;
            continue;
        }
        bool reads = reads_input(plan, i);
        for (int k = 0; reads && k < layer->input_count; k++) {
            live[layer->inputs[k]] = true;
        }
    }
    plan->reads_input = live[net->input];
}

int plan_fused(const struct plan *plan, int tensor)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (plan->net->layers[i].output == tensor) {
            return plan->steps[i].form == FORM_FUSED ? i : -1;
        }
    }
    return -1;
}

/* ---- all of it ---- */

/* The C prefix in both cases, and the type that counts elements. */
static void plan_names(struct plan *plan)
{
    const char *name = plan->options->name;
    emit_identifier(name && *name ? name : plan->net->name, plan->name);
    for (size_t i = 0; i < sizeof plan->name; i++) {
        char c = plan->name[i];
        plan->upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    plan->index = "int";
    for (int t = 0; t < plan->net->tensor_count; t++) {
        if (plan->net->tensors[t].width > INT16_MAX) {
            plan->index = "int32_t";
        }
    }
}

/* In order: each pass uses what the one before it found. */
static bool plan_fill(struct plan *plan)
{
    plan_names(plan);
    if (!net_ranges(plan->net, plan->arena, plan->ranges) || !plan_steps(plan) ||
        !known_first(plan) || !plan_clamps(plan)) {
        return false;
    }
    if (net_has_maps(plan->net)) {
        return map_plan(plan);
    }
    if (!plan_choose(plan)) {
        return false;
    }
    bool steady = plan->options->constant_time; /* masks clamp whatever is known */
    if (!steady && (!known_last(plan) || !plan_clamps(plan))) {
        return false;
    }
    plan_forms(plan);
    plan_dead(plan);
    plan_memory(plan);
    return true;
}

struct plan *plan_new(const struct net *net, const struct emit_options *options)
{
    struct arena *arena = arena_new();
    struct plan *plan = arena ? arena_alloc(arena, 1, sizeof *plan) : NULL;
    if (plan) {
        size_t tensors = (size_t)net->tensor_count;
        *plan = (struct plan){.arena = arena, .net = net, .options = options};
        plan->machine = options->machine ? options->machine : machine_default();
        plan->ranges = arena_alloc(arena, tensors, sizeof(struct interval *));
        plan->known = arena_alloc(arena, tensors, sizeof(struct interval *));
        plan->steps = arena_alloc(arena, (size_t)net->layer_count, sizeof *plan->steps);
        plan->views = arena_alloc(arena, tensors, sizeof *plan->views);
        plan->buffers = arena_alloc(arena, tensors, sizeof *plan->buffers);
    }
    if (!plan || !plan->ranges || !plan->known || !plan->steps || !plan->views || !plan->buffers ||
        !plan_fill(plan)) {
        arena_free(arena);
        return NULL;
    }
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan) {
        arena_free(plan->arena);
    }
}

/* Activations that a loop of their own would not make faster on a machine that inlines; more of
 * them are vectorised there. */
#define INLINE_MOST 8

bool plan_clamps_only(enum activation activation)
{
    return activation == ACTIVATION_NONE || activation == ACTIVATION_RELU ||
           activation == ACTIVATION_CLIP;
}

bool plan_in_place(const struct plan *plan, int layer)
{
    const struct kernel *kernel = plan_kernel(plan, layer);
    int output = plan->net->layers[layer].output;
    bool apart = !plan->machine->inlines || plan->net->tensors[output].width > INLINE_MOST;
    return apart && plan->steps[layer].form == FORM_LINE && kernel && kernel->shape == SHAPE_TILE &&
           plan_acts(plan, layer) && plan->views[output].type == TYPE_I32;
}

bool plan_acts(const struct plan *plan, int layer)
{
    bool words = plan->net->tensors[plan->net->layers[layer].output].type == TYPE_I32;
    switch (plan->net->layers[layer].activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: return !words && plan->steps[layer].clamps;
    case ACTIVATION_ABS:
    case ACTIVATION_LEAKY:
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return true;
    }
    return true;
}

bool plan_copies(const struct plan *plan, int layer)
{
    const struct layer *convert = &plan->net->layers[layer];
    return plan->steps[layer].form == FORM_LOOP && plan_identity(plan->net, convert) &&
           plan->views[convert->inputs[0]].type == plan->views[convert->output].type;
}
