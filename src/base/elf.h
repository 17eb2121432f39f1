/* Bounded reader of ELF files, 32 and 64 bits, both byte orders: what the linker made of emitted
 * code. Offsets and counts in the file are untrusted; every access stays inside of the data. */
#ifndef MOTE_BASE_ELF_H
#define MOTE_BASE_ELF_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_FILE_MAX      ((size_t)256 << 20) /* bytes of a file that callers should read at most */
#define ELF_MACHINE_ARM   40
#define ELF_MACHINE_AVR   83
#define ELF_MACHINE_RISCV 243

enum {
    ELF_SECTION_PROGRAM = 1,
    ELF_SECTION_SYMBOLS = 2,
    ELF_SECTION_NOTE = 7,
    ELF_SECTION_BSS = 8
};
enum { ELF_WRITE = 1, ELF_ALLOC = 2, ELF_EXECUTE = 4 }; /* flags of sections */
enum { ELF_SEGMENT_LOAD = 1, ELF_SEGMENT_EXECUTE = 1 }; /* type, flag of segments */

struct elf {
    const unsigned char *data; /* borrowed */
    size_t size;
    const char *file; /* borrowed, for messages */
    bool wide;        /* 64 bits */
    bool big;         /* big-endian */
    unsigned machine;
    uint64_t sections_at, segments_at;
    unsigned section_size, section_count, names_index;
    unsigned segment_size, segment_count;
};

struct elf_section {
    const char *name; /* terminated, inside of the data */
    uint32_t type;
    uint64_t flags, address, offset, size;
    uint32_t link;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, file_size, memory_size;
};

struct elf_symbol {
    uint64_t value, size;
};

/* Check the head of a file; `data` and `file` must outlive `elf`. */
bool elf_open(struct elf *elf, const void *data, size_t size, const char *file, struct error *err);

/* Header number `index` (< section_count, segment_count).  A segment's bytes lie in the data. */
bool elf_section(const struct elf *elf, unsigned index, struct elf_section *section,
                 struct error *err);
bool elf_segment(const struct elf *elf, unsigned index, struct elf_segment *segment,
                 struct error *err);

/* The defined symbol of that name. */
bool elf_symbol(const struct elf *elf, const char *name, struct elf_symbol *symbol,
                struct error *err);

#endif
