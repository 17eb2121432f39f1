/* The float pass of image networks against slow maps in double precision, sample by sample and
 * straight from the definition of each op, and its gradient against their finite differences. */
#include "support/unit.h"

#include "base/rng.h"
#include "support/studio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES ((int)VISION_BLOCK)

/* Values of each layer: [sample][element]. */
struct slow {
    const struct graph *graph;
    const float *parameters;
    double *image;
    double **values;
};

static double *slow_input(struct slow *s, const struct sketch_layer *layer, int k, int sample)
{
    int input = layer->inputs[k];
    size_t size = input < 0 ? s->graph->image_size : s->graph->nodes[input].size;
    return (input < 0 ? s->image : s->values[input]) + (size_t)sample * size;
}

/* Element (y, x, c) of a map, 0 outside of it. */
static double at(const double *map, struct volume v, int y, int x, int c)
{
    bool inside = y >= 0 && y < v.rows && x >= 0 && x < v.columns;
    return inside ? map[(y * v.columns + x) * v.channels + c] : 0;
}

static double slow_weight(struct slow *s, const struct node *node, int row, int tap, int c)
{
    int channels = node->layer->in.channels / node->layer->groups;
    size_t column = (size_t)(tap * channels + c);
    size_t columns = (size_t)sketch_columns(node->layer);
    return (double)s->parameters[node->weight + (size_t)row * columns + column];
}

/* Sum of a conv's or deconv's output (y, x, row), from its definition. */
static double slow_sum(struct slow *s, const struct node *node, const double *in,
                       const int where[3])
{
    const struct sketch_layer *layer = node->layer;
    const struct sketch_window *w = &layer->window;
    int channels = layer->in.channels / layer->groups;
    int first = where[2] / (layer->out.channels / layer->groups) * channels;
    double sum = 0;
    for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++) {
        int y = where[0] * w->stride[0] + tap / w->kernel[1] * w->dilation[0] - w->pad[0];
        int x = where[1] * w->stride[1] + tap % w->kernel[1] * w->dilation[1] - w->pad[1];
        if (layer->op == SKETCH_DECONV) {
            y = where[0] + w->pad[0] - tap / w->kernel[1] * w->dilation[0];
            x = where[1] + w->pad[1] - tap % w->kernel[1] * w->dilation[1];
            if (y < 0 || x < 0 || y % w->stride[0] || x % w->stride[1]) {
                continue;
            }
            y /= w->stride[0];
            x /= w->stride[1];
        }
        for (int c = 0; c < channels; c++) {
            sum += at(in, layer->in, y, x, first + c) * slow_weight(s, node, where[2], tap, c);
        }
    }
    return sum;
}

static double slow_pool(const struct sketch_layer *layer, const double *in, const int where[3])
{
    const struct sketch_window *w = &layer->window;
    double sum = 0;
    double most = (double)-INFINITY;
    for (int i = 0; i < w->kernel[0] * w->kernel[1]; i++) {
        int y = where[0] * w->stride[0] + i / w->kernel[1] - w->pad[0];
        int x = where[1] * w->stride[1] + i % w->kernel[1] - w->pad[1];
        bool inside = y >= 0 && y < layer->in.rows && x >= 0 && x < layer->in.columns;
        double value = at(in, layer->in, y, x, where[2]);
        sum += value;
        most = inside && value > most ? value : most;
    }
    return layer->op == SKETCH_MAXPOOL ? most : sum / (w->kernel[0] * w->kernel[1]);
}

static double slow_join(struct slow *s, const struct sketch_layer *layer, int sample,
                        const int where[3])
{
    double sum = 0;
    int channel = where[2];
    for (int k = 0; k < layer->input_count; k++) {
        int input = layer->inputs[k];
        struct volume v = input < 0 ? s->graph->sketch->input : s->graph->nodes[input].layer->out;
        double *in = slow_input(s, layer, k, sample);
        if (layer->op == SKETCH_ADD) {
            sum += at(in, v, where[0], where[1], where[2]);
        } else if (channel >= 0 && channel < v.channels) {
            return at(in, v, where[0], where[1], channel);
        }
        channel -= v.channels;
    }
    return layer->relu && sum < 0 ? 0 : sum;
}

