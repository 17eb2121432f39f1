/* fit_costs NAME...: measure kernels on targets and write targets/NAME.costs anew, for each NAME of
 * a target whose costs are its own.
 *
 * Every kernel that the file names is measured on the same random nets, forced wherever its proof
 * allows; bytes and time are then fitted as sums of rates times features (emit/machine.h), none
 * below zero, by least squares of the relative error.  The file's comments say how well they fit.
 */
#include "base/file.h"
#include "base/rng.h"
#include "emit/kernel.h"
#include "measure/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBES     24
#define SEEDS      400 /* nets that are asked whether the kernel may compute them */
#define WIDTH_MAX  24
#define LAYERS_MAX 3
#define VECTORS    8
#define SWEEPS     20000

/* The machine that is built in. */
#define DEFAULT      "cortex-m0"
#define DEFAULT_FILE "src/emit/default_costs.def"

/* One net in one kernel: features, and what was measured. */
struct probe {
    double features[FEATURE_COUNT];
    double bytes;
    double time;
};

static void stop(const struct error *err)
{
    (void)fprintf(stderr, "fit_costs: %s\n", err->message);
    exit(1);
}

/* ---- nets ---- */

static int pick(struct rng *rng, int low, int high)
{
    return low + (int)rng_below(rng, (uint64_t)(high - low + 1));
}

/* About normal: the sum of four uniform numbers. */
static int normal(struct rng *rng, double sigma)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += rng_uniform(rng, -1, 1);
    }
    double value = sum * sigma * sqrt(0.75);
    return (int)floor(fmax(-127, fmin(127, value)) + 0.5);
}

/* What weights a layer has, so that features do not always come in the same parts. */
enum style { STYLE_NORMAL, STYLE_SPARSE, STYLE_TERNARY, STYLE_POWERS, STYLE_NIBBLES, STYLES };

static const int style_bits[STYLES] = {8, 8, 2, 8, 4};

static int style_weight(struct rng *rng, enum style style, double sigma)
{
    int sign = pick(rng, 0, 1) ? 1 : -1;
    switch (style) {
    case STYLE_SPARSE: return pick(rng, 0, 1) ? normal(rng, sigma) : 0;
    case STYLE_TERNARY: return pick(rng, -1, 1);
    case STYLE_POWERS: return sign * (1 << pick(rng, 0, 5));
    case STYLE_NIBBLES: return pick(rng, -7, 7);
    case STYLE_NORMAL:
    case STYLES: break;
    }
    return normal(rng, sigma);
}

/* Weights of a row; narrow ones so small that the sums fit half a word. */
static void fill_row(struct rng *rng, int16_t *weights, int columns, enum style style, bool narrow)
{
    int room = narrow ? 240 : 127 * columns;
    double sigma = pick(rng, 2, 40);
    for (int j = 0; j < columns; j++) {
        int weight = style_weight(rng, style, sigma);
        weight = abs(weight) <= room ? weight : 0;
        weights[j] = (int16_t)weight;
        room -= abs(weight);
    }
}

static void add_layer(struct net *net, struct rng *rng, enum style style, int rows, bool last)
{
    static int16_t weights[WIDTH_MAX * WIDTH_MAX];
    int32_t bias[WIDTH_MAX];
    uint8_t shift[WIDTH_MAX];
    bool narrow = net->tensors[0].type == TYPE_I8;
    bool rows_differ = pick(rng, 0, 2) == 0;
    int from = net->tensor_count - 1;
    int columns = net->tensors[from].width;
    for (int i = 0; i < rows; i++) {
        fill_row(rng, weights + i * columns, columns, style, narrow);
        shift[i] = (uint8_t)((narrow ? 7 : 9) + (rows_differ ? pick(rng, 0, 1) : 0));
        bias[i] = pick(rng, -300, 300) + (1 << (shift[i] - 1));
    }
    struct layer layer = {.op = OP_DENSE,
                          .inputs = {from},
                          .input_count = 1,
                          .output = net_add_tensor(net, net->tensors[0].type, rows),
                          .activation = last ? ACTIVATION_NONE : ACTIVATION_RELU,
                          .weights = {style_bits[style], rows, columns, weights, false},
                          .bias = bias,
                          .shift = shift};
    if (!net_add_layer(net, &layer)) {
        exit(1);
    }
}

