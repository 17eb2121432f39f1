/* NAME_predict() of nets on maps, with its helpers. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* Of each element type. */
static const char *const array_names[] = {"b", "a", "h", "t", "l", "a"};

const char *map_array(const struct plan *plan, int tensor)
{
    switch (plan->maps->views[tensor].home) {
    case HOME_INPUT: return "in";
    case HOME_OUTPUT: return "out";
    case HOME_BUFFER: break;
    }
    return array_names[plan->net->tensors[tensor].type];
}

void map_scaled(char *text, size_t size, const char *index, int scale, int first)
{
    char product[64];
    (void)snprintf(product, sizeof product, scale == 1 ? "%s" : "(%s * %d)", index, scale);
    if (scale == 0) {
        (void)snprintf(text, size, "%d", first);
    } else {
        (void)snprintf(text, size, first ? "%s + %d" : "%s", product, first);
    }
}

/* ---- helpers ---- */

static void need_element(const struct plan *plan, int index, struct helpers *helpers)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    if (curve_helps(plan, layer->activation)) {
        curve_need(helpers);
    }
    helpers_need(helpers, (struct helper){HELPER_ELEMENT, layer->activation, type, type, 0});
}

static void need_rows(const struct plan *plan, int index, struct helpers *helpers)
{
    const struct step *step = &plan->steps[index];
    const struct map_rows *rows = &plan->maps->rows[index];
    bool wide = plan->net->layers[index].weights.bits > 8;
    bool bytes = map_sparse_in_bytes(plan);
    bool coded = rows->lanes && rows->lanes->form == AS_BITS;
    helpers->words = helpers->words || (rows->sparse && !bytes) || coded;
    if (rows->sparse && bytes) {
        helpers->reads[TYPE_U8] = true;
    }
    bool in_rows = map_goes_across(plan, index);
    if (in_rows) {
        map_need_across(plan, index, helpers);
    }
    if (rows->direct && rows->direct->entries > 0) {
        helpers->reads[TYPE_U8] = true;
    }
    if (!rows->direct && !rows->sparse && !coded && !in_rows) {
        helpers->reads[rows->coding->each > 1 ? TYPE_U8 : wide ? TYPE_I16 : TYPE_I8] = true;
    }
    bool cuts = rows->sparse && map_cuts_below(plan, index);
    bool shifts =
        in_rows ? map_across_floors(plan, index) : !step->shift.uniform || step->shift.value > 0;
    if (!rows->lanes && !rows->direct && !cuts && shifts) {
        helpers_need(helpers, (struct helper){.kind = HELPER_FLOOR});
    }
    if ((plan_acts(plan, index) || map_hides(plan, index)) && !map_clamps_itself(plan, index)) {
        need_element(plan, index, helpers);
    }
}

static void collect(const struct plan *plan, struct helpers *helpers)
{
    const struct net *net = plan->net;
    *helpers = (struct helpers){0};
    for (int i = 0; i < net->layer_count; i++) {
        enum op op = net->layers[i].op;
        if (op_has_rows(op)) {
            need_rows(plan, i, helpers);
        }
        bool series = op_has_rows(op) && !plan->maps->rows[i].direct && !map_goes_across(plan, i);
        if (series || op == OP_CONVERT) {
            helpers_need_series(helpers, &plan->steps[i].bias);
            helpers_need_series(helpers, &plan->steps[i].shift);
        }
        bool sums = op == OP_ADD && net->tensors[net->layers[i].output].type != TYPE_I32;
        if (sums || op == OP_CONVERT) {
            need_element(plan, i, helpers);
        }
        bool tables = op == OP_SOFTMAX || (op == OP_RESIZE && !map_resize_blocks(plan, i));
        helpers->reads[TYPE_U16] = helpers->reads[TYPE_U16] || tables;
    }
}

/* ---- the body ---- */

/* Do maps as bytes lie in an array of words? */
static bool has_bytes_in_words(const struct map_plan *maps)
{
    return maps->words > 0 && maps->bytes;
}

