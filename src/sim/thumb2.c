#include "sim/thumb2.h"

#include "sim/thumb.h"

#include <stdbool.h>
#include <stddef.h>

#define SP 13U
#define PC 15U

static const struct step undefined = {0};

static struct step plain(unsigned size, unsigned flags)
{
    return (struct step){.size = (uint8_t)size, .cycles = 1, .flags = (uint8_t)flags};
}

/* ---- tables of 32-bit encodings ---- */

/* One encoding or several alike: those whose bits of `mask` are `value`; halfwords first, second.
 */
struct pattern {
    uint32_t mask, value;
    uint8_t flags;
    bool dsp; /* of the DSP extension */
};

static const struct pattern patterns[] = {
    /* load and store multiple, load and store two words, table branches */
    {0xffd0a000, 0xe8800000, STEP_ALIGNED, false}, /* STM */
    {0xffd02000, 0xe8900000, STEP_ALIGNED, false}, /* LDM, POP */
    {0xffd0a000, 0xe9000000, STEP_ALIGNED, false}, /* STMDB, PUSH */
    {0xffd02000, 0xe9100000, STEP_ALIGNED, false}, /* LDMDB */
    {0xff600000, 0xe8600000, STEP_ALIGNED, false}, /* STRD, LDRD, index afterwards */
    {0xff400000, 0xe9400000, STEP_ALIGNED, false}, /* STRD, LDRD */
    {0xfff0ffe0, 0xe8d0f000, STEP_BRANCH, false},  /* TBB, TBH */
    /* two registers, the second shifted */
    {0xff808000, 0xea000000, 0, false}, /* AND, TST, BIC, ORR, MOV, shifts, ORN, MVN */
    {0xffe08000, 0xea800000, 0, false}, /* EOR, TEQ */
    {0xfff08010, 0xeac00000, 0, true},  /* PKH */
    {0xffe08000, 0xeb000000, 0, false}, /* ADD, CMN */
    {0xffc08000, 0xeb400000, 0, false}, /* ADC, SBC */
    {0xffe08000, 0xeba00000, 0, false}, /* SUB, CMP */
    {0xffe08000, 0xebc00000, 0, false}, /* RSB */
    /* a register and an expanded immediate */
    {0xfb808000, 0xf0000000, 0, false}, /* AND, TST, BIC, ORR, MOV, ORN, MVN */
    {0xfbe08000, 0xf0800000, 0, false}, /* EOR, TEQ */
    {0xfbe08000, 0xf1000000, 0, false}, /* ADD, CMN */
    {0xfbc08000, 0xf1400000, 0, false}, /* ADC, SBC */
    {0xfbe08000, 0xf1a00000, 0, false}, /* SUB, CMP */
    {0xfbe08000, 0xf1c00000, 0, false}, /* RSB */
    /* a register and a plain immediate, bit fields, saturation */
    {0xfbf08000, 0xf2000000, 0, false}, /* ADDW, ADR */
    {0xfbf08000, 0xf2400000, 0, false}, /* MOVW */
    {0xfbf08000, 0xf2a00000, 0, false}, /* SUBW, ADR */
    {0xfbf08000, 0xf2c00000, 0, false}, /* MOVT */
    {0xfff0f0e0, 0xf3200000, 0, true},  /* SSAT16 */
    {0xfff0f0e0, 0xf3a00000, 0, true},  /* USAT16 */
    {0xffd08020, 0xf3000000, 0, false}, /* SSAT */
    {0xffd08020, 0xf3800000, 0, false}, /* USAT */
    {0xfff08020, 0xf3400000, 0, false}, /* SBFX */
    {0xfff08020, 0xf3600000, 0, false}, /* BFI, BFC */
    {0xfff08020, 0xf3c00000, 0, false}, /* UBFX */
    {0xffffffff, 0xf3af8000, 0, false}, /* NOP */
    /* shifts by a register, extension, byte order */
    {0xff80f0f0, 0xfa00f000, 0, false}, /* LSL, LSR, ASR, ROR */
    {0xffeff0c0, 0xfa0ff080, 0, false}, /* SXTH, UXTH */
    {0xffeff0c0, 0xfa4ff080, 0, false}, /* SXTB, UXTB */
    {0xffc0f0c0, 0xfa00f080, 0, true},  /* SXTAH, UXTAH, SXTB16, UXTB16 and kin */
    {0xffe0f0c0, 0xfa40f080, 0, true},  /* SXTAB, UXTAB */
    {0xfff0f0f0, 0xfa90f080, 0, false}, /* REV */
    {0xfff0f0f0, 0xfa90f090, 0, false}, /* REV16 */
    {0xfff0f0e0, 0xfa90f0a0, 0, false}, /* RBIT, REVSH */
    {0xfff0f0f0, 0xfab0f080, 0, false}, /* CLZ */
    {0xfff0f0c0, 0xfa80f080, 0, true},  /* QADD, QDADD, QSUB, QDSUB */
    {0xfff0f0f0, 0xfaa0f080, 0, true},  /* SEL */
    {0xffe0f0a0, 0xfa80f000, 0, true},  /* ADD8, ADD16: S, Q, U, UQ */
    {0xffe0f0b0, 0xfa80f020, 0, true},  /* the same: SH, UH */
    {0xfff0f0a0, 0xfaa0f000, 0, true},  /* ASX */
    {0xfff0f0b0, 0xfaa0f020, 0, true},
    {0xffe0f0a0, 0xfac0f000, 0, true}, /* SUB8, SUB16 */
    {0xffe0f0b0, 0xfac0f020, 0, true},
    {0xfff0f0a0, 0xfae0f000, 0, true}, /* SAX */
    {0xfff0f0b0, 0xfae0f020, 0, true},
    /* products, quotients */
    {0xfff000e0, 0xfb000000, STEP_MULTIPLY, false}, /* MLA, MUL, MLS */
    {0xfff000c0, 0xfb100000, STEP_MULTIPLY, true},  /* SMLA<x><y>, SMUL<x><y> */
    {0xffe000e0, 0xfb200000, STEP_MULTIPLY, true},  /* SMLAD, SMUAD, SMLAW, SMULW */
    {0xffe000e0, 0xfb400000, STEP_MULTIPLY, true},  /* SMLSD, SMUSD, SMMLA, SMMUL */
    {0xfff000e0, 0xfb600000, STEP_MULTIPLY, true},  /* SMMLS */
    {0xfff000f0, 0xfb700000, 0, true},              /* USAD8, USADA8 */
    {0xffd000f0, 0xfb800000, STEP_MULTIPLY, false}, /* SMULL, UMULL */
    {0xffd0f0f0, 0xfb90f0f0, 0, false},             /* SDIV, UDIV */
    {0xffd000f0, 0xfbc00000, STEP_MULTIPLY, false}, /* SMLAL, UMLAL */
    {0xfff000c0, 0xfbc00080, STEP_MULTIPLY, true},  /* SMLAL<x><y> */
    {0xffe000e0, 0xfbc000c0, STEP_MULTIPLY, true},  /* SMLALD, SMLSLD */
    {0xfff000f0, 0xfbe00060, STEP_MULTIPLY, true},  /* UMAAL */
};

