/* Convs in lanes as lists: the bytes, and the function that adds their words.
 *
 * A row is two lists, of the weights that are minus and of those that are plus; each is portions
 * and a 0.  A portion is a byte, how many weights there are and, in its three highest bits, how
 * many times 32 words the place it counts from is further on than that of the portion before; then
 * a byte for each weight, the word of the map that it meets, counted from there.
 *
 * What proves the sums: a portion holds at most 255 / high additions of inputs 0 .. high, so no
 * byte overflows.  Sums of 16 bits start at the complement of the bias and 2^15; what is minus is
 * added, they are complemented, and what is plus is added.  They only grow, to no more than the
 * bias, 2^15 and all that is plus, or the complement of the bias, 2^15 and less all that is minus.
 */
#include "emit/map.h"
#include "emit/variant.h"

#define SHIFT        5 /* of what goes in front of a portion's count */
#define STEP         32
#define STEPS_MOST   7
#define HEADS_OF_ROW 2 /* the zeros at the ends */

int map_lanes_column(const struct lanes *lanes, int x)
{
    if (lanes->planes == 0) {
        return x * lanes->in_channels;
    }
    int plane = x % lanes->planes;
    int longer = lanes->in_columns % lanes->planes; /* planes that have one more */
    return plane * (lanes->in_columns / lanes->planes) + (plane < longer ? plane : longer) +
           x / lanes->planes;
}

/* Which weight meets which word.  False when out of memory. */
static bool find_words(struct arena *arena, struct lanes *lanes, const struct window *w)
{
    int weight = 0;
    lanes->met = arena_alloc(arena, (size_t)map_lanes_words_of_map(lanes), sizeof *lanes->met);
    if (!lanes->met) {
        return false;
    }
    for (int i = 0; i < map_lanes_words_of_map(lanes); i++) {
        lanes->met[i] = -1;
    }
    for (int y = 0; y < w->rows; y++) {
        for (int x = 0; x < w->columns; x++) {
            for (int c = 0; c < lanes->in_channels; c++) {
                int word = y * w->row_dilation * lanes->row_step +
                           map_lanes_column(lanes, x * w->column_dilation) +
                           c * lanes->channel_step;
                lanes->met[word] = weight++;
            }
        }
    }
    return true;
}

bool map_start_lists(struct arena *arena, struct lanes *lanes, const struct window *window,
                     int rows)
{
    size_t words = (size_t)map_lanes_words_of_map(lanes);
    size_t heads = HEADS_OF_ROW + 2 * (words / (STEP * STEPS_MOST) + 1);
    size_t weights = (size_t)window->rows * (size_t)window->columns * (size_t)lanes->in_channels;
    size_t most = lanes->form == AS_STEPS ? map_steps_most(lanes, weights) : 2 * weights + heads;
    lanes->bytes = arena_alloc(arena, (size_t)rows * most, 1);
    return lanes->bytes && find_words(arena, lanes, window);
}

void map_add_byte(struct lanes *lanes, int value)
{
    lanes->bytes[lanes->byte_count++] = (uint8_t)value;
}

/* A portion that counts from *base, or, where `word` is too far away, from a place near it.
 * Returns where its first byte is. */
static int start_portion(struct lanes *lanes, int word, int *base)
{
    int steps = word - *base > UINT8_MAX ? (word - *base) / STEP : 0;
    *base += steps * STEP;
    for (; steps > STEPS_MOST; steps -= STEPS_MOST) {
        map_add_byte(lanes, STEPS_MOST << SHIFT);
    }
    map_add_byte(lanes, steps << SHIFT);
    return lanes->byte_count - 1;
}

/* The list of one sign.  Returns how many weights it has. */
static int add_list(struct lanes *lanes, const int16_t *weights, int sign)
{
    int base = 0;
    int head = -1;
    int count = 0;
    int left = 0; /* for which the portion has room */
    for (int word = 0; word < map_lanes_words_of_map(lanes); word++) {
        if (lanes->met[word] < 0 || weights[lanes->met[word]] != sign) {
            continue;
        }
        if (left == 0 || word - base > UINT8_MAX) {
            head = start_portion(lanes, word, &base);
            left = lanes->most;
        }
        lanes->bytes[head]++;
        map_add_byte(lanes, word - base);
        left--;
        count++;
    }
    map_add_byte(lanes, 0);
    return count;
}

bool map_list_lanes(struct lanes *lanes, const int16_t *weights, int32_t bias, int32_t *base)
{
    int (*add)(struct lanes * lanes, const int16_t *weights, int sign) =
        lanes->form == AS_STEPS ? map_add_steps : add_list;
    int before = lanes->byte_count;
    int64_t low = (int64_t)bias - (int64_t)lanes->high * add(lanes, weights, -1);
    int64_t high = (int64_t)bias + (int64_t)lanes->high * add(lanes, weights, 1);
    *base = bias + LANES_LIFT;
    return low >= INT16_MIN && high <= INT16_MAX && lanes->byte_count - before <= UINT16_MAX;
}

/* ---- the function ---- */

static bool is_stepped(const struct plan *plan, int index)
{
    return plan->maps->rows[index].lanes->form == AS_STEPS;
}

bool map_lanes_starts(const struct plan *plan, int index)
{
    return map_has_thumb_lanes(plan, index) || map_has_riscv_lanes(plan, index);
}

