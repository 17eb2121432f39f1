#include "emit/plan.h"
#include "emit/print.h"

#include <string.h>

/* ---- bounds ---- */

static int64_t shift_down(int64_t value, int shift)
{
    return value < 0 ? -1 - ((-1 - value) >> shift) : value >> shift;
}

/* What an activation lets through unchanged, before it bends the rest (SPEC 5). */
static struct interval kept_range(enum activation activation, enum type type)
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

static bool inside(struct interval range, struct interval limit)
{
    return range.low >= limit.low && range.high <= limit.high;
}

static bool plan_dense(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    const struct interval *in = plan->ranges[layer->inputs[0]];
    struct interval kept = kept_range(layer->activation, plan->net->tensors[layer->output].type);
    step->bounds = arena_alloc(plan->arena, (size_t)layer->weights.rows, sizeof *step->bounds);
    for (int i = 0; step->bounds && i < layer->weights.rows; i++) {
        struct interval z = net_row_range(layer, i, in);
        z.low = shift_down(z.low, layer->shift[i]);
        z.high = shift_down(z.high, layer->shift[i]);
        step->clamps = step->clamps || !inside(z, kept);
        step->bounds[i] = net_row_bound(layer, i, in);
        step->worst = step->bounds[i] > step->bounds[step->worst] ? i : step->worst;
    }
    return step->bounds != NULL;
}

static void plan_convert(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval *in = plan->ranges[layer->inputs[0]];
    enum type type = plan->net->tensors[layer->output].type;
    struct interval limit = {type_low(type), type_high(type)};
    for (int j = 0; j < plan->net->tensors[layer->output].width; j++) {
        int64_t scale = (int64_t)1 << layer->shift[j];
        struct interval y = {(in[j].low - layer->zero[j]) * scale,
                             (in[j].high - layer->zero[j]) * scale};
        plan->steps[index].clamps = plan->steps[index].clamps || !inside(y, limit);
    }
}

static void plan_add(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct interval limit = {type_low(type), type_high(type)};
    for (int j = 0; j < plan->net->tensors[layer->output].width; j++) {
        struct interval sum = {0, 0};
        for (int k = 0; k < layer->input_count; k++) {
            sum.low += plan->ranges[layer->inputs[k]][j].low;
            sum.high += plan->ranges[layer->inputs[k]][j].high;
        }
        plan->steps[index].clamps = plan->steps[index].clamps || !inside(sum, limit);
    }
}

/* The numbers per row of a dense or convert layer, named by a letter. */
static void plan_series(struct plan *plan, int index, char first, char second)
{
    const struct layer *layer = &plan->net->layers[index];
    struct step *step = &plan->steps[index];
    int rows = plan->net->tensors[layer->output].width;
    struct numbers numbers = {.i32 = layer->op == OP_CONVERT ? layer->zero : layer->bias};
    step->bias = series_of(first, step->number, numbers, rows);
    step->shift = series_of(second, step->number, (struct numbers){.u8 = layer->shift}, rows);
}

/* Numbers, bounds and clamps of every layer. */
static bool plan_steps(struct plan *plan)
{
    int dense = 0;
    int convert = 0;
    plan->worst_layer = -1;
    for (int i = 0; i < plan->net->layer_count; i++) {
        struct step *step = &plan->steps[i];
        switch (plan->net->layers[i].op) {
        case OP_CONVERT:
            step->number = ++convert;
            plan_convert(plan, i);
            plan_series(plan, i, 'z', 's');
            break;
        case OP_DENSE:
            step->number = ++dense;
            plan_series(plan, i, 'b', 'k');
            if (!plan_dense(plan, i)) {
                return false;
            }
            if (plan->worst_layer < 0 ||
                step->bounds[step->worst] >
                    plan->steps[plan->worst_layer].bounds[plan->steps[plan->worst_layer].worst]) {
                plan->worst_layer = i;
            }
            break;
        case OP_ADD: plan_add(plan, i); break;
        case OP_CONCAT: break;
        }
    }
    return true;
}

