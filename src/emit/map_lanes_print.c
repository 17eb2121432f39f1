/* Convs in lanes as C: the table, the function that adds one sign of a row, and the layer. */
#include "emit/map.h"

#include <stdio.h>

static const struct lanes *lanes_of(const struct plan *plan, int index)
{
    return plan->maps->rows[index].lanes;
}

static const char *name_of(const struct plan *plan, int index)
{
    return plan->maps->rows[index].passes[0].name;
}

static int channels_of(const struct plan *plan, int index)
{
    return plan->net->tensors[plan->net->layers[index].inputs[0]].shape.channels;
}

static int words_of(const struct lanes *lanes)
{
    return lanes->tile[0] * lanes->tile[1];
}

/* ---- the table ---- */

void map_print_lanes_table(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    text_printf(p->out, "    static const uint8_t w%s[%d] %s_FLASH = {\n        ",
                name_of(p->plan, index), lanes->byte_count, p->plan->upper);
    print_numbers(p->out, (struct numbers){.u8 = lanes->bytes}, 0, lanes->byte_count, 8);
    text_add(p->out, "\n    };\n");
}

/* ---- the function ---- */

/* s0 += q[0]; s1 += q[16]; ... */
static void print_additions(struct printer *p, int index, const char *in)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    const struct window *w = &p->plan->net->layers[index].window;
    for (int i = 0; i < words_of(lanes); i++) {
        int down = i / lanes->tile[1] * w->row_stride * lanes->in_columns;
        int across = i % lanes->tile[1] * w->column_stride;
        text_printf(p->out, "%ss%d += q[%d];\n", in, i,
                    (down + across) * channels_of(p->plan, index));
    }
}

/* Both lists of a portion: what is minus is added to the complement. */
static void print_lists(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    text_add(p->out, "        for (int sign = 0; sign < 2; sign++) {\n"
                     "            const uint32_t *q = p;\n");
    for (int i = 0; i < words_of(lanes); i++) {
        text_printf(p->out, "            s%d = ~s%d;\n", i, i);
    }
    text_printf(p->out,
                "            for (uint8_t j = (uint8_t)((n & 15U) >> 1); j > 0U; j--) {\n"
                "                const uint8_t d = %s_U8(at, 0);\n"
                "                at = &at[1];\n"
                "                q = &q[d & 15U];\n",
                p->plan->upper);
    print_additions(p, index, "                ");
    text_add(p->out, "                q = &q[d >> 4];\n");
    print_additions(p, index, "                ");
    text_printf(p->out,
                "            }\n"
                "            if ((n & 1U) != 0U) {\n"
                "                q = &q[%s_U8(at, 0)];\n"
                "                at = &at[1];\n",
                p->plan->upper);
    print_additions(p, index, "                ");
    text_add(p->out, "            }\n"
                     "            n = (uint8_t)(n >> 4);\n"
                     "        }\n");
}

static void print_portion(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    text_printf(p->out,
                "        uint8_t n = %s_U8(at, 1);\n"
                "        uint32_t s0 = n;\n",
                p->plan->upper);
    for (int i = 1; i < words_of(lanes); i++) {
        text_printf(p->out, "        uint32_t s%d;\n", i);
    }
    text_printf(p->out,
                "        s0 = (s0 & 15U) * %dU;\n"
                "        p = &p[%s_U8(at, 0)];\n"
                "        at = &at[2];\n"
                "        s0 |= s0 << 8;\n"
                "        s0 |= s0 << 16;\n",
                lanes->high, p->plan->upper);
    for (int i = 1; i < words_of(lanes); i++) {
        text_printf(p->out, "        s%d = s0;\n", i);
    }
    print_lists(p, index);
    for (int i = 0; i < words_of(lanes); i++) {
        text_printf(p->out,
                    "        sums[%d] += s%d & 16711935U;\n"
                    "        sums[%d] += (s%d >> 8) & 16711935U;\n",
                    2 * i, i, 2 * i + 1, i);
    }
}

