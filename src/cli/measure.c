/* mote measure: compile for targets, run in their emulators, compare every bit, report the cost. */
#include "base/arena.h"
#include "cli/cli.h"
#include "report/evaluate.h"

#include <string.h>

struct settings {
    const char *targets;
    enum optimise optimise;
    struct layer_goals layers;
    const char *kernel;
    int assembly;
    int constant;
    int64_t vectors;
    const char *data, *labels;
    struct budget budget;
    int keep;
    int json;
};

static const struct option options[] = {
    {.name = "--target",
     .argument = "A,B,C",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, targets),
     .help = "the targets; all, or without it: all that are installed"},
    OPTION_OPTIMISE(settings),
    OPTION_LAYERS(settings),
    OPTION_KERNEL(settings),
    OPTION_ASM(settings),
    OPTION_CONSTANT(settings),
    {.name = "--vectors",
     .argument = "N",
     .kind = OPTION_WHOLE,
     .offset = offsetof(struct settings, vectors),
     .low = 1,
     .high = 10000000,
     .help = "input vectors to run (default: 1000)"},
    {.name = "--data",
     .argument = "DATA",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, data),
     .help = "run its first rows or images; the mean of their cycles is told, too"},
    {.name = "--labels",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, labels),
     .help = "of the images in DATA (default: found by name)"},
    OPTION_FLASH(settings),
    OPTION_RAM(settings),
    OPTION_CYCLES(settings),
    {.name = "--keep",
     .kind = OPTION_SET,
     .offset = offsetof(struct settings, keep),
     .low = 1,
     .help = "keep the folder with the compiled program, and say where it is"},
    OPTION_JSON(settings),
    {0}};

/* The table, or the list as JSON. */
static enum exit_code print_costs(const struct settings *settings, const struct target_list *list,
                                  const struct cost *costs)
{
    if (settings->json) {
        return print_json(json_costs(costs, list->clocks, list->count));
    }
    struct text out = {0};
    text_costs(&out, costs, list->clocks, list->count);
    return print_result(&out);
}

/* A wrong bit is worse than a budget: it is told first. */
static enum exit_code judge(const struct settings *settings, const struct target_list *list,
                            const struct cost *costs)
{
    for (int i = 0; i < list->count; i++) {
        if (costs[i].mismatches != 0) {
            struct error err = {0};
            fail(&err, "%s: %lld of %lld vectors give other outputs than the reference interpreter",
                 costs[i].target, (long long)costs[i].mismatches, (long long)costs[i].vectors);
            return report_error(&err);
        }
    }
    for (int i = 0; settings->constant && i < list->count; i++) {
        struct error err = {0};
        if (!cost_constant(&costs[i], &err)) {
            return report_error(&err);
        }
    }
    return check_budget(&settings->budget, costs, list->count);
}

/* Input codes of a data file, and how many vectors they are. */
struct inputs {
    int32_t *codes; /* NULL: made up */
    int count;
};

static bool take_images(const struct settings *settings, const struct net *net, size_t most,
                        struct arena *arena, struct inputs *inputs, struct error *err)
{
    struct images *images = load_images_for_net(net, settings->data, settings->labels, most, err);
    size_t width = (size_t)net->tensors[net->input].width;
    bool good = images != NULL;
    if (good) {
        inputs->count = images->count;
        inputs->codes = arena_alloc(arena, (size_t)images->count, width * sizeof *inputs->codes);
        good = inputs->codes || fail_memory(err);
    }
    for (size_t i = 0; good && i < (size_t)images->count * width; i++) {
        inputs->codes[i] = images->pixels[i];
    }
    images_free(images);
    return good;
}

static bool take_rows(const struct settings *settings, const struct net *net, size_t most,
                      struct arena *arena, struct inputs *inputs, struct error *err)
{
    struct data_options how = {.inputs_only = true, .skip_outputs = true, .samples = most};
    struct dataset *data =
        match_options(net, false, arena, &how, err) ? data_load(settings->data, &how, err) : NULL;
    const struct tensor *input = &net->tensors[net->input];
    bool clamped = false;
    bool good = data != NULL;
    if (good) {
        inputs->count = (int)data->row_count;
        inputs->codes =
            arena_alloc(arena, data->row_count, (size_t)input->width * sizeof *inputs->codes);
        good = inputs->codes || fail_memory(err);
    }
    for (size_t i = 0; good && i < data->row_count; i++) {
        for (int j = 0; j < input->width; j++) {
            inputs->codes[i * (size_t)input->width + (size_t)j] = channel_encode(
                net_input_channel(net, j), input->type, (double)data_row(data, i)[j], &clamped);
        }
    }
    data_free(data);
    return good;
}

