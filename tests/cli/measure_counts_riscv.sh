#!/bin/bash
# The counting program for RISC-V against functions whose costs were counted by hand
# (tests/sim/costs_riscv.S) and against what the cores do not have (tests/sim/faults_riscv.S).
set -u
count=$(dirname "$MOTE")/mote-count_riscv
# shellcheck source=tests/cli/counts.bash
. tests/cli/counts.bash
table='cycles instructions stack loads stores flash_reads multiplies taken'

if ! command -v riscv64-unknown-elf-gcc >/dev/null; then
    echo "skip measure_counts_riscv: riscv64-unknown-elf-gcc is not installed"
    exit 0
fi

assemble() { # NAME ARCHITECTURE ABI: tests/sim/NAME.S to $SCRATCH/NAME.elf
    riscv64-unknown-elf-gcc -march="$2" -mabi="$3" -nostdlib -Wl,-Ttext=0x80000100 \
        -Wl,-Tbss=0x80100000 -Wl,-e0x80000100 -Wl,--build-id=none -o "$SCRATCH/$1.elf" \
        "tests/sim/$1.S"
}

# expect NAME cycles N instructions N stack N loads N stores N flash N multiplies N taken N
check_costs() {
    local name=$2 core json got key
    for core in rv32ec rv32emc; do
        if [ "$name" = products ] && [ $core = rv32ec ]; then
            continue
        fi
        json=$("$count" --core $core --call "$name" --arg vector --arg result \
            "$SCRATCH/costs_riscv.elf")
        got=
        for key in $table; do
            got+="$(value "$json" "$key") "
        done
        check "count $name on $core" "$got" "$4 $6 $8 ${10} ${12} ${14} ${16} ${18} "
    done
    json=$("$count" --core rv32imc --call "$name" --arg vector --arg result \
        "$SCRATCH/costs_riscv.elf")
    check "instructions of $name on rv32imc" "$(value "$json" instructions)" "$6"
    contains "no cycles of $name on rv32imc" "$json" '"cycles":null,'
}

# expect NAME instructions N stack N loads N stores N multiplies N taken N
check_wide_costs() {
    local name=$2 json got='' key
    json=$("$count" --core rv64imc --call "$name" "$SCRATCH/costs_rv64.elf")
    for key in instructions stack loads stores multiplies taken; do
        got+="$(value "$json" "$key") "
    done
    check "count $name on rv64imc" "$got" "$4 $6 $8 ${10} ${12} ${14} "
}

check_vectors() {
    local image=$SCRATCH/costs_riscv.elf json
    head -c 10000 /dev/zero | tr '\0' '\3' >"$SCRATCH/in"
    json=$("$count" --call sum --arg vector --arg result --write vector="$SCRATCH/in" \
        --read result="$SCRATCH/out" "$image")
    contains "totals" "$json" '"cycles":{"least":85,"most":85,"total":85000}'
    check "outputs" "$(od -An -v -tx4 -w4 "$SCRATCH/out" | uniq -c | xargs)" "1000 0000001e"
}

check_usage() {
    contains "another machine's file" "$("$count" --call main "$count" 2>&1)" "32-bit RISC-V"
    contains "bad core" "$("$count" --core m0 --call x y 2>&1)" "'m0' is no such value"
    contains "bad memory" "$("$count" --ram 0xfffff000:0x1000 --call leaf \
        "$SCRATCH/costs_riscv.elf" 2>&1)" "below 0xfffff000"
    contains "help" "$("$count" --help)" "rv32ec, rv32emc, rv32imc, rv64imc (the first)"
}

assemble costs_riscv rv32imc ilp32 || exit 1
assemble faults_riscv rv32imc ilp32 || exit 1
assemble costs_rv64 rv64imc lp64 || exit 1
grep '^# expect [a-z_]* instructions [0-9]' tests/sim/costs_rv64.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_wide_costs $line
done
contains "32 bits on 64" "$("$count" --core rv64imc --call leaf "$SCRATCH/costs_riscv.elf" 2>&1)" \
    "not a program for 64-bit RISC-V"
for name in wide memory; do
    refused "$name" "$SCRATCH/costs_rv64.elf" "not a program for 32-bit RISC-V" --core rv32imc
done
grep '^# expect [a-z_]* cycles [0-9]' tests/sim/costs_riscv.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_costs $line
done
grep '^# fault [a-z_]* rv32[a-z]*: ' tests/sim/faults_riscv.S | while read -r _ _ name core message; do
    refused "$name" "$SCRATCH/faults_riscv.elf" "$message" --core "${core%:}"
done
check_vectors
check_usage
