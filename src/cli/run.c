/* mote run: rows in, predictions out. */
#include "run/run.h"

#include "base/arena.h"
#include "base/file.h"
#include "cli/cli.h"
#include "report/evaluate_images.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
    int raw, probabilities;
    int json;
};

static const struct option options[] = {
    {.name = "--raw",
     .kind = OPTION_SET,
     .offset = offsetof(struct settings, raw),
     .low = 1,
     .help = "read and write the codes that the C function takes and gives"},
    {.name = "--probabilities",
     .kind = OPTION_SET,
     .offset = offsetof(struct settings, probabilities),
     .low = 1,
     .help = "classes: softmax of the outputs' values, a column for each class"},
    OPTION_JSON(settings),
    {0}};

struct printer {
    const struct net *net;
    struct run *run;
    int32_t *in, *out;
    const struct settings *settings;
    bool started;     /* the first row was there */
    bool live;        /* rows come from a pipe or a terminal: answer each at once */
    struct text text; /* rows not yet written */
    json_t *list;     /* --json: the rows as arrays */
    int64_t clamped;
    struct error err; /* of a row's answer; goes before what data_load() says then */
};

/* Digits behind the point that offset + lsb * code can have. */
static int places(const struct channel *channel)
{
    int least = channel->lsb.exponent;
    if (channel->offset.digits != 0 && channel->offset.exponent < least) {
        least = channel->offset.exponent;
    }
    return least < 0 ? -least : 0;
}

/* The value with exactly these digits; no "-0". */
static void print_value(const struct channel *channel, int32_t code, char text[64])
{
    (void)snprintf(text, 64, "%.*f", places(channel), channel_decode(channel, code));
    if (text[0] == '-' && text[strspn(text, "-0.")] == 0) {
        memmove(text, text + 1, strlen(text));
    }
}

/* A CSV field, quoted where it must be. */
static void add_field(struct text *out, const char *field)
{
    if (!strpbrk(field, ",;\"\n\r\t") && field[0] != ' ') {
        text_add(out, field);
        return;
    }
    text_add(out, "\"");
    for (; *field; field++) {
        text_bytes(out, field, 1);
        if (*field == '"') {
            text_add(out, "\"");
        }
    }
    text_add(out, "\"");
}

/* "x [mm]", so that the output can be read back with its unit; y1, y2 ... where there is no name.
 */
static void add_heading(struct text *out, const struct channel *channel, int index)
{
    struct text name = {0};
    if (channel->name[0]) {
        text_add(&name, channel->name);
    } else {
        text_printf(&name, "y%d", index + 1);
    }
    if (channel->unit[0]) {
        text_printf(&name, " [%s]", channel->unit);
    }
    if (name.failed) {
        out->failed = true;
    } else {
        add_field(out, name.data);
    }
    text_free(&name);
}

/* Class names instead of numbers? */
static bool names_class(const struct printer *printer)
{
    return printer->net->task == TASK_CLASSIFICATION && !printer->settings->raw &&
           !printer->settings->probabilities;
}

/* The first line: what the columns are. */
/* A label column without a name is kept by its number, which would be read back as a row. */
static const char *class_heading(const struct net *net)
{
    return net->label[strspn(net->label, "0123456789")] ? net->label : "class";
}

static void print_heading(struct printer *printer)
{
    const struct net *net = printer->net;
    if (names_class(printer)) {
        add_field(&printer->text, class_heading(net));
    } else {
        for (int i = 0; i < net->tensors[net->output].width; i++) {
            text_add(&printer->text, i ? "," : "");
            if (printer->settings->probabilities) {
                add_field(&printer->text, net->classes[i]);
            } else {
                add_heading(&printer->text, net_output_channel(net, i), i);
            }
        }
    }
    text_add(&printer->text, "\n");
}

/* One row of values, or of codes with --raw, to printer->out. */
static void predict(struct printer *printer, const float *row)
{
    const struct net *net = printer->net;
    enum type type = net->tensors[net->input].type;
    const struct channel code = {.lsb = {1, 0}};
    for (int j = 0; j < net->tensors[net->input].width; j++) {
        bool clamped = false;
        const struct channel *channel = printer->settings->raw ? &code : net_input_channel(net, j);
        printer->in[j] = channel_encode(channel, type, (double)row[j], &clamped);
        printer->clamped += clamped;
    }
    run_predict(printer->run, printer->in, printer->out);
}

