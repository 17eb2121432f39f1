/* Cost and correctness of the emitted file on a target: compiled by the target's compiler, run on
 * its emulator, every output compared with the reference interpreter. */
#ifndef MOTE_MEASURE_MEASURE_H
#define MOTE_MEASURE_MEASURE_H

#include "base/error.h"
#include "emit/emit.h"
#include "net/net.h"

#define COST_UNKNOWN INT64_C(-1)

/* A board, from targets/NAME.target: key = value lines, '#' comments.  In the values {targets} is
 * the folder of the .target files and, in execute and count, {image} the linked ELF.  Commands are
 * split at spaces and run without a shell, in a work folder that holds in.bin (the vectors' input
 * codes in the target's types, little-endian) and receives out.bin. */
struct target {
    struct arena *arena;     /* owns the texts */
    const char *folder;      /* absolute: where the .target files are */
    const char *name;        /* "cortex-m0" */
    const char *title;       /* "Cortex-M0" */
    const char *description; /* one line for `mote targets` */
    const char *packages;    /* Debian packages it needs, space-separated */
    const char *tools;       /* programs that the commands below call in turn */
    int64_t flash;           /* bytes on the reference part; 0: no limit */
    int64_t ram;
    int64_t clock;        /* Hz, for microseconds; 0: unknown */
    const char *compiler; /* command and flags */
    const char *optimise_size;
    const char *optimise_speed;
    const struct machine *machine; /* what kernels cost there; NULL: no key `costs` */
    const char *costs;             /* "cortex-m0": from the file cortex-m0.costs beside it */
    const char *variants; /* bodies of NAME_predict() that --asm adds for it (emit/variant.h) */
    const char *support;  /* sources with start-up and the calls of targets/board.h; "": none */
    const char *link;     /* linker words for the code alone and for the image; "": native */
    const char *execute;  /* emulator command for function; "": the counting program runs every
                             vector, or, without one, this machine the image */
    const char *count;    /* counting program and its options; "": none */
};

/* Bytes, cycles and counts; COST_UNKNOWN where a target cannot tell. */
struct cost {
    const char *target; /* borrowed from the target */
    int64_t flash_code, flash_const, ram, stack;
    int64_t instructions, cycles; /* of one prediction; the worst over the vectors counted */
    int64_t cycles_least;         /* the best of them: equal where every input takes as long */
    int64_t cycles_mean;          /* of them, rounded; known where the inputs were given */
    int64_t cycles_1ws;           /* the worst with a wait state of flash, by the model of core.h */
    double nanoseconds;           /* host, wasm32: median per call; < 0 unknown */
    int64_t vectors, mismatches;  /* vectors compared; those with a differing output */
    int64_t hash; /* of all outputs by value: FNV-1a, 32 bits, of codes as 32-bit little-endian
                     numbers */
};

struct measure_options {
    enum optimise optimise;
    const enum optimise *layers; /* as in struct emit_options, as is `kernel` */
    const char *kernel;
    bool assembly;      /* with the target's variants */
    bool constant_time; /* as in struct emit_options */
    const int32_t *in;  /* input codes, count x width; NULL: made here (corners and random) */
    int count;          /* vectors; 0: 1000 */
    bool counts_only;   /* where a counting program tells the cost, the emulator runs none */
    bool keep;          /* keep the work folder and say where (stderr) */
    const char *header; /* text of an emitted header to measure instead of emitting one; its C
                           prefix is "net" */
};

/* Names of all boards, sorted, from the folder of the .target files: $MOTE_TARGETS, else
 * ../targets beside the program, else the installed one. */
bool target_names(struct arena *arena, const char ***names, int *count, struct error *err);

/* A board of that name; every fault of the file is told with its line. */
struct target *target_load(const char *name, struct error *err);
void target_free(struct target *target);

/* Is everything this target needs installed?  Fills `missing` (borrowed) with the first command
 * that is not there. */
bool target_installed(const struct target *target, const char **missing);

/* Compile, run and count.  Outputs that differ are no failure but cost->mismatches (vectors with
 * a difference on the emulator or the counting program).  Fails with one sentence where a tool
 * is missing (naming its package), breaks or runs out of time, and where the program faults. */
bool measure_net(const struct net *net, const struct target *target,
                 const struct measure_options *options, struct cost *cost, struct error *err);

/* Did it fail because the target's memories are too small?  By what linkers and counting programs
 * say. */
bool measure_lacks_room(const struct error *err);

#endif
