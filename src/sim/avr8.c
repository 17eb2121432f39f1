#include "sim/avr8.h"

#include <stddef.h>

enum { X = 26, Y = 28, Z = 30 };

/* I/O registers: RAMPZ, EIND, SPL, SPH and SREG are the last. */
#define IO_RAMPZ 0x3b
#define IO_SPL   0x3d

/* One encoding or several alike: those whose bits of `mask` are `value`. */
struct pattern {
    uint16_t mask, value;
    uint8_t size; /* bytes */
    uint8_t flags;
    uint8_t needs; /* AVR8_ feature; 0: all parts have it */
};

/* The first that fits holds. */
static const struct pattern patterns[] = {
    {0xffff, 0x0000, 2, 0, 0},                         /* NOP */
    {0xff00, 0x0100, 2, 0, 0},                         /* MOVW */
    {0xfe00, 0x0200, 2, STEP_MULTIPLY, AVR8_MULTIPLY}, /* MULS, MULSU, FMUL, FMULS, FMULSU */
    {0xfc00, 0x0400, 2, 0, 0},                         /* CPC */
    {0xf800, 0x0800, 2, 0, 0},                         /* SBC, ADD */
    {0xfc00, 0x1000, 2, STEP_CONDITIONAL, 0},          /* CPSE */
    {0xfc00, 0x1400, 2, 0, 0},                         /* CP */
    {0xf800, 0x1800, 2, 0, 0},                         /* SUB, ADC */
    {0xf000, 0x2000, 2, 0, 0},                         /* AND, EOR, OR, MOV */
    {0xf000, 0x3000, 2, 0, 0},                         /* CPI */
    {0xc000, 0x4000, 2, 0, 0},                         /* SBCI, SUBI, ORI, ANDI */
    {0xd000, 0x8000, 2, 0, 0},                         /* LDD, STD, LD and ST by Y, Z */
    {0xfe0f, 0x9000, 4, 0, 0},                         /* LDS */
    {0xfe0f, 0x9001, 2, 0, 0},                         /* LD Z+ */
    {0xfe0f, 0x9002, 2, 0, 0},                         /* LD -Z */
    {0xfe0e, 0x9004, 2, 0, 0},                         /* LPM */
    {0xfe0e, 0x9006, 2, 0, AVR8_ELPM},                 /* ELPM */
    {0xfe0f, 0x9009, 2, 0, 0},                         /* LD Y+ */
    {0xfe0f, 0x900a, 2, 0, 0},                         /* LD -Y */
    {0xfe0e, 0x900c, 2, 0, 0},                         /* LD X, X+ */
    {0xfe0f, 0x900e, 2, 0, 0},                         /* LD -X */
    {0xfe0f, 0x900f, 2, STEP_STACK, 0},                /* POP */
    {0xfe0f, 0x9200, 4, 0, 0},                         /* STS */
    {0xfe0f, 0x9201, 2, 0, 0},                         /* ST Z+ */
    {0xfe0f, 0x9202, 2, 0, 0},                         /* ST -Z */
    {0xfe0f, 0x9209, 2, 0, 0},                         /* ST Y+ */
    {0xfe0f, 0x920a, 2, 0, 0},                         /* ST -Y */
    {0xfe0e, 0x920c, 2, 0, 0},                         /* ST X, X+ */
    {0xfe0f, 0x920e, 2, 0, 0},                         /* ST -X */
    {0xfe0f, 0x920f, 2, STEP_STACK, 0},                /* PUSH */
    {0xff0f, 0x9408, 2, 0, 0},                         /* BSET, BCLR */
    {0xffff, 0x9409, 2, STEP_BRANCH, 0},               /* IJMP */
    {0xffff, 0x9419, 2, STEP_BRANCH, AVR8_EICALL},     /* EIJMP */
    {0xffff, 0x9508, 2, STEP_BRANCH | STEP_STACK, 0},  /* RET */
    {0xffff, 0x9509, 2, STEP_BRANCH | STEP_STACK, 0},  /* ICALL */
    {0xffff, 0x9519, 2, STEP_BRANCH | STEP_STACK, AVR8_EICALL}, /* EICALL */
    {0xffff, 0x95c8, 2, 0, 0},                                  /* LPM to r0 */
    {0xffff, 0x95d8, 2, 0, AVR8_ELPM},                          /* ELPM to r0 */
    {0xfe0c, 0x9400, 2, 0, 0},                                  /* COM, NEG, SWAP, INC */
    {0xfe0f, 0x9405, 2, 0, 0},                                  /* ASR */
    {0xfe0e, 0x9406, 2, 0, 0},                                  /* LSR, ROR */
    {0xfe0f, 0x940a, 2, 0, 0},                                  /* DEC */
    {0xfe0e, 0x940c, 4, STEP_BRANCH, AVR8_LONG},                /* JMP */
    {0xfe0e, 0x940e, 4, STEP_BRANCH | STEP_STACK, AVR8_LONG},   /* CALL */
    {0xfe00, 0x9600, 2, 0, 0},                                  /* ADIW, SBIW */
    {0xfc00, 0x9c00, 2, STEP_MULTIPLY, AVR8_MULTIPLY},          /* MUL */
    {0xf000, 0xc000, 2, STEP_BRANCH, 0},                        /* RJMP */
    {0xf000, 0xd000, 2, STEP_BRANCH | STEP_STACK, 0},           /* RCALL */
    {0xf000, 0xe000, 2, 0, 0},                                  /* LDI */
    {0xf800, 0xf000, 2, STEP_CONDITIONAL, 0},                   /* BRBS, BRBC */
    {0xfc08, 0xf800, 2, 0, 0},                                  /* BLD, BST */
    {0xfc08, 0xfc00, 2, STEP_CONDITIONAL, 0},                   /* SBRC, SBRS */
};

