#include "sim/thumb.h"

/* Cycles of what differs between the cores (the rest is 1, or 1 + words moved). */
struct table {
    uint8_t branch; /* B, BX, BLX, MOV pc, ADD pc; taken B<cond> */
    uint8_t link;   /* BL */
    uint8_t leave;  /* POP {.., PC} without its words */
    uint8_t system; /* MRS, MSR, DMB, DSB, ISB */
};

static const struct table tables[] = {
    [THUMB_M0] = {.branch = 3, .link = 4, .leave = 4, .system = 4},
    [THUMB_M0PLUS] = {.branch = 2, .link = 3, .leave = 3, .system = 3},
};

static const struct step undefined = {0};

static struct step plain(unsigned cycles, unsigned flags)
{
    return (struct step){.size = 2, .cycles = (uint8_t)cycles, .flags = (uint8_t)flags};
}

static unsigned bits_set(unsigned list)
{
    unsigned count = 0;
    for (; list; list &= list - 1) {
        count++;
    }
    return count;
}

/* 010001: ADD, CMP, MOV on all registers; BX, BLX. */
static struct step decode_high(unsigned code, const struct table *table)
{
    unsigned to = (code & 7) | (code >> 4 & 8);
    unsigned from = code >> 3 & 15;
    unsigned flags = (to == 13 ? STEP_STACK : 0U) | (to == 15 ? STEP_BRANCH : 0U);
    unsigned cycles = to == 15 ? table->branch : 1;
    switch (code >> 8 & 3) {
    case 0: return to == 15 && from == 15 ? undefined : plain(cycles, flags);
    case 1: return (to < 8 && from < 8) || to == 15 || from == 15 ? undefined : plain(1, 0);
    case 2: return plain(cycles, flags);
    default: return (code & 7) || from == 15 ? undefined : plain(table->branch, STEP_BRANCH);
    }
}

/* 1011: everything around the stack, extension, byte order, hints. */
static struct step decode_miscellaneous(unsigned code, const struct table *table)
{
    unsigned words = bits_set(code & 0x1ff);
    bool hint = code == 0xbf00 || code == 0xbf40; /* NOP, SEV; no waiting, no IT */
    switch (code >> 8 & 15) {
    case 0x0: return plain(1, STEP_STACK); /* ADD, SUB SP */
    case 0x2: return plain(1, 0);          /* extend */
    case 0x4:                              /* PUSH */
    case 0x5: return words ? plain(1 + words, STEP_STACK) : undefined;
    case 0x6: return code == 0xb662 || code == 0xb672 ? plain(1, 0) : undefined; /* CPS */
    case 0xa: return (code & 0xc0) != 0x80 ? plain(1, 0) : undefined;            /* REV */
    case 0xc: return words ? plain(1 + words, STEP_STACK) : undefined;           /* POP */
    case 0xd: return plain(table->leave + words, STEP_STACK | STEP_BRANCH);
    case 0xf: return hint ? plain(1, 0) : undefined;
    default: return undefined; /* CBZ, CBNZ, SETEND, BKPT ... */
    }
}

static bool special_register(unsigned number)
{
    return number <= 3 || (number >= 5 && number <= 9) || number == 16 || number == 20;
}

/* 32 bits: BL, MSR, MRS and the barriers are all there is. */
static struct step decode_long(unsigned first, unsigned second, const struct table *table)
{
    unsigned reads = second >> 8 & 15;
    unsigned from = first & 15;
    bool msr = (first & 0xfff0) == 0xf380 && (second & 0xff00) == 0x8800 && from != 13 &&
               from != 15 && special_register(second & 0xff);
    bool mrs = first == 0xf3ef && (second & 0xf000) == 0x8000 && reads != 13 && reads != 15 &&
               special_register(second & 0xff);
    bool barrier = first == 0xf3bf && (second & 0xff80) == 0x8f00 && (second >> 4 & 15) >= 4 &&
                   (second >> 4 & 15) <= 6;
    if ((first & 0xf800) == 0xf000 && (second & 0xd000) == 0xd000) {
        return (struct step){.size = 4, .cycles = table->link, .flags = STEP_BRANCH};
    }
    if (msr || mrs || barrier) {
        unsigned flags = msr ? STEP_STACK : 0U;
        return (struct step){.size = 4, .cycles = table->system, .flags = (uint8_t)flags};
    }
    return undefined;
}

static struct step decode_conditional(unsigned code, const struct table *table)
{
    if ((code >> 8 & 15) >= 14) { /* UDF, SVC */
        return undefined;
    }
    struct step thumb = plain(1, STEP_CONDITIONAL);
    thumb.taken = (uint8_t)(table->branch - 1);
    return thumb;
}

struct step thumb_decode(uint16_t first, uint16_t second, enum thumb_core core)
{
    const struct table *table = &tables[core];
    unsigned code = first;
    unsigned words = bits_set(code & 0xff);
    switch (code >> 12) {
    case 0x0:
    case 0x1:
    case 0x2:
    case 0x3: return plain(1, 0); /* shift, add, subtract, move, compare with immediates */
    case 0x4:
        if (code >> 10 == 0x10) { /* data processing */
            return plain(1, (code >> 6 & 15) == 13 ? STEP_MULTIPLY : 0U);
        }
        return code >> 10 == 0x11 ? decode_high(code, table) : plain(2, 0); /* LDR literal */
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9: return plain(2, 0); /* single loads and stores */
    case 0xa: return plain(1, 0); /* ADR, ADD of SP */
    case 0xb: return decode_miscellaneous(code, table);
    case 0xc: return words ? plain(1 + words, 0) : undefined; /* STM, LDM */
    case 0xd: return decode_conditional(code, table);
    case 0xe: return code & 0x800 ? undefined : plain(table->branch, STEP_BRANCH);
    default: return decode_long(first, second, table);
    }
}

bool thumb_condition(unsigned condition, uint32_t flags)
{
    bool negative = flags >> 31 & 1;
    bool zero = flags >> 30 & 1;
    bool carry = flags >> 29 & 1;
    bool overflow = flags >> 28 & 1;
    bool holds[] = {zero,
                    carry,
                    negative,
                    overflow,
                    carry && !zero,
                    negative == overflow,
                    !zero && negative == overflow};
    return holds[condition >> 1 & 7] != (condition & 1);
}
