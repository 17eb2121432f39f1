/* Where maps lie, and how rows of weights move over them. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

static int larger(int a, int b)
{
    return a > b ? a : b;
}

int64_t map_largest(const struct plan *plan, int tensor)
{
    int64_t high = 0;
    for (int j = 0; j < plan->net->tensors[tensor].width; j++) {
        struct interval range = plan->ranges[tensor][j];
        high = range.high > high ? range.high : high;
        if (range.low < 0) {
            return -1;
        }
    }
    return high;
}

/* ---- borders ---- */

/* What of a conv's windows lies outside of its input, along one axis. */
static void conv_ends(int in, int out, const int axis[4], int *before, int *behind)
{
    int kernel = axis[0];
    int stride = axis[1];
    int dilation = axis[2];
    int pad = axis[3];
    *before = pad;
    *behind = larger(0, (out - 1) * stride + dilation * (kernel - 1) - pad - (in - 1));
}

/* The same of a deconv, which looks back from its output. */
static void deconv_ends(int in, int out, const int axis[4], int *before, int *behind)
{
    int reach = axis[2] * (axis[0] - 1) - axis[3];
    *before = reach > 0 ? (reach + axis[1] - 1) / axis[1] : 0;
    *behind = larger(0, (out - 1 + axis[3]) / axis[1] - (in - 1));
}

static struct border border_of(const struct net *net, const struct layer *layer)
{
    struct border border = {0, 0, 0, 0};
    const struct window *w = &layer->window;
    const struct shape *in = &net->tensors[layer->inputs[0]].shape;
    const struct shape *out = &net->tensors[layer->output].shape;
    const int rows[4] = {w->rows, w->row_stride, w->row_dilation, w->top};
    const int columns[4] = {w->columns, w->column_stride, w->column_dilation, w->left};
    if (layer->op == OP_CONV) {
        conv_ends(in->rows, out->rows, rows, &border.top, &border.bottom);
        conv_ends(in->columns, out->columns, columns, &border.left, &border.right);
    } else if (layer->op == OP_DECONV) {
        deconv_ends(in->rows, out->rows, rows, &border.top, &border.bottom);
        deconv_ends(in->columns, out->columns, columns, &border.left, &border.right);
    }
    return border;
}

bool map_has_border(const struct border *border)
{
    return border->top || border->left || border->bottom || border->right;
}

/* The widest border that any reader of the tensor wants. */
static struct border widest_border(const struct net *net, int tensor)
{
    struct border widest = {0, 0, 0, 0};
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].inputs[0] == tensor) {
            struct border border = border_of(net, &net->layers[i]);
            widest.top = larger(widest.top, border.top);
            widest.left = larger(widest.left, border.left);
            widest.bottom = larger(widest.bottom, border.bottom);
            widest.right = larger(widest.right, border.right);
        }
    }
    return widest;
}

/* ---- views ---- */

static void lay_out(const struct net *net, int tensor, struct map_view *view)
{
    const struct shape *shape = &net->tensors[tensor].shape;
    const struct border *border = &view->border;
    view->column = view->packed ? shape->channels / 2 : shape->channels;
    view->row = (shape->columns + border->left + border->right) * view->column;
    view->size = (view->kept ? view->kept : shape->rows + border->top + border->bottom) * view->row;
}

/* Zeros of its border in front of a map's first element. */
static int zeros_before(const struct map_view *view)
{
    return view->border.top * view->row + view->border.left * view->column;
}

int map_first_element(const struct map_view *view)
{
    return view->offset - zeros_before(view);
}

/* The layer that writes a tensor, -1 for the input; the last that reads it. */
static int writer(const struct net *net, int tensor)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].output == tensor) {
            return i;
        }
    }
    return -1;
}

