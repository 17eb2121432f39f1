/* Curved activations for machines without a multiplier: the product of two variables by shifts,
 * over the bits of the magnitude, 15 at most, where the compiler's own function may take all 32
 * bits of a negative factor.  For size, the loops call that function anyway. */
#include "emit/print.h"

bool curve_helps(const struct plan *plan, enum activation activation)
{
    return plan->machine->no_multiplier && plan->options->optimise != OPTIMISE_SIZE &&
           !plan->options->constant_time &&
           (activation == ACTIVATION_CUBIC || activation == ACTIVATION_PSIG);
}

void curve_need(struct helpers *helpers, enum activation activation)
{
    helpers_need(helpers, (struct helper){HELPER_TIMES, ACTIVATION_NONE, TYPE_I32, TYPE_I32, 0});
    helpers_need(helpers, (struct helper){HELPER_CURVE, activation, TYPE_I32, TYPE_I32, 0});
}

void print_times_helper(struct text *out, const char *name)
{
    text_printf(out,
                "/* a * b below 2^32, bit by bit of a. */\n"
                "static uint32_t %s(uint32_t a, uint32_t b)\n"
                "{\n"
                "    uint32_t product = 0U;\n"
                "    while (a != 0U) {\n"
                "        if ((a & 1U) != 0U) {\n"
                "            product += b;\n"
                "        }\n"
                "        b += b;\n"
                "        a >>= 1;\n"
                "    }\n"
                "    return product;\n"
                "}\n\n",
                name);
}

/* Both curves are u times something of u = |v|, with the sign of v, floored (SPEC 5). */
void print_curve_helper(struct text *out, const struct plan *plan, struct helper helper,
                        const char *name)
{
    bool cubic = helper.activation == ACTIVATION_CUBIC;
    text_printf(out,
                "/* The curve of v, within -32767..32767. */\n"
                "static int32_t %s(int32_t v)\n"
                "{\n"
                "    uint32_t u = v < 0 ? 0U - (uint32_t)v : (uint32_t)v;\n",
                name);
    if (cubic) {
        text_printf(out, "    uint32_t y = %s_times(u, (98304U - (%s_times(u, u) >> 15)) >> 1);\n",
                    plan->name, plan->name);
    } else {
        text_printf(out, "    uint32_t y = %s_times(u, 65536U - u);\n", plan->name);
    }
    text_add(out, "    return v < 0 ? -(int32_t)((y + 32767U) >> 15) : (int32_t)(y >> 15);\n"
                  "}\n\n");
}
