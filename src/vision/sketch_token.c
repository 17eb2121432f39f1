#include "vision/sketch_read.h"

#include <string.h>

/* Heads of tokens: what stands behind the letters. */
enum form {
    FORM_WEIGHTED, /* KxO or KxKxO, suffixes */
    FORM_WINDOW,   /* K or KxK, suffixes */
    FORM_OUTPUTS,  /* O, suffixes */
    FORM_GLOBAL,   /* nothing: the whole map */
    FORM_JOIN,     /* (name, ...) */
    FORM_RELU,     /* :bits */
    FORM_LINEAR,   /* nothing */
    FORM_CROP,     /* N or NxM */
    FORM_RESIZE,
    FORM_HEAD, /* nothing; behind the last layer */
};

struct word {
    const char *name;
    enum form form;
    enum sketch_op op;
    const char *suffixes; /* of spdgm: that it may have; ':' for weights */
};

static const struct word words[] = {
    {"conv", FORM_WEIGHTED, SKETCH_CONV, "spdg:"},     {"dw", FORM_WINDOW, SKETCH_CONV, "spdm:"},
    {"pw", FORM_OUTPUTS, SKETCH_CONV, "sg:"},          {"dense", FORM_OUTPUTS, SKETCH_CONV, ":"},
    {"deconv", FORM_WEIGHTED, SKETCH_DECONV, "spdg:"}, {"pool", FORM_WINDOW, SKETCH_MAXPOOL, "sp"},
    {"avg", FORM_WINDOW, SKETCH_AVGPOOL, "sp"},        {"gap", FORM_GLOBAL, SKETCH_AVGPOOL, ""},
    {"gmax", FORM_GLOBAL, SKETCH_MAXPOOL, ""},         {"up", FORM_WINDOW, SKETCH_UPSAMPLE, ""},
    {"shuffle", FORM_WINDOW, SKETCH_SHUFFLE, ""},      {"pad", FORM_WINDOW, SKETCH_PAD, ""},
    {"flatten", FORM_GLOBAL, SKETCH_RESHAPE, ""},      {"add", FORM_JOIN, SKETCH_ADD, ""},
    {"concat", FORM_JOIN, SKETCH_CONCAT, ""},          {"relu", FORM_RELU, SKETCH_CONV, ""},
    {"linear", FORM_LINEAR, SKETCH_CONV, ""},          {"crop", FORM_CROP, SKETCH_CONV, ""},
    {"resize", FORM_RESIZE, SKETCH_CONV, ""},          {"argmax", FORM_HEAD, SKETCH_CONV, ""},
    {"softmax", FORM_HEAD, SKETCH_CONV, ""},
};

static const struct volume *output_of(const struct sketch_parser *parser, int layer)
{
    return layer < 0 ? &parser->sketch->input : &parser->sketch->layers[layer].out;
}

/* ---- numbers and suffixes ---- */

/* N or NxM, both of least..most. */
static bool take_pair_from(struct sketch_parser *parser, int least, int most, int pair[2])
{
    if (!sketch_number_from(&parser->in, least, most, &pair[0])) {
        return false;
    }
    pair[1] = pair[0];
    return !sketch_take(&parser->in, 'x') || sketch_number_from(&parser->in, least, most, &pair[1]);
}

static bool take_pair(struct sketch_parser *parser, int most, int pair[2])
{
    return take_pair_from(parser, 1, most, pair);
}

/* "p": as many zeros that the size stays with stride 1; "p1", "p0x2". */
static bool take_padding(struct sketch_parser *parser, struct sketch_window *window, bool *same)
{
    int pair[2];
    char c = sketch_peek(&parser->in);
    *same = c < '0' || c > '9';
    if (*same) {
        return true;
    }
    if (!take_pair_from(parser, 0, SKETCH_KERNEL_MAX, pair)) {
        return false;
    }
    window->pad[0] = window->pad[2] = pair[0];
    window->pad[1] = window->pad[3] = pair[1];
    return true;
}

/* Behind ':': "4", "t", "b", "o3". */
static bool take_weights(struct sketch_parser *parser, struct sketch_layer *layer)
{
    struct sketch_reader *in = &parser->in;
    layer->odd = false;
    if (sketch_take(in, 't')) {
        layer->bits = 2;
        return true;
    }
    if (sketch_take(in, 'b')) {
        layer->bits = 1;
        layer->odd = true;
        return true;
    }
    layer->odd = sketch_take(in, 'o');
    if (!sketch_number(in, layer->odd ? 4 : 16, &layer->bits)) {
        return false;
    }
    return layer->odd || layer->bits >= 2 || sketch_fail(in, "weights have 2 to 16 bits, or b");
}