/* ---- kernels ---- */

static size_t weights_not_zero(const struct layer *layer)
{
    size_t count = (size_t)layer->weights.rows * (size_t)layer->weights.columns;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += layer->weights.values[i] != 0;
    }
    return found;
}

/* How often layers read a tensor, and the last layer that does. */
static int readers(const struct net *net, int tensor, int *last)
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

static bool is_identity(const struct net *net, const struct layer *layer)
{
    int width = net->tensors[layer->output].width;
    bool same = net->tensors[layer->inputs[0]].type == net->tensors[layer->output].type;
    for (int j = 0; same && j < width; j++) {
        same = layer->zero[j] == 0 && layer->shift[j] == 0;
    }
    return same;
}

static enum kernel dense_kernel(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    const struct layer *layer = &net->layers[index];
    int last = 0;
    if (net->tensors[layer->output].type == TYPE_I32 && layer->output != net->output &&
        readers(net, layer->output, &last) == 1 && net->layers[last].op == OP_ADD) {
        return KERNEL_FUSED;
    }
    return plan->steps[index].line ? KERNEL_LINE : KERNEL_LOOP;
}

static bool any_line_term(const struct plan *plan, const struct layer *add)
{
    for (int k = 0; k < add->input_count; k++) {
        int fused = plan_fused(plan, add->inputs[k]);
        if (fused >= 0 && plan->steps[fused].line) {
            return true;
        }
    }
    return false;
}

static void plan_kernels(struct plan *plan)
{
    const struct net *net = plan->net;
    bool speed = plan->options->optimise == OPTIMISE_SPEED;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        struct step *step = &plan->steps[i];
        bool narrow = net->tensors[layer->output].width <= LINE_WIDTH_MAX;
        switch (layer->op) {
        case OP_CONVERT: step->kernel = speed && narrow ? KERNEL_LINE : KERNEL_LOOP; break;
        case OP_DENSE:
            step->line = speed && weights_not_zero(layer) <= LINE_WEIGHTS_MAX &&
                         layer->weights.rows <= LINE_WEIGHTS_MAX;
            step->kernel = dense_kernel(plan, i);
            break;
        case OP_ADD:
            step->kernel =
                (speed && narrow) || any_line_term(plan, layer) ? KERNEL_LINE : KERNEL_LOOP;
            break;
        case OP_CONCAT: step->kernel = KERNEL_LOOP; break;
        }
    }
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
            step->kernel = KERNEL_DEAD;
            continue;
        }
        bool reads = !step->line || weights_not_zero(layer) > 0;
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
            return plan->steps[i].kernel == KERNEL_FUSED ? i : -1;
        }
    }
    return -1;
}

enum type plan_weight_type(const struct layer *layer)
{
    return layer->weights.bits <= 8 ? TYPE_I8 : TYPE_I16;
}

/* ---- memory ---- */

/* Tensors that share one array: each belongs to a root, `offset` elements behind its start. */
struct group {
    int root;
    int offset;
    int first; /* root: the step that writes it first */
    int last;  /* root: the step that reads it last */
};

/* When a layer's statement stands: a fused layer's is inside its add. */
static int time_of(const struct plan *plan, int layer)
{
    int last = layer;
    if (plan->steps[layer].kernel == KERNEL_FUSED) {
        (void)readers(plan->net, plan->net->layers[layer].output, &last);
    }
    return last;
}

/* May `tensor` be written straight into its place in the concat that reads it? */
static bool lies_in_concat(const struct plan *plan, const struct group *groups, int tensor)
{
    const struct net *net = plan->net;
    int times = 0;
    for (int i = 0; i < net->layer_count; i++) {
        for (int k = 0; net->layers[i].op == OP_CONCAT && k < net->layers[i].input_count; k++) {
            times += net->layers[i].inputs[k] == tensor;
        }
    }
    return times == 1 && tensor != net->output && groups[tensor].root == tensor &&
           tensor != net->input;
}

