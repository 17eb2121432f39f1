/* A budget chooses what each layer of a network on images is made for. */
#include "cli/fit.h"

#include "base/arena.h"
#include "base/hash.h"
#include "cli/progress.h"

#include <string.h>

#define VECTORS     2
#define TRIALS_MOST 150

/* What one choice of goals costs. */
struct trial {
    enum optimise layers[NET_LAYERS_MAX];
    double over;    /* the budget: sum of shares of its limits */
    int64_t figure; /* what is to be least beside it */
};

struct search {
    struct layers_job *job;
    int layers;
    uint64_t *seen; /* what has been tried, by the hash of the emitted text */
    int seen_count;
    struct cost *costs;  /* of the last trial, on each target */
    struct error broken; /* why the last one that failed did */
    struct progress progress;
    struct trial best;
};

/* Has the same text been tried? */
static bool is_seen(struct search *search, uint64_t value)
{
    for (int i = 0; i < search->seen_count; i++) {
        if (search->seen[i] == value) {
            return true;
        }
    }
    search->seen[search->seen_count++] = value;
    return false;
}

static double excess(int64_t limit, int64_t value)
{
    bool more = limit > 0 && value > limit;
    return more ? (double)value / (double)limit - 1 : limit > 0 && value < 0 ? 1 : 0;
}

/* Of one prediction, cycles or instructions; -1 where only a clock tells, which chooses nothing. */
static int64_t counted_time(const struct cost *cost)
{
    return cost->cycles > 0 ? cost->cycles : cost->instructions;
}

/* Beside a limit of cycles flash is to be least, else time. */
static void judge(const struct layers_job *job, const struct cost *costs, struct trial *trial)
{
    const struct budget *budget = job->budget;
    for (int i = 0; i < job->list->count; i++) {
        trial->over += excess(budget->flash, cost_flash(&costs[i])) +
                       excess(budget->ram, costs[i].ram + costs[i].stack) +
                       excess(budget->cycles, costs[i].cycles);
    }
    trial->figure = budget->cycles ? cost_flash(&costs[0]) : counted_time(&costs[0]);
}

static bool better(const struct trial *a, const struct trial *b)
{
    return a->over != b->over ? a->over < b->over : a->figure < b->figure;
}

/* The net's C with such goals, as it is measured. */
static bool emit_trial(const struct layers_job *job, const enum optimise *layers,
                       struct text *header, struct error *err)
{
    struct emit_options how = *job->how;
    struct text source = {0};
    how.name = "net";
    how.separate = false;
    how.selftest = NULL;
    how.layers = layers;
    return emit_c(job->net, &how, header, &source, err);
}

/* False, too, where a target has no room for it. */
static bool measure_trial(const struct layers_job *job, const struct text *header,
                          struct cost *costs, struct error *err)
{
    struct measure_options options = {
        .optimise = job->how->optimise, .header = header->data, .count = VECTORS};
    return targets_measure(job->net, job->list, &options, costs, err);
}

/* Measures a choice; *fresh is false for one whose text was tried.  What a target has no room for
 * is over every budget. */
static bool measure(struct search *search, struct trial *trial, bool *fresh, struct error *err)
{
    struct layers_job *job = search->job;
    struct text header = {0};
    bool good = emit_trial(job, trial->layers, &header, err);
    *fresh = good && !is_seen(search, hash_bytes(HASH_START, header.data, header.length));
    if (*fresh) {
        struct error broken = {0};
        trial->over = 0;
        if (measure_trial(job, &header, search->costs, &broken)) {
            judge(job, search->costs, trial);
        } else {
            *trial = (struct trial){.over = 1e9};
            search->broken = broken;
        }
        progress_show(&search->progress, (double)search->seen_count / TRIALS_MOST, -1, "layers",
                      "");
    }
    text_free(&header);
    return good;
}

/* All layers alike. */
static bool begin(struct search *search, struct error *err)
{
    static const enum optimise goals[] = {OPTIMISE_SPEED, OPTIMISE_BALANCED, OPTIMISE_SIZE};
    search->best.over = 1e18;
    for (size_t g = 0; g < sizeof goals / sizeof *goals; g++) {
        struct trial trial = {.over = 0};
        bool fresh;
        for (int i = 0; i < search->layers; i++) {
            trial.layers[i] = goals[g];
        }
        if (!measure(search, &trial, &fresh, err)) {
            return false;
        }
        if (fresh && better(&trial, &search->best)) {
            search->best = trial;
        }
    }
    return true;
}

