/* The packed kernel: two rows in one 32-bit word, so that one multiplication does the work of two.
 *
 * A word holds low + high * 2^16.  Sums are made modulo 2^32, so what happens on the way does not
 * matter: where both final sums lie in 0..65535, the word's halves are these sums.  A row's range
 * is known exactly; an offset in its bias moves it there and is taken back behind the shift.  A
 * range of more than 65536 values does not fit, and such a row is computed in a straight line. */
#include "emit/kernel.h"

#include <stdio.h>
#include <string.h>

/* Columns that are written behind each other: what the Cortex-M0's loads reach from one pointer. */
#define PACK_COLUMNS 32

/* ---- which rows fit ---- */

struct interval pack_offsets(const struct plan *plan, int index, int row, int64_t values)
{
    const struct layer *layer = &plan->net->layers[index];
    struct interval acc = plan->steps[index].sums[row];
    int shift = layer->shift[row];
    int64_t unit = (int64_t)1 << shift;
    return (struct interval){floor_shift(acc.high - (values - 1) + unit - 1, shift),
                             floor_shift(acc.low, shift)};
}

/* May this row share a word?  Rows that are constants need none: those without weights, and those
 * that their clamp leaves one value. */
static bool fits(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    struct interval offsets = pack_offsets(plan, index, row, PACK_VALUES);
    struct interval kept = plan_kept(layer->activation, plan->net->tensors[layer->output].type);
    struct interval acc = net_row_range(layer, row, plan->ranges[layer->inputs[0]]);
    bool varies = floor_shift(acc.high, layer->shift[row]) > kept.low &&
                  floor_shift(acc.low, layer->shift[row]) < kept.high;
    return offsets.low <= offsets.high && varies && plan_row_used(layer, row);
}

int64_t pack_widest(const struct plan *plan, int index, int *row)
{
    const struct layer *layer = &plan->net->layers[index];
    int64_t widest = 0;
    for (int i = 0; i < layer->weights.rows; i++) {
        struct interval acc = plan->steps[index].sums[i];
        int64_t unit = (int64_t)1 << layer->shift[i];
        int64_t values = acc.high - floor_shift(acc.low, layer->shift[i]) * unit + 1;
        *row = values > widest ? i : *row;
        widest = values > widest ? values : widest;
    }
    return widest;
}

/* ---- offsets ---- */

/* One offset for all rows that fit, the one nearest to zero; false where they have none in common.
 */
static bool common_offset(const struct plan *plan, int index, int64_t values, int32_t *offset)
{
    struct interval common = {INT32_MIN, INT32_MAX};
    for (int row = 0; row < plan->net->layers[index].weights.rows; row++) {
        struct interval offsets = pack_offsets(plan, index, row, values);
        if (offsets.low <= offsets.high) {
            common.low = offsets.low > common.low ? offsets.low : common.low;
            common.high = offsets.high < common.high ? offsets.high : common.high;
        }
    }
    *offset = (int32_t)(common.low > 0 ? common.low : common.high < 0 ? common.high : 0);
    return common.low <= common.high;
}

/* The offset 2^15 makes the highest bit of half a word the sign of its sum: both halves of a word
 * go through ReLU by masks, where every row that fits is small enough and shifts alike.  That is
 * cheaper than two clamps on both sides, and its time is constant. */
#define LANE_SIGN 15

static bool lanes_fit(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    int shift = layer->shift[0];
    bool both = plan->steps[index].range.high > type_high(plan->net->tensors[layer->output].type);
    bool wanted = plan->options->constant_time || (plan->machine->lanes && both);
    bool fit = wanted && shift <= LANE_SIGN && layer->activation == ACTIVATION_RELU &&
               plan->steps[index].shift.uniform;
    for (int row = 0; fit && row < layer->weights.rows; row++) {
        struct interval sums = plan->steps[index].sums[row];
        struct interval offsets = pack_offsets(plan, index, row, PACK_VALUES);
        fit = offsets.low > offsets.high ||
              (sums.low >= -PACK_VALUES / 2 && sums.high < PACK_VALUES / 2);
    }
    return fit;
}

