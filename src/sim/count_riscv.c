/* Counts on small RISC-V cores: cycles by a model (rv32.h) where there is one. */
#include "sim/counter.h"

int main(int argc, char **argv)
{
    const struct counter counter = {
        .program = "mote-count_riscv",
        .cores = {&core_rv32ec, &core_rv32emc, &core_rv32imc, &core_rv64imc},
        .layout = {.flash = {0x80000000, 0x40000}, .ram = {0x80100000, 0x4000}},
    };
    return counter_main(&counter, argc, argv);
}
