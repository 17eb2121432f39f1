/* mote emit: the network as one C file. */
#include "base/arena.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/fit.h"
#include "report/vectors.h"

#include <jansson.h>
#include <string.h>

struct settings {
    const char *output;
    const char *name;
    enum optimise optimise;
    struct layer_goals layers;
    const char *kernel;
    int assembly;
    int constant;
    int64_t selftest; /* vectors; -1: not given */
    const char *targets;
    struct budget budget;
    int explain;
    int json;
};

static const struct option options[] = {
    {.name = "-o",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, output),
     .help = "NAME.h: header only; NAME.c: that and NAME.h; -: the header on\nstandard output"},
    {.name = "--name",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, name),
     .help = "prefix of the C names (default: from the file's name)"},
    OPTION_OPTIMISE(settings),
    OPTION_LAYERS(settings),
    OPTION_KERNEL(settings),
    OPTION_ASM(settings),
    OPTION_CONSTANT(settings),
    {.name = "--selftest",
     .argument = "N",
     .kind = OPTION_WHOLE,
     .offset = offsetof(struct settings, selftest),
     .low = 0,
     .high = 1000,
     .help = "vectors of NAME_selftest(), 0 for none (default: 16); a search makes\n"
             "them reach as many of the clamps as it can"},
    {.name = "--target",
     .argument = "A,B,C",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, targets),
     .help = "choose kernels for the first of these, measure on all and put the\n"
             "costs into the head comment"},
    OPTION_FLASH(settings),
    OPTION_RAM(settings),
    OPTION_CYCLES(settings),
    {.name = "--explain",
     .kind = OPTION_SET,
     .offset = offsetof(struct settings, explain),
     .low = 1,
     .help = "print each layer's kernel, its alternatives and why; without -o\n"
             "write no file; of networks on images with --target what each costs"},
    OPTION_JSON(settings),
    {0}};

/* What to emit, with what it borrows. */
struct job {
    const struct net *net;
    const struct settings *settings;
    struct arena *arena;
    struct target_list targets;
    struct emit_options how;
    struct vectors vectors;
    const struct cost *measured; /* on each target; NULL: not measured */
};

/* The files to write: the second one is NULL for a header alone. */
struct paths {
    char *header;
    char *source;
};

/* Is `end` the end of a longer text? */
static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* NAME.c comes with NAME.h; all else is one header. */
static bool choose_paths(const char *output, struct arena *arena, struct paths *paths,
                         struct error *err)
{
    paths->header = arena_string(arena, output);
    if (!paths->header) {
        return fail_memory(err);
    }
    if (ends_with(output, ".c")) {
        paths->source = arena_string(arena, output);
        paths->header[strlen(output) - 1] = 'h';
    }
    return !ends_with(output, ".c") || paths->source || fail_memory(err);
}

/* The file's name without folder and extension. */
static bool stem_is(const char *output, const char *name)
{
    const char *slash = strrchr(output, '/');
    const char *base = slash ? slash + 1 : output;
    size_t length = strlen(base) - 2;
    return strlen(name) == length && strncmp(base, name, length) == 0;
}

/* The C prefix: "out/pose.h" gives pose; standard output leaves it to the net. */
static bool choose_name(const struct settings *settings, struct arena *arena, const char **name)
{
    char identifier[32];
    *name = settings->name;
    if (*name || strcmp(settings->output, "-") == 0) {
        return true;
    }
    const char *slash = strrchr(settings->output, '/');
    const char *base = slash ? slash + 1 : settings->output;
    char *stem = arena_text(arena, base, strlen(base) - 2);
    if (!stem) {
        return false;
    }
    emit_identifier(stem, identifier);
    *name = arena_string(arena, identifier);
    return *name != NULL;
}

