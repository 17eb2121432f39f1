/* Between the harness that `mote measure` writes and a board's support files.  A board needs these
 * three functions and start-up code that calls main(); the vectors are files in the current
 * folder of the emulator (or of the program, where it runs natively). */
#ifndef BOARD_H
#define BOARD_H

/* The next `size` bytes of in.bin; 0 at its end. */
int board_read(void *data, unsigned size);

/* Append `size` bytes to out.bin. */
void board_write(const void *data, unsigned size);

/* After the last vector.  A board that can tell the time prints "nanoseconds N" on standard
 * output: the median time of one call. */
void board_end(void);

/* Between the files, which are little-endian, and this machine: turn around each of the numbers of
 * `width` bytes. */
static inline void board_order(void *data, unsigned size, unsigned width)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *at = data;
    for (; size >= width; size -= width, at += width) {
        for (unsigned i = 0; i < width / 2; i++) {
            unsigned char byte = at[i];
            at[i] = at[width - 1 - i];
            at[width - 1 - i] = byte;
        }
    }
#else
    (void)data;
    (void)size;
    (void)width;
#endif
}

/* In the harness: one prediction on any arrays. */
void board_call(const void *in, void *out);

#endif