/* One output as people read it, or its code. */
static void output_text(const struct printer *printer, int output, char text[64])
{
    if (printer->settings->raw) {
        (void)snprintf(text, 64, "%ld", (long)printer->out[output]);
    } else if (printer->settings->probabilities) {
        (void)snprintf(text, 64, "%.4f", class_probability(printer->net, printer->out, output));
    } else {
        print_value(net_output_channel(printer->net, output), printer->out[output], text);
    }
}

static void print_row(struct printer *printer)
{
    const struct net *net = printer->net;
    char text[64];
    if (names_class(printer)) {
        add_field(&printer->text, net->classes[run_class(net, printer->out)]);
    } else {
        for (int i = 0; i < net->tensors[net->output].width; i++) {
            output_text(printer, i, text);
            text_add(&printer->text, i ? "," : "");
            text_add(&printer->text, text);
        }
    }
    text_add(&printer->text, "\n");
}

static json_t *json_output(const struct printer *printer, int output)
{
    int32_t code = printer->out[output];
    if (printer->settings->raw) {
        return json_integer(code);
    }
    return json_real(printer->settings->probabilities
                         ? class_probability(printer->net, printer->out, output)
                         : channel_decode(net_output_channel(printer->net, output), code));
}

/* A class name, or an array of numbers. */
static bool append_row(struct printer *printer)
{
    const struct net *net = printer->net;
    if (names_class(printer)) {
        const char *name = net->classes[run_class(net, printer->out)];
        return json_array_append_new(printer->list, json_string(name)) == 0;
    }
    json_t *row = json_array();
    bool good = json_array_append_new(printer->list, row) == 0;
    for (int i = 0; good && i < net->tensors[net->output].width; i++) {
        json_t *value = json_output(printer, i);
        good = json_array_append_new(row, value) == 0;
    }
    return good;
}

/* Write what is there; called per row where rows come one by one. */
static bool flush(struct printer *printer)
{
    if (printer->text.failed) {
        return fail_memory(&printer->err);
    }
    bool good = printer->text.length == 0 ||
                file_write("-", printer->text.data, printer->text.length, &printer->err);
    printer->text.length = 0;
    return good;
}

#define FLUSH_BYTES 65536

/* One answer of printer->out, to the list or to the text. */
static bool give(struct printer *printer)
{
    if (printer->settings->json) {
        return append_row(printer) || fail_memory(&printer->err);
    }
    print_row(printer);
    return (!printer->live && printer->text.length < FLUSH_BYTES) || flush(printer);
}

/* What data_load() calls with each row; units and heading come with the first. */
static bool take_row(void *context, const struct dataset *data, const float *row)
{
    struct printer *printer = context;
    if (!printer->started) {
        printer->started = true;
        if (!match_units(printer->net, data, &printer->err)) {
            return false;
        }
        if (!printer->settings->json) {
            print_heading(printer);
        }
    }
    predict(printer, row);
    return give(printer);
}

static bool printer_start(struct printer *printer, struct arena *arena)
{
    const struct net *net = printer->net;
    size_t inputs = (size_t)net->tensors[net->input].width;
    size_t outputs = (size_t)net->tensors[net->output].width;
    printer->in = arena_alloc(arena, inputs, sizeof *printer->in);
    printer->out = arena_alloc(arena, outputs, sizeof *printer->out);
    printer->run = run_new(net);
    printer->list = printer->settings->json ? json_array() : NULL;
    return printer->in && printer->out && printer->run &&
           (!printer->settings->json || printer->list);
}

/* What is read: one file of rows or images, or several of images. */
struct sources {
    const char *first;
    char *const *more;
    int more_count;
};

static const char *source_at(const struct sources *sources, int index)
{
    return index == 0 ? sources->first : sources->more[index - 1];
}

/* Every image: its pixels are the codes. */
static bool print_images(struct printer *printer, const char *path, struct error *err)
{
    struct images_options how = {.no_labels = true};
    struct images *images =
        expect_images(printer->net, &how, err) ? images_load(path, &how, err) : NULL;
    bool good = images != NULL;
    if (good && !printer->started && !printer->settings->json) {
        print_heading(printer);
    }
    printer->started = printer->started || good;
    for (size_t i = 0; good && i < (size_t)images->count; i++) {
        const uint8_t *pixels = images_pixels(images, i);
        for (size_t k = 0; k < images_size(images); k++) {
            printer->in[k] = pixels[k];
        }
        run_predict(printer->run, printer->in, printer->out);
        good = give(printer);
    }
    images_free(images);
    good = flush(printer) && good;
    if (printer->err.failed) {
        *err = printer->err;
    }
    return good;
}

