/* Rows of weights over maps: dense, conv, deconv. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

/* How far a window function has to walk: along elements, over rows of them, over gaps in rows. */
enum reach { REACH_FLAT, REACH_ROWS, REACH_GAPS };

/* One window function: its elements, its weights, and the largest reach that any pass wants. */
struct walker {
    enum type type; /* of the array */
    const struct coding *coding;
    bool wide; /* plain numbers of 16 bits */
    enum reach reach;
};

static enum reach reach_of(const struct pass *pass)
{
    return pass->taps[1] != 1 ? REACH_GAPS : pass->taps[0] != 1 ? REACH_ROWS : REACH_FLAT;
}

static enum type array_type(const struct plan *plan, int tensor)
{
    enum type type = plan->net->tensors[tensor].type;
    return type == TYPE_U4 ? TYPE_U8 : type;
}

static struct walker walker_of(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct map_rows *rows = &plan->maps->rows[index];
    struct walker walker = {.type = array_type(plan, layer->inputs[0]),
                            .coding = rows->coding,
                            .wide = rows->coding->each == 1 && layer->weights.bits > 8};
    for (int i = 0; i < rows->pass_count; i++) {
        enum reach reach = reach_of(&rows->passes[i]);
        walker.reach = reach > walker.reach ? reach : walker.reach;
    }
    return walker;
}

/* Has the layer weights that a window function reads? */
static bool walks(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return rows->passes && !rows->lanes && !rows->direct && !rows->sparse;
}

static bool same_walker(struct walker a, struct walker b)
{
    return a.type == b.type && a.coding == b.coding && a.wide == b.wide;
}

/* The function that serves a layer: that of all layers which differ in reach alone. */
static struct walker shared_walker(const struct plan *plan, int index)
{
    struct walker walker = walker_of(plan, index);
    for (int i = 0; i < plan->net->layer_count; i++) {
        if (walks(plan, i)) {
            struct walker other = walker_of(plan, i);
            bool further = same_walker(walker, other) && other.reach > walker.reach;
            walker.reach = further ? other.reach : walker.reach;
        }
    }
    return walker;
}

static const char *walker_name(const struct plan *plan, struct walker walker,
                               char name[HELPER_NAME_MAX])
{
    bool alone = true;
    for (int i = 0; i < plan->net->layer_count; i++) {
        alone = alone && (!walks(plan, i) || plan->maps->rows[i].coding != walker.coding ||
                          same_walker(walker, walker_of(plan, i)));
    }
    (void)snprintf(name, HELPER_NAME_MAX, "%s_%s%s%s%s", plan->name, walker.coding->name,
                   alone ? "" : "_", alone ? "" : type_name(walker.type),
                   walker.wide && !alone ? "_i16" : "");
    return name;
}

/* ---- functions ---- */

/* What one element adds, `j` being its index in the row at p. */
static void print_fields(struct text *out, const struct plan *plan, const struct coding *coding,
                         const char *in)
{
    bool twice = coding->scale == 2;
    text_printf(out,
                "%sif (b <= 1U) {\n"
                "%s    b = 256U + (uint32_t)%s_U8(at, 0);\n"
                "%s    at = &at[1];\n"
                "%s}\n"
                "%s{\n"
                "%s    const uint32_t f = b & %dU;\n"
                "%s    acc += (%s(int32_t)f%s - %d) * (int32_t)p[j];\n"
                "%s}\n"
                "%sb >>= %d;\n",
                in, in, plan->upper, in, in, in, in, (1 << coding->bits) - 1, in, twice ? "(" : "",
                twice ? " * 2)" : "", -coding->low, in, in, coding->bits);
}

static void print_digits(struct text *out, const struct plan *plan, const char *in)
{
    text_printf(out,
                "%sif (left == 0) {\n"
                "%s    b = %s_U8(at, 0);\n"
                "%s    at = &at[1];\n"
                "%s    left = 5;\n"
                "%s}\n"
                "%sleft--;\n"
                "%sb = (b & 255U) * 3U;\n"
                "%sif (b >= 512U) {\n"
                "%s    acc += (int32_t)p[j];\n"
                "%s} else if (b < 256U) {\n"
                "%s    acc -= (int32_t)p[j];\n"
                "%s} else {\n"
                "%s    /* zero */\n"
                "%s}\n",
                in, in, plan->upper, in, in, in, in, in, in, in, in, in, in, in, in);
}

static void print_plain(struct text *out, const struct plan *plan, struct walker walker,
                        const char *in)
{
    text_printf(out,
                "%sacc += (int32_t)%s_%s(at, 0) * (int32_t)p[j];\n"
                "%sat = &at[1];\n",
                in, plan->upper, walker.wide ? "I16" : "I8", in);
}

static const char *weight_type(struct walker walker)
{
    return walker.coding->each > 1 ? "uint8_t" : walker.wide ? "int16_t" : "int8_t";
}

