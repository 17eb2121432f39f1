/* Vector variants for x86-64: what goes in, between layers, and out. */
#include "emit/simd_x86.h"

#include <stdio.h>
#include <string.h>

/* ---- which tensors are bytes ---- */

/* Does anything but products of bytes read it? */
static bool bytes_read(const struct net *net, int tensor)
{
    for (int i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        bool good = layer->op == OP_DENSE && layer->weights.bits <= 8;
        for (int k = 0; !good && k < layer->input_count; k++) {
            if (layer->inputs[k] == tensor) {
                return false;
            }
        }
    }
    return true;
}

/* Can any of its elements be negative? */
static bool any_negative(const struct plan *plan, int tensor)
{
    for (int i = 0; i < plan->net->tensors[tensor].width; i++) {
        if (plan->ranges[tensor][i].low < 0) {
            return true;
        }
    }
    return false;
}

void x86_choose_bytes(struct simd *simd)
{
    const struct net *net = simd->plan->net;
    bool made[NET_TENSORS_MAX] = {false}; /* by a layer that can pack bytes, or the input */
    made[net->input] = true;
    for (int i = 0; i < net->layer_count; i++) {
        made[net->layers[i].output] = net->layers[i].op == OP_DENSE || net->layers[i].op == OP_ADD;
    }
    for (int t = 0; t < net->tensor_count; t++) {
        struct value *value = &simd->values[t];
        bool byte = net->tensors[t].type == TYPE_I8 || net->tensors[t].type == TYPE_U8;
        value->bytes = simd->vnni && byte && made[t] && bytes_read(net, t);
        value->offset =
            value->bytes && net->tensors[t].type == TYPE_I8 && any_negative(simd->plan, t) ? 128
                                                                                           : 0;
    }
}

/* ---- the input ---- */

static bool reads(const struct net *net, int tensor, bool converting)
{
    for (int i = 0; i < net->layer_count; i++) {
        for (int k = 0; k < net->layers[i].input_count; k++) {
            if (net->layers[i].inputs[k] == tensor &&
                (net->layers[i].op == OP_CONVERT) == converting) {
                return true;
            }
        }
    }
    return false;
}

/* How many of `left` elements of the input one register takes: what one load repeats.  Few inputs
 * are loaded one by one: a caller has just stored them so, and a load over several stores waits. */
static int spread_count(const struct simd *simd, int left, bool converts)
{
    enum type type = simd->plan->net->tensors[simd->plan->net->input].type;
    int most = (type == TYPE_I8 || type == TYPE_U8) && !converts ? 4 : 2;
    if (simd->plan->net->tensors[simd->plan->net->input].width <= 3) {
        return 1;
    }
    return left >= most ? most : left >= 2 ? 2 : 1;
}

/* "_mm256_set1_epi32(pose_word(in + 2))": `count` elements of the input, again and again. */
static void print_repeated(struct simd *simd, int first, int count)
{
    const char *name = simd->plan->name;
    const char *mm = x86_prefix(simd->bits);
    enum type type = simd->plan->net->tensors[simd->plan->net->input].type;
    int bits = count * (type == TYPE_I8 || type == TYPE_U8 ? 8 : 16);
    if (bits == 32) {
        simd->used |= USED_WORD;
        text_printf(simd->out, "%s_set1_epi32(%s_word(in + %d))", mm, name, first);
    } else if (bits == 16 && count == 2) {
        simd->used |= USED_HALF;
        text_printf(simd->out, "%s_set1_epi16(%s_half(in + %d))", mm, name, first);
    } else {
        bool byte = bits == 8 && !simd->sse2;
        text_printf(simd->out, "%s_set1_epi%d((%s)in[%d])", mm, byte ? 8 : 16,
                    byte ? "char" : "short", first);
    }
}

/* Bytes of the input become the 16-bit slots of `name`: those in the lower half of each 128-bit
 * lane, which repeat anyway. */
