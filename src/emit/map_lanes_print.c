/* Convs in lanes as C: the table and the layer. */
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

int map_lanes_words(const struct lanes *lanes)
{
    return lanes->tile[0] * lanes->tile[1];
}

int map_lanes_words_of_map(const struct lanes *lanes)
{
    return lanes->in_rows * lanes->in_columns * lanes->in_channels;
}

int map_lanes_bytes(const struct lanes *lanes)
{
    return lanes->form == AS_BITS ? lanes->word_count * (int)sizeof *lanes->words
                                  : lanes->byte_count;
}

/* ---- the table ---- */

static void print_words(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    text_printf(p->out, "    static const uint32_t w%s[%d] %s_FLASH = {", name_of(p->plan, index),
                lanes->word_count, p->plan->upper);
    for (int i = 0; i < lanes->word_count; i++) {
        text_printf(p->out, i % 7 == 0 ? "\n        0x%08lxU," : " 0x%08lxU,",
                    (unsigned long)lanes->words[i]);
    }
    text_add(p->out, "\n    };\n");
}

void map_print_lanes_table(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    if (lanes->form == AS_BITS) {
        print_words(p, index);
        return;
    }
    text_printf(p->out, "    static const uint8_t w%s[%d] %s_FLASH = {\n        ",
                name_of(p->plan, index), lanes->byte_count, p->plan->upper);
    print_numbers(p->out, (struct numbers){.u8 = lanes->bytes}, 0, lanes->byte_count, 8);
    text_add(p->out, "\n    };\n");
}

/* ---- the function ---- */

int map_lanes_offset(const struct plan *plan, int index, int i)
{
    const struct lanes *lanes = lanes_of(plan, index);
    const struct window *w = &plan->net->layers[index].window;
    return i / lanes->tile[1] * w->row_stride * lanes->row_step +
           i % lanes->tile[1] * lanes->beside;
}

void map_print_lanes_additions(struct printer *p, int index, const char *in)
{
    for (int i = 0; i < map_lanes_words(lanes_of(p->plan, index)); i++) {
        text_printf(p->out, "%ss%d += q[%d];\n", in, i, map_lanes_offset(p->plan, index, i));
    }
}

void map_print_lanes_sums(struct printer *p, int words, const char *in)
{
    for (int i = 0; i < words; i++) {
        text_printf(p->out,
                    "%ssums[%d] += s%d & 16711935U;\n"
                    "%ssums[%d] += (s%d >> 8) & 16711935U;\n",
                    in, 2 * i, i, in, 2 * i + 1, i);
    }
}

void map_print_lanes_start(struct printer *p, int index, const char *sums, const char *in)
{
    text_printf(p->out, "%sfor (int j = 0; j < %d; j++) {\n%s    %s[j] = base;\n%s}\n", in,
                2 * map_lanes_words(lanes_of(p->plan, index)), in, sums, in);
}

/* Do two layers need the same function? */
static bool same_tile(const struct plan *plan, int a, int b)
{
    const struct lanes *one = lanes_of(plan, a);
    const struct lanes *other = lanes_of(plan, b);
    bool same = one && other && one->form == other->form && one->tile[0] == other->tile[0] &&
                one->tile[1] == other->tile[1];
    for (int i = 0; same && i < map_lanes_words(one); i++) {
        same = map_lanes_offset(plan, a, i) == map_lanes_offset(plan, b, i);
    }
    return same;
}

/* The first layer with its function. */
static int owner(const struct plan *plan, int index)
{
    int first = 0;
    while (first < index && !same_tile(plan, first, index)) {
        first++;
    }
    return first;
}

bool map_lanes_far(const struct plan *plan, int index)
{
    bool far = false;
    for (int i = index; i < plan->net->layer_count; i++) {
        const struct lanes *lanes = lanes_of(plan, i);
        far = far || (same_tile(plan, index, i) && map_lanes_words_of_map(lanes) > UINT8_MAX + 1);
    }
    return far;
}