static struct net *probe_net(uint64_t seed)
{
    struct rng rng = rng_new(seed, 1);
    struct channel channels[WIDTH_MAX];
    struct net *net = net_new("probe");
    struct error err = {0};
    if (!net) {
        exit(1);
    }
    for (int i = 0; i < WIDTH_MAX; i++) {
        channels[i] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}};
    }
    net->input = net_add_tensor(net, seed % 2 ? TYPE_I8 : TYPE_I16, pick(&rng, 2, WIDTH_MAX));
    int layers = pick(&rng, 1, LAYERS_MAX);
    for (int i = 0; i < layers; i++) {
        add_layer(net, &rng, (enum style)(seed / 2 % STYLES), 2 * pick(&rng, 1, WIDTH_MAX / 2),
                  i + 1 == layers);
    }
    net->output = net->tensor_count - 1;
    if (!net_set_channels(net, channels, channels) || !net_check(net, "probe", &err)) {
        stop(&err);
    }
    return net;
}

/* ---- measuring ---- */

/* May most elements of a layer's output differ?  Compilers leave away what computes the others. */
static bool is_alive(const struct plan *plan, int layer)
{
    int tensor = plan->net->layers[layer].output;
    int width = plan->net->tensors[tensor].width;
    int alive = 0;
    for (int i = 0; i < width; i++) {
        alive += plan->ranges[tensor][i].low < plan->ranges[tensor][i].high;
    }
    return 4 * alive >= 3 * width;
}

/* Sum of the features of all layers; false where another kernel computes a row, or where hardly
 * anything is to be computed. */
static bool sum_features(const struct net *net, const struct emit_options *options,
                         const struct kernel *kernel, struct probe *probe)
{
    struct plan *plan = plan_new(net, options);
    bool all = plan != NULL;
    for (int i = 0; all && i < net->layer_count; i++) {
        struct features features = {{0}};
        all = is_alive(plan, i);
        all = all && (plan_kernel(plan, i) == kernel ||
                      (plan_choice(plan, i)->span_count > 0 &&
                       plan_rows_of(plan, i, kernel) == net->layers[i].weights.rows));
        for (int k = 0; all && k < plan_choice(plan, i)->span_count; k++) {
            memset(&features, 0, sizeof features);
            kernel->count(plan, i, &plan_choice(plan, i)->spans[k], &features);
            for (int f = 0; f < FEATURE_COUNT; f++) {
                probe->features[f] += (double)features.count[f];
            }
        }
    }
    plan_free(plan);
    return all;
}

static double time_of(const struct cost *cost, const char *unit)
{
    if (strcmp(unit, "cycles") == 0) {
        return (double)cost->cycles;
    }
    return strcmp(unit, "instructions") == 0 ? (double)cost->instructions : cost->nanoseconds;
}

/* False where the kernel may not compute this net, or the target has no room for it. */
static bool measure_probe(const struct target *target, const struct kernel *kernel, uint64_t seed,
                          struct probe *probe)
{
    struct error err = {0};
    struct cost cost;
    struct net *net = probe_net(seed);
    struct emit_options emitting = {.optimise = OPTIMISE_SPEED,
                                    .kernel = kernel_name(kernel->kind),
                                    .machine = target->machine};
    struct measure_options options = {
        .optimise = OPTIMISE_SPEED, .kernel = emitting.kernel, .count = VECTORS};
    *probe = (struct probe){.bytes = 0};
    bool fits = sum_features(net, &emitting, kernel, probe);
    bool measured = fits && measure_net(net, target, &options, &cost, &err);
    bool large = fits && !measured && strstr(err.message, "does not link");
    if (fits && !large && (!measured || cost.mismatches != 0)) {
        (void)fprintf(stderr, "seed %llu, %s: %s\n", (unsigned long long)seed, emitting.kernel,
                      err.message);
        exit(1);
    }
    fits = measured;
    if (fits) {
        probe->bytes = (double)(cost.flash_code + cost.flash_const);
        probe->time = time_of(&cost, target->machine->unit);
    }
    net_free(net);
    return fits && probe->bytes > 0 && probe->time > 0;
}

/* ---- fitting ---- */

static double figure(const struct probe *probe, bool time)
{
    return time ? probe->time : probe->bytes;
}

static double estimate(const struct probe *probe, const double *rates)
{
    double sum = 0;
    for (int f = 0; f < FEATURE_COUNT; f++) {
        sum += probe->features[f] * rates[f];
    }
    return sum;
}

/* The best rate of one feature while the others stay. */
static double best_rate(const struct probe *probes, int count, bool time, const double *rates,
                        int feature)
{
    double top = 0;
    double bottom = 1e-12;
    for (int i = 0; i < count; i++) {
        double value = figure(&probes[i], time);
        double x = probes[i].features[feature] / value;
        double rest = 1 - estimate(&probes[i], rates) / value + x * rates[feature];
        top += x * rest;
        bottom += x * x;
    }
    return top > 0 ? top / bottom : 0;
}

/* Least squares of the relative error, rates not below zero: one after the other, many times.  A
 * byte of a table is a byte, and takes no time. */
