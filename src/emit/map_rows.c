/* Rows of weights over maps: dense, conv, deconv. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* ---- tables ---- */

static void print_row_numbers(struct printer *p, const struct map_rows *rows,
                              const struct pass *pass, int row)
{
    int columns = map_pass_columns(pass);
    const int16_t *values = pass->values + (size_t)row * (size_t)columns;
    int count = map_row_bytes(rows->coding, columns);
    text_add(p->out, "        {");
    for (int i = 0; i < count; i++) {
        text_printf(p->out,
                    i == 0   ? "%d"
                    : i % 16 ? ", %d"
                             : ",\n         %d",
                    rows->coding->each == 1 ? values[i]
                                            : map_byte(rows->coding, values, columns, i));
    }
    text_add(p->out, "},\n");
}

static void print_weights(struct printer *p, int index, const struct pass *pass)
{
    const struct map_rows *rows = &p->plan->maps->rows[index];
    int count = p->plan->net->layers[index].weights.rows;
    text_printf(p->out, "    static const %s w%s[%d][%d] %s_FLASH = {\n",
                map_weight_type(p->plan, index), pass->name, count,
                map_row_bytes(rows->coding, map_pass_columns(pass)), p->plan->upper);
    for (int row = 0; row < count; row++) {
        print_row_numbers(p, rows, pass, row);
    }
    text_add(p->out, "    };\n");
}

void map_print_tables(struct printer *p)
{
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        const struct map_rows *rows = &p->plan->maps->rows[i];
        if (rows->lanes) {
            map_print_lanes_table(p, i);
        }
        if (rows->direct) {
            map_print_direct_table(p, i);
        }
        if (rows->planes > 0) {
            map_print_planes_table(p, i);
        } else if (rows->sparse) {
            map_print_sparse_table(p, i);
        }
        if (map_goes_across(p->plan, i)) {
            map_print_across_tables(p, i);
            continue;
        }
        for (int k = 0; map_walks(p->plan, i) && k < rows->pass_count; k++) {
            if (map_pass_columns(&rows->passes[k]) > 0) {
                print_weights(p, i, &rows->passes[k]);
            }
        }
        if (rows->passes && !rows->direct) {
            print_series(p->out, p->plan, &p->plan->steps[i].bias);
            print_series(p->out, p->plan, &p->plan->steps[i].shift);
        }
    }
}

/* ---- statements ---- */

void map_print_result(struct printer *p, int index, const char *s, const char *shift, bool acts)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct helper helper = {HELPER_ELEMENT, layer->activation, type, type, 0};
    char name[HELPER_NAME_MAX];
    if (acts) {
        text_printf(p->out, "%s(", helper_name(plan, p->helpers, helper, name));
    } else if (type != TYPE_I32) {
        text_printf(p->out, "(%s)(", c_type(type));
    }
    if (shift) {
        text_printf(p->out, "%s_floor(%s, %s)", plan->name, s, shift);
    } else {
        text_add(p->out, s);
    }
    text_add(p->out, acts || type != TYPE_I32 ? ");\n" : ";\n");
}

bool map_clamps_itself(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return (rows->lanes || rows->direct || rows->sparse || map_goes_across(plan, index)) &&
           plan_clamps_only(plan->net->layers[index].activation);
}

void map_print_shifted(struct printer *p, const char *bits, const char *shift, const char *low)
{
    bool shifts = strcmp(shift, "0") != 0;
    text_printf(p->out, shifts ? "t = (%s) >> %s;\n" : "t = %s;\n", bits, shift);
    text_printf(p->out, strcmp(low, "0") != 0 ? "z = (int32_t)t - %s;\n" : "z = (int32_t)t;\n",
                low);
}

/* z, cut off where it may leave what is kept. */
static void print_cut(struct text *out, struct interval kept, const struct interval *z)
{
    bool above = !z || z->high > kept.high;
    bool below = !z || z->low < kept.low;
    if (above) {
        text_printf(out, "(z > %d) ? %d : ", (int)kept.high, (int)kept.high);
    }
    if (below) {
        text_printf(out, above ? "((z < %d) ? %d : z)" : "(z < %d) ? %d : z", (int)kept.low,
                    (int)kept.low);
    } else {
        text_add(out, "z");
    }
}

