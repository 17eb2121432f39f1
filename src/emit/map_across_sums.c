/* The functions of map_across.c for one channel: weights, decoded one after the other, times the
 * elements at all positions.
 *
 * Of elements that lie two to a byte, two weights are decoded before both are read at once.  A byte
 * that is one element is two as well, of which the second counts 16 times: so the same loop serves
 * both.  Where products are dear, weights are masks of the bytes, bit by bit: of what is added and
 * of what is taken away. */
#include "emit/map.h"

#include <stdio.h>

/* What the function is printed from. */
struct sums {
    struct text *out;
    const struct plan *plan;
    struct walker walker;
    struct walker_numbers numbers;
    const char *sum;    /* the type of a sum, */
    const char *work;   /* of what is added to it, */
    const char *weight; /* of a weight, */
    const char *mask;   /* of a mask */
};

const char *map_sum_type(struct walker walker)
{
    return walker.narrow ? "int16_t" : "int32_t";
}

static bool word16(const struct sums *s)
{
    return s->plan->machine->word == 16;
}

/* Are all weights of the function ternary? */
static bool ternary(struct walker walker)
{
    return walker.coding->bits == 0 && !walker.other;
}

/* Products that are no instruction of the machine. */
static bool products_dear(const struct sums *s)
{
    return s->plan->machine->no_multiplier;
}

static struct sums start(struct text *out, const struct plan *plan, struct walker walker)
{
    struct sums s = {.out = out, .plan = plan, .walker = walker};
    s.numbers = map_numbers(plan, walker);
    s.sum = map_sum_type(walker);
    bool bytes = walker.type == TYPE_U8 && walker.coding->scale == 1;
    s.work = word16(&s) && (walker.narrow || bytes) ? "int16_t" : "int32_t";
    s.weight = !word16(&s) ? "int32_t" : walker.coding->scale == 1 ? "int8_t" : "int16_t";
    s.mask = word16(&s) ? "uint8_t" : "uint32_t";
    return s;
}

/* ---- the next weight ---- */

/* f = scale * code - less, where code is a field of b, C text. */
static void print_code(const struct sums *s, const char *field, int scale, int less)
{
    const char *type = byte_type(s->plan);
    text_printf(s->out, "{\nconst %s code = (%s)(%s);\nconst %s field = (%s)code;\n", type, type,
                field, s->weight, s->weight);
    text_printf(s->out,
                scale == 2 ? "f = (%s)((field * 2) - %d);\n}\n" : "f = (%s)(field - %d);\n}\n",
                s->weight, less);
}

/* f = the next weight of a layer whose weights lie five to a byte or two, both as fractions that
 * are multiplied out, the first one first. */
static void print_either(const struct sums *s)
{
    const char *type = byte_type(s->plan);
    const char *unit = s->numbers.unit;
    text_printf(s->out,
                "if (left == 0%s) {\nb = %s_U8(at, 0);\nat = &at[1];\nleft = 2%s;\n"
                "if (ternary != 0%s) {\nleft = 5%s;\n}\n}\nleft--;\n",
                unit, s->plan->upper, unit, unit, unit);
    text_printf(s->out, "if (ternary != 0%s) {\nb = (%s)((b & 255U) * 3U);\n", unit, type);
    print_code(s, "b >> 8", 1, 1);
    text_printf(s->out, "} else {\nb = (%s)((b & 255U) * 16U);\n", type);
    print_code(s, "b >> 8", 1, 8);
    text_add(s->out, "}\n");
}

static void print_weight(const struct sums *s)
{
    const struct coding *coding = s->walker.coding;
    if (s->walker.other) {
        print_either(s);
    } else if (ternary(s->walker)) {
        map_print_next_digit(s->out, s->plan, s->numbers.unit);
        print_code(s, "b >> 8", 1, 1);
    } else {
        map_print_next_fields(s->out, s->plan);
        char code[32];
        (void)snprintf(code, sizeof code, "b & %dU", (1 << coding->bits) - 1);
        print_code(s, code, coding->scale, -coding->low);
        text_printf(s->out, "b = (%s)(b >> %d);\n", byte_type(s->plan), coding->bits);
    }
}

