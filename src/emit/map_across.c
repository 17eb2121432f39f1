/* Functions that serve all positions of a row at once: each weight is decoded once for all of them,
 * and not looked at further where it is zero.  Layers whose weights and elements are alike share
 * one loop over channels, even if results are of two kinds; what tells them apart are numbers
 * (map_across_numbers.c).
 *
 * Weights lie behind their row's bias and shift, so that a pointer goes through all of them.  Sums
 * of 16 bits are lifted by SUMS_LIFT, a multiple of 2^k for each shift k, which keeps them from
 * being negative. */
#include "emit/map.h"

#include <stdio.h>
#include <string.h>

/* ---- what layers share ---- */

static struct walker walker_of(const struct plan *plan, int index)
{
    return plan->maps->rows[index].walker;
}

/* Two kinds of results, of those that a function for sums has, share a loop over channels. */
static bool same_loop(const struct plan *plan, int a, int b)
{
    return map_goes_across(plan, a) && map_goes_across(plan, b) &&
           map_same_walker(walker_of(plan, a), walker_of(plan, b)) &&
           map_result_kind(plan, a) / 2 == map_result_kind(plan, b) / 2;
}

/* The first layer that is served by the same loop. */
static int first_like(const struct plan *plan, int index)
{
    int first = 0;
    while (!same_loop(plan, first, index)) {
        first++;
    }
    return first;
}

/* A layer with one of the two kinds of results of a loop, if there is one with an activation that
 * does something: -1: there is no such kind. */
static int layer_of_kind(const struct plan *plan, int like, int kind)
{
    int layer = -1;
    for (int i = 0; i < plan->net->layer_count; i++) {
        bool served = same_loop(plan, i, like) && map_result_kind(plan, i) % 2 == kind;
        layer = served && (layer < 0 || plan_acts(plan, i)) ? i : layer;
    }
    return layer;
}

static bool is_lifted(struct walker walker)
{
    return walker.shift > 0 && walker.narrow && walker.lifts;
}

bool map_across_floors(const struct plan *plan, int index)
{
    struct walker walker = walker_of(plan, index);
    return walker.shift > 0 && !is_lifted(walker);
}

/* ---- a loop over channels ---- */

struct loop {
    struct printer *p;
    const struct plan *plan;
    int layers[2]; /* of each kind of results; -1: there is one alone */
    struct walker walker;
    struct walker_numbers numbers;
};

static struct loop find_loop(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    return (struct loop){.p = p,
                         .plan = plan,
                         .layers = {layer_of_kind(plan, index, 0), layer_of_kind(plan, index, 1)},
                         .walker = walker_of(plan, index),
                         .numbers = map_numbers(plan, walker_of(plan, index))};
}

static bool is_packed(const struct loop *loop, int kind)
{
    return loop->plan->maps->views[map_output(loop->plan, loop->layers[kind])].packed;
}

static enum type output_type(const struct loop *loop, int kind)
{
    return map_array_type(loop->plan, loop->plan->net->layers[loop->layers[kind]].output);
}

/* The pointer through which results of a kind are stored; two kinds may share it. */
static const char *pointer_of(const struct loop *loop, int kind)
{
    bool other = kind == 1 && loop->layers[0] >= 0 && output_type(loop, 0) != output_type(loop, 1);
    return other ? "other" : "to";
}

static bool is_always(const struct loop *loop, enum number number, int value)
{
    return map_is_always(&loop->numbers, number, value);
}

/* Has each channel of a layer one result? */
static bool one_result(const struct loop *loop)
{
    return is_always(loop, NUMBER_RESULTS, 1);
}

/* Is each result one sum? */
static bool one_sum(const struct loop *loop)
{
    return is_always(loop, NUMBER_SIDE, 1) && is_always(loop, NUMBER_TALL, 1);
}

/* ---- from sums to results ---- */

