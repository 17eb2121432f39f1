/* Counts on Cortex-M: exact cycles of M0 and M0+ (thumb.h), instructions of the others (thumb2.h).
 */
#include "sim/counter.h"

int main(int argc, char **argv)
{
    const struct counter counter = {
        .program = "mote-count_cortexm",
        .cores = {&core_m0, &core_m0plus, &core_m3, &core_m4, &core_m7, &core_m33},
        .layout = {.flash = {0, 0x40000}, .ram = {0x20000000, 0x4000}},
    };
    return counter_main(&counter, argc, argv);
}
