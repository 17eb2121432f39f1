#include "sim/machine.h"

#include "sim/family.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#define PAGE 4096U

struct machine {
    uc_engine *engine;
    struct error *err;
    const struct core *core;
    const struct family *family; /* the core's */
    struct layout layout;
    unsigned char *flash; /* the memories that Unicorn sees */
    unsigned char *ram;
    struct step *code; /* one per halfword of flash; size 0 where no code may run */
    uint32_t stop;     /* where calls return to: a page outside of flash and RAM */
    uint32_t stack_top;
    uint32_t static_end; /* first address behind .data and .bss */
    /* state of a call */
    uint64_t counts[COUNT_KINDS];
    uint64_t limit;
    uint32_t at;               /* address of the instruction that runs now */
    uint32_t fetched;          /* address of the word of instructions fetched last */
    uint32_t stack_low;        /* lowest SP or stack write */
    const struct step *before; /* the instruction before it; NULL at the entry */
    bool self_taken;           /* a taken branch whose target is the next instruction */
};

static bool inside(const struct region *region, uint64_t address, uint64_t size)
{
    return address >= region->start && size <= region->size &&
           address - region->start <= region->size - size;
}

/* ---- hooks ---- */

#define STOP(machine, ...)                                                                         \
    do {                                                                                           \
        (void)fail((machine)->err, __VA_ARGS__);                                                   \
        (void)uc_emu_stop((machine)->engine);                                                      \
    } while (0)

/* Unicorn reads and writes registers in their own width, from the low end on. */
static uint64_t read_register(struct machine *machine, int which)
{
    uint64_t value = 0;
    (void)uc_reg_read(machine->engine, which, &value);
    return value;
}

static uint32_t read_stack_pointer(struct machine *machine)
{
    return (uint32_t)read_register(machine, machine->family->stack_pointer);
}

/* Unicorn does not show what an IT block skips, which the core fetches all the same. */
static void count_skipped(struct machine *machine, uint32_t from, uint32_t next)
{
    const struct region *flash = &machine->layout.flash;
    while (from < next && inside(flash, from, 2) && machine->code[(from - flash->start) / 2].size) {
        machine->counts[COUNT_INSTRUCTIONS]++;
        from += machine->code[(from - flash->start) / 2].size;
    }
}

/* What only shows after the instruction before `next`: was its branch taken, where is SP. */
static void finish_before(struct machine *machine, uint32_t next)
{
    const struct step *before = machine->before;
    if (!before) {
        return;
    }
    if (!(before->flags & (STEP_BRANCH | STEP_CONDITIONAL))) {
        count_skipped(machine, machine->at + before->size, next);
    }
    if (before->flags & STEP_CONDITIONAL &&
        (next != machine->at + before->size || machine->self_taken)) {
        machine->counts[COUNT_CYCLES] += before->taken;
        machine->counts[COUNT_TAKEN]++;
    }
    if (before->flags & STEP_STACK) {
        uint32_t sp = read_stack_pointer(machine);
        machine->stack_low = sp < machine->stack_low ? sp : machine->stack_low;
        if (sp < machine->static_end || sp > machine->stack_top) {
            STOP(machine, "0x%08" PRIx32 ": stack overflow: SP is 0x%08" PRIx32, machine->at, sp);
        }
    }
}

/* Wait states of an instruction's words (core.h). */
static void fetch(struct machine *machine, uint32_t pc, uint32_t size)
{
    for (uint32_t word = pc & ~3U; word < pc + size; word += 4) {
        machine->counts[COUNT_CYCLES_1WS] += word != machine->fetched;
        machine->fetched = word;
    }
}

static void on_instruction(uc_engine *engine, uint64_t address, uint32_t size, void *data)
{
    struct machine *machine = data;
    (void)engine;
    (void)size;
    uint32_t pc = (uint32_t)address;
    finish_before(machine, pc);
    machine->at = pc;
    machine->before = NULL;
    if (machine->err->failed || pc == machine->stop) {
        return;
    }
    uint32_t offset = pc - machine->layout.flash.start;
    if (!inside(&machine->layout.flash, pc, 2) || machine->code[offset / 2].size == 0) {
        STOP(machine, "0x%08" PRIx32 ": no instruction of %s that measured code may use", pc,
             machine->core->instructions);
        return;
    }
    const struct step *step = &machine->code[offset / 2];
    machine->before = step;
    machine->self_taken = step->flags & STEP_CONDITIONAL &&
                          machine->family->taken_to_next(machine->engine, machine->flash + offset);
    fetch(machine, pc, step->size);
    machine->counts[COUNT_CYCLES] += step->cycles;
    machine->counts[COUNT_MULTIPLIES] += (step->flags & STEP_MULTIPLY) != 0;
    machine->counts[COUNT_BRANCHES] += (step->flags & (STEP_BRANCH | STEP_CONDITIONAL)) != 0;
    machine->counts[COUNT_TAKEN] += (step->flags & STEP_BRANCH) != 0;
    if (++machine->counts[COUNT_INSTRUCTIONS] > machine->limit) {
        STOP(machine, "0x%08" PRIx32 ": still running after %" PRIu64 " instructions", pc,
             machine->limit);
    }
}

