/* Which numbers of its window an op has in .mote files, under which key (SPEC 15). */
#include "net/net.h"

#define AT(field) offsetof(struct window, field)

const struct window_key *op_window_keys(enum op op)
{
    static const struct window_key none[] = {{0}};
    static const struct window_key slide[] = {
        {"kernel", 2, {AT(rows), AT(columns)}, false},
        {"stride", 2, {AT(row_stride), AT(column_stride)}, false},
        {"dilation", 2, {AT(row_dilation), AT(column_dilation)}, false},
        {"pad", 4, {AT(top), AT(left), AT(bottom), AT(right)}, false},
        {0},
    };
    static const struct window_key pool[] = {
        {"kernel", 2, {AT(rows), AT(columns)}, false},
        {"stride", 2, {AT(row_stride), AT(column_stride)}, false},
        {"pad", 4, {AT(top), AT(left), AT(bottom), AT(right)}, false},
        {0},
    };
    static const struct window_key crop[] = {
        {"crop", 4, {AT(top), AT(left), AT(rows), AT(columns)}, false},
        {"drop", 1, {AT(drop)}, true},
        {0},
    };
    static const struct window_key factor[] = {{"factor", 2, {AT(rows), AT(columns)}, false}, {0}};
    static const struct window_key pad[] = {
        {"pad", 4, {AT(top), AT(left), AT(bottom), AT(right)}, false},
        {0},
    };
    switch (op) {
    case OP_CONV:
    case OP_DECONV: return slide;
    case OP_MAXPOOL:
    case OP_AVGPOOL: return pool;
    case OP_RESIZE: return crop;
    case OP_UPSAMPLE:
    case OP_SHUFFLE: return factor;
    case OP_PAD: return pad;
    case OP_CONVERT:
    case OP_DENSE:
    case OP_ADD:
    case OP_CONCAT:
    case OP_RESHAPE:
    case OP_ARGMAX:
    case OP_SOFTMAX: return none;
    }
    return none;
}
