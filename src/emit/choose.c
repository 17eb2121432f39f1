/* Which kernel computes which rows of a dense layer. */
#include "emit/kernel.h"

#include <string.h>

const struct choice *plan_choice(const struct plan *plan, int index)
{
    return &plan->steps[index].choices[plan->steps[index].chosen];
}

int plan_rows_of(const struct plan *plan, int index, const struct kernel *kernel)
{
    const struct choice *choice = plan_choice(plan, index);
    int rows = 0;
    for (int i = 0; i < choice->span_count; i++) {
        rows += choice->spans[i].kernel == kernel ? choice->spans[i].rows : 0;
    }
    return rows;
}

const struct kernel *plan_kernel(const struct plan *plan, int index)
{
    const struct choice *choice = plan_choice(plan, index);
    return choice->span_count == 1 ? choice->spans[0].kernel : NULL;
}

int plan_series_read(const struct plan *plan, int index, const struct series **series)
{
    const struct step *step = &plan->steps[index];
    const struct choice *choice = plan_choice(plan, index);
    int read = 0;
    int count = 0;
    for (int i = 0; i < choice->span_count; i++) {
        read |= choice->spans[i].kernel->series;
    }
    if (read & SERIES_BIAS) {
        series[count++] = &step->bias;
    }
    if (read & SERIES_SHIFT) {
        series[count++] = &step->shift;
    }
    if (read & SERIES_OFFSET) {
        series[count++] = &step->offset;
    }
    return count;
}

/* ---- spans ---- */

static bool row_fits(const struct plan *plan, int index, const struct kernel *kernel, int row)
{
    bool fits = !kernel->fits || kernel->fits(plan, index, row);
    for (int i = 0; fits && kernel->whole && i < plan->net->layers[index].weights.rows; i++) {
        fits = kernel->fits(plan, index, i);
    }
    return fits;
}

/* Append rows; they join the ones before them where the kernel is the same and takes any number. */
static void add_span(struct choice *choice, const struct kernel *kernel, int first, int rows)
{
    struct span *last = choice->span_count ? &choice->spans[choice->span_count - 1] : NULL;
    if (rows == 0) {
        return;
    }
    if (last && last->kernel == kernel && kernel->group == 1) {
        last->rows += rows;
        return;
    }
    int before = 0;
    for (int i = 0; i < choice->span_count; i++) {
        before += choice->spans[i].kernel == kernel ? choice->spans[i].rows : 0;
    }
    choice->spans[choice->span_count++] =
        (struct span){.kernel = kernel, .first = first, .rows = rows, .before = before};
}

/* Runs of rows that fit, in groups; the others, and those left over, by `rest`. */
static void find_spans(const struct plan *plan, int index, struct choice *choice,
                       const struct kernel *rest)
{
    const struct kernel *kernel = choice->kernel;
    int rows = plan->net->layers[index].weights.rows;
    for (int first = 0; first < rows;) {
        bool fits = row_fits(plan, index, kernel, first);
        int end = first + 1;
        while (end < rows && row_fits(plan, index, kernel, end) == fits) {
            end++;
        }
        int taken = 0;
        for (const struct kernel *k = kernel; fits && k; k = k->smaller) {
            int rows_left = end - first - taken;
            add_span(choice, k, first + taken, rows_left - rows_left % k->group);
            taken += rows_left - rows_left % k->group;
            choice->fitting += k == kernel ? taken : 0;
        }
        add_span(choice, rest, first + taken, end - first - taken);
        first = end;
    }
}

/* ---- what may be taken ---- */

/* Weights and rows that cost code in the spans of kernels whose code grows with them. */
static int64_t flat_weights(const struct plan *plan, int index, const struct choice *choice)
{
    const struct layer *layer = &plan->net->layers[index];
    size_t columns = (size_t)layer->weights.columns;
    int64_t found = 0;
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        size_t end = ((size_t)span->first + (size_t)span->rows) * columns;
        for (size_t w = (size_t)span->first * columns; span->kernel->flat && w < end; w++) {
            found += layer->weights.values[w] != 0;
        }
        found += span->kernel->flat ? span->rows : 0;
    }
    return found;
}

bool plan_proved(const struct plan *plan, int index, const struct choice *choice)
{
    bool holds = true;
    for (int i = 0; holds && i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        holds = !span->kernel->proved || span->kernel->proved(plan, index, span);
    }
    return holds;
}

/* Why this choice cannot be taken; NULL: it can. */
static const char *refusal(const struct plan *plan, int index, const struct choice *choice)
{
    if (choice->fitting == 0) {
        return choice->kernel->group > 1 ? "no two neighbouring rows fit" : "no row fits";
    }
    if (plan->options->constant_time && !steady_choice(plan, index, choice)) {
        return "its time depends on the data";
    }
    const struct kernel *first = choice->spans[0].kernel;
    if (plan_feeds_add(plan, index) &&
        (choice->span_count > 1 || (first->shape == SHAPE_SPAN && !first->sums))) {
        return "an add takes its 32-bit sums";
    }
    if (flat_weights(plan, index, choice) > LINE_WEIGHTS_MAX) {
        return "too many weights for straight-line code";
    }
    if (!plan_proved(plan, index, choice)) {
        return "a prover's intervals of its multiples leave 32 bits";
    }
    return NULL;
}

