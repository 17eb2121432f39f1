#include "vision/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REACH_SHARE  0.995 /* of a channel's values that full scale shall hold */
#define REACH_IMAGES 1024
#define REACH_BINS   512
#define TIED_GAIN    0.9 /* of channels that share a step with others */
#define STATISTICS   64  /* blocks */
#define LOGIT_UNIT   0.1 /* of the last layer's betas */

/* ---- how far each channel reaches ---- */

struct reaching {
    struct trainer *trainer;
    struct ties *ties;
    double *most;   /* channel: its largest magnitude */
    uint32_t *bins; /* channel x REACH_BINS; NULL while `most` is taken */
    uint32_t *counts;
};

static void see_value(struct reaching *r, int channel, double value)
{
    if (!r->bins) {
        r->most[channel] = value > r->most[channel] ? value : r->most[channel];
        return;
    }
    double most = r->most[channel];
    int bin = most > 0 ? (int)(value / most * (REACH_BINS - 1)) : 0;
    bin = bin < 0 ? 0 : bin < REACH_BINS ? bin : REACH_BINS - 1;
    r->bins[(size_t)channel * REACH_BINS + (size_t)bin]++;
    r->counts[channel]++;
}

static void see_block(void *context, const struct pass *pass, size_t first)
{
    struct reaching *r = context;
    const struct graph *graph = pass->graph;
    (void)first;
    for (int i = 0; i < graph->node_count; i++) {
        size_t channels = (size_t)graph->nodes[i].layer->out.channels;
        size_t elements = graph->nodes[i].size * (size_t)graph->groups;
        for (size_t e = 0; e < elements; e++) {
            int channel = r->ties->first[i] + (int)(e % channels);
            for (size_t l = 0; l < VISION_LANES; l++) {
                see_value(r, channel, fabs((double)pass->values[i][e * VISION_LANES + l]));
            }
        }
    }
}

/* The value that REACH_SHARE of a channel's values do not exceed. */
static double reach_of(const struct reaching *r, int channel)
{
    const uint32_t *bins = r->bins + (size_t)channel * REACH_BINS;
    double wanted = REACH_SHARE * r->counts[channel];
    double seen = 0;
    for (int bin = 0; bin < REACH_BINS; bin++) {
        seen += bins[bin];
        if (seen >= wanted) {
            return r->most[channel] * (bin + 1) / REACH_BINS;
        }
    }
    return r->most[channel];
}

/* The widest step that a channel of the node wants. */
static void widen_ties(const struct reaching *r, const struct node *node)
{
    struct ties *ties = r->ties;
    for (int c = 0; c < node->layer->out.channels; c++) {
        int channel = ties->first[node->index] + c;
        double reach = reach_of(r, channel) / (node->top + 1);
        double *most = &ties->reach[ties_root(ties, channel)];
        *most = reach > *most ? reach : *most;
    }
}

static bool find_reach(struct trainer *t, struct arena *arena, struct ties *ties)
{
    size_t count = (size_t)ties->count;
    struct reaching r = {.trainer = t, .ties = ties};
    r.most = arena_alloc(arena, count, sizeof *r.most);
    r.counts = arena_alloc(arena, count, sizeof *r.counts);
    uint32_t *bins = arena_alloc(arena, count * REACH_BINS, sizeof *bins);
    if (!r.most || !r.counts || !bins) {
        return false;
    }
    trainer_each(t, PART_TRAIN, REACH_IMAGES, see_block, &r);
    r.bins = bins;
    trainer_each(t, PART_TRAIN, REACH_IMAGES, see_block, &r);
    for (int i = 0; i < t->graph->node_count; i++) {
        widen_ties(&r, &t->graph->nodes[i]);
    }
    return true;
}

/* ---- levels ---- */

static double nearest_level(double w, const struct sketch_layer *layer)
{
    double limit = sketch_limit(layer);
    double level = layer->odd ? 2 * floor(w / 2) + 1 : floor(w + 0.5);
    return level < -limit ? -limit : level > limit ? limit : level;
}

static double level_error(const struct fit_problem *p, double factor)
{
    double error = 0;
    for (size_t j = 0; j < p->count; j++) {
        double w = p->weights[j] * factor;
        double miss = w - nearest_level(w, p->layer);
        error += miss * miss;
    }
    return error / (factor * factor);
}

