# Sourced by the fault tests: run mote with the N-th call failing, for every N, and judge what is
# left.  shellcheck shell=bash

: "${MOTE:?}" "${SCRATCH:?}" "${BUILD:?}"
injector=$PWD/$BUILD/tests/faults/faults.so
work=$SCRATCH/work   # where commands run and write; nothing else may appear in it
mark=$SCRATCH/mark   # made by the injector when a call has failed
all=                 # set: all calls from the N-th on fail
stride=1             # only every so many N
temporary=$SCRATCH/temporary # for work folders; empty after each run
mkdir -p "$work" "$temporary"

# Tiny inputs: enough for every stage of every verb.
make_inputs()
{
    awk 'BEGIN { srand(1); print "a,b,c [mm]"
        for (i = 0; i < 48; i++) { a = int(rand() * 60000); b = int(rand() * 60000)
            printf "%d,%d,%.3f\n", a, b, (a + b * b / 60000) / 3000 } }' >"$work/rows.csv"
    awk 'BEGIN { srand(2); print "a,b,kind"
        for (i = 0; i < 60; i++) { a = int(rand() * 200); b = int(rand() * 200)
            printf "%d,%d,%s\n", a, b, (a > b) ? "up" : "down" } }' >"$work/kinds.csv"
    "$MOTE" train "$work/rows.csv" --outputs 1 --net 2-3-1 -o "$work/net.mote" >/dev/null 2>&1
}

# run_faulty KIND N COMMAND...: in $work, with $out, $errors and $status as the result.
run_faulty()
{
    local kind=$1 at=$2
    shift 2
    rm -f "$mark"
    (
        cd "$work" || exit 99
        export TMPDIR=$temporary
        export FAULT_KIND=$kind FAULT_AT=$at FAULT_MARK=$mark LD_PRELOAD=$injector
        [ -z "$all" ] || export FAULT_ALL=1
        exec timeout 60 "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/errors"
    )
    status=$?
}

# Is a failed run's last word one line from mote?  Notes may come before it, and for an error in a
# text input the line and a caret behind it; neither kind of fault is one.
one_line_error()
{
    local lines
    lines=$(grep -vc '^mote: note: ' "$SCRATCH/errors")
    [ "$lines" = 1 ] && grep -q '^mote: ' "$SCRATCH/errors"
}

# What is wrong with the last run?  Prints the reason; nothing when all is well.
# $1: fault kind.  Compares with $SCRATCH/good.out, $SCRATCH/good.file (fault-free) and
# $SCRATCH/old.file (before the run).
judge()
{
    local file=$work/result.h
    case $status in
        0)
            cmp -s "$SCRATCH/out" "$SCRATCH/good.out" || { echo "other output"; return; }
            [ ! -e "$SCRATCH/good.file" ] || cmp -s "$file" "$SCRATCH/good.file" ||
                echo "other file"
            ;;
        1)
            one_line_error || { echo "message: $(head -c 300 "$SCRATCH/errors")"; return; }
            [ "$1" != memory ] || grep -qiE 'out of memory|cannot allocate' "$SCRATCH/errors" ||
                { echo "message: $(head -c 300 "$SCRATCH/errors")"; return; }
            # Either untouched, or replaced whole before something later failed.
            [ ! -e "$SCRATCH/good.file" ] || cmp -s "$file" "$SCRATCH/old.file" ||
                cmp -s "$file" "$SCRATCH/good.file" || echo "the old file is damaged"
            ;;
        *) echo "status $status: $(head -c 300 "$SCRATCH/errors")" ;;
    esac
    [ "$(ls "$work")" = "$listing" ] || {
        echo "left behind: $(ls "$work" | tr '\n' ' ')"
        find "$work" -name 'result.h.*' -delete
    }
    [ -z "$(ls "$temporary")" ] || echo "left behind: $(ls "$temporary"/*)"
}

# sweep KIND NAME COMMAND...: the command with the N-th call failing, N = 0, 1, ... until there is
# no N-th call.  Every N up to 150, or 1000 where PROOF is "all" (40 where $all is set), then steps that
# grow by a tenth of N.
# A command that writes a file writes `result.h`.
sweep()
{
    local kind=$1 name=$2 at=0 runs=0 reason dense=150
    shift 2
    [ "${PROOF:-}" != all ] || dense=1000
    [ -z "$all" ] || dense=40
    name="$kind${all:+ gone}: $name"
    rm -f "$work/result.h" "$SCRATCH/good.file"
    run_faulty none 0 "$@"
    [ "$status" = 0 ] || { echo "not ok $name: fails by itself: $(cat "$SCRATCH/errors")"; return; }
    cp "$SCRATCH/out" "$SCRATCH/good.out"
    [ ! -e "$work/result.h" ] || cp "$work/result.h" "$SCRATCH/good.file"
    echo "the old file" >"$SCRATCH/old.file"
    listing=$(touch "$work/result.h"; ls "$work")
    while :; do
        cp "$SCRATCH/old.file" "$work/result.h"
        run_faulty "$kind" "$at" "$@"
        reason=$(judge "$kind")
        [ -z "$reason" ] || { echo "not ok $name: call $at fails: $reason"; return; }
        [ -e "$mark" ] || break
        runs=$((runs + 1))
        at=$((at < dense ? at + stride : at + at / 10))
        [ "$kind" != short ] || break # one run holds all of it
    done
    rm -f "$work/result.h"
    [ "$runs" = 0 ] || echo "ok $name ($runs faults)" # without such calls there is nothing to say
}

# every_verb KIND: the sweep over all verbs.
every_verb()
{
    local train=("$MOTE" train --threads 1 -o result.h)
    sweep "$1" "train, least squares" "${train[@]}" rows.csv --outputs 1 --net 2-3-1
    sweep "$1" "train, gradient" "${train[@]}" kinds.csv --label kind --net 2-3-2
    sweep "$1" "eval" "$MOTE" eval net.mote rows.csv
    sweep "$1" "eval --json" "$MOTE" eval net.mote rows.csv --json
    sweep "$1" "run" "$MOTE" run net.mote rows.csv
    sweep "$1" "emit" "$MOTE" emit net.mote -o result.h --name pose
    sweep "$1" "emit --asm" "$MOTE" emit net.mote -o result.h --optimise speed --asm
    sweep "$1" "show" "$MOTE" show net.mote
    sweep "$1" "targets" "$MOTE" targets
    stride=5 # it runs compilers and emulators
    sweep "$1" "measure" "$MOTE" measure net.mote --target cortex-m0 --vectors 10 --json
    stride=1
}