static void print_widen(struct simd *simd, const char *name)
{
    const char *mm = x86_prefix(simd->bits);
    if (simd->plan->net->tensors[simd->plan->net->input].type == TYPE_I8) {
        text_printf(simd->out, "    %s = %s_srai_epi16(%s_unpacklo_epi8(%s, %s), 8);\n", name, mm,
                    mm, name, name);
    } else {
        text_printf(simd->out, "    %s = %s_unpacklo_epi8(%s, %s_setzero_si%d());\n", name, mm,
                    name, mm, simd->bits);
    }
}

/* The next `count` elements of the input in every place of a new register of `tensor`. */
static const char *print_spread(struct simd *simd, int tensor, int first, int count)
{
    enum type type = simd->plan->net->tensors[simd->plan->net->input].type;
    bool bytes = simd->values[tensor].bytes;
    struct packed *packed = simd_packed(simd, tensor);
    if (!packed) {
        return "";
    }
    for (int i = 0; i < simd->lanes * (bytes ? 4 : 2); i++) {
        packed->map[i] = first + i % count;
    }
    text_printf(simd->out, "    __m%di %s = ", simd->bits, packed->name);
    print_repeated(simd, first, count);
    text_add(simd->out, ";\n");
    bool wide = simd->sse2 && count == 1; /* C has widened it */
    if (!bytes && !wide && (type == TYPE_I8 || type == TYPE_U8)) {
        print_widen(simd, packed->name);
    }
    return packed->name;
}

/* x ^= 0x80 in every byte: codes of -128 .. 127 become 0 .. 255. */
static void print_offset(struct simd *simd, const char *name)
{
    const char *mm = x86_prefix(simd->bits);
    text_printf(simd->out, "    %s = %s_xor_si%d(%s, %s_set1_epi8(-128));\n", name, mm, simd->bits,
                name, mm);
}

void x86_print_input(struct simd *simd)
{
    const struct net *net = simd->plan->net;
    const struct value *value = &simd->values[net->input];
    if (!reads(net, net->input, false)) {
        return;
    }
    int width = net->tensors[net->input].width;
    for (int i = 0; i < width;) {
        int count = spread_count(simd, width - i, false);
        const char *name = print_spread(simd, net->input, i, count);
        if (value->offset) {
            print_offset(simd, name);
        }
        i += count;
    }
}

/* ---- output ---- */

/* The codes of element `first` and the next: both by one store. */
static void print_put(struct simd *simd, int first, int count, const char *bits)
{
    simd->used |= count == 2 ? USED_PUT2 : USED_PUT4;
    text_printf(simd->out, "    %s_put%d(out + %d, %s);\n", simd->plan->name, count, first, bits);
}

/* Word `i` of four, `from`, as an int. */
static const char *word_of(const struct simd *simd, const char *from, int i,
                           char text[5 * SIMD_NAME])
{
    if (simd->sse2 && i == 0) {
        (void)snprintf(text, 5 * SIMD_NAME, "_mm_cvtsi128_si32(%s)", from);
    } else if (simd->sse2) {
        (void)snprintf(text, 5 * SIMD_NAME, "_mm_cvtsi128_si32(_mm_shuffle_epi32(%s, 0x%02x))",
                       from, 0x55U * (unsigned)i);
    } else {
        (void)snprintf(text, 5 * SIMD_NAME, "_mm_extract_epi32(%s, %d)", from, i);
    }
    return text;
}