static void plan_views(struct plan *plan)
{
    const struct net *net = plan->net;
    for (int t = 0; t < net->tensor_count; t++) {
        struct map_view *view = &plan->maps->views[t];
        bool ends = t == net->output;
        *view = (struct map_view){.border = {0, 0, 0, 0}};
        view->border = ends ? view->border : widest_border(net, t);
        view->zeros = map_has_border(&view->border);
        view->packed = map_may_pack(plan, t);
        view->from_input = t == net->input && map_has_border(&view->border);
        view->home = ends                                   ? HOME_OUTPUT
                     : t == net->input && !view->from_input ? HOME_INPUT
                                                            : HOME_BUFFER;
        lay_out(net, t, view);
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (plan->maps->rows[i].pooled) {
            plan->maps->views[net->layers[i].output].nowhere = true;
        }
    }
}

/* Of the output of a layer in a stream the rows that its reader looks at; zeros above and below are
 * rows that come and go, too. */
static void keep_rows(struct plan *plan, int index)
{
    int output = map_output(plan, index);
    struct map_view *view = &plan->maps->views[output];
    view->fresh = map_reach(plan, map_next(plan, index)) - 1;
    view->kept = view->fresh + map_rows_at_once(plan, index);
    view->zeros = view->zeros || view->kept > 1;
    view->border.top = 0;
    view->border.bottom = 0;
    lay_out(plan->net, output, view);
}

/* A reshape in front of which and behind which no zeros lie only gives its input another name. */
static void plan_reshapes(struct plan *plan)
{
    const struct net *net = plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        const struct map_view *in = &plan->maps->views[layer->inputs[0]];
        struct map_view *out = &plan->maps->views[layer->output];
        if (layer->op == OP_RESHAPE && out->home == HOME_BUFFER && !map_has_border(&in->border) &&
            !map_has_border(&out->border)) {
            out->reshaped = true;
            out->home = in->home;
        }
    }
}

/* ---- places in the arrays ---- */

/* From the layer that writes a tensor, with all that share its elements, to the last that reads. */
struct life {
    int first;
    int last;
};

static int root_of(const struct plan *plan, int tensor)
{
    while (plan->maps->views[tensor].reshaped) {
        tensor = plan->net->layers[writer(plan->net, tensor)].inputs[0];
    }
    return tensor;
}

/* The layer up to which a layer reads its inputs: what runs as a loop of another one does it as
 * long as that, and where all of them are copied into lanes or lists that is done before anything
 * is written (but not before zeros around the output are). */
static int last_use(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    if (map_in_stream(plan, index)) {
        return plan->maps->streams[index].last;
    }
    bool runs_there = rows->direct && rows->direct->reader >= 0;
    int end = runs_there ? rows->direct->reader : index;
    const struct lanes *lanes = plan->maps->rows[end].lanes;
    bool copied = (lanes && !lanes->rolls && (runs_there || lanes->writer < 0)) || rows->planes > 0;
    int output = plan->net->layers[end].output;
    return copied && !map_has_border(&plan->maps->views[output].border) ? end - 1 : end;
}

static void find_lives(const struct plan *plan, struct life *lives)
{
    const struct net *net = plan->net;
    for (int t = 0; t < net->tensor_count; t++) {
        int first = writer(net, t);
        first = map_is_pooled(plan, first) ? first - 1 : first;
        lives[t] = (struct life){first < 0 ? first : plan->maps->streams[first].first, -1};
    }
    for (int i = 0; i < net->layer_count; i++) {
        for (int k = 0; k < net->layers[i].input_count; k++) {
            struct life *life = &lives[root_of(plan, net->layers[i].inputs[k])];
            life->last = larger(life->last, last_use(plan, i));
        }
    }
}

static bool same_array(enum type a, enum type b)
{
    return strcmp(c_type(a), c_type(b)) == 0;
}

static bool placed_beside(const struct plan *plan, const struct life *lives, int a, int b)
{
    const struct map_view *view = &plan->maps->views[b];
    return view->home == HOME_BUFFER && !view->reshaped && view->offset >= 0 &&
           same_array(plan->net->tensors[a].type, plan->net->tensors[b].type) &&
           lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
}

