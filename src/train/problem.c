#include "train/problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Raw readings where every column is a small unsigned integer, else engineering values. */
static enum type natural_in_type(const struct dataset *data)
{
    enum type type = TYPE_U8;
    for (int i = 0; i < data->input_count; i++) {
        const struct column *c = &data->columns[i];
        if (!c->integer || c->low < 0 || c->high > 65535) {
            return TYPE_I16;
        }
        type = c->high > 255 ? TYPE_U16 : type;
    }
    return type;
}

static bool is_byte(enum type type)
{
    return type == TYPE_I8 || type == TYPE_U8;
}

/* Type of the activations: 16 bits, and 8 where the packed kernel is wanted. */
static bool choose_hidden(struct problem *p, const struct train_options *options, struct error *err)
{
    const char *name = options->hidden_type;
    p->hidden_type = options->packed ? TYPE_I8 : TYPE_I16;
    if (name && (!type_parse(name, &p->hidden_type) || p->hidden_type == TYPE_U16 ||
                 p->hidden_type == TYPE_I32)) {
        return fail(err, "--hidden %.20s: expected i8, u8 or i16", name);
    }
    return !options->packed || is_byte(p->hidden_type) ||
           fail(err, "--kernel packed needs activations of 8 bits: --hidden i8 or u8");
}

static bool choose_types(struct problem *p, const struct train_options *options, struct error *err)
{
    p->in_type = natural_in_type(p->data);
    p->out_type = TYPE_I16;
    if (options->in_type &&
        (!type_parse(options->in_type, &p->in_type) || p->in_type == TYPE_I32)) {
        return fail(err, "--in %.20s: expected u8, i8, u16 or i16", options->in_type);
    }
    if (options->out_type && (!type_parse(options->out_type, &p->out_type) ||
                              p->out_type == TYPE_U8 || p->out_type == TYPE_U16)) {
        return fail(err, "--out %.20s: expected i8, i16 or i32", options->out_type);
    }
    if (!choose_hidden(p, options, err)) {
        return false;
    }
    p->dense_type = is_byte(p->in_type) && is_byte(p->hidden_type) ? TYPE_I8 : TYPE_I16;
    p->input_unit = ldexp(1, -fixed_fraction(p->dense_type));
    p->extra = fixed_extra(p->out_type);
    return true;
}

static void describe(struct channel *channel, const struct column *column)
{
    channel->name = column->name;
    channel->unit = column->unit;
    channel->low = decimal_round(column->low, 6);
    channel->high = decimal_round(column->high, 6);
}

/* Whole numbers that fit the type are raw codes; others get a step of their own. */
static struct channel input_channel(const struct column *column, enum type type)
{
    struct channel channel = {.lsb = {1, 0}};
    if (!column->integer || column->low < type_low(type) || column->high > type_high(type)) {
        channel = channel_for_range(column->low, column->high, type, 1.0);
    }
    describe(&channel, column);
    return channel;
}

/* Room between the data and the ends of the output type.  Sums of 8-bit activations have few more
 * bits than these: as i16, steps eight times as coarse leave the weights of the last layer room to
 * be large, and still are far below the error of such a net. */
static double output_room(const struct problem *p)
{
    return is_byte(p->hidden_type) && p->out_type != TYPE_I8 ? 10 : 1.25;
}

/* i32 outputs have the steps of i16 ones: a step near 2^-31 of the range would be noise. */
static struct channel output_channel(const struct column *column, const struct problem *p,
                                     struct decimal lsb)
{
    enum type type = p->out_type == TYPE_I32 ? TYPE_I16 : p->out_type;
    struct channel channel = channel_for_range(column->low, column->high, type, output_room(p));
    if (lsb.digits > 0) {
        channel.lsb = lsb;
    }
    describe(&channel, column);
    return channel;
}

/* "column 'x'", or "output 2" where there are no names. */
static void name_column(const struct problem *p, int index, char *text, size_t size)
{
    const char *name = p->data->columns[index].name;
    if (*name) {
        (void)snprintf(text, size, "column '%s'", name);
    } else {
        bool in = index < p->inputs;
        (void)snprintf(text, size, "%s %d", in ? "input" : "output",
                       in ? index + 1 : index + 1 - p->inputs);
    }
}

/* Do the column's values have codes of `type`, and not all the same one?  `lsb`: the step that the
 * user asked for, or no digits. */