/* A stray write just below SP is the stack's. */
static void refuse_access(struct machine *machine, bool write, uint64_t address, int size)
{
    const char *verb = write ? "write" : "read";
    uint32_t sp = read_stack_pointer(machine);
    if (write && address < machine->static_end && sp > address && sp - address <= PAGE) {
        STOP(machine, "0x%08" PRIx32 ": stack overflow: write at 0x%08" PRIx64, machine->at,
             address);
        return;
    }
    STOP(machine, "0x%08" PRIx32 ": %s of %d bytes outside of %s at 0x%08" PRIx64, machine->at,
         verb, size, write ? "RAM" : "RAM and flash", address);
}

/* `before` is the instruction that runs now. */
static bool may_be_unaligned(const struct machine *machine)
{
    return machine->core->unaligned && machine->before && !(machine->before->flags & STEP_ALIGNED);
}

static void on_access(uc_engine *engine, uc_mem_type type, uint64_t address, int size,
                      int64_t value, void *data)
{
    struct machine *machine = data;
    (void)engine;
    (void)value;
    uint64_t bytes = (uint64_t)size;
    bool write = type == UC_MEM_WRITE;
    if (address % bytes != 0 && !may_be_unaligned(machine)) {
        STOP(machine, "0x%08" PRIx32 ": unaligned %s of %d bytes at 0x%08" PRIx64, machine->at,
             write ? "write" : "read", size, address);
    } else if (inside(&machine->layout.ram, address, bytes)) {
        if (write && address >= machine->static_end && address < machine->stack_low) {
            machine->stack_low = (uint32_t)address;
        }
    } else if (write || !inside(&machine->layout.flash, address, bytes)) {
        refuse_access(machine, write, address, size);
    } else {
        machine->counts[COUNT_FLASH_READS]++;
    }
    machine->counts[write ? COUNT_STORES : COUNT_LOADS]++;
}

static bool on_invalid(uc_engine *engine, uc_mem_type type, uint64_t address, int size,
                       int64_t value, void *data)
{
    struct machine *machine = data;
    (void)engine;
    (void)value;
    if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT) {
        STOP(machine, "0x%08" PRIx32 ": execution outside of flash at 0x%08" PRIx64, machine->at,
             address);
    } else {
        bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
        refuse_access(machine, write, address, size);
    }
    return false;
}

static void on_exception(uc_engine *engine, uint32_t number, void *data)
{
    struct machine *machine = data;
    (void)engine;
    STOP(machine, "0x%08" PRIx32 ": the core faults (exception %" PRIu32 ")", machine->at, number);
}

/* ---- setting up ---- */

/* Function pointers as uc_hook_add wants them; POSIX lets them convert. */
static bool add_hook(struct machine *machine, int type, void (*callback)(void))
{
    uc_hook handle;
    union {
        void (*function)(void);
        void *object;
    } pointer = {.function = callback};
    return uc_hook_add(machine->engine, &handle, type, pointer.object, machine, 1, 0) == UC_ERR_OK;
}

static bool add_hooks(struct machine *machine)
{
    return add_hook(machine, UC_HOOK_CODE, (void (*)(void))on_instruction) &&
           add_hook(machine, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void (*)(void))on_access) &&
           add_hook(machine, UC_HOOK_MEM_INVALID, (void (*)(void))on_invalid) &&
           add_hook(machine, UC_HOOK_INTR, (void (*)(void))on_exception);
}

static bool check_region(const struct machine *machine, const struct region *region,
                         const char *name)
{
    uint32_t end = machine->family->end;
    if (region->size == 0 || region->start % PAGE || region->size % PAGE || region->start >= end ||
        region->size > end - region->start) {
        return fail(machine->err, "%s must be whole 4 KiB pages below 0x%08" PRIx32, name, end);
    }
    return true;
}

