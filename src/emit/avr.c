/* What an AVR does in a few instructions and its compiler by calls: products of a byte, sums of
 * them, shifts of 32 bits.  The C that stands beside each of them is what a prover reads, and what
 * other compilers do; the counting program compares both. */
#include "emit/print.h"

#include <stdarg.h>
#include <stdio.h>

/* Operands of the assembly, by their numbers. */
struct operands {
    int sum, weight, x;
    bool loads; /* is x a register that each byte of the activation is loaded into, from X on? */
};

/* "add %%A0, r0" behind each other, a string a line. */
static void print_instruction(struct text *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print_instruction(struct text *out, const char *format, ...)
{
    char line[40];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(line, sizeof line, format, list);
    va_end(list);
    text_printf(out, "        \"%s\\n\\t\"\n", line);
}

/* sum += weight times a byte of x, where that belongs: the lowest, or the next one.  Both products
 * leave their highest bit in the carry (AVR Instruction Set Manual, MULS and MULSU), which takes
 * the byte's place. */
static void print_byte_product(struct text *out, const struct operands *o, int byte, bool is_signed,
                               bool is_whole)
{
    char x[8];
    if (is_whole || o->loads) {
        (void)snprintf(x, sizeof x, "%%%d", o->x);
    } else {
        (void)snprintf(x, sizeof x, "%%%c%d", 'A' + byte, o->x);
    }
    if (o->loads) {
        print_instruction(out, "ld %s, X+", x);
    }
    print_instruction(out, "%s %%%d, %s", is_signed ? "muls" : "mulsu", o->weight, x);
    print_instruction(out, "sbc %s, %s", x, x);
    print_instruction(out, "add %%%c%d, r0", 'A' + byte, o->sum);
    print_instruction(out, "adc %%%c%d, r1", 'B' + byte, o->sum);
    print_instruction(out, "adc %%%c%d, %s", 'C' + byte, o->sum, x);
    if (byte == 0) {
        print_instruction(out, "adc %%D%d, %s", o->sum, x);
    }
}

static void print_product(struct text *out, const struct operands *o, enum type type)
{
    bool whole = type == TYPE_I8 || type == TYPE_U8;
    print_byte_product(out, o, 0, type == TYPE_I8, whole);
    if (!whole) {
        print_byte_product(out, o, 1, true, whole);
    }
}

void avr_print_mac(struct text *out, enum type type)
{
    const struct operands operands = {.sum = 0, .weight = 2, .x = 1};
    text_printf(out,
                "    const int8_t weight = w;\n"
                "    %s value = x;\n"
                "    int32_t sum = acc;\n"
                "    __asm__(\n",
                c_type(type));
    print_product(out, &operands, type);
    text_add(out, "        \"clr r1\"\n"
                  "        : \"+r\"(sum), \"+a\"(value)\n"
                  "        : \"a\"(weight));\n"
                  "    return sum;\n");
}

/* Variables of a loop over weights in flash and activations, and its beginning.  No operand but the
 * pointers may get their registers, which gcc 5 would not free again. */
static void print_loop_head(struct text *out, enum type type, bool is_long)
{
    text_printf(out,
                "    const %s *from = a;\n"
                "    %s left = %sn;\n"
                "    uint8_t weight;\n"
                "    uint8_t x;\n"
                "    __asm__ volatile(\n"
                "        \"1:\\n\\t\"\n",
                c_type(type), is_long ? "int" : "uint8_t", is_long ? "" : "(uint8_t)");
    print_instruction(out, "lpm %%3, Z+");
}

static void print_loop_end(struct text *out, const char *sum, bool is_long)
{
    if (is_long) {
        print_instruction(out, "sbiw %%5, 1");
    } else {
        print_instruction(out, "dec %%5");
    }
    print_instruction(out, "brne 1b");
    text_printf(out,
                "        \"clr r1\"\n"
                "        : \"+a\"(%s), \"+z\"(at), \"+x\"(from), \"=&a\"(weight), \"=&a\"(x), "
                "\"+%s\"(left)\n"
                "        :\n"
                "        : \"memory\");\n",
                sum, is_long ? "w" : "a");
}

void avr_print_dot(struct text *out, enum type type, bool is_long)
{
    const struct operands operands = {.sum = 0, .weight = 3, .x = 4, .loads = true};
    print_loop_head(out, type, is_long);
    print_product(out, &operands, type);
    print_loop_end(out, "sum", is_long);
}

void avr_print_short_dot(struct text *out, enum type type)
{
    text_add(out, "    const int8_t *at = w;\n");
    print_loop_head(out, type, false);
    print_instruction(out, "ld %%4, X+");
    print_instruction(out, "%s %%3, %%4", type == TYPE_I8 ? "muls" : "mulsu");
    print_instruction(out, "add %%A0, r0");
    print_instruction(out, "adc %%B0, r1");
    print_loop_end(out, "acc", false);
}

void avr_print_floor(struct text *out)
{
    static const char *const lines[] = {"cpi %1, 8",    "brlo 3f",      "1:",      "mov %A0, %B0",
                                        "mov %B0, %C0", "mov %C0, %D0", "lsl %D0", "sbc %D0, %D0",
                                        "subi %1, 8",   "cpi %1, 8",    "brsh 1b", "rjmp 3f",
                                        "2:",           "asr %D0",      "ror %C0", "ror %B0",
                                        "ror %A0",      "3:",           "dec %1"};
    text_add(out, "    int32_t sum = acc;\n"
                  "    uint8_t left = k;\n"
                  "    __asm__(\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        print_instruction(out, "%s", lines[i]);
    }
    text_add(out, "        \"brpl 2b\"\n"
                  "        : \"+r\"(sum), \"+d\"(left));\n"
                  "    return sum;\n");
}
