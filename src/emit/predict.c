/* The body of NAME_predict(): tables, locals, one statement or block per layer. */
#include "emit/kernel.h"

#include <stdio.h>
#include <stdlib.h>
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
    } else if (*index >= '0' && *index <= '9' && strspn(index, "0123456789") == strlen(index)) {
        (void)snprintf(text, ELEMENT_MAX, "%s[%ld]", home_name(plan, tensor),
                       view->offset + strtol(index, NULL, 10));
    } else {
        bool product = *index != '(' && strchr(index, '*');
        (void)snprintf(text, ELEMENT_MAX, product ? "%s[%d + (%s)]" : "%s[%d + %s]",
                       home_name(plan, tensor), view->offset, index);
    }
    return text;
}

const char *address(const struct plan *plan, int tensor, char text[ELEMENT_MAX])
{
    const struct view *view = &plan->views[tensor];
    if (view->offset == 0) {
        (void)snprintf(text, ELEMENT_MAX, "%s", home_name(plan, tensor));
    } else {
        (void)snprintf(text, ELEMENT_MAX, "&%s[%d]", home_name(plan, tensor), view->offset);
    }
    return text;
}

/* ---- tables and locals ---- */

/* The tables of a dense layer's kernels, each once. */
static void print_dense_tables(struct printer *p, int index)
{
    const struct choice *choice = plan_choice(p->plan, index);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        if (span->kernel->tables && span->before == 0) {
            span->kernel->tables(p, index);
        }
    }
    const struct series *series[SERIES_KINDS];
    int count = plan_series_read(p->plan, index, series);
    for (int i = 0; i < count; i++) {
        print_series(p->out, p->plan, series[i]);
    }
}

/* The tables of every layer that has some. */
static void print_tables(struct printer *p)
{
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        const struct step *step = &p->plan->steps[i];
        enum op op = p->plan->net->layers[i].op;
        if (op == OP_DENSE && step->form != FORM_DEAD) {
            print_dense_tables(p, i);
        } else if (op == OP_CONVERT && step->form == FORM_LOOP) {
            print_series(p->out, p->plan, &step->bias);
            print_series(p->out, p->plan, &step->shift);
        }
    }
}

/* Local arrays. */
static void print_buffers(struct printer *p)
{
    for (int i = 0; i < p->plan->buffer_count; i++) {
        const struct buffer *buffer = &p->plan->buffers[i];
        text_printf(p->out, "    %s %s[%d];\n", c_type(buffer->type), buffer->name, buffer->width);
    }
}

/* ---- loops ---- */

void print_loop(struct printer *p, int width)
{
    text_printf(p->out, "    for (%s i = 0; i < %d; i++) {\n        ", p->plan->index, width);
}

