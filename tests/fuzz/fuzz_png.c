/* Pictures: the wrapper of libpng, PGM and PPM. */
#include "table.h"

#include "data/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    struct picture picture;
    if (size > 0 && table_large_png(bytes, size)) {
        return 0;
    }
    struct picture_file file = {bytes, size, "p"};
    if (!picture_read(&picture, &file, &err)) {
        table_require(err.failed && err.message[0] && !strchr(err.message, '\n'));
        table_require(!picture.pixels);
        return 0;
    }
    unsigned sum = 0;
    for (int i = 0; i < picture.rows * picture.columns * picture.channels; i++) {
        sum += picture.pixels[i];
    }
    table_require(!err.failed && picture.rows > 0 && picture.columns > 0 && sum < UINT32_MAX);
    table_require(picture_convert(&picture, picture.channels == 1 ? 3 : 1));
    picture_free(&picture);
    return 0;
}
