/* mote train on images: images in, integer network out. */
#include "cli/train.h"

#include "base/file.h"
#include "cli/fit.h"
#include "cli/progress.h"
#include "report/calibrate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ATTEMPTS        3                 /* trained until one keeps to the budget */
#define DESCRIPTION_MAX ((size_t)1 << 16) /* bytes of a file with --net's text */

/* Everything that one run owns. */
struct session {
    const struct train_settings *settings;
    struct arena *arena;
    struct images *images;
    struct images *test; /* --test, or NULL */
    struct net *net;
    struct vision_result result;
    struct image_evaluation evaluation;
    struct target_list list;
    enum optimise optimise; /* what is measured */
    struct cost *costs;
};

/* ---- descriptions ---- */

/* What --net or --teacher says, and where that came from. */
struct description {
    const char *text;
    const char *place;
};

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* "@file" or the path of a file is read; other text is taken as it is. */
static bool describe(const char *text, const char *option, struct arena *arena,
                     struct description *to, struct error *err)
{
    *to = (struct description){text, option};
    if (!text || (text[0] != '@' && !is_file(text))) {
        return true;
    }
    size_t size = 0;
    to->place = text[0] == '@' ? text + 1 : text;
    unsigned char *bytes = file_read(to->place, DESCRIPTION_MAX, &size, err);
    if (!bytes) {
        return false;
    }
    bool clean = memchr(bytes, 0, size) == NULL;
    to->text = arena_text(arena, (const char *)bytes, size);
    free(bytes);
    return clean ? to->text || fail_memory(err) : fail(err, "%s: a zero byte: no text", to->place);
}

/* The text in one line without its comments, for the provenance; NULL: no memory. */
static const char *one_line(const char *text, struct arena *arena)
{
    char *line = arena_string(arena, text);
    size_t length = 0;
    bool gap = false;
    for (; line && *text; text += *text != 0) {
        if (*text == '#') {
            text += strcspn(text, "\n");
        }
        if (strchr(" \t\r\n", *text)) {
            gap = true;
            continue;
        }
        if (gap && length > 0) {
            line[length++] = ' ';
        }
        gap = false;
        line[length++] = *text;
    }
    if (line) {
        line[length] = 0;
    }
    return line;
}

/* Channels that the text asks for in its first token, "28x28x1"; 0: it does not. */
static int wanted_channels(const char *text)
{
    for (int part = 0; text && part < 3; part++) {
        text += part == 0 ? strspn(text, " \t\r\n") : 0;
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 5 || (part < 2 && text[digits] != 'x')) {
            return 0;
        }
        if (part == 2) {
            return atoi(text); /* NOLINT: at most five digits */
        }
        text += digits + 1;
    }
    return 0;
}

/* ---- stages ---- */

static bool load(struct session *session, const char *path, const char *text, struct error *err)
{
    const struct train_settings *settings = session->settings;
    int channels = wanted_channels(text);
    struct images_options how = {.labels = settings->labels,
                                 .samples = (size_t)settings->samples,
                                 .channels = channels == 1 || channels == 3 ? channels : 0};
    session->images = images_load(path, &how, err);
    if (!session->images) {
        return false;
    }
    report_note(session->images->note);
    return session->images->labels ||
           fail(err, "%s: no labels: --labels FILE, or a folder for each class", path);
}

/* Images of the same size, with the classes that training has. */
static bool load_test(struct session *session, struct error *err)
{
    const struct images *images = session->images;
    const char *path = session->settings->test;
    struct images_options how = {.rows = images->rows,
                                 .columns = images->columns,
                                 .channels = images->channels,
                                 .known_classes = images->classes,
                                 .known_class_count = images->class_count};
    if (!path) {
        return true;
    }
    session->test = images_load(path, &how, err);
    return session->test && (session->test->labels || fail(err, "%s: no labels beside them", path));
}

