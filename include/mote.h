/* mote: train very small neural networks, run them as integers, write them as C.
 *
 * Link with libmote.a -ljansson -lpng -lz -lpthread -lm.
 *
 * Errors: a call that can fail returns NULL or false and fills `error` with one sentence and its
 * place in the input; `error` may be NULL.  Nothing is printed, nothing ends the program.
 *
 * Ownership: a net belongs to the caller until mote_free(); texts returned as `char *` are freed
 * with free(); texts returned as `const char *` live as long as the net.  Everything passed in is
 * only borrowed for the call.
 *
 * Threads: different nets may be used at the same time, one net by one thread at a time.
 */
#ifndef MOTE_H
#define MOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A checked integer network. */
struct mote_net;

struct mote_error {
    char message[400]; /* one line without a newline, such as
                          "pose.csv:17:4: 'NaN' is not a number"; "" after success */
};

/* All zero means the defaults.  The texts are those of the options of `mote train`. */
struct mote_options {
    int outputs;              /* the last so many columns are outputs; 0: see the next two */
    const char *output_names; /* "x,y,z"; NULL: none */
    const char *label;        /* classes: the label column, by name or number from 1; NULL: none */
    const char *net;          /* "6-16-16-6", "16-16" or "auto"; NULL: auto */
    const char *activation;   /* "cubic" "psig" "relu" "abs" "leaky" "clip"; NULL: by the task */
    const char *method;       /* "auto" "lsq" "qat"; NULL: auto */
    const char *loss;         /* "auto" "mse" "huber" "cross-entropy" "log"; NULL: auto */
    const char *in_type;      /* "u8" "i8" "u16" "i16"; NULL: by the data */
    const char *out_type;     /* "i8" "i16" "i32"; NULL: i16 */
    const char *hidden_type;  /* of activations: "i8" "u8" "i16"; NULL: i16, for "packed" i8 */
    const char *kernel;       /* "any" "packed": what the rows shall fit; NULL: any */
    const char *name;         /* of the net; NULL: "net" */
    int skip;                 /* linear skip: 1 yes, -1 no, 0: yes for a regression */
    int weight_bits;          /* 2 (ternary) .. 9; 0: 8 */
    int threads;              /* 1..16; 0: all; the result does not depend on it */
    double seconds;           /* time budget; 0: until converged */
    uint64_t seed;
};

/* "0.1.0" */
const char *mote_version(void);

/* ---- making a net ---- */

/* Train on a file: CSV, .npy, .npz.  A tenth of the rows is kept aside for the score. */
struct mote_net *mote_train(const char *path, const struct mote_options *options,
                            struct mote_error *error);

/* Train on `rows` rows in memory, each of `inputs` then `outputs` finite numbers.  Two or more
 * outputs that are one-hot in every row (one 1, the others 0) are classes.  Of the options,
 * outputs, output_names and label are not used. */
struct mote_net *mote_train_rows(const float *values, size_t rows, int inputs, int outputs,
                                 const struct mote_options *options, struct mote_error *error);

/* Read a .mote file. */
struct mote_net *mote_read(const char *path, struct mote_error *error);

/* Write a .mote file; a file of that name is replaced in one step or not at all. */
bool mote_write(const struct mote_net *net, const char *path, struct mote_error *error);

/* NULL is fine. */
void mote_free(struct mote_net *net);

/* ---- using it ---- */

int mote_input_count(const struct mote_net *net);
int mote_output_count(const struct mote_net *net);

/* The number of classes, which is that of outputs unless the only output is the class; 0: a
 * regression. */
int mote_class_count(const struct mote_net *net);

/* NULL where there is no such class. */
const char *mote_class_name(const struct mote_net *net, int index);

/* The score on rows that training did not see, as `mote train` prints it: mean RMS error in % of
 * the outputs' ranges, or accuracy in %.  Below 0: not known. */
double mote_score(const struct mote_net *net);

/* Values in the units of the training data.  Inputs are rounded to the input type's steps, and
 * clamped to its range (not-a-number to its low end).  The same integers as in the emitted C. */
void mote_predict(struct mote_net *net, const double *inputs, double *outputs);

/* Codes, as the emitted function takes and gives them.  Inputs out of the type's range are
 * clamped. */
void mote_predict_codes(struct mote_net *net, const int32_t *inputs, int32_t *outputs);

/* The index of the largest output for these inputs, the first of equals. */
int mote_classify(struct mote_net *net, const double *inputs);

/* ---- as text ---- */

/* The header-only C file of `mote emit -o NAME.h`; `name` is the prefix of its functions (NULL:
 * from the net's name), `speed` asks for straight-line code. */
char *mote_emit(const struct mote_net *net, const char *name, bool speed, struct mote_error *error);

/* What `mote show` prints. */
char *mote_show(const struct mote_net *net, struct mote_error *error);

#ifdef __cplusplus
}
#endif

#endif