static void print_parameters(struct text *out, const struct plan *plan, struct walker walker)
{
    const char *name = plan->index;
    text_printf(out, "(const %s *a, const %s *w, %s n, ", c_type(walker.type), weight_type(walker),
                name);
    if (walker.reach >= REACH_ROWS) {
        text_printf(out, "%s rows, %s step,\n    ", name, name);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(out, "%s columns, %s gap, ", name, name);
    }
    text_add(out, "int32_t bias)\n{\n");
}

static const char *reach_note(enum reach reach)
{
    switch (reach) {
    case REACH_FLAT: return "n elements";
    case REACH_ROWS: return "rows of n elements, step apart";
    case REACH_GAPS: return "rows, step apart, of columns, gap apart, of n elements";
    }
    return "";
}

static const char *coding_note(const struct coding *coding)
{
    return coding->each == 1   ? ""
           : coding->each == 2 ? ", two to a byte"
           : coding->each == 4 ? ", four to a byte"
           : coding->each == 5 ? ", five to a byte"
                               : ", eight to a byte";
}

static void print_walk(struct text *out, const struct plan *plan, struct walker walker)
{
    static const char *const indents[] = {"        ", "            ", "                "};
    const char *in = indents[walker.reach];
    if (walker.reach >= REACH_ROWS) {
        text_printf(out, "    for (%s y = 0; y < rows; y++) {\n", plan->index);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(out,
                    "        for (%s x = 0; x < columns; x++) {\n"
                    "            const %s *p = &a[(y * step) + (x * gap)];\n",
                    plan->index, c_type(walker.type));
    } else {
        text_printf(out, "%.*sconst %s *p = %s;\n", (int)strlen(in) - 4, in, c_type(walker.type),
                    walker.reach == REACH_ROWS ? "&a[y * step]" : "a");
    }
    text_printf(out, "%.*sfor (%s j = 0; j < n; j++) {\n", (int)strlen(in) - 4, in, plan->index);
    if (walker.coding->each == 1) {
        print_plain(out, plan, walker, in);
    } else if (walker.coding->bits == 0) {
        print_digits(out, plan, in);
    } else {
        print_fields(out, plan, walker.coding, in);
    }
    for (int depth = (int)walker.reach + 1; depth > 0; depth--) {
        text_printf(out, "%*s}\n", 4 * depth, "");
    }
}

static void print_walker(struct text *out, const struct plan *plan, struct walker walker)
{
    char name[HELPER_NAME_MAX];
    text_printf(out,
                "/* Weights%s times %s, on top of the bias, which holds\n"
                " * the half that rounds the shift behind it. */\n"
                "static int32_t %s",
                coding_note(walker.coding), reach_note(walker.reach),
                walker_name(plan, walker, name));
    print_parameters(out, plan, walker);
    text_printf(out, "    int32_t acc = bias;\n    const %s *at = w;\n", weight_type(walker));
    if (walker.coding->each > 1) {
        text_add(out, "    uint32_t b = 0U;\n");
    }
    if (walker.coding->bits == 0) {
        text_add(out, "    int left = 0;\n");
    }
    print_walk(out, plan, walker);
    text_add(out, "    return acc;\n}\n\n");
}

void map_print_window_helpers(struct printer *p)
{
    const struct plan *plan = p->plan;
    map_print_sparse_helper(p);
    map_print_planes_helpers(p);
    for (int i = 0; i < plan->net->layer_count; i++) {
        bool first = walks(plan, i);
        for (int k = 0; first && k < i; k++) {
            first = !walks(plan, k) || !same_walker(walker_of(plan, i), walker_of(plan, k));
        }
        if (plan->maps->rows[i].lanes) {
            map_print_lanes_helper(p, i);
        }
        if (first) {
            print_walker(p->out, plan, shared_walker(plan, i));
        }
    }
}

/* ---- tables ---- */

static int pass_columns(const struct pass *pass)
{
    return pass->taps[0] * pass->taps[1] * pass->length;
}