bool pack_prepare(struct plan *plan, int index, int64_t values)
{
    struct step *step = &plan->steps[index];
    int rows = plan->net->layers[index].weights.rows;
    int32_t *offsets = arena_alloc(plan->arena, (size_t)rows, sizeof *offsets);
    int32_t common = 0;
    bool uniform = common_offset(plan, index, values, &common);
    step->lanes = false;
    for (int row = 0; offsets && row < rows; row++) {
        struct interval own = pack_offsets(plan, index, row, values);
        bool alone = !uniform && own.low <= own.high;
        offsets[row] = alone ? (int32_t)own.high : common;
    }
    if (offsets) {
        step->offset = series_of('o', step->number, (struct numbers){.i32 = offsets}, rows);
    }
    return offsets != NULL;
}

bool pack_prepare_words(struct plan *plan, int index)
{
    struct step *step = &plan->steps[index];
    int rows = plan->net->layers[index].weights.rows;
    if (!lanes_fit(plan, index)) {
        return pack_prepare(plan, index, PACK_VALUES);
    }
    int32_t *offsets = arena_alloc(plan->arena, (size_t)rows, sizeof *offsets);
    for (int row = 0; offsets && row < rows; row++) {
        offsets[row] = -((PACK_VALUES / 2) >> step->shift.value);
    }
    if (offsets) {
        step->lanes = true;
        step->offset = series_of('o', step->number, (struct numbers){.i32 = offsets}, rows);
    }
    return offsets != NULL;
}

/* ---- the sum of a pair of rows ---- */

static struct helper pack_helper(const struct plan *plan, int index)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->views[layer->inputs[0]].type;
    return (struct helper){HELPER_PAIR, ACTIVATION_NONE, type, type, layer->weights.columns};
}

/* ---- tables ---- */

/* "POSE_PAIR(-3, 17)" behind each other, wrapped. */
void pack_print(struct printer *p, int64_t low, int64_t high, size_t *column)
{
    char text[ELEMENT_MAX];
    char numbers[2][GROUPED_MAX];
    (void)snprintf(text, sizeof text, "%s_PAIR(%s, %s)", p->plan->upper, literal(low, numbers[0]),
                   literal(high, numbers[1]));
    if (*column == 0) {
        text_add(p->out, text);
        *column = 9;
    } else if (*column + strlen(text) + 4 > 100) {
        text_printf(p->out, ",\n         %s", text);
        *column = 9;
    } else {
        text_printf(p->out, ", %s", text);
        *column += 2;
    }
    *column += strlen(text);
}

int32_t pack_bias(const struct plan *plan, int index, int row)
{
    const struct layer *layer = &plan->net->layers[index];
    int64_t unit = (int64_t)1 << layer->shift[row];
    int64_t offset = number_at(plan->steps[index].offset.numbers, (size_t)row) * unit;
    uint32_t bias = (uint32_t)((int64_t)layer->bias[row] - offset);
    return bias <= INT32_MAX ? (int32_t)bias : -(int32_t)(UINT32_MAX - bias) - 1;
}

void print_biases(struct printer *p, int index)
{
    int rows = p->plan->net->layers[index].weights.rows;
    char number[GROUPED_MAX];
    text_printf(p->out, "    static const int32_t b%d[%d] %s_FLASH = {\n        ",
                p->plan->steps[index].number, rows, p->plan->upper);
    for (int row = 0; row < rows; row++) {
        text_printf(p->out,
                    row == 0  ? "%s"
                    : row % 6 ? ", %s"
                              : ",\n        %s",
                    literal(pack_bias(p->plan, index, row), number));
    }
    text_add(p->out, "\n    };\n");
}

/* Bias and weights of two rows, column by column. */
static void print_pair_row(struct printer *p, int index, int row)
{
    const struct layer *layer = &p->plan->net->layers[index];
    size_t columns = (size_t)layer->weights.columns;
    const int16_t *low = layer->weights.values + (size_t)row * columns;
    size_t column = 0;
    text_add(p->out, "        {");
    pack_print(p, pack_bias(p->plan, index, row), pack_bias(p->plan, index, row + 1), &column);
    for (size_t j = 0; j < columns; j++) {
        pack_print(p, low[j], low[columns + j], &column);
    }
    text_add(p->out, "},\n");
}