/* The bias, and the shift k where there is one, in front of a row's weights. */
static void print_row_head(const struct loop *loop)
{
    struct text *out = loop->p->out;
    const char *upper = loop->plan->upper;
    int bytes = map_head_bytes(loop->walker);
    int high = 8 - loop->walker.shift; /* bits of the bias in the last byte */
    long lift = is_lifted(loop->walker) ? SUMS_LIFT : 0;
    const char *type = bytes > 2 ? "uint32_t" : "uint16_t";
    const char *sum = bytes > 2 || loop->walker.shift == 0 ? "int32_t" : "int16_t";
    text_printf(out, "const uint8_t last = %s_U8(at, %d);\n", upper, bytes - 1);
    if (loop->walker.shift > 0) {
        text_printf(out, "const uint8_t k = (uint8_t)(last >> %d);\n", high);
        text_printf(out, "const uint8_t rest = (uint8_t)(last & %dU);\n", (1 << high) - 1);
    }
    const char *rest = loop->walker.shift > 0 ? "rest" : "last";
    if (bytes == 1) {
        text_printf(out, "const uint16_t raw = %s", rest);
    } else {
        text_printf(out, "const %s raw = (%s)(((%s)%s << %d)", type, type, type, rest,
                    8 * (bytes - 1));
    }
    for (int i = 0; i < bytes - 1; i++) {
        text_printf(out, i == 0 ? " | (%s)%s_U8(at, %d)" : " | ((%s)%s_U8(at, %d) << %d)", type,
                    upper, i, 8 * i);
    }
    long half = 1L << (8 * bytes - loop->walker.shift - 1);
    text_printf(out, bytes == 1 ? ";\n" : ");\n");
    text_printf(out, "const %s bias = (%s)((%s)raw %c %ld);\n", sum, sum, sum,
                lift > half ? '+' : '-', lift > half ? lift - half : half - lift);
    if (is_lifted(loop->walker)) {
        const char *part = loop->plan->machine->word == 16 ? "uint16_t" : "uint32_t";
        text_printf(out, "const %s lift = %dU;\nconst %s low = (%s)(lift >> k);\n", part, SUMS_LIFT,
                    part, part);
    }
}

/* z = the result of a sum, `most`, in front of its activation. */
static void print_shifted(const struct loop *loop, const char *most)
{
    struct text *out = loop->p->out;
    bool short_int = loop->plan->machine->word == 16;
    if (is_lifted(loop->walker)) {
        const char *part = short_int ? "uint16_t" : "uint32_t";
        const char *type = short_int ? "int16_t" : "int32_t";
        text_printf(out, "const %s part = (%s)((%s)%s >> k);\n", part, part, part, most);
        text_printf(out, "const %s z = (%s)((%s)part - (%s)low);\n", type, type, type, type);
    } else if (loop->walker.shift > 0) {
        text_printf(out, "const int32_t z = %s_floor(%s, k);\n", loop->plan->name, most);
    } else {
        text_printf(out, "const %s z = %s;\n", map_sum_type(loop->walker), most);
    }
}

/* Stores the result of z. */
static void print_kind(const struct loop *loop, int kind)
{
    static const struct interval short_sums = {INT16_MIN, INT16_MAX};
    bool narrow = is_lifted(loop->walker) ? loop->plan->machine->word == 16
                                          : loop->walker.shift == 0 && loop->walker.narrow;
    const struct interval *range = narrow ? &short_sums : NULL;
    struct text *out = loop->p->out;
    const char *type = byte_type(loop->plan);
    char to[64];
    const char *at = one_result(loop) ? is_packed(loop, kind) ? "i / 2" : "i" : "u";
    (void)snprintf(to, sizeof to, "%s[%s%s]", pointer_of(loop, kind), at,
                   one_result(loop) && is_packed(loop, kind) ? loop->numbers.unit : "");
    if (is_packed(loop, kind)) {
        text_add(out, "uint8_t v;\n");
        map_print_stored(loop->p, loop->layers[kind], "v", range);
        text_printf(out, "%s = (uint8_t)((%s >> 4) | ((%s)v << 4));\n", to, to, type);
    } else {
        map_print_stored(loop->p, loop->layers[kind], to, range);
    }
}

static void print_result(const struct loop *loop, const char *most)
{
    struct text *out = loop->p->out;
    text_add(out, "{\n");
    print_shifted(loop, most);
    if (loop->layers[0] >= 0 && loop->layers[1] >= 0) {
        text_printf(out, "if (kind != 0%s) {\n", loop->numbers.unit);
        print_kind(loop, 1);
        text_add(out, "} else {\n");
        print_kind(loop, 0);
        text_add(out, "}\n");
    } else {
        print_kind(loop, loop->layers[0] >= 0 ? 0 : 1);
    }
    text_add(out, "}\n");
}

