/* The function of convs in lanes by lists, in ARMv6-M assembly (--asm).
 *
 * A weight is a step of straight-line code, as many as a portion may hold; where a portion has
 * fewer, its code is entered later.  The sums of a portion are words of bytes in low registers.
 * What they add up to is kept modulo 2^32 in two words each, a: the sum of these words, and b: the
 * sum of their odd bytes, as 16 bits.  Then the even ones are a - 256 b.  Behind what is minus both
 * are taken from where the sums start, as such words. */
#include "emit/map.h"
#include "emit/thumb.h"
#include "emit/variant.h"

#define LOW_WORDS 3  /* with more, their registers leave none for what must be low, too */
#define GAP_MOST  63 /* words between two of a tile, as an immediate in bytes */
#define STEPS     LANES_PORTION
#define AHEAD     STEPS /* bytes that r0 is in front of the head of a portion */

/* Where things are: a register's number, or -1 - its place on the stack. */
struct where {
    int words;
    int offsets[4]; /* of the words of a tile */
    bool far;       /* does `base` move? */
    bool low;       /* few words, all beside each other, and so `base` is a low register */
    int base;       /* what a portion counts from */
    int at;         /* the address of a step's words */
    int load;       /* the first register for these */
    int sum;        /* the first one of a portion's sums */
    int a[4];
    int b[4];
    int slots; /* words of the stack */
};

/* Places on the stack behind those of a and b. */
enum { SLOT_MAP, SLOT_SUMS, SLOT_BASE, SLOTS };

/* The sums in what is left of r8 .. r12 and lr, then on the stack. */
static void place_sums(struct where *w, int high)
{
    for (int i = 0; i < 2 * w->words; i++) {
        int *to = i < w->words ? &w->a[i] : &w->b[i - w->words];
        bool kept = high <= 13;
        *to = !kept ? -1 - w->slots++ : high == 13 ? 14 : high;
        high++;
    }
}

static struct where where_of(const struct plan *plan, int index)
{
    struct where w = {.words = map_lanes_words(plan->maps->rows[index].lanes)};
    w.far = map_lanes_far(plan, index);
    w.low = w.words <= LOW_WORDS;
    for (int i = 0; i < w.words; i++) {
        w.offsets[i] = map_lanes_offset(plan, index, i);
        w.low = w.low && w.offsets[i] == i;
    }
    w.base = w.low ? 1 : 8;
    w.at = w.low ? 2 : 1;
    w.load = 2;
    w.sum = w.low ? 5 : 4;
    place_sums(&w, w.low ? 8 : 9);
    return w;
}

bool map_has_thumb_lanes(const struct plan *plan, int index)
{
    struct where w = where_of(plan, index);
    bool fits = (plan->options->variants >> VARIANT_THUMB & 1U) &&
                plan->maps->rows[index].lanes->form == AS_LISTS;
    for (int i = 1; fits && i < w.words; i++) {
        int gap = w.offsets[i] - w.offsets[i - 1] - 1;
        fits = gap >= 0 && gap <= GAP_MOST;
    }
    return fits;
}

/* ---- what is kept ---- */

static void fetch(struct thumb *t, int to, int place)
{
    if (place >= 0) {
        thumb_op(t, 1, "mov r%d, %s", to, thumb_reg(place));
    } else {
        thumb_op(t, 2, "ldr r%d, [sp, #%d]", to, 4 * (-1 - place));
    }
}

static void keep(struct thumb *t, int place, int from)
{
    if (place >= 0) {
        thumb_op(t, 1, "mov %s, r%d", thumb_reg(place), from);
    } else {
        thumb_op(t, 2, "str r%d, [sp, #%d]", from, 4 * (-1 - place));
    }
}

/* What is kept += a register. */
static void add_to(struct thumb *t, int place, int from, int scratch)
{
    if (place >= 0) {
        thumb_op(t, 1, "add %s, r%d", thumb_reg(place), from);
    } else {
        fetch(t, scratch, place);
        thumb_op(t, 1, "adds r%d, r%d", scratch, from);
        keep(t, place, scratch);
    }
}

static int slot(const struct where *w, int which)
{
    return -1 - (w->slots + which);
}

/* ---- a portion ---- */

