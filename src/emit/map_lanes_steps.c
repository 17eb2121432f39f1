/* Convs in lanes as steps: what differs from the lists of map_lanes_lists.c, whose function and
 * whose proof of the sums they share.
 *
 * A portion is a byte, how many follow, and these: each holds two steps, the first one in
 * its lower half.  A step 0 .. 13 passes over so many words of the map, and the word behind them
 * meets a weight; 14 passes over so many words, 15 does nothing. */
#include "emit/map.h"

#define PASS        14
#define NOTHING     15
#define HALF        4 /* bits of a step */
#define LIST_SPARE  2 /* bytes of a list for half of one and the 0 at its end */
#define LEAST_ADDED 7 /* by a portion that another byte would make too large (LANES_HIGH) */

/* A list as it grows. */
struct pen {
    struct lanes *lanes;
    int head;  /* of the portion at hand; -1: none */
    int left;  /* additions for which that has room */
    int first; /* the step that waits for another one; -1: none */
};

size_t map_steps_most(const struct lanes *lanes, size_t weights)
{
    size_t long_steps = (size_t)map_lanes_words_of_map(lanes) / PASS;
    size_t steps = weights + 2 * long_steps; /* of both lists, but those that end one */
    size_t heads = weights / LEAST_ADDED + steps / UINT8_MAX + 2;
    return steps / 2 + heads + 2 * LIST_SPARE;
}

/* Both steps of a byte, in a portion whose sums they leave inside of bytes. */
static void put_byte(struct pen *pen, int first, int second)
{
    struct lanes *lanes = pen->lanes;
    int added = (first < PASS) + (second < PASS);
    if (pen->head < 0 || pen->left < added || lanes->bytes[pen->head] == UINT8_MAX) {
        pen->head = lanes->byte_count;
        pen->left = lanes->most;
        map_add_byte(lanes, 0);
    }
    lanes->bytes[pen->head]++;
    pen->left -= added;
    map_add_byte(lanes, first | second << HALF);
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

int map_add_steps(struct lanes *lanes, const int16_t *weights, int sign)
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
    map_add_byte(lanes, 0);
    return count;
}

/* ---- in the function ---- */

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

void map_print_steps(struct printer *p, int index)
{
    text_printf(p->out,
                "            for (uint8_t left = n; left > 0U; left--) {\n"
                "                const uint8_t both = %s_U8(at, 0);\n"
                "                uint8_t step;\n"
                "                at = &at[1];\n",
                p->plan->upper);
    print_step(p, index, "both & 15U");
    print_step(p, index, "(uint8_t)(both >> 4)");
    text_add(p->out, "            }\n");
}
