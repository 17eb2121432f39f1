/* How long one prediction takes on this machine, as a dependent chain: each call's outputs are the
 * next call's inputs.
 *
 * The emitted C is compared with float C of the same net, written as one would by hand: sizes and
 * weights constant, a loop over rows ("rows") or over columns ("columns", what libraries with
 * vectors do).  All forms of a net are measured in turns in one process, so that other load and
 * changing clocks hit them alike; what counts are the ratios. */
#include "base/file.h"
#include "base/rng.h"
#include "emit/emit.h"
#include "measure/measure.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- nets ---- */

static void must(bool done, const char *what)
{
    if (!done) {
        (void)fprintf(stderr, "bench_host: %s\n", what);
        exit(1);
    }
}

/* A dense layer with random weights of 8 bits, requantised so that outputs use their range. */
static void add_dense(struct net *net, struct rng *rng, int in, int out, enum activation activation)
{
    enum { MOST = 64 };
    int16_t weights[MOST * MOST];
    int32_t bias[MOST];
    uint8_t shift[MOST];
    int rows = net->tensors[out].width;
    int columns = net->tensors[in].width;
    for (int i = 0; i < rows * columns; i++) {
        weights[i] = (int16_t)((int)rng_below(rng, 255) - 127);
    }
    for (int i = 0; i < rows; i++) {
        bias[i] = (int)rng_below(rng, 2000) - 1000;
        shift[i] = 8;
    }
    struct layer layer = {.op = OP_DENSE,
                          .inputs = {in},
                          .input_count = 1,
                          .output = out,
                          .activation = activation,
                          .weights = {8, rows, columns, weights, false},
                          .bias = bias,
                          .shift = shift};
    must(net_add_layer(net, &layer), "a layer");
}

/* inputs-hidden-outputs of one type, ReLU between, weights random. */
static struct net *random_chain(const char *name, enum type type, const int *widths, int count)
{
    struct net *net = net_new(name);
    struct rng rng = rng_new(1, 31);
    struct channel channels[64];
    struct error err = {0};
    must(net != NULL, "memory");
    net->input = net_add_tensor(net, type, widths[0]);
    int from = net->input;
    for (int i = 1; i < count; i++) {
        int to = net_add_tensor(net, type, widths[i]);
        add_dense(net, &rng, from, to, i + 1 < count ? ACTIVATION_RELU : ACTIVATION_NONE);
        from = to;
    }
    net->output = from;
    for (int i = 0; i < 64; i++) {
        channels[i] = (struct channel){"", "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    must(net_set_channels(net, channels, channels), "channels");
    must(net_check(net, name, &err), err.message);
    return net;
}

/* ---- float C of a net ---- */

/* static const float NAME[rows][columns]; `across`: a row for each column of the layer. */
static void print_weights(struct text *out, const struct layer *layer, int index, bool across)
{
    int rows = layer->weights.rows;
    int columns = layer->weights.columns;
    text_printf(out, "static const float w%d[%d][%d] = {\n", index, across ? columns : rows,
                across ? rows : columns);
    for (int i = 0; i < (across ? columns : rows); i++) {
        text_add(out, "    {");
        for (int j = 0; j < (across ? rows : columns); j++) {
            int row = across ? j : i;
            int column = across ? i : j;
            double scale = 1.0 / (double)((int64_t)1 << layer->shift[row]);
            text_printf(out, "%.8eF, ", scale * layer->weights.values[row * columns + column]);
        }
        text_add(out, "},\n");
    }
    text_printf(out, "};\nstatic const float b%d[%d] = {", index, rows);
    for (int i = 0; i < rows; i++) {
        double scale = 1.0 / (double)((int64_t)1 << layer->shift[i]);
        text_printf(out, "%.8eF, ", scale * layer->bias[i]);
    }
    text_add(out, "};\n");
}

static const char *float_activation(enum activation activation)
{
    switch (activation) {
    case ACTIVATION_NONE: return "s";
    case ACTIVATION_RELU: return "s > 0 ? s : 0";
    case ACTIVATION_CUBIC: return "1.5F * s - s * s * s * (0.5F / 32768 / 32768)";
    case ACTIVATION_ABS: return "s < 0 ? -s : s";
    case ACTIVATION_LEAKY: return "s < 0 ? s * 0.125F : s";
    case ACTIVATION_PSIG: return "s * (2 - (s < 0 ? -s : s) / 32768)";
    case ACTIVATION_CLIP: return "s < -32767 ? -32767 : s > 32767 ? 32767 : s";
    }
    return "s";
}

/* t3 = activation(w2 t1 + b2). */
static void print_float_dense(struct text *out, const struct layer *layer, int index, bool across)
{
    int rows = layer->weights.rows;
    int columns = layer->weights.columns;
    int in = layer->inputs[0];
    if (across) {
        text_printf(out,
                    "    float s%d[%d];\n"
                    "    for (int i = 0; i < %d; i++) { s%d[i] = b%d[i]; }\n"
                    "    for (int j = 0; j < %d; j++) {\n"
                    "        for (int i = 0; i < %d; i++) { s%d[i] += w%d[j][i] * t%d[j]; }\n"
                    "    }\n"
                    "    for (int i = 0; i < %d; i++) { float s = s%d[i]; ",
                    index, rows, rows, index, index, columns, rows, index, index, in, rows, index);
    } else {
        text_printf(out,
                    "    for (int i = 0; i < %d; i++) {\n"
                    "        float s = b%d[i];\n"
                    "        for (int j = 0; j < %d; j++) { s += w%d[i][j] * t%d[j]; }\n        ",
                    rows, index, columns, index, in);
    }
    text_printf(out, "t%d[i] = %s; }\n", layer->output, float_activation(layer->activation));
}

static void print_float_layer(struct text *out, const struct net *net, int index, bool across)
{
    const struct layer *layer = &net->layers[index];
    int width = net->tensors[layer->output].width;
    if (layer->output != net->output) {
        text_printf(out, "    float t%d[%d];\n", layer->output, width);
    }
    switch (layer->op) {
    case OP_DENSE: print_float_dense(out, layer, index, across); break;
    case OP_CONVERT:
        text_printf(out, "    for (int i = 0; i < %d; i++) { t%d[i] = t%d[i] - %d.0F; }\n", width,
                    layer->output, layer->inputs[0], (int)layer->zero[0]);
        break;
    case OP_ADD:
        text_printf(out, "    for (int i = 0; i < %d; i++) { t%d[i] = t%d[i] + t%d[i]; }\n", width,
                    layer->output, layer->inputs[0], layer->inputs[1]);
        break;
    case OP_CONCAT:
    CASES_OF_MAPS:
        must(false, "concat and maps are not among the nets here");
        break;
    }
}

/* net_predict() on float, with the net's sizes and weights. */
static void print_float(struct text *out, const struct net *net, bool across)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op == OP_DENSE) {
            print_weights(out, &net->layers[i], i, across);
        }
    }
    text_printf(out, "static void net_predict(const float *t%d, float *t%d)\n{\n", net->input,
                net->output);
    for (int i = 0; i < net->layer_count; i++) {
        print_float_layer(out, net, i, across);
    }
    text_add(out, "}\n");
}

