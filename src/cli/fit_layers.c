/* A budget chooses what each layer of a network on images is made for. */
#include "cli/fit.h"

#include "base/arena.h"
#include "base/hash.h"
#include "cli/progress.h"

#include <string.h>

#define VECTORS     2
#define TRIALS_MOST 150 /* measured */
#define TRIED_MOST  512 /* emitted: many choices give the same C */
#define WRONG_MOST  3   /* predictions in turn that are no better than what is best */
#define EXACT_MOST  9   /* layers of which every choice is predicted; of more, few that change */
#define FEW_CHANGES 3
#define NO_ROOM     1e9 /* over every budget */

/* What a choice takes on one target, or how two of them differ. */
struct amount {
    int64_t flash, ram, cycles, time;
    int64_t broken; /* 1: it cannot be measured there; 0: it can */
};

/* One choice of goals. */
struct trial {
    enum optimise layers[NET_LAYERS_MAX];
    double over;    /* the budget: sum of shares of its limits */
    int64_t figure; /* what is to be least beside it */
};

/* A text that was measured, and what it takes on each target. */
struct known {
    uint64_t hash;
    struct amount *amounts;
};

struct search {
    struct layers_job *job;
    int layers;
    int targets;
    struct known *known;
    int known_count;
    struct amount *amounts; /* of all that is known: text, target */
    struct trial *tried;
    int tried_count;
    struct cost *costs; /* of one measurement, on each target */
    struct trial base;  /* what the effects are of */
    const struct known *at_base;
    struct amount *effects; /* what a layer's goal changes in the base: layer, goal, target */
    struct amount *sums;    /* of the choice that is predicted */
    struct trial next;      /* the best prediction */
    struct error broken;    /* why the last one that failed did */
    struct progress progress;
    struct trial best;
    const struct known *at_best;
};

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

static struct amount amount_of(const struct cost *cost)
{
    return (struct amount){.flash = cost_flash(cost),
                           .ram = cost->ram + cost->stack,
                           .cycles = cost->cycles,
                           .time = counted_time(cost)};
}

/* to += sign * from */
static void add_amount(struct amount *to, const struct amount *from, int sign)
{
    to->flash += sign * from->flash;
    to->ram += sign * from->ram;
    to->cycles += sign * from->cycles;
    to->time += sign * from->time;
    to->broken += sign * from->broken;
}

/* Beside a limit of cycles flash is to be least, else time. */
static void judge(const struct search *search, const struct amount *amounts, struct trial *trial)
{
    const struct budget *budget = search->job->budget;
    trial->over = 0;
    for (int i = 0; i < search->targets; i++) {
        trial->over +=
            excess(budget->flash, amounts[i].flash) + excess(budget->ram, amounts[i].ram) +
            excess(budget->cycles, amounts[i].cycles) + (amounts[i].broken > 0 ? NO_ROOM : 0);
    }
    trial->figure = budget->cycles ? amounts[0].flash : amounts[0].time;
}

static bool better(const struct trial *a, const struct trial *b)
{
    return a->over != b->over ? a->over < b->over : a->figure < b->figure;
}

/* ---- measuring ---- */

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
    struct measure_options options = {.optimise = job->how->optimise,
                                      .header = header->data,
                                      .count = VECTORS,
                                      .counts_only = true};
    return targets_measure(job->net, job->list, &options, costs, err);
}

static void show_progress(struct search *search)
{
    double expected = 5 + 4 * search->layers; /* two rounds */
    double part = search->known_count / expected;
    progress_show(&search->progress, part < 0.99 ? part : 0.99, -1, "layers", "");
}

/* What such a text takes; measured where it is a new one.  NULL: no more are measured. */
static const struct known *know(struct search *search, const struct text *header)
{
    uint64_t hash = hash_bytes(HASH_START, header->data, header->length);
    for (int i = 0; i < search->known_count; i++) {
        if (search->known[i].hash == hash) {
            return &search->known[i];
        }
    }
    if (search->known_count == TRIALS_MOST) {
        return NULL;
    }
    struct known *known = &search->known[search->known_count];
    struct error broken = {0};
    bool good = measure_trial(search->job, header, search->costs, &broken);
    known->hash = hash;
    known->amounts = search->amounts + search->known_count * search->targets;
    for (int i = 0; i < search->targets; i++) {
        known->amounts[i] = good ? amount_of(&search->costs[i]) : (struct amount){.broken = 1};
    }
    search->broken = good ? search->broken : broken;
    search->known_count++;
    show_progress(search);
    return known;
}

