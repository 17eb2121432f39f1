/* Counts on 8-bit AVR parts: exact cycles by simavr.  The stack counts the return address of the
 * call, which lies in RAM here. */
#include "sim/counter.h"

int main(int argc, char **argv)
{
    static const struct core parts[] = {
        {.name = "atmega328p", .instructions = "AVR", .timed = true},
        {.name = "attiny85", .instructions = "AVR", .timed = true},
    };
    const struct counter counter = {
        .program = "mote-count_avr",
        .cores = {&parts[0], &parts[1]},
        .any_core = true,
    };
    return counter_main(&counter, argc, argv);
}
