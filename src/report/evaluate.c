#include "report/evaluate.h"

#include "run/run.h"

#include <math.h>
#include <stdlib.h>

struct work {
    const struct net *net;
    const struct dataset *data;
    struct run *run;
    int inputs, outputs;
    int classes;       /* 0: none */
    int32_t *in, *out; /* codes of one row */
    double *squares;   /* of each output's errors, summed over the rows */
    struct evaluation *evaluation;
};

/* Labels where the net has classes, numbers where it has none. */
static bool check_classes(const struct net *net, const struct dataset *data, struct error *err)
{
    int classes = net_class_count(net);
    if (net->task != TASK_CLASSIFICATION) {
        return data->class_count == 0 ||
               fail(err, "%s: class labels, but the net is a regression", data->source);
    }
    if (data->class_count == 0) {
        return fail(err, "%s: no class labels, but the net has classes", data->source);
    }
    return data->class_count == classes || fail(err, "%s: %d classes, but the net has %d",
                                                data->source, data->class_count, classes);
}

static bool check_shape(const struct net *net, const struct dataset *data, struct error *err)
{
    int inputs = net->tensors[net->input].width;
    int outputs = net->tensors[net->output].width;
    if (net->task == TASK_CLASSIFICATION) {
        return data->input_count == inputs ||
               fail(err, "%s: %d input columns, but the net has %d inputs", data->source,
                    data->input_count, inputs);
    }
    int columns = data->input_count + data->output_count;
    return columns == inputs + outputs ||
           fail(err, "%s: %d columns, but the net has %d inputs and %d outputs", data->source,
                columns, inputs, outputs);
}

/* Memory for codes and figures; false when out of it. */
static bool work_start(struct work *work, struct arena *arena)
{
    struct figures *figures = &work->evaluation->figures;
    size_t classes = (size_t)work->classes;
    size_t outputs = (size_t)work->outputs;
    work->in = arena_alloc(arena, (size_t)work->inputs, sizeof *work->in);
    work->out = arena_alloc(arena, outputs, sizeof *work->out);
    work->squares = arena_alloc(arena, outputs, sizeof *work->squares);
    figures->outputs = arena_alloc(arena, outputs, sizeof *figures->outputs);
    figures->confusion =
        classes ? arena_alloc(arena, classes * classes, sizeof *figures->confusion) : NULL;
    figures->output_count = classes ? 0 : work->outputs;
    figures->class_count = work->classes;
    figures->accuracy = -1;
    work->run = run_new(work->net);
    return work->run && work->in && work->out && work->squares && figures->outputs &&
           (!classes || figures->confusion);
}

static void predict_row(struct work *work, const float *row)
{
    enum type type = work->net->tensors[work->net->input].type;
    for (int j = 0; j < work->inputs; j++) {
        bool clamped = false;
        work->in[j] =
            channel_encode(net_input_channel(work->net, j), type, (double)row[j], &clamped);
        work->evaluation->clamped += clamped;
    }
    run_predict(work->run, work->in, work->out);
}

/* Distances of one row, in the units of the outputs. */
static void add_errors(struct work *work, const float *row)
{
    for (int i = 0; i < work->outputs; i++) {
        struct output_error *error = &work->evaluation->figures.outputs[i];
        double value = channel_decode(net_output_channel(work->net, i), work->out[i]);
        double distance = fabs(value - (double)row[work->inputs + i]);
        work->squares[i] += distance * distance;
        error->worst = distance > error->worst ? distance : error->worst;
    }
}

/* One row into the confusion matrix. */
static void add_class(struct work *work, const float *row)
{
    int found = run_class(work->net, work->out);
    int true_class = (int)row[work->data->input_count];
    work->evaluation->figures.confusion[true_class * work->classes + found]++;
}

/* From sums to means; the range is that of the training data. */
static void finish_regression(struct work *work, double rows)
{
    struct figures *figures = &work->evaluation->figures;
    double percent = 0;
    int ranged = 0;
    for (int i = 0; i < work->outputs; i++) {
        const struct channel *channel = net_output_channel(work->net, i);
        double range = decimal_value(channel->high) - decimal_value(channel->low);
        figures->outputs[i].rms = sqrt(work->squares[i] / rows);
        figures->mse += work->squares[i] / rows / work->outputs;
        if (range > 0) {
            percent += 100 * figures->outputs[i].rms / range;
            ranged++;
        }
    }
    figures->rms_percent = ranged ? percent / ranged : 0;
}

static void finish_classes(struct work *work, double rows)
{
    struct figures *figures = &work->evaluation->figures;
    int64_t hits = 0;
    for (int i = 0; i < work->classes; i++) {
        hits += figures->confusion[i * work->classes + i];
    }
    figures->accuracy = (double)hits / rows;
}

static void evaluate_rows(struct work *work, struct row_set rows)
{
    bool classes = work->net->task == TASK_CLASSIFICATION;
    for (size_t r = 0; r < rows.count; r++) {
        const float *row = data_row(work->data, rows.index ? rows.index[r] : r);
        predict_row(work, row);
        if (classes) {
            add_class(work, row);
        } else {
            add_errors(work, row);
        }
    }
    work->evaluation->figures.rows = (int64_t)rows.count;
    if (classes) {
        finish_classes(work, (double)rows.count);
    } else {
        finish_regression(work, (double)rows.count);
    }
}

bool evaluate_net(const struct net *net, const struct dataset *data, struct row_set rows,
                  struct arena *arena, struct evaluation *evaluation, struct error *err)
{
    if (!check_classes(net, data, err) || !check_shape(net, data, err)) {
        return false;
    }
    if (!rows.index) {
        rows.count = data->row_count;
    }
    if (rows.count == 0) {
        return fail(err, "%s: no rows to evaluate", data->source);
    }
    *evaluation = (struct evaluation){0};
    struct work work = {.net = net,
                        .data = data,
                        .inputs = net->tensors[net->input].width,
                        .outputs = net->tensors[net->output].width,
                        .classes = net->task == TASK_CLASSIFICATION ? net_class_count(net) : 0,
                        .evaluation = evaluation};
    bool ready = work_start(&work, arena);
    if (ready) {
        evaluate_rows(&work, rows);
    }
    run_free(work.run);
    return ready || fail_memory(err);
}

bool set_score(struct net *net, const struct figures *figures)
{
    double value = figures->class_count > 0 ? 100 * figures->accuracy : figures->rms_percent;
    struct provenance provenance = net->provenance;
    provenance.score =
        (struct score){.known = true, .value = decimal_round(value, 4), .rows = figures->rows};
    return net_set_provenance(net, &provenance);
}

bool score_net(struct net *net, const struct dataset *data, uint64_t seed, struct arena *arena,
               struct evaluation *evaluation, struct error *err)
{
    struct row_set rows = {0};
    uint32_t *index = data_part_rows(data, seed, PART_TEST, &rows.count);
    rows.index = index;
    if (!index) {
        return fail_memory(err);
    }
    bool good = evaluate_net(net, data, rows, arena, evaluation, err);
    free(index);
    return good && (set_score(net, &evaluation->figures) || fail_memory(err));
}