struct fitted fold_fit(const struct fit_problem *p)
{
    struct fitted best = {.gain = p->gains[0], .shift = 0, .error = (double)INFINITY};
    for (int g = 0; g < p->gain_count; g++) {
        for (int shift = 0; shift <= VISION_SHIFT_MOST; shift++) {
            double factor = ldexp(p->gains[g], shift);
            double error = shift == 0 || p->sum * factor <= p->most ? level_error(p, factor)
                                                                    : (double)INFINITY;
            if (error < best.error) {
                best = (struct fitted){p->gains[g], shift, error};
            }
        }
    }
    return best;
}

/* ---- a layer ---- */

struct folding {
    struct trainer *trainer;
    struct ties *ties;
    double *weights; /* of a row, or of the last layer */
    int input_first; /* number of the input's channel 0 */
};

/* Row `r` times `factor`, per code of its inputs. */
static void real_row(struct folding *f, const struct node *node, int r, double factor, double *out)
{
    const struct sketch_layer *layer = node->layer;
    int channels = layer->in.channels / layer->groups;
    int group = r / (node->rows / layer->groups);
    int columns = sketch_columns(layer);
    const float *w = f->trainer->learner.parameters + node->weight + (size_t)r * (size_t)columns;
    for (int j = 0; j < columns; j++) {
        int channel = f->input_first + group * channels + j % channels;
        double step = f->ties->step[ties_root(f->ties, channel)];
        out[j] = (double)w[j] * factor * step;
    }
}

static void set_row(struct folding *f, const struct node *node, int r, const double *weights,
                    double factor)
{
    int columns = sketch_columns(node->layer);
    float *w = f->trainer->learner.parameters + node->weight + (size_t)r * (size_t)columns;
    for (int j = 0; j < columns; j++) {
        w[j] = (float)(weights[j] * factor);
    }
}

static double magnitude(const double *weights, size_t count)
{
    double sum = 0;
    for (size_t j = 0; j < count; j++) {
        sum += fabs(weights[j]);
    }
    return sum;
}

/* The step of a row: its tie's; a dead channel gets what its weights can give. */
static double tie_step(struct folding *f, const struct node *node, int root)
{
    double reach = f->ties->reach[root];
    return reach > 0 ? reach : 1.0 / (node->top + 1);
}

static void fold_row(struct folding *f, const struct node *node, int r)
{
    static const double gains[] = {1.05, 1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6};
    static const double one = 1;
    struct trainer *t = f->trainer;
    struct learner *learner = &t->learner;
    int row = node->row + r;
    int root = ties_root(f->ties, f->ties->first[node->index] + r);
    bool tied = f->ties->sources[root] > 1;
    double step = tie_step(f, node, root);
    double width = sqrt(learner->variance[row] + 1e-5);
    double scale = (double)graph_gammas(t->graph, learner->parameters)[row] / width;
    double *step_of = &f->ties->step[root];
    step = tied ? (*step_of > 0 ? *step_of : step / TIED_GAIN) : step;
    real_row(f, node, r, scale / step, f->weights);
    struct fit_problem problem = {.weights = f->weights,
                                  .count = (size_t)sketch_columns(node->layer),
                                  .most = learner_largest_sum(learner, node) / 2,
                                  .layer = node->layer,
                                  .gains = tied ? &one : gains,
                                  .gain_count = tied ? 1 : (int)(sizeof gains / sizeof *gains)};
    problem.sum = magnitude(f->weights, problem.count);
    struct fitted fit = fold_fit(&problem);
    *step_of = step / fit.gain;
    learner->shift[row] = fit.shift;
    learner->unit[row] = (node->top + 1) / 16.0;
    graph_betas(t->graph, learner->parameters)[row] =
        (float)((double)graph_betas(t->graph, learner->parameters)[row] / *step_of /
                learner->unit[row]);
    set_row(f, node, r, f->weights, ldexp(fit.gain, fit.shift));
}