static bool is_tried(const struct search *search, const struct trial *trial)
{
    size_t bytes = (size_t)search->layers * sizeof *trial->layers;
    for (int i = 0; i < search->tried_count; i++) {
        if (memcmp(search->tried[i].layers, trial->layers, bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Measures a choice, which may become the best. */
static bool measure(struct search *search, struct trial *trial, const struct known **known,
                    struct error *err)
{
    struct text header = {0};
    bool good = emit_trial(search->job, trial->layers, &header, err);
    *known = good ? know(search, &header) : NULL;
    if (*known) {
        judge(search, (*known)->amounts, trial);
    }
    if (*known && better(trial, &search->best)) {
        search->best = *trial;
        search->at_best = *known;
    }
    if (search->tried_count < TRIED_MOST && !is_tried(search, trial)) {
        search->tried[search->tried_count++] = *trial;
    }
    text_free(&header);
    return good;
}

/* ---- predicting ---- */

static struct amount *effect_of(const struct search *search, int layer, int goal)
{
    return search->effects + (layer * EMIT_GOALS + goal) * search->targets;
}

/* What each goal of each layer changes, the others as in the best so far. */
static bool find_effects(struct search *search, struct error *err)
{
    search->base = search->best;
    search->at_base = search->at_best;
    for (int i = 0; i < search->layers * EMIT_GOALS; i++) {
        struct amount *effect = effect_of(search, i / EMIT_GOALS, i % EMIT_GOALS);
        struct trial trial = search->base;
        const struct known *known = NULL;
        trial.layers[i / EMIT_GOALS] = (enum optimise)(i % EMIT_GOALS);
        if (!measure(search, &trial, &known, err)) {
            return false;
        }
        for (int t = 0; t < search->targets; t++) {
            effect[t] = known ? known->amounts[t] : (struct amount){.broken = 1};
            add_amount(&effect[t], &search->at_base->amounts[t], -1);
        }
    }
    return true;
}

/* The choices of the layers from `layer` on that leave the base in so many at most: the sums of
 * their effects, and whether one of them is the best. */
static void predict(struct search *search, struct trial *trial, int layer, int changes)
{
    if (layer == search->layers) {
        judge(search, search->sums, trial);
        if (better(trial, &search->next) && !is_tried(search, trial)) {
            search->next = *trial;
        }
        return;
    }
    for (int goal = 0; goal < EMIT_GOALS; goal++) {
        bool changed = goal != (int)search->base.layers[layer];
        const struct amount *effect = effect_of(search, layer, goal);
        if (changed && changes == 0) {
            continue;
        }
        trial->layers[layer] = (enum optimise)goal;
        for (int t = 0; t < search->targets; t++) {
            add_amount(&search->sums[t], &effect[t], 1);
        }
        predict(search, trial, layer + 1, changes - changed);
        for (int t = 0; t < search->targets; t++) {
            add_amount(&search->sums[t], &effect[t], -1);
        }
    }
}

/* The best of the choices that were not tried, as predicted; false where it is no better than what
 * is best. */
static bool predict_next(struct search *search)
{
    struct trial trial = search->base;
    int changes = search->layers <= EXACT_MOST ? search->layers : FEW_CHANGES;
    search->next = search->best;
    memcpy(search->sums, search->at_base->amounts, (size_t)search->targets * sizeof *search->sums);
    predict(search, &trial, 0, changes);
    return better(&search->next, &search->best);
}

/* Measures what is predicted to be better than the best, as long as that finds something. */
static bool follow(struct search *search, struct error *err)
{
    int wrong = 0;
    while (wrong < WRONG_MOST && predict_next(search)) {
        const struct known *best = search->at_best;
        const struct known *known = NULL;
        if (!measure(search, &search->next, &known, err)) {
            return false;
        }
        wrong = search->at_best != best ? 0 : wrong + 1;
    }
    return true;
}

/* ---- the search ---- */

/* All layers alike. */
static bool begin(struct search *search, struct error *err)
{
    static const enum optimise goals[] = {OPTIMISE_SPEED, OPTIMISE_BALANCED, OPTIMISE_SIZE};
    search->best.over = 1e18;
    for (size_t g = 0; g < sizeof goals / sizeof *goals; g++) {
        struct trial trial = {.over = 0};
        const struct known *known = NULL;
        for (int i = 0; i < search->layers; i++) {
            trial.layers[i] = goals[g];
        }
        if (!measure(search, &trial, &known, err)) {
            return false;
        }
    }
    return true;
}

static bool search_new(struct search *search, struct layers_job *job, struct error *err)
{
    struct arena *arena = job->arena;
    size_t targets = (size_t)job->list->count;
    size_t effects = (size_t)net_row_layers(job->net) * EMIT_GOALS;
    *search = (struct search){
        .job = job,
        .layers = net_row_layers(job->net),
        .targets = job->list->count,
        .known = arena_alloc(arena, TRIALS_MOST, sizeof *search->known),
        .amounts = arena_alloc(arena, TRIALS_MOST, targets * sizeof *search->amounts),
        .tried = arena_alloc(arena, TRIED_MOST, sizeof *search->tried),
        .costs = arena_alloc(arena, targets, sizeof *search->costs),
        .effects = arena_alloc(arena, effects, targets * sizeof *search->effects),
        .sums = arena_alloc(arena, targets, sizeof *search->sums),
    };
    bool room = search->known && search->amounts && search->tried && search->costs &&
                search->effects && search->sums;
    return room || fail_memory(err);
}

bool layers_search(struct layers_job *job, struct error *err)
{
    struct search search;
    if (!search_new(&search, job, err)) {
        return false;
    }
    search.progress = progress_start(false);
    const struct known *base = NULL;
    bool good = begin(&search, err);
    while (good && search.at_best != base) {
        base = search.at_best;
        good = find_effects(&search, err) && follow(&search, err);
    }
    progress_end(&search.progress);
    if (good && search.best.over >= NO_ROOM) {
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
