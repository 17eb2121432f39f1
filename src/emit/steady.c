/* Code whose time does not depend on data (options.constant_time): clamps, activations and the
 * largest output by masks instead of branches.  A mask is the sign bit times 2^32 - 1: nothing
 * wraps, and no compiler has a comparison to make a branch of. */
#include "emit/kernel.h"

#include <stdio.h>

/* ---- what may be emitted ---- */

bool steady_kernel(const struct plan *plan, const struct kernel *kernel)
{
    return !kernel->uneven && (kernel->adds || !plan->machine->no_multiplier);
}

bool steady_choice(const struct plan *plan, const struct choice *choice)
{
    bool steady = true;
    for (int i = 0; i < choice->span_count; i++) {
        steady = steady && steady_kernel(plan, choice->spans[i].kernel);
    }
    return steady;
}

/* Does the layer multiply two variables, beside its kernels? */
static bool multiplies(const struct plan *plan, int index)
{
    enum activation activation = plan->net->layers[index].activation;
    const struct step *step = &plan->steps[index];
    bool table = plan->net->layers[index].op == OP_CONVERT && step->form == FORM_LOOP &&
                 !step->shift.uniform;
    return table || activation == ACTIVATION_CUBIC || activation == ACTIVATION_PSIG;
}

bool steady_check(const struct plan *plan, struct error *err)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct step *step = &plan->steps[i];
        bool dense = plan->net->layers[i].op == OP_DENSE;
        if (step->form == FORM_DEAD) {
            continue;
        }
        bool kernels = !dense || steady_choice(plan, plan_choice(plan, i));
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

/* May a value that is clamped lie near the ends of int32_t? */
static bool wide(const struct plan *plan)
{
    bool found = !plan->based;
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        for (int j = 0; layer->op == OP_ADD && j < plan->net->tensors[layer->output].width; j++) {
            struct interval sum = {0, 0};
            for (int k = 0; k < layer->input_count; k++) {
                sum.low += plan->ranges[layer->inputs[k]][j].low;
                sum.high += plan->ranges[layer->inputs[k]][j].high;
            }
            found = found || sum.low < -BASE || sum.high > BASE;
        }
        for (int j = 0; layer->op == OP_CONVERT && j < plan->net->tensors[layer->output].width;
             j++) {
            struct interval in = plan->ranges[layer->inputs[0]][j];
            int64_t most = BASE >> layer->shift[j];
            found = found || in.low - layer->zero[j] < -most || in.high - layer->zero[j] > most;
        }
    }
    return found;
}

void print_hide_macro(struct text *out, const struct plan *plan)
{
    text_printf(
        out,
        "/* Compilers make branches of a mask that they know to be all ones or nothing. */\n"
        "#if defined(__GNUC__) && (__INT_MAX__ > 32767)\n"
        "#define %s_HIDE(mask) __asm__(\"\" : \"+r\"(mask))\n"
        "#else\n"
        "#define %s_HIDE(mask) ((void)(mask))\n"
        "#endif\n\n",
        plan->upper, plan->upper);
}

/* rise = z - low, where z may be any int32_t: z is held within 31 bits first. */
static void print_wide_rise(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "    const uint32_t bits = (uint32_t)z;\n"
                "    uint32_t beyond = ((bits >> 31) ^ ((bits >> 30) & 1U)) * 0xFFFFFFFFU;\n"
                "    %s_HIDE(beyond);\n"
                "    const uint32_t end = (~bits >> 31) * 0x7FFFFFFFU;\n"
                "    const uint32_t same = (bits ^ 0x40000000U) & 0x7FFFFFFFU;\n"
                "    const uint32_t held = (same & ~beyond) | (end & beyond);\n"
                "    const int32_t rise = ((int32_t)held - 1073741824) - low;\n",
                plan->upper);
}

void print_clamp_helper(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "/* The nearest value from low to high; its time does not depend on z. */\n"
                "static int32_t %s_clamp(int32_t z, int32_t low, int32_t high)\n{\n",
                plan->name);
    if (wide(plan)) {
        print_wide_rise(out, plan);
    } else {
        text_add(out, "    const int32_t rise = z - low;\n");
    }
    text_printf(out,
                "    uint32_t above = (~(uint32_t)rise >> 31) * 0xFFFFFFFFU;\n"
                "    %s_HIDE(above);\n"
                "    const uint32_t up = (uint32_t)rise & above;\n"
                "    const int32_t rest = (high - low) - (int32_t)up;\n"
                "    uint32_t below = (~(uint32_t)rest >> 31) * 0xFFFFFFFFU;\n"
                "    %s_HIDE(below);\n"
                "    const uint32_t down = (uint32_t)rest & below;\n"
                "    return high - (int32_t)down;\n}\n\n",
                plan->upper, plan->upper);
}