static void tables(struct printer *p, int index)
{
    const struct step *step = &p->plan->steps[index];
    const struct choice *choice = plan_choice(p->plan, index);
    text_printf(p->out, "    static const uint32_t p%d[%d][1 + %d] %s_FLASH = {\n", step->number,
                plan_rows_of(p->plan, index, &kernel_packed) / 2,
                p->plan->net->layers[index].weights.columns, p->plan->upper);
    for (int i = 0; i < choice->span_count; i++) {
        const struct span *span = &choice->spans[i];
        for (int row = 0; span->kernel == &kernel_packed && row < span->rows; row += 2) {
            print_pair_row(p, index, span->first + row);
        }
    }
    text_add(p->out, "    };\n");
}

/* ---- statements ---- */

/* "4 + i", "2 * i + 5": where a loop over pairs stands; "5" for a pair alone. */
static const char *index_text(const struct span *span, const char *factor, int first,
                              char text[ELEMENT_MAX])
{
    if (span->rows == 2) {
        (void)snprintf(text, ELEMENT_MAX, "%d", first);
    } else {
        (void)snprintf(text, ELEMENT_MAX,
                       !first    ? "%si"
                       : *factor ? "(%si) + %d"
                                 : "%si + %d",
                       factor, first);
    }
    return text;
}

/* " + 3", " - o1[i]": the offset taken back. */
static void print_offset(struct printer *p, int index, const char *row)
{
    const struct series *offset = &p->plan->steps[index].offset;
    char text[ELEMENT_MAX];
    if (!offset->uniform || offset->value > 0) {
        text_printf(p->out, " + %s", series_at(p->plan, offset, row, text));
    } else if (offset->value < 0) {
        text_printf(p->out, " - %s", literal(-(int64_t)offset->value, text));
    }
}

void pack_print_half(struct printer *p, int index, const char *row, const char *half)
{
    const struct series *shift = &p->plan->steps[index].shift;
    char text[ELEMENT_MAX];
    text_printf(p->out, "(int32_t)(%s", half);
    if (!shift->uniform || shift->value != 0) {
        text_printf(p->out, " >> %s", series_at(p->plan, shift, row, text));
    }
    text_add(p->out, ")");
    print_offset(p, index, row);
}

/* Both halves of a word behind their shifts, then with the offsets taken back; `ones`: the bits of
 * each half that are kept. */
static void print_values(struct printer *p, int index, const struct pack_word *word,
                         const int64_t ones[2])
{
    const struct series *shift = &p->plan->steps[index].shift;
    static const char *const names[] = {"low", "high"};
    char text[ELEMENT_MAX];
    for (int k = 0; k < 2; k++) {
        bool shifts = !shift->uniform || shift->value != 0;
        bool high = k == 1;
        bool masks = !high || ones[k] != PACK_VALUES - 1;
        text_printf(p->out, "        const uint32_t %s%s = %s%s%s%s", names[k], word->suffix,
                    shifts ? "(" : "", high && masks ? "(" : "", word->name, high ? " >> 16" : "");
        text_add(p->out, high && masks ? ")" : "");
        if (masks) {
            text_printf(p->out, " & 0x%llXU", (unsigned long long)ones[k]);
        }
        text_add(p->out, shifts ? ")" : "");
        if (shifts) {
            text_printf(p->out, " >> %s", series_at(p->plan, shift, word->rows[k], text));
        }
        text_add(p->out, ";\n");
    }
    for (int k = 0; k < 2; k++) {
        text_printf(p->out, "        const int32_t z%c%s = (int32_t)%s%s", *names[k], word->suffix,
                    names[k], word->suffix);
        print_offset(p, index, word->rows[k]);
        text_add(p->out, ";\n");
    }
}

/* All ones, as many as the sums of rows first, first + stride ... of a span need. */
static int64_t half_ones(const struct plan *plan, int index, const struct pack_word *word, int half)
{
    int64_t ones = 1;
    for (int row = word->first + half; row < word->end; row += word->stride) {
        int64_t unit = (int64_t)1 << plan->net->layers[index].shift[row];
        int64_t offset = number_at(plan->steps[index].offset.numbers, (size_t)row);
        while (ones < plan->steps[index].sums[row].high - offset * unit) {
            ones += ones + 1;
        }
    }
    return ones;
}

/* What those rows may be behind shift and offset: by their sums (ones: 0), or by the ones that a
 * half of their word may be. */
