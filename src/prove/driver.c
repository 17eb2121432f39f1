#include "prove/driver.h"

#include <stdint.h>
#include <string.h>

/* What those take whose clamps do not take every int32_t. */
#define NEAR 1073741824L

/* Contracts of the smooth activations: from z alone, any value of their type. */
static void print_contracts(const struct shape *shape, struct text *out)
{
    for (int i = 0; i < shape->curve_count; i++) {
        text_add(out, "/*@ ");
        if (shape->near) {
            text_printf(out, "requires -%ld <= z < %ld; ", NEAR, NEAR);
        }
        text_printf(out, "assigns \\result \\from z;%s */\nstatic %s %s(int32_t z);\n",
                    shape->curves[i].result[3] == '3' ? " ensures -32768 <= \\result <= 32767;"
                                                      : "",
                    shape->curves[i].result, shape->curves[i].name);
    }
}

/* NAME_word() and NAME_lift() as what C says of their conversions. */
static void print_words(const struct shape *shape, struct text *out)
{
    if (shape->words) {
        text_printf(out,
                    "/*@ assigns \\result \\from z;\n"
                    "  @ behavior same: assumes z >= 0; ensures \\result == z;\n"
                    "  @ behavior more: assumes z < 0; ensures \\result == z + 4294967296;\n"
                    "  @ complete behaviors; disjoint behaviors; */\n"
                    "static uint32_t %s_word(int32_t z);\n",
                    shape->prefix);
    }
    if (shape->lifts) {
        text_printf(out,
                    "/*@ assigns \\result \\from z; ensures \\result == z + 2147483648; */\n"
                    "static uint32_t %s_lift(int32_t z);\n",
                    shape->prefix);
    }
}

/* A function of the page. */
static void print_function(const struct curve *curve, const char *file, struct text *out)
{
    text_printf(out, "#line %d \"%s\"\n", curve->line, file);
    text_bytes(out, curve->text, curve->length);
}

/* The page's NAME_hide(), and the clamps that curves call. */
static void print_clamps(const struct shape *shape, const char *file, struct text *out)
{
    if (shape->clamp_count > 0) {
        text_printf(out, "static uint32_t %s_hide(uint32_t mask)\n{\n    return mask;\n}\n",
                    shape->prefix);
    }
    for (int i = 0; i < shape->clamp_count; i++) {
        print_function(&shape->clamps[i], file, out);
    }
}

/* Is the output a class, which NAME_classify() makes an int, of maybe 16 bits? */
static bool is_class(const struct shape *shape)
{
    return shape->classify && shape->out_width == 1 && strcmp(shape->out_type, "int32_t") == 0;
}

/* NAME_taken(): see driver.h.  Files keep nothing between calls (scan.c), so that there is nothing
 * else that it could read or write. */
static void print_taken(const struct shape *shape, struct text *out)
{
    int in = shape->in_width - 1;
    int to = shape->out_width - 1;
    if (!shape->behind) {
        return;
    }
    text_printf(out,
                "/*@ requires \\valid_read(in + (0 .. %d)) && \\initialized(in + (0 .. %d));\n"
                "  @ requires \\valid(out + (0 .. %d)) && \\separated(in + (0 .. %d), out + (0 .. "
                "%d));\n"
                "  @ assigns out[0 .. %d] \\from in[0 .. %d];\n"
                "  @ ensures \\initialized(out + (0 .. %d));%s */\n"
                "static void %s_taken(const %s in[%d], %s out[%d]);\n",
                in, in, to, in, to, to, in, to,
                is_class(shape) ? " ensures 0 <= out[0] <= 32767;" : "", shape->prefix,
                shape->in_type, shape->in_width, shape->out_type, shape->out_width);
}

/* A call of NAME_predict(), and that it does what is believed of NAME_taken(). */
static void print_predict(const struct shape *shape, struct text *out)
{
    text_printf(out,
                "    %s out[%d];\n"
                "    %s_predict(mote_in, out);\n"
                "    /*@ assert written: \\initialized(out + (0 .. %d)); */\n",
                shape->out_type, shape->out_width, shape->prefix, shape->out_width - 1);
    if (is_class(shape)) {
        text_add(out, "    /*@ assert class: 0 <= out[0] <= 32767; */\n");
    }
}

