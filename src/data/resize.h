/* Crop and area average, in integers (SPEC "resize"): training's own copy of that step, so that a
 * net learns from exactly the pixels that the chip will compute. */
#ifndef MOTE_DATA_RESIZE_H
#define MOTE_DATA_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

#define RESIZE_SIDE_MAX 1024 /* rows or columns of the crop and of the result */

/* mean(S, n) = (S * multiplier + half) >> shift, clamped to 0..255; half = 2^shift >> 1.  Where
 * bits are dropped, the code is (mean + 2^drop / 2) >> drop, at most 15. */
struct resize {
    int rows, columns, channels;            /* of the input */
    int top, left, crop_rows, crop_columns; /* what is averaged; inside of the input */
    int out_rows, out_columns;              /* of the result; the channels stay */
    int drop;                               /* low bits that codes lose, 4..7; 0: none */
    int row_step, row_grid;       /* R' and r': an output row is R' of the grid's lines, an input */
    int column_step, column_grid; /* row r'; C' and c' likewise */
    uint32_t multiplier;
    int shift; /* 0..30 */
};

/* Derive the last six from the others.  False where the sizes do not fit each other or sums would
 * leave 32 bits. */
bool resize_make(struct resize *resize);

/* rows x columns x channels codes to out_rows x out_columns x channels, both HWC. */
void resize_image(const struct resize *resize, const uint8_t *in, uint8_t *out);

#endif