static double slow_element(struct slow *s, const struct node *node, int sample, const int where[3])
{
    const struct sketch_layer *layer = node->layer;
    const double *in = slow_input(s, layer, 0, sample);
    const int *factor = layer->window.kernel;
    struct volume v = layer->in;
    switch (layer->op) {
    case SKETCH_CONV:
    case SKETCH_DECONV: return slow_sum(s, node, in, where);
    case SKETCH_MAXPOOL:
    case SKETCH_AVGPOOL: return slow_pool(layer, in, where);
    case SKETCH_UPSAMPLE: return at(in, v, where[0] / factor[0], where[1] / factor[1], where[2]);
    case SKETCH_SHUFFLE: {
        int cell = where[0] % factor[0] * factor[1] + where[1] % factor[1];
        return at(in, v, where[0] / factor[0], where[1] / factor[1],
                  cell * layer->out.channels + where[2]);
    }
    case SKETCH_PAD:
        return at(in, v, where[0] - layer->window.pad[0], where[1] - layer->window.pad[1],
                  where[2]);
    case SKETCH_RESHAPE: return in[where[2]];
    case SKETCH_ADD:
    case SKETCH_CONCAT: break;
    }
    return slow_join(s, layer, sample, where);
}

/* Batch normalisation over all samples and positions, then relu unless it is linear. */
static void slow_normalise(struct slow *s, const struct node *node)
{
    const float *betas = s->parameters + s->graph->weight_count;
    const float *gammas = betas + s->graph->row_count;
    size_t rows = (size_t)node->rows;
    size_t all = (size_t)SAMPLES * node->size;
    double *values = s->values[node->index];
    for (size_t r = 0; r < rows; r++) {
        double mean = 0;
        double square = 0;
        double count = (double)(all / rows);
        for (size_t i = r; i < all; i += rows) {
            mean += values[i] / count;
        }
        for (size_t i = r; i < all; i += rows) {
            square += (values[i] - mean) * (values[i] - mean) / count;
        }
        double beta = (double)betas[(size_t)node->row + r];
        double scale = (double)gammas[(size_t)node->row + r] / sqrt(square + 1e-5);
        for (size_t i = r; i < all; i += rows) {
            double y = node->last ? values[i] + beta : (values[i] - mean) * scale + beta;
            values[i] = node->last || node->layer->linear || y > 0 ? y : 0;
        }
    }
}

static void slow_forward(struct slow *s)
{
    for (int i = 0; i < s->graph->node_count; i++) {
        const struct node *node = &s->graph->nodes[i];
        struct volume v = node->layer->out;
        for (int e = 0; e < SAMPLES * (int)node->size; e++) {
            int element = e % (int)node->size;
            int where[3] = {element / v.channels / v.columns, element / v.channels % v.columns,
                            element % v.channels};
            s->values[i][e] = slow_element(s, node, e / (int)node->size, where);
        }
        if (node->weighted) {
            slow_normalise(s, node);
        }
    }
}

/* Element of a lane map. */
static double lane_value(const float *map, size_t size, int sample, size_t element)
{
    size_t group = (size_t)sample / VISION_LANES;
    size_t lane = (size_t)sample % VISION_LANES;
    return (double)map[(group * size + element) * VISION_LANES + lane];
}

static double slow_loss(struct slow *s, const struct pass *pass)
{
    size_t classes = (size_t)s->graph->classes;
    double loss = 0;
    slow_forward(s);
    for (int i = 0; i < SAMPLES; i++) {
        const double *y = s->values[s->graph->node_count - 1] + (size_t)i * classes;
        double total = 0;
        for (size_t c = 0; c < classes; c++) {
            total += exp(y[c]);
        }
        for (size_t c = 0; c < classes; c++) {
            loss += lane_value(pass->targets, classes, i, c) * (log(total) - y[c]);
        }
    }
    return loss;
}

