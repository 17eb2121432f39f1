/* Archives of NumPy arrays. */
#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct data_options ways[] = {
        {0}, {.label = "y"}, {.outputs = 1, .samples = 2}, {.inputs_only = true}};
    const char *path = table_file(bytes, size);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        table_load(path, &ways[i]);
    }
    return 0;
}