/* From settings to what vision_train() wants, with the options as text for the provenance. */
static bool prepare(struct session *session, const struct verb *verb, struct arguments *arguments,
                    struct vision_options *how, struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct text text = {0};
    options_print(verb, arguments, &text);
    *how = settings->vision;
    how->options_text = text.failed ? NULL : arena_string(session->arena, text.data);
    text_free(&text);
    how->test_apart = settings->test != NULL;
    how->float_epochs = settings->epochs.in_floats;
    how->integer_epochs = settings->epochs.in_integers;
    how->batch = settings->tuning.batch;
    how->rate = settings->tuning.rate;
    how->integer_rate = settings->tuning.integer_rate;
    how->decay = settings->tuning.decay;
    how->sparse = settings->tuning.sparse;
    how->teacher_part = settings->tuning.teacher_part;
    how->temperature = settings->tuning.temperature;
    how->teacher_epochs = settings->tuning.teacher_epochs;
    how->freeze = settings->tuning.freeze;
    how->settle = settings->tuning.settle;
    how->whole = settings->tuning.whole;
    how->copy_memory = (size_t)settings->tuning.copy_memory << 20;
    how->restarts = (int)settings->restarts;
    how->balance = settings->balance != 0;
    how->seconds = settings->train.seconds;
    how->seed = (uint64_t)settings->seed;
    how->threads = (int)settings->threads;
    how->isa = settings->train.isa;
    how->checkpoint = settings->train.checkpoint;
    how->resume = settings->resume != 0;
    how->name =
        settings->train.name ? settings->train.name : net_name(settings->output, session->arena);
    return (how->options_text && how->name) || fail_memory(err);
}

static void choose_augment(const struct session *session, struct vision_options *how)
{
    const struct augment_choice *choice = &session->settings->augment;
    how->augment = choice->given ? choice->augment
                                 : default_augment(session->images->rows, session->images->columns);
    how->copies = choice->copies;
    how->original = choice->original;
}

static bool check_change(const struct images *images, const char *name, double value, double most,
                         struct error *err)
{
    return value <= most ||
           fail(err, "--augment: %s=%.6g is too much for %d x %d pixels: at most %g", name, value,
                images->rows, images->columns, most);
}

/* Pixels may move by half a side, and holes are smaller than the image. */
static bool check_augment(const struct images *images, const struct augment *augment,
                          struct error *err)
{
    int larger = images->rows > images->columns ? images->rows : images->columns;
    int smaller = images->rows < images->columns ? images->rows : images->columns;
    int side = smaller > 1 ? smaller : larger; /* lines do not move across */
    return check_change(images, "shift", (double)augment->shift, side / 2.0, err) &&
           check_change(images, "elastic", (double)augment->elastic, side / 2.0, err) &&
           check_change(images, "cutout", augment->cutout, larger - 1, err);
}

/* Few images need more passes to make as many steps: about 1000 in floats and 5000 in integers. */
static void choose_epochs(const struct session *session, struct vision_options *how)
{
    int images = session->images->count;
    if (how->batch == 0 && images < 1000) {
        how->batch = 64;
    }
    int batch = how->batch ? how->batch : 128;
    int steps = (images + batch - 1) / batch;
    if (how->float_epochs == 0) {
        how->float_epochs = steps < 100 ? 1000 / steps : VISION_FLOAT_EPOCHS;
        how->integer_epochs = steps < 100 ? 5000 / steps : VISION_INTEGER_EPOCHS;
    }
}

/* --augment as it was chosen; what is seldom asked for only where it was. */
static void print_augment(const struct vision_options *how, struct text *out)
{
    const struct augment *a = &how->augment;
    text_printf(out, "rotate=%.3g,shift=%.3g,scale=%.3g,shear=%.3g,elastic=%.3g", (double)a->rotate,
                (double)a->shift, (double)a->scale, (double)a->shear, (double)a->elastic);
    if (a->noise > 0 || a->cutout > 0) {
        text_printf(out, ",noise=%.4g,cutout=%d", (double)a->noise, a->cutout);
    }
    if (how->copies > 0) {
        text_printf(out, ",copies=%d", how->copies);
    }
    if (how->original != 0) {
        text_printf(out, ",original=%.3g", how->original > 0 ? how->original : 0);
    }
}

