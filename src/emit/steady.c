/* Code whose time does not depend on data (options.constant_time): clamps, activations and the
 * largest output by masks instead of branches.  A mask is one bit times 2^n - 1, or, where a
 * product is a call, the complement of their sum: nothing wraps, and no compiler has a comparison
 * to make a branch of.  Numbers are lifted until they are not negative before their bits are looked
 * at, so that no conversion loses a sign.  Where a prover does not see what a mask leaves, another
 * one that changes nothing says it. */
#include "emit/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what may be emitted ---- */

/* Is a weight neither zero nor one nor its negative? */
static bool has_products(const struct layer *layer)
{
    bool found = false;
    for (int i = 0; i < layer->weights.rows * layer->weights.columns; i++) {
        found = found || layer->weights.values[i] < -1 || layer->weights.values[i] > 1;
    }
    return found;
}

/* Does the time of the products not depend on data?  Without a multiplier they are loops, and
 * 16-bit compilers call functions for 32 bits that look at signs. */
static bool steady_products(const struct plan *plan, int index, const struct kernel *kernel)
{
    const struct layer *layer = &plan->net->layers[index];
    if (plan->machine->no_multiplier) {
        return kernel->bitwise && layer->weights.bits <= 8;
    }
    bool macs = kernel->bitwise && layer->weights.bits <= 8 &&
                mac_helps(plan, plan->views[layer->inputs[0]].type);
    return plan->machine->word != 16 || kernel->narrow || macs || !has_products(layer);
}

/* Does a kernel take the same time for whatever the layer reads on the plan's machine? */
static bool steady_kernel(const struct plan *plan, int index, const struct kernel *kernel)
{
    const struct layer *layer = &plan->net->layers[index];
    bool called = kernel->powers && plan->machine->word == 16 && has_products(layer);
    return !kernel->uneven && ((kernel->adds && !called) || steady_products(plan, index, kernel));
}

bool steady_choice(const struct plan *plan, int index, const struct choice *choice)
{
    bool steady = true;
    for (int i = 0; i < choice->span_count; i++) {
        steady = steady && steady_kernel(plan, index, choice->spans[i].kernel);
    }
    return steady;
}

/* Does the layer multiply two variables, beside its kernels and curves? */
static bool multiplies(const struct plan *plan, int index)
{
    const struct step *step = &plan->steps[index];
    return plan->net->layers[index].op == OP_CONVERT && step->form == FORM_LOOP &&
           !step->shift.uniform;
}

bool steady_check(const struct plan *plan, struct error *err)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct step *step = &plan->steps[i];
        bool dense = plan->net->layers[i].op == OP_DENSE;
        if (step->form == FORM_DEAD) {
            continue;
        }
        bool kernels = !dense || steady_choice(plan, i, plan_choice(plan, i));
        if (!kernels || (plan->machine->no_multiplier && multiplies(plan, i))) {
            return fail(err,
                        "constant time: layer %d needs a multiplication, whose time depends on the "
                        "data on %s",
                        i, plan->machine->title);
        }
    }
    return true;
}

/* ---- clamps ---- */

/* May a value that is clamped lie so near to the ends of int32_t that 2^30 does not lift it?  Sums
 * that a prover takes for up to twice as large (mask.c) are far from there. */
#define NEAR (BASE / 4)

bool steady_wide(const struct plan *plan)
{
    bool found = false;
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        struct interval range = plan->steps[i].range;
        found = found || range.low < -NEAR || range.high >= NEAR;
        for (int j = 0; layer->op == OP_ADD && j < plan->net->tensors[layer->output].width; j++) {
            struct interval sum = net_sum_range(layer, plan->ranges, j);
            found = found || sum.low < -NEAR || sum.high >= NEAR;
        }
        for (int j = 0; layer->op == OP_CONVERT && j < plan->net->tensors[layer->output].width;
             j++) {
            struct interval in = plan->ranges[layer->inputs[0]][j];
            int64_t most = NEAR >> layer->shift[j];
            found = found || in.low - layer->zero[j] < -most || in.high - layer->zero[j] >= most;
        }
    }
    return found;
}

void print_hide_helper(struct text *out, const struct plan *plan)
{
    text_printf(
        out,
        "/* The mask: compilers make branches of one that they know to be all ones or nothing. */\n"
        "static inline uint32_t %s_hide(uint32_t mask)\n"
        "{\n"
        "    uint32_t hidden = mask;\n"
        "#if defined(__GNUC__) && (__INT_MAX__ > 32767)\n"
        "    __asm__(\"\" : \"+r\"(hidden));\n"
        "#endif\n"
        "    return hidden;\n"
        "}\n\n",
        plan->name);
}

void print_word_helpers(struct text *out, const struct plan *plan, bool words, bool lifts)
{
    if (words) {
        text_printf(out,
                    "/* The bits of z. */\n"
                    "static uint32_t %s_word(int32_t z)\n{\n    return (uint32_t)z;\n}\n\n",
                    plan->name);
    }
    if (lifts) {
        text_printf(out,
                    "/* z + 2^31. */\n"
                    "static uint32_t %s_lift(int32_t z)\n{\n"
                    "    return (uint32_t)z ^ 0x80000000U;\n}\n\n",
                    plan->name);
    }
}

