#include "report/evaluate_images.h"

#include "report/calibrate.h"
#include "report/run_images.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>

/* What one evaluation finds. */
struct answers {
    const struct net *net;
    uint16_t *found;    /* row: class that the net gives */
    double *confidence; /* row: its probability */
};

bool takes_images(const struct net *net)
{
    const struct tensor *input = &net->tensors[net->input];
    return input->type == TYPE_U8 && input->shape.rows * input->shape.columns > 1;
}

bool expect_images(const struct net *net, struct images_options *options, struct error *err)
{
    const struct tensor *input = &net->tensors[net->input];
    options->rows = input->shape.rows;
    options->columns = input->shape.columns;
    options->channels = input->shape.channels;
    if (net->task == TASK_CLASSIFICATION) {
        options->known_classes = net->classes;
        options->known_class_count = net_class_count(net);
    }
    return input->type == TYPE_U8 ||
           fail(err, "the net takes %s codes; images are u8", type_name(input->type));
}

/* ---- running ---- */

double class_probability(const struct net *net, const int32_t *out, int class_index)
{
    int classes = net->tensors[net->output].width;
    enum op last = net_last(net)->op;
    double top = -HUGE_VAL;
    int element = net_gives_class(net) ? 0 : class_index;
    double own = channel_decode(net_output_channel(net, element), out[element]);
    double sum = 0;
    if (last == OP_ARGMAX || last == OP_SOFTMAX) {
        return last == OP_ARGMAX ? 1 : own;
    }
    for (int c = 0; c < classes; c++) {
        double value = channel_decode(net_output_channel(net, c), out[c]);
        top = value > top ? value : top;
    }
    for (int c = 0; c < classes; c++) {
        sum += falling_exp(channel_decode(net_output_channel(net, c), out[c]) - top);
    }
    return falling_exp(own - top) / sum;
}

static void take_row(void *context, size_t row, const int32_t *out)
{
    struct answers *answers = context;
    int chosen = run_class(answers->net, out);
    answers->found[row] = (uint16_t)chosen;
    answers->confidence[row] = class_probability(answers->net, out, chosen);
}

/* ---- figures ---- */

static bool start_figures(struct figures *figures, int classes, struct arena *arena)
{
    size_t count = (size_t)classes;
    *figures = (struct figures){.class_count = classes};
    figures->confusion = arena_alloc(arena, count * count, sizeof *figures->confusion);
    return figures->confusion != NULL;
}

static int bin_of(double confidence)
{
    int bin = (int)ceil(confidence * CALIBRATION_BINS) - 1;
    return bin < 0 ? 0 : bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
}

/* In the order of the rows, so that sums are the same for any number of threads. */
static void collect(const struct answers *answers, const struct image_set *set,
                    struct image_evaluation *evaluation)
{
    struct figures *figures = &evaluation->figures;
    struct calibration *calibration = &evaluation->calibration;
    int64_t hits = 0;
    figures->rows = (int64_t)set->rows.count;
    for (size_t row = 0; row < set->rows.count; row++) {
        int real = set->images->labels[image_of(set->rows, row)];
        int bin = bin_of(answers->confidence[row]);
        bool hit = answers->found[row] == real;
        figures->confusion[(size_t)real * (size_t)figures->class_count + answers->found[row]]++;
        calibration->rows[bin]++;
        calibration->hits[bin] += hit;
        calibration->confidence[bin] += answers->confidence[row];
        hits += hit;
    }
    figures->accuracy = (double)hits / (double)figures->rows;
}

static void finish_calibration(struct calibration *calibration, double rows)
{
    for (int bin = 0; bin < CALIBRATION_BINS; bin++) {
        double count = (double)calibration->rows[bin];
        double excess = calibration->confidence[bin] - (double)calibration->hits[bin];
        calibration->error += fabs(excess) / rows;
        calibration->confidence[bin] = count > 0 ? calibration->confidence[bin] / count : 0;
    }
}

static bool check(const struct net *net, const struct images *images, size_t rows,
                  struct error *err)
{
    int classes = net_class_count(net);
    if (net->task != TASK_CLASSIFICATION) {
        return fail(err, "%s: labels of classes, but the net has none", images->source);
    }
    if (!images->labels) {
        return fail(err, "%s: no labels: --labels FILE, or a folder for each class",
                    images->source);
    }
    if (images->class_count != classes ||
        images_size(images) != (size_t)net->tensors[net->input].width) {
        return fail(err, "%s: %d classes of %zu codes, but the net has %d of %d", images->source,
                    images->class_count, images_size(images), classes,
                    net->tensors[net->input].width);
    }
    return rows > 0 || fail(err, "%s: no images to evaluate", images->source);
}

bool evaluate_images(const struct net *net, const struct image_set *set, struct arena *arena,
                     struct image_evaluation *evaluation, struct error *err)
{
    const struct images *images = set->images;
    struct answers answers = {.net = net};
    struct image_job job = {net, *set, take_row, &answers};
    size_t count = set->rows.index ? set->rows.count : (size_t)images->count;
    *evaluation = (struct image_evaluation){0};
    job.set.rows.count = count;
    if (!check(net, images, count, err)) {
        return false;
    }
    answers.found = arena_alloc(arena, count, sizeof *answers.found);
    answers.confidence = arena_alloc(arena, count, sizeof *answers.confidence);
    if (!answers.found || !answers.confidence ||
        !start_figures(&evaluation->figures, images->class_count, arena) || !run_images(&job)) {
        return fail_memory(err);
    }
    collect(&answers, &job.set, evaluation);
    finish_calibration(&evaluation->calibration, (double)count);
    return true;
}

bool evaluate_test_images(const struct net *net, const struct image_set *set, uint64_t seed,
                          struct arena *arena, struct image_evaluation *evaluation,
                          struct error *err)
{
    struct image_set part = *set;
    uint32_t *index = images_part(set->images, seed, PART_TEST, &part.rows.count);
    part.rows.index = index;
    bool good = index ? evaluate_images(net, &part, arena, evaluation, err) : fail_memory(err);
    free(index);
    return good;
}
