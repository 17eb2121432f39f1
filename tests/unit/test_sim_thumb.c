/* The decoder of ARMv6-M on all 65536 first halfwords: independent counts of what is defined, and
 * the cycles of each class on both cores. */
#include "sim/thumb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct step decode(unsigned first, enum thumb_core core)
{
    return thumb_decode((uint16_t)first, 0, core);
}

/* Numbers of 16-bit encodings in first..last that may run: from the manual's bit patterns. */
static void test_defined_encodings(void **state)
{
    (void)state;
    static const struct {
        unsigned first, last, defined;
    } ranges[] = {
        {0x0000, 0x43ff, 0x4400},    /* immediates, data processing: all */
        {0x4400, 0x44ff, 0x100 - 1}, /* ADD but not ADD pc, pc */
        {0x4500, 0x45ff, 0x100 - 64 - 31 /* CMP: not low with low, nor with r15: */},
        {0x4600, 0x46ff, 0x100},       /* MOV */
        {0x4700, 0x47ff, 2 * 15},      /* BX, BLX of r0..r14, low bits zero */
        {0x4800, 0xafff, 0x6800},      /* loads, stores, ADR, ADD of SP */
        {0xb000, 0xb0ff, 0x100},       /* ADD, SUB of SP */
        {0xb100, 0xb1ff, 0},           /* CBZ */
        {0xb200, 0xb2ff, 0x100},       /* extend */
        {0xb300, 0xb3ff, 0},           /* CBZ */
        {0xb400, 0xb5ff, 0x200 - 1},   /* PUSH of something */
        {0xb600, 0xb6ff, 2},           /* CPSIE i, CPSID i */
        {0xb700, 0xb9ff, 0},           /* nothing, CBNZ */
        {0xba00, 0xbaff, 3 * 0x40},    /* REV, REV16, REVSH */
        {0xbb00, 0xbbff, 0},           /* CBNZ */
        {0xbc00, 0xbdff, 0x200 - 1},   /* POP of something */
        {0xbe00, 0xbeff, 0},           /* BKPT */
        {0xbf00, 0xbfff, 2},           /* NOP, SEV; not IT */
        {0xc000, 0xcfff, 0x1000 - 16}, /* STM, LDM of something */
        {0xd000, 0xddff, 0xe00},       /* B<cond> */
        {0xde00, 0xdfff, 0},           /* UDF, SVC */
        {0xe000, 0xe7ff, 0x800},       /* B */
        {0xe800, 0xffff, 0},           /* 32 bits: not with a second halfword of 0 */
    };
    unsigned next = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        unsigned defined = 0;
        assert_int_equal(ranges[i].first, next);
        for (unsigned code = ranges[i].first; code <= ranges[i].last; code++) {
            defined += decode(code, THUMB_M0).size == 2;
            assert_int_equal(decode(code, THUMB_M0).size, decode(code, THUMB_M0PLUS).size);
        }
        assert_int_equal(defined, ranges[i].defined);
        next = ranges[i].last + 1;
    }
    assert_int_equal(next, 0x10000);
}

static void check_long(unsigned first, unsigned second, int cycles, int cycles_plus)
{
    struct step thumb = thumb_decode((uint16_t)first, (uint16_t)second, THUMB_M0);
    assert_int_equal(thumb.size, cycles ? 4 : 0);
    assert_int_equal(thumb.cycles, cycles);
    thumb = thumb_decode((uint16_t)first, (uint16_t)second, THUMB_M0PLUS);
    assert_int_equal(thumb.cycles, cycles_plus);
}

