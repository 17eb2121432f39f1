#include "train/gradient.h"

#include <math.h>

static void set_codes(struct packed *s, size_t row, const int16_t *x)
{
    int32_t *words = s->codes + row * (size_t)s->pairs;
    for (int j = 0; j < s->pairs; j++) {
        uint32_t high = (uint32_t)(uint16_t)x[2 * j + 1] << 16;
        words[j] = (int32_t)(high | (uint16_t)x[2 * j]);
    }
}

/* Real targets, the class index, or one-hot targets in 0..1; `target` is working memory. */
static void set_targets(struct packed *s, size_t row, const struct problem *p, uint32_t data_row,
                        double *target)
{
    float *out = s->targets + row * (size_t)s->target_count;
    if (p->task == TASK_REGRESSION) {
        problem_target(p, data_row, target);
        for (int j = 0; j < p->outputs; j++) {
            out[j] = (float)target[j];
        }
        return;
    }
    int class = problem_class(p, data_row);
    if (s->target_count == 1) {
        out[0] = (float)class;
        return;
    }
    for (int j = 0; j < p->outputs; j++) {
        out[j] = j == class ? 1.0F : 0.0F;
    }
}

bool packed_new(struct packed *s, struct arena *arena, const struct problem *p, enum loss loss,
                const uint32_t *rows, size_t count)
{
    *s = (struct packed){.count = count,
                         .pairs = kernel_even(p->inputs) / 2,
                         .fraction = fixed_fraction(p->dense_type)};
    s->target_count = loss == LOSS_CROSS_ENTROPY ? 1 : p->outputs;
    s->codes = arena_alloc(arena, count * (size_t)s->pairs, sizeof *s->codes);
    s->targets = arena_alloc(arena, count * (size_t)s->target_count, sizeof *s->targets);
    int16_t *x = arena_alloc(arena, (size_t)kernel_even(p->inputs), sizeof *x);
    double *target = arena_alloc(arena, (size_t)p->outputs, sizeof *target);
    if (!s->codes || !s->targets || !x || !target) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        problem_input(p, rows[i], x);
        set_codes(s, i, x);
        set_targets(s, i, p, rows[i], target);
    }
    return true;
}

/* A code as a value. */
static double input_value(const struct packed *s, size_t row, int input)
{
    int32_t word = s->codes[row * (size_t)s->pairs + (size_t)(input / 2)];
    int16_t code = (int16_t)(input % 2 ? word >> 16 : word & 0xffff);
    return ldexp(code, -s->fraction);
}

void packed_statistics(const struct packed *s, int inputs, double *mean, double *inverse)
{
    for (int j = 0; j < inputs; j++) {
        double sum = 0;
        for (size_t i = 0; i < s->count; i++) {
            sum += input_value(s, i, j);
        }
        mean[j] = sum / (double)s->count;
        double square = 0;
        for (size_t i = 0; i < s->count; i++) {
            double difference = input_value(s, i, j) - mean[j];
            square += difference * difference;
        }
        double deviation = sqrt(square / (double)s->count);
        inverse[j] = deviation < 0x1p-14 ? 0 : 1 / deviation;
    }
}