/* Up to eight 16-bit elements in order. */
static void print_store16(struct simd *simd, int first, int count, const char *name)
{
    char bits[5 * SIMD_NAME];
    int at = count >= 4 ? 4 : 0;
    if (count == 8) {
        text_printf(simd->out, "    _mm_storeu_si128((__m128i *)(out + %d), %s);\n", first, name);
        return;
    }
    if (at) {
        text_printf(simd->out, "    _mm_storel_epi64((__m128i *)(out + %d), %s);\n", first, name);
    }
    for (; at + 2 <= count; at += 2) {
        print_put(simd, first + at, 2, word_of(simd, name, at / 2, bits));
    }
    if (at < count && at == 0 && simd->sse2) {
        text_printf(simd->out, "    out[%d] = (int16_t)%s;\n", first, word_of(simd, name, 0, bits));
    } else if (at < count) {
        text_printf(simd->out, "    out[%d] = (int16_t)_mm_extract_epi16(%s, %d);\n", first + at,
                    name, at);
    }
}

/* Up to eight elements that fit 8 bits. */
static void print_store8(struct simd *simd, int first, int count, const char *name, enum type type)
{
    char bits[5 * SIMD_NAME];
    int at = count >= 4 ? 4 : 0;
    text_printf(simd->out, "    %s = _mm_pack%s_epi16(%s, %s);\n", name,
                type == TYPE_I8 ? "s" : "us", name, name);
    if (count == 8) {
        text_printf(simd->out, "    _mm_storel_epi64((__m128i *)(out + %d), %s);\n", first, name);
        return;
    }
    if (at) {
        print_put(simd, first, 4, word_of(simd, name, 0, bits));
    }
    for (; at + 2 <= count; at += 2) {
        (void)snprintf(bits, sizeof bits, "_mm_extract_epi16(%s, %d)", name, at / 2);
        print_put(simd, first + at, 2, bits);
    }
    if (at < count && at == 0 && simd->sse2) {
        text_printf(simd->out, "    out[%d] = (%s)%s;\n", first, c_type(type),
                    word_of(simd, name, 0, bits));
    } else if (at < count) {
        bool whole = simd->sse2; /* has no bytes; the element is the lower one of two */
        text_printf(simd->out, "    out[%d] = (%s)_mm_extract_epi%d(%s, %d);\n", first + at,
                    c_type(type), whole ? 16 : 8, name, whole ? at / 2 : at);
    }
}

static void print_store(struct simd *simd, int tensor, int first, const char *name)
{
    const struct tensor *out = &simd->plan->net->tensors[tensor];
    int count = out->width - first < 8 ? out->width - first : 8;
    if (out->type == TYPE_I16) {
        print_store16(simd, first, count, name);
    } else {
        print_store8(simd, first, count, name, out->type);
    }
}

/* Part `part` of four 32-bit elements of BASE_0 ... as an expression. */
static const char *quarter(const struct simd *simd, const char *base, int part,
                           char text[3 * SIMD_NAME])
{
    int parts = simd->lanes / 4;
    if (parts == 1) {
        (void)snprintf(text, 3 * SIMD_NAME, "%s_%d", base, part);
    } else if (part % parts == 0) {
        (void)snprintf(text, 3 * SIMD_NAME, "_mm%d_castsi%d_si128(%s_%d)", simd->bits, simd->bits,
                       base, part / parts);
    } else if (simd->bits == 256) {
        (void)snprintf(text, 3 * SIMD_NAME, "_mm256_extracti128_si256(%s_%d, %d)", base,
                       part / parts, part % parts);
    } else {
        (void)snprintf(text, 3 * SIMD_NAME, "_mm512_extracti32x4_epi32(%s_%d, %d)", base,
                       part / parts, part % parts);
    }
    return text;
}

/* 32-bit outputs: four at a time, then what is left. */
static void print_words_out(struct simd *simd, const char *base, int width)
{
    char text[3 * SIMD_NAME];
    char word[5 * SIMD_NAME];
    for (int at = 0; at < width; at += 4) {
        const char *from = quarter(simd, base, at / 4, text);
        if (width - at >= 4) {
            text_printf(simd->out, "    _mm_storeu_si128((__m128i *)(out + %d), %s);\n", at, from);
        }
        for (int i = at; width - at < 4 && i < width; i++) {
            text_printf(simd->out, "    out[%d] = %s;\n", i, word_of(simd, from, i - at, word));
        }
    }
}

