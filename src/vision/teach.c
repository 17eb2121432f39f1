/* A teacher's answers to every picture that its student will see. */
#include "vision/trainer.h"

#include <string.h>

struct teaching {
    struct trainer *teacher;
    float *soft; /* [picture][class] */
    size_t count, first;
    double temperature;
};

static void ask(const struct teaching *teaching, struct pass *pass)
{
    const struct graph *graph = pass->graph;
    const float *logits = pass->values[graph->node_count - 1];
    size_t count = (size_t)graph->classes * VISION_BLOCK;
    float cool = (float)(1 / teaching->temperature);
    float loss[VISION_LANES];
    for (size_t i = 0; i < count; i++) {
        bool first = i / VISION_LANES % (size_t)graph->classes == 0;
        pass->warm[i] = logits[i] * cool;
        pass->targets[i] = first ? 1.0F : 0.0F;
    }
    struct softmax_plan plan = {.groups = graph->groups,
                                .classes = graph->classes,
                                .logits = pass->warm,
                                .targets = pass->targets,
                                .gradient = pass->warm,
                                .scale = 1};
    teaching->teacher->learner.kernels->softmax(&plan, loss);
    for (size_t i = 0; i < count; i++) { /* the gradient is the probability less the target */
        pass->warm[i] += pass->targets[i];
    }
}

static void keep(const struct teaching *teaching, const struct pass *pass, size_t first)
{
    size_t classes = (size_t)pass->graph->classes;
    for (size_t i = 0; i < VISION_BLOCK && first + i < teaching->count; i++) {
        size_t group = i / VISION_LANES * classes * VISION_LANES;
        const float *p = pass->warm + group + i % VISION_LANES;
        for (size_t c = 0; c < classes; c++) {
            teaching->soft[(first + i) * classes + c] = p[c * VISION_LANES];
        }
    }
}

static void teach_block(void *context, int index)
{
    const struct teaching *teaching = context;
    struct trainer *t = teaching->teacher;
    struct pass *pass = t->passes[index];
    struct feed_sample samples[VISION_BLOCK];
    size_t first = teaching->first + (size_t)index * VISION_BLOCK;
    for (size_t i = 0; i < VISION_BLOCK; i++) {
        size_t at = first + i < teaching->count ? first + i : teaching->count - 1;
        samples[i] = (struct feed_sample){.image = (uint32_t)(at % t->feed->train.count),
                                          .picture = (uint32_t)(at / t->feed->train.count),
                                          .share = 1};
    }
    feed_block(t->feed, samples, trainer_pixel(t), pass);
    pass->lean = false;
    pass_forward(pass, &t->learner);
    ask(teaching, pass);
    keep(teaching, pass, first);
}

bool trainer_teach(struct trainer *t, struct feed *student, struct error *err)
{
    struct teaching teaching = {.teacher = t,
                                .count = (size_t)(student->copies + 1) * student->train.count,
                                .temperature = student->temperature};
    teaching.soft =
        arena_alloc(student->arena, teaching.count * (size_t)t->graph->classes, sizeof(float));
    if (!teaching.soft) {
        return fail_memory(err);
    }
    session_progress(t->session, t->share, t->stage, "answers");
    for (; teaching.first < teaching.count; teaching.first += trainer_batch(t)) {
        pool_run(t->pool, t->pass_count, teach_block, &teaching);
    }
    student->soft = teaching.soft;
    return true;
}
