/* mote eval: the integer program's score on data. */
#include "base/arena.h"
#include "cli/cli.h"
#include "report/evaluate_images.h"

#include <jansson.h>

struct settings {
    const char *label, *labels;
    int64_t samples, threads;
    int json;
};

static const struct option options[] = {
    {.name = "--label",
     .argument = "COL",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, label),
     .help = "classes: the label column, by name or number from 1\n"
             "(default: the one that the net was trained on)"},
    {.name = "--labels",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, labels),
     .help = "images: their labels (default: found by name)"},
    {.name = "--threads",
     .argument = "N",
     .kind = OPTION_WHOLE,
     .offset = offsetof(struct settings, threads),
     .low = 1,
     .high = 16,
     .help = "images: default: all; the result does not depend\n"
             "on it"},
    {.name = "--samples",
     .argument = "N",
     .kind = OPTION_WHOLE,
     .offset = offsetof(struct settings, samples),
     .low = 1,
     .high = INT64_C(1000000000),
     .help = "read so many rows or images at most"},
    OPTION_JSON(settings),
    {0}};

/* The table, or {"score", "clamped"}. */
static enum exit_code print_evaluation(const struct net *net, const struct evaluation *evaluation,
                                       bool json)
{
    note_clamped(evaluation->clamped);
    if (json) {
        json_t *root = json_object();
        if (!json_put(root, "score", json_figures(net, &evaluation->figures)) ||
            !json_put(root, "clamped", json_integer(evaluation->clamped))) {
            json_decref(root);
            root = NULL;
        }
        return print_json(root);
    }
    struct text out = {0};
    text_figures(&out, net, &evaluation->figures, NULL);
    return print_result(&out);
}

static enum exit_code print_images(const struct net *net, const struct image_evaluation *evaluation,
                                   bool json)
{
    if (json) {
        json_t *root = json_object();
        if (!json_put(root, "score", json_image_evaluation(net, evaluation))) {
            json_decref(root);
            root = NULL;
        }
        return print_json(root);
    }
    struct text out = {0};
    text_image_evaluation(&out, net, evaluation);
    return print_result(&out);
}

/* The pipeline for images. */
static enum exit_code evaluate_pictures(const struct net *net, const char *path,
                                        const struct settings *settings)
{
    struct error err = {0};
    struct images *images =
        load_images_for_net(net, path, settings->labels, (size_t)settings->samples, &err);
    struct arena *arena = arena_new();
    struct image_set set = {.images = images, .threads = (int)settings->threads};
    struct image_evaluation evaluation;
    bool good = images && (arena || fail_memory(&err)) &&
                evaluate_images(net, &set, arena, &evaluation, &err);
    enum exit_code code =
        good ? print_images(net, &evaluation, settings->json) : report_error(&err);
    arena_free(arena);
    images_free(images);
    return code;
}

/* Options that belong to the other kind of data. */
static enum exit_code check_usage(const struct settings *settings, const char *path, bool images)
{
    if (settings->label && images) {
        return report_usage("eval", "--label: %s holds images; their labels are --labels FILE",
                            path);
    }
    if (settings->labels && !images) {
        return report_usage("eval", "--labels: %s holds no images; see --label", path);
    }
    return EXIT_FINE;
}

/* The pipeline of this verb: data, figures, print. */
static enum exit_code evaluate(const struct net *net, const char *path,
                               const struct settings *settings)
{
    struct error err = {0};
    struct dataset *data =
        load_for_net(net, path, settings->label, (size_t)settings->samples, &err);
    struct arena *arena = arena_new();
    struct row_set all = {0};
    struct evaluation evaluation;
    bool good = data && (arena || fail_memory(&err)) &&
                evaluate_net(net, data, all, arena, &evaluation, &err);
    enum exit_code code =
        good ? print_evaluation(net, &evaluation, settings->json) : report_error(&err);
    arena_free(arena);
    data_free(data);
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
    struct error err = {0};
    struct net *net = net_read(arguments.positional[0], &err);
    if (!net) {
        return report_error(&err);
    }
    const char *data = arguments.positional[1];
    bool images = images_for_net(net, data, &err);
    if (err.failed) {
        code = report_error(&err);
    } else if (settings.label && net->task == TASK_REGRESSION) {
        code = report_usage("eval", "--label: %s is a regression", arguments.positional[0]);
    } else {
        code = check_usage(&settings, data, images);
    }
    if (code == EXIT_FINE) {
        code = images ? evaluate_pictures(net, data, &settings) : evaluate(net, data, &settings);
    }
    net_free(net);
    return code;
}

const struct verb verb_eval = {
    .name = "eval",
    .summary = "score a network on data: error per output, or accuracy and confusion",
    .usage = "NET DATA [OPTIONS]",
    .text =
        "Runs the integer program NET on every row of DATA (CSV, .npy, .npz, '-' for standard\n"
        "input) and prints RMS and worst error per output in its unit, or the accuracy and the\n"
        "confusion matrix (rows: true class).  Columns are found by the net's names where the\n"
        "file has a header, else by position: inputs, then outputs.\n"
        "DATA may also be images: IDX (.gz too), .npy or .npz of uint8, a folder with a folder of\n"
        "PNG, PGM or PPM files for each class.  Then the calibration is told too: how often\n"
        "answers of each confidence are right.",
    .example = "  mote eval pose.mote fresh.csv\n"
               "  mote eval digits.mote t10k-images-idx3-ubyte",
    .options = options,
    .positionals = 2,
    .run = run,
};
