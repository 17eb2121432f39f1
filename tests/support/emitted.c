#include "support/emitted.h"

#include "base/rng.h"
#include "run/run.h"
#include "support/folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *why, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", why, what);
    abort();
}

static void *must(void *memory)
{
    if (!memory) {
        stop("test support", "out of memory");
    }
    return memory;
}

/* ---- commands ---- */

bool have_command(const char *command)
{
    char line[256];
    (void)snprintf(line, sizeof line, "command -v %.*s >/dev/null 2>&1", (int)strcspn(command, " "),
                   command);
    return system(line) == 0;
}

const char *quick_compiler(void)
{
    return have_command("tcc") ? "tcc -std=c99 -Wall -Werror" : "cc -std=c99 -O0";
}

int run_command(const char *format, ...)
{
    struct text line = {0};
    char command[4096];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(command, sizeof command, format, list);
    va_end(list);
    const char *log = scratch_path("command.log");
    text_printf(&line, "( %s ) >%s 2>&1", command, log);
    int status = system(line.data);
    if (status != 0) {
        (void)fprintf(stderr, "%s\n", command);
        text_free(&line);
        text_printf(&line, "head -c 4000 %s >&2", log);
        (void)!system(line.data);
    }
    text_free(&line);
    return status;
}

/* ---- emitting ---- */

void emit_scratch(const struct net *net, const struct emit_options *options)
{
    struct text header = {0};
    struct text source = {0};
    struct error err = {0};
    char file[64];
    if (!emit_c(net, options, &header, &source, &err)) {
        stop("emit_c", err.message);
    }
    (void)snprintf(file, sizeof file, "%s.h", options->name);
    scratch_write(scratch_path(file), header.data, header.length);
    if (options->separate) {
        (void)snprintf(file, sizeof file, "%s.c", options->name);
        scratch_write(scratch_path(file), source.data, source.length);
    }
    text_free(&header);
    text_free(&source);
}

enum { SELFTEST = 6 };

/* Expected outputs of the self-test, by the reference interpreter. */
static struct vectors selftest_vectors(const struct net *net)
{
    int width = net->tensors[net->input].width;
    int outputs = net->tensors[net->output].width;
    int32_t *in = must(malloc(sizeof *in * (size_t)(SELFTEST * width)));
    int32_t *out = must(malloc(sizeof *out * (size_t)(SELFTEST * outputs)));
    struct run *run = must(run_new(net));
    emit_selftest_inputs(net, SELFTEST, in);
    for (int v = 0; v < SELFTEST; v++) {
        run_predict(run, in + v * width, out + v * outputs);
    }
    run_free(run);
    return (struct vectors){.count = SELFTEST, .in = in, .out = out};
}

static void emit_numbered(const struct net *net, int index, const struct emitted *how)
{
    char name[16];
    struct vectors vectors = selftest_vectors(net);
    (void)snprintf(name, sizeof name, "n%d", index);
    struct emit_options options = {.name = name,
                                   .optimise = how->optimise,
                                   .layers = how->layers,
                                   .variants = how->variants,
                                   .constant_time = how->constant_time,
                                   .kernel = how->kernel,
                                   .machine = how->machine,
                                   .separate = how->short_int,
                                   .selftest = how->short_int ? NULL : &vectors};
    emit_scratch(net, &options);
    free((void *)(uintptr_t)vectors.in);
    free((void *)(uintptr_t)vectors.out);
}

/* ---- running ---- */

static const char *const prologue =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
    "static int32_t get(void)\n{\n    int32_t v = 0;\n"
    "    if (fread(&v, sizeof v, 1, stdin) != 1) { exit(3); }\n    return v;\n}\n"
    "static void put(int32_t v)\n{\n"
    "    if (fwrite(&v, sizeof v, 1, stdout) != 1) { exit(4); }\n}\n"
    "int main(void)\n{\n";

/* One net's part of main(): guards around the outputs show writes outside of them. */
static void print_driver(struct text *out, const struct net *net, int index, int vectors)
{
    static const char *const c_types[] = {"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t"};
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    text_printf(
        out,
        "    for (int v = 0; v < %d; v++) {\n"
        "        %s in[%d];\n        %s out[%d + 2];\n"
        "        memset(out, 0x55, sizeof out);\n"
        "        for (int i = 0; i < %d; i++) { in[i] = (%s)get(); }\n"
        "        n%d_predict(in, out + 1);\n"
        "        if (out[0] != out[%d] || memcmp(out, \"UUUU\", sizeof out[0])) { exit(6); }\n"
        "        for (int i = 1; i <= %d; i++) { put(out[i]); }\n",
        vectors, c_types[in->type], in->width, c_types[result->type], result->width, in->width,
        c_types[in->type], index, result->width + 1, result->width);
}

