/* What a dense layer costs in each kernel: features times measured rates. */
#include "emit/kernel.h"

/* Of a table; one value for all is none. */
int64_t series_bytes(const struct series *series)
{
    int64_t size = series->type == TYPE_I32                               ? 4
                   : series->type == TYPE_I16 || series->type == TYPE_U16 ? 2
                                                                          : 1;
    return series->uniform ? 0 : size * series->count;
}

int64_t span_clamps(const struct plan *plan, int index, const struct span *span)
{
    const struct layer *layer = &plan->net->layers[index];
    return plan->steps[index].clamps && plan_clamps_only(layer->activation) ? span->rows : 0;
}

struct estimate estimate_span(const struct plan *plan, int index, const struct span *span)
{
    const struct rate *rates = plan->machine->rates[span->kernel->kind];
    struct features features = {{0}};
    struct estimate sum = {0, 0};
    span->kernel->count(plan, index, span, &features);
    for (int i = 0; i < FEATURE_COUNT; i++) {
        sum.bytes += features.count[i] * rates[i].bytes;
        sum.cycles += features.count[i] * rates[i].cycles;
    }
    return (struct estimate){(sum.bytes + 50) / 100, (sum.cycles + 50) / 100};
}