/* A result of several sums is that of the largest. */
static void print_most(const struct loop *loop)
{
    const char *type = map_sum_type(loop->walker);
    const char *small = loop->numbers.small;
    const char *unit = loop->numbers.unit;
    struct text *out = loop->p->out;
    bool rows = !is_always(loop, NUMBER_TALL, 1);
    bool columns = !is_always(loop, NUMBER_SIDE, 1);
    text_printf(out, "%s most = s[first];\n%s q = first;\n", type, small);
    text_printf(out, rows ? "for (%s y = 0%s; y < tall; y++) {\n" : "{\n", small, unit);
    text_printf(out, columns ? "for (%s j = 0%s; j < side; j++) {\n" : "{\n", small, unit);
    text_printf(out, columns ? "const %s sum = s[q + j];\n" : "const %s sum = s[q];\n", type);
    text_add(out, "most = (sum > most) ? sum : most;\n}\n");
    text_printf(out, rows ? "q = (%s)(q + line);\n}\n" : "}\n", small);
    print_result(loop, "most");
    text_printf(loop->p->out, "first = (%s)(first + side);\n", small);
}

static void print_results(const struct loop *loop)
{
    struct text *out = loop->p->out;
    const char *small = loop->numbers.small;
    const char *unit = loop->numbers.unit;
    bool packed[2];
    for (int kind = 0; kind < 2; kind++) {
        int of = loop->layers[kind] >= 0 ? kind : 1 - kind;
        packed[kind] = is_packed(loop, of);
    }
    if (one_result(loop) && one_sum(loop)) {
        print_result(loop, "s[0]");
        return;
    }
    if (!one_sum(loop)) {
        text_printf(out, "%s first = 0%s;\n", small, unit);
    }
    if (!one_result(loop)) {
        if (packed[0] || packed[1]) {
            text_printf(out, "const %s pair = (%s)(i / 2%s);\n", small, small, unit);
        }
        text_printf(out, "%s u = %s;\n", loop->numbers.index, packed[0] ? "pair" : "i");
        if (packed[0] != packed[1]) {
            text_printf(out, "if (kind != 0%s) {\nu = %s;\n}\n", unit, packed[0] ? "i" : "pair");
        }
    }
    text_printf(out, "for (%s x = 0%s; x < results; x++) {\n", small, unit);
    if (one_sum(loop)) {
        print_result(loop, "s[x]");
    } else {
        print_most(loop);
    }
    text_printf(out, one_result(loop) ? "}\n" : "u = (%s)(u + away);\n}\n", loop->numbers.index);
}

static void print_channel(const struct loop *loop)
{
    struct text *out = loop->p->out;
    const struct walker_numbers *numbers = &loop->numbers;
    char name[HELPER_NAME_MAX];
    int bytes = map_head_bytes(loop->walker);
    text_printf(out, "for (%s i = 0%s; i < channels; i++) {\n%s s[%d];\n", numbers->small,
                numbers->unit, map_sum_type(loop->walker), numbers->most);
    print_row_head(loop);
    if (numbers->most > 1) {
        /* all of them, for those who do not know that results are made of the first ones */
        text_printf(out, "for (%s x = 0%s; x < %d%s; x++) {\ns[x] = (%s)bias;\n}\n", numbers->small,
                    numbers->unit, numbers->most, numbers->unit, map_sum_type(loop->walker));
    } else {
        text_printf(out, "s[0] = (%s)bias;\n", map_sum_type(loop->walker));
    }
    text_printf(out, "at = %s(a, &at[%d], %ss);\n", map_walker_name(loop->plan, loop->walker, name),
                bytes, map_sums_by_numbers(loop->plan, loop->walker) ? "shape, " : "");
    text_add(out, "{\n");
    print_results(loop);
    text_add(out, "}\n}\n");
}

static void print_locals(const struct loop *loop)
{
    struct text *out = loop->p->out;
    const struct walker_numbers *numbers = &loop->numbers;
    bool both = loop->layers[0] >= 0 && loop->layers[1] >= 0;
    bool loops = !one_result(loop) || !one_sum(loop);
    const bool wanted[NUMBERS] = {[NUMBER_CHANNELS] = true,
                                  [NUMBER_RESULTS] = loops,
                                  [NUMBER_AWAY] = !one_result(loop),
                                  [NUMBER_SIDE] = !one_sum(loop),
                                  [NUMBER_TALL] = !is_always(loop, NUMBER_TALL, 1),
                                  [NUMBER_LINE] = !is_always(loop, NUMBER_TALL, 1),
                                  [NUMBER_KIND] = both};
    for (int i = 0; i < NUMBERS; i++) {
        if (wanted[i]) {
            map_print_number(out, loop->plan, numbers, (enum number)i);
        }
    }
    if (numbers->count > 0 && !numbers->apart) {
        text_printf(out, "const uint8_t *at = &shape[%d];\n", numbers->count);
    } else {
        text_add(out, "const uint8_t *at = w;\n");
    }
}