static void write_program(struct net *const *nets, int count, bool plain, int vectors)
{
    struct text program = {0};
    for (int i = 0; i < count; i++) {
        text_printf(&program, "#include \"n%d.h\"\n", i);
    }
    text_add(&program, prologue);
    for (int i = 0; i < count; i++) {
        print_driver(&program, nets[i], i, vectors);
        if (!plain && nets[i]->task == TASK_CLASSIFICATION) {
            text_printf(&program, "        put(n%d_classify(in));\n", i);
        }
        text_add(&program, "    }\n");
        if (!plain) {
            text_printf(&program, "    if (n%d_selftest() != 0) { exit(5); }\n", i);
        }
    }
    text_add(&program, "    return 0;\n}\n");
    scratch_write(scratch_path("all.c"), must(program.data), program.length);
    text_free(&program);
}

static void write_inputs(struct net *const *nets, int count, int vectors, int32_t *const *in)
{
    FILE *file = must(fopen(scratch_path("in.bin"), "wb"));
    for (int i = 0; i < count; i++) {
        size_t codes = (size_t)vectors * (size_t)nets[i]->tensors[nets[i]->input].width;
        if (fwrite(in[i], sizeof **in, codes, file) != codes) {
            stop("write", "in.bin");
        }
    }
    if (fclose(file) != 0) {
        stop("write", "in.bin");
    }
}

static void read_codes(FILE *file, int32_t *codes, int count)
{
    if (fread(codes, sizeof *codes, (size_t)count, file) != (size_t)count) {
        stop("read", "out.bin is short");
    }
}

static void read_outputs(struct net *const *nets, int count, bool plain, int vectors,
                         int32_t *const *out)
{
    FILE *file = must(fopen(scratch_path("out.bin"), "rb"));
    for (int i = 0; i < count; i++) {
        int width = nets[i]->tensors[nets[i]->output].width;
        for (int v = 0; v < vectors; v++) {
            int32_t class = 0;
            read_codes(file, out[i] + v * width, width);
            if (!plain && nets[i]->task == TASK_CLASSIFICATION) {
                read_codes(file, &class, 1);
                if (class != run_class(nets[i], out[i] + v * width)) {
                    stop("classify", "differs from run_class()");
                }
            }
        }
    }
    (void)fclose(file);
}

/* n0.c ... in one, through LLVM's intermediate code, where int has 16 bits, to an object of the
 * host. */
static bool short_int_compile(const char *folder, int count, enum optimise optimise)
{
    struct text sources = {0};
    for (int i = 0; i < count; i++) {
        text_printf(&sources, "#include \"n%d.c\"\n", i);
    }
    scratch_write(scratch_path("short.c"), must(sources.data), sources.length);
    text_free(&sources);
    return run_command("cd %s && clang --target=msp430 -ffreestanding -std=c99 -O0 "
                       "-fsanitize=undefined,integer -fno-sanitize=pointer-overflow,alignment%s "
                       "-fsanitize-trap=all -S -emit-llvm short.c -o short.ll && "
                       "sed -i '/^target /d' short.ll && "
                       "clang -w -O0 -x ir -c short.ll -o short.o",
                       folder, optimise != OPTIMISE_SIZE ? EMITTED_WRAPS : "") == 0;
}

/* Where mote itself runs under a sanitizer, all batches are emitted, and one in eight is compiled:
 * what compilers make of them is not what that checks, and takes most of the time. */
static bool emitted_alone(void)
{
#ifdef __SANITIZE_ADDRESS__
    static int batches;
    return batches++ % 8 != 0;
#else
    return false;
#endif
}

