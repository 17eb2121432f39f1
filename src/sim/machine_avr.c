/* The machine on simavr, whose parts it takes by their names; cycles are simavr's.  The core alone
 * is run, an instruction at a time: no interrupts, no timers.  What the core lacks follows from the
 * part: ATtiny do not multiply, JMP and CALL come with more than 8 KiB of flash, ELPM with 64,
 * EICALL with 128. */
#include "sim/avr8.h"
#include "sim/machine.h"

#include <inttypes.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_core.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BASE 0x800000U /* of data addresses in ELF files */

struct machine {
    avr_t *avr;
    struct error *err;
    const char *part; /* borrowed */
    unsigned features;
    uint32_t flash_size, ram_start, ram_end; /* the end is the first address behind */
    struct step *code; /* one per word of flash; size 0 where no code may run */
    uint32_t stop;     /* where calls return to: the last word of flash */
    uint32_t static_end;
    /* state of a call */
    uint64_t counts[COUNT_KINDS];
    uint32_t at; /* address of the instruction that runs now */
    uint32_t stack_low;
};

/* ---- the part ---- */

/* simavr's remarks: what matters is checked here before the instruction runs. */
static void keep_quiet(avr_t *avr, const int level, const char *format, va_list list)
{
    (void)avr;
    (void)level;
    (void)format;
    (void)list;
}

static unsigned features_of(const char *part, uint32_t flash_size)
{
    unsigned features = strncmp(part, "attiny", 6) == 0 ? 0 : AVR8_MULTIPLY;
    features |= flash_size > 0x2000 ? AVR8_LONG : 0U;
    features |= flash_size > 0x10000 ? AVR8_ELPM : 0U;
    return features | (flash_size > 0x20000 ? AVR8_EICALL : 0U);
}

static bool set_up(struct machine *machine, const struct layout *layout, const char *part)
{
    if (layout->flash.size || layout->ram.size) {
        return fail(machine->err, "the memories of %.40s are the part's own", part);
    }
    avr_global_logger_set(keep_quiet);
    machine->part = part;
    machine->avr = avr_make_mcu_by_name(part);
    if (!machine->avr) {
        return fail(machine->err, "simavr knows no part '%.40s'", part);
    }
    avr_t *avr = machine->avr;
    (void)avr_init(avr);
    machine->flash_size = avr->flashend + 1;
    machine->ram_start = avr->ioend + 1U;
    machine->ram_end = avr->ramend + 1U;
    machine->static_end = machine->ram_start;
    machine->stop = machine->flash_size - 2;
    machine->features = features_of(part, machine->flash_size);
    machine->code = calloc(machine->flash_size / 2, sizeof *machine->code);
    if (!machine->code) {
        return fail_memory(machine->err);
    }
    memset(avr->flash, 0xff, machine->flash_size);
    memset(avr->data + machine->ram_start, 0xa5, machine->ram_end - machine->ram_start);
    return true;
}

/* One is enough for a program.  simavr frees only pieces of a part: the others hang here until the
 * end. */
static struct machine only;

struct machine *machine_new(const struct layout *layout, const struct core *core, struct error *err)
{
    struct machine *machine = &only;
    machine->err = err;
    if (!set_up(machine, layout, core->name)) {
        machine_free(machine);
        return NULL;
    }
    return machine;
}

void machine_free(struct machine *machine)
{
    if (!machine) {
        return;
    }
    if (machine->avr) {
        avr_terminate(machine->avr);
    }
    free(machine->code);
    machine->code = NULL;
}

/* ---- loading ---- */

static uint16_t flash_word(const struct machine *machine, uint32_t at)
{
    const unsigned char *from = machine->avr->flash + at;
    return (uint16_t)(from[0] | from[1] << 8);
}

static void load_flash(struct machine *machine, const unsigned char *from, uint32_t at,
                       uint32_t size)
{
    memcpy(machine->avr->flash + at, from, size);
    for (uint32_t i = at & ~1U; i + 2 <= at + size; i += 2) {
        machine->code[i / 2] = avr8_decode(flash_word(machine, i), machine->features);
    }
}

