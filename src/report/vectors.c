#include "report/vectors.h"

#include "emit/plan.h"
#include "run/run.h"

#include <string.h>

/* Corners at the start, and pseudo-random vectors at the end, which a search leaves alone. */
#define CORNERS      5
#define RANDOM_LEAST 2
/* Saturations that are looked for, and what looking for them may cost. */
#define GOALS_MAX      2048
#define WORK_MAX       20000000 /* products of the interpreter */
#define TRIES_MAX      20000    /* predictions */
#define CANDIDATES_MAX 64

/* An element's value in front of its clamp or activation, beyond one end of what is kept. */
struct goal {
    int layer;
    int element;
    int side; /* 1: above; -1: below */
    int64_t limit;
    bool hit;   /* by a vector */
    bool found; /* by what a search found */
};

struct search {
    const struct net *net;
    struct arena *arena;
    struct run *run;
    struct interval *ranges[NET_TENSORS_MAX];
    double *weights[NET_TENSORS_MAX]; /* how much an element counts for the goal */
    struct goal *goals;
    int goal_count;
    int64_t tries; /* predictions left */
    int32_t *out;  /* room for one prediction */
};

/* ---- goals ---- */

/* The range in front of the clamp. */
static struct interval before_range(const struct search *s, const struct layer *layer, int element)
{
    struct interval range = {0, 0};
    int64_t unit =
        layer->op == OP_ADD || layer->op == OP_CONCAT ? 1 : (int64_t)1 << layer->shift[element];
    switch (layer->op) {
    case OP_CONVERT:
        range = s->ranges[layer->inputs[0]][element];
        range.low = (range.low - layer->zero[element]) * unit;
        range.high = (range.high - layer->zero[element]) * unit;
        break;
    case OP_DENSE:
        range = net_row_range(layer, element, s->ranges[layer->inputs[0]]);
        range.low = (range.low - (range.low % unit + unit) % unit) / unit;
        range.high = (range.high - (range.high % unit + unit) % unit) / unit;
        break;
    case OP_ADD: range = net_sum_range(layer, s->ranges, element); break;
    case OP_CONCAT:
    CASES_OF_MAPS:
        break;
    }
    return range;
}

static void add_goal(struct search *s, struct goal goal)
{
    if (s->goal_count < GOALS_MAX) {
        s->goals[s->goal_count++] = goal;
    }
}

/* Nets with maps have none: random images saturate. */
static void find_goals(struct search *s)
{
    bool maps = net_has_maps(s->net);
    for (int i = 0; !maps && i < s->net->layer_count; i++) {
        const struct layer *layer = &s->net->layers[i];
        enum activation activation = layer->op == OP_DENSE ? layer->activation : ACTIVATION_NONE;
        const struct tensor *out = &s->net->tensors[layer->output];
        struct interval kept = plan_kept(activation, out->type);
        for (int j = 0; layer->op != OP_CONCAT && j < out->width; j++) {
            struct interval range = before_range(s, layer, j);
            if (range.high > kept.high) {
                add_goal(s, (struct goal){i, j, 1, kept.high, false, false});
            }
            if (range.low < kept.low) {
                add_goal(s, (struct goal){i, j, -1, kept.low, false, false});
            }
        }
    }
}

static bool reached(const struct search *s, const struct goal *goal)
{
    return (run_before(s->run, goal->layer, goal->element) - goal->limit) * goal->side > 0;
}

/* After a prediction: note what it reached for the first time; returns how many goals that are. */
static int note_hits(struct search *s)
{
    int hits = 0;
    for (int i = 0; i < s->goal_count; i++) {
        bool first = !s->goals[i].hit && reached(s, &s->goals[i]);
        s->goals[i].hit = s->goals[i].hit || first;
        hits += first;
    }
    return hits;
}

/* ---- searching ---- */