bool emitted_run(struct net *const *nets, int count, const struct emitted *how, int vectors,
                 int32_t *const *in, int32_t *const *out)
{
    for (int i = 0; i < count; i++) {
        emit_numbered(nets[i], i, how);
    }
    if (emitted_alone()) {
        return false;
    }
    write_program(nets, count, how->short_int, vectors);
    write_inputs(nets, count, vectors, in);
    const char *folder = scratch_path("");
    if (how->short_int && !short_int_compile(folder, count, how->optimise)) {
        stop("does not compile", "clang --target=msp430");
    }
    if (run_command("cd %s && %s -o all all.c %s", folder, how->compiler,
                    how->short_int ? "short.o" : "") != 0) {
        stop("does not compile", how->compiler);
    }
    if (run_command("cd %s && %s ./all <in.bin >out.bin", folder,
                    how->emulator ? how->emulator : "") != 0) {
        stop("emitted program failed", how->compiler);
    }
    read_outputs(nets, count, how->short_int, vectors, out);
    return true;
}

/* ---- fixed nets ---- */

struct dense_plan {
    int in;
    int out;
    enum activation activation;
    int bits;
    int shift; /* 2.. ; some rows have one less */
    int32_t bias;
};

static void add_dense(struct net *net, struct rng *rng, struct dense_plan plan)
{
    int rows = net->tensors[plan.out].width;
    int columns = net->tensors[plan.in].width;
    int16_t *weights = must(calloc((size_t)(rows * columns), sizeof *weights));
    int32_t *bias = must(calloc((size_t)rows, sizeof *bias));
    uint8_t *shift = must(calloc((size_t)rows, 1));
    uint64_t span = 2 * (uint64_t)weight_limit(plan.bits) + 1;
    for (int i = 0; i < rows * columns; i++) {
        weights[i] = (int16_t)((int64_t)rng_below(rng, span) - weight_limit(plan.bits));
    }
    for (int i = 0; i < rows; i++) {
        shift[i] = (uint8_t)(plan.shift - (int)rng_below(rng, 2));
        bias[i] = (int32_t)((int64_t)rng_below(rng, 2 * (uint64_t)plan.bias + 1) - plan.bias) +
                  (1 << (shift[i] - 1));
    }
    struct layer layer = {.op = OP_DENSE,
                          .inputs = {plan.in},
                          .input_count = 1,
                          .output = plan.out,
                          .activation = plan.activation,
                          .weights = {plan.bits, rows, columns, weights, false},
                          .bias = bias,
                          .shift = shift};
    must(net_add_layer(net, &layer) ? net : NULL);
    free(weights);
    free(bias);
    free(shift);
}

/* One zero for all; wide tensors get several. */
static void add_convert(struct net *net, int in, int out, int32_t zero)
{
    int width = net->tensors[in].width;
    int32_t *zeros = must(calloc((size_t)width, sizeof *zeros));
    uint8_t *shift = must(calloc((size_t)width, 1));
    for (int i = 0; i < width; i++) {
        zeros[i] = zero + (width > 1000 ? i % 7 : 0);
    }
    struct layer layer = {.op = OP_CONVERT,
                          .inputs = {in},
                          .input_count = 1,
                          .output = out,
                          .zero = zeros,
                          .shift = shift};
    must(net_add_layer(net, &layer) ? net : NULL);
    free(zeros);
    free(shift);
}

static struct net *checked(struct net *net)
{
    struct error err = {0};
    if (!net_check(net, "test net", &err)) {
        stop("net_check", err.message);
    }
    return net;
}

static void pose_channels(struct net *net)
{
    static const char *const outputs[] = {"x", "y", "z", "rx", "ry", "rz"};
    struct channel in[6];
    struct channel out[6];
    char names[6][16];
    for (int i = 0; i < 6; i++) {
        (void)snprintf(names[i], sizeof names[i], "leg%d", i);
        in[i] = (struct channel){names[i], "", {1, 0}, {0, 0}, {213, 0}, {65011, 0}};
        out[i] = (struct channel){outputs[i], "mm", {2, -3}, {0, 0}, {-20, 0}, {20, 0}};
        if (i > 2) {
            out[i] = (struct channel){outputs[i], "deg", {1, -3}, {0, 0}, {-15, 0}, {15, 0}};
        }
    }
    must(net_set_channels(net, in, out) ? net : NULL);
}