/* One measured target as a line of the head comment: "Cortex-M0 -Os" and its figures. */
static bool describe_cost(const struct target *target, enum optimise optimise,
                          const struct cost *cost, struct arena *arena, struct emit_cost *line)
{
    struct text title = {0};
    text_printf(&title, "%s %s", target->title,
                optimise == OPTIMISE_SIZE ? target->optimise_size : target->optimise_speed);
    *line = (struct emit_cost){
        .target = title.failed ? NULL : arena_string(arena, title.data),
        .flash_code = cost->flash_code,
        .flash_const = cost->flash_const,
        .ram = cost->ram,
        .stack = cost->stack,
        .cycles = cost->cycles,
    };
    text_free(&title);
    return line->target != NULL;
}

/* A figure of a program that computes something else must not reach the comment. */
static bool all_equal(const struct cost *cost, struct error *err)
{
    return cost->mismatches == 0 ||
           fail(err, "%s: %lld vectors give other outputs than the reference interpreter",
                cost->target, (long long)cost->mismatches);
}

/* The job's net as one header whose names begin with "net", which is what gets measured. */
static bool emit_alone(const struct job *job, struct text *header, struct error *err)
{
    struct emit_options how = job->how;
    struct text source = {0};
    how.name = "net";
    how.separate = false;
    how.selftest = NULL;
    return emit_c(job->net, &how, header, &source, err);
}

/* What the job's kernels cost on its targets. */
static bool measure_once(struct job *job, struct cost *costs, struct error *err)
{
    struct text header = {0};
    bool good = emit_alone(job, &header, err);
    const struct measure_options how = {.optimise = job->how.optimise,
                                        .constant_time = job->how.constant_time,
                                        .header = header.data};
    good = good && targets_measure(job->net, &job->targets, &how, costs, err);
    for (int i = 0; good && i < job->targets.count; i++) {
        good =
            all_equal(&costs[i], err) && (!job->how.constant_time || cost_constant(&costs[i], err));
    }
    text_free(&header);
    return good;
}

/* A smaller limit for the planner: by what was too much, and by a sixteenth at least, because
 * kernels differ by more than a few bytes. */
static int64_t smaller(int64_t limit, int64_t over)
{
    int64_t step = over > limit / 16 ? over : limit / 16 + 1;
    return over <= 0 ? limit : limit > step ? limit - step : 1;
}

/* Estimates are not all of it (and only of the dense layers): where what is measured on the first
 * target breaks a budget, the planner gets a smaller one.  False where all is kept. */
static bool tighten(struct job *job, const struct cost *cost)
{
    const struct budget *budget = &job->settings->budget;
    int64_t bytes = budget->flash ? cost_flash(cost) - budget->flash : 0;
    int64_t cycles = budget->cycles ? cost->cycles - budget->cycles : 0;
    job->how.flash = smaller(job->how.flash, bytes);
    job->how.cycles = smaller(job->how.cycles, cycles);
    return bytes > 0 || cycles > 0;
}

/* What each layer of a net on maps is made for is to be found; NULL: no memory. */
static struct layers_job *layers_start(struct job *job)
{
    struct layers_job *layers = arena_alloc(job->arena, 1, sizeof *layers);
    if (layers) {
        *layers = (struct layers_job){.net = job->net,
                                      .list = &job->targets,
                                      .budget = &job->settings->budget,
                                      .how = &job->how,
                                      .arena = job->arena};
    }
    return layers;
}

/* The goals that the budget wants. */
static bool choose_layers(struct job *job, struct error *err)
{
    struct layers_job *search = layers_start(job);
    if (!search) {
        return fail_memory(err);
    }
    if (!layers_search(search, err)) {
        return false;
    }
    const char *note = layers_note(search->layers, net_row_layers(job->net), job->arena);
    if (!note) {
        return fail_memory(err);
    }
    report_note(note);
    job->how.layers = search->layers;
    return true;
}

#define TURNS 12

