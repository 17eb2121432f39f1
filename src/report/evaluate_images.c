#include "report/evaluate_images.h"

#include "base/pool.h"
#include "report/calibrate.h"
#include "run/run.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK 64 /* images of one job */

/* What one evaluation works on. */
struct task_images {
    const struct net *net;
    const struct images *images;
    struct row_set rows;
    uint16_t *found;     /* row: class that the net gives */
    double *confidence;  /* row: its probability */
    _Atomic bool failed; /* out of memory */
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
        options->known_class_count = net->tensors[net->output].width;
    }
    return input->type == TYPE_U8 ||
           fail(err, "the net takes %s codes; images are u8", type_name(input->type));
}

/* ---- running ---- */

/* Softmax's probability of the class that is chosen: outputs are logits in their own unit. */
static double confidence_of(const struct net *net, const int32_t *out, int chosen)
{
    int classes = net->tensors[net->output].width;
    double top = channel_decode(net_output_channel(net, chosen), out[chosen]);
    double sum = 0;
    for (int c = 0; c < classes; c++) {
        sum += falling_exp(channel_decode(net_output_channel(net, c), out[c]) - top);
    }
    return 1 / sum;
}

static void run_row(struct task_images *task, struct run *run, size_t row, int32_t *codes)
{
    size_t size = images_size(task->images);
    size_t index = task->rows.index ? task->rows.index[row] : row;
    const uint8_t *pixels = images_pixels(task->images, index);
    int32_t *out = codes + size;
    for (size_t i = 0; i < size; i++) {
        codes[i] = pixels[i];
    }
    run_predict(run, codes, out);
    int chosen = run_class(task->net, out);
    task->found[row] = (uint16_t)chosen;
    task->confidence[row] = confidence_of(task->net, out, chosen);
}

static void run_chunk(void *context, int chunk)
{
    struct task_images *task = context;
    size_t outputs = (size_t)task->net->tensors[task->net->output].width;
    struct run *run = run_new(task->net);
    int32_t *codes = calloc(images_size(task->images) + outputs, sizeof *codes);
    size_t first = (size_t)chunk * CHUNK;
    if (!run || !codes) {
        task->failed = true;
    }
    for (size_t i = first; run && codes && i < first + CHUNK && i < task->rows.count; i++) {
        run_row(task, run, i, codes);
    }
    free(codes);
    run_free(run);
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
static void collect(const struct task_images *task, struct image_evaluation *evaluation)
{
    struct figures *figures = &evaluation->figures;
    struct calibration *calibration = &evaluation->calibration;
    int64_t hits = 0;
    figures->rows = (int64_t)task->rows.count;
    for (size_t row = 0; row < task->rows.count; row++) {
        size_t index = task->rows.index ? task->rows.index[row] : row;
        int real = task->images->labels[index];
        int bin = bin_of(task->confidence[row]);
        bool hit = task->found[row] == real;
        figures->confusion[(size_t)real * (size_t)figures->class_count + task->found[row]]++;
        calibration->rows[bin]++;
        calibration->hits[bin] += hit;
        calibration->confidence[bin] += task->confidence[row];
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
    int classes = net->tensors[net->output].width;
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

bool evaluate_images(const struct net *net, const struct images *images, struct row_set rows,
                     int threads, struct arena *arena, struct image_evaluation *evaluation,
                     struct error *err)
{
    struct task_images task = {.net = net, .images = images, .rows = rows};
    *evaluation = (struct image_evaluation){0};
    if (!rows.index) {
        task.rows.count = (size_t)images->count;
    }
    if (!check(net, images, task.rows.count, err)) {
        return false;
    }
    task.found = arena_alloc(arena, task.rows.count, sizeof *task.found);
    task.confidence = arena_alloc(arena, task.rows.count, sizeof *task.confidence);
    struct pool *pool = pool_new(threads);
    bool ready = task.found && task.confidence && pool &&
                 start_figures(&evaluation->figures, images->class_count, arena);
    if (ready) {
        pool_run(pool, (int)((task.rows.count + CHUNK - 1) / CHUNK), run_chunk, &task);
    }
    pool_free(pool);
    if (!ready || task.failed) {
        return fail_memory(err);
    }
    collect(&task, evaluation);
    finish_calibration(&evaluation->calibration, (double)task.rows.count);
    return true;
}

bool evaluate_test_images(const struct net *net, const struct images *images, uint64_t seed,
                          int threads, struct arena *arena, struct image_evaluation *evaluation,
                          struct error *err)
{
    uint32_t *index = arena_alloc(arena, (size_t)images->count, sizeof *index);
    struct row_set rows = {index, 0};
    if (!index) {
        return fail_memory(err);
    }
    for (size_t i = 0; i < (size_t)images->count; i++) {
        if (data_part(seed, i) == PART_TEST) {
            index[rows.count++] = (uint32_t)i;
        }
    }
    return evaluate_images(net, images, rows, threads, arena, evaluation, err);
}
