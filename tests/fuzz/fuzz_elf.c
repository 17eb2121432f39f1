/* ELF files: every section, segment and symbol that the reader gives lies inside of the file. */
#include "base/elf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touch what a user of the reader would: a read outside of the file stops the program. */
static size_t touch_segments(const struct elf *elf, struct error *err)
{
    size_t sum = 0;
    for (unsigned i = 0; i < elf->segment_count; i++) {
        struct elf_segment segment;
        if (!elf_segment(elf, i, &segment, err)) {
            return sum;
        }
        if (segment.file_size > 0) {
            sum += elf->data[segment.offset] + elf->data[segment.offset + segment.file_size - 1];
        }
    }
    return sum;
}

static size_t touch_sections(const struct elf *elf, struct error *err)
{
    size_t sum = 0;
    for (unsigned i = 0; i < elf->section_count; i++) {
        struct elf_section section;
        if (!elf_section(elf, i, &section, err)) {
            return sum;
        }
        sum += strlen(section.name);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct error none = {0};
    struct elf elf;
    struct elf_symbol symbol;
    if (!elf_open(&elf, data, size, "x.elf", &err)) {
        return err.message[0] ? 0 : (abort(), 1);
    }
    volatile size_t sum = touch_segments(&elf, &err) + touch_sections(&elf, &err);
    (void)sum;
    bool found = elf_symbol(&elf, "mote_predict", &symbol, &none);
    if (!found && !none.failed) {
        abort();
    }
    return 0;
}
