/* Vector variants for x86-64: SSE2, which it always has, AVX2, and AVX-512 with VNNI.
 *
 * A dot product multiplies two 16-bit (VNNI: also four 8-bit) elements in each lane.  Operands are
 * turned within registers until every lane has met every element. */
#include "emit/simd_x86.h"
#include "emit/simd.h"
#include "emit/variant.h"

#include <stdio.h>
#include <string.h>

/* Weights below which moves to and from vector registers take as long as plain C, or longer. */
#define WEIGHTS_LEAST 32

/* Elements in a 32-bit word of a packed register. */
static int word_slots(const struct value *value)
{
    return value->bytes ? 4 : 2;
}

/* ---- chains of sums: a dot product takes some cycles until the next may add to it ---- */

static int chain_count(const struct simd *simd, int words, int forms)
{
    int most = simd->vnni ? 4 : 2;
    int chains = words >= most ? 1 : most / words;
    return forms < chains ? forms : chains;
}

/* "s1_0"; the other chains of a sum: "s1_0_2". */
static const char *sum_name(const struct simd *simd, int word, int chain, char name[SIMD_NAME])
{
    (void)snprintf(name, SIMD_NAME, chain ? "s%d_%d_%d" : "s%d_%d", simd->number, word, chain);
    return name;
}

/* s = dot(s, x, w1[row]); the first of another chain begins it. */
static void print_dot(struct simd *simd, const struct operand *form, int row, const char *sum,
                      bool first)
{
    const char *name = simd->plan->name;
    const char *mm = x86_prefix(simd->bits);
    const char *dot = form->slots == 4 ? "dot8" : "dot";
    simd->used |= form->slots == 4 ? USED_DOT8 : USED_DOT;
    if (!first) {
        text_printf(simd->out, "    %s = %s_%s(%s, %s, w%d[%d]);\n", sum, name, dot, sum,
                    form->name, simd->number, row);
    } else {
        text_printf(simd->out, "    __m%di %s = %s_%s(%s_setzero_si%d(), %s, w%d[%d]);\n",
                    simd->bits, sum, name, dot, mm, simd->bits, form->name, simd->number, row);
    }
}

/* All products of a layer, in the order of the forms. */
static void print_products(struct simd *simd, const struct operands *forms, int words)
{
    char sum[SIMD_NAME];
    int chains = chain_count(simd, words, forms->count);
    for (int i = 0; i < forms->count; i++) {
        x86_print_form(simd, &forms->list[i]);
        for (int word = 0; word < words; word++) {
            int chain = i % chains;
            print_dot(simd, &forms->list[i], i * words + word, sum_name(simd, word, chain, sum),
                      chain > 0 && i < chains);
        }
    }
}

/* s1_0 += s1_0_1 and so on, as a tree. */
static void print_tree(struct simd *simd, int word, int chains)
{
    char to[SIMD_NAME];
    char from[SIMD_NAME];
    for (int step = 1; step < chains; step *= 2) {
        for (int i = 0; i + step < chains; i += 2 * step) {
            (void)sum_name(simd, word, i, to);
            (void)sum_name(simd, word, i + step, from);
            text_printf(simd->out, "    %s = %s_add_epi32(%s, %s);\n", to, x86_prefix(simd->bits),
                        to, from);
        }
    }
}

static void print_shift(struct simd *simd, const struct layer *layer, int word)
{
    const char *mm = x86_prefix(simd->bits);
    char sum[SIMD_NAME];
    (void)sum_name(simd, word, 0, sum);
    if (!simd_uniform_shift(simd, layer)) {
        text_printf(simd->out, "    %s = %s_srav_epi32(%s, %s_load(k%d + %d));\n", sum, mm, sum,
                    simd->plan->name, simd->number, word * simd->lanes);
    } else if (simd_shift(layer) > 0) {
        text_printf(simd->out, "    %s = %s_srai_epi32(%s, %d);\n", sum, mm, sum,
                    simd_shift(layer));
    }
}

/* The rows of a layer, requantised, in s1_0 ... */
static void print_rows(struct simd *simd, const struct layer *layer, const struct operands *forms)
{
    char sum[SIMD_NAME];
    int words = simd_words(simd, layer->weights.rows);
    for (int word = 0; word < words; word++) {
        text_printf(simd->out, "    __m%di %s = %s_load(b%d + %d);\n", simd->bits,
                    sum_name(simd, word, 0, sum), simd->plan->name, simd->number,
                    word * simd->lanes);
    }
    print_products(simd, forms, words);
    for (int word = 0; word < words; word++) {
        print_tree(simd, word, chain_count(simd, words, forms->count));
        print_shift(simd, layer, word);
    }
}

/* The weights as the forms meet them: one row of the table for each form and register of sums. */
static void print_weights(struct simd *simd, const struct layer *layer,
                          const struct operands *forms)
{
    int words = simd_words(simd, layer->weights.rows);
    int slots = word_slots(&simd->values[layer->inputs[0]]);
    int columns = simd->lanes * slots;
    size_t count = (size_t)(forms->count * words) * (size_t)columns;
    int16_t *numbers = arena_alloc(simd->plan->arena, count, sizeof *numbers);
    char name[SIMD_NAME];
    if (!numbers) {
        simd->out->failed = true;
        return;
    }
    for (size_t at = 0; at < count; at++) {
        int place = (int)(at % (size_t)columns);
        int table_row = (int)(at / (size_t)columns);
        int row = table_row % words * simd->lanes + place / slots;
        int column = forms->list[table_row / words].columns[place];
        bool there = row < layer->weights.rows && column >= 0;
        if (there) {
            size_t from = (size_t)row * (size_t)layer->weights.columns + (size_t)column;
            int lift = 1 << simd_lift(simd, layer, row);
            numbers[at] = (int16_t)(layer->weights.values[from] * lift);
        }
    }
    (void)snprintf(name, sizeof name, "w%d", simd->number);
    simd_table(simd, slots == 4 ? "int8_t" : "int16_t", name, forms->count * words, columns,
               (struct numbers){.i16 = numbers});
}

