#!/bin/bash
# The counting program for AVR against functions whose costs were counted by hand
# (tests/sim/costs_avr.S) and against what the parts do not have (tests/sim/faults_avr.S).
set -u
count=$(dirname "$MOTE")/mote-count_avr
# shellcheck source=tests/cli/counts.bash
. tests/cli/counts.bash
table='cycles instructions stack loads stores flash_reads multiplies taken'

if ! command -v avr-gcc >/dev/null; then
    echo "skip measure_counts_avr: avr-gcc is not installed"
    exit 0
fi

assemble() { # NAME [PART]: tests/sim/NAME.S to $SCRATCH/NAME.elf
    avr-gcc -mmcu="${2:-atmega328p}" -nostdlib -o "$SCRATCH/$1.elf" "tests/sim/$1.S"
}

# expect NAME cycles N instructions N stack N loads N stores N flash N multiplies N taken N
check_costs() { # PART and that
    local part=$1 name=$3 json got='' key
    json=$("$count" --core "$part" --call "$name" --arg vector --arg result "$SCRATCH/costs_avr.elf")
    for key in $table; do
        got+="$(value "$json" "$key") "
    done
    check "count $name on $part" "$got" "$5 $7 $9 ${11} ${13} ${15} ${17} ${19} "
}

check_vectors() {
    local image=$SCRATCH/costs_avr.elf json
    head -c 10000 /dev/zero | tr '\0' '\3' >"$SCRATCH/in"
    json=$("$count" --call sum --arg vector --arg result --write vector="$SCRATCH/in" \
        --read result="$SCRATCH/out" "$image")
    contains "totals" "$json" '"cycles":{"least":86,"most":86,"total":86000}'
    check "outputs" "$(od -An -v -tx4 -w4 "$SCRATCH/out" | uniq -c | xargs)" "1000 0000001e"
    contains "flash is no RAM" \
        "$("$count" --call sum --arg vector --arg result --read sum=x "$image" 2>&1)" \
        "do not lie in RAM"
}

# A program counter of 22 bits makes calls and returns a cycle slower and a byte larger.
check_large_part() {
    local json
    assemble costs_avr atmega2560
    json=$("$count" --core atmega2560 --call calls "$SCRATCH/costs_avr.elf")
    check "calls on atmega2560" "$(value "$json" cycles) $(value "$json" stack)" "30 6"
}

# Every cut of the file: an error or a result, never a signal.
check_hostile() {
    local image=$SCRATCH/costs_avr.elf size at status bad=0
    size=$(stat -c %s "$image")
    for ((at = 0; at < size; at += at < 200 ? 3 : 97)); do
        head -c "$at" "$image" >"$SCRATCH/cut.elf"
        "$count" --call leaf "$SCRATCH/cut.elf" >/dev/null 2>&1
        status=$?
        [ "$status" -le 1 ] || bad=$((bad + 1))
    done
    for ((at = 16; at < 116; at++)); do
        cp "$image" "$SCRATCH/cut.elf"
        printf '\377' | dd of="$SCRATCH/cut.elf" bs=1 seek="$at" conv=notrunc status=none
        "$count" --call leaf "$SCRATCH/cut.elf" >/dev/null 2>&1
        status=$?
        [ "$status" -le 1 ] || bad=$((bad + 1))
    done
    check "damaged files" "$bad" 0
}

check_usage() {
    "$count" >/dev/null 2>&1
    check "usage" $? 2
    contains "missing file" "$("$count" --call x "$SCRATCH/none.elf" 2>&1)" "No such file"
    contains "another machine's file" "$("$count" --call main "$count" 2>&1)" \
        "not a program for AVR"
    contains "unknown part" "$("$count" --core z80 --call leaf "$SCRATCH/costs_avr.elf" 2>&1)" \
        "simavr knows no part 'z80'"
    contains "memories" "$("$count" --ram 0:0x1000 --call leaf "$SCRATCH/costs_avr.elf" 2>&1)" \
        "the memories of atmega328p are the part's own"
    contains "too large" "$("$count" --core attiny85 --call leaf "$SCRATCH/large.elf" 2>&1)" \
        "do not lie in flash"
    contains "help" "$("$count" --help)" "atmega328p, attiny85 (the first)"
    check "help without memories" "$("$count" --help | grep -c -- --flash)" 0
}

assemble costs_avr || exit 1
assemble faults_avr || exit 1
printf '.global leaf\nleaf: ret\n.space 9000\n' >"$SCRATCH/large.s"
avr-gcc -mmcu=atmega328p -nostdlib -o "$SCRATCH/large.elf" "$SCRATCH/large.s" || exit 1
grep '^; expect [a-z_]* cycles [0-9]' tests/sim/costs_avr.S | while read -r _ line; do
    for part in atmega328p attiny85; do
        # shellcheck disable=SC2086
        check_costs $part $line
    done
done
grep '^; expect_mega [a-z_]* cycles [0-9]' tests/sim/costs_avr.S | while read -r _ line; do
    # shellcheck disable=SC2086
    check_costs atmega328p $line
done
grep '^; fault [a-z_]* at[a-z0-9]*: ' tests/sim/faults_avr.S | while read -r _ _ name part message; do
    refused "$name" "$SCRATCH/faults_avr.elf" "$message" --core "${part%:}"
done
check_vectors
check_hostile
check_usage
check_large_part
