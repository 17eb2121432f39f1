/* The body of NAME_predict(): tables, locals, one statement or block per layer. */
#include "emit/print.h"

#include <stdio.h>
#include <string.h>

/* ---- where things are ---- */

static const char *home_name(const struct plan *plan, int tensor)
{
    const struct view *view = &plan->views[tensor];
    switch (view->home) {
    case HOME_INPUT: return "in";
    case HOME_OUTPUT: return "out";
    case HOME_BUFFER: return plan->buffers[view->buffer].name;
    }
    return "";
}

const char *element(const struct plan *plan, int tensor, const char *index, char text[ELEMENT_MAX])
{
    const struct view *view = &plan->views[tensor];
    if (view->offset == 0) {
        (void)snprintf(text, ELEMENT_MAX, "%s[%s]", home_name(plan, tensor), index);
    } else {
        (void)snprintf(text, ELEMENT_MAX, "%s[%d + %s]", home_name(plan, tensor), view->offset,
                       index);
    }
    return text;
}

const char *address(const struct plan *plan, int tensor, char text[ELEMENT_MAX])
{
    const struct view *view = &plan->views[tensor];
    if (view->offset == 0) {
        (void)snprintf(text, ELEMENT_MAX, "%s", home_name(plan, tensor));
    } else {
        (void)snprintf(text, ELEMENT_MAX, "%s + %d", home_name(plan, tensor), view->offset);
    }
    return text;
}

/* ---- tables and locals ---- */

/* static const int8_t w1[rows][columns] = ... */
static void print_weights(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    const struct step *step = &p->plan->steps[index];
    char declaration[ELEMENT_MAX];
    (void)snprintf(declaration, sizeof declaration, "%s w%d", c_type(plan_weight_type(layer)),
                   step->number);
    print_table(p->out, p->plan, declaration, (struct numbers){.i16 = layer->weights.values},
                layer->weights.rows, layer->weights.columns);
}

/* The tables of every layer that loops. */
static void print_tables(struct printer *p)
{
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        const struct step *step = &p->plan->steps[i];
        enum op op = p->plan->net->layers[i].op;
        bool dense = op == OP_DENSE && !step->line && step->kernel != KERNEL_DEAD;
        if (dense) {
            print_weights(p, i);
        }
        if (step->packed && step->kernel != KERNEL_DEAD) {
            print_pack_tables(p, i);
        }
        if (dense || (op == OP_CONVERT && step->kernel == KERNEL_LOOP)) {
            print_series(p->out, p->plan, &step->bias);
            print_series(p->out, p->plan, &step->shift);
        }
    }
}

/* Local arrays, one declaration per element type. */
static void print_buffers(struct printer *p)
{
    for (int type = TYPE_I8; type <= TYPE_I32; type++) {
        size_t column = 0;
        for (int i = 0; i < p->plan->buffer_count; i++) {
            const struct buffer *buffer = &p->plan->buffers[i];
            if (buffer->type != (enum type)type) {
                continue;
            }
            if (column > 80) {
                text_add(p->out, ";\n");
                column = 0;
            }
            if (column == 0) {
                text_printf(p->out, "    %s %s[%d]", c_type(buffer->type), buffer->name,
                            buffer->width);
            } else {
                text_printf(p->out, ", %s[%d]", buffer->name, buffer->width);
            }
            column += column == 0 ? 20 : 10;
        }
        text_add(p->out, column ? ";\n" : "");
    }
}

/* ---- loops ---- */

void print_loop(struct printer *p, int width)
{
    text_printf(p->out, "    for (%s i = 0; i < %d; i++) {\n        ", p->plan->index, width);
}

void print_row(struct printer *p, int index, const char *row)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    struct helper helper = {HELPER_ROW, ACTIVATION_NONE, plan->views[layer->inputs[0]].type,
                            plan_weight_type(layer), 0};
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char bias[ELEMENT_MAX];
    char shift[ELEMENT_MAX];
    text_printf(p->out, "%s(%s, w%d[%s], %d, %s)", helper_name(plan, p->helpers, helper, name),
                address(plan, layer->inputs[0], in), step->number, row, layer->weights.columns,
                series_at(plan, &step->bias, row, bias));
    if (!step->shift.uniform || step->shift.value != 0) {
        text_printf(p->out, " >> %s", series_at(plan, &step->shift, row, shift));
    }
}

const char *print_target(struct printer *p, int index, const char *row, bool acts)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct view *view = &plan->views[layer->output];
    char target[ELEMENT_MAX];
    char name[HELPER_NAME_MAX];
    struct helper helper = {HELPER_ELEMENT, layer->activation,
                            plan->net->tensors[layer->output].type, view->type, 0};
    (void)element(plan, layer->output, row, target);
    if (acts) {
        text_printf(p->out, "%s = %s(", target, helper_name(plan, p->helpers, helper, name));
        return ");\n";
    }
    if (view->type != TYPE_I32) {
        text_printf(p->out, "%s = (%s)(", target, c_type(view->type));
        return ");\n";
    }
    text_printf(p->out, "%s = ", target);
    return ";\n";
}

/* In one statement, or with a sum of its own where the line would grow too long. */
static void print_loop_dense(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct text whole = {0};
    struct printer trial = {.out = &whole, .plan = p->plan, .helpers = p->helpers};
    (void)print_target(&trial, index, "i", plan_acts(p->plan, index));
    print_row(&trial, index, "i");
    bool fits = whole.length + strlen("        );") <= 100;
    p->out->failed = p->out->failed || whole.failed;
    text_free(&whole);
    print_loop(p, layer->weights.rows);
    if (!fits) {
        text_add(p->out, "int32_t z = ");
        print_row(p, index, "i");
        text_add(p->out, ";\n        ");
    }
    const char *end = print_target(p, index, "i", plan_acts(p->plan, index));
    if (fits) {
        print_row(p, index, "i");
    } else {
        text_add(p->out, "z");
    }
    text_printf(p->out, "%s    }\n", end);
}

