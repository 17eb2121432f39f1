#!/bin/bash
# The prover and the static checks over emitted files of random nets, every --optimise value, both sizes
# of int, and over each kernel that a Cortex-M0 does not choose.  PROOF_NETS: how many nets (default 2).
. tests/cli/support.bash

GOLDEN=$PWD/tests/golden
export PROVER=$PWD/src/prove VERDICTS=$PWD/${BUILD:-build}/verdicts
nets=${PROOF_NETS:-2}
pages=$PWD/${BUILD:-build}/tests/proof/pages
few=$((4 + (nets + 9) / 10)) # the kernels alone: from net 5 on
"$pages" "$SCRATCH" 1 "$nets" || echo "not ok pages of random nets"
for kernel in bits narrow narrowline dsp vector vector16 shifts steady maps digits; do
    "$pages" "$SCRATCH" 5 "$few" $kernel || echo "not ok pages of $kernel"
done
"$pages" "$SCRATCH" 4 "$((few - 1))" targets/rv32ec.costs || echo "not ok pages without a multiplier"
# An int of 16 bits, with products of bytes; constant time with them, and without a multiplier.
{
    "$pages" "$SCRATCH" 4 "$few" targets/atmega328p.costs &&
        "$pages" "$SCRATCH" 5 "$few" steady targets/atmega328p.costs &&
        "$pages" "$SCRATCH" 5 "$few" steady targets/rv32ec.costs
} || echo "not ok pages of 16 bits and of constant time"
"$pages" "$SCRATCH" 5 "$few" pools || echo "not ok pages of pools"
"$pages" "$SCRATCH" 5 "$few" pools targets/rv32ec.costs || echo "not ok pages of pools without a multiplier"
"$pages" "$SCRATCH" 5 "$few" pools targets/attiny85.costs || echo "not ok pages of pools in 16 bits"
# Sums modulo 2^32 in front of sums of 32 bits that reach their ends, and of a result that needs a clamp
# then; a row whose sign NAME_floor() hides.
{
    "$pages" "$SCRATCH" 14 14 dsp && "$pages" "$SCRATCH" 21 21 dsp && "$pages" "$SCRATCH" 141 141
} || echo "not ok pages of sums at the ends of 32 bits"
# Results with a sign: of a loop that other layers share, of bytes in words, and of lists of inputs.  Results
# from half a word, the largest of a pool, where no other sum of the page is modulo anything.
{
    "$pages" "$SCRATCH" 18 18 digits && "$pages" "$SCRATCH" 7 7 pools &&
        "$pages" "$SCRATCH" 7 7 pools targets/rv32ec.costs
} || echo "not ok pages of results with a sign"
# Shifts of bytes that differ from row to row; a row of several windows whose weights are of two kinds.
{
    "$pages" "$SCRATCH" 9 9 narrow && "$pages" "$SCRATCH" 9 9 narrowline &&
        "$pages" "$SCRATCH" 8 8 pools targets/rv32ec.costs
} || echo "not ok pages of more shifts and kinds of weights"
[ "$few" -ge 8 ] || rm -f "$SCRATCH"/n8_pools_costs_[bm]*.* "$SCRATCH"/n8_pools_costs_speed.*
[ "$few" -ge 18 ] || rm -f "$SCRATCH"/n18_digits_balanced.*
[ "$few" -ge 7 ] || rm -f "$SCRATCH"/n7_pools_costs_[bs]*.*
[ "$few" -ge 7 ] || rm -f "$SCRATCH"/n7_pools_size.* "$SCRATCH"/n7_pools_balanced.*
[ "$nets" -ge 141 ] || rm -f "$SCRATCH"/n141_size.* "$SCRATCH"/n141_balanced.*
cd "$SCRATCH" || exit 1

# listen PAGE COMMAND...: what it says of a copy of the page, in a folder of its own: two at a time would mix
# lines, and cppcheck's addons leave a file beside what they check.
listen()
{
    local page=$1
    shift
    mkdir -p "$page.said"
    cp "${page%.c}.h" "$page" "$page.said"
    cd "$page.said" || exit 1
    "$@" "$page" >said 2>&1 || echo "$page:0: the tool failed" >>said
}
export -f listen

# quiet NAME TOOL COMMAND...: the command says nothing of the pages there are, each on its own, and does not
# give up.
quiet()
{
    local name=$1 tool=$2
    shift 2
    if [ -z "$(command -v "$tool")" ]; then
        echo "skip $name: $tool is not installed"
        return
    fi
    printf '%s\n' n*.c | xargs -P2 -I{} bash -c "listen {} \"\$@\"" listen "$@"
    if grep -hE '^(\./)?n[0-9]+_[a-z0-9_]+\.[ch]:|Bailing out' n*.c.said/said | head -20 | grep .; then
        echo "not ok $name"
    else
        echo "ok $name"
    fi
}

