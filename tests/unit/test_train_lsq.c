/* The least-squares route: derivatives against finite differences, the kernels' bits, rounding with
 * compensation, and the integer chain against the reference interpreter. */
#include "base/cholesky.h"
#include "quant/compensate.h"
#include "run/run.h"
#include "train/damped.h"
#include "train/problem.h"
#include "train/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct topology shape = {.layer_count = 3, .widths = {5, 7, 6, 3}};

static struct model random_model(struct arena *arena, enum activation activation, uint64_t seed)
{
    struct model model;
    struct rng rng = rng_new(seed, 1);
    assert_true(model_new(&model, arena, &shape, activation, true));
    for (size_t i = 0; i < model.count; i++) {
        model.parameter[i] = rng_uniform(&rng, -0.6, 0.6);
    }
    return model;
}

static struct sample_set random_samples(struct arena *arena, size_t count, uint64_t seed)
{
    struct rng rng = rng_new(seed, 2);
    struct sample_set samples = {.count = count};
    samples.x = arena_alloc(arena, count * 5, sizeof *samples.x);
    samples.t = arena_alloc(arena, count * 3, sizeof *samples.t);
    assert_true(samples.x && samples.t);
    for (size_t i = 0; i < count * 5; i++) {
        samples.x[i] = floor(rng_uniform(&rng, -32768, 32768)) / 32768;
    }
    for (size_t i = 0; i < count * 3; i++) {
        samples.t[i] = rng_uniform(&rng, -1, 1);
    }
    return samples;
}

static const double weight[3] = {1, 0.5, 2};

static struct normal new_normal(struct arena *arena, const struct model *model, const char *isa)
{
    struct normal normal = {0};
    struct error err = {0};
    assert_true(normal_new(&normal, arena, model, isa, &err));
    normal.weight = weight;
    return normal;
}

/* Half the gradient of the loss is J^T r. */
static void gradient_agrees(enum activation activation)
{
    struct arena *arena = arena_new();
    struct model model = random_model(arena, activation, 7);
    struct sample_set samples = random_samples(arena, 50, 8);
    struct normal normal = new_normal(arena, &model, NULL);
    normal_sum(&normal, &model, &samples);
    for (size_t i = 0; i < model.count; i++) {
        double kept = model.parameter[i];
        double h = 1e-6;
        model.parameter[i] = kept + h;
        double above = normal_loss(&normal, &model, &samples);
        model.parameter[i] = kept - h;
        double below = normal_loss(&normal, &model, &samples);
        model.parameter[i] = kept;
        double slope = normal.matrix[i * normal.stride + normal.count];
        assert_true(fabs((above - below) / (4 * h) - slope) < 1e-5 * (1 + fabs(slope)));
    }
    arena_free(arena);
}

static void test_gradient(void **state)
{
    (void)state;
    gradient_agrees(ACTIVATION_CUBIC);
    gradient_agrees(ACTIVATION_PSIG);
    gradient_agrees(ACTIVATION_RELU);
    gradient_agrees(ACTIVATION_ABS);
    gradient_agrees(ACTIVATION_LEAKY);
    gradient_agrees(ACTIVATION_CLIP);
    gradient_agrees(ACTIVATION_NONE);
}

/* Each slope against a central difference, away from the kinks. */
static void test_slopes(void **state)
{
    (void)state;
    for (int a = ACTIVATION_NONE; a <= ACTIVATION_CLIP; a++) {
        for (double z = -1.475; z < 1.5; z += 0.05) {
            double slope;
            double h = 1e-6;
            (void)model_activate((enum activation)a, z, &slope);
            double above = model_activate((enum activation)a, z + h, NULL);
            double below = model_activate((enum activation)a, z - h, NULL);
            assert_true(fabs((above - below) / (2 * h) - slope) < 1e-6);
        }
    }
}

/* J^T J by finite differences of the outputs, one sample at a time. */
static void test_matrix(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct model model = random_model(arena, ACTIVATION_CUBIC, 3);
    struct sample_set samples = random_samples(arena, 60, 4);
    struct normal normal = new_normal(arena, &model, NULL);
    size_t n = model.count;
    double *j = arena_alloc(arena, n * 3, sizeof *j);
    double *sum = arena_alloc(arena, n * n, sizeof *sum);
    double scratch[64];
    assert_true(j && sum && model_scratch(&model) <= 64);
    for (size_t s = 0; s < samples.count; s++) {
        for (size_t i = 0; i < n; i++) {
            double above[3], below[3], kept = model.parameter[i];
            model.parameter[i] = kept + 1e-6;
            model_forward(&model, samples.x + s * 5, above, scratch);
            model.parameter[i] = kept - 1e-6;
            model_forward(&model, samples.x + s * 5, below, scratch);
            model.parameter[i] = kept;
            for (size_t o = 0; o < 3; o++) {
                j[o * n + i] = weight[o] * (above[o] - below[o]) / 2e-6;
            }
        }
        for (size_t e = 0; e < 3 * n * n; e++) {
            size_t o = e / (n * n);
            sum[e % (n * n)] += j[o * n + e / n % n] * j[o * n + e % n];
        }
    }
    normal_sum(&normal, &model, &samples);
    for (size_t e = 0; e < n * n; e++) {
        if (e / n <= e % n) {
            assert_true(fabs(normal.matrix[e / n * normal.stride + e % n] - sum[e]) < 1e-5);
        }
    }
    arena_free(arena);
}

