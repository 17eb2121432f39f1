#!/bin/bash
# Out of memory at the N-th allocation, alone and with everything after it: an error, no crash.
# shellcheck source=tests/faults/inject.bash
. tests/faults/inject.bash
make_inputs
every_verb memory
all=1
every_verb memory
all=
sweep thread "train" "$MOTE" train rows.csv --outputs 1 --net 2-3-1 --threads 2 -o result.h