/* May a cast lose a sign, for a prover who knows of z what is told, or nothing? */
static bool may_leave(enum type type, const struct interval *z)
{
    return type_low(type) < 0 && (!z || z->low < type_low(type) || z->high > type_high(type));
}

bool map_hides(const struct plan *plan, int index)
{
    const struct net *net = plan->net;
    int input = net->layers[index].inputs[0];
    return plan->maps->words > 0 && plan->maps->views[input].home == HOME_BUFFER &&
           map_array_type(plan, input) == TYPE_U8 && map_largest(plan, input) < UINT8_MAX &&
           net->tensors[net->layers[index].output].type != TYPE_I32;
}

void map_print_stored(struct printer *p, int index, const char *to, const struct interval *z)
{
    const struct plan *plan = p->plan;
    const struct interval *seen = map_hides(plan, index) ? NULL : z;
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct helper helper = {HELPER_ELEMENT, layer->activation, type, type, 0};
    char name[HELPER_NAME_MAX];
    if (type == TYPE_I32) {
        text_printf(p->out, "%s = z;\n", to);
    } else if (!plan_acts(plan, index) && !map_hides(plan, index) && !may_leave(type, seen)) {
        text_printf(p->out, "%s = (%s)z;\n", to, c_type(type));
    } else if (map_clamps_itself(plan, index)) {
        text_printf(p->out, "%s = (%s)(", to, c_type(type));
        print_cut(p->out, plan_kept(layer->activation, type), seen);
        text_add(p->out, ");\n");
    } else {
        text_printf(p->out, "%s = %s(z);\n", to, helper_name(plan, p->helpers, helper, name));
    }
}

static void print_index(struct text *out, int row_step, const char *rest)
{
    bool alone = strcmp(rest, "0") == 0;
    if (row_step != 0) {
        text_printf(out, row_step == 1 ? "y" : "(y * %d)", row_step);
        text_add(out, alone ? "" : " + ");
    }
    text_printf(out, "%s];\n", alone && row_step != 0 ? "" : rest);
}

/* The window's first element and the output's position, as indices into their arrays. */
static void print_position(struct printer *p, int index, const struct pass *pass, int indent)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct map_view *in = &plan->maps->views[layer->inputs[0]];
    int output = map_output(plan, index);
    const struct map_view *out = &plan->maps->views[output];
    char at[64];
    char to[64];
    bool rows = pass->rows > 1 || map_in_stream(plan, index);
    bool columns = pass->columns > 1 && !map_goes_across(plan, index);
    int from = in->offset + pass->in_offset;
    int row = out->kept ? out->fresh : pass->out_row;
    int first = out->offset + row * out->row + pass->out_column * out->column;
    map_scaled(at, sizeof at, "x", columns ? pass->in_column_step : 0, from);
    map_scaled(to, sizeof to, "x", columns ? pass->out_column_step * out->column : 0, first);
    if (map_pass_columns(pass) > 0 || map_goes_across(plan, index)) {
        text_printf(p->out, "%*sconst %s *at = &%s[", indent, "",
                    c_type(map_array_type(plan, layer->inputs[0])),
                    map_array(plan, layer->inputs[0]));
        print_index(p->out, rows ? pass->in_row_step : 0, at);
    }
    text_printf(p->out, "%*s%s *to = &%s[", indent, "", c_type(map_array_type(plan, output)),
                map_array(plan, output));
    print_index(p->out, rows && !out->kept ? pass->out_row_step * out->row : 0, to);
}

/* A call of a window function: for row `row` of a layer's weights, with its elements at `at`. */
struct call {
    int layer;
    const struct pass *pass;
    const char *at;
    const char *row;
};

