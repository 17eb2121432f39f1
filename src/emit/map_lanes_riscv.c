/* The function of convs in lanes by lists, in RV32EC assembly (--asm): as map_lanes_thumb.c has it.
 *
 * Steps are of compressed instructions, so that where to enter them is known.  Lines are written by
 * thumb_asm.c, which knows no machine. */
#include "emit/map.h"
#include "emit/thumb.h"
#include "emit/variant.h"

#define STEPS     LANES_PORTION
#define AHEAD     STEPS /* bytes that a0 is in front of the head of a portion */
#define REACH     31    /* words, of a compressed load */
#define REGISTERS 4     /* for what is kept: t0, t1, t2 and ra */

/* Places on the stack behind those of a and b. */
enum { SLOT_MAP, SLOT_SUMS, SLOT_BASE, SLOT_RA, SLOT_S0, SLOT_S1, SLOTS };

/* A portion's sums, one for each word of a tile. */
static const char *const sums[] = {"a5", "a4", "a3", "a2"};

static bool never(const struct plan *plan)
{
    (void)plan;
    return false;
}

/* Of nets on vectors none has it. */
const struct variant riscv_variant = {
    .kind = VARIANT_RISCV,
    .name = "riscv",
    .guard = "defined(__GNUC__) && defined(__riscv_compressed) && __riscv_xlen == 32 && \\\n"
             "    !defined(__riscv_zcb)",
    .fits = never,
};

bool map_has_riscv_lanes(const struct plan *plan, int index)
{
    const struct lanes *lanes = plan->maps->rows[index].lanes;
    int last = map_lanes_offset(plan, index, map_lanes_words(lanes) - 1);
    return (plan->options->variants >> VARIANT_RISCV & 1U) && lanes->form == AS_LISTS &&
           last <= REACH;
}

/* ---- what is kept ---- */

/* Number `i` of what is kept: a and b of each word in turn. */
static const char *kept(int i)
{
    static const char *const names[] = {"t0", "t1", "t2", "ra"};
    return i < REGISTERS ? names[i] : NULL;
}

static int slot(int words, int which)
{
    int kept_there = 2 * words > REGISTERS ? 2 * words - REGISTERS : 0;
    return 4 * (kept_there + which);
}

/* Bytes of the stack, which stays aligned to 16. */
static int frame(int words)
{
    return (slot(words, SLOTS) + 15) / 16 * 16;
}

static void add_to(struct thumb *t, int i, const char *from)
{
    if (kept(i)) {
        thumb_op(t, 1, "add %s, %s, %s", kept(i), kept(i), from);
    } else {
        thumb_op(t, 2, "lw s1, %d(sp)", 4 * (i - REGISTERS));
        thumb_op(t, 1, "add s1, s1, %s", from);
        thumb_op(t, 1, "sw s1, %d(sp)", 4 * (i - REGISTERS));
    }
}

/* ---- a portion ---- */

static void add_step(struct thumb *t, const struct plan *plan, int index)
{
    int words = map_lanes_words(plan->maps->rows[index].lanes);
    thumb_op(t, 2, "lbu s0, \\\\k(a0)");
    thumb_op(t, 1, "c.slli s0, 2");
    thumb_op(t, 1, "c.add s0, a1");
    for (int i = 0; i < words; i++) {
        thumb_op(t, 2, "c.lw s1, %d(s0)", 4 * map_lanes_offset(plan, index, i));
        thumb_op(t, 1, "c.add %s, s1", sums[i]);
    }
}

/* a0 .. AHEAD bytes in front of the head of a portion.  Moves the base, and a0 so far back that the
 * first step that is entered reads the first byte; a step has 8 + 4 words bytes. */
static void enter_portion(struct thumb *t, int words, bool far)
{
    thumb_label(t, 1);
    thumb_op(t, 2, "lbu s1, %d(a0)", AHEAD);
    thumb_op(t, 1, "beqz s1, 3f");
    if (far) {
        thumb_op(t, 1, "srli s0, s1, 5");
        thumb_op(t, 1, "slli s0, s0, 7");
        thumb_op(t, 1, "add a1, a1, s0");
        thumb_op(t, 1, "andi s1, s1, 31");
    }
    thumb_op(t, 1, "add a0, a0, s1");
    thumb_op(t, 1, "addi a0, a0, %d", AHEAD + 1 - STEPS);
    thumb_op(t, 2, "lla s0, 2b");
    thumb_op(t, 1, "slli s1, s1, %d", words < 2 ? 2 : words < 4 ? 4 : 3);
    thumb_op(t, 1, "sub s0, s0, s1");
    if (words != 2) { /* 12 = 4 + 8, 20 = 16 + 4, 24 = 8 + 16 */
        thumb_op(t, 1, words == 3 ? "srli s1, s1, 2" : "slli s1, s1, 1");
        thumb_op(t, 1, "sub s0, s0, s1");
    }
    for (int i = 0; i < words; i++) {
        thumb_op(t, 1, "li %s, 0", sums[i]);
    }
    thumb_op(t, 3, "jr s0");
}