static void fit(const struct probe *probes, int count, bool time, double *rates)
{
    for (int f = 0; f < FEATURE_COUNT; f++) {
        rates[f] = f == FEATURE_BYTE && !time ? 1 : 0;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int f = 0; f < FEATURE_COUNT; f++) {
            rates[f] = f == FEATURE_BYTE ? rates[f] : best_rate(probes, count, time, rates, f);
        }
    }
    for (int f = 0; f < FEATURE_COUNT; f++) {
        double scale =
            rates[f] < 100 ? 100 : 1; /* what %g prints, so that all files say the same */
        rates[f] = floor(rates[f] * scale + 0.5) / scale;
    }
}

/* Mean error in percent. */
static double error_of(const struct probe *probes, int count, bool time, const double *rates)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        sum += fabs(estimate(&probes[i], rates) / figure(&probes[i], time) - 1);
    }
    return count ? 100 * sum / count : 0;
}

/* A name in capitals, as C enumerators have it. */
static void add_capitals(struct text *out, const char *name)
{
    for (; *name; name++) {
        char letter[2] = {*name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name, 0};
        text_add(out, letter);
    }
}

/* The rates as rows of default_costs.def. */
static void print_rates(struct text *out, const char *name, const double *bytes,
                        const double *times)
{
    text_add(out, "HAS(");
    add_capitals(out, name);
    text_add(out, ")\n");
    for (int f = 0; f < FEATURE_COUNT; f++) {
        if (bytes[f] > 0 || times[f] > 0) {
            text_add(out, "RATE(");
            add_capitals(out, name);
            text_add(out, ", ");
            add_capitals(out, feature_name((enum feature)f));
            text_printf(out, ", %.0f, %.0f)\n", bytes[f] * 100, times[f] * 100);
        }
    }
}

static void fit_kernel(const struct target *target, const struct kernel *kernel, struct text *out,
                       struct text *rates)
{
    struct probe probes[PROBES];
    double bytes[FEATURE_COUNT], times[FEATURE_COUNT];
    int count = 0;
    for (uint64_t seed = 0; seed < SEEDS && count < PROBES; seed++) {
        count += measure_probe(target, kernel, seed, &probes[count]);
    }
    if (count < PROBES) {
        (void)fprintf(stderr, "fit_costs: %s may compute only %d nets\n", kernel_name(kernel->kind),
                      count);
        exit(1);
    }
    fit(probes, count, false, bytes);
    fit(probes, count, true, times);
    text_printf(out, "# %s: %d nets, bytes within %.0f %%, time within %.0f %% (mean)\n",
                kernel_name(kernel->kind), count, error_of(probes, count, false, bytes),
                error_of(probes, count, true, times));
    text_printf(out, "%s", kernel_name(kernel->kind));
    for (int f = 0; f < FEATURE_COUNT; f++) {
        if (bytes[f] > 0 || times[f] > 0) {
            text_printf(out, "  %s %g %g", feature_name((enum feature)f), bytes[f], times[f]);
        }
    }
    text_add(out, "\n");
    print_rates(rates, kernel_name(kernel->kind), bytes, times);
}

/* ---- files ---- */

static void fit_target(const char *name)
{
    struct error err = {0};
    struct text out = {0};
    struct text rates = {0};
    char path[300];
    struct target *target = target_load(name, &err);
    if (!target || !target->machine || strcmp(target->costs, name) != 0) {
        fail(&err, "%s has no costs of its own", name);
        stop(&err);
    }
    text_add(&rates,
             "/* What kernels cost where no target is named: a Cortex-M0.  Written by `make "
             "costs`.\n *\n * HAS(kernel) RATE(kernel, feature, hundredths of a byte, "
             "hundredths of a cycle) */\n");
    text_printf(&out,
                "# What kernels cost on %s: KERNEL, then FEATURE BYTES TIME ... (emit/machine.h).\n"
                "# Written by `make costs`.\nunit %s\nword %d\n%s%s%s",
                target->title, target->machine->unit, target->machine->word,
                target->machine->no_multiplier ? "multiply no\n" : "",
                target->machine->lanes ? "lanes yes\n" : "",
                target->machine->wide ? "activations wide\n" : "");
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (target->machine->has[k]) {
            fit_kernel(target, kernel_at((enum kernel_kind)k), &out, &rates);
        }
    }
    (void)snprintf(path, sizeof path, "targets/%s.costs", name);
    if (out.failed || rates.failed || !file_write(path, out.data, out.length, &err)) {
        stop(&err);
    }
    if (strcmp(name, DEFAULT) == 0 && !file_write(DEFAULT_FILE, rates.data, rates.length, &err)) {
        stop(&err);
    }
    (void)printf("%s\n%s", path, out.data);
    text_free(&rates);
    text_free(&out);
    target_free(target);
}

int main(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        fit_target(words[i]);
    }
    return 0;
}
