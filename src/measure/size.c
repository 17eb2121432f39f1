/* Bytes of the emitted code alone: code.elf (which may be a WebAssembly module), or predict.o where
 * the target is this machine (whose C library is not ours to count). */
#include "base/elf.h"
#include "base/file.h"
#include "measure/wasm.h"
#include "measure/work.h"

#include <stdlib.h>
#include <string.h>

/* Sections that hold tables for debuggers and unwinders: no part of a firmware image. */
static bool is_unwind_table(const char *name)
{
    return strncmp(name, ".eh_frame", 9) == 0 || strncmp(name, ".ARM.", 5) == 0;
}

static bool is_constant_data(const struct elf_section *section)
{
    return section->type != ELF_SECTION_BSS; /* .data: its first values lie in flash too */
}

static void add_section(const struct elf_section *section, struct cost *cost)
{
    int64_t size = (int64_t)section->size;
    if (!(section->flags & ELF_ALLOC) || section->type == ELF_SECTION_NOTE ||
        is_unwind_table(section->name)) {
        return;
    }
    if (section->flags & ELF_EXECUTE) {
        cost->flash_code += size;
    } else if (section->flags & ELF_WRITE) {
        cost->ram += size;
        cost->flash_const += is_constant_data(section) ? size : 0;
    } else {
        cost->flash_const += size;
    }
}

static bool add_sections(struct work *work, const struct elf *elf)
{
    struct cost *cost = work->cost;
    cost->flash_code = cost->flash_const = cost->ram = 0;
    for (unsigned i = 0; i < elf->section_count; i++) {
        struct elf_section section;
        if (!elf_section(elf, i, &section, work->err)) {
            return false;
        }
        if (section.size > ELF_FILE_MAX) {
            return work_fail(work, "section '%.60s' is larger than any board", section.name);
        }
        add_section(&section, cost);
    }
    return true;
}

/* GCC's -fstack-usage: lines "file:line:column:function<TAB>bytes<TAB>static".  The sum of all
 * frames bounds the stack, as no emitted function is recursive; -1 where one is not static. */
static int64_t sum_frames(const char *text)
{
    int64_t sum = 0;
    while (*text) {
        const char *tab = strchr(text, '\t');
        char *end = NULL;
        long frame = tab ? strtol(tab + 1, &end, 10) : -1;
        if (frame < 0 || frame > 1L << 30 || strncmp(end, "\tstatic", 7) != 0) {
            return COST_UNKNOWN;
        }
        sum += frame;
        text = end + strcspn(end, "\n");
        text += *text == '\n';
    }
    return sum;
}

static void read_stack(struct work *work)
{
    size_t size;
    struct error none = {0};
    const char *path = work_path(work, "predict.su");
    unsigned char *text = path ? file_read(path, ELF_FILE_MAX, &size, &none) : NULL;
    work->cost->stack = text && size > 0 ? sum_frames((const char *)text) : COST_UNKNOWN;
    free(text);
}

static bool read_sizes(struct work *work, const char *file, const unsigned char *data, size_t size)
{
    struct elf elf;
    if (!wasm_is_module(data, size)) {
        return elf_open(&elf, data, size, file, work->err) && add_sections(work, &elf);
    }
    return wasm_sizes(data, size, &work->cost->flash_code, &work->cost->flash_const) ||
           work_fail(work, "the module is cut off");
}

bool size_read(struct work *work)
{
    const char *file = target_is_native(work->target) ? "predict.o" : "code.elf";
    const char *path = work_path(work, file);
    size_t size;
    if (!path) {
        return fail_memory(work->err);
    }
    unsigned char *data = file_read(path, ELF_FILE_MAX, &size, work->err);
    bool done = data && read_sizes(work, file, data, size);
    free(data);
    if (done) {
        read_stack(work);
    }
    return done;
}
