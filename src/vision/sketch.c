#include "vision/sketch.h"

#include "net/net.h"
#include "vision/sketch_read.h"

#include <stdio.h>
#include <string.h>

#define MEAN_MOST 512 /* codes of 16 bits whose sum is exact in floats */

/* ---- sizes ---- */

bool sketch_prepares(const struct sketch *sketch)
{
    return volume_size(sketch->input) != volume_size(sketch->image) || sketch->drop > 0;
}

int sketch_top(const struct sketch *sketch)
{
    return sketch->drop > 0 ? 15 : 255;
}

size_t volume_size(struct volume volume)
{
    return (size_t)volume.rows * (size_t)volume.columns * (size_t)volume.channels;
}

bool sketch_weighted(const struct sketch_layer *layer)
{
    return layer->op == SKETCH_CONV || layer->op == SKETCH_DECONV;
}

int sketch_logits(const struct sketch *sketch)
{
    int last = sketch->layer_count - 1;
    const struct sketch_layer *layer = &sketch->layers[last];
    const int *kernel = layer->window.kernel;
    bool averages = layer->op == SKETCH_AVGPOOL && kernel[0] == layer->in.rows &&
                    kernel[1] == layer->in.columns;
    int input = layer->inputs[0];
    bool behind = averages && input == last - 1 && input >= 0 &&
                  sketch_weighted(&sketch->layers[input]) && !sketch->layers[input].relu;
    return behind ? input : last;
}

int sketch_rows(const struct sketch_layer *layer)
{
    return layer->out.channels;
}

int sketch_limit(const struct sketch_layer *layer)
{
    return layer->odd ? (1 << layer->bits) - 1 : weight_limit(layer->bits);
}

int sketch_columns(const struct sketch_layer *layer)
{
    const int *kernel = layer->window.kernel;
    return kernel[0] * kernel[1] * (layer->in.channels / layer->groups);
}

size_t sketch_weight_bytes(const struct sketch *sketch)
{
    size_t bytes = 0;
    for (int i = 0; i < sketch->layer_count; i++) {
        const struct sketch_layer *layer = &sketch->layers[i];
        if (!sketch_weighted(layer)) {
            continue;
        }
        bytes += (size_t)sketch_rows(layer) *
                 (size_t)net_row_bytes(layer->bits, layer->odd, sketch_columns(layer));
    }
    return bytes;
}

/* ---- the text as a whole ---- */

static bool same_volume(const struct volume *a, const struct volume *b)
{
    return a->rows == b->rows && a->columns == b->columns && a->channels == b->channels;
}

/* "28x28x1" in front, if it is there. */
static bool take_image(struct sketch_parser *parser, struct volume *image)
{
    struct sketch_reader *in = &parser->in;
    const struct volume *known = &in->data->image;
    *image = *known;
    if (sketch_peek(in) < '0' || sketch_peek(in) > '9') {
        return known->rows > 0 ||
               sketch_fail_token(in, "the image's size has to stand here, such as 28x28x1");
    }
    if (!sketch_number(in, SKETCH_SIDE_MAX, &image->rows) ||
        (!sketch_take(in, 'x') && !sketch_fail(in, "expected 'x'")) ||
        !sketch_number(in, SKETCH_SIDE_MAX, &image->columns) ||
        (!sketch_take(in, 'x') && !sketch_fail(in, "expected 'x' and the number of channels")) ||
        !sketch_number(in, SKETCH_CHANNELS_MAX, &image->channels)) {
        return false;
    }
    if (sketch_peek(in)) {
        return sketch_fail(in, "expected a blank");
    }
    if (known->rows > 0 && !same_volume(known, image)) {
        return sketch_fail_token(in, "the images are %dx%dx%d", known->rows, known->columns,
                                 known->channels);
    }
    (void)sketch_next(in);
    return true;
}

static bool take_tokens(struct sketch_parser *parser)
{
    struct sketch *sketch = parser->sketch;
    if (!sketch_next(&parser->in)) {
        return sketch_fail_token(&parser->in, "a network is missing");
    }
    if (!take_image(parser, &sketch->image)) {
        return false;
    }
    sketch->crop = sketch->input = sketch->image;
    while (parser->in.at < parser->in.length) {
        parser->in.token = parser->in.at;
        if (!sketch_token(parser)) {
            return false;
        }
        (void)sketch_next(&parser->in);
    }
    return true;
}

