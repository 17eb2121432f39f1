#!/bin/bash
# Images in every container, with the N-th allocation failing and with short, interrupted reads.
# shellcheck source=tests/cli/support.bash
. tests/cli/support.bash
# shellcheck source=tests/faults/inject.bash
. tests/faults/inject.bash

make_images()
{
    image_net net.mote
    idx t-images "4 2 2" '\200\0\200\0\0\100\0\100\12\0\0\0\2\1\1\1'
    idx t-labels "4" '\0\1\0\1'
    gzip t-images t-labels
    mkdir -p set/0 set/1
    printf 'P5 2 2 255 \200\0\200\0' >set/0/a.pgm
    printf 'P2 2 2 255 10 0 0 0' >set/0/b.pgm
    printf 'P6 2 2 255 \2\2\2\1\1\1\1\1\1\1\1\1' >set/1/b.ppm
    printf 'zero\none\n0\none\n' >kinds.txt
    printf 'dense2 linear softmax # both\n' >net.txt
    for i in $(seq 60); do
        # shellcheck disable=SC2059
        printf "\\$(printf %o $((i % 256)))\\$(printf %o $((99 - i)))\\0\\1"
    done >pixels
    idx many-images "60 2 2" '' # then the pixels
    cat pixels >>many-images
    idx many-labels "60" ''
    for i in $(seq 60); do
        # shellcheck disable=SC2059
        printf "\\$((i % 2))"
    done >>many-labels
    rm pixels
}

(cd "$work" && make_images)
cp tests/fuzz/corpus/png/alpha tests/fuzz/corpus/png/interlaced "$work"
for data in t-images.gz set; do
    sweep memory "eval $data" "$MOTE" eval net.mote $data --threads 1
    sweep short "eval $data" "$MOTE" eval net.mote $data --threads 1
done
sweep memory "eval --json" "$MOTE" eval net.mote t-images.gz --json
sweep memory "run set" "$MOTE" run net.mote set
cp "$work/set/0/a.pgm" "$work/a"
sweep short "run a picture" "$MOTE" run net.mote a
stride=7
sweep memory "train" "$MOTE" train many-images --net net.txt --epochs 1+1 --threads 1 \
    --tune batch=64 --augment rotate=5,copies=1 -o result.h
stride=1
for kind in open read close; do
    sweep $kind "eval t-images.gz" "$MOTE" eval net.mote t-images.gz --threads 1
    sweep $kind "run set" "$MOTE" run net.mote set
done
for kind in open read write fsync close rename; do
    sweep $kind "train" "$MOTE" train many-images --net @net.txt --epochs 1+1 --threads 1 \
        --tune batch=64 --augment none -o result.h
done
