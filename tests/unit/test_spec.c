/* SPEC as data: every tests/spec/NAME.test against the interpreter (the format: README.md there).
 */
#include "support/unit.h"

#include "base/file.h"
#include "run/run.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 1024

/* One line, cut into words. */
struct line {
    const char *file;
    int number;
    char *words[WORDS_MAX];
    int count;
};

/* The net of the case at hand; rows of a dense layer gather until another line comes. */
struct spec {
    struct net *net;
    struct run *run;
    struct layer layer;
    int16_t weights[WORDS_MAX];
    int32_t numbers[WORDS_MAX]; /* bias or zero */
    uint8_t shift[WORDS_MAX];
    int rows;
    bool gathering;
    int vectors;
};

static void stop(const struct line *line, const char *what)
{
    fail_msg("%s:%d: %s", line->file, line->number, what);
}

static void cut(struct line *line, char *text)
{
    line->count = 0;
    while (*text && *text != '#') {
        size_t length = strcspn(text, " \t#");
        if (length > 0) {
            if (line->count == WORDS_MAX) {
                stop(line, "too many words");
            }
            line->words[line->count++] = text;
        }
        text += length;
        if (*text == '#') {
            *text = 0;
        } else if (*text) {
            *text++ = 0;
        }
    }
}

static const char *word(const struct line *line, int at)
{
    return at < line->count ? line->words[at] : "";
}

static bool is_word(const struct line *line, int at, const char *text)
{
    return strcmp(word(line, at), text) == 0;
}

static long long number(const struct line *line, int at)
{
    char *end;
    long long value = strtoll(word(line, at), &end, 10);
    if (end == word(line, at) || *end) {
        stop(line, "expected a number");
    }
    return value;
}

/* Numbers from word *at on, up to the next that is none; *at moves behind them. */
static int numbers(const struct line *line, int *at, int32_t *values)
{
    int count = 0;
    while (*at < line->count && strspn(word(line, *at), "-0123456789") == strlen(word(line, *at)) &&
           strcmp(word(line, *at), "-") != 0) {
        values[count++] = (int32_t)number(line, (*at)++);
    }
    return count;
}

/* ---- building ---- */

static enum type type_word(const struct line *line, int at)
{
    enum type type;
    if (!type_parse(word(line, at), &type)) {
        stop(line, "unknown type");
    }
    return type;
}

/* The rows of a dense layer are complete: append it. */
static void flush(struct spec *spec, const struct line *line)
{
    if (!spec->gathering) {
        return;
    }
    spec->gathering = false;
    struct layer *layer = &spec->layer;
    layer->weights.rows = spec->rows;
    layer->weights.values = spec->weights;
    layer->bias = spec->numbers;
    layer->shift = spec->shift;
    enum type type = (enum type)layer->output; /* kept there until the width was known */
    struct shape shape = {1, 1, spec->rows};
    const char *why = "";
    if (layer->op != OP_DENSE) {
        layer->output = 0;
        if (!net_map_shape(spec->net, layer, &shape, &why)) {
            stop(line, why);
        }
    }
    layer->output = net_add_map(spec->net, type, shape);
    if (spec->rows == 0 || !net_add_layer(spec->net, layer)) {
        stop(line, "cannot add the layer");
    }
}

/* "from 1" or "of 1 2 3" at word `at`; without it the newest tensor. */
static void sources(struct spec *spec, const struct line *line, int at)
{
    struct layer *layer = &spec->layer;
    layer->inputs[0] = spec->net->tensor_count - 1;
    layer->input_count = 1;
    if (is_word(line, at, "from") || is_word(line, at, "of")) {
        int32_t list[WORDS_MAX];
        int from = at + 1;
        layer->input_count = numbers(line, &from, list);
        for (int k = 0; k < layer->input_count && k < NET_LAYER_INPUTS; k++) {
            layer->inputs[k] = list[k];
        }
        at = from;
    }
    bool sound = layer->input_count >= 1 && layer->input_count <= NET_LAYER_INPUTS;
    for (int k = 0; sound && k < layer->input_count; k++) {
        sound = layer->inputs[k] >= 0 && layer->inputs[k] < spec->net->tensor_count;
    }
    if (!sound || at < line->count) {
        stop(line, "expected tensors that exist, and no more");
    }
}

