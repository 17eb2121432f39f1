/* The whole net as one function in assembly: memory, layers, prologue and epilogue, the variant. */
#include "emit/thumb.h"

#include "emit/variant.h"

#include <string.h>

#define CHUNK 3500 /* characters of one string: C99 promises 4095 */
/* Up to so many weights, short code is searched for longer. */
#define SMALL_WEIGHTS 1024
#define SP_STEP       508 /* what one instruction moves sp */

/* ---- numbers of a layer ---- */

static const struct element *input_of(const struct thumb *t, const struct layer *layer, int column)
{
    return &t->elements[layer->inputs[0]][column];
}

int64_t thumb_weight(const struct thumb *t, const struct layer *layer, int row, int column)
{
    int64_t weight = layer->weights.values[row * layer->weights.columns + column];
    const struct element *element = input_of(t, layer, column);
    return (element->negative ? -weight : weight) * ((int64_t)1 << element->shift);
}

uint32_t thumb_bias(const struct thumb *t, const struct layer *layer, int row)
{
    uint32_t bias = (uint32_t)layer->bias[row];
    for (int j = 0; j < layer->weights.columns; j++) {
        bias -= (uint32_t)thumb_weight(t, layer, row, j) * (uint32_t)input_of(t, layer, j)->zero;
    }
    return bias;
}

/* ---- elements ---- */

static struct element *new_elements(struct thumb *t, int tensor)
{
    size_t width = (size_t)t->plan->net->tensors[tensor].width;
    t->elements[tensor] = thumb_alloc(t, width, sizeof(struct element));
    return t->elements[tensor];
}

static void place_input(struct thumb *t)
{
    const struct net *net = t->plan->net;
    struct element *elements = new_elements(t, net->input);
    for (int j = 0; elements && j < net->tensors[net->input].width; j++) {
        elements[j] = (struct element){.kind = PLACE_RAW, .index = j};
    }
}

/* An element of a convert, computed: it may clamp, or is an output. */
static void print_convert(struct thumb *t, int index, int j, struct ending *ending)
{
    const struct layer *layer = &t->plan->net->layers[index];
    struct interval in = t->plan->ranges[layer->inputs[0]][j];
    int64_t zero = layer->zero[j];
    int64_t unit = (int64_t)1 << layer->shift[j];
    struct interval range = {(in.low - zero) * unit, (in.high - zero) * unit};
    const struct element *from = input_of(t, layer, j);
    t->unfit = t->unfit || from->zero != 0 || from->shift != 0 || from->negative;
    thumb_element(t, 4, from, 5, false);
    if (zero != 0) {
        thumb_set(t, 5, (uint32_t)(zero < 0 ? -zero : zero));
        thumb_op(t, 1, "%s r4, r4, r5", zero < 0 ? "adds" : "subs");
    }
    if (layer->shift[j] > 0) {
        thumb_op(t, 1, "lsls r4, r4, #%d", layer->shift[j]);
    }
    thumb_end_value(t, ending, range, j, 4);
}

/* A convert that never clamps is part of the next layers' weights and biases. */
static void place_convert(struct thumb *t, int index)
{
    const struct net *net = t->plan->net;
    const struct layer *layer = &net->layers[index];
    struct ending ending = {.layer = index, .to = layer->output};
    struct element *elements = new_elements(t, layer->output);
    bool computed = layer->output == net->output || t->plan->steps[index].clamps ||
                    layer->inputs[0] != net->input;
    if (!elements || !t->elements[layer->inputs[0]]) {
        t->unfit = true;
        return;
    }
    for (int j = 0; j < net->tensors[layer->output].width; j++) {
        if (computed) {
            print_convert(t, index, j, &ending);
        } else {
            elements[j] = (struct element){
                .kind = PLACE_RAW, .index = j, .shift = layer->shift[j], .zero = layer->zero[j]};
        }
    }
    thumb_line_end(t);
}

/* The elements stay where they are. */
static void place_concat(struct thumb *t, int index)
{
    const struct net *net = t->plan->net;
    const struct layer *layer = &net->layers[index];
    struct element *to = new_elements(t, layer->output);
    t->unfit = t->unfit || layer->output == net->output;
    for (int k = 0; !t->unfit && k < layer->input_count; k++) {
        const struct element *from = t->elements[layer->inputs[k]];
        size_t width = (size_t)net->tensors[layer->inputs[k]].width;
        if (!from) {
            t->unfit = true;
            return;
        }
        memcpy(to, from, width * sizeof *to);
        to += width;
    }
}

/* The last layer that reads a tensor's elements, through any concat. */
static int last_reader(const struct net *net, int tensor)
{
    int last = -1;
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        for (int k = 0; k < layer->input_count; k++) {
            if (layer->inputs[k] == tensor) {
                int through = layer->op == OP_CONCAT ? last_reader(net, layer->output) : i;
                last = through > last ? through : last;
            }
        }
    }
    return last;
}

