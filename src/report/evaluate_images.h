/* The score of the integer program on images: classes, and how far its confidence can be trusted.
 */
#ifndef MOTE_REPORT_EVALUATE_IMAGES_H
#define MOTE_REPORT_EVALUATE_IMAGES_H

#include "base/text.h"
#include "data/images.h"
#include "net/net.h"
#include "report/evaluate.h"

#define CALIBRATION_BINS 10

/* Images by the confidence of their answer: the largest probability that softmax gives to the
 * outputs' values.  Bin b is b/10 < confidence <= (b + 1)/10. */
struct calibration {
    int64_t rows[CALIBRATION_BINS];
    int64_t hits[CALIBRATION_BINS];
    double confidence[CALIBRATION_BINS]; /* mean; 0 where there are no rows */
    double error; /* expected calibration error: mean |accuracy - confidence|, 0..1 */
};

struct image_evaluation {
    struct figures figures; /* arrays owned by the arena given */
    struct calibration calibration;
};

/* Does the net take raw images: u8, with more than one pixel? */
bool takes_images(const struct net *net);

/* What images_load() should expect: the size of the net's input, and its classes.  Fails where the
 * net takes no u8 codes. */
bool expect_images(const struct net *net, struct images_options *options, struct error *err);

/* Softmax's probability of a class, the outputs' values taken as logits. */
double class_probability(const struct net *net, const int32_t *out, int class_index);

/* Which images, and how many threads run them (0: all), which changes nothing. */
struct image_set {
    const struct images *images;
    struct row_set rows; /* index NULL: all */
    int threads;
};

/* By the reference interpreter.  The images have labels of the net's classes. */
bool evaluate_images(const struct net *net, const struct image_set *set, struct arena *arena,
                     struct image_evaluation *evaluation, struct error *err);

/* The same on the part of the training images that training did not see; `rows` is not looked at.
 */
bool evaluate_test_images(const struct net *net, const struct image_set *set, uint64_t seed,
                          struct arena *arena, struct image_evaluation *evaluation,
                          struct error *err);

/* For people: the table of classes, then one line per bin and the calibration error. */
void text_image_evaluation(struct text *out, const struct net *net,
                           const struct image_evaluation *evaluation);

/* {"rows", "accuracy", "classes", "confusion", "recall", "precision", "calibration": {"error",
 * "bins": [{"low", "high", "rows", "confidence", "accuracy"}]}}; null for shares of nothing. */
struct json_t *json_image_evaluation(const struct net *net,
                                     const struct image_evaluation *evaluation);

#endif
