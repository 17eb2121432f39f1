/* The decoder of RV32EC, RV32EMC, RV32IMC and RV64IMC: all 16-bit encodings against counts from the
 * manual's bit patterns, 32-bit ones by class, registers that RV32E lacks in every place. */
#include "sim/rv32.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define E RV32_EC
#define M RV32_EMC
#define I RV32_IMC
#define W RV64_IMC

static struct step decode(uint32_t code, enum rv32_core core)
{
    return rv32_decode((uint16_t)code, (uint16_t)(code >> 16), core);
}

/* Encodings of one quadrant (low two bits) and funct3 (high three) that may run. */
static int count_short(unsigned quadrant, unsigned funct3, enum rv32_core core)
{
    int count = 0;
    for (unsigned middle = 0; middle < 2048; middle++) {
        unsigned size = decode(funct3 << 13 | middle << 2 | quadrant, core).size;
        assert_true(size == 0 || size == 2);
        count += size != 0;
    }
    return count;
}

static void test_short_encodings(void **state)
{
    (void)state;
    static const struct {
        unsigned quadrant, funct3;
        int on_e, on_i;
    } rows[] = {
        {0, 0, 255 * 8, 255 * 8},               /* ADDI4SPN: not by 0 */
        {0, 1, 0, 0},                           /* FLD */
        {0, 2, 2048, 2048},                     /* LW */
        {0, 3, 0, 0},                           /* FLW */
        {0, 4, 0, 0},                           /* reserved */
        {0, 5, 0, 0},                           /* FSD */
        {0, 6, 2048, 2048},                     /* SW */
        {0, 7, 0, 0},                           /* FSW */
        {1, 0, 16 * 64, 32 * 64},               /* ADDI */
        {1, 1, 2048, 2048},                     /* JAL */
        {1, 2, 16 * 64, 32 * 64},               /* LI */
        {1, 3, 16 * 63, 32 * 63},               /* LUI, ADDI16SP: not by 0 */
        {1, 4, 256 * 2 + 512 + 256, 1280},      /* shifts by less than 32, ANDI, SUB XOR OR AND */
        {1, 5, 2048, 2048},                     /* J */
        {1, 6, 2048, 2048},                     /* BEQZ */
        {1, 7, 2048, 2048},                     /* BNEZ */
        {2, 0, 16 * 32, 32 * 32},               /* SLLI by less than 32 */
        {2, 1, 0, 0},                           /* FLDSP */
        {2, 2, 15 * 64, 31 * 64},               /* LWSP, not to x0 */
        {2, 3, 0, 0},                           /* FLWSP */
        {2, 4, 2 * (15 + 240), 2 * (31 + 992)}, /* JR, MV; JALR, ADD; not EBREAK */
        {2, 5, 0, 0},                           /* FSDSP */
        {2, 6, 16 * 64, 32 * 64},               /* SWSP */
        {2, 7, 0, 0},                           /* FSWSP */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(count_short(rows[i].quadrant, rows[i].funct3, E), rows[i].on_e);
        assert_int_equal(count_short(rows[i].quadrant, rows[i].funct3, M), rows[i].on_e);
        assert_int_equal(count_short(rows[i].quadrant, rows[i].funct3, I), rows[i].on_i);
    }
}

static void test_short_encodings_of_64_bits(void **state)
{
    (void)state;
    static const int defined[3][8] = {
        {255 * 8, 0, 2048, 2048, 0, 0, 2048, 2048}, /* LW, LD, SW, SD */
        {32 * 64, 31 * 64 /* ADDIW */, 32 * 64, 32 * 63, 3 * 512 + 256 + 128 /* SUBW, ADDW */, 2048,
         2048, 2048},
        {32 * 64, 0, 31 * 64, 31 * 64 /* LDSP */, 2 * (31 + 992), 0, 2048, 2048 /* SDSP */},
    };
    for (unsigned quadrant = 0; quadrant < 3; quadrant++) {
        for (unsigned funct3 = 0; funct3 < 8; funct3++) {
            assert_int_equal(count_short(quadrant, funct3, W), defined[quadrant][funct3]);
        }
    }
}

