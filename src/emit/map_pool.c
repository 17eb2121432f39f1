/* Max pools that the conv in front of them computes, so that what lies between both is never
 * stored: shift and clamp keep order, and the largest result is that of the largest sum. */
#include "emit/map.h"

/* ---- the plan ---- */

bool map_whole_windows(const struct net *net, const struct layer *pool)
{
    const struct window *w = &pool->window;
    int in = net->tensors[pool->inputs[0]].shape.rows;
    int out = net->tensors[pool->output].shape.rows;
    return w->top == 0 && (out - 1) * w->row_stride + w->rows <= in;
}

/* Is there a max pool alone behind a conv, whose windows lie side by side? */
static bool has_pool(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    const struct layer *layer = &net->layers[index];
    const struct layer *pool = layer + 1;
    int last = 0;
    return layer->op == OP_CONV && layer->groups <= 1 && index + 1 < net->layer_count &&
           pool->op == OP_MAXPOOL && pool->inputs[0] == layer->output &&
           layer->output != net->output && plan_readers(net, layer->output, &last) == 1 &&
           plan_clamps_only(layer->activation) && pool->window.rows == pool->window.row_stride &&
           pool->window.columns == pool->window.column_stride && pool->window.left == 0 &&
           pool->window.columns * net->tensors[pool->output].shape.columns <=
               net->tensors[layer->output].shape.columns &&
           map_whole_windows(net, pool);
}

/* Will the functions of map_across.c compute the conv, several positions at a time? */
static bool pools_rows(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct shape *out = &plan->net->tensors[layer[1].output].shape;
    return map_for_size(plan, index) && map_biases_fit(plan) &&
           map_coding(&layer->weights)->each > 1 && layer->window.column_stride == 1 &&
           out->columns * layer[1].window.columns > 1;
}

void map_plan_pools(struct plan *plan)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        plan->maps->rows[i].pooled =
            has_pool(plan, i) && (pools_rows(plan, i) || map_direct_pools(plan, i));
    }
}

/* ---- a conv and its pool as one ---- */

bool map_is_pooled(const struct plan *plan, int index)
{
    return index > 0 && plan->maps->rows[index - 1].pooled;
}

int map_next(const struct plan *plan, int index)
{
    return index + (plan->maps->rows[index].pooled ? 2 : 1);
}

int map_output(const struct plan *plan, int index)
{
    return plan->net->layers[map_next(plan, index) - 1].output;
}

int map_stride(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return layer->window.row_stride *
           (plan->maps->rows[index].pooled ? layer[1].window.row_stride : 1);
}

int map_reach(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct window *w = &layer->window;
    int reach = layer->op == OP_CONV ? w->row_dilation * (w->rows - 1) + 1 : w->rows;
    return plan->maps->rows[index].pooled ? reach + map_stride(plan, index) - w->row_stride : reach;
}
