/* Any bytes as a .costs file: read or refused. */
#include "emit/machine.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct machine machine;
    struct error err = {0};
    bool read = machine_parse((const char *)data, size, "fuzz.costs", &machine, &err);
    if (read == err.failed) {
        __builtin_trap();
    }
    return 0;
}
