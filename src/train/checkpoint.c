#include "train/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC        "mote checkpoint 1\n"
#define MAGIC_LENGTH (sizeof MAGIC - 1)
#define SIZE_MOST    ((size_t)1 << 30)

void state_put_u64(struct text *state, uint64_t value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)(unsigned char)(value >> (8 * i));
    }
    text_bytes(state, bytes, sizeof bytes);
}

void state_put_double(struct text *state, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    state_put_u64(state, bits);
}

void state_put_doubles(struct text *state, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state_put_double(state, values[i]);
    }
}

uint64_t state_u64(struct bytes *state)
{
    return bytes_u64_little(state);
}

double state_double(struct bytes *state)
{
    uint64_t bits = bytes_u64_little(state);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void state_doubles(struct bytes *state, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = state_double(state);
    }
}

bool checkpoint_write(const char *path, uint64_t identity, const struct text *state,
                      struct error *err)
{
    struct text file = {0};
    text_add(&file, MAGIC);
    state_put_u64(&file, identity);
    text_bytes(&file, state->data ? state->data : "", state->length);
    if (!file.failed) {
        state_put_u64(&file, hash_bytes(HASH_START, file.data, file.length));
    }
    bool done = !file.failed && !state->failed ? file_write(path, file.data, file.length, err)
                                               : fail_memory(err);
    text_free(&file);
    return done;
}

static bool check(const char *path, uint64_t identity, const unsigned char *data, size_t size,
                  struct error *err)
{
    struct place place = {.file = path};
    if (size < MAGIC_LENGTH + 16 || memcmp(data, MAGIC, MAGIC_LENGTH) != 0) {
        return fail_at(err, place, "is no checkpoint of this version of mote");
    }
    struct bytes tail = bytes_of(data + size - 8, 8);
    if (state_u64(&tail) != hash_bytes(HASH_START, data, size - 8)) {
        return fail_at(err, place, "the checkpoint is damaged");
    }
    struct bytes head = bytes_of(data + MAGIC_LENGTH, 8);
    if (state_u64(&head) != identity) {
        return fail_at(err, place,
                       "the checkpoint belongs to a run with other data or options; remove it, or "
                       "train without --resume");
    }
    return true;
}

bool checkpoint_read(const char *path, uint64_t identity, unsigned char **memory,
                     struct bytes *state, struct error *err)
{
    *memory = NULL;
    *state = (struct bytes){0};
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return true;
    }
    size_t size = 0;
    unsigned char *data = file_read(path, SIZE_MOST, &size, err);
    if (!data) {
        return false;
    }
    if (!check(path, identity, data, size, err)) {
        free(data);
        return false;
    }
    *memory = data;
    *state = bytes_of(data + MAGIC_LENGTH + 8, size - MAGIC_LENGTH - 16);
    return true;
}