void print_row(struct printer *p, int index, const struct kernel *kernel, const char *row,
               const char *before)
{
    const struct step *step = &p->plan->steps[index];
    char shift[ELEMENT_MAX];
    bool floors =
        !plan_row_shifts(p->plan, kernel) && (!step->shift.uniform || step->shift.value != 0);
    if (floors) {
        text_printf(p->out, "%s_floor(", p->plan->name);
    }
    kernel->row(p, index, row, before);
    if (floors) {
        text_printf(p->out, ", %s)", series_at(p->plan, &step->shift, row, shift));
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

/* "i", or "6 + i" from the row `first` on. */
static const char *row_text(int first, char text[ELEMENT_MAX])
{
    (void)snprintf(text, ELEMENT_MAX, first ? "%d + i" : "i", first);
    return first ? text : "i";
}

/* A loop over rows: one statement, or a sum of its own where the line would grow too long. */
static void print_rows(struct printer *p, int index, const struct span *span, bool acts)
{
    char row[ELEMENT_MAX];
    char before[ELEMENT_MAX];
    struct text whole = {0};
    struct printer trial = {.out = &whole, .plan = p->plan, .helpers = p->helpers};
    const char *at = row_text(span->first, row);
    const char *table = row_text(span->before, before);
    (void)print_target(&trial, index, at, acts);
    print_row(&trial, index, span->kernel, at, table);
    bool fits = whole.length + strlen("        );") <= 100;
    p->out->failed = p->out->failed || whole.failed;
    text_free(&whole);
    print_loop(p, span->rows);
    if (!fits) {
        text_add(p->out, "const int32_t z = ");
        print_row(p, index, span->kernel, at, table);
        text_add(p->out, ";\n        ");
    }
    const char *end = print_target(p, index, at, acts);
    if (fits) {
        print_row(p, index, span->kernel, at, table);
    } else {
        text_add(p->out, "z");
    }
    text_printf(p->out, "%s    }\n", end);
}

/* Span by span; activations of a straight line then run over the array in place. */
static void print_dense(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct choice *choice = plan_choice(plan, index);
    bool all = plan_in_place(plan, index);
    bool acts = plan_acts(plan, index) && !all;
    char text[ELEMENT_MAX];
    char name[HELPER_NAME_MAX];
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        switch (span->kernel->shape) {
        case SHAPE_ROW: print_rows(p, index, span, acts); break;
        case SHAPE_TILE: print_tiles(p, index, span, acts); break;
        case SHAPE_SPAN: span->kernel->span(p, index, span); break;
        }
    }
    if (all) {
        struct helper helper = {HELPER_ALL, layer->activation,
                                plan->net->tensors[layer->output].type, TYPE_I32, 0};
        text_printf(p->out, "    %s(%s, %d);\n", helper_name(plan, p->helpers, helper, name),
                    address(plan, layer->output, text), layer->weights.rows);
    }
}

/* The sum on lines of its own, then the clamp. */
static void print_loop_add(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char text[ELEMENT_MAX];
    print_loop(p, plan->net->tensors[layer->output].width);
    text_add(p->out, "const int32_t z = ");
    for (int k = 0; k < layer->input_count; k++) {
        int fused = plan_fused(plan, layer->inputs[k]);
        text_add(p->out, k ? " +\n                          " : "");
        if (fused >= 0) {
            print_row(p, fused, plan_kernel(plan, fused), "i", "i");
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
    text_printf(p->out, "    %s(%s, %s%s", helper_name(plan, p->helpers, helper, name),
                address(plan, tensor, from), offset > 0 ? "&" : "", home_name(plan, to));
    if (offset > 0) {
        text_printf(p->out, "[%d]", offset);
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

/* What an element of a table needs in front of it beside signed numbers. */
static const char *word_cast(const struct series *series)
{
    bool sign = series->uniform || type_low(series->type) < 0;
    return sign ? "" : "(int32_t)";
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
    bool scales = !step->shift.uniform || step->shift.value != 1;
    text_printf(p->out, "%s(int32_t)%s", scales ? "(" : "",
                element(plan, layer->inputs[0], "i", in));
    if (!step->bias.uniform || step->bias.value > 0) {
        text_printf(p->out, " - %s%s", word_cast(&step->bias),
                    series_at(plan, &step->bias, "i", text));
    } else if (step->bias.value < 0) {
        text_printf(p->out, " + %d", -step->bias.value);
    }
    if (scales) {
        text_printf(p->out, ") * %s%s", word_cast(&step->shift),
                    series_at(plan, &step->shift, "i", text));
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
    enum form form = p->plan->steps[index].form;
    if (form != FORM_LOOP && form != FORM_LINE) {
        return;
    }
    print_notes(p, index);
    switch (p->plan->net->layers[index].op) {
    case OP_CONVERT:
        form == FORM_LINE ? print_line_convert(p, index) : print_loop_convert(p, index);
        break;
    case OP_DENSE: print_dense(p, index); break;
    case OP_ADD: form == FORM_LINE ? print_line_add(p, index) : print_loop_add(p, index); break;
    case OP_CONCAT:
        print_concat(p, index);
        break;
    CASES_OF_MAPS:
        break;
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