/* The best other goal of one layer, or of two neighbours; *moved tells whether one was better. */
static bool improve(struct search *search, bool *moved, struct error *err)
{
    struct trial from = search->best;
    *moved = false;
    for (int i = 0; i < 2 * search->layers; i++) {
        int layer = i / 2;
        int last = layer + i % 2 < search->layers ? layer + i % 2 : layer;
        for (int goal = OPTIMISE_SIZE; goal <= OPTIMISE_BALANCED; goal++) {
            struct trial trial = from;
            bool fresh = false;
            trial.layers[layer] = trial.layers[last] = (enum optimise)goal;
            if (search->seen_count < TRIALS_MOST && !measure(search, &trial, &fresh, err)) {
                return false;
            }
            if (fresh && better(&trial, &search->best)) {
                search->best = trial;
                *moved = true;
            }
        }
    }
    return true;
}

bool layers_search(struct layers_job *job, struct error *err)
{
    struct search search = {.job = job,
                            .layers = net_row_layers(job->net),
                            .seen = arena_alloc(job->arena, TRIALS_MOST + 3, sizeof *search.seen),
                            .progress = progress_start(false)};
    search.costs = arena_alloc(job->arena, (size_t)job->list->count, sizeof *search.costs);
    if (!search.seen || !search.costs) {
        return fail_memory(err);
    }
    bool moved = true;
    bool good = begin(&search, err);
    while (good && moved) {
        good = improve(&search, &moved, err);
    }
    progress_end(&search.progress);
    if (good && search.best.over >= 1e9) {
        *err = search.broken;
    }
    memcpy(job->layers, search.best.layers, sizeof job->layers);
    return !err->failed;
}

/* ---- for --explain ---- */

static int64_t time_of(const struct cost *cost)
{
    int64_t counted = counted_time(cost);
    return counted > 0 ? counted : (int64_t)cost->nanoseconds;
}

static const char *unit_of(const struct cost *cost)
{
    return cost->cycles > 0 ? "cycles" : cost->instructions > 0 ? "instructions" : "ns";
}

/* A text's price on the only target. */
static struct emit_price price(const struct layers_job *job, const struct text *header,
                               struct cost *cost, struct error *err)
{
    return measure_trial(job, header, cost, err)
               ? (struct emit_price){cost_flash(cost), cost->ram + cost->stack, time_of(cost)}
               : (struct emit_price){-1, -1, -1};
}

/* Price `index` of all: with that layer made for that goal.  What gives the same C costs the same.
 */
static bool price_goal(struct layers_job *job, const struct text *whole, int index,
                       const struct emit_price *same, struct error *err)
{
    struct emit_price *to = &job->prices[index];
    struct text header = {0};
    struct error broken = {0};
    struct cost cost;
    enum optimise layers[NET_LAYERS_MAX];
    memcpy(layers, job->layers, sizeof layers);
    layers[index / EMIT_GOALS] = (enum optimise)(index % EMIT_GOALS);
    bool good = emit_trial(job, layers, &header, err);
    if (good && header.length == whole->length &&
        memcmp(header.data, whole->data, whole->length) == 0) {
        *to = *same;
    } else if (good) {
        *to = price(job, &header, &cost, &broken);
    }
    text_free(&header);
    return good;
}

bool layers_prices(const struct layers_job *all, struct emit_prices *prices, struct error *err)
{
    struct target_list first = *all->list;
    struct layers_job one = *all;
    struct layers_job *job = &one;
    int count = EMIT_GOALS * net_row_layers(job->net);
    first.count = 1;
    one.list = &first;
    struct progress progress = progress_start(false);
    struct text whole = {0};
    struct cost cost = {0};
    job->prices = arena_alloc(job->arena, (size_t)count, sizeof *job->prices);
    if (!job->prices) {
        return fail_memory(err);
    }
    bool good = emit_trial(job, job->layers, &whole, err);
    prices->whole = good ? price(job, &whole, &cost, err) : (struct emit_price){-1, -1, -1};
    prices->target = first.targets[0]->title;
    prices->unit = unit_of(&cost);
    prices->layers = job->prices;
    for (int i = 0; !err->failed && i < count; i++) {
        good = price_goal(job, &whole, i, &prices->whole, err);
        progress_show(&progress, (double)(i + 1) / count, -1, "alternatives", "");
    }
    progress_end(&progress);
    text_free(&whole);
    return good && !err->failed;
}
