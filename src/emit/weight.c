/* A weight times an activation on top of a sum, as statements: what loops over weights consist of.
 */
#include "emit/print.h"

#include <stdio.h>
#include <string.h>

const char *byte_type(const struct plan *plan)
{
    return plan->machine->word == 16 ? "uint16_t" : "uint32_t";
}

bool mac_helps(const struct plan *plan, enum type type)
{
    bool bytes = type == TYPE_I8 || type == TYPE_U8;
    bool shorts = type == TYPE_I16 && !plan->machine->no_multiplier;
    return plan->machine->word == 16 && (bytes || shorts);
}

void print_mac(struct text *out, const struct plan *plan, const char *weight, const char *x,
               enum type type)
{
    text_printf(out, "        acc = %s_mac_%s(acc, %s, %s);\n", plan->name, type_name(type), weight,
                x);
}

/* ---- one product ---- */

/* Without a multiplier 16 bits are enough for a product of two bytes. */
static void print_short_product(struct text *out)
{
    text_add(out,
             "#elif defined(__AVR__)\n"
             "    int16_t product = (int16_t)((int16_t)w * (int16_t)x);\n"
             "    __asm__(\"\" : \"+r\"(product)); /* not widened: that would be a longer call */\n"
             "    return acc + product;\n");
}

static void print_mac_helper(struct text *out, enum type type, const char *name)
{
    text_printf(out,
                "/* acc + w x: an AVR would call a function for the product. */\n"
                "static inline int32_t %s(int32_t acc, int8_t w, %s x)\n"
                "{\n"
                "#if defined(__AVR_HAVE_MUL__)\n",
                name, c_type(type));
    avr_print_mac(out, type);
    if (type == TYPE_I8 || type == TYPE_U8) {
        print_short_product(out);
    }
    text_add(out, "#else\n"
                  "    return acc + ((int32_t)w * (int32_t)x);\n"
                  "#endif\n"
                  "}\n\n");
}

/* ---- a row of products ---- */

/* Elements of the largest tensor that a layer reads: no row is longer. */
static int64_t widest(const struct net *net)
{
    int64_t most = 0;
    for (int i = 0; i < net->layer_count; i++) {
        int64_t width = net->tensors[net->layers[i].inputs[0]].width;
        most = width > most ? width : most;
    }
    return most;
}

bool dot_helps(const struct plan *plan, enum type type)
{
    return mac_helps(plan, type) && !plan->machine->no_multiplier && widest(plan->net) <= INT16_MAX;
}

static void print_dot_helper(struct text *out, const struct plan *plan, enum type type,
                             const char *name)
{
    text_printf(out,
                "/* acc + the sum of n products, n > 0; *w then is behind them. */\n"
                "static inline int32_t %s(int32_t acc, const %s *a, const int8_t **w, %s n)\n"
                "{\n"
                "    const int8_t *at = *w;\n"
                "    int32_t sum = acc;\n" AVR_LOOPS,
                name, c_type(type), plan->index);
    avr_print_dot(out, type, widest(plan->net) > UINT8_MAX);
    text_printf(out,
                "#else\n"
                "    for (%s j = 0; j < n; j++) {\n"
                "        sum += (int32_t)%s_I8(at, j) * %sa[j];\n"
                "    }\n"
                "    at = &at[n];\n"
                "#endif\n"
                "    *w = at;\n"
                "    return sum;\n"
                "}\n\n",
                plan->index, plan->upper, type_low(type) == 0 ? "(int32_t)" : "");
}

const char *dot_name(const struct plan *plan, enum type type, char name[HELPER_NAME_MAX])
{
    (void)snprintf(name, HELPER_NAME_MAX, "%s_dot_%s", plan->name, type_name(type));
    return name;
}

/* ---- those that are called ---- */

static bool calls(const char *code, const char *name)
{
    const char *call = strstr(code, name);
    return call && call[strlen(name)] == '(';
}

static void print_product_helpers(struct text *out, const struct plan *plan, const char *code)
{
    for (int t = TYPE_I8; t < TYPE_I32; t++) {
        enum type type = (enum type)t;
        char name[HELPER_NAME_MAX];
        if (calls(code, dot_name(plan, type, name))) {
            print_dot_helper(out, plan, type, name);
        }
        (void)snprintf(name, sizeof name, "%s_mac_%s", plan->name, type_name(type));
        if (calls(code, name)) {
            print_mac_helper(out, type, name);
        }
    }
}

void print_with_products(struct text *out, const struct plan *plan, struct text *code)
{
    if (code->data) {
        print_product_helpers(out, plan, code->data);
        text_bytes(out, code->data, code->length);
    }
    out->failed = out->failed || code->failed;
    text_free(code);
}

/* ---- statements ---- */

/* Along the bits of the weight's size. */
static void print_bits(struct text *out, const char *weight, const char *x)
{
    text_printf(out,
                "        const int8_t weight = %s;\n"
                "        const int16_t size = (int16_t)((weight < 0) ? -weight : weight);\n"
                "        uint8_t bits = (uint8_t)size;\n"
                "        int32_t part = (int32_t)%s;\n"
                "        if (weight < 0) {\n"
                "            part = -part;\n"
                "        }\n"
                "        /*@ loop unroll 8; */\n"
                "        while (bits != 0U) {\n"
                "            if ((bits & 1U) != 0U) {\n"
                "                acc += part;\n"
                "            }\n"
                "            part += part;\n"
                "            bits >>= 1;\n"
                "        }\n",
                weight, x);
}

void print_weighted(struct text *out, const struct plan *plan, const char *weight, const char *x,
                    enum type type, bool wide)
{
    if (plan->machine->no_multiplier && !wide) {
        print_bits(out, weight, x);
    } else if (mac_helps(plan, type) && !wide) {
        print_mac(out, plan, weight, x, type);
    } else {
        text_printf(out, "        acc += (int32_t)%s * %s%s;\n", weight,
                    type_low(type) == 0 ? "(int32_t)" : "", x);
    }
}