/* The lowest place that no tensor of the same time takes. */
static int free_place(const struct plan *plan, const struct life *lives, int tensor)
{
    int offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int t = 0; t < plan->net->tensor_count; t++) {
            const struct map_view *other = &plan->maps->views[t];
            if (t != tensor && placed_beside(plan, lives, tensor, t) &&
                offset < other->offset + other->size &&
                other->offset < offset + plan->maps->views[tensor].size) {
                offset = other->offset + other->size;
                moved = true;
            }
        }
    }
    return offset;
}

/* The largest tensor that has no place yet; -1: none. */
static int largest_left(const struct plan *plan)
{
    int best = -1;
    for (int t = 0; t < plan->net->tensor_count; t++) {
        const struct map_view *view = &plan->maps->views[t];
        bool needs = view->home == HOME_BUFFER && !view->reshaped && !view->in_lanes;
        if (needs && !view->nowhere && view->offset < 0 &&
            (best < 0 || view->size > plan->maps->views[best].size)) {
            best = t;
        }
    }
    return best;
}

/* The largest first; each at the lowest place that is free for as long as it is needed. */
static void plan_places(struct plan *plan)
{
    const struct net *net = plan->net;
    struct life lives[NET_TENSORS_MAX];
    struct map_view *views = plan->maps->views;
    find_lives(plan, lives);
    memset(plan->maps->arrays, 0, sizeof plan->maps->arrays);
    for (int t = 0; t < net->tensor_count; t++) {
        views[t].offset = views[t].home == HOME_BUFFER ? -1 : 0;
    }
    for (int t = largest_left(plan); t >= 0; t = largest_left(plan)) {
        int *array =
            &plan->maps->arrays[net->tensors[t].type == TYPE_U4 ? TYPE_U8 : net->tensors[t].type];
        views[t].offset = free_place(plan, lives, t);
        *array = larger(*array, views[t].offset + views[t].size);
    }
    for (int t = 0; t < net->tensor_count; t++) {
        views[t].offset = views[root_of(plan, t)].offset;
    }
    for (int t = 0; t < net->tensor_count; t++) {
        views[t].offset += zeros_before(&views[t]);
    }
}

/* ---- passes ---- */

/* Taps that touch each other are one; `each` elements are in one of the array. */
static void merge_taps(struct pass *pass, int each)
{
    for (int axis = 1; axis >= 0; axis--) {
        int *step = axis ? &pass->tap_column : &pass->tap_row;
        bool inner = axis == 1 || pass->taps[1] == 1;
        if (inner && (pass->taps[axis] == 1 || *step * each == pass->length)) {
            pass->length *= pass->taps[axis];
            pass->taps[axis] = 1;
        }
    }
}

static void conv_pass(const struct plan *plan, const struct layer *layer, struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    int index = (int)(layer - plan->net->layers);
    bool pooled = plan->maps->rows[index].pooled;
    const struct shape *out = &plan->net->tensors[map_output(plan, index)].shape;
    const struct window *w = &layer->window;
    *pass = (struct pass){.rows = out->rows,
                          .columns = out->columns * (pooled ? layer[1].window.columns : 1),
                          .out_row_step = 1,
                          .out_column_step = 1,
                          .in_offset = (in->kept ? 0 : -w->top * in->row) - w->left * in->column,
                          .in_row_step = in->kept ? 0 : map_stride(plan, index) * in->row,
                          .in_column_step = w->column_stride * in->column,
                          .taps = {w->rows, w->columns},
                          .tap_row = w->row_dilation * in->row,
                          .tap_column = w->column_dilation * in->column,
                          .length = layer->weights.columns / (w->rows * w->columns),
                          .values = layer->weights.values};
}

/* A dense layer is a window as large as its input. */
static void dense_pass(const struct plan *plan, const struct layer *layer, struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    const struct shape *shape = &plan->net->tensors[layer->inputs[0]].shape;
    *pass = (struct pass){.rows = 1,
                          .columns = 1,
                          .out_row_step = 1,
                          .out_column_step = 1,
                          .taps = {shape->rows, shape->columns},
                          .tap_row = in->row,
                          .tap_column = in->column,
                          .length = shape->channels,
                          .values = layer->weights.values};
}