static struct interval half_range(const struct plan *plan, int index, const struct pack_word *word,
                                  int half, int64_t ones)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct interval *in = plan->ranges[layer->inputs[0]];
    struct interval range = {INT32_MAX, INT32_MIN};
    for (int row = word->first + half; row < word->end; row += word->stride) {
        int shift = layer->shift[row];
        struct interval acc = net_row_range(layer, row, in);
        int64_t offset = number_at(plan->steps[index].offset.numbers, (size_t)row);
        int64_t low = ones ? offset : floor_shift(acc.low, shift);
        int64_t high = ones ? offset + (ones >> shift) : floor_shift(acc.high, shift);
        range.low = low < range.low ? low : range.low;
        range.high = high > range.high ? high : range.high;
    }
    return range;
}

/* z within what the activation keeps, as C; only the sides that z may leave. */
static const char *clamped(const struct plan *plan, struct interval range, struct interval kept,
                           const char *z, char text[ELEMENT_MAX])
{
    int low = (int)kept.low;
    int high = (int)kept.high;
    bool leaves = range.low < kept.low || range.high > kept.high;
    if (leaves && plan->options->constant_time) {
        steady_clamp(plan, z, kept, text);
    } else if (range.low < kept.low && range.high > kept.high) {
        (void)snprintf(text, ELEMENT_MAX, "(%s > %d) ? %d : ((%s < %d) ? %d : %s)", z, high, high,
                       z, low, low, z);
    } else if (range.low < kept.low) {
        (void)snprintf(text, ELEMENT_MAX, "(%s < %d) ? %d : %s", z, low, low, z);
    } else if (range.high > kept.high) {
        (void)snprintf(text, ELEMENT_MAX, "(%s > %d) ? %d : %s", z, high, high, z);
    } else {
        (void)snprintf(text, ELEMENT_MAX, "%s", z);
    }
    return text;
}

/* b[2 * i] = f(z), written out where f only clamps. */
static void print_result(struct printer *p, int index, const char *row, struct interval range,
                         const char *z)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    bool clamps = plan_clamps_only(layer->activation) && type != TYPE_I32;
    char text[ELEMENT_MAX];
    text_add(p->out, "        ");
    const char *end = print_target(p, index, row, plan_acts(plan, index) && !clamps);
    text_add(p->out,
             clamps ? clamped(plan, range, plan_kept(layer->activation, type), z, text) : z);
    text_add(p->out, end);
}

void pack_print_within(struct printer *p, int index, const char *row, struct interval range,
                       const char *z)
{
    print_result(p, index, row, range, z);
}

void pack_print_result(struct printer *p, int index, const char *row)
{
    print_result(p, index, row, p->plan->steps[index].range, "z");
}

/* A row behind ReLU in bytes: its sums are proved to stay below a power of two, so a mask that
 * changes nothing tells a prover, who does not know the sums modulo 2^32.  Where only packed rows
 * read it (memory.c), the byte itself is narrow enough, and costs nothing. */
static void print_masked(struct printer *p, int index, const char *row, struct interval sums,
                         const char *z)
{
    text_printf(p->out, "        {\n        const int32_t v%s = (%s < 0) ? 0 : %s;\n        ",
                z + 1, z, z);
    const char *end = print_target(p, index, row, false);
    bool packed = p->plan->net->tensors[p->plan->net->layers[index].output].type != TYPE_U8;
    text_printf(p->out, "(uint32_t)v%s & %uU%s        }\n", z + 1,
                packed ? 255U : mask_ones(sums.high), end);
}

/* "const uint32_t sign = BITS & 0x10001U;", hidden where time is to be constant. */
static void print_flags(struct printer *p, const char *name, const char *suffix, const char *bits)
{
    bool steady = p->plan->options->constant_time;
    text_printf(p->out, "        const uint32_t %s%s = ", name, suffix);
    text_printf(p->out,
                steady ? "%s_hide((%s >> 15) & 0x10001U);\n" : "%.0s(%s >> 15) & 0x10001U;\n",
                p->plan->name, bits);
}

/* Both halves at once: a mask of the sums that are not negative, then ones below the highest bits
 * of those that are too large, then the bits of a result. */