/* Opens a loop over the weights that a byte of elements meets, two or one: f is one of them. */
static void open_weights(const struct sums *s)
{
    const char *unit = s->numbers.unit;
    text_printf(s->out,
                s->walker.single ? "for (%s half = 0%s; half <= packed; half++) {\n"
                                 : "for (%s half = 0%s; half < 2%s; half++) {\n",
                s->numbers.small, unit, unit);
    text_printf(s->out, "%s f = 0;\n", s->weight);
    print_weight(s);
}

/* ---- what they add ---- */

/* Is there one position alone? */
static bool one_position(const struct sums *s)
{
    return map_is_always(&s->numbers, NUMBER_COUNT, 1);
}

/* The first element of those that the weights at hand meet. */
static const char *first_element(const struct sums *s)
{
    return !map_is_always(&s->numbers, NUMBER_COLUMNS, 1) ? "from + j"
           : !map_is_always(&s->numbers, NUMBER_ROWS, 1)  ? "row + j"
                                                          : "j";
}

/* The ways to add, and what goes into the function beside elements and sums. */
struct way {
    void (*print)(const struct sums *s);
    void (*sum)(const struct sums *s, const char *at, const char *sum);
    bool masks;
};

static struct way way_of(const struct sums *s);

/* Does the function that adds at all positions read the table of numbers? */
static bool adds_by_numbers(const struct sums *s)
{
    const bool *varies = s->numbers.varies;
    return varies[NUMBER_COUNT] || varies[NUMBER_APART] ||
           (way_of(s).masks && s->walker.single && varies[NUMBER_PACKED]);
}

/* Calls the function that adds at all positions, with what it is to add there. */
static void print_call(const struct sums *s, const char *what)
{
    char name[HELPER_NAME_MAX];
    text_printf(s->out, "%s_add(&a[%s], %ss, %s);\n", map_walker_name(s->plan, s->walker, name),
                first_element(s), adds_by_numbers(s) ? "shape, " : "", what);
}

static void print_one_sum(const struct sums *s, const char *at, const char *sum)
{
    text_printf(s->out, "const %s e = (%s)%s;\n", s->work, s->work, at);
    if (products_dear(s) && ternary(s->walker)) {
        text_printf(s->out, "%s = (%s)((f < 0) ? (%s - e) : (%s + e));\n", sum, s->sum, sum, sum);
    } else {
        text_printf(s->out, "%s = (%s)(%s + (%s)((%s)f * e));\n", sum, s->sum, sum, s->work,
                    s->work);
    }
}

/* One weight and one element of any type. */
static void print_one(const struct sums *s)
{
    text_printf(s->out, "%s f = 0;\n", s->weight);
    print_weight(s);
    text_add(s->out, "if (f != 0) {\n");
    if (one_position(s)) {
        char at[32];
        (void)snprintf(at, sizeof at, "a[%s]", first_element(s));
        print_one_sum(s, at, "s[0]");
    } else {
        print_call(s, "f");
    }
    text_add(s->out, "}\n");
}

/* f0 times the lower half of a byte and f1 times the upper one; where products are as fast as any
 * instruction, f0 times all of it and f1 less 16 f0 times the upper half. */
static void print_two_sums(const struct sums *s, const char *at, const char *sum)
{
    text_printf(s->out, "const uint8_t v = %s;\nconst uint8_t v1 = (uint8_t)(v >> 4);\n", at);
    if (word16(s)) {
        text_add(s->out, "const uint8_t v0 = (uint8_t)(v & 15U);\n");
    }
    text_printf(s->out, "%s = (%s)(%s + (f0 * (%s)%s) + (f1 * (%s)v1));\n", sum, s->sum, sum,
                s->weight, word16(s) ? "v0" : "v", s->weight);
}

