/* Training of image networks: images to an integer net.
 *
 * Float training with batch normalisation comes first; then the network becomes integers (folded,
 * equalised, one power of two per row), and training goes on with a forward pass that is the
 * integer program itself, to the bit.  Same images, options and seed: same bytes, whatever the
 * number of threads and the instruction set.
 */
#ifndef MOTE_VISION_VISION_H
#define MOTE_VISION_VISION_H

#include "base/error.h"
#include "data/augment.h"
#include "data/images.h"
#include "net/net.h"
#include "vision/sketch.h"

#define VISION_FLOAT_EPOCHS   10
#define VISION_INTEGER_EPOCHS 50

/* Zero means the default, everywhere. */
struct vision_options {
    const char *net;       /* description (vision/sketch.h); NULL: chosen by size and classes */
    const char *net_place; /* where it came from, for messages; NULL: "--net" */
    const char *teacher;   /* description of a larger net, trained first; its float outputs guide
                              this one.  NULL: none */
    bool whole;            /* the validation part is trained on too, and its score means little: for
                              the last run, when nothing is left to choose */
    bool untrained;        /* no training at all: what such a net costs */
    bool test_apart;       /* the test images are elsewhere: this set's test part is trained on */

    int float_epochs, integer_epochs; /* 0: VISION_..._EPOCHS */
    int batch;           /* images per step, rounded up to a multiple of 64, at most 1024; 0:
                            128 */
    double rate;         /* of Adam in the float phase; 0: 0.01 */
    double integer_rate; /* in weight codes per step; 0: 0.015 */
    double decay;        /* of the float phase's weights, decoupled; default 0 */
    double sparse;       /* the same of the integer phase's ternary weights, so that more of them
                            are zero, which costs neither time nor flash for speed; default 0 */
    double smoothing;    /* of labels, 0..0.5 */
    double mixup;        /* share of images that are blended with another, 0..1 */
    double average;      /* decay of the integer phase's moving average of the weights (EMA),
                            0..0.9999, less for its first updates; 0: none */
    double teacher_part; /* of the loss that comes from the teacher; 0: 0.5 */
    double temperature;  /* of the teacher's outputs; 0: 3 */
    int teacher_epochs;  /* 0: 12 */
    int restarts;        /* of the integer phase's cosine, 0..20 */
    bool balance;        /* weigh images so that classes count alike */
    double settle; /* share of the integer phase, at its end, with fixed means; 0: 1/4; negative:
                      none */
    bool freeze;   /* fix weights on their levels step by step near the end */
    bool learned_steps; /* of weights, in the first part of the integer phase (steps.c) */
    struct augment augment;
    int copies;         /* augmented copies of each image, made once; 0: 12, as memory allows */
    double original;    /* share of unchanged images, 0..1; 0: 1/4; negative: none */
    size_t copy_memory; /* bytes that copies may take; 0: 2^29 */

    double seconds; /* time budget; 0: none.  Results under one depend on the machine's speed */
    uint64_t seed;
    int threads;              /* 0: all; no influence on the result */
    const char *isa;          /* "avx512" "avx2" "scalar" for tests; NULL: the best there is */
    const char *checkpoint;   /* file to save to and resume from; NULL: none */
    bool resume;              /* continue from `checkpoint` if it exists */
    const char *name;         /* of the net; NULL: "net" */
    const char *label;        /* what the classes are, for the net; NULL: "" */
    const char *options_text; /* for the provenance */
    /* Progress, called from the training thread at most a few times a second; NULL: silent.
     * fraction 0..1, eta in seconds (< 0 unknown), `stage` and `detail` are short texts. */
    void (*progress)(void *context, double fraction, double eta, const char *stage,
                     const char *detail);
    void *progress_context;
    const volatile int *stop; /* non-zero: stop early and keep what there is; NULL: never */
};

struct vision_result {
    double float_accuracy;   /* of the float net on the validation part, 0..1 */
    double integer_accuracy; /* of the integer net there */
    double teacher_accuracy; /* of the teacher's float net; < 0: none */
    int64_t training_images, validation_images;
    size_t weight_bytes;   /* packed: sketch_weight_bytes() */
    bool stopped;          /* by time or by the user */
    char net[200];         /* the description, where none was given; else "" */
    enum sketch_head head; /* what it says is behind the net, and is not there yet */
};

/* NULL on failure.  The net gives logits, whatever `head` says: vision_append_head() appends that
 * once the step of the outputs is known.  The net has passed net_check(); its score is set by the
 * caller, who measures it with the reference interpreter. */
struct net *vision_train(const struct images *images, const struct vision_options *options,
                         struct vision_result *result, struct error *err);
bool vision_append_head(struct net *net, const struct vision_result *result, struct error *err);

#endif