/* Outputs of at most 16 bits: eight at a time through 128 bits, in order. */
static void print_out(struct simd *simd, const struct layer *layer, const char *base)
{
    char low[3 * SIMD_NAME];
    char high[3 * SIMD_NAME];
    char name[SIMD_NAME];
    const struct tensor *out = &simd->plan->net->tensors[layer->output];
    for (int at = 0; at < out->width; at += 8) {
        (void)snprintf(name, sizeof name, "y%d", at / 8);
        (void)quarter(simd, base, at / 4, low);
        (void)quarter(simd, base, at / 4 + (out->width - at > 4), high);
        text_printf(simd->out, "    __m128i %s = _mm_packs_epi32(%s, %s);\n", name, low, high);
        x86_print_activation(simd, layer, name, 128, out->type != TYPE_I16);
        print_store(simd, layer->output, at, name);
    }
}

/* ---- from one layer to the next ---- */

/* The elements of packs(BASE_first, BASE_second) in a register's 16-bit slots. */
static void map_pair(const struct simd *simd, int first, int second, int width, int *map)
{
    for (int i = 0; i < 2 * simd->lanes; i++) {
        int word = i % 8 < 4 ? first : second;
        int element = word * simd->lanes + i / 8 * 4 + i % 4;
        map[i] = element < width ? element : -1;
    }
}

/* h = packs(BASE_first, BASE_second), clamped and bent. */
static void print_pair(struct simd *simd, const struct layer *layer, const char *base, int first,
                       int second, const char *name)
{
    text_printf(simd->out, "    __m%di %s = %s_packs_epi32(%s_%d, %s_%d);\n", simd->bits, name,
                x86_prefix(simd->bits), base, first, base, second);
    x86_print_activation(simd, layer, name, simd->bits, simd->values[layer->output].bytes);
}

static void print_packed16(struct simd *simd, const struct layer *layer, const char *base)
{
    int width = simd->plan->net->tensors[layer->output].width;
    int words = simd_words(simd, width);
    for (int i = 0; i < words; i += 2) {
        int second = i + 1 < words ? i + 1 : i;
        struct packed *packed = simd_packed(simd, layer->output);
        if (!packed) {
            return;
        }
        map_pair(simd, i, second, width, packed->map);
        print_pair(simd, layer, base, i, second, packed->name);
    }
}

/* The bytes of two registers of 16 bits, lane by lane. */
static void map_bytes(const struct simd *simd, const int *low, const int *high, int *map)
{
    for (int i = 0; i < 4 * simd->lanes; i++) {
        int slot = i / 16 * 8 + i % 8;
        map[i] = i % 16 < 8 ? low[slot] : high[slot];
    }
}

/* Up to four registers of words in one of bytes. */
static void print_packed8(struct simd *simd, const struct layer *layer, const char *base)
{
    const struct tensor *out = &simd->plan->net->tensors[layer->output];
    int words = simd_words(simd, out->width);
    for (int i = 0; i < words; i += 4) {
        int maps[2][SIMD_SLOTS];
        char halves[2][SIMD_NAME];
        int count = i + 2 < words ? 2 : 1;
        struct packed *packed = simd_packed(simd, layer->output);
        for (int k = 0; packed && k < count; k++) {
            int first = i + 2 * k;
            int second = first + 1 < words ? first + 1 : first;
            (void)snprintf(halves[k], SIMD_NAME, "h%d_%d", layer->output, i / 2 + k);
            map_pair(simd, first, second, out->width, maps[k]);
            print_pair(simd, layer, base, first, second, halves[k]);
        }
        if (!packed) {
            return;
        }
        map_bytes(simd, maps[0], maps[count - 1], packed->map);
        text_printf(simd->out, "    __m%di %s = %s_pack%s_epi16(%s, %s);\n", simd->bits,
                    packed->name, x86_prefix(simd->bits), out->type == TYPE_I8 ? "s" : "us",
                    halves[0], halves[count - 1]);
        if (simd->values[layer->output].offset) {
            print_offset(simd, packed->name);
        }
    }
}

