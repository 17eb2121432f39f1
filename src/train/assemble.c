/* From a trained chain of integer layers to the net that everything behind training reads. */
#include "train/problem.h"

#include <inttypes.h>
#include <stdio.h>

/* Append a dense layer that reads tensor `from`; its output tensor, -1 when out of memory. */
static int add_dense(struct net *net, const struct fixed_dense *dense, int from, enum type type)
{
    int to = net_add_tensor(net, type, dense->rows);
    struct layer layer = {
        .op = OP_DENSE,
        .inputs = {from},
        .input_count = 1,
        .output = to,
        .activation = dense->activation,
        .weights = {dense->bits, dense->rows, dense->columns, dense->weights, false},
        .bias = dense->bias,
        .shift = dense->shift};
    return to >= 0 && net_add_layer(net, &layer) ? to : -1;
}

static int add_input(struct net *net, const struct problem *p)
{
    net->input = net_add_tensor(net, p->in_type, p->inputs);
    if (net->input < 0 || !p->converts) {
        return net->input;
    }
    int to = net_add_tensor(net, p->dense_type, p->inputs);
    struct layer layer = {.op = OP_CONVERT,
                          .inputs = {net->input},
                          .input_count = 1,
                          .output = to,
                          .zero = p->zero,
                          .shift = p->shift};
    return to >= 0 && net_add_layer(net, &layer) ? to : -1;
}

/* The chain; with a skip both its ends stay int32 until one saturating sum (SPEC 6). */
static bool add_chain(struct net *net, const struct problem *p, const struct fixed *fixed)
{
    int input = add_input(net, p);
    int from = input;
    for (int i = 0; i < fixed->layer_count && from >= 0; i++) {
        bool last = i + 1 == fixed->layer_count;
        enum type type = !last ? p->hidden_type : fixed->has_skip ? TYPE_I32 : p->out_type;
        from = add_dense(net, &fixed->layers[i], from, type);
    }
    if (fixed->has_skip && from >= 0) {
        int skip = add_dense(net, &fixed->skip, input, TYPE_I32);
        int to = net_add_tensor(net, p->out_type, p->outputs);
        struct layer layer = {.op = OP_ADD, .inputs = {from, skip}, .input_count = 2, .output = to};
        from = skip >= 0 && to >= 0 && net_add_layer(net, &layer) ? to : -1;
    }
    net->output = from;
    return from >= 0;
}

static bool set_origin(struct net *net, const struct problem *p,
                       const struct train_options *options, const char *method)
{
    char hash[17];
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, p->data->hash);
    struct provenance provenance = {.options = options->options_text ? options->options_text : "",
                                    .data_hash = hash,
                                    .method = method};
    return net_set_provenance(net, &provenance);
}

struct net *problem_net(const struct problem *p, const struct fixed *fixed,
                        const struct train_options *options, const char *method, struct error *err)
{
    struct net *net = net_new(options->name ? options->name : "net");
    if (!net || !add_chain(net, p, fixed) ||
        !net_set_channels(net, p->in_channels, p->out_channels) ||
        (p->task == TASK_CLASSIFICATION &&
         !net_set_classes(net, p->data->classes, p->data->label)) ||
        !set_origin(net, p, options, method)) {
        fail_memory(err);
    } else if (net_check(net, "the trained net", err)) {
        return net;
    }
    net_free(net);
    return NULL;
}