/* All steps, then a += s and b += (s >> 8) & 0x00ff00ff; then on to the next portion. */
static void add_portion(struct thumb *t, const struct plan *plan, int index)
{
    int words = map_lanes_words(plan->maps->rows[index].lanes);
    thumb_line_end(t);
    text_add(&t->code, "        \".irp k");
    for (int i = 0; i < STEPS; i++) {
        text_printf(&t->code, ", %d", i);
    }
    text_add(&t->code, "\\n\"\n");
    add_step(t, plan, index);
    thumb_line_end(t);
    text_add(&t->code, "        \".endr\\n\"\n");
    thumb_label(t, 2);
    thumb_op(t, 2, "li s0, 0x00ff00ff");
    for (int i = 0; i < words; i++) {
        add_to(t, 2 * i, sums[i]);
        thumb_op(t, 1, "srli %s, %s, 8", sums[i], sums[i]);
        thumb_op(t, 1, "and %s, %s, s0", sums[i], sums[i]);
        add_to(t, 2 * i + 1, sums[i]);
    }
    enter_portion(t, words, map_lanes_far(plan, index));
}

/* ---- a row ---- */

static void start_row(struct thumb *t, int words)
{
    thumb_op(t, 1, "addi sp, sp, -%d", frame(words));
    thumb_op(t, 1, "sw a0, %d(sp)", slot(words, SLOT_MAP));
    thumb_op(t, 1, "sw a2, %d(sp)", slot(words, SLOT_SUMS));
    thumb_op(t, 1, "sw a3, %d(sp)", slot(words, SLOT_BASE));
    thumb_op(t, 1, "sw ra, %d(sp)", slot(words, SLOT_RA));
    thumb_op(t, 1, "sw s0, %d(sp)", slot(words, SLOT_S0));
    thumb_op(t, 1, "sw s1, %d(sp)", slot(words, SLOT_S1));
    thumb_op(t, 1, "mv s0, a0");
    thumb_op(t, 1, "addi a0, a1, -%d", AHEAD);
    thumb_op(t, 1, "mv a1, s0");
    for (int i = 0; i < 2 * words; i++) {
        if (kept(i)) {
            thumb_op(t, 1, "li %s, 0", kept(i));
        } else {
            thumb_op(t, 1, "sw zero, %d(sp)", 4 * (i - REGISTERS));
        }
    }
    thumb_op(t, 3, "j 1f");
}

/* sums[2 i] = a - 256 b, sums[2 i + 1] = b. */
static void end_row(struct thumb *t, int words)
{
    thumb_label(t, 4);
    thumb_op(t, 1, "addi a0, a0, %d", AHEAD);
    thumb_op(t, 2, "lw a1, %d(sp)", slot(words, SLOT_SUMS));
    for (int i = 0; i < 2 * words; i += 2) {
        for (int k = 0; k < 2; k++) {
            if (!kept(i + k)) {
                thumb_op(t, 2, "lw s%d, %d(sp)", k, 4 * (i + k - REGISTERS));
            }
        }
        const char *a = kept(i) ? kept(i) : "s0";
        const char *b = kept(i + 1) ? kept(i + 1) : "s1";
        thumb_op(t, 1, "slli a3, %s, 8", b);
        thumb_op(t, 1, "sub a3, %s, a3", a);
        thumb_op(t, 1, "sw a3, %d(a1)", 4 * i);
        thumb_op(t, 1, "sw %s, %d(a1)", b, 4 * i + 4);
    }
    thumb_op(t, 2, "lw ra, %d(sp)", slot(words, SLOT_RA));
    thumb_op(t, 2, "lw s0, %d(sp)", slot(words, SLOT_S0));
    thumb_op(t, 2, "lw s1, %d(sp)", slot(words, SLOT_S1));
    thumb_op(t, 1, "addi sp, sp, %d", frame(words));
    thumb_op(t, 3, "ret");
}

/* Behind the list of what is minus: from where the sums start, less that, what is plus goes on. */
static void turn_row(struct thumb *t, int words)
{
    thumb_label(t, 3);
    thumb_op(t, 1, "addi a0, a0, 1");
    thumb_op(t, 2, "lw a1, %d(sp)", slot(words, SLOT_MAP));
    thumb_op(t, 1, "beqz a1, 4f");
    thumb_op(t, 1, "sw zero, %d(sp)", slot(words, SLOT_MAP));
    thumb_op(t, 2, "lw a5, %d(sp)", slot(words, SLOT_BASE));
    thumb_op(t, 1, "slli a4, a5, 8");
    thumb_op(t, 1, "add a4, a4, a5");
    for (int i = 0; i < 2 * words; i++) {
        const char *from = i % 2 ? "a5" : "a4";
        if (kept(i)) {
            thumb_op(t, 1, "sub %s, %s, %s", kept(i), from, kept(i));
        } else {
            thumb_op(t, 2, "lw s1, %d(sp)", 4 * (i - REGISTERS));
            thumb_op(t, 1, "sub s1, %s, s1", from);
            thumb_op(t, 1, "sw s1, %d(sp)", 4 * (i - REGISTERS));
        }
    }
    thumb_op(t, 3, "j 1b");
}

void map_print_riscv_lanes(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    int words = map_lanes_words(plan->maps->rows[index].lanes);
    struct thumb t = {.late_first = -1};
    start_row(&t, words);
    add_portion(&t, plan, index);
    turn_row(&t, words);
    end_row(&t, words);
    thumb_line_end(&t);
    text_printf(
        p->out,
        "/* In RV32EC assembly: a0 reads the row, a1 is what a portion counts from, a5, a4 ...\n"
        " * are its sums; what these add up to is in t0 .. t2, ra and on the stack, of each\n"
        " * word all of it and its odd bytes, modulo 2^32. */\n");
    map_print_lanes_naked(p, index, &t.code,
                          "\"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"t0\", \"t1\", \"t2\"");
    text_free(&t.code);
}
