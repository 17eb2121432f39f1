#include "report/report.h"

#include "base/starve.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

bool json_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

/* The same for arrays. */
static bool append(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

/* `value` where it was built whole, else NULL. */
static json_t *whole(json_t *value, bool good)
{
    if (!good) {
        json_decref(value);
        return NULL;
    }
    return value;
}

bool json_text(json_t *value, struct text *out)
{
    starve_watch();
    char *printed = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(value);
    if (!printed || starve_seen()) {
        free(printed);
        return false;
    }
    text_add(out, printed);
    text_add(out, "\n");
    free(printed);
    return !out->failed;
}

static json_t *json_output(const struct channel *channel, const struct output_error *error)
{
    json_t *output = json_object();
    bool good = json_put(output, "name", json_string(channel->name));
    good = good && json_put(output, "unit", json_string(channel->unit));
    good = good && json_put(output, "rms", json_real(error->rms));
    good = good && json_put(output, "worst", json_real(error->worst));
    return whole(output, good);
}

static json_t *json_outputs(const struct net *net, const struct figures *figures)
{
    json_t *outputs = json_array();
    bool good = outputs != NULL;
    for (int i = 0; good && i < figures->output_count; i++) {
        good = append(outputs, json_output(net_output_channel(net, i), &figures->outputs[i]));
    }
    return whole(outputs, good);
}

static json_t *json_names(const char *const *names, int count)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int i = 0; good && i < count; i++) {
        good = append(array, json_string(names[i]));
    }
    return whole(array, good);
}

static json_t *json_counts(const int64_t *counts, int count)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int i = 0; good && i < count; i++) {
        good = append(array, json_integer(counts[i]));
    }
    return whole(array, good);
}

/* A row per true class. */
static json_t *json_confusion(const struct figures *figures)
{
    json_t *matrix = json_array();
    bool good = matrix != NULL;
    int classes = figures->class_count;
    for (int i = 0; good && i < classes; i++) {
        good =
            append(matrix, json_counts(figures->confusion + (size_t)i * (size_t)classes, classes));
    }
    return whole(matrix, good);
}

json_t *json_figures(const struct net *net, const struct figures *figures)
{
    json_t *score = json_object();
    bool good = json_put(score, "rows", json_integer(figures->rows));
    if (net->task == TASK_CLASSIFICATION) {
        good = good && json_put(score, "accuracy", json_real(figures->accuracy));
        good = good && json_put(score, "classes", json_names(net->classes, figures->class_count));
        good = good && json_put(score, "confusion", json_confusion(figures));
    } else {
        good = good && json_put(score, "rms_percent", json_real(figures->rms_percent));
        good = good && json_put(score, "mse", json_real(figures->mse));
        good = good && json_put(score, "outputs", json_outputs(net, figures));
    }
    return whole(score, good);
}

/* null where a target cannot tell. */
static json_t *known(int64_t value)
{
    return value < 0 ? json_null() : json_integer(value);
}

/* Eight digits. */
static json_t *json_hash(int64_t hash)
{
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%08llx", (unsigned long long)hash);
    return hash < 0 ? json_null() : json_string(digits);
}

static json_t *json_cost(const struct cost *cost, int64_t clock)
{
    const struct {
        const char *key;
        int64_t value;
    } figures[] = {
        {"flash_code", cost->flash_code},
        {"flash_const", cost->flash_const},
        {"ram", cost->ram},
        {"stack", cost->stack},
        {"instructions", cost->instructions},
        {"cycles", cost->cycles},
        {"cycles_least", cost->cycles_least},
        {"cycles_mean", cost->cycles_mean},
        {"cycles_1ws", cost->cycles_1ws},
        {"vectors", cost->vectors},
        {"mismatches", cost->mismatches},
    };
    json_t *object = json_object();
    bool good = json_put(object, "target", json_string(cost->target));
    for (size_t i = 0; good && i < sizeof figures / sizeof figures[0]; i++) {
        good = json_put(object, figures[i].key, known(figures[i].value));
    }
    double microseconds = cost_microseconds(cost, clock);
    good = good && json_put(object, "hash", json_hash(cost->hash));
    good = good && json_put(object, "microseconds",
                            microseconds < 0 ? json_null() : json_real(microseconds));
    return whole(object, good);
}

json_t *json_costs(const struct cost *costs, const int64_t *clocks, int count)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (int i = 0; good && i < count; i++) {
        good = append(list, json_cost(&costs[i], clocks[i]));
    }
    return whole(list, good);
}
