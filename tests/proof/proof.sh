#!/bin/bash
# The prover and the static checks over emitted files of random nets, every --optimise value, both sizes
# of int.  PROOF_NETS: how many (default 4).
. tests/cli/support.bash

nets=${PROOF_NETS:-4}
pages=$PWD/${BUILD:-build}/tests/proof/pages
"$pages" "$SCRATCH" 1 "$nets" || echo "not ok pages of random nets"
cd "$SCRATCH" || exit 1

# quiet NAME TOOL COMMAND...: the command says nothing of our files.
quiet()
{
    local name=$1 tool=$2
    shift 2
    if [ -z "$(command -v "$tool")" ]; then
        echo "skip $name: $tool is not installed"
        return
    fi
    "$@" >said 2>&1
    if grep -E '^n[0-9]+_[a-z]+\.[ch]:' said | head -5 | grep .; then
        echo "not ok $name"
    else
        echo "ok $name"
    fi
}

# Each file on its own, under one compiler.
each()
{
    local file
    for file in n*.c; do "$@" "$file"; done
}

quiet "gcc -fanalyzer" gcc each gcc -std=c99 -O2 -Wall -Wextra -fanalyzer -c -o page.o
quiet "clang -Weverything" clang each clang -std=c99 -Weverything -c -o page.o
quiet "clang --analyze" clang each clang -std=c99 --analyze -o page.plist
quiet "cppcheck" cppcheck each cppcheck --enable=all --std=c99 --quiet
quiet "cppcheck's MISRA rules" cppcheck each cppcheck --addon=misra --std=c99 --quiet

if [ -z "$(command -v frama-c)" ]; then
    echo "skip proofs: frama-c is not installed"
    exit 0
fi
proved=0
for page in n*.h; do
    if "$MOTE" prove "$page" >out 2>err && [ "$(grep -c ': proved' out)" -eq 2 ]; then
        proved=$((proved + 1))
    else
        cat out err
        echo "not ok $page is proved"
    fi
done
check "$proved files are proved" [ "$proved" -gt 0 ]

# A large net: 784-32-10.
if [ "$nets" -ge 100 ]; then
    awk 'BEGIN {
        srand(1)
        printf "{\"mote\":1,\"name\":\"large\",\"task\":\"regression\",\"tensors\":[[\"u8\",784],[\"u8\",32],[\"i16\",10]],"
        printf "\"input\":0,\"output\":2,\"layers\":["
        n[0] = 784; n[1] = 32; n[2] = 10
        for (l = 1; l <= 2; l++) {
            printf "%s{\"op\":\"dense\",\"in\":[%d],\"out\":%d,\"activation\":\"%s\",\"bits\":8,\"weights\":[", \
                l > 1 ? "," : "", l - 1, l, l > 1 ? "none" : "relu"
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