void map_print_lanes_helper(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    text_printf(
        p->out,
        "/* Adds a row of weights to the sums of %d x %d words of four positions: portions of at\n"
        " * most %d in bytes, which start at what may be minus, then as 16 bits.  A portion: how "
        "far\n"
        " * behind the one before, how many are minus and plus, and their distances, two to a "
        "byte.\n"
        " * Returns the next row. */\n"
        "static %s_APART const uint8_t *%s_lanes%s(const uint32_t *m, const uint8_t *row,\n"
        "    uint32_t *sums)\n"
        "{\n"
        "    const uint32_t *p = m;\n"
        "    const uint8_t *at = &row[1];\n"
        "    for (uint8_t left = %s_U8(row, 0); left > 0U; left--) {\n",
        lanes->tile[0], lanes->tile[1], lanes->most, plan->upper, plan->name, name_of(plan, index),
        plan->upper);
    print_portion(p, index);
    text_add(p->out, "    }\n    return at;\n}\n\n");
}

/* ---- the layer ---- */

int map_part_offset(const struct lanes *lanes, int part, int row, int column)
{
    int down = part / lanes->part_columns[0] * lanes->part_rows[1];
    int across = part % lanes->part_columns[0] * lanes->part_columns[1];
    return down * row + across * column;
}

/* The map in lanes: the inputs of four positions in each word. */
static void print_gather(struct printer *p, int index, const char *y0)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    const struct pass *pass = &plan->maps->rows[index].passes[0];
    int input = plan->net->layers[index].inputs[0];
    const struct map_view *in = &plan->maps->views[input];
    int run = lanes->in_columns * channels_of(plan, index);
    char from[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    map_add_term(from, "v", lanes->rolls ? pass->in_row_step : 0);
    map_add_term(from, "y", in->row);
    map_add_term(to, "y", run);
    map_add_term(to, "i", 1);
    text_printf(p->out,
                "for (%s y = %s; y < %d; y++) {\n"
                "const uint8_t *p = &%s[%s];\n"
                "for (%s i = 0; i < %d; i++) {\n"
                "lanes[%s] = (uint32_t)p[i]",
                plan->index, y0, lanes->in_rows, map_array(plan, input),
                map_end_terms(from, in->offset + pass->in_offset), plan->index, run, to);
    for (int part = 1; part < 4 && !lanes->alone; part++) {
        int offset = map_part_offset(lanes, part, pass->in_row_step, pass->in_column_step);
        char at[INDEX_MAX] = "i";
        text_printf(p->out, "\n| ((uint32_t)p[%s] << %d)", map_end_terms(at, offset), 8 * part);
    }
    text_add(p->out, ";\n}\n}\n");
}

/* One of four results, with its 16 bits at `bits`. */
static void print_store(struct printer *p, int index, int part, const char *bits)
{
    const struct plan *plan = p->plan;
    const struct map_view *out = &plan->maps->views[plan->net->layers[index].output];
    char to[32];
    (void)snprintf(to, sizeof to, "q[%d]",
                   map_part_offset(lanes_of(plan, index), part, out->row, out->column));
    map_print_shifted(p, bits, "k", "low");
    map_print_stored(p, index, to, NULL);
}

static void print_stores(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    int output = plan->net->layers[index].output;
    const struct map_view *out = &plan->maps->views[output];
    enum type type = plan->net->tensors[output].type;
    char at[INDEX_MAX] = "";
    map_add_term(at, "y", out->row);
    map_add_term(at, "x", out->column);
    text_printf(p->out,
                "            {\n"
                "            const uint32_t *sum = s;\n"
                "            for (int y = 0; y < %d; y++) {\n"
                "                for (int x = 0; x < %d; x++) {\n"
                "                    %s *q = &to[%s];\n"
                "uint32_t t;\nint32_t z;\n",
                lanes->tile[0], lanes->tile[1], c_type(type == TYPE_U4 ? TYPE_U8 : type), at);
    static const char *const bits[] = {"sum[0] & 65535U", "sum[1] & 65535U", "sum[0] >> 16",
                                       "sum[1] >> 16"};
    for (int part = 0; part < (lanes->alone ? 1 : 4); part++) {
        print_store(p, index, part, bits[part]);
    }
    text_add(
        p->out,
        "                    sum = &sum[2];\n                }\n            }\n            }\n");
}

