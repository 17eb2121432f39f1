#include "train/train.h"

#include "base/hash.h"
#include "train/float_figures.h"
#include "train/gradient.h"
#include "train/lsq.h"
#include "train/problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a result keeps: the float network and the units it works in. */
struct float_net {
    struct arena *arena; /* of the model */
    struct problem problem;
    struct model model;
};

/* All that one call of train_net() works with. */
struct run_state {
    const struct train_options *options;
    struct float_net *kept;
    struct problem *problem; /* kept's */
    struct model *model;     /* kept's */
    struct arena *arena;     /* kept's */
    struct pool *pool;
    struct session session;
    struct topology topology;
    enum activation activation;
    bool has_skip;
    int bits;
    enum method method; /* METHOD_AUTO: both, the better one by validation */
    struct fixed fixed;
};

/* Least squares overfits where the parameters are many for the data: below this many numbers to fit
 * per parameter the gradient route is tried as well. */
#define NUMBERS_PER_PARAMETER 30

/* Decided once, by the largest shape that may come. */
static enum method choose_method(const struct run_state *run, const struct topology *largest)
{
    const struct problem *p = run->problem;
    size_t parameters = topology_parameters(largest);
    bool fits = parameters <= LSQ_PARAMETERS_MAX && p->outputs <= LSQ_OUTPUTS_MAX;
    if (run->options->untrained) {
        return METHOD_QAT;
    }
    if (run->options->method != METHOD_AUTO) {
        return run->options->method;
    }
    bool squares = run->options->loss == LOSS_AUTO || run->options->loss == LOSS_MSE;
    bool wide = p->hidden_type == TYPE_I16;
    if (p->task != TASK_REGRESSION || !fits || run->bits < 4 || !squares || !wide) {
        return METHOD_QAT;
    }
    size_t numbers = p->counts[PART_TRAIN] * (size_t)p->outputs;
    return numbers < NUMBERS_PER_PARAMETER * parameters ? METHOD_AUTO : METHOD_LSQ;
}

static bool is_auto(const struct train_options *options)
{
    return !options->topology || strcmp(options->topology, "auto") == 0;
}

static bool set_shape(struct run_state *run, const struct topology *topology, struct error *err)
{
    run->topology = *topology;
    if (!model_new(run->model, run->arena, topology, run->activation, run->has_skip) ||
        !fixed_new(&run->fixed, run->arena, topology->widths, topology->layer_count,
                   run->has_skip)) {
        return fail_memory(err);
    }
    return true;
}

static struct lsq_job lsq_job_of(struct run_state *run, struct lsq_plan plan)
{
    return (struct lsq_job){.problem = run->problem,
                            .session = &run->session,
                            .pool = run->pool,
                            .plan = plan,
                            .model = run->model,
                            .bits = run->bits};
}

static struct gradient_job gradient_job_of(struct run_state *run)
{
    return (struct gradient_job){.problem = run->problem,
                                 .session = &run->session,
                                 .pool = run->pool,
                                 .bits = run->bits,
                                 .model = run->model};
}