static void print_arrays(struct printer *p)
{
    const struct map_plan *maps = p->plan->maps;
    if (maps->words > 0) {
        text_printf(p->out,
                    "    uint32_t words[%d]; /* of maps in lanes, and the bytes of others */\n",
                    (maps->arrays[TYPE_U8] + WORD_BYTES - 1) / WORD_BYTES);
    }
    if (has_bytes_in_words(maps)) {
        text_printf(p->out, "    uint8_t *const %s = %s_bytes(words);\n", array_names[TYPE_U8],
                    p->plan->name);
    }
    for (int type = TYPE_I8; type <= TYPE_I32; type++) {
        bool own = type != TYPE_U8 || maps->words == 0;
        if (own && maps->arrays[type] > 0) {
            text_printf(p->out, "    %s %s[%d];\n", c_type((enum type)type), array_names[type],
                        maps->arrays[type]);
        }
    }
}

static void print_zeros(struct printer *p, const char *array, int first, int end)
{
    text_printf(p->out,
                "    for (%s i = %d; i < %d; i++) {\n"
                "        %s[i] = 0;\n"
                "    }\n",
                p->plan->index, first, end, array);
}

void map_print_zeros(struct printer *p, int tensor, int first, int end)
{
    print_zeros(p, map_array(p->plan, tensor), first, end);
}

/* Zeros around a map that is about to be written. */
static void print_border(struct printer *p, int tensor)
{
    const struct map_view *view = &p->plan->maps->views[tensor];
    int first = map_first_element(view);
    if (view->zeros && !map_finds_zeros(p->plan, tensor)) {
        map_print_zeros(p, tensor, first, first + view->size);
    }
}

/* The caller's input with zeros around it. */
static void print_copied_input(struct printer *p)
{
    const struct net *net = p->plan->net;
    const struct map_view *view = &p->plan->maps->views[net->input];
    const struct shape *shape = &net->tensors[net->input].shape;
    int run = shape->columns * shape->channels;
    if (view->from_input) {
        print_border(p, net->input);
        text_printf(p->out,
                    "    for (%s y = 0; y < %d; y++) {\n"
                    "        for (%s i = 0; i < %d; i++) {\n"
                    "            %s[(y * %d) + i + %d] = in[(y * %d) + i];\n"
                    "        }\n"
                    "    }\n",
                    p->plan->index, shape->rows, p->plan->index, run,
                    map_array(p->plan, net->input), view->row, view->offset, run);
    }
}

static void print_size(struct text *out, const struct tensor *tensor)
{
    const struct shape *shape = &tensor->shape;
    if (shape->channels == tensor->width) {
        text_printf(out, "%d", tensor->width);
    } else {
        text_printf(out, "%d x %d x %d", shape->rows, shape->columns, shape->channels);
    }
}

void map_print_note(struct printer *p, int index)
{
    const struct net *net = p->plan->net;
    const struct layer *layer = &net->layers[index];
    const struct step *step = &p->plan->steps[index];
    char bound[GROUPED_MAX];
    text_printf(p->out, "    /* %s", op_name(layer->op));
    if (layer->window.rows > 0) {
        text_printf(p->out, " %d x %d", layer->window.rows, layer->window.columns);
    }
    text_add(p->out, ": ");
    print_size(p->out, &net->tensors[layer->inputs[0]]);
    text_add(p->out, " -> ");
    print_size(p->out, &net->tensors[layer->output]);
    if (op_has_rows(layer->op)) {
        text_printf(p->out, ", %s; |acc| <= %s (row %d)",
                    layer->activation == ACTIVATION_NONE ? "linear"
                                                         : activation_name(layer->activation),
                    grouped(step->bounds[step->worst], bound), step->worst);
    }
    text_add(p->out, " */\n");
}

static void print_layers(struct printer *p)
{
    const struct net *net = p->plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        int out = map_output(p->plan, i);
        if (map_in_stream(p->plan, i)) {
            map_print_stream(p, i);
            i = p->plan->maps->streams[i].last;
            continue;
        }
        map_print_note(p, i);
        const struct map_view *view = &p->plan->maps->views[out];
        if (!view->reshaped && !view->in_lanes && !map_is_pooled(p->plan, i)) {
            print_border(p, out);
        }
        map_print_move(p, i);
    }
}

