/* mote train: data in, integer network out. */
#include "cli/train.h"

#include "base/arena.h"
#include "base/file.h"
#include "cli/fit.h"
#include "cli/progress.h"
#include "report/evaluate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Everything that one run of the verb owns. */
struct session {
    const struct train_settings *settings;
    struct arena *arena;
    struct dataset *data;
    struct dataset *test; /* --test, or NULL */
    struct net *net;
    struct train_result result;
    struct evaluation evaluation;
    struct target_list list;
    bool any_optimise;      /* not given */
    enum optimise optimise; /* what is measured */
    struct cost *costs;
};

const char *net_name(const char *output, struct arena *arena)
{
    if (strcmp(output, "-") == 0) {
        return "net";
    }
    const char *slash = strrchr(output, '/');
    const char *base = slash ? slash + 1 : output;
    const char *dot = strrchr(base, '.');
    return arena_text(arena, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

/* Training data as the options say; what the reader remarks goes to stderr. */
static struct dataset *load(const char *path, const struct train_settings *settings,
                            struct error *err)
{
    int64_t last = 0;
    struct data_options how = {.label = settings->label,
                               .one_hot = settings->one_hot != 0,
                               .samples = (size_t)settings->samples};
    if (settings->outputs && parse_whole(settings->outputs, 1, DATA_COLUMNS_MAX, &last)) {
        how.outputs = (int)last;
    } else {
        how.output_names = settings->outputs;
    }
    struct dataset *data = data_load(path, &how, err);
    if (data) {
        report_note(data->note);
    }
    return data;
}

/* Is there a budget, and the shape left open? */
static bool budget_chooses(const struct train_settings *settings)
{
    const struct budget *b = &settings->budget;
    const char *shape = settings->train.topology;
    return (b->flash || b->ram || b->cycles) && (!shape || strcmp(shape, "auto") == 0);
}

static bool fit(struct session *session, const struct train_options *how, struct error *err)
{
    struct fit_job job = {.data = session->data,
                          .how = how,
                          .list = &session->list,
                          .budget = &session->settings->budget,
                          .arena = session->arena,
                          .any_optimise = session->any_optimise,
                          .optimise = session->optimise};
    bool done = fit_train(&job, err);
    session->net = job.net;
    session->result = job.result;
    session->optimise = job.optimise;
    return done;
}

/* Training with progress; Ctrl-C from here on keeps the best network. */
static bool train(struct session *session, const struct train_options *how, struct error *err)
{
    struct progress progress = progress_start(session->settings->verbose != 0);
    struct train_options watched = *how;
    watched.progress = progress_show;
    watched.progress_context = &progress;
    watched.stop = stop_on_interrupt();
    bool done = false;
    if (budget_chooses(session->settings)) {
        done = fit(session, &watched, err);
    } else {
        session->net = train_net(session->data, &watched, &session->result, err);
        done = session->net != NULL;
    }
    progress_end(&progress);
    if (done && *watched.stop) {
        report_note("stopped by Ctrl-C; the best network so far is kept");
    }
    return done;
}

/* Without a header the label column has no name: the net keeps its number, for `eval`. */
static bool keep_label(struct session *session, struct error *err)
{
    struct net *net = session->net;
    const char *label = session->settings->label;
    if (!label || net->task != TASK_CLASSIFICATION || net->label[0]) {
        return true;
    }
    return net_set_classes(net, net->classes, label) || fail_memory(err);
}

/* The integer program on rows that training has not seen; the figure becomes part of the net. */
static bool score(struct session *session, struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct net *net = session->net;
    struct evaluation *evaluation = &session->evaluation;
    bool good = session->test ? evaluate_net(net, session->test, (struct row_set){0},
                                             session->arena, evaluation, err) &&
                                    (set_score(net, &evaluation->figures) || fail_memory(err))
                              : score_net(net, session->data, (uint64_t)settings->seed,
                                          session->arena, evaluation, err);
    if (good) {
        note_clamped(evaluation->clamped);
    }
    return good;
}

/* On every target asked for, so that budgets can be judged. */
static bool measure(struct session *session, struct error *err)
{
    const struct train_settings *settings = session->settings;
    const struct measure_options how = {.optimise = session->optimise};
    if (!settings->targets) {
        return true;
    }
    session->costs = arena_alloc(session->arena, (size_t)session->list.count, sizeof(struct cost));
    return session->costs ? targets_measure(session->net, &session->list, &how, session->costs, err)
                          : fail_memory(err);
}

/* From settings to what train_net() wants, with the options as text for the provenance. */
static bool prepare(struct session *session, const struct arguments *arguments,
                    const struct verb *verb, struct train_options *how, struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct text text = {0};
    options_print(verb, arguments, &text);
    *how = settings->train;
    how->seed = (uint64_t)settings->seed;
    how->threads = (int)settings->threads;
    how->resume = settings->resume != 0;
    how->options_text = text.failed ? NULL : arena_string(session->arena, text.data);
    text_free(&text);
    if (!how->name) {
        how->name = net_name(settings->output, session->arena);
    }
    return (how->options_text && how->name) || fail_memory(err);
}

/* What would fail only after minutes of training is told at once. */
static bool check_files(const struct train_settings *settings, struct error *err)
{
    const char *checkpoint = settings->train.checkpoint;
    return file_writable(settings->output, err) &&
           (!checkpoint || file_writable(checkpoint, err)) &&
           (!settings->test || file_readable(settings->test, err));
}

/* The whole pipeline. */
static bool build(struct session *session, const struct arguments *arguments,
                  const struct verb *verb, struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct train_options how;
    session->optimise = settings->optimise;
    session->any_optimise = !option_given(verb, arguments, "--optimise");
    if (!prepare(session, arguments, verb, &how, err) || !check_files(settings, err) ||
        (settings->targets &&
         !targets_load(settings->targets, session->arena, &session->list, err))) {
        return false;
    }
    session->data = load(arguments->positional[0], settings, err);
    if (!session->data || !train(session, &how, err) || !keep_label(session, err)) {
        return false;
    }
    if (settings->test) {
        session->test = load_for_net(session->net, settings->test, settings->label, 0, err);
        if (!session->test) {
            return false;
        }
        struct train_result *result = &session->result;
        if (!train_float_figures(result, session->test, session->arena, &result->float_test)) {
            return fail_memory(err);
        }
    }
    return score(session, err) && net_write(session->net, settings->output, err) &&
           measure(session, err);
}

/* The keys that other programs rely on: see mote-train(1). */
static json_t *json_result(const struct session *session)
{
    const struct train_settings *settings = session->settings;
    json_t *root = json_object();
    bool good = json_put(root, "net", json_path(settings->output)) &&
                json_put(root, "method", json_string(session->net->provenance.method)) &&
                json_put(root, "stopped", json_boolean(session->result.stopped)) &&
                json_put(root, "score", json_figures(session->net, &session->evaluation.figures)) &&
                json_put(root, "float", json_figures(session->net, &session->result.float_test)) &&
                (!session->costs ||
                 json_put(root, "costs",
                          json_costs(session->costs, session->list.clocks, session->list.count)));
    if (!good) {
        json_decref(root);
        return NULL;
    }
    return root;
}

/* The table; on stderr where the network itself goes to standard output. */
static enum exit_code print_session(const struct session *session)
{
    const struct train_settings *settings = session->settings;
    if (settings->json) {
        return print_json(json_result(session));
    }
    struct text out = {0};
    text_figures(&out, session->net, &session->evaluation.figures, &session->result.float_test);
    if (session->costs) {
        text_add(&out, "\n");
        text_costs(&out, session->costs, session->list.clocks, session->list.count);
    }
    if (strcmp(settings->output, "-") != 0) {
        return print_result(&out);
    }
    (void)fputs(out.failed ? "" : out.data, stderr); /* the net has standard output */
    text_free(&out);
    return EXIT_FINE;
}

/* An entry of --tune that means nothing without a teacher; NULL: there is none. */
static const char *idle_tuning(const struct train_settings *settings)
{
    const struct tuning_choice *tuning = &settings->tuning;
    return settings->vision.teacher     ? NULL
           : tuning->teacher_part > 0   ? "teacher-part"
           : tuning->temperature > 0    ? "temperature"
           : tuning->teacher_epochs > 0 ? "teacher-epochs"
                                        : NULL;
}

/* Options that need or exclude one another. */
static enum exit_code check_usage(const struct train_settings *settings)
{
    if (!settings->output) {
        return report_usage("train", "-o NET is missing");
    }
    if (settings->label && (settings->outputs || settings->one_hot)) {
        return report_usage("train", "--label goes with neither --outputs nor --one-hot");
    }
    if (settings->resume && !settings->train.checkpoint) {
        return report_usage("train", "--resume needs --checkpoint FILE");
    }
    if (idle_tuning(settings)) {
        return report_usage("train", "--tune %s= needs --teacher SHAPE", idle_tuning(settings));
    }
    if ((settings->budget.flash || settings->budget.ram || settings->budget.cycles) &&
        !settings->targets) {
        return report_usage("train", "--flash, --ram and --cycles need --target");
    }
    if (settings->train.checkpoint && budget_chooses(settings)) {
        return report_usage("train", "--checkpoint needs --net SHAPE where there is a budget");
    }
    if (settings->json && strcmp(settings->output, "-") == 0) {
        return report_usage("train", "--json and -o - both want standard output");
    }
    return EXIT_FINE;
}

static void session_free(struct session *session)
{
    targets_free(&session->list);
    train_result_free(&session->result);
    net_free(session->net);
    data_free(session->test);
    data_free(session->data);
    arena_free(session->arena);
}

/* Images, by the content of DATA; standard input by the options. */
static bool holds_images(const struct verb *verb, const struct arguments *arguments,
                         struct error *err)
{
    const char *path = arguments->positional[0];
    return images_at(path, err) ||
           (strcmp(path, "-") == 0 && option_given(verb, arguments, "--labels"));
}

/* What is told about an option of the other kind of data, where there is data at all; arrays of
 * bytes may be meant as images. */
static enum exit_code wrong_kind(const char *name, const char *path, bool images)
{
    struct error err = {0};
    if (!file_readable(path, &err)) {
        return report_error(&err);
    }
    if (images) {
        return report_usage("train", "%s is not for images, and %s holds images", name, path);
    }
    return report_usage("train", "%s is not for tables, and %s %s", name, path,
                        images_flat(path) ? "has two dimensions; images have three or four, as by "
                                            "x.reshape(count, rows, columns)"
                                          : "holds no images");
}

/* Options that are for the other kind of data: EXIT_USAGE with a message. */
static enum exit_code check_kind(const struct verb *verb, const struct arguments *arguments,
                                 bool images)
{
    static const char *const of_tables[] = {
        "--outputs", "--label", "--one-hot", "--activation", "--skip", "--no-skip", "--weights",
        "--method",  "--loss",  "--in",      "--hidden",     "--out",  "--out-lsb", "--kernel"};
    static const char *const of_images[] = {"--labels",    "--augment", "--teacher", "--epochs",
                                            "--smoothing", "--mixup",   "--ema",     "--restarts",
                                            "--balance",   "--steps",   "--tune"};
    const char *const *names = images ? of_tables : of_images;
    size_t count =
        images ? sizeof of_tables / sizeof *of_tables : sizeof of_images / sizeof *of_images;
    for (size_t i = 0; i < count; i++) {
        if (option_given(verb, arguments, names[i])) {
            return wrong_kind(names[i], arguments->positional[0], images);
        }
    }
    return EXIT_FINE;
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct train_settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    code = check_usage(&settings);
    if (code != EXIT_FINE) {
        return code;
    }
    if (settings.test && strcmp(settings.test, "-") == 0 &&
        strcmp(arguments.positional[0], "-") == 0) {
        return report_usage("train", "DATA and --test cannot both come from standard input");
    }
    struct error err = {0};
    bool images = holds_images(verb, &arguments, &err);
    if (err.failed) {
        return report_error(&err);
    }
    code = check_kind(verb, &arguments, images);
    if (code != EXIT_FINE || images) {
        return code != EXIT_FINE ? code : train_images(verb, &settings, &arguments);
    }
    struct session session = {.settings = &settings, .arena = arena_new()};
    bool good = (session.arena || fail_memory(&err)) && build(&session, &arguments, verb, &err);
    code = good ? print_session(&session) : report_error(&err);
    if (code == EXIT_FINE && session.costs) {
        code = check_budget(&settings.budget, session.costs, session.list.count);
    }
    session_free(&session);
    return code;
}

const struct verb verb_train = {
    .name = "train",
    .summary = "train an integer network on data",
    .usage = "DATA -o NET [OPTIONS]",
    .text =
        "Reads DATA (CSV with or without a header, .npy, .npz, '-' for rows on standard input),\n"
        "trains a network, rounds it to integers, and writes it to NET.  A tenth of the rows is\n"
        "kept aside; the score that is printed and stored is the integer program's on them.\n"
        "Ctrl-C stops early and keeps the best network so far.\n"
        "DATA may also be images with labels: IDX (.gz too) with a label file beside it, .npy or\n"
        ".npz of uint8, or a folder with a folder of PNG, PGM or PPM files for each class.",
    .example = "  mote train pose.csv --outputs 6 --net 6-16-16-6 -o pose.mote\n"
               "  simulate | mote train - --outputs 6 --samples 100000 -o pose.mote\n"
               "  mote train iris.csv --label species -o iris.mote\n"
               "  mote train train-images-idx3-ubyte --test t10k-images-idx3-ubyte \\\n"
               "      --net \"28x28x1 crop24 resize16 conv3x8 relu pool2 dense10\" -o digits.mote",
    .options = train_options_table,
    .positionals = 1,
    .run = run,
};