static void start_case(struct spec *spec)
{
    run_free(spec->run);
    net_free(spec->net);
    int vectors = spec->vectors;
    *spec = (struct spec){.net = net_new("spec"), .vectors = vectors};
    assert_non_null(spec->net);
}

/* "kernel 3 3 stride 1 1 ..." from word `at` on; where it ends. */
static int read_window(struct spec *spec, const struct line *line, int at)
{
    for (const struct window_key *key = op_window_keys(spec->layer.op); key->name; key++) {
        int32_t values[WORDS_MAX];
        if (key->optional && !is_word(line, at, key->name)) {
            continue;
        }
        if (!is_word(line, at++, key->name) || numbers(line, &at, values) != key->count) {
            stop(line, key->name);
        }
        for (int i = 0; i < key->count; i++) {
            *(int *)(void *)((char *)&spec->layer.window + key->fields[i]) = values[i];
        }
    }
    return at;
}

/* dense, conv, deconv; their rows follow. */
static void read_weighted(struct spec *spec, const struct line *line, enum op op)
{
    int at = 5;
    spec->layer = (struct layer){.op = op, .output = (int)type_word(line, 1)};
    if (!activation_parse(word(line, 2), &spec->layer.activation) ||
        !(is_word(line, 3, "bits") || is_word(line, 3, "odd"))) {
        stop(line, "expected: dense TYPE ACTIVATION bits BITS");
    }
    spec->layer.weights.bits = (int)number(line, 4);
    spec->layer.weights.odd = is_word(line, 3, "odd");
    if (op != OP_DENSE) {
        at = read_window(spec, line, at);
        spec->layer.groups = is_word(line, at, "groups") ? (int)number(line, at + 1) : 1;
        at += is_word(line, at, "groups") ? 2 : 0;
    }
    sources(spec, line, at);
    const struct tensor *in = &spec->net->tensors[spec->layer.inputs[0]];
    const struct window *w = &spec->layer.window;
    spec->layer.weights.columns = op == OP_DENSE
                                      ? in->width
                                      : w->rows * w->columns * in->shape.channels /
                                            (spec->layer.groups > 0 ? spec->layer.groups : 1);
    spec->rows = 0;
    spec->gathering = true;
}

static void read_row(struct spec *spec, const struct line *line)
{
    int32_t values[WORDS_MAX];
    int at = 1;
    int columns = spec->layer.weights.columns;
    if (!spec->gathering || numbers(line, &at, values) != columns || !is_word(line, at, "bias") ||
        !is_word(line, at + 2, "shift") || (spec->rows + 1) * columns > WORDS_MAX) {
        stop(line, "expected: row WEIGHTS bias B shift K, below a dense line");
    }
    for (int j = 0; j < columns; j++) {
        spec->weights[spec->rows * columns + j] = (int16_t)values[j];
    }
    spec->numbers[spec->rows] = (int32_t)number(line, at + 1);
    spec->shift[spec->rows] = (uint8_t)number(line, at + 3);
    spec->rows++;
}

static void read_convert(struct spec *spec, const struct line *line)
{
    enum type type = type_word(line, 1);
    int width = spec->net->tensors[spec->net->tensor_count - 1].width;
    int32_t shifts[WORDS_MAX];
    int at = 3;
    if (!is_word(line, 2, "zero") || numbers(line, &at, spec->numbers) != width ||
        !is_word(line, at, "shift") || (at++, numbers(line, &at, shifts) != width)) {
        stop(line, "expected: convert TYPE zero ZEROS shift SHIFTS, one per element");
    }
    for (int j = 0; j < width; j++) {
        spec->shift[j] = (uint8_t)shifts[j];
    }
    spec->layer = (struct layer){.op = OP_CONVERT, .zero = spec->numbers, .shift = spec->shift};
    sources(spec, line, at);
    spec->layer.output = net_add_tensor(spec->net, type, width);
    assert_true(net_add_layer(spec->net, &spec->layer));
}

