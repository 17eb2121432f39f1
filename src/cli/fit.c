#include "cli/fit.h"

#include "base/arena.h"
#include "report/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hidden layers. */
static const char *const hidden[] = {"4",   "6",     "8",     "12",    "16",    "24",
                                     "8-8", "12-12", "16-16", "20-20", "24-24", "32-32"};
enum { SHAPES = sizeof hidden / sizeof hidden[0] };

#define ATTEMPTS 3  /* trained of each kind until one fits */
#define VECTORS  16 /* that a net without training is measured with */
#define SLACK    3  /* per cent by which it may be over the budget: zero weights cost nothing */

/* A kind of net: the options with what it changes. */
struct kind {
    struct train_options how;
    const char *options; /* what it adds to them, as text */
};

#define KINDS 3

struct fit {
    struct fit_job *job;
    const char *shapes[SHAPES]; /* by the number of weights */
    struct kind kinds[KINDS];
    int kind_count;
    double best; /* validation score of job->net: lower is better */
};

/* Weights of a shape: 6-16-16-6 where the hidden layers are 16-16. */
static int64_t weights_of(const char *shape, const struct dataset *data)
{
    char *end = NULL;
    long first = strtol(shape, &end, 10);
    long last = *end == '-' ? strtol(end + 1, NULL, 10) : 0;
    int64_t outputs = data->class_count > 0 ? data->class_count : data->output_count;
    int64_t behind = last > 0 ? last * (first + outputs) : first * outputs;
    return (int64_t)data->input_count * first + behind;
}

static void sort_shapes(struct fit *fit)
{
    for (int i = 0; i < SHAPES; i++) {
        int at = i;
        int64_t weights = weights_of(hidden[i], fit->job->data);
        while (at > 0 && weights_of(fit->shapes[at - 1], fit->job->data) > weights) {
            fit->shapes[at] = fit->shapes[at - 1];
            at--;
        }
        fit->shapes[at] = hidden[i];
    }
}

static void add_kind(struct fit *fit, const struct train_options *how, const char *options)
{
    struct kind *kind = &fit->kinds[fit->kind_count++];
    *kind = (struct kind){.how = *how, .options = options};
    kind->how.seconds /= KINDS;
}

/* What the user has chosen stays. */
static void set_kinds(struct fit *fit)
{
    const struct train_options *given = fit->job->how;
    struct train_options how = *given;
    add_kind(fit, given, "");
    if (!given->weight_bits) {
        how.weight_bits = 4;
        add_kind(fit, &how, " --weights 4");
    }
    if (!given->packed && !given->hidden_type && !given->activation && given->skip <= 0 &&
        given->method != METHOD_LSQ) {
        how = *given;
        how.packed = true;
        add_kind(fit, &how, " --kernel packed");
    }
}

/* So much more flash than there is that another goal will not do either: none takes much less than
 * size. */
static bool far_over(const struct budget *budget, const struct cost *costs, int count)
{
    bool over = false;
    for (int i = 0; i < count; i++) {
        over = over || (budget->flash && cost_flash(&costs[i]) > budget->flash + budget->flash / 4);
    }
    return over;
}

bool fit_within(struct fit_job *job, const struct net *net, int count, int slack, bool *good,
                struct error *err)
{
    struct cost *costs = arena_alloc(job->arena, (size_t)job->list->count, sizeof *costs);
    const struct budget *b = job->budget;
    struct budget wide = {b->flash + b->flash * slack / 100, b->ram + b->ram * slack / 100,
                          b->cycles + b->cycles * slack / 100};
    enum optimise last = job->any_optimise ? OPTIMISE_SPEED : job->optimise;
    enum optimise first = job->any_optimise ? OPTIMISE_SIZE : job->optimise;
    *good = false;
    for (int o = (int)first; costs && o <= (int)last && !*good; o++) {
        struct measure_options how = {
            .optimise = (enum optimise)o, .count = count, .counts_only = count > 0};
        struct text why = {0};
        if (!targets_measure(net, job->list, &how, costs, err)) {
            return false;
        }
        *good = true;
        for (int i = 0; i < job->list->count; i++) {
            *good = budget_met(&wide, &costs[i], &why) && *good;
        }
        text_free(&why);
        job->optimise = (enum optimise)o;
        if (far_over(&wide, costs, job->list->count)) {
            break;
        }
    }
    job->optimise = *good ? job->optimise : first;
    return costs || fail_memory(err);
}

/* The options of a candidate, so that they alone give the same net. */
static const char *options_text(const struct fit *fit, const struct kind *kind, const char *shape)
{
    const char *given = kind->how.options_text;
    struct text text = {0};
    text_printf(&text, "%s%s--net %s%s", given, *given ? " " : "", shape, kind->options);
    const char *copy = text.failed ? NULL : arena_string(fit->job->arena, text.data);
    text_free(&text);
    return copy;
}

