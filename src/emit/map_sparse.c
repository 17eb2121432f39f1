/* Dense layers of 4-bit weights over bytes, many of which are zero: a list of those that are not,
 * then eight rows at a time.
 *
 * A word holds one column of eight rows, each weight plus 8 in four bits.  Masked with 0x000f000f
 * it is two factors at once: a product with the input is at most 15 high, and 16 bits hold `most`
 * of them before they are added to sums of 32 bits.  What the 8 add is 8 times the sum of the
 * inputs, which is taken back.
 *
 * Where an int has 16 bits, the same fields lie in bytes, two rows in each, and a product of 8 by 8
 * bits serves one row. */
#include "emit/map.h"

#include <stdio.h>

#define ROWS_AT_ONCE  8
#define COLUMNS_LEAST 8
#define BYTES_COLUMN  (ROWS_AT_ONCE / 2) /* of a column of eight rows */

static const struct pass *pass_of(const struct plan *plan, int index)
{
    return &plan->maps->rows[index].passes[0];
}

static int columns_of(const struct plan *plan, int index)
{
    return plan->net->layers[index].weights.columns;
}

/* ---- the plan ---- */

bool map_sparse_in_bytes(const struct plan *plan)
{
    return plan->machine->word != 32;
}

static const char *table_type(const struct plan *plan)
{
    return map_sparse_in_bytes(plan) ? "uint8_t" : "uint32_t";
}

/* Elements of the table for one column of eight rows. */
static int table_step(const struct plan *plan)
{
    return map_sparse_in_bytes(plan) ? BYTES_COLUMN : 1;
}

/* Does the index of an element of the table for eight rows fit where it is computed? */
static bool indices_fit(const struct plan *plan, int columns)
{
    return !map_sparse_in_bytes(plan) || columns <= UINT16_MAX / BYTES_COLUMN;
}

bool map_fits_sparse(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct weights *w = &layer->weights;
    const struct pass *pass = pass_of(plan, index);
    enum type type = plan->net->tensors[layer->inputs[0]].type;
    return !map_for_size(plan, index) && layer->op == OP_DENSE && !w->odd &&
           (w->bits == 3 || w->bits == 4) && (type == TYPE_U8 || type == TYPE_U4) &&
           map_largest(plan, layer->inputs[0]) >= 0 && pass->length == w->columns &&
           w->columns >= COLUMNS_LEAST && indices_fit(plan, w->columns);
}

/* ---- the table ---- */

uint32_t map_eight_rows(const struct weights *w, int first, int column, const int fields[8])
{
    uint32_t word = 0;
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
        int row = first + i;
        int weight =
            row < w->rows ? w->values[(size_t)row * (size_t)w->columns + (size_t)column] : 0;
        word |= (uint32_t)(weight + 8) << (4 * fields[i]);
    }
    return word;
}

static void print_bytes(struct printer *p, uint32_t word)
{
    for (int i = 0; i < BYTES_COLUMN; i++) {
        text_printf(p->out, i ? ", %u" : "%u", (unsigned)(word >> (8 * i) & UINT8_MAX));
    }
}

void map_print_sparse_table(struct printer *p, int index)
{
    static const int fields[ROWS_AT_ONCE] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct weights *w = &p->plan->net->layers[index].weights;
    int blocks = (w->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    bool bytes = map_sparse_in_bytes(p->plan);
    text_printf(p->out, "    static const %s w%s[%d] %s_FLASH = {", table_type(p->plan),
                pass_of(p->plan, index)->name, blocks * w->columns * table_step(p->plan),
                p->plan->upper);
    for (int i = 0; i < blocks * w->columns; i++) {
        int first = i / w->columns * ROWS_AT_ONCE;
        uint32_t word = map_eight_rows(w, first, i % w->columns, fields);
        text_add(p->out, i % (bytes ? 4 : 8) ? ", " : i ? ",\n        " : "\n        ");
        if (bytes) {
            print_bytes(p, word);
        } else {
            text_printf(p->out, "0x%08lxU", (unsigned long)word);
        }
    }
    text_add(p->out, "\n    };\n");
}

/* ---- the function that all such layers share ---- */

static bool is_sparse(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    return rows->passes && rows->sparse && rows->planes == 0;
}

/* The most columns of such a layer, or of any with lists; 0 where there is none. */
static int most_columns(const struct plan *plan, bool any)
{
    int most = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        bool listed = is_sparse(plan, i) || (any && plan->maps->rows[i].planes > 0);
        int columns = listed ? columns_of(plan, i) : 0;
        most = columns > most ? columns : most;
    }
    return most;
}

bool map_has_sparse(const struct plan *plan)
{
    return most_columns(plan, true) > 0;
}

const char *map_list_type(const struct plan *plan)
{
    return most_columns(plan, true) > 256 ? "uint16_t" : "uint8_t";
}

