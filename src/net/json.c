#include "net/json.h"

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

/* "pose.mote: layers[2].weights[3][1]: ..." */
bool node_refuse(struct reader *r, const struct node *node, const char *format, ...)
{
    char message[200];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    struct text path = {0};
    print_path(&path, node);
    if (path.failed) {
        fail_memory(r->err);
    } else {
        fail(r->err, "%s: %s%s%s", r->file, path.length ? path.data : "", path.length ? ": " : "",
             message);
    }
    text_free(&path);
    return false;
}

static const char *kind_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a real number";
    case JSON_TRUE:
    case JSON_FALSE: return "a truth value";
    case JSON_NULL: return "null";
    }
    return "something else";
}

bool node_expect(struct reader *r, const struct node *node, json_type type, const char *what)
{
    return json_typeof(node->json) == type ||
           node_refuse(r, node, "expected %s, found %s", what, kind_name(node->json));
}

struct node node_member(const struct node *object, const char *key)
{
    return (struct node){.json = json_object_get(object->json, key), .up = object, .key = key};
}

struct node node_element(const struct node *array, size_t index)
{
    return (struct node){.json = json_array_get(array->json, index), .up = array, .index = index};
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
    if (!node_expect(r, node, JSON_OBJECT, "an object")) {
        return false;
    }
    for (const char *const *key = required; *key; key++) {
        if (!json_object_get(node->json, *key)) {
            return node_refuse(r, node, "missing key \"%s\"", *key);
        }
    }
    for (void *at = json_object_iter(node->json); at; at = json_object_iter_next(node->json, at)) {
        const char *key = json_object_iter_key(at);
        if (!listed(key, required) && !listed(key, optional)) {
            return node_refuse(r, node, "unknown key \"%.60s\"", key);
        }
    }
    return true;
}

bool node_integer(struct reader *r, struct node node, int64_t low, int64_t high, int64_t *value)
{
    if (!node_expect(r, &node, JSON_INTEGER, "an integer")) {
        return false;
    }
    *value = json_integer_value(node.json);
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
    if (!node_expect(r, &node, JSON_STRING, "a string")) {
        return false;
    }
    *value = json_string_value(node.json);
    return true;
}

bool node_array(struct reader *r, const struct node *node, int least, int most, int *count)
{
    if (!node_expect(r, node, JSON_ARRAY, "an array")) {
        return false;
    }
    size_t size = json_array_size(node->json);
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
