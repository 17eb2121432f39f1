#!/bin/bash
# The pose example from beginning to end: simulate, train, emit, measure on the Cortex-M0, and one
# table of what came out.  `make demo` runs it; BUILD is the output folder (default build), SEED and
# SHAPE vary the network.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
out=$build/demo
mote=$build/mote
simulate=$build/examples/pose/simulate
mkdir -p "$out"

# "key": value of the JSON that mote prints, one key a line; the first occurrence.
value()
{
    awk -F'": ' -v key="\"$1" '$1 ~ key "$" { sub(/,$/, "", $2); print $2; exit }' "$2"
}

# The outputs' rows "name unit rms worst", those of the object called $1 (score or float).
errors()
{
    awk -F'": ' -v object="\"$1" '
        $1 ~ "^ *\"(score|float|costs)$" { inside = $1 ~ object "$" }
        !inside { next }
        { gsub(/[",]/, "", $2) }
        $1 ~ /"name$/ { name = $2 }
        $1 ~ /"unit$/ { unit = $2 }
        $1 ~ /"rms$/ { rms = $2 }
        $1 ~ /"worst$/ { print name, unit, rms, $2 }' "$2"
}

echo "Training $out/pose.mote on 60 000 simulated poses ..."
# The box is 5 % larger than what is promised: the worst errors sit at the corners.
"$simulate" --count 20000 --seed 20000 >"$out/fresh.csv"
"$simulate" --count 60000 --seed "${SEED:-1}" --box 1.05 |
    "$mote" train - --outputs 6 --net "${SHAPE:-6-16-16-6}" --seed "${SEED:-1}" \
        --test "$out/fresh.csv" -o "$out/pose.mote" --json >"$out/train.json"

echo "Emitting $out/pose.h, measuring it on the Cortex-M0 ..."
"$mote" emit "$out/pose.mote" -o "$out/pose.h"
for kernel in size speed; do
    "$mote" measure "$out/pose.mote" --target cortex-m0 --optimise $kernel --json \
        >"$out/$kernel.json"
done

echo
echo "error on 20 000 fresh poses"
echo "             integer program          float network"
echo "output       RMS      worst         RMS      worst"
paste -d' ' <(errors score "$out/train.json") <(errors float "$out/train.json") |
    awk '{ printf "%-4s  %10.5f %10.5f  %10.5f %10.5f   %s\n", $1, $3, $4, $7, $8, $2 }'
sed -n '/"float"/,$p' "$out/train.json" >"$out/float.json"
printf 'all   %10.4f %10s  %10.4f %10s   %% of range\n' "$(value rms_percent "$out/train.json")" "" \
    "$(value rms_percent "$out/float.json")" ""
echo
echo "Cortex-M0  code  constants  RAM  stack   cycles  at 48 MHz  mismatches"
for kernel in size speed; do
    awk -F'": ' -v kernel=$kernel '
        { gsub(/[",]/, "", $2); gsub(/[" ]/, "", $1); got[$1] = $2 }
        END { printf "%-7s %5d B %8d B %2d B %4d B %8d %7.1f us %11d of %d\n", kernel,
            got["flash_code"], got["flash_const"], got["ram"], got["stack"], got["cycles"],
            got["cycles"] / 48, got["mismatches"], got["vectors"] }' "$out/$kernel.json"
done