/* What was chosen, in the form of the options that choose otherwise. */
static void tell_recipe(const struct progress *progress, const struct vision_options *how)
{
    struct text out = {0};
    text_printf(&out, "recipe: --epochs %d+%d --augment ", how->float_epochs, how->integer_epochs);
    if (augment_any(&how->augment)) {
        print_augment(how, &out);
    } else {
        text_add(&out, "none");
    }
    progress_say(progress, out.failed ? "" : out.data);
    text_free(&out);
}

/* Texts of the descriptions, in `how` as they stand and in `arguments` in one line. */
static bool describe_nets(struct session *session, const struct verb *verb,
                          struct arguments *arguments, struct description *net,
                          struct description *teacher, struct error *err)
{
    const char *shape = session->settings->train.topology;
    bool chosen = !shape || strcmp(shape, "auto") == 0;
    if (!describe(chosen ? NULL : shape, "--net", session->arena, net, err) ||
        !describe(session->settings->vision.teacher, "--teacher", session->arena, teacher, err)) {
        return false;
    }
    for (int i = 0; verb->options[i].name; i++) {
        const struct description *which = strcmp(verb->options[i].name, "--net") == 0 ? net
                                          : strcmp(verb->options[i].name, "--teacher") == 0
                                              ? teacher
                                              : NULL;
        if (which && which->text && arguments->given[i]) {
            arguments->given[i] = one_line(which->text, session->arena);
            if (!arguments->given[i]) {
                return fail_memory(err);
            }
        }
    }
    return true;
}

/* Training with progress; Ctrl-C from here on keeps the best network. */
static bool train(struct session *session, struct vision_options *how, struct error *err)
{
    struct progress progress = progress_start(session->settings->verbose != 0);
    tell_recipe(&progress, how);
    how->progress = progress_show;
    how->progress_context = &progress;
    how->stop = stop_on_interrupt();
    session->net = vision_train(session->images, how, &session->result, err);
    progress_end(&progress);
    if (session->net && *how->stop) {
        report_note("stopped by Ctrl-C; the best network so far is kept");
    }
    return session->net != NULL;
}

/* A net with the step of its outputs, and what --net has behind the layers that are trained. */
static bool learn(struct session *session, struct vision_options *how, struct error *err)
{
    return train(session, how, err) &&
           (calibrate_outputs(session->net, session->images, how->seed, how->threads) ||
            fail_memory(err)) &&
           vision_append_head(session->net, &session->result, err);
}

/* ---- widths by a budget ---- */

/* The chosen net becomes part of what reproduces it. */
static bool record_net(struct session *session, const struct verb *verb,
                       struct arguments *arguments, struct vision_options *how, struct error *err)
{
    struct text text = {0};
    for (int i = 0; verb->options[i].name; i++) {
        if (strcmp(verb->options[i].name, "--net") == 0) {
            arguments->given[i] = one_line(how->net, session->arena);
        }
    }
    options_print(verb, arguments, &text);
    how->options_text = text.failed ? NULL : arena_string(session->arena, text.data);
    text_free(&text);
    return how->options_text || fail_memory(err);
}

