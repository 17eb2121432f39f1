/* What is said about a finished table: ranges, remarks, its hash. */
#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CONSTANT_LISTED 5 /* constant columns named one by one */

static void start_ranges(struct dataset *data, int width)
{
    for (int c = 0; c < width; c++) {
        data->columns[c].low = HUGE_VAL;
        data->columns[c].high = -HUGE_VAL;
        data->columns[c].integer = true;
    }
}

static void find_ranges(struct dataset *data)
{
    int width = data->input_count + data->output_count;
    start_ranges(data, width);
    for (size_t r = 0; r < data->row_count; r++) {
        const float *row = data_row(data, r);
        for (int c = 0; c < width; c++) {
            struct column *column = &data->columns[c];
            double value = (double)row[c];
            column->low = value < column->low ? value : column->low;
            column->high = value > column->high ? value : column->high;
            column->integer = column->integer && floor(value) == value;
        }
    }
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

/* The same on big-endian machines. */
static uint64_t hash_number(uint64_t hash, uint32_t number)
{
    unsigned char bytes[4] = {(unsigned char)number, (unsigned char)(number >> 8),
                              (unsigned char)(number >> 16), (unsigned char)(number >> 24)};
    return hash_bytes(hash, bytes, sizeof bytes);
}

static void find_hash(struct dataset *data)
{
    int width = data->input_count + data->output_count;
    uint64_t hash = hash_number(HASH_START, (uint32_t)data->input_count);
    hash = hash_number(hash, (uint32_t)data->output_count);
    for (int c = 0; c < width; c++) {
        hash = hash_text(hash_text(hash, data->columns[c].name), data->columns[c].unit);
    }
    for (int c = 0; c < data->class_count; c++) {
        hash = hash_text(hash, data->classes[c]);
    }
    for (size_t r = 0; r < data->row_count; r++) {
        const float *row = data_row(data, r);
        for (int c = 0; c < width; c++) {
            uint32_t bits;
            memcpy(&bits, &row[c], sizeof bits);
            hash = hash_number(hash, bits);
        }
    }
    data->hash = hash;
}

void column_text(const struct column *column, int index, char *text, size_t size)
{
    if (column->name[0]) {
        (void)snprintf(text, size, "column '%s'", column->name);
    } else {
        (void)snprintf(text, size, "column %d", index + 1);
    }
}

static void remark_constants(const struct dataset *data, struct text *note)
{
    int found = 0;
    int inputs = data->input_count;
    int width = inputs + (data->class_count > 0 ? 0 : data->output_count);
    for (int c = 0; c < width; c++) {
        const struct column *column = &data->columns[c];
        char text[NAME_BYTES + 24];
        if (column->low < column->high || ++found > CONSTANT_LISTED) {
            continue;
        }
        if (column->name[0]) {
            column_text(column, c, text, sizeof text);
        } else { /* labels in front shift the file's numbers */
            (void)snprintf(text, sizeof text, "%s %d", c < inputs ? "input" : "output",
                           c < inputs ? c + 1 : c + 1 - inputs);
        }
        text_printf(note, "%s is constant (%.7g): kept, %s\n", text, column->low,
                    c < inputs ? "it carries no information" : "there is nothing to learn");
    }
    if (found > CONSTANT_LISTED) {
        text_printf(note, "%d more column%s constant\n", found - CONSTANT_LISTED,
                    found == CONSTANT_LISTED + 1 ? " is" : "s are");
    }
}

static void remark_classes(const struct dataset *data, const struct data_options *options,
                           struct text *note)
{
    if (data->one_hot && !options->one_hot) {
        text_printf(note, "the outputs are one-hot: %d classes\n", data->class_count);
    }
}

bool summarise(struct dataset *data, const struct data_options *options, struct error *err)
{
    struct text note = {0};
    find_ranges(data);
    find_hash(data);
    if (!options->inputs_only && options->known_class_count == 0 && data->row_count > 1) {
        remark_classes(data, options, &note);
        remark_constants(data, &note);
    }
    size_t length = note.length ? note.length - 1 : 0;
    data->note = note.failed ? NULL : arena_text(data->arena, length ? note.data : "", length);
    text_free(&note);
    return data->note || fail_memory(err);
}
