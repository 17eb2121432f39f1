#include "base/elf.h"

#include "base/bytes.h"

#include <string.h>

/* A reader that stands at `offset`; one past the end reads zeros and is bad. */
static struct bytes reader_at(const struct elf *elf, uint64_t offset)
{
    struct bytes bytes = bytes_of(elf->data, elf->size);
    bytes.bad = offset > elf->size;
    bytes.at = bytes.bad ? 0 : (size_t)offset;
    return bytes;
}

/* `size` bytes of a number in the file's byte order. */
static uint64_t number(const struct elf *elf, struct bytes *bytes, size_t size)
{
    const unsigned char *at = bytes_take(bytes, size);
    uint64_t value = 0;
    for (size_t i = 0; at && i < size; i++) {
        value = value << 8 | at[elf->big ? i : size - 1 - i];
    }
    return value;
}

static unsigned half(const struct elf *elf, struct bytes *bytes)
{
    return (unsigned)number(elf, bytes, 2);
}

static uint32_t whole(const struct elf *elf, struct bytes *bytes)
{
    return (uint32_t)number(elf, bytes, 4);
}

/* An address, offset or size: 4 or 8 bytes. */
static uint64_t word(const struct elf *elf, struct bytes *bytes)
{
    return number(elf, bytes, elf->wide ? 8 : 4);
}

static bool bad_file(const struct elf *elf, const char *what, struct error *err)
{
    return fail(err, "%s: not a usable ELF file: %s", elf->file, what);
}

static bool read_tables(struct elf *elf, struct error *err)
{
    struct bytes bytes = reader_at(elf, 18);
    elf->machine = half(elf, &bytes);
    (void)whole(elf, &bytes); /* version */
    (void)word(elf, &bytes);  /* entry */
    elf->segments_at = word(elf, &bytes);
    elf->sections_at = word(elf, &bytes);
    (void)whole(elf, &bytes); /* flags */
    (void)half(elf, &bytes);  /* size of this head */
    elf->segment_size = half(elf, &bytes);
    elf->segment_count = half(elf, &bytes);
    elf->section_size = half(elf, &bytes);
    elf->section_count = half(elf, &bytes);
    elf->names_index = half(elf, &bytes);
    if (bytes.bad) {
        return bad_file(elf, "the head is cut off", err);
    }
    if (elf->section_count > 0 && elf->names_index >= elf->section_count) {
        return bad_file(elf, "no section names", err);
    }
    return true;
}

bool elf_open(struct elf *elf, const void *data, size_t size, const char *file, struct error *err)
{
    static const unsigned char magic[4] = {0x7f, 'E', 'L', 'F'};
    *elf = (struct elf){.data = data, .size = size, .file = file};
    if (size < 16 || memcmp(elf->data, magic, sizeof magic) != 0) {
        return bad_file(elf, "wrong magic bytes", err);
    }
    if ((elf->data[4] != 1 && elf->data[4] != 2) || (elf->data[5] != 1 && elf->data[5] != 2)) {
        return bad_file(elf, "neither 32 nor 64 bits, little-endian or big-endian", err);
    }
    elf->wide = elf->data[4] == 2;
    elf->big = elf->data[5] == 2;
    return read_tables(elf, err);
}

/* The text at `offset` of a string table, or NULL.  A table ends with a zero byte, which ends its
 * last text: no search, however large it is. */
static const char *text_at(const struct elf *elf, const struct elf_section *table, uint64_t offset)
{
    if (table->offset > elf->size || table->size > elf->size - table->offset ||
        offset >= table->size) {
        return NULL;
    }
    struct bytes last = reader_at(elf, table->offset + table->size - 1);
    bool ends = bytes_u8(&last) == 0 && !last.bad;
    return ends ? (const char *)elf->data + table->offset + offset : NULL;
}

