/* RV32EC, RV32EMC, RV32IMC and RV64IMC for the machine that counts. */
#include "base/elf.h"
#include "sim/family.h"
#include "sim/rv32.h"

static struct step decode(uint16_t first, uint16_t second, int variant)
{
    return rv32_decode(first, second, (enum rv32_core)variant);
}

/* Values of 32 bits are extended by their sign. */
static int64_t read_register(uc_engine *engine, unsigned number, bool wide)
{
    uint64_t value = 0;
    (void)uc_reg_read(engine, UC_RISCV_REG_X0 + (int)number, &value);
    return wide ? (int64_t)value : (int32_t)(uint32_t)value;
}

static bool goes_to_next(uc_engine *engine, const unsigned char *code, bool wide)
{
    bool compressed = (code[0] & 3) != 3;
    unsigned second = compressed ? 0 : code[2] | (unsigned)code[3] << 8;
    struct rv32_branch branch = rv32_branch((uint16_t)(code[0] | code[1] << 8), (uint16_t)second);
    return branch.next && rv32_condition(branch.condition, read_register(engine, branch.left, wide),
                                         read_register(engine, branch.right, wide));
}

static bool taken_to_next(uc_engine *engine, const unsigned char *code)
{
    return goes_to_next(engine, code, false);
}

static bool taken_to_next_wide(uc_engine *engine, const unsigned char *code)
{
    return goes_to_next(engine, code, true);
}

/* First those that RV32E has too. */
static const struct preserved preserved[] = {
    {UC_RISCV_REG_X3, "gp"},   {UC_RISCV_REG_X4, "tp"},   {UC_RISCV_REG_X8, "s0"},
    {UC_RISCV_REG_X9, "s1"},   {UC_RISCV_REG_X18, "s2"},  {UC_RISCV_REG_X19, "s3"},
    {UC_RISCV_REG_X20, "s4"},  {UC_RISCV_REG_X21, "s5"},  {UC_RISCV_REG_X22, "s6"},
    {UC_RISCV_REG_X23, "s7"},  {UC_RISCV_REG_X24, "s8"},  {UC_RISCV_REG_X25, "s9"},
    {UC_RISCV_REG_X26, "s10"}, {UC_RISCV_REG_X27, "s11"},
};

#define FAMILY(MACHINE, MODE, MODEL, WIDE, TAKEN_TO_NEXT)                                          \
    {                                                                                              \
        .machine = (MACHINE), .elf_machine = ELF_MACHINE_RISCV, .wide = (WIDE),                    \
        .arch = UC_ARCH_RISCV, .mode = (MODE), .model = (MODEL), .end = 0xfffff000,                \
        .stack_pointer = UC_RISCV_REG_X2, .link = UC_RISCV_REG_X1,                                 \
        .program_counter = UC_RISCV_REG_PC,                                                        \
        .arguments = {UC_RISCV_REG_X10, UC_RISCV_REG_X11, UC_RISCV_REG_X12, UC_RISCV_REG_X13},     \
        .preserved = preserved, .decode = decode, .taken_to_next = (TAKEN_TO_NEXT)                 \
    }

static const struct family family =
    FAMILY("32-bit RISC-V", UC_MODE_RISCV32, UC_CPU_RISCV32_ANY, false, taken_to_next);
static const struct family family_wide =
    FAMILY("64-bit RISC-V", UC_MODE_RISCV64, UC_CPU_RISCV64_ANY, true, taken_to_next_wide);

const struct core core_rv32ec = {.name = "rv32ec",
                                 .instructions = "RV32EC",
                                 .family = &family,
                                 .variant = RV32_EC,
                                 .preserved_count = 4,
                                 .timed = true};
const struct core core_rv32emc = {.name = "rv32emc",
                                  .instructions = "RV32EC with Zmmul",
                                  .family = &family,
                                  .variant = RV32_EMC,
                                  .preserved_count = 4,
                                  .timed = true};
const struct core core_rv32imc = {.name = "rv32imc",
                                  .instructions = "RV32IMC",
                                  .family = &family,
                                  .variant = RV32_IMC,
                                  .preserved_count = sizeof preserved / sizeof *preserved};
const struct core core_rv64imc = {.name = "rv64imc",
                                  .instructions = "RV64IMC",
                                  .family = &family_wide,
                                  .variant = RV64_IMC,
                                  .preserved_count = sizeof preserved / sizeof *preserved};
