#include "emit/print.h"

#include <stdio.h>
#include <string.h>

/* Smallest type for numbers from `low` to `high`. */
static enum type smallest_type(int32_t low, int32_t high)
{
    static const enum type types[] = {TYPE_U8, TYPE_I8, TYPE_I16, TYPE_U16};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (low >= type_low(types[i]) && high <= type_high(types[i])) {
            return types[i];
        }
    }
    return TYPE_I32;
}

struct series series_of(char letter, int number, struct numbers numbers, int count)
{
    struct series series = {.numbers = numbers, .count = count, .value = number_at(numbers, 0)};
    int32_t low = series.value;
    int32_t high = series.value;
    for (int i = 1; i < count; i++) {
        int32_t value = number_at(numbers, (size_t)i);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    series.uniform = low == high;
    series.type = smallest_type(low, high);
    (void)snprintf(series.name, sizeof series.name, "%c%d", letter, number);
    return series;
}

void print_numbers(struct text *out, struct numbers numbers, size_t first, int count, int indent)
{
    char number[GROUPED_MAX];
    size_t column = (size_t)indent;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(literal(number_at(numbers, first + (size_t)i), number));
        if (i > 0 && column + length + 4 > 100) {
            text_printf(out, ",\n%*s", indent, "");
            column = (size_t)indent;
        } else if (i > 0) {
            text_add(out, ", ");
            column += 2;
        }
        text_add(out, number);
        column += length;
    }
}

void print_series(struct text *out, const struct plan *plan, const struct series *series)
{
    if (series->uniform) {
        return;
    }
    text_printf(out, "    static const %s %s[%d] %s_FLASH = {\n        ", c_type(series->type),
                series->name, series->count, plan->upper);
    print_numbers(out, series->numbers, 0, series->count, 8);
    text_add(out, "\n    };\n");
}

/* A literal, or an element through the macro of its type. */
const char *series_at(const struct plan *plan, const struct series *series, const char *index,
                      char text[ELEMENT_MAX])
{
    static const char *const macros[] = {"I8", "U8", "I16", "U16", "I32", "U8"};
    if (series->uniform) {
        return literal(series->value, text);
    }
    (void)snprintf(text, ELEMENT_MAX, "%s_%s(%s, %s)", plan->upper, macros[series->type],
                   series->name, index);
    return text;
}