/* A section without its name; *name is the offset of that. */
static bool raw_section(const struct elf *elf, unsigned index, struct elf_section *section,
                        uint32_t *name)
{
    struct bytes bytes = reader_at(elf, elf->sections_at + (uint64_t)index * elf->section_size);
    *name = whole(elf, &bytes);
    section->type = whole(elf, &bytes);
    section->flags = word(elf, &bytes);
    section->address = word(elf, &bytes);
    section->offset = word(elf, &bytes);
    section->size = word(elf, &bytes);
    section->link = whole(elf, &bytes);
    return !bytes.bad;
}

bool elf_section(const struct elf *elf, unsigned index, struct elf_section *section,
                 struct error *err)
{
    struct elf_section names;
    uint32_t name;
    if (index >= elf->section_count || !raw_section(elf, elf->names_index, &names, &name) ||
        !raw_section(elf, index, section, &name)) {
        return bad_file(elf, "a section lies outside of the file", err);
    }
    section->name = text_at(elf, &names, name);
    return section->name || bad_file(elf, "a section's name lies outside of its table", err);
}

bool elf_segment(const struct elf *elf, unsigned index, struct elf_segment *segment,
                 struct error *err)
{
    struct bytes bytes = reader_at(elf, elf->segments_at + (uint64_t)index * elf->segment_size);
    segment->type = whole(elf, &bytes);
    segment->flags = elf->wide ? whole(elf, &bytes) : 0;
    segment->offset = word(elf, &bytes);
    segment->address = word(elf, &bytes);
    (void)word(elf, &bytes); /* physical address */
    segment->file_size = word(elf, &bytes);
    segment->memory_size = word(elf, &bytes);
    segment->flags = elf->wide ? segment->flags : whole(elf, &bytes);
    if (index >= elf->segment_count || bytes.bad || segment->offset > elf->size ||
        segment->file_size > elf->size - segment->offset ||
        (segment->type == ELF_SEGMENT_LOAD && segment->file_size > segment->memory_size)) {
        return bad_file(elf, "a segment lies outside of the file", err);
    }
    return true;
}

/* One entry of a symbol table; *name is the offset of its name, *home its section (0: none). */
static struct elf_symbol read_symbol(const struct elf *elf, struct bytes *bytes, uint32_t *name,
                                     unsigned *home)
{
    struct elf_symbol symbol = {0};
    *name = whole(elf, bytes);
    if (!elf->wide) {
        symbol.value = whole(elf, bytes);
        symbol.size = whole(elf, bytes);
    }
    (void)half(elf, bytes); /* binding, visibility */
    *home = half(elf, bytes);
    if (elf->wide) {
        symbol.value = number(elf, bytes, 8);
        symbol.size = number(elf, bytes, 8);
    }
    return symbol;
}

static bool search_table(const struct elf *elf, const struct elf_section *table, const char *name,
                         struct elf_symbol *symbol, struct error *err)
{
    struct elf_section names;
    if (!elf_section(elf, table->link, &names, err)) {
        return false;
    }
    struct bytes bytes = reader_at(elf, table->offset);
    uint64_t count = table->size / (elf->wide ? 24 : 16);
    for (uint64_t i = 0; i < count && !bytes.bad; i++) {
        uint32_t at;
        unsigned home;
        struct elf_symbol entry = read_symbol(elf, &bytes, &at, &home);
        const char *text = bytes.bad || home == 0 ? NULL : text_at(elf, &names, at);
        if (text && strcmp(text, name) == 0) {
            *symbol = entry;
            return true;
        }
    }
    return false;
}

bool elf_symbol(const struct elf *elf, const char *name, struct elf_symbol *symbol,
                struct error *err)
{
    for (unsigned i = 0; i < elf->section_count; i++) {
        struct elf_section section;
        if (!elf_section(elf, i, &section, err)) {
            return false;
        }
        if (section.type == ELF_SECTION_SYMBOLS) { /* there is at most one */
            if (search_table(elf, &section, name, symbol, err)) {
                return true;
            }
            break;
        }
    }
    return fail(err, "%s: no symbol '%s'", elf->file, name);
}
