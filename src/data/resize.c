#include "data/resize.h"

#include <stddef.h>

#define CODE_MAX   255
#define COARSE_MAX 15 /* where bits are dropped */

static int gcd(int a, int b)
{
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Is mean(S, n) with this shift inside of 32 bits?  Sets the multiplier, 2^shift / n rounded. */
static bool try_shift(struct resize *resize, int shift, uint64_t n)
{
    uint64_t one = UINT64_C(1) << shift;
    uint64_t m = (2 * one + n) / (2 * n);
    resize->multiplier = (uint32_t)m;
    resize->shift = shift;
    return CODE_MAX * n * m + (one >> 1) < UINT64_C(1) << 31;
}

static bool choose_mean(struct resize *resize)
{
    uint64_t n = (uint64_t)resize->row_step * (uint64_t)resize->column_step;
    int shift = 30;
    while (!try_shift(resize, shift, n) && shift > 0) {
        shift--;
    }
    while (resize->multiplier % 2 == 0 && resize->multiplier > 0 && resize->shift > 0) {
        resize->multiplier /= 2;
        resize->shift--;
    }
    return resize->multiplier > 0;
}

static bool inside(int first, int count, int all)
{
    return first >= 0 && count >= 1 && count <= RESIZE_SIDE_MAX && count <= all &&
           first <= all - count;
}

bool resize_make(struct resize *resize)
{
    int rows = resize->out_rows;
    int columns = resize->out_columns;
    if (!inside(resize->top, resize->crop_rows, resize->rows) ||
        !inside(resize->left, resize->crop_columns, resize->columns) || rows < 1 ||
        rows > RESIZE_SIDE_MAX || columns < 1 || columns > RESIZE_SIDE_MAX ||
        resize->channels < 1) {
        return false;
    }
    int row_gcd = gcd(resize->crop_rows, rows);
    int column_gcd = gcd(resize->crop_columns, columns);
    resize->row_step = resize->crop_rows / row_gcd;
    resize->row_grid = rows / row_gcd;
    resize->column_step = resize->crop_columns / column_gcd;
    resize->column_grid = columns / column_gcd;
    return choose_mean(resize);
}

/* Along an axis: the input element at hand and how many of its `grid` lines are left. */
struct walk {
    int at, left;
};

/* How many of the next `want` lines lie in the element at hand; step over them. */
static int walk(struct walk *walk, int want, int grid)
{
    int lines = walk->left < want ? walk->left : want;
    walk->left -= lines;
    if (walk->left == 0) {
        walk->at++;
        walk->left = grid;
    }
    return lines;
}

static struct walk skip(struct walk from, int lines, int grid)
{
    while (lines > 0) {
        lines -= walk(&from, lines, grid);
    }
    return from;
}

/* The weighted sum of one input row under an output element. */
static uint32_t sum_row(const struct resize *resize, const uint8_t *row, struct walk column)
{
    uint32_t sum = 0;
    for (int want = resize->column_step; want > 0;) {
        const uint8_t *pixel = row + (size_t)column.at * (size_t)resize->channels;
        int lines = walk(&column, want, resize->column_grid);
        sum += (uint32_t)lines * *pixel;
        want -= lines;
    }
    return sum;
}

/* S of one output element; `crop` is the first pixel of the crop in its channel. */
static uint32_t sum_area(const struct resize *resize, const uint8_t *crop, struct walk row,
                         struct walk column)
{
    uint32_t sum = 0;
    size_t pitch = (size_t)resize->columns * (size_t)resize->channels;
    for (int want = resize->row_step; want > 0;) {
        const uint8_t *line = crop + (size_t)row.at * pitch;
        int lines = walk(&row, want, resize->row_grid);
        sum += (uint32_t)lines * sum_row(resize, line, column);
        want -= lines;
    }
    return sum;
}

static uint8_t mean(const struct resize *resize, uint32_t sum)
{
    uint32_t half = (UINT32_C(1) << resize->shift) >> 1;
    uint32_t value = (sum * resize->multiplier + half) >> resize->shift;
    value = value < CODE_MAX ? value : CODE_MAX;
    if (resize->drop > 0) {
        value = (value + (UINT32_C(1) << (resize->drop - 1))) >> resize->drop;
        value = value < COARSE_MAX ? value : COARSE_MAX;
    }
    return (uint8_t)value;
}

void resize_image(const struct resize *resize, const uint8_t *in, uint8_t *out)
{
    size_t channels = (size_t)resize->channels;
    size_t first = (size_t)resize->top * (size_t)resize->columns + (size_t)resize->left;
    struct walk row = {0, resize->row_grid};
    for (int y = 0; y < resize->out_rows; y++) {
        struct walk column = {0, resize->column_grid};
        for (int x = 0; x < resize->out_columns; x++) {
            for (size_t c = 0; c < channels; c++) {
                *out++ = mean(resize, sum_area(resize, in + first * channels + c, row, column));
            }
            column = skip(column, resize->column_step, resize->column_grid);
        }
        row = skip(row, resize->row_step, resize->row_grid);
    }
}
