/* The functions of map_across.c for one channel: weights, decoded one after the other, times the
 * elements at all positions.
 *
 * Of elements that lie two to a byte, two weights are decoded before both are read at once.  Where
 * products are dear, two ternary weights are masks of the bytes: one of what is added, one of what
 * is taken away. */
#include "emit/map.h"

#include <stdio.h>

static bool ternary(struct walker walker)
{
    return walker.coding->bits == 0;
}

/* Products that are no instruction of the machine, or a slow one. */
static bool products_dear(const struct plan *plan)
{
    return plan->machine->no_multiplier || plan->machine->word == 16;
}

/* ---- what a weight adds ---- */

/* s[i] = "sum", of s[i] and p[u], for all positions; lines in front of it. */
static void print_positions(struct text *out, const struct plan *plan, struct walker walker,
                            const char *lines, const char *sum)
{
    text_printf(out, "%s u = %s;\nfor (%s i = 0; i < count; i++) {\n%s", plan->index,
                walker.packed ? "place" : "j", plan->index, lines);
    text_printf(out, "s[i] = (%s)(%s);\nu += apart;\n}\n", map_sum_type(walker), sum);
}

/* `factor` times an element without a product: bit by bit.  The element is p[u], or `half` of it.
 */
static void print_bits(struct text *out, const struct plan *plan, struct walker walker,
                       const char *factor, const char *half)
{
    const char *type = walker.narrow ? "uint16_t" : "uint32_t";
    const char *sum_type = map_sum_type(walker);
    char lines[200] = "";
    char sum[64];
    size_t used = 0;
    if (half) {
        used = (size_t)snprintf(lines, sizeof lines, "const uint8_t v = (uint8_t)(%s);\n", half);
    }
    (void)snprintf(lines + used, sizeof lines - used,
                   "const %s bits = (%s)((%s)%s << k);\nconst %s e = (%s)bits;\n", type, type, type,
                   half ? "v" : "p[u]", sum_type, sum_type);
    (void)snprintf(sum, sizeof sum, "(%s < 0) ? (s[i] - e) : (s[i] + e)", factor);
    text_printf(out,
                "{\nconst %s size = (%s)((%s < 0) ? -%s : %s);\n%s bit = (%s)size;\n"
                "uint8_t k = 0U;\nwhile (bit != 0U) {\n"
                "if ((bit & 1U) != 0U) {\n",
                sum_type, sum_type, factor, factor, factor, type, type);
    print_positions(out, plan, walker, lines, sum);
    text_add(out, "}\nbit >>= 1;\nk++;\n}\n}\n");
}

/* Opens a block with f = the next weight, of a layer whose weights are fields of bytes. */
static void print_next_weight(struct text *out, const struct plan *plan, struct walker walker)
{
    const struct coding *coding = walker.coding;
    const char *type = map_sum_type(walker);
    map_print_next_fields(out, plan);
    text_printf(out, "{\nconst %s code = (%s)(b & %dU);\nconst %s field = (%s)code;\n",
                map_byte_type(plan), map_byte_type(plan), (1 << coding->bits) - 1, type, type);
    text_printf(out,
                coding->scale == 2 ? "const %s f = (%s)((field * 2) - %d);\n"
                                   : "const %s f = (%s)(field - %d);\n",
                type, type, -coding->low);
    text_printf(out, "b = (%s)(b >> %d);\n", map_byte_type(plan), coding->bits);
}

/* ---- one weight at a time ---- */

static void print_digit(struct text *out, const struct plan *plan, struct walker walker)
{
    char lines[64];
    (void)snprintf(lines, sizeof lines, "const %s e = (%s)p[u];\n", map_sum_type(walker),
                   map_sum_type(walker));
    map_print_next_digit(out, plan);
    if (walker.plus || !walker.minus) {
        text_add(out, "if (b >= 512U) {\n");
        print_positions(out, plan, walker, lines, "s[i] + e");
        text_add(out, walker.minus ? "} else " : "}\n");
    }
    if (walker.minus) {
        text_add(out, "if (b < 256U) {\n");
        print_positions(out, plan, walker, lines, "s[i] - e");
        text_add(out, walker.plus ? "} else {\n/* zero */\n}\n" : "}\n");
    }
}

static void print_field(struct text *out, const struct plan *plan, struct walker walker)
{
    char lines[64];
    (void)snprintf(lines, sizeof lines, "const %s e = (%s)p[u];\n", map_sum_type(walker),
                   map_sum_type(walker));
    print_next_weight(out, plan, walker);
    if (plan->machine->no_multiplier && type_low(walker.type) == 0) {
        print_bits(out, plan, walker, "f", NULL);
    } else {
        text_add(out, "if (f != 0) {\n");
        print_positions(out, plan, walker, lines, "s[i] + (f * e)");
        text_add(out, "}\n");
    }
    text_add(out, "}\n");
}

/* ---- two weights at a time ---- */

/* The first of two weights goes to f0, the second to f1. */
static void print_two_weights(struct text *out, const struct plan *plan, struct walker walker)
{
    const char *type = map_sum_type(walker);
    text_printf(out, "%s f0 = 0;\n%s f1 = 0;\nfor (int half = 0; half < 2; half++) {\n", type,
                type);
    if (ternary(walker)) {
        map_print_next_digit(out, plan);
        text_printf(out, "{\nconst %s digit = (%s)(b >> 8);\nconst %s f = (%s)((%s)digit - 1);\n",
                    map_byte_type(plan), map_byte_type(plan), type, type, type);
    } else {
        print_next_weight(out, plan, walker);
    }
    text_add(out, "f0 = f1;\nf1 = f;\n}\n}\n");
}

