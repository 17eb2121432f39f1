/* Which column is an input, an output or the label. */
#include "data/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 200 /* bytes of column names that a message lists */

enum role { ROLE_NONE, ROLE_INPUT, ROLE_OUTPUT, ROLE_LABEL };

/* Column names in order, for searching. */
struct named {
    const char *name;
    const char *unit;
    int column;
};

struct roles {
    struct table *table;
    struct error *err;
    unsigned char *role;  /* enum role by file column */
    struct named *sorted; /* by name, then column */
    int *picked;          /* input_names: file column of each input; NULL: in file order */
    int input_count;
    int output_count;
};

static const char *source(const struct roles *roles)
{
    return roles->table->data->source;
}

static int by_name(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->column > b->column) - (a->column < b->column);
}

/* Columns of a name (and unit, where one is asked for): the first one, and how many there are. */
static int find_name(const struct roles *roles, const char *name, const char *unit, int *count)
{
    int first = -1;
    int low = 0;
    int high = roles->table->heading.count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        bool before = strcmp(roles->sorted[middle].name, name) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    *count = 0;
    for (; low < roles->table->heading.count; low++) {
        const struct named *entry = &roles->sorted[low];
        if (strcmp(entry->name, name) != 0) {
            break;
        }
        if (!unit[0] || strcmp(entry->unit, unit) == 0) {
            first = *count ? first : entry->column;
            *count += 1;
        }
    }
    return first;
}

static int fail_name(const struct roles *roles, const char *name)
{
    const struct heading *heading = &roles->table->heading;
    char list[LIST_MAX + 8] = "";
    size_t used = 0;
    if (!heading->has_header) {
        fail(roles->err, "%s: no column '%.80s': there is no header, so columns go by number",
             source(roles), name);
        return -1;
    }
    for (int i = 0; i < heading->count; i++) {
        const char *next = heading->names[i];
        if (used + strlen(next) + 2 > LIST_MAX) {
            (void)snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", next);
    }
    fail(roles->err, "%s: no column '%.80s': the columns are %s", source(roles), name, list);
    return -1;
}

/* A 1-based column number, or 0. */
static int column_number(const char *text, int count)
{
    int number = 0;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || number > count) {
            return 0;
        }
        number = number * 10 + (*at - '0');
    }
    return number <= count ? number : 0;
}

/* The column that the user calls `text`: "x", "x [mm]" or a 1-based number.  -1 on failure. */
static int find_column(const struct roles *roles, const char *text, size_t length)
{
    const char *name = NULL;
    const char *unit = NULL;
    int count = 0;
    if (!name_split(roles->table->data->arena, text, length, &name, &unit)) {
        fail_memory(roles->err);
        return -1;
    }
    int column = find_name(roles, name, unit, &count);
    if (count > 1) {
        fail(roles->err, "%s: %d columns are named '%.80s': give the number instead", source(roles),
             count, name);
        return -1;
    }
    if (count == 0) {
        column = column_number(name, roles->table->heading.count) - 1;
    }
    return column >= 0 ? column : fail_name(roles, name);
}

static bool give_role(struct roles *roles, int column, enum role role)
{
    char text[NAME_BYTES + 24];
    const struct heading *heading = &roles->table->heading;
    struct column named = {.name = heading->names[column]};
    if (roles->role[column] == ROLE_NONE) {
        roles->role[column] = (unsigned char)role;
        return true;
    }
    column_text(&named, column, text, sizeof text);
    return fail(roles->err, "%s: %s is named twice%s", source(roles), text,
                roles->role[column] == role ? "" : ", as an input and as an output");
}

/* "x,y,z" */
static bool outputs_by_name(struct roles *roles, const char *list)
{
    for (const char *at = list; at;) {
        size_t length = strcspn(at, ",");
        int column = find_column(roles, at, length);
        if (column < 0 || !give_role(roles, column, ROLE_OUTPUT)) {
            return false;
        }
        roles->output_count++;
        at = at[length] ? at + length + 1 : NULL;
    }
    return true;
}

static bool fail_inputs(const struct roles *roles, int count)
{
    return fail(roles->err, "%s: %d input column%s, but the net has %d inputs", source(roles),
                count, count == 1 ? "" : "s", roles->table->options->input_count);
}

static bool outputs_last(struct roles *roles, int outputs)
{
    int count = roles->table->heading.count;
    if (outputs >= count && roles->table->options->input_count) { /* rows without outputs */
        return fail_inputs(roles, count);
    }
    if (outputs < 0 || outputs >= count) {
        return fail(roles->err, "%s: %d output%s of %d column%s: no input is left", source(roles),
                    outputs, outputs == 1 ? "" : "s", count, count == 1 ? "" : "s");
    }
    for (int i = count - outputs; i < count; i++) {
        roles->role[i] = ROLE_OUTPUT;
    }
    roles->output_count = outputs;
    return true;
}