/* Calls of all functions. */
static void print_main(const struct shape *shape, struct text *out)
{
    text_printf(out,
                "/* Without a definition: any values. */\n"
                "extern const %s mote_in[%d];\n"
                "extern const int32_t mote_any;\n\n"
                "void main(void)\n{\n",
                shape->in_type, shape->in_width);
    print_predict(shape, out);
    if (shape->classify) {
        text_printf(out, "    (void)%s_classify(mote_in);\n", shape->prefix);
    }
    if (shape->selftest) {
        text_printf(out, "    (void)%s_selftest();\n", shape->prefix);
    }
    if (shape->times) {
        text_printf(out, "    (void)%s_times((uint32_t)mote_any, (uint32_t)mote_any);\n",
                    shape->prefix);
    }
    text_add(out, "    " DRIVER_END "(1);\n}\n");
}

void driver_predict(const struct shape *shape, const char *file, struct text *out)
{
    /* volatile keeps compilers from calling memcpy: to the prover it would mean any value. */
    text_add(out, "#include <stdint.h>\n#define volatile\n");
    print_contracts(shape, out);
    print_words(shape, out);
    print_taken(shape, out);
    text_printf(out, "#include \"%s\"\n", file);
    if (shape->behind) {
        text_printf(out, "#undef %s_predict\n", shape->prefix);
    }
    text_add(out, "\n");
    print_main(shape, out);
}

/* z from `low` to `high`. */
static void print_call(const struct shape *shape, long low, long high, struct text *out)
{
    text_printf(out, "    z = Frama_C_long_interval(%ldL, %ldL);\n", low, high);
    for (int i = 0; i < shape->curve_count; i++) {
        const struct curve *curve = &shape->curves[i];
        text_printf(out, "    { int32_t y = %s(z); /*@ assert -32768 <= y <= 32767; */ }\n",
                    curve->name);
    }
}

/* The curves reach 1 with slope 0 at z = 1.  A distance d away from it they are d^2 below, so that
 * spans of about d^2 / 2 (in Q15: d^2 / 65536) keep the interval's error below that.  None has both
 * signs: 0 is with the positive ones. */
static void print_spans(const struct shape *shape, struct text *out)
{
    for (long d = 0; d < 32768;) {
        long width = 1 + d * d / 65536;
        long last = d + width - 1 < 32767 ? d + width - 1 : 32767;
        print_call(shape, 32767 - last, 32767 - d, out);
        print_call(shape, d - 32767, (last < 32767 ? last : 32766) - 32767, out);
        d = last + 1;
    }
}

void driver_curves(const struct shape *shape, const char *file, struct text *out)
{
    text_add(out, "#include \"__fc_builtin.h\"\n#include <stdint.h>\n");
    if (shape->times) {
        text_printf(out,
                    "/*@ requires a * b < 4294967296; assigns \\result \\from a, b;\n"
                    "  @ ensures \\result == a * b; */\n"
                    "static uint32_t %s_times(uint32_t a, uint32_t b);\n",
                    shape->prefix);
    }
    print_words(shape, out);
    print_clamps(shape, file, out);
    for (int i = 0; i < shape->curve_count; i++) {
        print_function(&shape->curves[i], file, out);
    }
    text_add(out, "#line 1 \"curves.c\"\nvoid main(void)\n{\n    int32_t z;\n");
    print_call(shape, 32768, NEAR - 1, out);
    print_call(shape, -NEAR, -32768, out);
    if (!shape->near) {
        print_call(shape, NEAR, INT32_MAX, out);
        print_call(shape, -2147483647, -NEAR - 1, out);
        text_add(out, "    z = -2147483647 - 1;\n");
        for (int i = 0; i < shape->curve_count; i++) {
            text_printf(out, "    (void)%s(z);\n", shape->curves[i].name);
        }
    }
    print_spans(shape, out);
    text_add(out, "    " DRIVER_END "(1);\n}\n");
}
