#include "emit/kernel.h"

#include <stdio.h>
#include <string.h>

/* ---- which are needed ---- */

/* Would both print the same function? */
static bool same_helper(struct helper a, struct helper b)
{
    return a.kind == b.kind && a.activation == b.activation && a.a == b.a && a.b == b.b &&
           a.columns == b.columns;
}

/* Note a helper once. */
void helpers_need(struct helpers *helpers, struct helper helper)
{
    for (int i = 0; i < helpers->count; i++) {
        if (same_helper(helpers->list[i], helper)) {
            return;
        }
    }
    helpers->list[helpers->count++] = helper;
}

/* A table is read through its type's macro; constants need none. */
void helpers_need_series(struct helpers *helpers, const struct series *series)
{
    if (!series->uniform) {
        helpers->reads[series->type] = true;
    }
}

/* Are results clamped where they are stored, without a function? */
static bool clamps_inside(const struct plan *plan, int index)
{
    const struct choice *choice = plan_choice(plan, index);
    bool inside = plan_clamps_only(plan->net->layers[index].activation);
    for (int i = 0; i < choice->span_count; i++) {
        inside = inside && choice->spans[i].kernel->clamps;
    }
    return inside;
}

/* Are there sums of which it is not known that they may be shifted as they are? */
static bool span_floors(const struct plan *plan, int index, const struct span *span)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    bool any = false;
    bool used = false;
    for (int i = span->first; i < span->first + span->rows; i++) {
        any = any || layer->shift[i] > 0;
        used = used || (layer->shift[i] > 0 && plan_row_used(layer, i));
    }
    switch (span->kernel->shape) {
    case SHAPE_ROW: return any || plan_row_shifts(plan, span->kernel);
    case SHAPE_TILE: return used && step->lift < 0;
    case SHAPE_SPAN: return any && span->kernel->floors && (!span->kernel->flat || step->lift < 0);
    }
    return false;
}

/* What its kernels need; the activation in one of its two forms. */
static void need_dense(const struct plan *plan, int index, struct helpers *helpers)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct choice *choice = plan_choice(plan, index);
    for (int i = 0; i < choice->span_count; i++) {
        if (choice->spans[i].kernel->need) {
            choice->spans[i].kernel->need(plan, index, helpers);
        }
        if (span_floors(plan, index, &choice->spans[i])) {
            helpers_need(helpers, (struct helper){.kind = HELPER_FLOOR});
        }
    }
    const struct series *series[SERIES_KINDS];
    for (int i = plan_series_read(plan, index, series); i-- > 0;) {
        helpers_need_series(helpers, series[i]);
    }
    if (plan_acts(plan, index) && !clamps_inside(plan, index)) {
        if (curve_helps(plan, layer->activation)) {
            curve_need(helpers);
        }
        struct helper helper = {HELPER_ELEMENT, layer->activation,
                                plan->net->tensors[layer->output].type,
                                plan->views[layer->output].type, 0};
        helpers_need(helpers, helper);
        if (plan_in_place(plan, index)) {
            helper.kind = HELPER_ALL;
            helpers_need(helpers, helper);
        }
    }
}

/* What conversions, sums and concatenations call. */
static void need_other(const struct plan *plan, int index, struct helpers *helpers)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    const struct view *out = &plan->views[layer->output];
    if (layer->op == OP_CONCAT || (layer->op == OP_CONVERT && plan_copies(plan, index))) {
        helpers_need(helpers,
                     (struct helper){HELPER_COPY, ACTIVATION_NONE, out->type, out->type, 0});
        return;
    }
    if (step->clamps) {
        helpers_need(helpers,
                     (struct helper){HELPER_ELEMENT, ACTIVATION_NONE,
                                     plan->net->tensors[layer->output].type, out->type, 0});
    }
    if (layer->op == OP_CONVERT && step->form == FORM_LOOP) {
        helpers_need_series(helpers, &step->bias);
        helpers_need_series(helpers, &step->shift);
    }
}

void helpers_collect(const struct plan *plan, struct helpers *helpers)
{
    *helpers = (struct helpers){0};
    for (int i = 0; i < plan->net->layer_count; i++) {
        enum form form = plan->steps[i].form;
        if (form == FORM_VIEW || form == FORM_DEAD) {
            continue;
        }
        if (plan->net->layers[i].op == OP_DENSE) {
            need_dense(plan, i, helpers);
        } else {
            need_other(plan, i, helpers);
        }
    }
}

/* ---- names ---- */