/* A loop over weights, `count` at a time. */
static void print_weights(struct printer *p, int index, const char *turns, int count)
{
    text_printf(p->out, "            for (uint8_t left = %s; left > 0U; left--) {\n%s", turns,
                "                const uint32_t *q;\n");
    for (int i = 0; i < count; i++) {
        text_printf(p->out, "                q = &p[%s_U8(at, %d)];\n", p->plan->upper, i);
        map_print_lanes_additions(p, index, "                ");
    }
    text_printf(p->out, "                at = &at[%d];\n            }\n", count);
}

/* The words of a portion. */
static void print_words(struct printer *p, int index)
{
    bool far = map_lanes_far(p->plan, index);
    if (far) {
        text_printf(p->out, "            p = &p[(uint8_t)(n >> %d) * %dU];\n", SHIFT, STEP);
    }
    print_weights(p, index, far ? "(uint8_t)((n & 31U) >> 2)" : "(uint8_t)(n >> 2)", 4);
    print_weights(p, index, "n & 3U", 1);
}

static void print_portion(struct printer *p, int index)
{
    int words = map_lanes_words(p->plan->maps->rows[index].lanes);
    text_printf(p->out, "            const uint8_t n = %s_U8(at, 0);\n", p->plan->upper);
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "            uint32_t s%d = 0;\n", i);
    }
    text_add(p->out, "            at = &at[1];\n"
                     "            if (n == 0U) {\n"
                     "                break;\n"
                     "            }\n");
    if (is_stepped(p->plan, index)) {
        map_print_steps(p, index);
    } else {
        print_words(p, index);
    }
    map_print_lanes_sums(p, words, "            ");
}

/* Portions are counted as well, so that a prover sees where they end. */
static void print_lists(struct printer *p, int index)
{
    int words = map_lanes_words(p->plan->maps->rows[index].lanes);
    text_add(p->out, "    const uint8_t *at = row;\n");
    if (map_lanes_starts(p->plan, index)) {
        map_print_lanes_start(p, index, "sums", "    ");
    }
    text_printf(p->out,
                "    for (int sign = 0; sign < 2; sign++) {\n"
                "        const uint32_t *%s = m;\n"
                "        for (int i = 0; i < %d; i++) {\n"
                "            sums[i] = ~sums[i];\n"
                "        }\n"
                "        for (uint16_t most = 65535U; most > 0U; most--) {\n",
                is_stepped(p->plan, index) ? "q" : "p", 2 * words);
    print_portion(p, index);
    text_add(p->out, "        }\n    }\n    return at;\n");
}

void map_print_lanes_naked(struct printer *p, int index, const struct text *code,
                           const char *clobbers)
{
    text_printf(
        p->out,
        "__attribute__((naked, noinline)) static const uint8_t *%s_lanes%s(\n"
        "    const uint32_t *m __attribute__((unused)),\n"
        "    const uint8_t *row __attribute__((unused)),\n"
        "    uint32_t *sums __attribute__((unused)), uint32_t base __attribute__((unused)))\n"
        "{\n"
        "    __asm__ volatile(\n%s        : : : %s, \"memory\");\n}\n",
        p->plan->name, p->plan->maps->rows[index].passes[0].name, code->failed ? "" : code->data,
        clobbers);
    p->out->failed = p->out->failed || code->failed;
}

/* Forms in assembly, each behind its #if.  Are there any? */
static bool print_assembly(struct printer *p, int index)
{
    static const struct {
        const struct variant *variant;
        bool (*has)(const struct plan *plan, int layer);
        void (*print)(struct printer *p, int layer);
    } forms[] = {{&thumb_variant, map_has_thumb_lanes, map_print_thumb_lanes},
                 {&riscv_variant, map_has_riscv_lanes, map_print_riscv_lanes}};
    bool any = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].has(p->plan, index)) {
            text_printf(p->out, "#%s %s\n", any ? "elif" : "if", forms[i].variant->guard);
            forms[i].print(p, index);
            any = true;
        }
    }
    text_add(p->out, any ? "#else\n" : "");
    return any;
}

/* What a portion is, and its count. */
static const char *portion_note(const struct plan *plan, int index)
{
    return is_stepped(plan, index)
               ? " bytes,\n * then these, two steps in each.  A step passes over so many words and "
                 "adds the next\n * one; 14 only passes, 15 is nothing."
           : map_lanes_far(plan, index)
               ? "\n * and, in the highest three bits, how many times 32 words further on;\n"
                 " * then the words.  The sums of a portion fit bytes."
               : ";\n * then the words.  The sums of a portion fit bytes.";
}

void map_print_lanes_listed(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = plan->maps->rows[index].lanes;
    bool assembly = print_assembly(p, index);
    bool start = map_lanes_starts(plan, index);
    text_printf(
        p->out,
        "/* Adds a row of weights to the sums of %d x %d words of four positions%s: what is minus\n"
        " * to the complement, then what is plus.  Of each, portions and a 0: how many%s"
        "  Returns the next row. */\n"
        "static %s_LANES const uint8_t *%s_lanes%s(const uint32_t *m, const uint8_t *row,\n"
        "    uint32_t *sums%s)\n"
        "{\n",
        lanes->tile[0], lanes->tile[1], start ? ", from `base` on" : "", portion_note(plan, index),
        plan->upper, plan->name, plan->maps->rows[index].passes[0].name,
        start ? ", uint32_t base" : "");
    print_lists(p, index);
    text_add(p->out, assembly ? "}\n#endif\n\n" : "}\n\n");
}
