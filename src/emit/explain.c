/* Why each layer got its kernel, for people to read. */
#include "emit/kernel.h"
#include "emit/map.h"

#include <string.h>

const char *emit_goal_name(enum optimise goal)
{
    static const char *const names[EMIT_GOALS] = {
        [OPTIMISE_SIZE] = "size", [OPTIMISE_SPEED] = "speed", [OPTIMISE_BALANCED] = "balanced"};
    return names[goal];
}

static const char *goal(const struct plan *plan)
{
    switch (plan->options->optimise) {
    case OPTIMISE_SIZE: return "flash";
    case OPTIMISE_SPEED: return "time";
    case OPTIMISE_BALANCED: return "bytes times time";
    }
    return "";
}

/* The row whose sums take the most values, where that is what keeps it from a word. */
static void explain_widest(struct text *out, const struct plan *plan, int index)
{
    char values[GROUPED_MAX];
    char most[GROUPED_MAX];
    int row = 0;
    int64_t widest = pack_widest(plan, index, &row);
    if (widest > PACK_VALUES) {
        text_printf(out, "; the sums of row %d take %s values, a half word %s", row,
                    grouped(widest, values), grouped(PACK_VALUES, most));
    }
}

/* Why the taken one is, where it is not the least; NULL: it is. */
static const char *reason(const struct plan *plan, int index, const struct choice *taken)
{
    const struct step *step = &plan->steps[index];
    bool least = true;
    bool small = true;
    for (int i = 0; i < step->choice_count; i++) {
        const struct choice *other = &step->choices[i];
        least = least && (other->why || plan_score(plan, other) >= plan_score(plan, taken));
        small = small && (other->why || other->cost.cycles >= taken->cost.cycles ||
                          other->cost.bytes > taken->cost.bytes);
    }
    if (plan->options->kernel &&
        strcmp(plan->options->kernel, kernel_name(taken->kernel->kind)) == 0) {
        return "as --kernel says";
    }
    bool budget = plan->options->flash > 0 || plan->options->cycles > 0;
    return least || plan->options->kernel                       ? NULL
           : budget                                             ? "for the budget"
           : plan->options->optimise == OPTIMISE_SPEED && small ? "less flash, hardly more time"
                                                                : NULL;
}

/* "* packed      496 B      872 cycles; 14 of 16 rows": marked where it was taken. */
static void explain_choice(struct text *out, const struct plan *plan, int index,
                           const struct choice *choice)
{
    const struct layer *layer = &plan->net->layers[index];
    char bytes[GROUPED_MAX];
    char cycles[GROUPED_MAX];
    bool taken = choice == plan_choice(plan, index);
    text_printf(out, "  %c %-10s", taken ? '*' : ' ', kernel_name(choice->kernel->kind));
    bool known = plan->machine->has[choice->kernel->kind];
    if (choice->fitting > 0 && !known) {
        text_printf(out, " not measured on %s", plan->machine->title);
    } else if (choice->fitting > 0) {
        text_printf(out, " %9s B %11s %s", grouped(choice->cost.bytes, bytes),
                    grouped(choice->cost.cycles, cycles), plan->machine->unit);
    }
    if (choice->fitting > 0 && choice->fitting < layer->weights.rows) {
        text_printf(out, "; %d of %d rows", choice->fitting, layer->weights.rows);
    }
    if (choice->kernel == &kernel_packed && choice->fitting < layer->weights.rows) {
        explain_widest(out, plan, index);
    }
    const char *why = choice->why || !taken ? choice->why : reason(plan, index, choice);
    if (why) {
        text_printf(out, "; %s", why);
    }
    text_add(out, "\n");
}

static void explain_dense(struct text *out, const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    char bound[GROUPED_MAX];
    text_printf(out, "layer %d: %d -> %d, %s; |acc| <= %s\n", step->number, layer->weights.columns,
                layer->weights.rows,
                layer->activation == ACTIVATION_NONE ? "linear"
                                                     : activation_name(layer->activation),
                grouped(step->bounds[step->worst], bound));
    if (step->form == FORM_DEAD) {
        text_add(out, "    nothing: no output depends on it\n");
        return;
    }
    for (int i = 0; i < step->choice_count; i++) {
        explain_choice(out, plan, index, &step->choices[i]);
    }
}

/* What the candidates are, a line each. */
static void explain_kernels(struct text *out, const struct plan *plan)
{
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (plan->machine->has[k]) {
            text_printf(out, "  %-10s   %s\n", kernel_name((enum kernel_kind)k),
                        kernel_at((enum kernel_kind)k)->what);
        }
    }
}

bool emit_explain(const struct net *net, const struct emit_options *options, struct text *out,
                  struct error *err)
{
    struct plan *plan = plan_new(net, options);
    if (!plan) {
        return fail_memory(err);
    }
    if (plan->maps) {
        bool good = map_explain(out, plan);
        plan_free(plan);
        return !good || out->failed ? fail_memory(err) : true;
    }
    text_printf(out, "least %s, by what the kernels were measured to cost on %s:\n", goal(plan),
                plan->machine->title);
    explain_kernels(out, plan);
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op == OP_DENSE) {
            explain_dense(out, plan, i);
        }
    }
    plan_free(plan);
    return out->failed ? fail_memory(err) : true;
}
