/* The public library: nets, predictions, texts. */
#include "api/api.h"
#include "base/text.h"
#include "base/version.h"
#include "emit/emit.h"
#include "report/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define SELFTEST_VECTORS 16

void tell(const struct error *err, struct mote_error *error)
{
    if (error) {
        (void)snprintf(error->message, sizeof error->message, "%s", err->message);
    }
}

struct mote_net *handle_new(struct net *net, struct error *err)
{
    if (!net) {
        return NULL;
    }
    struct mote_net *handle = calloc(1, sizeof *handle);
    if (handle) {
        size_t inputs = (size_t)net->tensors[net->input].width;
        size_t outputs = (size_t)net->tensors[net->output].width;
        handle->net = net;
        handle->run = run_new(net);
        handle->in = arena_alloc(net->arena, inputs, sizeof *handle->in);
        handle->out = arena_alloc(net->arena, outputs, sizeof *handle->out);
        if (handle->run && handle->in && handle->out) {
            return handle;
        }
        mote_free(handle);
    } else {
        net_free(net);
    }
    fail_memory(err);
    return NULL;
}

const char *mote_version(void)
{
    return MOTE_VERSION_TEXT;
}

struct mote_net *mote_read(const char *path, struct mote_error *error)
{
    struct error err = {0};
    struct mote_net *handle = handle_new(net_read(path, &err), &err);
    tell(&err, error);
    return handle;
}

bool mote_write(const struct mote_net *handle, const char *path, struct mote_error *error)
{
    struct error err = {0};
    bool good = net_write(handle->net, path, &err);
    tell(&err, error);
    return good;
}

void mote_free(struct mote_net *handle)
{
    if (handle) {
        run_free(handle->run);
        net_free(handle->net);
        free(handle);
    }
}

int mote_input_count(const struct mote_net *handle)
{
    return handle->net->tensors[handle->net->input].width;
}

int mote_output_count(const struct mote_net *handle)
{
    return handle->net->tensors[handle->net->output].width;
}

int mote_class_count(const struct mote_net *handle)
{
    return handle->net->task == TASK_CLASSIFICATION ? net_class_count(handle->net) : 0;
}

const char *mote_class_name(const struct mote_net *handle, int index)
{
    return index >= 0 && index < mote_class_count(handle) ? handle->net->classes[index] : NULL;
}

double mote_score(const struct mote_net *handle)
{
    const struct score *score = &handle->net->provenance.score;
    return score->known ? decimal_value(score->value) : -1;
}

/* Values to codes to handle->out. */
static void predict(struct mote_net *handle, const double *inputs)
{
    const struct net *net = handle->net;
    for (int j = 0; j < mote_input_count(handle); j++) {
        bool clamped = false;
        handle->in[j] = channel_encode(net_input_channel(net, j), net->tensors[net->input].type,
                                       inputs[j], &clamped);
    }
    run_predict(handle->run, handle->in, handle->out);
}

void mote_predict(struct mote_net *handle, const double *inputs, double *outputs)
{
    predict(handle, inputs);
    for (int i = 0; i < mote_output_count(handle); i++) {
        outputs[i] = channel_decode(net_output_channel(handle->net, i), handle->out[i]);
    }
}

void mote_predict_codes(struct mote_net *handle, const int32_t *inputs, int32_t *outputs)
{
    enum type type = handle->net->tensors[handle->net->input].type;
    for (int j = 0; j < mote_input_count(handle); j++) {
        int32_t code = inputs[j] > type_low(type) ? inputs[j] : type_low(type);
        handle->in[j] = code < type_high(type) ? code : type_high(type);
    }
    run_predict(handle->run, handle->in, outputs);
}

int mote_classify(struct mote_net *handle, const double *inputs)
{
    predict(handle, inputs);
    return run_class(handle->net, handle->out);
}

/* Header-only C with a self-test, as `mote emit -o NAME.h` writes it. */
static bool emit_header(const struct net *net, const char *name, bool speed, struct text *header,
                        struct error *err)
{
    struct vectors vectors;
    struct text source = {0}; /* stays empty: header only */
    struct arena *arena = arena_new();
    if (!arena || !selftest_vectors(net, SELFTEST_VECTORS, arena, &vectors, err)) {
        arena_free(arena);
        return arena ? false : fail_memory(err);
    }
    struct emit_options options = {
        .name = name, .optimise = speed ? OPTIMISE_SPEED : OPTIMISE_SIZE, .selftest = &vectors};
    bool good = emit_c(net, &options, header, &source, err);
    text_free(&source);
    arena_free(arena);
    return good;
}

/* The text passes to the caller; NULL after a failure. */
static char *hand_over(struct text *text, bool good, struct error *err, struct mote_error *error)
{
    if (!good || text->failed) {
        fail_memory(err); /* unless something else was told before */
        text_free(text);
        text->data = NULL;
    }
    tell(err, error);
    return text->data;
}

char *mote_emit(const struct mote_net *handle, const char *name, bool speed,
                struct mote_error *error)
{
    struct error err = {0};
    struct text header = {0};
    bool good = emit_header(handle->net, name, speed, &header, &err);
    return hand_over(&header, good, &err, error);
}

char *mote_show(const struct mote_net *handle, struct mote_error *error)
{
    struct error err = {0};
    struct text text = {0};
    bool good = net_show(handle->net, &text);
    return hand_over(&text, good, &err, error);
}
