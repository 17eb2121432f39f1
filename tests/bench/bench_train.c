/* How fast the gradient route trains 6-16-16-6, against the peak of the core it runs on.
 *
 * Peak and training are measured in turns in one process, so that other load and changing clocks
 * hit both; the ratio of a turn is what counts.  A sample costs 2 (3 x 448 - 96) = 2496 floating
 * point operations: forward, weight gradients, and input gradients of all but the first layer.
 * Everything a step does is inside: gathering shuffled rows, forward, loss, backward, Adam, and for
 * QAT the learned steps and the rounding of all weights. */
#include "base/rng.h"
#include "train/gradient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS       25600
#define TURNS      15
#define PEAK_TURNS 200000
#define FLOP       2496.0

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* FLOP/s of bare fused multiply-adds: 12 independent chains of vectors that stay in registers. */
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define CHAIN_START(i) sum##i = SET((float)i);
#define CHAIN_STEP(i)                                                                              \
    sum##i = FMA(sum##i, factor, factor);                                                          \
    __asm__ volatile("" : "+v"(sum##i));
#define CHAIN_STORE(i) STORE(sink, sum##i);
#define PEAK_LOOP(vector, width)                                                                   \
    vector sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7, sum8, sum9, sum10, sum11;               \
    vector factor = SET(0.999F);                                                                   \
    EACH_CHAIN(CHAIN_START)                                                                        \
    double start = now();                                                                          \
    for (int turn = 0; turn < PEAK_TURNS; turn++) {                                                \
        EACH_CHAIN(CHAIN_STEP)                                                                     \
    }                                                                                              \
    double seconds = now() - start;                                                                \
    EACH_CHAIN(CHAIN_STORE)                                                                        \
    return 2.0 * (width)*12 * PEAK_TURNS / seconds

#ifdef __x86_64__
#include <immintrin.h>

static float sink[16];

#define SET   _mm512_set1_ps
#define FMA   _mm512_fmadd_ps
#define STORE _mm512_storeu_ps
__attribute__((target("avx512f"))) static double peak_avx512(void)
{
    PEAK_LOOP(__m512, 16);
}
#undef SET
#undef FMA
#undef STORE

#define SET   _mm256_set1_ps
#define FMA   _mm256_fmadd_ps
#define STORE _mm256_storeu_ps
__attribute__((target("avx2,fma"))) static double peak_avx2(void)
{
    PEAK_LOOP(__m256, 8);
}

static double bench_peak_fma(void)
{
    return __builtin_cpu_supports("avx512f") ? peak_avx512() : peak_avx2();
}
#else
/* Other machines: what the compiler makes of chains in memory; a lower bound of the peak. */
static double bench_peak_fma(void)
{
    float sum[64] = {0};
    double start = now();
    for (int turn = 0; turn < PEAK_TURNS; turn++) {
        for (int i = 0; i < 64; i++) {
            sum[i] = __builtin_fmaf(sum[i], 0.999F, 0.999F);
        }
        __asm__ volatile("" : : "r"(sum) : "memory");
    }
    return 2.0 * 64 * PEAK_TURNS / (now() - start);
}
#endif

static bool make_samples(struct packed *s, struct arena *arena)
{
    struct rng rng = rng_new(1, 1);
    *s = (struct packed){.count = ROWS, .pairs = 3, .target_count = 6};
    s->codes = arena_alloc(arena, ROWS * 3, sizeof *s->codes);
    s->targets = arena_alloc(arena, (size_t)ROWS * 6, sizeof *s->targets);
    if (!s->codes || !s->targets) {
        return false;
    }
    for (size_t i = 0; i < ROWS * 3; i++) {
        s->codes[i] = (int32_t)(uint32_t)rng_bits(&rng);
    }
    for (size_t i = 0; i < (size_t)ROWS * 6; i++) {
        int16_t code = (int16_t)(s->codes[i / 2] & 0xffff);
        s->targets[i] = (float)code * (float)code * 0x1p-31F + (float)rng_uniform(&rng, -0.1, 0.1);
    }
    return true;
}

/* Samples per second of one epoch. */
static double train_rate(struct gradient *g, const struct packed *s, const uint32_t *order,
                         int batch)
{
    double start = now();
    for (size_t at = 0; at + (size_t)batch <= s->count; at += (size_t)batch) {
        gradient_step(g, s, order + at, (size_t)batch, 1e-4);
    }
    return (double)s->count / (now() - start);
}

struct phase {
    const char *name;
    bool integer;
    double step_rate;
};

static void bench_phase(struct gradient *g, const struct packed *s, const uint32_t *order,
                        const struct phase *phase, int batch)
{
    double rates[TURNS];
    double shares[TURNS];
    double peaks[TURNS];
    g->step_rate = phase->step_rate;
    for (int i = 0; i < TURNS; i++) {
        peaks[i] = bench_peak_fma();
        rates[i] = train_rate(g, s, order, batch);
        double after = bench_peak_fma();
        peaks[i] = after > peaks[i] ? after : peaks[i];
        shares[i] = 100 * rates[i] * FLOP / peaks[i];
    }
    double rate = median(rates, TURNS);
    double share = median(shares, TURNS);
    printf(
        "%-7s %-22s %5d %8.2f M/s (best %6.2f) %7.1f GFLOP/s %6.1f %% of peak (best %5.1f), peak "
        "%.0f\n",
        g->kernels->name, phase->name, batch, rate * 1e-6, rates[TURNS - 1] * 1e-6,
        rate * FLOP * 1e-9, share, shares[TURNS - 1], median(peaks, TURNS) * 1e-9);
}

static bool bench_isa(const char *isa, struct error *err)
{
    static const struct phase phases[] = {
        {"float", false, 0}, {"QAT, scales at rest", true, 0}, {"QAT, scales learned", true, 1e-4}};
    static const int batches[] = {32, 256};
    struct arena *arena = arena_new();
    struct gradient_shape shape = {.topology = {.layer_count = 3, .widths = {6, 16, 16, 6}},
                                   .activation = ACTIVATION_CUBIC,
                                   .loss = LOSS_MSE,
                                   .weight_bits = 8,
                                   .out_type = TYPE_I16};
    struct gradient g = {.kernels = kernels_pick(isa, err), .settings = {.batch = 256}};
    struct packed samples;
    uint32_t *order = arena ? arena_alloc(arena, ROWS, sizeof *order) : NULL;
    if (!g.kernels || !order || !make_samples(&samples, arena) ||
        !gradient_new(&g, arena, &shape, &samples, NULL)) {
        arena_free(arena);
        return fail_memory(err);
    }
    struct rng rng = rng_new(1, 2);
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    rng_shuffle(&rng, order, ROWS);
    gradient_init(&g, &samples);
    for (size_t p = 0; p < sizeof phases / sizeof phases[0]; p++) {
        if (phases[p].integer && !g.integer) {
            qat_begin(&g, &samples);
        }
        for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
            bench_phase(&g, &samples, order, &phases[p], batches[b]);
        }
    }
    arena_free(arena);
    return true;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    if (argc > 1) {
        return bench_isa(argv[1], &err) ? 0 : 1;
    }
    bool fine = bench_isa(NULL, &err);
    if (fine && kernels_pick("avx2", &err)) {
        fine = bench_isa("avx2", &err);
    }
    return fine ? 0 : 1;
}