/* A short training of the shape in use: its validation loss. */
static bool probe(struct run_state *run, double *loss, struct error *err)
{
    if (run->method == METHOD_LSQ) {
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

static struct topology largest_candidate(const struct run_state *run)
{
    struct topology topology = {0};
    for (int i = 0; topology_candidate(i, run->problem->inputs, run->problem->outputs, &topology);
         i++) {
    }
    return topology;
}

/* --net auto: the smallest shape whose short training comes within 5 % (RMS) of the best. */
static bool choose_shape(struct run_state *run, struct error *err)
{
    struct topology topology;
    double loss[16] = {0};
    double best = HUGE_VAL;
    int count = 0;
    run->session.share = 0.3; /* the most is for the shape that is chosen */
    while (count < 16 && (count == 0 || !session_stop(&run->session, 1)) &&
           topology_candidate(count, run->problem->inputs, run->problem->outputs, &topology)) {
        if (!set_shape(run, &topology, err) || !probe(run, &loss[count], err)) {
            return false;
        }
        best = loss[count] < best ? loss[count] : best;
        count++;
    }
    run->session.share = 1;
    int chosen = 0;
    while (loss[chosen] > 1.05 * 1.05 * best) {
        chosen++;
    }
    (void)topology_candidate(chosen, run->problem->inputs, run->problem->outputs, &topology);
    return set_shape(run, &topology, err);
}

/* What SPEC 5 does not have, or what no route trains. */
static bool check_hidden(const struct run_state *run, struct error *err)
{
    const struct train_options *o = run->options;
    enum activation a = run->activation;
    enum type type = run->problem->hidden_type;
    if (type == TYPE_I16) {
        return true;
    }
    if (a == ACTIVATION_CUBIC || a == ACTIVATION_PSIG ||
        (type == TYPE_U8 && (a == ACTIVATION_LEAKY || a == ACTIVATION_CLIP))) {
        return fail(err, "--hidden %s: not with --activation %s", type_name(type),
                    activation_name(a));
    }
    return o->method != METHOD_LSQ ||
           fail(err, "--method lsq trains activations of 16 bits; 8 bits go by gradient");
}

static bool choose_options(struct run_state *run, struct error *err)
{
    const struct train_options *o = run->options;
    bool regression = run->problem->task == TASK_REGRESSION;
    bool wide = run->problem->hidden_type == TYPE_I16;
    run->activation = o->activation        ? o->activation
                      : regression && wide ? ACTIVATION_CUBIC
                                           : ACTIVATION_RELU;
    run->has_skip = o->skip > 0 || (o->skip == 0 && regression && !o->packed);
    run->bits = o->weight_bits ? o->weight_bits : 8;
    if (run->bits < 2 || run->bits > 9) {
        return fail(err, "--weights %d: expected 2 (ternary) to 9", run->bits);
    }
    if (!regression && o->method == METHOD_LSQ) {
        return fail(err, "--method lsq is for regression; classes are trained by gradient");
    }
    if (o->method == METHOD_LSQ && o->loss != LOSS_AUTO && o->loss != LOSS_MSE) {
        return fail(err, "--method lsq has the squared error as its loss");
    }
    if (o->packed && run->has_skip) {
        return fail(err, "--kernel packed goes without --skip, whose sums have 32 bits");
    }
    return check_hidden(run, err);
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
    struct lsq_job job = lsq_job_of(run, lsq_plan_full(run->model->count));
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

/* Validation error of the integer net at hand. */
static bool integer_loss(const struct run_state *run, double *loss)
{
    const struct problem *p = run->problem;
    struct arena *arena = arena_new();
    struct sample_set set;
    struct fixed_memory memory;
    size_t count = p->counts[PART_VALIDATION];
    bool good = arena && sample_set_new(&set, arena, p, count) &&
                fixed_memory_new(&memory, arena, &run->fixed);
    if (good) {
        sample_set_fill(&set, p, p->rows[PART_VALIDATION], count, 0, count);
        *loss = sample_set_fixed_loss(&set, p, &run->fixed, &memory);
    }
    arena_free(arena);
    return good;
}

/* Both routes; the net with the smaller validation error stays.  Only least squares keeps a
 * checkpoint: on as little data as this the gradient takes seconds. */
static bool train_both(struct run_state *run, struct train_result *result, struct error *err)
{
    double of_lsq = 0;
    double of_gradient = 0;
    if (!train_lsq(run, result, err)) {
        return false;
    }
    struct model model = *run->model;
    struct fixed fixed = run->fixed;
    struct train_options quiet = *run->options;
    quiet.checkpoint = NULL;
    run->session.options = &quiet;
    bool good = integer_loss(run, &of_lsq) || fail_memory(err);
    good = good && set_shape(run, &run->topology, err) && train_gradient(run, result, err) &&
           (integer_loss(run, &of_gradient) || fail_memory(err));
    run->session.options = run->options;
    if (good && of_lsq <= of_gradient) {
        *run->model = model;
        run->fixed = fixed;
        result->method = "least squares";
    }
    return good;
}

static bool choose_topology(struct run_state *run, struct error *err)
{
    const struct problem *p = run->problem;
    const struct train_options *o = run->options;
    if (is_auto(o)) {
        struct topology largest = largest_candidate(run);
        run->method = choose_method(run, &largest);
        return choose_shape(run, err);
    }
    struct topology topology;
    if (!topology_parse(o->topology, p->inputs, p->outputs, &topology, err)) {
        return false;
    }
    run->method = choose_method(run, &topology);
    return set_shape(run, &topology, err);
}

static bool train_by(struct run_state *run, struct train_result *result, struct error *err)
{
    switch (run->method) {
    case METHOD_AUTO: return train_both(run, result, err);
    case METHOD_LSQ: return train_lsq(run, result, err);
    case METHOD_QAT: return train_gradient(run, result, err);
    }
    return false;
}

static struct net *train_by_method(struct run_state *run, struct train_result *result,
                                   struct error *err)
{
    const struct problem *p = run->problem;
    struct row_choice test = {p->rows[PART_TEST], p->counts[PART_TEST]};
    if (!choose_options(run, err) || !choose_topology(run, err) || !train_by(run, result, err)) {
        return NULL;
    }
    if (!float_figures(p, run->model, test, result->arena, &result->float_test)) {
        fail_memory(err);
        return NULL;
    }
    return problem_net(p, &run->fixed, run->options, result->method, err);
}

static void float_net_free(struct float_net *kept)
{
    if (kept) {
        problem_free(&kept->problem);
        arena_free(kept->arena);
        free(kept);
    }
}

static struct float_net *float_net_new(void)
{
    struct float_net *kept = calloc(1, sizeof *kept);
    if (kept) {
        kept->arena = arena_new();
    }
    if (kept && !kept->arena) {
        free(kept);
        kept = NULL;
    }
    return kept;
}

struct net *train_net(const struct dataset *data, const struct train_options *options,
                      struct train_result *result, struct error *err)
{
    *result = (struct train_result){.arena = arena_new(), .float_net = float_net_new()};
    struct run_state run = {.options = options, .kept = result->float_net};
    run.session = session_new(options, identity_of(options, data));
    run.pool = pool_new(options->threads);
    struct net *net = NULL;
    if (!run.kept || !result->arena || !run.pool) {
        fail_memory(err);
    } else {
        run.problem = &run.kept->problem;
        run.model = &run.kept->model;
        run.arena = run.kept->arena;
        if (problem_new(run.problem, data, options, err)) {
            net = train_by_method(&run, result, err);
        }
    }
    result->stopped = run.session.stopped;
    pool_free(run.pool);
    return net;
}

void train_result_free(struct train_result *result)
{
    float_net_free(result->float_net);
    arena_free(result->arena);
    *result = (struct train_result){0};
}

bool train_float_figures(const struct train_result *result, const struct dataset *data,
                         struct arena *arena, struct figures *figures)
{
    struct problem problem = result->float_net->problem; /* the same units, other rows */
    problem.data = data;
    return float_figures(&problem, &result->float_net->model,
                         (struct row_choice){NULL, data->row_count}, arena, figures);
}