static const char *base_name(struct helper helper)
{
    if (helper.kind == HELPER_DUAL) {
        return "dual";
    }
    if (helper.kind == HELPER_DSP) {
        return "dsp";
    }
    if (helper.kind == HELPER_QUAD) {
        return "quad";
    }
    if (helper.kind == HELPER_TIMES) {
        return "times";
    }
    if (helper.kind == HELPER_FLOOR) {
        return "floor";
    }
    if (helper.kind == HELPER_ROW) {
        return "row";
    }
    if (helper.kind == HELPER_PAIR) {
        return "pair";
    }
    if (helper.kind == HELPER_BITS) {
        return "bits";
    }
    if (helper.kind == HELPER_NARROW) {
        return "narrow";
    }
    if (helper.kind == HELPER_FOUR) {
        return "row4";
    }
    if (helper.kind == HELPER_TWO) {
        return "row2";
    }
    if (helper.kind == HELPER_TERNARY) {
        return "ternary";
    }
    if (helper.kind == HELPER_COPY) {
        return "copy";
    }
    return helper.activation == ACTIVATION_NONE ? "saturate" : activation_name(helper.activation);
}

/* How many helpers share this one's base name and columns, itself included. */
static int namesakes(const struct helpers *helpers, struct helper helper)
{
    int count = 0;
    for (int i = 0; i < helpers->count; i++) {
        count += helpers->list[i].kind == helper.kind &&
                 strcmp(base_name(helpers->list[i]), base_name(helper)) == 0 &&
                 helpers->list[i].columns == helper.columns;
    }
    return count;
}

const char *helper_name(const struct plan *plan, const struct helpers *helpers,
                        struct helper helper, char name[HELPER_NAME_MAX])
{
    bool alone = namesakes(helpers, helper) == 1;
    if (helper.kind == HELPER_FLOOR) {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_floor", plan->name);
    } else if (helper.kind == HELPER_PAIR || helper.kind == HELPER_QUAD ||
               helper.kind == HELPER_DSP) {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_%s%d%s%s", plan->name, base_name(helper),
                       helper.columns, alone ? "" : "_", alone ? "" : type_name(helper.a));
    } else if (helper.kind == HELPER_BITS) {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_bits%d%s%s%s%s", plan->name, helper.columns,
                       alone ? "" : "_", alone ? "" : type_name(helper.a), alone ? "" : "_",
                       alone ? "" : type_name(helper.b));
    } else if (alone) {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_%s%s", plan->name, base_name(helper),
                       helper.kind == HELPER_ALL ? "_all" : "");
    } else if (helper.kind == HELPER_COPY) {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_copy_%s", plan->name, type_name(helper.a));
    } else {
        (void)snprintf(name, HELPER_NAME_MAX, "%s_%s%s_%s_%s", plan->name, base_name(helper),
                       helper.kind == HELPER_ALL ? "_all" : "", type_name(helper.a),
                       type_name(helper.b));
    }
    return name;
}

/* ---- printing ---- */

/* How an AVR reads flash: `lpm` bytes, the low one first. */
static void print_avr_read(struct text *out, const struct plan *plan, int bytes)
{
    static const char *const code[] = {
        "lpm %0, Z", "lpm %A0, Z+\\n\\tlpm %B0, Z+",
        "lpm %A0, Z+\\n\\tlpm %B0, Z+\\n\\tlpm %C0, Z+\\n\\tlpm %D0, Z+"};
    const char *type = bytes == 1 ? "uint8_t" : bytes == 2 ? "uint16_t" : "uint32_t";
    text_printf(out,
                "static inline %s %s_lpm%d(const void *p)\n"
                "{\n"
                "    const void *at = p;\n"
                "    %s v;\n"
                "    __asm__(\"%s\" : \"=&r\"(v), \"+z\"(at));\n"
                "    return v;\n"
                "}\n",
                type, plan->name, bytes, type, code[bytes / 2]);
}

/* POSE_I8 ...: the part behind the prefix. */
static const char *macro_name(enum type type)
{
    static const char *const names[] = {"I8", "U8", "I16", "U16", "I32", "U8"};
    return names[type];
}

static int type_bytes(enum type type)
{
    return type == TYPE_I32 ? 4 : type == TYPE_I16 || type == TYPE_U16 ? 2 : 1;
}

