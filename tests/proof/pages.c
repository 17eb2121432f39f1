/* pages FOLDER FIRST LAST [KERNEL|steady|maps|digits|dense|pools] [TARGET.costs]: emitted files of
 * random nets for the prover and the static checks, with a program that calls all of each file.
 * For seed S and every --optimise value: nS_size.h, nS_size.c ..., of nets on maps also with layers
 * made for one or the other, nS_mixed.h; values that give the same code give one file.  With a
 * kernel, it alone: nS_KERNEL.h, where the net has rows for it; "steady" for constant time,
 * nS_steady_size.h ..., nS_even_costs_size.h ... with costs; "maps", "digits", "dense", "pools" for
 * nets on maps.  With a machine's costs, what is chosen for them: nS_costs_size.h ... */
#include "base/file.h"
#include "emit/emit.h"
#include "emit/machine.h"
#include "run/run.h"
#include "support/random_maps.h"
#include "support/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS 3

static void stop(const char *why)
{
    (void)fprintf(stderr, "pages: %s\n", why);
    exit(1);
}

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        stop("out of memory");
    }
    return memory;
}

static void write_text(const char *folder, const char *name, const char *end,
                       const struct text *text)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text->data, 1, text->length, file) != text->length || fclose(file) != 0) {
        stop(path);
    }
}

/* The self-test's vectors, as emit makes them. */
static void make_vectors(const struct net *net, int32_t **inputs, int32_t **outputs)
{
    size_t in_width = (size_t)net->tensors[net->input].width;
    size_t out_width = (size_t)net->tensors[net->output].width;
    int32_t *in = take(VECTORS * in_width, sizeof *in);
    int32_t *out = take(VECTORS * out_width, sizeof *out);
    struct run *run = run_new(net);
    emit_selftest_inputs(net, VECTORS, in);
    for (size_t i = 0; i < VECTORS; i++) {
        run_predict(run, in + i * in_width, out + i * out_width);
    }
    run_free(run);
    *inputs = in;
    *outputs = out;
}

static const char *c_type(enum type type)
{
    static const char *const names[] = {"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t"};
    return names[type];
}

/* A main() that calls every function of the page. */
static void write_caller(const char *folder, const char *name, const struct net *net)
{
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *out = &net->tensors[net->output];
    struct text text = {0};
    text_printf(&text,
                "#include \"%s.h\"\n\nint main(void)\n{\n"
                "    static const %s in[%d] = {0};\n    %s out[%d];\n"
                "    int wrong;\n\n"
                "    %s_predict(in, out);\n    wrong = %s_selftest();\n",
                name, c_type(in->type), in->width, c_type(out->type), out->width, name, name);
    if (net->task == TASK_CLASSIFICATION) {
        text_printf(&text, "    wrong += %s_classify(in);\n", name);
    }
    text_add(&text, "    return ((wrong != 0) || ((int32_t)out[0] != 0)) ? 1 : 0;\n}\n");
    write_text(folder, name, ".c", &text);
    text_free(&text);
}

/* The page of one --optimise value, named `name`. */
static void write_page(const char *folder, const char *name, const struct net *net,
                       const struct emit_options *how)
{
    struct error err = {0};
    struct text page = {0};
    struct emit_options named = *how;
    named.name = name;
    if (!emit_c(net, &named, &page, NULL, &err)) {
        stop(err.message);
    }
    write_text(folder, name, ".h", &page);
    write_caller(folder, name, net);
    text_free(&page);
}

/* Has this value given the same code before? */
static bool seen_before(const struct net *net, const struct emit_options *how, struct text *pages,
                        int count)
{
    struct error err = {0};
    if (!emit_c(net, how, &pages[count], NULL, &err)) {
        stop(err.message);
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(pages[i].data, pages[count].data) == 0) {
            return true;
        }
    }
    return false;
}

/* What is the same for all pages. */
struct job {
    const char *folder;
    const char *kernel;            /* NULL: chosen */
    bool steady;                   /* constant time */
    bool maps;                     /* nets on maps */
    bool digits;                   /* those that the fast kernels of maps take ... */
    bool dense;                    /* ... and those of dense layers behind a resize ... */
    bool pools;                    /* ... and those of convs with pools behind them */
    const struct machine *machine; /* NULL: the default one */
};

