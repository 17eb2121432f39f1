#include "train/gradient_epoch.h"

#include <string.h>

#define WARM_UP     0.03
#define SHUFFLING   UINT64_C(1000) /* stream of epoch 0's shuffle; the next epochs follow */
#define STEPS_LEARN 0.3            /* part of the integer phase in which scales are learned */
#define STEPS_RATE  0.05           /* of log2 of a step */

/* cos(pi t), t in 0..1, as sin(pi/2 - pi t) by its Taylor series to x^17: error below 1e-12. */
static double cosine(double t)
{
    double x = 3.14159265358979324 * (0.5 - t);
    double term = x;
    double sum = x;
    for (int i = 2; i <= 16; i += 2) {
        term *= -x * x / (double)(i * (i + 1));
        sum += term;
    }
    return sum;
}

double gradient_schedule(double t)
{
    if (t < WARM_UP) {
        return (t + 1e-3) / (WARM_UP + 1e-3);
    }
    return 0.5 * (1 + cosine((t - WARM_UP) / (1 - WARM_UP)));
}

/* Share of the weights that is frozen at time t of the integer phase. */
static double frozen_share(double t)
{
    static const double stages[][2] = {{0.9, 1.0}, {0.8, 0.95}, {0.7, 0.85},
                                       {0.6, 0.7}, {0.5, 0.5},  {0.4, 0.25}};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (t >= stages[i][0]) {
            return stages[i][1];
        }
    }
    return 0;
}

static double phase_time(const struct gradient *g, double epoch)
{
    const struct gradient_settings *s = &g->settings;
    return g->integer ? (epoch - g->state.crossing) / s->integer_epochs : epoch / g->state.crossing;
}

static void train_epoch(struct gradient_run *run)
{
    struct gradient *g = &run->net;
    size_t count = run->training->count;
    for (size_t i = 0; i < count; i++) {
        run->order[i] = (uint32_t)i;
    }
    struct rng rng = rng_new(g->settings.seed, SHUFFLING + g->state.epoch);
    rng_shuffle(&rng, run->order, count);
    double top = g->integer ? g->settings.integer_rate : g->settings.rate;
    for (size_t at = 0; at < count; at += (size_t)g->settings.batch) {
        size_t left = count - at;
        size_t size = left < (size_t)g->settings.batch ? left : (size_t)g->settings.batch;
        double t = phase_time(g, g->state.epoch + (double)at / (double)count);
        double share = gradient_schedule(t);
        if (g->integer && t < STEPS_LEARN) {
            g->step_rate = STEPS_RATE * (1 - t / STEPS_LEARN);
        }
        gradient_step(g, run->training, run->order + at, size, top * share);
        g->step_rate = 0;
    }
    g->state.epoch++;
}

bool gradient_better(struct gradient_score left, struct gradient_score right)
{
    return left.loss < right.loss || (right.loss != right.loss && left.loss == left.loss);
}

/* Keep the parameters if they score better than any before in this phase. */
static void keep_best(struct gradient_run *run)
{
    struct gradient_state *s = &run->net.state;
    struct gradient_score score = gradient_evaluate(&run->net, run->validation);
    struct gradient_score best = {.loss = s->best_score};
    if (s->has_best && !gradient_better(score, best)) {
        return;
    }
    s->has_best = 1;
    s->best_score = score.loss;
    memcpy(s->best, s->parameters, run->net.count * sizeof *s->best);
    memcpy(s->best_scale, s->scale, run->net.rows * sizeof *s->best_scale);
}

static void use_best(struct gradient *g)
{
    struct gradient_state *s = &g->state;
    if (s->has_best) {
        memcpy(s->parameters, s->best, g->count * sizeof *s->best);
        memcpy(s->scale, s->best_scale, g->rows * sizeof *s->best_scale);
    }
}

static void cross_over(struct gradient_run *run)
{
    struct gradient *g = &run->net;
    use_best(g);
    qat_begin(g, run->training);
}

void gradient_epochs(struct gradient_run *run)
{
    struct gradient *g = &run->net;
    while (g->state.epoch < run->until) {
        if (g->state.epoch >= g->state.crossing && !g->integer) {
            cross_over(run);
        }
        if (g->integer) {
            qat_freeze(g, frozen_share(phase_time(g, g->state.epoch)));
        }
        train_epoch(run);
        keep_best(run);
    }
}

void gradient_finish(struct gradient_run *run)
{
    struct gradient *g = &run->net;
    if (!g->integer) {
        cross_over(run);
    } else {
        use_best(g);
        qat_integer(g);
    }
    run->score = gradient_evaluate(g, run->validation);
    qat_fixed(g, run->fixed);
    qat_reals(g);
    run->float_score = gradient_evaluate(g, run->validation);
}
