/* Changed copies of training images: shifted, turned, scaled, sheared, bent, noisy, with holes.
 *
 * A copy is a function of the options, of (seed, copy, sample) and of the image alone: no thread,
 * no order and no machine changes a byte of it.  Pixels from outside of the image are 0. */
#ifndef MOTE_DATA_AUGMENT_H
#define MOTE_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: copies equal the image. */
struct augment {
    float rotate; /* at most so many degrees to either side, 0..180 */
    float shift;  /* at most so many pixels, in both directions; lines of pixels along them alone */
    float scale;  /* sizes change by at most this fraction, 0..0.9 */
    float shear;  /* columns move by at most this fraction of their distance from the middle row */
    float elastic; /* pixels move by at most about so many pixels, smoothly */
    float noise; /* codes that are added or taken away at most, 0..255, where the image is not 0 */
    int cutout;  /* side of one black square, in pixels */
};

struct image_shape {
    int rows, columns, channels; /* HWC */
};

/* Which copy of which image. */
struct augment_key {
    uint64_t seed, copy, sample;
};

bool augment_any(const struct augment *augment);

/* `in` and `out`: rows x columns x channels codes, not overlapping. */
void augment_image(const struct augment *augment, const struct augment_key *key,
                   const struct image_shape *shape, const uint8_t *in, uint8_t *out);

#endif