struct suffixes {
    bool same; /* padding keeps the size */
    int multiplier;
};

static bool take_suffix(struct sketch_parser *parser, char letter, struct sketch_layer *layer,
                        struct suffixes *suffixes)
{
    struct sketch_reader *in = &parser->in;
    switch (letter) {
    case 's': return take_pair(parser, SKETCH_KERNEL_MAX, layer->window.stride);
    case 'd': return take_pair(parser, SKETCH_KERNEL_MAX, layer->window.dilation);
    case 'p': return take_padding(parser, &layer->window, &suffixes->same);
    case 'g': return sketch_number(in, SKETCH_CHANNELS_MAX, &layer->groups);
    case 'm': return sketch_number(in, SKETCH_CHANNELS_MAX, &suffixes->multiplier);
    default: return take_weights(parser, layer);
    }
}

static bool take_suffixes(struct sketch_parser *parser, const struct word *word,
                          struct sketch_layer *layer, struct suffixes *suffixes)
{
    struct sketch_reader *in = &parser->in;
    for (char c = sketch_peek(in); c && c != '='; c = sketch_peek(in)) {
        if (!strchr(word->suffixes, c)) {
            return sketch_fail(in, "'%c' does not belong to %s", c, word->name);
        }
        in->at++;
        if (!take_suffix(parser, c, layer, suffixes)) {
            return false;
        }
    }
    return true;
}

static void pad_same(struct sketch_window *window)
{
    for (int axis = 0; axis < 2; axis++) {
        int pads = window->dilation[axis] * (window->kernel[axis] - 1);
        window->pad[axis] = pads / 2;
        window->pad[axis + 2] = pads - pads / 2;
    }
}

/* ---- output sizes ---- */

/* Rows (axis 0) or columns of a window's output; at most SKETCH_SIDE_MAX + something small, since
 * all its parts are bounded; not positive: none. */
static int window_side(const struct sketch_window *w, int side, int axis)
{
    int reach = w->dilation[axis] * (w->kernel[axis] - 1);
    int room = side + w->pad[axis] + w->pad[axis + 2] - reach - 1;
    return room < 0 ? 0 : room / w->stride[axis] + 1;
}

static int deconv_side(const struct sketch_window *w, int side, int axis)
{
    int reach = w->dilation[axis] * (w->kernel[axis] - 1);
    return (side - 1) * w->stride[axis] - w->pad[axis] - w->pad[axis + 2] + reach + 1;
}

static int layer_side(const struct sketch_layer *layer, int side, int axis)
{
    const struct sketch_window *w = &layer->window;
    switch (layer->op) {
    case SKETCH_CONV:
    case SKETCH_MAXPOOL:
    case SKETCH_AVGPOOL: return window_side(w, side, axis);
    case SKETCH_DECONV: return deconv_side(w, side, axis);
    case SKETCH_UPSAMPLE:
    case SKETCH_SHUFFLE: return side * w->kernel[axis];
    case SKETCH_PAD: return side + w->pad[axis] + w->pad[axis + 2];
    case SKETCH_RESHAPE: return 1;
    case SKETCH_ADD:
    case SKETCH_CONCAT: break;
    }
    return side;
}

static bool check_volume(struct sketch_parser *parser, const struct volume *v)
{
    if (v->rows < 1 || v->columns < 1) {
        return sketch_fail_token(&parser->in, "its window is larger than its input");
    }
    if (v->channels > SKETCH_WIDTH_MAX || v->rows > SKETCH_SIDE_MAX ||
        v->columns > SKETCH_SIDE_MAX || volume_size(*v) > SKETCH_WIDTH_MAX) {
        return sketch_fail_token(&parser->in, "its output has more than %d elements",
                                 SKETCH_WIDTH_MAX);
    }
    return true;
}

/* Zeros alone in a window would be the largest of nothing. */
static bool check_window(struct sketch_parser *parser, const struct sketch_layer *layer)
{
    for (int axis = 0; axis < 2; axis++) {
        const struct sketch_window *w = &layer->window;
        int most = w->dilation[axis] * (w->kernel[axis] - 1);
        if (w->pad[axis] > most || w->pad[axis + 2] > most) {
            return sketch_fail_token(&parser->in, "the padding is as large as the window");
        }
    }
    return true;
}