static void print_row_numbers(struct printer *p, const struct map_rows *rows,
                              const struct pass *pass, int row)
{
    int columns = pass_columns(pass);
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
                weight_type(walker_of(p->plan, index)), pass->name, count,
                map_row_bytes(rows->coding, pass_columns(pass)), p->plan->upper);
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
        for (int k = 0; walks(p->plan, i) && k < rows->pass_count; k++) {
            if (pass_columns(&rows->passes[k]) > 0) {
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

/* The call of the window function for row `row` (C text) with its elements at `at`. */
static void print_sum(struct printer *p, int index, const struct pass *pass, const char *at,
                      const char *row)
{
    const struct plan *plan = p->plan;
    struct walker walker = shared_walker(plan, index);
    char name[HELPER_NAME_MAX];
    char bias[ELEMENT_MAX];
    (void)series_at(plan, &plan->steps[index].bias, row, bias);
    if (pass_columns(pass) == 0) {
        text_add(p->out, bias);
        return;
    }
    text_printf(p->out, "%s(%s, w%s[%s], %d, ", walker_name(plan, walker, name), at, pass->name,
                row, pass->length);
    if (walker.reach >= REACH_ROWS) {
        text_printf(p->out, "%d, %d, ", pass->taps[0], pass->tap_row);
    }
    if (walker.reach == REACH_GAPS) {
        text_printf(p->out, "%d, %d, ", pass->taps[1], pass->tap_column);
    }
    text_printf(p->out, "%s)", bias);
}

/* s -> shift -> activation, and the cast to the array's type. */
static void print_result(struct printer *p, int index, const char *row)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct series *shift = &plan->steps[index].shift;
    enum type type = plan->net->tensors[layer->output].type;
    bool shifts = !shift->uniform || shift->value > 0;
    bool acts = plan_acts(plan, index);
    char name[HELPER_NAME_MAX];
    char text[ELEMENT_MAX];
    struct helper helper = {HELPER_ELEMENT, layer->activation, type, type, 0};
    if (acts) {
        text_printf(p->out, "%s(", helper_name(plan, p->helpers, helper, name));
    } else if (type != TYPE_I32) {
        text_printf(p->out, "(%s)(", c_type(type));
    }
    text_add(p->out, shifts ? plan->name : "");
    text_add(p->out, shifts ? "_floor(s" : "s");
    if (shifts) {
        text_printf(p->out, ", %s)", series_at(plan, shift, row, text));
    }
    text_add(p->out, acts || type != TYPE_I32 ? ");\n" : ";\n");
}

bool map_clamps_itself(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return (rows->lanes || rows->direct || rows->sparse) &&
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

void map_print_stored(struct printer *p, int index, const char *to, const struct interval *z)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    struct helper helper = {HELPER_ELEMENT, layer->activation, type, type, 0};
    struct interval kept = plan_kept(layer->activation, type);
    char name[HELPER_NAME_MAX];
    if (type == TYPE_I32) {
        text_printf(p->out, "%s = z;\n", to);
    } else if (!plan_acts(plan, index)) {
        text_printf(p->out, "%s = (%s)z;\n", to, c_type(type));
    } else if (map_clamps_itself(plan, index)) {
        text_printf(p->out, "%s = (%s)(", to, c_type(type));
        print_cut(p->out, kept, z);
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
    const struct map_view *out = &plan->maps->views[layer->output];
    char at[64];
    char to[64];
    bool rows = pass->rows > 1;
    bool columns = pass->columns > 1;
    int from = in->offset + pass->in_offset;
    int first = out->offset + pass->out_row * out->row + pass->out_column * out->column;
    map_scaled(at, sizeof at, "x", columns ? pass->in_column_step : 0, from);
    map_scaled(to, sizeof to, "x", columns ? pass->out_column_step * out->column : 0, first);
    if (pass_columns(pass) > 0) {
        text_printf(p->out, "%*sconst %s *at = &%s[", indent, "",
                    c_type(array_type(plan, layer->inputs[0])), map_array(plan, layer->inputs[0]));
        print_index(p->out, rows ? pass->in_row_step : 0, at);
    }
    text_printf(p->out, "%*s%s *to = &%s[", indent, "", c_type(array_type(plan, layer->output)),
                map_array(plan, layer->output));
    print_index(p->out, rows ? pass->out_row_step * out->row : 0, to);
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
    text_printf(p->out, "%*sfor (%s i = 0; i < %d; i++) {\n%*sconst int32_t s = ", indent, "",
                plan->index, rows->group_rows > 1 ? rows->group_rows : layer->weights.rows,
                indent + 4, "");
    print_sum(p, index, pass, at, row);
    text_printf(p->out, ";\n%*sto[%s] = ", indent + 4, "", row);
    print_result(p, index, row);
    text_printf(p->out, "%*s}\n", indent, "");
    if (rows->group_rows > 1) {
        text_printf(p->out, "%*s}\n", indent - 4, "");
    }
}

static void print_pass(struct printer *p, int index, const struct pass *pass)
{
    int indent = 8;
    if (pass->rows > 1) {
        text_printf(p->out, "    for (%s y = 0; y < %d; y++) {\n", p->plan->index, pass->rows);
    } else {
        text_add(p->out, "    {\n");
    }
    if (pass->columns > 1) {
        text_printf(p->out, "        for (%s x = 0; x < %d; x++) {\n", p->plan->index,
                    pass->columns);
        indent = 12;
    }
    print_position(p, index, pass, indent);
    print_channels(p, index, pass, indent);
    text_add(p->out, pass->columns > 1 ? "        }\n    }\n" : "    }\n");
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
    if (!walks(p->plan, layer)) {
        print_fast(p, layer);
        return;
    }
    for (int i = 0; i < rows->pass_count; i++) {
        print_pass(p, layer, &rows->passes[i]);
    }
}
