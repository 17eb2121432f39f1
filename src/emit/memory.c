/* Where tensors live: views into the input, the output and local arrays, which are used again
 * once nothing reads them any more. */
#include "emit/kernel.h"

#include <string.h>

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
    if (plan->steps[layer].form == FORM_FUSED) {
        (void)plan_readers(plan->net, plan->net->layers[layer].output, &last);
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
            layer->output != net->output && plan->steps[i].form != FORM_DEAD &&
            plan_identity(net, layer)) {
            groups[layer->output].root = net->input;
            plan->steps[i].form = FORM_VIEW;
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
        if (all && plan->steps[i].form != FORM_DEAD) {
            plan->steps[i].form = FORM_VIEW;
        }
    }
}

/* Are 32-bit elements the fastest for this reader? */
static bool reads_words(const struct plan *plan, int index)
{
    bool words = plan->net->layers[index].op != OP_DENSE || plan->steps[index].choice_count == 0;
    if (words) {
        return plan->steps[index].form == FORM_LINE;
    }
    const struct choice *choice = plan_choice(plan, index);
    words = true;
    for (int i = 0; i < choice->span_count; i++) {
        words = words && choice->spans[i].kernel->words;
    }
    return words;
}

/* Does this dense layer read unsigned bytes as fast as words? */
static bool reads_bytes(const struct plan *plan, int index)
{
    const struct choice *choice = plan_choice(plan, index);
    bool bytes = true;
    for (int i = 0; i < choice->span_count; i++) {
        bytes = bytes && choice->spans[i].kernel->bytes;
    }
    return bytes;
}

/* Is `tensor` read, and only by code that is fastest on 32-bit elements? */
static bool wants_words(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    if (tensor == net->output || tensor == net->input || plan->machine->word < 32 ||
        plan->options->optimise == OPTIMISE_SIZE) {
        return false;
    }
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        for (int k = 0; k < layer->input_count; k++) {
            bool reads = layer->inputs[k] == tensor && layer->op != OP_CONCAT;
            if (reads && !reads_words(plan, i)) {
                return false;
            }
        }
    }
    return true;
}

/* Is every element of `tensor` an unsigned byte, whatever its type? */
static bool holds_bytes(const struct plan *plan, int tensor)
{
    bool bytes = true;
    for (int j = 0; bytes && j < plan->net->tensors[tensor].width; j++) {
        struct interval range = plan->ranges[tensor][j];
        bytes = range.low >= 0 && range.high <= UINT8_MAX;
    }
    return bytes;
}

/* Would unsigned bytes serve all its readers as well as words?  They take a quarter of the stack;
 * compilers for larger cores keep more of words in registers. */
static bool wants_bytes(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    bool bytes = !plan->machine->wide && holds_bytes(plan, tensor);
    for (int i = 0; bytes && i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        for (int k = 0; bytes && k < layer->input_count; k++) {
            bool reads = layer->inputs[k] == tensor;
            bytes = !reads || (layer->op == OP_DENSE && reads_bytes(plan, i));
        }
    }
    return bytes;
}

/* Are there bytes that all readers would rather have as 16 bits? */
static bool wants_shorts(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    enum type type = net->tensors[tensor].type;
    bool shorts =
        tensor != net->output && tensor != net->input && (type == TYPE_I8 || type == TYPE_U8);
    for (int i = 0; shorts && i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        bool reads = false;
        for (int k = 0; k < layer->input_count; k++) {
            reads = reads || layer->inputs[k] == tensor;
        }
        shorts = !reads || (layer->op == OP_DENSE && plan->steps[i].choice_count > 0 &&
                            plan_choice(plan, i)->kernel->shorts);
    }
    return shorts;
}

/* A concat's array and those it is copied from must be alike; true if `words` changed. */
static bool settle_concats(const struct plan *plan, const struct group *groups, bool *words)
{
    const struct net *net = plan->net;
    bool changed = false;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        for (int k = 0; layer->op == OP_CONCAT && k < layer->input_count; k++) {
            bool *in = &words[groups[layer->inputs[k]].root];
            bool *out = &words[groups[layer->output].root];
            changed = changed || *in != *out;
            *in = *out = *in && *out;
        }
    }
    return changed;
}

/* Does nothing else share this tensor's array, and is it read? */
static bool stands_alone(const struct plan *plan, const struct group *groups, int tensor)
{
    int last = 0;
    bool alone = plan_readers(plan->net, tensor, &last) > 0;
    for (int t = 0; alone && t < plan->net->tensor_count; t++) {
        alone = (groups[t].root == tensor) == (t == tensor);
    }
    return alone;
}

/* Element type of each root's array: the tensors' own, or words if all of them want that. */
static void choose_types(struct plan *plan, const struct group *groups)
{
    const struct net *net = plan->net;
    bool words[NET_TENSORS_MAX];
    memset(words, 1, sizeof words);
    for (int t = 0; t < net->tensor_count; t++) {
        bool *root = &words[groups[t].root];
        *root = *root && wants_words(plan, t);
    }
    while (settle_concats(plan, groups, words)) {
    }
    for (int t = 0; t < net->tensor_count; t++) {
        bool alone = stands_alone(plan, groups, t);
        enum type wide = alone && wants_bytes(plan, t) ? TYPE_U8 : TYPE_I32;
        enum type own = alone && wants_shorts(plan, t) ? TYPE_I16 : net->tensors[t].type;
        plan->views[t].type = words[groups[t].root] ? wide : own;
    }
}

/* First write and last read of each root, in steps. */
static void live_ranges(const struct plan *plan, struct group *groups)
{
    const struct net *net = plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (plan->steps[i].form == FORM_DEAD) {
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

/* x for readings, then a, b, c: names that the tables w1, b1, k1 and the scalars s0, y0, v leave
 * free. */
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

/* A home for `root` until its last reader is done; a new buffer gets its name here. */
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

/* Buffers for the roots that the step `now` writes first. */
static void place_roots(struct plan *plan, const struct group *groups, int now, int *busy)
{
    const struct net *net = plan->net;
    for (int t = 0; t < net->tensor_count; t++) {
        bool mine = groups[t].root == t && groups[t].first == now;
        if (mine && t != net->output && t != net->input && plan_fused(plan, t) < 0) {
            place_root(plan, groups, t, busy);
        }
    }
}

void plan_memory(struct plan *plan)
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
        place_roots(plan, groups, now, busy);
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
