/* mote train: one verb for tables (train.c) and images (train_images.c). */
#ifndef MOTE_CLI_TRAIN_H
#define MOTE_CLI_TRAIN_H

#include "cli/cli.h"
#include "train/train.h"
#include "vision/vision.h"

/* --augment; all zero: a little of each, by the size of the images. */
struct augment_choice {
    bool given;
    struct augment augment;
    int copies; /* as in vision_options */
    double original;
};

/* --epochs and --tune, zeros: defaults. */
struct epochs_choice {
    int in_floats, in_integers;
};
struct tuning_choice {
    double rate, integer_rate, decay, sparse, teacher_part, temperature;
    double settle; /* as in vision_options */
    int batch, teacher_epochs;
    int copy_memory; /* MiB */
    bool freeze, whole;
};

struct train_settings {
    const char *output, *outputs, *label, *labels, *test, *targets;
    int64_t samples, seed, threads, restarts;
    struct train_options train;
    struct vision_options vision; /* images: what has an option of its own */
    struct augment_choice augment;
    struct epochs_choice epochs;
    struct tuning_choice tuning;
    struct budget budget;
    enum optimise optimise;
    int one_hot, resume, verbose, json, balance;
};

extern const struct option train_options_table[];

/* ---- train_values.c ---- */

bool parse_augment(const char *text, void *choice, struct error *err);
bool parse_tuning(const char *text, void *choice, struct error *err);
bool parse_epochs(const char *text, void *choice);
bool parse_share(const char *text, void *share);       /* double; 0..0.5 */
bool parse_whole_share(const char *text, void *share); /* double; 0..1 */
bool parse_decay(const char *text, void *decay);       /* double; 0..0.9999 */
bool parse_steps(const char *text, void *learned);     /* bool */

/* What augmentation is where none was asked for: mild, and nothing that turns or bends what is
 * only a line of pixels. */
struct augment default_augment(int rows, int columns);

/* ---- shared by both ---- */

/* "out/pose.mote" is called pose; NULL: no memory. */
const char *net_name(const char *output, struct arena *arena);

/* The whole verb for images. */
enum exit_code train_images(const struct verb *verb, const struct train_settings *settings,
                            struct arguments *arguments);

#endif