/* With registers 1, 3 and 4: encodings of an opcode over all funct3 and funct7. */
static int count_long(unsigned opcode, enum rv32_core core)
{
    int count = 0;
    for (uint32_t funct7 = 0; funct7 < 128; funct7++) {
        for (uint32_t funct3 = 0; funct3 < 8; funct3++) {
            uint32_t code = funct7 << 25 | 4U << 20 | 3U << 15 | funct3 << 12 | 1U << 7;
            unsigned size = decode(code | opcode << 2 | 3, core).size;
            assert_true(size == 0 || size == 4);
            count += size != 0;
        }
    }
    return count;
}

static void test_long_encodings(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 32; opcode++) {
        int wanted = 0;
        int more = 0; /* with 64 bits */
        switch (opcode) {
        case 0x00: wanted = 5 * 128, more = 2 * 128; break; /* LB LH LW LBU LHU; LD LWU */
        case 0x03: wanted = 128; break;                     /* FENCE */
        case 0x04: wanted = 6 * 128 + 3, more = 3; break;   /* immediates; SLLI SRLI SRAI */
        case 0x06: more = 128 + 3; break;                   /* ADDIW; SLLIW SRLIW SRAIW */
        case 0x05: wanted = 8 * 128; break;                 /* AUIPC */
        case 0x08: wanted = 3 * 128, more = 128; break;     /* SB SH SW; SD */
        case 0x0c: wanted = 8 + 2; break;                   /* registers; SUB SRA */
        case 0x0e: more = 5 + 5; break;     /* ADDW SUBW SLLW SRLW SRAW; MULW, quotients */
        case 0x0d: wanted = 8 * 128; break; /* LUI */
        case 0x18: wanted = 6 * 128; break; /* branches */
        case 0x19: wanted = 128; break;     /* JALR */
        case 0x1b: wanted = 8 * 128; break; /* JAL */
        default: break;
        }
        assert_int_equal(count_long(opcode, E), wanted);
        assert_int_equal(count_long(opcode, M), wanted + (opcode == 0x0c ? 4 : 0));
        assert_int_equal(count_long(opcode, I), wanted + (opcode == 0x0c ? 8 : 0));
        assert_int_equal(count_long(opcode, W), wanted + more + (opcode == 0x0c ? 8 : 0));
    }
}

/* An instruction is refused on RV32E exactly where one of its registers is x16 or above. */
static void check_registers(uint32_t code, bool rd, bool rs1, bool rs2)
{
    for (uint32_t place = 0; place < 3; place++) {
        static const unsigned shifts[] = {7, 15, 20};
        const bool used[] = {rd, rs1, rs2};
        for (uint32_t number = 0; number < 32; number++) {
            uint32_t tried = code | number << shifts[place];
            assert_int_equal(decode(tried, I).size, 4);
            assert_int_equal(decode(tried, E).size, number >= 16 && used[place] ? 0 : 4);
        }
    }
}

static void test_registers_of_rv32e(void **state)
{
    (void)state;
    check_registers(0x00000037, true, false, false); /* lui */
    check_registers(0x00000017, true, false, false); /* auipc */
    check_registers(0x0000006f, true, false, false); /* jal */
    check_registers(0x00000067, true, true, false);  /* jalr */
    check_registers(0x00000063, false, true, true);  /* beq */
    check_registers(0x00002003, true, true, false);  /* lw: place of rs2 is offset */
    check_registers(0x00002023, false, true, true);  /* sw */
    check_registers(0x00000013, true, true, false);  /* addi */
    check_registers(0x00000033, true, true, true);   /* add */
}

static void check_step(uint32_t code, unsigned cycles, unsigned taken, unsigned flags)
{
    for (int core = E; core <= I; core++) {
        struct step step = decode(code, (enum rv32_core)core);
        if (core == E && flags == STEP_MULTIPLY) {
            assert_int_equal(step.size, 0);
            continue;
        }
        assert_int_equal(step.cycles, cycles);
        assert_int_equal(step.taken, taken);
        assert_int_equal(step.flags, flags);
    }
}

