/* Whole runs of the gradient route: the same bits from every instruction set and number of
 * threads, and from a run that was interrupted and resumed. */
#include "support/unit.h"

#include "base/hash.h"
#include "run/run.h"
#include "support/folder.h"
#include "support/gradient_nets.h"
#include "train/gradient_epoch.h"

#include <inttypes.h>
#include <math.h>

static const int hidden[] = {9, 7, 0};

static struct gradient_shape shape_for(enum activation activation, enum loss loss, bool skip)
{
    return (struct gradient_shape){.activation = activation,
                                   .has_skip = skip,
                                   .loss = loss,
                                   .weight_bits = 6,
                                   .out_type = TYPE_I16,
                                   .classes = loss == LOSS_CROSS_ENTROPY};
}

/* A short run in the memory of `made`. */
static void run_epochs(const struct made *made, struct gradient_run *run, uint32_t until)
{
    run->until = until;
    run->training = &made->packed;
    run->validation = &made->packed;
    run->order = arena_alloc(made->arena, made->packed.count, sizeof *run->order);
    assert_non_null(run->order);
    gradient_epochs(run);
}

static struct gradient_run *new_run(const struct made *made, struct gradient_shape shape,
                                    const char *isa)
{
    struct gradient_run *run = arena_alloc(made->arena, 1, sizeof *run);
    assert_non_null(run);
    made_net(made, &run->net, shape, hidden, isa);
    run->net.settings.float_epochs = 4;
    run->net.settings.integer_epochs = 8;
    run->net.settings.batch = 50;
    run->net.state.crossing = 4;
    run->net.settings.rate = 0.01;
    run->net.settings.integer_rate = 0.01;
    return run;
}

static void save(const struct gradient_run *run, struct text *out)
{
    gradient_save(&run->net, out);
    assert_false(out->failed);
}

/* Rows for the packed kernel. */
static struct gradient_shape packed_shape(struct made *made)
{
    struct gradient_shape shape = shape_for(ACTIVATION_RELU, LOSS_MSE, false);
    made->options.packed = true;
    made->options.in_type = "i8";
    made_problem(made);
    shape.packed = true;
    shape.weight_bits = 8;
    return shape;
}

static void same_runs(const struct made *made, struct gradient_shape shape)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512"};
    struct text expected = {0};
    for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
        struct error err = {0};
        struct text out = {0};
        if (!kernels_pick(isas[i], &err)) {
            print_message("skip: this machine has no %s\n", isas[i]);
            continue;
        }
        struct gradient_run *run = new_run(made, shape, isas[i]);
        run_epochs(made, run, 12);
        save(run, i == 0 ? &expected : &out);
        if (i > 0) {
            assert_int_equal(out.length, expected.length);
            assert_memory_equal(out.data, expected.data, out.length);
        }
        text_free(&out);
    }
    text_free(&expected);
}

static void same_bits(enum activation activation, enum loss loss, bool skip)
{
    struct made made;
    made_new(&made, 5, loss == LOSS_CROSS_ENTROPY ? 1 : 3, loss == LOSS_CROSS_ENTROPY ? 4 : 0, 400);
    same_runs(&made, shape_for(activation, loss, skip));
    made_free(&made);
}

static void test_instruction_sets(void **state)
{
    (void)state;
    struct made made;
    made_new(&made, 5, 3, 0, 400);
    same_runs(&made, packed_shape(&made));
    made_free(&made);
    same_bits(ACTIVATION_CUBIC, LOSS_MSE, true);
    same_bits(ACTIVATION_PSIG, LOSS_HUBER, false);
    same_bits(ACTIVATION_RELU, LOSS_CROSS_ENTROPY, false);
    same_bits(ACTIVATION_ABS, LOSS_LOG, true);
    same_bits(ACTIVATION_LEAKY, LOSS_MSE, false);
    same_bits(ACTIVATION_CLIP, LOSS_CROSS_ENTROPY, true);
}