/* Along one axis of a deconv: the output positions of a phase, and the kernel's elements that meet
 * them, from the last to the first, so that the input's go up. */
struct phase {
    int out_first;
    int outs;
    int tap_last;
    int tap_step;
    int taps;
    int in_first; /* input coordinate of tap_last at out_first */
    int in_step;  /* from tap to tap */
};

static struct phase phase_of(int phase, int out, const int axis[4])
{
    int stride = axis[1];
    int dilation = axis[2];
    int common = net_divisor(stride, dilation);
    struct phase p = {.tap_step = stride / common, .in_step = dilation / common};
    p.out_first = ((phase - axis[3]) % stride + stride) % stride;
    p.outs = p.out_first < out ? (out - p.out_first - 1) / stride + 1 : 0;
    p.tap_last = -1;
    for (int tap = 0; tap < axis[0]; tap++) {
        if ((tap * dilation - phase) % stride == 0) {
            p.tap_last = tap;
            p.taps++;
        }
    }
    if (p.taps > 0) {
        p.in_first = (p.out_first + axis[3] - p.tap_last * dilation) / stride;
    }
    return p;
}

/* The weights of a phase, in the order in which it meets them.  NULL: no memory. */
static const int16_t *phase_values(const struct plan *plan, const struct layer *layer,
                                   const struct phase *y, const struct phase *x)
{
    int own = layer->weights.columns / (layer->window.rows * layer->window.columns);
    size_t count = (size_t)layer->weights.rows * (size_t)(y->taps * x->taps * own);
    int16_t *values = arena_alloc(plan->arena, count + 1, sizeof *values);
    int16_t *to = values;
    for (int row = 0; values && row < layer->weights.rows; row++) {
        const int16_t *from = layer->weights.values + (size_t)row * (size_t)layer->weights.columns;
        for (int i = 0; i < y->taps * x->taps; i++) {
            int ky = y->tap_last - i / x->taps * y->tap_step;
            int kx = x->tap_last - i % x->taps * x->tap_step;
            memcpy(to, from + (size_t)(ky * layer->window.columns + kx) * (size_t)own,
                   (size_t)own * sizeof *to);
            to += own;
        }
    }
    return values;
}

static bool deconv_pass(const struct plan *plan, const struct layer *layer, const int phases[2],
                        struct pass *pass)
{
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    const struct shape *out = &plan->net->tensors[layer->output].shape;
    const struct window *w = &layer->window;
    const int rows[4] = {w->rows, w->row_stride, w->row_dilation, w->top};
    const int columns[4] = {w->columns, w->column_stride, w->column_dilation, w->left};
    struct phase y = phase_of(phases[0], out->rows, rows);
    struct phase x = phase_of(phases[1], out->columns, columns);
    bool none = y.taps == 0 || x.taps == 0;
    *pass = (struct pass){.rows = y.outs,
                          .columns = x.outs,
                          .out_row = y.out_first,
                          .out_column = x.out_first,
                          .out_row_step = w->row_stride,
                          .out_column_step = w->column_stride,
                          .in_offset = none ? 0 : y.in_first * in->row + x.in_first * in->column,
                          .in_row_step = none ? 0 : in->row,
                          .in_column_step = none ? 0 : in->column,
                          .taps = {y.taps, x.taps},
                          .tap_row = y.in_step * in->row,
                          .tap_column = x.in_step * in->column,
                          .length = layer->weights.columns / (w->rows * w->columns)};
    pass->values = phase_values(plan, layer, &y, &x);
    return pass->values != NULL;
}