/* Every instruction set and thread count gives the same bits. */
static void test_bits(void **state)
{
    (void)state;
    static const char *const isas[] = {"scalar", "avx2", "avx512"};
    struct arena *arena = arena_new();
    struct model model = random_model(arena, ACTIVATION_PSIG, 5);
    struct sample_set samples = random_samples(arena, 333, 6);
    struct normal want = new_normal(arena, &model, "scalar");
    normal_sum(&want, &model, &samples);
    for (int i = 0; i < 3; i++) {
        struct normal got = {0};
        struct error err = {0};
        if (!normal_new(&got, arena, &model, isas[i], &err)) {
            continue; /* not on this machine */
        }
        got.weight = weight;
        got.pool = pool_new(i + 1);
        normal_sum(&got, &model, &samples);
        for (size_t row = 0; row <= model.count; row++) {
            assert_memory_equal(got.matrix + row * got.stride + row,
                                want.matrix + row * want.stride + row,
                                (model.count + 1 - row) * sizeof *got.matrix);
        }
        assert_true(normal_loss(&got, &model, &samples) == normal_loss(&want, &model, &samples));
        pool_free(got.pool);
    }
    arena_free(arena);
}

static void random_positive(struct rng *rng, size_t n, double *a)
{
    double factor[20 * 20];
    for (size_t i = 0; i < n * n; i++) {
        factor[i] = rng_uniform(rng, -1, 1);
    }
    for (size_t e = 0; e < n * n; e++) {
        a[e] = e / n == e % n ? 0.1 : 0;
        for (size_t k = 0; k < n; k++) {
            a[e] += factor[k * n + e / n] * factor[k * n + e % n];
        }
    }
}

static void test_cholesky(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        double a[400], u[400], inverse[400], x[20], b[20];
        struct rng rng = rng_new(seed, 3);
        size_t n = 1 + (size_t)(seed % 20);
        random_positive(&rng, n, a);
        memcpy(u, a, sizeof u);
        assert_true(cholesky_factor(u, n, n));
        cholesky_inverse(u, n, n, inverse);
        for (size_t i = 0; i < n; i++) {
            b[i] = rng_uniform(&rng, -1, 1);
            x[i] = b[i];
        }
        cholesky_solve(u, n, n, x);
        for (size_t i = 0; i < n; i++) {
            double product = 0, solution = 0;
            for (size_t k = 0; k < n; k++) {
                product += a[i * n + k] * x[k];
                solution += inverse[i * n + k] * b[k];
            }
            assert_true(fabs(product - b[i]) < 1e-9);
            assert_true(fabs(solution - x[i]) < 1e-8 * (1 + fabs(x[i])));
        }
    }
    double bad[4] = {1, 2, 2, 1};
    assert_false(cholesky_factor(bad, 2, 2));
}

static double quadratic(const double *a, const double *d, size_t n)
{
    double sum = 0;
    for (size_t e = 0; e < n * n; e++) {
        sum += d[e / n] * a[e] * d[e % n];
    }
    return sum;
}

/* On quadratic losses: all on the grid, and in the mean far below rounding to nearest. */
static void test_compensation(void **state)
{
    (void)state;
    double nearest = 0, compensated = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        enum { N = 20 };
        double a[N * N], u[N * N], inverse[N * N], value[N], start[N], step[N], limit[N], d[N];
        bool rounded[N] = {false};
        struct rng rng = rng_new(seed, 4);
        random_positive(&rng, N, a);
        memcpy(u, a, sizeof u);
        assert_true(cholesky_factor(u, N, N));
        cholesky_inverse(u, N, N, inverse);
        for (size_t i = 0; i < N; i++) {
            start[i] = value[i] = rng_uniform(&rng, -3, 3);
            step[i] = i < 4 ? 0 : 0.25;
            limit[i] = 3.5;
            d[i] = i < 4 ? 0 : floor(start[i] * 4 + 0.5) / 4 - start[i];
        }
        nearest += quadratic(a, d, N);
        struct compensation c = {N, N, inverse, value, step, limit, rounded};
        compensate_round(&c, 10);
        compensate_round(&c, 100);
        for (size_t i = 0; i < N; i++) {
            d[i] = value[i] - start[i];
            assert_true(rounded[i] == (i >= 4));
            assert_true(i < 4 || (value[i] * 4 == floor(value[i] * 4) && fabs(value[i]) <= 3.5));
        }
        compensated += quadratic(a, d, N);
    }
    assert_true(compensated < 0.7 * nearest);
}

