/* One C99 file (or .c and .h) from a checked net, for any machine with <stdint.h>.  It holds
 *
 *   void NAME_predict(const IN in[N], OUT out[M]);   codes in, codes out; in and out apart
 *   int NAME_classify(const IN in[N]);               classification: index of the largest output
 *   int NAME_selftest(void);                         given vectors: 0 if all of them match
 *
 * static inline in a header, or with external linkage in NAME.c.  No 64-bit, no division, no
 * library call on a target with a multiplier; tables stay in flash on AVR. */
#ifndef MOTE_EMIT_EMIT_H
#define MOTE_EMIT_EMIT_H

#include "base/text.h"
#include "net/net.h"

/* What the kernels are chosen for: least flash, least time, or the least product of both. */
enum optimise { OPTIMISE_SIZE, OPTIMISE_SPEED, OPTIMISE_BALANCED };
#define EMIT_GOALS 3

/* "size", "speed", "balanced": as options have them. */
const char *emit_goal_name(enum optimise goal);

/* Machines that may get a NAME_predict() of their own, in assembly or intrinsics (emit/variant.h).
 */
enum variant_kind {
    VARIANT_THUMB, /* Cortex-M0 and M0+: assembly */
    VARIANT_VNNI,  /* x86-64 with AVX-512 VNNI: intrinsics */
    VARIANT_AVX2,  /* x86-64 with AVX2: intrinsics */
    VARIANT_SSE2,  /* any x86-64: intrinsics */
    VARIANT_NEON,  /* AArch64: intrinsics */
    VARIANT_RISCV, /* RV32 with compressed instructions: assembly, of maps alone */
    VARIANT_COUNT
};

#define VARIANTS_ALL ((1U << VARIANT_COUNT) - 1)

/* Expected outputs for the self-test, made by the reference interpreter. */
struct vectors {
    int count;
    const int32_t *in;  /* count x input width, codes */
    const int32_t *out; /* count x output width, codes */
};

struct machine;

/* Costs measured before, for the head comment (see measure/measure.h); all text from us. */
struct emit_cost {
    const char *target;                                  /* "Cortex-M0 -Os" */
    int64_t flash_code, flash_const, ram, stack, cycles; /* < 0: unknown */
};

/* Measured costs of a whole file, for --explain. */
struct emit_price {
    int64_t flash; /* code and constants; < 0: it does not fit */
    int64_t ram;   /* and stack */
    int64_t time;
};

/* The same of a net on maps where one layer is made for another goal. */
struct emit_prices {
    const char *target;
    const char *unit; /* of time */
    struct emit_price whole;
    const struct emit_price *layers; /* with weights, x EMIT_GOALS */
};

struct emit_options {
    const char *name; /* C prefix; NULL or "": from the net's name (emit_identifier) */
    enum optimise optimise;
    const enum optimise *layers;    /* of a net on maps: for each layer with weights (as many as
                                       net_row_layers() says); NULL: `optimise` for all */
    const struct machine *machine;  /* what the kernels cost (emit/machine.h); NULL: a Cortex-M0 */
    const char *kernel;             /* NULL: chosen; else this one wherever it may be taken */
    int64_t flash;                  /* the dense layers' estimated bytes at most; 0: no limit */
    int64_t cycles;                 /* the same of their time; it wins over `flash` */
    unsigned variants;              /* a bit, 1 << kind, for each that is wanted where it fits */
    bool constant_time;             /* no data-dependent branch */
    bool separate;                  /* NAME.c with NAME.h instead of header-only */
    const struct vectors *selftest; /* NULL: no NAME_selftest() */
    const struct emit_cost *costs;  /* NULL: none */
    int cost_count;
    const struct emit_prices *prices; /* for emit_explain(); NULL: none */
};

/* header: the .h; source: the .c, untouched (and may be NULL) unless `separate`.  Appends to both.
 * The same net and options give the same bytes.  Fails where options->name cannot begin C names,
 * or where options->kernel is none, and when out of memory. */
bool emit_c(const struct net *net, const struct emit_options *options, struct text *header,
            struct text *source, struct error *err);

/* For people: each dense layer's kernel and the alternatives, with estimated bytes and cycles, and
 * which bound kept a row from being packed.  Of nets on maps the alternatives are other goals, with
 * what options->prices tells.  Fails when out of memory. */
bool emit_explain(const struct net *net, const struct emit_options *options, struct text *out,
                  struct error *err);

/* The bits of variants named "a b" or "a,b"; false where one is unknown. */
bool emit_variants_parse(const char *names, unsigned *kinds);

/* A C identifier from any text: [A-Za-z0-9_], not a keyword, at most 24 characters, "net" if
 * nothing is left; out has room for 32 bytes. */
void emit_identifier(const char *text, char out[32]);

/* The self-test's input vectors: corners of the input range, then pseudo-random ones; `in` has
 * room for count x input width codes. */
void emit_selftest_inputs(const struct net *net, int count, int32_t *in);

#endif