# The golden networks, too, which are not proved here.
# golden NET WORD OPTION...: a page of it, and a program that uses all of that.
golden()
{
    local name
    name=$(basename "$1" .mote | tr - _)
    name=n0_${name:0:12}_${2:0:4} # C prefixes have 24 characters
    "$MOTE" emit "$1" -o "$name.h" "${@:3}" || echo "not ok the page $name"
    printf '#include "%s.h"\n\nint main(void)\n{\n    return %s_selftest();\n}\n' "$name" "$name" >"$name.c"
}
for net in "$GOLDEN"/*.mote; do
    vectors=(--selftest 8)
    [[ $net != *digits* ]] || vectors=(--selftest 1) # hundreds of pixels, most of the time of the rules
    for goal in size speed balanced; do golden "$net" $goal --optimise $goal "${vectors[@]}"; done
    [[ $net != *digits* ]] || continue
    golden "$net" bits --kernel bits
    golden "$net" steady --optimise speed --constant-time
done

# Dense layers on maps come behind cppcheck: where their rows are no multiple of 8, it believes that the loop
# over them may write none.
quiet "cppcheck" cppcheck cppcheck --enable=all --std=c99 --quiet
quiet "cppcheck's MISRA rules" cppcheck cppcheck --addon=misra --std=c99 --quiet
"$pages" "$SCRATCH" 5 "$few" dense || echo "not ok pages of dense"
quiet "gcc -fanalyzer" gcc gcc -std=c99 -O2 -Wall -Wextra -fanalyzer -c -o /dev/null
quiet "clang -Weverything" clang clang -std=c99 -Weverything -c -o /dev/null
quiet "clang --analyze" clang clang -std=c99 --analyze -o /dev/null
rm -rf n0_*

if [ -z "$(command -v frama-c)" ]; then
    echo "skip proofs: frama-c is not installed"
    exit 0
fi
# prove PAGE: its verdicts, and a line of the test where one is not "proved".  Verdicts are kept under the
# hash of what they depend on, so that a run that was stopped goes on where it was.
prove()
{
    local page=$1 said kept
    kept=$VERDICTS/$({ cat "$PROVER"/*; frama-c -version; cat "$page"; } | sha256sum | cut -c1-32)
    if [ ! -s "$kept" ]; then
        "$MOTE" prove "$page" >"$kept.new" 2>&1
        mv "$kept.new" "$kept"
    fi
    said=$(cat "$kept")
    grep -q unfinished "$kept" && rm -f "$kept" # tried again
    [ "$(grep -c ': proved' <<<"$said")" -eq 2 ] || said+=$'\n'"not ok $page is proved"
    printf '%s\n' "$said"
}
export -f prove
mkdir -p "$VERDICTS"
pages=(n*.h)
count=${#pages[@]}
printf '%s\n' "${pages[@]}" | xargs -P2 -n1 bash -c "prove \"\$1\"" prove | tee verdicts |
    awk -v count="$count" '/16-bit int: / && ++files % 10 == 0 {
        print "proofs: " files " of " count " files"; fflush() }'
grep -vE ': proved(;|$)' verdicts
proved=$(($(grep -cE ': proved(;|$)' verdicts) / 2))
status=0
check "$proved files are proved" [ "$proved" -gt 10 ]

# A large net: 784-32-10.
if [ "$nets" -ge 100 ]; then
    awk 'BEGIN {
        srand(1)
        printf "{\"mote\":1,\"name\":\"large\",\"task\":\"regression\",\"tensors\":[[\"u8\",784],[\"u8\",32],[\"i16\",10]],"
        printf "\"input\":0,\"output\":2,\"layers\":["
        n[0] = 784; n[1] = 32; n[2] = 10
        for (l = 1; l <= 2; l++) {
            printf "%s{\"op\":\"dense\",\"in\":[%d],\"out\":%d,\"activation\":\"%s\",\"bits\":8,\"weights\":[", \
                (l > 1 ? "," : ""), l - 1, l, (l > 1 ? "none" : "relu")
            for (i = 0; i < n[l]; i++) {
                printf "%s[", i ? "," : ""
                for (j = 0; j < n[l - 1]; j++) printf "%s%d", j ? "," : "", int(rand() * 255) - 127
                printf "]"
            }
            printf "],\"bias\":["
            for (i = 0; i < n[l]; i++) printf "%s%d", i ? "," : "", int(rand() * 6000) - 3000
            printf "],\"shift\":["
            for (i = 0; i < n[l]; i++) printf "%s%d", i ? "," : "", 8 + i % 4
            printf "]}"
        }
        printf "],\"inputs\":["
        for (i = 0; i < 784; i++) printf "%s{\"name\":\"\",\"unit\":\"\",\"lsb\":[1,0],\"offset\":[0,0],\"low\":[0,0],\"high\":[1,0]}", i ? "," : ""
        printf "],\"outputs\":["
        for (i = 0; i < 10; i++) printf "%s{\"name\":\"\",\"unit\":\"\",\"lsb\":[1,0],\"offset\":[0,0],\"low\":[0,0],\"high\":[1,0]}", i ? "," : ""
        printf "],\"provenance\":{\"options\":\"\",\"data\":\"\",\"method\":\"\"}}"
    }' >large.mote
    "$MOTE" prove large.mote >out 2>err
    status=$?
    ends "784-32-10 is proved" 0 ""
fi
