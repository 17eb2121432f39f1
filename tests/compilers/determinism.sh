#!/bin/bash
# Same data, options and seed: the same bytes from gcc and clang builds, from one thread and two,
# and on every instruction set.  Small nets: a second or two each.
set -u
: "${MOTE:?}" "${SCRATCH:?}"
clang=$(dirname "$MOTE")/clang/mote
simulate=$(dirname "$MOTE")/examples/pose/simulate

"$simulate" --count 3000 --seed 7 >"$SCRATCH/pose.csv"
"$simulate" --count 100000 --seed 7 | cmp -s - <("$(dirname "$clang")/examples/pose/simulate" \
    --count 100000 --seed 7) && echo "ok simulator" || echo "not ok simulator: gcc and clang differ"
awk 'BEGIN { srand(3); print "a,b,c,d,kind"
    for (i = 0; i < 1500; i++) {
        a = int(rand() * 256); b = int(rand() * 256); c = int(rand() * 256); d = int(rand() * 256)
        kind = a + b > 256 ? (c > d ? "one" : "two") : "three"
        printf "%d,%d,%d,%d,%s\n", a, b, c, d, kind } }' >"$SCRATCH/kinds.csv"

mkdir "$SCRATCH/digits"
"$(dirname "$MOTE")/examples/digits/generate" --train 1200 --test 20 "$SCRATCH/digits"

# train MOTE OPTIONS...: the net and its C into $SCRATCH/$name.mote and .h.
train()
{
    local mote=$1
    shift
    "$mote" train "${data[@]}" -o "$SCRATCH/net.mote" "$@" >"$SCRATCH/log" 2>&1 &&
        "$mote" emit "$SCRATCH/net.mote" -o "$SCRATCH/net.h" >>"$SCRATCH/log" 2>&1
}

# same NAME MOTE OPTIONS...: are the bytes those of the first run?
same()
{
    local name=$1
    shift
    if ! train "$@"; then
        if grep -q "this machine has no" "$SCRATCH/log"; then
            echo "skip $what: $name: this machine cannot"
        else
            echo "not ok $what: $name: $(tail -n 1 "$SCRATCH/log")"
        fi
    elif ! cmp -s "$SCRATCH/net.mote" "$SCRATCH/first.mote"; then
        echo "not ok $what: $name: another net"
    elif ! cmp -s "$SCRATCH/net.h" "$SCRATCH/first.h"; then
        echo "not ok $what: $name: other C"
    else
        echo "ok $what: $name"
    fi
}

compare()
{
    what=$1
    shift
    data=("$@")
    if ! train "$MOTE" --threads 1; then
        echo "not ok $what: $(tail -n 1 "$SCRATCH/log")"
        return
    fi
    mv "$SCRATCH/net.mote" "$SCRATCH/first.mote"
    mv "$SCRATCH/net.h" "$SCRATCH/first.h"
    same "again" "$MOTE" --threads 1
    same "two threads" "$MOTE" --threads 2
    same "clang" "$clang" --threads 2
    for isa in avx512 avx2 scalar; do
        same "$isa" "$MOTE" --threads 2 --isa $isa
    done
    same "clang, scalar" "$clang" --threads 1 --isa scalar
    # The comparison can fail: another seed is another net.
    if train "$MOTE" --seed 99 && cmp -s "$SCRATCH/net.mote" "$SCRATCH/first.mote"; then
        echo "not ok $what: another seed gives the same bytes"
    else
        echo "ok $what: another seed, another net"
    fi
}

compare "least squares" "$SCRATCH/pose.csv" --outputs 6 --net 6-6-6
compare "gradient, classes" "$SCRATCH/kinds.csv" --label kind --net 4-8-3
compare "gradient, regression" "$SCRATCH/pose.csv" --outputs 6 --net 6-6-6 --method qat
compare "images" "$SCRATCH/digits/train-images-idx3-ubyte" --epochs 2+2 --augment shift=1,rotate=8 \
    --mixup 0.2 --teacher "crop24 resize8 conv3x8 relu dense10" \
    --net "crop24 resize12 conv3x6:4 relu:4 pool2 dw2:3 relu conv2x8p:t relu:4 avg2 dense10:b"