/* The products of an input with eight weights. */
static void print_products(struct printer *p)
{
    text_printf(p->out,
                "        for (; left > 0; left--) {\n"
                "            const uint32_t x = p[used[0]];\n"
                "            const uint32_t v = %s_U32(w, used[0]);\n"
                "            used = &used[1];\n"
                "            s0 += (v & 983055U) * x;\n"
                "            s1 += ((v >> 4) & 983055U) * x;\n"
                "            s2 += ((v >> 8) & 983055U) * x;\n"
                "            s3 += ((v >> 12) & 983055U) * x;\n"
                "        }\n",
                p->plan->upper);
}

/* The same without a multiplier, bit by bit of the input. */
static void print_bits(struct printer *p)
{
    text_printf(p->out,
                "        for (; left > 0; left--) {\n"
                "            uint32_t x = p[used[0]];\n"
                "            const uint32_t v = %s_U32(w, used[0]);\n"
                "            uint32_t v0 = v & 983055U;\n"
                "            uint32_t v1 = (v >> 4) & 983055U;\n"
                "            uint32_t v2 = (v >> 8) & 983055U;\n"
                "            uint32_t v3 = (v >> 12) & 983055U;\n"
                "            used = &used[1];\n"
                "            while (x != 0U) {\n"
                "                if ((x & 1U) != 0U) {\n"
                "                    s0 += v0;\n"
                "                    s1 += v1;\n"
                "                    s2 += v2;\n"
                "                    s3 += v3;\n"
                "                }\n"
                "                v0 += v0;\n"
                "                v1 += v1;\n"
                "                v2 += v2;\n"
                "                v3 += v3;\n"
                "                x >>= 1;\n"
                "            }\n"
                "        }\n",
                p->plan->upper);
}

/* One product for each row: 8 times 8 bits, which fit 16. */
static void print_narrow(struct printer *p)
{
    text_add(p->out, "        for (; left > 0; left--) {\n"
                     "            const uint8_t x = p[used[0]];\n"
                     "            const uint8_t *v = &w[(uint16_t)(used[0] * 4U)];\n"
                     "            uint8_t two;\n"
                     "            used = &used[1];\n");
    for (int i = 0; i < ROWS_AT_ONCE; i += 2) {
        text_printf(p->out,
                    "            two = %s_U8(v, %d);\n"
                    "            s%d += (uint16_t)((uint16_t)(uint8_t)(two & 15U) * x);\n"
                    "            s%d += (uint16_t)((uint16_t)(uint8_t)(two >> 4) * x);\n",
                    p->plan->upper, i / 2, i, i + 1);
    }
    text_add(p->out, "        }\n");
}

/* The largest input of these layers. */
static int most_high(const struct plan *plan)
{
    int64_t high = 1;
    for (int i = 0; i < plan->net->layer_count; i++) {
        int64_t most = is_sparse(plan, i) ? map_largest(plan, plan->net->layers[i].inputs[0]) : 0;
        high = most > high ? most : high;
    }
    return (int)high;
}

/* Inputs of a portion: as many as 16 bits hold, but no more than make portions of one size. */
static int portion_of(const struct plan *plan)
{
    int most = UINT16_MAX / (15 * most_high(plan));
    int columns = most_columns(plan, false);
    int portions = (columns + most - 1) / most;
    return (columns + portions - 1) / portions;
}

/* From its comment to where a portion of `most` inputs begins. */
static void print_opening(struct printer *p, int most)
{
    const struct plan *plan = p->plan;
    bool bytes = map_sparse_in_bytes(plan);
    text_printf(
        p->out,
        "/* Adds eight rows of weights, 8 too large, times the n inputs that are not zero%s, up "
        "to %d of\n"
        " * them in 16 bits. */\n"
        "static %s_APART void %s_eight(const uint8_t *p, const %s *list, %s count,\n"
        "    const %s *w, uint32_t *sums)\n"
        "{\n"
        "    const %s *portion = list;\n"
        "    for (%s n = count; n > 0; n -= %d) {\n"
        "        const %s *used = portion;\n"
        "        %s left = (n > %d) ? %d : n;\n",
        bytes ? "" : ": two in each product", most, plan->upper, plan->name, map_list_type(plan),
        plan->index, table_type(plan), map_list_type(plan), plan->index, most, map_list_type(plan),
        plan->index, most, most);
}