/* Pools, resize and what moves elements: window, then `size R C CHANNELS` where only that tells. */
static void read_moved(struct spec *spec, const struct line *line, enum op op)
{
    struct shape shape = {0, 0, 0};
    const char *why = "";
    spec->layer = (struct layer){.op = op};
    int at = read_window(spec, line, 1);
    if (is_word(line, at, "size")) {
        shape = (struct shape){(int)number(line, at + 1), (int)number(line, at + 2),
                               (int)number(line, at + 3)};
        at += 4;
    }
    sources(spec, line, at);
    enum type from = spec->net->tensors[spec->layer.inputs[0]].type;
    enum type type = spec->layer.window.drop > 0 ? TYPE_U4 : from;
    if (shape.rows == 0 && !net_map_shape(spec->net, &spec->layer, &shape, &why)) {
        stop(line, why);
    }
    spec->layer.output = net_add_map(spec->net, type, shape);
    assert_true(net_add_layer(spec->net, &spec->layer));
}

/* argmax TYPE, softmax TYPE scale M S */
static void read_chosen(struct spec *spec, const struct line *line, enum op op)
{
    spec->layer = (struct layer){.op = op};
    bool scaled = is_word(line, 2, "scale");
    if (scaled) {
        spec->layer.scale = (struct scale){(int)number(line, 3), (int)number(line, 4)};
    }
    sources(spec, line, scaled ? 5 : 2);
    struct shape shape = spec->net->tensors[spec->layer.inputs[0]].shape;
    shape.channels = op == OP_ARGMAX ? 1 : shape.channels;
    spec->layer.output = net_add_map(spec->net, type_word(line, 1), shape);
    assert_true(net_add_layer(spec->net, &spec->layer));
}

static void read_joint(struct spec *spec, const struct line *line, enum op op)
{
    spec->layer = (struct layer){.op = op};
    sources(spec, line, op == OP_ADD ? 2 : 1);
    const struct tensor *in = &spec->net->tensors[spec->layer.inputs[0]];
    enum type type = op == OP_ADD ? type_word(line, 1) : in->type;
    struct shape shape = in->shape;
    for (int k = 1; op == OP_CONCAT && k < spec->layer.input_count; k++) {
        shape.channels += spec->net->tensors[spec->layer.inputs[k]].shape.channels;
    }
    spec->layer.output = net_add_map(spec->net, type, shape);
    assert_true(net_add_layer(spec->net, &spec->layer));
}

/* ---- checking ---- */

static void finish_net(struct spec *spec, const struct line *line)
{
    static struct channel channels[WORDS_MAX];
    struct error err = {0};
    struct net *net = spec->net;
    for (int j = 0; j < WORDS_MAX; j++) {
        channels[j] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}};
    }
    net->output = net->tensor_count - 1;
    assert_true(net_set_channels(net, channels, channels));
    if (!net_check(net, "net", &err)) {
        stop(line, err.message);
    }
    spec->run = run_new(net);
    assert_non_null(spec->run);
}

