/* Cortex-M0 and Cortex-M0+ for the machine that counts. */
#include "base/elf.h"
#include "sim/family.h"
#include "sim/thumb.h"

static struct step decode(uint16_t first, uint16_t second, int variant)
{
    return thumb_decode(first, second, (enum thumb_core)variant);
}

static bool taken_to_next(uc_engine *engine, const unsigned char *code)
{
    uint32_t flags = 0;
    (void)uc_reg_read(engine, UC_ARM_REG_XPSR, &flags);
    return code[0] == 0xff && thumb_condition(code[1] & 15U, flags);
}

static const struct preserved preserved[] = {
    {UC_ARM_REG_R4, "r4"}, {UC_ARM_REG_R5, "r5"}, {UC_ARM_REG_R6, "r6"},   {UC_ARM_REG_R7, "r7"},
    {UC_ARM_REG_R8, "r8"}, {UC_ARM_REG_R9, "r9"}, {UC_ARM_REG_R10, "r10"}, {UC_ARM_REG_R11, "r11"},
};

static const struct family family = {
    .machine = "32-bit Arm",
    .elf_machine = ELF_MACHINE_ARM,
    .arch = UC_ARCH_ARM,
    .mode = UC_MODE_THUMB | UC_MODE_MCLASS,
    .model = UC_CPU_ARM_CORTEX_M0,
    .end = 0x40000000, /* beyond it an M-profile core does not execute */
    .entry_flag = 1,   /* Thumb */
    .stack_pointer = UC_ARM_REG_SP,
    .link = UC_ARM_REG_LR,
    .program_counter = UC_ARM_REG_PC,
    .arguments = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3},
    .preserved = preserved,
    .decode = decode,
    .taken_to_next = taken_to_next,
};

#define CORE(NAME, VARIANT)                                                                        \
    {                                                                                              \
        .name = (NAME), .instructions = "ARMv6-M", .family = &family, .variant = (VARIANT),        \
        .preserved_count = sizeof preserved / sizeof *preserved, .timed = true                     \
    }

const struct core core_m0 = CORE("m0", THUMB_M0);
const struct core core_m0plus = CORE("m0plus", THUMB_M0PLUS);
