/* Blocks of rows: allocated as rows arrive, never copied to be joined. */
#include "data/table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)1 << 18) /* what a block starts with where rows are wide */

static size_t row_bytes(int width)
{
    return (size_t)width * sizeof(float);
}

/* One more entry in the list of blocks. */
static bool grow_list(struct table *table)
{
    struct dataset *data = table->data;
    if (data->block_count < table->blocks) {
        return true;
    }
    size_t blocks = table->blocks ? table->blocks * 2 : 64;
    float **more = realloc(data->blocks, blocks * sizeof *more);
    if (!more) {
        return false;
    }
    data->blocks = more;
    table->blocks = blocks;
    return true;
}

/* A fresh block, or a larger one for the same rows: wide rows make whole blocks large. */
static bool grow_block(struct table *table, size_t used)
{
    struct dataset *data = table->data;
    size_t room = used ? used * 2 : FIRST_BYTES / row_bytes(table->width) + 1;
    room = room < DATA_BLOCK_ROWS ? room : DATA_BLOCK_ROWS;
    float *block = used ? data->blocks[data->block_count - 1] : NULL;
    float *more = realloc(block, room * row_bytes(table->width));
    if (!more) {
        return false;
    }
    data->block_count += block == NULL;
    data->blocks[data->block_count - 1] = more;
    table->room = room;
    return true;
}

float *table_next(struct table *table, struct error *err)
{
    struct dataset *data = table->data;
    size_t used = data->row_count % DATA_BLOCK_ROWS;
    bool fresh = used == 0 && data->row_count == data->block_count * DATA_BLOCK_ROWS;
    if ((fresh && !grow_list(table)) ||
        ((fresh || used == table->room) && !grow_block(table, used))) {
        fail_memory(err);
        return NULL;
    }
    return data->blocks[data->block_count - 1] + used * (size_t)table->width;
}

/* Rows of block `index`. */
static size_t block_rows(const struct dataset *data, size_t index)
{
    size_t before = index * DATA_BLOCK_ROWS;
    size_t left = data->row_count - before;
    return left < DATA_BLOCK_ROWS ? left : DATA_BLOCK_ROWS;
}

void rows_shrink(struct table *table, int width)
{
    struct dataset *data = table->data;
    bool narrower = width != table->width;
    for (size_t b = narrower || data->block_count == 0 ? 0 : data->block_count - 1;
         b < data->block_count; b++) {
        size_t rows = block_rows(data, b);
        float *block = data->blocks[b];
        for (size_t r = 1; narrower && r < rows; r++) {
            memmove(block + r * (size_t)width, block + r * (size_t)table->width, row_bytes(width));
        }
        float *less = rows ? realloc(block, rows * row_bytes(width)) : NULL;
        data->blocks[b] = less ? less : block;
    }
    table->width = width;
}

const float *data_row(const struct dataset *data, size_t index)
{
    size_t width = (size_t)data->input_count + (size_t)data->output_count;
    return data->blocks[index / DATA_BLOCK_ROWS] + index % DATA_BLOCK_ROWS * width;
}