void map_print_lanes_helper(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    if (owner(plan, index) != index) {
        return;
    }
    if (lanes_of(plan, index)->form == AS_BITS) {
        map_print_lanes_coded(p, index);
    } else {
        map_print_lanes_listed(p, index);
    }
}

/* ---- the layer ---- */

int map_part_offset(const struct lanes *lanes, int part, int row, int column)
{
    int down = part / lanes->part_columns[0] * lanes->part_rows[1];
    int across = part % lanes->part_columns[0] * lanes->part_columns[1];
    return down * row + across * column;
}

void map_open_columns(struct printer *p, const struct lanes *lanes)
{
    if (lanes->planes > 1) {
        text_printf(p->out, "for (%s first = 0; first < %d; first++) {\n", p->plan->index,
                    lanes->planes);
    }
    text_printf(p->out, "for (%s x = %s; x < %d; x += %d) {\n", p->plan->index,
                lanes->planes > 1 ? "first" : "0", lanes->in_columns,
                lanes->planes > 1 ? lanes->planes : 1);
}

void map_close_columns(struct printer *p, const struct lanes *lanes)
{
    text_add(p->out, lanes->planes > 1 ? "}\n}\n" : "}\n");
}

int map_lanes_column_words(const struct lanes *lanes)
{
    return lanes->planes > 0 ? 1 : lanes->in_channels;
}

/* A word of the map: the inputs of four positions from p[i] on. */
static void print_word(struct printer *p, int index)
{
    const struct lanes *lanes = lanes_of(p->plan, index);
    const struct pass *pass = &p->plan->maps->rows[index].passes[0];
    text_add(p->out, "(uint32_t)p[i]");
    for (int part = 1; part < 4 && !lanes->alone; part++) {
        int offset = map_part_offset(lanes, part, pass->in_row_step, pass->in_column_step);
        char at[INDEX_MAX] = "i";
        text_printf(p->out, "\n| ((uint32_t)p[%s] << %d)", map_end_terms(at, offset), 8 * part);
    }
    text_add(p->out, ";\n");
}

/* Words, `step` apart, for elements or for pairs of them in a byte. */
static void print_run(struct printer *p, int index, int count, int step)
{
    const struct plan *plan = p->plan;
    bool pairs = plan->maps->views[plan->net->layers[index].inputs[0]].packed;
    char first[INDEX_MAX] = "";
    char second[INDEX_MAX] = "";
    map_add_term(first, "i", pairs ? 2 * step : step);
    map_add_term(second, "i", 2 * step);
    text_printf(p->out, "for (%s i = 0; i < %d; i++) {\n", plan->index, pairs ? count / 2 : count);
    if (pairs) {
        text_add(p->out, "const uint32_t both = ");
        print_word(p, index);
        text_printf(p->out,
                    "word[%s] = both & 252645135U;\n"
                    "word[%s] = (both >> 4) & 252645135U;\n",
                    first, map_end_terms(second, step));
    } else {
        text_printf(p->out, "word[%s] = ", first);
        print_word(p, index);
    }
    text_add(p->out, "}\n");
}

/* The map in lanes, where channels or columns are innermost. */
static void print_gather(struct printer *p, int index, const char *y0)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    const struct pass *pass = &plan->maps->rows[index].passes[0];
    int input = plan->net->layers[index].inputs[0];
    const struct map_view *in = &plan->maps->views[input];
    char from[INDEX_MAX] = "";
    map_add_term(from, "v", lanes->rolls ? pass->in_row_step : 0);
    map_add_term(from, "y", in->row);
    text_printf(p->out, "for (%s y = %s; y < %d; y++) {\n", plan->index, y0, lanes->in_rows);
    text_printf(p->out,
                lanes->row_step == 1 ? "uint32_t *word = &lanes[y];\n"
                                     : "uint32_t *word = &lanes[y * %d];\n",
                lanes->row_step);
    if (lanes->planes > 0) {
        map_open_columns(p, lanes);
        map_add_term(from, "x", in->column);
    }
    text_printf(p->out, "const uint8_t *p = &%s[%s];\n", map_array(plan, input),
                map_end_terms(from, in->offset + pass->in_offset));
    if (lanes->planes > 0) {
        print_run(p, index, lanes->in_channels, lanes->channel_step);
        text_printf(p->out, "word = &word[%d];\n", map_lanes_column_words(lanes));
        map_close_columns(p, lanes);
    } else {
        print_run(p, index, lanes->row_step, 1);
    }
    text_add(p->out, "}\n");
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