void x86_print_result(struct simd *simd, const struct layer *layer, const char *base)
{
    const struct net *net = simd->plan->net;
    const struct tensor *out = &net->tensors[layer->output];
    bool read = reads(net, layer->output, false);
    if (layer->output == net->output) {
        out->type == TYPE_I32 ? print_words_out(simd, base, out->width)
                              : print_out(simd, layer, base);
    }
    if (!read) {
        return;
    }
    if (out->type == TYPE_I32) {
        for (int i = 0; i < simd_words(simd, out->width); i++) {
            text_printf(simd->out, "    __m%di z%d_%d = %s_%d;\n", simd->bits, layer->output, i,
                        base, i);
        }
    } else if (simd->values[layer->output].bytes) {
        print_packed8(simd, layer, base);
    } else {
        print_packed16(simd, layer, base);
    }
}

/* ---- convert ---- */

/* (u - zero) << shift of every element within 16 bits and the output's type: computed modulo
 * 2^16. */
static bool convert_narrow(const struct plan *plan, const struct layer *layer)
{
    enum type in = plan->net->tensors[layer->inputs[0]].type;
    enum type out = plan->net->tensors[layer->output].type;
    for (int i = 0; i < plan->net->tensors[layer->output].width; i++) {
        int64_t scale = (int64_t)1 << layer->shift[i];
        if ((type_low(in) - (int64_t)layer->zero[i]) * scale < type_low(out) ||
            (type_high(in) - (int64_t)layer->zero[i]) * scale > type_high(out)) {
            return false;
        }
    }
    return true;
}

/* Two 16-bit numbers in one word, as a literal. */
static const char *pair_literal(int32_t low, int32_t high, char text[GROUPED_MAX])
{
    int64_t word = (low & 0xffff) | (int64_t)(high & 0xffff) << 16;
    return literal(word > INT32_MAX ? word - ((int64_t)1 << 32) : word, text);
}

/* x = (x - zeros) * scales on the register that holds `count` elements, one or two. */
static void print_pair_convert(struct simd *simd, const struct layer *layer, int first, int count,
                               const char *name)
{
    char text[GROUPED_MAX];
    int second = first + count - 1;
    const char *mm = x86_prefix(simd->bits);
    if (layer->zero[first] != 0 || layer->zero[second] != 0) {
        text_printf(simd->out, "    %s = %s_sub_epi16(%s, %s_set1_epi32(%s));\n", name, mm, name,
                    mm, pair_literal(layer->zero[first], layer->zero[second], text));
    }
    if (layer->shift[first] != 0 || layer->shift[second] != 0) {
        text_printf(simd->out, "    %s = %s_mullo_epi16(%s, %s_set1_epi32(%s));\n", name, mm, name,
                    mm, pair_literal(1 << layer->shift[first], 1 << layer->shift[second], text));
    }
}

/* "_mm256_setr_epi32(...)" of eight elements, zeros behind the last. */
static void print_eight(struct simd *simd, const struct layer *layer, int first, char what)
{
    int width = simd->plan->net->tensors[layer->output].width;
    text_add(simd->out, "_mm256_setr_epi32(");
    for (int i = first; i < first + 8; i++) {
        const char *end = i + 1 < first + 8 ? ", " : ")";
        if (i >= width) {
            text_printf(simd->out, "0%s", end);
        } else if (what == 'u') {
            text_printf(simd->out, "in[%d]%s", i, end);
        } else {
            int number = what == 'z' ? (int)layer->zero[i] : layer->shift[i];
            text_printf(simd->out, "%d%s", number, end);
        }
    }
}