/* The same bits from every compiler and machine: the hash of a run's state is pinned. */
static void pinned(enum activation activation, enum loss loss, uint64_t expected)
{
    struct made made;
    struct text out = {0};
    made_new(&made, 5, loss == LOSS_CROSS_ENTROPY ? 1 : 3, loss == LOSS_CROSS_ENTROPY ? 4 : 0, 400);
    struct gradient_run *run = new_run(&made, shape_for(activation, loss, true), NULL);
    run_epochs(&made, run, 12);
    save(run, &out);
    uint64_t hash = hash_bytes(HASH_START, out.data, out.length);
    text_free(&out);
    made_free(&made);
    if (hash != expected) {
        fail_msg("state 0x%016" PRIx64 ", pinned 0x%016" PRIx64, hash, expected);
    }
}

static void test_pinned(void **state)
{
    (void)state;
    pinned(ACTIVATION_CUBIC, LOSS_MSE, UINT64_C(0xcf997dd62c931767));
    pinned(ACTIVATION_RELU, LOSS_CROSS_ENTROPY, UINT64_C(0x31cee85df0e07462));
    pinned(ACTIVATION_LEAKY, LOSS_LOG, UINT64_C(0x1f2891b67a93f01a));
}

/* Stopped at any epoch, saved, restored into a fresh net: the rest gives the same state. */
static void resumes(const struct made *made, struct gradient_shape shape)
{
    struct text whole = {0};
    struct gradient_run *run = new_run(made, shape, NULL);
    run_epochs(made, run, 12);
    save(run, &whole);
    for (uint32_t stop = 0; stop <= 12; stop++) {
        struct text half = {0};
        struct text out = {0};
        run = new_run(made, shape, NULL);
        run_epochs(made, run, stop);
        save(run, &half);
        run = new_run(made, shape, NULL);
        struct bytes in = bytes_of(half.data, half.length);
        assert_true(gradient_restore(&run->net, &in));
        assert_int_equal(bytes_left(&in), 0);
        run_epochs(made, run, 12);
        save(run, &out);
        assert_int_equal(out.length, whole.length);
        assert_memory_equal(out.data, whole.data, out.length);
        text_free(&half);
        text_free(&out);
    }
    text_free(&whole);
}

static void test_resume(void **state)
{
    (void)state;
    struct made made;
    made_new(&made, 6, 2, 0, 300);
    resumes(&made, shape_for(ACTIVATION_CUBIC, LOSS_MSE, true));
    resumes(&made, packed_shape(&made));
    made_free(&made);
}

/* Truncated states, and states of another shape, are refused. */
static void test_restore_refuses(void **state)
{
    (void)state;
    struct made made;
    struct text text = {0};
    struct gradient_shape shape = shape_for(ACTIVATION_CUBIC, LOSS_MSE, true);
    made_new(&made, 6, 2, 0, 300);
    struct gradient_run *run = new_run(&made, shape, NULL);
    run_epochs(&made, run, 6);
    save(run, &text);
    for (size_t size = 0; size < text.length; size += 61) {
        struct bytes in = bytes_of(text.data, size);
        assert_false(gradient_restore(&run->net, &in));
    }
    shape.has_skip = false;
    run = new_run(&made, shape, NULL);
    struct bytes in = bytes_of(text.data, text.length);
    assert_false(gradient_restore(&run->net, &in));
    for (int gain = 0; gain <= GRADIENT_GAIN_MAX + 1; gain++) {
        struct text state_text = {0};
        gradient_set_gain(&run->net, gain);
        save(run, &state_text);
        in = bytes_of(state_text.data, state_text.length);
        assert_true(gradient_restore(&run->net, &in) == (gain <= GRADIENT_GAIN_MAX));
        text_free(&state_text);
    }
    text_free(&text);
    made_free(&made);
}

/* ---- the whole route ---- */

