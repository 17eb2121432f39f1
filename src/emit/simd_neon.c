/* Vector variant for AArch64: multiply-accumulate by one element of a register, so nothing needs
 * to be turned; packed registers hold eight elements in order. */
#include "emit/simd.h"
#include "emit/variant.h"

#include <stdio.h>
#include <string.h>

enum { USED_CUBIC = 1, USED_PSIG = 2 };

/* ---- elements of 16 bits ---- */

static void print_bound(struct simd *simd, const char *name, const char *which, int64_t bound)
{
    text_printf(simd->out, "    %s = v%sq_s16(%s, vdupq_n_s16(%d));\n", name, which, name,
                (int)bound);
}

/* Clamps and bends `name` as the layer's activation says. */
static void print_activation(struct simd *simd, const struct layer *layer, const char *name)
{
    const struct plan *plan = simd->plan;
    struct limits kept = simd_kept(layer->activation, plan->net->tensors[layer->output].type);
    struct limits range = {INT16_MIN, INT16_MAX};
    if (layer->op != OP_CONVERT) {
        range = simd_saturated(simd_range(plan, layer));
    }
    if (range.low < kept.low) {
        print_bound(simd, name, "max", kept.low);
    }
    if (range.high > kept.high) {
        print_bound(simd, name, "min", kept.high);
    }
    switch (layer->activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: break;
    case ACTIVATION_ABS: text_printf(simd->out, "    %s = vabsq_s16(%s);\n", name, name); break;
    case ACTIVATION_LEAKY:
        text_printf(simd->out, "    %s = vmaxq_s16(%s, vshrq_n_s16(%s, 3));\n", name, name, name);
        break;
    case ACTIVATION_CUBIC:
        simd->used |= USED_CUBIC;
        text_printf(simd->out, "    %s = %s_cubic(%s);\n", name, plan->name, name);
        break;
    case ACTIVATION_PSIG:
        simd->used |= USED_PSIG;
        text_printf(simd->out, "    %s = %s_psig(%s);\n", name, plan->name, name);
        break;
    }
}

/* The codes of up to eight elements. */
static void print_store(struct simd *simd, int tensor, int first, const char *name)
{
    const struct tensor *out = &simd->plan->net->tensors[tensor];
    int count = out->width - first < 8 ? out->width - first : 8;
    bool wide = out->type == TYPE_I16;
    int at = 0;
    if (wide && count >= 4) {
        text_printf(simd->out, "    vst1%s_s16(out + %d, %s%s%s);\n", count == 8 ? "q" : "", first,
                    count == 8 ? "" : "vget_low_s16(", name, count == 8 ? "" : ")");
        at = count == 8 ? 8 : 4;
    } else if (!wide && count == 8) {
        const char *sign = out->type == TYPE_I8 ? "" : "u";
        text_printf(simd->out, "    vst1_%s8(out + %d, vqmov%sn_s16(%s));\n",
                    out->type == TYPE_I8 ? "s" : "u", first, out->type == TYPE_I8 ? "" : sign,
                    name);
        at = 8;
    }
    for (; at < count; at++) {
        text_printf(simd->out, "    out[%d] = (%s)vgetq_lane_s16(%s, %d);\n", first + at,
                    c_type(out->type), name, at);
    }
}

/* ---- dense ---- */

/* Weights by columns, zeros up to whole registers. */
static void print_weights(struct simd *simd, const struct layer *layer)
{
    int rows = layer->weights.rows;
    int columns = layer->weights.columns;
    int padded = simd_words(simd, rows) * simd->lanes;
    int16_t *numbers =
        arena_alloc(simd->plan->arena, (size_t)columns * (size_t)padded, sizeof *numbers);
    char name[SIMD_NAME];
    if (!numbers) {
        simd->out->failed = true;
        return;
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            numbers[j * padded + i] = layer->weights.values[i * columns + j];
        }
    }
    (void)snprintf(name, sizeof name, "w%d", simd->number);
    simd_table(simd, "int16_t", name, columns, padded, (struct numbers){.i16 = numbers});
}

/* sums += weights of a column times its element, for each register of a layer's input. */
static void print_products(struct simd *simd, const struct layer *layer)
{
    const struct value *value = &simd->values[layer->inputs[0]];
    int words = simd_words(simd, layer->weights.rows);
    for (int i = 0; i < value->count; i++) {
        for (int slot = 0; slot < 8; slot++) {
            int column = value->packed[i].map[slot];
            for (int word = 0; column >= 0 && word < words; word++) {
                text_printf(simd->out,
                            "    s%d_%d = vmlal_laneq_s16(s%d_%d, vld1_s16(w%d[%d] + %d), %s, "
                            "%d);\n",
                            simd->number, word, simd->number, word, simd->number, column, 4 * word,
                            value->packed[i].name, slot);
            }
        }
    }
}