static void print_channel(struct printer *p, const struct call *call, int indent)
{
    const struct series *shift = &p->plan->steps[call->layer].shift;
    bool shifts = !shift->uniform || shift->value > 0;
    char text[ELEMENT_MAX];
    text_printf(p->out, "%*sconst int32_t s = ", indent, "");
    map_print_window(p, call->layer, call->pass, call->at, call->row);
    text_printf(p->out, ";\n%*sto[%s] = ", indent, "", call->row);
    map_print_result(p, call->layer, "s",
                     shifts ? series_at(p->plan, shift, call->row, text) : NULL,
                     plan_acts(p->plan, call->layer) || map_hides(p->plan, call->layer));
}

/* Loops over output channels: all, or those of each group on its own. */
static void print_channels(struct printer *p, int index, const struct pass *pass, int indent)
{
    const struct plan *plan = p->plan;
    const struct map_rows *rows = &plan->maps->rows[index];
    const struct layer *layer = &plan->net->layers[index];
    char at[48] = "at";
    char row[48] = "i";
    if (rows->group_rows > 1) {
        text_printf(p->out, "%*sfor (%s g = 0; g < %d; g++) {\n", indent, "", plan->index,
                    layer->groups);
        indent += 4;
        (void)snprintf(at, sizeof at, rows->group_columns == 1 ? "&at[g]" : "&at[g * %d]",
                       rows->group_columns);
        (void)snprintf(row, sizeof row, "(g * %d) + i", rows->group_rows);
    } else if (rows->group_rows == 1) {
        (void)snprintf(at, sizeof at, rows->group_columns == 1 ? "&at[i]" : "&at[i * %d]",
                       rows->group_columns);
    }
    text_printf(p->out, "%*sfor (%s i = 0; i < %d; i++) {\n", indent, "", plan->index,
                rows->group_rows > 1 ? rows->group_rows : layer->weights.rows);
    print_channel(p, &(struct call){index, pass, at, row}, indent + 4);
    text_printf(p->out, "%*s}\n", indent, "");
    if (rows->group_rows > 1) {
        text_printf(p->out, "%*s}\n", indent - 4, "");
    }
}

static void print_pass(struct printer *p, int index, const struct pass *pass)
{
    int indent = 8;
    if (pass->rows > 1 && !map_in_stream(p->plan, index)) {
        text_printf(p->out, "    for (%s y = 0; y < %d; y++) {\n", p->plan->index, pass->rows);
    } else {
        text_add(p->out, "    {\n");
    }
    bool columns = pass->columns > 1 && !map_goes_across(p->plan, index);
    if (columns) {
        text_printf(p->out, "        for (%s x = 0; x < %d; x++) {\n", p->plan->index,
                    pass->columns);
        indent = 12;
    }
    print_position(p, index, pass, indent);
    if (map_goes_across(p->plan, index)) {
        map_print_across_call(p, index, pass);
    } else {
        print_channels(p, index, pass, indent);
    }
    text_add(p->out, columns ? "        }\n    }\n" : "    }\n");
}

/* Layers that are printed without a care for their place. */
static void print_fast(struct printer *p, int layer)
{
    const struct map_rows *rows = &p->plan->maps->rows[layer];
    struct text body = {0};
    struct printer inner = {.out = &body, .plan = p->plan, .helpers = p->helpers};
    if (rows->lanes) {
        map_print_lanes(&inner, layer);
    } else if (rows->direct) {
        map_print_direct(&inner, layer);
    } else if (rows->planes > 0) {
        map_print_planes(&inner, layer);
    } else {
        map_print_sparse(&inner, layer);
    }
    map_add_indented(p->out, &body);
    text_free(&body);
}

void map_print_rows(struct printer *p, int layer)
{
    const struct map_rows *rows = &p->plan->maps->rows[layer];
    if (!map_walks(p->plan, layer)) {
        print_fast(p, layer);
        return;
    }
    for (int i = 0; i < rows->pass_count; i++) {
        print_pass(p, layer, &rows->passes[i]);
    }
}