/* Every row of the data through take_row(). */
static bool print_rows(struct printer *printer, const char *path, struct arena *arena,
                       struct error *err)
{
    struct stat status;
    struct data_options how = {
        .inputs_only = true, .skip_outputs = true, .each = take_row, .each_context = printer};
    bool dash = strcmp(path, "-") == 0;
    printer->live = (dash ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0 &&
                    !S_ISREG(status.st_mode);
    if (!match_options(printer->net, false, arena, &how, err)) {
        return false;
    }
    struct dataset *data = data_load(path, &how, err);
    bool good = data != NULL;
    data_free(data);
    bool written = flush(printer); /* also what stands before an error */
    if (printer->err.failed) {
        *err = printer->err;
    }
    return good && written;
}

static bool print_file(struct printer *printer, const char *path, bool alone, struct arena *arena,
                       struct error *err)
{
    bool images = images_for_net(printer->net, path, err);
    if (err->failed || (!alone && !file_readable(path, err))) {
        return false;
    }
    if (!images && !alone) {
        return fail(err, "%s: no images, which several files must be", path);
    }
    return images ? print_images(printer, path, err) : print_rows(printer, path, arena, err);
}

static bool print_all(struct printer *printer, const struct sources *sources, struct arena *arena,
                      struct error *err)
{
    bool good = true;
    bool alone = sources->more_count == 0;
    for (int i = 0; good && i <= sources->more_count; i++) {
        good = print_file(printer, source_at(sources, i), alone, arena, err);
    }
    return good;
}

static enum exit_code predict_all(const struct net *net, const struct sources *sources,
                                  const struct settings *settings)
{
    struct error err = {0};
    struct arena *arena = arena_new();
    struct printer printer = {.net = net, .settings = settings};
    bool good = ((arena && printer_start(&printer, arena)) || fail_memory(&err)) &&
                print_all(&printer, sources, arena, &err);
    enum exit_code code = good ? EXIT_FINE : report_error(&err);
    if (good) {
        note_clamped(printer.clamped);
    }
    if (good && settings->json) {
        code = print_json(json_incref(printer.list));
    }
    json_decref(printer.list);
    text_free(&printer.text);
    run_free(printer.run);
    arena_free(arena);
    return code;
}

/* Standard input is read once. */
static enum exit_code check_dashes(const char *net, const struct sources *sources)
{
    int dashes = strcmp(net, "-") == 0;
    for (int i = 0; i <= sources->more_count; i++) {
        dashes += strcmp(source_at(sources, i), "-") == 0;
    }
    if (dashes < 2) {
        return EXIT_FINE;
    }
    return sources->more_count > 0
               ? report_usage("run", "only one file can come from standard input")
               : report_usage("run", "the net and the rows cannot both come from standard input");
}

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    const struct sources sources = {.first =
                                        arguments.positional[1] ? arguments.positional[1] : "-",
                                    .more = arguments.more,
                                    .more_count = arguments.more_count};
    code = check_dashes(arguments.positional[0], &sources);
    if (code != EXIT_FINE) {
        return code;
    }
    if (settings.raw && settings.probabilities) {
        return report_usage("run", "--raw goes not with --probabilities");
    }
    struct error err = {0};
    struct net *net = net_read(arguments.positional[0], &err);
    if (!net) {
        return report_error(&err);
    }
    if (settings.probabilities && net->task != TASK_CLASSIFICATION) {
        code = report_usage("run", "--probabilities: %s is a regression", arguments.positional[0]);
    } else if (settings.probabilities && net_gives_class(net)) {
        code = report_usage("run", "--probabilities: %s gives the class alone",
                            arguments.positional[0]);
    } else {
        code = predict_all(net, &sources, &settings);
    }
    net_free(net);
    return code;
}

const struct verb verb_run = {
    .name = "run",
    .summary = "predict: rows in, CSV out",
    .usage = "NET [DATA...] [OPTIONS]",
    .text =
        "Runs the integer program NET on the rows of DATA (default: standard input) and prints\n"
        "its outputs as CSV with a header: values in their units, with the digits that one step\n"
        "has; class names where the net has classes.  Columns are found by the net's names\n"
        "where the data has a header, else by position.  Rows from a pipe are answered at once.\n"
        "DATA may also be images: IDX (.gz too), .npy or .npz of uint8, a PNG, PGM or PPM file or "
        "a\n"
        "folder of those, or several of these; one answer a line, in their order.  Standard input\n"
        "is images where the net takes images.",
    .example = "  mote run pose.mote < readings.csv\n"
               "  mote run digits.mote seven.png eight.png",
    .options = options,
    .positionals = 1,
    .optional = 1,
    .many = true,
    .run = run,
};