int map_lanes_bits(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    int bits = type == TYPE_U4 ? 4 : 8;
    bool fits = (type == TYPE_U4 || type == TYPE_U8) && plan_acts(plan, index) &&
                map_clamps_itself(plan, index) && !lanes_of(plan, index)->alone;
    if (fits) {
        struct interval kept = plan_kept(layer->activation, type);
        fits = kept.low == 0 && kept.high == (1 << bits) - 1;
    }
    for (int row = 0; fits && row < layer->weights.rows; row++) {
        fits = layer->shift[row] + bits <= 15;
    }
    return fits ? bits : 0;
}

/* The lowest bits as q[to]; of two to a byte as the upper one, which pushes the other down. */
static void print_byte(struct printer *p, const struct map_view *out, int to, const char *bits)
{
    if (out->packed) {
        text_printf(p->out, "q[%d] = (uint8_t)((q[%d] >> 4) | (%s & 255U));\n", to, to, bits);
    } else {
        text_printf(p->out, "q[%d] = (uint8_t)(%s & 255U);\n", to, bits);
    }
}

/* Two results at once, of two parts: what is too large becomes the most, what is negative 0. */
static void print_two(struct printer *p, int index, int which, int bits)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    const struct map_view *out = &plan->maps->views[plan->net->layers[index].output];
    const char *type = which == 0 ? "uint32_t " : "";
    unsigned most = (1U << bits) - 1;
    text_printf(p->out,
                "%sw = sum[%d];\n"
                "%sover = (((w | 2147516416U) - most) >> 15) & 65537U;\n"
                "%sfine = (w >> 15) & 65537U;\n"
                "w = ((w >> k) | (over * %uU)) & (fine * %uU);\n",
                type, which, type, type, most, most);
    text_add(p->out, out->packed ? "w <<= 4;\n" : "");
    print_byte(p, out, map_part_offset(lanes, which, out->row, out->column), "w");
    print_byte(p, out, map_part_offset(lanes, which + 2, out->row, out->column), "(w >> 16)");
}

static void print_all(struct printer *p, int index)
{
    static const char *const bits[] = {"sum[0] & 65535U", "sum[1] & 65535U", "sum[0] >> 16",
                                       "sum[1] >> 16"};
    int clamped = map_lanes_bits(p->plan, index);
    for (int which = 0; clamped > 0 && which < 2; which++) {
        print_two(p, index, which, clamped);
    }
    if (clamped == 0) {
        text_add(p->out, "uint32_t t;\nint32_t z;\n");
        for (int part = 0; part < (lanes_of(p->plan, index)->alone ? 1 : 4); part++) {
            print_store(p, index, part, bits[part]);
        }
    }
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
                "                    %s *q = &to[%s];\n",
                lanes->tile[0], lanes->tile[1], c_type(type == TYPE_U4 ? TYPE_U8 : type), at);
    print_all(p, index);
    text_add(
        p->out,
        "                    sum = &sum[2];\n                }\n            }\n            }\n");
}

/* Bits of rows and columns of runs, which need a loop of calls. */
static bool is_nested(const struct lanes *lanes)
{
    return lanes->form == AS_BITS && lanes->taps[0] > 1 && lanes->taps[1] > 1;
}