static bool check_groups(struct sketch_parser *parser, const struct sketch_layer *layer)
{
    if (layer->in.channels % layer->groups || layer->out.channels % layer->groups) {
        return sketch_fail_token(&parser->in, "%d groups do not divide %d inputs and %d outputs",
                                 layer->groups, layer->in.channels, layer->out.channels);
    }
    size_t weights = (size_t)layer->window.kernel[0] * (size_t)layer->window.kernel[1] *
                     (size_t)(layer->in.channels / layer->groups) * (size_t)layer->out.channels;
    return weights <= SKETCH_WEIGHTS_MAX ||
           sketch_fail_token(&parser->in, "it has %zu weights, more than %zu", weights,
                             SKETCH_WEIGHTS_MAX);
}

/* Derive the output's size and append the layer; its channels are set. */
static bool add_layer(struct sketch_parser *parser, struct sketch_layer *layer)
{
    struct sketch *sketch = parser->sketch;
    layer->out.rows = layer_side(layer, layer->in.rows, 0);
    layer->out.columns = layer_side(layer, layer->in.columns, 1);
    if (!check_volume(parser, &layer->out)) {
        return false;
    }
    bool windowed =
        sketch_weighted(layer) || layer->op == SKETCH_MAXPOOL || layer->op == SKETCH_AVGPOOL;
    if ((windowed && !check_window(parser, layer)) ||
        (sketch_weighted(layer) && !check_groups(parser, layer))) {
        return false;
    }
    if (sketch->layer_count == SKETCH_LAYERS_MAX) {
        return sketch_fail_token(&parser->in, "more than %d layers", SKETCH_LAYERS_MAX);
    }
    parser->last = sketch->layer_count;
    sketch->layers[sketch->layer_count++] = *layer;
    return true;
}

/* ---- tokens ---- */

static struct sketch_layer layer_start(const struct sketch_parser *parser, enum sketch_op op)
{
    struct sketch_layer layer = {.op = op, .inputs = {parser->last}, .input_count = 1};
    layer.in = *output_of(parser, parser->last);
    layer.out.channels = layer.in.channels;
    layer.window = (struct sketch_window){{1, 1}, {1, 1}, {1, 1}, {0}};
    layer.groups = 1;
    layer.bits = 8;
    layer.line = parser->in.line;
    layer.column = parser->in.token - parser->in.start + 1;
    return layer;
}

/* KxO or KxKxO. */
static bool take_weighted(struct sketch_parser *parser, struct sketch_layer *layer)
{
    int numbers[3] = {0};
    int count = 0;
    do {
        int most = count == 2 ? SKETCH_CHANNELS_MAX : SKETCH_SIDE_MAX;
        if (!sketch_number(&parser->in, most, &numbers[count++])) {
            return false;
        }
    } while (count < 3 && sketch_take(&parser->in, 'x'));
    if (count < 2) {
        return sketch_fail(&parser->in, "expected 'x' and the number of outputs");
    }
    int *kernel = layer->window.kernel;
    kernel[0] = numbers[0];
    kernel[1] = numbers[count - 2];
    layer->out.channels = numbers[count - 1];
    if (kernel[0] > SKETCH_KERNEL_MAX || kernel[1] > SKETCH_KERNEL_MAX ||
        layer->out.channels > SKETCH_CHANNELS_MAX) {
        return sketch_fail_token(&parser->in, "windows have 1 to %d rows and columns, outputs %d",
                                 SKETCH_KERNEL_MAX, SKETCH_CHANNELS_MAX);
    }
    return true;
}

static bool finish_pool(struct sketch_parser *parser, const struct word *word,
                        struct sketch_layer *layer)
{
    layer->window.stride[0] = layer->window.stride[1] = 0;
    struct suffixes suffixes = {0};
    if (!take_suffixes(parser, word, layer, &suffixes)) {
        return false;
    }
    for (int axis = 0; axis < 2; axis++) {
        int *stride = &layer->window.stride[axis];
        *stride = *stride ? *stride : layer->window.kernel[axis];
    }
    if (suffixes.same) {
        pad_same(&layer->window);
    }
    return add_layer(parser, layer);
}

/* What moves elements: up2, shuffle2, pad1. */
static bool finish_move(struct sketch_parser *parser, struct sketch_layer *layer)
{
    int *pair = layer->window.kernel;
    if (layer->op == SKETCH_PAD) {
        for (int i = 0; i < 4; i++) {
            layer->window.pad[i] = pair[i % 2];
        }
    }
    if (layer->op == SKETCH_SHUFFLE) {
        int cells = pair[0] * pair[1];
        if (pair[0] != pair[1] || layer->in.channels % cells) {
            return sketch_fail_token(&parser->in, "its factor's square does not divide %d channels",
                                     layer->in.channels);
        }
        layer->out.channels = layer->in.channels / cells;
    }
    return add_layer(parser, layer);
}

