/* Convs in lanes as bits: the words, and the function that adds them.
 *
 * A word of 32 bits is a portion.  From its second bit on, the highest first, 1 is a weight that is
 * zero; 0 is one that is not, and the next bit tells whether its sign differs from the one before,
 * plus at first.  A 1 behind which only zeros follow is the end.  The first bit tells whether the
 * last sign was minus.
 *
 * What is minus is added to the complement, so that no byte borrows from the next.  Bytes start at
 * 128; with at most 127 / high that are plus and 128 / high that are minus they stay within 0 ..
 * 255 in any order.  The sums of 16 bits start at the bias less 128 for each word and only grow. */
#include "emit/map.h"

#define FIRST 0x80000000U
#define START 128
#define BITS  31 /* of weights and the end */

/* A portion as it grows. */
struct portion {
    uint32_t bits;
    int used;
    int minus;
    int plus;
    bool last_minus;
};

/* Does one more weight fit in? */
static bool has_room(const struct portion *portion, int weight, int high)
{
    int most = high > 0 ? high : 1;
    return portion->used + (weight == 0 ? 1 : 2) < BITS &&
           (portion->minus + (weight < 0)) * most <= START &&
           (portion->plus + (weight > 0)) * most <= UINT8_MAX - START;
}

static void put(struct portion *portion, bool bit)
{
    portion->used++;
    portion->bits |= bit ? FIRST >> portion->used : 0;
}

static void add_weight(struct portion *portion, int weight)
{
    put(portion, weight == 0);
    if (weight != 0) {
        put(portion, portion->last_minus != (weight < 0));
        portion->last_minus = weight < 0;
    }
    portion->minus += weight < 0;
    portion->plus += weight > 0;
}

static void end_portion(struct lanes *lanes, struct portion *portion)
{
    put(portion, true);
    lanes->words[lanes->word_count++] = portion->bits | (portion->last_minus ? FIRST : 0);
    *portion = (struct portion){0};
}

/* A run of weights, in words of its own. */
static void add_run(struct lanes *lanes, const int16_t *weights)
{
    struct portion portion = {0};
    for (int i = 0; i < lanes->length; i++) {
        if (!has_room(&portion, weights[i], lanes->high)) {
            end_portion(lanes, &portion);
        }
        add_weight(&portion, weights[i]);
    }
    end_portion(lanes, &portion);
}

bool map_code_lanes(struct lanes *lanes, const int16_t *weights, int32_t bias, int32_t *base)
{
    int before = lanes->word_count;
    int count = lanes->taps[0] * lanes->taps[1] * lanes->length;
    int64_t low = bias;
    int64_t high = bias;
    for (int i = 0; i < count; i++) {
        low -= weights[i] < 0 ? lanes->high : 0;
        high += weights[i] > 0 ? lanes->high : 0;
    }
    for (int i = 0; i < count; i += lanes->length) {
        add_run(lanes, weights + i);
    }
    int64_t first = (int64_t)bias + LANES_LIFT - (int64_t)START * (lanes->word_count - before);
    *base = (int32_t)first;
    return first >= 0 && low >= INT16_MIN && high <= INT16_MAX;
}

/* ---- the function ---- */

/* "s0 = ~s0;" ... of all words, behind `indent` spaces. */
static void print_turn(struct printer *p, int words, int indent)
{
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "%*ss%d = ~s%d;\n", indent, "", i, i);
    }
}

/* The weights of a word.  Its bits are counted as well, so that a prover sees where they end. */
static void print_weights(struct printer *p, int index)
{
    text_add(p->out, "            for (uint8_t left = 31; left > 0U; left--) {\n"
                     "                if (bits < 0x80000000U) {\n"
                     "                    bits <<= 1;\n"
                     "                    if (bits >= 0x80000000U) {\n");
    print_turn(p, map_lanes_words(p->plan->maps->rows[index].lanes), 24);
    text_add(p->out, "                    }\n");
    map_print_lanes_additions(p, index, "                    ");
    text_add(p->out, "                    bits = (bits & 0x7fffffffU) << 1;\n"
                     "                } else {\n"
                     "                    bits = (bits & 0x7fffffffU) << 1;\n"
                     "                    if (bits == 0U) {\n"
                     "                        break;\n"
                     "                    }\n"
                     "                }\n"
                     "                q = &q[1];\n"
                     "            }\n");
}

static void print_loops(struct printer *p, int index)
{
    int words = map_lanes_words(p->plan->maps->rows[index].lanes);
    text_printf(p->out,
                "    const uint32_t *at = row;\n"
                "    for (int i = 0; i < runs; i++) {\n"
                "        const uint32_t *q = &m[i * step];\n"
                "        const uint32_t *end = &q[length];\n"
                "        for (int most = length; (most > 0) && (q != end); most--) {\n"
                "            const uint32_t first = %s_U32(at, 0);\n"
                "            uint32_t bits = (first & 0x7fffffffU) << 1;\n",
                p->plan->upper);
    for (int i = 0; i < words; i++) {
        text_printf(p->out, "            uint32_t s%d = 0x80808080U;\n", i);
    }
    print_weights(p, index);
    text_add(p->out, "            if (first >= 0x80000000U) {\n");
    print_turn(p, words, 16);
    text_add(p->out, "            }\n");
    map_print_lanes_sums(p, words, "            ");
    text_add(p->out, "            at = &at[1];\n        }\n    }\n    return at;\n}\n\n");
}

void map_print_lanes_coded(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    const struct lanes *lanes = plan->maps->rows[index].lanes;
    text_printf(
        p->out,
        "/* Adds a row of weights to the sums of %d x %d words of four positions: `runs` of\n"
        " * `length` neighbours, `step` words from one to the next.  The bits of a word behind\n"
        " * its first: 1 zero, 00 the sign of before, 01 the other one, 1 and zeros the end; at\n"
        " * first plus.  Its first bit: minus was last.  Bytes start at 128, and what is minus is\n"
        " * added to the complement.  Returns the next row. */\n"
        "static %s_LANES const uint32_t *%s_lanes%s(const uint32_t *m, const uint32_t *row,\n"
        "    uint32_t *sums, int runs, int length, int step)\n"
        "{\n",
        lanes->tile[0], lanes->tile[1], plan->upper, plan->name,
        plan->maps->rows[index].passes[0].name);
    print_loops(p, index);
}
