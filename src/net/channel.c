#include "net/net.h"

#include <math.h>

/* The values that a channel should hold, widened by the headroom. */
struct span {
    double low;
    double high;
    double low_code; /* ends of the type */
    double high_code;
};

const struct channel *net_input_channel(const struct net *net, int element)
{
    return &net->inputs[element % net->tensors[net->input].shape.channels];
}

const struct channel *net_output_channel(const struct net *net, int element)
{
    return &net->outputs[element % net->tensors[net->output].shape.channels];
}

int32_t channel_encode(const struct channel *channel, enum type type, double value, bool *clamped)
{
    double step = decimal_value(channel->lsb);
    double code = floor((value - decimal_value(channel->offset)) / step + 0.5);
    if (!(code >= type_low(type))) { /* NaN too */
        *clamped = true;
        return type_low(type);
    }
    if (code > type_high(type)) {
        *clamped = true;
        return type_high(type);
    }
    return (int32_t)code;
}

double channel_decode(const struct channel *channel, int32_t code)
{
    return decimal_value(channel->offset) + decimal_value(channel->lsb) * code;
}

static bool fits(const struct span *span, double step, double offset)
{
    return (span->low - offset) / step >= span->low_code &&
           (span->high - offset) / step <= span->high_code;
}

/* The offset with the fewest digits with which `span` fits at this step. */
static bool round_offset(const struct span *span, double step, struct decimal *offset)
{
    double least = span->high - step * span->high_code;
    double most = span->low - step * span->low_code;
    for (int digits = 1; digits <= 15; digits++) {
        *offset = decimal_round(least + (most - least) / 2, digits);
        if (fits(span, step, decimal_value(*offset))) {
            return true;
        }
    }
    return false;
}

/* Steps in ascending order: 1, 2, 5, 10, 20, 50 ... times 10^-30. */
#define STEPS (3 * (2 * DECIMAL_EXPONENT_MAX + 1))

static struct decimal step_at(int index)
{
    static const int digits[] = {1, 2, 5};
    return (struct decimal){digits[index % 3], index / 3 - DECIMAL_EXPONENT_MAX};
}

/* Index of the smallest step that holds `span` without an offset. */
static int plain_step(const struct span *span)
{
    int index = 0;
    while (index < STEPS - 1 && !fits(span, decimal_value(step_at(index)), 0)) {
        index++;
    }
    return index;
}

/* The same with an offset.  Steps finer than what doubles resolve at these values are no use. */
static int offset_step(const struct span *span, struct decimal *offset)
{
    double finest = fmax(fabs(span->low), fabs(span->high)) * 0x1p-46;
    int index = 0;
    while (index < STEPS - 1) {
        double step = decimal_value(step_at(index));
        bool wide = (span->high - span->low) / step <= span->high_code - span->low_code;
        if (step >= finest && wide && round_offset(span, step, offset)) {
            return index;
        }
        index++;
    }
    *offset = (struct decimal){0, 0};
    return index;
}

struct channel channel_for_range(double low, double high, enum type type, double headroom)
{
    struct channel channel = {.name = "",
                              .unit = "",
                              .lsb = {1, 0},
                              .low = decimal_round(fmin(low, high), 6),
                              .high = decimal_round(fmax(low, high), 6)};
    double centre = low / 2 + high / 2;
    double half = low == high ? fabs(low) : fabs(high / 2 - low / 2) * headroom;
    struct span span = {centre - half, centre + half, type_low(type), type_high(type)};
    if (!(fabs(low) <= 1e30 && fabs(high) <= 1e30) || (low == 0 && high == 0)) {
        return channel;
    }
    struct decimal offset = {0, 0};
    int plain = plain_step(&span);
    int best = offset_step(&span, &offset);
    double most = type == TYPE_I8 || type == TYPE_U8 ? 2 : 4; /* eight bits are few */
    bool keep_zero = decimal_value(step_at(plain)) < most * decimal_value(step_at(best)) &&
                     fits(&span, decimal_value(step_at(plain)), 0);
    channel.lsb = step_at(keep_zero ? plain : best);
    channel.offset = keep_zero ? (struct decimal){0, 0} : offset;
    return channel;
}