static bool check_codes(const struct problem *p, int index, const struct channel *channel,
                        struct decimal lsb, struct error *err)
{
    const struct column *column = &p->data->columns[index];
    enum type type = index < p->inputs ? p->in_type : p->out_type;
    char name[NET_NAME_MAX + 24];
    char step[DECIMAL_TEXT_MAX];
    bool clamped = false;
    int32_t low = channel_encode(channel, type, column->low, &clamped);
    int32_t high = channel_encode(channel, type, column->high, &clamped);
    if (!clamped && (low < high || column->low >= column->high)) {
        return true;
    }
    name_column(p, index, name, sizeof name);
    if (lsb.digits == 0) {
        return fail(err, "%s: %s: values from %.7g to %.7g are too %s to be trained on",
                    p->data->source, name, column->low, column->high,
                    clamped ? "large" : "close together");
    }
    decimal_print(lsb, step);
    return fail(err, "--out-lsb %s: %s goes from %.7g to %.7g, which %s %s", step, name,
                column->low, column->high, clamped ? "does not fit" : "is a single step of",
                type_name(type));
}

static bool set_channels(struct problem *p, struct decimal lsb, struct error *err)
{
    const struct dataset *data = p->data;
    p->in_channels = arena_alloc(p->arena, (size_t)p->inputs, sizeof *p->in_channels);
    p->out_channels = arena_alloc(p->arena, (size_t)p->outputs, sizeof *p->out_channels);
    p->weight = arena_alloc(p->arena, (size_t)p->outputs, sizeof *p->weight);
    if (!p->in_channels || !p->out_channels || !p->weight) {
        return fail_memory(err);
    }
    for (int i = 0; i < p->inputs; i++) {
        p->in_channels[i] = input_channel(&data->columns[i], p->in_type);
        if (!check_codes(p, i, &p->in_channels[i], (struct decimal){0, 0}, err)) {
            return false;
        }
    }
    for (int i = 0; i < p->outputs; i++) {
        p->weight[i] = 1;
        if (p->task == TASK_CLASSIFICATION) {
            p->out_channels[i] =
                (struct channel){.name = data->classes[i], .unit = "", .lsb = {1, 0}};
            continue;
        }
        const struct column *column = &data->columns[p->inputs + i];
        p->out_channels[i] = output_channel(column, p, lsb);
        if (!check_codes(p, p->inputs + i, &p->out_channels[i], lsb, err)) {
            return false;
        }
        double unit = decimal_value(p->out_channels[i].lsb) * ldexp(1, 15 - p->extra);
        if (column->high > column->low) {
            p->weight[i] = unit / (column->high - column->low);
        }
    }
    return true;
}

/* ---- convert: fill the type that the first layer reads ---- */

struct code_range {
    int32_t low, high;
};

static struct code_range codes_of(const struct problem *p, int input)
{
    const struct column *column = &p->data->columns[input];
    bool clamped = false;
    return (struct code_range){
        channel_encode(&p->in_channels[input], p->in_type, column->low, &clamped),
        channel_encode(&p->in_channels[input], p->in_type, column->high, &clamped)};
}

static bool is_unsigned(enum type type)
{
    return type == TYPE_U8 || type == TYPE_U16;
}

/* Fewest bits that hold every code of every input (signed types: with the sign). */
static int common_bits(const struct problem *p)
{
    int bits = 2;
    for (int i = 0; i < p->inputs; i++) {
        struct code_range range = codes_of(p, i);
        int32_t top = is_unsigned(p->in_type) ? 0 : 1;
        while (bits < 16 && (range.high >= (int32_t)1 << (bits - top) ||
                             range.low < -((int32_t)1 << (bits - 1)))) {
            bits++;
        }
    }
    return bits;
}

static bool all_wide(const struct problem *p, int bits)
{
    for (int i = 0; i < p->inputs; i++) {
        struct code_range range = codes_of(p, i);
        int32_t span = range.high - range.low;
        if (span > 0 && span < (int32_t)1 << (bits - 2)) {
            return false;
        }
    }
    return true;
}