static void assert_near(double value, double expected, double tolerance, const char *what)
{
    if (!(fabs(value - expected) <= tolerance)) {
        fail_msg("%s: %.9g, expected %.9g within %.1g", what, value, expected, tolerance);
    }
}

static void slow_new(struct slow *s, struct trainer *t, const struct pass *pass)
{
    const struct graph *graph = t->graph;
    *s = (struct slow){.graph = graph, .parameters = t->learner.parameters};
    s->image = calloc((size_t)SAMPLES * graph->image_size, sizeof *s->image);
    s->values = calloc((size_t)graph->node_count, sizeof *s->values);
    assert_non_null(s->image);
    assert_non_null(s->values);
    for (int i = 0; i < graph->node_count; i++) {
        s->values[i] = calloc((size_t)SAMPLES * graph->nodes[i].size, sizeof(double));
        assert_non_null(s->values[i]);
    }
    for (int i = 0; i < SAMPLES; i++) {
        for (size_t e = 0; e < graph->image_size; e++) {
            s->image[(size_t)i * graph->image_size + e] =
                lane_value(pass->image, graph->image_size, i, e);
        }
    }
}

static void slow_free(struct slow *s)
{
    for (int i = 0; i < s->graph->node_count; i++) {
        free(s->values[i]);
    }
    free(s->values);
    free(s->image);
}

static double difference(struct slow *s, struct trainer *t, const struct pass *pass, size_t i,
                         bool *smooth)
{
    float *p = &t->learner.parameters[i];
    float old = *p;
    double slopes[2];
    for (int k = 0; k < 2; k++) {
        float step = k ? 0x1p-17F : 0x1p-16F; /* few relus have their kink in there */
        float above = old + step;
        float below = old - step;
        *p = above;
        double up = slow_loss(s, pass);
        *p = below;
        double down = slow_loss(s, pass);
        *p = old;
        slopes[k] = (up - down) / ((double)above - (double)below);
    }
    *smooth = fabs(slopes[0] - slopes[1]) < 1e-3 * (1 + fabs(slopes[1]));
    return slopes[1];
}

static void fill_pass(struct trainer *t, struct pass *pass)
{
    struct feed_sample samples[VISION_BLOCK];
    struct rng rng = rng_new(11, 1);
    for (uint32_t i = 0; i < VISION_BLOCK; i++) {
        samples[i] = feed_draw(t->feed, 0, i, i);
    }
    feed_block(t->feed, samples, trainer_pixel_unit(t->graph->sketch), pass);
    float *rows = graph_betas(t->graph, t->learner.parameters);
    for (size_t i = 0; i < 2 * t->graph->row_count; i++) {
        rows[i] += (float)rng_uniform(&rng, -0.3, 0.3);
    }
    learner_refresh(&t->learner);
}

/* Rows behind the last layer's have no parameters; its gamma is not used. */
static bool is_used(const struct graph *graph, size_t i)
{
    const struct node *last = &graph->nodes[graph->logits];
    size_t rows = (size_t)(last->row + last->rows);
    if (i < graph->weight_count) {
        for (int n = 0; n < graph->node_count; n++) {
            const struct node *node = &graph->nodes[n];
            if (node->weighted && i >= node->weight && i < node->weight + node->weight_count) {
                return true;
            }
        }
        return false;
    }
    i -= graph->weight_count;
    return i < rows || (i >= graph->row_count && i < graph->row_count + (size_t)last->row);
}

static void compare_gradient(struct trainer *t, struct pass *pass, struct slow *s)
{
    size_t smooth_count = 0;
    size_t checked = 0;
    size_t every = t->graph->count / 70 + 1;
    for (size_t i = 0; i < t->graph->count; i++) {
        bool smooth;
        if (!is_used(t->graph, i) || (i % every && i < t->graph->weight_count)) {
            continue;
        }
        double expected = difference(s, t, pass, i, &smooth);
        checked++;
        smooth_count += smooth;
        if (smooth) {
            assert_near((double)pass->gradient[i], expected, 3e-3 * (1 + fabs(expected)),
                        "gradient");
        }
    }
    assert_true(checked > 10 && smooth_count * 10 > checked * 7);
}