static void train_with(const struct made *made, const struct train_options *options, int threads,
                       struct gradient_job *job)
{
    struct error err = {0};
    struct session session = session_new(options, 1);
    struct topology topology = {.layer_count = 2,
                                .widths = {made->problem.inputs, 6, made->problem.outputs}};
    struct model *model = arena_alloc(made->arena, 1, sizeof *model);
    struct fixed *fixed = arena_alloc(made->arena, 1, sizeof *fixed);
    assert_true(model && fixed);
    assert_true(model_new(model, made->arena, &topology, ACTIVATION_RELU, false));
    assert_true(fixed_new(fixed, made->arena, topology.widths, 2, false));
    *job = (struct gradient_job){.problem = &made->problem,
                                 .session = &session,
                                 .pool = pool_new(threads),
                                 .bits = 8,
                                 .model = model,
                                 .fixed = fixed};
    if (!gradient_train(job, &err)) {
        fail_msg("%s", err.message);
    }
    pool_free(job->pool);
}

static void train_whole(const struct made *made, int threads, struct gradient_job *job)
{
    train_with(made, &made->options, threads, job);
}

static void assert_same_results(const struct gradient_job *left, const struct gradient_job *right)
{
    assert_true(left->loss == right->loss && left->float_loss == right->float_loss);
    assert_memory_equal(left->model->parameter, right->model->parameter,
                        left->model->count * sizeof *left->model->parameter);
    for (int i = 0; i < 2; i++) {
        const struct fixed_dense *a = &left->fixed->layers[i];
        const struct fixed_dense *b = &right->fixed->layers[i];
        size_t weights = (size_t)(a->rows * a->columns);
        assert_memory_equal(a->weights, b->weights, weights * sizeof *a->weights);
        assert_memory_equal(a->bias, b->bias, (size_t)a->rows * sizeof *a->bias);
        assert_memory_equal(a->shift, b->shift, (size_t)a->rows);
    }
}

static void test_threads(void **state)
{
    (void)state;
    struct made made;
    struct gradient_job one;
    struct gradient_job three;
    made_new(&made, 4, 1, 3, 400);
    train_whole(&made, 1, &one);
    train_whole(&made, 3, &three);
    assert_same_results(&one, &three);
    made_free(&made);
}

static void stop_now(void *context, double fraction, double eta, const char *stage,
                     const char *detail)
{
    (void)fraction;
    (void)eta;
    (void)stage;
    (void)detail;
    *(int *)context = 1;
}

/* Stopped by the user after the first round, resumed from the file: the same net as without. */
static void test_checkpoint(void **state)
{
    (void)state;
    struct made made;
    struct gradient_job whole;
    struct gradient_job stopped;
    struct gradient_job resumed;
    static int stop;
    made_new(&made, 4, 1, 3, 400);
    train_whole(&made, 2, &whole);
    struct train_options options = made.options;
    options.checkpoint = scratch_path("gradient.state");
    options.stop = &stop;
    options.progress = stop_now;
    options.progress_context = &stop;
    train_with(&made, &options, 2, &stopped);
    assert_true(stopped.loss != whole.loss);
    options = made.options;
    options.checkpoint = scratch_path("gradient.state");
    options.resume = true;
    train_with(&made, &options, 2, &resumed);
    assert_same_results(&whole, &resumed);
    made_free(&made);
}

/* Losses that have no meaning for what is trained. */
static void test_refuses_losses(void **state)
{
    (void)state;
    static const struct {
        enum method method;
        enum loss loss;
        const char *message;
    } cases[] = {
        {METHOD_QAT, LOSS_CROSS_ENTROPY, "--loss cross-entropy is for classes, not for regression"},
        {METHOD_AUTO, LOSS_LOG, "--loss log is for classes, not for regression"},
        {METHOD_LSQ, LOSS_HUBER, "--method lsq has the squared error as its loss"},
    };
    struct made made;
    made_new(&made, 4, 1, 0, 200);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        struct train_result result;
        struct train_options options = {
            .topology = "4-3-1", .method = cases[i].method, .loss = cases[i].loss};
        assert_null(train_net(made.data, &options, &result, &err));
        assert_string_equal(err.message, cases[i].message);
        train_result_free(&result);
    }
    made_free(&made);
}

