/* Which codes layers give: where activations belong, what is linear without the word, and whether
 * what is joined is alike. */
#include "vision/sketch_read.h"

/* ---- activations ---- */

/* Does a relu behind it give what a relu before it gives?  Elements move, zeros come, or the
 * largest is taken. */
static bool keeps_order(enum sketch_op op)
{
    switch (op) {
    case SKETCH_MAXPOOL:
    case SKETCH_UPSAMPLE:
    case SKETCH_SHUFFLE:
    case SKETCH_PAD:
    case SKETCH_RESHAPE: return true;
    case SKETCH_CONV:
    case SKETCH_DECONV:
    case SKETCH_AVGPOOL:
    case SKETCH_ADD:
    case SKETCH_CONCAT: break;
    }
    return false;
}

/* The layer that an activation at hand belongs to: "conv3x8 pool2 relu" is "conv3x8 relu pool2".
 * NULL: none. */
static struct sketch_layer *find_activated(struct sketch_parser *parser, const char *word)
{
    int index = parser->last;
    struct sketch_layer *layer = NULL;
    for (; index >= 0; index = layer->inputs[0]) {
        layer = &parser->sketch->layers[index];
        if (!keeps_order(layer->op) || layer->name[0]) {
            break;
        }
    }
    if (index < 0) {
        (void)sketch_fail_token(&parser->in, "%s stands behind a layer with weights", word);
    } else if (layer->name[0]) {
        (void)sketch_fail_token(&parser->in, "the name stands behind it: %s=%s", word, layer->name);
    } else if (!sketch_weighted(layer)) {
        (void)sketch_fail_token(
            &parser->in,
            "%s stands behind a layer with weights; write it before avg, add or concat", word);
    } else if (layer->relu || layer->linear) {
        (void)sketch_fail_token(&parser->in, "there is a relu or linear before it");
    } else {
        return layer;
    }
    return NULL;
}

bool sketch_linear(struct sketch_parser *parser, const char *word)
{
    struct sketch_layer *layer = find_activated(parser, word);
    if (layer) {
        layer->linear = true;
    }
    return layer != NULL;
}

bool sketch_relu(struct sketch_parser *parser, const char *word)
{
    struct sketch_reader *in = &parser->in;
    struct sketch_layer *layer = find_activated(parser, word);
    if (!layer) {
        return false;
    }
    parser->relu_line = in->line;
    parser->relu_column = in->token - in->start + 1;
    layer->relu = 8;
    if (!sketch_take(in, ':')) {
        return true;
    }
    size_t at = in->at;
    if (!sketch_number(in, 8, &layer->relu)) {
        return false;
    }
    bool good = layer->relu == 4 || layer->relu == 8;
    in->at = good ? in->at : at;
    return good || sketch_fail(in, "activations have 4 or 8 bits");
}

/* ---- the whole network ---- */

/* The reader that fails at a layer's token. */
static struct sketch_reader *at_layer(struct sketch_parser *parser, int index)
{
    const struct sketch_layer *layer = &parser->sketch->layers[index];
    sketch_point(&parser->in, layer->line, layer->column);
    return &parser->in;
}

/* Codes of 4 and of 8 bits, with and without a sign, neither add up nor stand behind each other:
 * all inputs of a join come from activations alike.  Bits of a layer's output codes; where it reads
 * the image those of pixels; negative: with a sign. */
static int code_bits(const struct sketch *sketch, int index)
{
    while (index >= 0) {
        const struct sketch_layer *layer = &sketch->layers[index];
        if (sketch_weighted(layer)) {
            return layer->linear ? -8 : layer->relu;
        }
        index = layer->inputs[0];
    }
    return sketch->drop > 0 ? 4 : 8;
}

static bool check_layer(struct sketch_parser *parser, int index)
{
    const struct sketch *sketch = parser->sketch;
    const struct sketch_layer *layer = &sketch->layers[index];
    for (int k = 1; k < layer->input_count; k++) {
        int bits = code_bits(sketch, layer->inputs[0]);
        int others = code_bits(sketch, layer->inputs[k]);
        if (bits != others) {
            return sketch_fail_token(at_layer(parser, index), "%s",
                                     bits < 0 || others < 0
                                         ? "it joins outputs with and without a sign"
                                         : "it joins activations of 4 and of 8 bits");
        }
    }
    return true;
}

bool sketch_codes(struct sketch_parser *parser)
{
    struct sketch *sketch = parser->sketch;
    int logits = sketch_logits(sketch);
    for (int i = 0; i < logits; i++) {
        struct sketch_layer *layer = &sketch->layers[i];
        layer->linear = layer->linear || (sketch_weighted(layer) && !layer->relu);
    }
    for (int i = 0; i < logits; i++) {
        if (!check_layer(parser, i)) {
            return false;
        }
    }
    return true;
}