void map_print_sparse_helper(struct printer *p)
{
    const struct plan *plan = p->plan;
    bool bytes = map_sparse_in_bytes(plan);
    if (most_columns(plan, false) == 0) {
        return;
    }
    print_opening(p, portion_of(plan));
    for (int i = 0; i < (bytes ? ROWS_AT_ONCE : ROWS_AT_ONCE / 2); i++) {
        text_printf(p->out, bytes ? "        uint16_t s%d = 0U;\n" : "        uint32_t s%d = 0U;\n",
                    i);
    }
    if (bytes) {
        print_narrow(p);
    } else if (plan->machine->no_multiplier) {
        print_bits(p);
    } else {
        print_products(p);
    }
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
        text_printf(p->out,
                    bytes   ? "        sums[%d] += s%d;\n"
                    : i < 4 ? "        sums[%d] += s%d & 65535U;\n"
                            : "        sums[%d] += s%d >> 16;\n",
                    i, bytes ? i : i % 4);
    }
    text_printf(p->out, "        portion = &portion[%d];\n    }\n}\n\n", portion_of(plan));
}

/* ---- the layer ---- */

bool map_cuts_below(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    return map_clamps_itself(plan, index) && plan_acts(plan, index) &&
           plan_kept(layer->activation, type).low == 0;
}

/* A list has room for full portions.  Where there may be several, all of it is cleared: no sum
 * needs that, but a prover then knows that all was written. */
static void print_list(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    int columns = columns_of(plan, index);
    int portion = portion_of(plan);
    int room = (columns + portion - 1) / portion * portion;
    const struct map_view *in = &plan->maps->views[plan->net->layers[index].inputs[0]];
    text_printf(p->out,
                "    {\n"
                "    const uint8_t *p = &%s[%d];\n"
                "    const %s *w = w%s;\n"
                "    %s used[%d]; /* inputs that are not zero */\n"
                "    int32_t total = 0;\n"
                "    %s n = 0;\n"
                "    for (%s i = 0; i < %d; i++) {\n"
                "        used[i] = 0U;\n"
                "        if (p[i] != 0U) {\n"
                "            total += (int32_t)p[i];\n"
                "            used[n] = (%s)i;\n"
                "            n++;\n"
                "        }\n"
                "    }\n",
                map_array(plan, plan->net->layers[index].inputs[0]), in->offset, table_type(plan),
                pass_of(plan, index)->name, map_list_type(plan), room, plan->index, plan->index,
                columns, map_list_type(plan));
    if (columns > portion && room > columns) {
        text_printf(p->out,
                    "    for (%s i = %d; i < %d; i++) {\n"
                    "        used[i] = 0U;\n"
                    "    }\n",
                    plan->index, columns, room);
    }
}

void map_print_listed_row(struct printer *p, int index, bool next)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    const struct series *shift = &plan->steps[index].shift;
    const char *row = next ? "i + j + 1" : "i + j";
    char text[ELEMENT_MAX];
    char at[INDEX_MAX] = "";
    char to[INDEX_MAX + 8];
    bool shifts = !shift->uniform || shift->value > 0;
    bool cuts = shifts && map_cuts_below(plan, index);
    const struct interval kept = {0, INT32_MAX};
    text_printf(p->out, " + (int32_t)%s;\n", series_at(plan, &plan->steps[index].bias, row, text));
    if (cuts) {
        text_printf(p->out,
                    "            const uint32_t kept = (acc < 0) ? 0U : (uint32_t)acc;\n"
                    "            const uint32_t part = kept >> %s;\n"
                    "            const int32_t z = (int32_t)part;\n            ",
                    series_at(plan, shift, row, text));
    } else if (shifts) {
        text_printf(p->out, "            const int32_t z = %s_floor(acc, %s);\n            ",
                    plan->name, series_at(plan, shift, row, text));
    } else {
        text_add(p->out, "            const int32_t z = acc;\n            ");
    }
    map_add_term(at, "i", 1);
    map_add_term(at, "j", 1);
    (void)snprintf(to, sizeof to, "%s[%s]", map_array(plan, layer->output),
                   map_end_terms(at, plan->maps->views[layer->output].offset + next));
    map_print_stored(p, index, to, cuts ? &kept : NULL);
}

void map_print_sparse(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    print_list(p, index);
    text_printf(p->out,
                "    for (%s i = 0; i < %d; i += %d) {\n"
                "        uint32_t s[%d];\n",
                plan->index, layer->weights.rows, ROWS_AT_ONCE, ROWS_AT_ONCE);
    for (int j = 0; j < ROWS_AT_ONCE; j++) {
        text_printf(p->out, "        s[%d] = (uint32_t)total;\n", j);
    }
    text_printf(p->out,
                "        %s_eight(p, used, n, w, s);\n"
                "        w = &w[%d];\n",
                plan->name, columns_of(plan, index) * table_step(plan));
    text_printf(p->out,
                "        for (%s j = 0; (j < %d) && ((i + j) < %d); j++) {\n"
                "            const int32_t acc = (int32_t)s[j] - (total * 9)",
                plan->index, ROWS_AT_ONCE, layer->weights.rows);
    map_print_listed_row(p, index, false);
    text_add(p->out, "        }\n    }\n    }\n");
}
