/* .mote files: whatever is accepted prints, reads back as itself, shows, and runs within its
 * proved bounds (the interpreter stops the program where it does not). */
#include "base/rng.h"
#include "base/text.h"
#include "net/net.h"
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_again(const struct net *net)
{
    struct error err = {0};
    struct text first = {0};
    struct text second = {0};
    if (!net_print(net, &first)) {
        abort();
    }
    struct net *again = net_parse(first.data, first.length, "again", &err);
    if (!again || !net_print(again, &second) || first.length != second.length ||
        memcmp(first.data, second.data, first.length) != 0) {
        abort();
    }
    net_free(again);
    text_free(&first);
    text_free(&second);
}

static void show(const struct net *net)
{
    struct text out = {0};
    if (!net_show(net, &out)) {
        abort();
    }
    text_free(&out);
}

/* Corners, then random codes. */
static int32_t code_of(struct rng *rng, enum type type, int vector)
{
    uint64_t span = (uint64_t)((int64_t)type_high(type) - type_low(type)) + 1;
    int64_t low = type_low(type);
    return vector == 0   ? type_low(type)
           : vector == 1 ? type_high(type)
                         : (int32_t)(low + (int64_t)rng_below(rng, span));
}

/* Elements that the interpreter looks at, or more. */
static double work_of(const struct net *net)
{
    double work = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        double window = (double)layer->window.rows * layer->window.columns;
        work += (double)layer_macs(net, layer) + net->tensors[layer->output].width * (1 + window);
    }
    return work;
}

/* Large maps would only make the fuzzer slow. */
static void run_vectors(const struct net *net)
{
    if (work_of(net) > 1e6) {
        return;
    }
    const struct tensor *input = &net->tensors[net->input];
    const struct tensor *output = &net->tensors[net->output];
    struct rng rng = rng_new(1, 1);
    struct run *run = run_new(net);
    int32_t *in = calloc((size_t)input->width, sizeof *in);
    int32_t *out = calloc((size_t)output->width, sizeof *out);
    for (int vector = 0; run && in && out && vector < 6; vector++) {
        for (int j = 0; j < input->width; j++) {
            in[j] = code_of(&rng, input->type, vector);
        }
        run_predict(run, in, out);
        (void)run_class(net, out);
    }
    free(in);
    free(out);
    run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct net *net = net_parse((const char *)data, size, "fuzz", &err);
    if (!net) {
        if (!err.failed || !err.message[0]) {
            abort();
        }
        return 0;
    }
    print_again(net);
    show(net);
    run_vectors(net);
    net_free(net);
    return 0;
}
