/* --explain of nets on maps: what computes each layer, and what else could. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* In the order in which they are told. */
static const enum optimise told[EMIT_GOALS] = {OPTIMISE_SPEED, OPTIMISE_BALANCED, OPTIMISE_SIZE};

enum kernel_of_maps {
#define MAP_KERNEL(NAME, name, what, needs) KERNEL_OF_MAPS_##NAME,
#include "emit/map_kernels.def"
#undef MAP_KERNEL
    KERNELS_OF_MAPS
};

static const struct {
    const char *name;
    const char *what;
    const char *needs;
} kernels[KERNELS_OF_MAPS] = {
#define MAP_KERNEL(NAME, name, what, needs) {name, what, needs},
#include "emit/map_kernels.def"
#undef MAP_KERNEL
};

/* A layer made for some goal. */
struct made {
    enum kernel_of_maps kernel;
    int64_t weight_bytes;
    struct emit_price price;
};

/* One layer with weights in all of its ways. */
struct ways {
    struct made made[EMIT_GOALS];
    bool same[EMIT_GOALS][EMIT_GOALS]; /* do two goals make the same of it? */
    enum optimise taken;
};

static enum kernel_of_maps kernel_of(const struct plan *plan, int layer)
{
    static const enum kernel_of_maps forms[] = {[AS_LISTS] = KERNEL_OF_MAPS_LISTS,
                                                [AS_STEPS] = KERNEL_OF_MAPS_STEPS,
                                                [AS_BITS] = KERNEL_OF_MAPS_BITS};
    const struct map_rows *rows = &plan->maps->rows[layer];
    return rows->lanes                    ? forms[rows->lanes->form]
           : rows->direct                 ? KERNEL_OF_MAPS_LINE
           : rows->planes > 0             ? KERNEL_OF_MAPS_PLANES
           : rows->sparse                 ? KERNEL_OF_MAPS_INPUTS
           : map_goes_across(plan, layer) ? KERNEL_OF_MAPS_ROW
                                          : KERNEL_OF_MAPS_LOOP;
}

/* ---- finding out ---- */

/* The kernel of layer `layer`, the `which`th with weights, where it is made for `goal` and the
 * others as they are.  False when out of memory. */
static bool try_goal(const struct plan *plan, int layer, int which, enum optimise goal,
                     struct made *made)
{
    enum optimise goals[NET_LAYERS_MAX];
    struct emit_options options = *plan->options;
    int count = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (op_has_rows(plan->net->layers[i].op)) {
            goals[count++] = plan->maps->goals[i];
        }
    }
    goals[which] = goal;
    options.layers = goals;
    struct plan *other = plan_new(plan->net, &options);
    if (other) {
        made->kernel = kernel_of(other, layer);
        made->weight_bytes = map_weight_bytes(other, layer);
    }
    plan_free(other);
    return other;
}

static bool same_price(const struct emit_price *a, const struct emit_price *b)
{
    return a->flash == b->flash && a->ram == b->ram && a->time == b->time;
}

static bool find_ways(const struct plan *plan, int layer, int which, struct ways *ways)
{
    const struct emit_prices *prices = plan->options->prices;
    *ways = (struct ways){.taken = plan->maps->goals[layer]};
    for (int g = 0; g < EMIT_GOALS; g++) {
        if (!try_goal(plan, layer, which, (enum optimise)g, &ways->made[g])) {
            return false;
        }
        ways->made[g].price =
            prices ? prices->layers[which * EMIT_GOALS + g] : (struct emit_price){-1, -1, -1};
    }
    for (int i = 0; i < EMIT_GOALS * EMIT_GOALS; i++) {
        const struct made *a = &ways->made[i / EMIT_GOALS];
        const struct made *b = &ways->made[i % EMIT_GOALS];
        ways->same[i / EMIT_GOALS][i % EMIT_GOALS] = a->kernel == b->kernel &&
                                                     a->weight_bytes == b->weight_bytes &&
                                                     same_price(&a->price, &b->price);
    }
    return true;
}

/* ---- telling ---- */

/* "speed, balanced": the goals that make the same of a layer as `goal`. */
static void add_goals(char *text, size_t size, const struct ways *ways, enum optimise goal)
{
    text[0] = 0;
    for (int i = 0; i < EMIT_GOALS; i++) {
        if (ways->same[goal][told[i]]) {
            size_t used = strlen(text);
            (void)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                           emit_goal_name(told[i]));
        }
    }
}