/* ---- what the tables do not say ---- */

/* 1111100x: one byte, halfword or word.  Unprivileged accesses have an address of their own form.
 */
static bool is_single_access(unsigned first, unsigned second)
{
    bool load = first & 0x10;
    bool sign = first & 0x100;
    unsigned size = first >> 5 & 3;
    unsigned base = first & 15;
    if (size == 3 || (sign && (!load || size == 2)) || (!load && base == PC)) {
        return false;
    }
    if (second >> 12 == PC && size != 2) { /* preloads */
        return false;
    }
    if (base == PC || first & 0x80) { /* literals; immediates of 12 bits */
        return true;
    }
    unsigned mode = second >> 8 & 7; /* P U W */
    return second & 0x800 ? mode != 0 && mode != 2 && mode != 6 : (second & 0xfc0) == 0;
}

/* 11110: branches; the rest with the second halfword's bit 15 is as on ARMv6-M. */
static struct step decode_control(unsigned first, unsigned second)
{
    switch (second & 0xd000) {
    case 0x9000: return plain(4, STEP_BRANCH); /* B */
    case 0x8000:
        if ((first >> 6 & 15) < 14) {
            return plain(4, STEP_CONDITIONAL);
        }
        break;
    default: break;
    }
    return thumb_decode((uint16_t)first, (uint16_t)second, THUMB_M0PLUS);
}

/* Does it load the program counter? */
static bool loads_pc(unsigned first, unsigned second)
{
    bool multiple = (first & 0xffd0) == 0xe890 || (first & 0xffd0) == 0xe910;
    bool word = (first & 0xff70) == 0xf850;
    return (multiple && second & 0x8000) || (word && second >> 12 == PC);
}

static const struct pattern *find(uint32_t code)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if ((code & patterns[i].mask) == patterns[i].value) {
            return &patterns[i];
        }
    }
    return NULL;
}

static struct step decode_long(unsigned first, unsigned second, enum thumb2_core core)
{
    const struct pattern *pattern = find((uint32_t)first << 16 | second);
    unsigned flags = loads_pc(first, second) ? STEP_BRANCH : 0U;
    flags |= (first & 15) == SP || (second >> 8 & 15) == SP || second >> 12 == SP ? STEP_STACK : 0U;
    if (pattern) {
        bool has = !pattern->dsp || core == THUMB2_DSP;
        return has ? plain(4, flags | pattern->flags) : undefined;
    }
    if ((first & 0xfe00) == 0xf800) {
        return is_single_access(first, second) ? plain(4, flags) : undefined;
    }
    return first >> 11 == 0x1e && second & 0x8000 ? decode_control(first, second) : undefined;
}

struct step thumb2_decode(uint16_t first, uint16_t second, enum thumb2_core core)
{
    unsigned code = first;
    bool multiple = code >> 12 == 0xc || (code & 0xf600) == 0xb400;
    if (code >> 11 >= 0x1d) {
        return decode_long(code, second, core);
    }
    if ((code & 0xf500) == 0xb100) { /* CBZ, CBNZ */
        return plain(2, STEP_CONDITIONAL);
    }
    if ((code & 0xff00) == 0xbf00 && code & 15) { /* IT: not on the condition "never" */
        return (code & 0xf0) < 0xf0 ? plain(2, 0) : undefined;
    }
    struct step step = thumb_decode(first, second, THUMB_M0PLUS);
    step.flags |= step.size && multiple ? STEP_ALIGNED : 0U;
    return step;
}