/* ---- forms of a net, each a source file ---- */

enum form { FORM_ROWS, FORM_COLUMNS, FORM_SIZE, FORM_SPEED, FORM_ASM, FORM_COUNT };

static const char *const form_names[FORM_COUNT] = {"rows", "columns", "size", "speed", "asm"};

static void print_form(struct text *out, const struct net *net, enum form form,
                       const struct target *host)
{
    struct emit_options options = {.name = "net",
                                   .optimise = form == FORM_SIZE ? OPTIMISE_SIZE : OPTIMISE_SPEED,
                                   .machine = host->machine,
                                   .variants = form == FORM_ASM ? VARIANTS_ALL : 0};
    struct error err = {0};
    if (form == FORM_ROWS || form == FORM_COLUMNS) {
        print_float(out, net, form == FORM_COLUMNS);
    } else {
        must(emit_c(net, &options, out, NULL, &err), err.message);
    }
}

/* NAME_chain(count): so many calls, ping-pong where input and output are alike, else copied. */
static void print_chain(struct text *out, const struct net *net, enum form form)
{
    static const char *const types[] = {"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t"};
    bool real = form == FORM_ROWS || form == FORM_COLUMNS;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    const char *from = real ? "float" : types[in->type];
    const char *to = real ? "float" : types[result->type];
    text_printf(out,
                "__attribute__((noinline)) static void call(const %s *in, %s *out)\n"
                "{\n    net_predict(in, out);\n}\n"
                "void %s_chain(long count)\n{\n"
                "    static %s a[64] = {1, 2, 3, 4, 5, 6}, b[64];\n",
                from, to, form_names[form], to);
    if (in->width == result->width) {
        text_printf(out,
                    "    for (long i = 0; i < count; i += 2) {\n"
                    "        call((const %s *)a, b);\n        call((const %s *)b, a);\n    }\n}\n",
                    from, from);
    } else {
        text_printf(out,
                    "    for (long i = 0; i < count; i++) {\n"
                    "        call((const %s *)a, b);\n        a[0] = b[0];\n    }\n}\n",
                    from);
    }
}