/* "+1 234 B" */
static void add_change(struct text *out, int64_t change, int width, const char *unit)
{
    char number[GROUPED_MAX];
    char text[GROUPED_MAX + 1];
    (void)snprintf(text, sizeof text, "%s%s", change > 0 ? "+" : "", grouped(change, number));
    text_printf(out, " %*s %s", width, text, unit);
}

static void tell_way(struct text *out, const struct plan *plan, const struct ways *ways,
                     enum optimise goal)
{
    const struct made *made = &ways->made[goal];
    const struct emit_prices *prices = plan->options->prices;
    bool taken = ways->same[goal][ways->taken];
    char goals[40];
    char bytes[GROUPED_MAX];
    add_goals(goals, sizeof goals, ways, goal);
    text_printf(out, "  %c %-7s %-21s %6s B", taken ? '*' : ' ', kernels[made->kernel].name, goals,
                grouped(made->weight_bytes, bytes));
    if (prices && !taken && made->price.flash >= 0) {
        add_change(out, made->price.flash - prices->whole.flash, 8, "B");
        add_change(out, made->price.ram - prices->whole.ram, 7, "B");
        add_change(out, made->price.time - prices->whole.time, 11, prices->unit);
    } else if (prices && !taken) {
        text_add(out, "  does not fit");
    }
    text_add(out, "\n");
}

/* Each way once, then the kernels that none of them is. */
static void tell_ways(struct text *out, const struct plan *plan, const struct ways *ways)
{
    bool reached[KERNELS_OF_MAPS] = {false};
    for (int i = 0; i < EMIT_GOALS; i++) {
        bool first = true;
        for (int k = 0; k < i; k++) {
            first = first && !ways->same[told[i]][told[k]];
        }
        if (first) {
            tell_way(out, plan, ways, told[i]);
        }
        reached[ways->made[told[i]].kernel] = true;
    }
    text_add(out, "    not:");
    const char *before = " ";
    for (int k = 0; k < KERNELS_OF_MAPS; k++) {
        if (!reached[k]) {
            text_printf(out, "%s%s", before, kernels[k].name);
            before = ", ";
        }
    }
    text_add(out, "\n");
}

static const char *home_name(const struct map_view *view)
{
    return view->nowhere               ? "no array, its pool is computed at once"
           : view->in_lanes            ? "no array, rows are computed where they are read"
           : view->home == HOME_INPUT  ? "in"
           : view->home == HOME_OUTPUT ? "out"
                                       : "the buffer";
}

static void tell_layer(struct text *out, const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct map_view *view = &plan->maps->views[layer->output];
    const struct step *step = &plan->steps[index];
    char word[64];
    char size[GROUPED_MAX];
    char bound[GROUPED_MAX];
    map_layer_word(plan->net, layer, word, sizeof word);
    text_printf(out, "layer %d: %s, %s %s in %s", index, word, grouped(view->size, size),
                view->packed ? "bytes of two elements" : "elements", home_name(view));
    if (view->home == HOME_BUFFER && !view->nowhere && !view->in_lanes) {
        text_printf(out, " from %d", view->offset);
    }
    if (op_has_rows(layer->op)) {
        text_printf(out, "; |acc| <= %s", grouped(step->bounds[step->worst], bound));
    }
    text_add(out, "\n");
}

static void tell_kernels(struct text *out, const struct plan *plan)
{
    const struct emit_prices *prices = plan->options->prices;
    char flash[GROUPED_MAX];
    char ram[GROUPED_MAX];
    char time[GROUPED_MAX];
    text_add(out, "kernels, of which --optimise or --layers reach those that a layer allows:\n");
    for (int k = 0; k < KERNELS_OF_MAPS; k++) {
        const char *needs = kernels[k].needs;
        text_printf(out, "  %-7s %s%s%s\n", kernels[k].name, kernels[k].what,
                    *needs ? "\n          needs " : "", needs);
    }
    text_add(out, "each layer: its kernel (*) and others, for which goals, bytes of weights");
    if (prices) {
        text_printf(
            out, ", and what they change on\n%s: %s B of flash, %s B of RAM and stack, %s %s",
            prices->target, grouped(prices->whole.flash, flash), grouped(prices->whole.ram, ram),
            grouped(prices->whole.time, time), prices->unit);
    }
    text_add(out, "\n");
}

bool map_explain(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    int which = 0;
    tell_kernels(out, plan);
    for (int i = 0; i < net->layer_count; i++) {
        struct ways ways;
        tell_layer(out, plan, i);
        if (op_has_rows(net->layers[i].op)) {
            if (!find_ways(plan, i, which, &ways)) {
                return false;
            }
            tell_ways(out, plan, &ways);
            which++;
        }
    }
    return true;
}
