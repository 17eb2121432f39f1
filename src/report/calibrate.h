/* The step of a classifier's outputs, so that softmax of their values are probabilities that can
 * be believed.  No code of the integer program changes. */
#ifndef MOTE_REPORT_CALIBRATE_H
#define MOTE_REPORT_CALIBRATE_H

#include "report/evaluate_images.h"

/* One lsb for all outputs: that of the least cross-entropy on the validation part of the training
 * images (Guo et al. 2017, temperature scaling), of 3 digits.  Labels are taken to be wrong once
 * in so many images, so that there is a least one.  The same bytes on every machine.  False: out of
 * memory. */
bool calibrate_outputs(struct net *net, const struct images *images, uint64_t seed, int threads);

/* e^x for x <= 0, to 1e-13 of it; no library's, which may differ. */
double falling_exp(double x);

#endif
