#include "train/train.h"

#include "base/hash.h"
#include "train/lsq.h"
#include "train/problem.h"

#include <math.h>
#include <string.h>

/* All that one call of train_net() holds on to. */
struct run_state {
    const struct train_options *options;
    struct problem problem;
    struct pool *pool;
    struct arena *arena;
    struct session session;
    struct topology topology;
    enum activation activation;
    bool has_skip;
    int bits;
    struct model model;
    struct fixed fixed;
};

static enum method choose_method(const struct run_state *run)
{
    size_t parameters = topology_parameters(&run->topology);
    bool fits = parameters <= LSQ_PARAMETERS_MAX && run->problem.outputs <= LSQ_OUTPUTS_MAX;
    bool regression = run->problem.task == TASK_REGRESSION;
    if (run->options->method != METHOD_AUTO) {
        return run->options->method;
    }
    return regression && fits && run->bits >= 4 ? METHOD_LSQ : METHOD_QAT;
}

static bool is_auto(const struct train_options *options)
{
    return !options->topology || strcmp(options->topology, "auto") == 0;
}

static bool set_shape(struct run_state *run, const struct topology *topology, struct error *err)
{
    run->topology = *topology;
    if (!model_new(&run->model, run->arena, topology, run->activation, run->has_skip) ||
        !fixed_new(&run->fixed, run->arena, topology->widths, topology->layer_count,
                   run->has_skip)) {
        return fail_memory(err);
    }
    return true;
}

static struct lsq_job lsq_job_of(struct run_state *run, struct lsq_plan plan)
{
    return (struct lsq_job){.problem = &run->problem,
                            .session = &run->session,
                            .pool = run->pool,
                            .plan = plan,
                            .model = &run->model,
                            .bits = run->bits};
}

/* --net auto: the smallest shape whose short training comes within 5 % (RMS) of the best. */
static bool choose_shape(struct run_state *run, struct error *err)
{
    struct topology topology;
    double loss[16];
    double best = HUGE_VAL;
    int count = 0;
    while (count < 16 &&
           topology_candidate(count, run->problem.inputs, run->problem.outputs, &topology)) {
        struct lsq_job job = lsq_job_of(run, lsq_plan_probe());
        if (!set_shape(run, &topology, err) || !lsq_train(&job, err)) {
            return false;
        }
        loss[count] = job.loss;
        best = job.loss < best ? job.loss : best;
        count++;
    }
    int chosen = 0;
    while (loss[chosen] > 1.05 * 1.05 * best) {
        chosen++;
    }
    (void)topology_candidate(chosen, run->problem.inputs, run->problem.outputs, &topology);
    return set_shape(run, &topology, err);
}

static bool choose_options(struct run_state *run, struct error *err)
{
    const struct train_options *o = run->options;
    bool regression = run->problem.task == TASK_REGRESSION;
    run->activation = o->activation ? o->activation
                      : regression  ? ACTIVATION_CUBIC
                                    : ACTIVATION_RELU;
    run->has_skip = o->skip > 0 || (o->skip == 0 && regression);
    run->bits = o->weight_bits ? o->weight_bits : 8;
    if (run->bits < 2 || run->bits > 9) {
        return fail(err, "--weights %d: expected 2 (ternary) to 9", run->bits);
    }
    if (!regression && o->method == METHOD_LSQ) {
        return fail(err, "--method lsq is for regression; classes are trained by gradient");
    }
    return true;
}

static uint64_t identity_of(const struct train_options *options, const struct dataset *data)
{
    const char *text = options->options_text ? options->options_text : "";
    uint64_t hash = hash_bytes(HASH_START, text, strlen(text));
    hash = hash_bytes(hash, &options->seed, sizeof options->seed);
    return hash_bytes(hash, &data->hash, sizeof data->hash);
}

/* ---- figures of the float network ---- */

