/* Dense layers of 4-bit weights over small numbers, without a product: by the bits of the inputs.
 *
 * Plane k lists the inputs whose bit k is set.  The sum of their columns of weights, times 2^k, is
 * what the plane adds; so there are additions only, and those are of bytes: a word holds one column
 * of eight rows, each weight plus 8 in four bits, and masked with 0x0f0f0f0f it is four terms of at
 * most 15, of which a byte holds 17; 16 are taken.  Behind those the bytes go on to sums of 16
 * bits, two to a word.  What the 8 add is 8 times the sum of the inputs, which is taken back.
 *
 * Cycles of eight rows, on a Cortex-M0 and an RV32EC alike within a third: 12 per set bit and 60
 * per portion, against 31 per input that is not zero by products of two rows (map_sparse.c), and
 * against 14 for each bit up to its highest where those have no multiplier. */
#include "emit/map.h"

#include <stdio.h>

#define ROWS_AT_ONCE  16
#define WORDS_AT_ONCE 2 /* of a column of these rows */
#define WORD_ROWS     8
#define FIELD_MOST    15
#define MEAN_BITS     3  /* twice what is set at most in the mean code, beside a multiplier */
#define PORTION       16 /* terms that a byte holds, and a word of them without a mask */

/* ---- the plan ---- */

static int planes_of(int64_t high)
{
    int planes = 0;
    for (; high >> planes; planes++) {
    }
    return planes;
}

/* Twice the bits that are set in the mean of the codes 1..high. */
static int64_t twice_mean_bits(int64_t high)
{
    int64_t bits = 0;
    for (int64_t code = 1; code <= high; code++) {
        for (int64_t left = code; left; left >>= 1) {
            bits += left & 1;
        }
    }
    return 2 * bits / high;
}

/* Do 16 bits hold the sum of every row, each weight plus 8? */
static bool sums_fit(const struct plan *plan, int index)
{
    int tensor = plan->net->layers[index].inputs[0];
    int64_t sum = 0;
    for (int j = 0; j < plan->net->tensors[tensor].width; j++) {
        sum += plan->ranges[tensor][j].high;
    }
    return sum * FIELD_MOST <= UINT16_MAX;
}

int map_planes(const struct plan *plan, int index)
{
    if (!map_fits_sparse(plan, index) || map_sparse_in_bytes(plan) || !sums_fit(plan, index)) {
        return 0;
    }
    int64_t high = map_largest(plan, plan->net->layers[index].inputs[0]);
    bool few = plan->machine->no_multiplier || (high > 0 && twice_mean_bits(high) <= MEAN_BITS);
    return few ? planes_of(high) : 0;
}

static int planes_at(const struct plan *plan, int index)
{
    return plan->maps->rows[index].passes ? plan->maps->rows[index].planes : 0;
}

/* The most planes of a layer in the file. */
static int most_planes(const struct plan *plan)
{
    int most = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        most = planes_at(plan, i) > most ? planes_at(plan, i) : most;
    }
    return most;
}

/* From the list of one plane to that of the next: full portions, for the most columns. */
static int list_length(const struct plan *plan)
{
    int most = 0;
    for (int i = 0; i < plan->net->layer_count; i++) {
        int columns = planes_at(plan, i) > 0 ? plan->net->layers[i].weights.columns : 0;
        most = columns > most ? columns : most;
    }
    return (most + PORTION - 1) / PORTION * PORTION;
}

/* Columns of a layer, with those that fill up its last portion. */
static int portions_length(const struct plan *plan, int index)
{
    return (plan->net->layers[index].weights.columns + PORTION - 1) / PORTION * PORTION;
}

/* ---- the table ---- */

/* Where the rows of a word are, so that the sum of row i is half i % 2 of sum i / 2. */
static const int fields[WORD_ROWS] = {0, 4, 2, 6, 1, 5, 3, 7};

/* Words of a column of the rows from `first` on. */
static int words_from(const struct weights *w, int first)
{
    return w->rows - first > WORD_ROWS ? WORDS_AT_ONCE : 1;
}

void map_print_planes_table(struct printer *p, int index)
{
    const struct weights *w = &p->plan->net->layers[index].weights;
    int all = (w->rows + WORD_ROWS - 1) / WORD_ROWS * w->columns;
    int count = 0;
    text_printf(p->out, "    static const uint32_t w%s[%d] %s_FLASH = {",
                p->plan->maps->rows[index].passes[0].name, all, p->plan->upper);
    for (int first = 0; first < w->rows; first += ROWS_AT_ONCE) {
        int words = words_from(w, first);
        for (int i = 0; i < w->columns * words; i++) {
            uint32_t word = map_eight_rows(w, first + i % words * WORD_ROWS, i / words, fields);
            text_printf(p->out, "%s0x%08lxU",
                        count == 0  ? "\n        "
                        : count % 8 ? ", "
                                    : ",\n        ",
                        (unsigned long)word);
            count++;
        }
    }
    text_add(p->out, "\n    };\n");
}