/* .data is put where it runs: no start-up code is needed. */
static bool load_segment(struct machine *machine, const struct elf *elf,
                         const struct elf_segment *segment)
{
    const unsigned char *from = elf->data + segment->offset;
    uint64_t size = segment->memory_size;
    uint64_t at = segment->address - RAM_BASE;
    if (segment->address < machine->stop && size <= machine->stop - segment->address) {
        load_flash(machine, from, (uint32_t)segment->address, (uint32_t)segment->file_size);
        return true;
    }
    if (segment->address < RAM_BASE) {
        return fail(machine->err, "%s: %" PRIu64 " bytes at 0x%08" PRIx64 " do not lie in flash",
                    elf->file, size, segment->address);
    }
    if (at < machine->ram_start || at > machine->ram_end || size > machine->ram_end - at) {
        return fail(machine->err, "%" PRIu64 " static bytes overflow the %" PRIu32 " of the RAM",
                    size, machine->ram_end - machine->ram_start);
    }
    memset(machine->avr->data + at, 0, (size_t)size);
    memcpy(machine->avr->data + at, from, (size_t)segment->file_size);
    uint32_t end = (uint32_t)(at + size);
    machine->static_end = end > machine->static_end ? end : machine->static_end;
    return true;
}

bool machine_load(struct machine *machine, const struct elf *elf)
{
    if (elf->wide || elf->big || elf->machine != ELF_MACHINE_AVR) {
        return fail(machine->err, "%s: not a program for AVR", elf->file);
    }
    for (unsigned i = 0; i < elf->segment_count; i++) {
        struct elf_segment segment;
        if (!elf_segment(elf, i, &segment, machine->err)) {
            return false;
        }
        if (segment.type == ELF_SEGMENT_LOAD && segment.memory_size > 0 &&
            !load_segment(machine, elf, &segment)) {
            return false;
        }
    }
    return true;
}

unsigned char *machine_ram(struct machine *machine, uint64_t address, uint64_t size)
{
    uint64_t at = address - RAM_BASE;
    if (address < RAM_BASE || at < machine->ram_start || at > machine->ram_end ||
        size > machine->ram_end - at) {
        fail(machine->err, "%" PRIu64 " bytes at 0x%08" PRIx64 " do not lie in RAM", size, address);
        return NULL;
    }
    return machine->avr->data + at;
}

/* ---- running ---- */

/* The address of an access by pointer. */
static uint32_t access_address(const struct machine *machine, const struct avr8_access *access)
{
    const uint8_t *registers = machine->avr->data;
    if (access->pointer == 0) {
        return (uint32_t)access->offset;
    }
    uint32_t base = registers[access->pointer] | (uint32_t)registers[access->pointer + 1] << 8;
    return (base + (uint32_t)access->offset) & 0xffff;
}

static bool check_access(struct machine *machine, const struct avr8_access *access)
{
    bool write = access->kind == AVR8_WRITE;
    if (access->kind == AVR8_NONE) {
        return true;
    }
    machine->counts[write ? COUNT_STORES : COUNT_LOADS]++;
    if (access->kind == AVR8_FLASH) {
        machine->counts[COUNT_FLASH_READS]++;
        return true; /* the address is one of the flash, or wraps as it does on the part */
    }
    uint32_t address = access_address(machine, access);
    if (address < machine->ram_start || address >= machine->ram_end) {
        return fail(machine->err, "0x%08" PRIx32 ": %s of 1 byte outside of RAM at 0x%04" PRIx32,
                    machine->at, write ? "write" : "read", address);
    }
    if (write && address >= machine->static_end && address < machine->stack_low) {
        machine->stack_low = address;
    }
    return true;
}

/* Bytes of stack that are taken lie above SP. */
static bool check_stack(struct machine *machine)
{
    uint32_t low = _avr_sp_get(machine->avr) + 1U;
    if (low < machine->static_end || low > machine->ram_end) {
        return fail(machine->err, "0x%08" PRIx32 ": stack overflow: SP is 0x%04" PRIx32,
                    machine->at, low - 1);
    }
    machine->stack_low = low < machine->stack_low ? low : machine->stack_low;
    return true;
}