/* Measure until the budgets are kept, or nothing more helps. */
static bool measure_within(struct job *job, struct cost *costs, struct error *err)
{
    if (net_has_maps(job->net)) {
        return (job->how.layers || !has_budget(&job->settings->budget) ||
                choose_layers(job, err)) &&
               measure_once(job, costs, err);
    }
    job->how.flash = job->settings->budget.flash;
    job->how.cycles = job->settings->budget.cycles;
    bool over = true;
    for (int turn = 0; over && turn < TURNS; turn++) {
        if (!measure_once(job, costs, err)) {
            return false;
        }
        over = tighten(job, &costs[0]);
    }
    if (over && !job->settings->budget.cycles && job->how.optimise != OPTIMISE_SIZE) {
        job->how.optimise = OPTIMISE_SIZE; /* smaller outside of the dense layers, too */
        return measure_within(job, costs, err);
    }
    return true;
}

static bool measure_costs(struct job *job, struct error *err)
{
    size_t count = (size_t)job->targets.count;
    struct cost *costs = arena_alloc(job->arena, count, sizeof *costs);
    struct emit_cost *lines = arena_alloc(job->arena, count, sizeof *lines);
    if (!costs || !lines) {
        return fail_memory(err);
    }
    if (!measure_within(job, costs, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!describe_cost(job->targets.targets[i], job->how.optimise, &costs[i], job->arena,
                           &lines[i])) {
            return fail_memory(err);
        }
    }
    job->how.costs = lines;
    job->how.cost_count = (int)count;
    job->measured = costs;
    return true;
}

/* The source first: a header that is there has its source. */
static bool write_files(const struct paths *paths, const struct text *header,
                        const struct text *source, struct error *err)
{
    return (!paths->source || file_write(paths->source, source->data, source->length, err)) &&
           file_write(paths->header, header->data, header->length, err);
}

/* With --asm: what the targets have, or without targets all there are. */
static unsigned wanted_variants(const struct settings *settings, const struct target_list *list)
{
    unsigned wanted = settings->assembly && !settings->targets ? VARIANTS_ALL : 0;
    for (int i = 0; settings->assembly && i < list->count; i++) {
        unsigned kinds;
        (void)emit_variants_parse(list->targets[i]->variants, &kinds);
        wanted |= kinds;
    }
    return wanted;
}

/* The kernels: for the first target, by what they cost there. */
static bool plan_job(struct job *job, struct error *err)
{
    const struct settings *settings = job->settings;
    if (settings->targets && !targets_load(settings->targets, job->arena, &job->targets, err)) {
        return false;
    }
    if (!choice_check(&settings->layers, settings->kernel, job->net, err)) {
        return false;
    }
    job->how.optimise = settings->optimise;
    job->how.layers = settings->layers.count ? settings->layers.of : NULL;
    job->how.kernel = settings->kernel;
    job->how.constant_time = settings->constant != 0;
    job->how.machine = job->targets.count > 0 ? job->targets.targets[0]->machine : NULL;
    job->how.variants = wanted_variants(settings, &job->targets);
    return true;
}

/* The pipeline of this verb: vectors, costs, C, files. */
static bool emit_files(struct job *job, const struct paths *paths, struct error *err)
{
    const struct settings *settings = job->settings;
    struct emit_options *how = &job->how;
    how->separate = paths->source != NULL;
    if (!choose_name(settings, job->arena, &how->name)) {
        return fail_memory(err);
    }
    if (paths->source && !stem_is(settings->output, how->name)) {
        return fail(err, "with the prefix '%s' the file must be called %s.c: it includes \"%s.h\"",
                    how->name, how->name, how->name);
    }
    int count = settings->selftest < 0 ? 16 : (int)settings->selftest;
    bool good = count == 0 || selftest_vectors(job->net, count, job->arena, &job->vectors, err);
    how->selftest = count > 0 ? &job->vectors : NULL;
    struct text header = {0}, source = {0};
    good = good && emit_c(job->net, how, &header, &source, err) &&
           write_files(paths, &header, &source, err);
    text_free(&header);
    text_free(&source);
    return good;
}