/* s0, s1 ... += the words at `at`, as many at a time as lie beside each other. */
static void add_words(struct thumb *t, const struct where *w)
{
    int reached = 0;
    for (int i = 0; i < w->words;) {
        bool two = i + 1 < w->words && w->offsets[i + 1] == w->offsets[i] + 1;
        int count = two ? 2 : 1;
        if (w->offsets[i] > reached) {
            thumb_op(t, 1, "adds r%d, #%d", w->at, 4 * (w->offsets[i] - reached));
        }
        thumb_op(t, 1 + count, "ldmia r%d!, {r%d%s}", w->at, w->load, two ? ", r3" : "");
        for (int k = 0; k < count; k++) {
            thumb_op(t, 1, "adds r%d, r%d", w->sum + i + k, w->load + k);
        }
        reached = w->offsets[i] + count;
        i += count;
    }
}

/* The address of the words of the byte at r0 + \k; then these. */
static void add_step(struct thumb *t, const struct where *w)
{
    thumb_op(t, 2, "ldrb r%d, [r0, #\\\\k]", w->at);
    thumb_op(t, 1, "lsls r%d, #2", w->at);
    if (w->low && w->words == 1) {
        thumb_op(t, 2, "ldr r%d, [r%d, r%d]", w->at, w->base, w->at);
    } else {
        thumb_op(t, 1, "add r%d, %s", w->at, thumb_reg(w->base));
    }
    if (!w->low) {
        add_words(t, w);
        return;
    }
    if (w->words > 1) {
        thumb_op(t, 1 + w->words, "ldmia r2, {r2-r%d}", 1 + w->words);
    }
    for (int i = 0; i < w->words; i++) {
        thumb_op(t, 1, "adds r%d, r%d", w->sum + i, w->load + i);
    }
}

/* The base moves as r2, the head of a portion, says; r2 is its weights then, which may be none. */
static void leap(struct thumb *t, const struct where *w)
{
    thumb_op(t, 1, "cmp r2, #0");
    thumb_op(t, 1, "beq 3f");
    thumb_op(t, 1, "lsrs r3, r2, #5");
    thumb_op(t, 1, "lsls r3, #7");
    thumb_op(t, 1, "add %s, r3", thumb_reg(w->base));
    thumb_op(t, 1, "lsls r2, #27");
    thumb_op(t, 1, "lsrs r2, #27");
}

/* r0 .. AHEAD bytes in front of the head of a portion.  Moves the base, and r0 so far back that the
 * first step that is entered reads the first byte; behind the last one r0 is in front of the next
 * head.  The steps end at label 2, behind `end` bytes of code. */
static void enter_portion(struct thumb *t, const struct where *w, int step_bytes, int64_t end)
{
    thumb_label(t, 1);
    thumb_op(t, 2, "ldrb r2, [r0, #%d]", AHEAD);
    if (w->far) {
        leap(t, w);
    }
    if (step_bytes == 8) {
        thumb_op(t, 1, "lsls r3, r2, #3");
    } else {
        thumb_op(t, 1, "movs r3, #%d", step_bytes);
        thumb_op(t, 1, "muls r3, r2");
    }
    if (!w->far) {
        thumb_op(t, 1, "beq 3f");
    }
    thumb_op(t, 1, "adds r0, r2");
    thumb_op(t, 1, "adds r0, #%d", AHEAD + 1 - STEPS);
    for (int i = 0; i < w->words; i++) {
        thumb_op(t, 1, "movs r%d, #0", w->sum + i);
    }
    int back = (int)(t->bytes - end) + 4; /* pc is 4 bytes further on than the instruction */
    thumb_op(t, 1, "mov r2, pc");
    thumb_op(t, 1, "subs r2, r3");
    thumb_op(t, 1, "subs r2, #%d", back);
    thumb_op(t, 3, "mov pc, r2");
}

/* All steps, then a += s and b += (s >> 8) & 0x00ff00ff; then on to the next portion. */
static void add_portion(struct thumb *t, const struct where *w)
{
    struct thumb step = {.late_first = -1};
    add_step(&step, w);
    thumb_line_end(&step);
    thumb_line_end(t);
    text_add(&t->code, "        \".irp k");
    for (int i = 0; i < STEPS; i++) {
        text_printf(&t->code, ", %d", i);
    }
    text_add(&t->code, "\\n\"\n");
    text_add(&t->code, step.code.failed ? "" : step.code.data);
    t->code.failed = t->code.failed || step.code.failed;
    text_free(&step.code);
    text_add(&t->code, "        \".endr\\n\"\n");
    thumb_label(t, 2);
    int64_t end = t->bytes;
    thumb_op(t, 2, "ldr r2, 5f");
    for (int i = 0; i < w->words; i++) {
        add_to(t, w->a[i], w->sum + i, 3);
        thumb_op(t, 1, "lsrs r%d, #8", w->sum + i);
        thumb_op(t, 1, "ands r%d, r2", w->sum + i);
        add_to(t, w->b[i], w->sum + i, 3);
    }
    enter_portion(t, w, (int)step.bytes, end);
}

