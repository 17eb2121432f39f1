#include "train/float_figures.h"

#include <math.h>

/* Buffers of one row: inputs, outputs, targets. */
struct row {
    double *x, *y, *target, *scratch;
};

/* Accumulate the errors of one row, in the outputs' units. */
static void add_errors(const struct problem *p, const struct row *row, struct output_error *sum)
{
    for (int o = 0; o < p->outputs; o++) {
        double unit = decimal_value(p->out_channels[o].lsb) * ldexp(1, 15 - p->extra);
        double error = fabs(row->y[o] - row->target[o]) * unit;
        sum[o].rms += error * error;
        sum[o].worst = error > sum[o].worst ? error : sum[o].worst;
    }
}

static void add_class(const struct problem *p, const struct row *row, int truth, struct figures *f)
{
    int best = 0;
    for (int o = 1; o < p->outputs; o++) {
        best = row->y[o] > row->y[best] ? o : best;
    }
    f->confusion[truth * p->outputs + best]++;
    f->accuracy += best == truth;
}

static void finish(const struct problem *p, struct figures *f)
{
    double rows = (double)f->rows;
    if (p->task == TASK_CLASSIFICATION) {
        f->accuracy /= rows;
        return;
    }
    for (int o = 0; o < p->outputs; o++) {
        const struct channel *channel = &p->out_channels[o];
        double range = decimal_value(channel->high) - decimal_value(channel->low);
        f->mse += f->outputs[o].rms / rows / p->outputs;
        f->outputs[o].rms = sqrt(f->outputs[o].rms / rows);
        f->rms_percent += range > 0 ? 100 * f->outputs[o].rms / range / p->outputs : 0;
    }
}

static void evaluate(const struct problem *p, const struct model *model, struct row_choice choice,
                     struct row *row, struct figures *f)
{
    int16_t codes[TRAIN_WIDTH_MAX];
    for (size_t i = 0; i < choice.count; i++) {
        size_t at = choice.rows ? choice.rows[i] : i;
        problem_input(p, at, codes);
        for (int j = 0; j < p->inputs; j++) {
            row->x[j] = codes[j] * p->input_unit;
        }
        model_forward(model, row->x, row->y, row->scratch);
        if (p->task == TASK_CLASSIFICATION) {
            add_class(p, row, problem_class(p, at), f);
        } else {
            problem_target(p, at, row->target);
            add_errors(p, row, f->outputs);
        }
    }
    finish(p, f);
}

bool float_figures(const struct problem *p, const struct model *model, struct row_choice choice,
                   struct arena *arena, struct figures *f)
{
    size_t outputs = (size_t)p->outputs;
    bool classes = p->task == TASK_CLASSIFICATION;
    struct row row = {
        .x = arena_alloc(arena, (size_t)p->inputs, sizeof *row.x),
        .y = arena_alloc(arena, outputs, sizeof *row.y),
        .target = arena_alloc(arena, outputs, sizeof *row.target),
        .scratch = arena_alloc(arena, model_scratch(model), sizeof *row.scratch),
    };
    *f = (struct figures){.accuracy = classes ? 0 : -1, .rows = (int64_t)choice.count};
    if (classes) {
        f->class_count = p->outputs;
        f->confusion = arena_alloc(arena, outputs * outputs, sizeof *f->confusion);
    } else {
        f->output_count = p->outputs;
        f->outputs = arena_alloc(arena, outputs, sizeof *f->outputs);
    }
    if (!row.x || !row.y || !row.target || !row.scratch || (!f->confusion && !f->outputs)) {
        return false;
    }
    evaluate(p, model, choice, &row, f);
    return true;
}
