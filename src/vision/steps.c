/* Learned steps of the integer phase: LSQ (Esser et al. 2020) on powers of two.
 *
 * A row's level q stands for the weight q 2^-shift.  Beside its shift it has a real k = -log2 step,
 * which the gradient moves and which the forward pass sees rounded: k's whole part is the shift.
 * An exponent that follows every k jumps back and forth and spoils short trainings, so that it
 * moves only where k has left it by SLACK, and steps rest for good behind STEPS_LEARN of the phase.
 * The last layer's rows have one step, as their sums are the logits. */
#include "vision/trainer.h"

#include <math.h>

#define STEPS_LEARN  0.3  /* of the integer phase: steps move, then they rest */
#define SLACK        0.75 /* of k from the shift; behind a move a half more to come back */
#define LN2          0.693147180559945
#define SECOND_LEAST 1e-24 /* mean square of a gradient; less teaches nothing */

/* Rows with one step: a row, or the whole last layer. */
struct stepping {
    const struct node *node;
    int row, rows;        /* first and count, among all rows */
    size_t weight, count; /* first and count, among the parameters */
    float limit;          /* largest level */
};

static void each_step(struct trainer *t, void (*body)(struct trainer *t, const struct stepping *s))
{
    for (int i = 0; i < t->graph->node_count; i++) {
        const struct node *node = &t->graph->nodes[i];
        int each = node->last ? node->rows : 1;
        for (int r = 0; node->weighted && r < node->rows; r += each) {
            size_t columns = (size_t)sketch_columns(node->layer);
            struct stepping s = {.node = node,
                                 .row = node->row + r,
                                 .rows = each,
                                 .weight = node->weight + (size_t)r * columns,
                                 .count = columns * (size_t)each,
                                 .limit = (float)sketch_limit(node->layer)};
            body(t, &s);
        }
    }
}

bool trainer_steps_learn(const struct trainer *t, double time)
{
    return t->options->learned_steps && t->learner.integer && !t->state.settled &&
           time < STEPS_LEARN;
}

void trainer_start_steps(struct trainer *t)
{
    for (size_t row = 0; row < t->graph->row_count; row++) {
        t->state.step[row] = t->learner.shift[row];
        t->state.step_first[row] = 0;
    }
}

/* ---- the gradient ---- */

/* Slope of the loss by ln step, straight through the rounding: d (step q) / d ln step is the level
 * less the weight in levels, and the level alone where the weight is clipped. */
static double step_slope(const struct trainer *t, const struct stepping *s)
{
    const float *gradient = t->gradient + s->weight;
    const float *weights = t->learner.parameters + s->weight;
    const float *codes = t->learner.weights + s->weight;
    double slope = 0;
    for (size_t j = 0; j < s->count; j++) {
        double inside = fabsf(weights[j]) < s->limit ? (double)weights[j] : 0;
        slope += (double)gradient[j] * ((double)codes[j] - inside);
    }
    return slope;
}

/* Mean square of what Adam has seen of these weights' gradients. */
static double mean_square(const struct trainer *t, const struct stepping *s)
{
    double sum = 0;
    for (size_t j = 0; j < s->count; j++) {
        sum += (double)t->state.second[s->weight + j];
    }
    return sum / (double)s->count;
}

/* ---- what a shift may be ---- */

static double magnitude(const float *weights, size_t count)
{
    double sum = 0;
    for (size_t j = 0; j < count; j++) {
        sum += fabs((double)weights[j]);
    }
    return sum;
}

/* One more bit: the shift stays in range, the sums stay exact in floats with the room that folding
 * leaves, and no bias would be clamped. */
static bool may_be_finer(const struct trainer *t, const struct stepping *s)
{
    const struct learner *learner = &t->learner;
    size_t columns = s->count / (size_t)s->rows;
    if (learner->shift[s->row] >= VISION_SHIFT_MOST) {
        return false;
    }
    for (int r = 0; r < s->rows; r++) {
        const float *weights = learner->parameters + s->weight + (size_t)r * columns;
        if (2 * magnitude(weights, columns) > learner_largest_sum(learner, s->node) / 2 ||
            !learner_bias_has_room(learner, s->row + r)) {
            return false;
        }
    }
    return true;
}

static bool may_move(const struct trainer *t, const struct stepping *s, bool finer)
{
    return finer ? may_be_finer(t, s) : t->learner.shift[s->row] > 0;
}

/* ---- moves ---- */

/* With LSQ's scale of the gradient, 1 / sqrt(N Qmax), in the measure in which Adam moves these
 * weights: a step then moves in relation to itself about as weights do. */
static void move_step(struct trainer *t, const struct stepping *s)
{
    struct trainer_state *state = &t->state;
    double *k = &state->step[s->row];
    double *first = &state->step_first[s->row];
    double square = mean_square(t, s) / (1 - state->power2);
    *first = TRAINER_BETA1 * *first + (1 - TRAINER_BETA1) * step_slope(t, s);
    if (square > SECOND_LEAST) {
        double scale = 1 / sqrt((double)s->count * (double)s->limit);
        double slope = *first / (1 - state->power1) / sqrt(square);
        *k += t->step_rate * scale * slope / LN2;
    }
    double way = *k - t->learner.shift[s->row];
    double most = fabs(way) > 0.5 && !may_move(t, s, way > 0) ? 0.5 : 1;
    way = way > most ? most : way < -most ? -most : way;
    *k = t->learner.shift[s->row] + way;
}

void trainer_move_steps(struct trainer *t, double rate)
{
    t->step_rate = rate;
    each_step(t, move_step);
}

static void scale_floats(float *values, size_t count, float factor)
{
    for (size_t j = 0; j < count; j++) {
        values[j] *= factor;
    }
}

/* The function stays what it was but for the rounding: weights in levels, their average and their
 * moments go with the step.  Betas are in units of the output, whatever the shift. */
static void change_shift(struct trainer *t, const struct stepping *s, int by)
{
    float factor = by > 0 ? 2.0F : 0.5F;
    float back = by > 0 ? 0.5F : 2.0F;
    scale_floats(t->learner.parameters + s->weight, s->count, factor);
    scale_floats(t->state.average + s->weight, s->count, factor);
    scale_floats(t->state.first + s->weight, s->count, back);
    scale_floats(t->state.second + s->weight, s->count, back * back);
    for (int r = s->row; r < s->row + s->rows; r++) {
        t->learner.shift[r] += by;
    }
}

static void take_step(struct trainer *t, const struct stepping *s)
{
    double way = t->state.step[s->row] - t->learner.shift[s->row];
    if (fabs(way) > SLACK && may_move(t, s, way > 0)) {
        change_shift(t, s, way > 0 ? 1 : -1);
    }
}

void trainer_take_steps(struct trainer *t)
{
    each_step(t, take_step);
}