/* One reader per element size, one macro per element type. */
static void print_avr_macros(struct text *out, const struct plan *plan,
                             const struct helpers *helpers)
{
    bool printed[5] = {false, false, false, false, false};
    text_printf(out, "#define %s_FLASH __attribute__((progmem))\n", plan->upper);
    for (int type = TYPE_I8; type <= TYPE_I32; type++) {
        int bytes = type_bytes((enum type)type);
        if (!helpers->reads[type]) {
            continue;
        }
        if (!printed[bytes]) {
            print_avr_read(out, plan, bytes);
            printed[bytes] = true;
        }
        text_printf(out, "#define %s_%s(table, i) ((%s)%s_lpm%d(&(table)[i]))\n", plan->upper,
                    macro_name((enum type)type), c_type((enum type)type), plan->name, bytes);
    }
    if (helpers->words || helpers->pairs) {
        if (!printed[4]) {
            print_avr_read(out, plan, 4);
        }
        text_printf(out, "#define %s_U32(table, i) (%s_lpm4(&(table)[i]))\n", plan->upper,
                    plan->name);
    }
}

/* How packed words are written and read. */
static void print_pair_macros(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "/* Two numbers in one word: what multiplies it multiplies both. */\n"
                "#define %s_PAIR(low, high) ((uint32_t)(low) + ((uint32_t)(high) << 16))\n",
                plan->upper);
}

void print_macros(struct text *out, const struct plan *plan, const struct helpers *helpers)
{
    bool words = helpers->words || helpers->pairs;
    bool any = words;
    for (int type = TYPE_I8; type <= TYPE_I32; type++) {
        any = any || helpers->reads[type];
    }
    if (!any) {
        return;
    }
    text_printf(out,
                "/* Tables stay in flash: an AVR reads them by an instruction of its own. */\n"
                "#if !defined(__AVR_HAVE_LPMX__)\n#define %s_FLASH\n",
                plan->upper);
    for (int type = TYPE_I8; type <= TYPE_I32; type++) {
        if (helpers->reads[type]) {
            text_printf(out, "#define %s_%s(table, i) ((table)[i])\n", plan->upper,
                        macro_name((enum type)type));
        }
    }
    if (words) {
        text_printf(out, "#define %s_U32(table, i) ((table)[i])\n", plan->upper);
    }
    text_add(out, "#else\n");
    print_avr_macros(out, plan, helpers);
    text_add(out, "#endif\n");
    if (helpers->pairs) {
        print_pair_macros(out, plan);
    }
    text_add(out, "\n");
}

/* floor(acc / 2^k).  The bound of most nets' sums leaves room for a shift of what is not negative.
 */
static void print_floor_helper(struct text *out, const struct plan *plan, const char *name)
{
    bool steady = !plan->based && plan->options->constant_time;
    bool avr = plan->machine->word == 16 && !steady;
    text_printf(out, "/* floor(acc / 2^k)%s. */\nstatic int32_t %s(int32_t acc, uint8_t k)\n{\n",
                plan->based ? "; 2^30, a multiple of 2^k, keeps the sum from being negative"
                : steady    ? ": of acc + 2^31, all but the last bit and that"
                            : "",
                name);
    if (avr) {
        text_add(out, "#if defined(__AVR__)\n");
        avr_print_floor(out);
        text_add(out, "#else\n");
    }
    if (steady) {
        print_steady_floor(out, plan);
    } else if (plan->based) {
        text_add(out, "    const int32_t sum = acc + 1073741824;\n"
                      "    const uint32_t part = (uint32_t)sum >> k;\n"
                      "    const uint32_t base = 1073741824U >> k;\n"
                      "    return (int32_t)part - (int32_t)base;\n");
    } else {
        text_add(out, "    const int32_t size = (acc < 0) ? -(acc + 1) : acc;\n"
                      "    const uint32_t part = (uint32_t)size >> k;\n"
                      "    return (acc < 0) ? (-(int32_t)part - 1) : (int32_t)part;\n");
    }
    text_add(out, avr ? "#endif\n}\n\n" : "}\n\n");
}

/* Counting down: the Cortex-M0 then needs one register and no comparison.  Counting up on an AVR
 * with a multiplier, which reads tables in that direction. */
static const char *row_loop(const struct plan *plan)
{
    bool up = plan->machine->word == 16 && !plan->machine->no_multiplier;
    return up ? "j = 0; j < n; j++" : "j = n - 1; j >= 0; j--";
}