static bool take_window(struct sketch_parser *parser, const struct word *word)
{
    struct sketch_layer layer = layer_start(parser, word->op);
    struct suffixes suffixes = {.multiplier = 1};
    int least = word->op == SKETCH_PAD ? 0 : 1;
    if (!take_pair_from(parser, least, SKETCH_KERNEL_MAX, layer.window.kernel)) {
        return false;
    }
    if (word->op == SKETCH_MAXPOOL || word->op == SKETCH_AVGPOOL) {
        return finish_pool(parser, word, &layer);
    }
    if (word->op != SKETCH_CONV) {
        return finish_move(parser, &layer);
    }
    if (!take_suffixes(parser, word, &layer, &suffixes)) {
        return false;
    }
    if (layer.in.channels > SKETCH_CHANNELS_MAX / suffixes.multiplier) {
        return sketch_fail_token(&parser->in, "more than %d outputs", SKETCH_CHANNELS_MAX);
    }
    if (suffixes.same) {
        pad_same(&layer.window);
    }
    layer.groups = layer.in.channels;
    layer.out.channels = layer.in.channels * suffixes.multiplier;
    return add_layer(parser, &layer);
}

static bool take_conv(struct sketch_parser *parser, const struct word *word)
{
    struct sketch_layer layer = layer_start(parser, word->op);
    struct suffixes suffixes = {.multiplier = 1};
    if (word->form == FORM_WEIGHTED
            ? !take_weighted(parser, &layer)
            : !sketch_number(&parser->in, SKETCH_CHANNELS_MAX, &layer.out.channels)) {
        return false;
    }
    if (strcmp(word->name, "dense") == 0) {
        layer.dense = true;
        layer.window.kernel[0] = layer.in.rows;
        layer.window.kernel[1] = layer.in.columns;
    }
    if (!take_suffixes(parser, word, &layer, &suffixes)) {
        return false;
    }
    if (suffixes.same) {
        pad_same(&layer.window);
    }
    return add_layer(parser, &layer);
}

/* The whole map: gap, gmax, flatten. */
static bool take_global(struct sketch_parser *parser, const struct word *word)
{
    struct sketch_layer layer = layer_start(parser, word->op);
    if (word->op == SKETCH_RESHAPE) {
        layer.out.channels = (int)volume_size(layer.in);
        return add_layer(parser, &layer);
    }
    layer.window.kernel[0] = layer.window.stride[0] = layer.in.rows;
    layer.window.kernel[1] = layer.window.stride[1] = layer.in.columns;
    return add_layer(parser, &layer);
}

static bool find_layer(struct sketch_parser *parser, int *index)
{
    char name[SKETCH_NAME_MAX + 1];
    size_t at = parser->in.at;
    if (!sketch_name(&parser->in, name)) {
        return false;
    }
    for (int i = 0; i < parser->sketch->layer_count; i++) {
        if (strcmp(parser->sketch->layers[i].name, name) == 0) {
            *index = i;
            return true;
        }
    }
    parser->in.at = at;
    return sketch_fail(&parser->in, "no layer before it is called '%s'", name);
}

static bool join(struct sketch_parser *parser, struct sketch_layer *layer)
{
    const struct volume *other = output_of(parser, layer->inputs[layer->input_count - 1]);
    bool adds = layer->op == SKETCH_ADD;
    if (other->rows != layer->in.rows || other->columns != layer->in.columns ||
        (adds && other->channels != layer->in.channels)) {
        return sketch_fail(&parser->in, "%dx%dx%d does not join %dx%dx%d", other->rows,
                           other->columns, other->channels, layer->in.rows, layer->in.columns,
                           layer->in.channels);
    }
    layer->out.channels += adds ? 0 : other->channels;
    return true;
}

static bool take_join(struct sketch_parser *parser, const struct word *word)
{
    struct sketch_layer layer = layer_start(parser, word->op);
    struct sketch_reader *in = &parser->in;
    char separator = '(';
    if (parser->last < 0) {
        return sketch_fail_token(in, "%s needs a layer before it", word->name);
    }
    while (sketch_take(in, separator)) {
        if (layer.input_count == SKETCH_INPUTS) {
            return sketch_fail(in, "%s joins at most %d", word->name, SKETCH_INPUTS);
        }
        if (!find_layer(parser, &layer.inputs[layer.input_count++]) || !join(parser, &layer)) {
            return false;
        }
        separator = ',';
    }
    if (separator == '(' || !sketch_take(in, ')')) {
        return sketch_fail(in, "expected '%c'", separator == '(' ? '(' : ')');
    }
    return add_layer(parser, &layer);
}