/* ---- the functions that all such layers share ---- */

static bool has_words(const struct plan *plan, int words)
{
    bool has = false;
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct weights *w = &plan->net->layers[i].weights;
        int last = w->rows - 1 - (w->rows - 1) % ROWS_AT_ONCE;
        bool these = words == 1 ? words_from(w, last) == 1 : w->rows > WORD_ROWS;
        has = has || (planes_at(plan, i) > 0 && these);
    }
    return has;
}

static const char *function_of(int words)
{
    return words == 1 ? "add_eight" : "add_sixteen";
}

/* Adds what the words at a column hold to sums of bytes.  Odd ones come without a mask, and with
 * sixteen times what is in the bytes of the even ones above the lowest. */
static void print_terms(struct printer *p, int words)
{
    text_printf(p->out,
                "            for (; left > 0; left--) {\n"
                "                const uint32_t *v = &w[%s];\n",
                words == 1 ? "used[0]" : "used[0] * 2U");
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "                const uint32_t v%d = %s_U32(v, %d);\n", i,
                    p->plan->upper, i);
    }
    text_add(p->out, "                used = &used[1];\n");
    for (int i = 0; i < words; i++) {
        text_printf(p->out,
                    "                s%d += v%d & 252645135U;\n"
                    "                s%d += v%d >> 4;\n",
                    2 * i, i, 2 * i + 1, i);
    }
    text_add(p->out, "            }\n");
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "            s%d -= (s%d >> 8) << 4;\n", 2 * i + 1, 2 * i);
    }
}

static void print_opening(struct printer *p, int words)
{
    const struct plan *plan = p->plan;
    text_printf(p->out,
                "/* The sums of %s rows of weights, 8 too large, times the inputs, bit by bit of "
                "these and modulo 2^32: up\n"
                " * to %d columns in bytes, where odd sums hold 16 times the even ones, too, until "
                "that is taken out. */\n"
                "static %s_APART void %s_%s(const %s *lists, const %s *counts,\n"
                "    const uint32_t *w, uint32_t *sums)\n"
                "{\n",
                words == 1 ? "eight" : "sixteen", PORTION, plan->upper, plan->name,
                function_of(words), map_list_type(plan), plan->index);
    for (int i = 0; i < 4 * words; i++) {
        text_printf(p->out, "    sums[%d] = 0U;\n", i);
    }
}

static void print_helper(struct printer *p, int words)
{
    const struct plan *plan = p->plan;
    print_opening(p, words);
    text_printf(p->out,
                "    for (uint32_t k = 0U; k < %dU; k++) {\n"
                "        const %s *list = &lists[k * %dU];\n"
                "        for (%s n = counts[k]; n > 0; n -= %d) {\n"
                "            const %s *used = list;\n"
                "            %s left = (n > %d) ? %d : n;\n",
                most_planes(plan), map_list_type(plan), list_length(plan), plan->index, PORTION,
                map_list_type(plan), plan->index, PORTION, PORTION);
    for (int i = 0; i < 2 * words; i++) {
        text_printf(p->out, "            uint32_t s%d = 0U;\n", i);
    }
    print_terms(p, words);
    for (int i = 0; i < 2 * words; i++) {
        text_printf(p->out,
                    "            sums[%d] += (s%d & 16711935U) << k;\n"
                    "            sums[%d] += ((s%d >> 8) & 16711935U) << k;\n",
                    2 * i, i, 2 * i + 1, i);
    }
    text_printf(p->out, "            list = &list[%d];\n        }\n    }\n}\n\n", PORTION);
}

void map_print_planes_helpers(struct printer *p)
{
    for (int words = 1; words <= WORDS_AT_ONCE; words++) {
        if (has_words(p->plan, words)) {
            print_helper(p, words);
        }
    }
}

/* ---- the layer ---- */

static void print_start(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    int tensor = plan->net->layers[index].inputs[0];
    int planes = planes_at(plan, index);
    text_printf(p->out,
                "    {\n"
                "    const uint8_t *p = &%s[%d];\n"
                "    const uint32_t *w = w%s;\n"
                "    %s used[%d]; /* the inputs with bit 0 set, bit 1 ... */\n"
                "    %s n[%d];\n"
                "    int32_t total = 0;\n",
                map_array(plan, tensor), plan->maps->views[tensor].offset,
                plan->maps->rows[index].passes[0].name, map_list_type(plan),
                (planes - 1) * list_length(plan) + portions_length(plan, index), plan->index,
                most_planes(plan));
    for (int k = 0; k < planes; k++) {
        text_printf(p->out, "    %s n%d = 0;\n", plan->index, k);
    }
}