static void print_two(const struct sums *s)
{
    text_printf(s->out, "%s f0 = 0;\n%s f1 = 0;\n", s->weight, s->weight);
    open_weights(s);
    text_add(s->out, "f0 = f1;\nf1 = f;\n}\n");
    if (s->walker.single) {
        text_printf(s->out, "if (packed == 0%s) {\nf0 = f1;\nf1 = (%s)(%s);\n}", s->numbers.unit,
                    s->weight, word16(s) ? "f1 * 16" : "0");
        text_add(s->out, word16(s) ? "\n" : " else {\nf1 = f1 - (f0 * 16);\n}\n");
    } else if (!word16(s)) {
        text_add(s->out, "f1 = f1 - (f0 * 16);\n");
    }
    text_add(s->out, "if ((f0 != 0) || (f1 != 0)) {\n");
    print_call(s, "f0, f1");
    text_add(s->out, "}\n");
}

/* name = what `bits` is as one number or as two, shifted by k. */
static void print_halves(const struct sums *s, const char *name, const char *bits)
{
    const char *wide = byte_type(s->plan);
    bool mixed = s->walker.packs && s->walker.single;
    char upper[INDEX_MAX];
    (void)snprintf(upper, sizeof upper, mixed ? "((%s)%s >> high)" : "(%s%s >> 4)",
                   mixed ? wide : "", bits);
    text_printf(s->out, "const %s %s_sum = (%s)((%s & %s) + %s);\n", s->mask, name, s->mask, bits,
                mixed ? "low" : "15U", upper);
    if (ternary(s->walker)) {
        text_printf(s->out, "const %s %s = (%s)%s_sum;\n", s->work, name, s->work, name);
    } else {
        text_printf(s->out, "const %s %s_bits = (%s)((%s)%s_sum << k);\n", wide, name, wide, wide,
                    name);
        text_printf(s->out, "const %s %s = (%s)%s_bits;\n", s->work, name, s->work, name);
    }
}

/* What is under `mask`, with the complement of what is under `sign`: as much more than its negative
 * as the sign itself is as a number. */
static void print_masked_sums(const struct sums *s, const char *at, const char *sum)
{
    text_printf(s->out, "const %s v = (%s)((%s & mask) ^ sign);\n", s->mask, s->mask, at);
    print_halves(s, "e", "v");
    text_printf(s->out, "%s = (%s)(%s + e - more);\n", sum, s->sum, sum);
}

/* Both weights of a byte as four bits each, and their signs as masks; of a byte that is one
 * element, one weight twice. */
static void print_masks(const struct sums *s)
{
    const char *type = s->mask;
    text_printf(s->out, "%s size = 0U;\n%s signs = 0U;\n", type, type);
    open_weights(s);
    text_printf(s->out,
                "size = (%s)(size >> 4);\nsigns = (%s)(signs >> 4);\n"
                "if (f < 0) {\nf = (%s)-f;\nsigns = (%s)(signs | 240U);\n}\n"
                "size = (%s)(size | ((%s)f * 16U));\n}\n",
                type, type, s->weight, type, type, type);
    if (s->walker.single) {
        text_printf(s->out,
                    "if (packed == 0%s) {\nsize = (%s)(size | (size >> 4));\n"
                    "signs = (%s)(signs | (signs >> 4));\n}\n",
                    s->numbers.unit, type, type);
    }
    if (ternary(s->walker)) {
        text_printf(s->out, "if (size != 0U) {\nconst %s mask = (%s)(size * 15U);\n", type, type);
        print_call(s, "mask, signs");
        text_add(s->out, "}\n");
        return;
    }
    text_printf(s->out,
                "for (uint8_t k = 0U; k < planes; k++) {\nconst %s bits = (%s)(size & 17U);\n"
                "const %s mask = (%s)(bits * 15U);\nconst %s sign = (%s)(signs & mask);\n"
                "if (mask != 0U) {\n",
                type, type, type, type, type, type);
    print_call(s, "mask, sign, k");
    text_printf(s->out, "}\nsize = (%s)((size >> 1) & 119U);\n}\n", type);
}