static void test_cycles_and_flags(void **state)
{
    (void)state;
    check_step(0x00b50533, 1, 0, 0);                /* add a0, a0, a1 */
    check_step(0x02b50533, 3, 0, STEP_MULTIPLY);    /* mul a0, a0, a1 */
    check_step(0x0005a503, 2, 0, 0);                /* lw a0, 0(a1) */
    check_step(0x00a5a023, 1, 0, 0);                /* sw a0, 0(a1) */
    check_step(0x00b50463, 1, 2, STEP_CONDITIONAL); /* beq a0, a1, .+8 */
    check_step(0x008000ef, 3, 0, STEP_BRANCH);      /* jal ra, .+8 */
    check_step(0x00008067, 3, 0, STEP_BRANCH);      /* ret */
    check_step(0xfe010113, 1, 0, STEP_STACK);       /* addi sp, sp, -32 */
    check_step(0x40a10133, 1, 0, STEP_STACK);       /* sub sp, sp, a0 */
    check_step(0x1101, 1, 0, STEP_STACK);           /* c.addi sp, -32 */
    check_step(0x7179, 1, 0, STEP_STACK);           /* c.addi16sp sp, -48 */
    check_step(0x812a, 1, 0, STEP_STACK);           /* c.mv sp, a0 */
    check_step(0x4502, 2, 0, 0);                    /* c.lwsp a0, 0(sp) */
    check_step(0xc101, 1, 2, STEP_CONDITIONAL);     /* c.beqz a0, .+0 */
    check_step(0x8082, 3, 0, STEP_BRANCH);          /* c.jr ra */
    check_step(0x9502, 3, 0, STEP_BRANCH);          /* c.jalr a0 */
}

/* A core does what a smaller one does, at the same cost. */
static void test_cores_are_nested(void **state)
{
    (void)state;
    struct rng rng = rng_new(7, 1);
    for (int i = 0; i < 200000; i++) {
        uint32_t code = (uint32_t)rng_bits(&rng);
        struct step small = decode(code, E);
        struct step middle = decode(code, M);
        struct step large = decode(code, I);
        assert_true(small.size == 0 || middle.size != 0);
        assert_true(middle.size == 0 || large.size != 0);
        if (small.size) {
            assert_memory_equal(&small, &large, sizeof small);
        }
    }
}

static void test_conditions(void **state)
{
    (void)state;
    static const uint32_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    for (int i = 0; i < 25; i++) {
        uint32_t a = values[i / 5];
        uint32_t b = values[i % 5];
        assert_int_equal(rv32_condition(0, (int32_t)a, (int32_t)b), a == b);
        assert_int_equal(rv32_condition(1, (int32_t)a, (int32_t)b), a != b);
        assert_int_equal(rv32_condition(4, (int32_t)a, (int32_t)b), (int32_t)a < (int32_t)b);
        assert_int_equal(rv32_condition(5, (int32_t)a, (int32_t)b), (int32_t)a >= (int32_t)b);
        assert_int_equal(rv32_condition(6, (int32_t)a, (int32_t)b), a < b);
        assert_int_equal(rv32_condition(7, (int32_t)a, (int32_t)b), a >= b);
    }
}

/* Of all branches on a pair of registers exactly one goes to the next instruction. */
static void test_branch_to_next(void **state)
{
    (void)state;
    int found = 0;
    for (uint32_t offset = 0; offset < 4096; offset++) {
        uint32_t code = 0x00b56063 | (offset >> 5) << 25 | (offset & 31) << 7; /* bltu a0, a1 */
        struct rv32_branch branch = rv32_branch((uint16_t)code, (uint16_t)(code >> 16));
        assert_int_equal(branch.left, 10);
        assert_int_equal(branch.right, 11);
        assert_int_equal(branch.condition, 6);
        found += branch.next;
    }
    assert_int_equal(found, 1);
    struct rv32_branch branch = rv32_branch(0xe109, 0); /* c.bnez a0, .+2 */
    assert_int_equal(branch.left, 10);
    assert_int_equal(branch.right, 0);
    assert_int_equal(branch.condition, 1);
    assert_true(branch.next);
    assert_false(rv32_branch(0xe111, 0).next); /* .+4 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_encodings),  cmocka_unit_test(test_short_encodings_of_64_bits),
        cmocka_unit_test(test_long_encodings),   cmocka_unit_test(test_registers_of_rv32e),
        cmocka_unit_test(test_cycles_and_flags), cmocka_unit_test(test_cores_are_nested),
        cmocka_unit_test(test_conditions),       cmocka_unit_test(test_branch_to_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
