/* JSON values with the way to them, for readers that refuse with a place: "layers[2].bias[3]". */
#ifndef MOTE_NET_NODE_H
#define MOTE_NET_NODE_H

#include "base/json.h"
#include "net/net.h"

struct reader {
    const struct json_source *source;
    struct error *err;
    struct net *net;
    size_t seen; /* bytes of the text in which lines have been counted */
    size_t line;
    struct arena *scratch; /* the JSON, and arrays on their way into the net */
};

/* A JSON value and the way to it: a key of, or an index in, the value above. */
struct node {
    const struct json *json;
    const struct node *up;
    const char *key; /* NULL: `index` counts */
    size_t index;
};

/* Record "FILE:LINE:COLUMN: PATH: message"; always false. */
bool node_refuse(struct reader *r, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool node_expect(struct reader *r, const struct node *node, enum json_kind kind);

/* A member that is not there has json NULL. */
struct node node_member(const struct node *object, const char *key);
struct node node_element(const struct node *array, size_t index);

/* An object with all keys of `required`, and of others only those of `optional` (NULL ends a
 * list). */
bool node_has_keys(struct reader *r, const struct node *node, const char *const *required,
                   const char *const *optional);

/* Each refuses what is of another type or out of range (ends included). */
bool node_integer(struct reader *r, struct node node, int64_t low, int64_t high, int64_t *value);
bool node_int(struct reader *r, struct node node, int low, int high, int *value);
bool node_string(struct reader *r, struct node node, const char **value);
bool node_decimal(struct reader *r, struct node node, struct decimal *decimal);

/* An array of `least` to `most` elements; *count is how many. */
bool node_array(struct reader *r, const struct node *node, int least, int most, int *count);
bool node_exactly(struct reader *r, const struct node *node, int count);

#endif