static void print_lanes(struct printer *p, int index, const struct pack_word *word)
{
    const struct layer *layer = &p->plan->net->layers[index];
    int shift = p->plan->steps[index].shift.value;
    unsigned high = (unsigned)type_high(p->plan->net->tensors[layer->output].type);
    int bits = shift;
    while (high >> (bits - shift)) {
        bits++;
    }
    const char *x = word->suffix;
    print_flags(p, "sign", x, word->name);
    text_printf(p->out, "        const uint32_t sums%s = %s & ((sign%s << 15) - sign%s);\n", x,
                word->name, x, x);
    if (bits < LANE_SIGN) {
        unsigned room = (1U << LANE_SIGN) - (1U << bits);
        char text[ELEMENT_MAX];
        (void)snprintf(text, sizeof text, "(sums%.4s + 0x%XU)", x, room * 0x10001U);
        print_flags(p, "over", x, text);
        text_printf(p->out, "        const uint32_t kept%s = sums%s | ((over%s << %d) - over%s);\n",
                    x, x, x, bits, x);
    }
    for (int k = 0; k < 2; k++) {
        text_printf(p->out, "        const uint32_t half%d%s = (%s%s >> %d) & %uU;\n", k, x,
                    bits < LANE_SIGN ? "kept" : "sums", x, shift + 16 * k,
                    high >> (bits < LANE_SIGN ? 0 : bits - LANE_SIGN));
    }
    for (int k = 0; k < 2; k++) {
        text_add(p->out, "        ");
        const char *end = print_target(p, index, word->rows[k], false);
        text_printf(p->out, "half%d%s%s", k, x, end);
    }
}

/* What a prover, who does not know the sums modulo 2^32, takes the halves for: all that they hold,
 * or, where only that would leave what the activation keeps, the bits that they need. */
static int64_t known_ones(const struct plan *plan, int index, const struct pack_word *word, int k)
{
    const struct layer *layer = &plan->net->layers[index];
    enum type type = plan->net->tensors[layer->output].type;
    int64_t high = plan_kept(layer->activation, type).high;
    int64_t needed = half_ones(plan, index, word, k);
    bool leaves = half_range(plan, index, word, k, PACK_VALUES - 1).high > high;
    bool stays = half_range(plan, index, word, k, needed).high <= high;
    return type != TYPE_I32 && plan_clamps_only(layer->activation) && leaves && stays
               ? needed
               : PACK_VALUES - 1;
}

/* A row behind ReLU in a buffer of bytes, whose sums stay in its type. */
static bool fits_byte(const struct plan *plan, int index, struct interval sums)
{
    const struct layer *layer = &plan->net->layers[index];
    return plan->views[layer->output].type == TYPE_U8 && !plan->options->constant_time &&
           layer->activation == ACTIVATION_RELU && sums.low < 0 &&
           sums.high <= type_high(plan->net->tensors[layer->output].type);
}

/* What is stored in less than a word is masked, or clamped unless half a word cannot leave its
 * type. */
void pack_print_word(struct printer *p, int index, const struct pack_word *word)
{
    const struct plan *plan = p->plan;
    enum type view = plan->views[plan->net->layers[index].output].type;
    static const char *const names[] = {"zl", "zh"};
    struct interval sums[2];
    int64_t ones[2];
    char z[8];
    if (plan->steps[index].lanes) {
        print_lanes(p, index, word);
        return;
    }
    for (int k = 0; k < 2; k++) {
        sums[k] = half_range(plan, index, word, k, 0);
        bool whole = view == TYPE_I32 || fits_byte(plan, index, sums[k]);
        ones[k] = whole ? PACK_VALUES - 1 : known_ones(plan, index, word, k);
    }
    print_values(p, index, word, ones);
    for (int k = 0; k < 2; k++) {
        struct interval half = half_range(plan, index, word, k, ones[k]);
        (void)snprintf(z, sizeof z, "%s%.4s", names[k], word->suffix);
        if (fits_byte(plan, index, sums[k])) {
            print_masked(p, index, word->rows[k], sums[k], z);
        } else {
            print_result(p, index, word->rows[k], view == TYPE_I32 ? sums[k] : half, z);
        }
    }
}

