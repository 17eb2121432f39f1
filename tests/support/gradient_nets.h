/* Small gradient-trained nets and their data for tests. */
#ifndef MOTE_TESTS_GRADIENT_NETS_H
#define MOTE_TESTS_GRADIENT_NETS_H

#include "train/gradient.h"

/* A problem on random rows, smooth targets (or `classes` classes: outputs is 1), and all of it
 * packed; free with made_free(). */
struct made {
    struct arena *arena;
    struct dataset *data;
    struct train_options options;
    struct problem problem;
    struct packed packed; /* every row of the training part */
};

/* Fails the test when it cannot. */
void made_new(struct made *made, int inputs, int outputs, int classes, size_t rows);

/* The problem and the rows anew, after made->options have changed. */
void made_problem(struct made *made);

void made_free(struct made *made);

/* A net of `hidden` (0-terminated) layers on that data with random weights. */
void made_net(const struct made *made, struct gradient *g, struct gradient_shape shape,
              const int *hidden, const char *isa);

#endif