/* "_mm_setr_epi32((in[0] - 3) * 4, ...)": four elements converted, zeros behind the last. */
static void print_four(struct simd *simd, const struct layer *layer, int first)
{
    int width = simd->plan->net->tensors[layer->output].width;
    text_add(simd->out, "_mm_setr_epi32(");
    for (int i = first; i < first + 4; i++) {
        const char *end = i + 1 < first + 4 ? ", " : ")";
        char zero[GROUPED_MAX];
        if (i >= width) {
            text_printf(simd->out, "0%s", end);
        } else {
            text_printf(simd->out, "(in[%d] - (%s)) * %d%s", i, literal(layer->zero[i], zero),
                        1 << layer->shift[i], end);
        }
    }
}

/* The same as print_wide_convert(), without lanes that are shifted by numbers of their own. */
static void print_wide_sse2(struct simd *simd, const struct layer *layer, int first,
                            const char *name)
{
    text_printf(simd->out, "    __m128i %s = _mm_packs_epi32(", name);
    print_four(simd, layer, first);
    text_add(simd->out, ",\n        ");
    print_four(simd, layer, first + 4);
    text_add(simd->out, ");\n");
    x86_print_activation(simd, layer, name, 128, false);
}

/* Eight elements in 32 bits each, saturated into the 16-bit elements of `name`. */
static void print_wide_convert(struct simd *simd, const struct layer *layer, int first,
                               const char *name)
{
    if (simd->sse2) {
        print_wide_sse2(simd, layer, first, name);
        return;
    }
    text_printf(simd->out, "    __m256i u%s = ", name);
    print_eight(simd, layer, first, 'u');
    text_printf(simd->out, ";\n    u%s = _mm256_sub_epi32(u%s, ", name, name);
    print_eight(simd, layer, first, 'z');
    text_printf(simd->out, ");\n    u%s = _mm256_sllv_epi32(u%s, ", name, name);
    print_eight(simd, layer, first, 's');
    text_printf(simd->out,
                ");\n    __m128i %s = _mm_packs_epi32(_mm256_castsi256_si128(u%s), "
                "_mm256_extracti128_si256(u%s, 1));\n",
                name, name, name);
    x86_print_activation(simd, layer, name, 128, false);
}

/* Eight elements in each 128-bit lane of a new register. */
static void print_lanes(struct simd *simd, int tensor, int first, const char *name)
{
    int width = simd->plan->net->tensors[tensor].width;
    struct packed *packed = simd_packed(simd, tensor);
    for (int i = 0; packed && i < 2 * simd->lanes; i++) {
        packed->map[i] = first + i % 8 < width ? first + i % 8 : -1;
    }
    if (packed) {
        text_printf(simd->out, "    __m%di %s = %s(%s);\n", simd->bits, packed->name,
                    simd->bits == 512   ? "_mm512_broadcast_i32x4"
                    : simd->bits == 256 ? "_mm256_broadcastsi128_si256"
                                        : "",
                    name);
    }
}

void x86_print_convert(struct simd *simd, const struct layer *layer)
{
    const struct net *net = simd->plan->net;
    int width = net->tensors[layer->output].width;
    bool out = layer->output == net->output;
    bool spread = !out && convert_narrow(simd->plan, layer);
    char name[SIMD_NAME];
    for (int i = 0; spread && i < width;) {
        int count = spread_count(simd, width - i, true);
        print_pair_convert(simd, layer, i, count, print_spread(simd, layer->output, i, count));
        i += count;
    }
    for (int i = 0; !spread && i < width; i += 8) {
        (void)snprintf(name, sizeof name, "y%d_%d", layer->output, i);
        print_wide_convert(simd, layer, i, name);
        if (reads(net, layer->output, false)) {
            print_lanes(simd, layer->output, i, name);
        }
        if (out) {
            print_store(simd, layer->output, i, name);
        }
    }
}
