/* A budget chooses the net: shape, bits of the weights, kernel. */
#ifndef MOTE_CLI_FIT_H
#define MOTE_CLI_FIT_H

#include "cli/cli.h"
#include "train/train.h"
#include "vision/vision.h"

struct fit_job {
    const struct dataset *data;
    const struct train_options *how; /* its topology is for the search to choose */
    const struct target_list *list;  /* the budget must hold on all of them */
    const struct budget *budget;
    struct arena *arena;
    bool any_optimise;          /* may `optimise` be chosen too? */
    enum optimise optimise;     /* in; out: of the net below */
    struct net *net;            /* out */
    struct train_result result; /* out */
};

/* Nets of a list of shapes, as the options say, with weights of 4 bits, and with rows for the
 * packed kernel, as far as options leave these open.  Shapes whose untrained nets measure over the
 * budget are passed over; of each kind the largest of the others that fits when trained is a
 * candidate, and the best on the validation part stays.  Where none fits, the smallest net.  The
 * same data and options give the same net.  False: see err. */
bool fit_train(struct fit_job *job, struct error *err);

/* Does a net keep to the budget, with `slack` per cent more, on so many vectors (0: as usual)?  Of
 * the job its targets, budget, arena and `optimise`, which it chooses where that may be. */
bool fit_within(struct fit_job *job, const struct net *net, int count, int slack, bool *good,
                struct error *err);

/* ---- fit_images.c ---- */

/* A description of an image network whose widths are open: "conv3x?:t", "dense2?" ...; or the bits
 * of its weights: "conv3x8:?". */
struct width_job {
    const struct images *images;
    const struct vision_options *how; /* its net is for the search to choose */
    const char *open;
    struct fit_job fit; /* targets, budget, arena, optimise */
    const char *bits;   /* behind ":" for ":?" */
    int width;          /* out: the largest that fits without training; 1 ... */
    bool fits;          /* ... or none, if not */
};

/* Is anything left open in it?  Are bits? */
bool widths_open(const char *net);
bool bits_open(const char *net);

/* The description with `width` for every "?", twice that for "2?", and `bits` for ":?"; NULL: no
 * memory. */
const char *widths_filled(const char *open, int width, const char *bits, struct arena *arena);

/* By what nets cost that are folded into integers without having learned. */
bool widths_search(struct width_job *job, struct error *err);

/* The bits with which a short training reads most of the validation part, each with the largest
 * width that fits; then job->width and job->bits are its.  *how is what trains later. */
bool bits_search(struct width_job *job, struct error *err);

/* ---- fit_layers.c ---- */

/* What each layer of a net on maps is made for. */
struct layers_job {
    const struct net *net;
    const struct target_list *list; /* the budget must hold on all of them */
    const struct budget *budget;
    const struct emit_options *how; /* its `layers` are for the search to choose */
    struct arena *arena;
    enum optimise layers[NET_LAYERS_MAX]; /* of each layer with weights */
    struct emit_price *prices;            /* of layers_prices() */
};

/* The goals that keep to the budget and need least time, or least flash where time is limited;
 * those that break it least where none keeps to it.  All layers alike are compiled and measured,
 * then of the best of these each layer with each other goal; the sums of what those change predict
 * all other choices, of which the best are measured, and so on from what is then the best.  The
 * same net and budget give the same goals. */
bool layers_search(struct layers_job *job, struct error *err);

/* What the first target says of the job's `layers`, and of each layer made for another goal. */
bool layers_prices(const struct layers_job *job, struct emit_prices *prices, struct error *err);

#endif