/* A column of its own: centre to zero, spread to at least half the range, a tenth of head-room. */
static void convert_one(struct problem *p, int input)
{
    struct code_range range = codes_of(p, input);
    int32_t zero = (range.low + range.high + 1) / 2;
    int32_t reach = range.high - zero > zero - range.low ? range.high - zero : zero - range.low;
    int32_t high = type_high(p->dense_type);
    int shift = 0;
    while (shift < NET_ZERO_SHIFT_MAX && (int64_t)reach * 11 / 10 << (shift + 1) <= high) {
        shift++;
    }
    p->zero[input] = zero;
    p->shift[input] = (uint8_t)(reach == 0 ? 0 : shift);
}

/* One zero and one shift for all inputs if every column then still uses a quarter of the range:
 * 12-bit readings become (u - 2048) << 4.  Else each column has its own. */
static bool choose_convert(struct problem *p, struct error *err)
{
    p->zero = arena_alloc(p->arena, (size_t)p->inputs, sizeof *p->zero);
    p->shift = arena_alloc(p->arena, (size_t)p->inputs, sizeof *p->shift);
    if (!p->zero || !p->shift) {
        return fail_memory(err);
    }
    int width = p->dense_type == TYPE_I8 ? 8 : 16;
    int bits = common_bits(p);
    bool common = all_wide(p, bits);
    for (int i = 0; i < p->inputs; i++) {
        p->zero[i] = is_unsigned(p->in_type) ? (int32_t)1 << (bits - 1) : 0;
        p->shift[i] = (uint8_t)(width - bits);
        if (!common) {
            convert_one(p, i);
        }
    }
    p->converts = !(common && bits == width && p->in_type == p->dense_type);
    return true;
}

static bool split_rows(struct problem *p, uint64_t seed, struct error *err)
{
    for (int part = 0; part < 3; part++) {
        p->rows[part] = data_part_rows(p->data, seed, (enum part)part, &p->counts[part]);
        if (!p->rows[part]) {
            return fail_memory(err);
        }
        if (p->counts[part] == 0) {
            return fail(err, "%s: %zu row%s too few to train, validate and test on",
                        p->data->source, p->data->row_count,
                        p->data->row_count == 1 ? " is" : "s are");
        }
    }
    return true;
}

bool problem_new(struct problem *p, const struct dataset *data, const struct train_options *options,
                 struct error *err)
{
    *p = (struct problem){.arena = arena_new(), .data = data, .inputs = data->input_count};
    if (!p->arena) {
        return fail_memory(err);
    }
    p->task = data->class_count > 0 ? TASK_CLASSIFICATION : TASK_REGRESSION;
    p->outputs = data->class_count > 0 ? data->class_count : data->output_count;
    if (p->inputs > TRAIN_WIDTH_MAX || p->outputs > TRAIN_WIDTH_MAX) {
        return fail(err, "%s: %d inputs and %d outputs: at most %d of each can be trained",
                    data->source, p->inputs, p->outputs, TRAIN_WIDTH_MAX);
    }
    return choose_types(p, options, err) && set_channels(p, options->out_lsb, err) &&
           choose_convert(p, err) && split_rows(p, options->seed, err);
}

void problem_free(struct problem *p)
{
    for (int part = 0; part < 3; part++) {
        free(p->rows[part]);
    }
    arena_free(p->arena);
    *p = (struct problem){0};
}

void problem_input(const struct problem *p, size_t row, int16_t *x)
{
    const float *values = data_row(p->data, row);
    int32_t low = type_low(p->dense_type);
    int32_t high = type_high(p->dense_type);
    bool clamped = false;
    for (int i = 0; i < p->inputs; i++) {
        int32_t code = channel_encode(&p->in_channels[i], p->in_type, (double)values[i], &clamped);
        int64_t y = (int64_t)(code - p->zero[i]) * ((int64_t)1 << p->shift[i]);
        x[i] = (int16_t)(y < low ? low : y > high ? high : y);
    }
}

void problem_target(const struct problem *p, size_t row, double *target)
{
    const float *values = data_row(p->data, row) + p->inputs;
    for (int i = 0; i < p->outputs; i++) {
        double lsb = decimal_value(p->out_channels[i].lsb);
        double offset = decimal_value(p->out_channels[i].offset);
        target[i] = ((double)values[i] - offset) / lsb * ldexp(1, p->extra - 15);
    }
}

int problem_class(const struct problem *p, size_t row)
{
    return (int)data_row(p->data, row)[p->inputs];
}