/* Views: identity conversions of the input, and concats whose inputs lie in place. */
static void join_groups(struct plan *plan, struct group *groups)
{
    const struct net *net = plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (layer->op == OP_CONVERT && layer->inputs[0] == net->input &&
            layer->output != net->output && plan->steps[i].kernel != KERNEL_DEAD &&
            is_identity(net, layer)) {
            groups[layer->output].root = net->input;
            plan->steps[i].kernel = KERNEL_VIEW;
        }
    }
    for (int i = net->layer_count - 1; i >= 0; i--) {
        const struct layer *layer = &net->layers[i];
        int offset = 0;
        bool all = layer->op == OP_CONCAT;
        for (int k = 0; layer->op == OP_CONCAT && k < layer->input_count; k++) {
            int tensor = layer->inputs[k];
            if (lies_in_concat(plan, groups, tensor)) {
                groups[tensor].root = groups[layer->output].root;
                groups[tensor].offset = groups[layer->output].offset + offset;
            } else {
                all = false;
            }
            offset += net->tensors[tensor].width;
        }
        if (all && plan->steps[i].kernel != KERNEL_DEAD) {
            plan->steps[i].kernel = KERNEL_VIEW;
        }
    }
}

/* Is `tensor` read, and only by straight-line code?  Then 32-bit elements are the fastest. */
static bool wants_words(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    if (tensor == net->output || tensor == net->input ||
        plan->options->optimise != OPTIMISE_SPEED) {
        return false;
    }
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        for (int k = 0; k < layer->input_count; k++) {
            bool reads = layer->inputs[k] == tensor && layer->op != OP_CONCAT;
            if (reads && !plan->steps[i].line && plan->steps[i].kernel != KERNEL_LINE) {
                return false;
            }
        }
    }
    return true;
}

/* Element type of each root's array: the tensors' own, or words if all of them want that. */
static void choose_types(struct plan *plan, const struct group *groups)
{
    const struct net *net = plan->net;
    bool words[NET_TENSORS_MAX];
    memset(words, 1, sizeof words);
    for (int pass = 0; pass < net->tensor_count; pass++) {
        bool changed = false;
        for (int t = 0; t < net->tensor_count; t++) {
            int root = groups[t].root;
            if (words[root] && !wants_words(plan, t)) {
                words[root] = false;
                changed = true;
            }
        }
        for (int i = 0; i < net->layer_count; i++) {
            const struct layer *layer = &net->layers[i];
            for (int k = 0; layer->op == OP_CONCAT && k < layer->input_count; k++) {
                bool *in = &words[groups[layer->inputs[k]].root];
                bool *out = &words[groups[layer->output].root];
                changed = changed || *in != *out;
                *in = *out = *in && *out;
            }
        }
        if (!changed) {
            break;
        }
    }
    for (int t = 0; t < net->tensor_count; t++) {
        plan->views[t].type = words[groups[t].root] ? TYPE_I32 : net->tensors[t].type;
    }
}

/* First write and last read of each root, in steps. */
static void live_ranges(const struct plan *plan, struct group *groups)
{
    const struct net *net = plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (plan->steps[i].kernel == KERNEL_DEAD) {
            continue;
        }
        int when = time_of(plan, i);
        struct group *out = &groups[groups[layer->output].root];
        out->first = when < out->first ? when : out->first;
        out->last = when > out->last ? when : out->last;
        for (int k = 0; k < layer->input_count; k++) {
            struct group *in = &groups[groups[layer->inputs[k]].root];
            in->last = when > in->last ? when : in->last;
        }
    }
}

static void name_buffer(struct plan *plan, int buffer, bool readings)
{
    static const char letters[] = "abcdefghlmpqrtu";
    char *name = plan->buffers[buffer].name;
    bool taken = false;
    int letter = 0;
    for (int i = 0; i < buffer; i++) {
        bool is_x = strcmp(plan->buffers[i].name, "x") == 0;
        taken = taken || is_x;
        letter += !is_x;
    }
    if (readings && !taken) {
        memcpy(name, "x", 2);
    } else if (letter < (int)sizeof letters - 1) {
        name[0] = letters[letter];
    } else {
        name[0] = 'a';
        name[1] = (char)('0' + letter / 100 % 10);
        name[2] = (char)('0' + letter / 10 % 10);
        name[3] = (char)('0' + letter % 10);
    }
}

