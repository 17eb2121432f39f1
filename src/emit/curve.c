/* Curved activations for machines without a multiplier: the product of two variables by shifts,
 * over the bits of the magnitude, 15 at most, where the compiler's own function may take all 32
 * bits of a negative factor.  For size, the compiler's is shorter; in constant time all 15 bits
 * have their turn, and masks say whether they count. */
#include "emit/print.h"

bool curve_helps(const struct plan *plan, enum activation activation)
{
    return plan->machine->no_multiplier &&
           (plan->options->optimise != OPTIMISE_SIZE || plan->options->constant_time) &&
           (activation == ACTIVATION_CUBIC || activation == ACTIVATION_PSIG);
}

void curve_need(struct helpers *helpers)
{
    helpers_need(helpers, (struct helper){HELPER_TIMES, ACTIVATION_NONE, TYPE_I32, TYPE_I32, 0});
}

/* The same with a turn for each bit of an a below 2^15. */
static void print_steady_times(struct text *out, const struct plan *plan, const char *name)
{
    text_printf(out,
                "/* a * b below 2^32, a below 2^15; b's doubles are modulo 2^32. */\n"
                "static uint32_t %s(uint32_t a, uint32_t b)\n"
                "{\n"
                "    uint32_t product = 0U;\n"
                "    uint32_t left = a;\n"
                "    uint32_t part = b;\n"
                "    for (%s i = 0; i < 15; i++) {\n"
                "        const uint32_t bit = left & 1U;\n",
                name, plan->index);
    print_steady_mask(out, plan, "        ", "take", "bit");
    text_add(out, "        product += part & take;\n"
                  "        part += part;\n"
                  "        left >>= 1;\n"
                  "    }\n"
                  "    return product;\n"
                  "}\n\n");
}

void print_times_helper(struct text *out, const struct plan *plan, const char *name)
{
    if (plan->options->constant_time) {
        print_steady_times(out, plan, name);
        return;
    }
    text_printf(out,
                "/* a * b below 2^32, bit by bit of a; b's doubles are modulo 2^32. */\n"
                "static uint32_t %s(uint32_t a, uint32_t b)\n"
                "{\n"
                "    uint32_t product = 0U;\n"
                "    uint32_t left = a;\n"
                "    uint32_t part = b;\n"
                "    while (left != 0U) {\n"
                "        if ((left & 1U) != 0U) {\n"
                "            product += part;\n"
                "        }\n"
                "        part += part;\n"
                "        left >>= 1;\n"
                "    }\n"
                "    return product;\n"
                "}\n\n",
                name);
}

/* Both curves are u times something of u = |v|, with the sign of v, floored (SPEC 5). */
void print_curve_steps(struct text *out, const struct plan *plan, enum activation activation,
                       enum type type)
{
    bool steady = plan->options->constant_time;
    if (steady) {
        print_steady_size(out, plan, (int)type_high(type));
    } else {
        text_add(out, "    const int32_t size = (v < 0) ? -v : v;\n");
    }
    text_printf(out, "    const uint32_t u = %ssize;\n", steady ? "" : "(uint32_t)");
    if (activation == ACTIVATION_CUBIC) {
        text_printf(out,
                    "    const uint32_t square = %s_times(u, u);\n"
                    "    const uint32_t y = %s_times(u, (98304U - (square >> 15)) >> 1);\n",
                    plan->name, plan->name);
    } else {
        text_printf(out, "    const uint32_t y = %s_times(u, 65536U - u);\n", plan->name);
    }
    text_add(out, steady ? "    const uint32_t floored = (y + (sign & 32767U)) >> 15;\n"
                           "    const uint32_t below = floored & sign;\n"
                         : "    const uint32_t up = (y + 32767U) >> 15;\n"
                           "    const uint32_t down = y >> 15;\n");
}

const char *curve_value(const struct plan *plan)
{
    return plan->options->constant_time ? "(int32_t)floored - (int32_t)(below << 1)"
                                        : "(v < 0) ? -(int32_t)up : (int32_t)down";
}
