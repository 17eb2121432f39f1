#include "train/gradient.h"

#include <string.h>

#define STATE_MAGIC UINT32_C(0x6d6f7471) /* "motq" */

static void put_u32(struct text *out, uint32_t value)
{
    char bytes[4];
    for (int i = 0; i < 4; i++) {
        bytes[i] = (char)(unsigned char)(value >> (8 * i));
    }
    text_bytes(out, bytes, sizeof bytes);
}

static void put_double(struct text *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u32(out, (uint32_t)bits);
    put_u32(out, (uint32_t)(bits >> 32));
}

static double get_double(struct bytes *in)
{
    uint64_t bits = bytes_u64_little(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void gradient_save(const struct gradient *g, struct text *out)
{
    const struct gradient_state *s = &g->state;
    put_u32(out, STATE_MAGIC);
    put_u32(out, (uint32_t)s->word_count);
    put_u32(out, s->epoch);
    put_u32(out, s->crossing);
    put_u32(out, s->steps);
    put_u32(out, s->gain);
    put_u32(out, s->has_best);
    put_u32(out, g->integer);
    put_double(out, s->power1);
    put_double(out, s->power2);
    put_double(out, s->best_score);
    for (size_t i = 0; i < s->word_count; i++) {
        uint32_t bits;
        memcpy(&bits, &s->words[i], sizeof bits);
        put_u32(out, bits);
    }
}

bool gradient_restore(struct gradient *g, struct bytes *in)
{
    struct gradient_state *s = &g->state;
    if (bytes_u32_little(in) != STATE_MAGIC || bytes_u32_little(in) != (uint32_t)s->word_count) {
        return false;
    }
    s->epoch = bytes_u32_little(in);
    s->crossing = bytes_u32_little(in);
    s->steps = bytes_u32_little(in);
    uint32_t gain = bytes_u32_little(in);
    s->has_best = bytes_u32_little(in);
    bool integer = bytes_u32_little(in) != 0;
    s->power1 = get_double(in);
    s->power2 = get_double(in);
    s->best_score = get_double(in);
    if (gain > GRADIENT_GAIN_MAX || bytes_left(in) < s->word_count * 4) {
        return false;
    }
    for (size_t i = 0; i < s->word_count; i++) {
        uint32_t bits = bytes_u32_little(in);
        memcpy(&s->words[i], &bits, sizeof bits);
    }
    gradient_set_gain(g, (int)gain);
    return !integer || qat_integer(g);
}
