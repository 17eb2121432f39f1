#!/bin/bash
# mote emit: files, names, atomic writing; hostile names leave no trace.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
class_net "$SCRATCH/class.mote"
golden=$PWD/tests/golden
cd "$SCRATCH" || exit 1
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror"

mote emit sum.mote -o lean.h
ends "a header" 0 ""
check "named for the file" grep -q 'lean_predict' lean.h
cat >use.c <<'EOF'
#include "lean.h"
int main(void)
{
    const uint8_t in[2] = {10, 20};
    int16_t out[1];
    lean_predict(in, out);
    return lean_selftest() != 0 || out[0] != 50;
}
EOF
# shellcheck disable=SC2086
check "it compiles" gcc $strict -o use use.c
check "it runs and tests itself" ./use

mote emit sum.mote -o pair.c --json
gives "a pair: the files" .files '["pair.h","pair.c"]'
sed 's/lean/pair/g' use.c >use_pair.c
# shellcheck disable=SC2086
check "a pair compiles" gcc $strict -o use_pair use_pair.c pair.c
check "a pair runs" ./use_pair
mote emit sum.mote -o - --name abc --selftest 0
check "standard output" grep -q 'void abc_predict' out
check "--selftest 0 leaves it out" [ "$(grep -c selftest out)" -eq 0 ]
mote emit sum.mote -o -
check "standard output is named for the net" grep -q 'void sum_predict' out
mote emit sum.mote -o - --selftest 3
check "--selftest 3 has 3 vectors" grep -q 'in\[3\]\[2\]' out
for kernel in size speed; do
    mote emit class.mote -o kind.h --optimise $kernel
    printf '#include "kind.h"\nint main(void) { const uint8_t in[2] = {9, 1}; return %s; }\n' \
        'kind_selftest() || kind_classify(in)' >kind.c
    check "classes, $kernel: the head shows how" grep -qF 'int best = kind_classify(in);' kind.h
    # shellcheck disable=SC2086
    check "classes, $kernel" gcc $strict -o kind kind.c
    check "classes, $kernel: runs" ./kind
done

mote emit "$golden/int8-6-16-16-6.mote" --explain --optimise speed
ends "--explain" 0 ""
check "--explain: three layers are packed, by one or two words" \
    [ "$(grep -cE '^  \* (packed|quad) .* B .* cycles(; 4 of 6 rows)?$' out)" -eq 3 ]
check "--explain: and have alternatives" [ "$(grep -c '^    line .* B .* cycles$' out)" -eq 3 ]
check "--explain writes no file" [ -z "$(find . -name 'int8*')" ]
mote emit "$golden/int8-6-16-16-6.mote" --explain -o eight.h
check "--explain for size: three loops" [ "$(grep -c '^  \* loop ' out)" -eq 3 ]
check "--explain for size: the file is written" grep -q eight_predict eight.h
mote emit "$golden/pose-6-16-6.mote" --explain --optimise speed
check "--explain: the bound and the limit" grep -q \
    'packed *; the sums of row [0-9]* take [0-9 ]* values, a half word 65 536;' out
mote emit "$golden/int8-6-16-16-6.mote" --explain --optimise speed --kernel line
check "--kernel: a straight line" [ "$(grep -c '^  \* line ' out)" -eq 3 ]
mote emit "$golden/int8-6-16-16-6.mote" --explain --optimise speed --target host
check "--target host: the layers as loops that compilers vectorise" \
    [ "$(grep -c '^  \* vector16 ' out)" -eq 3 ]
mote emit "$golden/pose-6-16-6.mote" -o vectors.h --asm
ends "--asm" 0 ""
check "--asm: three vector variants" [ "$(grep -c '^#include <\(immintrin\|arm_neon\).h>' vectors.h)" -eq 3 ]
check "--asm: plain C for everything else" grep -q '^#else$' vectors.h
# shellcheck disable=SC2086
check "--asm: compiles without any of them" gcc $strict -x c -c -o vectors.o vectors.h
mote emit "$golden/pose-6-16-6.mote" -o plain.h
check "no intrinsics without --asm" [ "$(grep -c '^#include' plain.h)" -eq 1 ]
mote emit "$golden/a-int8.mote" -o steady.h --constant-time
ends "--constant-time" 0 ""
check "--constant-time: the head says so" \
    grep -qx ' \*   time  constant: no branch and no address depends on data' steady.h
check "--constant-time: no condition but of loops and the self-test" \
    [ "$(grep -v 'out\[i\] != want' steady.h | grep -c ' if (\|?')" -eq 0 ]
# shellcheck disable=SC2086
check "--constant-time: compiles" gcc $strict -x c -c -o steady.o steady.h
mote emit "$golden/a-int8.mote" -o branches.h
check "nothing of it without --constant-time" [ "$(grep -c 'time  constant' branches.h)" -eq 0 ]
if [ "$("$MOTE" targets --json | jq '.[] | select(.name == "rv32ec").installed')" = true ]; then
    mote emit "$golden/pose-6-16-6.mote" -o curves.h --constant-time --target rv32ec
    ends "--constant-time: curves without a multiplier" 0 ""
    check "a turn for each bit" grep -q 'i < 15; i++' curves.h
else
    echo "skip --constant-time --target rv32ec: not installed"