struct net *pose_like_net(int hidden_layers, uint64_t seed)
{
    struct net *net = must(net_new("pose"));
    struct rng rng = rng_new(seed, 79);
    net->input = net_add_tensor(net, TYPE_U16, 6);
    int x = net_add_tensor(net, TYPE_I16, 6);
    int from = x;
    add_convert(net, net->input, x, 32768);
    for (int i = 0; i < hidden_layers; i++) {
        int to = net_add_tensor(net, TYPE_I16, 16);
        add_dense(net, &rng, (struct dense_plan){from, to, ACTIVATION_CUBIC, 8, 8, 200000});
        from = to;
    }
    int z = net_add_tensor(net, TYPE_I32, 6);
    int skip = net_add_tensor(net, TYPE_I32, 6);
    net->output = net_add_tensor(net, TYPE_I16, 6);
    add_dense(net, &rng, (struct dense_plan){from, z, ACTIVATION_NONE, 8, 8, 200000});
    add_dense(net, &rng, (struct dense_plan){x, skip, ACTIVATION_NONE, 8, 8, 0});
    struct layer add = {.op = OP_ADD, .inputs = {z, skip}, .input_count = 2, .output = net->output};
    must(net_add_layer(net, &add) ? net : NULL);
    pose_channels(net);
    struct provenance provenance = {"", "", "", {true, {107, -3}, 20000}};
    must(net_set_provenance(net, &provenance) ? net : NULL);
    return checked(net);
}

struct net *class_like_net(void)
{
    static const char *const classes[] = {"setosa", "versicolor", "virginica"};
    struct net *net = must(net_new("flowers"));
    struct rng rng = rng_new(7, 79);
    struct channel in[4];
    struct channel out[3];
    net->input = net_add_tensor(net, TYPE_I8, 4);
    int hidden = net_add_tensor(net, TYPE_U8, 8);
    net->output = net_add_tensor(net, TYPE_I16, 3);
    add_dense(net, &rng, (struct dense_plan){net->input, hidden, ACTIVATION_RELU, 4, 3, 100});
    add_dense(net, &rng, (struct dense_plan){hidden, net->output, ACTIVATION_NONE, 4, 2, 9});
    for (int i = 0; i < 4; i++) {
        in[i] = (struct channel){"", "cm", {1, -1}, {50 + i, -1}, {43, -1}, {79, -1}};
    }
    for (int i = 0; i < 3; i++) {
        out[i] = (struct channel){classes[i], "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    must(net_set_channels(net, in, out) ? net : NULL);
    must(net_set_classes(net, classes, "kind") ? net : NULL);
    return checked(net);
}

static void plain_channels(struct net *net)
{
    const struct tensor *tensors = net->tensors;
    int in = tensors[net->input].width;
    int out = tensors[net->output].width;
    struct channel *channels = must(calloc((size_t)(in > out ? in : out), sizeof *channels));
    for (int i = 0; i < in || i < out; i++) {
        channels[i] = (struct channel){"", "", {1, 0}, {0, 0}, {0, 0}, {0, 0}};
    }
    must(net_set_channels(net, channels, channels) ? net : NULL);
    free(channels);
}

struct net *copying_net(bool concat)
{
    enum { WIDTH = 100 };
    struct net *net = must(net_new("copies"));
    struct rng rng = rng_new(8, 79);
    net->input = net_add_tensor(net, TYPE_I8, WIDTH);
    if (concat) {
        int both = net_add_tensor(net, TYPE_I8, 2 * WIDTH);
        struct layer layer = {
            .op = OP_CONCAT, .inputs = {net->input, net->input}, .input_count = 2, .output = both};
        must(net_add_layer(net, &layer) ? net : NULL);
        net->output = net_add_tensor(net, TYPE_I8, 4);
        add_dense(net, &rng, (struct dense_plan){both, net->output, ACTIVATION_CLIP, 2, 3, 100});
    } else {
        net->output = net_add_tensor(net, TYPE_I8, WIDTH);
        add_convert(net, net->input, net->output, 0);
    }
    plain_channels(net);
    return checked(net);
}

struct net *wide_net(void)
{
    struct net *net = must(net_new("wide"));
    struct rng rng = rng_new(9, 79);
    net->input = net_add_tensor(net, TYPE_U8, 40000);
    int x = net_add_tensor(net, TYPE_I16, 40000);
    add_convert(net, net->input, x, 100);
    net->output = net_add_tensor(net, TYPE_I32, 2);
    add_dense(net, &rng, (struct dense_plan){x, net->output, ACTIVATION_NONE, 2, 2, 100});
    plain_channels(net);
    return checked(net);
}