/* Give an element's weight to what a layer computes it from. */
static void pass_back(struct search *s, const struct layer *layer, int element, double weight)
{
    int at = element;
    switch (layer->op) {
    case OP_CONVERT: s->weights[layer->inputs[0]][element] += weight; break;
    case OP_DENSE:
        for (int j = 0; j < layer->weights.columns; j++) {
            size_t w = (size_t)element * (size_t)layer->weights.columns + (size_t)j;
            s->weights[layer->inputs[0]][j] +=
                weight * layer->weights.values[w] / (double)((int64_t)1 << layer->shift[element]);
        }
        break;
    case OP_ADD:
        for (int k = 0; k < layer->input_count; k++) {
            s->weights[layer->inputs[k]][element] += weight;
        }
        break;
    case OP_CONCAT:
        for (int k = 0; k < layer->input_count; k++) {
            int width = s->net->tensors[layer->inputs[k]].width;
            if (at >= 0 && at < width) {
                s->weights[layer->inputs[k]][at] += weight;
            }
            at -= width;
        }
        break;
    CASES_OF_MAPS:
        break;
    }
}

/* The corner that drives the goal's element most, if activations were straight lines: exact for
 * rows of the first layer. */
static void start_at(struct search *s, const struct goal *goal, int32_t *in)
{
    const struct tensor *input = &s->net->tensors[s->net->input];
    for (int t = 0; t < s->net->tensor_count; t++) {
        memset(s->weights[t], 0, (size_t)s->net->tensors[t].width * sizeof *s->weights[t]);
    }
    pass_back(s, &s->net->layers[goal->layer], goal->element, goal->side);
    for (int i = goal->layer - 1; i >= 0; i--) {
        const struct layer *layer = &s->net->layers[i];
        for (int j = 0; j < s->net->tensors[layer->output].width; j++) {
            if (s->weights[layer->output][j] != 0.0) {
                pass_back(s, layer, j, s->weights[layer->output][j]);
            }
        }
    }
    for (int j = 0; j < input->width; j++) {
        in[j] = s->weights[s->net->input][j] > 0.0 ? type_high(input->type) : type_low(input->type);
    }
}

/* The element's value towards the goal's side; one try less. */
static int64_t drive(struct search *s, const struct goal *goal, const int32_t *in)
{
    run_predict(s->run, in, s->out);
    s->tries--;
    return run_before(s->run, goal->layer, goal->element) * goal->side;
}

/* From the start, input by input to its other end where that drives the element further; twice.
 * True where it is beyond its limit, and the run is that of `in`. */
static bool search_goal(struct search *s, const struct goal *goal, int32_t *in)
{
    const struct tensor *input = &s->net->tensors[s->net->input];
    start_at(s, goal, in);
    int64_t best = drive(s, goal, in);
    for (int k = 0; k < 2 * input->width && !reached(s, goal) && s->tries > 0; k++) {
        int32_t *code = &in[k % input->width];
        int32_t old = *code;
        *code = old == type_low(input->type) ? type_high(input->type) : type_low(input->type);
        int64_t now = drive(s, goal, in);
        if (now > best) {
            best = now;
        } else {
            *code = old;
        }
    }
    return reached(s, goal);
}

/* Inputs that reach goals, each one that none before it does. */
struct candidates {
    int32_t *in; /* count x input width */
    bool *hits;  /* count x goals */
    int count;
};

static void add_candidate(struct search *s, struct candidates *found, const int32_t *in)
{
    size_t width = (size_t)s->net->tensors[s->net->input].width;
    bool *hits = found->hits + (size_t)found->count * (size_t)s->goal_count;
    memcpy(found->in + (size_t)found->count++ * width, in, width * sizeof *in);
    for (int i = 0; i < s->goal_count; i++) {
        hits[i] = reached(s, &s->goals[i]);
        s->goals[i].found = s->goals[i].found || hits[i];
    }
}

static bool find_candidates(struct search *s, struct candidates *found)
{
    size_t width = (size_t)s->net->tensors[s->net->input].width;
    int32_t *trial = arena_alloc(s->arena, width, sizeof *trial);
    found->in = arena_alloc(s->arena, CANDIDATES_MAX, width * sizeof *found->in);
    found->hits = arena_alloc(s->arena, CANDIDATES_MAX, (size_t)s->goal_count);
    bool good = trial && found->in && found->hits;
    for (int i = 0; good && i < s->goal_count && s->tries > 0; i++) {
        const struct goal *goal = &s->goals[i];
        if (found->count < CANDIDATES_MAX && !goal->hit && !goal->found &&
            search_goal(s, goal, trial)) {
            add_candidate(s, found, trial);
        }
    }
    return good;
}

