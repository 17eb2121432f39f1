/* mote prove: no overflow, no undefined behaviour, for every input, under 32-bit and 16-bit int. */
#include "prove/prove.h"
#include "base/arena.h"
#include "base/file.h"
#include "cli/cli.h"
#include "emit/emit.h"
#include "measure/measure.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    enum optimise optimise;
    struct layer_goals layers;
    const char *kernel;
    const char *target; /* NULL: the default costs */
    int64_t model;      /* 0: both */
    double seconds;
    int keep;
    int json;
};

static bool parse_model(const char *text, void *model)
{
    bool known = strcmp(text, "16") == 0 || strcmp(text, "32") == 0;
    *(int64_t *)model = known ? strtol(text, NULL, 10) : 0;
    return known;
}

static const struct option options[] = {
    OPTION_OPTIMISE(settings),
    OPTION_LAYERS(settings),
    OPTION_KERNEL(settings),
    {.name = "--target",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, target),
     .help = "choose kernels for this target"},
    {.name = "--model",
     .argument = "16|32",
     .kind = OPTION_PARSED,
     .offset = offsetof(struct settings, model),
     .parse = parse_model,
     .expects = "16 or 32",
     .help = "bits of the machine's int (default: both)"},
    {.name = "--timeout",
     .argument = "TIME",
     .kind = OPTION_PARSED,
     .offset = offsetof(struct settings, seconds),
     .parse = parse_seconds,
     .expects = "a time such as 60, 90s or 10m",
     .help = "for each run of the prover (default: 10m)"},
    {.name = "--keep",
     .kind = OPTION_SET,
     .offset = offsetof(struct settings, keep),
     .low = 1,
     .help = "keep the folder with the drivers, and say where it is"},
    OPTION_JSON(settings),
    {0}};

/* A page and what holds its texts. */
struct holder {
    struct page page;
    struct text header;
    char *files[2];
};

