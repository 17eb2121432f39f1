#include "report/calibrate.h"

#include "base/pool.h"
#include "run/run.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK    64 /* images of one job */
#define STEPS    40 /* of the bisection */
#define FINEST   (-40.0)
#define COARSEST 10.0 /* the step lies in 2^FINEST .. 2^COARSEST */
#define TERMS    18
#define LOG2_E   1.44269504088896340736
#define LN_2     0.69314718055994530942

/* Codes of the outputs on the validation part. */
struct outputs {
    const struct net *net;
    const struct images *images;
    uint32_t *rows; /* indices of images */
    size_t count;
    int classes;
    int32_t *codes; /* count x classes */
    _Atomic bool failed;
};

double falling_exp(double x)
{
    if (x < -700) {
        return 0;
    }
    int power = (int)(x * LOG2_E - 0.5);
    double rest = x - power * LN_2;
    double sum = 1;
    for (int k = TERMS; k > 0; k--) {
        sum = 1 + sum * rest / k;
    }
    return ldexp(sum, power);
}

/* ---- outputs of all images ---- */

static void run_chunk(void *context, int chunk)
{
    struct outputs *o = context;
    size_t size = images_size(o->images);
    struct run *run = run_new(o->net);
    int32_t *in = calloc(size, sizeof *in);
    size_t first = (size_t)chunk * CHUNK;
    if (!run || !in) {
        o->failed = true;
    }
    for (size_t i = first; run && in && i < first + CHUNK && i < o->count; i++) {
        const uint8_t *pixels = images_pixels(o->images, o->rows[i]);
        for (size_t k = 0; k < size; k++) {
            in[k] = pixels[k];
        }
        run_predict(run, in, o->codes + i * (size_t)o->classes);
    }
    free(in);
    run_free(run);
}

/* ---- the best step ---- */

/* Slope of the cross-entropy of one image with respect to the step, times the number of classes;
 * the label is right with 1 - doubt. */
static double slope_of(const int32_t *codes, int classes, int label, double step, double doubt)
{
    double most = codes[0];
    double weights = 0;
    double mean = 0;
    double others = 0;
    for (int c = 1; c < classes; c++) {
        most = codes[c] > most ? codes[c] : most;
    }
    for (int c = 0; c < classes; c++) {
        double weight = falling_exp(step * (codes[c] - most));
        weights += weight;
        mean += weight * codes[c];
        others += c == label ? 0 : codes[c];
    }
    return mean / weights - (1 - doubt) * codes[label] - doubt * others / (classes - 1);
}

/* Positive where a smaller step is better. */
static double slope(const struct outputs *o, double step)
{
    double sum = 0;
    double doubt = 1 / (double)(o->count + 2);
    for (size_t i = 0; i < o->count; i++) {
        sum += slope_of(o->codes + i * (size_t)o->classes, o->classes,
                        o->images->labels[o->rows[i]], step, doubt);
    }
    return sum;
}

/* 2^x, by square roots of 2. */
static double power_of_two(double x)
{
    double whole = floor(x);
    double value = ldexp(1, (int)whole);
    double root = sqrt(2);
    for (double rest = x - whole; rest > 0; root = sqrt(root)) {
        rest *= 2;
        if (rest >= 1) {
            rest -= 1;
            value *= root;
        }
    }
    return value;
}

static double best_step(const struct outputs *o)
{
    double low = FINEST;
    double high = COARSEST;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (slope(o, power_of_two(middle)) > 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return power_of_two(low);
}

static bool set_step(struct net *net, double step)
{
    size_t count = (size_t)net->tensors[net->output].shape.channels;
    struct channel *outputs = calloc(count, sizeof *outputs);
    for (size_t i = 0; outputs && i < count; i++) {
        outputs[i] = net->outputs[i];
        outputs[i].lsb = decimal_round(step, 3);
        outputs[i].offset = (struct decimal){0, 0};
    }
    bool good = outputs && net_set_channels(net, net->inputs, outputs);
    free(outputs);
    return good;
}

static bool start(struct outputs *o, uint64_t seed)
{
    size_t images = (size_t)o->images->count;
    o->rows = malloc(images * sizeof *o->rows);
    for (size_t i = 0; o->rows && i < images; i++) {
        if (data_part(seed, i) == PART_VALIDATION) {
            o->rows[o->count++] = (uint32_t)i;
        }
    }
    o->codes = calloc(o->count + 1, (size_t)o->classes * sizeof *o->codes);
    return o->rows && o->codes;
}

bool calibrate_outputs(struct net *net, const struct images *images, uint64_t seed, int threads)
{
    struct outputs o = {.net = net, .images = images, .classes = net->tensors[net->output].width};
    struct pool *pool = pool_new(threads);
    bool good = pool && start(&o, seed);
    if (good && o.count > 0) {
        pool_run(pool, (int)((o.count + CHUNK - 1) / CHUNK), run_chunk, &o);
        good = !o.failed && set_step(net, best_step(&o));
    }
    pool_free(pool);
    free(o.rows);
    free(o.codes);
    return good;
}