static void print_row_helper(struct text *out, const struct plan *plan, struct helper helper,
                             const char *name)
{
    const char *macro = helper.b == TYPE_I8 ? "I8" : "I16";
    char weight[ELEMENT_MAX];
    char call[HELPER_NAME_MAX];
    text_printf(out,
                "/* One row of a layer: weights times activations on top of the bias, which holds "
                "the half that\n * rounds the shift behind it.%s */\n"
                "static int32_t %s(const %s *a, const %s *w, %s n, int32_t bias)\n"
                "{\n",
                plan->shifts_in_rows ? "  The shift follows the weights." : "", name,
                c_type(helper.a), c_type(helper.b), plan->index);
    bool dot = dot_helps(plan, helper.a) && helper.b == TYPE_I8;
    if (dot) {
        text_printf(out,
                    "    const int8_t *at = w;\n    const int32_t acc = %s(bias, a, &at, n);\n",
                    dot_name(plan, helper.a, call));
    } else {
        text_printf(out, "    int32_t acc = bias;\n    for (%s %s) {\n", plan->index,
                    row_loop(plan));
        (void)snprintf(weight, sizeof weight, "%s_%s(w, j)", plan->upper, macro);
        print_weighted(out, plan, weight, "a[j]", helper.a, helper.b != TYPE_I8);
        text_add(out, "    }\n");
    }
    if (plan->shifts_in_rows) {
        text_printf(out, "    return %s_floor(acc, (uint8_t)%s_%s(%s));\n}\n\n", plan->name,
                    plan->upper, macro, dot ? "at, 0" : "w, n");
    } else {
        text_add(out, "    return acc;\n}\n\n");
    }
}

static void print_copy_helper(struct text *out, const struct plan *plan, struct helper helper,
                              const char *name)
{
    text_printf(out,
                "/* volatile: a loop, where compilers would call memcpy. */\n"
                "static void %s(const volatile %s *from, %s *to, %s n)\n"
                "{\n"
                "    for (%s i = 0; i < n; i++) {\n"
                "        to[i] = from[i];\n"
                "    }\n"
                "}\n\n",
                name, c_type(helper.a), c_type(helper.a), plan->index, plan->index);
}

/* int32_t v: z clamped to low..high. */
static void print_clamped(struct text *out, const struct plan *plan, int32_t low, int32_t high)
{
    if (plan->options->constant_time) {
        char clamp[ELEMENT_MAX];
        steady_clamp(plan, "z", (struct interval){low, high}, clamp);
        text_printf(out, "    const int32_t v = %s;\n", clamp);
        return;
    }
    if (plan->machine->has[KERNEL_VECTOR]) { /* two steps: what vectors have instructions for */
        text_printf(out,
                    "    const int32_t most = (z > %d) ? %d : z;\n"
                    "    const int32_t v = (most < %d) ? %d : most;\n",
                    (int)high, (int)high, (int)low, (int)low);
        return;
    }
    text_printf(out, "    const int32_t v = (z > %d) ? %d : ((z < %d) ? %d : z);\n", (int)high,
                (int)high, (int)low, (int)low);
}

/* What an activation's value is made of, and that value, of v (SPEC 5).  The smooth ones are floors
 * of v m / 2^15; with s = v + 32768, which is not negative, that is s m / 2^15 - m. */
static const char *activation_steps(enum activation activation)
{
    switch (activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP:
    case ACTIVATION_ABS:
    case ACTIVATION_LEAKY: return "";
    case ACTIVATION_CUBIC:
        return "    const int32_t square = v * v;\n"
               "    const uint32_t m = (98304U - ((uint32_t)square >> 15)) >> 1;\n";
    case ACTIVATION_PSIG:
        return "    const int32_t size = (v < 0) ? -v : v;\n"
               "    const uint32_t m = 65536U - (uint32_t)size;\n";
    }
    return "";
}

/* The value of an activation, as one expression of z or v (SPEC 5). */
static const char *activation_value(const struct plan *plan, enum activation activation)
{
    if (curve_helps(plan, activation)) {
        return curve_value(plan);
    }
    switch (activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: return "v";
    case ACTIVATION_ABS: return "(v < 0) ? -v : v";
    case ACTIVATION_LEAKY: return "(v < 0) ? -((7 - v) / 8) : v";
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return "(int32_t)p - (int32_t)m";
    }
    return "v";
}

/* What people should know about an activation. */
static const char *activation_note(enum activation activation)
{
    switch (activation) {
    case ACTIVATION_NONE: return "The nearest value that the type holds.";
    case ACTIVATION_RELU: return "Zero below zero, saturated above.";
    case ACTIVATION_CLIP: return "Saturated, alike on both sides.";
    case ACTIVATION_ABS: return "The magnitude, saturated.";
    case ACTIVATION_LEAKY: return "An eighth below zero, saturated.";
    case ACTIVATION_CUBIC: return "(3z - z^3) / 2 in Q15: a smooth sigmoid of two multiplies.";
    case ACTIVATION_PSIG: return "z (2 - |z|) in Q15: a smooth sigmoid of one multiply.";
    }
    return "";
}

