#include "sim/rv32.h"

#define JUMP     2 /* cycles more where the straight line is left */
#define LOAD     1
#define MULTIPLY 2
#define SP       2

static const struct step undefined = {0};

/* ---- parts of an instruction ---- */

/* `count` bits of `code` from bit `low` on. */
static unsigned bits(unsigned code, unsigned low, unsigned count)
{
    return code >> low & ((1U << count) - 1);
}

static bool has_register(unsigned number, enum rv32_core core)
{
    return number < 16 || core == RV32_IMC || core == RV64_IMC;
}

static struct step plain(unsigned size, unsigned more, unsigned flags)
{
    return (struct step){
        .size = (uint8_t)size, .cycles = (uint8_t)(1 + more), .flags = (uint8_t)flags};
}

static struct step conditional(unsigned size)
{
    struct step step = plain(size, 0, STEP_CONDITIONAL);
    step.taken = JUMP;
    return step;
}

/* An instruction that writes register `to`. */
static struct step writes(unsigned size, unsigned to, unsigned more, enum rv32_core core)
{
    return has_register(to, core) ? plain(size, more, to == SP ? STEP_STACK : 0U) : undefined;
}

/* ---- 16 bits ---- */

/* Quadrant 0: all registers are x8 to x15. */
static struct step decode_quadrant0(unsigned code, enum rv32_core core)
{
    bool wide = core == RV64_IMC;
    switch (bits(code, 13, 3)) {
    case 0: return bits(code, 5, 8) ? plain(2, 0, 0) : undefined; /* ADDI4SPN */
    case 2: return plain(2, LOAD, 0);                             /* LW */
    case 3: return wide ? plain(2, LOAD, 0) : undefined;          /* LD */
    case 6: return plain(2, 0, 0);                                /* SW */
    case 7: return wide ? plain(2, 0, 0) : undefined;             /* SD */
    default: return undefined;                                    /* floating point */
    }
}

/* LUI, ADDI16SP: not by nothing. */
static struct step decode_upper(unsigned code, enum rv32_core core)
{
    bool zero = bits(code, 12, 1) == 0 && bits(code, 2, 5) == 0;
    return zero ? undefined : writes(2, bits(code, 7, 5), 0, core);
}

/* Shifts by immediates (less than 32 or 64), ANDI, SUB, XOR, OR, AND, SUBW, ADDW on x8 to x15. */
static struct step decode_arithmetic(unsigned code, enum rv32_core core)
{
    bool high = bits(code, 12, 1) != 0;
    unsigned kind = bits(code, 10, 2);
    bool wide = core == RV64_IMC && (kind != 3 || bits(code, 6, 1) == 0);
    return high && kind != 2 && !wide ? undefined : plain(2, 0, 0);
}

/* JAL; ADDIW in its place. */
static struct step decode_jal(unsigned code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    if (core != RV64_IMC) {
        return plain(2, JUMP, STEP_BRANCH);
    }
    return to == 0 ? undefined : writes(2, to, 0, core);
}

static struct step decode_quadrant1(unsigned code, enum rv32_core core)
{
    switch (bits(code, 13, 3)) {
    case 0:                                              /* ADDI, NOP */
    case 2: return writes(2, bits(code, 7, 5), 0, core); /* LI */
    case 1: return decode_jal(code, core);
    case 5: return plain(2, JUMP, STEP_BRANCH); /* J */
    case 3: return decode_upper(code, core);
    case 4: return decode_arithmetic(code, core);
    default: return conditional(2); /* BEQZ, BNEZ */
    }
}

/* JR, MV, EBREAK, JALR, ADD. */
static struct step decode_moves(unsigned code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    unsigned from = bits(code, 2, 5);
    if (!has_register(to, core) || !has_register(from, core)) {
        return undefined;
    }
    if (from == 0) {
        return to == 0 ? undefined : plain(2, JUMP, STEP_BRANCH);
    }
    return writes(2, to, 0, core);
}

static struct step decode_quadrant2(unsigned code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    bool wide = core == RV64_IMC;
    switch (bits(code, 13, 3)) {
    case 0: return bits(code, 12, 1) && !wide ? undefined : writes(2, to, 0, core); /* SLLI */
    case 2: return to == 0 ? undefined : writes(2, to, LOAD, core);                 /* LWSP */
    case 3: return to == 0 || !wide ? undefined : writes(2, to, LOAD, core);        /* LDSP */
    case 4: return decode_moves(code, core);
    case 6: return has_register(bits(code, 2, 5), core) ? plain(2, 0, 0) : undefined; /* SWSP */
    case 7: return wide ? plain(2, 0, 0) : undefined;                                 /* SDSP */
    default: return undefined; /* floating point */
    }
}

/* ---- 32 bits ---- */