static const struct step undefined = {0};

/* IN and OUT: only of what belongs to the core. */
static struct step decode_io(unsigned code)
{
    unsigned number = (code & 15) | (code >> 5 & 0x30);
    bool out = code & 0x800;
    if (number < IO_RAMPZ) {
        return undefined;
    }
    return (struct step){.size = 2, .flags = out && number == IO_SPL ? STEP_STACK : 0U};
}

struct step avr8_decode(uint16_t first, unsigned features)
{
    if ((first & 0xf000) == 0xb000) {
        return decode_io(first);
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct pattern *pattern = &patterns[i];
        if ((first & pattern->mask) == pattern->value) {
            bool has = (pattern->needs & ~features) == 0;
            return has ? (struct step){.size = pattern->size, .flags = pattern->flags} : undefined;
        }
    }
    return undefined;
}

/* LD and ST by pointer, LDS, STS, LPM: the last four bits say which. */
static struct avr8_access access_of_mode(unsigned code, uint16_t second)
{
    struct avr8_access access = {.kind = code & 0x200 ? AVR8_WRITE : AVR8_READ};
    switch (code & 15) {
    case 0x0: access.offset = second; return access;
    case 0x1: access.pointer = Z; return access;
    case 0x2: return (struct avr8_access){access.kind, Z, -1};
    case 0x4:
    case 0x5:
    case 0x6:
    case 0x7: return (struct avr8_access){AVR8_FLASH, Z, 0};
    case 0x9: access.pointer = Y; return access;
    case 0xa: return (struct avr8_access){access.kind, Y, -1};
    case 0xc:
    case 0xd: access.pointer = X; return access;
    case 0xe: return (struct avr8_access){access.kind, X, -1};
    default: return (struct avr8_access){.kind = AVR8_NONE}; /* PUSH, POP */
    }
}

struct avr8_access avr8_access(uint16_t first, uint16_t second)
{
    unsigned code = first;
    if ((code & 0xd000) == 0x8000) { /* LDD, STD */
        unsigned offset = (code & 7) | (code >> 7 & 0x18) | (code >> 8 & 0x20);
        return (struct avr8_access){.kind = code & 0x200 ? AVR8_WRITE : AVR8_READ,
                                    .pointer = code & 8 ? Y : Z,
                                    .offset = (int)offset};
    }
    if (code == 0x95c8 || code == 0x95d8) {
        return (struct avr8_access){AVR8_FLASH, Z, 0};
    }
    return (code & 0xfc00) == 0x9000 ? access_of_mode(code, second)
                                     : (struct avr8_access){.kind = AVR8_NONE};
}
