/* Names of training's choices, in options and in the library. */
#include "train/train.h"

#include <string.h>

static int find(const char *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

bool method_parse(const char *text, enum method *method)
{
    static const char *const names[] = {"auto", "lsq", "qat"};
    static const enum method values[] = {METHOD_AUTO, METHOD_LSQ, METHOD_QAT};
    int index = find(text, names, 3);
    *method = values[index < 0 ? 0 : index];
    return index >= 0;
}

bool loss_parse(const char *text, enum loss *loss)
{
    static const char *const names[] = {"auto", "mse", "huber", "cross-entropy", "log"};
    static const enum loss values[] = {LOSS_AUTO, LOSS_MSE, LOSS_HUBER, LOSS_CROSS_ENTROPY,
                                       LOSS_LOG};
    int index = find(text, names, 5);
    *loss = values[index < 0 ? 0 : index];
    return index >= 0;
}

const char *in_type_parse(const char *text)
{
    static const char *const names[] = {"u8", "i8", "u16", "i16"};
    int index = find(text, names, 4);
    return index < 0 ? NULL : names[index];
}

const char *hidden_type_parse(const char *text)
{
    static const char *const names[] = {"i8", "u8", "i16"};
    int index = find(text, names, 3);
    return index < 0 ? NULL : names[index];
}

bool train_kernel_parse(const char *text, bool *packed)
{
    *packed = strcmp(text, "packed") == 0;
    return *packed || strcmp(text, "any") == 0;
}

const char *out_type_parse(const char *text)
{
    static const char *const names[] = {"i8", "i16", "i32"};
    int index = find(text, names, 3);
    return index < 0 ? NULL : names[index];
}