static void holder_free(struct holder *holder)
{
    text_free(&holder->header);
    free(holder->files[0]);
    free(holder->files[1]);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* A text file without zero bytes. */
static char *read_text(const char *path, struct error *err)
{
    size_t size = 0;
    char *data = (char *)file_read(path, PAGE_FILE_MAX, &size, err);
    if (data && strlen(data) != size) {
        fail(err, "%s: no text: a zero byte at %zu", path, strlen(data));
        free(data);
        return NULL;
    }
    return data;
}

/* NAME.h alone, or NAME.c with the NAME.h beside it. */
static bool read_page(const char *path, struct arena *arena, struct holder *holder,
                      struct error *err)
{
    char *header = arena_string(arena, path);
    if (!header) {
        return fail_memory(err);
    }
    if (ends_with(path, ".c")) {
        header[strlen(path) - 1] = 'h';
        holder->files[1] = read_text(path, err);
    }
    holder->files[0] = err->failed ? NULL : read_text(header, err);
    holder->page = (struct page){holder->files[0], holder->files[1], path};
    return !err->failed;
}

/* What emit would write; the target needs no tools, only its costs are read. */
static bool emit_page(const char *path, const struct settings *settings, struct holder *holder,
                      struct error *err)
{
    struct target *target = settings->target ? target_load(settings->target, err) : NULL;
    const struct emit_options how = {.name = "net",
                                     .optimise = settings->optimise,
                                     .layers = settings->layers.count ? settings->layers.of : NULL,
                                     .kernel = settings->kernel,
                                     .machine = target ? target->machine : NULL};
    struct net *net = err->failed ? NULL : net_read(path, err);
    bool good = net && choice_check(&settings->layers, settings->kernel, net, err) &&
                emit_c(net, &how, &holder->header, NULL, err);
    net_free(net);
    target_free(target);
    holder->page = (struct page){holder->header.data, NULL, path};
    return good;
}

/* "2 alarms: line 49: signed overflow; line 59: signed downcast" */
static void print_alarms(const struct proof *proof, struct text *out)
{
    text_printf(out, "%d alarm%s", proof->alarms, proof->alarms == 1 ? "" : "s");
    for (int i = 0; i < proof->alarms && i < PROOF_ALARMS_MAX; i++) {
        text_add(out, i ? "; " : ": ");
        if (proof->places[i].line) {
            text_printf(out, "line %d: ", proof->places[i].line);
        }
        text_add(out, proof->places[i].text);
    }
    text_add(out, proof->alarms > PROOF_ALARMS_MAX ? "; ..." : "");
}

/* "pose.h, 16-bit int: proved" */
static void print_proof(const char *path, const struct proof *proof, struct text *out)
{
    text_printf(out, "%s, %d-bit int: ", path, proof->model);
    switch (proof->verdict) {
    case VERDICT_PROVED:
        text_add(out, proof->wraps ? "proved; some sums are modulo 2^32 or 2^16" : "proved");
        break;
    case VERDICT_MISSING:
    case VERDICT_UNFINISHED:
        text_printf(out, "%s: %s", verdict_name(proof->verdict), proof->note);
        break;
    case VERDICT_ALARMS: print_alarms(proof, out); break;
    }
    text_add(out, "\n");
}

static json_t *json_proof(const char *path, const struct proof *proof)
{
    json_t *root = json_object();
    bool good = json_put(root, "file", json_path(path)) &&
                json_put(root, "model", json_integer(proof->model)) &&
                json_put(root, "verdict", json_string(verdict_name(proof->verdict))) &&
                json_put(root, "alarms",
                         proof->verdict == VERDICT_PROVED || proof->verdict == VERDICT_ALARMS
                             ? json_integer(proof->alarms)
                             : json_null());
    if (!good) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static enum exit_code print_proofs(const char *path, const struct proof *proofs, int count,
                                   bool json)
{
    if (!json) {
        struct text out = {0};
        for (int i = 0; i < count; i++) {
            print_proof(path, &proofs[i], &out);
        }
        return print_result(&out);
    }
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++) {
        if (json_array_append_new(list, json_proof(path, &proofs[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return print_json(list);
}

/* Under each model that was asked for. */
static enum exit_code prove_models(const char *path, const struct page *page,
                                   const struct settings *settings)
{
    static const int models[] = {32, 16};
    const struct prove_options how = {.seconds = (int)(settings->seconds + 0.999),
                                      .keep = settings->keep != 0};
    struct proof proofs[2];
    struct error err = {0};
    int count = 0;
    bool proved = true;
    for (int i = 0; i < 2; i++) {
        if (settings->model && settings->model != models[i]) {
            continue;
        }
        if (!prove_page(page, models[i], &how, &proofs[count], &err)) {
            return report_error(&err);
        }
        proved = proofs[count].verdict == VERDICT_PROVED && proved;
        count++;
    }
    enum exit_code code = print_proofs(path, proofs, count, settings->json != 0);
    return code == EXIT_FINE && !proved ? EXIT_INPUT : code;
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    const char *path = arguments.positional[0];
    struct error err = {0};
    struct holder holder = {0};
    struct arena *arena = arena_new();
    bool file = ends_with(path, ".h") || ends_with(path, ".c");
    bool good = (arena || fail_memory(&err)) && (file ? read_page(path, arena, &holder, &err)
                                                      : emit_page(path, &settings, &holder, &err));
    code = good ? prove_models(path, &holder.page, &settings) : report_error(&err);
    holder_free(&holder);
    arena_free(arena);
    return code;
}

const struct verb verb_prove = {
    .name = "prove",
    .summary = "prove the emitted file free of overflow and undefined behaviour",
    .usage = "NET|FILE [OPTIONS]",
    .text =
        "Runs Frama-C over the C that emit writes for NET, or over FILE (an emitted .h or .c), "
        "with\n"
        "inputs of which nothing is known, for an int of 32 and of 16 bits.  Proved means: "
        "whatever\n"
        "goes in, no overflow, no lossy conversion, no shift of a negative number, no access out "
        "of\n"
        "bounds or to what was never written, and the function returns.  One line for each model;\n"
        "the exit code is 1 where one is not proved.",
    .example = "  mote prove pose.mote --optimise speed",
    .options = options,
    .positionals = 1,
    .run = run,
};