/* The results of a tile. */
static void print_tile(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    const struct window *w = &plan->net->layers[index].window;
    int output = plan->net->layers[index].output;
    const struct map_view *out = &plan->maps->views[output];
    enum type type = plan->net->tensors[output].type;
    int channels = channels_of(plan, index);
    char from[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    map_add_term(from, "u",
                 lanes->tiles[1] > 1 ? lanes->tile_step[1] * w->column_stride * channels : 0);
    map_add_term(to, "v", lanes->rolls ? out->row : 0);
    map_add_term(to, "u", lanes->tiles[1] > 1 ? lanes->tile_step[1] * out->column : 0);
    map_add_term(to, "i", 1);
    text_printf(p->out, "const uint32_t *from = &lanes[%s];\n%s *to = &%s[%s];\n",
                map_end_terms(from, 0), c_type(type == TYPE_U4 ? TYPE_U8 : type),
                map_array(plan, output), map_end_terms(to, out->offset));
    text_printf(p->out,
                "            for (int j = 0; j < %d; j++) {\n"
                "                s[j] = base;\n"
                "            }\n"
                "            %s = %s_lanes%s(from, row, s);\n",
                2 * words_of(lanes), lanes->tiles[1] > 1 ? "const uint8_t *next" : "row",
                plan->name, name_of(plan, index));
    print_stores(p, index);
}

static void print_channel(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct step *step = &plan->steps[index];
    const struct lanes *lanes = lanes_of(plan, index);
    char bias[ELEMENT_MAX];
    char shift[ELEMENT_MAX];
    text_printf(p->out,
                "        const uint32_t first = (uint32_t)%s;\n"
                "        const uint32_t base = first | (first << 16);\n"
                "        const uint8_t k = %s;\n"
                "        const uint32_t lift = (uint32_t)32768U >> k;\n"
                "        const int32_t low = (int32_t)lift;\n"
                "        uint32_t s[%d];\n",
                series_at(plan, &step->bias, "i", bias), series_at(plan, &step->shift, "i", shift),
                2 * words_of(lanes));
    if (lanes->tiles[1] > 1) {
        text_printf(p->out, "        for (%s u = 0; u < %d; u++) {\n", plan->index,
                    lanes->tiles[1]);
    }
    print_tile(p, index);
    if (lanes->tiles[1] > 1) {
        text_printf(p->out, "if (u == %d) {\nrow = next;\n}\n}\n", lanes->tiles[1] - 1);
    }
}

/* The rows of words that the next row of positions does not find there. */
static void print_fill(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    int stride = plan->net->layers[index].window.row_stride;
    int keep = lanes->rolls && lanes->in_rows > stride ? lanes->in_rows - stride : 0;
    int run = lanes->in_columns * channels_of(plan, index);
    if (keep > 0) {
        text_printf(p->out,
                    "%s y0 = 0;\n"
                    "if (v > 0) {\n"
                    "y0 = %d;\n"
                    "for (%s i = 0; i < %d; i++) {\n"
                    "lanes[i] = lanes[i + %d];\n"
                    "}\n}\n",
                    plan->index, keep, plan->index, keep * run, stride * run);
    }
    const char *y0 = keep > 0 ? "y0" : "0";
    if (lanes->writer >= 0) {
        map_print_direct_rows(p, lanes->writer, y0);
    } else {
        print_gather(p, index, y0);
    }
}

void map_print_lanes(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct lanes *lanes = lanes_of(plan, index);
    if (lanes->rolls) {
        text_printf(p->out, "    for (%s v = 0; v < %d; v++) {\n", plan->index, lanes->tiles[0]);
    } else {
        text_add(p->out, "    {\n");
    }
    text_printf(p->out, "    const uint8_t *row = w%s;\n", name_of(plan, index));
    print_fill(p, index);
    text_printf(p->out, "    for (%s i = 0; i < %d; i++) {\n", plan->index, layer->weights.rows);
    print_channel(p, index);
    text_add(p->out, "    }\n    }\n");
}