fi
mote emit "$golden/int8-6-16-16-6.mote" --explain --optimise balanced
check "--optimise balanced" grep -q '^least bytes times time, .* on cortex-m0:$' out
if [ -n "$(command -v arm-none-eabi-gcc)" ]; then
    mote emit "$golden/pose-6-16-6.mote" --optimise speed --flash 1400 --target cortex-m0 -o fit.h
    ends "--flash between all loops and all straight lines" 0 ""
    mote emit "$golden/pose-6-16-6.mote" --cycles 3000 --target cortex-m0 -o fit.h --explain
    check "--cycles: something is straight" grep -q '^  \* line ' out
    check "--cycles: something loops" grep -q '^  \* loop ' out
    mote emit "$golden/pose-6-16-6.mote" --flash 400 --target cortex-m0 -o fit.h
    check "--flash that nothing keeps" [ "$status" -eq 3 ]
else
    echo "skip --flash: arm-none-eabi-gcc is not installed"
fi
mote emit sum.mote -o sum.h --flash 100
ends "--flash without --target" 2 "mote emit: --flash, --ram and --cycles need --target"
mote emit sum.mote --explain --kernel fast
ends "--kernel" 2 "mote emit: --kernel: 'fast' is not one of loop line packed bits narrow narrowline loop4 loop2 ternary quad dsp shifts vector vector16"
mote emit sum.mote --explain -o -
ends "--explain and -o -" 2 "mote emit: --explain and -o - both want standard output"
mote emit sum.mote --explain --json
ends "--explain and --json" 2 "mote emit: --explain and --json both want standard output"

mote emit sum.mote
ends "no -o" 2 "mote emit: -o FILE is missing"
mote emit sum.mote -o sum.txt
ends "another kind of file" 2 "mote emit: -o: 'sum.txt' is not NAME.h, NAME.c or -"
mote emit sum.mote -o - --json
ends "--json and -o -" 2 "mote emit: --json and -o - both want standard output"
mote emit sum.mote -o x.h --name '9 lives'
ends "a name that is no C name" 1 "mote: '9 lives' cannot begin C names; 'net_9_lives' can"
mote emit sum.mote -o other.c --name abc
ends "the pair's name and file differ" 1 \
    "mote: with the prefix 'abc' the file must be called abc.c: it includes \"abc.h\""
check "and nothing is written" [ ! -e other.c ]
mote emit sum.mote -o my-net.h
check "a file name that is no C name" grep -q 'my_net_predict' my-net.h

mote emit sum.mote -o none/x.h
ends "no such folder" 1 "mote: none/x.h: No such file or directory"
ln -s /dev/full full.h
mote emit sum.mote -o full.h
ends "full disk" 1 "mote: full.h: No space left on device"
mkdir folder.h
mote emit sum.mote -o folder.h
check "a folder in the way" [ "$status" -eq 1 ]
echo old >kept.h
sed 's/"weights": \[\[1, 2\]\]/"weights": [[1, 200]]/' sum.mote >bad.mote
mote emit bad.mote -o kept.h
check "a bad net is refused" [ "$status" -eq 1 ]
check "and the old file intact" grep -qx old kept.h
check "no temporary files are left" [ -z "$(find . -name '*.h.*' -print -quit)" ]

evil='*/ int evil(void){return 1;} /*'
sum_net evil.mote "$evil"
sed -i "s|\"name\": \"a\"|\"name\": \"$evil\"|; s|\"unit\": \"mm\"|\"unit\": \"??/\\\\\\\\\"|" evil.mote
for kernel in size speed; do
    mote emit evil.mote -o safe.h --optimise $kernel
    ends "hostile names, $kernel" 0 ""
    printf '#include "safe.h"\nint evil(void) { return 0; }\nint main(void) { return evil() || %s; }\n' \
        'safe_selftest()' >safe.c
    # shellcheck disable=SC2086
    check "hostile names, $kernel: compiles" gcc $strict -o safe safe.c
    check "hostile names, $kernel: runs" ./safe
done
mote emit evil.mote -o - # the net's own name
check "hostile net name: no trace" [ "$(grep -c evil out)" -eq 0 ]
check "hostile net name: no such function" [ "$(gcc -E -P - <out 2>/dev/null | grep -c 'evil(void)')" -eq 0 ]
mote emit sum.mote -o $'\xff.h' --name abc --json
gives "a path that is no UTF-8" .files '[null]'

# From the data to the C: names, units and labels that try to break out.
evil='*/ int evil(void){return 1;} /*'
{
    echo "\"$evil\",\"b [\\]\",\"kind ??/\""
    for i in $(seq 1 120); do echo "$((i % 40 + 50)),$((i % 9)),\"$evil\""; echo "$((i % 9)),$((i % 40 + 50)),'\"\"\\"; done
} >evil.csv
mote train evil.csv --label 3 --net 2-2-2 --time 10s --name "$evil" -o "hostile.mote"
ends "hostile data trains" 0 ""
mote run "hostile.mote" evil.csv
check "a hostile label is quoted as CSV where it must be" grep -qxF $'"\'""""\\"' out
for kernel in size speed; do
    mote emit "hostile.mote" -o "safe.h" --optimise $kernel
    # shellcheck disable=SC2086
    check "hostile data, $kernel: compiles" gcc $strict -o safe safe.c
    check "hostile data, $kernel: runs" ./safe
done
