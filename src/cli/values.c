#include "cli/cli.h"
#include "emit/machine.h"
#include "train/train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool parse_whole(const char *text, int64_t low, int64_t high, int64_t *value)
{
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || digits[length] || length > 18) {
        return false;
    }
    int64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        number = number * 10 + (digits[i] - '0');
    }
    *value = negative ? -number : number;
    return *value >= low && *value <= high;
}

/* A plain positive decimal number ("1.5") at the beginning; its length, 0 if there is none. */
static size_t parse_real(const char *text, double *value)
{
    size_t whole = strspn(text, "0123456789");
    size_t length = whole;
    if (text[length] == '.') {
        length += 1 + strspn(text + length + 1, "0123456789");
    }
    if (length == (text[whole] == '.') || length > 30) {
        return 0;
    }
    *value = strtod(text, NULL);
    return length;
}

bool parse_seconds(const char *text, void *seconds)
{
    double value;
    size_t length = parse_real(text, &value);
    const char *unit = text + length;
    double factor = strcmp(unit, "") == 0 || strcmp(unit, "s") == 0 ? 1
                    : strcmp(unit, "m") == 0                        ? 60
                    : strcmp(unit, "h") == 0                        ? 3600
                                                                    : 0;
    *(double *)seconds = length ? value * factor : 0;
    return *(double *)seconds > 0 && *(double *)seconds <= 1e7;
}

bool parse_bytes(const char *text, void *bytes)
{
    size_t digits = strspn(text, "0123456789");
    char number[24] = "";
    if (digits == 0 || digits > 12 || (text[digits] && strcmp(text + digits, "k") != 0)) {
        return false;
    }
    memcpy(number, text, digits);
    int64_t value = strtoll(number, NULL, 10) * (text[digits] ? 1024 : 1);
    *(int64_t *)bytes = value;
    return value > 0;
}

/* Digits are kept as they are written: 0.0005 is 5 * 10^-4. */
bool parse_decimal(const char *text, void *decimal)
{
    struct decimal result = {0, 0};
    const char *at = text;
    bool fraction = false;
    int digits = 0;
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !fraction); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        if (++digits > 15) {
            return false;
        }
        result.digits = result.digits * 10 + (*at - '0');
        result.exponent -= fraction;
    }
    if (*at == 'e' && digits > 0) {
        int64_t exponent;
        if (!parse_whole(at + 1, -DECIMAL_EXPONENT_MAX, DECIMAL_EXPONENT_MAX, &exponent)) {
            return false;
        }
        result.exponent += (int)exponent;
    } else if (*at) {
        return false;
    }
    *(struct decimal *)decimal = result;
    return result.digits > 0 && decimal_valid(result.digits, result.exponent);
}

bool parse_weights(const char *text, void *bits)
{
    int64_t value = 2;
    bool good = strcmp(text, "ternary") == 0 || parse_whole(text, 2, 9, &value);
    *(int *)bits = (int)value;
    return good;
}

bool parse_activation(const char *text, void *activation)
{
    enum activation *value = activation;
    return activation_parse(text, value) && *value != ACTIVATION_NONE;
}

bool parse_method(const char *text, void *method)
{
    return method_parse(text, method);
}

bool parse_loss(const char *text, void *loss)
{
    return loss_parse(text, loss);
}

bool parse_in_type(const char *text, void *name)
{
    const char **type = name;
    *type = in_type_parse(text);
    return *type != NULL;
}

bool parse_hidden_type(const char *text, void *name)
{
    const char **type = name;
    *type = hidden_type_parse(text);
    return *type != NULL;
}

bool parse_train_kernel(const char *text, void *packed)
{
    return train_kernel_parse(text, packed);
}

bool parse_out_type(const char *text, void *name)
{
    const char **type = name;
    *type = out_type_parse(text);
    return *type != NULL;
}

bool parse_optimise(const char *text, void *optimise)
{
    for (int i = 0; i < EMIT_GOALS; i++) {
        if (strcmp(text, emit_goal_name((enum optimise)i)) == 0) {
            *(enum optimise *)optimise = (enum optimise)i;
            return true;
        }
    }
    return false;
}

bool parse_layers(const char *text, void *layers)
{
    struct layer_goals *list = layers;
    *list = (struct layer_goals){0};
    for (bool more = true; more && list->count < NET_LAYERS_MAX;) {
        char word[16] = "";
        size_t length = strcspn(text, ",");
        if (length >= sizeof word) {
            return false;
        }
        memcpy(word, text, length);
        if (!parse_optimise(word, &list->of[list->count++])) {
            return false;
        }
        more = text[length] == ',';
        text += length + more;
    }
    return *text == '\0';
}

const char *layers_note(const enum optimise *layers, int count, struct arena *arena)
{
    struct text text = {0};
    text_add(&text, "the budget chose: --layers ");
    for (int i = 0; i < count; i++) {
        text_printf(&text, "%s%s", i > 0 ? "," : "", emit_goal_name(layers[i]));
    }
    const char *copy = text.failed ? NULL : arena_string(arena, text.data);
    text_free(&text);
    return copy;
}

bool choice_check(const struct layer_goals *layers, const char *kernel, const struct net *net,
                  struct error *err)
{
    int count = net_row_layers(net);
    if (kernel && net_has_maps(net)) {
        return fail(err, "--kernel is for networks on vectors; --layers chooses for images");
    }
    if (layers->count > 0 && !net_has_maps(net)) {
        return fail(err, "--layers is for networks on images");
    }
    return layers->count == 0 || layers->count == count ||
           fail(err, "--layers has %d goal%s for %d layers with weights", layers->count,
                layers->count == 1 ? "" : "s", count);
}

const char kernel_choice[] = "one of"
#define KERNEL(NAME, name) " " name
#include "emit/kernels.def"
#undef KERNEL
    ;

bool parse_kernel(const char *text, void *name)
{
    enum kernel_kind kind;
    bool known = kernel_parse(text, &kind);
    *(const char **)name = known ? kernel_name(kind) : NULL;
    return known;
}
