#include "report/calibrate.h"

#include "report/run_images.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS    40 /* of the bisection */
#define FINEST   (-40.0)
#define COARSEST 10.0 /* the step lies in 2^FINEST .. 2^COARSEST */
#define TERMS    18
#define LOG2_E   1.44269504088896340736
#define LN_2     0.69314718055994530942

/* Codes of the outputs on the validation part. */
struct outputs {
    const struct images *images;
    struct row_set rows;
    int classes;
    int32_t *codes; /* rows.count x classes */
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

static void take_row(void *context, size_t row, const int32_t *out)
{
    const struct outputs *o = context;
    size_t classes = (size_t)o->classes;
    memcpy(o->codes + row * classes, out, classes * sizeof *out);
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
    double doubt = 1 / (double)(o->rows.count + 2);
    for (size_t i = 0; i < o->rows.count; i++) {
        sum += slope_of(o->codes + i * (size_t)o->classes, o->classes,
                        o->images->labels[image_of(o->rows, i)], step, doubt);
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

bool calibrate_outputs(struct net *net, const struct images *images, uint64_t seed, int threads)
{
    struct outputs o = {.images = images, .classes = net->tensors[net->output].width};
    uint32_t *index = images_part(images, seed, PART_VALIDATION, &o.rows.count);
    o.rows.index = index;
    o.codes = calloc(o.rows.count + 1, (size_t)o.classes * sizeof *o.codes);
    const struct image_job job = {net, {images, o.rows, threads}, take_row, &o};
    bool good = index && o.codes && run_images(&job);
    if (good && o.rows.count > 0) {
        good = set_step(net, best_step(&o));
    }
    free(index);
    free(o.codes);
    return good;
}