static bool take_inputs(const struct settings *settings, const struct net *net, struct arena *arena,
                        struct inputs *inputs, struct error *err)
{
    size_t most = settings->vectors > 0 ? (size_t)settings->vectors : 1000;
    *inputs = (struct inputs){NULL, (int)settings->vectors};
    if (!settings->data) {
        return true;
    }
    bool images = images_for_net(net, settings->data, err);
    if (err->failed) {
        return false;
    }
    return images ? take_images(settings, net, most, arena, inputs, err)
                  : take_rows(settings, net, most, arena, inputs, err);
}

/* What was measured: on all of list's targets but those that failed. */
struct measured {
    struct target_list list;
    struct cost *costs;
    struct error *errors;
    int failed; /* so many errors */
};

/* Targets that failed leave the list, their errors come first.  Where all there are were asked for,
 * without a budget, a network that is too large for some of them is a note. */
static void drop_failed(const struct settings *settings, struct measured *m)
{
    bool all = (!settings->targets || strcmp(settings->targets, "all") == 0) &&
               !has_budget(&settings->budget);
    int count = m->list.count;
    m->list.count = 0;
    for (int i = 0; i < count; i++) {
        struct target *target = m->list.targets[i];
        if (!m->errors[i].failed) {
            int to = m->list.count++;
            m->list.targets[to] = target;
            m->list.clocks[to] = m->list.clocks[i];
            m->costs[to] = m->costs[i];
        } else if (all && measure_lacks_room(&m->errors[i])) {
            report_note(m->errors[i].message);
            target_free(target);
        } else {
            m->errors[m->failed++] = m->errors[i];
            target_free(target);
        }
    }
}

static bool measure_all(const struct settings *settings, const struct net *net, struct measured *m,
                        struct arena *arena, struct error *err)
{
    struct inputs inputs;
    if (!choice_check(&settings->layers, settings->kernel, net, err) ||
        !take_inputs(settings, net, arena, &inputs, err)) {
        return false;
    }
    const struct measure_options how = {.optimise = settings->optimise,
                                        .layers =
                                            settings->layers.count ? settings->layers.of : NULL,
                                        .kernel = settings->kernel,
                                        .assembly = settings->assembly != 0,
                                        .constant_time = settings->constant != 0,
                                        .in = inputs.codes,
                                        .count = inputs.count,
                                        .keep = settings->keep != 0};
    if (!targets_load(settings->targets, arena, &m->list, err)) {
        return false;
    }
    m->costs = arena_alloc(arena, (size_t)m->list.count, sizeof *m->costs);
    m->errors = arena_alloc(arena, (size_t)m->list.count, sizeof *m->errors);
    if (!m->costs || !m->errors) {
        return fail_memory(err);
    }
    (void)targets_try(net, &m->list, &how, m->costs, m->errors);
    drop_failed(settings, m);
    return m->list.count > 0 || m->failed > 0 || fail(err, "it is too large for all targets");
}

static enum exit_code measure(const struct settings *settings, const struct net *net,
                              struct arena *arena)
{
    struct error err = {0};
    struct measured m = {.costs = NULL};
    enum exit_code code = EXIT_INPUT;
    if (!measure_all(settings, net, &m, arena, &err)) {
        report_error(&err);
    } else {
        code = m.list.count > 0 ? print_costs(settings, &m.list, m.costs) : EXIT_FINE;
        code = code == EXIT_FINE ? judge(settings, &m.list, m.costs) : code;
    }
    for (int i = 0; i < m.failed; i++) {
        code = report_error(&m.errors[i]);
    }
    targets_free(&m.list);
    return code;
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    if (has_budget(&settings.budget) && !settings.targets) {
        return report_usage("measure", "--flash, --ram and --cycles need --target");
    }
    struct error err = {0};
    struct net *net = net_read(arguments.positional[0], &err);
    struct arena *arena = arena_new();
    if (!net) {
        code = report_error(&err);
    } else if (!arena) {
        fail_memory(&err);
        code = report_error(&err);
    } else {
        code = measure(&settings, net, arena);
    }
    arena_free(arena);
    net_free(net);
    return code;
}

const struct verb verb_measure = {
    .name = "measure",
    .summary = "compile for targets, run there, compare every bit, report the cost",
    .usage = "NET [--target A,B,C] [OPTIONS]",
    .text =
        "Emits NET, compiles it with each target's compiler, runs it on the target's emulator,\n"
        "compares every output with the reference interpreter, and prints bytes of code and\n"
        "constants, static RAM, worst stack, instructions, cycles (1ws: with a wait state of\n"
        "flash), microseconds at the target's clock, and a hash of all outputs, which is the same\n"
        "everywhere.  With --data, mean is that of the cycles of as many vectors as were counted.\n"
        "'-' is a figure that the target cannot tell.  Where a target fails, the others are\n"
        "printed; without --target and a budget a network too large for one is a note.  The exit\n"
        "code is 1 where an output differs, and 3 where a figure is over its budget or a limited\n"
        "one unknown.",
    .example = "  mote measure pose.mote --target cortex-m0 --flash 1100 --ram 200 --cycles 8000",
    .options = options,
    .positionals = 1,
    .run = run,
};
