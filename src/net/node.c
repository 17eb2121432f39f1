#include "net/node.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_path(struct text *out, const struct node *node)
{
    if (!node->up) {
        return;
    }
    print_path(out, node->up);
    if (node->key) {
        text_printf(out, "%s%s", node->up->up ? "." : "", node->key);
    } else {
        text_printf(out, "[%zu]", node->index);
    }
}

/* "pose.mote:31:8: layers[2].weights[3][1]: ..." */
bool node_refuse(struct reader *r, const struct node *node, const char *format, ...)
{
    char message[200];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    struct text text = {0};
    print_path(&text, node);
    text_add(&text, text.length > 0 ? ": " : "");
    text_add(&text, message);
    if (text.failed) {
        fail_memory(r->err);
    } else {
        json_fail(r->source, node->json->offset, r->err, text.data);
    }
    text_free(&text);
    return false;
}

bool node_expect(struct reader *r, const struct node *node, enum json_kind kind)
{
    return node->json->kind == kind ||
           node_refuse(r, node, "expected %s, found %s", json_kind_name(kind),
                       json_kind_name(node->json->kind));
}

struct node node_member(const struct node *object, const char *key)
{
    return (struct node){.json = json_member(object->json, key), .up = object, .key = key};
}

struct node node_element(const struct node *array, size_t index)
{
    return (struct node){.json = &array->json->items[index], .up = array, .index = index};
}

static bool listed(const char *key, const char *const *keys)
{
    while (*keys && strcmp(*keys, key) != 0) {
        keys++;
    }
    return *keys != NULL;
}

bool node_has_keys(struct reader *r, const struct node *node, const char *const *required,
                   const char *const *optional)
{
    if (!node_expect(r, node, KIND_OBJECT)) {
        return false;
    }
    for (const char *const *key = required; *key; key++) {
        if (!json_member(node->json, *key)) {
            return node_refuse(r, node, "missing key \"%s\"", *key);
        }
    }
    for (size_t i = 0; i < node->json->count; i++) {
        const char *key = node->json->items[i].key;
        if (!listed(key, required) && !listed(key, optional)) {
            struct node unknown = {.json = &node->json->items[i], .up = node->up};
            unknown.key = node->key;
            unknown.index = node->index;
            return node_refuse(r, &unknown, "unknown key \"%.60s\"", key);
        }
    }
    return true;
}

bool node_integer(struct reader *r, struct node node, int64_t low, int64_t high, int64_t *value)
{
    if (!node_expect(r, &node, KIND_INTEGER)) {
        return false;
    }
    *value = node.json->integer;
    return (*value >= low && *value <= high) ||
           node_refuse(r, &node, "%lld is out of range, %lld to %lld", (long long)*value,
                       (long long)low, (long long)high);
}

bool node_int(struct reader *r, struct node node, int low, int high, int *value)
{
    int64_t wide = 0;
    bool done = node_integer(r, node, low, high, &wide);
    *value = (int)wide;
    return done;
}

bool node_string(struct reader *r, struct node node, const char **value)
{
    if (!node_expect(r, &node, KIND_STRING)) {
        return false;
    }
    *value = node.json->string;
    return true;
}

bool node_array(struct reader *r, const struct node *node, int least, int most, int *count)
{
    if (!node_expect(r, node, KIND_ARRAY)) {
        return false;
    }
    size_t size = node->json->count;
    if (size >= (size_t)least && size <= (size_t)most) {
        *count = (int)size;
        return true;
    }
    const char *plural = size == 1 ? "" : "s";
    return least == most ? node_refuse(r, node, "%zu element%s, expected %d", size, plural, least)
                         : node_refuse(r, node, "%zu element%s, expected %d to %d", size, plural,
                                       least, most);
}

bool node_exactly(struct reader *r, const struct node *node, int count)
{
    int found;
    return node_array(r, node, count, count, &found);
}

bool node_decimal(struct reader *r, struct node node, struct decimal *decimal)
{
    return node_exactly(r, &node, 2) &&
           node_integer(r, node_element(&node, 0), -DECIMAL_DIGITS_MAX, DECIMAL_DIGITS_MAX,
                        &decimal->digits) &&
           node_int(r, node_element(&node, 1), -DECIMAL_EXPONENT_MAX, DECIMAL_EXPONENT_MAX,
                    &decimal->exponent);
}
