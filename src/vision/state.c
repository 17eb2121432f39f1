#include "vision/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- freezing ---- */

/* Share of the weights that rest from some time of the integer phase on. */
static double frozen_share(double time)
{
    static const double stages[][2] = {{0.9, 0.98}, {0.8, 0.92}, {0.7, 0.8},
                                       {0.6, 0.6},  {0.5, 0.35}, {0.4, 0.15}};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (time >= stages[i][0]) {
            return stages[i][1];
        }
    }
    return 0;
}

static int by_distance(const void *a, const void *b)
{
    const struct level_distance *x = a;
    const struct level_distance *y = b;
    if (x->value < y->value || x->value > y->value) {
        return x->value < y->value ? -1 : 1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

static void freeze_node(struct trainer *t, const struct node *node, double share,
                        struct level_distance *list)
{
    float *weights = t->learner.parameters + node->weight;
    const float *codes = t->learner.weights + node->weight;
    float *mask = t->mask + node->weight;
    size_t frozen = 0;
    size_t count = 0;
    for (size_t i = 0; i < node->weight_count; i++) {
        frozen += mask[i] <= 0;
        if (mask[i] > 0) {
            list[count++] = (struct level_distance){fabsf(weights[i] - codes[i]), (uint32_t)i};
        }
    }
    qsort(list, count, sizeof *list, by_distance);
    size_t wanted = (size_t)(share * (double)node->weight_count);
    for (size_t k = 0; k < count && frozen + k < wanted; k++) {
        mask[list[k].at] = 0;
        weights[list[k].at] = codes[list[k].at];
    }
}

void trainer_freeze(struct trainer *t, double time)
{
    double share = frozen_share(time);
    for (int i = 0; share > 0 && i < t->graph->node_count; i++) {
        const struct node *node = &t->graph->nodes[i];
        if (node->weighted) {
            freeze_node(t, node, share, t->distances);
        }
    }
}

/* ---- checkpoints ---- */

static void put_floats(struct text *out, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state_put_double(out, (double)values[i]);
    }
}

static void take_floats(struct bytes *in, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)state_double(in);
    }
}

void trainer_put(const struct trainer *t, struct text *out)
{
    const struct trainer_state *s = &t->state;
    size_t count = t->graph->count;
    state_put_u64(out, count);
    state_put_u64(out, t->learner.integer);
    state_put_u64(out, s->epoch);
    state_put_u64(out, s->settled);
    state_put_u64(out, s->steps);
    state_put_u64(out, s->averaged);
    state_put_double(out, s->power1);
    state_put_double(out, s->power2);
    put_floats(out, t->learner.parameters, count);
    put_floats(out, s->first, count);
    put_floats(out, s->second, count);
    put_floats(out, s->average, count);
    put_floats(out, t->mask, count);
    put_floats(out, t->decay, count);
    state_put_doubles(out, s->step, t->graph->row_count);
    state_put_doubles(out, s->step_first, t->graph->row_count);
    state_put_doubles(out, t->learner.unit, t->graph->row_count);
    state_put_doubles(out, t->learner.mean, t->graph->row_count);
    for (size_t row = 0; row < t->graph->row_count; row++) {
        state_put_u64(out, (uint64_t)t->learner.shift[row]);
    }
}

static bool take_shifts(struct trainer *t, struct bytes *in)
{
    bool good = true;
    for (size_t row = 0; row < t->graph->row_count; row++) {
        uint64_t shift = state_u64(in);
        good = good && shift <= NET_SHIFT_MAX;
        t->learner.shift[row] = good ? (int)shift : 0;
    }
    return good;
}

bool trainer_take(struct trainer *t, struct bytes *in)
{
    struct trainer_state *s = &t->state;
    size_t count = t->graph->count;
    if (state_u64(in) != count) {
        return false;
    }
    t->learner.integer = state_u64(in) != 0;
    s->epoch = (uint32_t)state_u64(in);
    s->settled = state_u64(in) != 0;
    s->steps = state_u64(in);
    s->averaged = state_u64(in);
    s->power1 = state_double(in);
    s->power2 = state_double(in);
    take_floats(in, t->learner.parameters, count);
    take_floats(in, s->first, count);
    take_floats(in, s->second, count);
    take_floats(in, s->average, count);
    take_floats(in, t->mask, count);
    take_floats(in, t->decay, count);
    state_doubles(in, s->step, t->graph->row_count);
    state_doubles(in, s->step_first, t->graph->row_count);
    state_doubles(in, t->learner.unit, t->graph->row_count);
    state_doubles(in, t->learner.mean, t->graph->row_count);
    bool good = take_shifts(t, in) && !in->bad &&
                s->epoch <= (uint32_t)(t->float_epochs + t->integer_epochs);
    if (good) {
        learner_refresh(&t->learner);
    }
    return good;
}
