/* Training: a dataset to an integer net.  Two routes behind one call: least squares (regression)
 * and gradient (classification, large nets). */
#ifndef MOTE_TRAIN_TRAIN_H
#define MOTE_TRAIN_TRAIN_H

#include "base/error.h"
#include "data/dataset.h"
#include "net/net.h"

#define TRAIN_LAYERS_MAX 16 /* dense layers of one net */
#define TRAIN_WIDTH_MAX  4096

enum method { METHOD_AUTO, METHOD_LSQ, METHOD_QAT };
enum loss { LOSS_AUTO, LOSS_MSE, LOSS_HUBER, LOSS_CROSS_ENTROPY, LOSS_LOG };

/* All zero means the defaults. */
struct train_options {
    const char *topology;       /* "6-16-16-6", "16-16" (hidden only), or "auto"; NULL: auto */
    enum activation activation; /* ACTIVATION_NONE: cubic for regression, relu for classes */
    int skip;        /* linear skip: 1 yes, -1 no, 0: yes for regression, no for classes */
    int weight_bits; /* 2 (ternary) .. 9; 0: 8 */
    enum method method;
    enum loss loss;
    const char *
        in_type; /* "u8" "i8" "u16" "i16"; NULL: u16 or u8 for integer columns in range, else i16 */
    const char *hidden_type; /* "i8" "u8" "i16": of the activations; NULL: i16 */
    const char *out_type;    /* "i8" "i16" "i32"; NULL: i16 */
    bool packed; /* rows shall fit the packed kernel: their sums of 8-bit activations take at most
                    65536 values.  hidden_type NULL: i8 */
    struct decimal out_lsb; /* digits 0: chosen per output */
    bool untrained;         /* random weights: to measure what a net of this shape costs */
    double seconds;         /* time budget; 0: until converged, at most the route's own step counts.
                               Results under a time budget depend on the machine's speed */
    uint64_t seed;
    int threads;              /* 0: all; no influence on the result */
    const char *isa;          /* "avx512" "avx2" "scalar" for tests; NULL: the best there is */
    const char *checkpoint;   /* file to save to and resume from; NULL: none */
    bool resume;              /* continue from `checkpoint` if it exists */
    const char *name;         /* of the net */
    const char *options_text; /* for the provenance */
    /* Progress, called from the training thread at most a few times a second; NULL: silent.
     * fraction 0..1, eta in seconds (< 0 unknown), `stage` and `detail` are short texts. */
    void (*progress)(void *context, double fraction, double eta, const char *stage,
                     const char *detail);
    void *progress_context;
    const volatile int *stop; /* non-zero: stop early and keep the best so far; NULL: never */
};

/* Error figures of one output over a set of rows. */
struct output_error {
    double rms;   /* in the output's unit */
    double worst; /* largest absolute error */
};

/* What `train` and `eval` report, for the integer program or the float network. */
struct figures {
    int output_count;
    struct output_error *outputs; /* owned by the arena given to whoever fills it */
    double rms_percent;           /* mean over outputs of RMS in % of the output's range */
    double mse;                   /* mean over rows and outputs, in the data's units squared */
    double accuracy;              /* classification: 0..1; else < 0 */
    int class_count;
    int64_t *confusion; /* class_count x class_count, [true][predicted]; or NULL */
    int64_t rows;
};

struct train_result {
    struct arena *arena;         /* owns the figures; freed by train_result_free() */
    struct figures float_test;   /* the float network on the test part */
    const char *method;          /* "least squares" or "gradient" */
    bool stopped;                /* by --time or Ctrl-C */
    struct float_net *float_net; /* the float network itself; borrows the dataset */
};

/* NULL on failure.  The net has passed net_check(); its score is set by the caller, who measures
 * it with the reference interpreter. */
struct net *train_net(const struct dataset *data, const struct train_options *options,
                      struct train_result *result, struct error *err);
void train_result_free(struct train_result *result);

/* The float network on all rows of other data with the same columns (for classes: labels as the
 * net's class indices).  Arrays are owned by `arena`.  False when out of memory. */
bool train_float_figures(const struct train_result *result, const struct dataset *data,
                         struct arena *arena, struct figures *figures);

/* ---- names.c: "auto" "lsq" "qat", "auto" "mse" "huber" "cross-entropy" "log" ---- */

bool method_parse(const char *text, enum method *method);
bool loss_parse(const char *text, enum loss *loss);

/* The type's name as in train_options where it may be one, else NULL. */
const char *in_type_parse(const char *text);
const char *hidden_type_parse(const char *text);
const char *out_type_parse(const char *text);

/* "any" or "packed": the kernel that the rows shall fit. */
bool train_kernel_parse(const char *text, bool *packed);

#endif