/* How many goals that are not hit yet a candidate hits. */
static int gain(const struct search *s, const struct candidates *found, int candidate)
{
    const bool *hits = found->hits + (size_t)candidate * (size_t)s->goal_count;
    int count = 0;
    for (int i = 0; i < s->goal_count; i++) {
        count += hits[i] && !s->goals[i].hit;
    }
    return count;
}

/* Replace vectors from `first` to below `end` by candidates: always the one that gains most. */
static void take_candidates(struct search *s, const struct candidates *found, int32_t *in,
                            int first, int end)
{
    size_t width = (size_t)s->net->tensors[s->net->input].width;
    for (; first < end; first++) {
        int best = 0;
        for (int i = 1; i < found->count; i++) {
            best = gain(s, found, i) > gain(s, found, best) ? i : best;
        }
        if (found->count == 0 || gain(s, found, best) == 0) {
            return;
        }
        memcpy(in + (size_t)first * width, found->in + (size_t)best * width, width * sizeof *in);
        for (int i = 0; i < s->goal_count; i++) {
            bool hit = found->hits[(size_t)best * (size_t)s->goal_count + (size_t)i];
            s->goals[i].hit = s->goals[i].hit || hit;
        }
    }
}

/* ---- all of it ---- */

static bool search_new(struct search *s, const struct net *net, struct arena *arena)
{
    *s = (struct search){.net = net, .arena = arena, .run = run_new(net)};
    int64_t tries = WORK_MAX / (net_macs(net) + 1);
    s->tries = tries < TRIES_MAX ? tries : TRIES_MAX;
    s->goals = arena_alloc(arena, GOALS_MAX, sizeof *s->goals);
    s->out = arena_alloc(arena, (size_t)net->tensors[net->output].width, sizeof *s->out);
    bool good = s->run && s->goals && s->out && net_ranges(net, arena, s->ranges);
    for (int t = 0; good && t < net->tensor_count; t++) {
        s->weights[t] = arena_alloc(arena, (size_t)net->tensors[t].width, sizeof *s->weights[t]);
        good = s->weights[t] != NULL;
    }
    if (good) {
        find_goals(s);
    }
    return good;
}

bool selftest_vectors(const struct net *net, int count, struct arena *arena,
                      struct vectors *vectors, struct error *err)
{
    size_t inputs = (size_t)net->tensors[net->input].width;
    size_t outputs = (size_t)net->tensors[net->output].width;
    int32_t *in = arena_alloc(arena, (size_t)count, inputs * sizeof *in);
    int32_t *out = arena_alloc(arena, (size_t)count, outputs * sizeof *out);
    struct search search;
    struct candidates found = {0};
    bool good = search_new(&search, net, arena) && in && out;
    if (good) {
        emit_selftest_inputs(net, count, in);
        for (int i = 0; i < CORNERS && i < count; i++) {
            run_predict(search.run, in + (size_t)i * inputs, search.out);
            (void)note_hits(&search);
        }
        good = find_candidates(&search, &found);
        take_candidates(&search, &found, in, CORNERS, count - RANDOM_LEAST);
        for (size_t i = 0; i < (size_t)count; i++) {
            run_predict(search.run, in + i * inputs, out + i * outputs);
        }
        *vectors = (struct vectors){.count = count, .in = in, .out = out};
    }
    run_free(search.run);
    return good || fail_memory(err);
}

bool count_saturations(const struct net *net, const struct vectors *vectors,
                       struct saturations *found, struct error *err)
{
    struct arena *arena = arena_new();
    struct search search = {0};
    bool good = arena && search_new(&search, net, arena);
    *found = (struct saturations){0, search.goal_count};
    for (int i = 0; good && i < vectors->count; i++) {
        run_predict(search.run, vectors->in + i * net->tensors[net->input].width, search.out);
        found->hit += note_hits(&search);
    }
    run_free(search.run);
    arena_free(arena);
    return good || fail_memory(err);
}
