/* A sketch in the form that training runs: every layer with its lists of elements and its place
 * among the parameters. */
#ifndef MOTE_VISION_GRAPH_H
#define MOTE_VISION_GRAPH_H

#include "base/arena.h"
#include "vision/kernel.h"
#include "vision/sketch.h"

/* Parameters are one array: weights of all layers (each from a multiple of 16 on), then a shift per
 * row (beta), then a scale per row (gamma).  "Row" numbers the outputs of all weighted layers. */
struct node {
    const struct sketch_layer *layer;
    int index;     /* among the graph's nodes, which are the sketch's layers */
    size_t size;   /* elements of its output, one sample */
    bool weighted; /* has weights; `conv` is set */
    bool last;     /* its sums are the logits */
    bool averaged; /* their mean is taken by the layer behind: it gives codes of 16 bits */
    bool reads_image;
    int readers;   /* layers that read its output */
    int pooled_by; /* the max pool that alone reads it, its windows side by side; -1: none */
    bool brief;    /* `pooled_by` one, its sums are sooner made again than read from memory */
    bool bytes; /* of integers: codes of 8 bits without a sign, weights of 8 bits, channels by four
                 */
    bool pads;  /* reads (conv) or writes (deconv) a padded map */
    struct volume padded;
    struct conv conv; /* deconv: of its transpose, which reads the padded output */
    struct pool_plan pool;
    const int32_t *moves[SKETCH_INPUTS]; /* of each input: element of the output of each of its
                                            elements, one sample; NULL: no such op */
    size_t weight, weight_count;
    int row, rows;
    int top, bottom; /* largest and least code of its output; of logits that are sums: none */
    int down;        /* `averaged`: right shift of its sums, so that they fit its codes */
};

struct graph {
    const struct sketch *sketch;
    int groups; /* of 16 samples that maps have room for */
    struct node *nodes;
    int node_count;
    int logits;          /* the node that is `last` */
    size_t image_size;   /* elements of the image */
    size_t weight_count; /* a multiple of 16 */
    size_t row_count;    /* a multiple of 16 */
    size_t count;        /* of all parameters: weights + 2 rows */
    size_t padded_size;  /* elements of the largest padded map, one sample */
    size_t byte_size;    /* elements of the largest padded map of bytes, one sample */
    size_t band_size;    /* elements of the largest band of a map that is pooled, of a group */
    size_t widest;       /* columns or channels of the largest layer */
    size_t turned_count; /* weights of the largest transposed convolution; 0: none */
    size_t turned_size;  /* elements of the largest input of one */
    int classes;
};

/* In `arena`, borrowing the sketch; NULL when out of memory. */
struct graph *graph_new(struct arena *arena, const struct sketch *sketch, int groups);

/* The largest magnitude of a code that a layer's input (-1: the image) can have. */
int graph_largest(const struct graph *graph, int input);

/* Multiply-adds of one sample, for what takes how long. */
double graph_work(const struct graph *graph);

/* Pointers into an array of parameters, or of anything laid out like them. */
static inline float *graph_betas(const struct graph *graph, float *parameters)
{
    return parameters + graph->weight_count;
}

static inline float *graph_gammas(const struct graph *graph, float *parameters)
{
    return parameters + graph->weight_count + graph->row_count;
}

#endif
