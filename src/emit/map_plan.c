/* Where maps lie, and how rows of weights move over them. */
#include "emit/map.h"

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
int map_zeros_before(const struct map_view *view)
{
    return view->border.top * view->row + view->border.left * view->column;
}

int map_first_element(const struct map_view *view)
{
    return view->offset - map_zeros_before(view);
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

/* ---- layers ---- */

bool map_for_size(const struct plan *plan, int layer)
{
    return plan->maps->goals[layer] == OPTIMISE_SIZE;
}

/* A layer without weights goes with the one behind it that has some. */
static bool plan_goals(struct plan *plan)
{
    const struct net *net = plan->net;
    const struct emit_options *options = plan->options;
    enum optimise goal = options->optimise;
    int left = options->layers ? net_row_layers(net) : 0;
    plan->maps->goals = arena_alloc(plan->arena, (size_t)net->layer_count, sizeof goal);
    for (int i = net->layer_count - 1; plan->maps->goals && i >= 0; i--) {
        if (left > 0 && op_has_rows(net->layers[i].op)) {
            goal = options->layers[--left];
        }
        plan->maps->goals[i] = goal;
    }
    return plan->maps->goals;
}

static bool plan_rows(struct plan *plan, int index)
{
    struct map_rows *rows = &plan->maps->rows[index];
    if (!map_plan_passes(plan, index) || !map_plan_lanes(plan, index)) {
        return false;
    }
    rows->sparse = map_fits_sparse(plan, index);
    rows->planes = map_planes(plan, index);
    return rows->lanes || map_plan_direct(plan, index);
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
    map_plan_places(plan);
    return map_array_bytes(plan);
}

/* Two elements of a map to a byte, or not; false when out of memory. */
static bool pair(struct plan *plan, int tensor, bool packed)
{
    const struct net *net = plan->net;
    struct map_view *view = &plan->maps->views[tensor];
    view->packed = packed;
    lay_out(net, tensor, view);
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].inputs[0] == tensor && !map_plan_passes(plan, i)) {
            return false;
        }
    }
    map_plan_places(plan);
    return true;
}

/* Would the arrays be smaller with a map two elements to a byte?  Then it stays so.  False when out
 * of memory. */
static bool try_pair(struct plan *plan, int tensor, bool *smaller)
{
    int64_t bytes = map_array_bytes(plan);
    if (plan->maps->views[tensor].packed || !map_may_pair(plan, tensor)) {
        return true;
    }
    if (!pair(plan, tensor, true)) {
        return false;
    }
    bool less = map_array_bytes(plan) < bytes;
    *smaller = *smaller || less;
    return less || pair(plan, tensor, false);
}

/* Maps between convs in lanes, until none makes the arrays smaller. */
static bool plan_pairs(struct plan *plan)
{
    map_plan_places(plan);
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (int t = 0; t < plan->net->tensor_count; t++) {
            if (!try_pair(plan, t, &smaller)) {
                return false;
            }
        }
    }
    return true;
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
    if (!plan->maps->views || !plan->maps->rows || !plan->maps->streams || !plan_goals(plan)) {
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
    bool good = plan_pairs(plan);
    map_plan_walkers(plan);
    return good;
}