/* A function that multiplies without a product, bit by bit. */
static void print_product_function(struct printer *p, const struct sums *s)
{
    char name[HELPER_NAME_MAX];
    text_printf(p->out,
                "/* factor * number, bit by bit. */\n"
                "static %s %s_product(%s factor, %s number)\n{\n"
                "    %s left = factor;\n    %s more = number;\n    %s sum = 0;\n\n"
                "    for (uint8_t bit = 0U; (bit < 8U) && (left != 0U); bit++) {\n        if "
                "((left & 1U) != 0U) {\n"
                "            sum = (%s)(sum + more);\n        }\n"
                "        more = (%s)(more * 2);\n        left = (%s)(left >> 1);\n    }\n    "
                "return sum;\n}\n\n",
                s->work, map_walker_name(s->plan, s->walker, name), s->mask, s->work, s->mask,
                s->work, s->work, s->work, s->work, s->mask);
}

/* s[0] with f times e: of the bits of what is data, or of what is not. */
static void print_product(const struct sums *s)
{
    char name[HELPER_NAME_MAX];
    (void)map_walker_name(s->plan, s->walker, name);
    if (s->plan->options->constant_time) {
        text_printf(s->out,
                    "const %s size = (%s)((f < 0) ? -f : f);\n"
                    "const %s sum = %s_product((%s)size, (%s)e);\n"
                    "s[0] = (%s)((f < 0) ? (s[0] - sum) : (s[0] + sum));\n",
                    s->weight, s->weight, s->work, name, s->mask, s->work, s->sum);
    } else {
        text_printf(s->out, "s[0] = (%s)(s[0] + %s_product(e, f));\n", s->sum, name);
    }
}

/* At one position alone: one weight after the other, and the part of a byte that it meets. */
static void print_alone(const struct sums *s)
{
    const char *byte = s->mask;
    bool packs = s->walker.packs;
    const char *part = !packs ? "" : s->walker.single ? " & low" : " & 15U";
    text_printf(s->out, packs ? "%s v = a[%s];\n" : "const %s v = a[%s];\n", byte,
                first_element(s));
    if (packs) {
        open_weights(s);
    } else {
        text_printf(s->out, "{\n%s f = 0;\n", s->weight);
        print_weight(s);
    }
    text_printf(s->out, packs ? "{\nconst %s e = (%s)(v%s);\n" : "{\nconst %s e = v;\n", byte, byte,
                part);
    if (products_dear(s)) {
        print_product(s);
    } else {
        text_printf(s->out, "acc = (%s)(acc + ((%s)f * (%s)e));\n", s->sum, s->work, s->work);
    }
    text_add(s->out, "}\n");
    text_printf(s->out, packs ? "v = (%s)(v >> 4);\n}\n" : "}\n", byte);
}

static void print_bit_sum(const struct sums *s, const char *at, const char *sum)
{
    const char *wide = byte_type(s->plan);
    text_printf(s->out, "const %s bits = (%s)((%s)%s << k);\nconst %s e = (%s)bits;\n", wide, wide,
                wide, at, s->work, s->work);
    text_printf(s->out, "%s = (%s)((f < 0) ? (%s - e) : (%s + e));\n", sum, s->sum, sum, sum);
}

/* One weight, bit by bit, and bytes. */
static void print_bits(const struct sums *s)
{
    text_printf(s->out, "%s f = 0;\n", s->weight);
    print_weight(s);
    text_printf(s->out,
                "{\nconst %s positive = (%s)((f < 0) ? -f : f);\n%s size = (%s)positive;\n"
                "for (uint8_t k = 0U; k < planes; k++) {\n"
                "if ((size & 1U) != 0U) {\n",
                s->weight, s->weight, s->mask, s->mask);
    print_call(s, "f, k");
    text_printf(s->out, "}\nsize = (%s)(size >> 1);\n}\n}\n", s->mask);
}

/* ---- the function that adds at all positions ---- */

static struct way way_of(const struct sums *s)
{
    if (one_position(s) && s->walker.type == TYPE_U8) {
        return (struct way){print_alone, NULL, false};
    }
    bool bits = products_dear(s) && s->walker.type == TYPE_U8 && !ternary(s->walker);
    return s->walker.packs && products_dear(s) ? (struct way){print_masks, print_masked_sums, true}
           : s->walker.packs                   ? (struct way){print_two, print_two_sums, false}
           : bits                              ? (struct way){print_bits, print_bit_sum, false}
                                               : (struct way){print_one, print_one_sum, false};
}