static bool choose_outputs(struct roles *roles)
{
    const struct data_options *options = roles->table->options;
    struct table *table = roles->table;
    if (options->inputs_only) {
        return true;
    }
    if (options->label) {
        table->label = find_column(roles, options->label, strlen(options->label));
        roles->output_count = 1;
        return table->label >= 0 && give_role(roles, table->label, ROLE_LABEL);
    }
    if (options->output_names) {
        return outputs_by_name(roles, options->output_names);
    }
    int outputs = options->outputs ? options->outputs : table->heading.outputs;
    if (outputs == 0) {
        return fail(roles->err,
                    "%s: which columns are outputs? give their number, their names or a label",
                    source(roles));
    }
    return outputs_last(roles, outputs);
}

/* Inputs picked by name, in the order asked for. */
static bool inputs_by_name(struct roles *roles)
{
    const struct data_options *options = roles->table->options;
    roles->input_count = options->input_count;
    roles->picked =
        arena_alloc(roles->table->data->arena, (size_t)options->input_count, sizeof *roles->picked);
    if (!roles->picked) {
        return fail_memory(roles->err);
    }
    for (int i = 0; i < options->input_count; i++) {
        const char *name = options->input_names[i];
        int count = 0;
        int column = find_name(roles, name, "", &count);
        if (count > 1) {
            return fail(roles->err, "%s: %d columns are named '%.80s'", source(roles), count, name);
        }
        if (column < 0) {
            fail_name(roles, name);
            return false;
        }
        if (!give_role(roles, column, ROLE_INPUT)) {
            return false;
        }
        roles->picked[i] = column;
    }
    return true;
}

static bool choose_inputs(struct roles *roles)
{
    const struct data_options *options = roles->table->options;
    const struct heading *heading = &roles->table->heading;
    if (options->input_names && heading->has_header) {
        return inputs_by_name(roles);
    }
    for (int i = 0; i < heading->count; i++) {
        if (roles->role[i] == ROLE_NONE) {
            roles->role[i] = ROLE_INPUT;
            roles->input_count++;
        }
    }
    if (roles->input_count == 0) {
        return fail(roles->err, "%s: no column is left as input", source(roles));
    }
    if (options->input_count && roles->input_count != options->input_count) {
        return fail_inputs(roles, roles->input_count);
    }
    return true;
}

static void describe(struct roles *roles, int column, int place)
{
    const struct heading *heading = &roles->table->heading;
    roles->table->target[column] = place;
    roles->table->data->columns[place] =
        (struct column){.name = heading->names[column], .unit = heading->units[column]};
}

/* Dataset columns: inputs, then outputs. */
static void place_columns(struct roles *roles)
{
    struct table *table = roles->table;
    int input = 0;
    int output = roles->input_count;
    for (int i = 0; i < table->heading.count; i++) {
        enum role role = roles->role[i];
        if (role == ROLE_INPUT && !roles->picked) {
            describe(roles, i, input++);
        } else if (role == ROLE_OUTPUT || role == ROLE_LABEL) {
            describe(roles, i, output++);
        }
    }
    for (int i = 0; roles->picked && i < roles->input_count; i++) {
        describe(roles, roles->picked[i], i);
    }
    table->data->label = table->label >= 0 ? table->heading.names[table->label] : "";
}

static bool roles_start(struct roles *roles)
{
    struct table *table = roles->table;
    struct arena *arena = table->data->arena;
    size_t count = (size_t)table->heading.count;
    roles->role = arena_alloc(arena, count, sizeof *roles->role);
    roles->sorted = arena_alloc(arena, count, sizeof *roles->sorted);
    table->target = arena_alloc(arena, count, sizeof *table->target);
    table->data->columns = arena_alloc(arena, count, sizeof *table->data->columns);
    if (!roles->role || !roles->sorted || !table->target || !table->data->columns) {
        return fail_memory(roles->err);
    }
    for (int i = 0; i < table->heading.count; i++) {
        roles->sorted[i] = (struct named){table->heading.names[i], table->heading.units[i], i};
        table->target[i] = -1;
    }
    qsort(roles->sorted, count, sizeof *roles->sorted, by_name);
    return true;
}

bool roles_choose(struct table *table, struct error *err)
{
    struct roles roles = {.table = table, .err = err};
    table->label = -1;
    if (!roles_start(&roles) || !choose_outputs(&roles) || !choose_inputs(&roles)) {
        return false;
    }
    table->data->input_count = roles.input_count;
    table->data->output_count = roles.output_count;
    table->width = roles.input_count + roles.output_count;
    place_columns(&roles);
    return true;
}

bool name_split(struct arena *arena, const char *text, size_t length, const char **name,
                const char **unit)
{
    while (length > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        length--;
    }
    size_t open = length;
    if (length > 0 && text[length - 1] == ']') {
        const char *bracket = memchr(text, '[', length);
        open = bracket ? (size_t)(bracket - text) : length;
    }
    size_t end = open > 0 ? open : length; /* "[mm]" alone is a name */
    bool has_unit = end < length;
    size_t from = end + 1;
    size_t size = has_unit ? length - from - 1 : 0;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
        end--;
    }
    *name = arena_text(arena, text, end);
    *unit = arena_text(arena, has_unit ? text + from : "", size);
    return *name && *unit;
}
