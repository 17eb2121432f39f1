/* Which codes layers give: where activations belong, what is linear without the word, and what is
 * joined with what. */
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
static struct sketch_layer *find_activated(struct sketch_parser *parser, const char *word,
                                           bool behind_add)
{
    const char *what = behind_add ? "a layer with weights or add" : "a layer with weights";
    int index = parser->last;
    struct sketch_layer *layer = NULL;
    for (; index >= 0; index = layer->inputs[0]) {
        layer = &parser->sketch->layers[index];
        if (!keeps_order(layer->op) || layer->name[0]) {
            break;
        }
    }
    if (index < 0) {
        (void)sketch_fail_token(&parser->in, "%s stands behind %s", word, what);
    } else if (layer->name[0]) {
        (void)sketch_fail_token(&parser->in, "the name stands behind it: %s=%s", word, layer->name);
    } else if (!sketch_weighted(layer) && !(behind_add && layer->op == SKETCH_ADD)) {
        (void)sketch_fail_token(&parser->in, "%s stands behind %s, and before avg, gap and concat",
                                word, what);
    } else if (layer->relu || layer->linear) {
        (void)sketch_fail_token(&parser->in, "there is a relu or linear before it");
    } else {
        return layer;
    }
    return NULL;
}

bool sketch_linear(struct sketch_parser *parser, const char *word)
{
    struct sketch_layer *layer = find_activated(parser, word, false);
    if (layer) {
        layer->linear = true;
    }
    return layer != NULL;
}

bool sketch_relu(struct sketch_parser *parser, const char *word)
{
    struct sketch_reader *in = &parser->in;
    struct sketch_layer *layer = find_activated(parser, word, true);
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

/* Has its output codes of its own, whatever its inputs have? */
static bool makes_codes(const struct sketch_layer *layer)
{
    return sketch_weighted(layer) || layer->relu;
}

/* Bits of a layer's output codes; where it hands on the image those of pixels; negative: linear. */
static int code_bits(const struct sketch *sketch, int index)
{
    while (index >= 0) {
        const struct sketch_layer *layer = &sketch->layers[index];
        if (makes_codes(layer)) {
            return layer->linear ? -8 : layer->relu;
        }
        index = layer->inputs[0];
    }
    return sketch->drop > 0 ? 4 : 8;
}

/* Codes of 4 and of 8 bits neither add up nor stand behind each other. */
static bool check_join(struct sketch_parser *parser, int index)
{
    const struct sketch_layer *layer = &parser->sketch->layers[index];
    int bits = code_bits(parser->sketch, layer->inputs[0]);
    for (int k = 1; k < layer->input_count; k++) {
        int others = code_bits(parser->sketch, layer->inputs[k]);
        if ((bits == 4) != (others == 4)) {
            return sketch_fail_token(at_layer(parser, index), "%s",
                                     bits < 0 || others < 0
                                         ? "it joins codes of 4 bits with a linear output, which "
                                           "has 8; write relu instead of relu:4"
                                         : "it joins activations of 4 and of 8 bits");
        }
    }
    return true;
}

/* Layers whose outputs have one type for the sake of this one: its inputs, and itself unless it
 * makes codes of its own. */
static int find_alike(const struct sketch *sketch, int index, int alike[SKETCH_INPUTS + 1])
{
    const struct sketch_layer *layer = &sketch->layers[index];
    int count = 0;
    for (int k = 0; k < layer->input_count; k++) {
        if (layer->inputs[k] >= 0) {
            alike[count++] = layer->inputs[k];
        }
    }
    if (!makes_codes(layer)) {
        alike[count++] = index;
    }
    return count;
}

/* Where one of them has a sign, all get one.  True: some did. */
static bool spread_sign(const struct sketch *sketch, int index, bool *sign)
{
    int alike[SKETCH_INPUTS + 1];
    int count = find_alike(sketch, index, alike);
    int signs = 0;
    for (int i = 0; i < count; i++) {
        signs += sign[alike[i]];
    }
    for (int i = 0; i < count && signs > 0; i++) {
        sign[alike[i]] = true;
    }
    return signs > 0 && signs < count;
}

/* Which outputs are of a type with a sign. */
static void find_signs(const struct sketch *sketch, bool *sign)
{
    bool more = true;
    for (int i = 0; i < sketch->layer_count; i++) {
        sign[i] = sketch->layers[i].linear;
    }
    while (more) {
        more = false;
        for (int i = 0; i < sketch->layer_count; i++) {
            more = spread_sign(sketch, i, sign) || more;
        }
    }
}

/* What a relu gives joins codes with a sign if it is half as large. */
static bool set_narrow(struct sketch_parser *parser, int count)
{
    bool sign[SKETCH_LAYERS_MAX];
    find_signs(parser->sketch, sign);
    for (int i = 0; i < count; i++) {
        struct sketch_layer *layer = &parser->sketch->layers[i];
        layer->narrow = layer->relu && sign[i];
        if (sign[i] && layer->inputs[0] < 0 && !makes_codes(layer)) {
            return sketch_fail_token(at_layer(parser, i),
                                     "its pixels join outputs without a relu; those need one");
        }
    }
    return true;
}

bool sketch_codes(struct sketch_parser *parser)
{
    struct sketch *sketch = parser->sketch;
    int count = sketch_logits(sketch);
    for (int i = 0; i < count; i++) {
        struct sketch_layer *layer = &sketch->layers[i];
        layer->linear = layer->linear || (sketch_weighted(layer) && !layer->relu);
        if (!check_join(parser, i)) {
            return false;
        }
    }
    return set_narrow(parser, count);
}
