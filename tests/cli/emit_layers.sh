#!/bin/bash
# What each layer of a network on images is made for: by hand, and chosen for a budget.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
net=$PWD/tests/golden/digits-small.mote
cd "$SCRATCH" || exit 1

mote emit "$net" -o mixed.h --layers size,speed,balanced,size,speed --selftest 8
ends "goals of layers" 0 ""
cat >use.c <<'E2'
#include "mixed.h"
int main(void)
{
    return mixed_selftest();
}
E2
check "they compile" gcc -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -o use use.c
check "their self-test passes" ./use
mote emit "$net" -o uniform.h --layers speed,speed,speed,speed,speed --selftest 8
mote emit "$net" -o speed.h --optimise speed --selftest 8
check "all alike is --optimise" cmp -s <(sed 's/uniform/speed/g; s/UNIFORM/SPEED/g' uniform.h) speed.h
mote emit "$net" --explain --layers size,size,size,balanced,speed
ends "--explain" 0 ""
check "--explain: loops, bits or steps, and lists are taken" \
    [ "$(sed -n 's/^  \* \([a-z]*\) .*/\1/p' out | sed 's/steps/bits/; s/row/loop/' | sort | uniq -c | xargs)" = \
    "1 bits 1 lists 3 loop" ]
check "--explain: each layer has alternatives" [ "$(grep -c '^    [a-z]* .* B$' out)" -ge 5 ]
check "--explain: no costs without a target" [ "$(grep -c 'cycles' out)" -eq 0 ]

mote emit "$net" -o none.h --layers speed,size
ends "too few goals" 1 "mote: --layers has 2 goals for 5 layers with weights"
mote measure "$net" --target host --layers speed,size,size,size,size,size
ends "too many" 1 "mote: --layers has 6 goals for 5 layers with weights"
mote prove "$net" --layers speed
ends "prove, too" 1 "mote: --layers has 1 goal for 5 layers with weights"
mote emit sum.mote -o none.h --layers speed
ends "a network on vectors" 1 "mote: --layers is for networks on images"
mote emit "$net" -o none.h --kernel packed
ends "a kernel of vectors" 1 "mote: --kernel is for networks on vectors; --layers chooses for images"
mote emit "$net" -o none.h --layers speed,fast
ends "no goal" 2 "mote emit: --layers: 'speed,fast' is not a list of 'size', 'speed' and 'balanced', such as speed,size"
check "no file is left" [ ! -e none.h ]

if [ -z "$(command -v arm-none-eabi-gcc)" ]; then
    echo "skip a budget chooses the goals: arm-none-eabi-gcc is not installed"
    exit 0
fi
for goal in size speed; do
    mote measure "$net" --target cortex-m0 --optimise $goal --asm --vectors 2 --json
    jq '.[0] | .flash_code + .flash_const' out >flash_$goal
    jq '.[0].cycles' out >cycles_$goal
done
mote emit "$net" --explain --optimise size --target cortex-m0
ends "--explain on a target" 0
check "--explain: what an alternative costs there" \
    grep -qE '^    lists .* \+[0-9 ]+ B +[-+][0-9 ]+ B +-[0-9 ]+ cycles$' out
whole=$(sed -n 's/^Cortex-M0: \([0-9 ]*\) B of flash.*/\1/p' out | tr -d ' ')
more=$(sed -n '/^layer 0/,/not:/s/^    [a-z]* *speed[^B]*B *\([-+0-9 ]*\) B .*/\1/p' out | tr -d ' +')
mote measure "$net" --target cortex-m0 --optimise size --layers speed,size,size,size,size --vectors 2 --json
check "--explain: it is what is measured" \
    [ "$(jq '.[0] | .flash_code + .flash_const' out)" -eq $((whole + more)) ]
limit=$((($(cat flash_size) + 3 * $(cat flash_speed)) / 4))
mote emit "$net" -o fit.h --target cortex-m0 --asm --flash $limit
ends "a budget nearer to speed" 0
check "the note says which" grep -qE '^mote: note: the budget chose: --layers [a-z]+(,[a-z]+){4}$' err
chosen=$(sed -n 's/.*--layers //p' err)
check "they differ" [ "$(tr , '\n' <<<"$chosen" | sort -u | wc -l)" -gt 1 ]
mote measure "$net" --target cortex-m0 --layers "$chosen" --asm --vectors 2 --json
check "it keeps to the flash" [ "$(jq '.[0] | .flash_code + .flash_const' out)" -le $limit ]
check "it takes less than a third of the time of --optimise size" \
    [ "$(jq '.[0].cycles' out)" -lt $(($(cat cycles_size) / 3)) ]
mote emit "$net" -o again.h --target cortex-m0 --asm --flash $limit
check "the same budget, the same bytes" cmp -s <(sed 's/again/fit/g; s/AGAIN/FIT/g' again.h) fit.h

limit=$(($(cat cycles_speed) * 2))
mote emit "$net" -o fit.h --target cortex-m0 --asm --cycles $limit
ends "a limit of cycles" 0
chosen=$(sed -n 's/.*--layers //p' err)
mote measure "$net" --target cortex-m0 --layers "$chosen" --asm --vectors 2 --json
check "less flash than for speed" \
    [ "$(jq '.[0] | .flash_code + .flash_const' out)" -lt "$(cat flash_speed)" ]
mote emit "$net" -o never.h --target cortex-m0 --flash 500
ends "a budget that nothing keeps" 3
check "no file is written that a Makefile would believe in" [ ! -e never.h ]
check "what breaks it least is taken" grep -qx \
    'mote: note: the budget chose: --layers size,size,size,size,size' err
