#!/bin/bash
# Tables in every container, with the N-th allocation failing and with short, interrupted reads.
# shellcheck source=tests/faults/inject.bash
. tests/faults/inject.bash
make_inputs
cp tests/fuzz/corpus/npy/two_fortran tests/fuzz/corpus/npz/two_columns tests/fuzz/corpus/csv/two_gz \
    "$work"
for table in two_fortran two_columns two_gz; do
    sweep memory "run $table" "$MOTE" run net.mote $table
    sweep short "run $table" "$MOTE" run net.mote $table
done
