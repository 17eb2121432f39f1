#!/bin/bash
# The counting program on Cortex-M3 and larger: instructions counted by hand
# (tests/sim/costs_thumb2.S), and what the cores do not have (tests/sim/faults_thumb2.S).
set -u
count=$(dirname "$MOTE")/mote-count_cortexm
# shellcheck source=tests/cli/counts.bash
. tests/cli/counts.bash
table='instructions stack loads stores multiplies taken'

if ! command -v arm-none-eabi-gcc >/dev/null; then
    echo "skip measure_counts_thumb2: arm-none-eabi-gcc is not installed"
    exit 0
fi

assemble() { # NAME: tests/sim/NAME.S to $SCRATCH/NAME.elf
    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -nostdlib -Wl,-Ttext=0x100,-Tbss=0x20000000 \
        -Wl,-e0x100 -Wl,--build-id=none -o "$SCRATCH/$1.elf" "tests/sim/$1.S"
}

# CORES expect NAME instructions N stack N loads N stores N multiplies N taken N
check_costs() {
    local cores=$1 name=$3 core json got key
    for core in $cores; do
        got=
        json=$("$count" --core "$core" --call "$name" --arg vector "$SCRATCH/costs_thumb2.elf")
        for key in $table; do
            got+="$(value "$json" "$key") "
        done
        check "count $name on $core" "$got" "$5 $7 $9 ${11} ${13} ${15} "
        contains "no cycles of $name on $core" "$json" '"cycles":null,'
    done
}

assemble costs_thumb2 || exit 1
assemble faults_thumb2 || exit 1
grep '^@ expect [a-z_]* instructions [0-9]' tests/sim/costs_thumb2.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_costs "m3 m4 m7 m33" $line
done
grep '^@ expect_dsp [a-z_]* instructions [0-9]' tests/sim/costs_thumb2.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_costs "m4 m7 m33" $line
done
grep '^@ fault [a-z_]* m[0-9]*: ' tests/sim/faults_thumb2.S | while read -r _ _ name core message; do
    refused "$name" "$SCRATCH/faults_thumb2.elf" "$message" --core "${core%:}"
done