/* The last layer has one step: its sums are the logits. */
static void fold_last(struct folding *f, const struct node *node)
{
    static const double gains[] = {1.4, 1.3, 1.2, 1.1, 1.0, 0.95, 0.9, 0.85, 0.8, 0.75};
    struct learner *learner = &f->trainer->learner;
    size_t columns = (size_t)sketch_columns(node->layer);
    struct fit_problem problem = {.weights = f->weights,
                                  .count = node->weight_count,
                                  .most = learner_largest_sum(learner, node) / 2,
                                  .layer = node->layer,
                                  .gains = gains,
                                  .gain_count = (int)(sizeof gains / sizeof *gains)};
    for (int r = 0; r < node->rows; r++) {
        double *row = f->weights + (size_t)r * columns;
        real_row(f, node, r, 1, row);
        double sum = magnitude(row, columns);
        problem.sum = sum > problem.sum ? sum : problem.sum;
    }
    struct fitted fit = fold_fit(&problem);
    for (int r = 0; r < node->rows; r++) {
        float *beta = &graph_betas(f->trainer->graph, learner->parameters)[node->row + r];
        learner->shift[node->row + r] = fit.shift;
        learner->unit[node->row + r] = LOGIT_UNIT;
        *beta = (float)((double)*beta * fit.gain / LOGIT_UNIT);
        set_row(f, node, r, f->weights + (size_t)r * columns, ldexp(fit.gain, fit.shift));
    }
}

static void fold_node(struct folding *f, const struct node *node)
{
    int input = node->layer->inputs[0];
    f->input_first = f->ties->first[input < 0 ? f->trainer->graph->node_count : input];
    if (node->last) {
        fold_last(f, node);
        return;
    }
    for (int r = 0; r < node->rows; r++) {
        fold_row(f, node, r);
    }
}

/* Only ternary weights decay from now on. */
static void set_decay(struct trainer *t)
{
    memset(t->decay, 0, t->graph->count * sizeof(float));
    for (int i = 0; i < t->graph->node_count; i++) {
        const struct node *node = &t->graph->nodes[i];
        bool ternary = node->weighted && sketch_limit(node->layer) == 1 && !node->layer->odd;
        for (size_t w = 0; ternary && w < node->weight_count; w++) {
            t->decay[node->weight + w] = (float)t->options->sparse;
        }
    }
}

static void reset_optimiser(struct trainer *t)
{
    size_t count = t->graph->count;
    memset(t->state.first, 0, count * sizeof(float));
    memset(t->state.second, 0, count * sizeof(float));
    trainer_start_average(t);
    t->state.steps = 0;
    t->state.power1 = t->state.power2 = 1;
}

/* The image's step, and the largest number of weights that fold at once. */
static bool start_folding(struct folding *f, struct arena *arena)
{
    const struct graph *graph = f->trainer->graph;
    size_t most = graph->nodes[graph->logits].weight_count;
    most = most > graph->widest ? most : graph->widest;
    for (int i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        size_t columns = node->weighted ? (size_t)sketch_columns(node->layer) : 0;
        most = columns > most ? columns : most;
    }
    f->weights = arena_alloc(arena, most, sizeof *f->weights);
    for (int c = 0; c < graph->sketch->input.channels; c++) {
        int root = ties_root(f->ties, f->ties->first[graph->node_count] + c);
        f->ties->step[root] = (double)trainer_pixel_unit(graph->sketch);
        f->ties->sources[root] += 2; /* never to be changed by a row */
    }
    return f->weights != NULL;
}

bool trainer_fold(struct trainer *t, struct error *err)
{
    struct arena *arena = arena_new();
    struct ties ties = {0};
    struct folding f = {.trainer = t, .ties = &ties};
    trainer_statistics(t, STATISTICS);
    bool good = arena && ties_new(&ties, arena, t->graph) && find_reach(t, arena, &ties) &&
                start_folding(&f, arena);
    for (int i = 0; good && i < t->graph->node_count; i++) {
        if (t->graph->nodes[i].weighted) {
            fold_node(&f, &t->graph->nodes[i]);
        }
    }
    arena_free(arena);
    if (!good) {
        return fail_memory(err);
    }
    t->learner.integer = true;
    t->learner.fixed = false;
    reset_optimiser(t);
    set_decay(t);
    trainer_start_steps(t);
    learner_refresh(&t->learner);
    return true;
}