static void print_convert_tables(struct printer *p)
{
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        if (p->plan->net->layers[i].op == OP_CONVERT) {
            print_series(p->out, p->plan, &p->plan->steps[i].bias);
            print_series(p->out, p->plan, &p->plan->steps[i].shift);
        }
    }
}

/* An attribute for functions whose loops want all registers. */
static void print_apart_macro(struct printer *p, const char *name, const char *options)
{
    const char *upper = p->plan->upper;
    text_printf(p->out,
                "#if defined(__clang__)\n"
                "#define %s_%s __attribute__((noinline))\n"
                "#elif defined(__GNUC__)\n"
                "#define %s_%s __attribute__((noinline, optimize(%s)))\n"
                "#else\n"
                "#define %s_%s\n"
                "#endif\n\n",
                upper, name, upper, name, options, upper, name);
}

static void print_apart_macros(struct printer *p)
{
    if (map_has_sparse(p->plan)) {
        text_add(p->out,
                 "/* Not inlined and never for size, so that its loop has all registers. */\n");
        print_apart_macro(p, "APART", "\"O2\"");
    }
    if (p->plan->maps->words > 0) {
        text_add(p->out, "/* Not inlined and never for size; what is loaded is added at once, not "
                         "put aside. */\n");
        print_apart_macro(p, "LANES", "\"O2\", \"no-tree-reassoc\", \"no-schedule-insns\"");
    }
}

/* Which of the four bytes of a word in memory is the one with the lowest bits, the next ... */
static void print_byte_macro(struct printer *p)
{
    const char *upper = p->plan->upper;
    bool any = false;
    for (int i = 0; i < p->plan->net->tensor_count; i++) {
        any = any || p->plan->maps->views[i].in_lanes;
    }
    if (any) {
        text_printf(
            p->out,
            "/* The byte of a word in memory that holds its lowest bits, the next ones ... */\n"
            "#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && \\\n"
            "    (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)\n"
            "#define %s_BYTE(part) (3 - (part))\n"
            "#else\n"
            "#define %s_BYTE(part) (part)\n"
            "#endif\n\n",
            upper, upper);
    }
}

/* NAME_predict(), behind the functions that it calls. */
static void print_functions(struct printer *p, const char *storage)
{
    const struct plan *plan = p->plan;
    print_helpers(p->out, plan, p->helpers);
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (plan->net->layers[i].op == OP_RESIZE && map_resize_blocks(plan, i)) {
            map_print_mean(p, i);
        }
        if (plan->net->layers[i].op == OP_SOFTMAX) {
            map_print_powers(p, i);
        }
    }
    map_print_window_helpers(p);
    if (has_bytes_in_words(plan->maps)) {
        text_printf(p->out,
                    "/* The bytes of words. */\n"
                    "static inline uint8_t *%s_bytes(uint32_t *words)\n{\n"
                    "    return (uint8_t *)words;\n}\n\n",
                    plan->name);
    }
    text_add(p->out, storage);
    print_prototype(p->out, plan);
    text_add(p->out, "\n{\n");
    map_print_tables(p);
    print_convert_tables(p);
    map_print_areas(p);
    print_arrays(p);
    text_add(p->out, "\n");
    if (map_begins_with_zeros(plan)) {
        print_zeros(p, array_names[TYPE_U8], 0, plan->maps->arrays[TYPE_U8]);
    }
    print_copied_input(p);
    print_layers(p);
    text_add(p->out, "}\n");
}

void map_print(struct text *out, const struct plan *plan, const char *storage)
{
    struct helpers helpers;
    struct printer printer = {.out = out, .plan = plan, .helpers = &helpers};
    collect(plan, &helpers);
    print_macros(out, plan, &helpers);
    print_apart_macros(&printer);
    print_byte_macro(&printer);
    struct text code = {0};
    printer.out = &code;
    print_functions(&printer, storage);
    print_with_products(out, plan, &code);
}