static void count(struct machine *machine, const struct step *step, uint64_t cycles)
{
    bool conditional = step->flags & STEP_CONDITIONAL;
    bool always = step->flags & STEP_BRANCH;
    machine->counts[COUNT_INSTRUCTIONS]++;
    machine->counts[COUNT_CYCLES] += cycles;
    machine->counts[COUNT_MULTIPLIES] += (step->flags & STEP_MULTIPLY) != 0;
    machine->counts[COUNT_BRANCHES] += conditional || always;
    machine->counts[COUNT_TAKEN] += always || (conditional && cycles > 1);
}

/* One instruction, checked before and counted after. */
static bool step_on(struct machine *machine)
{
    avr_t *avr = machine->avr;
    uint32_t pc = machine->at = avr->pc;
    const struct step *step = pc < machine->flash_size ? &machine->code[pc / 2] : NULL;
    if (!step || step->size == 0) {
        return fail(machine->err,
                    "0x%08" PRIx32 ": no instruction of %s that measured code may use", pc,
                    machine->part);
    }
    uint16_t second = step->size == 4 ? flash_word(machine, pc + 2) : 0;
    struct avr8_access access = avr8_access(flash_word(machine, pc), second);
    if (!check_access(machine, &access)) {
        return false;
    }
    uint64_t before = avr->cycle;
    avr->pc = avr_run_one(avr);
    count(machine, step, avr->cycle - before);
    if (avr->state != cpu_Running) {
        return fail(machine->err, "0x%08" PRIx32 ": the core stops", pc);
    }
    return !(step->flags & STEP_STACK) || check_stack(machine);
}

/* ---- calling ---- */

/* avr-gcc's calling convention: r2 to r17, r28 and r29 are preserved; r1 is zero. */
static bool is_preserved(int number)
{
    return (number >= 1 && number <= 17) || number == 28 || number == 29;
}

static uint8_t mark(int number)
{
    return (uint8_t)(number == 1 ? 0 : 0x5a ^ number);
}

/* Arguments are pairs of registers from r25:r24 down; a caller pushes where to return to, the low
 * byte first. */
static void enter(struct machine *machine, const struct call *call)
{
    avr_t *avr = machine->avr;
    for (int i = 0; i < 32; i++) {
        avr->data[i] = mark(i);
    }
    for (int i = 0; i < CALL_ARGUMENTS_MAX; i++) {
        avr->data[24 - 2 * i] = (uint8_t)call->arguments[i];
        avr->data[25 - 2 * i] = (uint8_t)(call->arguments[i] >> 8);
    }
    for (int i = 0; i < avr->address_size; i++) {
        avr->data[avr->ramend - i] = (uint8_t)(machine->stop / 2 >> 8 * i);
    }
    _avr_sp_set(avr, (uint16_t)(avr->ramend - avr->address_size));
    avr->pc = call->function;
    avr->state = cpu_Running;
    memset(machine->counts, 0, sizeof machine->counts);
    machine->stack_low = machine->ram_end - avr->address_size;
}

static bool left_well(struct machine *machine)
{
    if (_avr_sp_get(machine->avr) != machine->avr->ramend) {
        return fail(machine->err, "the function returns with another SP");
    }
    for (int i = 0; i < 32; i++) {
        if (is_preserved(i) && machine->avr->data[i] != mark(i)) {
            return fail(machine->err, "the function does not preserve r%d", i);
        }
    }
    return true;
}

bool machine_call(struct machine *machine, const struct call *call, uint64_t *counts)
{
    if (call->function >= machine->stop || call->function & 1) {
        return fail(machine->err, "0x%08" PRIx32 ": the function does not lie in flash",
                    call->function);
    }
    enter(machine, call);
    while (machine->avr->pc != machine->stop) {
        if (!step_on(machine)) {
            return false;
        }
        if (machine->counts[COUNT_INSTRUCTIONS] > call->limit) {
            return fail(machine->err,
                        "0x%08" PRIx32 ": still running after %" PRIu64 " instructions",
                        machine->at, call->limit);
        }
    }
    if (!left_well(machine)) {
        return false;
    }
    machine->counts[COUNT_STACK] = machine->ram_end - machine->stack_low;
    memcpy(counts, machine->counts, sizeof machine->counts);
    return true;
}