/* Entries i of all lists.  No list needs them, but a prover then knows that all were written. */
static void print_cleared(struct printer *p, int index)
{
    int length = list_length(p->plan);
    for (int k = 0; k < planes_at(p->plan, index); k++) {
        text_printf(p->out, k ? "        used[i + %d] = 0U;\n" : "        used[i] = 0U;\n",
                    k * length);
    }
}

static void print_listed(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    for (int k = 0; k < planes_at(plan, index); k++) {
        char at[32];
        (void)snprintf(at, sizeof at, k ? "n%d + %d" : "n%d", k, k * list_length(plan));
        text_printf(p->out,
                    "            if ((x & %dU) != 0U) {\n"
                    "                used[%s] = (%s)i;\n"
                    "                n%d++;\n"
                    "            }\n",
                    1 << k, at, map_list_type(plan), k);
    }
}

/* The lists, one plane after the other; the sum of the inputs follows from how long they are. */
static void print_lists(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    int columns = plan->net->layers[index].weights.columns;
    int length = portions_length(plan, index);
    int planes = planes_at(plan, index);
    text_printf(p->out,
                "    for (%s i = 0; i < %d; i++) {\n"
                "        const uint32_t x = p[i];\n",
                plan->index, columns);
    print_cleared(p, index);
    text_add(p->out, "        if (x != 0U) {\n");
    print_listed(p, index);
    text_add(p->out, "        }\n    }\n");
    if (length > columns) {
        text_printf(p->out, "    for (%s i = %d; i < %d; i++) {\n", plan->index, columns, length);
        print_cleared(p, index);
        text_add(p->out, "    }\n");
    }
    for (int k = 0; k < planes; k++) {
        text_printf(p->out, "    n[%d] = n%d;\n    total += (int32_t)n%d * %d;\n", k, k, k, 8 << k);
    }
    for (int k = planes; k < most_planes(plan); k++) {
        text_printf(p->out, "    n[%d] = 0;\n", k);
    }
}

/* A row's result from the half word `sum`; the first row of the two, or the one behind it. */
static void print_half(struct printer *p, int index, bool second, const char *sum)
{
    int rows = p->plan->net->layers[index].weights.rows;
    if (second && rows % 2) {
        text_printf(p->out, "            if ((i + j + 1) < %d) {\n", rows);
    } else {
        text_add(p->out, "            {\n");
    }
    text_printf(p->out,
                "            const uint32_t sum = %s;\n"
                "            const int32_t acc = (int32_t)sum - total",
                sum);
    map_print_listed_row(p, index, second);
    text_add(p->out, "            }\n");
}

/* Rows from i on, `words` words of them. */
static void print_rows(struct printer *p, int index, int words)
{
    const struct plan *plan = p->plan;
    const struct weights *w = &plan->net->layers[index].weights;
    int at_once = words * WORD_ROWS;
    text_printf(p->out,
                "        uint32_t s[%d];\n"
                "        const uint32_t *two = s;\n"
                "        %s_%s(used, n, w, s);\n",
                at_once / 2, plan->name, function_of(words));
    text_printf(p->out, "        for (%s j = 0; (j < %d)", plan->index, at_once);
    if (w->rows % at_once > 0) {
        text_printf(p->out, " && ((i + j) < %d)", w->rows);
    }
    text_add(p->out, "; j += 2) {\n");
    print_half(p, index, false, "two[0] & 65535U");
    print_half(p, index, true, "two[0] >> 16");
    text_add(p->out, "            two = &two[1];\n        }\n");
}

void map_print_planes(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct weights *w = &plan->net->layers[index].weights;
    int last = w->rows - 1 - (w->rows - 1) % ROWS_AT_ONCE;
    bool eight = words_from(w, last) == 1;
    int most = eight ? last : w->rows;
    print_start(p, index);
    print_lists(p, index);
    if (most > 0) {
        text_printf(p->out, "    for (%s i = 0; i < %d; i += %d) {\n", plan->index, most,
                    ROWS_AT_ONCE);
        print_rows(p, index, WORDS_AT_ONCE);
        text_printf(p->out, "        w = &w[%d];\n    }\n", w->columns * WORDS_AT_ONCE);
    }
    if (eight) {
        text_printf(p->out, "    {\n        const %s i = %d;\n", plan->index, last);
        print_rows(p, index, 1);
        text_add(p->out, "    }\n");
    }
    text_add(p->out, "    }\n");
}