/* ---- a row ---- */

static void start_row(struct thumb *t, const struct where *w)
{
    thumb_op(t, 6, "push {r4-r7, lr}");
    for (int i = 0; i < 4; i++) {
        thumb_op(t, 1, "mov r%d, r%d", 4 + i, 8 + i);
    }
    thumb_op(t, 5, "push {r4-r7}");
    thumb_op(t, 1, "sub sp, #%d", 4 * (w->slots + SLOTS));
    keep(t, slot(w, SLOT_MAP), 0);
    keep(t, slot(w, SLOT_SUMS), 2);
    keep(t, slot(w, SLOT_BASE), 3);
    thumb_op(t, 1, "mov r2, r0");
    thumb_op(t, 1, "movs r0, r1");
    thumb_op(t, 1, "subs r0, #%d", AHEAD);
    thumb_op(t, 1, "mov %s, r2", thumb_reg(w->base));
    thumb_op(t, 1, "movs r4, #0");
    for (int i = 0; i < w->words; i++) {
        keep(t, w->a[i], 4);
        keep(t, w->b[i], 4);
    }
    thumb_op(t, 3, "b 1f");
}

/* Behind the list of what is minus: from where the sums start, less that, what is plus goes on. */
static void turn_row(struct thumb *t, const struct where *w)
{
    thumb_label(t, 3);
    thumb_op(t, 1, "adds r0, #1");
    fetch(t, 2, slot(w, SLOT_MAP));
    thumb_op(t, 1, "cmp r2, #0");
    thumb_op(t, 1, "beq 4f");
    thumb_op(t, 1, "mov %s, r2", thumb_reg(w->base));
    thumb_op(t, 1, "movs r2, #0");
    keep(t, slot(w, SLOT_MAP), 2);
    fetch(t, 6, slot(w, SLOT_BASE));
    thumb_op(t, 1, "lsls r5, r6, #8");
    thumb_op(t, 1, "adds r5, r6");
    for (int i = 0; i < 2 * w->words; i++) {
        int place = i < w->words ? w->a[i] : w->b[i - w->words];
        fetch(t, 2, place);
        thumb_op(t, 1, "subs r2, r%d, r2", i < w->words ? 5 : 6);
        keep(t, place, 2);
    }
    thumb_op(t, 3, "b 1b");
}

/* sums[2 i] = a - 256 b, sums[2 i + 1] = b. */
static void end_row(struct thumb *t, const struct where *w)
{
    thumb_label(t, 4);
    thumb_op(t, 1, "adds r0, #%d", AHEAD);
    fetch(t, 7, slot(w, SLOT_SUMS));
    for (int i = 0; i < w->words; i++) {
        fetch(t, 2, w->a[i]);
        fetch(t, 3, w->b[i]);
        thumb_op(t, 1, "lsls r4, r3, #8");
        thumb_op(t, 1, "subs r2, r4");
        thumb_op(t, 3, "stmia r7!, {r2, r3}");
    }
    thumb_op(t, 1, "add sp, #%d", 4 * (w->slots + SLOTS));
    thumb_op(t, 5, "pop {r4-r7}");
    for (int i = 0; i < 4; i++) {
        thumb_op(t, 1, "mov r%d, r%d", 8 + i, 4 + i);
    }
    thumb_op(t, 9, "pop {r4-r7, pc}");
    thumb_line_end(t);
    text_add(&t->code, "        \".balign 4\\n\"\n        \"5: .word 0x00ff00ff\\n\"\n");
}

void map_print_thumb_lanes(struct printer *p, int index)
{
    const struct plan *plan = p->plan;
    struct where w = where_of(plan, index);
    struct thumb t = {.late_first = -1};
    thumb_op(&t, 0, ".syntax unified");
    thumb_line_end(&t);
    start_row(&t, &w);
    add_portion(&t, &w);
    turn_row(&t, &w);
    end_row(&t, &w);
    text_printf(
        p->out,
        "/* In ARMv6-M assembly: r0 reads the row, %s is what a portion counts from, r%d and\n"
        " * the next ones are its sums; what these add up to is in r8 .. r12, lr and on the\n"
        " * stack, of each word all of it and its odd bytes, modulo 2^32. */\n",
        thumb_reg(w.base), w.sum);
    map_print_lanes_naked(p, index, &t.code, "\"r0\", \"r1\", \"r2\", \"r3\", \"r12\", \"cc\"");
    text_free(&t.code);
}
