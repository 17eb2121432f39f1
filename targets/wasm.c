/* WebAssembly run by Node.js (board.h): board_read(), board_write() and board_end() are functions of
 * wasm.cjs, which also times what follows. */
#include "board.h"

void board_repeat(const unsigned char *inputs, unsigned size, unsigned vectors, void *out,
                  unsigned count);

/* `count` calls on `vectors` inputs of `size` bytes, in turn. */
__attribute__((export_name("board_repeat"))) void
board_repeat(const unsigned char *inputs, unsigned size, unsigned vectors, void *out,
             unsigned count)
{
    for (unsigned i = 0, at = 0; i < count; i++) {
        board_call(inputs + at * size, out);
        at = at + 1 < vectors ? at + 1 : 0;
    }
}