/* OP: two registers to a third; M where the core has it. */
static struct step decode_registers(uint32_t code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    unsigned operation = bits(code, 12, 3);
    if (!has_register(bits(code, 20, 5), core)) {
        return undefined;
    }
    switch (bits(code, 25, 7)) {
    case 0x00: return writes(4, to, 0, core);
    case 0x20: return operation == 0 || operation == 5 ? writes(4, to, 0, core) : undefined;
    case 0x01: break;
    default: return undefined;
    }
    bool divides = operation >= 4;
    if (core == RV32_EC || (core == RV32_EMC && divides)) {
        return undefined;
    }
    struct step step = writes(4, to, MULTIPLY, core);
    step.flags |= step.size && !divides ? STEP_MULTIPLY : 0U;
    return step;
}

/* OP-32, on the low halves of registers: what has no -W is not there. */
static struct step decode_word_registers(uint32_t code, enum rv32_core core)
{
    unsigned operation = bits(code, 12, 3);
    bool product = bits(code, 25, 7) == 1;
    bool there = product ? operation == 0 || operation >= 4
                         : operation == 0 || operation == 1 || operation == 5;
    return core == RV64_IMC && there ? decode_registers(code, core) : undefined;
}

/* OP-IMM-32: ADDIW, SLLIW, SRLIW, SRAIW. */
static struct step decode_word_immediate(uint32_t code, enum rv32_core core)
{
    unsigned operation = bits(code, 12, 3);
    unsigned high = bits(code, 25, 7);
    bool shift = (operation == 1 && high == 0) || (operation == 5 && (high & 0x5f) == 0);
    bool there = core == RV64_IMC && (operation == 0 || shift);
    return there ? writes(4, bits(code, 7, 5), 0, core) : undefined;
}

/* OP-IMM: shifts are by less than 32, or 64. */
static struct step decode_immediate(uint32_t code, enum rv32_core core)
{
    unsigned operation = bits(code, 12, 3);
    unsigned high = bits(code, 25, 7) & (core == RV64_IMC ? 0x7eU : 0x7fU);
    bool shift = operation == 1 || operation == 5;
    if (shift && high != 0 && !(operation == 5 && high == 0x20)) {
        return undefined;
    }
    return writes(4, bits(code, 7, 5), 0, core);
}

static struct step decode_jump(unsigned to, enum rv32_core core)
{
    struct step step = writes(4, to, JUMP, core);
    step.flags |= step.size ? STEP_BRANCH : 0U;
    return step;
}

/* What reads register `rs1`. */
static struct step decode_reader(uint32_t code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    unsigned kind = bits(code, 12, 3);
    bool second = has_register(bits(code, 20, 5), core);
    bool wide = core == RV64_IMC;
    switch (bits(code, 2, 5)) {
    case 0x00:
        return kind > (wide ? 6 : 5) || (kind == 3 && !wide) ? undefined
                                                             : writes(4, to, LOAD, core);
    case 0x04: return decode_immediate(code, core);
    case 0x06: return decode_word_immediate(code, core);
    case 0x08: return kind > (wide ? 3 : 2) || !second ? undefined : plain(4, 0, 0); /* store */
    case 0x0c: return decode_registers(code, core);
    case 0x0e: return decode_word_registers(code, core);
    case 0x18: return kind == 2 || kind == 3 || !second ? undefined : conditional(4);
    case 0x19: return kind ? undefined : decode_jump(to, core); /* JALR */
    default: return undefined;
    }
}

static struct step decode_long(uint32_t code, enum rv32_core core)
{
    unsigned to = bits(code, 7, 5);
    switch (bits(code, 2, 5)) {
    case 0x03: return bits(code, 12, 3) ? undefined : plain(4, 0, 0); /* FENCE */
    case 0x05:                                                        /* AUIPC */
    case 0x0d: return writes(4, to, 0, core);                         /* LUI */
    case 0x1b: return decode_jump(to, core);                          /* JAL */
    default: break;
    }
    return has_register(bits(code, 15, 5), core) ? decode_reader(code, core) : undefined;
}

struct step rv32_decode(uint16_t first, uint16_t second, enum rv32_core core)
{
    switch (first & 3) {
    case 0: return decode_quadrant0(first, core);
    case 1: return decode_quadrant1(first, core);
    case 2: return decode_quadrant2(first, core);
    default: return decode_long((uint32_t)second << 16 | first, core);
    }
}

/* ---- conditions ---- */

struct rv32_branch rv32_branch(uint16_t first, uint16_t second)
{
    if ((first & 3) != 3) {
        return (struct rv32_branch){.left = 8 + bits(first, 7, 3),
                                    .condition = bits(first, 13, 1),
                                    .next = (first & 0x1c7c) == 0x0008};
    }
    uint32_t code = (uint32_t)second << 16 | first;
    return (struct rv32_branch){.left = bits(code, 15, 5),
                                .right = bits(code, 20, 5),
                                .condition = bits(code, 12, 3),
                                .next = (code & 0xfe000f80) == 0x00000200};
}

bool rv32_condition(unsigned condition, int64_t left, int64_t right)
{
    bool less = condition & 2 ? (uint64_t)left < (uint64_t)right : left < right;
    bool holds = condition & 4 ? less : left == right;
    return holds != (condition & 1);
}