static enum exit_code print_files(const struct paths *paths)
{
    json_t *root = json_object();
    json_t *files = json_array();
    bool good = json_put(root, "files", files) &&
                json_array_append_new(files, json_path(paths->header)) == 0 &&
                (!paths->source || json_array_append_new(files, json_path(paths->source)) == 0);
    if (!good) {
        json_decref(root);
        root = NULL;
    }
    return print_json(root);
}

/* What other goals would cost on the first target; without one nobody knows. */
static bool find_prices(struct job *job, struct error *err)
{
    if (!net_has_maps(job->net) || job->targets.count == 0) {
        return true;
    }
    struct layers_job *layers = layers_start(job);
    struct emit_prices *prices = arena_alloc(job->arena, 1, sizeof *prices);
    if (!layers || !prices) {
        return fail_memory(err);
    }
    for (int i = 0; i < net_row_layers(job->net); i++) {
        layers->layers[i] = job->how.layers ? job->how.layers[i] : job->how.optimise;
    }
    job->how.prices = prices;
    return layers_prices(layers, prices, err);
}

static enum exit_code explain(struct job *job)
{
    struct error err = {0};
    struct text out = {0};
    if (!find_prices(job, &err) || !emit_explain(job->net, &job->how, &out, &err)) {
        text_free(&out);
        return report_error(&err);
    }
    return print_result(&out);
}

static enum exit_code emit(struct job *job)
{
    struct error err = {0};
    struct paths paths = {0};
    const struct settings *settings = job->settings;
    bool good = (job->arena || fail_memory(&err)) && plan_job(job, &err) &&
                (!settings->targets || measure_costs(job, &err));
    enum exit_code budget = good && job->measured
                                ? check_budget(&settings->budget, job->measured, job->targets.count)
                                : EXIT_FINE;
    if (good && settings->output && budget == EXIT_FINE) {
        good = choose_paths(settings->output, job->arena, &paths, &err) &&
               emit_files(job, &paths, &err);
    }
    if (!good) {
        return report_error(&err);
    }
    enum exit_code code = settings->explain                       ? explain(job)
                          : settings->json && budget == EXIT_FINE ? print_files(&paths)
                                                                  : EXIT_FINE;
    return code == EXIT_FINE ? budget : code;
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {.selftest = -1};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    const char *output = settings.output;
    if (!output && !settings.explain) {
        return report_usage("emit", "-o FILE is missing");
    }
    if (has_budget(&settings.budget) && !settings.targets) {
        return report_usage("emit", "--flash, --ram and --cycles need --target");
    }
    if (settings.explain && (settings.json || (output && strcmp(output, "-") == 0))) {
        return report_usage("emit", "--explain and %s both want standard output",
                            settings.json ? "--json" : "-o -");
    }
    if (output && strcmp(output, "-") != 0 && !ends_with(output, ".h") &&
        !ends_with(output, ".c")) {
        return report_usage("emit", "-o: '%s' is not NAME.h, NAME.c or -", output);
    }
    if (settings.json && output && strcmp(output, "-") == 0) {
        return report_usage("emit", "--json and -o - both want standard output");
    }
    struct error err = {0};
    struct net *net = net_read(arguments.positional[0], &err);
    if (!net) {
        return report_error(&err);
    }
    struct job job = {.net = net, .settings = &settings, .arena = arena_new()};
    code = emit(&job);
    targets_free(&job.targets);
    arena_free(job.arena);
    net_free(net);
    return code;
}

const struct verb verb_emit = {
    .name = "emit",
    .summary = "write a network as one C99 file without dependencies",
    .usage = "NET -o FILE [OPTIONS]",
    .text =
        "Writes NET as C99 that needs <stdint.h> alone: NAME_predict(), NAME_selftest() and, for\n"
        "classes, NAME_classify().  The head comment says what goes in and comes out, with units\n"
        "and steps, the score, and the proved bound of the sums.  The file belongs to you.",
    .example = "  mote emit pose.mote -o pose.h --target cortex-m0",
    .options = options,
    .positionals = 1,
    .run = run,
};
