#!/bin/bash
# mote measure and mote targets: table, JSON, budgets, missing tools.
. tests/cli/support.bash

tree=$PWD
sum_net "$SCRATCH/sum.mote"
cd "$SCRATCH" || exit 1

mote targets
ends "targets" 0 ""
for target in host cortex-m0 cortex-m0plus cortex-m3 cortex-m4 cortex-m7 cortex-m33 rv32ec \
    rv32emc rv32imc rv64 armeb s390x ppc64 atmega328p atmega2560 attiny85 wasm32 \
    host-native aarch64; do
    check "targets lists $target" grep -q "^$target " out
done
mote targets --json
gives "targets: JSON" '[.[] | select(.name == "cortex-m0") | .flash, .ram, .clock]' \
    '[32768,16384,48000000]'

mote measure sum.mote --target host
ends "host" 0 ""
check "host: a header and a row" [ "$(wc -l <out)" -eq 2 ]
mote measure sum.mote --target host --json --vectors 50
gives "host: JSON keys" '.[0] | keys_unsorted' "$(tr -d ' \n' <<'EOF'
["target","flash_code","flash_const","ram","stack","instructions","cycles","cycles_least",
"cycles_mean","cycles_1ws","vectors","mismatches","hash","microseconds"]
EOF
)"
gives "host: no difference, no cycles" '.[0] | [.vectors, .mismatches, .cycles]' '[50,0,null]'
printf 'a,b\n1,2\n3,4\n5,6\n' >three.csv
mote measure sum.mote --target host --json --data three.csv
gives "its own data: three rows" '.[0] | [.vectors, .mismatches]' '[3,0]'
mote measure sum.mote --target host --data none.csv
ends "data that is not there" 1 "mote: none.csv: No such file or directory"
mote measure sum.mote --target host --cycles 100
ends "a budget on what is not known" 3 "mote: host: cycles is unknown, the budget is 100"
mote measure sum.mote --flash 1k
ends "a budget without a target" 2 "mote measure: --flash, --ram and --cycles need --target"
mote measure sum.mote --target host,z80
check "an unknown target" [ "$status" -eq 1 ]
check "an unknown target is named" grep -q "^mote: .*z80" err
mote measure none.mote
ends "missing net" 1 "mote: none.mote: No such file or directory"

if [ "$("$MOTE" targets --json | jq '.[] | select(.name == "cortex-m0").installed')" = true ]; then
    mote measure sum.mote --target cortex-m0 --json
    gives "cortex-m0: the same outputs" '.[0] | [.mismatches, .ram]' '[0,0]'
    gives "cortex-m0: least and most cycles, and a wait state" \
        '.[0] | .cycles_least > 0 and .cycles_least <= .cycles and .cycles < .cycles_1ws' true
    for net in pose-6-16-6 a-int8; do
        mote measure "$tree/tests/golden/$net.mote" --target cortex-m0 --json --constant-time
        ends "$net: --constant-time" 0 ""
        gives "$net: the least cycles are the most" '.[0] | .cycles_least == .cycles' true
        mote measure "$tree/tests/golden/$net.mote" --target cortex-m0 --json
        gives "$net: not without it" '.[0] | .cycles_least < .cycles' true
    done
    mote measure sum.mote --target cortex-m0 --json
    flash=$(jq '.[0] | .flash_code + .flash_const' out)
    cycles=$(jq '.[0].cycles' out)
    stack=$(jq '.[0].stack' out)
    mote measure sum.mote --target cortex-m0 --flash "$flash" --cycles "$cycles" --ram "$((stack > 0 ? stack : 1))"
    ends "budgets that are just met" 0 ""
    mote measure sum.mote --target cortex-m0 --flash $((flash - 1)) --cycles $((cycles - 1))
    ends "budgets that are just missed" 3 \
        "mote: cortex-m0: flash $flash bytes, over the budget of $((flash - 1))
mote: cortex-m0: cycles $cycles, over the budget of $((cycles - 1))"
    mote emit sum.mote -o sum.h --target cortex-m0
    check "emit --target puts the cost into the head" grep -q 'Cortex-M0 -Os.*cycles' sum.h
else
    echo "skip cortex-m0: not installed"
fi

