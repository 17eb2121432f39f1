#include "base/file.h"
#include "base/hash.h"
#include "measure/work.h"
#include "run/run.h"

#include <stdlib.h>

#define VECTORS_DEFAULT 1000
#define OUTPUT_MAX      ((size_t)1 << 30)

static const struct tensor *input_of(const struct work *work)
{
    return &work->net->tensors[work->net->input];
}

static const struct tensor *output_of(const struct work *work)
{
    return &work->net->tensors[work->net->output];
}

static int type_bytes(enum type type)
{
    switch (type) {
    case TYPE_I8:
    case TYPE_U8:
    case TYPE_U4: return 1;
    case TYPE_I16:
    case TYPE_U16: return 2;
    case TYPE_I32: break;
    }
    return 4;
}

/* ---- making ---- */

static bool make_inputs(struct work *work)
{
    if (work->options->in) {
        work->in = work->options->in;
        return true;
    }
    int32_t *in =
        arena_alloc(work->arena, (size_t)work->count, (size_t)input_of(work)->width * sizeof *in);
    if (!in) {
        return fail_memory(work->err);
    }
    emit_selftest_inputs(work->net, work->count, in);
    work->in = in;
    return true;
}

static bool make_expected(struct work *work)
{
    size_t in_width = (size_t)input_of(work)->width;
    size_t out_width = (size_t)output_of(work)->width;
    struct run *run = run_new(work->net);
    work->expected = arena_alloc(work->arena, (size_t)work->count, out_width * sizeof(int32_t));
    work->differs = arena_alloc(work->arena, (size_t)work->count, sizeof *work->differs);
    bool done = run && work->expected && work->differs;
    for (size_t i = 0; done && i < (size_t)work->count; i++) {
        run_predict(run, work->in + i * in_width, work->expected + i * out_width);
    }
    run_free(run);
    return done || fail_memory(work->err);
}

/* The inputs as bytes, little-endian, in the type of the input. */
static bool write_inputs(struct work *work)
{
    size_t bytes = (size_t)type_bytes(input_of(work)->type);
    size_t codes = (size_t)work->count * (size_t)input_of(work)->width;
    unsigned char *data = malloc(codes * bytes);
    const char *path = work_path(work, "in.bin");
    if (!data || !path) {
        free(data);
        return fail_memory(work->err);
    }
    for (size_t i = 0; i < codes; i++) {
        for (size_t k = 0; k < bytes; k++) {
            data[i * bytes + k] = (unsigned char)((uint32_t)work->in[i] >> (8 * k));
        }
    }
    bool done = file_write(path, data, codes * bytes, work->err);
    free(data);
    return done;
}

bool vectors_make(struct work *work)
{
    work->count = work->options->count ? work->options->count : VECTORS_DEFAULT;
    if (work->count < 0) {
        return work_fail(work, "%d vectors", work->count);
    }
    return make_inputs(work) && make_expected(work) && write_inputs(work);
}

/* ---- comparing ---- */

/* The code of `type` in little-endian bytes. */
static int32_t decode(const unsigned char *bytes, enum type type)
{
    uint32_t value = 0;
    for (int k = type_bytes(type); k-- > 0;) {
        value = value << 8 | bytes[k];
    }
    switch (type) {
    case TYPE_I8: return (int8_t)value;
    case TYPE_I16: return (int16_t)value;
    case TYPE_U8:
    case TYPE_U4:
    case TYPE_U16:
    case TYPE_I32: break;
    }
    return (int32_t)value;
}

/* The hash is of the run that has all vectors, the first one. */
static void compare(struct work *work, const unsigned char *data, size_t vectors)
{
    const struct tensor *output = output_of(work);
    size_t width = (size_t)output->width;
    size_t bytes = (size_t)type_bytes(output->type);
    uint32_t hash = HASH32_START;
    for (size_t i = 0; i < vectors; i++) {
        for (size_t k = 0; k < width; k++) {
            size_t at = i * width + k;
            int32_t code = decode(data + at * bytes, output->type);
            hash = hash32_number(hash, (uint32_t)code);
            work->differs[i] = work->differs[i] || code != work->expected[at];
        }
    }
    if (work->cost->hash == COST_UNKNOWN && vectors == (size_t)work->count) {
        work->cost->hash = hash;
    }
}

bool vectors_compare(struct work *work, int64_t count, const char *who)
{
    size_t size;
    const char *path = work_path(work, "out.bin");
    unsigned char *data = path ? file_read(path, OUTPUT_MAX, &size, work->err) : NULL;
    if (!data) {
        return fail_memory(work->err);
    }
    size_t bytes = (size_t)output_of(work)->width * (size_t)type_bytes(output_of(work)->type);
    size_t vectors = size / bytes;
    bool fits = vectors > 0 && vectors <= (size_t)work->count && size % bytes == 0 &&
                (count < 0 || vectors == (size_t)count);
    if (fits) {
        compare(work, data, vectors);
    }
    free(data);
    return fits || work_fail(work, "%s left %zu bytes of outputs, %zu each of %d vectors", who,
                             size, bytes, work->count);
}
