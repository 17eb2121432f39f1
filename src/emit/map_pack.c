/* Maps of 4-bit elements, two to a byte: for size, where the functions of map_across.c write and
 * read them, and between convs in lanes, where that makes the array smaller.  Channels are even, so
 * that each position begins with a byte of its own.
 *
 * A result pushes the one before it into the lower half of its byte: what was there need not be
 * known, but must have been written.  So the array begins with zeros, or such a map of lanes does.
 */
#include "emit/map.h"

/* Is a layer one for size, of weights that share bytes, without groups? */
static bool shares_bytes(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return map_for_size(plan, index) && op_has_rows(layer->op) && layer->groups <= 1 &&
           map_coding(&layer->weights)->each > 1;
}

static bool written_in_rows(const struct plan *plan, int tensor)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (shares_bytes(plan, i) && map_output(plan, i) == tensor) {
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
            in_rows = in_rows && (layer->inputs[k] != tensor || shares_bytes(plan, i));
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
    return tensor != net->input && tensor != net->output && net->tensors[tensor].type == TYPE_U4 &&
           net->tensors[tensor].shape.channels % 2 == 0 && written_in_rows(plan, tensor) &&
           read_in_rows(plan, tensor) && map_biases_fit(plan);
}

/* ---- for a conv in lanes ---- */

/* Is each position computed once?  Parts, and tiles, may overlap. */
static bool computes_once(const struct lanes *lanes, const struct shape *out)
{
    return lanes->part_rows[0] * lanes->rows == out->rows &&
           lanes->part_columns[0] * lanes->columns == out->columns &&
           lanes->tiles[0] * lanes->tile[0] == lanes->rows &&
           lanes->tiles[1] * lanes->tile[1] == lanes->columns;
}

/* Does a layer in lanes write the tensor, and nothing but such layers read it from there? */
bool map_may_pair(const struct plan *plan, int tensor)
{
    const struct net *net = plan->net;
    bool may = tensor != net->input && tensor != net->output &&
               net->tensors[tensor].type == TYPE_U4 &&
               net->tensors[tensor].shape.channels % 2 == 0 && map_written_in_lanes(plan, tensor);
    for (int i = 0; may && i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        const struct lanes *lanes = plan->maps->rows[i].lanes;
        for (int k = 0; k < layer->input_count; k++) {
            may = may && (layer->inputs[k] != tensor || (lanes && lanes->writer < 0));
        }
        may = may &&
              (layer->output != tensor ||
               (map_lanes_bits(plan, i) == 4 && computes_once(lanes, &net->tensors[tensor].shape)));
    }
    return may;
}

bool map_written_in_lanes(const struct plan *plan, int tensor)
{
    int writer = map_writer(plan->net, tensor);
    return writer >= 0 && plan->maps->rows[writer].lanes;
}

bool map_begins_with_zeros(const struct plan *plan)
{
    bool begins = false;
    for (int t = 0; t < plan->net->tensor_count; t++) {
        begins = begins || (plan->maps->views[t].packed && !map_written_in_lanes(plan, t));
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