/* With a kernel, the page without it is what the other must differ from. */
static void write_choices(const struct job *job, uint64_t seed, const struct net *net,
                          const struct vectors *vectors)
{
    static const char *const names[] = {"size", "speed", "balanced", "mixed"};
    struct text pages[4] = {{0}};
    enum optimise mixed[NET_LAYERS_MAX];
    int count = job->kernel ? 2 : job->maps || job->digits || job->pools ? 4 : 3;
    for (int i = 0; i < NET_LAYERS_MAX; i++) {
        mixed[i] = (enum optimise)(((uint64_t)i + seed) % 3);
    }
    for (int i = 0; i < count; i++) {
        const struct emit_options how = {.name = "n",
                                         .optimise = job->kernel || i == 3 ? OPTIMISE_SIZE
                                                                           : (enum optimise)i,
                                         .layers = i == 3 ? mixed : NULL,
                                         .machine = job->machine,
                                         .kernel = i == 1 ? job->kernel : NULL,
                                         .constant_time = job->steady,
                                         .selftest = vectors};
        char name[64];
        (void)snprintf(name, sizeof name, "n%llu_%s%s%s", (unsigned long long)seed,
                       job->steady   ? (job->machine ? "even_" : "steady_")
                       : job->maps   ? "maps_"
                       : job->digits ? "digits_"
                       : job->dense  ? "dense_"
                       : job->pools  ? "pools_"
                                     : "",
                       !job->machine              ? ""
                       : job->machine->word == 16 ? "short_"
                                                  : "costs_",
                       job->kernel ? job->kernel : names[i]);
        bool new = !seen_before(net, &how, pages, i);
        if (new && (!job->kernel || i == 1)) {
            write_page(job->folder, name, net, &how);
        }
    }
    for (int i = 0; i < count; i++) {
        text_free(&pages[i]);
    }
}

/* Do all sums fit 32 bits where nothing is known of activations but their types?  A prover knows no
 * more of what a mask has clamped, and some random nets come as near to 2^31 as there is. */
static bool fits_types(const struct net *net)
{
    int64_t most[NET_TENSORS_MAX] = {0};
    bool fits = true;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        enum type in = net->tensors[layer->inputs[0]].type;
        for (int k = 0; layer->op == OP_ADD && k < layer->input_count; k++) {
            most[layer->output] += most[layer->inputs[k]];
        }
        for (int row = 0; layer->op == OP_DENSE && row < layer->weights.rows; row++) {
            size_t columns = (size_t)layer->weights.columns;
            int64_t sum = llabs((long long)layer->bias[row]);
            for (size_t j = 0; j < columns; j++) {
                int64_t size = abs(layer->weights.values[(size_t)row * columns + j]);
                sum += size * (type_high(in) - type_low(in));
            }
            most[layer->output] = sum > most[layer->output] ? sum : most[layer->output];
        }
        fits = fits && most[layer->output] <= INT32_MAX;
    }
    return fits;
}

/* Has every layer a kernel whose time does not depend on data? */
static bool can_be_steady(const struct net *net, const struct machine *machine)
{
    const struct emit_options how = {.name = "n", .machine = machine, .constant_time = true};
    struct error err = {0};
    struct text page = {0};
    bool can = emit_c(net, &how, &page, NULL, &err);
    text_free(&page);
    return can;
}

static void write_pages(const struct job *job, uint64_t seed)
{
    struct net *net = job->maps     ? random_map_net(seed)
                      : job->digits ? random_digits_net(seed)
                      : job->dense  ? random_dense_net(seed)
                      : job->pools  ? random_pools_net(seed)
                      : seed % 2    ? random_narrow_net(seed)
                                    : random_net(seed);
    int32_t *in = NULL;
    int32_t *out = NULL;
    if (job->steady && (!fits_types(net) || !can_be_steady(net, job->machine))) {
        net_free(net);
        return;
    }
    make_vectors(net, &in, &out);
    const struct vectors vectors = {VECTORS, in, out};
    write_choices(job, seed, net, &vectors);
    free(in);
    free(out);
    net_free(net);
}

/* The costs of a machine from a file. */
static void read_costs(const char *path, struct machine *machine)
{
    struct error err = {0};
    size_t size = 0;
    char *data = (char *)file_read(path, 1 << 20, &size, &err);
    if (!data || !machine_parse(data, size, path, machine, &err)) {
        stop(err.message);
    }
    free(data);
}

/* What kind of nets a word asks for, or which kernel. */
static void read_kind(const char *word, struct job *job)
{
    if (strcmp(word, "steady") == 0) {
        job->steady = true;
    } else if (strcmp(word, "maps") == 0) {
        job->maps = true;
    } else if (strcmp(word, "digits") == 0) {
        job->digits = true;
    } else if (strcmp(word, "dense") == 0) {
        job->dense = true;
    } else if (strcmp(word, "pools") == 0) {
        job->pools = true;
    } else {
        job->kernel = word;
    }
}

int main(int count, char **words)
{
    struct machine machine;
    if (count < 4 || count > 6) {
        stop("usage: pages FOLDER FIRST LAST [KERNEL|steady|maps|digits|dense|pools] "
             "[TARGET.costs]");
    }
    struct job job = {.folder = words[1]};
    for (int i = 4; i < count; i++) {
        if (strchr(words[i], '.')) {
            read_costs(words[i], &machine);
            job.machine = &machine;
        } else {
            read_kind(words[i], &job);
        }
    }
    uint64_t last = strtoull(words[3], NULL, 10);
    for (uint64_t seed = strtoull(words[2], NULL, 10); seed <= last; seed++) {
        write_pages(&job, seed);
    }
    return 0;
}