static const char *const main_text =
    "#define _POSIX_C_SOURCE 200809L\n"
    "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n"
    "enum { FORMS = 5, TURNS = 400, CALLS = 500 };\n"
    "void rows_chain(long), columns_chain(long), size_chain(long), speed_chain(long), "
    "asm_chain(long);\n"
    "static void (*const chains[FORMS])(long) = {rows_chain, columns_chain, size_chain, "
    "speed_chain, asm_chain};\n"
    "static double times[FORMS][TURNS];\n"
    "static double now(void)\n{\n"
    "    struct timespec t;\n    clock_gettime(CLOCK_MONOTONIC, &t);\n"
    "    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;\n}\n"
    "static int by_value(const void *a, const void *b)\n{\n"
    "    double x = *(const double *)a, y = *(const double *)b;\n"
    "    return (x > y) - (x < y);\n}\n"
    "int main(void)\n{\n"
    "    for (int turn = 0; turn < TURNS; turn++) {\n"
    "        for (int i = 0; i < FORMS; i++) {\n"
    "            chains[i](20);\n"
    "            double start = now();\n            chains[i](CALLS);\n"
    "            times[i][turn] = (now() - start) / CALLS;\n        }\n    }\n"
    "    for (int i = 0; i < FORMS; i++) {\n"
    "        qsort(times[i], TURNS, sizeof times[i][0], by_value);\n"
    "        printf(\"%8.1f\", times[i][TURNS / 2]);\n    }\n"
    "    double real = times[0][TURNS / 2] < times[1][TURNS / 2] ? times[0][TURNS / 2]\n"
    "                                                          : times[1][TURNS / 2];\n"
    "    printf(\"  %10.2f %10.2f\\n\", times[3][TURNS / 2] / times[0][TURNS / 2],\n"
    "           times[4][TURNS / 2] / real);\n"
    "    return 0;\n}\n";

/* ---- running ---- */

static void write_file(const char *folder, const char *name, struct text *text)
{
    struct error err = {0};
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s.c", folder, name);
    must(!text->failed && file_write(path, text->data, text->length, &err), err.message);
    text_free(text);
}

static void write_sources(const struct net *net, const char *folder)
{
    struct text text = {0};
    struct error err = {0};
    struct target *host = target_load("host", &err);
    must(host != NULL, err.message);
    for (int form = 0; form < FORM_COUNT; form++) {
        print_form(&text, net, (enum form)form, host);
        print_chain(&text, net, (enum form)form);
        write_file(folder, form_names[form], &text);
    }
    text_add(&text, main_text);
    write_file(folder, "main", &text);
    target_free(host);
}

static void bench(struct net *net, const char *title, const char *folder)
{
    static const char *const compilers[] = {"gcc -O2",
                                            "gcc -O3",
                                            "clang -O2",
                                            "clang -O3",
                                            "gcc -O2 -march=native",
                                            "clang -O2 -march=native",
                                            "gcc -O3 -march=native",
                                            "clang -O3 -march=native"};
    write_sources(net, folder);
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++) {
        char command[2000];
        (void)snprintf(
            command, sizeof command,
            "cd %s && command -v %.*s >/dev/null && %s -w -std=c99 *.c -o latency 2>errors", folder,
            (int)strcspn(compilers[i], " "), compilers[i], compilers[i]);
        if (system(command) != 0) {
            printf("%-12s %-24s not here\n", title, compilers[i]);
            continue;
        }
        printf("%-12s %-24s", title, compilers[i]);
        (void)fflush(stdout);
        (void)snprintf(command, sizeof command, "%s/latency", folder);
        must(system(command) == 0, "the program failed");
    }
    net_free(net);
}

static void bench_file(const char *path, const char *title, const char *folder)
{
    struct error err = {0};
    struct net *net = net_read(path, &err);
    must(net != NULL, err.message);
    bench(net, title, folder);
}

int main(void)
{
    static const int a[] = {6, 16, 16, 6};
    static const int wide[] = {6, 31, 6};
    static const int small[] = {2, 7, 1};
    char folder[] = "/tmp/bench_host.XXXXXX";
    char command[100];
    must(setenv("MOTE_TARGETS", "targets", 0) == 0 && mkdtemp(folder) != NULL, "no folder");
    printf("ns per call, median of 400 turns; ratios: speed to float rows, asm to the faster "
           "float\n%-37s%8s%8s%8s%8s%8s  %10s %10s\n",
           "net, compiler", "rows", "columns", "size", "speed", "asm", "speed/rows", "asm/float");
    bench(random_chain("a", TYPE_I8, a, 4), "6-16-16-6 i8", folder);
    bench(random_chain("b", TYPE_I16, a, 4), "6-16-16-6", folder);
    bench(random_chain("c", TYPE_I8, wide, 3), "6-31-6 i8", folder);
    bench(random_chain("d", TYPE_I8, small, 3), "2-7-1 i8", folder);
    bench_file("tests/golden/int8-6-16-16-6.mote", "A, 16 bits do", folder);
    bench_file("tests/golden/pose-6-16-16-6.mote", "pose", folder);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
