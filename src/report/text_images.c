/* Evaluations of images: for people and for programs. */
#include "report/evaluate_images.h"
#include "report/report.h"

#include <jansson.h>

static void add_bin(struct text *cells, const struct calibration *calibration, int bin)
{
    double rows = (double)calibration->rows[bin];
    text_printf(cells, "%d-%d %%\t%lld\t%.2f %%\t%.2f %%\n", 100 * bin / CALIBRATION_BINS,
                100 * (bin + 1) / CALIBRATION_BINS, (long long)calibration->rows[bin],
                100 * calibration->confidence[bin], 100 * (double)calibration->hits[bin] / rows);
}

void text_image_evaluation(struct text *out, const struct net *net,
                           const struct image_evaluation *evaluation)
{
    const struct calibration *calibration = &evaluation->calibration;
    struct text cells = {0};
    text_figures(out, net, &evaluation->figures, NULL);
    if (net_gives_class(net)) { /* no confidence */
        return;
    }
    text_add(&cells, "confidence\trows\tmean\taccuracy\n");
    for (int bin = 0; bin < CALIBRATION_BINS; bin++) {
        if (calibration->rows[bin] > 0) {
            add_bin(&cells, calibration, bin);
        }
    }
    text_add(out, "\n");
    if (cells.failed) {
        out->failed = true;
    } else {
        text_align(out, cells.data, "lrrr");
    }
    text_free(&cells);
    text_printf(out, "calibration error %.2f %%%s\n", 100 * calibration->error,
                net_last(net)->op == OP_SOFTMAX ? "" : " (softmax of the outputs)");
}

/* ---- for programs ---- */

static json_t *share(int64_t part, int64_t whole)
{
    return whole > 0 ? json_real((double)part / (double)whole) : json_null();
}

/* Of each class: hits / rows of it, or hits / rows taken for it. */
static json_t *json_shares(const struct figures *figures, bool precision)
{
    json_t *list = json_array();
    size_t classes = (size_t)figures->class_count;
    for (size_t c = 0; list && c < classes; c++) {
        int64_t all = 0;
        for (size_t i = 0; i < classes; i++) {
            all += figures->confusion[precision ? i * classes + c : c * classes + i];
        }
        if (json_array_append_new(list, share(figures->confusion[c * classes + c], all)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *json_bin(const struct calibration *calibration, int bin)
{
    json_t *object = json_object();
    int64_t rows = calibration->rows[bin];
    if (!json_put(object, "low", json_real((double)bin / CALIBRATION_BINS)) ||
        !json_put(object, "high", json_real((double)(bin + 1) / CALIBRATION_BINS)) ||
        !json_put(object, "rows", json_integer(rows)) ||
        !json_put(object, "confidence",
                  rows > 0 ? json_real(calibration->confidence[bin]) : json_null()) ||
        !json_put(object, "accuracy", share(calibration->hits[bin], rows))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *json_calibration(const struct calibration *calibration)
{
    json_t *object = json_object();
    json_t *bins = json_array();
    bool good = bins != NULL;
    for (int bin = 0; good && bin < CALIBRATION_BINS; bin++) {
        good = json_array_append_new(bins, json_bin(calibration, bin)) == 0;
    }
    good = json_put(object, "error", json_real(calibration->error)) && good;
    if (!json_put(object, "bins", bins) || !good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *json_image_evaluation(const struct net *net, const struct image_evaluation *evaluation)
{
    json_t *score = json_figures(net, &evaluation->figures);
    json_t *calibration =
        net_gives_class(net) ? json_null() : json_calibration(&evaluation->calibration);
    if (!json_put(score, "recall", json_shares(&evaluation->figures, false)) ||
        !json_put(score, "precision", json_shares(&evaluation->figures, true)) ||
        !json_put(score, "calibration", calibration)) {
        json_decref(score);
        return NULL;
    }
    return score;
}