/* BASE_0 ... in 32 bits to where the layer's output is read from. */
static void print_result(struct simd *simd, const struct layer *layer, const char *base)
{
    const struct net *net = simd->plan->net;
    const struct tensor *out = &net->tensors[layer->output];
    int words = simd_words(simd, out->width);
    for (int i = 0; out->type == TYPE_I32 && i < words; i++) {
        text_printf(simd->out, "    int32x4_t z%d_%d = %s_%d;\n", layer->output, i, base, i);
        for (int k = 0; layer->output == net->output && k < 4 && 4 * i + k < out->width; k++) {
            text_printf(simd->out, "    out[%d] = vgetq_lane_s32(z%d_%d, %d);\n", 4 * i + k,
                        layer->output, i, k);
        }
    }
    for (int i = 0; out->type != TYPE_I32 && i < words; i += 2) {
        struct packed *packed = simd_packed(simd, layer->output);
        if (!packed) {
            return;
        }
        for (int k = 0; k < 8; k++) {
            packed->map[k] = 4 * i + k < out->width ? 4 * i + k : -1;
        }
        text_printf(simd->out,
                    "    int16x8_t %s = vcombine_s16(vqmovn_s32(%s_%d), vqmovn_s32(%s_%d));\n",
                    packed->name, base, i, base, i + 1 < words ? i + 1 : i);
        print_activation(simd, layer, packed->name);
        if (layer->output == net->output) {
            print_store(simd, layer->output, 4 * i, packed->name);
        }
    }
}

static void print_shift(struct simd *simd, const struct layer *layer, int word)
{
    if (!simd_uniform_shift(simd, layer)) {
        text_printf(simd->out, "    s%d_%d = vshlq_s32(s%d_%d, vld1q_s32(k%d + %d));\n",
                    simd->number, word, simd->number, word, simd->number, 4 * word);
    } else if (layer->shift[0] > 0) {
        text_printf(simd->out, "    s%d_%d = vshrq_n_s32(s%d_%d, %d);\n", simd->number, word,
                    simd->number, word, layer->shift[0]);
    }
}

static void print_dense(struct simd *simd, int index)
{
    const struct layer *layer = &simd->plan->net->layers[index];
    int words = simd_words(simd, layer->weights.rows);
    char base[SIMD_NAME];
    simd->number++;
    simd_note(simd, index);
    print_weights(simd, layer);
    simd_biases(simd, layer, -1);
    for (int i = 0; i < words; i++) {
        text_printf(simd->out, "    int32x4_t s%d_%d = vld1q_s32(b%d + %d);\n", simd->number, i,
                    simd->number, 4 * i);
    }
    print_products(simd, layer);
    for (int i = 0; i < words; i++) {
        print_shift(simd, layer, i);
    }
    (void)snprintf(base, sizeof base, "s%d", simd->number);
    print_result(simd, layer, base);
}

static void print_add(struct simd *simd, const struct layer *layer)
{
    char base[SIMD_NAME];
    int words = simd_words(simd, simd->plan->net->tensors[layer->output].width);
    for (int i = 0; i < words; i++) {
        text_printf(simd->out, "    int32x4_t t%d_%d = z%d_%d;\n", layer->output, i,
                    layer->inputs[0], i);
        for (int k = 1; k < layer->input_count; k++) {
            text_printf(simd->out, "    t%d_%d = vaddq_s32(t%d_%d, z%d_%d);\n", layer->output, i,
                        layer->output, i, layer->inputs[k], i);
        }
    }
    (void)snprintf(base, sizeof base, "t%d", layer->output);
    print_result(simd, layer, base);
}

/* ---- input ---- */

/* "{in[0], in[1], ...}" or a layer's zeros or shifts: four elements, zeros behind the last. */
static void print_four(struct simd *simd, const struct layer *layer, int first, char what)
{
    int width = simd->plan->net->tensors[simd->plan->net->input].width;
    text_add(simd->out, "{");
    for (int i = first; i < first + 4; i++) {
        const char *end = i + 1 < first + 4 ? ", " : "}";
        if (i >= width) {
            text_printf(simd->out, "0%s", end);
        } else if (what == 'u') {
            text_printf(simd->out, "in[%d]%s", i, end);
        } else {
            text_printf(simd->out, "%d%s", what == 'z' ? (int)layer->zero[i] : layer->shift[i],
                        end);
        }
    }
}