/* ":4" behind a resize: pixels of 4 bits. */
static bool take_pixel_bits(struct sketch_parser *parser)
{
    struct sketch *sketch = parser->sketch;
    int bits;
    sketch->resized = true;
    if (!sketch_take(&parser->in, ':')) {
        return true;
    }
    if (!sketch_number(&parser->in, 4, &bits)) {
        return false;
    }
    sketch->drop = 8 - bits;
    return true;
}

/* Crop or resize, both before the first layer. */
static bool take_size(struct sketch_parser *parser, const struct word *word)
{
    struct sketch *sketch = parser->sketch;
    int pair[2];
    bool crops = word->form == FORM_CROP;
    struct volume *from = crops ? &sketch->crop : &sketch->input;
    if (!take_pair(parser, crops ? SKETCH_SIDE_MAX : 1024, pair)) {
        return false;
    }
    if (sketch->layer_count > 0 || sketch->resized) {
        return sketch_fail_token(&parser->in, "%s stands before %s", word->name,
                                 crops ? "resize and all layers" : "all layers");
    }
    if (pair[0] > from->rows || pair[1] > from->columns) {
        return sketch_fail_token(&parser->in, "the image has %dx%d pixels", from->rows,
                                 from->columns);
    }
    if (crops) {
        sketch->top += (from->rows - pair[0]) / 2;
        sketch->left += (from->columns - pair[1]) / 2;
        sketch->crop.rows = pair[0];
        sketch->crop.columns = pair[1];
    }
    sketch->input.rows = pair[0];
    sketch->input.columns = pair[1];
    return crops || take_pixel_bits(parser);
}

static bool take_head(struct sketch_parser *parser, const struct word *word)
{
    if (parser->last < 0) {
        return sketch_fail_token(&parser->in, "%s needs a layer before it", word->name);
    }
    parser->sketch->head = strcmp(word->name, "argmax") == 0 ? SKETCH_ARGMAX : SKETCH_SOFTMAX;
    return true;
}

static bool take_form(struct sketch_parser *parser, const struct word *word)
{
    switch (word->form) {
    case FORM_WEIGHTED:
    case FORM_OUTPUTS: return take_conv(parser, word);
    case FORM_WINDOW: return take_window(parser, word);
    case FORM_GLOBAL: return take_global(parser, word);
    case FORM_JOIN: return take_join(parser, word);
    case FORM_RELU: return sketch_relu(parser, word->name);
    case FORM_LINEAR: return sketch_linear(parser, word->name);
    case FORM_HEAD: return take_head(parser, word);
    case FORM_CROP:
    case FORM_RESIZE: break;
    }
    return take_size(parser, word);
}

/* "=name" behind a layer. */
static bool take_name(struct sketch_parser *parser)
{
    struct sketch *sketch = parser->sketch;
    size_t at = parser->in.at;
    char name[SKETCH_NAME_MAX + 1];
    if (!sketch_take(&parser->in, '=')) {
        return true;
    }
    if (parser->last < 0) {
        return sketch_fail_token(&parser->in, "only layers have names");
    }
    if (!sketch_name(&parser->in, name)) {
        return false;
    }
    for (int i = 0; i < sketch->layer_count; i++) {
        if (strcmp(sketch->layers[i].name, name) == 0) {
            parser->in.at = at + 1;
            return sketch_fail(&parser->in, "two layers are called '%s'", name);
        }
    }
    memcpy(sketch->layers[parser->last].name, name, sizeof name);
    return true;
}

bool sketch_token(struct sketch_parser *parser)
{
    char name[12];
    if (parser->sketch->head != SKETCH_LOGITS) {
        return sketch_fail_token(&parser->in, "nothing stands behind %s",
                                 parser->sketch->head == SKETCH_ARGMAX ? "argmax" : "softmax");
    }
    sketch_word(&parser->in, name, sizeof name);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(name, words[i].name) == 0) {
            return take_form(parser, &words[i]) && take_name(parser) &&
                   (!sketch_peek(&parser->in) ||
                    sketch_fail(&parser->in, "'%c' does not belong to %s", sketch_peek(&parser->in),
                                name));
        }
    }
    return name[0] ? sketch_fail_token(&parser->in, "'%s' is no layer", name)
                   : sketch_fail_token(&parser->in, "expected a layer such as conv3x8");
}