static void print_add_parameters(struct printer *p, const struct sums *s, const struct way *way)
{
    const char *weight = way->masks ? s->mask : s->weight;
    bool both = way->masks || way->print == print_two;
    bool shifts = (way->masks && !ternary(s->walker)) || way->print == print_bits;
    if (adds_by_numbers(s)) {
        text_printf(p->out, "const %s *shape, ", c_type(s->numbers.type));
    }
    text_printf(p->out, "%s *s,\n    %s %s", s->sum, weight,
                way->masks ? "mask"
                : both     ? "f0"
                           : "f");
    if (both) {
        text_printf(p->out, ", %s %s", weight, way->masks ? "sign" : "f1");
    }
    text_add(p->out, shifts ? ", uint8_t k)\n{\n" : ")\n{\n");
}

static void print_add_function(struct printer *p, struct sums s)
{
    struct text body = {0};
    char name[HELPER_NAME_MAX];
    struct way way = way_of(&s);
    text_printf(p->out,
                "/* Adds what a weight, or two, makes of an element, or two, at all positions. */\n"
                "static %s_ALONE void %s_add(const %s *a, ",
                p->plan->upper, map_walker_name(p->plan, s.walker, name), c_type(s.walker.type));
    print_add_parameters(p, &s, &way);
    s.out = &body;
    map_print_number(&body, s.plan, &s.numbers, NUMBER_COUNT);
    map_print_number(&body, s.plan, &s.numbers, NUMBER_APART);
    if (way.masks && s.walker.single) {
        map_print_number(&body, s.plan, &s.numbers, NUMBER_PACKED);
        text_printf(&body,
                    "%s low = 255U; /* what of a byte is its first number */\n%s high = 8U;\n"
                    "if (packed != 0%s) {\nlow = 15U;\nhigh = 4U;\n}\n",
                    s.mask, s.mask, s.numbers.unit);
    }
    text_printf(&body, "{\n%s u = 0%s;\n", s.numbers.index, s.numbers.unit);
    if (way.masks) {
        print_halves(&s, "more", "sign");
    }
    text_printf(&body, "for (%s i = 0%s; i < count; i++) {\n", s.numbers.small, s.numbers.unit);
    way.sum(&s, "a[u]", "s[i]");
    text_printf(&body, "u = (%s)(u + apart);\n}\n}\n", s.numbers.index);
    map_add_indented(p->out, &body);
    text_add(p->out, "}\n\n");
    text_free(&body);
}

/* ---- the function ---- */

/* Loops over the elements under a window: j + row, or j + from. */
static void print_walk(const struct sums *s)
{
    const char *small = s->numbers.small;
    const char *unit = s->numbers.unit;
    bool rows = !map_is_always(&s->numbers, NUMBER_ROWS, 1);
    bool columns = !map_is_always(&s->numbers, NUMBER_COLUMNS, 1);
    if (rows) {
        text_printf(s->out, "for (%s y = 0%s; y < rows; y++) {\n", small, unit);
    }
    if (columns && rows) {
        text_printf(s->out, "%s from = row;\n", s->numbers.index);
    }
    if (columns) {
        text_printf(s->out, "for (%s x = 0%s; x < columns; x++) {\n", small, unit);
    }
    text_printf(s->out, "for (%s j = 0%s; j < length; j++) {\n", small, unit);
    way_of(s).print(s);
    text_printf(s->out, columns ? "}\nfrom = (%s)(from + gap);\n}\n" : "}\n", s->numbers.index);
    if (rows) {
        text_printf(s->out, "row = (%s)(row + step);\n}\n", s->numbers.index);
    }
}

/* Bits of the largest weight without its sign. */
static int bits_of_size(const struct coding *coding)
{
    return coding->bits == 0 ? 1 : coding->bits;
}

/* Is the only sum a variable as long as products are added? */
static bool sums_in_register(const struct sums *s)
{
    return way_of(s).print == print_alone && !products_dear(s);
}