/* A diverged net loses against any other, also as the first one. */
static void test_better(void **state)
{
    (void)state;
    struct gradient_score good = {.loss = 1};
    struct gradient_score worse = {.loss = 2};
    struct gradient_score lost = {.loss = (double)NAN};
    assert_true(gradient_better(good, worse) && !gradient_better(worse, good));
    assert_true(gradient_better(worse, lost) && !gradient_better(lost, worse));
    assert_false(gradient_better(lost, lost));
}

/* Weights that are no numbers still round to a net that keeps the law of the accumulator. */
static void test_diverged(void **state)
{
    (void)state;
    struct made made;
    struct error err = {0};
    struct fixed fixed;
    made_new(&made, 5, 2, 0, 200);
    struct gradient_run *run = new_run(&made, shape_for(ACTIVATION_CUBIC, LOSS_MSE, true), NULL);
    struct gradient *g = &run->net;
    for (size_t i = 0; i < g->count; i += 3) {
        g->state.parameters[i] = NAN;
    }
    qat_begin(g, &made.packed);
    g->step_rate = 0.1;
    gradient_step(g, &made.packed, NULL, 100, 0.1);
    const struct topology *t = &g->shape.topology;
    assert_true(fixed_new(&fixed, made.arena, t->widths, t->layer_count, true));
    qat_fixed(g, &fixed);
    struct net *net = problem_net(&made.problem, &fixed, &made.options, "gradient", &err);
    if (!net) {
        fail_msg("%s", err.message);
    }
    net_free(net);
    made_free(&made);
}

/* Classes that planes separate are learned, as integers too. */
static void test_learns(void **state)
{
    (void)state;
    struct made made;
    struct gradient_job job;
    made_new(&made, 4, 1, 3, 1500);
    train_whole(&made, 0, &job);
    assert_true(job.wrong * 20 < made.problem.counts[PART_VALIDATION]);
    made_free(&made);
}

/* Integer accuracy on the file that training never saw. */
static void test_thyroid(void **state)
{
    (void)state;
    struct error err = {0};
    struct data_options options = {.outputs = 3};
    struct train_options train = {.topology = "21-16-3", .seed = 1};
    struct train_result result;
    struct dataset *data = data_load("../shared/data/tabular/thyroid.train.csv", &options, &err);
    struct dataset *test = data_load("../shared/data/tabular/thyroid.test.csv", &options, &err);
    if (!data || !test) {
        data_free(data);
        data_free(test);
        skip();
    }
    struct net *net = train_net(data, &train, &result, &err);
    assert_non_null(net);
    struct run *run = run_new(net);
    size_t right = 0;
    for (size_t i = 0; i < test->row_count; i++) {
        const float *row = data_row(test, i);
        int32_t in[21];
        int32_t out[3];
        bool clamped = false;
        for (int j = 0; j < 21; j++) {
            in[j] = channel_encode(&net->inputs[j], net->tensors[net->input].type, (double)row[j],
                                   &clamped);
        }
        run_predict(run, in, out);
        right += run_class(net, out) == (int)row[21];
    }
    assert_true((double)right >= 0.98 * (double)test->row_count);
    run_free(run);
    net_free(net);
    train_result_free(&result);
    data_free(data);
    data_free(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instruction_sets), cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_resume),           cmocka_unit_test(test_restore_refuses),
        cmocka_unit_test(test_threads),          cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_refuses_losses),   cmocka_unit_test(test_better),
        cmocka_unit_test(test_diverged),         cmocka_unit_test(test_learns),
        cmocka_unit_test(test_thyroid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
