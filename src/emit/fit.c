/* Kernels within a budget: from the best of each layer, switch to others where that saves most for
 * what it costs, until the estimates of all dense layers together keep the limit. */
#include "emit/kernel.h"

/* A figure of a choice: bytes, or time. */
static int64_t figure(const struct choice *choice, bool time)
{
    return time ? choice->cost.cycles : choice->cost.bytes;
}

static int64_t total(const struct plan *plan, bool time)
{
    int64_t sum = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        sum += plan->steps[i].choice_count ? figure(plan_choice(plan, i), time) : 0;
    }
    return sum;
}

struct change {
    int layer; /* -1: none */
    int choice;
    double price; /* of the other figure, for one saved */
};

/* The change of one layer that saves at the least price. */
static struct change cheapest(const struct plan *plan, bool time)
{
    struct change best = {-1, 0, 0};
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct step *step = &plan->steps[i];
        for (int k = 0; k < step->choice_count; k++) {
            const struct choice *now = plan_choice(plan, i);
            const struct choice *other = &step->choices[k];
            int64_t saved = figure(now, time) - figure(other, time);
            int64_t paid = figure(other, !time) - figure(now, !time);
            double price = (double)paid / (double)(saved > 0 ? saved : 1);
            if (!other->why && saved > 0 && (best.layer < 0 || price < best.price)) {
                best = (struct change){i, k, price};
            }
        }
    }
    return best;
}

static void keep(struct plan *plan, int64_t limit, bool time)
{
    while (total(plan, time) > limit) {
        struct change change = cheapest(plan, time);
        if (change.layer < 0) {
            return;
        }
        plan->steps[change.layer].chosen = change.choice;
    }
}

void plan_fit(struct plan *plan)
{
    const struct emit_options *options = plan->options;
    if (options->flash > 0) {
        keep(plan, options->flash, false);
    }
    if (options->cycles > 0) {
        keep(plan, options->cycles, true);
    }
}
