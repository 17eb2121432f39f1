/* Counts on Cortex-M0 and Cortex-M0+: exact cycles (thumb.h). */
#include "sim/counter.h"

int main(int argc, char **argv)
{
    const struct counter counter = {
        .program = "mote-count_cortexm",
        .cores = {&core_m0, &core_m0plus},
        .layout = {.flash = {0, 0x40000}, .ram = {0x20000000, 0x4000}},
    };
    return counter_main(&counter, argc, argv);
}
