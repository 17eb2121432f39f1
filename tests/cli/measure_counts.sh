#!/bin/bash
# The counting program against functions whose costs were counted by hand (tests/sim/costs.S) and
# what ARMv6-M does not allow (tests/sim/faults.S), and the wait states of tests/sim/waits.S.
set -u
count=$(dirname "$MOTE")/mote-count_cortexm
# shellcheck source=tests/cli/counts.bash
. tests/cli/counts.bash
table='instructions stack loads stores flash_reads taken'

if ! command -v arm-none-eabi-gcc >/dev/null; then
    echo "skip measure_counts: arm-none-eabi-gcc is not installed"
    exit 0
fi

assemble() { # NAME: tests/sim/NAME.S to $SCRATCH/NAME.elf
    arm-none-eabi-gcc -mcpu=cortex-m0 -mthumb -nostdlib -Wl,-Ttext=0x100,-Tbss=0x20000000 \
        -Wl,-e0x100 -Wl,--build-id=none -o "$SCRATCH/$1.elf" "tests/sim/$1.S"
}

# expect NAME m0 N m0plus N instructions N stack N loads N stores N flash N taken N
check_costs() {
    local name=$2 core json got='' key
    for core in m0 m0plus; do
        json=$("$count" --core $core --call "$name" --arg vector --arg result "$SCRATCH/costs.elf")
        got+="$(value "$json" cycles) "
    done
    for key in $table; do
        got+="$(value "$json" "$key") "
    done
    check "count $name" "$got" "$4 $6 $8 ${10} ${12} ${14} ${16} ${18} "
}

# waits NAME N
check_waits() {
    local name=$2 core json
    for core in m0 m0plus; do
        json=$("$count" --core $core --call "$name" "$SCRATCH/waits.elf")
        check "waits of $name on $core" \
            "$(($(value "$json" cycles_1ws) - $(value "$json" cycles)))" "$3"
    done
}

check_vectors() {
    local image=$SCRATCH/costs.elf json
    head -c 10000 /dev/zero | tr '\0' '\3' >"$SCRATCH/in"
    json=$("$count" --call sum --arg vector --arg result --write vector="$SCRATCH/in" \
        --read result="$SCRATCH/out" "$image")
    contains "a call per vector" "$json" '"calls":1000,'
    contains "totals" "$json" '"cycles":{"least":91,"most":91,"total":91000}'
    check "outputs" "$(od -An -v -tx4 -w4 "$SCRATCH/out" | uniq -c | xargs)" "1000 0000001e"
    json=$("$count" --call sum --arg vector --arg result --write vector="$SCRATCH/in" \
        --enough 100 "$image")
    contains "enough instructions" "$json" '"calls":2,'
    head -c 10001 /dev/zero >"$SCRATCH/odd"
    contains "ragged vectors" "$("$count" --call sum --write vector="$SCRATCH/odd" "$image" 2>&1)" \
        "10001 bytes are no multiple of the 10 of 'vector'"
    contains "no function" "$("$count" --call nothing "$image" 2>&1)" "no symbol 'nothing'"
    contains "no output" "$("$count" --call sum --arg vector --arg result --read sum=x "$image" 2>&1)" \
        "do not lie in RAM"
}

# Every cut of the file, and files with damaged heads: an error or a result, never a signal.
check_hostile() {
    local size at status bad=0
    size=$(stat -c %s "$SCRATCH/costs.elf")
    for ((at = 0; at < size; at += at < 200 ? 1 : 97)); do
        head -c "$at" "$SCRATCH/costs.elf" >"$SCRATCH/cut.elf"
        "$count" --call leaf "$SCRATCH/cut.elf" >/dev/null 2>&1
        status=$?
        [ "$status" -le 1 ] || bad=$((bad + 1))
    done
    check "cut files" "$bad" 0
    for ((at = 16; at < 84; at++)); do
        cp "$SCRATCH/costs.elf" "$SCRATCH/cut.elf"
        printf '\377' | dd of="$SCRATCH/cut.elf" bs=1 seek="$at" conv=notrunc status=none
        "$count" --call leaf "$SCRATCH/cut.elf" >/dev/null 2>&1
        status=$?
        [ "$status" -le 1 ] || bad=$((bad + 1))
    done
    check "damaged files" "$bad" 0
    contains "another machine's file" "$("$count" --call main "$count" 2>&1)" "32-bit Arm"
}

check_usage() {
    "$count" >/dev/null 2>&1
    check "usage" $? 2
    contains "bad core" "$("$count" --core m23 --call x y 2>&1)" "'m23' is no such value"
    contains "bad memory" "$("$count" --ram 0:0x1000 --call leaf "$SCRATCH/costs.elf" 2>&1)" \
        "flash and RAM overlap"
    contains "help" "$("$count" --help)" "--call SYMBOL"
}

assemble costs || exit 1
assemble faults || exit 1
assemble waits || exit 1
grep '^@ expect [a-z_]* m0 [0-9]' tests/sim/costs.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_costs $line
done
grep '^@ fault [a-z_]*: ' tests/sim/faults.S | while read -r _ _ name message; do
    refused "${name%:}" "$SCRATCH/faults.elf" "$message"
done
grep '^@ waits [a-z_]* [0-9]' tests/sim/waits.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_waits $line
done
check_vectors
check_hostile
check_usage