/* The chain that training evaluates is the program that runs: all codes equal. */
static void chain_agrees(enum activation activation, bool skip, enum type out)
{
    struct arena *arena = arena_new();
    struct model model;
    struct fixed fixed;
    struct rng rng = rng_new((uint64_t)activation * 8 + skip, 9);
    assert_true(model_new(&model, arena, &shape, activation, skip));
    assert_true(fixed_new(&fixed, arena, shape.widths, shape.layer_count, skip));
    for (size_t i = 0; i < model.count; i++) {
        model.parameter[i] = rng_uniform(&rng, -2, 2);
    }
    model_round(&model, 2 + (int)activation, out, &fixed);
    struct channel channels[5];
    for (int i = 0; i < 5; i++) {
        channels[i] = (struct channel){.name = "a", .unit = "", .lsb = {1, 0}};
    }
    struct problem problem = {.inputs = 5,
                              .outputs = 3,
                              .in_type = TYPE_I16,
                              .dense_type = TYPE_I16,
                              .hidden_type = TYPE_I16,
                              .out_type = out,
                              .in_channels = channels,
                              .out_channels = channels,
                              .data = &(struct dataset){.source = "test"}};
    struct error err = {0};
    struct net *net = problem_net(&problem, &fixed, &(struct train_options){0}, "test", &err);
    assert_non_null(net);
    struct run *run = run_new(net);
    int32_t scratch[64];
    assert_true(run && fixed_scratch(&fixed) <= 64);
    for (int n = 0; n < 3000; n++) {
        int16_t x[5];
        int32_t codes[5], want[3], got[3];
        for (int i = 0; i < 5; i++) {
            bool corner = n % 3 == 0;
            bool high = rng_below(&rng, 2);
            x[i] = corner ? (high ? INT16_MAX : INT16_MIN)
                          : (int16_t)((int32_t)rng_below(&rng, 65536) - 32768);
            codes[i] = x[i];
        }
        run_predict(run, codes, want);
        fixed_forward(&fixed, x, got, scratch);
        assert_memory_equal(got, want, sizeof want);
    }
    run_free(run);
    net_free(net);
    arena_free(arena);
}

static void test_chain(void **state)
{
    (void)state;
    for (int a = ACTIVATION_CUBIC; a <= ACTIVATION_CLIP; a++) {
        chain_agrees((enum activation)a, true, TYPE_I16);
        chain_agrees((enum activation)a, false, TYPE_I8);
        chain_agrees((enum activation)a, true, TYPE_I8);
        chain_agrees((enum activation)a, false, TYPE_I32);
    }
}

static void refused(const char *text, const char *message)
{
    struct topology t;
    struct error err = {0};
    assert_false(topology_parse(text, 6, 3, &t, &err));
    assert_string_equal(err.message, message);
}

static void test_topology(void **state)
{
    (void)state;
    struct topology t;
    struct error err = {0};
    assert_true(topology_parse("6-16-3", 6, 3, &t, &err) && t.layer_count == 2);
    assert_true(topology_parse("16-8", 6, 3, &t, &err) && t.layer_count == 3 && t.widths[2] == 8);
    assert_true(topology_parse("12", 6, 3, &t, &err) && t.layer_count == 2);
    assert_true(topology_parse("6-3", 6, 3, &t, &err) && t.layer_count == 1);
    assert_int_equal(topology_parameters(&t), 21);
    refused("6-16-4", "--net 6-16-4: the data has 6 inputs and 3 outputs, so it must be 6-...-3");
    const char *form = "--net '%s': expected widths such as 6-16-16-3 (at most 16 layers of "
                       "1..4096)";
    static const char *const bad[] = {
        "", "6-", "-6", "6--3", "6-0-3", "6-5000-3", "6x16", "1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char message[200];
        const char *gap = strstr(form, "%s");
        (void)strncpy(message, form, sizeof message - 1);
        message[gap - form] = 0;
        (void)strcat(strcat(message, bad[i]), gap + 2);
        refused(bad[i], message);
    }
}

/* Half of the time is over: that ends a phase with a smaller share, not one with a larger. */
static void test_time_shares(void **state)
{
    (void)state;
    volatile int stop = 0;
    struct train_options options = {.seconds = 1000, .stop = &stop};
    struct session session = session_new(&options, 0);
    session.started -= 500;
    assert_false(session_stop(&session, 0.75));
    assert_false(session.stopped);
    assert_true(session_stop(&session, 0.3));
    assert_true(session.stopped);
    assert_false(session_stop(&session, 0.75));
    session.share = 0.3; /* shapes are being tried */
    assert_true(session_stop(&session, 1));
    session.share = 1;
    assert_false(session_interrupted(&session));
    stop = 1;
    assert_true(session_interrupted(&session));
    assert_true(session_stop(&session, 0.75));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slopes),      cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_matrix),      cmocka_unit_test(test_bits),
        cmocka_unit_test(test_cholesky),    cmocka_unit_test(test_compensation),
        cmocka_unit_test(test_chain),       cmocka_unit_test(test_topology),
        cmocka_unit_test(test_time_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