if [ "$("$MOTE" targets --json | jq '.[] | select(.name == "atmega328p").installed')" = true ]; then
    mote measure "$tree/tests/golden/pose-6-16-6.mote" --target atmega328p --constant-time
    ends "atmega328p: products of 16-bit numbers in constant time" 0 ""
    check "and the cycles are told" grep -q '^atmega328p ' out
else
    echo "skip atmega328p: not installed"
fi

# Everything that is installed: the same outputs everywhere, in the order of the names.
same_outputs()
{
    local name=$1 net=$2 installed
    installed=$("$MOTE" targets --json | jq -c '[.[] | select(.installed).name]')
    mote measure "$net" --target all --vectors 200 --json
    check "$name on all targets" [ "$status" -eq 0 ]
    gives "$name: all that are installed, in order" '[.[].target]' "$installed"
    gives "$name: the same hash" '[.[] | .hash] | unique | length' 1
    gives "$name: no difference" '[.[].mismatches] | add' 0
    if [ "$(jq length out)" -eq "$("$MOTE" targets --json | jq length)" ]; then
        gives "$name: at least 15 targets" 'length >= 15' true
        gives "$name: three of them big-endian" \
            '[.[] | select(.target == "armeb", .target == "s390x", .target == "ppc64")] | length' 3
    else
        echo "skip $name on every target: $(grep -c 'is not installed' err) are not installed"
    fi
}
same_outputs "a small net" sum.mote
same_outputs "the pose net" "$tree/tests/golden/pose-6-16-16-6.mote"

if command -v avr-gcc >/dev/null; then
    images=$tree/tests/golden/digits-small.mote
    mote measure "$images" --target attiny85,host --vectors 4
    ends "too large for one of two targets" 1 \
        "mote: attiny85: counting fails: mote-count_avr: 824 static bytes overflow the 512 of the RAM"
    check "the other one is measured" grep -q '^host ' out
    mote measure "$images" --target attiny85 --vectors 4 --json
    ends "too large for the only one" 1
    check "nothing is printed" [ ! -s out ]
    mote measure "$images" --vectors 4
    ends "too large for one of all" 0
    check "is a note" grep -q '^mote: note: attiny85: .* 824 static bytes overflow' err
    check "there is no figure of it" [ "$(grep -c '^attiny85' out)" -eq 0 ]
    mote measure "$images" --target all --vectors 4 --flash 100k
    check "too large for one of all, which a budget is for" [ "$status" -eq 1 ]
    check "is no note then" grep -qx "mote: attiny85: counting fails: mote-count_avr: 824 static bytes\
 overflow the 512 of the RAM" err
    mkdir tiny
    cp "$tree"/targets/* tiny
    find tiny -name '*.target' ! -name attiny85.target -delete
    MOTE_TARGETS=$PWD/tiny mote measure "$images" --vectors 4
    ends "too large for all there are" 1
    check "says so" grep -qx 'mote: it is too large for all targets' err
else
    echo "skip too large for a target: avr-gcc is not installed"
fi

mkdir tools targets
for tool in sh cat; do ln -s "$(command -v $tool)" tools/; done
PATH=$PWD/tools "$MOTE" measure sum.mote --target cortex-m0 >out 2>err
status=$?
check "a missing compiler" [ "$status" -eq 1 ]
check "names the packages" grep -q '^mote: target cortex-m0: .* is not installed; Debian packages: gcc-arm-none-eabi' err
ln -s "$(command -v gcc)" tools/cc
for tool in as ld; do ln -s "$(command -v $tool)" tools/; done
PATH=$PWD/tools "$MOTE" measure sum.mote --target all >out 2>err
status=$?
check "what is missing is no failure" [ "$status" -eq 0 ]
check "what there is was measured" grep -q '^host ' out
check "what is missing is told" grep -q \
    '^mote: note: target rv32ec: riscv64-unknown-elf-gcc is not installed; Debian packages: gcc' err
# Installed below any prefix, also one that it was not built for.
mkdir -p away/bin away/share/mote away/targets
cp "$MOTE" away/bin/
cp -r "$tree/targets" away/share/mote/
away/bin/mote targets >out 2>err
status=$?
check "targets are found beside an installed program" grep -q '^host ' out
MOTE_TARGETS=$PWD/targets "$MOTE" measure sum.mote --target host >out 2>err
status=$?
check "another folder of targets" [ "$status" -eq 1 ]