/* The range that an activation keeps, before it bends it (SPEC 5). */
static void clamp_limits(struct helper helper, int32_t *low, int32_t *high)
{
    *high = type_high(helper.a);
    *low = -*high;
    if (helper.activation == ACTIVATION_NONE) {
        *low = type_low(helper.a);
    } else if (helper.activation == ACTIVATION_RELU) {
        *low = 0;
    }
}

/* An activation as a function of one value. */
static void print_element_helper(struct text *out, const struct plan *plan, struct helper helper,
                                 const char *name)
{
    int32_t low = 0;
    int32_t high = 0;
    clamp_limits(helper, &low, &high);
    bool steady = plan->options->constant_time;
    bool smooth = helper.activation == ACTIVATION_CUBIC || helper.activation == ACTIVATION_PSIG;
    bool curve = curve_helps(plan, helper.activation);
    const char *value = steady && !curve ? steady_value(helper.activation)
                                         : activation_value(plan, helper.activation);
    text_printf(out, "/* %s */\nstatic %s %s(int32_t z)\n{\n", activation_note(helper.activation),
                c_type(helper.b), name);
    print_clamped(out, plan, low, high);
    if (curve) {
        print_curve_steps(out, plan, helper.activation, helper.a);
    } else if (steady) {
        print_steady_steps(out, plan, helper.activation, helper.a);
    } else {
        text_add(out, activation_steps(helper.activation));
    }
    if (smooth && !curve) {
        text_add(out, "    const int32_t s = v + 32768; /* not negative: v m = s m - 32768 m */\n"
                      "    const uint32_t p = ((uint32_t)s * m) >> 15;\n");
    }
    if (helper.b == TYPE_I32) {
        text_printf(out, "    return %s;\n}\n\n", value);
    } else {
        text_printf(
            out, strlen(value) == 1 ? "    return (%s)%s;\n}\n\n" : "    return (%s)(%s);\n}\n\n",
            c_type(helper.b), value);
    }
}

/* An activation over an array of words, in place. */
static void print_all_helper(struct text *out, const struct plan *plan,
                             const struct helpers *helpers, struct helper helper, const char *name)
{
    char element[HELPER_NAME_MAX];
    helper.kind = HELPER_ELEMENT;
    text_printf(out,
                "static void %s(int32_t *a, %s n)\n"
                "{\n"
                "    for (%s i = 0; i < n; i++) {\n"
                "        a[i] = %s(a[i]);\n"
                "    }\n"
                "}\n\n",
                name, plan->index, plan->index, helper_name(plan, helpers, helper, element));
}

static void print_helper(struct text *out, const struct plan *plan, const struct helpers *helpers,
                         struct helper helper, const char *name)
{
    switch (helper.kind) {
    case HELPER_FLOOR: print_floor_helper(out, plan, name); break;
    case HELPER_ROW: print_row_helper(out, plan, helper, name); break;
    case HELPER_PAIR: print_pair_helper(out, plan, helper, name); break;
    case HELPER_BITS: print_bits_helper(out, plan, helper, name); break;
    case HELPER_NARROW: print_narrow_helper(out, plan, helper, name); break;
    case HELPER_FOUR:
    case HELPER_TWO:
    case HELPER_TERNARY: print_low_helper(out, plan, helper, name); break;
    case HELPER_TIMES: print_times_helper(out, plan, name); break;
    case HELPER_QUAD: print_quad_helper(out, plan, helper, name); break;
    case HELPER_DSP: print_dsp_helper(out, plan, helper, name); break;
    case HELPER_DUAL: print_dual_helper(out, name); break;
    case HELPER_COPY: print_copy_helper(out, plan, helper, name); break;
    case HELPER_ELEMENT: print_element_helper(out, plan, helper, name); break;
    case HELPER_ALL: print_all_helper(out, plan, helpers, helper, name); break;
    }
}

void print_helpers(struct text *out, const struct plan *plan, const struct helpers *helpers)
{
    char name[HELPER_NAME_MAX];
    for (int kind = HELPER_FLOOR; kind <= HELPER_ALL; kind++) {
        for (int i = 0; i < helpers->count; i++) {
            if (helpers->list[i].kind == (enum helper_kind)kind) {
                print_helper(out, plan, helpers, helpers->list[i],
                             helper_name(plan, helpers, helpers->list[i], name));
            }
        }
    }
}