/* Accumulate the errors of one row, in the outputs' units. */
static void add_error(const struct problem *p, const double *y, const double *target,
                      struct output_error *sum)
{
    for (int o = 0; o < p->outputs; o++) {
        double unit = decimal_value(p->out_channels[o].lsb) * ldexp(1, 15 - p->extra);
        double error = fabs(y[o] - target[o]) * unit;
        sum[o].rms += error * error;
        sum[o].worst = error > sum[o].worst ? error : sum[o].worst;
    }
}

static void finish_figures(const struct problem *p, struct figures *f)
{
    double rows = (double)f->rows;
    for (int o = 0; o < p->outputs; o++) {
        const struct column *column = &p->data->columns[p->inputs + o];
        double range = column->high - column->low;
        f->mse += f->outputs[o].rms / rows / p->outputs;
        f->outputs[o].rms = sqrt(f->outputs[o].rms / rows);
        f->rms_percent += range > 0 ? 100 * f->outputs[o].rms / range / p->outputs : 0;
    }
}

static bool regression_figures(const struct run_state *run, struct arena *arena, struct figures *f)
{
    const struct problem *p = &run->problem;
    double *x = arena_alloc(arena, (size_t)p->inputs, sizeof *x);
    double *y = arena_alloc(arena, (size_t)p->outputs * 2, sizeof *y);
    double *scratch = arena_alloc(arena, model_scratch(&run->model), sizeof *scratch);
    f->outputs = arena_alloc(arena, (size_t)p->outputs, sizeof *f->outputs);
    if (!x || !y || !scratch || !f->outputs) {
        return false;
    }
    f->output_count = p->outputs;
    f->accuracy = -1;
    f->rows = (int64_t)p->counts[PART_TEST];
    int16_t codes[TRAIN_WIDTH_MAX];
    for (size_t i = 0; i < p->counts[PART_TEST]; i++) {
        problem_input(p, p->rows[PART_TEST][i], codes);
        for (int j = 0; j < p->inputs; j++) {
            x[j] = codes[j] * 0x1p-15;
        }
        model_forward(&run->model, x, y, scratch);
        problem_target(p, p->rows[PART_TEST][i], y + p->outputs);
        add_error(p, y, y + p->outputs, f->outputs);
    }
    finish_figures(p, f);
    return true;
}

/* ---- the call ---- */

static struct net *train_lsq(struct run_state *run, struct train_result *result, struct error *err)
{
    struct lsq_job job = lsq_job_of(run, lsq_plan_full());
    job.fixed = &run->fixed;
    result->method = "least squares";
    if (!lsq_train(&job, err)) {
        return NULL;
    }
    if (!regression_figures(run, result->arena, &result->float_test)) {
        fail_memory(err);
        return NULL;
    }
    return problem_net(&run->problem, &run->fixed, run->options, result->method, err);
}

static struct net *train_by_method(struct run_state *run, struct train_result *result,
                                   struct error *err)
{
    if (!choose_options(run, err)) {
        return NULL;
    }
    struct topology topology;
    const struct train_options *o = run->options;
    if (is_auto(o) ? !choose_shape(run, err)
                   : !topology_parse(o->topology, run->problem.inputs, run->problem.outputs,
                                     &topology, err) ||
                         !set_shape(run, &topology, err)) {
        return NULL;
    }
    if (choose_method(run) == METHOD_LSQ) {
        return train_lsq(run, result, err);
    }
    fail(err, "the gradient route is not built yet");
    return NULL;
}

struct net *train_net(const struct dataset *data, const struct train_options *options,
                      struct train_result *result, struct error *err)
{
    struct run_state run = {.options = options, .arena = arena_new()};
    *result = (struct train_result){.arena = arena_new()};
    run.session = session_new(options, identity_of(options, data));
    run.pool = pool_new(options->threads);
    struct net *net = NULL;
    if (!run.arena || !result->arena || !run.pool) {
        fail_memory(err);
    } else if (problem_new(&run.problem, data, options, err)) {
        net = train_by_method(&run, result, err);
    }
    result->stopped = run.session.stopped;
    problem_free(&run.problem);
    pool_free(run.pool);
    arena_free(run.arena);
    return net;
}

void train_result_free(struct train_result *result)
{
    arena_free(result->arena);
    *result = (struct train_result){0};
}
