#include "support/random_net.h"

#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A net in the making. */
struct maker {
    struct net *net;
    struct rng rng;
    uint64_t seed;
    bool narrow; /* 8-bit activations, few bits, sums of about 16 bits */
};

/* What a user, or an attacker, may call things. */
static const char *const names[] = {
    "leg0",
    "",
    "x [mm]",
    "*/ int evil(void){return 1;} /*",
    "// \\",
    "?\?/",
    "?\?=define evil ?\?>",
    "\"quoted\" 'n' \\n \\x41",
    "%s%n%d",
    "#include <stdio.h>",
    "\xc3\xa9t\xc3\xa9 \xe2\x84\x83 \xf0\x9f\x8c\xa1",
    ("\xe2\x80\xae"
     "drowssap"),
    "__asm__(\"nop\");",
    "</script><script>alert(1)</script>",
    "$(reboot) `reboot`",
    "int",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
    "4567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
    "890123456789",
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void give_up(const struct maker *m, const char *why)
{
    (void)fprintf(stderr, "random_net(%llu): %s\n", (unsigned long long)m->seed, why);
    abort();
}

/* low..high, both included. */
static int64_t pick(struct maker *m, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(&m->rng, (uint64_t)(high - low) + 1);
}

static int pick_int(struct maker *m, int low, int high)
{
    return (int)pick(m, low, high);
}

static bool chance(struct maker *m, int percent)
{
    return pick(m, 0, 99) < percent;
}

static const char *pick_name(struct maker *m)
{
    return names[pick_int(m, 0, COUNT(names) - 1)];
}

static enum type pick_hidden(struct maker *m)
{
    static const enum type types[] = {TYPE_I16, TYPE_I16, TYPE_I8, TYPE_U8};
    return types[pick_int(m, m->narrow ? 2 : 0, 3)];
}

static int new_tensor(struct maker *m, enum type type, int width)
{
    int tensor = net_add_tensor(m->net, type, width);
    if (tensor < 0) {
        give_up(m, "too many tensors");
    }
    return tensor;
}

static void *take(struct maker *m, size_t count, size_t size)
{
    void *memory = arena_alloc(m->net->arena, count, size);
    if (!memory) {
        give_up(m, "out of memory");
    }
    return memory;
}

static int append(struct maker *m, const struct layer *layer)
{
    if (!net_add_layer(m->net, layer)) {
        give_up(m, "out of memory");
    }
    return layer->output;
}

static enum type type_of(const struct maker *m, int tensor)
{
    return m->net->tensors[tensor].type;
}

static int width_of(const struct maker *m, int tensor)
{
    return m->net->tensors[tensor].width;
}

/* ---- convert ---- */

/* One zero and shift for all elements, among them those of full-range readings. */
static void uniform_convert(struct maker *m, enum type in, int32_t *zero, uint8_t *shift, int width)
{
    int32_t common = in == TYPE_U16 ? 32768 : in == TYPE_U8 ? 128 : 0;
    common = chance(m, 60) ? common : pick_int(m, -65536, 65536);
    int by = chance(m, 40) ? 0 : pick_int(m, 0, NET_ZERO_SHIFT_MAX);
    for (int j = 0; j < width; j++) {
        zero[j] = common;
        shift[j] = (uint8_t)by;
    }
}

static void mixed_convert(struct maker *m, enum type in, int32_t *zero, uint8_t *shift, int width)
{
    for (int j = 0; j < width; j++) {
        zero[j] = chance(m, 20) ? pick_int(m, -65536, 65536)
                                : (int32_t)pick(m, type_low(in), type_high(in));
        shift[j] =
            (uint8_t)(chance(m, 50) ? pick_int(m, 0, 3) : pick_int(m, 0, NET_ZERO_SHIFT_MAX));
    }
}

static int convert(struct maker *m, int input)
{
    int width = width_of(m, input);
    int output = new_tensor(m, chance(m, 60) ? TYPE_I16 : pick_hidden(m), width);
    int32_t *zero = take(m, (size_t)width, sizeof *zero);
    uint8_t *shift = take(m, (size_t)width, sizeof *shift);
    (chance(m, 50) ? uniform_convert : mixed_convert)(m, type_of(m, input), zero, shift, width);
    struct layer layer = {.op = OP_CONVERT,
                          .inputs = {input},
                          .input_count = 1,
                          .output = output,
                          .zero = zero,
                          .shift = shift};
    return append(m, &layer);
}

/* ---- dense ---- */

static enum activation pick_activation(struct maker *m, enum type type)
{
    static const enum activation on_i16[] = {ACTIVATION_CUBIC, ACTIVATION_PSIG, ACTIVATION_LEAKY,
                                             ACTIVATION_CLIP,  ACTIVATION_RELU, ACTIVATION_ABS,
                                             ACTIVATION_NONE};
    static const enum activation on_u8[] = {ACTIVATION_RELU, ACTIVATION_ABS, ACTIVATION_NONE};
    if (type == TYPE_I32) {
        return ACTIVATION_NONE;
    }
    if (type == TYPE_U8) {
        return on_u8[pick_int(m, 0, COUNT(on_u8) - 1)];
    }
    return on_i16[pick_int(m, type == TYPE_I16 ? 0 : 2, COUNT(on_i16) - 1)];
}

/* Weights of one row: ordinary, sparse, at the ends, powers of two, or none at all. */
static void fill_row(struct maker *m, int16_t *row, int columns, int limit)
{
    int kind = m->narrow && chance(m, 85) ? 9 : pick_int(m, 0, 9);
    for (int j = 0; j < columns; j++) {
        int value = pick_int(m, -limit, limit);
        if (kind == 0) {
            value = 0;
        } else if (kind == 1) {
            value = chance(m, 50) ? limit : -limit;
        } else if (kind <= 3) {
            value = chance(m, 60) ? 0 : value;
        } else if (kind == 4) {
            int power = 1 << pick_int(m, 0, 14);
            value = power > limit ? 1 : chance(m, 50) ? power : -power;
        }
        row[j] = (int16_t)value;
    }
}

/* sum |w| * max|a|, by hand: independent of what it is going to test. */
static int64_t row_sum(const int16_t *row, int columns, const struct interval *in)
{
    int64_t sum = 0;
    for (int j = 0; j < columns; j++) {
        int64_t most = llabs(in[j].low) > llabs(in[j].high) ? llabs(in[j].low) : llabs(in[j].high);
        sum += abs(row[j]) * most;
    }
    return sum;
}

/* Halve the row's weights until it stays within `limit`. */
static int64_t shrink_row(int16_t *row, int columns, const struct interval *in, int64_t limit)
{
    int64_t sum = row_sum(row, columns, in);
    while (sum > limit) {
        for (int j = 0; j < columns; j++) {
            row[j] = (int16_t)(row[j] / 2);
        }
        sum = row_sum(row, columns, in);
    }
    return sum;
}

/* A bias within +-room: at the very edge of the bound, anywhere, or of ordinary size. */
static int32_t pick_bias(struct maker *m, int64_t room, int shift)
{
    int64_t usual = (int64_t)1 << (shift + 14 > 30 ? 30 : shift + 14);
    int64_t rounding = shift > 0 ? (int64_t)1 << (shift - 1) : 0;
    int64_t bias = pick(m, -usual, usual) + rounding;
    int kind = pick_int(m, 0, 9);
    if (kind == 0) {
        bias = chance(m, 50) ? room : -room;
    } else if (kind == 1) {
        bias = pick(m, -room, room);
    } else if (kind == 2) {
        bias = 0;
    }
    return (int32_t)(bias > room ? room : bias < -room ? -room : bias);
}

/* A shift that leaves most results inside of the type, more or less. */
static int pick_shift(struct maker *m, int64_t sum, enum type type)
{
    if (type == TYPE_I32) {
        return chance(m, 70) ? 0 : pick_int(m, 0, 8);
    }
    if (chance(m, 8)) {
        return chance(m, 50) ? 0 : NET_SHIFT_MAX;
    }
    int shift = 0;
    while (sum >> shift > type_high(type)) {
        shift++;
    }
    shift += pick_int(m, -3, 1);
    return shift < 0 ? 0 : shift;
}

static int pick_bits(struct maker *m)
{
    if (m->narrow) {
        return pick_int(m, 4, 6);
    }
    return chance(m, 85) ? pick_int(m, 2, 9) : pick_int(m, 10, 16);
}

/* Fill weights, bias and shift so that every row's bound is at most `limit`. */
static void fill_dense(struct maker *m, struct layer *layer, const struct interval *in,
                       int64_t limit)
{
    int rows = layer->weights.rows;
    int columns = layer->weights.columns;
    int16_t *values = take(m, (size_t)rows * (size_t)columns, sizeof *values);
    int32_t *bias = take(m, (size_t)rows, sizeof *bias);
    uint8_t *shift = take(m, (size_t)rows, sizeof *shift);
    bool even = chance(m, 30); /* one shift for all rows */
    for (int i = 0; i < rows; i++) {
        int16_t *row = values + (size_t)i * (size_t)columns;
        fill_row(m, row, columns, weight_limit(layer->weights.bits));
        int64_t most = m->narrow ? pick(m, 30000, chance(m, 90) ? 32600 : 80000) : limit;
        int64_t sum = shrink_row(row, columns, in, most < limit ? most : limit);
        int by = pick_shift(m, sum, type_of(m, layer->output));
        shift[i] = even && i > 0 ? shift[0] : (uint8_t)by;
        bias[i] = pick_bias(m, limit - sum, m->narrow ? shift[i] / 2 : shift[i]);
    }
    layer->weights.values = values;
    layer->bias = bias;
    layer->shift = shift;
}

static int dense(struct maker *m, int input, enum type type, int width, int64_t limit)
{
    struct interval *ranges[NET_TENSORS_MAX];
    int output = new_tensor(m, type, width);
    if (!net_ranges(m->net, m->net->arena, ranges)) {
        give_up(m, "out of memory");
    }
    struct layer layer = {.op = OP_DENSE, .inputs = {input}, .input_count = 1, .output = output};
    layer.activation = pick_activation(m, type);
    layer.weights.bits = pick_bits(m);
    layer.weights.rows = width;
    layer.weights.columns = width_of(m, input);
    fill_dense(m, &layer, ranges[input], limit);
    return append(m, &layer);
}

/* ---- joints ---- */

static int concat(struct maker *m, const int *inputs, int count)
{
    struct layer layer = {.op = OP_CONCAT, .input_count = count};
    int width = 0;
    for (int k = 0; k < count; k++) {
        layer.inputs[k] = inputs[k];
        width += width_of(m, inputs[k]);
    }
    layer.output = new_tensor(m, type_of(m, inputs[0]), width);
    return append(m, &layer);
}

/* Dense layers from `near` and `far` to i32, summed: a skip.  Their bounds add up to 2^31 - 1. */
static int skip(struct maker *m, int near, int far, enum type type, int width)
{
    int count = pick_int(m, 2, NET_LAYER_INPUTS);
    struct layer layer = {.op = OP_ADD, .input_count = count};
    for (int k = 0; k < count; k++) {
        int from = k == 0 || (k > 1 && chance(m, 50)) ? near : far;
        layer.inputs[k] = dense(m, from, TYPE_I32, width, INT32_MAX / count);
    }
    if (chance(m, 10)) { /* the same tensor twice is legal */
        layer.inputs[count - 1] = layer.inputs[0];
        m->net->layer_count--;
        m->net->tensor_count--;
    }
    layer.output = new_tensor(m, type, width);
    return append(m, &layer);
}

/* Several dense layers of one type, behind each other in one tensor. */
static int branches(struct maker *m, int near, int far, enum type type, int width)
{
    int parts[NET_LAYER_INPUTS];
    int count = width < NET_LAYER_INPUTS ? width : pick_int(m, 2, NET_LAYER_INPUTS);
    for (int k = 0; k < count; k++) {
        int share = width / count + (k < width % count);
        parts[k] = dense(m, k == 0 ? near : chance(m, 50) ? near : far, type, share, INT32_MAX);
    }
    return count > 1 ? concat(m, parts, count) : parts[0];
}

/* One hidden block: from `near`, perhaps with a look back at `far`. */
static int grow(struct maker *m, int near, int far)
{
    int width = pick_int(m, m->narrow ? 8 : 1, 24);
    int kind = pick_int(m, 0, 9);
    if (kind == 0) {
        return skip(m, near, far, pick_hidden(m), width);
    }
    if (kind == 1) {
        return branches(m, near, far, pick_hidden(m), width);
    }
    int output = dense(m, near, pick_hidden(m), width, INT32_MAX);
    if (chance(m, 25) && type_of(m, output) == type_of(m, far)) {
        return concat(m, (const int[]){output, far}, 2);
    }
    return output;
}

static int finish(struct maker *m, int near, int far)
{
    static const enum type types[] = {TYPE_I16, TYPE_I16, TYPE_I8, TYPE_U8, TYPE_I32};
    enum type type = types[pick_int(m, 0, 4)];
    int width = pick_int(m, 1, 12);
    int kind = pick_int(m, 0, 9);
    if (kind < 4) {
        return skip(m, near, far, type, width);
    }
    return kind == 4 ? branches(m, near, far, type, width) : dense(m, near, type, width, INT32_MAX);
}

/* ---- what it means ---- */

/* One draw per statement, here and below: the order inside of an initialiser is the compiler's. */
static struct decimal pick_decimal(struct maker *m)
{
    bool extreme = chance(m, 5);
    struct decimal decimal;
    decimal.digits =
        extreme ? pick(m, -DECIMAL_DIGITS_MAX, DECIMAL_DIGITS_MAX) : pick(m, -99999, 99999);
    decimal.exponent =
        extreme ? pick_int(m, -DECIMAL_EXPONENT_MAX, DECIMAL_EXPONENT_MAX) : pick_int(m, -6, 3);
    return decimal;
}

static struct channel *pick_channels(struct maker *m, int count)
{
    static const int steps[] = {1, 2, 5};
    struct channel *channels = take(m, (size_t)count, sizeof *channels);
    for (int j = 0; j < count; j++) {
        channels[j].name = pick_name(m);
        channels[j].unit = pick_name(m);
        channels[j].lsb.digits = steps[pick_int(m, 0, 2)];
        channels[j].lsb.exponent = pick_int(m, -9, 3);
        channels[j].low = pick_decimal(m);
        channels[j].high = pick_decimal(m);
        if (chance(m, 30)) {
            channels[j].offset = pick_decimal(m);
        }
    }
    return channels;
}

static struct provenance pick_provenance(struct maker *m)
{
    struct provenance provenance = {0};
    provenance.options = pick_name(m);
    provenance.method = pick_name(m);
    provenance.data_hash = chance(m, 50) ? "0123456789abcdef" : "";
    provenance.score.known = chance(m, 50);
    if (provenance.score.known) {
        provenance.score.value = pick_decimal(m);
        provenance.score.rows = pick(m, 1, NET_ROWS_MAX);
    }
    return provenance;
}

static bool describe(struct maker *m)
{
    struct net *net = m->net;
    int outputs = width_of(m, net->output);
    const char *classes[4 * 24];
    for (int i = 0; i < outputs; i++) {
        classes[i] = pick_name(m);
    }
    const char *label = pick_name(m);
    const struct channel *in = pick_channels(m, width_of(m, net->input));
    const struct channel *out = pick_channels(m, outputs);
    struct provenance provenance = pick_provenance(m);
    bool classify = outputs >= 2 && chance(m, 25);
    return net_set_channels(net, in, out) && (!classify || net_set_classes(net, classes, label)) &&
           net_set_provenance(net, &provenance);
}

static void build(struct maker *m)
{
    static const enum type types[] = {TYPE_U16, TYPE_I16, TYPE_U8, TYPE_I8};
    enum type type = types[pick_int(m, m->narrow ? 2 : 0, 3)];
    int input = new_tensor(m, type, m->narrow ? pick_int(m, 6, 48) : pick_int(m, 1, 24));
    m->net->input = input;
    bool direct = type_of(m, input) != TYPE_U16 && (m->narrow || chance(m, 40));
    int first = direct ? input : convert(m, input);
    int near = first;
    int far = first;
    for (int hidden = pick_int(m, 0, 3); hidden > 0; hidden--) {
        int next = grow(m, near, far);
        far = chance(m, 60) ? first : near;
        near = next;
    }
    m->net->output = finish(m, near, far);
}

static struct net *finished_net(struct maker m)
{
    m.net = net_new(names[rng_below(&m.rng, COUNT(names))]);
    if (!m.net) {
        give_up(&m, "out of memory");
    }
    build(&m);
    struct error err = {0};
    if (!describe(&m)) {
        give_up(&m, "out of memory");
    }
    if (!net_check(m.net, "random net", &err)) {
        give_up(&m, err.message);
    }
    return m.net;
}

struct net *random_net(uint64_t seed)
{
    return finished_net((struct maker){.rng = rng_new(seed, 77), .seed = seed});
}

struct net *random_narrow_net(uint64_t seed)
{
    return finished_net((struct maker){.rng = rng_new(seed, 76), .seed = seed, .narrow = true});
}

/* ---- inputs ---- */

/* A code at or near a place where something changes. */
static int32_t corner(struct rng *rng, int32_t low, int32_t high)
{
    int32_t middle = low + (high - low) / 2;
    const int32_t codes[] = {low, high, low + 1, high - 1, 0, low < 0 ? -1 : 1, middle, middle + 1};
    return codes[rng_below(rng, COUNT(codes))];
}

static int32_t input_code(struct rng *rng, int vector, int j, const struct tensor *input)
{
    int32_t low = type_low(input->type);
    int32_t high = type_high(input->type);
    const int32_t all[] = {low, high, j % 2 ? low : high, j % 2 ? high : low, 0, (low + high) / 2};
    if (vector < COUNT(all)) {
        return all[vector];
    }
    if (vector <
        COUNT(all) + 2 * input->width) { /* one element at one end, the others at the other */
        int odd = vector - COUNT(all);
        return (odd / 2 == j) == (odd % 2 == 0) ? low : high;
    }
    if (vector % 4 == 0) {
        return corner(rng, low, high);
    }
    return low + (int32_t)rng_below(rng, (uint64_t)(high - low) + 1);
}

void random_inputs(const struct net *net, uint64_t seed, int count, int32_t *codes)
{
    struct rng rng = rng_new(seed, 78);
    const struct tensor *input = &net->tensors[net->input];
    for (int vector = 0; vector < count; vector++) {
        for (int j = 0; j < input->width; j++) {
            *codes++ = input_code(&rng, vector, j, input);
        }
    }
}