static bool deconv_passes(const struct plan *plan, const struct layer *layer, struct map_rows *rows)
{
    int phase[2];
    for (phase[0] = 0; phase[0] < layer->window.row_stride; phase[0]++) {
        for (phase[1] = 0; phase[1] < layer->window.column_stride; phase[1]++) {
            struct pass *pass = &rows->passes[rows->pass_count];
            if (!deconv_pass(plan, layer, phase, pass)) {
                return false;
            }
            rows->pass_count += pass->rows > 0 && pass->columns > 0;
        }
    }
    return true;
}

static bool plan_passes(struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    struct map_rows *rows = &plan->maps->rows[index];
    int most = layer->op == OP_DECONV ? layer->window.row_stride * layer->window.column_stride : 1;
    rows->passes = arena_alloc(plan->arena, (size_t)most, sizeof *rows->passes);
    if (!rows->passes) {
        return false;
    }
    rows->coding = map_coding(&layer->weights);
    rows->group_rows = layer->groups > 1 ? layer->weights.rows / layer->groups : 0;
    rows->group_columns =
        layer->groups > 1 ? plan->net->tensors[layer->inputs[0]].shape.channels / layer->groups : 0;
    rows->pass_count = 1;
    if (layer->op == OP_CONV) {
        conv_pass(plan, layer, &rows->passes[0]);
    } else if (layer->op == OP_DENSE) {
        dense_pass(plan, layer, &rows->passes[0]);
    } else {
        rows->pass_count = 0;
        if (!deconv_passes(plan, layer, rows)) {
            return false;
        }
    }
    for (int i = 0; i < rows->pass_count; i++) {
        struct pass *pass = &rows->passes[i];
        merge_taps(pass, plan->maps->views[layer->inputs[0]].packed ? 2 : 1);
        (void)snprintf(pass->name, sizeof pass->name, rows->pass_count > 1 ? "%d_%d" : "%d",
                       plan->steps[index].number, i);
    }
    return true;
}

static bool plan_rows(struct plan *plan, int index)
{
    struct map_rows *rows = &plan->maps->rows[index];
    if (!plan_passes(plan, index) || !map_plan_lanes(plan, index)) {
        return false;
    }
    rows->sparse = map_fits_sparse(plan, index);
    rows->planes = map_planes(plan, index);
    return rows->lanes || map_plan_direct(plan, index);
}

static int64_t array_bytes(const struct map_plan *maps)
{
    static const int bytes[] = {1, 1, 2, 2, 4, 1}; /* of an element of each type */
    int64_t sum = 0;
    for (int type = TYPE_I8; type <= TYPE_U4; type++) {
        sum += (int64_t)bytes[type] * maps->arrays[type];
    }
    return sum;
}

int64_t map_lay_out(struct plan *plan, const bool links[NET_LAYERS_MAX])
{
    plan_views(plan);
    plan_reshapes(plan);
    map_link(plan, links);
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (links[i]) {
            keep_rows(plan, i);
        }
    }
    plan_places(plan);
    return array_bytes(plan->maps);
}

bool map_plan(struct plan *plan)
{
    const struct net *net = plan->net;
    plan->maps = arena_alloc(plan->arena, 1, sizeof *plan->maps);
    if (!plan->maps) {
        return false;
    }
    plan->maps->views =
        arena_alloc(plan->arena, (size_t)net->tensor_count, sizeof(struct map_view));
    plan->maps->rows = arena_alloc(plan->arena, (size_t)net->layer_count, sizeof(struct map_rows));
    plan->maps->streams = arena_alloc(plan->arena, (size_t)net->layer_count, sizeof(struct stream));
    if (!plan->maps->views || !plan->maps->rows || !plan->maps->streams) {
        return false;
    }
    map_plan_pools(plan);
    map_plan_streams(plan);
    for (int t = 0; t < net->tensor_count; t++) {
        if (plan->maps->views[t].size > INT16_MAX) {
            plan->index = "int32_t";
        }
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (op_has_rows(net->layers[i].op) && !plan_rows(plan, i)) {
            return false;
        }
    }
    map_fuse(plan);
    plan_places(plan);
    map_plan_walkers(plan);
    return true;
}
