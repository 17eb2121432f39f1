#include "support/gradient_nets.h"

#include "support/unit.h"

#include <math.h>
#include <stdlib.h>

static void fill_row(float *row, int inputs, int outputs, int classes, struct rng *rng)
{
    double sum = 0;
    for (int j = 0; j < inputs; j++) {
        double value = rng_uniform(rng, -1, 1) * (j % 3 + 1);
        row[j] = (float)value;
        sum += value * (j % 2 ? 1 : -0.7);
    }
    for (int j = 0; j < outputs; j++) {
        double value = sum * (j + 1) * 0.3 + (double)row[j % inputs] * (double)row[0];
        row[inputs + j] = (float)value;
    }
    if (classes > 0) {
        int class = (int)floor((sum + 3) / 6 * classes);
        row[inputs] = (float)(class < 0 ? 0 : class >= classes ? classes - 1 : class);
    }
}

/* Give a table of numbers the classes that its last column holds. */
static void set_classes(struct made *made, int classes)
{
    const char **names = arena_alloc(made->arena, (size_t)classes, sizeof *names);
    assert_non_null(names);
    for (int i = 0; i < classes; i++) {
        char name[2] = {(char)('a' + i), 0};
        names[i] = arena_string(made->arena, name);
    }
    made->data->class_count = classes;
    made->data->classes = names;
    made->data->label = "";
}

void made_new(struct made *made, int inputs, int outputs, int classes, size_t rows)
{
    struct error err = {0};
    struct rng rng = rng_new(7, (uint64_t)(inputs * 100 + outputs * 10 + classes));
    size_t width = (size_t)(inputs + outputs);
    float *values = malloc(rows * width * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < rows; i++) {
        fill_row(values + i * width, inputs, outputs, classes, &rng);
    }
    *made = (struct made){.arena = arena_new(), .options = {.seed = 3}};
    made->data = data_from_rows(values, rows, inputs, outputs, &err);
    free(values);
    assert_true(made->arena && made->data);
    if (classes > 0) {
        set_classes(made, classes);
    }
    made_problem(made);
}

void made_problem(struct made *made)
{
    struct error err = {0};
    bool classes = made->data->class_count > 0;
    problem_free(&made->problem);
    assert_true(problem_new(&made->problem, made->data, &made->options, &err));
    assert_true(packed_new(&made->packed, made->arena, &made->problem,
                           classes ? LOSS_CROSS_ENTROPY : LOSS_MSE, made->problem.rows[PART_TRAIN],
                           made->problem.counts[PART_TRAIN]));
}

void made_free(struct made *made)
{
    problem_free(&made->problem);
    data_free(made->data);
    arena_free(made->arena);
}

void made_net(const struct made *made, struct gradient *g, struct gradient_shape shape,
              const int *hidden, const char *isa)
{
    struct error err = {0};
    struct topology *t = &shape.topology;
    shape.dense_type = made->problem.dense_type;
    shape.hidden_type = made->problem.hidden_type;
    t->layer_count = 0;
    t->widths[0] = made->problem.inputs;
    while (hidden[t->layer_count]) {
        t->widths[t->layer_count + 1] = hidden[t->layer_count];
        t->layer_count++;
    }
    t->widths[++t->layer_count] = made->problem.outputs;
    *g = (struct gradient){.kernels = kernels_pick(isa, &err)};
    g->settings = gradient_settings(&made->problem, 5);
    assert_non_null(g->kernels);
    assert_true(gradient_new(g, made->arena, &shape, &made->packed, NULL));
    gradient_init(g, &made->packed);
}