static void test_long_encodings(void **state)
{
    (void)state;
    check_long(0xf000, 0xf800, 4, 3); /* bl */
    check_long(0xf7ff, 0xd7ff, 4, 3); /* bl, other bits */
    check_long(0xf3ef, 0x8000, 4, 3); /* mrs r0, apsr */
    check_long(0xf3ef, 0x8110, 4, 3); /* mrs r1, primask */
    check_long(0xf380, 0x8808, 4, 3); /* msr msp, r0 */
    check_long(0xf3bf, 0x8f4f, 4, 3); /* dsb */
    check_long(0xf3bf, 0x8f5f, 4, 3); /* dmb */
    check_long(0xf3bf, 0x8f6f, 4, 3); /* isb */
    check_long(0xf3bf, 0x8f2f, 0, 0); /* clrex */
    check_long(0xf3ef, 0x8011, 0, 0); /* mrs r0, basepri: not on ARMv6-M */
    check_long(0xf3ef, 0x8f00, 0, 0); /* mrs pc */
    check_long(0xf38d, 0x8808, 0, 0); /* msr of sp */
    check_long(0xf000, 0xb800, 0, 0); /* b.w */
    check_long(0xf000, 0xe800, 0, 0); /* blx immediate */
    check_long(0xf7f0, 0xa000, 0, 0); /* udf.w */
    check_long(0xfbb0, 0xf0f1, 0, 0); /* udiv */
    check_long(0xf240, 0x0001, 0, 0); /* movw */
    check_long(0xf3af, 0x8000, 0, 0); /* nop.w */
    check_long(0xe92d, 0x4ff0, 0, 0); /* push.w */
}

static void check_cycles(unsigned code, int cycles, int cycles_plus, unsigned flags)
{
    assert_int_equal(decode(code, THUMB_M0).cycles, cycles);
    assert_int_equal(decode(code, THUMB_M0PLUS).cycles, cycles_plus);
    assert_int_equal(decode(code, THUMB_M0).flags, flags);
}

static void test_cycles(void **state)
{
    (void)state;
    check_cycles(0x0000, 1, 1, 0);                        /* movs r0, r0 */
    check_cycles(0x4348, 1, 1, STEP_MULTIPLY);            /* muls r0, r1 */
    check_cycles(0x4487, 3, 2, STEP_BRANCH);              /* add pc, r0 */
    check_cycles(0x4685, 1, 1, STEP_STACK);               /* mov sp, r0 */
    check_cycles(0x4687, 3, 2, STEP_BRANCH);              /* mov pc, r0 */
    check_cycles(0x4700, 3, 2, STEP_BRANCH);              /* bx r0 */
    check_cycles(0x4780, 3, 2, STEP_BRANCH);              /* blx r0 */
    check_cycles(0x4800, 2, 2, 0);                        /* ldr r0, literal */
    check_cycles(0x5e08, 2, 2, 0);                        /* ldrsh */
    check_cycles(0x9000, 2, 2, 0);                        /* str r0, [sp] */
    check_cycles(0xa000, 1, 1, 0);                        /* adr */
    check_cycles(0xb082, 1, 1, STEP_STACK);               /* sub sp, #8 */
    check_cycles(0xb5f0, 6, 6, STEP_STACK);               /* push {r4-r7, lr} */
    check_cycles(0xbcf0, 5, 5, STEP_STACK);               /* pop {r4-r7} */
    check_cycles(0xbdf0, 9, 8, STEP_STACK | STEP_BRANCH); /* pop {r4-r7, pc} */
    check_cycles(0xc0ff, 9, 9, 0);                        /* stmia */
    check_cycles(0xc801, 2, 2, 0);                        /* ldmia of one */
    check_cycles(0xd000, 1, 1, STEP_CONDITIONAL);         /* beq */
    check_cycles(0xe000, 3, 2, STEP_BRANCH);              /* b */
    assert_int_equal(decode(0xd000, THUMB_M0).taken, 2);
    assert_int_equal(decode(0xd000, THUMB_M0PLUS).taken, 1);
}

static void test_conditions(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        bool n = i & 8;
        bool z = i & 4;
        bool c = i & 2;
        bool v = i & 1;
        bool holds[14] = {z,  !z,      c,       !c,     n,      !n,           v,
                          !v, c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v};
        for (unsigned k = 0; k < 14; k++) {
            assert_int_equal(thumb_condition(k, (uint32_t)i << 28 | 0x01000000), holds[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defined_encodings),
        cmocka_unit_test(test_long_encodings),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