/* Words of the frame that layer `index` was the last to read are free again. */
static void free_elements(struct thumb *t, int index)
{
    const struct net *net = t->plan->net;
    for (int tensor = 0; tensor < net->tensor_count; tensor++) {
        bool over = t->elements[tensor] && last_reader(net, tensor) == index;
        for (int j = 0; over && j < net->tensors[tensor].width; j++) {
            const struct element *element = &t->elements[tensor][j];
            if (element->kind >= PLACE_WORD && element->index < THUMB_SLOTS) {
                t->taken[element->index] = false;
            }
        }
    }
}

/* ---- layers ---- */

/* Back to `saved`, but for the memory of the text. */
static void restore(struct thumb *t, const struct thumb *saved)
{
    struct text code = t->code;
    struct memo **memos = t->memos;
    *t = *saved;
    code.length = saved->code.length;
    t->code = code;
    t->memos = memos;
}

/* Pairs where `packed`, all other rows in a straight line. */
static void print_dense(struct thumb *t, int index, bool packed)
{
    const struct weights *weights = &t->plan->net->layers[index].weights;
    bool *done = thumb_alloc(t, (size_t)weights->rows, sizeof *done);
    if (!done) {
        return;
    }
    thumb_line_end(t);
    text_printf(&t->code, "        /* layer %d: %d -> %d */\n", t->plan->steps[index].number,
                weights->columns, weights->rows);
    if (packed) {
        thumb_pack_layer(t, index, done);
    }
    if (!t->unfit) {
        thumb_line_layer(t, index, done);
    }
}

static int64_t cost_dense(struct thumb *t, int index, bool packed)
{
    struct thumb saved = *t;
    print_dense(t, index, packed);
    int64_t cost = t->unfit ? INT64_MAX : t->cycles;
    bool no_memory = t->no_memory;
    restore(t, &saved);
    t->no_memory = no_memory;
    t->unfit = t->unfit || no_memory;
    return cost;
}

/* The faster of both kernels: the first pass compares. */
static void place_dense(struct thumb *t, int index)
{
    const struct layer *layer = &t->plan->net->layers[index];
    struct ending ending;
    if (!t->elements[layer->inputs[0]] || !thumb_ending(t, index, &ending) ||
        !new_elements(t, ending.to)) {
        t->unfit = true;
        return;
    }
    if (t->stream_total == SIZE_MAX) {
        t->packed[index] = cost_dense(t, index, true) <= cost_dense(t, index, false);
    }
    print_dense(t, index, t->packed[index]);
}

static void place_layer(struct thumb *t, int index)
{
    const struct layer *layer = &t->plan->net->layers[index];
    if (t->plan->steps[index].form == FORM_DEAD) {
        return;
    }
    switch (layer->op) {
    case OP_CONVERT: place_convert(t, index); break;
    case OP_DENSE: place_dense(t, index); break;
    case OP_ADD: t->unfit = t->unfit || !t->elements[layer->output]; break;
    case OP_CONCAT:
        place_concat(t, index);
        break;
    CASES_OF_MAPS:
        break;
    }
    free_elements(t, index);
}

/* ---- the function ---- */

static int64_t count_weights(const struct net *net)
{
    int64_t weights = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const struct weights *w = &net->layers[i].weights;
        weights += net->layers[i].op == OP_DENSE ? (int64_t)w->rows * w->columns : 0;
    }
    return weights;
}

static bool small_enough(const struct net *net)
{
    for (int i = 0; i < net->tensor_count; i++) {
        if (net->tensors[i].width > THUMB_WIDTH_MAX) {
            return false;
        }
    }
    return count_weights(net) <= THUMB_WEIGHTS_MAX;
}

/* All layers; false where one of them is beyond this file. */
static bool build(struct thumb *t, size_t total)
{
    const struct net *net = t->plan->net;
    t->stream_total = total;
    t->stream_held = true;
    t->slots = SLOT_STREAM; /* one more where it is used */
    t->late_first = -1;
    t->label = 10; /* two digits: no suffix of a hexadecimal number */
    t->stream = thumb_alloc(t, (size_t)2 * THUMB_WEIGHTS_MAX, sizeof *t->stream);
    place_input(t);
    for (int i = 0; !t->unfit && i < net->layer_count; i++) {
        place_layer(t, i);
    }
    return !t->unfit && t->elements[net->output] && t->stream_count > 0;
}

static void move_sp(struct thumb *t, const char *op, int bytes)
{
    for (; bytes > 0; bytes -= SP_STEP) {
        thumb_op(t, 1, "%s sp, #%d", op, bytes < SP_STEP ? bytes : SP_STEP);
    }
}

/* r4 .. r11 are the caller's. */
static void print_prologue(struct thumb *t, int slots)
{
    thumb_op(t, 6, "push {r4-r7, lr}");
    for (int reg = 8; reg < 12; reg++) {
        thumb_op(t, 1, "mov r%d, r%d", reg - 4, reg);
    }
    thumb_op(t, 5, "push {r4-r7}");
    move_sp(t, "sub", 4 * (slots - SLOT_STREAM));
    thumb_op(t, 3, "push {r0, r1}"); /* SLOT_IN, SLOT_OUT */
    thumb_op(t, 1, "movs r0, r2");
    thumb_line_end(t);
}

