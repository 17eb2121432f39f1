#include "net/net.h"

#include <string.h>

static const char *const type_names[] = {"i8", "u8", "i16", "u16", "i32", "u4"};
static const char *const op_names[] = {
#define OP(NAME, text, least, most) text,
#include "net/ops.def"
#undef OP
};
static const char *const activation_names[] = {
#define ACTIVATION(NAME, text) text,
#include "net/activations.def"
#undef ACTIVATION
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* Index of `text` in a table of names; -1 if it is not there. */
static int find(const char *const *names, int count, const char *text)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

const char *type_name(enum type type)
{
    return type_names[type];
}

bool type_parse(const char *text, enum type *type)
{
    int index = find(type_names, COUNT(type_names), text);
    *type = index < 0 ? TYPE_I8 : (enum type)index;
    return index >= 0;
}

int32_t type_low(enum type type)
{
    static const int32_t low[] = {INT8_MIN, 0, INT16_MIN, 0, INT32_MIN, 0};
    return low[type];
}

int32_t type_high(enum type type)
{
    static const int32_t high[] = {INT8_MAX, UINT8_MAX, INT16_MAX, UINT16_MAX, INT32_MAX, 15};
    return high[type];
}

int64_t type_magnitude(enum type type)
{
    int64_t low = -(int64_t)type_low(type);
    return low > type_high(type) ? low : type_high(type);
}

const char *op_name(enum op op)
{
    return op_names[op];
}

bool op_parse(const char *text, enum op *op)
{
    int index = find(op_names, COUNT(op_names), text);
    *op = index < 0 ? OP_CONVERT : (enum op)index;
    return index >= 0;
}

const char *activation_name(enum activation activation)
{
    return activation_names[activation];
}

bool activation_parse(const char *text, enum activation *activation)
{
    int index = find(activation_names, COUNT(activation_names), text);
    *activation = index < 0 ? ACTIVATION_NONE : (enum activation)index;
    return index >= 0;
}

int32_t weight_limit(int bits)
{
    return bits <= 2 ? 1 : ((int32_t)1 << (bits - 1)) - 1;
}

int32_t weights_limit(const struct weights *weights)
{
    return weights->odd ? ((int32_t)1 << weights->bits) - 1 : weight_limit(weights->bits);
}

int weights_bits(const struct weights *weights)
{
    return weights->odd ? weights->bits + 1 : weights->bits;
}

bool op_has_rows(enum op op)
{
    return op == OP_DENSE || op == OP_CONV || op == OP_DECONV;
}