/* Are products of 32 bits calls, even by constants, whose time may depend on what they multiply? */
static bool calls(const struct plan *plan)
{
    return plan->machine->word == 16;
}

/* "The lowest n bits where `bit` is one": 2^n - 1 = ones, n < 32. */
#define MASK_MAX 128
static const char *mask_of(const struct plan *plan, const char *bit, unsigned ones,
                           char text[MASK_MAX])
{
    (void)snprintf(text, MASK_MAX, calls(plan) ? "~(%.50s + %uU) & %uU" : "%.50s * %uU", bit, ones,
                   ones);
    return text;
}

/* The same of all bits that a number below 2^31 has; a product gives all 32 as cheaply. */
static const char *whole_mask(const struct plan *plan, const char *bit, char text[MASK_MAX])
{
    return mask_of(plan, bit, calls(plan) ? 0x7FFFFFFFU : 0xFFFFFFFFU, text);
}

/* The same of all 32 bits. */
static const char *word_mask(const struct plan *plan, const char *bit, char text[MASK_MAX])
{
    char mask[MASK_MAX];
    (void)snprintf(text, MASK_MAX, calls(plan) ? "(%.20s << 31) | (%.80s)" : "%.0s%.80s", bit,
                   whole_mask(plan, bit, mask));
    return text;
}

/* held = z + 2^30 within 31 bits, where z may be any int32_t. */
static void print_wide_held(struct text *out, const struct plan *plan)
{
    char inner[MASK_MAX];
    char outer[MASK_MAX];
    text_printf(out,
                "    const uint32_t bits = %s_lift(z);\n"
                "    const uint32_t sign = bits >> 31;\n"
                "    const uint32_t fits = sign ^ ((bits >> 30) & 1U);\n"
                "    const uint32_t inside = %s_hide(%s);\n"
                "    const uint32_t same = (bits & 0x3FFFFFFFU) + (sign << 30);\n"
                "    const uint32_t end = (%s) & (0x7FFFFFFFU - inside);\n"
                "    const uint32_t held = (same & inside) | end;\n",
                plan->name, plan->name, mask_of(plan, "fits", 0x7FFFFFFFU, inner),
                mask_of(plan, "sign", 0x7FFFFFFFU, outer));
}

/* "net_clamp_m128_127" */
#define CLAMP_NAME_MAX 64
static void clamp_name(const struct plan *plan, struct interval kept, char name[CLAMP_NAME_MAX])
{
    (void)snprintf(name, CLAMP_NAME_MAX, "%s_clamp_%s%d_%d", plan->name, kept.low < 0 ? "m" : "",
                   abs((int)kept.low), (int)kept.high);
}

void steady_clamp(const struct plan *plan, const char *z, struct interval kept,
                  char text[ELEMENT_MAX])
{
    char name[CLAMP_NAME_MAX];
    clamp_name(plan, kept, name);
    (void)snprintf(text, ELEMENT_MAX, "%s(%.16s)", name, z);
}

/* up: z - low, or 0; down: high - low - up, or 0, of which the bits that it may need are kept. */
static void print_clamp(struct text *out, const struct plan *plan, struct interval kept,
                        const char *name)
{
    unsigned ones = 1;
    char low[GROUPED_MAX];
    char above[MASK_MAX];
    char below[MASK_MAX];
    while (ones < kept.high - kept.low) {
        ones += ones + 1;
    }
    text_printf(out,
                "/* The nearest value from %d to %d; its time does not depend on z. */\n"
                "static int32_t %s(int32_t z)\n{\n",
                (int)kept.low, (int)kept.high, name);
    if (steady_wide(plan)) {
        print_wide_held(out, plan);
    }
    text_printf(out, "    const uint32_t rise = %s_hide(%s_word(%s", plan->name, plan->name,
                steady_wide(plan) ? "(int32_t)held - 1073741824" : "z");
    if (kept.low != 0) {
        text_printf(out, " + %s", literal(-kept.low, low));
    }
    text_printf(out,
                "));\n"
                "    const uint32_t high = %s_hide(~rise >> 31);\n"
                "    const uint32_t above = %s;\n"
                "    const uint32_t up = rise & above;\n"
                "    const uint32_t rest = %s_word(%d - (int32_t)up);\n"
                "    const uint32_t low = %s_hide(~rest >> 31);\n"
                "    const uint32_t below = %s;\n"
                "    const uint32_t down = rest & below;\n"
                "    return %d - (int32_t)down;\n}\n\n",
                plan->name, mask_of(plan, "high", 0x7FFFFFFFU, above), plan->name,
                (int)(kept.high - kept.low), plan->name, mask_of(plan, "low", ones, below),
                (int)kept.high);
}