static void print_epilogue(struct thumb *t)
{
    move_sp(t, "add", 4 * (t->slots + t->pushed));
    thumb_op(t, 5, "pop {r4-r7}");
    for (int reg = 8; reg < 12; reg++) {
        thumb_op(t, 1, "mov r%d, r%d", reg, reg - 4);
    }
    thumb_op(t, 9, "pop {r4-r7, pc}");
    thumb_place_late(t, false);
    thumb_line_end(t);
}

static void thumb_end(struct thumb *t)
{
    text_free(&t->code);
    arena_free(t->arena);
}

/* Both passes: the first one counts the constants and the frame. */
static bool build_twice(struct thumb *t)
{
    if (!build(t, SIZE_MAX)) {
        return false;
    }
    struct thumb first = *t;
    *t = (struct thumb){
        .plan = first.plan, .arena = first.arena, .memos = first.memos, .trials = first.trials};
    memcpy(t->packed, first.packed, sizeof t->packed);
    text_free(&first.code);
    print_prologue(t, first.slots);
    bool done = build(t, first.stream_count) && t->slots <= first.slots &&
                t->stream_count == first.stream_count;
    t->slots = first.slots;
    print_epilogue(t);
    return done && !t->unfit;
}

/* False where the net does not fit, or, with no_memory, where memory ran out; frees all then. */
static bool thumb_new(struct thumb *t, const struct plan *plan)
{
    bool small = count_weights(plan->net) <= SMALL_WEIGHTS;
    *t = (struct thumb){.plan = plan, .arena = arena_new(), .trials = small ? 128 : 24};
    t->no_memory = !t->arena;
    bool done = t->arena && small_enough(plan->net) && build_twice(t);
    t->no_memory = t->no_memory || t->code.failed;
    if (!done || t->no_memory) {
        thumb_end(t);
    }
    return done && !t->no_memory;
}

/* ---- the variant ---- */

static bool fits(const struct plan *plan)
{
    struct thumb t;
    if (plan->options->optimise != OPTIMISE_SPEED) {
        return false;
    }
    bool done = thumb_new(&t, plan);
    if (done) {
        thumb_end(&t);
    }
    return done || t.no_memory; /* print() tells that it is out of memory */
}

static void print_stream(struct text *out, const struct thumb *t)
{
    text_printf(out,
                "/* Biases and pairs of weights, low + high * 2^16, in the order in which the "
                "code reads them. */\n"
                "static const uint32_t %s_words[%d] = {",
                t->plan->name, (int)t->stream_count);
    for (size_t i = 0; i < t->stream_count; i++) {
        text_printf(out, "%s0x%08x%s", i % 8 == 0 ? "\n    " : " ", (unsigned)t->stream[i],
                    i + 1 < t->stream_count ? "," : "\n};\n\n");
    }
}

/* The lines in strings of bounded length. */
static void print_code(struct text *out, const struct thumb *t)
{
    size_t used = CHUNK;
    const char *clobbers = " : : : \"r0\", \"r1\", \"r2\", \"r3\", \"r12\", \"cc\", \"memory\");\n";
    for (const char *at = t->code.data; at && *at;) {
        size_t length = strcspn(at, "\n") + 1;
        if (used + length > CHUNK) {
            text_add(out, at == t->code.data ? "" : "       ");
            text_add(out, at == t->code.data ? "" : clobbers);
            text_add(out, "    __asm__ volatile(\n        \".syntax unified\\n\"\n");
            used = 0;
        }
        text_bytes(out, at, length);
        used += length;
        at += length;
    }
    text_add(out, "       ");
    text_add(out, clobbers);
}

static void print_function(struct text *out, const struct thumb *t)
{
    const struct net *net = t->plan->net;
    const char *name = t->plan->name;
    text_printf(
        out,
        "/* The net in ARMv6-M assembly.  r0 .. r3 work, r0 also reads the constants; r4 .. "
        "r12 and lr\n * accumulate; activations are words of the frame. */\n"
        "__attribute__((naked, noinline, used)) static void %s_thumb(\n"
        "    const %s *in __attribute__((unused)), %s *out __attribute__((unused)),\n"
        "    const uint32_t *words __attribute__((unused)))\n{\n",
        name, c_type(net->tensors[net->input].type), c_type(net->tensors[net->output].type));
    print_code(out, t);
    text_add(out, "}\n\n");
}

static void print(struct text *out, const struct plan *plan, const char *storage)
{
    struct thumb t;
    if (!thumb_new(&t, plan)) {
        out->failed = true;
        return;
    }
    print_stream(out, &t);
    print_function(out, &t);
    text_add(out, storage);
    print_prototype(out, plan);
    text_printf(out, "\n{\n    %s_thumb(in, out, %s_words);\n}\n", plan->name, plan->name);
    thumb_end(&t);
}

const struct variant thumb_variant = {
    .kind = VARIANT_THUMB,
    .name = "thumb",
    .guard = "defined(__GNUC__) && defined(__ARM_ARCH_6M__)",
    .fits = fits,
    .print = print,
};
