/* The decoder of AVR on all 65536 first words, against counts from the manual's bit patterns, and
 * the accesses of loads and stores. */
#include "sim/avr8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL (AVR8_MULTIPLY | AVR8_LONG | AVR8_ELPM | AVR8_EICALL)

static void test_defined_words(void **state)
{
    (void)state;
    static const struct {
        unsigned first, last;
        int large, small; /* with all features, with none */
    } ranges[] = {
        {0x0000, 0x00ff, 1, 1},             /* NOP */
        {0x0100, 0x01ff, 256, 256},         /* MOVW */
        {0x0200, 0x03ff, 512, 0},           /* MULS, MULSU, FMUL ... */
        {0x0400, 0x2fff, 0x2c00, 0x2c00},   /* two registers */
        {0x3000, 0x7fff, 0x5000, 0x5000},   /* immediates */
        {0x8000, 0x8fff, 0x1000, 0x1000},   /* LDD, STD, small offsets */
        {0x9000, 0x91ff, 32 * 13, 32 * 11}, /* LDS, LD, LPM, POP; ELPM twice */
        {0x9200, 0x93ff, 32 * 9, 32 * 9},   /* STS, ST, PUSH; no XCH, LAS, LAC, LAT */
        /* 8 on one register, BSET and BCLR, IJMP RET ICALL LPM; EIJMP EICALL ELPM; JMP CALL */
        {0x9400, 0x95ff, 32 * 8 + 16 + 4 + 3 + 128, 32 * 8 + 16 + 4},
        {0x9600, 0x97ff, 512, 512},               /* ADIW, SBIW */
        {0x9800, 0x9bff, 0, 0},                   /* bits of I/O registers */
        {0x9c00, 0x9fff, 1024, 0},                /* MUL */
        {0xa000, 0xafff, 0x1000, 0x1000},         /* LDD, STD, large offsets */
        {0xb000, 0xbfff, 2 * 5 * 32, 2 * 5 * 32}, /* IN, OUT of RAMPZ, EIND, SPL, SPH, SREG */
        {0xc000, 0xf7ff, 0x3800, 0x3800},         /* RJMP, RCALL, LDI, branches */
        {0xf800, 0xffff, 0x400, 0x400},           /* BLD, BST, SBRC, SBRS: bit 3 is 0 */
    };
    unsigned next = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        int large = 0;
        int small = 0;
        assert_int_equal(ranges[i].first, next);
        for (unsigned code = ranges[i].first; code <= ranges[i].last; code++) {
            large += avr8_decode((uint16_t)code, ALL).size != 0;
            small += avr8_decode((uint16_t)code, 0).size != 0;
        }
        assert_int_equal(large, ranges[i].large);
        assert_int_equal(small, ranges[i].small);
        next = ranges[i].last + 1;
    }
    assert_int_equal(next, 0x10000);
}

static void check_access(unsigned first, int kind, unsigned pointer, int offset)
{
    struct avr8_access access = avr8_access((uint16_t)first, 0x0123);
    assert_int_equal(access.kind, kind);
    if (kind != AVR8_NONE) {
        assert_int_equal(access.pointer, pointer);
        assert_int_equal(access.offset, offset);
    }
}

static void test_accesses(void **state)
{
    (void)state;
    check_access(0x9180, AVR8_READ, 0, 0x123);  /* lds r24, 0x123 */
    check_access(0x9380, AVR8_WRITE, 0, 0x123); /* sts 0x123, r24 */
    check_access(0x918c, AVR8_READ, 26, 0);     /* ld r24, X */
    check_access(0x918d, AVR8_READ, 26, 0);     /* ld r24, X+ */
    check_access(0x938e, AVR8_WRITE, 26, -1);   /* st -X, r24 */
    check_access(0x9389, AVR8_WRITE, 28, 0);    /* st Y+, r24 */
    check_access(0x918a, AVR8_READ, 28, -1);    /* ld r24, -Y */
    check_access(0x9181, AVR8_READ, 30, 0);     /* ld r24, Z+ */
    check_access(0x9382, AVR8_WRITE, 30, -1);   /* st -Z, r24 */
    check_access(0x8180, AVR8_READ, 30, 0);     /* ld r24, Z */
    check_access(0x8188, AVR8_READ, 28, 0);     /* ld r24, Y */
    check_access(0xad8f, AVR8_READ, 28, 63);    /* ldd r24, Y+63 */
    check_access(0x8780, AVR8_WRITE, 30, 8);    /* std Z+8, r24 */
    check_access(0xa380, AVR8_WRITE, 30, 32);   /* std Z+32, r24 */
    check_access(0x95c8, AVR8_FLASH, 30, 0);    /* lpm */
    check_access(0x9185, AVR8_FLASH, 30, 0);    /* lpm r24, Z+ */
    check_access(0x9187, AVR8_FLASH, 30, 0);    /* elpm r24, Z+ */
    check_access(0x918f, AVR8_NONE, 0, 0);      /* pop r24 */
    check_access(0x938f, AVR8_NONE, 0, 0);      /* push r24 */
    check_access(0x0f89, AVR8_NONE, 0, 0);      /* add r24, r25 */
    check_access(0x9508, AVR8_NONE, 0, 0);      /* ret */
}

static void check(unsigned first, int size, unsigned flags)
{
    struct step step = avr8_decode((uint16_t)first, ALL);
    assert_int_equal(step.size, size);
    assert_int_equal(step.flags, flags);
}

static void test_sizes_and_flags(void **state)
{
    (void)state;
    check(0x9180, 4, 0);                        /* lds */
    check(0x940e, 4, STEP_BRANCH | STEP_STACK); /* call */
    check(0x95fd, 4, STEP_BRANCH);              /* jmp, high bits */
    check(0xd000, 2, STEP_BRANCH | STEP_STACK); /* rcall */
    check(0x9508, 2, STEP_BRANCH | STEP_STACK); /* ret */
    check(0x938f, 2, STEP_STACK);               /* push */
    check(0xbfcd, 2, STEP_STACK);               /* out SPL, r28 */
    check(0xbfde, 2, 0);                        /* out SPH, r29: not whole yet */
    check(0xb7cd, 2, 0);                        /* in r28, SPL */
    check(0xf409, 2, STEP_CONDITIONAL);         /* brne */
    check(0x1001, 2, STEP_CONDITIONAL);         /* cpse */
    check(0xfd80, 2, STEP_CONDITIONAL);         /* sbrc */
    check(0x9f89, 2, STEP_MULTIPLY);            /* mul */
    check(0x9518, 0, 0);                        /* reti */
    check(0x9588, 0, 0);                        /* sleep */
    check(0x95e8, 0, 0);                        /* spm */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defined_words),
        cmocka_unit_test(test_accesses),
        cmocka_unit_test(test_sizes_and_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