bool print_clamp_helpers(struct text *out, const struct plan *plan, const char *code)
{
    bool any = false;
    for (int type = TYPE_I8; type < TYPE_I32; type++) {
        static const enum activation forms[] = {ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_CLIP};
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            struct interval kept = plan_kept(forms[i], (enum type)type);
            char name[CLAMP_NAME_MAX];
            clamp_name(plan, kept, name);
            bool again =
                kept.low == 0 && forms[i] != ACTIVATION_NONE && type_low((enum type)type) == 0;
            const char *call = again ? NULL : strstr(code, name);
            if (call && call[strlen(name)] == '(') {
                print_clamp(out, plan, kept, name);
                any = true;
            }
        }
    }
    return any;
}

void print_steady_floor(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "    const uint32_t part = %s_lift(acc) >> k;\n"
                "    const uint32_t half = part >> 1;\n"
                "    const uint32_t base = 0x40000000U >> k;\n"
                "    const uint32_t last = part & 1U;\n"
                "    return (((int32_t)half - (int32_t)base) * 2) + (int32_t)last;\n",
                plan->name);
}

/* ---- activations ---- */

void print_steady_mask(struct text *out, const struct plan *plan, const char *indent,
                       const char *take, const char *bit)
{
    char mask[MASK_MAX];
    text_printf(out, "%sconst uint32_t %s = %s_hide(%s);\n", indent, take, plan->name,
                whole_mask(plan, bit, mask));
}

void print_steady_size(struct text *out, const struct plan *plan, int ones)
{
    text_printf(out, "    const uint32_t t = %s_word(v);\n", plan->name);
    print_steady_mask(out, plan, "    ", "sign", "(t >> 31)");
    text_printf(out, "    const uint32_t size = (((t ^ sign) & %dU) + (sign & 1U)) & %dU;\n", ones,
                ones);
}

void print_steady_steps(struct text *out, const struct plan *plan, enum activation activation,
                        enum type type)
{
    bool sign = activation == ACTIVATION_ABS || activation == ACTIVATION_LEAKY ||
                activation == ACTIVATION_PSIG;
    if (sign) {
        print_steady_size(out, plan, (int)type_high(type));
    }
    switch (activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP:
    case ACTIVATION_ABS: break;
    case ACTIVATION_CUBIC:
        text_add(out, "    const int32_t square = v * v;\n"
                      "    const uint32_t m = (98304U - ((uint32_t)square >> 15)) >> 1;\n");
        break;
    case ACTIVATION_LEAKY:
        text_add(out, "    const uint32_t up = size & ~sign;\n"
                      "    const uint32_t n = size & sign;\n"
                      "    const uint32_t part = (n + 7U) >> 3;\n");
        break;
    case ACTIVATION_PSIG: text_add(out, "    const uint32_t m = 65536U - size;\n"); break;
    }
}

const char *steady_value(enum activation activation)
{
    switch (activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: return "v";
    case ACTIVATION_ABS: return "(int32_t)size";
    case ACTIVATION_LEAKY: return "(int32_t)up - (int32_t)part";
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return "(int32_t)p - (int32_t)m";
    }
    return "v";
}

/* ---- the largest output ---- */

bool steady_far(const struct plan *plan)
{
    return plan->net->task == TASK_CLASSIFICATION &&
           plan->net->tensors[plan->net->output].type == TYPE_I32;
}

/* The best of the outputs so far in `most`; `take`: all ones where output i is larger. */
static void print_near_step(struct text *out, const struct plan *plan)
{
    text_add(out, "        const uint32_t next = (uint32_t)((int32_t)out[i] + 1073741824);\n"
                  "        const uint32_t less = ((next + 0x7FFFFFFFU) - most) >> 31;\n");
    print_steady_mask(out, plan, "        ", "take", "less");
}

/* Differences may need 33 bits: the signs first, then the other 31 bits. */
static void print_far_step(struct text *out, const struct plan *plan)
{
    char mask[MASK_MAX];
    text_printf(out,
                "        const uint32_t next = %s_lift(out[i]);\n"
                "        const uint32_t low = most & 0x7FFFFFFFU;\n"
                "        const uint32_t high = next & 0x7FFFFFFFU;\n"
                "        const uint32_t more = (high + 0x7FFFFFFFU) - low;\n"
                "        const uint32_t less = (~most & next) | (~(most ^ next) & more);\n"
                "        const uint32_t sign = less >> 31;\n"
                "        const uint32_t take = %s_hide(%s);\n",
                plan->name, plan->name, word_mask(plan, "sign", mask));
}

void print_steady_search(struct text *out, const struct plan *plan)
{
    bool near = !steady_far(plan);
    text_printf(out,
                "    uint32_t best = 0U;\n"
                "    uint32_t most;\n\n"
                "    %s_predict(in, out);\n"
                "    most = ",
                plan->name);
    text_printf(out, near ? "(uint32_t)((int32_t)out[0] + 1073741824);\n" : "%s_lift(out[0]);\n",
                plan->name);
    text_printf(out, "    for (%s i = 1; i < %d; i++) {\n", plan->index,
                plan->net->tensors[plan->net->output].width);
    if (near) {
        print_near_step(out, plan);
    } else {
        print_far_step(out, plan);
    }
    text_add(out, "        most = (most & ~take) | (next & take);\n"
                  "        best = (best & ~take) | ((uint32_t)i & take);\n"
                  "    }\n"
                  "    return (int)best;\n"
                  "}\n");
}