static bool check_layout(const struct machine *machine)
{
    const struct region *flash = &machine->layout.flash;
    const struct region *ram = &machine->layout.ram;
    if (!check_region(machine, flash, "flash") || !check_region(machine, ram, "RAM")) {
        return false;
    }
    if (flash->start < ram->start + ram->size && ram->start < flash->start + flash->size) {
        return fail(machine->err, "flash and RAM overlap");
    }
    return true;
}

/* The first page from 0x10000000 on that is neither flash nor RAM. */
static uint32_t free_page(const struct machine *machine)
{
    const struct layout *layout = &machine->layout;
    uint32_t page = 0x10000000;
    for (int i = 0; i < 2; i++) {
        if (inside(&layout->flash, page, PAGE)) {
            page = layout->flash.start + layout->flash.size;
        }
        if (inside(&layout->ram, page, PAGE)) {
            page = layout->ram.start + layout->ram.size;
        }
    }
    return page < machine->family->end ? page : 0x08000000;
}

static bool map(struct machine *machine)
{
    const struct region *flash = &machine->layout.flash;
    const struct region *ram = &machine->layout.ram;
    machine->flash = aligned_alloc(PAGE, flash->size);
    machine->ram = aligned_alloc(PAGE, ram->size);
    machine->code = calloc(flash->size / 2, sizeof *machine->code);
    if (!machine->flash || !machine->ram || !machine->code) {
        return fail_memory(machine->err);
    }
    memset(machine->flash, 0xff, flash->size);
    memset(machine->ram, 0xa5, ram->size); /* firmware finds no zeros on its stack either */
    uc_engine *engine = machine->engine;
    if (uc_mem_map_ptr(engine, flash->start, flash->size, UC_PROT_READ | UC_PROT_EXEC,
                       machine->flash) != UC_ERR_OK ||
        uc_mem_map_ptr(engine, ram->start, ram->size, UC_PROT_READ | UC_PROT_WRITE, machine->ram) !=
            UC_ERR_OK ||
        uc_mem_map(engine, machine->stop, PAGE, UC_PROT_EXEC) != UC_ERR_OK) {
        return fail(machine->err, "Unicorn cannot map the memories");
    }
    return true;
}

static bool set_up(struct machine *machine)
{
    const struct family *family = machine->family;
    if (!check_layout(machine)) {
        return false;
    }
    uc_err code = uc_open(family->arch, family->mode, &machine->engine);
    if (code != UC_ERR_OK) {
        return fail(machine->err, "Unicorn: %s", uc_strerror(code));
    }
    code = uc_ctl_set_cpu_model(machine->engine, family->model);
    if (code != UC_ERR_OK) {
        return fail(machine->err, "Unicorn: %s", uc_strerror(code));
    }
    machine->stop = free_page(machine);
    machine->stack_top = machine->layout.ram.start + machine->layout.ram.size;
    machine->static_end = machine->layout.ram.start;
    if (!map(machine)) {
        return false;
    }
    return add_hooks(machine) || fail(machine->err, "Unicorn cannot watch the execution");
}

struct machine *machine_new(const struct layout *layout, const struct core *core, struct error *err)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (!machine) {
        fail_memory(err);
        return NULL;
    }
    machine->layout = *layout;
    machine->core = core;
    machine->family = core->family;
    machine->err = err;
    if (!set_up(machine)) {
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
    if (machine->engine) {
        (void)uc_close(machine->engine);
    }
    free(machine->flash);
    free(machine->ram);
    free(machine->code);
    free(machine);
}

/* ---- loading ---- */

static void decode_range(struct machine *machine, uint32_t start, uint32_t size)
{
    for (uint32_t i = start & ~1U; i + 2 <= start + size; i += 2) {
        const unsigned char *at = machine->flash + i;
        uint16_t first = (uint16_t)(at[0] | at[1] << 8);
        bool more = i + 4 <= start + size;
        uint16_t second = (uint16_t)(more ? at[2] | at[3] << 8 : 0);
        machine->code[i / 2] = machine->family->decode(first, second, machine->core->variant);
    }
}

