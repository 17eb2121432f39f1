/* Sums of convolutions over codes of 8 bits without a sign, four products to an instruction
 * (AVX-512 VNNI); a part of kernel_conv.h.  They are the sums of its floats, which are exact, too.
 */
#ifndef MOTE_VISION_KERNEL_BYTES_H
#define MOTE_VISION_KERNEL_BYTES_H

#if defined(__AVX512F__) && !defined(LANES_SANITIZED)

#define KERNEL_BYTES

/* sum + four products to a lane.  It is written as the instruction, since gcc moves and spills the
 * sums of tiles of its intrinsic; and then a file for AVX-512 may have it. */
LANES_INLINE ints add_products(ints sum, ints codes, ints weights)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(weights));
    return sum;
}

LANES_INLINE void bytes_tile(const struct conv_call *k, int at, int positions, int row, int rows)
{
    const struct conv *c = k->conv;
    int words = c->columns / 4;
    ints sum[TILE_ROWS][TILE_POSITIONS];
    vec z[TILE_ROWS][TILE_POSITIONS];
    const uint8_t *x[TILE_POSITIONS];
    const int32_t *w = k->words + (ptrdiff_t)row * words;
    LANES_UNROLL for (int p = 0; p < positions; p++)
    {
        x[p] = k->bytes + (ptrdiff_t)c->in_at[at + p] * VISION_LANES;
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            sum[r][p] = ints_set(0);
        }
    }
    for (int j = 0; j < words; j++) {
        ptrdiff_t offset = (ptrdiff_t)c->column_at[4 * j] * VISION_LANES;
        ints in[TILE_POSITIONS];
        LANES_UNROLL for (int p = 0; p < positions; p++)
        {
            in[p] = ints_load(x[p] + offset);
        }
        LANES_UNROLL for (int r = 0; r < rows; r++)
        {
            ints weight = ints_set(w[r * words + j]);
            LANES_UNROLL for (int p = 0; p < positions; p++)
            {
                sum[r][p] = add_products(sum[r][p], in[p], weight);
            }
        }
    }
    LANES_UNROLL for (int r = 0; r < rows; r++)
    {
        LANES_UNROLL for (int p = 0; p < positions; p++)
        {
            z[r][p] = lanes_from_ints(sum[r][p]);
        }
    }
    finish_tile(k, (struct tile_place){at, row, 0}, positions, rows, z);
}

LANES_INLINE void bytes_rows(const struct conv_call *k, int at, int positions)
{
    COVER_RANGE(0, k->conv->rows, VEC_ROWS, row, bytes_tile, k, at, positions, row);
}

/* As convolve_range(), for a channel group. */
static void bytes_range(const struct conv_call *k)
{
    COVER_RANGE(k->begin, k->end, VEC_POSITIONS, at, bytes_rows, k, at);
}

/* Codes of 8 bits, four channels of a position at a time, to words for bytes_range(). */
static void pack_codes(const float *from, uint8_t *to, size_t words)
{
    for (size_t i = 0; i < words; i++, from += 4 * VISION_LANES, to += 4 * VISION_LANES) {
        ints word = ints_from_lanes(lanes_load(from));
        LANES_UNROLL for (int c = 1; c < 4; c++)
        {
            ints code = ints_from_lanes(lanes_load(from + c * VISION_LANES));
            word = ints_or(word, ints_left(code, 8 * c));
        }
        ints_store(to, word);
    }
}

#else

/* Never called: nothing packs codes here. */
static void bytes_range(const struct conv_call *k)
{
    (void)k;
}

#endif
#endif