/* Eight elements of the input, converted where there is a layer, in a register of `tensor`. */
static void print_eight(struct simd *simd, const struct layer *layer, int tensor, int first)
{
    int width = simd->plan->net->tensors[tensor].width;
    struct packed *packed = simd_packed(simd, tensor);
    if (!packed) {
        return;
    }
    for (int i = 0; i < 8; i++) {
        packed->map[i] = first + i < width ? first + i : -1;
    }
    for (int half = 0; half < 2; half++) {
        int at = first + 4 * half;
        const char *name = packed->name;
        text_printf(simd->out, "    int32x4_t u%d%s = ", half, name);
        print_four(simd, layer, at, 'u');
        text_add(simd->out, ";\n");
        if (layer) {
            text_printf(simd->out, "    const int32x4_t m%d%s = ", half, name);
            print_four(simd, layer, at, 'z');
            text_printf(simd->out, ", n%d%s = ", half, name);
            print_four(simd, layer, at, 's');
            text_printf(simd->out, ";\n    u%d%s = vshlq_s32(vsubq_s32(u%d%s, m%d%s), n%d%s);\n",
                        half, name, half, name, half, name, half, name);
        }
    }
    text_printf(simd->out, "    int16x8_t %s = vcombine_s16(vqmovn_s32(u0%s), vqmovn_s32(u1%s));\n",
                packed->name, packed->name, packed->name);
}

/* Does any layer but a convert read the input? */
static bool input_read(const struct net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        for (int k = 0; k < net->layers[i].input_count; k++) {
            if (net->layers[i].inputs[k] == net->input && net->layers[i].op != OP_CONVERT) {
                return true;
            }
        }
    }
    return false;
}

static void print_convert(struct simd *simd, const struct layer *layer)
{
    const struct net *net = simd->plan->net;
    for (int i = 0; i < net->tensors[layer->output].width; i += 8) {
        print_eight(simd, layer, layer->output, i);
        if (simd->out->failed) {
            return;
        }
        const char *name = simd->values[layer->output].packed[i / 8].name;
        print_activation(simd, layer, name);
        if (layer->output == net->output) {
            print_store(simd, layer->output, i, name);
        }
    }
}

static void print_layers(struct simd *simd)
{
    const struct net *net = simd->plan->net;
    for (int i = 0; input_read(net) && i < net->tensors[net->input].width; i += 8) {
        print_eight(simd, NULL, net->input, i);
    }
    for (int i = 0; i < net->layer_count && !simd->out->failed; i++) {
        const struct layer *layer = &net->layers[i];
        switch (layer->op) {
        case OP_CONVERT: print_convert(simd, layer); break;
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

/* ---- the function ---- */

/* vqdmulh multiplies, doubles and keeps the high half: (a * b) >> 15. */
static void print_bends(struct text *out, const struct simd *simd)
{
    const char *name = simd->plan->name;
    text_add(out, "#include <arm_neon.h>\n\n");
    if (simd->used & USED_CUBIC) {
        text_printf(out,
                    "/* (3z - z^3) / 2 in Q15 as z + z * (1 - z^2) / 2: exact in 16 bits. */\n"
                    "static inline int16x8_t %s_cubic(int16x8_t v)\n{\n"
                    "    int16x8_t half = vrshrq_n_s16(vqdmulhq_s16(v, v), 1);\n"
                    "    return vaddq_s16(v, vqdmulhq_s16(v, vsubq_s16(vdupq_n_s16(16384), "
                    "half)));\n}\n\n",
                    name);
    }
    if (simd->used & USED_PSIG) {
        text_printf(out,
                    "/* z (2 - |z|) in Q15 as 2z + (-z * |z|): exact in 16 bits. */\n"
                    "static inline int16x8_t %s_psig(int16x8_t v)\n{\n"
                    "    int16x8_t bend = vqdmulhq_s16(vnegq_s16(v), vabsq_s16(v));\n"
                    "    return vaddq_s16(vaddq_s16(v, v), bend);\n}\n\n",
                    name);
    }
}

static void print_neon(struct text *out, const struct plan *plan, const char *storage)
{
    struct text body = {0};
    struct simd simd = {.lanes = 4};
    if (simd_start(&simd, &body, plan)) {
        print_layers(&simd);
    }
    print_bends(out, &simd);
    text_add(out, storage);
    print_prototype(out, plan);
    text_add(out, "\n{\n");
    text_add(out, body.data ? body.data : "");
    text_add(out, "}\n");
    out->failed = out->failed || body.failed;
    text_free(&body);
}

const struct variant variant_neon = {
    VARIANT_NEON,
    "neon",
    "defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)",
    simd_fits,
    print_neon,
};
