#include "train/samples.h"

#include <math.h>

bool sample_set_new(struct sample_set *samples, struct arena *arena, const struct problem *p,
                    size_t capacity)
{
    *samples = (struct sample_set){0};
    samples->x = arena_alloc(arena, capacity * (size_t)p->inputs, sizeof *samples->x);
    samples->t = arena_alloc(arena, capacity * (size_t)p->outputs, sizeof *samples->t);
    return samples->x && samples->t;
}

void sample_set_fill(struct sample_set *samples, const struct problem *p, const uint32_t *rows,
                     size_t row_count, size_t first, size_t count)
{
    size_t inputs = (size_t)p->inputs;
    int16_t codes[TRAIN_WIDTH_MAX];
    samples->count = count < row_count ? count : row_count;
    for (size_t i = 0; i < samples->count; i++) {
        size_t row = rows[(first + i) % row_count];
        problem_input(p, row, codes);
        for (size_t j = 0; j < inputs; j++) {
            samples->x[i * inputs + j] = codes[j] * p->input_unit;
        }
        problem_target(p, row, samples->t + i * (size_t)p->outputs);
    }
}

bool fixed_memory_new(struct fixed_memory *memory, struct arena *arena, const struct fixed *fixed)
{
    size_t inputs = (size_t)fixed->layers[0].columns;
    size_t outputs = (size_t)fixed->layers[fixed->layer_count - 1].rows;
    memory->scratch = arena_alloc(arena, fixed_scratch(fixed), sizeof *memory->scratch);
    memory->y = arena_alloc(arena, outputs, sizeof *memory->y);
    memory->x = arena_alloc(arena, inputs, sizeof *memory->x);
    return memory->scratch && memory->y && memory->x;
}

double sample_set_fixed_loss(const struct sample_set *samples, const struct problem *p,
                             const struct fixed *fixed, const struct fixed_memory *memory)
{
    size_t inputs = (size_t)p->inputs;
    size_t outputs = (size_t)p->outputs;
    double unit = ldexp(1, p->extra - 15);
    double loss = 0;
    for (size_t s = 0; s < samples->count; s++) {
        for (size_t j = 0; j < inputs; j++) {
            memory->x[j] = (int16_t)(samples->x[s * inputs + j] / p->input_unit);
        }
        fixed_forward(fixed, memory->x, memory->y, memory->scratch);
        for (size_t o = 0; o < outputs; o++) {
            double r = p->weight[o] * (memory->y[o] * unit - samples->t[s * outputs + o]);
            loss += r * r;
        }
    }
    return samples->count ? loss / (double)samples->count : 0;
}