static bool load_segment(struct machine *machine, const struct elf *elf,
                         const struct elf_segment *segment)
{
    const struct region *flash = &machine->layout.flash;
    const struct region *ram = &machine->layout.ram;
    const unsigned char *from = elf->data + segment->offset;
    size_t size = (size_t)segment->file_size;
    size_t whole = (size_t)segment->memory_size;
    if (inside(flash, segment->address, whole)) {
        uint32_t at = (uint32_t)segment->address - flash->start;
        memcpy(machine->flash + at, from, size);
        if (segment->flags & ELF_SEGMENT_EXECUTE) {
            decode_range(machine, at, (uint32_t)size);
        }
        return true;
    }
    if (inside(ram, segment->address, whole)) {
        uint32_t at = (uint32_t)segment->address - ram->start;
        memcpy(machine->ram + at, from, size);
        memset(machine->ram + at + size, 0, whole - size);
        uint32_t end = ram->start + at + (uint32_t)whole;
        machine->static_end = end > machine->static_end ? end : machine->static_end;
        return true;
    }
    return fail(machine->err, "%s: a segment at 0x%08" PRIx64 " lies in neither flash nor RAM",
                elf->file, segment->address);
}

bool machine_load(struct machine *machine, const struct elf *elf)
{
    if (elf->wide != machine->family->wide || elf->big ||
        elf->machine != machine->family->elf_machine) {
        return fail(machine->err, "%s: not a program for %s", elf->file, machine->family->machine);
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
    if (!inside(&machine->layout.ram, address, size)) {
        fail(machine->err, "%" PRIu64 " bytes at 0x%08" PRIx64 " do not lie in RAM", size, address);
        return NULL;
    }
    return machine->ram + (address - machine->layout.ram.start);
}

/* ---- calling ---- */

static uint32_t mark(int index)
{
    return 0xc0de0000U + (uint32_t)index;
}

static void write_register(struct machine *machine, int which, uint64_t value)
{
    (void)uc_reg_write(machine->engine, which, &value);
}

static void enter(struct machine *machine, const struct call *call)
{
    const struct family *family = machine->family;
    for (int i = 0; i < CALL_ARGUMENTS_MAX; i++) {
        write_register(machine, family->arguments[i], call->arguments[i]);
    }
    for (int i = 0; i < machine->core->preserved_count; i++) {
        write_register(machine, family->preserved[i].number, mark(i));
    }
    write_register(machine, family->stack_pointer, machine->stack_top);
    write_register(machine, family->link, machine->stop | family->entry_flag);
    memset(machine->counts, 0, sizeof machine->counts);
    machine->limit = call->limit;
    machine->before = NULL;
    machine->fetched = machine->stop; /* no word of the call */
    machine->at = call->function & ~family->entry_flag;
    machine->stack_low = machine->stack_top;
}

/* The callee's duties: return to its caller with SP and the preserved registers as they were. */
static bool left_well(struct machine *machine)
{
    uint32_t pc = (uint32_t)read_register(machine, machine->family->program_counter);
    pc &= ~machine->family->entry_flag;
    if (pc != machine->stop) {
        return fail(machine->err, "0x%08" PRIx32 ": the call did not return", pc);
    }
    if (read_stack_pointer(machine) != machine->stack_top) {
        return fail(machine->err, "the function returns with another SP");
    }
    const struct preserved *preserved = machine->family->preserved;
    for (int i = 0; i < machine->core->preserved_count; i++) {
        if (read_register(machine, preserved[i].number) != mark(i)) {
            return fail(machine->err, "the function does not preserve %s", preserved[i].name);
        }
    }
    return true;
}

bool machine_call(struct machine *machine, const struct call *call, uint64_t *counts)
{
    uint32_t flag = machine->family->entry_flag;
    if (!inside(&machine->layout.flash, call->function & ~flag, 2)) {
        return fail(machine->err, "0x%08" PRIx32 ": the function does not lie in flash",
                    call->function);
    }
    enter(machine, call);
    uc_err code = uc_emu_start(machine->engine, call->function | flag, machine->stop, 0, 0);
    if (machine->err->failed) {
        return false;
    }
    if (code != UC_ERR_OK) {
        return fail(machine->err, "0x%08" PRIx32 ": the core faults: %s", machine->at,
                    uc_strerror(code));
    }
    finish_before(machine, machine->stop);
    if (machine->err->failed || !left_well(machine)) {
        return false;
    }
    machine->counts[COUNT_STACK] = machine->stack_top - machine->stack_low;
    machine->counts[COUNT_CYCLES_1WS] +=
        machine->counts[COUNT_CYCLES] + machine->counts[COUNT_FLASH_READS];
    memcpy(counts, machine->counts, sizeof machine->counts);
    return true;
}
