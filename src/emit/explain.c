/* Why each layer got its kernel, for people to read. */
#include "emit/print.h"

#include <string.h>

/* "loop        524 B    3 120 cycles   " with a mark in front of what was taken. */
static void print_alternative(struct text *out, const char *kernel, bool taken,
                              struct estimate cost)
{
    char bytes[GROUPED_MAX];
    char cycles[GROUPED_MAX];
    text_printf(out, "  %c %-8s %9s B %11s cycles", taken ? '*' : ' ', kernel,
                grouped(cost.bytes, bytes), grouped(cost.cycles, cycles));
}

/* What kept the widest row from sharing a word; nothing where it could. */
static void print_widest(struct text *out, const struct choice *choice)
{
    char values[GROUPED_MAX];
    char most[GROUPED_MAX];
    if (choice->values > PACK_VALUES) {
        text_printf(out, ": the sums of row %d take %s values, a half word %s", choice->widest,
                    grouped(choice->values, values), grouped(PACK_VALUES, most));
    }
}

/* Why are rows that fit not packed?  Nothing where they are. */
static const char *packing_refused(const struct plan *plan, const struct step *step)
{
    if (step->packed > 0) {
        return "";
    }
    if (plan->options->optimise == OPTIMISE_SIZE) {
        return "; for speed only";
    }
    if (step->kernel == KERNEL_FUSED) {
        return "; an add takes its 32-bit sums";
    }
    return step->line ? "; slower" : "; the other rows are too many for a straight line";
}

static void print_packed(struct text *out, const struct plan *plan, int index)
{
    const struct step *step = &plan->steps[index];
    const struct choice *choice = &step->choice;
    if (choice->paired == 0) {
        text_add(out, "    packed   no two neighbouring rows fit");
        print_widest(out, choice);
    } else {
        print_alternative(out, "packed", step->packed > 0, choice->packed);
        text_printf(out, "; %d of %d rows in pairs", choice->paired,
                    plan->net->layers[index].weights.rows);
        print_widest(out, choice);
        text_add(out, packing_refused(plan, step));
    }
    text_add(out, "\n");
}

static void explain_dense(struct text *out, const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    const struct choice *choice = &step->choice;
    char bound[GROUPED_MAX];
    text_printf(out, "layer %d: %d -> %d, %s; |acc| <= %s\n", step->number, layer->weights.columns,
                layer->weights.rows,
                layer->activation == ACTIVATION_NONE ? "linear"
                                                     : activation_name(layer->activation),
                grouped(step->bounds[step->worst], bound));
    if (step->kernel == KERNEL_DEAD) {
        text_add(out, "    nothing: no output depends on it\n");
        return;
    }
    print_alternative(out, "loop", !step->line, choice->loop);
    text_add(out, "\n");
    print_alternative(out, "straight", step->line && !step->packed, choice->line);
    text_add(out, choice->line_long                          ? "; too many weights\n"
                  : plan->options->optimise == OPTIMISE_SIZE ? "; for speed only\n"
                                                             : "\n");
    print_packed(out, plan, index);
}

bool emit_explain(const struct net *net, enum optimise optimise, struct text *out,
                  struct error *err)
{
    struct emit_options options = {.optimise = optimise};
    struct plan *plan = plan_new(net, &options);
    if (!plan) {
        return fail_memory(err);
    }
    text_printf(out, "for %s; estimated for a Cortex-M0 without wait states\n",
                optimise == OPTIMISE_SPEED ? "speed" : "size");
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op == OP_DENSE) {
            explain_dense(out, plan, i);
        }
    }
    plan_free(plan);
    return out->failed ? fail_memory(err) : true;
}
