/* pages FOLDER FIRST LAST: emitted files of random nets for the prover and the static checks, with
 * a program that calls all of each file.  For seed S and every --optimise value: nS_size.h,
 * nS_size.c ... Values that give the same code give one file. */
#include "emit/emit.h"
#include "run/run.h"
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

static void write_pages(const char *folder, uint64_t seed)
{
    static const char *const names[] = {"size", "speed", "balanced"};
    struct net *net = seed % 2 ? random_narrow_net(seed) : random_net(seed);
    int32_t *in = NULL;
    int32_t *out = NULL;
    make_vectors(net, &in, &out);
    const struct vectors vectors = {VECTORS, in, out};
    struct text pages[3] = {{0}};
    for (int i = 0; i < 3; i++) {
        const struct emit_options how = {
            .name = "n", .optimise = (enum optimise)i, .selftest = &vectors};
        char name[32];
        (void)snprintf(name, sizeof name, "n%llu_%s", (unsigned long long)seed, names[i]);
        if (!seen_before(net, &how, pages, i)) {
            write_page(folder, name, net, &how);
        }
    }
    for (int i = 0; i < 3; i++) {
        text_free(&pages[i]);
    }
    free(in);
    free(out);
    net_free(net);
}

int main(int count, char **words)
{
    if (count != 4) {
        stop("usage: pages FOLDER FIRST LAST");
    }
    uint64_t last = strtoull(words[3], NULL, 10);
    for (uint64_t seed = strtoull(words[2], NULL, 10); seed <= last; seed++) {
        write_pages(words[1], seed);
    }
    return 0;
}
