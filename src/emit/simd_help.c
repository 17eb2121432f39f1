/* Vector variants for x86-64: activations, and the helpers that the printed function calls. */
#include "emit/simd_x86.h"

#include <string.h>

const char *x86_prefix(int bits)
{
    return bits == 512 ? "_mm512" : bits == 256 ? "_mm256" : "_mm";
}

/* ---- activations on 16-bit elements ---- */

static void print_bound(struct simd *simd, const char *name, int bits, const char *which,
                        int64_t bound)
{
    const char *mm = x86_prefix(bits);
    text_printf(simd->out, "    %s = %s_%s_epi16(%s, %s_set1_epi16(%d));\n", name, mm, which, name,
                mm, (int)bound);
}

/* What lies outside of the range that the activation keeps, and packing does not saturate. */
static void print_clamp(struct simd *simd, const struct layer *layer, const char *name, int bits,
                        bool packs)
{
    const struct plan *plan = simd->plan;
    enum type type = plan->net->tensors[layer->output].type;
    struct limits kept = simd_kept(layer->activation, type);
    struct limits range = {INT16_MIN, INT16_MAX};
    bool straight = layer->activation == ACTIVATION_NONE || layer->activation == ACTIVATION_RELU;
    if (layer->op != OP_CONVERT) {
        range = simd_saturated(simd_range(plan, layer));
    }
    if (range.low < kept.low && !(packs && straight && kept.low == type_low(type))) {
        print_bound(simd, name, bits, "max", kept.low);
    }
    if (range.high > kept.high && !(packs && straight)) {
        print_bound(simd, name, bits, "min", kept.high);
    }
}

/* A call of the helper for this width. */
static void print_bend(struct simd *simd, const char *helper, const char *name, int bits,
                       unsigned whole, unsigned outward)
{
    bool narrower = bits != simd->bits;
    simd->used |= narrower ? outward : whole;
    text_printf(simd->out, "    %s = %s_%s%s(%s);\n", name, simd->plan->name, helper,
                narrower ? "_out" : "", name);
}

void x86_print_activation(struct simd *simd, const struct layer *layer, const char *name, int bits,
                          bool packs)
{
    const char *mm = x86_prefix(bits);
    print_clamp(simd, layer, name, bits, packs);
    switch (layer->activation) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP: break;
    case ACTIVATION_ABS:
        if (simd->sse2) {
            text_printf(simd->out,
                        "    %s = _mm_max_epi16(%s, _mm_sub_epi16(_mm_setzero_si128(), %s));\n",
                        name, name, name);
        } else {
            text_printf(simd->out, "    %s = %s_abs_epi16(%s);\n", name, mm, name);
        }
        break;
    case ACTIVATION_LEAKY:
        text_printf(simd->out, "    %s = %s_max_epi16(%s, %s_srai_epi16(%s, 3));\n", name, mm, name,
                    mm, name);
        break;
    case ACTIVATION_CUBIC: print_bend(simd, "cubic", name, bits, USED_CUBIC, USED_CUBIC_OUT); break;
    case ACTIVATION_PSIG: print_bend(simd, "psig", name, bits, USED_PSIG, USED_PSIG_OUT); break;
    }
}

/* ---- helpers ---- */

/* Lines of a helper: '@' stands for the prefix of the file's C names, "mm" and "V" for the
 * prefix and the type of a register, '#' for its bits. */
static void print_lines(struct text *out, const struct simd *simd, int bits, const char *lines)
{
    for (; *lines; lines++) {
        if (*lines == '@') {
            text_add(out, simd->plan->name);
        } else if (*lines == '$') {
            text_add(out, x86_prefix(bits));
        } else if (*lines == '#') {
            text_printf(out, "%d", bits);
        } else {
            text_bytes(out, lines, 1);
        }
    }
}

static const char *const load = "static inline __m#i @_load(const void *p)\n{\n"
                                "    return $_loadu_si#((const __m#i *)p);\n}\n\n";

static const char *const load_aligned = "static inline __m#i @_load(const void *p)\n{\n"
                                        "    return $_load_si#((const __m#i *)p);\n}\n\n";

static const char *const dot_avx2 =
    "/* In each 32-bit lane: two 16-bit elements times two weights on top of a sum. */\n"
    "static inline __m#i @_dot(__m#i sum, __m#i x, const int16_t *w)\n{\n"
    "    return $_add_epi32(sum, $_madd_epi16(x, @_load(w)));\n}\n\n";

static const char *const dot_vnni =
    "/* In each 32-bit lane: two 16-bit elements times two weights on top of a sum. */\n"
    "static inline __m#i @_dot(__m#i sum, __m#i x, const int16_t *w)\n{\n"
    "    return $_dpwssd_epi32(sum, x, @_load(w));\n}\n\n";

static const char *const dot8 =
    "/* In each 32-bit lane: four unsigned bytes times four weights on top of a sum. */\n"
    "static inline __m#i @_dot8(__m#i sum, __m#i x, const int8_t *w)\n{\n"
    "    return $_dpbusd_epi32(sum, x, @_load(w));\n}\n\n";

