/* Texts of image networks: the first three bytes are the image's size and the classes, the rest is
 * the text.  What is accepted keeps its promises on sizes; what is refused says why. */
#include "vision/sketch.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good) {
        abort();
    }
}

static void check_layer(const struct sketch *sketch, int index)
{
    const struct sketch_layer *layer = &sketch->layers[index];
    check(layer->input_count >= 1 && layer->input_count <= SKETCH_INPUTS);
    for (int k = 0; k < layer->input_count; k++) {
        check(layer->inputs[k] >= -1 && layer->inputs[k] < index);
    }
    check(volume_size(layer->out) >= 1 && volume_size(layer->out) <= SKETCH_WIDTH_MAX);
    if (sketch_weighted(layer)) {
        check((size_t)sketch_rows(layer) * (size_t)sketch_columns(layer) <= SKETCH_WEIGHTS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sketch sketch;
    struct error err = {0};
    if (size < 3) {
        return 0;
    }
    struct sketch_data known = {{data[0], data[0], data[1]}, data[2], "fuzz"};
    known.image.channels += known.image.rows > 0 && known.image.channels == 0;
    if (!sketch_parse(&sketch, (const char *)data + 3, size - 3, &known, &err)) {
        check(err.failed && err.message[0]);
        return 0;
    }
    check(sketch.layer_count >= 1 && sketch.layer_count <= SKETCH_LAYERS_MAX);
    for (int i = 0; i < sketch.layer_count; i++) {
        check_layer(&sketch, i);
    }
    (void)sketch_weight_bytes(&sketch);
    return 0;
}