static void print_two_products(struct text *out, const struct plan *plan, struct walker walker)
{
    const char *type = map_sum_type(walker);
    char sum[96];
    print_two_weights(out, plan, walker);
    if (plan->machine->no_multiplier) {
        print_bits(out, plan, walker, "f0", "p[u] & 15U");
        print_bits(out, plan, walker, "f1", "p[u] >> 4");
        return;
    }
    (void)snprintf(sum, sizeof sum, "s[i] + (f0 * (%s)v0) + (f1 * (%s)v1)", type, type);
    text_add(out, "if ((f0 != 0) || (f1 != 0)) {\n");
    print_positions(out, plan, walker,
                    "const uint8_t v0 = (uint8_t)(p[u] & 15U);\n"
                    "const uint8_t v1 = (uint8_t)(p[u] >> 4);\n",
                    sum);
    text_add(out, "}\n");
}

static void print_two_masks(struct text *out, const struct plan *plan, struct walker walker)
{
    const char *type = map_sum_type(walker);
    char lines[300];
    text_add(out, "uint8_t plus = 0U;\nuint8_t minus = 0U;\n"
                  "for (int half = 0; half < 2; half++) {\n");
    map_print_next_digit(out, plan);
    text_add(out, "plus = (uint8_t)(plus >> 4);\nminus = (uint8_t)(minus >> 4);\n"
                  "if (b >= 512U) {\nplus |= 240U;\n} else if (b < 256U) {\nminus |= 240U;\n"
                  "} else {\n/* zero */\n}\n}\n"
                  "if ((plus | minus) != 0U) {\n");
    (void)snprintf(lines, sizeof lines,
                   "const uint8_t up = (uint8_t)(p[u] & plus);\n"
                   "const uint8_t down = (uint8_t)(p[u] & minus);\n"
                   "const %s e0 = (%s)(uint8_t)((up & 15U) + (uint8_t)(up >> 4));\n"
                   "const %s e1 = (%s)(uint8_t)((down & 15U) + (uint8_t)(down >> 4));\n",
                   type, type, type, type);
    print_positions(out, plan, walker, lines, "s[i] + e0 - e1");
    text_add(out, "}\n");
}

/* ---- the function ---- */

static void print_weights(struct text *out, const struct plan *plan, struct walker walker)
{
    if (walker.packed && ternary(walker) && products_dear(plan)) {
        print_two_masks(out, plan, walker);
    } else if (walker.packed) {
        print_two_products(out, plan, walker);
    } else if (ternary(walker)) {
        print_digit(out, plan, walker);
    } else {
        print_field(out, plan, walker);
    }
}

/* s[i] = the bias, of `walker.bias` bytes. */
static void print_bias(struct text *out, const struct plan *plan, struct walker walker)
{
    long half = 1L << (8 * walker.bias - 1);
    if (walker.bias == 1) {
        text_printf(out, "const int16_t bias = (int16_t)((int16_t)%s_U8(w, 0) - 128);\n",
                    plan->upper);
    } else {
        text_printf(out, "const uint32_t raw = (uint32_t)%s_U8(w, 0)", plan->upper);
        for (int i = 1; i < walker.bias; i++) {
            text_printf(out, " | ((uint32_t)%s_U8(w, %d) << %d)", plan->upper, i, 8 * i);
        }
        text_printf(out, ";\nconst int32_t bias = (int32_t)raw - %ld;\n", half);
    }
    text_printf(out, "const uint8_t *at = &w[%d];\n", walker.bias);
}

/* The byte of weights at hand, and how many are left in it. */
static void print_byte(struct text *out, const struct plan *plan, struct walker walker)
{
    text_printf(out, "%s b = 0U;\n", map_byte_type(plan));
    text_add(out, ternary(walker) ? "int left = 0;\n" : "");
}

static void print_sums(struct text *out, const struct plan *plan, struct walker walker)
{
    static const char *const names[] = {"count", NULL,   "apart",   "n",
                                        "rows",  "step", "columns", "gap"};
    int last = walker.reach == REACH_FLAT ? 3 : walker.reach == REACH_ROWS ? 5 : 7;
    for (int i = 0; i <= last; i++) {
        if (names[i]) {
            map_print_number(out, plan, names[i], i + 1);
        }
    }
    bool flat = walker.reach == REACH_FLAT;
    print_bias(out, plan, walker);
    if (!flat) {
        print_byte(out, plan, walker);
    }
    text_printf(out, "for (%s i = 0; i < count; i++) {\ns[i] = (%s)bias;\n}\n", plan->index,
                map_sum_type(walker));
    if (flat) {
        text_add(out, "{\n");
        print_byte(out, plan, walker);
    }
    map_open_walk(out, plan, walker);
    print_weights(out, plan, walker);
    text_add(out, walker.packed ? "place++;\n" : "");
    map_close_walk(out, walker);
    text_add(out, flat ? "}\nreturn at;\n" : "return at;\n");
}

void map_print_across_helper(struct printer *p, struct walker walker)
{
    char name[HELPER_NAME_MAX];
    struct text body = {0};
    text_printf(
        p->out,
        "/* A bias, which holds the half that rounds the shift behind it, and weights%s times\n"
        " * %s, at all positions of a row.\n"
        " * Returns what follows the weights. */\n"
        "static const uint8_t *%s(const %s *a, const uint8_t *w, const %s *shape,\n"
        "    %s *s)\n{\n",
        map_coding_note(walker.coding), map_reach_note(walker.reach),
        map_walker_name(p->plan, walker, name), c_type(walker.type),
        c_type(map_shape_type(p->plan)), map_sum_type(walker));
    print_sums(&body, p->plan, walker);
    map_add_indented(p->out, &body);
    text_add(p->out, "}\n\n");
    text_free(&body);
}