/* The sum on lines of its own, then the clamp. */
static void print_loop_add(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char text[ELEMENT_MAX];
    print_loop(p, plan->net->tensors[layer->output].width);
    text_add(p->out, "int32_t z = ");
    for (int k = 0; k < layer->input_count; k++) {
        int fused = plan_fused(plan, layer->inputs[k]);
        text_add(p->out, k ? " +\n                    " : "");
        if (fused >= 0) {
            text_add(p->out, "(");
            print_row(p, fused, "i");
            text_add(p->out, ")");
        } else {
            text_add(p->out, element(plan, layer->inputs[k], "i", text));
        }
    }
    text_add(p->out, ";\n        ");
    const char *end = print_target(p, index, "i", plan->steps[index].clamps);
    text_printf(p->out, "z%s    }\n", end);
}

/* Copy all of `tensor` to element `offset` of what holds `to`. */
static void print_copy(struct printer *p, int tensor, int to, int offset)
{
    const struct plan *plan = p->plan;
    enum type type = plan->views[to].type;
    struct helper helper = {HELPER_COPY, ACTIVATION_NONE, type, type, 0};
    char name[HELPER_NAME_MAX];
    char from[ELEMENT_MAX];
    text_printf(p->out, "    %s(%s, %s", helper_name(plan, p->helpers, helper, name),
                address(plan, tensor, from), home_name(plan, to));
    if (offset > 0) {
        text_printf(p->out, " + %d", offset);
    }
    text_printf(p->out, ", %d);\n", plan->net->tensors[tensor].width);
}

/* Copy the inputs of a concat that do not lie in their place already. */
static void print_concat(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    struct view to = p->plan->views[layer->output];
    for (int k = 0; k < layer->input_count; k++) {
        const struct view *in = &p->plan->views[layer->inputs[k]];
        bool there = in->home == to.home && in->buffer == to.buffer && in->offset == to.offset;
        if (!there) {
            print_copy(p, layer->inputs[k], layer->output, to.offset);
        }
        to.offset += p->plan->net->tensors[layer->inputs[k]].width;
    }
}

/* Zero and scale from tables, or as constants where all elements share them. */
static void print_loop_convert(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    char in[ELEMENT_MAX];
    char text[ELEMENT_MAX];
    if (plan_copies(plan, index)) {
        print_copy(p, layer->inputs[0], layer->output, plan->views[layer->output].offset);
        return;
    }
    print_loop(p, plan->net->tensors[layer->output].width);
    const char *end = print_target(p, index, "i", step->clamps);
    text_printf(p->out, "%s(int32_t)%s", step->shift.uniform && !step->shift.value ? "" : "(",
                element(plan, layer->inputs[0], "i", in));
    if (!step->bias.uniform || step->bias.value > 0) {
        text_printf(p->out, " - %s", series_at(plan, &step->bias, "i", text));
    } else if (step->bias.value < 0) {
        text_printf(p->out, " + %d", -step->bias.value);
    }
    if (!step->shift.uniform) {
        text_printf(p->out, ") * ((int32_t)1 << %s)", series_at(plan, &step->shift, "i", text));
    } else if (step->shift.value) {
        text_printf(p->out, ") * %d", 1 << step->shift.value);
    }
    text_printf(p->out, "%s    }\n", end);
}

/* ---- statements in order ---- */

/* A comment above a dense layer: shape, activation, bound. */
static void print_note(struct printer *p, int index)
{
    const struct net *net = p->plan->net;
    const struct layer *layer = &net->layers[index];
    const struct step *step = &p->plan->steps[index];
    char bound[GROUPED_MAX];
    if (layer->op == OP_DENSE) {
        text_printf(p->out, "    /* layer %d: %d -> %d, %s; |acc| <= %s (row %d) */\n",
                    step->number, layer->weights.columns, layer->weights.rows,
                    layer->activation == ACTIVATION_NONE ? "linear"
                                                         : activation_name(layer->activation),
                    grouped(step->bounds[step->worst], bound), step->worst);
    }
}

static void print_notes(struct printer *p, int index)
{
    const struct layer *layer = &p->plan->net->layers[index];
    print_note(p, index);
    for (int k = 0; layer->op == OP_ADD && k < layer->input_count; k++) {
        int fused = plan_fused(p->plan, layer->inputs[k]);
        if (fused >= 0) {
            print_note(p, fused);
        }
    }
}

/* The statements of one layer; nothing for layers that others print or that do nothing. */
static void print_step(struct printer *p, int index)
{
    enum kernel kernel = p->plan->steps[index].kernel;
    if (kernel != KERNEL_LOOP && kernel != KERNEL_LINE) {
        return;
    }
    print_notes(p, index);
    switch (p->plan->net->layers[index].op) {
    case OP_CONVERT:
        kernel == KERNEL_LINE ? print_line_convert(p, index) : print_loop_convert(p, index);
        break;
    case OP_DENSE:
        kernel == KERNEL_LINE ? print_line_dense(p, index) : print_loop_dense(p, index);
        break;
    case OP_ADD: kernel == KERNEL_LINE ? print_line_add(p, index) : print_loop_add(p, index); break;
    case OP_CONCAT: print_concat(p, index); break;
    }
}

void print_body(struct printer *p)
{
    print_tables(p);
    print_buffers(p);
    print_line_locals(p);
    text_add(p->out, p->plan->reads_input ? "\n" : "\n    (void)in;\n");
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        print_step(p, i);
    }
}
