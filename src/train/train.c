#include "train/train.h"

#include "base/hash.h"
#include "train/float_figures.h"
#include "train/gradient.h"
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

static struct gradient_job gradient_job_of(struct run_state *run)
{
    return (struct gradient_job){.problem = &run->problem,
                                 .session = &run->session,
                                 .pool = run->pool,
                                 .bits = run->bits,
                                 .model = &run->model};
}

/* A short training of the shape in use: its validation loss. */
static bool probe(struct run_state *run, double *loss, struct error *err)
{
    if (choose_method(run) == METHOD_LSQ) {
        struct lsq_job job = lsq_job_of(run, lsq_plan_probe());
        bool done = lsq_train(&job, err);
        *loss = job.loss;
        return done;
    }
    struct gradient_job job = gradient_job_of(run);
    job.probe = true;
    bool done = gradient_train(&job, err);
    *loss = job.loss;
    return done;
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
        if (!set_shape(run, &topology, err) || !probe(run, &loss[count], err)) {
            return false;
        }
        best = loss[count] < best ? loss[count] : best;
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

/* ---- the call ---- */

static bool train_lsq(struct run_state *run, struct train_result *result, struct error *err)
{
    struct lsq_job job = lsq_job_of(run, lsq_plan_full());
    job.fixed = &run->fixed;
    result->method = "least squares";
    return lsq_train(&job, err);
}

static bool train_gradient(struct run_state *run, struct train_result *result, struct error *err)
{
    struct gradient_job job = gradient_job_of(run);
    job.fixed = &run->fixed;
    result->method = "gradient";
    return gradient_train(&job, err);
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
    bool least_squares = choose_method(run) == METHOD_LSQ;
    if (!(least_squares ? train_lsq(run, result, err) : train_gradient(run, result, err))) {
        return NULL;
    }
    if (!float_figures(&run->problem, &run->model, result->arena, &result->float_test)) {
        fail_memory(err);
        return NULL;
    }
    return problem_net(&run->problem, &run->fixed, o, result->method, err);
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
