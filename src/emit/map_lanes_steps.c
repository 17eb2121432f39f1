/* Convs in lanes as steps: the bytes, and the function that adds their words.
 *
 * A row is two lists, of the weights that are minus and of those that are plus; each is portions
 * and a 0.  A portion is a byte, how many follow, and these: each holds two steps, the first one in
 * its lower half.  A step 0 .. 13 passes over so many words of the map, and the word behind them
 * meets a weight; 14 passes over so many words, 15 does nothing.
 *
 * The sums are proved as those of map_lanes_lists.c are. */
#include "emit/map.h"

#define PASS        14
#define NOTHING     15
#define HALF        4 /* bits of a step */
#define LIST_SPARE  2 /* bytes of a list beside those of its weights, portions and long steps */
#define LEAST_ADDED 8 /* by a portion that is not the last one, at least (LANES_HIGH) */

/* A list as it grows. */
struct pen {
    struct lanes *lanes;
    int head;  /* of the portion at hand; -1: none */
    int left;  /* additions for which that has room */
    int first; /* the step that waits for another one; -1: none */
};

bool map_start_steps(struct arena *arena, struct lanes *lanes, const struct window *window,
                     int rows)
{
    size_t words = (size_t)map_lanes_words_of_map(lanes);
    size_t weights = (size_t)window->rows * (size_t)window->columns * (size_t)lanes->in_channels;
    size_t steps = weights + 2 * (words / PASS + LIST_SPARE);
    size_t most = steps + steps / LEAST_ADDED + steps / UINT8_MAX + 2 * LIST_SPARE;
    return map_find_words(arena, lanes, window) &&
           (lanes->bytes = arena_alloc(arena, (size_t)rows * most, 1)) != NULL;
}

static void add_byte(struct lanes *lanes, int value)
{
    lanes->bytes[lanes->byte_count++] = (uint8_t)value;
}

/* Both steps of a byte, in a portion whose sums they leave inside of bytes. */
static void put_byte(struct pen *pen, int first, int second)
{
    struct lanes *lanes = pen->lanes;
    int added = (first < PASS) + (second < PASS);
    if (pen->head < 0 || pen->left < added || lanes->bytes[pen->head] == UINT8_MAX) {
        pen->head = lanes->byte_count;
        pen->left = lanes->most;
        add_byte(lanes, 0);
    }
    lanes->bytes[pen->head]++;
    pen->left -= added;
    add_byte(lanes, first | second << HALF);
}

static void put_step(struct pen *pen, int step)
{
    if (pen->first < 0) {
        pen->first = step;
    } else {
        put_byte(pen, pen->first, step);
        pen->first = -1;
    }
}

/* The list of one sign.  Returns how many weights it has. */
static int add_list(struct lanes *lanes, const int16_t *weights, int sign)
{
    struct pen pen = {.lanes = lanes, .head = -1, .first = -1};
    int next = 0; /* word behind the last one */
    int count = 0;
    for (int word = 0; word < map_lanes_words_of_map(lanes); word++) {
        if (lanes->met[word] < 0 || weights[lanes->met[word]] != sign) {
            continue;
        }
        for (; word - next >= PASS; next += PASS) {
            put_step(&pen, PASS);
        }
        put_step(&pen, word - next);
        next = word + 1;
        count++;
    }
    if (pen.first >= 0) {
        put_step(&pen, NOTHING);
    }
    add_byte(lanes, 0);
    return count;
}

bool map_step_lanes(struct lanes *lanes, const int16_t *weights, int32_t bias, int32_t *base)
{
    int64_t low = (int64_t)bias - (int64_t)lanes->high * add_list(lanes, weights, -1);
    int64_t high = (int64_t)bias + (int64_t)lanes->high * add_list(lanes, weights, 1);
    *base = bias + LANES_LIFT;
    return low >= INT16_MIN && high <= INT16_MAX;
}

/* ---- the function ---- */

static void print_step(struct printer *p, int index, const char *step)
{
    text_printf(p->out,
                "                step = %s;\n"
                "                if (step < %dU) {\n"
                "                    q = &q[step];\n",
                step, PASS);
    map_print_lanes_additions(p, index, "                    ");
    text_printf(p->out,
                "                    q = &q[1];\n"
                "                } else if (step == %dU) {\n"
                "                    q = &q[%d];\n"
                "                } else {\n"
                "                    /* the list has no more */\n"
                "                }\n",
                PASS, PASS);
}

/* Portions are counted as well, so that a prover sees where they end. */
static void print_lists(struct printer *p, int index)
{
    int words = map_lanes_words(p->plan->maps->rows[index].lanes);
    text_printf(p->out,
                "    const uint8_t *at = row;\n"
                "    for (int sign = 0; sign < 2; sign++) {\n"
                "        const uint32_t *q = m;\n"
                "        for (int i = 0; i < %d; i++) {\n"
                "            sums[i] = ~sums[i];\n"
                "        }\n"
                "        for (uint16_t most = 65535U; most > 0U; most--) {\n"
                "            const uint8_t n = %s_U8(at, 0);\n",
                2 * words, p->plan->upper);
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "            uint32_t s%d = 0;\n", i);
    }
    text_printf(p->out,
                "            at = &at[1];\n"
                "            if (n == 0U) {\n"
                "                break;\n"
                "            }\n"
                "            for (uint8_t left = n; left > 0U; left--) {\n"
                "                const uint8_t both = %s_U8(at, 0);\n"
                "                uint8_t step;\n"
                "                at = &at[1];\n",
                p->plan->upper);
    print_step(p, index, "both & 15U");
    print_step(p, index, "(uint8_t)(both >> 4)");
    text_add(p->out, "            }\n");
    map_print_lanes_sums(p, words, "            ");
    text_add(p->out, "        }\n    }\n    return at;\n}\n\n");
}

void map_print_lanes_stepped(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = plan->maps->rows[index].lanes;
    text_printf(
        p->out,
        "/* Adds a row of weights to the sums of %d x %d words of four positions: what is minus\n"
        " * to the complement, then what is plus.  Of each, portions and a 0: how many bytes,\n"
        " * then these, two steps in each.  A step passes over so many words and adds the next\n"
        " * one; %d only passes, 15 is nothing.  Returns the next row. */\n"
        "static %s_LANES const uint8_t *%s_lanes%s(const uint32_t *m, const uint8_t *row,\n"
        "    uint32_t *sums)\n"
        "{\n",
        lanes->tile[0], lanes->tile[1], PASS, plan->upper, plan->name,
        plan->maps->rows[index].passes[0].name);
    print_lists(p, index);
}
