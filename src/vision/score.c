/* Statistics that are fixed, and scores. */
#include "vision/trainer.h"

#include <string.h>

void trainer_statistics(struct trainer *t, int blocks)
{
    struct learner *learner = &t->learner;
    size_t rows = t->graph->row_count;
    int rounds = (blocks + t->pass_count - 1) / t->pass_count;
    double share = 1.0 / ((double)rounds * t->pass_count);
    t->forward_only = true;
    learner->fixed = false;
    trainer_shuffle(t);
    memset(learner->mean, 0, rows * sizeof(double));
    memset(learner->variance, 0, rows * sizeof(double));
    for (int round = 0; round < rounds; round++) {
        t->at = (uint64_t)round * trainer_batch(t);
        pool_run(t->pool, t->pass_count, trainer_block, t);
        for (int p = 0; p < t->pass_count; p++) {
            for (size_t row = 0; row < rows; row++) {
                learner->mean[row] += t->passes[p]->mean[row] * share;
                learner->variance[row] += t->passes[p]->variance[row] * share;
            }
        }
    }
    t->forward_only = false;
    learner->fixed = true;
}

/* Block `index` of the validation images from t->at on. */
static void check_block(void *context, int index)
{
    struct trainer *t = context;
    struct pass *pass = t->passes[index];
    feed_checks(t->feed, t->at + (size_t)index * VISION_BLOCK, trainer_pixel(t), pass);
    pass->lean = false;
    pass_forward(pass, &t->learner);
}

void trainer_each(struct trainer *t, enum part part, size_t count,
                  void (*body)(void *context, const struct pass *pass, size_t first), void *context)
{
    t->forward_only = true;
    for (size_t first = 0; first < count; first += trainer_batch(t)) {
        size_t left = (count - first + VISION_BLOCK - 1) / VISION_BLOCK;
        int blocks = left < (size_t)t->pass_count ? (int)left : t->pass_count;
        t->at = first;
        pool_run(t->pool, blocks, part == PART_TRAIN ? trainer_block : check_block, t);
        for (int p = 0; p < blocks; p++) {
            body(context, t->passes[p], first + (size_t)p * VISION_BLOCK);
        }
    }
    t->forward_only = false;
}

struct counting {
    const struct feed *feed;
    size_t right;
};

static void count_right(void *context, const struct pass *pass, size_t first)
{
    struct counting *counting = context;
    const struct feed *feed = counting->feed;
    const struct graph *graph = pass->graph;
    for (size_t i = 0; i < VISION_BLOCK && first + i < feed->validation.count; i++) {
        size_t group = i / VISION_LANES * (size_t)graph->classes * VISION_LANES;
        const float *y = pass->values[graph->node_count - 1] + group + i % VISION_LANES;
        int best = 0;
        for (int c = 1; c < graph->classes; c++) {
            best = y[c * VISION_LANES] > y[best * VISION_LANES] ? c : best;
        }
        counting->right += feed->images->labels[feed->validation.images[first + i]] == best;
    }
}

double trainer_score(struct trainer *t)
{
    struct counting counting = {t->feed, 0};
    size_t count = t->feed->validation.count;
    trainer_each(t, PART_VALIDATION, count, count_right, &counting);
    return count > 0 ? (double)counting.right / (double)count : 0;
}