/* Do the loops over the weights look at a number? */
static bool looks_at(const struct sums *s, enum number number)
{
    bool columns = !map_is_always(&s->numbers, NUMBER_COLUMNS, 1);
    bool rows = !map_is_always(&s->numbers, NUMBER_ROWS, 1);
    const bool looks[NUMBERS] = {[NUMBER_LENGTH] = true,
                                 [NUMBER_COLUMNS] = columns,
                                 [NUMBER_GAP] = columns,
                                 [NUMBER_ROWS] = rows,
                                 [NUMBER_STEP] = rows,
                                 [NUMBER_PACKED] = s->walker.packs && s->walker.single,
                                 [NUMBER_TERNARY] = s->walker.other != NULL};
    return looks[number];
}

bool map_sums_by_numbers(const struct plan *plan, struct walker walker)
{
    struct sums s = start(NULL, plan, walker);
    bool reads = !one_position(&s) && adds_by_numbers(&s);
    for (int i = 0; i < NUMBERS; i++) {
        reads = reads || (s.numbers.varies[i] && looks_at(&s, (enum number)i));
    }
    return reads;
}

static void print_locals(const struct sums *s)
{
    for (int i = 0; i < NUMBERS; i++) {
        if (looks_at(s, (enum number)i)) {
            map_print_number(s->out, s->plan, &s->numbers, (enum number)i);
        }
    }
    bool mixed = one_position(s) && s->walker.packs && s->walker.single;
    if (mixed) {
        text_printf(s->out, "%s low = 255U;\n", s->mask);
    }
    if (way_of(s).print == print_bits || (way_of(s).print == print_masks && !ternary(s->walker))) {
        text_printf(s->out, "uint8_t planes = %dU; /* bits of a weight's size */\n",
                    bits_of_size(s->walker.coding));
    }
    if (sums_in_register(s)) {
        text_printf(s->out, "%s acc = s[0];\n", s->sum);
    }
    text_printf(s->out, "const uint8_t *at = w;\n%s b = 0U;\n", byte_type(s->plan));
    if (s->walker.other || ternary(s->walker)) {
        text_printf(s->out, "%s left = 0%s;\n", s->numbers.small, s->numbers.unit);
    }
    if (!map_is_always(&s->numbers, NUMBER_ROWS, 1)) {
        text_printf(s->out, "%s row = 0%s;\n", s->numbers.index, s->numbers.unit);
    } else if (!map_is_always(&s->numbers, NUMBER_COLUMNS, 1)) {
        text_printf(s->out, "%s from = 0%s;\n", s->numbers.index, s->numbers.unit);
    }
    if (mixed) {
        text_printf(s->out, "if (packed != 0%s) {\nlow = 15U;\n}\n", s->numbers.unit);
    }
    if ((way_of(s).print == print_masks || way_of(s).print == print_bits) && s->walker.other) {
        text_printf(s->out, "if (ternary == 0%s) {\nplanes = 4U;\n}\n", s->numbers.unit);
    }
}

void map_print_across_helper(struct printer *p, struct walker walker)
{
    char name[HELPER_NAME_MAX];
    struct text body = {0};
    struct sums s = start(&body, p->plan, walker);
    if (!one_position(&s)) {
        print_add_function(p, s);
    } else if (way_of(&s).print == print_alone && products_dear(&s)) {
        print_product_function(p, &s);
    }
    text_printf(p->out,
                "/* Adds weights%s times\n * %s, at all positions of a row.\n"
                " * Returns what follows the weights. */\n"
                "static %s%sconst uint8_t *%s(const %s *a, const uint8_t *w, ",
                walker.other ? ", two or five to a byte," : map_coding_note(walker.coding),
                map_reach_note(walker.reach), one_position(&s) ? p->plan->upper : "",
                one_position(&s) ? "_ALONE " : "", map_walker_name(p->plan, walker, name),
                c_type(walker.type));
    if (map_sums_by_numbers(p->plan, walker)) {
        text_printf(p->out, "const %s *shape, ", c_type(s.numbers.type));
    }
    text_printf(p->out, "%s *s)\n{\n", s.sum);
    print_locals(&s);
    print_walk(&s);
    text_add(s.out, sums_in_register(&s) ? "s[0] = acc;\nreturn at;\n" : "return at;\n");
    map_add_indented(p->out, &body);
    text_add(p->out, "}\n\n");
    text_free(&body);
}