static struct net *make(struct fit *fit, const struct kind *kind, const char *shape, bool untrained,
                        struct train_result *result, struct error *err)
{
    struct train_options how = kind->how;
    how.topology = shape;
    how.untrained = untrained;
    how.options_text = options_text(fit, kind, shape);
    *result = (struct train_result){0};
    if (!how.options_text) {
        fail_memory(err);
        return NULL;
    }
    return train_net(fit->job->data, &how, result, err);
}

/* Would a trained net of this shape fit, by what one without training costs? */
static bool may_fit(struct fit *fit, const struct kind *kind, const char *shape, bool *good,
                    struct error *err)
{
    struct train_result result;
    struct net *net = make(fit, kind, shape, true, &result, err);
    bool done = net && fit_within(fit->job, net, VECTORS, SLACK, good, err);
    train_result_free(&result);
    net_free(net);
    return done;
}

/* Number of shapes, in their order, of which one without training fits: by bisection. */
static bool count_fitting(struct fit *fit, const struct kind *kind, int *count, struct error *err)
{
    int low = 0;
    int high = SHAPES;
    while (low < high) {
        int middle = (low + high) / 2;
        bool good = false;
        if (!may_fit(fit, kind, fit->shapes[middle], &good, err)) {
            return false;
        }
        if (good) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *count = low;
    return true;
}

/* Error of the integer program on the validation part, or share of wrong classes. */
static bool validate(const struct fit *fit, const struct net *net, double *score, struct error *err)
{
    struct row_set rows = {0};
    struct evaluation evaluation;
    const struct dataset *data = fit->job->data;
    uint32_t *index = data_part_rows(data, fit->job->how->seed, PART_VALIDATION, &rows.count);
    rows.index = index;
    bool good =
        index ? evaluate_net(net, data, rows, fit->job->arena, &evaluation, err) : fail_memory(err);
    free(index);
    if (good) {
        const struct figures *f = &evaluation.figures;
        *score = net->task == TASK_CLASSIFICATION ? 1 - f->accuracy : f->rms_percent;
    }
    return good;
}

/* Take over a net that is better than what there is, or free it. */
static void keep_better(struct fit *fit, struct net *net, struct train_result *result, double score,
                        enum optimise optimise)
{
    struct fit_job *job = fit->job;
    if (job->net && score >= fit->best) {
        train_result_free(result);
        net_free(net);
        return;
    }
    if (job->net) {
        train_result_free(&job->result);
        net_free(job->net);
    }
    job->net = net;
    job->result = *result;
    job->optimise = optimise;
    fit->best = score;
}

/* Train a candidate, and keep it where it fits and is the best so far. */
static bool try_shape(struct fit *fit, const struct kind *kind, const char *shape, bool *good,
                      struct error *err)
{
    struct train_result result;
    struct fit_job trial = *fit->job;
    double score = 0;
    struct net *net = make(fit, kind, shape, false, &result, err);
    bool done = net && fit_within(&trial, net, 0, 0, good, err) &&
                (!*good || validate(fit, net, &score, err));
    if (done && *good) {
        keep_better(fit, net, &result, score, trial.optimise);
        return true;
    }
    train_result_free(&result);
    net_free(net);
    return done;
}

static bool stopped(const struct fit *fit)
{
    const struct train_options *how = fit->job->how;
    return fit->job->net && how->stop && *how->stop;
}

static bool try_kind(struct fit *fit, const struct kind *kind, struct error *err)
{
    int count = 0;
    bool good = false;
    if (!count_fitting(fit, kind, &count, err)) {
        return false;
    }
    for (int i = 0; i < ATTEMPTS && i < count && !good && !stopped(fit); i++) {
        if (!try_shape(fit, kind, fit->shapes[count - 1 - i], &good, err)) {
            return false;
        }
    }
    return true;
}

/* Nothing fits: the smallest net shows by how much. */
static bool take_smallest(struct fit *fit, struct error *err)
{
    struct fit_job *job = fit->job;
    job->net = make(fit, &fit->kinds[0], fit->shapes[0], false, &job->result, err);
    return job->net != NULL;
}

bool fit_train(struct fit_job *job, struct error *err)
{
    struct fit fit = {.job = job};
    enum optimise given = job->optimise;
    sort_shapes(&fit);
    set_kinds(&fit);
    for (int i = 0; i < fit.kind_count && !stopped(&fit); i++) {
        if (!try_kind(&fit, &fit.kinds[i], err)) {
            return false;
        }
    }
    if (!job->net) {
        job->optimise = given;
        return take_smallest(&fit, err);
    }
    char note[200];
    const char *optimise = !job->any_optimise                ? ""
                           : job->optimise == OPTIMISE_SPEED ? " --optimise speed"
                                                             : " --optimise size";
    (void)snprintf(note, sizeof note, "the budget chose: %.150s%s", job->net->provenance.options,
                   optimise);
    report_note(note);
    return true;
}