static bool check_last(struct sketch_parser *parser)
{
    const struct sketch *sketch = parser->sketch;
    struct sketch_reader *in = &parser->in;
    int classes = in->data->classes;
    if (sketch->layer_count == 0) {
        return sketch_fail_token(in, "the last layer is missing");
    }
    int last = sketch->layer_count - 1;
    const struct sketch_layer *layer = &sketch->layers[last];
    const struct sketch_layer *logits = &sketch->layers[sketch_logits(sketch)];
    sketch_point(in, layer->line, layer->column);
    if (logits->relu) {
        sketch_point(in, parser->relu_line, parser->relu_column);
    }
    if (!sketch_weighted(logits) || logits->op == SKETCH_DECONV || logits->relu) {
        return sketch_fail_token(
            in, "the last layer is dense, conv or pw, without relu, or gap behind one");
    }
    if (logits != layer && logits->out.rows * logits->out.columns > MEAN_MOST) {
        return sketch_fail_token(in, "the last mean is of at most %d elements", MEAN_MOST);
    }
    if (classes > 0 && volume_size(layer->out) != (size_t)classes) {
        return sketch_fail_token(in, "it has %zu outputs, and there are %d classes",
                                 volume_size(layer->out), classes);
    }
    return layer->out.rows * layer->out.columns == 1 ||
           sketch_fail_token(in, "the last layer leaves more than one position");
}

bool sketch_parse(struct sketch *sketch, const char *text, size_t length,
                  const struct sketch_data *data, struct error *err)
{
    struct sketch_parser parser = {
        .in = sketch_start(text, length, data, err),
        .sketch = sketch,
        .last = -1,
    };
    memset(sketch, 0, sizeof *sketch);
    if (length > SKETCH_TEXT_MAX) {
        struct place place = {.file = data->place};
        return fail_at(err, place, "is longer than %zu bytes", SKETCH_TEXT_MAX);
    }
    bool good = take_tokens(&parser);
    if (good && volume_size(sketch->image) > SKETCH_WIDTH_MAX) {
        const struct volume *image = &sketch->image;
        sketch_point(&parser.in, 1, 1);
        good = sketch_fail_token(&parser.in, "images of %dx%dx%d have more than %d elements",
                                 image->rows, image->columns, image->channels, SKETCH_WIDTH_MAX);
    }
    return good && check_last(&parser) && sketch_codes(&parser);
}

/* "crop40 resize24 ": the middle, if it is not all, and that to `side`. */
static void default_resize(const struct volume *image, int side, char text[40])
{
    int least = image->rows < image->columns ? image->rows : image->columns;
    char crop[20] = "";
    if (image->rows != image->columns) {
        (void)snprintf(crop, sizeof crop, "crop%d ", least);
    }
    (void)snprintf(text, 40, "%sresize%d ", crop, side);
}

/* Small nets see more of a small image: sides above 20 are brought to 16, from 32 on to 24. */
void sketch_default(const struct volume *image, int classes, bool open, char text[200])
{
    char resize[40] = "";
    const char *bits = open ? "?" : "t";
    bool large = image->rows > 20 && image->columns > 20;
    int side = image->rows < image->columns ? image->rows : image->columns;
    if (large) {
        side = side >= 32 ? 24 : 16;
        default_resize(image, side, resize);
    }
    if (side >= 24) {
        (void)snprintf(text, 200,
                       "%sconv3x%s:4 relu:4 pool2 conv3x%s:%s relu:4 pool2 conv3x%s:%s relu:4 "
                       "dense%d:%s",
                       resize, open ? "2?" : "12", open ? "4?" : "24", bits, open ? "4?" : "24",
                       bits, classes, bits);
    } else if (side >= 14) {
        const char *first = open ? "2?" : "20";
        const char *next = open ? "3?" : "28";
        (void)snprintf(text, 200,
                       "%sconv3x8:4 relu:4 conv3x%ss2:%s relu:4 conv3x%s:%s relu:4 conv3x%s:%s "
                       "relu:4 dense%d:%s",
                       resize, first, bits, next, bits, next, bits, classes, bits);
    } else if (side >= 6) {
        (void)snprintf(text, 200, "%sconv3x%s:4 relu:4 pool2 conv2x%s:%s relu:4 dense%d:%s", resize,
                       open ? "?" : "14", open ? "2?" : "30", bits, classes, bits);
    } else {
        bits = open ? "?" : "4";
        (void)snprintf(text, 200, "%sdense%s:%s relu:8 dense%s:%s relu:8 dense%d:%s", resize,
                       open ? "2?" : "40", bits, open ? "?" : "24", bits, classes, bits);
    }
}
