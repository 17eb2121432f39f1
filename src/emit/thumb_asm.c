/* Instructions as lines of strings; constants; addresses. */
#include "emit/thumb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_COLUMNS 92
#define OP_MAX       160
/* What a conditional branch reaches, in bytes, less the longest single step between looks. */
#define REACH 230

const char *thumb_reg(int reg)
{
    static const char *const names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                        "r8", "r9", "r10", "r11", "r12", "sp", "lr"};
    return names[reg];
}

void thumb_line_end(struct thumb *t)
{
    text_add(&t->code, t->column > 0 ? "\\n\"\n" : "");
    t->column = 0;
}

static void add_op(struct thumb *t, const char *op)
{
    if (t->column + strlen(op) > LINE_COLUMNS) {
        thumb_line_end(t);
    }
    text_printf(&t->code, "%s%s", t->column > 0 ? "; " : "        \"", op);
    t->column += (t->column > 0 ? 2 : 9) + strlen(op);
}

void thumb_label(struct thumb *t, int label)
{
    thumb_line_end(t);
    text_printf(&t->code, "        \"%d:\\n\"\n", label);
}

void thumb_op(struct thumb *t, int cycles, const char *format, ...)
{
    char op[OP_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(op, sizeof op, format, arguments);
    va_end(arguments);
    if (t->late_first >= 0 && t->bytes - t->late_first + t->late_bytes > REACH) {
        thumb_place_late(t, true);
    }
    add_op(t, op);
    t->cycles += cycles;
    t->bytes += 2;
}

/* ---- blocks out of the way ---- */

void thumb_late(struct thumb *t, const char *condition, const char *block, int count)
{
    int there = t->label++;
    int back = t->label++;
    thumb_op(t, 1, "b%s %df", condition, there);
    thumb_label(t, back);
    int added = snprintf(t->late + t->late_length, THUMB_LATE - t->late_length,
                         "        \"%d: %s; b %db\\n\"\n", there, block, back);
    t->late_length += (size_t)added;
    if (t->late_length >= THUMB_LATE) {
        t->late_length = 0;
        t->unfit = true;
    }
    t->late_first = t->late_first < 0 ? t->bytes - 2 : t->late_first;
    t->late_bytes += 2 * (int64_t)count + 2;
}

void thumb_place_late(struct thumb *t, bool around)
{
    if (t->late_first < 0) {
        return;
    }
    int over = t->label++;
    t->late_first = -1;
    if (around) {
        thumb_op(t, 3, "b %df", over);
    }
    thumb_line_end(t);
    text_bytes(&t->code, t->late, t->late_length);
    t->bytes += t->late_bytes;
    t->late_bytes = 0;
    t->late_length = 0;
    if (around) {
        thumb_label(t, over);
    }
}

/* ---- constants ---- */

void thumb_constant(struct thumb *t, uint32_t value)
{
    if (t->stream_count >= 2 * THUMB_WEIGHTS_MAX) {
        t->unfit = true;
        return;
    }
    t->stream[t->stream_count++] = value;
}

void thumb_hold_stream(struct thumb *t)
{
    if (!t->stream_held) {
        thumb_op(t, 2, "ldr r0, [sp, #%d]", thumb_offset(t, SLOT_STREAM));
        t->stream_held = true;
    }
}

void thumb_free_stream(struct thumb *t)
{
    if (t->stream_held && t->stream_count < t->stream_total) {
        thumb_op(t, 2, "str r0, [sp, #%d]", thumb_offset(t, SLOT_STREAM));
        t->slots = t->slots > SLOT_STREAM ? t->slots : SLOT_STREAM + 1;
    }
    t->stream_held = false;
}

/* "r1-r3, r5" of a mask of low registers; returns how many. */
static int list_registers(unsigned registers, char list[64])
{
    int count = 0;
    list[0] = 0;
    for (int reg = 0; reg < 8; reg++) {
        int last = reg;
        while (registers >> last & 1U) {
            last++;
        }
        size_t length = strlen(list);
        const char *comma = count > 0 ? ", " : "";
        if (last > reg + 1) {
            (void)snprintf(list + length, 64 - length, "%sr%d-r%d", comma, reg, last - 1);
        } else if (last > reg) {
            (void)snprintf(list + length, 64 - length, "%sr%d", comma, reg);
        }
        count += last - reg;
        reg = last;
    }
    return count;
}

void thumb_load(struct thumb *t, unsigned registers)
{
    char list[64];
    int count = list_registers(registers, list);
    thumb_op(t, 1 + count, "ldmia r0!, {%s}", list);
}

/* value = low << shift with low in 8 bits; -1: no such shift. */
static int byte_shift(uint32_t value)
{
    int shift = 0;
    while (value > 255 && (value & 1) == 0) {
        value >>= 1;
        shift++;
    }
    return value <= 255 ? shift : -1;
}

void thumb_set(struct thumb *t, int reg, uint32_t value)
{
    int shift = byte_shift(value);
    int above = value < UINT32_MAX ? byte_shift(value + 1) : -1;
    if (shift >= 0) {
        thumb_op(t, 1, "movs r%d, #%u", reg, (unsigned)(value >> shift));
        if (shift > 0) {
            thumb_op(t, 1, "lsls r%d, r%d, #%d", reg, reg, shift);
        }
    } else if (above >= 0) {
        thumb_set(t, reg, value + 1);
        thumb_op(t, 1, "subs r%d, #1", reg);
    } else {
        thumb_set(t, reg, value >> 8);
        thumb_op(t, 1, "lsls r%d, r%d, #8", reg, reg);
        thumb_op(t, 1, "adds r%d, #%u", reg, (unsigned)(value & 255));
    }
}

/* ---- elements ---- */

static void load_raw(struct thumb *t, int reg, int index, int pointer)
{
    enum type type = t->plan->net->tensors[t->plan->net->input].type;
    bool word = type == TYPE_I16 || type == TYPE_U16;
    bool sign = type == TYPE_I16 || type == TYPE_I8;
    int offset = word ? 2 * index : index;
    const char *name = word ? (sign ? "ldrsh" : "ldrh") : (sign ? "ldrsb" : "ldrb");
    if (!sign && index < 32) {
        thumb_op(t, 2, "%s r%d, [r%d, #%d]", name, reg, pointer, offset);
        return;
    }
    thumb_set(t, reg, (uint32_t)offset);
    thumb_op(t, 2, "%s r%d, [r%d, r%d]", name, reg, pointer, reg);
}

/* reg = part of the word in it. */
static void cut_part(struct thumb *t, int reg, const struct element *element)
{
    if (element->at > 0) {
        thumb_op(t, 1, "lsrs r%d, r%d, #%d", reg, reg, element->at);
    }
    if (element->at + element->bits < 32) {
        thumb_op(t, 1, "%s r%d, r%d", element->bits == 8 ? "uxtb" : "uxth", reg, reg);
    }
}

void thumb_element(struct thumb *t, int reg, const struct element *element, int pointer, bool held)
{
    switch (element->kind) {
    case PLACE_NONE: t->unfit = true; break;
    case PLACE_RAW:
        if (!held) {
            thumb_op(t, 2, "ldr r%d, [sp, #%d]", pointer, thumb_offset(t, SLOT_IN));
        }
        load_raw(t, reg, element->index, pointer);
        break;
    case PLACE_WORD:
    case PLACE_PART:
        thumb_op(t, 2, "ldr r%d, [sp, #%d]", reg, thumb_offset(t, element->index));
        if (element->kind == PLACE_PART) {
            cut_part(t, reg, element);
        }
        break;
    }
}

void *thumb_alloc(struct thumb *t, size_t count, size_t size)
{
    void *memory = arena_alloc(t->arena, count, size);
    t->unfit = t->unfit || !memory;
    t->no_memory = t->no_memory || !memory;
    return memory;
}

int thumb_slot(struct thumb *t)
{
    for (int slot = SLOT_FIRST; slot < THUMB_SLOTS; slot++) {
        if (!t->taken[slot]) {
            t->taken[slot] = true;
            t->slots = slot + 1 > t->slots ? slot + 1 : t->slots;
            return slot;
        }
    }
    t->unfit = true;
    return SLOT_FIRST;
}

int thumb_offset(struct thumb *t, int slot)
{
    int word = slot < THUMB_SLOTS ? t->pushed + slot : t->pushed - 1 - (slot - THUMB_SLOTS);
    t->unfit = t->unfit || word > THUMB_SLOTS;
    return 4 * word;
}

int thumb_push(struct thumb *t, unsigned registers)
{
    char list[64];
    int count = list_registers(registers, list);
    thumb_op(t, 1 + count, "push {%s}", list);
    t->pushed += count;
    return THUMB_SLOTS + t->pushed - 1;
}
