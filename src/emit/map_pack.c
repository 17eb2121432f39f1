/* Maps of 4-bit elements, two to a byte, for size: where the functions of map_across.c write and
 * read them.  Channels are even, so that each position begins with a byte of its own.
 *
 * A result pushes the one before it into the lower half of its byte: what was there need not be
 * known, but must have been written.  So the array begins with zeros. */
#include "emit/map.h"

/* Is a layer one of weights that share bytes, without groups? */
static bool shares_bytes(const struct layer *layer)
{
    return op_has_rows(layer->op) && layer->groups <= 1 && map_coding(&layer->weights)->each > 1;
}

static bool written_in_rows(const struct plan *plan, int tensor)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        if (shares_bytes(layer) && map_output(plan, i) == tensor) {
            return true;
        }
    }
    return false;
}

static bool read_in_rows(const struct plan *plan, int tensor)
{
    bool in_rows = true;
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        for (int k = 0; k < layer->input_count; k++) {
            in_rows = in_rows && (layer->inputs[k] != tensor || shares_bytes(layer));
        }
    }
    return in_rows;
}

bool map_biases_fit(const struct plan *plan)
{
    bool fit = true;
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        fit = fit && (!op_has_rows(layer->op) || map_bias_bits(layer) <= BIAS_BITS_MOST);
    }
    return fit;
}

bool map_may_pack(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    return plan->options->optimise == OPTIMISE_SIZE && tensor != net->input &&
           tensor != net->output && net->tensors[tensor].type == TYPE_U4 &&
           net->tensors[tensor].shape.channels % 2 == 0 && written_in_rows(plan, tensor) &&
           read_in_rows(plan, tensor) && map_biases_fit(plan);
}

bool map_begins_with_zeros(const struct plan *plan)
{
    bool begins = false;
    for (int t = 0; t < plan->net->tensor_count; t++) {
        begins = begins || plan->maps->views[t].packed;
    }
    return begins;
}

bool map_finds_zeros(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    int writer = 0;
    while (writer < net->layer_count && map_output(plan, writer) != tensor) {
        writer++;
    }
    bool early = tensor == net->input ||
                 (writer < net->layer_count && plan->maps->streams[writer].first == 0);
    return early && map_begins_with_zeros(plan) && map_array_type(plan, tensor) == TYPE_U8 &&
           plan->maps->views[tensor].home == HOME_BUFFER;
}