/* Rows that a kernel cannot take go to a straight line, or to loops where flash counts most. */
static const struct kernel *rest_of(const struct plan *plan)
{
    return plan->options->optimise == OPTIMISE_SIZE ? &kernel_loop : &kernel_line;
}

/* A layer in one kernel, as far as it fits; false when out of memory. */
static bool make_choice(struct plan *plan, int index, const struct kernel *kernel)
{
    struct step *step = &plan->steps[index];
    struct choice *choice = &step->choices[step->choice_count];
    size_t rows = (size_t)plan->net->layers[index].weights.rows;
    *choice = (struct choice){.kernel = kernel};
    choice->spans = arena_alloc(plan->arena, kernel->fits ? rows : 1, sizeof *choice->spans);
    if (!choice->spans || (kernel->prepare && !kernel->prepare(plan, index))) {
        return false;
    }
    find_spans(plan, index, choice, rest_of(plan));
    for (int i = 0; i < choice->span_count; i++) {
        struct estimate cost = estimate_span(plan, index, &choice->spans[i]);
        choice->cost.bytes += cost.bytes;
        choice->cost.cycles += cost.cycles;
    }
    choice->why = refusal(plan, index, choice);
    step->choice_count++;
    return true;
}

/* ---- choosing ---- */

/* For speed, code of this part more cycles is taken where it needs less flash. */
#define SPEED_SLACK 16

int64_t plan_score(const struct plan *plan, const struct choice *choice)
{
    switch (plan->options->optimise) {
    case OPTIMISE_SIZE: return choice->cost.bytes;
    case OPTIMISE_SPEED: return choice->cost.cycles;
    case OPTIMISE_BALANCED: return (choice->cost.bytes + 1) * (choice->cost.cycles + 1);
    }
    return 0;
}

/* The loop stands first and may always be taken, unless its time must not depend on the data. */
static int first_choice(const struct step *step)
{
    for (int i = 0; i < step->choice_count; i++) {
        if (!step->choices[i].why) {
            return i;
        }
    }
    return 0;
}

static void choose_best(const struct plan *plan, struct step *step)
{
    step->chosen = first_choice(step);
    for (int i = 1; i < step->choice_count; i++) {
        const struct choice *choice = &step->choices[i];
        if (!choice->why &&
            plan_score(plan, choice) < plan_score(plan, &step->choices[step->chosen])) {
            step->chosen = i;
        }
    }
    const struct choice *best = &step->choices[step->chosen];
    int64_t most = best->cost.cycles + best->cost.cycles / SPEED_SLACK;
    for (int i = 0; plan->options->optimise == OPTIMISE_SPEED && i < step->choice_count; i++) {
        const struct choice *choice = &step->choices[i];
        if (!choice->why && choice->cost.cycles <= most &&
            choice->cost.bytes < step->choices[step->chosen].cost.bytes) {
            step->chosen = i;
        }
    }
}

/* The kernel that the options name, where it may be taken. */
static void choose_named(const struct plan *plan, struct step *step)
{
    enum kernel_kind kind;
    step->chosen = first_choice(step);
    for (int i = 0; i < step->choice_count; i++) {
        bool named =
            kernel_parse(plan->options->kernel, &kind) && step->choices[i].kernel->kind == kind;
        if (named && !step->choices[i].why) {
            step->chosen = i;
        }
    }
}

/* Has the machine costs for it, do the options name it, or does nothing else take the same time for
 * all data? */
static bool candidate(const struct plan *plan, int index, enum kernel_kind kind)
{
    enum kernel_kind named;
    bool alone = plan->options->constant_time && plan->machine->no_multiplier &&
                 plan->net->layers[index].weights.bits > 8;
    return (alone && kernel_at(kind)->adds) || plan->machine->has[kind] ||
           (plan->options->kernel && kernel_parse(plan->options->kernel, &named) && named == kind);
}

static void choose(const struct plan *plan, struct step *step)
{
    if (plan->options->kernel) {
        choose_named(plan, step);
    } else {
        choose_best(plan, step);
    }
}

/* What several kernels keep in the same place is now the chosen one's; false when out of memory. */
static bool prepare_chosen(struct plan *plan, int index)
{
    bool dense = plan->steps[index].choice_count > 0;
    const struct kernel *kernel = dense ? plan_choice(plan, index)->kernel : NULL;
    return !kernel || !kernel->prepare || kernel->prepare(plan, index);
}

bool plan_choose_again(struct plan *plan, int index, const char *why)
{
    struct step *step = &plan->steps[index];
    step->choices[step->chosen].why = why;
    choose(plan, step);
    return prepare_chosen(plan, index);
}

bool plan_choose(struct plan *plan)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        struct step *step = &plan->steps[i];
        for (int k = 0; plan->net->layers[i].op == OP_DENSE && k < KERNEL_COUNT; k++) {
            enum kernel_kind kind = (enum kernel_kind)k;
            if (candidate(plan, i, kind) && !make_choice(plan, i, kernel_at(kind))) {
                return false;
            }
        }
        choose(plan, step);
    }
    if (!plan->options->kernel) {
        plan_fit(plan);
    }
    bool done = true;
    for (int i = 0; done && i < plan->net->layer_count; i++) {
        done = prepare_chosen(plan, i);
    }
    return done;
}
