/* The loop kernel: tables and loops, least flash. */
#include "emit/kernel.h"

#include <stdio.h>

enum type plan_weight_type(const struct layer *layer)
{
    return layer->weights.bits <= 8 ? TYPE_I8 : TYPE_I16;
}

static struct helper row_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    return (struct helper){HELPER_ROW, ACTIVATION_NONE, plan->views[layer->inputs[0]].type,
                           plan_weight_type(layer), 0};
}

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    int64_t weights = (int64_t)span->rows * layer->weights.columns;
    int bytes = plan_weight_type(layer) == TYPE_I8 ? 1 : 2;
    int64_t entries = weights + (plan->shifts_in_rows ? span->rows : 0);
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = span->rows;
    features->count[FEATURE_WEIGHT] = weights;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_BYTE] = entries * bytes + series_bytes(&plan->steps[index].bias);
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    struct helper helper = row_helper(plan, index);
    helpers_need(helpers, helper);
    helpers->reads[helper.b] = true;
}

void print_weight_rows(struct printer *p, int index, char letter, const struct kernel *kernel)
{
    const struct layer *layer = &p->plan->net->layers[index];
    const struct step *step = &p->plan->steps[index];
    const struct choice *choice = plan_choice(p->plan, index);
    int rows = plan_rows_of(p->plan, index, kernel);
    size_t columns = (size_t)layer->weights.columns;
    bool own = p->plan->shifts_in_rows && kernel->shifts;
    text_printf(p->out, "    static const %s %c%d[%d][%d%s] %s_FLASH = {\n",
                c_type(plan_weight_type(layer)), letter, step->number, rows, layer->weights.columns,
                own ? " + 1" : "", p->plan->upper);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        size_t end = (size_t)span->first + (size_t)span->rows;
        for (size_t row = (size_t)span->first; span->kernel == kernel && row < end; row++) {
            text_add(p->out, "        {");
            print_numbers(p->out, (struct numbers){.i16 = layer->weights.values}, row * columns,
                          layer->weights.columns, 9);
            if (own) {
                text_printf(p->out, ", %d", layer->shift[row]);
            }
            text_add(p->out, --rows > 0 ? "},\n" : "}\n");
        }
    }
    text_add(p->out, "    };\n");
}

static void tables(struct printer *p, int index)
{
    print_weight_rows(p, index, 'w', &kernel_loop);
}

static void row(struct printer *p, int index, const char *at, const char *before)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char bias[ELEMENT_MAX];
    text_printf(p->out, "%s(%s, w%d[%s], %d, %s)",
                helper_name(plan, p->helpers, row_helper(plan, index), name),
                address(plan, layer->inputs[0], in), step->number, before, layer->weights.columns,
                series_at(plan, &step->bias, at, bias));
}

const struct kernel kernel_loop = {
    .kind = KERNEL_LOOP,
    .what = "tables and loops",
    .shape = SHAPE_ROW,
    .group = 1,
    .series = SERIES_BIAS,
    .shifts = true,
    .bitwise = true,
    .count = count,
    .need = need,
    .tables = tables,
    .row = row,
};