static void gradient_is_right(const char *text, struct volume size)
{
    struct studio *studio = studio_new(text, size, 3, NULL);
    struct trainer *t = studio->trainer;
    struct pass *pass = t->passes[0];
    struct slow slow;
    fill_pass(t, pass);
    pass_forward(pass, &t->learner);
    pass_loss(pass, &t->learner, 1);
    pass_backward(pass, &t->learner);
    slow_new(&slow, t, pass);
    double loss = slow_loss(&slow, pass);
    assert_near(pass->loss, loss, 1e-4 * (1 + loss), "loss");
    for (int n = 0; n < t->graph->node_count; n++) {
        size_t elements = t->graph->nodes[n].size;
        for (size_t e = 0; e < elements * (size_t)SAMPLES; e++) {
            double expected = slow.values[n][e];
            double value = lane_value(pass->values[n], elements, (int)(e / elements), e % elements);
            assert_near(value, expected, 1e-4 * (1 + fabs(expected)), "value");
        }
    }
    compare_gradient(t, pass, &slow);
    slow_free(&slow);
    studio_free(studio);
}

static void test_dense(void **state)
{
    (void)state;
    gradient_is_right("dense7 relu dense5 relu dense3", (struct volume){4, 3, 2});
}

static void test_convolutions(void **state)
{
    (void)state;
    gradient_is_right("conv3x5 relu conv2x3x4s2x1p1 relu conv3x6d2p relu dense3",
                      (struct volume){7, 8, 2});
    gradient_is_right("conv3x6p relu conv3x4g2s2 relu dw3pm2 relu pw3 relu dense3",
                      (struct volume){7, 6, 2});
}

static void test_deconvolutions(void **state)
{
    (void)state;
    gradient_is_right("deconv3x3s2p1 relu conv3x4s2 relu deconv2x3x4s1x2g2d2x1 relu gap dense3",
                      (struct volume){4, 4, 2});
}

static void test_pools(void **state)
{
    (void)state;
    gradient_is_right("conv3x5 relu pool2 conv2x4 relu pool3s1p1 dense3", (struct volume){8, 9, 1});
    gradient_is_right("conv3x5 relu avg3s2p1 conv2x4 relu gmax dense3", (struct volume){8, 9, 1});
}

static void test_moves_and_joins(void **state)
{
    (void)state;
    gradient_is_right("conv3x4 relu=a pw4 relu add(a) shuffle2 pad1 up2 avg2=b conv3x2p relu "
                      "concat(b) avg3 flatten dense3",
                      (struct volume){5, 6, 2});
}

static void test_residual_blocks(void **state)
{
    (void)state;
    gradient_is_right("conv3x4p relu=a conv3x4p relu conv3x4p add(a) relu=b pool2 pw4=c dw1 add(c) "
                      "pool1 relu conv1x4 dense3",
                      (struct volume){5, 6, 1});
    gradient_is_right("dense7 relu=a dense7 add(a) relu=b dense7 add(a,b) dense3",
                      (struct volume){4, 3, 2});
}

static void test_linear_and_last_mean(void **state)
{
    (void)state;
    gradient_is_right("conv3x5 linear conv3x4p relu pw3 linear=a pw7 relu pw3 linear add(a) "
                      "pool2 conv1x3 gap",
                      (struct volume){6, 7, 2});
    gradient_is_right("dw3 conv2x5 pool2 relu pw4 dense3", (struct volume){6, 7, 2});
    gradient_is_right("dw3 linear avg2 deconv2x4 linear dense3", (struct volume){6, 7, 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_residual_blocks),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_deconvolutions),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_moves_and_joins),
        cmocka_unit_test(test_linear_and_last_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