/* The sums of a tile; where several tiles are made of a row, `next` is the one behind it. */
static void print_call(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    const char *to = lanes->tiles[1] > 1 ? "next" : "row";
    const char *name = name_of(plan, owner(plan, index));
    if (is_nested(lanes)) {
        text_printf(p->out,
                    "for (int j = 0; j < %d; j++) {\n"
                    "%s = %s_lanes%s(&from[j * %d], %s, s, %d, %d, %d);\n}\n",
                    lanes->taps[0], to, plan->name, name, lanes->tap_step[0], to, lanes->taps[1],
                    lanes->length, lanes->tap_step[1]);
    } else if (lanes->form == AS_BITS) {
        text_printf(p->out, "%s = %s_lanes%s(from, row, s, %d, %d, %d);\n", to, plan->name, name,
                    lanes->taps[0] * lanes->taps[1], lanes->length,
                    lanes->tap_step[lanes->taps[0] > 1 ? 0 : 1]);
    } else {
        text_printf(p->out, "%s = %s_lanes%s(from, row, %s);\n", to, plan->name, name,
                    map_lanes_starts(plan, index) ? "s, base" : "s");
    }
}

/* The results of a tile. */
static void print_tile(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = lanes_of(plan, index);
    int output = plan->net->layers[index].output;
    const struct map_view *out = &plan->maps->views[output];
    enum type type = plan->net->tensors[output].type;
    char from[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    map_add_term(from, "u", lanes->tiles[1] > 1 ? lanes->tile_step[1] * lanes->beside : 0);
    map_add_term(to, "v", lanes->rolls ? out->row : 0);
    map_add_term(to, "u", lanes->tiles[1] > 1 ? lanes->tile_step[1] * out->column : 0);
    map_add_term(to, out->packed ? "(int)(i / 2)" : "i", 1);
    text_printf(p->out, "const uint32_t *from = &lanes[%s];\n%s *to = &%s[%s];\n",
                map_end_terms(from, 0), c_type(type == TYPE_U4 ? TYPE_U8 : type),
                map_array(plan, output), map_end_terms(to, out->offset));
    if (lanes->tiles[1] > 1) {
        text_printf(p->out, "const uint%d_t *next%s;\n", lanes->form == AS_BITS ? 32 : 8,
                    is_nested(lanes) ? " = row" : "");
    }
    if (!map_lanes_starts(plan, index)) {
        map_print_lanes_start(p, index, "s", "");
    }
    print_call(p, index);
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
                "        uint32_t s[%d];\n",
                series_at(plan, &step->bias, "i", bias), series_at(plan, &step->shift, "i", shift),
                2 * map_lanes_words(lanes));
    if (map_lanes_bits(plan, index) > 0) {
        text_printf(p->out, "const uint32_t most = (uint32_t)%luU << k;\n",
                    65537UL << map_lanes_bits(plan, index));
    } else {
        text_add(p->out, "const uint32_t lift = (uint32_t)32768U >> k;\n"
                         "const int32_t low = (int32_t)lift;\n");
    }
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
    int run = lanes->row_step;
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

/* Results push those before them into the lower half of their bytes, so these begin with zeros. */
static void print_cleared(struct printer *p, int index)
{
    const struct map_view *out = &p->plan->maps->views[p->plan->net->layers[index].output];
    if (out->packed && !out->zeros) {
        text_printf(p->out, "    for (%s i = 0; i < %d; i++) {\n    words[i + %d] = 0U;\n    }\n",
                    p->plan->index, (out->size + WORD_BYTES - 1) / WORD_BYTES,
                    out->offset / WORD_BYTES);
    }
}

void map_print_lanes(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct lanes *lanes = lanes_of(plan, index);
    if (lanes->rolls) {
        print_cleared(p, index);
        text_printf(p->out, "    for (%s v = 0; v < %d; v++) {\n", plan->index, lanes->tiles[0]);
    } else {
        text_add(p->out, "    {\n");
    }
    text_printf(p->out,
                "    uint32_t *const lanes = &words[%d];\n"
                "    const uint%d_t *row = w%s;\n",
                lanes->first, lanes->form == AS_BITS ? 32 : 8, name_of(plan, index));
    print_fill(p, index);
    if (!lanes->rolls) {
        print_cleared(p, index);
    }
    text_printf(p->out, "    for (%s i = 0; i < %d; i++) {\n", plan->index, layer->weights.rows);
    print_channel(p, index);
    text_add(p->out, "    }\n    }\n");
}