/* Train what fits by its untrained net, and narrower ones where learning made it larger. */
static bool train_widths(struct session *session, const struct verb *verb,
                         struct arguments *arguments, struct vision_options *how,
                         struct width_job *job, struct error *err)
{
    bool good = false;
    struct progress progress = progress_start(session->settings->verbose != 0);
    progress_show(&progress, 0, -1, "widths", "");
    how->progress = progress_show;
    how->progress_context = &progress;
    how->stop = stop_on_interrupt();
    bool found = bits_open(job->open) ? bits_search(job, err) : widths_search(job, err);
    progress_end(&progress);
    for (int attempt = 0; found && attempt < ATTEMPTS && !good && job->width > 0;
         attempt++, job->width--) {
        net_free(session->net);
        session->net = NULL;
        how->net = widths_filled(job->open, job->width, job->bits, session->arena);
        if (!(how->net || fail_memory(err)) || !record_net(session, verb, arguments, how, err) ||
            !learn(session, how, err) || !fit_within(&job->fit, session->net, 0, 0, &good, err)) {
            return false;
        }
        good = good || *how->stop;
    }
    session->optimise = job->fit.optimise;
    job->fits = good;
    return found;
}

static void note_choice(const struct session *session, const struct width_job *job)
{
    char note[480];
    const char *optimise = !job->fit.any_optimise                ? ""
                           : session->optimise == OPTIMISE_SPEED ? " --optimise speed"
                                                                 : " --optimise size";
    (void)snprintf(note, sizeof note, "%s: %.350s%s",
                   job->fits ? "the budget chose" : "nothing keeps to the budget; the smallest is",
                   session->net->provenance.options, optimise);
    report_note(note);
}

/* The net as it is given, or with widths that the budget leaves. */
static bool make_net(struct session *session, const struct verb *verb, struct arguments *arguments,
                     struct vision_options *how, struct error *err)
{
    const struct train_settings *settings = session->settings;
    const struct images *images = session->images;
    struct volume size = {images->rows, images->columns, images->channels};
    char text[200];
    struct width_job job = {.images = images,
                            .how = how,
                            .open = how->net,
                            .fit = {.list = &session->list,
                                    .budget = &settings->budget,
                                    .arena = session->arena,
                                    .any_optimise = !option_given(verb, arguments, "--optimise"),
                                    .optimise = settings->optimise}};
    if (!has_budget(&settings->budget)) {
        return widths_open(how->net)
                   ? fail(err, "%s: ? wants --flash, --ram or --cycles, with --target",
                          how->net_place)
                   : learn(session, how, err);
    }
    if (!how->net) {
        sketch_default(&size, images->class_count, true, text);
        job.open = text;
    }
    if (!widths_open(job.open)) {
        return learn(session, how, err);
    }
    if (settings->train.checkpoint) {
        return fail(err, "%s: --checkpoint wants widths without ?", how->net_place);
    }
    if (!train_widths(session, verb, arguments, how, &job, err)) {
        return false;
    }
    note_choice(session, &job);
    return true;
}

/* ---- scores and costs ---- */

/* The integer program on images that training has not seen; the figure becomes part of the net. */
static bool score(struct session *session, struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct image_set set = {.images = session->test ? session->test : session->images,
                            .threads = (int)settings->threads};
    bool good = session->test
                    ? evaluate_images(session->net, &set, session->arena, &session->evaluation, err)
                    : evaluate_test_images(session->net, &set, (uint64_t)settings->seed,
                                           session->arena, &session->evaluation, err);
    return good && (set_score(session->net, &session->evaluation.figures) || fail_memory(err));
}

