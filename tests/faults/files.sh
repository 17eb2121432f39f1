#!/bin/bash
# The N-th read, write, fsync, close, rename or open fails: an error or the right result, the old
# file whole, no temporary file.
# shellcheck source=tests/faults/inject.bash
. tests/faults/inject.bash
make_inputs
for kind in open read write fsync close rename short; do
    every_verb $kind
done
