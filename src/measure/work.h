/* One measurement, stage by stage.  Each stage is a function that finds what it needs in `work`,
 * fills in what it makes, and fails with the target's name in front. */
#ifndef MOTE_MEASURE_WORK_H
#define MOTE_MEASURE_WORK_H

#include "measure/measure.h"
#include "measure/process.h"

#define RUN_SECONDS 300

struct work {
    const struct net *net;
    const struct target *target;
    const struct measure_options *options;
    struct cost *cost;
    struct error *err;
    struct arena *arena; /* owns what follows */
    const char *folder;  /* the work folder */
    int count;           /* vectors */
    const int32_t *in;   /* count x input width, codes */
    int32_t *expected;   /* count x output width: the reference interpreter's */
    bool *differs;       /* per vector: an output that is not the expected one */
};

/* "TARGET: message"; always false. */
bool work_fail(struct work *work, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path of a file of the work folder, in the arena; NULL when out of memory. */
const char *work_path(struct work *work, const char *file);

/* Run a command in the work folder; what it says when it fails is told with `what`. */
bool work_run(struct work *work, const struct command *command, const char *what,
              struct outcome *outcome);

/* An empty command with this work's placeholders; `image` may be NULL. */
struct command work_command(struct work *work, const char *image);

/* vectors.c: inputs, expected outputs, in.bin */
bool vectors_make(struct work *work);

/* vectors.c: mark the vectors whose outputs in out.bin are not the expected ones.  There must be
 * `count` (-1: as many as the file holds, at least one), and no more. */
bool vectors_compare(struct work *work, int64_t count, const char *who);

/* build.c: net.h, predict.c and main.c to predict.o, code.elf (the code alone) and image.elf */
bool build_images(struct work *work);

/* size.c: bytes of code, constants and RAM of the code alone; stack where the compiler tells */
bool size_read(struct work *work);

/* execute.c: run the image, then the counting program; cycles, stack, comparison */
bool execute_image(struct work *work);
bool execute_count(struct work *work);

/* Is the image run as a program of this machine? */
bool target_is_native(const struct target *target);

/* Is the counting program the only one to run it?  It puts the vectors into memory itself, and the
 * image has no main(). */
bool target_is_counted(const struct target *target);

/* Is it here, because of the target or because costs alone are asked for? */
bool counted_alone(const struct work *work);

#endif