static void check_vector(struct spec *spec, const struct line *line)
{
    int32_t in[WORDS_MAX];
    int32_t out[WORDS_MAX];
    int32_t expected[WORDS_MAX];
    int at = 0;
    int given = numbers(line, &at, in);
    bool class = is_word(line, at + 1, "class");
    if (!spec->run) {
        finish_net(spec, line);
    }
    if (!is_word(line, at, "->") || given != spec->net->tensors[spec->net->input].width) {
        stop(line, "expected: INPUTS -> OUTPUTS");
    }
    at += 1 + class;
    int count = numbers(line, &at, expected);
    if (at < line->count || count != (class ? 1 : spec->net->tensors[spec->net->output].width)) {
        stop(line, "wrong number of outputs");
    }
    run_predict(spec->run, in, out);
    if (class) {
        out[0] = run_class(spec->net, out);
    }
    for (int j = 0; j < count; j++) {
        if (out[j] != expected[j]) {
            fail_msg("%s:%d: output %d is %ld, expected %ld", line->file, line->number, j,
                     (long)out[j], (long)expected[j]);
        }
    }
    spec->vectors++;
}

/* input TYPE WIDTH, or of a map input TYPE ROWS COLUMNS CHANNELS */
static void read_input(struct spec *spec, const struct line *line)
{
    int32_t sides[WORDS_MAX];
    int at = 2;
    int count = numbers(line, &at, sides);
    struct shape shape =
        count == 3 ? (struct shape){sides[0], sides[1], sides[2]} : (struct shape){1, 1, sides[0]};
    if (count != 1 && count != 3) {
        stop(line, "expected: input TYPE WIDTH, or TYPE ROWS COLUMNS CHANNELS");
    }
    spec->net->input = net_add_map(spec->net, type_word(line, 1), shape);
}

static void read_op(struct spec *spec, const struct line *line, enum op op)
{
    switch (op) {
    case OP_CONVERT: read_convert(spec, line); break;
    case OP_DENSE:
    case OP_CONV:
    case OP_DECONV: read_weighted(spec, line, op); break;
    case OP_ADD:
    case OP_CONCAT: read_joint(spec, line, op); break;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
    case OP_RESIZE:
    case OP_UPSAMPLE:
    case OP_SHUFFLE:
    case OP_PAD:
    case OP_RESHAPE: read_moved(spec, line, op); break;
    case OP_ARGMAX:
    case OP_SOFTMAX: read_chosen(spec, line, op); break;
    }
}

static void read_line(struct spec *spec, const struct line *line)
{
    if (line->count == 0) {
        return;
    }
    if (is_word(line, 0, "case")) {
        start_case(spec);
        return;
    }
    if (!spec->net) {
        stop(line, "expected a case first");
    }
    if (is_word(line, 0, "row")) {
        read_row(spec, line);
        return;
    }
    flush(spec, line);
    enum op op;
    if (is_word(line, 0, "input")) {
        read_input(spec, line);
    } else if (op_parse(word(line, 0), &op)) {
        read_op(spec, line, op);
    } else {
        check_vector(spec, line);
    }
}

static void test_file(void **state)
{
    static struct spec spec;
    static struct line line;
    struct error err = {0};
    size_t size;
    line.file = *state;
    line.number = 0;
    char *data = (char *)file_read(line.file, 1 << 20, &size, &err);
    assert_non_null(data);
    spec = (struct spec){0};
    for (char *at = data; at < data + size;) {
        char *end = memchr(at, '\n', (size_t)(data + size - at));
        end = end ? end : data + size;
        *end = 0;
        line.number++;
        cut(&line, at);
        read_line(&spec, &line);
        at = end + 1;
    }
    if (spec.vectors == 0) {
        stop(&line, "no vectors");
    }
    run_free(spec.run);
    net_free(spec.net);
    free(data);
}

int main(void)
{
    enum { FILES_MAX = 256 };
    static struct CMUnitTest tests[FILES_MAX];
    glob_t files;
    if (glob("tests/spec/*.test", 0, NULL, &files) != 0 || files.gl_pathc > FILES_MAX) {
        (void)fprintf(stderr, "tests/spec/*.test: none or too many\n");
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        tests[i] = (struct CMUnitTest){
            .name = files.gl_pathv[i], .test_func = test_file, .initial_state = files.gl_pathv[i]};
    }
    int failed = _cmocka_run_group_tests("spec", tests, files.gl_pathc, NULL, NULL);
    globfree(&files);
    return failed;
}