/* A buffer for `root`: the tightest free one of its type, else the largest free one, which
 * grows, else a new one. */
static int take_buffer(struct plan *plan, int root, int width, const int *busy, int now)
{
    int best = -1;
    for (int i = 0; i < plan->buffer_count; i++) {
        const struct buffer *buffer = &plan->buffers[i];
        if (busy[i] >= now || buffer->type != plan->views[root].type) {
            continue;
        }
        int have = buffer->width;
        int held = best < 0 ? 0 : plan->buffers[best].width;
        if (best < 0 || (have >= width ? held < width || have < held : have > held)) {
            best = i;
        }
    }
    if (best < 0) {
        best = plan->buffer_count++;
        plan->buffers[best].type = plan->views[root].type;
    }
    if (plan->buffers[best].width < width) {
        plan->buffers[best].width = width;
    }
    return best;
}

static void place_root(struct plan *plan, const struct group *groups, int root, int *busy)
{
    const struct net *net = plan->net;
    struct view *view = &plan->views[root];
    int count = plan->buffer_count;
    view->home = HOME_BUFFER;
    view->buffer = take_buffer(plan, root, net->tensors[root].width, busy, groups[root].first);
    busy[view->buffer] = groups[root].last;
    if (plan->buffer_count > count) {
        bool readings = false;
        for (int i = 0; i < net->layer_count; i++) {
            readings =
                readings || (net->layers[i].output == root && net->layers[i].op == OP_CONVERT);
        }
        name_buffer(plan, view->buffer, readings);
    }
}

static bool is_fused(const struct plan *plan, int tensor)
{
    return plan_fused(plan, tensor) >= 0;
}

static void plan_memory(struct plan *plan)
{
    const struct net *net = plan->net;
    struct group groups[NET_TENSORS_MAX];
    int busy[NET_TENSORS_MAX];
    for (int t = 0; t < net->tensor_count; t++) {
        groups[t] = (struct group){.root = t, .first = NET_LAYERS_MAX, .last = -1};
    }
    join_groups(plan, groups);
    choose_types(plan, groups);
    live_ranges(plan, groups);
    for (int now = 0; now < net->layer_count; now++) {
        for (int t = 0; t < net->tensor_count; t++) {
            bool mine = groups[t].root == t && groups[t].first == now && t != net->output &&
                        t != net->input && !is_fused(plan, t);
            if (mine) {
                place_root(plan, groups, t, busy);
            }
        }
    }
    plan->views[net->input].home = HOME_INPUT;
    plan->views[net->output].home = HOME_OUTPUT;
    for (int t = 0; t < net->tensor_count; t++) {
        enum type type = plan->views[t].type;
        plan->views[t] = plan->views[groups[t].root];
        plan->views[t].type = type;
        plan->views[t].offset = groups[t].offset;
    }
}

/* ---- all of it ---- */

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

static bool plan_fill(struct plan *plan)
{
    plan_names(plan);
    if (!net_ranges(plan->net, plan->arena, plan->ranges) || !plan_steps(plan)) {
        return false;
    }
    plan_kernels(plan);
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
        plan->ranges = arena_alloc(arena, tensors, sizeof(struct interval *));
        plan->steps = arena_alloc(arena, (size_t)net->layer_count, sizeof *plan->steps);
        plan->views = arena_alloc(arena, tensors, sizeof *plan->views);
        plan->buffers = arena_alloc(arena, tensors, sizeof *plan->buffers);
    }
    if (!plan || !plan->ranges || !plan->steps || !plan->views || !plan->buffers ||
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
    return plan->steps[layer].kernel == KERNEL_LOOP && is_identity(plan->net, convert) &&
           plan->views[convert->inputs[0]].type == plan->views[convert->output].type;
}
