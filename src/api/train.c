/* The public library: training. */
#include "train/train.h"

#include "api/api.h"
#include "base/text.h"
#include "report/evaluate.h"

#include <string.h>

static bool bad_choice(struct error *err, const char *what, const char *text)
{
    return fail(err, "mote_options: %s: '%s' is not known", what, text);
}

/* The texts among the options. */
static bool read_names(const struct mote_options *from, struct train_options *to, struct error *err)
{
    if (from->activation && (!activation_parse(from->activation, &to->activation) ||
                             to->activation == ACTIVATION_NONE)) {
        return bad_choice(err, "activation", from->activation);
    }
    if (from->method && !method_parse(from->method, &to->method)) {
        return bad_choice(err, "method", from->method);
    }
    if (from->loss && !loss_parse(from->loss, &to->loss)) {
        return bad_choice(err, "loss", from->loss);
    }
    to->in_type = from->in_type ? in_type_parse(from->in_type) : NULL;
    if (from->in_type && !to->in_type) {
        return bad_choice(err, "in_type", from->in_type);
    }
    to->hidden_type = from->hidden_type ? hidden_type_parse(from->hidden_type) : NULL;
    if (from->hidden_type && !to->hidden_type) {
        return bad_choice(err, "hidden_type", from->hidden_type);
    }
    if (from->kernel && !train_kernel_parse(from->kernel, &to->packed)) {
        return bad_choice(err, "kernel", from->kernel);
    }
    to->out_type = from->out_type ? out_type_parse(from->out_type) : NULL;
    return !from->out_type || to->out_type || bad_choice(err, "out_type", from->out_type);
}

/* From the public options to those of training. */
static bool read_options(const struct mote_options *from, struct train_options *to,
                         struct error *err)
{
    *to = (struct train_options){.topology = from->net,
                                 .skip = from->skip,
                                 .weight_bits = from->weight_bits,
                                 .threads = from->threads,
                                 .seconds = from->seconds,
                                 .seed = from->seed,
                                 .name = from->name ? from->name : "net"};
    if (from->weight_bits != 0 && (from->weight_bits < 2 || from->weight_bits > 9)) {
        return fail(err, "mote_options: weight_bits: %d is not 2..9", from->weight_bits);
    }
    if (from->threads < 0 || from->threads > 16 || from->seconds < 0) {
        return fail(err, "mote_options: threads or seconds are out of range");
    }
    return read_names(from, to, err);
}

static void add_text(struct text *out, const char *name, const char *value)
{
    if (value) {
        text_printf(out, "%s%s %s", out->length ? " " : "", name, value);
    }
}

static void add_number(struct text *out, const char *name, uint64_t value)
{
    if (value) {
        text_printf(out, "%s%s %llu", out->length ? " " : "", name, (unsigned long long)value);
    }
}

/* The options in the words and the order of the command line, for the net's provenance. */
static void print_options(const struct mote_options *options, struct text *out)
{
    add_number(out, "--outputs", (uint64_t)options->outputs);
    add_text(out, "--outputs", options->output_names);
    add_text(out, "--label", options->label);
    add_text(out, "--net", options->net);
    add_text(out, "--activation", options->activation);
    if (options->skip) {
        text_printf(out, "%s%s", out->length ? " " : "",
                    options->skip > 0 ? "--skip" : "--no-skip");
    }
    add_number(out, "--weights", (uint64_t)options->weight_bits);
    add_text(out, "--method", options->method);
    add_text(out, "--loss", options->loss);
    add_text(out, "--in", options->in_type);
    add_text(out, "--hidden", options->hidden_type);
    add_text(out, "--kernel", options->kernel);
    add_text(out, "--out", options->out_type);
    if (options->seconds > 0) {
        text_printf(out, "%s--time %gs", out->length ? " " : "", options->seconds);
    }
    add_number(out, "--seed", options->seed);
    text_add(out, "");
}

/* The same two steps as in the command line's train. */
static struct net *train_and_score(const struct dataset *data, const struct train_options *how,
                                   struct error *err)
{
    struct train_result result = {0};
    struct evaluation evaluation;
    struct arena *arena = arena_new();
    struct net *net = NULL;
    if (!arena) {
        fail_memory(err);
    } else {
        net = train_net(data, how, &result, err);
    }
    if (net && !score_net(net, data, how->seed, arena, &evaluation, err)) {
        net_free(net);
        net = NULL;
    }
    train_result_free(&result);
    arena_free(arena);
    return net;
}

/* A handle for what was trained; NULL after a failure. */
static struct mote_net *train(const struct dataset *data, const struct mote_options *options,
                              struct error *err)
{
    struct train_options how;
    struct text text = {0};
    struct net *net = NULL;
    print_options(options, &text);
    if (text.failed) {
        fail_memory(err);
    } else if (read_options(options, &how, err)) {
        how.options_text = text.data;
        net = train_and_score(data, &how, err);
    }
    text_free(&text);
    return handle_new(net, err);
}

static const struct mote_options defaults;

struct mote_net *mote_train(const char *path, const struct mote_options *options,
                            struct mote_error *error)
{
    struct error err = {0};
    struct mote_net *handle = NULL;
    options = options ? options : &defaults;
    const struct data_options how = {.outputs = options->outputs,
                                     .output_names = options->output_names,
                                     .label = options->label};
    struct dataset *data = data_load(path, &how, &err);
    if (data) {
        handle = train(data, options, &err);
    }
    data_free(data);
    tell(&err, error);
    return handle;
}

struct mote_net *mote_train_rows(const float *values, size_t rows, int inputs, int outputs,
                                 const struct mote_options *options, struct mote_error *error)
{
    struct error err = {0};
    struct mote_net *handle = NULL;
    struct dataset *data = data_from_rows(values, rows, inputs, outputs, &err);
    if (data) {
        handle = train(data, options ? options : &defaults, &err);
    }
    data_free(data);
    tell(&err, error);
    return handle;
}