/* On every target asked for, so that budgets can be judged. */
static bool measure(struct session *session, struct error *err)
{
    const struct measure_options how = {.optimise = session->optimise};
    if (!session->settings->targets) {
        return true;
    }
    session->costs = arena_alloc(session->arena, (size_t)session->list.count, sizeof(struct cost));
    return session->costs ? targets_measure(session->net, &session->list, &how, session->costs, err)
                          : fail_memory(err);
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
static bool build(struct session *session, const struct verb *verb, struct arguments *arguments,
                  struct error *err)
{
    const struct train_settings *settings = session->settings;
    struct description net, teacher;
    struct vision_options how;
    if (!check_files(settings, err) ||
        !describe_nets(session, verb, arguments, &net, &teacher, err) ||
        !prepare(session, verb, arguments, &how, err) ||
        (settings->targets &&
         !targets_load(settings->targets, session->arena, &session->list, err))) {
        return false;
    }
    how.net = net.text;
    how.net_place = net.place;
    how.teacher = teacher.text;
    if (!load(session, arguments->positional[0], net.text, err) || !load_test(session, err)) {
        return false;
    }
    choose_augment(session, &how);
    if (!check_augment(session->images, &how.augment, err)) {
        return false;
    }
    choose_epochs(session, &how);
    session->optimise = settings->optimise;
    return make_net(session, verb, arguments, &how, err) && score(session, err) &&
           net_write(session->net, settings->output, err) && measure(session, err);
}

/* ---- results ---- */

static json_t *teacher_accuracy(const struct vision_result *result)
{
    return result->teacher_accuracy < 0 ? json_null() : json_real(result->teacher_accuracy);
}

/* The keys that other programs rely on: see mote-train(1). */
static json_t *json_result(const struct session *session)
{
    const struct vision_result *result = &session->result;
    json_t *root = json_object();
    bool good =
        json_put(root, "net", json_path(session->settings->output)) &&
        json_put(root, "method", json_string(session->net->provenance.method)) &&
        json_put(root, "stopped", json_boolean(result->stopped)) &&
        json_put(root, "score", json_image_evaluation(session->net, &session->evaluation)) &&
        json_put(root, "float", json_real(result->float_accuracy)) &&
        json_put(root, "validation", json_real(result->integer_accuracy)) &&
        json_put(root, "teacher", teacher_accuracy(result)) &&
        json_put(root, "images", json_integer(result->training_images)) &&
        json_put(root, "weight_bytes", json_integer((json_int_t)result->weight_bytes)) &&
        (!session->costs ||
         json_put(root, "costs",
                  json_costs(session->costs, session->list.clocks, session->list.count)));
    if (!good) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static void text_result(struct text *out, const struct session *session)
{
    const struct vision_result *result = &session->result;
    if (result->net[0]) {
        text_printf(out, "net %s\n", result->net);
    }
    text_image_evaluation(out, session->net, &session->evaluation);
    text_printf(out, "validation %.2f %%, float %.2f %%", 100 * result->integer_accuracy,
                100 * result->float_accuracy);
    if (result->teacher_accuracy >= 0) {
        text_printf(out, ", teacher %.2f %%", 100 * result->teacher_accuracy);
    }
    text_printf(out, "; trained on %lld images; weights %zu bytes\n",
                (long long)result->training_images, result->weight_bytes);
    if (session->costs) {
        text_add(out, "\n");
        text_costs(out, session->costs, session->list.clocks, session->list.count);
    }
}

/* On stderr where the network itself goes to standard output. */
static enum exit_code print_session(const struct session *session)
{
    if (session->settings->json) {
        return print_json(json_result(session));
    }
    struct text out = {0};
    text_result(&out, session);
    if (strcmp(session->settings->output, "-") != 0) {
        return print_result(&out);
    }
    (void)fputs(out.failed ? "" : out.data, stderr);
    text_free(&out);
    return EXIT_FINE;
}

enum exit_code train_images(const struct verb *verb, const struct train_settings *settings,
                            struct arguments *arguments)
{
    struct error err = {0};
    struct session session = {.settings = settings, .arena = arena_new()};
    bool good = (session.arena || fail_memory(&err)) && build(&session, verb, arguments, &err);
    enum exit_code code = good ? print_session(&session) : report_error(&err);
    if (code == EXIT_FINE && session.costs) {
        code = check_budget(&settings->budget, session.costs, session.list.count);
    }
    targets_free(&session.list);
    net_free(session.net);
    images_free(session.test);
    images_free(session.images);
    arena_free(session.arena);
    return code;
}