static void print_dense(struct simd *simd, int index)
{
    const struct layer *layer = &simd->plan->net->layers[index];
    struct operands forms = {0};
    simd->number++;
    simd_note(simd, index);
    if (!x86_find_forms(simd, layer, &forms)) {
        simd->out->failed = true;
        return;
    }
    print_weights(simd, layer, &forms);
    simd_biases(simd, layer, 1);
    print_rows(simd, layer, &forms);
    char base[SIMD_NAME];
    (void)snprintf(base, sizeof base, "s%d", simd->number);
    x86_print_result(simd, layer, base);
}

/* Sums of words; "t7_0" ... of tensor 7. */
static void print_add(struct simd *simd, const struct layer *layer)
{
    const char *mm = x86_prefix(simd->bits);
    int words = simd_words(simd, simd->plan->net->tensors[layer->output].width);
    for (int word = 0; word < words; word++) {
        text_printf(simd->out, "    __m%di t%d_%d = z%d_%d;\n", simd->bits, layer->output, word,
                    layer->inputs[0], word);
        for (int k = 1; k < layer->input_count; k++) {
            text_printf(simd->out, "    t%d_%d = %s_add_epi32(t%d_%d, z%d_%d);\n", layer->output,
                        word, mm, layer->output, word, layer->inputs[k], word);
        }
    }
    char base[SIMD_NAME];
    (void)snprintf(base, sizeof base, "t%d", layer->output);
    x86_print_result(simd, layer, base);
}

static void print_layers(struct simd *simd)
{
    const struct net *net = simd->plan->net;
    x86_print_input(simd);
    for (int i = 0; i < net->layer_count && !simd->out->failed; i++) {
        const struct layer *layer = &net->layers[i];
        switch (layer->op) {
        case OP_CONVERT: x86_print_convert(simd, layer); break;
        case OP_DENSE: print_dense(simd, i); break;
        case OP_ADD: print_add(simd, layer); break;
        case OP_CONCAT:
            simd_concat(simd, layer);
            break;
        CASES_OF_MAPS:
            break;
        }
    }
}

/* Are all layers of a net at most this wide? */
static bool no_wider(const struct net *net, int width)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].op != OP_CONVERT && net->layers[i].op != OP_CONCAT &&
            net->tensors[net->layers[i].output].width > width) {
            return false;
        }
    }
    return true;
}

static void print_function(struct text *out, const struct plan *plan, const char *storage,
                           enum variant_kind kind)
{
    struct text body = {0};
    struct simd simd = {.vnni = kind == VARIANT_VNNI, .sse2 = kind == VARIANT_SSE2};
    simd.bits = simd.sse2 ? 128 : simd.vnni && !no_wider(plan->net, 8) ? 512 : 256;
    simd.lanes = simd.bits / 32;
    if (simd_start(&simd, &body, plan)) {
        x86_choose_bytes(&simd);
        print_layers(&simd);
    }
    x86_print_helpers(&simd, out);
    text_add(out, storage);
    print_prototype(out, plan);
    text_add(out, "\n{\n");
    text_add(out, body.data ? body.data : "");
    text_add(out, "}\n");
    out->failed = out->failed || body.failed;
    text_free(&body);
}

static void print_avx2(struct text *out, const struct plan *plan, const char *storage)
{
    print_function(out, plan, storage, VARIANT_AVX2);
}

static void print_sse2(struct text *out, const struct plan *plan, const char *storage)
{
    print_function(out, plan, storage, VARIANT_SSE2);
}

/* Is there enough to do?  Wide registers take 16 bits as they come, but bytes apart and together.
 */
static bool wide_fits(const struct plan *plan)
{
    enum type type = plan->net->tensors[plan->net->input].type;
    bool bytes = type == TYPE_I8 || type == TYPE_U8;
    return simd_fits(plan) && (!bytes || net_macs(plan->net) >= WEIGHTS_LEAST);
}

/* Is there enough to do, and can rows be lifted to a common shift?  Weights stay within 16 bits,
 * sums within 32. */
static bool sse2_fits(const struct plan *plan)
{
    const struct simd simd = {.sse2 = true};
    bool fit = net_macs(plan->net) >= WEIGHTS_LEAST && simd_fits(plan);
    for (int i = 0; fit && i < plan->net->layer_count; i++) {
        const struct layer *layer = &plan->net->layers[i];
        for (int row = 0; fit && layer->op == OP_DENSE && row < layer->weights.rows; row++) {
            int lift = simd_lift(&simd, layer, row);
            fit =
                lift <= 16 - layer->weights.bits && plan->steps[i].bounds[row] << lift <= INT32_MAX;
        }
    }
    return fit;
}

static void print_vnni(struct text *out, const struct plan *plan, const char *storage)
{
    print_function(out, plan, storage, VARIANT_VNNI);
}

const struct variant variant_avx2 = {
    VARIANT_AVX2, "avx2", "defined(__GNUC__) && defined(__AVX2__)", wide_fits, print_avx2,
};

const struct variant variant_sse2 = {
    VARIANT_SSE2, "sse2", "defined(__GNUC__) && defined(__SSE2__)", sse2_fits, print_sse2,
};

const struct variant variant_vnni = {
    VARIANT_VNNI,
    "vnni",
    "defined(__GNUC__) && defined(__AVX512VNNI__) && defined(__AVX512BW__) && "
    "defined(__AVX512VL__)",
    wide_fits,
    print_vnni,
};