void print_steady_floor(struct text *out, const struct plan *plan, const char *name)
{
    text_printf(out,
                "/* floor(acc / 2^k). */\n"
                "static int32_t %s(int32_t acc, uint8_t k)\n"
                "{\n"
                "    uint32_t sign = ((uint32_t)acc >> 31) * 0xFFFFFFFFU;\n"
                "    %s_HIDE(sign);\n"
                "    const uint32_t part = ((uint32_t)acc ^ sign) >> k;\n"
                "    const uint32_t above = part & ~sign;\n"
                "    const uint32_t below = part & sign;\n"
                "    const uint32_t one = sign & 1U;\n"
                "    return ((int32_t)above - (int32_t)below) - (int32_t)one;\n"
                "}\n\n",
                name, plan->upper);
}

/* ---- activations ---- */

void print_steady_steps(struct text *out, const struct plan *plan, enum activation activation)
{
    bool sign = activation == ACTIVATION_ABS || activation == ACTIVATION_LEAKY ||
                activation == ACTIVATION_PSIG;
    if (sign) {
        text_printf(out,
                    "    uint32_t sign = ((uint32_t)v >> 31) * 0xFFFFFFFFU;\n"
                    "    %s_HIDE(sign);\n"
                    "    const uint32_t size = ((uint32_t)v ^ sign) + (sign & 1U);\n",
                    plan->upper);
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
        text_add(out, "    const uint32_t n = size & sign;\n"
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
    case ACTIVATION_LEAKY: return "(v + (int32_t)n) - (int32_t)part";
    case ACTIVATION_CUBIC:
    case ACTIVATION_PSIG: return "(int32_t)p - (int32_t)m";
    }
    return "v";
}

/* ---- the largest output ---- */

/* Is every output so near to zero that differences of two fit int32_t? */
static bool near_outputs(const struct plan *plan)
{
    const struct net *net = plan->net;
    bool near = true;
    for (int i = 0; i < net->tensors[net->output].width; i++) {
        struct interval range = plan->ranges[net->output][i];
        near = near && range.low >= -BASE && range.high < BASE;
    }
    return near;
}

/* The best of the outputs so far in `most`; `take`: all ones where output i is larger. */
static void print_near_step(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "        const int32_t loss = most - (int32_t)out[i];\n"
                "        uint32_t take = ((uint32_t)loss >> 31) * 0xFFFFFFFFU;\n"
                "        %s_HIDE(take);\n"
                "        const uint32_t more = (uint32_t)(-loss) & take;\n"
                "        most += (int32_t)more;\n",
                plan->upper);
}

/* Differences may need 33 bits: the signs first, then the other 31 bits. */
static void print_far_step(struct text *out, const struct plan *plan)
{
    text_printf(out,
                "        const uint32_t next = (uint32_t)out[i] ^ 0x80000000U;\n"
                "        const uint32_t low = most & 0x7FFFFFFFU;\n"
                "        const uint32_t high = next & 0x7FFFFFFFU;\n"
                "        const int32_t loss = (int32_t)low - (int32_t)high;\n"
                "        const uint32_t less = (~most & next) | (~(most ^ next) & "
                "(uint32_t)loss);\n"
                "        uint32_t take = (less >> 31) * 0xFFFFFFFFU;\n"
                "        %s_HIDE(take);\n"
                "        most = (most & ~take) | (next & take);\n",
                plan->upper);
}

void print_steady_search(struct text *out, const struct plan *plan)
{
    bool near = near_outputs(plan);
    text_printf(out,
                "    uint32_t best = 0U;\n"
                "    %s most;\n\n"
                "    %s_predict(in, out);\n"
                "    most = %s;\n"
                "    for (%s i = 1; i < %d; i++) {\n",
                near ? "int32_t" : "uint32_t", plan->name,
                near ? "out[0]" : "(uint32_t)out[0] ^ 0x80000000U", plan->index,
                plan->net->tensors[plan->net->output].width);
    if (near) {
        print_near_step(out, plan);
    } else {
        print_far_step(out, plan);
    }
    text_add(out, "        best = (best & ~take) | ((uint32_t)i & take);\n"
                  "    }\n"
                  "    return (int)best;\n"
                  "}\n");
}