static void span_statements(struct printer *p, int index, const struct span *span)
{
    const struct plan *plan = p->plan;
    const struct layer *layer = &plan->net->layers[index];
    char name[HELPER_NAME_MAX];
    char in[ELEMENT_MAX];
    char at[ELEMENT_MAX];
    char next[ELEMENT_MAX];
    if (span->rows == 2) {
        text_add(p->out, "    {\n        ");
    } else {
        print_loop(p, span->rows / 2);
    }
    text_printf(p->out, "const uint32_t s = %s(%s, p%d[%s]);\n",
                helper_name(plan, p->helpers, pack_helper(plan, index), name),
                address(plan, layer->inputs[0], in), plan->steps[index].number,
                index_text(span, "", span->before / 2, at));
    (void)index_text(span, "2 * ", span->first, at);
    (void)index_text(span, "2 * ", span->first + 1, next);
    const struct pack_word word = {.name = "s",
                                   .suffix = "",
                                   .rows = {at, next},
                                   .first = span->first,
                                   .end = span->first + span->rows,
                                   .stride = 2};
    pack_print_word(p, index, &word);
    text_add(p->out, "    }\n");
}

/* Columns that are written behind each other: all, or the largest part that divides them. */
static int unrolled(int columns)
{
    int part = columns < PACK_COLUMNS ? columns : PACK_COLUMNS;
    while (columns % part != 0) {
        part--;
    }
    return part;
}

void print_pair_helper(struct text *out, const struct plan *plan, struct helper helper,
                       const char *name)
{
    int part = unrolled(helper.columns);
    bool loops = part < helper.columns;
    const char *indent = loops ? "        " : "    ";
    text_printf(
        out,
        "/* Two rows of a layer at once, modulo 2^32: the sum of one in the low half, of the other "
        "in the\n * high half of the word.  w: their biases, then their weights. */\n"
        "static uint32_t %s(const %s *a, const uint32_t *w)\n{\n"
        "    uint32_t s = %s_U32(w, 0);\n",
        name, c_type(helper.a), plan->upper);
    if (loops) {
        text_printf(out,
                    "    const %s *x = a;\n    const uint32_t *v = w;\n"
                    "    for (%s i = 0; i < %d; i++) {\n",
                    c_type(helper.a), plan->index, helper.columns / part);
    }
    for (int j = 0; j < part; j++) {
        text_printf(out, "%ss += (uint32_t)%c[%d] * %s_U32(%c, %d);\n", indent, loops ? 'x' : 'a',
                    j, plan->upper, loops ? 'v' : 'w', j + 1);
    }
    if (loops) {
        text_printf(out, "        x = &x[%d];\n        v = &v[%d];\n    }\n", part, part);
    }
    text_add(out, "    return s;\n}\n\n");
}

/* ---- the kernel ---- */

static void count(const struct plan *plan, int index, const struct span *span,
                  struct features *features)
{
    const struct layer *layer = &plan->net->layers[index];
    const struct step *step = &plan->steps[index];
    int columns = layer->weights.columns;
    int64_t pairs = span->rows / 2;
    features->count[FEATURE_LAYER] = 1;
    features->count[FEATURE_ROW] = pairs;
    features->count[FEATURE_LOAD] = unrolled(columns);
    features->count[FEATURE_WEIGHT] = pairs * columns;
    features->count[FEATURE_CLAMP] = span_clamps(plan, index, span);
    features->count[FEATURE_ONE] = pairs * (!step->shift.uniform + !step->offset.uniform);
    features->count[FEATURE_POWER] = unrolled(columns) < columns ? pairs * columns : 0;
    features->count[FEATURE_BYTE] =
        pairs * 4 * (1 + columns) + series_bytes(&step->shift) + series_bytes(&step->offset);
}

static void need(const struct plan *plan, int index, struct helpers *helpers)
{
    helpers_need(helpers, pack_helper(plan, index));
    helpers->pairs = true;
}

const struct kernel kernel_packed = {
    .kind = KERNEL_PACKED,
    .what = "two rows in each word, one multiplication for both",
    .wraps = true,
    .shape = SHAPE_SPAN,
    .group = 2,
    .series = SERIES_SHIFT | SERIES_OFFSET,
    .words = true,
    .bytes = true,
    .clamps = true,
    .fits = fits,
    .prepare = pack_prepare_words,
    .count = count,
    .need = need,
    .tables = tables,
    .span = span_statements,
};
