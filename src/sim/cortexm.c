/* Cortex-M cores for the machine that counts. */
#include "base/elf.h"
#include "sim/family.h"
#include "sim/thumb.h"
#include "sim/thumb2.h"

static struct step decode(uint16_t first, uint16_t second, int variant)
{
    return thumb_decode(first, second, (enum thumb_core)variant);
}

static struct step decode_main(uint16_t first, uint16_t second, int variant)
{
    return thumb2_decode(first, second, (enum thumb2_core)variant);
}

/* B<cond> of 16 bits, or of 32; CBZ cannot go there. */
static bool taken_to_next(uc_engine *engine, const unsigned char *code)
{
    uint32_t flags = 0;
    unsigned first = code[0] | (unsigned)code[1] << 8;
    (void)uc_reg_read(engine, UC_ARM_REG_XPSR, &flags);
    if (first >> 12 == 0xd) {
        return (first & 0xff) == 0xff && thumb_condition(first >> 8 & 15, flags);
    }
    bool next = (first & 0xfc3f) == 0xf000 && code[2] == 0 && code[3] == 0x80;
    return next && thumb_condition(first >> 6 & 15, flags);
}

static const struct preserved preserved[] = {
    {UC_ARM_REG_R4, "r4"}, {UC_ARM_REG_R5, "r5"}, {UC_ARM_REG_R6, "r6"},   {UC_ARM_REG_R7, "r7"},
    {UC_ARM_REG_R8, "r8"}, {UC_ARM_REG_R9, "r9"}, {UC_ARM_REG_R10, "r10"}, {UC_ARM_REG_R11, "r11"},
};

#define FAMILY(MODEL, DECODE)                                                                      \
    {                                                                                              \
        .machine = "32-bit Arm", .elf_machine = ELF_MACHINE_ARM, .arch = UC_ARCH_ARM,              \
        .mode = UC_MODE_THUMB | UC_MODE_MCLASS, .model = (MODEL),                                  \
        .end = 0x40000000,   /* beyond it an M-profile core does not execute */                    \
            .entry_flag = 1, /* Thumb */                                                           \
            .stack_pointer = UC_ARM_REG_SP, .link = UC_ARM_REG_LR,                                 \
        .program_counter = UC_ARM_REG_PC,                                                          \
        .arguments = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3},                 \
        .preserved = preserved, .decode = (DECODE), .taken_to_next = taken_to_next                 \
    }

static const struct family family_m0 = FAMILY(UC_CPU_ARM_CORTEX_M0, decode);
static const struct family family_m3 = FAMILY(UC_CPU_ARM_CORTEX_M3, decode_main);
static const struct family family_m4 = FAMILY(UC_CPU_ARM_CORTEX_M4, decode_main);
static const struct family family_m7 = FAMILY(UC_CPU_ARM_CORTEX_M7, decode_main);
static const struct family family_m33 = FAMILY(UC_CPU_ARM_CORTEX_M33, decode_main);

#define CORE(NAME, VARIANT)                                                                        \
    {                                                                                              \
        .name = (NAME), .instructions = "ARMv6-M", .family = &family_m0, .variant = (VARIANT),     \
        .preserved_count = sizeof preserved / sizeof *preserved, .timed = true, .waits = true      \
    }

/* How long they take depends on the part. */
#define MAIN_CORE(NAME, INSTRUCTIONS, FAMILY, VARIANT)                                             \
    {                                                                                              \
        .name = (NAME), .instructions = (INSTRUCTIONS), .family = (FAMILY), .variant = (VARIANT),  \
        .preserved_count = sizeof preserved / sizeof *preserved, .unaligned = true                 \
    }

const struct core core_m0 = CORE("m0", THUMB_M0);
const struct core core_m0plus = CORE("m0plus", THUMB_M0PLUS);
const struct core core_m3 = MAIN_CORE("m3", "ARMv7-M", &family_m3, THUMB2_PLAIN);
const struct core core_m4 = MAIN_CORE("m4", "ARMv7E-M", &family_m4, THUMB2_DSP);
const struct core core_m7 = MAIN_CORE("m7", "ARMv7E-M", &family_m7, THUMB2_DSP);
const struct core core_m33 = MAIN_CORE("m33", "ARMv8-M", &family_m33, THUMB2_DSP);
