/* Random tables in random notations come back as they were. */
#include "support/unit.h"

#include "base/rng.h"
#include "base/text.h"
#include "data/dataset.h"
#include "support/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES  600
#define COLUMNS 6
#define ROWS    40
#define LABELS  9

/* Labels that need quotes in some notation or other, and one that must not be trimmed. */
static const char *const labels[LABELS] = {
    "L", "La,b", "L;", "L b", "L\"q\"", "\"L\"", "L\xc3\xa9", " L ", "L\xe2\x82\xac\"\","};

struct random_table {
    size_t rows;
    size_t columns; /* of numbers; the label is the column behind them */
    float values[ROWS][COLUMNS];
    int label[ROWS];
};

static void fill(struct random_table *table, struct rng *rng)
{
    table->rows = 2 + (size_t)rng_below(rng, ROWS - 1);
    table->columns = 1 + (size_t)rng_below(rng, COLUMNS);
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            table->values[r][c] = (float)rng_uniform(rng, -1e4, 1e4);
        }
        table->label[r] = r < 2 ? (int)r : (int)rng_below(rng, LABELS);
    }
}

static void add_blanks(struct text *text, struct rng *rng, char separator)
{
    while (rng_below(rng, 4) == 0) {
        text_add(text, separator == '\t' || rng_below(rng, 2) ? " " : "\t");
    }
}

static void add_quoted(struct text *text, const char *field)
{
    text_add(text, "\"");
    for (; *field; field++) {
        text_bytes(text, field, 1);
        if (*field == '"') {
            text_add(text, "\"");
        }
    }
    text_add(text, "\"");
}

/* A field with its quotes where it needs them, and sometimes where it does not. */
static void add_field(struct text *text, struct rng *rng, const char *field, char separator)
{
    bool needs = field[0] == '"' || field[0] == ' ' || strchr(field, separator);
    add_blanks(text, rng, separator);
    if (needs || rng_below(rng, 4) == 0) {
        add_quoted(text, field);
    } else {
        text_add(text, field);
    }
    add_blanks(text, rng, separator);
}

static void print_table(struct text *text, const struct random_table *table, struct rng *rng)
{
    static const char separators[] = ",;\t ";
    char separator = separators[rng_below(rng, 4)];
    const char *end = rng_below(rng, 2) ? "\r\n" : "\n";
    for (size_t c = 0; c < table->columns; c++) {
        text_printf(text, "c%zu%c", c, separator);
    }
    text_printf(text, "kind%s", end);
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            char number[64];
            double value = (double)table->values[r][c];
            switch (rng_below(rng, 4)) {
            case 0: (void)snprintf(number, sizeof number, "%.9g", value); break;
            case 1: (void)snprintf(number, sizeof number, "%.9e", value); break;
            case 2: (void)snprintf(number, sizeof number, "%+.12f", value); break;
            default: (void)snprintf(number, sizeof number, "%.17g", value); break;
            }
            add_field(text, rng, number, separator);
            text_bytes(text, &separator, 1);
        }
        add_field(text, rng, labels[table->label[r]], separator);
        text_add(text, r + 1 < table->rows || rng_below(rng, 2) ? end : "");
    }
}

static void compare(const struct random_table *table, const struct dataset *data)
{
    assert_int_equal(data->row_count, table->rows);
    assert_int_equal(data->input_count, table->columns);
    for (size_t r = 0; r < table->rows; r++) {
        const float *row = data_row(data, r);
        assert_memory_equal(row, table->values[r], table->columns * sizeof(float));
        assert_string_equal(data->classes[(int)row[table->columns]], labels[table->label[r]]);
    }
    for (int i = 1; i < data->class_count; i++) {
        assert_true(strcmp(data->classes[i - 1], data->classes[i]) < 0);
    }
}

static void test_round_trip(void **state)
{
    struct data_options options = {.label = "kind"};
    (void)state;
    for (uint64_t seed = 0; seed < TABLES; seed++) {
        struct random_table table;
        struct rng rng = rng_new(seed, 9);
        struct text text = {0};
        struct error err = {0};
        fill(&table, &rng);
        print_table(&text, &table, &rng);
        struct dataset *data = load_bytes(text.data, text.length, &options, &err);
        if (!data) {
            print_error("seed %d: %s\n%s\n", (int)seed, err.message, err.excerpt);
        }
        assert_non_null(data);
        compare(&table, data);
        data_free(data);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