/* (v * ((98304 - t) >> 1)) >> 15 with t = (v * v) >> 15: the factor is 32768 + s, so this is
 * v + ((v * s) >> 15), s = 16384 - q with q = (t + 1) >> 1 = (v * v + 2^15) >> 16; and because
 * 2 s = 32768 - 2 q does not fit 16 bits but its negative does, v * s / 2^15 is the high half of
 * -v times 2 q - 32768. */
static const char *const cubic =
    "/* (3z - z^3) / 2 in Q15 as z + (-z * (2q - 1)), q = z^2 / 2 rounded: exact in 16 bits. */\n"
    "static inline __m#i @_cubic%(__m#i v)\n{\n"
    "    __m#i high = $_mulhi_epi16(v, v);\n"
    "    __m#i round = $_slli_epi16($_srli_epi16($_mullo_epi16(v, v), 15), 1);\n"
    "    __m#i less = $_xor_si#($_add_epi16(high, high), $_set1_epi16(-32768));\n"
    "    __m#i minus = $_sub_epi16($_setzero_si#(), v);\n"
    "    return $_add_epi16(v, $_mulhi_epi16(minus, $_add_epi16(less, round)));\n}\n\n";

/* (v * (65536 - |v|)) >> 15 = 2 v + ((-v * |v|) >> 15), modulo 2^16: the result fits. */
static const char *const psig =
    "/* z (2 - |z|) in Q15 as 2z + (-z * |z|): exact in 16 bits. */\n"
    "static inline __m#i @_psig%(__m#i v)\n{\n"
    "    __m#i minus = $_sub_epi16($_setzero_si#(), v);\n"
    "    __m#i size = $_max_epi16(v, minus);\n"
    "    __m#i high = $_slli_epi16($_mulhi_epi16(minus, size), 1);\n"
    "    __m#i low = $_srli_epi16($_mullo_epi16(minus, size), 15);\n"
    "    return $_add_epi16($_add_epi16(v, v), $_or_si#(high, low));\n}\n\n";

/* A helper that is printed for whole registers, for the output's 128 bits, or both. */
static void print_bent(struct text *out, const struct simd *simd, const char *lines, unsigned whole,
                       unsigned outward)
{
    static const int out_bits = 128;
    for (int pass = 0; pass < 2; pass++) {
        const char *mark = strchr(lines, '%');
        struct text head = {0};
        if (!mark || !(simd->used & (pass ? outward : whole))) {
            continue;
        }
        text_bytes(&head, lines, (size_t)(mark - lines));
        text_add(&head, pass ? "_out" : "");
        text_add(&head, mark + 1);
        print_lines(out, simd, pass ? out_bits : simd->bits, head.data ? head.data : "");
        out->failed = out->failed || head.failed;
        text_free(&head);
    }
}

/* Words from and to memory.  Copied by the compiler, which makes one load or store of each, so that
 * a caller's next load of the outputs need not wait for several stores. */
static void print_memory(struct text *out, const struct simd *simd)
{
    const struct net *net = simd->plan->net;
    const char *name = simd->plan->name;
    const char *in = c_type(net->tensors[net->input].type);
    for (int half = 0; half < 2; half++) {
        if (simd->used & (half ? USED_HALF : USED_WORD)) {
            const char *type = half ? "short" : "int";
            text_printf(out,
                        "static inline %s %s_%s(const %s *p)\n{\n"
                        "    %s v;\n    __builtin_memcpy(&v, p, sizeof v);\n    return v;\n}\n\n",
                        type, name, half ? "half" : "word", in, type);
        }
    }
    for (int count = 2; count <= 4; count += 2) {
        bool whole = count == 4 || net->tensors[net->output].type == TYPE_I16;
        if (simd->used & (count == 2 ? USED_PUT2 : USED_PUT4)) {
            text_printf(out,
                        "static inline void %s_put%d(%s *p, int v)\n{\n"
                        "    __builtin_memcpy(p, &v, %d);\n}\n\n",
                        name, count, c_type(net->tensors[net->output].type), whole ? 4 : 2);
        }
    }
}

void x86_print_helpers(const struct simd *simd, struct text *out)
{
    text_add(out, simd->sse2 ? "#include <emmintrin.h>\n\n" : "#include <immintrin.h>\n\n");
    print_lines(out, simd, simd->bits, simd->sse2 ? load_aligned : load);
    if (simd->used & USED_DOT) {
        print_lines(out, simd, simd->bits, simd->vnni ? dot_vnni : dot_avx2);
    }
    if (simd->used & USED_DOT8) {
        print_lines(out, simd, simd->bits, dot8);
    }
    print_bent(out, simd, cubic, USED_CUBIC, USED_CUBIC_OUT);
    print_bent(out, simd, psig, USED_PSIG, USED_PSIG_OUT);
    print_memory(out, simd);
}
