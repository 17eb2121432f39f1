/* The command line of the counting programs: call a function of an ELF file on an emulated core,
 * once per input vector, and print what the calls cost as one line of JSON. */
#ifndef MOTE_SIM_COUNTER_H
#define MOTE_SIM_COUNTER_H

#include "sim/machine.h"

#define COUNTER_CORES_MAX 8

/* One of the programs. */
struct counter {
    const char *program;
    const struct core *cores[COUNTER_CORES_MAX]; /* the first is the default; NULL ends them */
    bool any_core;                               /* other names are for machine_new() to judge */
    struct layout layout; /* default; empty: the parts' own, not to be changed */
};

/* All of main(): the exit status. */
int counter_main(const struct counter *counter, int argc, char **argv);

#endif
