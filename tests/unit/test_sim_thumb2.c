/* The decoder of ARMv7-M: what it adds to ARMv6-M's 16-bit encodings, and 32-bit ones of every
 * class, with the DSP extension and without. */
#include "sim/thumb.h"
#include "sim/thumb2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* CBZ and CBNZ, IT on 15 conditions with a mask of 15, and what ARMv6-M has. */
static void test_short_encodings(void **state)
{
    (void)state;
    int more = 0;
    for (unsigned code = 0; code < 0xe800; code++) {
        unsigned size = thumb2_decode((uint16_t)code, 0, THUMB2_PLAIN).size;
        unsigned before = thumb_decode((uint16_t)code, 0, THUMB_M0).size;
        assert_true(size == 0 || size == 2);
        assert_true(size >= before);
        more += size != before;
    }
    assert_int_equal(more, 4 * 0x100 + 15 * 15);
}

/* In objdump's words; `plain`: also without the DSP extension. */
static const struct {
    uint16_t first, second;
    uint8_t size;
    uint8_t plain;
    uint8_t flags;
} words[] = {
    {0xe92d, 0x4ff0, 4, 1, STEP_ALIGNED | STEP_STACK},               /* push.w {r4-r11, lr} */
    {0xe8bd, 0x8ff0, 4, 1, STEP_ALIGNED | STEP_STACK | STEP_BRANCH}, /* pop.w {r4-r11, pc} */
    {0xe8a0, 0x000e, 4, 1, STEP_ALIGNED},                            /* stmia.w r0!, {r1-r3} */
    {0xe910, 0x000e, 4, 1, STEP_ALIGNED},                            /* ldmdb r0, {r1-r3} */
    {0xe9d0, 0x1200, 4, 1, STEP_ALIGNED},                            /* ldrd r1, r2, [r0] */
    {0xe8e0, 0x1201, 4, 1, STEP_ALIGNED},                            /* strd r1, r2, [r0], #4 */
    {0xe8df, 0xf000, 4, 1, STEP_BRANCH},                             /* tbb [pc, r0] */
    {0xe8df, 0xf010, 4, 1, STEP_BRANCH},                             /* tbh [pc, r0, lsl #1] */
    {0xe850, 0x1f00, 0, 0, 0},                                       /* ldrex */
    {0xe8d0, 0x1f4f, 0, 0, 0},                                       /* ldrexb */
    {0xea4f, 0x0001, 4, 1, 0},                                       /* mov.w r0, r1 */
    {0xeb00, 0x0141, 4, 1, 0},                                       /* add.w r1, r0, r1, lsl #1 */
    {0xeb20, 0x0101, 0, 0, 0},                                       /* op 1001: undefined */
    {0xeac0, 0x0101, 4, 0, 0},                                       /* pkhbt */
    {0xf44f, 0x7180, 4, 1, 0},                                       /* mov.w r1, #256 */
    {0xf5ad, 0x5d80, 4, 1, STEP_STACK},                              /* sub.w sp, sp, #4096 */
    {0xf0a0, 0x0101, 0, 0, 0},                                       /* op 0101: undefined */
    {0xf241, 0x2034, 4, 1, 0},                                       /* movw r0, #0x1234 */
    {0xf2c5, 0x6078, 4, 1, 0},                                       /* movt r0, #0x5678 */
    {0xf3c0, 0x1107, 4, 1, 0},                                       /* ubfx r1, r0, #4, #8 */
    {0xf300, 0x0107, 4, 1, 0},                                       /* ssat r1, #8, r0 */
    {0xf320, 0x0107, 4, 0, 0},                                       /* ssat16 r1, #8, r0 */
    {0xf000, 0xb800, 4, 1, STEP_BRANCH},                             /* b.w */
    {0xf000, 0xf800, 4, 1, STEP_BRANCH},                             /* bl */
    {0xf000, 0xe800, 0, 0, 0},                                       /* blx to Arm state */
    {0xf040, 0x8001, 4, 1, STEP_CONDITIONAL},                        /* bne.w */
    {0xf3bf, 0x8f4f, 4, 1, 0},                                       /* dsb */
    {0xf3af, 0x8000, 4, 1, 0},                                       /* nop.w */
    {0xf3af, 0x8003, 0, 0, 0},                                       /* wfi.w */
    {0xf7f0, 0xa000, 0, 0, 0},                                       /* udf.w */
    {0xf8d0, 0x1004, 4, 1, 0},                                       /* ldr.w r1, [r0, #4] */
    {0xf8df, 0x1004, 4, 1, 0},                                       /* ldr.w r1, [pc, #4] */
    {0xf85d, 0xfb04, 4, 1, STEP_BRANCH | STEP_STACK},                /* ldr.w pc, [sp], #4 */
    {0xf84d, 0x1d04, 4, 1, STEP_STACK},                              /* str r1, [sp, #-4]! */
    {0xf930, 0x1022, 4, 1, 0},             /* ldrsh.w r1, [r0, r2, lsl #2] */
    {0xf910, 0x1f01, 4, 1, 0},             /* ldrsb.w r1, [r0, #1]! */
    {0xf850, 0x1e04, 0, 0, 0},             /* ldrt */
    {0xf890, 0xf000, 0, 0, 0},             /* pld */
    {0xf8cf, 0x1000, 0, 0, 0},             /* str.w to a literal */
    {0xf950, 0x1000, 0, 0, 0},             /* a word by sign */
    {0xfa00, 0xf101, 4, 1, 0},             /* lsl.w r1, r0, r1 */
    {0xfa0f, 0xf190, 4, 1, 0},             /* sxth.w r1, r0, ror #8 */
    {0xfa00, 0xf181, 4, 0, 0},             /* sxtah r1, r0, r1 */
    {0xfa60, 0xf181, 0, 0, 0},             /* nothing */
    {0xfa90, 0xf1a0, 4, 1, 0},             /* rbit r1, r0 */
    {0xfab0, 0xf180, 4, 1, 0},             /* clz r1, r0 */
    {0xfa80, 0xf181, 4, 0, 0},             /* qadd r1, r1, r0 */
    {0xfa90, 0xf101, 4, 0, 0},             /* sadd16 r1, r0, r1 */
    {0xfa90, 0xf131, 0, 0, 0},             /* of a fourth kind */
    {0xfb00, 0xf101, 4, 1, STEP_MULTIPLY}, /* mul r1, r0, r1 */
    {0xfb00, 0x2111, 4, 1, STEP_MULTIPLY}, /* mls r1, r0, r1, r2 */
    {0xfb20, 0x2101, 4, 0, STEP_MULTIPLY}, /* smlad r1, r0, r1, r2 */
    {0xfb80, 0x1202, 4, 1, STEP_MULTIPLY}, /* smull r1, r2, r0, r2 */
    {0xfbc0, 0x1282, 4, 0, STEP_MULTIPLY}, /* smlalbb r1, r2, r0, r2 */
    {0xfbe0, 0x1262, 4, 0, STEP_MULTIPLY}, /* umaal r1, r2, r0, r2 */
    {0xfb90, 0xf1f2, 4, 1, 0},             /* sdiv r1, r0, r2 */
    {0xee30, 0x0a20, 0, 0, 0},             /* vadd.f32 */
    {0xfc40, 0x0000, 0, 0, 0},             /* coprocessors */
};

static void test_long_encodings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct step dsp = thumb2_decode(words[i].first, words[i].second, THUMB2_DSP);
        struct step plain = thumb2_decode(words[i].first, words[i].second, THUMB2_PLAIN);
        assert_int_equal(dsp.size, words[i].size);
        assert_int_equal(dsp.flags, words[i].flags);
        assert_int_equal(plain.size, words[i].plain ? words[i].size : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_encodings),
        cmocka_unit_test(test_long_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
