/* Text tables, plain and gzip'd: as regression, with a label by name or number, by name. */
#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const inputs[] = {"x"};
    static const char *const classes[] = {"a", "b", "7"};
    static const struct data_options ways[] = {
        {.outputs = 1},
        {.outputs = 2},
        {.label = "y"},
        {.label = "2", .known_classes = classes, .known_class_count = 3},
        {.output_names = "y,z", .input_names = inputs, .input_count = 1, .samples = 3},
        {.inputs_only = true},
        {.outputs = 3, .one_hot = true, .known_classes = classes, .known_class_count = 3},
    };
    const char *path = table_file(bytes, size);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        table_load(path, &ways[i]);
    }
    return 0;
}