static void print_parameters(const struct loop *loop)
{
    struct text *out = loop->p->out;
    const struct walker_numbers *numbers = &loop->numbers;
    int kind = loop->layers[0] >= 0 ? 0 : 1;
    text_printf(out, "(const %s *a, ", c_type(loop->walker.type));
    if (numbers->count == 0 || numbers->apart) {
        text_add(out, "const uint8_t *w, ");
    }
    if (numbers->count > 0) {
        text_printf(out, "const %s *shape, ", c_type(numbers->type));
    }
    text_printf(out, "%s *to", c_type(output_type(loop, kind)));
    if (kind == 0 && loop->layers[1] >= 0 && output_type(loop, 0) != output_type(loop, 1)) {
        text_printf(out, ",\n    %s *other", c_type(output_type(loop, 1)));
    }
    text_add(out, ")\n{\n");
}

static void print_channels(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    struct text body = {0};
    struct printer inner = {.out = &body, .plan = plan, .helpers = p->helpers};
    bool alone = plan->machine->word == 16;
    struct loop loop = find_loop(p, index);
    text_printf(p->out, "/* All channels of a row of positions. */\nstatic %s%svoid %s_rows%d",
                alone ? plan->upper : "", alone ? "_ALONE " : "", plan->name,
                plan->steps[index].number);
    print_parameters(&loop);
    loop.p = &inner;
    print_locals(&loop);
    print_channel(&loop);
    map_add_indented(p->out, &body);
    text_add(p->out, "}\n\n");
    text_free(&body);
}

/* Functions that are better off with registers of their own. */
void map_print_alone_macro(struct printer *p)
{
    const char *upper = p->plan->upper;
    bool any = false;
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        any = any || map_goes_across(p->plan, i);
    }
    if (any) {
        text_printf(p->out,
                    "/* Not inlined, so that it has all registers and its frame is small. */\n"
                    "#if defined(__GNUC__)\n"
                    "#define %s_ALONE __attribute__((noinline))\n"
                    "#else\n"
                    "#define %s_ALONE\n"
                    "#endif\n\n",
                    upper, upper);
    }
}

void map_print_across_layers(struct printer *p)
{
    for (int i = 0; i < p->plan->net->layer_count; i++) {
        if (map_goes_across(p->plan, i) && first_like(p->plan, i) == i) {
            print_channels(p, i);
        }
    }
}

/* ---- calls ---- */

/* Behind "to" or in its place: any array for the kind of results that the layer has not. */
static void print_arrays(struct printer *p, int index, const char *to)
{
    struct loop loop = find_loop(p, index);
    int kind = map_result_kind(p->plan, index) % 2;
    if (loop.layers[0] < 0 || loop.layers[1] < 0 ||
        output_type(&loop, 0) == output_type(&loop, 1)) {
        text_printf(p->out, "%s);\n", to);
        return;
    }
    const char *array = map_array(p->plan, map_output(p->plan, loop.layers[1 - kind]));
    if (kind == 0) {
        text_printf(p->out, "%s, %s);\n", to, array);
    } else {
        text_printf(p->out, "%s, %s);\n", array, to);
    }
}

void map_print_across_call(struct printer *p, int index, const struct pass *pass)
{
    const struct plan *plan = p->plan;
    const struct map_rows *rows = &plan->maps->rows[index];
    struct walker_numbers numbers = map_numbers(plan, rows->walker);
    char from[INDEX_MAX] = "";
    char weights[INDEX_MAX] = "";
    char to[INDEX_MAX] = "";
    char shape[INDEX_MAX + 8] = "";
    int number = plan->steps[first_like(plan, index)].number;
    if (numbers.apart) {
        (void)snprintf(shape, sizeof shape, "g%s, ", pass->name);
    }
    if (rows->group_rows == 0) {
        text_printf(p->out, "        %s_rows%d(at, w%s, %s", plan->name, number, pass->name, shape);
        print_arrays(p, index, "to");
        return;
    }
    map_add_term(from, "g", rows->group_columns);
    map_add_term(weights, "g", rows->group_rows * map_across_row_bytes(plan, index, pass));
    map_add_term(to, "g", rows->group_rows);
    text_printf(p->out, "        for (%s g = 0; g < %d; g++) {\n", plan->index,
                plan->net->layers[index].groups);
    text_printf(p->out, "            %s_rows%d(&at[%s], &w%s[%s], %s", plan->name, number, from,
                pass->name, weights, shape);
    (void)snprintf(shape, sizeof shape, "&to[%s]", to);
    print_arrays(p, index, shape);
    text_add(p->out, "        }\n");
}
